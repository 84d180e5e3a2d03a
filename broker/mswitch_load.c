/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Reading the index at start: queues, which requests have been answered, then
 * messages by the page (heads only, bodies stay in the store).  Sessions
 * of transient queues get their grace period.
 */
#include "mswitch_int.h"

#include <stdlib.h>

#include "xalloc.h"

#define PAGE 20000 /* messages read at a time */

struct load {
	struct store_op op; /* first member */
	struct mswitch *m;
	void (*done)(void *, bool);
	void *arg;
	struct idmap back; /* answered requests that were put back */
	bool no_memory; /* a row could not be taken in */
};

/* Submit the next read. */
static void
next(struct load *l, enum store_kind kind, void (*done)(struct store_op *))
{
	l->op.kind = kind;
	l->op.done = done;
	store_submit(l->m->store, &l->op);
	store_kick(l->m->store);
}

/* One event that tells of a message that is still there. */
static void
recall(struct queue *q, struct msg *msg, const struct ring_event *e)
{
	bool requeued = str_eq(e->text, STR("requeued"));

	if (e->type == RING_DELIVER) {
		q->delivered += msg->deliveries == 0;
		if (msg->deliveries < UINT16_MAX)
			msg->deliveries++;
	} else if (requeued) {
		q->delivered -= msg->deliveries > 0;
		msg->deliveries = 0;
	}
	/* let go, and nobody has had it since */
	msg_again(q, msg, e->type == RING_RELEASE && !msg_is_held(msg));
}

/* The recorder outlives a kill: it still knows what had been handed out. */
static void
recall_deliveries(struct mswitch *m)
{
	const struct ring *r = &m->trace->ring;
	struct ring_cursor at = ring_seek(r, ring_first(r));
	struct ring_event e;
	struct queue *q;
	struct msg *msg;

	while (ring_read(r, &at, &e)) {
		if ((e.type == RING_DELIVER || e.type == RING_RELEASE) &&
		    (q = mswitch_queue(m, e.queue)) != NULL &&
		    (msg = msgq_find(&q->q, e.id)) != NULL)
			recall(q, msg, &e);
	}
}

static void
finish(struct load *l, bool ok)
{
	struct mswitch *m = l->m;
	void (*done)(void *, bool) = l->done;
	void *arg = l->arg;

	m->loading = false;
	if (ok)
		recall_deliveries(m);
	idmap_fini(&l->back);
	free(l);
	done(arg, ok);
}

/* ---- answered requests ---- */

/* While loading, a negative value means: the request is still there.  A negative
 * id says that the request was put back: it is not over. */
static int
on_answer(struct store_op *op, int64_t re_id, int64_t id)
{
	struct load *l = (struct load *)op;

	l->no_memory = !idmap_put(&l->m->answered, re_id, id < 0 ? -id : id) ||
	    (id < 0 && !idmap_put(&l->back, re_id, 1));
	return l->no_memory;
}

static int
by_id(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Requests that are gone go to those whose answer is forgotten in time, the
 * oldest first. */
static void
settle_answers(struct mswitch *m)
{
	size_t n = m->answered.cap, gone = 0;
	int64_t *ids = xreallocarray(NULL, m->answered.n, sizeof *ids);

	for (size_t i = 0; i < n; i++) {
		struct idmap_ent *e = &m->answered.v[i];

		if (e->key == 0)
			continue;
		if (e->value < 0)
			e->value = -e->value;
		else
			ids[gone++] = e->key;
	}
	qsort(ids, gone, sizeof *ids, by_id);
	for (size_t i = 0; i < gone; i++)
		queue_note_answered(m, ids[i], 0);
	free(ids);
}

static void scan_done(struct store_op *op);
static int on_msg(struct store_op *op, const struct store_msg *sm);

static void
answers_done(struct store_op *op)
{
	struct load *l = (struct load *)op;

	if (op->rc != STORE_OK || l->no_memory) {
		finish(l, false);
		return;
	}
	memset(&op->u, 0, sizeof op->u);
	op->u.scan.heads = true;
	op->u.scan.max_msgs = PAGE;
	op->u.scan.row = on_msg;
	next(l, STORE_SCAN, scan_done);
}

/* ---- messages ---- */

static int
on_msg(struct store_op *op, const struct store_msg *sm)
{
	struct load *l = (struct load *)op;
	struct mswitch *m = l->m;
	struct queue *q = mswitch_queue(m, sm->queue);
	struct kent *k;
	struct msg *msg;
	int64_t reply;

	if (q == NULL)
		return 0; /* of a queue that was being destroyed */
	msg = queue_append(m, q, sm, NULL);
	reply = idmap_get(&m->answered, sm->id);
	if (reply > 0 && idmap_get(&l->back, sm->id) == 0 &&
	    idmap_put(&m->answered, sm->id, -reply)) {
		msg->flags |= MSG_ANSWERED;
		mswitch_ack_lazy(m, NULL, q, msg); /* it is over */
	}
	if (sm->key.n != 0) {
		k = keys_add(m, sm->queue, sm->key);
		k->id = sm->id;
	}
	return 0;
}

static void
scan_done(struct store_op *op)
{
	struct load *l = (struct load *)op;

	if (op->rc != STORE_OK || l->no_memory) {
		finish(l, false);
	} else if (op->u.scan.more) {
		op->u.scan.after = op->u.scan.upto;
		next(l, STORE_SCAN, scan_done);
	} else {
		settle_answers(l->m);
		finish(l, true);
	}
}

/* ---- queues ---- */

static int
on_queue(struct store_op *op, struct str name, struct str owner)
{
	struct mswitch *m = ((struct load *)op)->m;
	struct queue *q = queue_add(m, name, owner);

	q->paused = op->u.list.paused;
	if (q->owner != NULL)
		session_grace(&m->sessions, m->deadlines, q->owner,
		    m->now_ns + m->limits.grace_ns);
	return 0;
}

static void
list_done(struct store_op *op)
{
	struct load *l = (struct load *)op;

	if (op->rc != STORE_OK) {
		finish(l, false);
		return;
	}
	memset(&op->u, 0, sizeof op->u);
	op->u.answers.row = on_answer;
	next(l, STORE_ANSWERS, answers_done);
}

/* Begin. */
void
mswitch_load(struct mswitch *m, void (*done)(void *arg, bool ok), void *arg)
{
	struct load *l = xcalloc(1, sizeof *l);
	struct store_info info;

	store_info(m->store, &info);
	m->last_id = info.last_id;
	m->boot_first = info.boot_first;
	m->last_act = info.last_act;
	m->loading = true;
	l->m = m;
	l->done = done;
	l->arg = arg;
	l->op.u.list.row = on_queue;
	next(l, STORE_LIST, list_done);
}
