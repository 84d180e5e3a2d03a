/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * HTTP connections over libevent: bytes in, whole requests up, replies out.
 *
 * One request of a connection is under way at a time, or several that overlap;
 * what a client sends meanwhile waits in a bounded buffer.  Reading stays on while a request is
 * parked, so the end of a client is noticed at once; half a close is a close.
 * Connections are freed at the end of the turn (http_turn), so a handler may
 * drop any of them at any time.
 */
#ifndef XMSG_HTTP_H
#define XMSG_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "deadline.h"
#include "err.h"
#include "http1.h"
#include "str.h"
#include "usock.h"

struct event_base;
struct http;
struct http_conn;

struct http_request {
	struct str method, target, body; /* mutable memory, during the call */
	struct str key; /* Idempotency-Key, n == 0: none */
	struct str accept; /* Accept, n == 0: none */
};

struct http_handler {
	/* Something happened: before anything else of this turn. */
	void (*wake)(void *ctx);
	/* A connection: returns what http_user will give, NULL refuses. */
	void *(*open)(void *ctx, struct http_conn *, const struct usock_peer *);
	/* A request: answer it with http_reply, now or later. */
	void (*request)(void *ctx, struct http_conn *, struct http_request *);
	/* The connection is gone; a request under way gets no answer. */
	void (*close)(void *ctx, struct http_conn *);
	/* May this request begin while others before it overlap?  NULL: none. */
	bool (*overlaps)(void *ctx, const struct http_request *);
};

struct http_config {
	struct event_base *base;
	struct deadlines *deadlines;
	const struct http_handler *handler;
	void *ctx;
	struct http1_limits parse;
	int64_t max_connections, max_connections_per_uid; /* uid 0 is free */
	int64_t head_ns; /* a request's head must be complete in */
	int64_t body_rate; /* bytes/s that a body must come with */
	size_t max_pending; /* bytes buffered behind a request under way */
};

struct http *http_new(const struct http_config *c);
/* Accept on a listening socket (not owned). */
int http_listen(struct http *h, int fd, struct err *e);
void http_stop_listening(struct http *h);
void http_set_limits(struct http *h, const struct http_config *c);
/* Close all connections and free. */
void http_free(struct http *h);

/* Time of this turn, for the limits; from wake() at the latest. */
void http_now(struct http *h, int64_t mono_ns);
/* End of turn: go on with buffered requests, free what is gone. */
void http_turn(struct http *h);
/* Is there something for http_turn to do? */
bool http_more(const struct http *h);

/* The answer to the request that was begun last. type NULL: as the original (no
 * content-type). The body is copied or sent before this returns. */
void http_reply(
    struct http_conn *c, int status, const char *type, struct str body);
/* The same with further fields, "name: value\r\n" each; type is not NULL. */
void http_reply_with(struct http_conn *c, int status, const char *type,
    struct str fields, struct str body);
/* Instead of answering in request(): those behind it may begin, as far as they
 * overlap, too.  Remember its number, and answer with http_reply_to. */
void http_overlap(struct http_conn *c);
uint32_t http_number(const struct http_conn *c); /* of the one begun last */
void http_reply_to(struct http_conn *c, uint32_t number, int status,
    const char *type, struct str body);
/* The request under way waits for an event, not for the disk: when the client
 * leaves it is void at once. */
void http_park(struct http_conn *c);
/* End a connection (its close handler is called at the end of the turn). */
void http_drop(struct http_conn *c);
void *http_user(const struct http_conn *c);
/* Is a request under way? */
bool http_busy(const struct http_conn *c);

struct http_counters {
	uint64_t accepted, refused, requests, bad, slow;
	size_t connections;
};
const struct http_counters *http_counters(const struct http *h);

/* Walk over the connections: first, next, NULL. */
struct http_conn *http_next(const struct http *h, const struct http_conn *c);
struct http_use {
	uint64_t requests, bytes_in, bytes_out; /* read from, written to it */
};
const struct http_use *http_use_of(const struct http_conn *c);
int64_t http_since(const struct http_conn *c); /* mono ns of the accept */

#endif
