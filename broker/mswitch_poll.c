/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Who gets what: transfers, parked or answered at once, and looking at messages
 * without taking them.
 *
 * An answer is picked from the index: the messages above the cursor, of all the
 * queues asked for, merged by id, as many as fit.  When all their bodies are in
 * memory it is given at once.  Otherwise the missing ones are read from the
 * store, and the answer is given when they are there; a message that has gone
 * meanwhile is left out.
 */
#include "mswitch_int.h"

#include <stdlib.h>

#include "clock.h"
#include "xalloc.h"

#define MOST_PICKS 8192 /* messages in one answer */

/* ---- picking ---- */

/* May this message be handed out? */
static bool
ready(const struct msg *msg)
{
	return msg->held <= 0 && !(msg->flags & (MSG_LEAVING | MSG_HOLDING));
}

/* May it be handed out to a cursor at `from`? */
static bool
offered(const struct msg *msg, int64_t from)
{
	return ready(msg) && (msg->id > from || (msg->flags & MSG_AGAIN));
}

/* Note one message for the answer; false when memory ran out. */
static bool
pick(struct poll *p, struct queue *q, int64_t id)
{
	struct pick *v;
	size_t cap;

	if (p->npicks == p->cap) {
		cap = p->cap ? p->cap * 4 : 8;
		v = reallocarray(p->picks, cap, sizeof *v);
		if (v == NULL)
			return false;
		p->picks = v;
		p->cap = cap;
	}
	p->picks[p->npicks++] = (struct pick){q, id};
	q->refs++;
	return true;
}

/* One queue of a merge. */
struct source {
	struct queue *q;
	struct msgq_cursor at;
	struct msg *msg; /* the next one, NULL: no more */
};

/* Step to the next message that may be given. */
static void
source_next(struct source *s, const struct poll *p)
{
	do
		s->msg = msgq_next(&s->q->q, &s->at);
	while (s->msg != NULL &&
	    !(p->look ? p->want == NULL || p->want(p, s->msg)
		      : offered(s->msg, p->from)));
}

/* The source with the smallest id, or NULL. */
static struct source *
smallest(struct source *s, size_t n)
{
	struct source *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (s[i].msg != NULL &&
		    (best == NULL || s[i].msg->id < best->msg->id))
			best = &s[i];
	return best;
}

/* Pick from the sources in order of id until `most` or the limit of bytes. */
static bool
merge(
    struct mswitch *m, struct poll *p, struct source *s, size_t n, size_t most)
{
	int64_t bytes = 0, last = INT64_MIN;
	int64_t room = m->limits.transfer_bytes;
	struct source *best;

	if (p->most_bytes > 0 && p->most_bytes < room)
		room = p->most_bytes;

	while (p->npicks < most && (best = smallest(s, n)) != NULL) {
		bytes += best->msg->size;
		if (p->npicks > 0 && bytes > room)
			break;
		if (best->msg->id != last && /* a name may stand twice */
		    !pick(p, best->q, best->msg->id))
			return false;
		last = best->msg->id;
		source_next(best, p);
	}
	return true;
}

/* Pick for a transfer, from the names that its client waits on. */
static bool
pick_transfer(struct mswitch *m, struct poll *p)
{
	const struct waiter *w = &p->client->waiter;
	struct source few[8], *s = few;
	size_t n = 0;
	bool ok;

	if (w->n > 8 && (s = reallocarray(NULL, w->n, sizeof *s)) == NULL)
		return false;
	for (size_t i = 0; i < w->n; i++) {
		struct queue *q = mswitch_queue(m, w->links[i].name->name);

		if (q == NULL)
			continue;
		q->last_poll_ns = m->now_ns;
		if (q->q.n == 0 || q->paused)
			continue;
		s[n].q = q;
		s[n].at = msgq_seek(&q->q, q->again > 0 ? INT64_MIN : p->from);
		source_next(&s[n], p);
		n += s[n].msg != NULL;
	}
	ok = merge(m, p, s, n, MOST_PICKS);
	if (s != few)
		free(s);
	return ok;
}

/* ---- giving ---- */

/* Write down that it was handed out. */
static void
delivered(struct mswitch *m, struct poll *p, struct queue *q, struct msg *msg,
    const struct store_msg *sm)
{
	struct ring_event e = {
	    .type = RING_DELIVER,
	    .wall_ns = m->wall_ns,
	    .client = client_token(p->client),
	    .pid = (uint32_t)p->client->pid,
	    .queue = q->name,
	    .id = msg->id,
	    .re_id = sm->re_id,
	    .size = msg->size,
	    .dur_ns = m->wall_ns - sm->at_ns,
	};

	q->delivered += msg->deliveries == 0;
	if (msg->deliveries < UINT16_MAX)
		msg->deliveries++;
	msg->consumer = p->client->session ? p->client->session->serial : 0;
	m->counters.delivered++;
	msg->flags &= (uint8_t)~MSG_REOFFERED;
	if ((msg->flags & MSG_AGAIN) && msg->id <= p->from)
		msg->flags |= MSG_REOFFERED;
	msg_again(q, msg, false);
	if (!(msg->flags & MSG_REPLY))
		batch_note(m, p, q, msg->id);
	if (e.dur_ns < 0)
		e.dur_ns = 0; /* the wall clock was set back */
	trace_put(m->trace, &e, (struct str){NULL, 0});
}

/* Give one message, when it is still there. */
static void
give(struct mswitch *m, struct poll *p, const struct pick *k,
    const struct store_msg *row)
{
	struct msg *msg = k->q->dead ? NULL : msgq_find(&k->q->q, k->id);
	struct store_msg sm;

	if (msg == NULL || (!p->look && !offered(msg, p->from)))
		return;
	if (row != NULL && row->damaged) {
		mark_damaged(m, k->q, msg);
		sm = (struct store_msg){.id = k->id,
		    .at_ns = (int64_t)msg->at_s * NS_PER_SEC,
		    .uid = -1,
		    .payload = STR("")};
		if (!p->look)
			return;
	} else if (row != NULL) {
		sm = *row;
	} else if (msg->body != NULL) {
		const struct body *b = msg->body;
		sm = (struct store_msg){.id = k->id,
		    .at_ns = b->at_ns,
		    .origin = body_origin(b),
		    .key = body_key(b),
		    .uid = b->uid,
		    .pid = b->pid,
		    .comm = body_comm(b),
		    .payload = body_payload(b),
		    .re_id = b->re_id};
		if (msg->flags & MSG_REPLY)
			sm.re_queue = body_re_queue(b);
		else
			sm.reply_to = body_reply_to(b);
	} else {
		return; /* could not be read: it stays for the next poll */
	}
	sm.queue = k->q->name;
	if (!p->look)
		delivered(m, p, k->q, msg, &sm);
	if (p->client->poll == p)
		p->message(p, &sm, msg);
	if (k->id > p->next)
		p->next = k->id; /* what is offered again may be below it */
}

/* Let go of what was picked. */
static void
drop_picks(struct poll *p)
{
	for (size_t i = 0; i < p->npicks; i++)
		queue_unref(p->picks[i].q);
	free(p->picks);
	free(p->ids);
	p->picks = NULL;
	p->ids = NULL;
	p->npicks = p->cap = p->nids = p->at = 0;
}

/* The cursor has moved on over messages of a paused queue that the poll named,
 * too: they are to be offered whatever the cursor, later. */
static void
passed_over(struct poll *p)
{
	const struct waiter *w = &p->client->waiter;
	struct msgq_cursor at;
	struct msg *msg;

	for (size_t i = 0; i < w->n && w->n > 1; i++) {
		struct queue *q = mswitch_queue(p->m, w->links[i].name->name);

		if (q == NULL || !q->paused)
			continue;
		at = msgq_seek(&q->q, p->from);
		while (
		    (msg = msgq_next(&q->q, &at)) != NULL && msg->id < p->next)
			if (msg->held <= 0)
				msg_again(q, msg, true);
	}
}

/* The poll is over. */
static void
end(struct poll *p, enum ms_rc rc)
{
	drop_picks(p);
	if (!p->look && p->next > p->from)
		passed_over(p);
	p->client->poll = NULL;
	p->done(p, p->next, rc);
}

/* Messages on their way from the store. */
struct fetch {
	struct store_op op; /* first member */
	struct poll *p;
};

/* A row that was missing: first give those before it. */
static int
on_row(struct store_op *op, const struct store_msg *row)
{
	struct poll *p = ((struct fetch *)op)->p;

	if (p->orphan)
		return 1;
	while (p->at < p->npicks && p->picks[p->at].id < row->id)
		give(p->m, p, &p->picks[p->at++], NULL);
	if (p->at < p->npicks && p->picks[p->at].id == row->id)
		give(p->m, p, &p->picks[p->at++], row);
	return 0;
}

static void
fetch_done(struct store_op *op)
{
	struct poll *p = ((struct fetch *)op)->p;
	enum store_rc rc = op->rc;

	free(op);
	p->fetching = false;
	if (p->orphan) {
		drop_picks(p);
		p->done(p, p->next, MS_STORE);
		return;
	}
	/* after a failure nothing: what could not be read must not be passed
	 * over */
	while (rc == STORE_OK && p->at < p->npicks)
		give(p->m, p, &p->picks[p->at++], NULL);
	end(p, rc == STORE_OK ? MS_OK : MS_STORE);
}

/* Read what is not in memory. */
static enum ms_rc
fetch(struct mswitch *m, struct poll *p)
{
	struct fetch *f = xcalloc(1, sizeof *f);

	f->p = p;
	f->op.kind = STORE_GET;
	f->op.done = fetch_done;
	f->op.u.get.ids = p->ids;
	f->op.u.get.n = (uint32_t)p->nids;
	f->op.u.get.row = on_row;
	p->fetching = true;
	store_submit(m->store, &f->op);
	return MS_PENDING;
}

/* Answer from what was picked, at once when it is all in memory. */
static enum ms_rc
answer(struct mswitch *m, struct poll *p)
{
	struct msg *msg;

	for (size_t i = 0; i < p->npicks; i++) {
		msg = msgq_find(&p->picks[i].q->q, p->picks[i].id);
		if (msg->body != NULL)
			continue;
		if (p->ids == NULL)
			p->ids = reallocarray(NULL, p->npicks, sizeof *p->ids);
		if (p->ids == NULL) {
			end(p, MS_NO_MEMORY);
			return MS_OK;
		}
		p->ids[p->nids++] = p->picks[i].id;
	}
	if (p->nids > 0)
		return fetch(m, p);
	for (size_t i = 0; i < p->npicks; i++)
		give(m, p, &p->picks[i], NULL);
	end(p, MS_OK);
	return MS_OK;
}

/* ---- transfers ---- */

static void
poll_init(struct mswitch *m, struct poll *p)
{
	p->m = m;
	p->picks = NULL;
	p->ids = NULL;
	p->npicks = p->cap = p->nids = p->at = 0;
	p->fetching = p->orphan = p->noted = false;
	p->next = p->from;
	p->client->poll = p;
}

/* Time is up: an empty answer. */
static void
expired(struct deadline *d, int64_t now)
{
	struct waiter *w =
	    (struct waiter *)((char *)d - offsetof(struct waiter, deadline));
	struct client *c =
	    (struct client *)((char *)w - offsetof(struct client, waiter));
	struct poll *p = c->poll;

	(void)now;
	waiter_unpark(&p->m->waiters, p->m->deadlines, w);
	end(p, MS_OK);
}

/* Transfer. */
enum ms_rc
mswitch_poll(struct mswitch *m, struct poll *p, const struct str *names,
    size_t n, int64_t until_ns)
{
	struct waiter *w = &p->client->waiter;

	/* a cursor above every id ever given is from another life */
	if (p->from > m->last_id)
		p->from = -1;
	poll_init(m, p);
	batch_read(p->client);
	m->counters.polls++;
	if (!waiter_names(&m->waiters, w, names, n) || !pick_transfer(m, p)) {
		end(p, MS_NO_MEMORY);
		return MS_OK;
	}
	if (p->npicks > 0)
		return answer(m, p);
	if (until_ns <= m->now_ns) {
		end(p, MS_OK);
		return MS_OK;
	}
	w->deadline.fn = expired;
	waiter_park(&m->waiters, m->deadlines, w, until_ns);
	return MS_PENDING;
}

/* Something new for a parked poll. */
static void
wake(void *arg, struct waiter *w)
{
	struct mswitch *m = arg;
	struct client *c =
	    (struct client *)((char *)w - offsetof(struct client, waiter));
	struct poll *p = c->poll;

	if (!pick_transfer(m, p)) {
		waiter_unpark(&m->waiters, m->deadlines, w);
		end(p, MS_NO_MEMORY);
		return;
	}
	if (p->npicks == 0)
		return;
	waiter_unpark(&m->waiters, m->deadlines, w);
	(void)answer(m, p); /* tells by done either way */
}

/* Hand new messages to those who wait. */
void
mswitch_turn(struct mswitch *m)
{
	struct queue *q;

	while ((q = m->dirty) != NULL) {
		m->dirty = q->next_dirty;
		q->dirty = false;
		waiters_wake(&m->waiters, q->name, wake, m);
	}
	trace_turn(m->trace, m->now_ns);
}

/* ---- looking ---- */

/* Messages of one queue. */
enum ms_rc
mswitch_look(struct mswitch *m, struct poll *p, struct str queue, size_t most)
{
	struct queue *q = mswitch_queue(m, queue);
	struct source s;

	if (q == NULL)
		return MS_NO_QUEUE;
	p->look = true;
	poll_init(m, p);
	s.q = q;
	s.at = msgq_seek(&q->q, p->from);
	source_next(&s, p);
	if (!merge(m, p, &s, 1, most)) {
		end(p, MS_NO_MEMORY);
		return MS_OK;
	}
	return answer(m, p);
}

static int
by_id(const void *a, const void *b)
{
	const struct pick *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The newest few of every queue. */
enum ms_rc
mswitch_look_all(struct mswitch *m, struct poll *p, size_t most)
{
	struct queue *q, *next;
	struct msg *msg;
	bool ok = true;

	p->look = true;
	poll_init(m, p);
	HASH_ITER (hh, m->queues, q, next) {
		struct msgq_cursor at = msgq_seek(&q->q, INT64_MIN);
		size_t skip = q->q.n > most ? q->q.n - most : 0;

		while (ok && (msg = msgq_next(&q->q, &at)) != NULL) {
			if (skip > 0)
				skip--;
			else if (p->npicks < MOST_PICKS)
				ok = pick(p, q, msg->id);
		}
	}
	if (!ok) {
		end(p, MS_NO_MEMORY);
		return MS_OK;
	}
	if (p->npicks > 1)
		qsort(p->picks, p->npicks, sizeof *p->picks, by_id);
	return answer(m, p);
}

/* The client goes away in the middle.  done() still comes when the store is
 * reading for it, with MS_STORE. */
void
poll_cancel(struct mswitch *m, struct poll *p)
{
	waiter_unpark(&m->waiters, m->deadlines, &p->client->waiter);
	p->client->poll = NULL;
	if (p->fetching)
		p->orphan = true;
	else
		drop_picks(p);
}
