/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Everything that happens later: one heap, so that the loop needs one timer.
 * Times are CLOCK_BOOTTIME nanoseconds; nobody here reads a clock.
 */
#ifndef XMSG_DEADLINE_H
#define XMSG_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "heap.h"

struct deadlines {
	struct heap heap;
};

struct deadline {
	struct heap_node node; /* first member */
	void (*fn)(struct deadline *, int64_t now_ns);
};

/* Call d->fn at at_ns or soon after; moves it when it is set already. */
void deadline_set(struct deadlines *ds, struct deadline *d, int64_t at_ns);
void deadline_clear(struct deadlines *ds, struct deadline *d);

static inline bool
deadline_pending(const struct deadline *d)
{
	return d->node.pos != 0;
}

/* Call what is due; the functions may set and clear deadlines. */
void deadlines_run(struct deadlines *ds, int64_t now_ns);

/* When the next one is due, -1 when there is none. */
int64_t deadlines_next(const struct deadlines *ds);
void deadlines_fini(struct deadlines *ds);

#endif
