/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The load generator's engine: many connections to the broker in one thread
 * over epoll, one request outstanding on each, as stock clients have it.  A
 * request is one write of bytes made beforehand; an answer calls a function,
 * which mostly sends the next request.  Mistakes of the broker are counted, and
 * the first is kept in words.
 */
#ifndef BENCH_ENG_H
#define BENCH_ENG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "reply.h"

enum fault {
	FAULT_STATUS, /* an answer other than 200 */
	FAULT_LOST, /* connection lost, or not to be had */
	FAULT_MALFORMED, /* an answer that cannot be understood */
	FAULT_DROPPED, /* a send answered "no such queue" */
	FAULT_FOREIGN, /* a message that was meant for another */
	FAULT_TWICE, /* a message delivered again */
	FAULT_MISSING, /* a reply or message that never came */
	FAULT_N
};

struct faults {
	uint64_t n[FAULT_N];
	char first[300]; /* the first of them, in words */
};

struct conn;

/* What the loop watches; first member of whatever owns the descriptor, whose
 * address is the `data.ptr` that epoll is given.  Must bear to be called after
 * the descriptor was closed in the same turn. */
struct source {
	void (*ready)(struct source *s, uint32_t events);
};

/* An answer with status 200 came for the request; the body lives during the
 * call. */
typedef void conn_fn(struct conn *c, struct str body);

struct eng {
	int epfd;
	const char *path; /* of the socket */
	int64_t now; /* when this turn of the loop began */
	bool broken; /* a fault that makes going on useless */
	struct faults faults;
};

struct conn {
	struct source src;
	struct eng *eng;
	int fd; /* -1: not open */
	struct buf in, out;
	bool waits_to_write;
	conn_fn *done; /* of the request outstanding, else NULL */
	void *arg; /* whose connection this is */
};

void eng_init(struct eng *e, const char *path);
void eng_fini(struct eng *e);

/* Count a fault; the first is described as printf would. */
void eng_fault(struct eng *e, enum fault what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Serve the connections until `more` says false, a fault makes it useless, or
 * the deadline is past.  `more` is asked once a turn. */
void eng_run(
    struct eng *e, bool (*more)(void *arg), void *arg, int64_t deadline_ns);

/* Faults of all kinds; add one set to another; a word for a kind. */
uint64_t faults_total(const struct faults *f);
void faults_merge(struct faults *to, const struct faults *from);
const char *fault_name(enum fault what);

/* Connect and log in, waiting for it.  After this the connection is in the
 * engine's care.  false: counted as a fault. */
bool conn_open(struct conn *c, struct eng *e, void *arg, const char *token);
void conn_close(struct conn *c);

/* Send a request; `done` gets the answer.  The bytes are not needed after. */
void conn_send(struct conn *c, const char *p, size_t n, conn_fn *done);

/* Send a request and wait for the answer, outside eng_run: for preparations.
 * The body lives until the next use of c.  false: counted as a fault. */
bool conn_call(struct conn *c, const char *p, size_t n, struct str *body);

/* The requests of stock clients, byte for byte.  Names must be plain. */
void req_get(struct buf *b, const char *what, const char *name);
void req_ack(struct buf *b, struct str queue, int64_t id);
void req_transfer(
    struct buf *b, const char *queue, int64_t from, double timeout_s);
void req_send(struct buf *b, const char *queue, const char *reply_to,
    size_t payload_n); /* the head; the payload is to be added */
void req_respond(struct buf *b, struct str to, struct str from_queue,
    int64_t from_id, struct str payload);

/* conn_call of `GET /what/name`. */
bool conn_get(struct conn *c, const char *what, const char *name);

#endif
