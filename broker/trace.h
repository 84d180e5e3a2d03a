/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The flight recorder as the broker uses it: events into the ring, payloads
 * redacted before they enter, and those who wait for new events.
 *
 * Who waits for what is rare (a cancellation) is told at once.  Who follows what
 * happens all the time is told in rounds, all of them in one turn, and no more
 * often than they can be shown events without those who work noticing: an
 * answer and each event in it are paid for out of an allowance of so many
 * events a second, for all followers together.
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
	bool late; /* there may have been one when it began to wait */
};

LIST_HEAD(trace_waits, trace_wait);

/* The allowance of followers. */
struct trace_pace {
	struct deadline next; /* of the next round, while one is due */
	int64_t rate; /* events a second; 0: without bounds */
	int64_t next_ns; /* no round before */
	int64_t paid_ns; /* what was shown is paid for up to this time */
	size_t shown; /* events, in this round */
	size_t room; /* events for each follower, in this round */
};

struct trace {
	struct ring ring;
	struct deadlines *deadlines;
	struct trace_waits rare, often;
	uint64_t told; /* events up to here have been told */
	uint32_t fresh; /* kinds of those that have not */
	uint32_t owed; /* kinds recorded since the last round */
	struct trace_pace pace;
};

void trace_init(struct trace *t, struct deadlines *ds, struct ring ring);

/* Is one of these kinds recorded all the time?  (0 is all kinds.) */
bool trace_often(uint32_t kinds);

/* Record; the payload, when there is one, is redacted and becomes e->text;
 * without one e->text is kept as it is. */
void trace_put(struct trace *t, struct ring_event *e, struct str payload);

/* Wait for an event of w->kinds with a number from `from` on; fn is called once,
 * at the end of a turn, or the deadline's function at until_ns.  An observer of
 * rare kinds costs a look at two words for each turn in which something else was
 * recorded; it must have looked at the events there are. */
void trace_wait(
    struct trace *t, struct trace_wait *w, uint64_t from, int64_t until_ns);
void trace_unwait(struct trace *t, struct trace_wait *w);

/* A follower was shown n events; no more than t->pace.room at a time. */
void trace_shown(struct trace *t, size_t n);

/* End of turn: wake those who wait when something was recorded. */
void trace_turn(struct trace *t, int64_t now_ns);

#endif
