/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A small broker in a process of its own, which misbehaves by rules: for tests
 * of the client library.  It keeps queues in memory, speaks the stock protocol
 * and the few routes of /v1 that the library uses, remembers idempotency keys,
 * and enqueues one reply a request.  What it was asked is written down in
 * memory that the test shares.
 */
#ifndef XMSG_TESTS_FAKE_H
#define XMSG_TESTS_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum fake_action {
	FAKE_DROP, /* close instead of doing it */
	FAKE_LOSE, /* do it, close instead of answering */
	FAKE_HALF, /* do it, close after half of the answer */
	FAKE_SPLIT, /* answer byte by byte */
	FAKE_ANSWER, /* write `text` instead of doing it */
	FAKE_ANSWER_CLOSE, /* the same, then close */
	FAKE_SILENT, /* do it, never answer */
	FAKE_RESTART, /* do it, die unanswered, come back after `ms` */
	FAKE_BLINK, /* the same, but only every other time */
	FAKE_FORGET, /* the same, without the transient queues */
	FAKE_WIPE, /* die first, come back without anything */
};

struct fake_rule {
	const char *match; /* how "METHOD target" begins; NULL ends the list */
	unsigned skip; /* let pass so many first */
	unsigned times; /* then act so many times */
	enum fake_action action;
	const char *text; /* FAKE_ANSWER: all of it, head too */
	int ms;
};

#define FAKE_MAX_RULES 16
#define FAKE_LOG       (256 * 1024)

struct fake_shared {
	unsigned hits[FAKE_MAX_RULES]; /* rules that acted */
	unsigned connects, closes;
	size_t nlog;
	char log[FAKE_LOG]; /* one "METHOD target\n" a request */
};

struct fake {
	pid_t pid;
	char dir[32], path[64];
	volatile struct fake_shared *shared;
};

enum { FAKE_NO_V1 = 1, FAKE_ECHO = 2 };

/* Start one; rules may be NULL.  With FAKE_ECHO it answers every request to a
 * queue whose name begins with "echo" by itself, the payload back. */
void fake_start(struct fake *f, const struct fake_rule *rules, unsigned flags);
void fake_stop(struct fake *f); /* and check that it ended well */

/* How many requests began so. */
unsigned fake_count(const struct fake *f, const char *prefix);

#endif
