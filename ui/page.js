"use strict";
// SPDX-FileCopyrightText: 2026 the xmsg authors
// SPDX-License-Identifier: ISC
//
// The dashboard, last file: the head, the lists, and what a person does.

// ---- the head ----

const HEALTH = { ok: "ok", warning: "warn", critical: "bad" };

function fact(name, value, title) {
	let d = $("facts").querySelector("[data-f=" + name.replace(/\W/g, "") + "] dd");
	if (!d) {
		d = el("dd", {});
		$("facts").append(el("div", { "data-f": name.replace(/\W/g, "") },
			el("dt", {}, name), d));
	}
	put(d, String(value));
	d.title = title || "";
}
function facts(s, h) {
	const c = s.counters, sent = c.published + c.replied;
	const dt = before && before.boot === s.pid ? s.uptime_s - before.at : 0;
	look($("health"), HEALTH[h.status] || "idle", h.status);
	$("health").title = clean(h.text);
	fact("version", clean(s.version));
	fact("up", span(s.uptime_s));
	fact("in", dt > 0 ? rate((sent - before.sent) / dt) + "/s" : "–",
		"messages taken a second");
	fact("out", dt > 0 ? rate((c.delivered - before.out) / dt) + "/s" : "–",
		"messages handed out a second");
	fact("queues", s.queues);
	fact("messages", s.messages, bytes(s.bytes));
	fact("connections", s.connections, s.parked + " wait for messages");
	fact("refused", c.refused + c.turned_away + c.bad_requests);
	before = { boot: s.pid, at: s.uptime_s, sent, out: c.delivered };
}

// ---- queues ----

const RANK = { bad: 0, warn: 1, busy: 2, ok: 3, idle: 4 };

function state(q) {
	if (q.paused) return ["warn", "paused"];
	if (q.messages && !q.consumers) return ["bad", "no consumer"];
	if (q.held) return ["warn", "held back"];
	if (q.oldest_age_s > 60) return ["warn", "slow"];
	if (q.messages) return ["busy", "working"];
	return q.consumers ? ["ok", "served"] : ["idle", "empty"];
}
function measure(list, at) {
	const there = new Set();
	for (const q of list) {
		const r = rates.get(q.name), dt = r ? at - r.at : 0;
		there.add(q.name);
		q.rin = dt > 0 ? Math.max(0, q.in - r.in) / dt : 0;
		q.rout = dt > 0 ? Math.max(0, q.out - r.out) / dt : 0;
		rates.set(q.name, { at, in: q.in, out: q.out });
	}
	for (const name of rates.keys()) if (!there.has(name)) rates.delete(name);
}
const known = new Map();

function card(q) {
	let c = known.get(q.name);
	if (!c) {
		const n = {}, nums = el("p", { class: "nums" });
		for (const k of ["ready", "delivered", "held", "oldest", "consumers", "rate"]) {
			n[k] = el("b", {});
			nums.append(el("span", {}, k === "rate" ? "" : k + " ", n[k]));
		}
		const word = el("span", {}), kind = el("p", { class: "muted" });
		const meter = el("div", { class: "meter", "aria-hidden": "true" },
			el("i", {}), el("i", {}), el("i", {}));
		c = { n, word, kind, meter, e: el("article", {},
			el("div", { class: "top" }, el("h3", { class: "mono" }, ...soft(q.name)), word),
			meter, nums, kind) };
		known.set(q.name, c);
	}
	const [kind, word] = state(q);
	const class_ = "card s-" + kind;
	if (c.e.className !== class_) c.e.className = class_;
	look(c.word, kind, word);
	["ready", "delivered", "held"].forEach((k, i) => {
		put(c.n[k], String(q[k]));
		c.meter.children[i].style.width = q.messages ? q[k] * 100 / q.messages + "%" : "0";
	});
	put(c.n.oldest, span(q.oldest_age_s));
	put(c.n.consumers, String(q.consumers));
	put(c.n.rate, rate(q.rin) + " in, " + rate(q.rout) + " out /s");
	put(c.kind, q.kind + (q.owner ? " of " + cut(q.owner, 40) : "") + ", " + bytes(q.bytes) +
		(q.last_poll_age_s == null ? ", never polled" : q.parked ? "" :
			", polled " + span(q.last_poll_age_s) + " ago"));
	return c.e;
}
function cards() {
	const list = queues.filter(q => passes([q.name, q.owner, ...state(q)].join("\n").toLowerCase()));
	list.sort((a, b) => RANK[state(a)[0]] - RANK[state(b)[0]] || (a.name < b.name ? -1 : 1));
	const shown = list.slice(0, CARDS), names = new Set(shown.map(q => q.name));
	for (const [name, c] of known)
		if (!names.has(name)) {
			c.e.remove();
			known.delete(name);
		}
	shown.forEach((q, i) => {
		const e = card(q), at = $("cards").children[i];
		if (at !== e) $("cards").insertBefore(e, at || null);
	});
	put($("q-n"), shown.length + (list.length > shown.length ? " of " + list.length : "") +
		(more ? ", of the first 1000" : ""));
}

// ---- lists ----

function list(where, items, empty) {
	where.replaceChildren(...items);
	if (!items.length) where.append(el("li", { class: "muted" }, empty));
}
// What a consumer works on, for the storage adapter the scripts that run: the
// broker knows who took a request and when, and asks nobody.
function atWork(o, t) {
	const took = t - (o.taken ?? o.time), kind = took > 60 ? "bad" : took > 10 ? "warn" : "busy";
	const bar = el("i", {});
	bar.style.width = Math.max(2, Math.min(100, Math.log10(1 + took) * 28)) + "%";
	return el("li", {},
		el("span", { class: "age" }, span(took)),
		el("span", { class: "pill " + kind }, o.times > 1 ? "given " + o.times + " times" : "in hand"),
		el("b", { class: "mono" }, cut(o.method || bytes(o.size), 60)),
		el("div", { class: "took " + kind, "aria-hidden": "true" }, bar),
		el("small", { class: "mono" }, cut(o.queue, 60) + ":" + o.id),
		el("small", {}, "with " + cut(o.holder, 60) + ", from " + cut(o.client, 40)));
}
function waits(o, t) {
	return el("li", {},
		el("span", { class: "age" }, span(t - o.time)),
		el("span", { class: "pill " + (o.held ? "warn" : "idle") }, o.held ? "held" : "waiting"),
		el("b", { class: "mono" }, cut(o.method || bytes(o.size), 60)),
		el("small", { class: "mono" }, cut(o.queue, 60) + ":" + o.id),
		el("small", {}, "from " + cut(o.client, 40) +
			(o.holder ? ", " + cut(o.holder, 40) + " had it" : ", nobody has it")));
}
function requests(name, all, age, row, empty) {
	const t = now();
	all.sort((a, b) => age(a) - age(b));
	list($(name), all.slice(0, ROWS).map(o => row(o, t)), empty);
	put($(name[0] + "-n"), all.length > ROWS ? "the oldest " + ROWS + " of " + all.length :
		String(all.length));
}
function unanswered() {
	const inHand = [], waiting = [];
	for (const o of open.values())
		if (passes(haystack(o))) (o.holder && !o.held ? inHand : waiting).push(o);
	requests("work", inHand, o => o.taken ?? o.time, atWork, "Nobody has a request in hand.");
	requests("open", waiting, o => o.time, waits, "No request waits for a consumer.");
}
function failures() {
	const all = fails.filter(f => passes(haystack(f.e))).reverse();
	list($("fails"), all.slice(0, ROWS).map(({ e, word, kind }) => el("li", {},
		el("span", { class: "age" }, clock(e.time).slice(0, 8)),
		el("span", { class: "pill " + kind }, word),
		el("b", { class: "mono" }, cut(e.type === "reply" ? e.method || "reply" :
			e.method || e.queue || "connection", 60)),
		el("small", { class: "mono" }, cut((e.type === "reply" ? e.peer : e.queue) || e.client, 60) +
			(e.id ? ":" + (e.type === "reply" ? e.re_id : e.id) : "")),
		el("small", {}, cut(e.text, 240)))),
		"None has been seen.");
	put($("f-n"), String(all.length));
}
function who(s) {
	put($("c-n"), String(s.connections));
	if (!$("who").open) return;
	list($("clients"), clients.filter(c => passes([c.comm, c.token, c.pid, ...c.queues]
		.join("\n").toLowerCase())).slice(0, CARDS).map(c => el("li", {},
		el("span", { class: "age" }, span(c.age_s)),
		el("span", { class: "pill " + (c.parked ? "ok" : "idle") }, c.parked ? "waits" : "open"),
		el("b", { class: "mono" }, (c.comm || "?") + "[" + c.pid + "]"),
		el("small", { class: "mono" }, c.token == null ? "not logged in" : cut(c.token, 60)),
		el("small", {}, plural(c.requests, "request") + ", uid " + c.uid +
			(c.queues.length ? ", on " + cut(c.queues.slice(0, 8).join(", "), 120) : "")))),
		clients.length ? "None passes the filter." : "…");
}

// ---- what a person does ----

function pause() {
	paused = !paused;
	unseen = 0;
	$("pause").setAttribute("aria-pressed", String(paused));
	$("pause").firstChild.data = paused ? "Go on " : "Pause ";
	dirty = true;
	if (!lostAt) link();
}
const THEMES = ["auto", "light", "dark"];

function theme(name) {
	if (name === "auto") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = name;
	put($("theme"), "Colours: " + name);
	try {
		localStorage.setItem("xmsg-theme", name);
	} catch (error) {
		// Then it holds as long as the page.
	}
}
const turn = () => theme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme || "auto") + 1) % 3]);

function filter() {
	words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
	bottom = true;
	draw();
	cards();
}
const KEYS = {
	"/": () => $("filter").focus(), p: pause, j: () => move(1), k: () => move(-1),
	t: turn, "?": () => $("help").showModal(), Escape: () => select(null),
};
document.addEventListener("keydown", ev => {
	if (ev.ctrlKey || ev.metaKey || ev.altKey || $("help").open) return;
	if (ev.target === $("filter")) {
		if (ev.key !== "Escape") return;
		$("filter").value = "";
		$("filter").blur();
		filter();
	} else if (KEYS[ev.key] && ev.target !== $("last")) {
		ev.preventDefault();
		KEYS[ev.key]();
	}
});
$("filter").addEventListener("input", filter);
$("last").addEventListener("change", () => { bottom = true; draw(); });
$("pause").onclick = pause;
$("theme").onclick = turn;
$("keys").onclick = () => $("help").showModal();
$("copy").onclick = copy;
$("save").onclick = save;
$("as-text").ontoggle = () => $("as-text").open && texts();
$("who").ontoggle = async () => {
	if ($("who").open) clients = (await get("/v1/clients", 8).catch(() => ({ clients }))).clients;
	who({ connections: clients.length });
};
$("scroll").addEventListener("scroll", () => {
	const b = $("scroll");
	bottom = b.scrollTop + b.clientHeight > b.scrollHeight - ROW;
}, { passive: true });
addEventListener("resize", () => { dirty = true; });

// ---- drawing ----

function draw() {
	dirty = false;
	chart();
	unanswered();
	failures();
}
function tick() {
	if (document.hidden) return;
	if (paused) {
		if (!lostAt) link();
	} else if (dirty) {
		draw();
	}
}
let stored = null;
try {
	stored = localStorage.getItem("xmsg-theme");
} catch (error) {
	// No matter.
}
theme(THEMES.includes(stored) ? stored : "auto");
setInterval(tick, FRAME);
setInterval(() => document.hidden || paused || !open.size || unanswered(), 1000);
// First the page is painted, then it asks.
requestAnimationFrame(() => setTimeout(() => {
	follow();
	watch();
}));
