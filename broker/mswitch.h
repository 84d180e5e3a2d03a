/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The core of the broker: queues, messages, who gets what and when.  A function
 * of state, request and time: it is given `now`, it sees no socket and no file,
 * and what must last goes through store.h.
 *
 * Decide, persist, answer.  A change is decided against the index, submitted to
 * the store, and becomes visible when the store says it is durable; then its
 * `done` is called and its answer may leave.  Until then the index shows the
 * old state, except that a message on its way out is no longer handed out.
 */
#ifndef XMSG_MSWITCH_H
#define XMSG_MSWITCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "deadline.h"
#include "hist.h"
#include "idmap.h"
#include "map.h"
#include "msgq.h"
#include "rate.h"
#include "session.h"
#include "store.h"
#include "str.h"
#include "trace.h"
#include "waiter.h"
#include "wire.h"

/* How an operation ended. */
enum ms_rc {
	MS_OK,
	MS_PENDING, /* not yet: done will be called */
	MS_NO_QUEUE,
	MS_NO_MESSAGE,
	MS_NO_REPLY_QUEUE,
	MS_HELD, /* not now: the message is on its way out */
	MS_LIMIT, /* a limit is reached; change.limit names it */
	MS_FULL, /* the disk is full */
	MS_STORE, /* the store failed or is overloaded: not done */
	MS_UNKNOWN, /* the store failed: done or not, the next start tells */
	MS_NO_MEMORY,
};

struct ms_limits {
	int64_t queues; /* in all */
	int64_t queue_messages; /* per queue */
	int64_t queue_bytes; /* per queue, payloads */
	int64_t total_bytes; /* payloads in all */
	int64_t session_transient; /* transient queues per session */
	int64_t cache_bytes; /* bodies kept in memory */
	int64_t transfer_bytes; /* payloads in one answer */
	int64_t grace_ns; /* transient queues after a restart */
	bool one_reply; /* exactly one reply per request id */
	int64_t poison; /* ends of its consumer before it is held, 0: never */
};

struct ms_counters {
	uint64_t published, replied, duplicates, delivered, acked, refused;
	uint64_t created, destroyed, polls, cancelled;
	uint64_t damaged; /* messages found damaged */
};

struct queue {
	UT_hash_handle hh;
	struct str name;
	struct session *owner; /* NULL: persistent */
	struct msgq q;
	int64_t bytes; /* of payloads */
	int64_t pending_bytes; /* of those on their way to the disk */
	int64_t held; /* messages not handed out */
	int64_t letters; /* of those, dead letters: no operator held them */
	int64_t delivered; /* handed out and not acknowledged */
	int64_t again; /* with MSG_AGAIN */
	int64_t last_poll_ns; /* boottime; 0: never since start */
	uint64_t in, out; /* messages since start */
	struct rate in_rate, out_rate;
	struct hist *replied; /* request to reply, NULL: none yet */
	uint32_t pending; /* sends on their way to the disk */
	uint32_t refs; /* answers under way that point here */
	bool dead; /* destroyed; freed with the last ref */
	bool ending; /* its end is on its way to the disk */
	bool dirty; /* has something new for its waiters */
	bool paused; /* hands out nothing */
	struct queue *next_dirty;
	LIST_ENTRY(queue) of_owner;
	char bytes_[];
};

/* One connection, as the core sees it. Embedded by the outer layer. */
struct client {
	struct session *session; /* NULL: not logged in */
	struct waiter waiter;
	struct poll *poll; /* the poll it is in, or NULL */
	pid_t pid;
	uid_t uid;
	char comm[16]; /* name of the process; set by the outer layer */
};

struct mswitch;

/* A change on its way. Embedded in the request; must live until done. */
struct change {
	struct store_op op[2];
	void (*done)(struct change *);
	enum ms_rc rc;
	int64_t id; /* of the message sent */
	int64_t answer_to; /* re_id of a reply under way, 0 */
	struct str queue_name; /* where the reply went */
	bool duplicate; /* an earlier request did it already */
	bool found; /* destroy, ack: there was one */
	bool lazy; /* an ack that has been answered already */
	bool cancels; /* it is a cancellation */
	bool requeue; /* a mark that forgets the deliveries, too */
	int64_t messages; /* destroy: how many went with it */
	const char *limit; /* MS_LIMIT: which one */
	struct str note; /* removed by hand: who and why; the caller's */
	/* private */
	struct mswitch *m;
	struct queue *q;
	struct body *body;
	int64_t *ids;
	struct session *session;
	const struct client *by; /* while it is being started only */
	uint32_t pid;
	char *copy;
	struct kent *kent;
};

/* One message chosen for an answer. */
struct pick {
	struct queue *q;
	int64_t id;
};

/* A transfer, or a look at some messages.  Embedded in the request; lives until
 * done.  The messages come in one go: message() for each in order of id, then
 * done(); what they point to lives during the call. */
struct poll {
	struct client *client;
	int64_t from; /* exclusive */
	bool look; /* only look: held ones too, nothing is delivered */
	/* looking: which messages; NULL: all */
	bool (*want)(const struct poll *, const struct msg *);
	int64_t most_bytes; /* of payload, above 0: less than the usual */
	void (*message)(
	    struct poll *, const struct store_msg *, const struct msg *);
	void (*done)(struct poll *, int64_t next, enum ms_rc rc);
	/* private */
	struct mswitch *m;
	struct pick *picks;
	int64_t *ids;
	size_t npicks, cap, nids, at;
	int64_t next;
	bool fetching, orphan;
	bool noted; /* its messages are the consumer's last ones */
};

/* Idempotency keys of the last publishes, oldest first out. */
struct kent {
	UT_hash_handle hh;
	TAILQ_ENTRY(kent) age;
	int64_t id; /* 0: under way */
	struct str key;
	char bytes[];
};

struct keys {
	struct kent *by_key;
	TAILQ_HEAD(, kent) by_age;
	size_t n;
};

struct ms_config {
	struct store *store;
	struct ms_limits limits;
	struct deadlines *deadlines;
	struct trace *trace;
};

struct mswitch {
	struct store *store;
	struct ms_limits limits;
	struct deadlines *deadlines;
	struct trace *trace;
	struct queue *queues;
	struct sessions sessions;
	struct waiters waiters;
	struct ms_counters counters;
	struct queue *dirty;
	struct idmap answered; /* request id -> reply id, or -1: under way */
	int64_t *forget; /* ring of answered ids whose request is gone */
	size_t forget_n, forget_at;
	struct idmap strikes; /* message id -> consumers it has ended */
	struct keys keys; /* idempotency keys */
	int64_t bytes, messages, cached;
	int64_t pending_bytes; /* of sends on their way to the disk */
	uint32_t creating; /* queues on their way */
	int64_t last_id, boot_first, last_act;
	int64_t now_ns, wall_ns; /* set by mswitch_now */
	bool loading;
};

struct mswitch *mswitch_new(const struct ms_config *c);
void mswitch_free(struct mswitch *m);
/* The broker is about to end: clients that leave from now on keep their
 * transient queues, for their return after the restart. */
void mswitch_stop(struct mswitch *m);

/* The time of this turn; everything below uses it. */
void mswitch_now(struct mswitch *m, int64_t mono_ns, int64_t wall_ns);

/* Read the index from the store; done(arg, ok) when it is complete. */
void mswitch_load(
    struct mswitch *m, void (*done)(void *arg, bool ok), void *arg);

/* End of turn: hand new messages to those who wait for them. */
void mswitch_turn(struct mswitch *m);

/* ---- connections ---- */
void client_init(struct client *c, pid_t pid, uid_t uid);
/* Last login wins: a former token's claim ends. */
void client_login(struct mswitch *m, struct client *c, struct str token);
/* Ends its poll (done is not called) and its claim on the token. */
void client_close(struct mswitch *m, struct client *c);
struct str client_token(const struct client *c);

/* ---- changes: MS_PENDING means that ch->done will be called ---- */
enum ms_rc mswitch_create(struct mswitch *m, struct change *ch,
    struct client *c, struct str name, bool transient);
enum ms_rc mswitch_destroy(
    struct mswitch *m, struct change *ch, struct client *c, struct str name);
struct ms_send {
	struct str queue, reply_to, payload, key;
	struct str re_queue; /* replies: queue and id of the request */
	int64_t re_id; /* > 0 or < 0: a reply; see is_reply */
	bool is_reply;
};
enum ms_rc mswitch_send(struct mswitch *m, struct change *ch, struct client *c,
    const struct ms_send *s);
enum ms_rc mswitch_ack(struct mswitch *m, struct change *ch, struct client *c,
    struct str queue, int64_t id);
/* Reply to a request and acknowledge it, in one transaction.  The reply queue
 * must be known: pass it (from the message). */
enum ms_rc mswitch_answer(struct mswitch *m, struct change *ch,
    struct client *c, struct str queue, int64_t id, struct str reply_to,
    struct str payload);
/* Remove a message and answer its caller with a failure, in one transaction.
 * What waits for no answer (a reply; a request that has been answered; one whose
 * reply queue is gone) is only removed: ch->id is then 0.  The strings must live
 * until done, except the queue's name. */
struct ms_cancel {
	struct str queue, reply_to;
	int64_t id;
	struct str failure; /* what the caller gets */
	struct str note; /* who and why, for the recorder */
	int why; /* enum store_why */
	int64_t act; /* from mswitch_act */
};
/* The number of the next act of removing. */
int64_t mswitch_act(struct mswitch *m);
enum ms_rc mswitch_cancel(struct mswitch *m, struct change *ch,
    struct client *c, const struct ms_cancel *k);
/* Remove a message without a word to anybody, but keep it for undo. */
enum ms_rc mswitch_delete(struct mswitch *m, struct change *ch,
    struct client *c, struct str queue, int64_t id, struct str note);
/* Put back what was removed by hand, with its id, and offer it to cursors that
 * have passed it.  A request that has had its reply gets no second one.
 * ch->found is false when it is not kept (any more). */
enum ms_rc mswitch_restore(struct mswitch *m, struct change *ch,
    struct client *c, struct str queue, int64_t id);
/* Read what is kept of removed messages: op->u.removed and op->done are set. */
void mswitch_removed(struct mswitch *m, struct store_op *op);
/* Hand out nothing of a queue, or go on. */
enum ms_rc mswitch_pause(struct mswitch *m, struct change *ch, struct client *c,
    struct str queue, bool paused);
/* Hold (STORE_HELD_OPERATOR) or release (STORE_RELEASED) a message.  One that is
 * released is offered to the next who polls its queue, wherever his cursor. */
enum ms_rc mswitch_mark(struct mswitch *m, struct change *ch, struct client *c,
    struct str queue, int64_t id, int held);
/* Release it when it is held; offer it again although consumers have passed or
 * even had it; forget its deliveries. */
enum ms_rc mswitch_requeue(struct mswitch *m, struct change *ch,
    struct client *c, struct str queue, int64_t id);

/* ---- polls ---- */
/* Be answered now, or park until until_ns (<= now: do not park). MS_PENDING:
 * done will be called later; MS_OK: it has been called. */
enum ms_rc mswitch_poll(struct mswitch *m, struct poll *p,
    const struct str *names, size_t n, int64_t until_ns);

/* Look at messages of a queue with an id above p->from (held ones too): at most
 * `most` of them. */
enum ms_rc mswitch_look(
    struct mswitch *m, struct poll *p, struct str queue, size_t most);
/* Look at the newest `most` messages of every queue. */
enum ms_rc mswitch_look_all(struct mswitch *m, struct poll *p, size_t most);
/* The client is going away.  Its poll is over: done is not called, unless the
 * store is reading for it (p->fetching): then it comes later, with MS_STORE, and
 * the memory must stay until then. */
void poll_cancel(struct mswitch *m, struct poll *p);

/* ---- looking ---- */
struct queue *mswitch_queue(const struct mswitch *m, struct str name);
/* Why a message is not handed out, or NULL; static text. */
const char *ms_held_reason(int held);
/* All queues whose name starts with prefix, ascending by name; *n gets their
 * number; the caller frees the array. NULL when memory ran out. */
struct queue **mswitch_sorted(
    const struct mswitch *m, struct str prefix, size_t *n);

/* Index and invariants hold; for tests and debug builds. */
bool mswitch_check(const struct mswitch *m);

#endif
