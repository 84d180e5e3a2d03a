/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The core: the index of queues and messages, and who uses it.  Changes are in
 * mswitch_change.c, mswitch_send.c and mswitch_ack.c, polls in mswitch_poll.c.
 *
 * Invariants (mswitch_check):
 *  1. No `done` that promises anything is called before the commit it relies
 *     on.
 *  2. After each turn the index holds exactly what the store holds, less what
 *     is on its way there.
 *  3. A message leaves a queue by acknowledgement, by hand, or by the end of its
 *     queue.
 *  4. Messages of a queue are handed out in order of id.
 *  5. A transient queue exists only while its owner's token has a connection,
 *     or for the grace period after a restart.
 *  6. At most one reply to a request id is enqueued.
 *  7. A request whose reply is durable is over, unless it was put back by hand:
 *     at the next start it is taken for acknowledged.  So its acknowledgement
 *     can be answered at once, and nothing runs twice because a consumer ended
 *     between reply and acknowledgement.
 */
#include "mswitch_int.h"

#include <stdlib.h>

#include "clock.h"
#include "xalloc.h"

#define REMEMBER_ANSWERS 65536 /* of requests that are gone */

/* ---- the index ---- */

/* By name. */
struct queue *
mswitch_queue(const struct mswitch *m, struct str name)
{
	return map_find(m->queues, name.p, name.n);
}

/* A queue that is durable enters the index. */
struct queue *
queue_add(struct mswitch *m, struct str name, struct str owner)
{
	struct queue *q = mswitch_queue(m, name);

	if (q != NULL)
		return q;
	q = xcalloc(1, sizeof *q + name.n);
	memcpy(q->bytes_, name.p, name.n);
	q->name = (struct str){q->bytes_, name.n};
	if (owner.n != 0) {
		q->owner = session_get(&m->sessions, owner);
		q->owner->nqueues++;
	}
	m->queues = map_add(m->queues, q, q->bytes_, name.n);
	return q;
}

/* One answer less points here. */
void
queue_unref(struct queue *q)
{
	if (--q->refs > 0 || !q->dead)
		return;
	free(q->replied);
	free(q);
}

/* A queue that is durably gone leaves the index, with its messages. */
void
queue_remove(struct mswitch *m, struct queue *q)
{
	struct msgq_cursor at = msgq_seek(&q->q, INT64_MIN);
	struct queue **d;
	struct msg *msg;

	while ((msg = msgq_next(&q->q, &at)) != NULL) {
		if (msg->body != NULL)
			m->cached -= (int64_t)body_size(msg->body);
		if (msg->flags & MSG_ANSWERED)
			queue_note_answered(m, msg->id, 0);
		if (m->strikes.n > 0)
			idmap_del(&m->strikes, msg->id);
	}
	m->messages -= (int64_t)q->q.n;
	m->bytes -= q->bytes;
	msgq_fini(&q->q);
	m->queues = map_del(m->queues, q);
	for (d = &m->dirty; *d != NULL; d = &(*d)->next_dirty)
		if (*d == q) {
			*d = q->next_dirty;
			break;
		}
	if (q->owner != NULL) {
		q->owner->nqueues--;
		session_release(&m->sessions, q->owner);
	}
	q->dead = true;
	q->refs++;
	queue_unref(q);
}

/* Hold it for a reason, or let it go: the queue counts. */
void
msg_hold(struct queue *q, struct msg *msg, int held)
{
	q->held -= msg_is_held(msg);
	q->letters -= msg_is_letter(msg);
	msg->held = (int8_t)held;
	q->held += msg_is_held(msg);
	q->letters += msg_is_letter(msg);
}

/* Count a message that has entered the queue. */
static void
count_in(struct mswitch *m, struct queue *q, struct msg *msg)
{
	if (msg->held == STORE_FREE && !(msg->flags & MSG_REPLY) &&
	    msg->id < m->boot_first)
		msg->held = STORE_HELD_REBOOT;
	q->held += msg_is_held(msg);
	q->letters += msg_is_letter(msg);
	q->bytes += msg->size;
	m->bytes += msg->size;
	m->messages++;
	if (msg->id > m->last_id)
		m->last_id = msg->id;
}

/* A durable message enters the index; takes body (which may be NULL). */
struct msg *
queue_append(struct mswitch *m, struct queue *q, const struct store_msg *sm,
    struct body *body)
{
	struct msg *msg = msgq_append(&q->q, sm->id);

	if (msg == NULL)
		xnomem(sizeof *msg); /* invariant 2: the next start has it */
	msg->size = (uint32_t)sm->payload.n;
	msg->at_s = (uint32_t)(sm->at_ns / NS_PER_SEC);
	msg->flags = sm->re_queue.p != NULL ? MSG_REPLY : 0;
	msg->held = (int8_t)sm->held;
	if (body != NULL &&
	    m->cached + (int64_t)body_size(body) > m->limits.cache_bytes) {
		free(body);
		body = NULL;
	}
	msg->body = body;
	if (body != NULL)
		m->cached += (int64_t)body_size(body);
	count_in(m, q, msg);
	return msg;
}

/* What was removed is durably back; its body stays in the store. */
struct msg *
queue_put_back(struct mswitch *m, struct queue *q, const struct store_op *op)
{
	struct msg *msg = msgq_insert(&q->q, op->u.restore.id);

	if (msg == NULL)
		xnomem(sizeof *msg); /* as above */
	msg->size = (uint32_t)op->u.restore.size;
	msg->at_s = (uint32_t)(op->u.restore.at_ns / NS_PER_SEC);
	msg->flags = op->u.restore.reply ? MSG_REPLY : 0;
	msg->held = (int8_t)op->u.restore.held;
	count_in(m, q, msg);
	return msg;
}

/* Offer it once more, or no longer. */
void
msg_again(struct queue *q, struct msg *msg, bool on)
{
	if (on == ((msg->flags & MSG_AGAIN) != 0))
		return;
	msg->flags ^= MSG_AGAIN;
	q->again += on ? 1 : -1;
}

/* A message that is durably gone leaves the index. */
void
queue_drop_msg(struct mswitch *m, struct queue *q, int64_t id)
{
	struct msg *msg = msgq_find(&q->q, id);

	if (msg == NULL)
		return;
	if (msg->body != NULL)
		m->cached -= (int64_t)body_size(msg->body);
	msg_again(q, msg, false);
	if (m->strikes.n > 0)
		idmap_del(&m->strikes, id);
	q->held -= msg_is_held(msg);
	q->letters -= msg_is_letter(msg);
	q->delivered -= msg->deliveries > 0;
	q->bytes -= msg->size;
	m->bytes -= msg->size;
	m->messages--;
	if (msg->flags & MSG_ANSWERED)
		queue_note_answered(m, id, 0);
	msgq_remove(&q->q, id);
}

/* The request with this id is gone; how long its answer is remembered is
 * bounded.  `reply` 0: it is in the map already. */
void
queue_note_answered(struct mswitch *m, int64_t request, int64_t reply)
{
	if (reply != 0 && !idmap_put(&m->answered, request, reply))
		return; /* no memory: it can be answered twice then */
	if (m->forget_n < REMEMBER_ANSWERS) {
		m->forget[m->forget_n++] = request;
		return;
	}
	idmap_del(&m->answered, m->forget[m->forget_at]);
	m->forget[m->forget_at] = request;
	m->forget_at = (m->forget_at + 1) % REMEMBER_ANSWERS;
}

/* Its waiters will be looked at, at the end of the turn. */
void
mswitch_dirty(struct mswitch *m, struct queue *q)
{
	if (q->dirty)
		return;
	q->dirty = true;
	q->next_dirty = m->dirty;
	m->dirty = q;
}

/* ---- the recorder ---- */

/* Record an event of a client. */
void
ms_record_event(struct mswitch *m, struct ring_event *e, struct str payload)
{
	e->wall_ns = m->wall_ns;
	e->dur_ns = e->dur_ns ? e->dur_ns : -1;
	trace_put(m->trace, e, payload);
}

void
ms_record(struct mswitch *m, enum ring_type t, const struct session *s,
    uint32_t pid, struct str queue, int64_t id)
{
	struct ring_event e = {.type = t, .queue = queue, .id = id, .pid = pid};

	if (s != NULL)
		e.client = s->token;
	ms_record_event(m, &e, (struct str){NULL, 0});
}

/* ---- clients ---- */

/* A connection. */
void
client_init(struct client *c, pid_t pid, uid_t uid)
{
	memset(c, 0, sizeof *c);
	c->pid = pid;
	c->uid = uid;
}

/* Log in; the last login wins. */
void
client_login(struct mswitch *m, struct client *c, struct str token)
{
	struct session *s = session_get(&m->sessions, token), *old = c->session;

	if (s == old)
		return;
	session_attach(&m->sessions, m->deadlines, s);
	c->session = s;
	if (s->nclients == 1)
		ms_record(m, RING_LOGIN, s, (uint32_t)c->pid,
		    (struct str){NULL, 0}, 0);
	if (old != NULL)
		session_detach(&m->sessions, old);
}

/* The connection is gone. */
void
client_close(struct mswitch *m, struct client *c)
{
	if (c->poll != NULL)
		poll_cancel(m, c->poll);
	waiter_leave(&m->waiters, m->deadlines, &c->waiter);
	if (c->session != NULL)
		session_detach(&m->sessions, c->session);
	c->session = NULL;
}

/* Its token, empty when it is not logged in. */
struct str
client_token(const struct client *c)
{
	return c->session ? c->session->token : (struct str){NULL, 0};
}

/* ---- life ---- */

/* A core without content; mswitch_load reads it. */
struct mswitch *
mswitch_new(const struct ms_config *c)
{
	struct mswitch *m = xcalloc(1, sizeof *m);

	m->store = c->store;
	m->limits = c->limits;
	m->deadlines = c->deadlines;
	m->trace = c->trace;
	m->sessions.ended = ms_session_ended;
	m->sessions.gone = batch_free;
	m->sessions.ctx = m;
	m->forget = xreallocarray(NULL, REMEMBER_ANSWERS, sizeof *m->forget);
	TAILQ_INIT(&m->keys.by_age);
	return m;
}

/* Sessions end without consequences from now on. */
void
mswitch_stop(struct mswitch *m)
{
	m->sessions.ended = NULL;
}

/* Free; all clients must be closed and all changes done. */
void
mswitch_free(struct mswitch *m)
{
	struct queue *q, *qn;
	struct kent *k, *kn;

	if (m == NULL)
		return;
	m->sessions.ended = NULL;
	HASH_ITER (hh, m->queues, q, qn)
		queue_remove(m, q);
	HASH_ITER (hh, m->keys.by_key, k, kn)
		keys_del(m, k);
	sessions_fini(&m->sessions);
	idmap_fini(&m->answered);
	idmap_fini(&m->strikes);
	free(m->forget);
	free(m);
}

/* What time it is. */
void
mswitch_now(struct mswitch *m, int64_t mono_ns, int64_t wall_ns)
{
	m->now_ns = mono_ns;
	m->wall_ns = wall_ns;
}

/* ---- looking ---- */

static int
by_name(const void *a, const void *b)
{
	return str_cmp((*(struct queue *const *)a)->name,
	    (*(struct queue *const *)b)->name);
}

/* Queues in order of name. */
struct queue **
mswitch_sorted(const struct mswitch *m, struct str prefix, size_t *n)
{
	size_t count = HASH_CNT(hh, m->queues);
	struct queue **v = reallocarray(NULL, count + 1, sizeof *v);
	struct queue *q, *next;

	*n = 0;
	if (v == NULL)
		return NULL;
	HASH_ITER (hh, m->queues, q, next)
		if (str_starts(q->name, prefix))
			v[(*n)++] = q;
	qsort(v, *n, sizeof *v, by_name);
	return v;
}

/* For people. */
const char *
ms_held_reason(int held)
{
	switch (held) {
	case STORE_HELD_OPERATOR: return "held by an operator";
	case STORE_HELD_POISON: return "its delivery ended its consumer";
	case STORE_HELD_REBOOT: return "from before the last reboot";
	case STORE_HELD_DAMAGED: return "damaged";
	default: return NULL;
	}
}

/* One queue's share of the invariants. */
static bool
queue_check(const struct queue *q, int64_t *cached)
{
	struct msgq_cursor at = msgq_seek(&q->q, INT64_MIN);
	int64_t bytes = 0, held = 0, letters = 0, delivered = 0, again = 0;
	struct msg *msg;

	while ((msg = msgq_next(&q->q, &at)) != NULL) {
		bytes += msg->size;
		held += msg->held > 0;
		letters += msg_is_letter(msg);
		delivered += msg->deliveries > 0;
		again += (msg->flags & MSG_AGAIN) != 0;
		if (msg->body != NULL)
			*cached += (int64_t)body_size(msg->body);
	}
	return msgq_check(&q->q) && bytes == q->bytes && held == q->held &&
	    letters == q->letters && delivered == q->delivered &&
	    again == q->again && !q->dead;
}

/* Invariants. */
bool
mswitch_check(const struct mswitch *m)
{
	int64_t bytes = 0, messages = 0, cached = 0;
	struct queue *q, *next;

	HASH_ITER (hh, m->queues, q, next) {
		if (!queue_check(q, &cached))
			return false;
		bytes += q->bytes;
		messages += (int64_t)q->q.n;
	}
	return bytes == m->bytes && messages == m->messages &&
	    cached == m->cached;
}
