/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The store interface: what keeps queues and messages, behind a table of
 * functions (store-contract 5).  It is asynchronous, because syncing a disk and
 * talking to another machine both take time: operations are submitted as
 * chains, committed in batches on `kick`, and completed by a callback in the
 * loop thread.
 *
 * The rules, which tests/test_store.c runs over every store:
 *
 *  1. done with STORE_OK on a write means durable by the store's own
 *     definition.  Order of done among writes = order of submit.
 *  2. Ids strictly increase in the order in which messages become visible,
 *     over the whole store, through restart, destroy and create.  After a scan
 *     reported `upto`, no message with id <= upto ever appears.
 *  3. events.visible is a hint for what others wrote to the same store; own
 *     commits are told by done.  It may be early, merged or repeated.
 *  4. submit makes the batch; kick commits it when nothing is being committed,
 *     and what arrives during a commit is the next batch.  No timer.
 *  5. A linked chain is atomic; it holds sends, acks, removes and marks only.
 *  6. Lost connections are the store's business; no write happens twice.
 *  7. ack of a missing id is STORE_OK; send to a missing queue is
 *     STORE_NO_QUEUE; neither costs another op of the batch its success.
 *  8. Buffers of an op stay valid until done; rows live during the call only;
 *     a non-zero return of row stops, and `upto` is the last id taken.
 *  9. Bounded: over the configured ops or bytes -> STORE_BUSY, still by done.
 * 10. close finishes or fails every op before `closed`.
 *
 * And what they mean here (style 4.4): after a failed batch none of it exists;
 * deleting works when adding returns STORE_FULL; a record that cannot be
 * understood is reported and set aside, never a reason not to start.
 */
#ifndef XMSG_STORE_H
#define XMSG_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "hist.h"
#include "str.h"

struct event_base;

enum store_kind {
	/* writes: durable before done */
	STORE_CREATE,
	STORE_DESTROY,
	STORE_SEND,
	STORE_ACK,
	STORE_MARK, /* set `held` of a message */
	STORE_PAUSE, /* remember that a queue is paused, or not */
	STORE_REMOVE, /* as STORE_ACK, but what is removed is kept for a while */
	STORE_RESTORE, /* put back what STORE_REMOVE has kept */
	/* reads */
	STORE_GET, /* some messages, whole, by id */
	STORE_SCAN, /* messages of some or all queues, ascending by id */
	STORE_LIST, /* queues by prefix, ascending */
	STORE_STAT, /* totals of one queue */
	STORE_ANSWERS, /* which requests have been answered, ascending */
	STORE_REMOVED, /* what is kept of removed messages, ascending by id */
	STORE_BARRIER, /* done when every write before it is */
};

enum store_rc {
	STORE_OK,
	STORE_NO_QUEUE,
	STORE_BUSY, /* limit reached, nothing was done */
	STORE_FULL, /* no room: nothing was done */
	STORE_DOWN, /* certainly not committed */
	STORE_IO, /* failed, not committed */
	/* failed while it was being committed: the next start may find it done, or
	 * not.  The store is gone. */
	STORE_UNKNOWN,
};

/* `held` of a message. */
enum store_held {
	STORE_RELEASED = -1, /* let go by hand: the boot rule does not apply */
	STORE_FREE = 0,
	STORE_HELD_OPERATOR = 1,
	STORE_HELD_POISON = 2, /* its delivery killed the consumer */
	STORE_HELD_REBOOT = 3, /* from before a reboot; derived, not stored */
	STORE_HELD_DAMAGED = 4, /* the disk has changed it; not stored */
};

struct store_msg {
	int64_t id; /* set by the store at done of a send */
	struct str queue;
	int64_t at_ns; /* wall time of the publish */
	struct str origin; /* token of the sender */
	struct str reply_to; /* requests: where the answer goes */
	struct str re_queue; /* answers: queue of the request ... */
	int64_t re_id; /* ... and its id; 0 = this is a request */
	struct str key; /* idempotency key, n == 0: none */
	int held; /* enum store_held */
	bool damaged; /* whole rows only: it is not what was sent */
	uint32_t pid; /* of the sender, 0 unknown */
	int64_t uid; /* -1 unknown */
	struct str comm; /* its name; these three come with whole rows only */
	struct str payload; /* p == NULL with n > 0: length only */
};

/* Why something was removed by hand. */
enum store_why { STORE_DELETED = 1, STORE_CANCELLED, STORE_PURGED };

#define STORE_BEGINNING 4096 /* bytes of a removed payload that are shown */

/* What is kept of a message that was removed. */
struct store_gone {
	struct store_msg msg; /* of the payload only the beginning */
	uint64_t size; /* the whole payload's */
	int64_t act; /* number of the act that it went with */
	int64_t gone_ns; /* when, ns since 1970 */
	int why; /* enum store_why */
	struct str by; /* who, and why in words */
};

#define STORE_LINK 1u /* commits together with the next op of the chain */
/* Nobody waits for it: it goes with the next batch, or by itself some
 * milliseconds later. */
#define STORE_LAZY 2u
/* Somebody waits, but who sent it will probably send more at once: worth some
 * microseconds of waiting. */
#define STORE_SOFT 4u

struct store_op {
	enum store_kind kind;
	unsigned flags;
	enum store_rc rc;
	void (*done)(struct store_op *);
	union {
		struct {
			struct str name, owner; /* owner.n == 0: persistent */
			bool created; /* out: it was not there before */
		} create;
		struct {
			struct str name;
			const int64_t *ids; /* messages to delete at once */
			uint32_t n;
			bool more; /* there may be others: sweep later */
		} destroy;
		struct {
			struct store_msg msg;
			bool answers; /* remember that re_id is answered */
		} send;
		struct {
			struct str queue;
			int64_t id;
		} ack;
		struct {
			struct str queue; /* as in ack */
			int64_t id;
			int64_t act, gone_ns;
			int why;
			struct str by;
		} remove;
		struct {
			struct str queue; /* must be there */
			int64_t id;
			bool found; /* out: it was kept, and is back */
			bool answered; /* out: it had its reply */
			bool reply; /* out, as in the message */
			int64_t at_ns;
			uint64_t size;
			int held;
		} restore;
		struct {
			struct str name;
			bool paused;
		} pause;
		struct {
			int64_t id;
			int held;
		} mark;
		struct {
			const int64_t *ids; /* ascending */
			uint32_t n;
			int (*row)(struct store_op *, const struct store_msg *);
		} get;
		struct {
			const struct str *queues; /* n == 0: all */
			uint32_t n;
			int64_t after;
			uint32_t max_msgs, max_bytes;
			bool heads; /* lengths instead of payloads */
			int (*row)(struct store_op *, const struct store_msg *);
			int64_t upto;
			bool more; /* out: stopped by a limit */
		} scan;
		struct {
			struct str prefix, after;
			uint32_t max; /* 0 = all */
			int (*row)(struct store_op *, struct str name,
			    struct str owner);
			bool paused; /* out: of the row at hand */
		} list;
		struct {
			struct str queue;
			int64_t count, bytes, first, last;
		} stat;
		struct {
			int64_t after;
			uint32_t max;
			int (*row)(
			    struct store_op *, int64_t re_id, int64_t id);
			bool more;
		} answers; /* id < 0: the request is back, the reply is -id */
		struct {
			struct str queue; /* n == 0: all */
			int64_t act; /* 0: all */
			int64_t after;
			uint32_t max; /* 0 = all */
			int (*row)(
			    struct store_op *, const struct store_gone *);
		} removed;
	} u;
	struct store_op *link; /* next of the chain, then the store's own */
};

enum store_state { STORE_UP, STORE_DEGRADED, STORE_GONE };

struct store_events {
	void (*wake)(void *ctx); /* before completions, in the loop thread */
	void (*visible)(void *ctx, struct str queue, int64_t upto);
	/* STORE_GONE: a sync failed or the file is damaged; the process must
	 * end and recover from disk (promises R10). */
	void (*state)(void *ctx, enum store_state, const char *why);
};

struct store_info {
	bool durable;
	int64_t last_id; /* highest id that may have been given out */
	int64_t boot_first; /* ids below were given before this boot */
	int64_t last_act; /* highest number of an act */
	uint64_t commits, commit_ops, commit_ns, inline_commits, checkpoints;
	struct hist commit_time;
	uint64_t pending_ops, pending_bytes;
	const char *scheme, *path;
};

struct store_config {
	const char *url; /* "sqlite:DIR/switch.db" or "memory:" */
	struct event_base *base; /* loop for completions */
	const struct store_events *events;
	void *ctx;
	int64_t wall_ns; /* now, for the first id of a new store */
	char boot_id[37];
	uint32_t max_ops; /* rule 9; 0 = default 100,000 */
	uint64_t max_bytes; /* rule 9; 0 = default 256 MiB */
	bool inline_commit; /* a lone op may be committed by the loop */
	int64_t undo_ns; /* how long what was removed is kept */
	uint64_t undo_bytes; /* and how much of it; 0: nothing */
	int64_t wipe_ns; /* what is deleted leaves the files; 0: in 30 s */
};

struct store;

struct store_vt {
	const char *scheme;
	struct store *(*open)(const struct store_config *, struct err *);
	void (*submit)(struct store *, struct store_op *chain);
	void (*kick)(struct store *);
	int64_t (*gather_ns)(struct store *); /* may be NULL: 0 */
	void (*info)(const struct store *, struct store_info *);
	void (*close)(struct store *, void (*closed)(void *), void *arg);
};

/* What every implementation begins with. */
struct store {
	const struct store_vt *vt;
};

/* The facade: finds the implementation from the URL's scheme. */
struct store *store_open(const struct store_config *, struct err *);
void store_submit(struct store *, struct store_op *chain);
/* Once a loop turn.  May call done of ops it can finish at once. */
void store_kick(struct store *);
/* How long it pays to look for more requests before the next kick, ns; 0 when
 * there is nothing to commit, when a commit is under way (more gathers anyway),
 * or when as much has come as came last time. */
int64_t store_gather_ns(struct store *);
void store_info(const struct store *, struct store_info *);
void store_close(struct store *, void (*closed)(void *), void *arg);

const char *store_rc_text(enum store_rc);

/* The first id of a new store: milliseconds since 2020.  A consumer
 * that kept its cursor over the loss of the database must not be ahead of the
 * new ids; time is what both lives share. */
static inline int64_t
store_first_id(int64_t wall_ns)
{
	const int64_t epoch_2020 = 1577836800LL * 1000;
	int64_t ms = wall_ns / 1000000 - epoch_2020;

	return ms > 0 ? ms : 1;
}

static inline bool
store_is_write(enum store_kind k)
{
	return k <= STORE_RESTORE || k == STORE_BARRIER;
}

extern const struct store_vt store_sqlite_vt, store_mem_vt;

#endif
