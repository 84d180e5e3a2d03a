/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The plan of a chart, in two passes: what became of each message, also outside
 * of the window; then the steps of the window. */
#include "chart_plan.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "units.h"
#include "xalloc.h"

#define LABEL  40 /* columns of a label */
#define OTHERS "(others)"

/* A message whose publish was seen. */
struct sent {
	UT_hash_handle hh;
	struct sent *older; /* of those that were seen */
	int64_t id;
	const struct event *publish, *reply;
	struct str consumer; /* who got it last */
	bool acked, cancelled, scripts; /* scripts: are drawn */
	unsigned deliveries;
	size_t run; /* the first of its scripts, + 1 */
	size_t last_step; /* of it, + 1 */
};

/* ---- lanes ---- */

static struct lane *
lane_new(struct plan *p, struct str name)
{
	struct lane *l = xcalloc(1, sizeof *l + name.n);
	struct buf b = BUF_INIT;

	memcpy(l->name, name.p, name.n);
	l->n = name.n;
	text_put(&b, name);
	l->text = buf_steal(&b, NULL);
	if (l->text == NULL)
		l->text = xstrdup("?");
	l->index = p->nlanes;
	if (p->nlanes == p->caplanes) {
		p->caplanes = p->caplanes ? p->caplanes * 2 : 16;
		p->order =
		    xreallocarray(p->order, p->caplanes, sizeof *p->order);
	}
	p->order[p->nlanes++] = l;
	return l;
}

/* The lane of a name; made when it is new. */
static struct lane *
lane_of(struct plan *p, struct str name)
{
	struct lane *l;

	if (name.n == 0)
		name = STR("?");
	l = map_find(p->lanes, name.p, name.n);
	if (l != NULL)
		return l;
	if (p->o->lanes > 0 && p->nlanes >= p->o->lanes) {
		if (p->others == NULL)
			p->others = lane_new(p, STR(OTHERS));
		return p->others;
	}
	l = lane_new(p, name);
	p->lanes = map_add(p->lanes, l, l->name, l->n);
	return l;
}

static size_t
client_lane(struct plan *p, struct str name)
{
	struct lane *l = lane_of(p, name);

	l->client = true;
	return l->index;
}

static size_t
queue_lane(struct plan *p, struct str name)
{
	struct lane *l = lane_of(p, name);

	l->queue = true;
	return l->index;
}

/* Of a client that takes requests. */
static size_t
consumer_lane(struct plan *p, struct str name)
{
	struct lane *l = lane_of(p, name);

	l->client = l->consumer = true;
	return l->index;
}

static size_t
script_lane(struct plan *p, struct str name)
{
	struct lane *l = lane_of(p, name);

	l->script = true;
	return l->index;
}

/* ---- steps ---- */

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
	*s = (struct step){.kind = kind, .time = time, .took_s = -1};
	s->label = buf_steal(label, NULL);
	if (s->label == NULL)
		s->label = xstrdup("");
	return s;
}

/* A step of a request: behind those that it has. */
static struct step *
step_of(struct plan *p, enum step_kind kind, double time, struct buf *label,
    struct sent *sent, int64_t id)
{
	struct step *s = step(p, kind, time, label);

	s->id = id;
	s->first = sent == NULL || sent->last_step == 0;
	if (!s->first)
		p->steps[sent->last_step - 1].next = p->nsteps - 1;
	if (sent != NULL)
		sent->last_step = p->nsteps;
	return s;
}

static struct sent *
sent_of(struct plan *p, int64_t id)
{
	return map_find(p->sent, &id, sizeof id);
}

/* First pass. */
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
			p->sent = map_add(p->sent, s, &s->id, sizeof s->id);
		} else if (e->type == RING_REPLY && s != NULL) {
			s->reply = e;
			if (s->consumer.n == 0)
				s->consumer = e->client;
		} else if (e->type == RING_DELIVER && s != NULL) {
			s->consumer = e->client;
		} else if (e->type == RING_ACK && s != NULL) {
			s->acked = true;
		} else if (e->type == RING_CANCEL && s != NULL) {
			s->cancelled = true;
		}
	}
}

/* Which scripts ran for which message. */
static void
pair_runs(struct plan *p)
{
	p->next_run = xcalloc(p->o->nruns + 1, sizeof *p->next_run);
	for (size_t i = p->o->nruns; i > 0; i--) {
		struct sent *s = sent_of(p, p->o->runs[i - 1].id);

		if (s == NULL)
			continue;
		p->next_run[i] = s->run;
		s->run = i;
	}
}

static bool
is_open(const struct sent *s)
{
	return s->reply == NULL && !s->acked && !s->cancelled;
}

/* What an event carries, in a word or two.  True: a failure. */
static bool
put_what(struct buf *b, struct str text)
{
	struct buf t = BUF_INIT;
	char what[LABEL + 1];

	text_summary(what, sizeof what, text);
	if (what[0] != '\0') {
		buf_adds(b, what);
		return strcmp(what, "FAILURE") == 0;
	}
	text_put(&t, text);
	if (buf_ok(&t))
		text_fit(b, (struct str){t.p, t.n}, LABEL / 2, false);
	buf_fini(&t);
	return false;
}

/* A request: sender -> queue. */
static void
plan_publish(struct plan *p, const struct event *e)
{
	struct sent *s = sent_of(p, e->id);
	bool open = s != NULL && s->publish == e && is_open(s);
	struct buf b = BUF_INIT;
	struct step *st;

	(void)put_what(&b, e->text);
	buf_addf(&b, "%s:%lld%s", b.n ? " " : "", (long long)e->id,
	    open ? " ?" : "");
	st = step_of(p, STEP_REQUEST, e->time, &b, s, e->id);
	st->from = client_lane(p, e->client);
	st->to = queue_lane(p, e->queue);
	st->open = open;
}

/* A script that ran for a request, or runs. */
static void
plan_run(struct plan *p, struct sent *s, const struct chart_run *r)
{
	bool over = r->took_s >= 0;
	struct buf b = BUF_INIT;
	char took[UNITS_MAX];
	struct step *st;

	buf_adds(&b, over ? "run" : "running");
	st = step_of(p, STEP_SCRIPT, 0, &b, s, s->id);
	st->from = consumer_lane(p, s->consumer);
	st->to = script_lane(p, r->script);
	st->open = !over;
	if (!over)
		return;
	units_took(took, r->took_s);
	b = (struct buf)BUF_INIT;
	text_put(&b, r->end);
	buf_addf(&b, "%s%s", b.n ? " " : "", took);
	st = step_of(p, STEP_EXIT, 0, &b, s, s->id);
	st->from = script_lane(p, r->script);
	st->to = consumer_lane(p, s->consumer);
	st->failed = r->end.n > 0;
	st->took_s = r->took_s;
}

/* Those that are over, or the one that runs. */
static void
plan_runs(struct plan *p, struct sent *s, bool over)
{
	for (size_t i = s->run; i != 0; i = p->next_run[i])
		if (over == (p->o->runs[i - 1].took_s >= 0))
			plan_run(p, s, &p->o->runs[i - 1]);
}

/* A delivery of a request: queue -> consumer.  Those of replies are left out,
 * the arrow of the reply says it. */
static void
plan_deliver(struct plan *p, const struct event *e)
{
	struct sent *s = sent_of(p, e->id);
	struct buf b = BUF_INIT;
	struct step *st;

	if (e->re_id != 0)
		return;
	if (s != NULL)
		(void)put_what(&b, s->publish->text);
	buf_addf(&b, "%s:%lld", b.n ? " " : "", (long long)e->id);
	if (s != NULL && ++s->deliveries > 1)
		buf_addf(&b, " again (%u)", s->deliveries);
	st = step_of(p, STEP_DELIVERY, e->time, &b, s, e->id);
	st->from = queue_lane(p, e->queue);
	st->to = consumer_lane(p, e->client);
	if (s != NULL && is_open(s) && !s->scripts) {
		s->scripts = true;
		plan_runs(p, s, false);
	}
}

/* A reply: who answered -> who asked, or the reply queue when the request was
 * not seen. */
static void
plan_reply(struct plan *p, const struct event *e)
{
	struct sent *s = sent_of(p, e->re_id);
	struct buf b = BUF_INIT;
	char took[UNITS_MAX];
	struct step *st;
	bool failed;

	if (s != NULL)
		plan_runs(p, s, true);
	failed = put_what(&b, e->text);
	if (e->took_s >= 0) {
		units_took(took, e->took_s);
		buf_addf(&b, "%s%s", b.n ? " " : "", took);
	}
	buf_addf(&b, "%s:%lld", b.n ? " " : "", (long long)e->re_id);
	if (s == NULL)
		buf_adds(&b, " (asked before)");
	st = step_of(p, STEP_REPLY, e->time, &b, s, e->re_id);
	/* an operator who cancels it answers, but takes no requests */
	st->from = s != NULL && s->cancelled ? client_lane(p, e->client)
					     : consumer_lane(p, e->client);
	st->to =
	    s ? client_lane(p, s->publish->client) : queue_lane(p, e->queue);
	st->failed = failed;
	st->took_s = e->took_s;
}

/* What is no message. */
static void
plan_note(struct plan *p, const struct event *e)
{
	struct buf b = BUF_INIT;
	struct step *st;

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
	st = step_of(p, STEP_NOTE, e->time, &b,
	    e->id != 0 ? sent_of(p, e->id) : NULL, e->id);
	st->failed = e->type == RING_CANCEL || e->type == RING_REFUSE;
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

	buf_addf(&b, "%lld event%s missing", (long long)n, n == 1 ? "" : "s");
	step(p, STEP_GAP, 0, &b)->failed = true;
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
		struct sent *s = sent_of(p, e->id);
		struct buf b = BUF_INIT;

		if (e->type != RING_PUBLISH || s == NULL || s->publish != e ||
		    !is_open(s))
			continue;
		buf_adds(&b, "no answer to ");
		msgid_put(&b, e->queue, e->id);
		buf_addc(&b, ' ');
		(void)put_what(&b, e->text);
		buf_adds(&b, " from ");
		text_put(&b, e->client);
		units_age(age, p->o->now - e->time);
		buf_addf(&b, " for %s", age);
		step_of(p, STEP_NOTE, 0, &b, s, e->id)->open = true;
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

/* Where it stands among the others. */
static int
rank(const struct plan *p, const struct lane *l)
{
	return l == p->others ? 4
	    : l->script	      ? 3
	    : l->consumer     ? 2
	    : l->queue	      ? 1
			      : 0;
}

/* Put lanes in order, those of a rank as they came. */
static void
sort_lanes(struct plan *p)
{
	struct lane **sorted = xcalloc(p->nlanes + 1, sizeof *sorted);
	size_t *now = xcalloc(p->nlanes + 1, sizeof *now), n = 0;

	for (int r = 0; r <= 4; r++)
		for (size_t i = 0; i < p->nlanes; i++)
			if (rank(p, p->order[i]) == r) {
				now[i] = n;
				sorted[n++] = p->order[i];
			}
	for (size_t i = 0; i < n; i++)
		sorted[i]->index = i;
	for (size_t i = 0; i < p->nsteps; i++) {
		if (!step_is_arrow(&p->steps[i]))
			continue;
		p->steps[i].from = now[p->steps[i].from];
		p->steps[i].to = now[p->steps[i].to];
	}
	free(p->order);
	p->order = sorted;
	free(now);
}

/* Both. */
void
plan_make(struct plan *p, const struct events *l, const struct chart_options *o)
{
	double before = 0; /* time of the last one drawn */
	size_t first;

	*p = (struct plan){.l = l, .o = o};
	first = window(p);
	pair(p);
	pair_runs(p);
	for (size_t i = first; i < l->n; i++) {
		const struct event *e = &l->v[i];

		if (i > first && e->missing > 0)
			plan_missing(p, e->missing);
		if (!is_drawn(e))
			continue;
		if (before > 0)
			plan_pause(p, e->time - before);
		before = e->time;
		plan_event(p, e);
	}
	plan_open(p, first);
	sort_lanes(p);
}

/* Free what it holds. */
void
plan_fini(struct plan *p)
{
	struct sent *s;

	p->lanes = map_clear(p->lanes);
	for (size_t i = 0; i < p->nlanes; i++) {
		free(p->order[i]->text);
		free(p->order[i]);
	}
	p->sent = map_clear(p->sent);
	while ((s = p->newest) != NULL) {
		p->newest = s->older;
		free(s);
	}
	for (size_t i = 0; i < p->nsteps; i++)
		free(p->steps[i].label);
	free(p->steps);
	free(p->order);
	free(p->next_run);
}

/* ---- where lanes stand ---- */

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

/* Columns between neighbours. */
size_t *
plan_lanes_at(const struct plan *p, const struct plan_widths *w)
{
	size_t *gap = xcalloc(p->nlanes + 1, sizeof *gap), at = 0, n;
	size_t over = 0, spare;

	for (size_t i = 0; i + 1 < p->nlanes; i++) {
		n = text_width(str_of(p->order[i]->text)) + 2;
		gap[i] = n < w->min ? w->min : n > w->max ? w->max : n;
	}
	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];
		bool east = s->from < s->to;

		n = text_width(str_of(s->label)) + 5;
		if (step_is_arrow(s))
			make_room(p, gap, east ? s->from : s->to,
			    east ? s->to : s->from, n > w->max ? w->max : n);
	}
	for (size_t i = 0; i + 1 < p->nlanes; i++)
		over += gap[i] - w->min;
	n = p->nlanes > 0 ? (p->nlanes - 1) * w->min : 0;
	spare = w->room > n ? w->room - n : 0;
	for (size_t i = 0; i < p->nlanes; i++) {
		n = gap[i];
		if (over > spare) /* what is above the least is shared out */
			n = w->min + (n - w->min) * spare / over;
		gap[i] = at; /* from now on: where it stands */
		at += n;
	}
	return gap;
}
