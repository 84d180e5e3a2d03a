/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Which call may begin.  Pure.
 *
 *  1. No more than `total` run in all, `queue` of one queue, `sr` of one SR.
 *  2. An SR of which none runs may begin one beyond the limit of its queue: a
 *     slow SR does not delay another.  Not where calls come one at a time: there all
 *     calls of a queue are given one SR's name, and keep their order.
 *  3. Queues take turns, SRs of a queue take turns, calls of an SR begin in
 *     the order in which they came.
 */
#ifndef XMSG_TURNS_H
#define XMSG_TURNS_H

#include <stdbool.h>
#include <stddef.h>

struct turns_limits {
	unsigned total, queue, sr; /* at least 1 each */
	bool serial; /* one call of a queue at a time */
};

struct turns_sr;

/* Part of whatever is to begin. */
struct turns_item {
	struct turns_sr *sr; /* NULL: not known here */
	struct turns_item *next; /* waiting in the same SR */
	bool running;
};

struct turns;

struct turns *turns_new(const struct turns_limits *l);
/* Items that are still in are forgotten. */
void turns_free(struct turns *s);
void turns_set_limits(struct turns *s, const struct turns_limits *l);

/* Wait for a turn; names are copied. */
void turns_add(
    struct turns *s, struct turns_item *i, const char *queue, const char *sr);

/* One that may begin now, and counts as running from here on; else NULL. */
struct turns_item *turns_next(struct turns *s);

/* Ended, or does not want to begin any more; fine when it is not in. */
void turns_remove(struct turns *s, struct turns_item *i);

/* Counts for listings. */
unsigned turns_running(const struct turns *s);
unsigned turns_waiting(const struct turns *s);

#endif
