/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Taking messages out, with or without an answer. */
#include "mswitch_int.h"

#include <stdlib.h>

#include "xalloc.h"

/* Who cancelled it, why, and what its caller was told. */
static void
record_cancel(struct mswitch *m, const struct change *ch, const struct queue *q,
    int64_t id)
{
	struct ring_event e = {
	    .type = RING_CANCEL,
	    .pid = ch->pid,
	    .queue = q->name,
	    .id = id,
	    .peer = ch->queue_name,
	    .re_id = ch->id,
	    .text = ch->note,
	};

	if (ch->session != NULL)
		e.client = ch->session->token;
	ms_record_event(m, &e, (struct str){NULL, 0});
}

/* An acknowledgement is durable, or failed: the message leaves, or is back. */
void
ack_finish(
    struct mswitch *m, struct change *ch, struct str queue, int64_t id, bool ok)
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
	if (ch->cancels) {
		record_cancel(m, ch, q, id);
		m->counters.cancelled++;
	} else {
		ms_record(m, RING_ACK, ch->session, ch->pid, q->name, id);
		m->counters.acked++;
	}
	q->out++;
	rate_add(&q->out_rate, m->now_ns);
	queue_drop_msg(m, q, id);
}

static bool
is_there(const struct mswitch *m, struct str queue, int64_t id)
{
	struct queue *q = mswitch_queue(m, queue);

	return q != NULL && msgq_find(&q->q, id) != NULL;
}

/* The op of an acknowledgement alone is done. */
void
ack_done(struct store_op *op)
{
	struct change *ch = change_of(op);

	enum ms_rc rc = ms_from_store(op->rc);

	if (op->kind != STORE_BARRIER)
		ack_finish(ch->m, ch, op->u.ack.queue, op->u.ack.id,
		    op->rc == STORE_OK);
	else if (is_there(ch->m, op->u.ack.queue, op->u.ack.id))
		rc = MS_STORE; /* the one it waited for was refused */
	if (ch->answer_to != 0)
		ch->id = idmap_get(&ch->m->answered, ch->answer_to);
	change_end(ch, rc);
}

/* Fill the op of an acknowledgement and mark the message. */
void
ack_fill(struct store_op *op, struct queue *q, struct msg *msg)
{
	op->u.ack.queue = q->name;
	op->u.ack.id = msg->id;
	op->kind = STORE_ACK;
	msg->flags |= MSG_LEAVING;
}

/* Acknowledge a request that has its reply: the reply's commit has made it
 * durable (invariant 7), the removal may take its time. */
void
mswitch_ack_lazy(
    struct mswitch *m, struct client *c, struct queue *q, struct msg *msg)
{
	struct change *ch = xcalloc(1, sizeof *ch);
	struct str none = {NULL, 0};

	ch->done = change_free;
	change_init(m, ch, c);
	ch->lazy = true;
	ch->op[0].done = ack_done;
	ch->op[0].flags = STORE_LAZY;
	ack_fill(&ch->op[0], q, msg);
	change_names(ch, &ch->op[0].u.ack.queue, &none);
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
	if (msg->flags & MSG_LEAVING) {
		ch->op[0].kind = STORE_BARRIER;
		ch->op[0].u.ack.queue = q->name;
		ch->op[0].u.ack.id = id;
	} else {
		ack_fill(&ch->op[0], q, msg);
		/* a caller that has its reply goes on with its next call */
		if (msg->flags & MSG_REPLY)
			ch->op[0].flags = STORE_SOFT;
	}
	change_names(ch, &ch->op[0].u.ack.queue, &none);
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
	struct ms_send s = {.queue = reply_to,
	    .payload = payload,
	    .re_queue = queue,
	    .re_id = id,
	    .is_reply = true};
	struct str none = {NULL, 0};
	enum ms_rc rc;

	if (msg == NULL) {
		int64_t first = idmap_get(&m->answered, id);
		change_init(m, ch, c);
		ch->id = first > 0 ? first : 0;
		ch->duplicate = first > 0;
		return change_not(ch,
		    q == NULL	    ? MS_NO_QUEUE
			: first > 0 ? MS_OK
				    : MS_NO_MESSAGE);
	}
	if (msg->flags & (MSG_LEAVING | MSG_ANSWERED)) {
		/* answered already: only the acknowledgement is left */
		bool had = (msg->flags & MSG_ANSWERED) != 0;
		rc = mswitch_ack(m, ch, c, queue, id);
		ch->duplicate = had;
		ch->answer_to = id;
		if (rc == MS_OK)
			ch->id = idmap_get(&m->answered, id);
		return rc;
	}
	if (m->limits.one_reply && idmap_get(&m->answered, id) > 0) {
		/* it had its reply, was removed, and was put back */
		rc = mswitch_ack(m, ch, c, queue, id);
		ch->duplicate = true;
		ch->answer_to = id;
		return rc;
	}
	change_init(m, ch, c);
	if (rq == NULL || rq->ending)
		return change_not(ch, MS_NO_REPLY_QUEUE);
	if (m->limits.one_reply && idmap_get(&m->answered, id) < 0) {
		ch->answer_to = id; /* a reply is on its way */
		return send_wait(m, ch, none);
	}
	rc = send_start(m, ch, &s, rq);
	if (rc != MS_PENDING)
		return change_not(ch, rc);
	ack_fill(&ch->op[1], q, msg);
	change_names(ch, &ch->op[1].u.ack.queue, &none);
	ch->op[1].done = send_linked_done;
	ch->op[0].flags = STORE_LINK;
	ch->op[0].link = &ch->op[1];
	ch->found = true;
	store_submit(m->store, ch->op);
	return MS_PENDING;
}
