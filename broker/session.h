/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Who is behind a connection: a token may have several connections; what
 * belongs to it lives until the last of them is gone, or, after a restart of
 * the broker, until a grace period without any has passed.
 */
#ifndef XMSG_SESSION_H
#define XMSG_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "deadline.h"
#include "map.h"
#include "str.h"

struct batch;

struct session {
	UT_hash_handle hh;
	struct deadline grace;
	struct sessions *of;
	struct str token;
	uint32_t serial; /* never 0, not reused within a run */
	uint32_t nclients; /* connections logged in with the token */
	uint32_t nqueues; /* transient queues it owns */
	uint32_t creating; /* those on their way to the disk */
	struct batch *last; /* the core's: what it was handed last */
	char bytes[];
};

struct sessions {
	struct session *by_token;
	uint32_t next_serial;
	size_t n;
	/* the last connection of a session, or its grace, has ended; the
	 * session is freed by session_release when it owns nothing more */
	void (*ended)(void *ctx, struct session *);
	/* it is about to be freed, may be NULL */
	void (*gone)(void *ctx, struct session *);
	void *ctx;
};

struct session *session_find(const struct sessions *ss, struct str token);
/* The session of a token, made when there is none. */
struct session *session_get(struct sessions *ss, struct str token);
void session_attach(
    struct sessions *ss, struct deadlines *ds, struct session *s);
/* One connection less; calls `ended` when it was the last. */
void session_detach(struct sessions *ss, struct session *s);
/* Give a session without connections time until at_ns. */
void session_grace(struct sessions *ss, struct deadlines *ds, struct session *s,
    int64_t at_ns);
/* Free it when it has neither connections, nor queues, nor grace. */
void session_release(struct sessions *ss, struct session *s);
void sessions_fini(struct sessions *ss);

#endif
