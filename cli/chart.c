/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Charts: first the steps are worked out (plan), then one of three writers puts
 * them down.  Writers know nothing of events, the plan nothing of formats.
 */
#include "chart.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "text.h"
#include "units.h"
#include "xalloc.h"

#define LANE_MIN 12 /* columns between two lanes */
#define LANE_MAX 30
#define LABEL	 40 /* columns of a label */

enum step_kind { STEP_ARROW, STEP_NOTE, STEP_GAP };

struct step {
	enum step_kind kind;
	size_t from, to;
	bool dashed; /* a reply */
	bool open; /* a request that nobody has answered */
	double time; /* 0: none */
	char *label; /* owned */
};

struct lane {
	UT_hash_handle hh;
	size_t index, n;
	char *text; /* safe to print, owned */
	char name[];
};

/* A message whose publish was seen. */
struct sent {
	UT_hash_handle hh;
	int64_t id;
	const struct event *publish, *reply;
	bool acked;
	unsigned deliveries;
};

struct plan {
	const struct events *l;
	const struct chart_options *o;
	struct lane *lanes, **order;
	size_t nlanes, caplanes;
	struct step *steps;
	size_t nsteps, capsteps;
	struct sent *sent;
};

/* ---- the plan ---- */

/* The lane of a name; made when it is new. */
static size_t
lane(struct plan *p, struct str name)
{
	struct lane *l = NULL;
	struct buf b = BUF_INIT;

	if (name.n == 0)
		name = STR("?");
	HASH_FIND(hh, p->lanes, name.p, name.n, l);
	if (l != NULL)
		return l->index;
	l = xcalloc(1, sizeof *l + name.n);
	memcpy(l->name, name.p, name.n);
	l->n = name.n;
	text_put(&b, name);
	l->text = buf_steal(&b, NULL);
	l->index = p->nlanes;
	HASH_ADD_KEYPTR(hh, p->lanes, l->name, l->n, l);
	if (p->nlanes == p->caplanes) {
		p->caplanes = p->caplanes ? p->caplanes * 2 : 16;
		p->order =
		    xreallocarray(p->order, p->caplanes, sizeof *p->order);
	}
	p->order[p->nlanes++] = l;
	return l->index;
}

/* One more step; its label is taken over. */
static struct step *
step(struct plan *p, enum step_kind kind, double time, struct buf *label)
{
	struct step *s;

	if (p->nsteps == p->capsteps) {
		p->capsteps = p->capsteps ? p->capsteps * 2 : 64;
		p->steps =
		    xreallocarray(p->steps, p->capsteps, sizeof *p->steps);
	}
	s = &p->steps[p->nsteps++];
	*s = (struct step){.kind = kind, .time = time};
	s->label = buf_steal(label, NULL);
	return s;
}

static void
arrow(struct plan *p, const struct event *e, size_t from, size_t to,
    bool dashed, bool open, struct buf *label)
{
	struct step *s = step(p, STEP_ARROW, e->time, label);

	s->from = from;
	s->to = to;
	s->dashed = dashed;
	s->open = open;
}

static struct sent *
sent_of(struct plan *p, int64_t id)
{
	struct sent *s = NULL;

	HASH_FIND(hh, p->sent, &id, sizeof id, s);
	return s;
}

/* First pass: what became of each message, also outside of the window. */
static void
pair(struct plan *p)
{
	for (size_t i = 0; i < p->l->n; i++) {
		const struct event *e = &p->l->v[i];
		struct sent *s =
		    sent_of(p, e->type == RING_REPLY ? e->re_id : e->id);

		if (e->type == RING_PUBLISH && s == NULL) {
			s = xcalloc(1, sizeof *s);
			s->id = e->id;
			s->publish = e;
			HASH_ADD(hh, p->sent, id, sizeof s->id, s);
		} else if (e->type == RING_REPLY && s != NULL) {
			s->reply = e;
		} else if (e->type == RING_ACK && s != NULL) {
			s->acked = true;
		}
	}
}

static bool
is_open(const struct sent *s)
{
	return s->reply == NULL && !s->acked;
}

/* What an event carries, in a word or two. */
static void
put_what(struct buf *b, struct str text)
{
	struct buf t = BUF_INIT;
	char what[LABEL + 1];

	text_summary(what, sizeof what, text);
	if (what[0] != '\0') {
		buf_adds(b, what);
		return;
	}
	text_put(&t, text);
	text_fit(b, (struct str){t.p, t.n}, LABEL / 2, false);
	buf_fini(&t);
}

/* A request: sender -> queue. */
static void
plan_publish(struct plan *p, const struct event *e)
{
	const struct sent *s = sent_of(p, e->id);
	bool open = s != NULL && s->publish == e && is_open(s);
	struct buf b = BUF_INIT;
	size_t from = lane(p, e->client);

	put_what(&b, e->text);
	buf_addf(&b, "%s:%lld%s", b.n ? " " : "", (long long)e->id,
	    open ? " ?" : "");
	arrow(p, e, from, lane(p, e->queue), false, open, &b);
}

/* A delivery of a request: queue -> consumer.  Those of replies are left out,
 * the arrow of the reply says it. */
static void
plan_deliver(struct plan *p, const struct event *e)
{
	struct sent *s = sent_of(p, e->id);
	struct buf b = BUF_INIT;
	size_t from;

	if (e->re_id != 0)
		return;
	from = lane(p, e->queue);
	if (s != NULL)
		put_what(&b, s->publish->text);
	buf_addf(&b, "%s:%lld", b.n ? " " : "", (long long)e->id);
	if (s != NULL && ++s->deliveries > 1)
		buf_addf(&b, " again (%u)", s->deliveries);
	arrow(p, e, from, lane(p, e->client), false, false, &b);
}

/* A reply: who answered -> who asked, or the reply queue when the request was
 * not seen. */
static void
plan_reply(struct plan *p, const struct event *e)
{
	const struct sent *s = sent_of(p, e->re_id);
	struct buf b = BUF_INIT;
	char took[UNITS_MAX];
	size_t from = lane(p, e->client);

	put_what(&b, e->text);
	buf_addf(&b, "%s:%lld", b.n ? " " : "", (long long)e->re_id);
	if (e->took_s >= 0) {
		units_took(took, e->took_s);
		buf_addf(&b, " %s", took);
	}
	if (s == NULL)
		buf_adds(&b, " (asked before)");
	arrow(p, e, from, lane(p, s ? s->publish->client : e->queue), true,
	    false, &b);
}

/* What is no message. */
static void
plan_note(struct plan *p, const struct event *e)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s", ring_type_name(e->type));
	if (e->queue.n > 0) {
		buf_addc(&b, ' ');
		if (e->id != 0)
			msgid_put(&b, e->queue, e->id);
		else
			text_put(&b, e->queue);
	}
	if (e->client.n > 0) {
		buf_adds(&b, " by ");
		text_put(&b, e->client);
	}
	if (e->text.n > 0) {
		buf_adds(&b, ": ");
		text_put(&b, e->text);
	}
	step(p, STEP_NOTE, e->time, &b);
}

/* Second pass, one event.  Logins, and queues that come and go, would only be
 * noise. */
static void
plan_event(struct plan *p, const struct event *e)
{
	switch (e->type) {
	case RING_PUBLISH: plan_publish(p, e); break;
	case RING_DELIVER: plan_deliver(p, e); break;
	case RING_REPLY: plan_reply(p, e); break;
	case RING_START:
	case RING_STOP:
	case RING_HOLD:
	case RING_RELEASE:
	case RING_CANCEL:
	case RING_REFUSE: plan_note(p, e); break;
	default: break;
	}
}

/* Events that were overwritten, or damaged. */
static void
plan_missing(struct plan *p, int64_t n)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%lld events missing", (long long)n);
	step(p, STEP_GAP, 0, &b);
}

/* Nothing happened for so long. */
static void
plan_pause(struct plan *p, double seconds)
{
	struct buf b = BUF_INIT;
	char took[UNITS_MAX];

	if (p->o->gap_s <= 0 || seconds < p->o->gap_s)
		return;
	units_age(took, seconds);
	buf_adds(&b, took);
	step(p, STEP_GAP, 0, &b);
}

/* The requests that wait for an answer. */
static void
plan_open(struct plan *p, size_t first)
{
	char age[UNITS_MAX];

	for (size_t i = first; i < p->l->n; i++) {
		const struct event *e = &p->l->v[i];
		const struct sent *s = sent_of(p, e->id);
		struct buf b = BUF_INIT;

		if (e->type != RING_PUBLISH || s == NULL || s->publish != e ||
		    !is_open(s))
			continue;
		buf_adds(&b, "no answer to ");
		msgid_put(&b, e->queue, e->id);
		buf_addc(&b, ' ');
		put_what(&b, e->text);
		buf_adds(&b, " from ");
		text_put(&b, e->client);
		units_age(age, p->o->now - e->time);
		buf_addf(&b, " for %s", age);
		step(p, STEP_NOTE, 0, &b);
	}
}

/* Where the last so many requests and replies begin. */
static size_t
window(const struct plan *p)
{
	size_t left = p->o->last, i = p->l->n;

	if (left == 0)
		return 0;
	while (i > 0 && left > 0) {
		i--;
		left -= p->l->v[i].type == RING_PUBLISH ||
		    p->l->v[i].type == RING_REPLY;
	}
	return i;
}

/* Will this event be drawn? */
static bool
is_drawn(const struct event *e)
{
	return e->type == RING_PUBLISH || e->type == RING_REPLY ||
	    (e->type == RING_DELIVER && e->re_id == 0) ||
	    e->type == RING_START || e->type == RING_STOP ||
	    e->type >= RING_HOLD;
}

static void
plan(struct plan *p)
{
	size_t first = window(p);
	double before = 0; /* time of the last one drawn */

	pair(p);
	for (size_t i = first; i < p->l->n; i++) {
		const struct event *e = &p->l->v[i];

		if (i > first && e->seq != p->l->v[i - 1].seq + 1)
			plan_missing(p, e->seq - p->l->v[i - 1].seq - 1);
		if (!is_drawn(e))
			continue;
		if (before > 0)
			plan_pause(p, e->time - before);
		before = e->time;
		plan_event(p, e);
	}
	plan_open(p, first);
}

static void
plan_fini(struct plan *p)
{
	struct lane *l, *l2;
	struct sent *s, *s2;

	HASH_ITER (hh, p->lanes, l, l2) {
		HASH_DEL(p->lanes, l);
		free(l->text);
		free(l);
	}
	HASH_ITER (hh, p->sent, s, s2) {
		HASH_DEL(p->sent, s);
		free(s);
	}
	for (size_t i = 0; i < p->nsteps; i++)
		free(p->steps[i].label);
	free(p->steps);
	free(p->order);
}

/* ---- text ---- */

/* Move lane `to` and those behind it so that `room` columns fit between. */
static void
make_room(
    const struct plan *p, size_t *gap, size_t from, size_t to, size_t room)
{
	size_t have = 0;

	for (size_t i = from; i < to; i++)
		have += gap[i];
	if (to < p->nlanes && to > from && have < room)
		gap[to - 1] += room - have;
}

/* Columns between neighbours: what names and labels need, less when that would
 * be too wide in all. */
static size_t *
lanes_at(const struct plan *p)
{
	size_t *gap = xcalloc(p->nlanes + 1, sizeof *gap), at = 0, n;
	size_t total = 0, room = p->o->columns > 40 ? p->o->columns - 20 : 80;

	for (size_t i = 0; i + 1 < p->nlanes; i++) {
		n = text_width(str_of(p->order[i]->text)) + 2;
		gap[i] = n < LANE_MIN ? LANE_MIN : n > LANE_MAX ? LANE_MAX : n;
	}
	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];
		bool east = s->from < s->to;

		n = text_width(str_of(s->label)) + 5;
		if (s->kind == STEP_ARROW)
			make_room(p, gap, east ? s->from : s->to,
			    east ? s->to : s->from,
			    n > LANE_MAX ? LANE_MAX : n);
	}
	for (size_t i = 0; i + 1 < p->nlanes; i++)
		total += gap[i];
	for (size_t i = 0; i < p->nlanes; i++) {
		n = gap[i];
		if (total > room)
			n = n * room / total;
		gap[i] = at; /* from now on: where it stands */
		at += n < LANE_MIN ? LANE_MIN : n;
	}
	return gap;
}

static void
put_stamp(struct buf *b, const struct plan *p, double time)
{
	char stamp[UNITS_MAX] = "";

	if (time > 0)
		units_time(stamp, time, p->o->now, p->o->utc);
	buf_addf(b, "%-*s  ", p->o->utc ? 13 : 12, stamp);
}

/* The names above their lanes. */
static void
text_head(struct buf *b, const struct plan *p, const size_t *at)
{
	put_stamp(b, p, 0);
	for (size_t i = 0; i < p->nlanes; i++) {
		struct str name = str_of(p->order[i]->text);
		bool last = i + 1 == p->nlanes;
		size_t room = last ? LANE_MAX : at[i + 1] - at[i] - 2;
		size_t used = text_width(name);

		text_fit(b, name, room, true);
		for (used = used < room ? used : room; !last && used < room + 2;
		     used++)
			buf_addc(b, ' ');
	}
	buf_addc(b, '\n');
}

/* The lanes from `i` on, beginning at column `col`; i behind the last. */
static void
put_lanes(struct buf *b, const struct plan *p, const size_t *at, size_t i,
    size_t n, size_t col)
{
	for (; i < n && i < p->nlanes; i++) {
		for (; col < at[i]; col++)
			buf_addc(b, ' ');
		buf_addc(b, '|');
		col++;
	}
}

/* The lanes, with an arrow and its label between two of them. */
static void
text_arrow(
    struct buf *b, const struct plan *p, const struct step *s, const size_t *at)
{
	bool east = s->to > s->from;
	size_t left = east ? s->from : s->to, right = east ? s->to : s->from;
	size_t room, used;
	char line = s->dashed ? '.' : '-';
	struct buf label = BUF_INIT;

	put_lanes(b, p, at, 0, left + 1, 0);
	if (left == right) { /* to itself */
		buf_addf(b, " <- %s", s->label);
		buf_addc(b, '\n');
		return;
	}
	room = at[right] - at[left] - 1;
	text_fit(&label, str_of(s->label), room - 4, false);
	used = text_width((struct str){label.p, label.n}) + 2;
	buf_addc(b, east ? line : '<');
	buf_addc(b, line);
	buf_add(b, label.p, label.n);
	for (; used + 1 < room; used++)
		buf_addc(b, line);
	buf_addc(b, east ? '>' : line);
	put_lanes(b, p, at, right, p->nlanes, at[right]);
	buf_addc(b, '\n');
	buf_fini(&label);
}

static void
write_text(struct buf *b, const struct plan *p)
{
	size_t *at = lanes_at(p);

	if (p->nlanes > 0)
		text_head(b, p, at);
	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];

		put_stamp(b, p, s->time);
		if (s->kind == STEP_ARROW)
			text_arrow(b, p, s, at);
		else
			buf_addf(b,
			    s->kind == STEP_GAP ? "... %s ...\n" : "* %s\n",
			    s->label);
	}
	free(at);
}

/* ---- mscgen ---- */

/* Its strings know \" only; a backslash before other characters may mean
 * something. */
static void
put_quoted(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			buf_addc(b, '\\');
		buf_addc(b, *s == '\\' ? '/' : *s);
	}
	buf_addc(b, '"');
}

static void
write_mscgen(struct buf *b, const struct plan *p)
{
	buf_adds(b, "msc {\n  hscale = \"auto\", wordwraparcs = \"true\";\n");
	buf_adds(b, p->nlanes ? "  " : "  \"no messages\"");
	for (size_t i = 0; i < p->nlanes; i++) {
		if (i > 0)
			buf_adds(b, ", ");
		put_quoted(b, p->order[i]->text);
	}
	buf_adds(b, ";\n");
	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];

		buf_adds(b, "  ");
		if (s->kind == STEP_ARROW) {
			put_quoted(b, p->order[s->from]->text);
			buf_adds(b,
			    s->open	    ? " -x "
				: s->dashed ? " >> "
					    : " => ");
			put_quoted(b, p->order[s->to]->text);
		} else {
			buf_adds(b, s->kind == STEP_GAP ? "..." : "---");
		}
		buf_adds(b, " [label = ");
		put_quoted(b, s->label);
		buf_adds(b, "];\n");
	}
	buf_adds(b, "}\n");
}

/* ---- mermaid ---- */

/* Characters that mean something to it are written as #N;. */
static void
put_mermaid(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("#;\"<>&\\{}()[]:%`", *s) != NULL)
			buf_addf(b, "#%d;", *s);
		else
			buf_addc(b, *s);
	}
}

static void
write_mermaid(struct buf *b, const struct plan *p)
{
	buf_adds(b, "sequenceDiagram\n");
	for (size_t i = 0; i < p->nlanes; i++) {
		buf_addf(b, "  participant p%zu as ", i);
		put_mermaid(b, p->order[i]->text);
		buf_addc(b, '\n');
	}
	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];

		if (s->kind == STEP_ARROW)
			buf_addf(b, "  p%zu%sp%zu: ", s->from,
			    s->open	    ? "-x"
				: s->dashed ? "-->>"
					    : "->>",
			    s->to);
		else if (p->nlanes == 0)
			continue;
		else
			buf_addf(b, "  Note over p0,p%zu: %s", p->nlanes - 1,
			    s->kind == STEP_GAP ? "... " : "");
		put_mermaid(b, s->label);
		buf_addc(b, '\n');
	}
}

/* Draw. */
void
chart_put(struct buf *b, enum chart_form form, const struct events *l,
    const struct chart_options *o)
{
	static void (*const writers[])(struct buf *, const struct plan *) = {
	    [CHART_TEXT] = write_text,
	    [CHART_MSCGEN] = write_mscgen,
	    [CHART_MERMAID] = write_mermaid,
	};
	struct plan p = {.l = l, .o = o};

	plan(&p);
	writers[form](b, &p);
	plan_fini(&p);
}
