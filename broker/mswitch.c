/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The core: the index of queues and messages, and the changes to it.
 *
 * Invariants (mswitch_check):
 *  1. No `done` that promises anything is called before the commit it relies
 *     on.
 *  2. After each turn the index holds exactly what the store holds, less what
 *     is on its way there.
 *  3. A message leaves a queue by acknowledgement, or by the end of its queue.
 *  4. Messages of a queue are handed out in order of id.
 *  5. A transient queue exists only while its owner's token has a connection,
 *     or for the grace period after a restart.
 *  6. At most one reply to a request id is enqueued.
 *  7. A request whose reply is durable is over: at the next start it is taken
 *     for acknowledged.  So its acknowledgement can be answered at once, and
 *     nothing runs twice because a consumer ended between reply and
 *     acknowledgement.
 */
#include "mswitch.h"

#include <stdlib.h>

#include "clock.h"
#include "xalloc.h"

#define REMEMBER_ANSWERS 65536 /* of requests that are gone */
#define REMEMBER_KEYS    65536

/* ---- the index ---- */

/* By name. */
struct queue *
mswitch_queue(const struct mswitch *m, struct str name)
{
	struct queue *q = NULL;

	HASH_FIND(hh, m->queues, name.p, name.n, q);
	return q;
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
	HASH_ADD_KEYPTR(hh, m->queues, q->bytes_, name.n, q);
	return q;
}

/* One answer less points here. */
void
queue_unref(struct queue *q)
{
	if (--q->refs == 0 && q->dead)
		free(q);
}

/* A queue that is durably gone leaves the index, with its messages. */
void
queue_remove(struct mswitch *m, struct queue *q)
{
	struct msgq_cursor at = msgq_seek(&q->q, INT64_MIN);
	struct queue **d;
	struct msg *msg;

	while ((msg = msgq_next(&q->q, &at)) != NULL)
		if (msg->body != NULL)
			m->cached -= (int64_t)body_size(msg->body);
	m->messages -= (int64_t)q->q.n;
	m->bytes -= q->bytes;
	msgq_fini(&q->q);
	HASH_DEL(m->queues, q);
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

/* Is it neither handed out nor to be? */
static bool
is_held(const struct mswitch *m, const struct msg *msg)
{
	(void)m;
	return msg->held > 0;
}

/* A durable message enters the index; takes body (which may be NULL). */
struct msg *
queue_append(struct mswitch *m, struct queue *q, const struct store_msg *sm,
    struct body *body)
{
	struct msg *msg = msgq_append(&q->q, sm->id);

	if (msg == NULL) {
		free(body);
		return NULL;
	}
	msg->size = (uint32_t)sm->payload.n;
	msg->at_s = (uint32_t)(sm->at_ns / NS_PER_SEC);
	msg->flags = sm->re_queue.p != NULL ? MSG_REPLY : 0;
	msg->held = (int8_t)sm->held;
	if (sm->held == STORE_FREE && !(msg->flags & MSG_REPLY) &&
	    sm->id < m->boot_first)
		msg->held = STORE_HELD_REBOOT;
	q->held += is_held(m, msg);
	if (body != NULL &&
	    m->cached + (int64_t)body_size(body) > m->limits.cache_bytes) {
		free(body);
		body = NULL;
	}
	msg->body = body;
	if (body != NULL)
		m->cached += (int64_t)body_size(body);
	q->bytes += msg->size;
	m->bytes += msg->size;
	m->messages++;
	if (sm->id > m->last_id)
		m->last_id = sm->id;
	return msg;
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
	q->held -= is_held(m, msg);
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

/* ---- idempotency keys ---- */

static struct kent *
keys_find(struct mswitch *m, struct str key)
{
	struct kent *k = NULL;

	HASH_FIND(hh, m->keys.by_key, key.p, key.n, k);
	return k;
}

/* Forget a key. */
void
keys_del(struct mswitch *m, struct kent *k)
{
	HASH_DEL(m->keys.by_key, k);
	TAILQ_REMOVE(&m->keys.by_age, k, age);
	m->keys.n--;
	free(k);
}

/* Remember a key; the oldest makes room. */
struct kent *
keys_add(struct mswitch *m, struct str key)
{
	struct kent *k, *old;

	old = TAILQ_FIRST(&m->keys.by_age);
	if (m->keys.n >= REMEMBER_KEYS && old->id != 0)
		keys_del(m, old);
	k = xcalloc(1, sizeof *k + key.n);
	memcpy(k->bytes, key.p, key.n);
	k->key = (struct str){k->bytes, key.n};
	HASH_ADD_KEYPTR(hh, m->keys.by_key, k->bytes, key.n, k);
	TAILQ_INSERT_TAIL(&m->keys.by_age, k, age);
	m->keys.n++;
	return k;
}

/* ---- the recorder ---- */

/* Record an event of a client. */
static void
record(struct mswitch *m, struct ring_event *e, struct str payload)
{
	e->wall_ns = m->wall_ns;
	e->dur_ns = e->dur_ns ? e->dur_ns : -1;
	trace_put(m->trace, e, payload);
}

static void
record_simple(struct mswitch *m, enum ring_type t, const struct session *s,
    uint32_t pid, struct str queue, int64_t id)
{
	struct ring_event e = {.type = t, .queue = queue, .id = id, .pid = pid};

	if (s != NULL)
		e.client = s->token;
	record(m, &e, (struct str){NULL, 0});
}

/* ---- changes ---- */

/* What the store's answer means to a client. */
enum ms_rc
ms_from_store(enum store_rc rc)
{
	switch (rc) {
	case STORE_OK: return MS_OK;
	case STORE_NO_QUEUE: return MS_NO_QUEUE;
	case STORE_FULL: return MS_FULL;
	default: return MS_STORE;
	}
}

/* The change that an op is the first part of. */
static struct change *
change_of(struct store_op *op)
{
	return (struct change *)op;
}

/* Start on a change. */
static void
change_init(struct mswitch *m, struct change *ch, const struct client *c)
{
	void (*done)(struct change *) = ch->done;

	memset(ch, 0, sizeof *ch);
	ch->done = done;
	ch->m = m;
	ch->pid = c ? (uint32_t)c->pid : 0;
	ch->session = c ? c->session : NULL;
	if (ch->session != NULL)
		ch->session->nclients++; /* it must not go before the change */
}

/* Give back what the change held, then tell its owner. */
static void
change_end(struct change *ch, enum ms_rc rc)
{
	struct session *s = ch->session;

	ch->rc = rc;
	free(ch->copy);
	free(ch->ids);
	ch->copy = NULL;
	ch->ids = NULL;
	ch->session = NULL;
	if (s != NULL)
		session_detach(&ch->m->sessions, s);
	ch->done(ch);
}

/* Undo change_init when nothing was submitted after all. */
static enum ms_rc
change_not(struct change *ch, enum ms_rc rc)
{
	if (ch->session != NULL)
		session_detach(&ch->m->sessions, ch->session);
	ch->session = NULL;
	return rc;
}

static enum ms_rc
limit(struct change *ch, const char *name)
{
	ch->m->counters.refused++;
	ch->limit = name;
	record_simple(ch->m, RING_REFUSE, ch->session, ch->pid,
	    str_of(name), 0);
	return change_not(ch, MS_LIMIT);
}

/* A private copy of two names, which must outlive the request's buffer. */
static void
copy_names(struct change *ch, struct str *a, struct str *b)
{
	ch->copy = xmalloc(a->n + b->n + 1);
	if (a->n != 0)
		memcpy(ch->copy, a->p, a->n); /* a repeat may have no key */
	a->p = ch->copy;
	if (b->n != 0) {
		memcpy(ch->copy + a->n, b->p, b->n);
		b->p = ch->copy + a->n;
	}
}

/* ---- create ---- */

static void
create_done(struct store_op *op)
{
	struct change *ch = change_of(op);
	struct mswitch *m = ch->m;
	struct ring_event e = {.type = RING_CREATE};

	m->creating--;
	if (op->u.create.owner.n != 0)
		ch->session->creating--;
	if (op->rc == STORE_OK) {
		if (mswitch_queue(m, op->u.create.name) == NULL) {
			e.client = ch->session ? ch->session->token
					       : (struct str){NULL, 0};
			e.pid = ch->pid;
			e.queue = op->u.create.name;
			e.peer = op->u.create.owner;
			record(m, &e, (struct str){NULL, 0});
			m->counters.created++;
			queue_add(m, op->u.create.name, op->u.create.owner);
		}
		ch->found = !op->u.create.created;
	}
	change_end(ch, ms_from_store(op->rc));
}

/* Make a queue; kind and owner of one that exists do not change. */
enum ms_rc
mswitch_create(struct mswitch *m, struct change *ch, struct client *c,
    struct str name, bool transient)
{
	struct queue *q = mswitch_queue(m, name);
	struct str owner = {NULL, 0};

	change_init(m, ch, c);
	if (q != NULL && !q->ending) {
		ch->found = true;
		return change_not(ch, MS_OK);
	}
	if (q == NULL &&
	    (int64_t)HASH_CNT(hh, m->queues) + m->creating >= m->limits.queues)
		return limit(ch, "queues");
	if (transient) {
		owner = c->session->token;
		if ((int64_t)c->session->nqueues + c->session->creating >=
		    m->limits.session_transient)
			return limit(ch, "session_transient");
		c->session->creating++;
	}
	m->creating++;
	copy_names(ch, &name, &owner);
	ch->op[0].kind = STORE_CREATE;
	ch->op[0].u.create.name = name;
	ch->op[0].u.create.owner = owner;
	ch->op[0].done = create_done;
	store_submit(m->store, ch->op);
	return MS_PENDING;
}

/* ---- destroy ---- */

static void
destroy_done(struct store_op *op)
{
	struct change *ch = change_of(op);
	struct queue *q = mswitch_queue(ch->m, op->u.destroy.name);

	if (q != NULL && q->ending) {
		q->ending = false;
		if (op->rc == STORE_OK) {
			record_simple(ch->m, RING_DESTROY, ch->session, ch->pid,
			    q->name, 0);
			ch->m->counters.destroyed++;
			queue_remove(ch->m, q);
		}
	}
	change_end(ch, ms_from_store(op->rc));
}

/* The ids of a queue's messages, when they are few enough to be deleted with
 * it; the store sweeps up the others. */
static void
list_ids(struct change *ch, struct queue *q)
{
	struct msgq_cursor at = msgq_seek(&q->q, INT64_MIN);
	struct store_op *op = &ch->op[0];
	struct msg *msg;

	op->u.destroy.more = q->pending > 0 || q->q.n > 1000;
	if (q->q.n == 0 || q->q.n > 1000)
		return;
	ch->ids = xreallocarray(NULL, q->q.n, sizeof *ch->ids);
	while ((msg = msgq_next(&q->q, &at)) != NULL)
		ch->ids[op->u.destroy.n++] = msg->id;
	op->u.destroy.ids = ch->ids;
}

/* End a queue. */
enum ms_rc
mswitch_destroy(struct mswitch *m, struct change *ch, struct client *c,
    struct str name)
{
	struct queue *q = mswitch_queue(m, name);
	struct str none = {NULL, 0};

	change_init(m, ch, c);
	if (q == NULL)
		return change_not(ch, MS_OK);
	copy_names(ch, &name, &none);
	ch->op[0].u.destroy.name = name;
	ch->op[0].done = destroy_done;
	ch->op[0].kind = q->ending ? STORE_BARRIER : STORE_DESTROY;
	if (!q->ending) {
		ch->found = true;
		ch->messages = (int64_t)q->q.n;
		list_ids(ch, q);
		q->ending = true;
	}
	store_submit(m->store, ch->op);
	return MS_PENDING;
}

/* ---- the end of a session ---- */

static void
drop_done(struct change *ch)
{
	free(ch);
}

/* Its last connection is gone: so are its transient queues. */
static void
session_ended(void *ctx, struct session *s)
{
	struct mswitch *m = ctx;
	struct queue *q, *next;
	struct change *ch;

	record_simple(m, RING_LOGOUT, s, 0, (struct str){NULL, 0}, 0);
	if (s->nqueues == 0)
		return;
	HASH_ITER(hh, m->queues, q, next) {
		if (q->owner != s || q->ending)
			continue;
		ch = xcalloc(1, sizeof *ch);
		ch->done = drop_done;
		if (mswitch_destroy(m, ch, NULL, q->name) != MS_PENDING)
			free(ch);
	}
}

/* ---- send ---- */

/* How long the request that this answers has been waiting; 0: not known. */
static int64_t
waited(const struct mswitch *m, const struct store_msg *sm)
{
	const struct queue *rq = mswitch_queue(m, sm->re_queue);
	const struct msg *req = rq ? msgq_find(&rq->q, sm->re_id) : NULL;

	if (req == NULL || req->body == NULL || req->body->at_ns > sm->at_ns)
		return 0;
	return sm->at_ns - req->body->at_ns;
}

static void
record_send(struct mswitch *m, const struct change *ch, const struct queue *q)
{
	const struct store_msg *sm = &ch->op[0].u.send.msg;
	bool reply = sm->re_queue.p != NULL;
	struct ring_event e = {
	    .type = reply ? RING_REPLY : RING_PUBLISH,
	    .client = sm->origin,
	    .pid = ch->pid,
	    .queue = q->name,
	    .id = sm->id,
	    .re_id = sm->re_id,
	    .peer = reply ? sm->re_queue : sm->reply_to,
	    .dur_ns = reply ? waited(m, sm) : 0,
	};

	record(m, &e, sm->payload);
}

/* The reply is durable: note on its request, or beside it, that it has one. */
static void
answered(struct mswitch *m, const struct store_msg *sm)
{
	struct queue *rq = mswitch_queue(m, sm->re_queue);
	struct msg *req = rq ? msgq_find(&rq->q, sm->re_id) : NULL;

	if (req == NULL) {
		queue_note_answered(m, sm->re_id, sm->id);
		return;
	}
	req->flags |= MSG_ANSWERED;
	if (!idmap_put(&m->answered, sm->re_id, sm->id))
		req->flags &= (uint8_t)~MSG_ANSWERED;
}

/* A linked acknowledgement came with the reply. */
static void
finish_ack(struct mswitch *m, struct change *ch, struct str queue, int64_t id,
    bool ok)
{
	struct queue *q = mswitch_queue(m, queue);
	struct msg *msg = q ? msgq_find(&q->q, id) : NULL;

	if (msg == NULL)
		return;
	if (!ok && ch->lazy)
		return; /* it is over all the same; the next start removes it */
	if (!ok) {
		msg->flags &= (uint8_t)~MSG_LEAVING;
		mswitch_dirty(m, q);
		return;
	}
	record_simple(m, RING_ACK, ch->session, ch->pid, q->name, id);
	m->counters.acked++;
	q->out++;
	queue_drop_msg(m, q, id);
}

static void
send_ok(struct mswitch *m, struct change *ch, struct queue *q)
{
	struct store_msg *sm = &ch->op[0].u.send.msg;
	bool reply = sm->re_queue.p != NULL;

	record_send(m, ch, q);
	ch->id = sm->id;
	q->in++;
	if (reply)
		m->counters.replied++;
	else
		m->counters.published++;
	if (ch->op[0].u.send.answers)
		answered(m, sm);
	if (ch->kent != NULL)
		ch->kent->id = sm->id;
	/* no memory for 32 bytes: the message is safe in the store and comes
	 * with the next start */
	if (queue_append(m, q, sm, ch->body) != NULL)
		mswitch_dirty(m, q);
	ch->body = NULL;
}

static void
send_done(struct store_op *op)
{
	struct change *ch = change_of(op);
	struct store_msg *sm = &op->u.send.msg;
	struct mswitch *m = ch->m;
	struct queue *q = mswitch_queue(m, sm->queue);
	enum ms_rc rc = ms_from_store(op->rc);
	bool linked = op->flags & STORE_LINK;

	m->pending_bytes -= (int64_t)sm->payload.n;
	if (q != NULL) {
		q->pending--;
		q->pending_bytes -= (int64_t)sm->payload.n;
	}
	if (op->u.send.answers && rc != MS_OK)
		idmap_del(&m->answered, sm->re_id);
	if (ch->kent != NULL && rc != MS_OK)
		keys_del(m, ch->kent);
	if (rc == MS_OK && q != NULL)
		send_ok(m, ch, q);
	else if (rc == MS_OK)
		rc = MS_NO_QUEUE; /* destroyed right after: gone with it */
	free(ch->body);
	ch->body = NULL;
	if (linked) {
		struct store_op *ack = &ch->op[1];
		finish_ack(m, ch, ack->u.ack.queue, ack->u.ack.id,
		    rc == MS_OK);
	}
	if (!linked)
		change_end(ch, rc);
	else
		ch->rc = rc; /* the ack's done follows and ends it */
}

/* The second op of a linked pair: the pair is done. */
static void
linked_done(struct store_op *op)
{
	struct change *ch =
	    (struct change *)((char *)op - sizeof(struct store_op));

	change_end(ch, ch->rc);
}

/* Which limit forbids this send, or NULL. */
static const char *
send_limit(const struct mswitch *m, const struct queue *q, size_t n)
{
	const struct ms_limits *l = &m->limits;

	if ((int64_t)q->q.n + q->pending >= l->queue_messages)
		return "queue_messages";
	if (q->bytes + q->pending_bytes + (int64_t)n > l->queue_bytes)
		return "queue_bytes";
	if (m->bytes + m->pending_bytes + (int64_t)n > l->total_bytes)
		return "total_bytes";
	return NULL;
}

/* A repeat of something under way: wait for it, then see what came of it. */
static void
repeat_done(struct store_op *op)
{
	struct change *ch = change_of(op);
	struct mswitch *m = ch->m;
	struct kent *k = NULL;
	int64_t id = 0;

	if (ch->answer_to != 0)
		id = idmap_get(&m->answered, ch->answer_to);
	else if ((k = keys_find(m, op->u.create.name)) != NULL)
		id = k->id;
	ch->id = id;
	ch->duplicate = true;
	m->counters.duplicates += id > 0;
	change_end(ch, id > 0 ? MS_OK : MS_STORE);
}

static enum ms_rc
wait_for_first(struct mswitch *m, struct change *ch, struct str key)
{
	struct str none = {NULL, 0};

	copy_names(ch, &key, &none);
	ch->op[0].kind = STORE_BARRIER;
	ch->op[0].u.create.name = key;
	ch->op[0].done = repeat_done;
	store_submit(m->store, ch->op);
	return MS_PENDING;
}

/* Is this the reply to a request, of which there is one?  An id that has not
 * been given yet is no request's: to remember it would take the reply from the
 * request that gets it. */
static bool
is_answer(const struct mswitch *m, const struct ms_send *s)
{
	return s->is_reply && m->limits.one_reply && s->re_id > 0 &&
	    s->re_id <= m->last_id;
}

/* Was this very thing sent before?  Then its id, or the wait for it. */
static enum ms_rc
repeated(struct mswitch *m, struct change *ch, const struct ms_send *s)
{
	struct kent *k = s->key.n ? keys_find(m, s->key) : NULL;
	int64_t id = k ? (k->id ? k->id : -1) : 0;

	if (is_answer(m, s)) {
		id = idmap_get(&m->answered, s->re_id);
		ch->answer_to = s->re_id;
	}
	if (id == 0)
		return MS_PENDING; /* it is new */
	if (id < 0)
		return wait_for_first(m, ch, s->key);
	m->counters.duplicates++;
	ch->id = id;
	ch->duplicate = true;
	return change_not(ch, MS_OK);
}

/* Fill the op of a send; false when memory ran out. */
static bool
fill_send(struct mswitch *m, struct change *ch, const struct ms_send *s,
    struct queue *q)
{
	struct store_msg *sm = &ch->op[0].u.send.msg;
	struct str none = {NULL, 0};
	struct str origin = ch->session ? ch->session->token : STR("operator");

	ch->body = body_new(m->wall_ns, s->is_reply ? s->re_id : 0, origin,
	    s->is_reply ? none : s->reply_to, s->is_reply ? s->re_queue : none,
	    s->key, s->payload);
	if (ch->body == NULL)
		return false;
	ch->op[0].kind = STORE_SEND;
	ch->op[0].done = send_done;
	sm->queue = q->name;
	sm->at_ns = m->wall_ns;
	sm->origin = body_origin(ch->body);
	sm->re_id = ch->body->re_id;
	sm->key = body_key(ch->body);
	sm->payload = body_payload(ch->body);
	if (s->is_reply)
		sm->re_queue = body_re_queue(ch->body);
	else
		sm->reply_to = body_reply_to(ch->body);
	return true;
}

/* Put the send of a change on its way. */
static enum ms_rc
start_send(struct mswitch *m, struct change *ch, const struct ms_send *s,
    struct queue *q)
{
	bool answers = is_answer(m, s);

	if (!fill_send(m, ch, s, q) ||
	    (answers && !idmap_put(&m->answered, s->re_id, -1))) {
		free(ch->body);
		ch->body = NULL;
		return MS_NO_MEMORY;
	}
	ch->op[0].u.send.answers = answers;
	ch->queue_name = q->name;
	if (s->key.n != 0)
		ch->kent = keys_add(m, s->key);
	q->pending++;
	q->pending_bytes += (int64_t)s->payload.n;
	m->pending_bytes += (int64_t)s->payload.n;
	return MS_PENDING;
}

/* Publish a request or a reply. */
enum ms_rc
mswitch_send(struct mswitch *m, struct change *ch, struct client *c,
    const struct ms_send *s)
{
	struct queue *q = mswitch_queue(m, s->queue);
	const char *over;
	enum ms_rc rc;

	change_init(m, ch, c);
	if (q == NULL || q->ending)
		return change_not(ch, MS_NO_QUEUE);
	rc = repeated(m, ch, s);
	if (rc != MS_PENDING || ch->op[0].done != NULL)
		return rc;
	over = send_limit(m, q, s->payload.n);
	if (over != NULL)
		return limit(ch, over);
	rc = start_send(m, ch, s, q);
	if (rc != MS_PENDING)
		return change_not(ch, rc);
	store_submit(m->store, ch->op);
	return MS_PENDING;
}

/* ---- acknowledge ---- */

static void
ack_done(struct store_op *op)
{
	struct change *ch = change_of(op);

	if (op->kind == STORE_ACK)
		finish_ack(ch->m, ch, op->u.ack.queue, op->u.ack.id,
		    op->rc == STORE_OK);
	if (ch->answer_to != 0)
		ch->id = idmap_get(&ch->m->answered, ch->answer_to);
	change_end(ch, ms_from_store(op->rc));
}

/* Fill the op of an acknowledgement and mark the message. */
static void
fill_ack(struct store_op *op, struct queue *q, struct msg *msg)
{
	op->u.ack.queue = q->name;
	op->u.ack.id = msg->id;
	op->kind = STORE_ACK;
	msg->flags |= MSG_LEAVING;
}

static void
lazy_done(struct change *ch)
{
	free(ch);
}

/* Acknowledge a request that has its reply: the reply's commit has made it
 * durable (invariant 7), the removal may take its time. */
void
mswitch_ack_lazy(struct mswitch *m, struct client *c, struct queue *q,
    struct msg *msg)
{
	struct change *ch = xcalloc(1, sizeof *ch);
	struct str none = {NULL, 0};

	ch->done = lazy_done;
	change_init(m, ch, c);
	ch->lazy = true;
	ch->op[0].done = ack_done;
	ch->op[0].flags = STORE_LAZY;
	fill_ack(&ch->op[0], q, msg);
	copy_names(ch, &ch->op[0].u.ack.queue, &none);
	store_submit(m->store, ch->op);
}

/* Acknowledge; fine when there is none. */
enum ms_rc
mswitch_ack(struct mswitch *m, struct change *ch, struct client *c,
    struct str queue, int64_t id)
{
	struct queue *q = mswitch_queue(m, queue);
	struct msg *msg = q ? msgq_find(&q->q, id) : NULL;
	struct str none = {NULL, 0};

	change_init(m, ch, c);
	if (msg == NULL)
		return change_not(ch, MS_OK);
	ch->found = true;
	if ((msg->flags & MSG_ANSWERED) && !(msg->flags & MSG_LEAVING)) {
		mswitch_ack_lazy(m, c, q, msg);
		return change_not(ch, MS_OK);
	}
	if (msg->flags & MSG_ANSWERED)
		return change_not(ch, MS_OK); /* answered and leaving */
	ch->op[0].done = ack_done;
	ch->op[0].kind = STORE_BARRIER;
	if (!(msg->flags & MSG_LEAVING)) {
		fill_ack(&ch->op[0], q, msg);
		copy_names(ch, &ch->op[0].u.ack.queue, &none);
	}
	store_submit(m->store, ch->op);
	return MS_PENDING;
}

/* Reply and acknowledge in one transaction. */
enum ms_rc
mswitch_answer(struct mswitch *m, struct change *ch, struct client *c,
    struct str queue, int64_t id, struct str reply_to, struct str payload)
{
	struct queue *q = mswitch_queue(m, queue);
	struct queue *rq = mswitch_queue(m, reply_to);
	struct msg *msg = q ? msgq_find(&q->q, id) : NULL;
	struct ms_send s = {.queue = reply_to, .payload = payload,
	    .re_queue = queue, .re_id = id, .is_reply = true};
	struct str none = {NULL, 0};
	enum ms_rc rc;

	if (msg == NULL) {
		int64_t first = idmap_get(&m->answered, id);
		change_init(m, ch, c);
		ch->id = first > 0 ? first : 0;
		ch->duplicate = first > 0;
		return change_not(ch,
		    q == NULL       ? MS_NO_QUEUE
			: first > 0 ? MS_OK
				    : MS_NO_MESSAGE);
	}
	if (msg->flags & (MSG_LEAVING | MSG_ANSWERED) || rq == NULL ||
	    rq->ending) {
		/* answered already, or nobody to answer: only the ack is left */
		bool had = (msg->flags & MSG_ANSWERED) != 0;
		rc = mswitch_ack(m, ch, c, queue, id);
		ch->duplicate = had;
		ch->answer_to = id;
		if (rc == MS_OK)
			ch->id = idmap_get(&m->answered, id);
		return rc;
	}
	change_init(m, ch, c);
	rc = start_send(m, ch, &s, rq);
	if (rc != MS_PENDING)
		return change_not(ch, rc);
	fill_ack(&ch->op[1], q, msg);
	copy_names(ch, &ch->op[1].u.ack.queue, &none);
	ch->op[1].done = linked_done;
	ch->op[0].flags = STORE_LINK;
	ch->op[0].link = &ch->op[1];
	ch->found = true;
	store_submit(m->store, ch->op);
	return MS_PENDING;
}

/* ---- hold and release ---- */

static void
mark_done(struct store_op *op)
{
	struct change *ch = change_of(op);
	struct mswitch *m = ch->m;
	struct queue *q = mswitch_queue(m, (struct str){ch->copy,
	    (size_t)ch->messages});
	struct msg *msg = q ? msgq_find(&q->q, op->u.mark.id) : NULL;

	if (op->rc == STORE_OK && msg != NULL) {
		q->held -= is_held(m, msg);
		msg->held = (int8_t)op->u.mark.held;
		q->held += is_held(m, msg);
		record_simple(m,
		    is_held(m, msg) ? RING_HOLD : RING_RELEASE, ch->session,
		    ch->pid, q->name, msg->id);
		mswitch_dirty(m, q);
	}
	change_end(ch, ms_from_store(op->rc));
}

/* Keep a message from delivery, or let it go. */
enum ms_rc
mswitch_mark(struct mswitch *m, struct change *ch, struct client *c,
    struct str queue, int64_t id, int held)
{
	struct queue *q = mswitch_queue(m, queue);
	struct msg *msg = q ? msgq_find(&q->q, id) : NULL;
	struct str none = {NULL, 0};

	change_init(m, ch, c);
	if (q == NULL || msg == NULL)
		return change_not(ch, q ? MS_NO_MESSAGE : MS_NO_QUEUE);
	if (msg->flags & MSG_LEAVING)
		return change_not(ch, MS_HELD);
	copy_names(ch, &queue, &none);
	ch->messages = (int64_t)queue.n;
	ch->op[0].kind = STORE_MARK;
	ch->op[0].u.mark.id = id;
	ch->op[0].u.mark.held = held;
	ch->op[0].done = mark_done;
	store_submit(m->store, ch->op);
	return MS_PENDING;
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
		record_simple(m, RING_LOGIN, s, (uint32_t)c->pid,
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
	m->sessions.ended = session_ended;
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
	HASH_ITER(hh, m->queues, q, qn)
		queue_remove(m, q);
	HASH_ITER(hh, m->keys.by_key, k, kn)
		keys_del(m, k);
	sessions_fini(&m->sessions);
	idmap_fini(&m->answered);
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
	HASH_ITER(hh, m->queues, q, next)
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
	default: return NULL;
	}
}

/* One queue's share of the invariants. */
static bool
queue_check(const struct queue *q, int64_t *cached)
{
	struct msgq_cursor at = msgq_seek(&q->q, INT64_MIN);
	int64_t bytes = 0, held = 0, delivered = 0;
	struct msg *msg;

	while ((msg = msgq_next(&q->q, &at)) != NULL) {
		bytes += msg->size;
		held += msg->held > 0;
		delivered += msg->deliveries > 0;
		if (msg->body != NULL)
			*cached += (int64_t)body_size(msg->body);
	}
	return msgq_check(&q->q) && bytes == q->bytes && held == q->held &&
	    delivered == q->delivered && !q->dead;
}

/* Invariants. */
bool
mswitch_check(const struct mswitch *m)
{
	int64_t bytes = 0, messages = 0, cached = 0;
	struct queue *q, *next;

	HASH_ITER(hh, m->queues, q, next) {
		if (!queue_check(q, &cached))
			return false;
		bytes += q->bytes;
		messages += (int64_t)q->q.n;
	}
	return bytes == m->bytes && messages == m->messages &&
	    cached == m->cached;
}
