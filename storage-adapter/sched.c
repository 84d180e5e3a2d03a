/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Two levels of rings: queues, and SRs in each.  An SR is in its queue's ring
 * while it has somebody waiting, a queue is in the ring of queues while one of
 * its SRs is.  Taking a turn moves to the end.
 */
#include "sched.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <uthash.h>

#include "xalloc.h"

struct sched_queue;

struct sched_sr {
	char *name;
	struct sched_queue *q;
	struct sched_item *first, **last; /* waiting */
	unsigned waiting, running;
	TAILQ_ENTRY(sched_sr) ring; /* while waiting > 0 */
	UT_hash_handle hh;
};

struct sched_queue {
	char *name;
	struct sched_sr *srs; /* by name */
	TAILQ_HEAD(, sched_sr) ring;
	unsigned waiting, running;
	TAILQ_ENTRY(sched_queue) entry; /* while waiting > 0 */
	UT_hash_handle hh;
};

struct sched {
	struct sched_limits l;
	struct sched_queue *queues; /* by name */
	TAILQ_HEAD(, sched_queue) ring;
	unsigned waiting, running;
};

struct sched *
sched_new(const struct sched_limits *l)
{
	struct sched *s = xcalloc(1, sizeof *s);

	s->l = *l;
	TAILQ_INIT(&s->ring);
	return s;
}

/* Free an SR nobody is in, and its queue when it was the last. */
static void
drop(struct sched *s, struct sched_sr *sr)
{
	struct sched_queue *q = sr->q;

	HASH_DEL(q->srs, sr);
	free(sr->name);
	free(sr);
	if (q->srs != NULL)
		return;
	HASH_DEL(s->queues, q);
	free(q->name);
	free(q);
}

void
sched_free(struct sched *s)
{
	if (s == NULL)
		return;
	while (s->queues != NULL)
		drop(s, s->queues->srs);
	free(s);
}

void
sched_set_limits(struct sched *s, const struct sched_limits *l)
{
	s->l = *l;
}

static struct sched_queue *
queue_of(struct sched *s, const char *name)
{
	struct sched_queue *q;

	HASH_FIND_STR(s->queues, name, q);
	if (q != NULL)
		return q;
	q = xcalloc(1, sizeof *q);
	q->name = xstrdup(name);
	TAILQ_INIT(&q->ring);
	HASH_ADD_KEYPTR(hh, s->queues, q->name, strlen(q->name), q);
	return q;
}

static struct sched_sr *
sr_of(struct sched_queue *q, const char *name)
{
	struct sched_sr *sr;

	HASH_FIND_STR(q->srs, name, sr);
	if (sr != NULL)
		return sr;
	sr = xcalloc(1, sizeof *sr);
	sr->name = xstrdup(name);
	sr->q = q;
	sr->last = &sr->first;
	HASH_ADD_KEYPTR(hh, q->srs, sr->name, strlen(sr->name), sr);
	return sr;
}

void
sched_add(
    struct sched *s, struct sched_item *i, const char *queue, const char *name)
{
	struct sched_queue *q = queue_of(s, queue);
	struct sched_sr *sr = sr_of(q, name);

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
waits_no_more(struct sched *s, struct sched_sr *sr)
{
	struct sched_queue *q = sr->q;

	s->waiting--;
	if (--sr->waiting == 0)
		TAILQ_REMOVE(&q->ring, sr, ring);
	if (--q->waiting == 0)
		TAILQ_REMOVE(&s->ring, q, entry);
}

/* May sr begin another one? */
static bool
may(const struct sched *s, const struct sched_sr *sr)
{
	if (s->l.serial)
		return sr->q->running == 0;
	if (sr->running == 0)
		return true;
	return sr->running < s->l.sr && sr->q->running < s->l.queue &&
	    s->running < s->l.total;
}

/* Take the first that waits in sr. */
static struct sched_item *
begin(struct sched *s, struct sched_sr *sr)
{
	struct sched_queue *q = sr->q;
	struct sched_item *i = sr->first;

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

struct sched_item *
sched_next(struct sched *s)
{
	struct sched_queue *q;
	struct sched_sr *sr;

	TAILQ_FOREACH (q, &s->ring, entry)
		TAILQ_FOREACH (sr, &q->ring, ring)
			if (may(s, sr))
				return begin(s, sr);
	return NULL;
}

/* Take i out of those who wait. */
static void
unlink_waiting(struct sched *s, struct sched_item *i)
{
	struct sched_sr *sr = i->sr;
	struct sched_item **at = &sr->first;

	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	if (sr->last == &i->next)
		sr->last = at;
	waits_no_more(s, sr);
}

void
sched_remove(struct sched *s, struct sched_item *i)
{
	struct sched_sr *sr = i->sr;

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
sched_running(const struct sched *s)
{
	return s->running;
}

unsigned
sched_waiting(const struct sched *s)
{
	return s->waiting;
}
