/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Holding messages, letting them go, and offering them again.
 *
 * A consumer asks for what has an id above its cursor, and by the time that a
 * message is let go its cursor has long passed it.  The message keeps its id, as
 * its caller waits for the reply to that id; instead it is marked, and the next
 * poll of its queue gets it although its id is below the cursor.  `next` does not
 * go back for it: the consumer would get a second time what it works on.
 *
 * The mark is in memory.  A restart finds it in the recorder: a release that no
 * delivery has followed.
 */
#include "mswitch_int.h"

#include <stdlib.h>

#include "xalloc.h"

/* It is durable: note it, record it, and offer what was let go. */
static void
marked(struct mswitch *m, const struct change *ch, struct queue *q,
    struct msg *msg)
{
	struct ring_event e = {
	    .type = RING_HOLD, .queue = q->name, .id = msg->id, .pid = ch->pid};
	bool was = msg_is_held(msg);

	msg_hold(q, msg, ch->op[0].u.mark.held);
	if (ch->session != NULL)
		e.client = ch->session->token;
	e.text = ch->note;
	if (!msg_is_held(msg)) {
		e.type = RING_RELEASE;
		if (m->strikes.n > 0)
			idmap_del(&m->strikes, msg->id);
	}
	if (ch->requeue) {
		q->delivered -= msg->deliveries > 0;
		msg->deliveries = 0;
		e.text = STR("requeued");
	}
	msg_again(q, msg, !msg_is_held(msg) && (was || ch->requeue));
	ms_record_event(m, &e, (struct str){NULL, 0});
}

static void
mark_done(struct store_op *op)
{
	struct change *ch = change_of(op);
	struct mswitch *m = ch->m;
	struct queue *q =
	    mswitch_queue(m, (struct str){ch->copy, (size_t)ch->messages});
	struct msg *msg = q ? msgq_find(&q->q, op->u.mark.id) : NULL;

	if (msg != NULL) {
		if (op->u.mark.held > 0)
			msg->flags &= (uint8_t)~MSG_HOLDING;
		if (op->rc == STORE_OK)
			marked(m, ch, q, msg);
		mswitch_dirty(m, q);
	}
	change_end(ch, ms_from_store(op->rc));
}

/* Submit a mark; the note is copied. */
static void
submit(struct mswitch *m, struct change *ch, struct queue *q, struct msg *msg,
    int held, struct str note)
{
	struct str name = q->name;

	change_names(ch, &name, &note);
	ch->messages = (int64_t)name.n;
	ch->note = note;
	ch->op[0].kind = STORE_MARK;
	ch->op[0].u.mark.id = msg->id;
	ch->op[0].u.mark.held = held;
	ch->op[0].done = mark_done;
	if (held > 0)
		msg->flags |= MSG_HOLDING;
	store_submit(m->store, ch->op);
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
	/* a release of what is not held must not offer it again */
	if (held <= 0 && !msg_is_held(msg) && !(msg->flags & MSG_HOLDING))
		return change_not(ch, MS_OK);
	submit(m, ch, q, msg, held, none);
	return MS_PENDING;
}

/* Offer it again. */
enum ms_rc
mswitch_requeue(struct mswitch *m, struct change *ch, struct client *c,
    struct str queue, int64_t id)
{
	struct queue *q = mswitch_queue(m, queue);
	struct msg *msg = q ? msgq_find(&q->q, id) : NULL;
	struct str none = {NULL, 0};

	change_init(m, ch, c);
	if (q == NULL || msg == NULL)
		return change_not(ch, q ? MS_NO_MESSAGE : MS_NO_QUEUE);
	/* a request that has its reply is over */
	if (msg->flags & (MSG_LEAVING | MSG_ANSWERED))
		return change_not(ch, MS_HELD);
	ch->requeue = true;
	submit(m, ch, q, msg, STORE_RELEASED, none);
	return MS_PENDING;
}

/* ---- whole queues ---- */

static void
pause_done(struct store_op *op)
{
	struct change *ch = change_of(op);
	struct mswitch *m = ch->m;
	struct queue *q = mswitch_queue(m, op->u.pause.name);
	struct ring_event e = {.type = RING_RELEASE,
	    .queue = op->u.pause.name,
	    .pid = ch->pid,
	    .text = STR("resumed")};

	if (op->rc == STORE_OK && q != NULL) {
		q->paused = op->u.pause.paused;
		if (q->paused) {
			e.type = RING_HOLD;
			e.text = STR("paused");
		}
		if (ch->session != NULL)
			e.client = ch->session->token;
		ms_record_event(m, &e, (struct str){NULL, 0});
		mswitch_dirty(m, q);
	}
	change_end(ch, ms_from_store(op->rc));
}

/* Pause or resume. */
enum ms_rc
mswitch_pause(struct mswitch *m, struct change *ch, struct client *c,
    struct str queue, bool paused)
{
	struct queue *q = mswitch_queue(m, queue);
	struct str none = {NULL, 0};

	change_init(m, ch, c);
	if (q == NULL || q->ending)
		return change_not(ch, MS_NO_QUEUE);
	ch->op[0].kind = STORE_PAUSE;
	ch->op[0].done = pause_done;
	ch->op[0].u.pause.name = queue;
	ch->op[0].u.pause.paused = paused;
	change_names(ch, &ch->op[0].u.pause.name, &none);
	store_submit(m->store, ch->op);
	return MS_PENDING;
}

/* Nothing is written: the place on the disk is not to be trusted. */
void
mark_damaged(struct mswitch *m, struct queue *q, struct msg *msg)
{
	struct ring_event e = {.type = RING_HOLD,
	    .queue = q->name,
	    .id = msg->id,
	    .text = STR("damaged: it is not what was sent")};

	if (msg->held == STORE_HELD_DAMAGED)
		return;
	msg_hold(q, msg, STORE_HELD_DAMAGED);
	m->counters.damaged++;
	ms_record_event(m, &e, (struct str){NULL, 0});
}

/* The core's own hold; nobody waits for it. */
void
mark_hold(struct mswitch *m, struct queue *q, struct msg *msg, int held,
    const char *note)
{
	struct change *ch = xcalloc(1, sizeof *ch);

	ch->done = change_free;
	change_init(m, ch, NULL);
	submit(m, ch, q, msg, held, str_of(note));
}
