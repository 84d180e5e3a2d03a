/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Poison: requests whose delivery ends their consumer.
 *
 * A consumer is a session; it dies when its last connection ends.  What it had
 * been handed and has not answered by then is handed to its successor, which may
 * die of it, too, and so on.  So each death is charged to one request, and a
 * request that was charged limits.poison times is held.
 *
 * Which one?  Only the last answer that the consumer got counts, and only for
 * ten seconds: what it had before that it has survived.  Of the requests in this
 * answer that are still unanswered, that with the most charges so far; among
 * equals that with the lowest id.  The reason: a consumer that takes one request
 * after the other dies of the first one that it has not answered.  One that works
 * on many at a time dies of what came last, and that was alone in its answer.  At
 * the next start it gets everything in one answer; the request that was charged
 * already is among it, and is charged again.  The others are not.
 *
 * Somebody who takes messages and leaves without a word is a death, too: there is
 * no telling the difference.  Replies are not charged.  Charges are forgotten when
 * the broker ends, and when the request is released.
 */
#include "mswitch_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "xalloc.h"

#define SUSPECT_NS (10 * NS_PER_SEC)
#define MOST	   1024 /* requests of one answer that are remembered */

/* The requests of the last answer. */
struct batch {
	const struct client *client; /* whom it went to; not looked into */
	bool read; /* it has polled again since */
	pid_t pid;
	int64_t at_ns;
	size_t n, cap;
	struct pick *v; /* in order of id; each holds a ref of its queue */
};

static void
batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		queue_unref(b->v[i].q);
	b->n = 0;
}

/* The session is about to be freed. */
void
batch_free(void *ctx, struct session *s)
{
	(void)ctx;
	if (s->last == NULL)
		return;
	batch_clear(s->last);
	free(s->last->v);
	free(s->last);
	s->last = NULL;
}

/* A request is handed out. */
void
batch_note(struct mswitch *m, struct poll *p, struct queue *q, int64_t id)
{
	struct session *s = p->client->session;
	struct batch *b;

	if (s == NULL)
		return;
	if (s->last == NULL)
		s->last = xcalloc(1, sizeof *s->last);
	b = s->last;
	if (!p->noted) {
		p->noted = true;
		batch_clear(b);
		b->client = p->client;
		b->read = false;
		b->pid = p->client->pid;
		b->at_ns = m->now_ns;
	}
	if (b->n == MOST)
		return;
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 4;
		b->v = xreallocarray(b->v, b->cap, sizeof *b->v);
	}
	b->v[b->n++] = (struct pick){q, id};
	q->refs++;
}

/* It polls again, so its last answer has reached it. */
void
batch_read(const struct client *c)
{
	struct batch *b = c->session ? c->session->last : NULL;

	if (b != NULL && b->client == c)
		b->read = true;
}

/* The request, when it is this session's, and unanswered. */
static struct msg *
unanswered(
    const struct mswitch *m, const struct session *s, const struct pick *k)
{
	struct msg *msg = k->q->dead ? NULL : msgq_find(&k->q->q, k->id);

	if (msg == NULL || msg->held > 0 || msg->consumer != s->serial ||
	    (msg->flags & (MSG_ANSWERED | MSG_LEAVING | MSG_HOLDING)) ||
	    idmap_get(&m->answered, k->id) != 0)
		return NULL;
	return msg;
}

/* Charge it, and hold it when that was once too often. */
static void
charge(struct mswitch *m, const struct session *s, const struct pick *k,
    struct msg *msg)
{
	int64_t n = idmap_get(&m->strikes, k->id) + 1;
	char note[RING_MAX_PAYLOAD];

	if (!idmap_put(&m->strikes, k->id, n) || n < m->limits.poison)
		return;
	snprintf(note, sizeof note,
	    "its delivery ended its consumer %lld times, last %.*s (pid %d)",
	    (long long)n, (int)s->token.n, s->token.p, (int)s->last->pid);
	mark_hold(m, k->q, msg, STORE_HELD_POISON, note);
}

/* The last connection of a session has ended. */
void
batch_judge(struct mswitch *m, struct session *s)
{
	struct batch *b = s->last;
	const struct pick *worst = NULL;
	struct msg *msg, *its = NULL;
	int64_t most = -1, n;

	for (size_t i = 0; b != NULL && i < b->n; i++) {
		msg = unanswered(m, s, &b->v[i]);
		if (msg == NULL)
			continue;
		if ((msg->flags & MSG_REOFFERED) && !b->read) {
			msg_again(b->v[i].q, msg, true); /* it got lost */
			mswitch_dirty(m, b->v[i].q);
		}
		n = idmap_get(&m->strikes, msg->id);
		if (n > most) {
			most = n;
			worst = &b->v[i];
			its = msg;
		}
	}
	if (worst != NULL && m->limits.poison > 0 &&
	    m->now_ns - b->at_ns <= SUSPECT_NS)
		charge(m, s, worst, its);
	batch_free(NULL, s);
}
