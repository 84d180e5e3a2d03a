"use strict";
// SPDX-FileCopyrightText: 2026 the xmsg authors
// SPDX-License-Identifier: ISC
//
// The dashboard, first of three files that make one script: what is kept, and
// how it comes.  The page only reads: /v1/events as they come, /v1/status, health
// and queues every two seconds.  What a client chose (names, tokens, payloads)
// reaches the document as text and in no other way.

// ---- what is kept, and how much of it ----
const EVENTS = 10000, FAILS = 200, OPEN = 5000, CARDS = 200, ROWS = 40;
const WAIT = 20, LIMIT = 1000, TICK = 2000, FRAME = 250;
const ROW = 26, LANES = 40;

const $ = id => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
let events = [], fails = [];
const open = new Map(), methods = new Map();
let next = null, expected = null, skew = null;
let paused = false, dirty = true, selected = null, unseen = 0, bottom = true;
let words = [], queues = [], clients = [], more = false;
let before = null, lostAt = 0, ended = false, unsure = true, seeded = 0;
const rates = new Map();
let left = 96, small = false;

// ---- small things ----

// Characters that would hide or turn around what stands beside them.
const clean = s => String(s ?? "").replace(
	/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
	"\ufffd");
const cut = (s, n) => {
	const c = Array.from(clean(s).replace(/[\t\n]/g, " "));
	return c.length <= n ? c.join("") : n < 2 ? "" :
		c.slice(0, Math.ceil(n * .6) - 1).join("") + "…" +
		c.slice(c.length - Math.floor(n * .4)).join("");
};
function el(name, attrs, ...inside) {
	const e = document.createElement(name);
	for (const k in attrs) e.setAttribute(k, attrs[k]);
	for (const i of inside)
		e.append(i instanceof Node ? i : document.createTextNode(clean(i)));
	return e;
}
// A name that may be broken behind its dots.
function soft(name) {
	const parts = clean(name).split(/(?<=[.:/_-])/), out = [];
	for (const p of parts.length < 40 ? parts : [parts.join("")])
		out.push(document.createElement("wbr"), p);
	return out;
}
// The same in two lines of n characters each.
function fold(name, n) {
	const c = Array.from(cut(name, 2 * n - 1));
	if (c.length <= n) return [c.join("")];
	let at = Math.min(n, Math.ceil(c.length / 2) + 2);
	for (let i = at; i > c.length - n - 1 && i > 0; i--)
		if (/[.:/_-]/.test(c[i - 1])) { at = i; break; }
	return [c.slice(0, at).join(""), c.slice(at).join("")];
}
function sv(name, attrs, text) {
	const e = document.createElementNS(SVG, name);
	for (const k in attrs) e.setAttribute(k, attrs[k]);
	if (text !== undefined) e.textContent = clean(text);
	return e;
}
const put = (e, text) => { if (e.textContent !== text) e.textContent = text; };
const look = (e, kind, text) => { e.className = "pill " + kind; put(e, text); };
const sleep = ms => new Promise(done => setTimeout(done, ms));
const pad = (n, w = 2) => String(n).padStart(w, "0");
function clock(t) {
	const d = new Date(t * 1000);
	return pad(d.getHours()) + ":" + pad(d.getMinutes()) + ":" +
		pad(d.getSeconds()) + "." + pad(d.getMilliseconds(), 3);
}
function span(s) {
	if (s == null) return "–";
	if (s < 0) s = 0;
	if (s < .001) return Math.round(s * 1e6) + " µs";
	if (s < 1) return (s * 1e3).toFixed(s < .01 ? 1 : 0) + " ms";
	if (s < 120) return s.toFixed(1) + " s";
	if (s < 7200) return Math.floor(s / 60) + " min";
	if (s < 172800) return Math.floor(s / 3600) + " h";
	return Math.floor(s / 86400) + " d";
}
function bytes(n) {
	const units = ["B", "KiB", "MiB", "GiB"];
	let u = 0;
	for (; n >= 1024 && u < 3; u++) n /= 1024;
	return (u && n < 10 ? n.toFixed(1) : Math.round(n)) + " " + units[u];
}
const rate = r => r === 0 || r >= 100 ? Math.round(r) : r >= 10 ? r.toFixed(1) : r.toFixed(2);
const plural = (n, what) => n + " " + what + (n === 1 ? "" : "s");
const now = () => Date.now() / 1000 - (skew ?? 0);
function trim(map, most) {
	for (const key of map.keys()) {
		if (map.size <= most) break;
		map.delete(key);
	}
}
function keep(list, most) {
	if (list.length > most * 1.1) list.splice(0, list.length - most);
}

// ---- the model ----

const METHOD = /"method"\s*:\s*"((?:[^"\\]|\\.){1,120})"|<methodName>([^<]{1,120})</;
const FAILED = /"Status"\s*:\s*"Failure"|"error"\s*:\s*(?!null|\s)|<name>Status<\/name><value>(?:<string>)?Failure/;
const BAD = { refuse: "refused", cancel: "cancelled", hold: "held" };

function fail(e, word, kind) {
	fails.push({ e, word, kind });
	keep(fails, FAILS);
}

// What an event means for the requests that are open.
function account(e) {
	const r = open.get(e.type === "reply" ? e.re_id : e.id);
	switch (e.type) {
	case "publish": {
		const m = METHOD.exec(e.text);
		e.method = m ? m[1] || m[2] : "";
		methods.set(e.id, e.method);
		trim(methods, OPEN);
		if (e.peer) {
			open.set(e.id, e);
			e.holder = null;
			trim(open, OPEN);
		}
		break;
	}
	case "deliver":
		e.method = methods.get(e.id);
		if (r) {
			r.holder = e.client;
			r.taken = e.time;
			r.times = (r.times || 0) + 1;
		}
		break;
	case "reply":
		e.method = methods.get(e.re_id);
		methods.set(e.id, e.method);
		e.failed = FAILED.test(e.text);
		if (e.failed) fail(e, "failed", "bad");
		open.delete(e.re_id);
		break;
	case "hold":
	case "release":
		e.method = methods.get(e.id);
		if (r) r.held = e.type === "hold";
		break;
	case "ack":
	case "cancel":
		e.method = methods.get(e.id);
		open.delete(e.id);
		break;
	case "destroy":
		for (const [id, o] of open) if (o.queue === e.queue) open.delete(id);
		break;
	}
	if (BAD[e.type])
		fail(e, BAD[e.type], e.type === "hold" ? "warn" : "bad");
}
function haystack(e) {
	return e.hay ??= [e.type, e.queue, e.client, e.peer, e.id || "", e.re_id || "",
		e.method, e.failed ? "failed" : "", e.text].join("\n").toLowerCase();
}
const passes = hay => words.every(w => w[0] === "-" && w.length > 1 ?
	!hay.includes(w.slice(1)) : hay.includes(w));

// A line across the chart: something is missing, or came back.  An answer may be
// among what is missing, so the broker is asked what is open (seed).
function mark(text) {
	unsure = true;
	events.push({ type: "gap", text, seq: "gap" + Math.random(), time: now(), hay: null });
	dirty = true;
}
function take(answer, first, jumped) {
	if (answer.lost > 0 && !first)
		mark(plural(answer.lost, "event") + " overwritten before this page could read them");
	if (answer.lost > 0) expected = null;
	for (const e of answer.events) {
		if (expected !== null && e.seq > expected)
			mark(plural(e.seq - expected, "event") +
				(jumped ? " came too fast to be shown" : " missing from the recorder"));
		expected = e.seq + 1;
		account(e);
		events.push(e);
	}
	const newest = answer.events.at(-1);
	if (newest && !first) {
		const d = Date.now() / 1000 - newest.time;
		skew = skew === null ? d : Math.min(skew, d);
	}
	keep(events, EVENTS);
	next = answer.next;
	if (answer.events.length) {
		if (paused) unseen += answer.events.length;
		dirty = true;
	}
}

// ---- the broker ----

class Status extends Error {
	constructor(status) { super("status " + status); this.status = status; }
}
async function get(path, seconds) {
	const stop = new AbortController();
	const timer = setTimeout(() => stop.abort(), seconds * 1000);
	try {
		const r = await fetch(path, { signal: stop.signal, cache: "no-store" });
		if (r.ok || (r.status === 503 && path === "/v1/health")) return await r.json();
		throw new Status(r.status);
	} finally {
		clearTimeout(timer);
	}
}
function online() {
	if (lostAt) mark("not connected for " + span((Date.now() - lostAt) / 1000));
	lostAt = 0;
	ended = false;
	link();
}
function link() {
	look($("link"), paused ? "warn" : "ok", paused ?
		"paused" + (unseen ? ", " + unseen + " new" : "") : "live");
}
async function offline(error, wait) {
	lostAt = lostAt || Date.now();
	ended = error.status === 403;
	look($("health"), "bad", ended ? "session over" : "no broker answers");
	const until = Date.now() + wait;
	for (let left; (left = until - Date.now()) > 0; await sleep(Math.min(left, 250)))
		look($("link"), "bad", ended ? "run xmsg web again" :
			"reconnecting in " + Math.ceil(left / 1000) + " s");
	look($("link"), "warn", "reconnecting");
}
// A recorder that began anew is behind the place where we were.
async function rejoin() {
	const at = await get("/v1/events?after=now&limit=1", 5);
	if (next !== null && at.next < next) {
		mark("the recorder began anew");
		next = expected = null;
		open.clear();
	}
}
async function follow() {
	for (let wait = 500, full = 0; ;) {
		try {
			if (lostAt) await rejoin();
			const first = next === null, jump = full > 2;
			const answer = await get("/v1/events?limit=" + LIMIT + (first || jump ? "" :
				"&after=" + next + (lostAt ? "" : "&wait=" + WAIT)), WAIT + 10);
			if (lostAt || first) online();
			wait = 500;
			take(answer, first, jump);
			// Who cannot keep up looks at the newest ones.
			full = answer.events.length < LIMIT || jump ? 0 : full + 1;
			await sleep(200);
		} catch (error) {
			await offline(error, wait * (.8 + Math.random() * .4));
			wait = Math.min(wait * 2, 15000);
		}
	}
}
// What is open according to the broker: at first, and when something was missed.
async function seed() {
	unsure = false;
	seeded = Date.now();
	const full = queues.filter(q => q.messages > 0)
		.sort((a, b) => b.oldest_age_s - a.oldest_age_s).slice(0, 20);
	const lists = await Promise.all(full.map(q => get("/v1/queues/" +
		encodeURIComponent(q.name) + "/messages?payload=1&limit=" + ROWS, 8)
		.then(r => r.messages, () => [])));
	const old = new Map(open);
	open.clear();
	for (const m of lists.flat()) {
		if (m.kind !== "request" || m.answered) continue;
		const was = old.get(m.id);
		open.set(m.id, was || { type: "publish", seq: -1, id: m.id, queue: m.queue,
			client: m.origin, peer: m.reply_to || "", time: m.time, size: m.size,
			text: m.payload, method: m.method || "", holder: m.consumer || null,
			held: m.state === "held" });
	}
	// What came while the broker was asked.
	for (const [id, o] of old)
		if (o.seq >= 0 && now() - o.time < 3 && !open.has(id)) open.set(id, o);
	dirty = true;
}
// Is the oldest one still there?  Some are asked for each time.
async function verify() {
	const all = Array.from(open.values()).filter(o => now() - o.time > 4 &&
		Date.now() - (o.asked || 0) > 8000 && !o.queue.includes("\ufffd")).slice(0, 5);
	const there = new Set(queues.map(q => q.name));
	for (const o of all) {
		o.asked = Date.now();
		if (!there.has(o.queue)) {
			if (!more) open.delete(o.id);
			continue;
		}
		const [m] = (await get("/v1/queues/" + encodeURIComponent(o.queue) +
			"/messages?limit=1&after=" + (o.id - 1), 8)).messages;
		if (!m || m.id !== o.id || m.answered) open.delete(o.id);
	}
}
async function watch() {
	for (; ; await sleep(TICK)) {
		if (document.hidden || lostAt) continue;
		try {
			const [status, health, q] = await Promise.all([get("/v1/status", 8),
				get("/v1/health", 8), get("/v1/queues?limit=1000", 8)]);
			if ($("who").open) clients = (await get("/v1/clients", 8)).clients;
			if (paused) continue;
			facts(status, health);
			measure(q.queues, status.uptime_s);
			more = q.next !== null;
			queues = q.queues;
			cards();
			who(status);
			if (unsure && Date.now() - seeded > 5000) await seed();
			await verify();
		} catch (error) {
			// The other loop says so, and goes on when it can.
		}
	}
}
