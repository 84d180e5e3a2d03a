/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Ending a message by hand: it leaves its queue, and its caller, if one waits,
 * gets a failure instead of the reply, in one transaction.  What is removed by
 * hand is kept for a while and can be put back.
 *
 * A request that was cancelled has had its one reply, the failure.  When it is
 * put back it is worked on again, but its reply is a second one and is not
 * enqueued.
 */
#include "mswitch_int.h"

/* The queue that a failure for this message goes to; NULL: nobody waits. */
static struct queue *
waits(const struct mswitch *m, const struct msg *msg, struct str reply_to)
{
	struct queue *rq;

	if ((msg->flags & (MSG_REPLY | MSG_ANSWERED)) ||
	    idmap_get(&m->answered, msg->id) > 0)
		return NULL;
	rq = mswitch_queue(m, reply_to);
	return rq == NULL || rq->ending ? NULL : rq;
}

/* The failure, and the end of the request with it. */
static enum ms_rc
fail_caller(struct mswitch *m, struct change *ch, const struct ms_cancel *k,
    struct queue *rq)
{
	struct ms_send s = {.queue = rq->name,
	    .payload = k->failure,
	    .re_queue = k->queue,
	    .re_id = k->id,
	    .is_reply = true};
	enum ms_rc rc = send_start(m, ch, &s, rq);

	if (rc != MS_PENDING)
		return rc;
	ch->op[0].flags = STORE_LINK;
	ch->op[0].link = &ch->op[1];
	ch->op[1].done = send_linked_done;
	return MS_PENDING;
}

/* The next act. */
int64_t
mswitch_act(struct mswitch *m)
{
	return ++m->last_act;
}

/* Fill the op that removes and keeps a message, and mark it. */
static void
remove_fill(struct mswitch *m, struct store_op *op, struct queue *q,
    struct msg *msg, const struct ms_cancel *k)
{
	ack_fill(op, q, msg);
	op->kind = STORE_REMOVE;
	op->u.remove.act = k->act;
	op->u.remove.why = k->why;
	op->u.remove.gone_ns = m->wall_ns;
	op->u.remove.by = k->note;
}

/* Cancel. */
enum ms_rc
mswitch_cancel(struct mswitch *m, struct change *ch, struct client *c,
    const struct ms_cancel *k)
{
	struct queue *q = mswitch_queue(m, k->queue), *rq;
	struct msg *msg = q ? msgq_find(&q->q, k->id) : NULL;
	struct store_op *op = &ch->op[0];
	struct str none = {NULL, 0};
	enum ms_rc rc;

	change_init(m, ch, c);
	if (msg == NULL)
		return change_not(ch, q ? MS_NO_MESSAGE : MS_NO_QUEUE);
	/* it is leaving, or a reply to it is on its way to the disk */
	if ((msg->flags & MSG_LEAVING) || idmap_get(&m->answered, k->id) < 0)
		return change_not(ch, MS_HELD);
	ch->note = k->note;
	ch->cancels = true;
	rq = waits(m, msg, k->reply_to);
	if (rq != NULL) {
		rc = fail_caller(m, ch, k, rq);
		if (rc != MS_PENDING)
			return change_not(ch, rc);
		op = &ch->op[1];
	} else {
		op->done = ack_done;
	}
	remove_fill(m, op, q, msg, k);
	change_names(ch, &op->u.remove.queue, &none);
	ch->found = true;
	store_submit(m->store, ch->op);
	return MS_PENDING;
}

/* Remove. */
enum ms_rc
mswitch_delete(struct mswitch *m, struct change *ch, struct client *c,
    struct str queue, int64_t id, struct str note)
{
	struct queue *q = mswitch_queue(m, queue);
	struct msg *msg = q ? msgq_find(&q->q, id) : NULL;
	struct ms_cancel k = {.note = note, .why = STORE_DELETED};
	struct str none = {NULL, 0};

	/* what is over need not be kept */
	if (msg == NULL || (msg->flags & (MSG_LEAVING | MSG_ANSWERED)))
		return mswitch_ack(m, ch, c, queue, id);
	change_init(m, ch, c);
	k.act = mswitch_act(m);
	ch->note = note;
	ch->op[0].done = ack_done;
	remove_fill(m, &ch->op[0], q, msg, &k);
	change_names(ch, &ch->op[0].u.remove.queue, &none);
	ch->found = true;
	store_submit(m->store, ch->op);
	return MS_PENDING;
}

/* ---- putting back ---- */

/* It is durable: it is in the queue again, and is offered. */
static void
put_back(struct mswitch *m, struct change *ch, struct queue *q,
    const struct store_op *op)
{
	struct msg *msg = queue_put_back(m, q, op);
	struct ring_event e = {.type = RING_RELEASE,
	    .queue = q->name,
	    .id = op->u.restore.id,
	    .pid = ch->pid,
	    .text = STR("restored")};

	msg_again(q, msg, !msg_is_held(msg));
	if (ch->session != NULL)
		e.client = ch->session->token;
	ms_record_event(m, &e, (struct str){NULL, 0});
	mswitch_dirty(m, q);
}

static void
restore_done(struct store_op *op)
{
	struct change *ch = change_of(op);
	struct queue *q = mswitch_queue(ch->m, op->u.restore.queue);
	enum ms_rc rc = ms_from_store(op->rc);

	ch->found = rc == MS_OK && op->u.restore.found;
	if (ch->found && q != NULL)
		put_back(ch->m, ch, q, op);
	change_end(ch, rc);
}

/* Put back. */
enum ms_rc
mswitch_restore(struct mswitch *m, struct change *ch, struct client *c,
    struct str queue, int64_t id)
{
	struct queue *q = mswitch_queue(m, queue);
	struct str none = {NULL, 0};

	change_init(m, ch, c);
	if (q == NULL || q->ending)
		return change_not(ch, MS_NO_QUEUE);
	ch->op[0].kind = STORE_RESTORE;
	ch->op[0].done = restore_done;
	ch->op[0].u.restore.queue = queue;
	ch->op[0].u.restore.id = id;
	change_names(ch, &ch->op[0].u.restore.queue, &none);
	store_submit(m->store, ch->op);
	return MS_PENDING;
}

/* Read. */
void
mswitch_removed(struct mswitch *m, struct store_op *op)
{
	op->kind = STORE_REMOVED;
	store_submit(m->store, op);
}
