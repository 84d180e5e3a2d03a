/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * GET /v1/events: the flight recorder, filtered here, and waiting for more.
 *
 * A reader that waits is looked at only when an event of its kinds was recorded
 * (trace.c); then its other conditions decide whether it is answered.  `next`
 * stands behind everything that was looked at, so nothing is looked at twice.
 *
 * Followers of all events get the same answer in a round: it is made once.
 */
#include "api_v1.h"

#include <stdlib.h>

#include "clock.h"
#include "xalloc.h"

#define FROM_LAST (-2) /* `after` left out: the last ones */
#define FROM_NOW  (-3) /* after=now */

#define TOLD_MOST ((size_t)1024 * 1024) /* what is larger is made again */
#define PLACES	  8

/* What was told last. */
struct told {
	/* an answer to a follower of all events, for the next one in the same
	 * place: where it began; where the recorder ended */
	uint64_t after, end;
	size_t limit, shown;
	struct buf body;
	/* where looking ended: there it goes on, and from the end of the
	 * recorder it is a long way back for one who is behind */
	struct ring_cursor places[PLACES];
	unsigned nplaces;
};

/* Made when first used. */
static struct told *
told_of(struct api *a)
{
	if (a->told == NULL)
		a->told = xcalloc(1, sizeof *a->told);
	return a->told;
}

/* Looking has come to here. */
static void
remember(struct api *a, uint64_t seq, uint64_t pos)
{
	struct told *t = told_of(a);

	for (size_t i = 0; i < PLACES; i++)
		if (t->places[i].seq == seq && t->places[i].pos != 0)
			return;
	t->places[t->nplaces++ % PLACES] = (struct ring_cursor){seq, pos};
}

/* Go on there; a place that was overwritten is found to be so. */
static struct ring_cursor
seek(struct api *a, uint64_t seq)
{
	const struct told *t = told_of(a);

	for (size_t i = 0; i < PLACES; i++)
		if (t->places[i].seq == seq && t->places[i].pos != 0)
			return t->places[i];
	return ring_seek(&a->trace->ring, seq);
}

/* Are all events wanted? */
static bool
all(const struct event_filter *f)
{
	return f->kinds == 0 && f->id == 0 && f->queue.p == NULL &&
	    f->prefix.n == 0;
}

/* Does it choose this event? */
bool
event_wanted(const struct event_filter *f, const struct ring_event *e)
{
	struct str q = e->queue;

	if (f->kinds != 0 && !(f->kinds & 1u << e->type))
		return false;
	if (f->id != 0 && e->id != f->id && e->re_id != f->id)
		return false;
	/* a reply belongs to the queue of its request, too */
	if (e->type == RING_REPLY &&
	    ((f->queue.p != NULL && str_eq(e->peer, f->queue)) ||
		(f->queue.p == NULL && f->prefix.n > 0 &&
		    str_starts(e->peer, f->prefix))))
		q = e->peer;
	return (f->queue.p == NULL || str_eq(q, f->queue)) &&
	    str_starts(q, f->prefix);
}

/* Is there an event from `from` on that is wanted? */
static bool
any_wanted(struct api *a, const struct event_filter *f, uint64_t from)
{
	const struct ring *r = &a->trace->ring;
	struct ring_cursor at;
	struct ring_event e;

	if (all(f))
		return from < ring_next(r);
	at = seek(a, from);
	while (ring_read(r, &at, &e))
		if (event_wanted(f, &e))
			return true;
	remember(a, ring_next(r), at.pos);
	return false;
}

/* Where the last `most` of those wanted begin. */
uint64_t
events_last(const struct ring *r, const struct event_filter *f, uint64_t from,
    uint64_t most)
{
	struct ring_cursor at = ring_seek(r, from);
	uint64_t n = 0, next = ring_next(r);
	struct ring_event e;

	if (all(f))
		return next > from && next - from > most ? next - most : from;
	while (ring_read(r, &at, &e))
		n += event_wanted(f, &e);
	at = ring_seek(r, from);
	while (n > most && ring_read(r, &at, &e))
		n -= event_wanted(f, &e);
	return at.seq;
}

static void
put_event(struct jsonw *w, const struct ring_event *e)
{
	jsonw_open(w, NULL, '{');
	jsonw_int(w, "seq", (int64_t)e->seq);
	jsonw_seconds(w, "time", e->wall_ns);
	jsonw_str(w, "type", str_of(ring_type_name(e->type)));
	jsonw_str(w, "client", e->client);
	jsonw_int(w, "pid", e->pid);
	jsonw_str(w, "queue", e->queue);
	jsonw_int(w, "id", e->id);
	jsonw_str(w, "peer", e->peer);
	jsonw_int(w, "re_id", e->re_id);
	jsonw_int(w, "size", e->size);
	if (e->dur_ns >= 0)
		jsonw_seconds(w, "duration_s", e->dur_ns);
	else
		jsonw_null(w, "duration_s");
	jsonw_str(w, "text", e->text);
	jsonw_close(w, '}');
}

/* One event, when it is wanted. */
static bool
put_wanted(struct jsonw *w, const struct ring_event *e, const void *filter)
{
	if (!event_wanted(filter, e))
		return false;
	put_event(w, e);
	return true;
}

/* The answer, up to its last brace; returns how many events are in it. */
static size_t
put_events(struct jsonw *w, struct api *a, uint64_t after, size_t limit,
    const struct event_filter *f)
{
	const struct ring *r = &a->trace->ring;
	uint64_t first = ring_first(r);
	struct ring_cursor at = seek(a, after < first ? first : after);
	size_t n;

	jsonw_open(w, "events", '[');
	n = v1_put_ring(w, r, &at, limit, put_wanted, f);
	remember(a, at.seq, at.pos);
	jsonw_close(w, ']');
	jsonw_int(w, "next", (int64_t)at.seq);
	jsonw_int(w, "lost", after < first ? (int64_t)(first - after) : 0);
	return n;
}

/* Answer; returns how many events there were. */
static size_t
events_reply(
    struct peer *p, uint64_t after, size_t limit, const struct event_filter *f)
{
	struct v1 v = {.p = p, .a = p->api};
	struct jsonw w = v1_start(&v);
	size_t n = put_events(&w, p->api, after, limit, f);

	v1_finish(&v, &w);
	return n;
}

/* Keep an answer for the next follower, unless it is an error or too large. */
static void
keep_told(struct told *t, struct str body)
{
	buf_reset(&t->body);
	if (str_starts(body, STR("{\"events\"")) && body.n <= TOLD_MOST)
		buf_add(&t->body, body.p, body.n);
	if (!buf_ok(&t->body))
		buf_fini(&t->body);
}

/* Answer one who follows all events. */
static void
tell_all(const struct call *c, size_t limit)
{
	struct api *a = c->api;
	uint64_t end = ring_next(&a->trace->ring);
	struct told *t = told_of(a);

	if (t->body.n == 0 || t->after != c->after || t->end != end ||
	    t->limit != limit) {
		t->after = c->after;
		t->end = end;
		t->limit = limit;
		t->shown = events_reply(c->peer, c->after, limit, &c->filter);
		/* the answer is still where it was made */
		keep_told(t, (struct str){a->out.p, a->out.n});
	} else {
		api_reply(
		    c->peer, 200, V1_JSON, (struct str){t->body.p, t->body.n});
	}
	trace_shown(a->trace, t->shown);
}

/* Answer one who waited. */
static void
tell(struct call *c)
{
	struct trace *t = c->api->trace;
	size_t limit = c->limit;

	if (trace_often(c->filter.kinds) && limit > t->pace.room)
		limit = t->pace.room;
	if (all(&c->filter))
		tell_all(c, limit);
	else
		trace_shown(
		    t, events_reply(c->peer, c->after, limit, &c->filter));
}

/* Free what was kept. */
void
told_fini(struct api *a)
{
	if (a->told != NULL)
		buf_fini(&a->told->body);
	free(a->told);
}

/* Something of its kinds was recorded: is it what is waited for? */
static void
events_woken(struct trace_wait *wait)
{
	struct call *c = call_of(wait);
	struct api *a = c->api;
	const struct ring *r = &a->trace->ring;

	if (c->after < wait->seen)
		c->after = wait->seen;
	/* what was lost may have been wanted: tell at once */
	if (a->m->now_ns < c->until_ns && c->after >= ring_first(r) &&
	    !any_wanted(a, &c->filter, c->after)) {
		c->after = ring_next(r);
		trace_wait(a->trace, wait, c->after, c->until_ns);
		return;
	}
	tell(c);
}

static void
events_expired(struct deadline *d, int64_t now)
{
	struct call *c = call_of(d);

	(void)now;
	trace_unwait(c->api->trace, &c->u.wait);
	if (c->after < c->u.wait.seen)
		c->after = c->u.wait.seen;
	tell(c);
}

/* ---- parameters ---- */

/* The bit of a kind of event, 0: there is none of this name. */
static uint32_t
kind_bit(struct str name)
{
	for (int t = RING_START; t < RING_NTYPES; t++)
		if (str_eq(name, str_of(ring_type_name((enum ring_type)t))))
			return 1u << t;
	return 0;
}

/* "cancel,hold" as bits; false when one is unknown. */
static bool
kinds_of(struct str s, uint32_t *kinds)
{
	const char *comma;
	uint32_t bit;
	size_t n;

	*kinds = 0;
	if (s.p == NULL)
		return true;
	for (;; s.p += n + 1, s.n -= n + 1) {
		comma = s.n ? memchr(s.p, ',', s.n) : NULL;
		n = comma ? (size_t)(comma - s.p) : s.n;
		bit = kind_bit((struct str){s.p, n});
		if (bit == 0)
			return false;
		*kinds |= bit;
		if (comma == NULL)
			return true;
	}
}

/* The filter of a request; false when malformed (answered). */
bool
v1_event_filter(const struct v1 *v, struct event_filter *f)
{
	memset(f, 0, sizeof *f);
	if (!v1_param_int(v, "id", 0, 1, INT64_MAX, &f->id))
		return false;
	f->queue = v1_param(v, "queue");
	f->prefix = v1_param(v, "prefix");
	if (kinds_of(v1_param(v, "kind"), &f->kinds))
		return true;
	api_error(v->p, 400, "bad_parameter", "kind",
	    "names of kinds with commas between them, see doc/protocol.md");
	return false;
}

/* Where to begin. */
static uint64_t
begin_at(const struct ring *r, int64_t after, uint64_t limit,
    const struct event_filter *f)
{
	uint64_t next = ring_next(r);

	switch (after) {
	case FROM_NOW: return next;
	case FROM_LAST: return events_last(r, f, ring_first(r), limit);
	case -1: return ring_first(r);
	default: break;
	}
	/* above every number: from another life of the recorder */
	return (uint64_t)after > next ? next : (uint64_t)after;
}

/* Wait for events that are wanted; the names are copied. */
static void
park(const struct v1 *v, uint64_t from, size_t limit, int64_t wait_ns,
    const struct event_filter *f)
{
	struct call *c = call_new(v->p, CALL_WAIT);

	buf_add(&c->body, f->queue.p, f->queue.n);
	buf_add(&c->body, f->prefix.p, f->prefix.n);
	if (!buf_ok(&c->body)) {
		api_ms_error(v->p, MS_NO_MEMORY, NULL);
		return;
	}
	c->filter = *f;
	if (f->queue.p != NULL && f->queue.n > 0)
		c->filter.queue.p = c->body.p;
	if (f->prefix.n > 0)
		c->filter.prefix.p = c->body.p + f->queue.n;
	c->after = from;
	c->limit = limit;
	c->until_ns = v->a->m->now_ns + wait_ns;
	c->u.wait.kinds = f->kinds;
	c->u.wait.fn = events_woken;
	c->u.wait.deadline.fn = events_expired;
	trace_wait(v->a->trace, &c->u.wait, from, c->until_ns);
	http_park(v->p->conn);
}

/* GET /v1/events */
void
v1_get_events(const struct v1 *v)
{
	const struct ring *r = &v->a->trace->ring;
	int64_t after = FROM_NOW, wait, limit;
	struct event_filter f;
	uint64_t from;

	if ((!str_eq(v1_param(v, "after"), STR("now")) &&
		!v1_param_int(v, "after", FROM_LAST, -1, INT64_MAX, &after)) ||
	    !v1_param_int(v, "wait", 0, 0, 300, &wait) ||
	    !v1_param_int(v, "limit", 1000, 1, 100000, &limit) ||
	    !v1_event_filter(v, &f))
		return;
	from = begin_at(r, after, (uint64_t)limit, &f);
	if (wait == 0 ||
	    (!trace_often(f.kinds) &&
		(from < ring_first(r) || any_wanted(v->a, &f, from))))
		events_reply(v->p, from, (size_t)limit, &f);
	else
		park(v, from, (size_t)limit, wait * NS_PER_SEC, &f);
}
