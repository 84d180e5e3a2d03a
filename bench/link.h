/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A connection to a broker that speaks a protocol of text: bytes out, messages
 * in.  What is one message only the back end knows.  Also the line in which a
 * server's replies wait until so many may be sent.
 */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <sys/queue.h>

#include "peer.h"

struct link;

/* Use up the first message of these bytes: how many it had, 0 when it is not
 * whole yet. */
typedef size_t link_fn(struct link *l, const char *p, size_t n);

struct link {
	struct source src;
	struct rig *rig;
	int fd; /* -1: not open */
	struct buf in, out;
	bool waits_to_write;
	link_fn *take;
	void *arg;
};

/* Connect to the broker (--socket: a path, or HOST:PORT).  false: a fault was
 * counted. */
bool link_open(struct link *l, struct rig *g, link_fn *take, void *arg);
void link_close(struct link *l);

/* Bytes to be sent by the next link_flush. */
void link_add(struct link *l, const void *p, size_t n);
void link_addf(struct link *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void link_flush(struct link *l);

/* Send what was added and wait until `lines` lines have come, outside the loop.
 * A line that does not contain `want` is a fault. */
void link_ask(struct link *l, unsigned lines, const char *want);

/* A reply and what belongs to it, not sent or not confirmed yet. */
struct task {
	STAILQ_ENTRY(task) next;
	struct caller *to;
	char ref[128]; /* of the request, to acknowledge it by */
	uint64_t no; /* of the reply: 1 for the first that was sent */
	struct str payload; /* behind the struct */
};
STAILQ_HEAD(tasks, task);

/* Replies of one server, oldest first. */
struct tasks_line {
	struct tasks waiting, sent;
	int nsent;
	uint64_t last; /* number of the last that was sent */
};

void line_init(struct tasks_line *q);
void line_fini(struct tasks_line *q);
void line_add(struct tasks_line *q, struct caller *to, struct str ref,
    struct str payload);

/* The next reply to send while fewer than `window` are unconfirmed, else NULL.
 * It counts as sent. */
struct task *line_next(struct tasks_line *q, int window);

/* The oldest one sent was confirmed; the caller frees it.  NULL: there is
 * none. */
struct task *line_confirmed(struct tasks_line *q);

/* The same for the one with this number, or, `up_to`, one with this number or
 * a lower one. */
struct task *line_take(struct tasks_line *q, uint64_t no, bool up_to);

#endif
