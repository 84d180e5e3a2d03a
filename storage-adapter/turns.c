/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Two levels of rings: queues, and SRs in each.  An SR is in its queue's ring
 * while it has somebody waiting, a queue is in the ring of queues while one of
 * its SRs is.  Taking a turn moves to the end.
 */
#include "turns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "map.h"
#include "xalloc.h"

struct turns_queue;

struct turns_sr {
	UT_hash_handle hh;
	char *name;
	struct turns_queue *q;
	struct turns_item *first, **last; /* waiting */
	unsigned waiting, running;
	TAILQ_ENTRY(turns_sr) ring; /* while waiting > 0 */
};

struct turns_queue {
	UT_hash_handle hh;
	char *name;
	struct turns_sr *srs; /* by name */
	TAILQ_HEAD(sr_ring, turns_sr) ring;
	unsigned waiting, running;
	TAILQ_ENTRY(turns_queue) entry; /* while waiting > 0 */
};

struct turns {
	struct turns_limits l;
	struct turns_queue *queues; /* by name */
	TAILQ_HEAD(queue_ring, turns_queue) ring;
	unsigned waiting, running;
};

struct turns *
turns_new(const struct turns_limits *l)
{
	struct turns *s = xcalloc(1, sizeof *s);

	s->l = *l;
	TAILQ_INIT(&s->ring);
	return s;
}

/* Free an SR nobody is in, and its queue when it was the last. */
static void
drop(struct turns *s, struct turns_sr *sr)
{
	struct turns_queue *q = sr->q;

	q->srs = map_del(q->srs, sr);
	free(sr->name);
	free(sr);
	if (q->srs != NULL)
		return;
	s->queues = map_del(s->queues, q);
	free(q->name);
	free(q);
}

void
turns_free(struct turns *s)
{
	if (s == NULL)
		return;
	while (s->queues != NULL)
		drop(s, s->queues->srs);
	free(s);
}

void
turns_set_limits(struct turns *s, const struct turns_limits *l)
{
	s->l = *l;
}

static struct turns_queue *
queue_of(struct turns *s, const char *name)
{
	struct turns_queue *q = map_find(s->queues, name, strlen(name));

	if (q != NULL)
		return q;
	q = xcalloc(1, sizeof *q);
	q->name = xstrdup(name);
	TAILQ_INIT(&q->ring);
	s->queues = map_add(s->queues, q, q->name, strlen(q->name));
	return q;
}

static struct turns_sr *
sr_of(struct turns_queue *q, const char *name)
{
	struct turns_sr *sr = map_find(q->srs, name, strlen(name));

	if (sr != NULL)
		return sr;
	sr = xcalloc(1, sizeof *sr);
	sr->name = xstrdup(name);
	sr->q = q;
	sr->last = &sr->first;
	q->srs = map_add(q->srs, sr, sr->name, strlen(sr->name));
	return sr;
}

void
turns_add(
    struct turns *s, struct turns_item *i, const char *queue, const char *name)
{
	struct turns_queue *q = queue_of(s, queue);
	struct turns_sr *sr = sr_of(q, name);

	assert(i->sr == NULL);
	i->sr = sr;
	i->next = NULL;
	i->running = false;
	*sr->last = i;
	sr->last = &i->next;
	if (sr->waiting++ == 0)
		TAILQ_INSERT_TAIL(&q->ring, sr, ring);
	if (q->waiting++ == 0)
		TAILQ_INSERT_TAIL(&s->ring, q, entry);
	s->waiting++;
}

/* One fewer waits in sr. */
static void
waits_no_more(struct turns *s, struct turns_sr *sr)
{
	struct turns_queue *q = sr->q;

	s->waiting--;
	if (--sr->waiting == 0)
		TAILQ_REMOVE(&q->ring, sr, ring);
	if (--q->waiting == 0)
		TAILQ_REMOVE(&s->ring, q, entry);
}

/* May sr begin another one? */
static bool
may(const struct turns *s, const struct turns_sr *sr)
{
	if (s->l.serial)
		return sr->q->running == 0;
	if (s->running >= s->l.total)
		return false;
	return sr->running == 0 ||
	    (sr->running < s->l.sr && sr->q->running < s->l.queue);
}

/* Take the first that waits in sr. */
static struct turns_item *
begin(struct turns *s, struct turns_sr *sr)
{
	struct turns_queue *q = sr->q;
	struct turns_item *i = sr->first;

	sr->first = i->next;
	if (sr->first == NULL)
		sr->last = &sr->first;
	waits_no_more(s, sr);
	if (sr->waiting > 0) {
		TAILQ_REMOVE(&q->ring, sr, ring);
		TAILQ_INSERT_TAIL(&q->ring, sr, ring);
	}
	if (q->waiting > 0) {
		TAILQ_REMOVE(&s->ring, q, entry);
		TAILQ_INSERT_TAIL(&s->ring, q, entry);
	}
	i->next = NULL;
	i->running = true;
	sr->running++;
	q->running++;
	s->running++;
	return i;
}

struct turns_item *
turns_next(struct turns *s)
{
	struct turns_queue *q;
	struct turns_sr *sr;

	TAILQ_FOREACH (q, &s->ring, entry)
		TAILQ_FOREACH (sr, &q->ring, ring)
			if (may(s, sr))
				return begin(s, sr);
	return NULL;
}

/* Take i out of those who wait. */
static void
unlink_waiting(struct turns *s, struct turns_item *i)
{
	struct turns_sr *sr = i->sr;
	struct turns_item **at = &sr->first;

	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	if (sr->last == &i->next)
		sr->last = at;
	waits_no_more(s, sr);
}

void
turns_remove(struct turns *s, struct turns_item *i)
{
	struct turns_sr *sr = i->sr;

	if (sr == NULL)
		return;
	if (i->running) {
		sr->running--;
		sr->q->running--;
		s->running--;
	} else {
		unlink_waiting(s, i);
	}
	i->sr = NULL;
	i->running = false;
	if (sr->running == 0 && sr->waiting == 0)
		drop(s, sr);
}

unsigned
turns_running(const struct turns *s)
{
	return s->running;
}

unsigned
turns_waiting(const struct turns *s)
{
	return s->waiting;
}
