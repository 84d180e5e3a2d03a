/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The flight recorder as the broker uses it: events into the ring, payloads
 * redacted before they enter, and those who wait for new events.
 */
#ifndef XMSG_TRACE_H
#define XMSG_TRACE_H

#include <sys/queue.h>

#include "deadline.h"
#include "ring.h"
#include "str.h"

/* Somebody who waits for events. */
struct trace_wait {
	struct deadline deadline;
	LIST_ENTRY(trace_wait) entry;
	void (*fn)(struct trace_wait *); /* events came */
	uint32_t kinds; /* bits 1 << ring_type that it waits for; 0: all */
	uint64_t seen; /* no event of these kinds has a number below */
	bool waiting;
};

struct trace {
	struct ring ring;
	struct deadlines *deadlines;
	LIST_HEAD(, trace_wait) waits;
	uint64_t told; /* events up to here have been told */
	uint32_t fresh; /* kinds of those that have not */
};

void trace_init(struct trace *t, struct deadlines *ds, struct ring ring);

/* Record; the payload, when there is one, is redacted and becomes e->text;
 * without one e->text is kept as it is. */
void trace_put(struct trace *t, struct ring_event *e, struct str payload);

/* Wait for an event of w->kinds after now; fn is called once, at the end of a
 * turn, or the deadline's function at until_ns.  An observer of few kinds costs
 * a look at two words for each turn in which something else was recorded. */
void trace_wait(struct trace *t, struct trace_wait *w, int64_t until_ns);
void trace_unwait(struct trace *t, struct trace_wait *w);

/* End of turn: wake those who wait when something was recorded. */
void trace_turn(struct trace *t);

#endif
