/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The messages of one queue, in order of id, 32 bytes each.  Ids only grow, so
 * messages are appended; they leave from anywhere, mostly the front.  Kept in
 * chunks, so that a million of them neither moves nor leaves holes.
 */
#ifndef XMSG_MSGQ_H
#define XMSG_MSGQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

/* What is not needed to decide: kept in memory within the cache limit, read
 * from the store otherwise.  One allocation. */
struct body {
	int64_t at_ns;
	int64_t re_id;
	int64_t uid;
	uint32_t pid, payload_n;
	uint16_t origin_n, reply_to_n, re_queue_n, key_n, comm_n;
	char bytes[]; /* origin, reply_to, re_queue, key, comm, payload */
};

struct body_from {
	int64_t at_ns, re_id, uid;
	uint32_t pid;
	struct str origin, reply_to, re_queue, key, comm, payload;
};
/* NULL when memory ran out: the payload's size is the peer's choice. */
struct body *body_new(const struct body_from *f);
struct str body_origin(const struct body *b);
struct str body_reply_to(const struct body *b);
struct str body_re_queue(const struct body *b);
struct str body_key(const struct body *b);
struct str body_comm(const struct body *b);
struct str body_payload(const struct body *b);
size_t body_size(const struct body *b); /* bytes of memory */

enum msg_flag {
	MSG_GONE = 1, /* private to msgq */
	MSG_LEAVING = 2, /* its removal is on the way to the disk */
	MSG_REPLY = 4, /* answers a request */
	MSG_ANSWERED = 8, /* a request whose reply is enqueued */
	MSG_HOLDING = 16, /* to be held, that is on the way to the disk */
	MSG_AGAIN = 32, /* to be offered once more, wherever cursors stand */
	MSG_REOFFERED = 64, /* was handed out because of that */
};

struct msg {
	int64_t id;
	struct body *body; /* owned; NULL: in the store only */
	uint32_t size; /* of the payload, bytes */
	uint32_t at_s; /* published, seconds since 1970 */
	uint32_t consumer; /* serial of the session it went to last, 0 none */
	uint16_t deliveries;
	uint8_t flags;
	int8_t held; /* enum store_held */
};

struct msgq {
	struct msg_chunk **v; /* ascending; v[head .. head+nchunks) in use */
	size_t head, nchunks, cap;
	size_t n; /* messages */
};

/* Append; id must be above all others.  NULL when memory ran out.  The pointer
 * is good until the next msgq call that changes the queue. */
struct msg *msgq_append(struct msgq *q, int64_t id);
/* Put in at its place; there must be none with this id.  NULL when memory ran
 * out.  Costs as much as moving a chunk. */
struct msg *msgq_insert(struct msgq *q, int64_t id);
struct msg *msgq_find(const struct msgq *q, int64_t id);
/* The first one with a larger id, or NULL. */
struct msg *msgq_after(const struct msgq *q, int64_t id);
/* Remove and free its body. */
void msgq_remove(struct msgq *q, int64_t id);
void msgq_fini(struct msgq *q);
/* Order and counts hold; for tests. */
bool msgq_check(const struct msgq *q);

/* Walking without a search for each step. */
struct msgq_cursor {
	size_t chunk, pos;
};
struct msgq_cursor msgq_seek(const struct msgq *q, int64_t after);
struct msg *msgq_next(const struct msgq *q, struct msgq_cursor *c);

#endif
