/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the commands of message-cli share: events and contents as the stock
 * protocol has them. */
#ifndef XMSG_CLI_OLD_H
#define XMSG_CLI_OLD_H

#include "cli.h"
#include "str.h"

/* ---- events ---- */

struct old_event {
	int64_t seq;
	double time;
	struct str input, output, queue, payload; /* n == 0: none */
	int64_t id;
	bool is_ack, is_reply;
	double took_s; /* below 0: none */
};

struct old_events {
	struct old_event *v;
	size_t n, cap;
	int64_t next;
	char *text; /* what the slices point into; owned */
};

/* Events with a number >= from, waiting up to wait_ms; an exit status.  When the
 * broker is dead and `folder`, those of the state folder. */
int old_events_get(struct cli *c, int64_t from, int wait_ms, bool folder,
    struct old_events *l);
void old_events_fini(struct old_events *l);

/* Print them; start is the time of the first one ever printed, below 0: none
 * yet. */
void old_tail_put(struct buf *b, const struct old_events *l, double *start);
void old_mscgen_put(struct buf *b, const struct old_events *l);

/* ---- contents ---- */

struct old_entry {
	int64_t id, time_ns;
	struct str origin, payload, reply_to;
	bool is_reply;
};

struct old_queue {
	struct str name;
	int64_t next_ns; /* next poll is expected then; -1: never polled */
	struct old_entry *v;
	size_t n, cap;
};

struct old_diag {
	int64_t start_ns, now_ns;
	struct old_queue *permanent, *transient;
	size_t npermanent, ntransient;
	bool offline; /* from the folder: nobody knows who polls */
};

/* Take the broker's answer apart; it is changed, and the result points into
 * it.  false when it makes no sense. */
bool old_diag_parse(struct old_diag *d, char *json, size_t n);
void old_diag_put(struct buf *b, const struct old_diag *d, bool verbose);
void old_diag_fini(struct old_diag *d);

#endif
