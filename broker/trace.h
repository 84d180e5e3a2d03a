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
	void (*fn)(struct trace_wait *); /* events came, or time is up */
	bool waiting;
};

struct trace {
	struct ring ring;
	struct deadlines *deadlines;
	LIST_HEAD(, trace_wait) waits;
	uint64_t told; /* events up to here have been told */
};

void trace_init(struct trace *t, struct deadlines *ds, struct ring ring);

/* Record; the payload, when there is one, is redacted and becomes e->text;
 * without one e->text is kept as it is. */
void trace_put(struct trace *t, struct ring_event *e, struct str payload);

/* Wait for an event after now, at most until until_ns; fn is called once. */
void trace_wait(struct trace *t, struct trace_wait *w, int64_t until_ns);
void trace_unwait(struct trace *t, struct trace_wait *w);

/* End of turn: wake those who wait when something was recorded. */
void trace_turn(struct trace *t);

#endif
