"use strict";
// SPDX-FileCopyrightText: 2026 the xmsg authors
// SPDX-License-Identifier: ISC
//
// The dashboard, second file: the sequence chart, the event that was chosen, and
// what can be taken along.

// ---- the chart ----

// From where to where an event goes.
function ends(e) {
	switch (e.type) {
	case "publish": case "ack": case "refuse": case "create": case "destroy":
		return [e.client, e.queue];
	case "deliver": return [e.queue, e.client];
	case "reply": return [e.client, e.queue];
	case "login": case "logout": return [e.client, e.client];
	default: return [e.queue, e.queue];
	}
}
function label(e) {
	switch (e.type) {
	case "publish": return e.method || bytes(e.size);
	case "deliver": return e.re_id ? "answer" : e.method || "message";
	case "reply": return (e.failed ? "failed " : "") +
		(e.duration_s == null ? "reply" : span(e.duration_s));
	case "refuse": return "refused: " + e.text;
	case "hold": case "cancel": return e.type + (e.text ? ": " + e.text : "");
	default: return e.type;
	}
}
const kind = e => e.type === "refuse" || e.type === "cancel" || e.failed ? "bad" :
	["publish", "deliver", "reply", "ack"].includes(e.type) ? e.type : "note";
const key = e => e.type === "reply" ? e.re_id : e.re_id || e.id;
const same = (a, b) => a && b && a !== b && key(a) && key(a) === key(b);

// Which lanes there are, from left to right as they come.
function plan(view) {
	const lanes = new Map();
	const add = (name, queue) => {
		if (!name) return;
		let l = lanes.get(name);
		if (!l && lanes.size >= LANES) name = "(others)", l = lanes.get(name);
		if (!l) lanes.set(name, l = { name, i: lanes.size, q: false, c: false });
		l[queue ? "q" : "c"] = true;
	};
	for (const e of view) {
		if (e.type === "gap" || e.type === "start" || e.type === "stop") continue;
		if (e.type === "deliver") add(e.queue, true);
		if (e.client) add(e.client, false);
		if (e.type !== "deliver") add(e.queue, true);
	}
	return lanes;
}
function arrow(g, x1, x2, y, width, text, class_) {
	const d = x2 > x1 ? 1 : -1;
	if (x1 === x2) {
		g.append(sv("path", { class: "arrow", d: `M${x1} ${y - 5}h16v9h-9` }),
			sv("path", { class: "tip", d: `M${x1 + 2} ${y + 4}l7 -4v8z` }));
		const room = Math.floor((width - x1 - 30) / 7), right = room >= Math.min(text.length, 24);
		g.append(sv("text", { class: "lab " + class_, x: right ? x1 + 24 : x1 - 8, y: y + 4,
			"text-anchor": right ? "start" : "end" }, cut(text, right ? Math.min(room, 60) : 40)));
		return;
	}
	g.append(sv("path", { class: "arrow", d: `M${x1} ${y}H${x2 - d * 6}` }),
		sv("path", { class: "tip", d: `M${x2} ${y}l${-d * 8} -4v8z` }));
	if (text) g.append(sv("text", { class: "lab " + class_, x: (x1 + x2) / 2 - d * 3, y: y - 4,
		"text-anchor": "middle" }, cut(text, Math.max(13, Math.floor((Math.abs(x2 - x1) - 16) / 7)))));
}
function row(e, i, lanes, at, width) {
	const y = i * ROW + 17, g = sv("g", { class: "row k-" + kind(e) });
	const [from, to] = ends(e), other = lanes.get("(others)");
	const a = lanes.get(from) || lanes.get(to) || other, b = lanes.get(to) || lanes.get(from) || other;
	g.append(sv("title", {}, e.type + " " + (e.queue || e.client || "") +
		(e.id ? ":" + e.id : "")));
	g.append(sv("rect", { class: "hit", x: 1, y: i * ROW + 1, width: width - 2, height: ROW - 2, rx: 4 }));
	if (e.type === "gap" || e.type === "start" || e.type === "stop" || !a) {
		const text = e.type === "gap" ? e.text : e.type === "start" ? "broker started, " + e.text :
			e.type === "stop" ? "broker ended" : label(e);
		const short = cut(text, Math.floor((width - left - 20) / 7));
		g.append(sv("path", { class: "rule", d: `M${left + 18 + short.length * 7} ${y - 4}H${width - 8}` }),
			sv("text", { class: "lab wide", x: left + 6, y }, short));
	} else {
		const class_ = { bad: "t-bad", reply: "t-reply", note: "t-note", ack: "t-ack" }[kind(e)] || "";
		arrow(g, at(a), at(b), y, width, label(e), class_);
	}
	if (e.type !== "gap") g.append(sv("text", { class: "time", x: 8, y },
		clock(e.time).slice(0, small ? 8 : 12)));
	g.onclick = () => select(e);
	e.row = g;
	return g;
}
// How long each request was in its queue; the open ones have no end.
function bars(svg, view, lanes, at, height) {
	const began = new Map(), used = [];
	const bar = (e, from, to, isOpen) => {
		const l = lanes.get(e.queue);
		if (!l) return;
		const busy = used[l.i] ??= [];
		let slot = 0;
		while (busy[slot] > from) slot++;
		busy[slot] = to;
		if (slot > 3) return;
		svg.append(sv("rect", { class: isOpen ? "act open" : "act", x: at(l) - 4 + slot * 5,
			y: from, width: 8, height: Math.max(6, to - from), rx: 2 }));
	};
	const done = [];
	view.forEach((e, i) => {
		const id = e.type === "reply" ? e.re_id : e.id;
		if (e.type === "publish" && e.peer) began.set(e.id, [e, i]);
		if (["reply", "ack", "cancel"].includes(e.type) && began.has(id)) {
			const [p, from] = began.get(id);
			began.delete(id);
			done.push([p, from * ROW + 17, i * ROW + 17, false]);
		}
	});
	for (const [p, from] of began.values())
		if (open.has(p.id)) done.push([p, from * ROW + 17, height, true]);
	const first = view[0] ? view[0].seq : 0;
	for (const o of open.values())
		if (typeof first === "number" && o.seq < first && done.length < 400) done.push([o, 0, height, true]);
	done.sort((a, b) => a[1] - b[1]);
	for (const d of done) bar(...d);
	return began.size;
}
let view = [];

function choose() {
	const most = +$("last").value, out = [];
	for (let i = events.length - 1; i >= 0 && out.length < most; i--)
		if (events[i].type === "gap" || passes(haystack(events[i]))) out.push(events[i]);
	return out.reverse();
}
function chart() {
	for (const e of view) e.row = null;
	view = choose();
	const lanes = plan(view), box = $("scroll"), n = Math.max(1, lanes.size);
	small = box.clientWidth < 520;
	left = small ? 70 : 96;
	const step = Math.max(small ? 98 : 118, Math.min(230, (box.clientWidth - left - 20) / n));
	const width = Math.max(box.clientWidth - 2, Math.ceil(left + n * step + 10));
	const height = view.length * ROW + 14, at = l => Math.round(left + (l.i + .5) * step);
	$("none").hidden = view.length > 0;
	if (!view.length) {
		$("inner").replaceChildren();
		return;
	}
	const names = sv("svg", { id: "names", width, height: 54, role: "img", "aria-label":
		"Lifelines: " + Array.from(lanes.keys()).slice(0, 12).map(s => cut(s, 40)).join(", ") });
	const svg = sv("svg", { id: "chart", width, height, role: "img", "aria-label":
		plural(view.length, "event") + " between " + plural(lanes.size, "client or queue") +
		"; the same as text stands below" });
	for (const l of lanes.values()) {
		const x = at(l), g = sv("g", {});
		g.append(sv("title", {}, l.name),
			sv("rect", { class: l.q ? "lane" : "lane c", x: x - step / 2 + 4, y: 3, width: step - 8, height: 47, rx: l.q ? 6 : 0 }));
		fold(l.name, Math.floor((step - 14) / 7)).forEach((text, i, both) =>
			g.append(sv("text", { x, y: 17 + i * 13 + (both.length < 2 ? 6 : 0), "text-anchor": "middle" }, text)));
		g.append(sv("text", { class: "sub", x, y: 44, "text-anchor": "middle" },
				l.q && l.c ? "client + queue" : l.q ? "queue" : "client"));
		names.append(g);
		svg.append(sv("path", { class: "life", d: `M${x} 0V${height}` }));
	}
	bars(svg, view, lanes, at, height);
	view.forEach((e, i) => svg.append(row(e, i, lanes, at, width)));
	$("inner").replaceChildren(names, svg);
	highlight();
	put($("shown"), "the last " + plural(view.length, "event") +
		(words.length ? " of those that pass the filter" : ""));
	if (bottom) box.scrollTop = box.scrollHeight;
	if ($("as-text").open) texts();
}
const line = e => e.type === "gap" ? "-- " + e.text + " --" : [clock(e.time), e.type,
	e.client && "client " + e.client, e.queue && (e.id ? e.queue + ":" + e.id : e.queue),
	e.re_id && "answers " + (e.peer ? e.peer + ":" : "") + e.re_id, e.method,
	e.duration_s != null && "after " + span(e.duration_s), e.text].filter(Boolean).join("  ");

function texts() {
	$("lines").replaceChildren(...view.map(e => el("li", {}, line(e))));
}

// ---- one event ----

function highlight() {
	for (const e of view) if (e.row) {
		e.row.classList.toggle("on", e === selected);
		e.row.classList.toggle("same", Boolean(same(e, selected)));
	}
}
function select(e) {
	selected = e;
	highlight();
	const d = $("detail");
	d.replaceChildren();
	if (!e || e.type === "gap") return;
	const dl = el("dl", {});
	const add = (name, value) => {
		if (value !== "" && value != null) dl.append(el("dt", {}, name), el("dd", { class: "mono" }, value));
	};
	add("event", e.type + ", number " + e.seq);
	add("time", new Date(e.time * 1000).toISOString());
	add("client", e.client + (e.pid ? " (pid " + e.pid + ")" : ""));
	if (e.queue) add("message", e.id ? e.queue + ":" + e.id : e.queue);
	if (e.re_id) add("answers", (e.peer ? e.peer + ":" : "") + e.re_id);
	else add(e.type === "create" ? "owner" : "answer to", e.peer);
	add("method", e.method);
	if (e.size) add("size", bytes(e.size));
	if (e.duration_s != null) add("took", span(e.duration_s));
	if (open.has(e.id) && e.type === "publish") add("answer", "none yet, after " + span(now() - e.time));
	add("text", e.text);
	d.append(dl);
}
function move(by) {
	const at = view.indexOf(selected);
	const i = at < 0 ? (by > 0 ? 0 : view.length - 1) : Math.max(0, Math.min(view.length - 1, at + by));
	if (!view[i]) return;
	bottom = i === view.length - 1;
	select(view[i]);
	const box = $("scroll"), top = i * ROW;
	if (top < box.scrollTop) box.scrollTop = top;
	else if (top + ROW + 50 > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW + 50 - box.clientHeight;
}

// ---- taking it along ----

function mscgen() {
	const q = s => '"' + clean(s).replace(/[\\"]/g, "'").replace(/[\n\t]/g, " ") + '"';
	const lanes = plan(view), out = ["msc {", "  " + Array.from(lanes.values(),
		l => "l" + l.i + " [label=" + q(cut(l.name, 40)) + "]").join(", ") + ";"];
	for (const e of view) {
		const [a, b] = ends(e).map(n => lanes.get(n) || lanes.get("(others)"));
		if (e.type === "gap" || !a || !b) out.push("  --- [label=" + q(e.text || e.type) + "];");
		else out.push("  l" + a.i + (e.type === "reply" ? ">>" : e.type === "ack" ? "->" : "=>") +
			"l" + b.i + " [label=" + q(cut(label(e), 60)) + "];");
	}
	return out.concat("}", "").join("\n");
}
async function copy() {
	let done = "Copied";
	try {
		await navigator.clipboard.writeText(mscgen());
	} catch (error) {
		done = "Not allowed here";
	}
	put($("copy"), done);
	await sleep(1500);
	put($("copy"), "Copy as mscgen");
}
function save() {
	const text = new XMLSerializer();
	const svgs = Array.from($("inner").children, s => text.serializeToString(s)).join("\n");
	const tag = (name, inside) => "<" + name + ">" + inside + "</" + name + ">\n";
	const page = "<!doctype html>\n<meta charset=\"utf-8\">\n" + tag("title", "xmsg chart") +
		tag("style", document.querySelector("style").textContent) + svgs;
	const url = URL.createObjectURL(new Blob([page], { type: "text/html" }));
	const a = el("a", { href: url, download: "xmsg-chart.html" });
	a.click();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
}
