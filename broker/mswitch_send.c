/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Publishing requests and replies, each once: idempotency keys, one reply to a
 * request. */
#include "mswitch_int.h"

#include <stdlib.h>

#include "xalloc.h"

#define REMEMBER_KEYS 65536

/* ---- idempotency keys ---- */

/* A key is good for one queue: both make up the entry's name. */
#define KEY_MAX (WIRE_MAX_NAME + 1 + 255)

static struct str
key_name(char text[KEY_MAX], struct str queue, struct str key)
{
	size_t n = queue.n;

	memcpy(text, queue.p, n);
	text[n++] = '\0';
	if (key.n > KEY_MAX - n)
		key.n = KEY_MAX - n; /* a bound is set where keys come in */
	memcpy(text + n, key.p, key.n);
	return (struct str){text, n + key.n};
}

static struct kent *
keys_find(struct mswitch *m, struct str key)
{
	return map_find(m->keys.by_key, key.p, key.n);
}

/* Forget a key. */
void
keys_del(struct mswitch *m, struct kent *k)
{
	m->keys.by_key = map_del(m->keys.by_key, k);
	TAILQ_REMOVE(&m->keys.by_age, k, age);
	m->keys.n--;
	free(k);
}

/* Remember a key; the oldest makes room. */
struct kent *
keys_add(struct mswitch *m, struct str queue, struct str plain)
{
	char text[KEY_MAX];
	struct str key = key_name(text, queue, plain);
	struct kent *k, *old;

	old = TAILQ_FIRST(&m->keys.by_age);
	if (m->keys.n >= REMEMBER_KEYS && old->id != 0)
		keys_del(m, old);
	k = xcalloc(1, sizeof *k + key.n);
	memcpy(k->bytes, key.p, key.n);
	k->key = (struct str){k->bytes, key.n};
	m->keys.by_key = map_add(m->keys.by_key, k, k->bytes, key.n);
	TAILQ_INSERT_TAIL(&m->keys.by_age, k, age);
	m->keys.n++;
	return k;
}

/* ---- send ---- */

/* How long the request that this answers has been waiting, and count that for
 * its queue; 0: not known. */
static int64_t
waited(const struct mswitch *m, const struct store_msg *sm)
{
	struct queue *rq = mswitch_queue(m, sm->re_queue);
	const struct msg *req = rq ? msgq_find(&rq->q, sm->re_id) : NULL;
	int64_t ns;

	if (req == NULL || req->body == NULL || req->body->at_ns > sm->at_ns)
		return 0;
	ns = sm->at_ns - req->body->at_ns;
	if (rq->replied == NULL)
		rq->replied = xcalloc(1, sizeof *rq->replied);
	hist_add(rq->replied, ns);
	return ns;
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

	ms_record_event(m, &e, sm->payload);
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

static void
send_ok(struct mswitch *m, struct change *ch, struct queue *q)
{
	struct store_msg *sm = &ch->op[0].u.send.msg;
	bool reply = sm->re_queue.p != NULL;

	record_send(m, ch, q);
	ch->id = sm->id;
	q->in++;
	rate_add(&q->in_rate, m->now_ns);
	if (reply)
		m->counters.replied++;
	else
		m->counters.published++;
	if (ch->op[0].u.send.answers)
		answered(m, sm);
	if (ch->kent != NULL)
		ch->kent->id = sm->id;
	(void)queue_append(m, q, sm, ch->body);
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
		ack_finish(m, ch, ack->u.ack.queue, ack->u.ack.id, rc == MS_OK);
	}
	if (!linked)
		change_end(ch, rc);
	else
		ch->rc = rc; /* the ack's done follows and ends it */
}

/* The second op of a linked pair: the pair is done. */
void
send_linked_done(struct store_op *op)
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

/* Wait for what is under way, then tell what came of it. */
enum ms_rc
send_wait(struct mswitch *m, struct change *ch, struct str key)
{
	struct str none = {NULL, 0};

	change_names(ch, &key, &none);
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
	char text[KEY_MAX];
	struct str key = s->key.n ? key_name(text, s->queue, s->key) : s->key;
	struct kent *k = s->key.n ? keys_find(m, key) : NULL;
	int64_t id = k ? (k->id ? k->id : -1) : 0;

	if (is_answer(m, s)) {
		id = idmap_get(&m->answered, s->re_id);
		ch->answer_to = s->re_id;
	}
	if (id == 0)
		return MS_PENDING; /* it is new */
	if (id < 0)
		return send_wait(m, ch, key);
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
	struct body_from f = {.at_ns = m->wall_ns,
	    .uid = ch->by ? (int64_t)ch->by->uid : -1,
	    .pid = ch->pid,
	    .origin = ch->session ? ch->session->token : STR("operator"),
	    .key = s->key,
	    .comm = str_of(ch->by ? ch->by->comm : ""),
	    .payload = s->payload};

	if (s->is_reply) {
		f.re_id = s->re_id;
		f.re_queue = s->re_queue;
	} else {
		f.reply_to = s->reply_to;
	}
	ch->body = body_new(&f);
	if (ch->body == NULL)
		return false;
	ch->op[0].kind = STORE_SEND;
	ch->op[0].done = send_done;
	sm->queue = q->name;
	sm->at_ns = m->wall_ns;
	sm->origin = body_origin(ch->body);
	sm->re_id = ch->body->re_id;
	sm->key = body_key(ch->body);
	sm->uid = f.uid;
	sm->pid = f.pid;
	sm->comm = body_comm(ch->body);
	sm->payload = body_payload(ch->body);
	if (s->is_reply)
		sm->re_queue = body_re_queue(ch->body);
	else
		sm->reply_to = body_reply_to(ch->body);
	return true;
}

/* Put the send of a change on its way. */
enum ms_rc
send_start(struct mswitch *m, struct change *ch, const struct ms_send *s,
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
		ch->kent = keys_add(m, s->queue, s->key);
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
		return change_limit(ch, over);
	rc = send_start(m, ch, s, q);
	if (rc != MS_PENDING)
		return change_not(ch, rc);
	store_submit(m->store, ch->op);
	return MS_PENDING;
}
