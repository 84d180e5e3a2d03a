/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Changes: what they share, and those of queues: create, destroy, the end of a
 * session. */
#include "mswitch_int.h"

#include <stdlib.h>

#include "clock.h"
#include "xalloc.h"

#define END_AGAIN_NS NS_PER_SEC /* a queue whose end was refused */

/* What the store's answer means to a client. */
enum ms_rc
ms_from_store(enum store_rc rc)
{
	switch (rc) {
	case STORE_OK: return MS_OK;
	case STORE_NO_QUEUE: return MS_NO_QUEUE;
	case STORE_FULL: return MS_FULL;
	case STORE_UNKNOWN: return MS_UNKNOWN;
	default: return MS_STORE;
	}
}

/* The change that an op is the first part of. */
struct change *
change_of(struct store_op *op)
{
	return (struct change *)op;
}

/* Start on a change. */
void
change_init(struct mswitch *m, struct change *ch, const struct client *c)
{
	void (*done)(struct change *) = ch->done;

	memset(ch, 0, sizeof *ch);
	ch->done = done;
	ch->m = m;
	ch->pid = c ? (uint32_t)c->pid : 0;
	ch->by = c;
	ch->session = c ? c->session : NULL;
	if (ch->session != NULL)
		ch->session->nclients++; /* it must not go before the change */
}

/* Give back what the change held, then tell its owner. */
void
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
enum ms_rc
change_not(struct change *ch, enum ms_rc rc)
{
	if (ch->session != NULL)
		session_detach(&ch->m->sessions, ch->session);
	ch->session = NULL;
	return rc;
}

enum ms_rc
change_limit(struct change *ch, const char *name)
{
	ch->m->counters.refused++;
	ch->limit = name;
	ms_record(ch->m, RING_REFUSE, ch->session, ch->pid, str_of(name), 0);
	return change_not(ch, MS_LIMIT);
}

/* A private copy of two names, which must outlive the request's buffer. */
void
change_names(struct change *ch, struct str *a, struct str *b)
{
	ch->copy = xmalloc(a->n + b->n + 1);
	if (a->n != 0)
		memcpy(ch->copy, a->p, a->n);
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
			ms_record_event(m, &e, (struct str){NULL, 0});
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
		return change_limit(ch, "queues");
	if (transient) {
		owner = c->session->token;
		if ((int64_t)c->session->nqueues + c->session->creating >=
		    m->limits.session_transient)
			return change_limit(ch, "session_transient");
		c->session->creating++;
	}
	m->creating++;
	change_names(ch, &name, &owner);
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
	struct queue *q = ch->q;

	q->ending = false;
	if (op->rc == STORE_OK) {
		ms_record(
		    ch->m, RING_DESTROY, ch->session, ch->pid, q->name, 0);
		ch->m->counters.destroyed++;
		queue_remove(ch->m, q);
	} else if (q->owner != NULL && ch->m->sessions.ended != NULL)
		session_grace(&ch->m->sessions, ch->m->deadlines, q->owner,
		    ch->m->now_ns + END_AGAIN_NS);
	queue_unref(q);
	change_end(ch, ms_from_store(op->rc));
}

/* The end of the queue was under way already: what came of it? */
static void
destroyed(struct store_op *op)
{
	struct change *ch = change_of(op);
	enum ms_rc rc = ch->q->dead ? MS_OK : MS_STORE;

	queue_unref(ch->q);
	change_end(ch, rc);
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
mswitch_destroy(
    struct mswitch *m, struct change *ch, struct client *c, struct str name)
{
	struct queue *q = mswitch_queue(m, name);
	struct str none = {NULL, 0};

	change_init(m, ch, c);
	if (q == NULL)
		return change_not(ch, MS_OK);
	change_names(ch, &name, &none);
	ch->q = q;
	q->refs++;
	ch->op[0].u.destroy.name = name;
	ch->op[0].done = q->ending ? destroyed : destroy_done;
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

/* The `done` of a change that nobody waits for and that owns itself. */
void
change_free(struct change *ch)
{
	free(ch);
}

/* Its last connection is gone: so are its transient queues. */
void
ms_session_ended(void *ctx, struct session *s)
{
	struct mswitch *m = ctx;
	struct queue *q, *next;
	struct change *ch;

	ms_record(m, RING_LOGOUT, s, 0, (struct str){NULL, 0}, 0);
	batch_judge(m, s);
	if (s->nqueues == 0)
		return;
	HASH_ITER (hh, m->queues, q, next) {
		if (q->owner != s || q->ending)
			continue;
		ch = xcalloc(1, sizeof *ch);
		ch->done = change_free;
		if (mswitch_destroy(m, ch, NULL, q->name) != MS_PENDING)
			free(ch);
	}
}
