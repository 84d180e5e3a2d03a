/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Ending a message by hand: it leaves its queue, and its caller, if one waits,
 * gets a failure instead of the reply, in one transaction. */
#include "mswitch_int.h"

/* The queue that a failure for this message goes to; NULL: nobody waits. */
static struct queue *
waits(const struct mswitch *m, const struct msg *msg, struct str reply_to)
{
	struct queue *rq;

	if (msg->flags & (MSG_REPLY | MSG_ANSWERED))
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
	rq = waits(m, msg, k->reply_to);
	if (rq != NULL) {
		rc = fail_caller(m, ch, k, rq);
		if (rc != MS_PENDING)
			return change_not(ch, rc);
		op = &ch->op[1];
	} else {
		op->done = ack_done;
	}
	ack_fill(op, q, msg);
	change_names(ch, &op->u.ack.queue, &none);
	ch->found = true;
	store_submit(m->store, ch->op);
	return MS_PENDING;
}
