/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Message sequence charts out of a list of events.  Pure: events in, text out.
 *
 * A chart has lanes (clients and the queues they talk over) and steps.  A
 * request is an arrow from its sender to the queue, a delivery one from the
 * queue to the consumer.  The reply is paired with its request by message id
 * and drawn from whoever answered to whoever asked, with the latency; reply
 * queues need no lane then.  A request without an answer is marked where it
 * stands, and listed at the end.  Pauses, events that were overwritten, and
 * starts and ends of the broker are steps of their own.
 */
#ifndef XMSG_CLI_CHART_H
#define XMSG_CLI_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "event.h"

enum chart_form { CHART_TEXT, CHART_MSCGEN, CHART_MERMAID };

struct chart_options {
	size_t last; /* so many requests and replies, 0 = all */
	double gap_s; /* a pause longer than this is marked; 0 = never */
	double now; /* for the age of what is open, and for dates */
	size_t columns; /* width to aim at (text) */
	bool utc;
};

/* Draw. */
void chart_put(struct buf *b, enum chart_form form, const struct events *l,
    const struct chart_options *o);

#endif
