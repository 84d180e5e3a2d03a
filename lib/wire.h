/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The message-switch protocol as stock clients speak it: HTTP messages <->
 * structs, both directions, shared by broker and client library so that they
 * cannot disagree.  Pure; no I/O, no allocation but in the caller's buffers.
 * Facts: wire-contract 1 and 2, with the differences of its section 5.
 * Payloads are byte-transparent.
 */
#ifndef XMSG_WIRE_H
#define XMSG_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "str.h"

enum wire_op {
	WIRE_LOGIN, /* name = token */
	WIRE_PERSISTENT, /* name */
	WIRE_TRANSIENT, /* name */
	WIRE_DESTROY, /* name */
	WIRE_ACK, /* name, id */
	WIRE_LIST, /* name = prefix, may be empty */
	WIRE_LIST_ALIVE, /* name = prefix, may be empty */
	WIRE_TRANSFER, /* from, timeout_s, queues */
	WIRE_REQUEST, /* name, reply_to, payload */
	WIRE_RESPONSE, /* name, reply_to = queue the request was in, id = its
	                   * id, payload */
	WIRE_TRACE, /* from, timeout_s */
	WIRE_DIAGNOSTICS,
	WIRE_SHUTDOWN,
	WIRE_NOPS
};

#define WIRE_MAX_NAME	 255 /* bytes of a queue name or token */
#define WIRE_MAX_QUEUES	 1000 /* names in one transfer (promises D2) */
#define WIRE_MAX_TIMEOUT 300 /* seconds a poll may be parked */

struct wire_req {
	enum wire_op op;
	struct str name, reply_to;
	int64_t id;
	int64_t from; /* cursor, exclusive; -1 = from the start */
	double timeout_s;
	struct str *queues; /* caller's array ... */
	size_t nqueues; /* ... in: its capacity; out: how many */
	struct str payload;
};

enum wire_rc {
	WIRE_OK,
	WIRE_NOT_FOUND, /* 404: no such path with this method */
	WIRE_BAD, /* 400: *reason says why */
	WIRE_TOO_MANY, /* 413: more queues than the array holds */
};

/* ---- broker side: requests in ---- */

/* Decode a request.  method, target and body may point into one mutable buffer
 * (names are percent-decoded and JSON strings unescaped in place, so the bytes
 * are changed); the results point into it.  Rules:
 *  - absolute-form targets ("http://host/list/") are reduced to their path; a
 *    query string is ignored; the path is split on '/' first, then every name
 *    and number in it is decoded once, so %2F is legal inside a name; '+' is a
 *    plus; a '%' without two hex digits stays as it is.  The words of a path
 *    are compared as they are; target is unchanged when none matches.
 *  - names (not the LIST prefix): 1..WIRE_MAX_NAME bytes, no byte < 0x20, no
 *    0x7f, else WIRE_BAD.
 *  - int64 in paths and in "from": OCaml's Int64.of_string (sign, 0x 0o 0b 0u,
 *    '_' after the first digit); overflow or empty = WIRE_BAD.
 *  - GET paths with a body are accepted, the body ignored, except /shutdown
 *    (POST; a body = WIRE_NOT_FOUND, as in the original).
 *  - transfer body: object; "timeout" int, float, or string holding a float,
 *    not negative/NaN else WIRE_BAD, capped at WIRE_MAX_TIMEOUT; "queues" array
 *    of strings, required; "from" optional, must be a string; unknown fields
 *    ignored; duplicates: last wins; trailing garbage = WIRE_BAD.
 * Wrong method, wrong number of segments, unknown path: WIRE_NOT_FOUND. */
enum wire_rc wire_get_request(struct wire_req *r, struct str method,
    struct str target, struct str body, const char **reason);

/* True for operations that need a login (all but login, trace, diagnostics). */
bool wire_needs_login(enum wire_op op);

/* "request", "ack"...: for logs and counters. */
const char *wire_op_name(enum wire_op op);

/* Bytes of a message's `kind`, broker side and client side. */
enum wire_kind { WIRE_KIND_REQUEST, WIRE_KIND_RESPONSE };
struct wire_message {
	struct str queue;
	int64_t id;
	enum wire_kind kind;
	struct str reply_to; /* REQUEST: reply queue. RESPONSE: queue of the
	                      * request */
	int64_t re_id; /* RESPONSE: id of the request */
	struct str payload;
};

/* ---- broker side: bodies of replies out (wire-contract 2, compact) ---- */

void wire_put_names_begin(struct buf *b);
void wire_put_name(struct buf *b, struct str name, bool first);
void wire_put_names_end(struct buf *b);
void wire_put_sent(struct buf *b, struct str queue, int64_t id); /* [["q",3]] */
void wire_put_not_sent(struct buf *b); /* [] */
void wire_put_transfer_begin(struct buf *b);
void wire_put_transfer_message(
    struct buf *b, const struct wire_message *m, bool first);
void wire_put_transfer_end(struct buf *b, int64_t next);
/* {"payload":"..","kind":["Request","r"]}: also part of the diagnostics. */
void wire_put_message_body(struct buf *b, const struct wire_message *m);
/* {"error":{"code":"..","message":"..","hint":".."}}; hint may be NULL. */
void wire_put_error(
    struct buf *b, const char *code, const char *message, const char *hint);

struct wire_event { /* one element of /trace's "events" */
	int64_t seq; /* event number, from 0 */
	int64_t wall_ns; /* since 1970; printed in seconds */
	struct str input; /* token of the sender; n == 0: omitted */
	struct str output; /* token of the receiver; n == 0: omitted */
	bool is_ack; /* ["Ack",[q,id]] or ["Message",[q,id],{..}] */
	struct wire_message m; /* queue and id, and for messages the rest */
	int64_t processing_ns; /* < 0: omitted */
};
void wire_put_event(struct buf *b, const struct wire_event *e, bool first);

/* ---- client side: requests out, bodies of replies in ---- */

/* A whole HTTP request, head and body, as the stock clients send it (names are
 * percent-encoded: all but letters, digits and "-._~"). Returns false when a
 * name is not allowed (see above; a LIST prefix has at most WIRE_MAX_NAME
 * bytes), when timeout_s is negative or not finite, or when memory ran out (buf
 * failed); b then holds what it held before. */
bool wire_put_request(struct buf *b, const struct wire_req *r);

/* Answer of send: 1 and *id when it was queued, 0 when there is no such queue,
 * -1 when malformed. body is changed in place. */
int wire_get_sent(struct str body, int64_t *id);

/* Answer of list: calls name() for each; -1 when malformed or when name()
 * returned non-zero, else the number of names. */
int wire_get_names(
    struct str body, int (*name)(void *arg, struct str name), void *arg);

/* Answer of transfer: calls msg() for each message, in order; slices point into
 * body (changed in place) and live as long as it. *next gets the cursor. -1
 * when malformed or when msg() returned non-zero, else the number. */
int wire_get_transfer(struct str body,
    int (*msg)(void *arg, const struct wire_message *m), void *arg,
    int64_t *next);

/* Answer of trace: calls ev() for each event; -1 or the number. */
int wire_get_trace(struct str body,
    int (*ev)(void *arg, const struct wire_event *e), void *arg);

/* Percent-decode one path segment or query value in place; a '%' without two
 * hex digits stands for itself. */
struct str wire_get_segment(struct str s);

/* Percent-encode one path segment. */
void wire_put_segment(struct buf *b, struct str s);

/* OCaml's Int64.of_string; false on anything it refuses. */
bool wire_int64(struct str s, int64_t *v);

#endif
