/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Message sequence charts out of a list of events.  Pure: events in, text out;
 * the broker draws with it as well as the command line.
 *
 * A chart has lanes (clients, the queues they talk over, the scripts that a
 * plugin ran) and steps.  A request is an arrow from its sender to the queue, a
 * delivery one from the queue to the consumer.  The reply is paired with its
 * request by message id and drawn from whoever answered to whoever asked, with
 * the latency; reply queues need no lane then.  A request without an answer is
 * drawn open where it stands, and listed at the end.  Pauses, events that were
 * overwritten, and starts and ends of the broker are steps of their own.
 *
 * Names and texts come from strangers: each form writes them so that they stay
 * text in it.
 */
#ifndef XMSG_CHART_H
#define XMSG_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "events.h"

enum chart_form {
	CHART_TEXT,
	CHART_MSCGEN,
	CHART_MERMAID,
	CHART_SVG,
	CHART_HTML, /* one file that needs no other */
	CHART_JSON,
	CHART_FORMS
};

/* A script that ran for a request. */
struct chart_run {
	int64_t id; /* of the request */
	struct str script; /* "SR.attach" */
	struct str end; /* how it failed; n == 0: it did not */
	double took_s; /* below 0: it runs still */
};

struct chart_options {
	size_t last; /* so many requests and replies, 0 = all */
	double gap_s; /* a pause longer than this is marked; 0 = never */
	double now; /* for the age of what is open, and for dates */
	size_t columns; /* width to aim at (text) */
	size_t lanes; /* so many, the others share one more; 0 = all */
	bool utc;
	const struct chart_run *runs; /* in the order in which they ran */
	size_t nruns;
};

/* "text", "mscgen", ...; CHART_FORMS when there is none of this name. */
enum chart_form chart_form(struct str name);
/* Its media type. */
const char *chart_type(enum chart_form form);

/* How many lanes, besides that of the others, a text of so many columns has room
 * for; at least 2. */
size_t chart_text_lanes(size_t columns);

/* Draw.  Of events that were left out on purpose nothing is said; what was lost
 * before an event stands in its `missing`. */
void chart_put(struct buf *b, enum chart_form form, const struct events *l,
    const struct chart_options *o);

#endif
