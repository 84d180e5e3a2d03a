/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Which call may begin.  Pure.
 *
 *  1. No more than `total` run in all, `queue` of one queue, `sr` of one SR.
 *  2. An SR of which none runs may begin one whatever the others do: a slow
 *     SR never delays another.  Not where calls come one at a time: there all
 *     calls of a queue are given one SR's name, and keep their order.
 *  3. Queues take turns, SRs of a queue take turns, calls of an SR begin in
 *     the order in which they came.
 */
#ifndef XMSG_SCHED_H
#define XMSG_SCHED_H

#include <stdbool.h>
#include <stddef.h>

struct sched_limits {
	unsigned total, queue, sr; /* at least 1 each */
	bool serial; /* one call of a queue at a time */
};

struct sched_sr;

/* Part of whatever is to begin. */
struct sched_item {
	struct sched_sr *sr; /* NULL: not known here */
	struct sched_item *next; /* waiting in the same SR */
	bool running;
};

struct sched;

struct sched *sched_new(const struct sched_limits *l);
/* Items that are still in are forgotten. */
void sched_free(struct sched *s);
void sched_set_limits(struct sched *s, const struct sched_limits *l);

/* Wait for a turn; names are copied. */
void sched_add(
    struct sched *s, struct sched_item *i, const char *queue, const char *sr);

/* One that may begin now, and counts as running from here on; else NULL. */
struct sched_item *sched_next(struct sched *s);

/* Ended, or does not want to begin any more; fine when it is not in. */
void sched_remove(struct sched *s, struct sched_item *i);

/* Counts for listings. */
unsigned sched_running(const struct sched *s);
unsigned sched_waiting(const struct sched *s);

#endif
