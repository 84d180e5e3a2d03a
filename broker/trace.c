/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Events into the ring, and waking those who wait for them. */
#include "trace.h"

#include "clock.h"
#include "redact.h"

#define BIT(type) (1u << (type))
#define OFTEN                                                                  \
	(BIT(RING_PUBLISH) | BIT(RING_REPLY) | BIT(RING_DELIVER) |             \
	    BIT(RING_ACK) | BIT(RING_LOGIN) | BIT(RING_LOGOUT) |               \
	    BIT(RING_REFUSE))

/* What an event costs on both sides, roughly, and an answer beside its events,
 * in events; what a follower is shown at least. */
#define EVENT_NS 5000
#define ANSWER	 8
#define LEAST	 10
#define SAVED_NS (500 * NS_PER_MS) /* an allowance that was not used */
#define PAUSE_NS (20 * NS_PER_MS) /* between rounds, at least */

/* A round is due: the turn goes on with it. */
static void
wake(struct deadline *d, int64_t now)
{
	(void)d, (void)now;
}

/* Start over a ring that is ready. */
void
trace_init(struct trace *t, struct deadlines *ds, struct ring ring)
{
	t->ring = ring;
	t->deadlines = ds;
	LIST_INIT(&t->rare);
	LIST_INIT(&t->often);
	t->told = ring_next(&t->ring);
	t->pace.next.fn = wake;
}

/* Does it happen all the time? */
bool
trace_often(uint32_t kinds)
{
	return kinds == 0 || (kinds & OFTEN) != 0;
}

/* Record one event. */
void
trace_put(struct trace *t, struct ring_event *e, struct str payload)
{
	char text[RING_MAX_PAYLOAD];

	if (payload.p != NULL) {
		e->size = (uint32_t)payload.n;
		e->text =
		    (struct str){text, redact(text, sizeof text, payload)};
	}
	ring_put(&t->ring, e);
	t->fresh |= 1u << e->type;
}

/* ---- who waits ---- */

/* Wait. */
void
trace_wait(
    struct trace *t, struct trace_wait *w, uint64_t from, int64_t until_ns)
{
	bool often = trace_often(w->kinds);

	LIST_INSERT_HEAD(often ? &t->often : &t->rare, w, entry);
	w->waiting = true;
	w->late = often && from < ring_next(&t->ring);
	w->seen = w->late ? from : ring_next(&t->ring);
	if (w->late)
		t->owed |= OFTEN;
	deadline_set(t->deadlines, &w->deadline, until_ns);
}

/* Stop waiting. */
void
trace_unwait(struct trace *t, struct trace_wait *w)
{
	if (!w->waiting)
		return;
	w->waiting = false;
	LIST_REMOVE(w, entry);
	deadline_clear(t->deadlines, &w->deadline);
}

/* Is one of these kinds what it waits for? */
static bool
concerns(const struct trace_wait *w, uint32_t kinds)
{
	return w->late || w->kinds == 0 || (w->kinds & kinds) != 0;
}

/* Tell those whom it concerns, once; the others have seen it. */
static void
tell(struct trace *t, struct trace_waits *waits, uint32_t kinds)
{
	uint64_t now = ring_next(&t->ring);
	struct trace_wait *w, *next;

	for (w = LIST_FIRST(waits); w != NULL; w = next) {
		next = LIST_NEXT(w, entry);
		if (concerns(w, kinds)) {
			trace_unwait(t, w);
			w->fn(w);
		} else {
			w->seen = now;
		}
	}
}

/* ---- rounds ---- */

/* How many events for each of n, out of what is left of the allowance. */
static size_t
room(const struct trace_pace *p, int64_t n, int64_t now)
{
	int64_t saved = now - p->paid_ns, events;

	if (p->rate == 0)
		return SIZE_MAX;
	if (saved > SAVED_NS)
		saved = SAVED_NS;
	events = saved * p->rate / NS_PER_SEC / n - ANSWER;
	return events < LEAST ? LEAST : (size_t)events;
}

/* Pay for a round of n answers that took so long, and set the time from which
 * on there will be enough for the next one. */
static void
pay(struct trace_pace *p, int64_t n, int64_t now, int64_t took_ns)
{
	int64_t event_ns = p->rate > 0 ? NS_PER_SEC / p->rate : 0;
	int64_t least = n * (ANSWER + LEAST) * event_ns;

	if (p->paid_ns < now - SAVED_NS)
		p->paid_ns = now - SAVED_NS;
	p->paid_ns +=
	    ((int64_t)p->shown + n * ANSWER + took_ns / EVENT_NS) * event_ns;
	p->next_ns = p->paid_ns + least;
	if (p->next_ns < now + PAUSE_NS && p->rate > 0)
		p->next_ns = now + PAUSE_NS;
}

/* Tell the followers. */
static void
tell_often(struct trace *t, int64_t now)
{
	struct trace_pace *p = &t->pace;
	uint32_t owed = t->owed;
	struct trace_wait *w;
	int64_t n = 0, began;

	LIST_FOREACH (w, &t->often, entry)
		n += concerns(w, owed);
	t->owed = 0;
	if (n == 0) {
		tell(t, &t->often, owed); /* they have seen it */
		return;
	}
	p->shown = 0;
	p->room = room(p, n, now);
	began = clock_mono_ns();
	tell(t, &t->often, owed);
	pay(p, n, now, clock_mono_ns() - began);
}

/* Count. */
void
trace_shown(struct trace *t, size_t n)
{
	t->pace.shown += n;
}

/* Wake them when there is something. */
void
trace_turn(struct trace *t, int64_t now_ns)
{
	uint64_t next = ring_next(&t->ring);

	if (next != t->told) {
		t->told = next;
		t->owed |= t->fresh;
		tell(t, &t->rare, t->fresh);
		t->fresh = 0;
	}
	if (LIST_EMPTY(&t->often)) /* who comes later says what it missed */
		t->owed = 0;
	if (t->owed == 0)
		return;
	if (now_ns >= t->pace.next_ns)
		tell_often(t, now_ns);
	else if (!deadline_pending(&t->pace.next))
		deadline_set(t->deadlines, &t->pace.next, t->pace.next_ns);
}
