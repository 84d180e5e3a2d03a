/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The flight recorder's file: a ring of events of bounded size in one block of
 * memory, which the broker maps from a file.  It survives `kill -9` of the
 * writer, and a reader (another process, a copy of the file, the next start)
 * finds every whole event in it and is never led astray by a torn or damaged
 * one: each event carries its length, sequence number and a checksum.
 * Pure: works on memory it is given.
 */
#ifndef XMSG_RING_H
#define XMSG_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

enum ring_type {
	RING_START = 1, /* broker started; detail: version */
	RING_STOP, /* broker ended in order */
	RING_LOGIN, /* client */
	RING_LOGOUT, /* client: last connection of the token gone */
	RING_CREATE, /* client, queue, peer = owner (transient) */
	RING_DESTROY, /* client (or "" = owner gone), queue */
	RING_PUBLISH, /* client, queue, id, peer = reply queue, payload */
	RING_REPLY, /* client, queue, id, peer = queue of the request,
	                 * re_id, payload; dur_ns = since the request's publish */
	RING_DELIVER, /* client = receiver, queue, id, re_id */
	RING_ACK, /* client, queue, id */
	RING_HOLD, /* queue, id, detail = reason */
	RING_RELEASE,
	RING_CANCEL,
	RING_REFUSE, /* client, queue, detail = why (limit, error) */
	RING_NTYPES
};

#define RING_MAX_NAME	 255 /* bytes kept of each name */
#define RING_MAX_PAYLOAD 512 /* bytes kept of a payload, after redaction */
#define RING_MIN_SIZE	 (64 * 1024)
#define RING_MAX_RECORD	 1360 /* bytes one event takes at most */

struct ring_event {
	uint64_t seq; /* from 0, grows by one; set by ring_put */
	int64_t wall_ns; /* since 1970 */
	enum ring_type type;
	int64_t id, re_id; /* 0 when they do not apply */
	int64_t dur_ns; /* -1 when it does not apply */
	uint32_t size; /* whole length of the payload, bytes */
	uint32_t pid; /* of the client, 0 unknown */
	struct str client, queue, peer;
	struct str text; /* payload prefix (redacted) or detail */
};

/* Where the ring begins and ends, in bytes ever written; private. */
struct ring_state {
	uint64_t head, tail; /* oldest event .. end of the newest */
	uint64_t next; /* seq of the next event, as a hint */
};

struct ring {
	unsigned char *mem;
	size_t size;
	bool recovered; /* the header was wrong: use `state` ... */
	struct ring_state state; /* ... until the next ring_put writes it */
};

/* "publish", ...; "unknown" for others. */
const char *ring_type_name(enum ring_type t);

/* Lay an empty ring over mem (size >= RING_MIN_SIZE, 8-byte aligned); the first
 * event gets number first_seq. */
void ring_format(struct ring *r, void *mem, size_t size, uint64_t first_seq);

/* Use what is there already.  false when it is not a ring of this size and
 * version: format it.  A torn last event is dropped; when the header is at odds
 * with the events (power loss, damage) they are searched for.  Writes nothing,
 * so mem may be a read-only mapping, also of a ring that is being written. */
bool ring_attach(struct ring *r, void *mem, size_t size);

/* Append; the oldest events make room.  Names and text beyond the limits are
 * cut, not within a UTF-8 sequence.  Returns its seq. */
uint64_t ring_put(struct ring *r, const struct ring_event *e);

/* Sequence numbers present: first .. next-1 (first == next: empty). */
uint64_t ring_first(const struct ring *r);
uint64_t ring_next(const struct ring *r);

/* Position for walking forward from the first event with number >= seq; cheap
 * also when seq is near the end. */
struct ring_cursor {
	uint64_t seq;
	uint64_t pos;
};
struct ring_cursor ring_seek(const struct ring *r, uint64_t seq);

/* The event at the cursor, then advance; false at the end.  What is damaged, or
 * was overwritten since the last call, is passed over: seq then has a gap.
 * Slices point into the ring: use them before the next ring_put. */
bool ring_read(
    const struct ring *r, struct ring_cursor *c, struct ring_event *e);

/* Room for one event as it is stored. */
struct ring_copy {
	uint64_t words[RING_MAX_RECORD / 8];
};

/* The same for a ring that another process is writing: the event is copied
 * before it is checked, and its slices point into the copy. */
bool ring_read_copy(const struct ring *r, struct ring_cursor *c,
    struct ring_event *e, struct ring_copy *copy);

#endif
