/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Charts: first the steps are worked out (plan), then one of three writers puts
 * them down.  Writers know nothing of events, the plan nothing of formats.
 */
#include "chart_plan.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "units.h"
#include "xalloc.h"

#define LABEL 40 /* columns of a label */

/* A message whose publish was seen. */
struct sent {
	UT_hash_handle hh;
	struct sent *older; /* of those that were seen */
	int64_t id;
	const struct event *publish, *reply;
	bool acked;
	unsigned deliveries;
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
			s->older = p->newest;
			p->newest = s;
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
	if (e->took_s >= 0) {
		units_took(took, e->took_s);
		buf_addf(&b, "%s%s", b.n ? " " : "", took);
	}
	buf_addf(&b, "%s:%lld", b.n ? " " : "", (long long)e->re_id);
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
	struct sent *s;

	HASH_CLEAR(hh, p->lanes);
	for (size_t i = 0; i < p->nlanes; i++) {
		free(p->order[i]->text);
		free(p->order[i]);
	}
	HASH_CLEAR(hh, p->sent);
	while ((s = p->newest) != NULL) {
		p->newest = s->older;
		free(s);
	}
	for (size_t i = 0; i < p->nsteps; i++)
		free(p->steps[i].label);
	free(p->steps);
	free(p->order);
}

/* Draw. */
void
chart_put(struct buf *b, enum chart_form form, const struct events *l,
    const struct chart_options *o)
{
	static void (*const writers[])(struct buf *, const struct plan *) = {
	    [CHART_TEXT] = chart_text,
	    [CHART_MSCGEN] = chart_mscgen,
	    [CHART_MERMAID] = chart_mermaid,
	};
	struct plan p = {.l = l, .o = o};

	plan(&p);
	writers[form](b, &p);
	plan_fini(&p);
}
