/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Events into the ring, and waking those who wait for them. */
#include "trace.h"

#include "redact.h"

/* Start over a ring that is ready. */
void
trace_init(struct trace *t, struct deadlines *ds, struct ring ring)
{
	t->ring = ring;
	t->deadlines = ds;
	LIST_INIT(&t->waits);
	t->told = ring_next(&t->ring);
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

/* Tell one, once. */
static void
tell(struct trace *t, struct trace_wait *w)
{
	trace_unwait(t, w);
	w->fn(w);
}

/* Wait. */
void
trace_wait(struct trace *t, struct trace_wait *w, int64_t until_ns)
{
	LIST_INSERT_HEAD(&t->waits, w, entry);
	w->waiting = true;
	w->seen = ring_next(&t->ring);
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

/* Wake them when there is something. */
void
trace_turn(struct trace *t)
{
	struct trace_wait *w, *next;
	uint64_t now = ring_next(&t->ring);
	uint32_t fresh = t->fresh;

	if (now == t->told)
		return;
	t->told = now;
	t->fresh = 0;
	for (w = LIST_FIRST(&t->waits); w != NULL; w = next) {
		next = LIST_NEXT(w, entry);
		if (w->kinds == 0 || (w->kinds & fresh))
			tell(t, w);
		else
			w->seen = now;
	}
}
