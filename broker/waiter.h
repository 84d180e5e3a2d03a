/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Parked polls, by the names they wait on.  A name need not be a queue (yet).
 *
 * Who blocks: a client's transfer that found nothing.  Who unblocks it: a
 * message for one of its names, or its deadline.  Who is told when the client
 * goes: nobody, it just leaves.  After a poll has been answered the client stays
 * on the lists of its names, not parked, until its next poll or its end: that
 * is how a consumer that is busy with a message still counts as one.
 *
 * Invariant: a parked waiter is in the deadline heap and on the list of each of
 * its names; one that is not parked is not in the heap.
 */
#ifndef XMSG_WAITER_H
#define XMSG_WAITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "deadline.h"
#include "map.h"
#include "str.h"

struct waiter;
struct waitname;

struct waitlink {
	TAILQ_ENTRY(waitlink) entry;
	struct waiter *waiter;
	struct waitname *name;
};

struct waitname {
	UT_hash_handle hh;
	TAILQ_HEAD(, waitlink) links;
	uint32_t nlinks, nparked;
	struct str name;
	char bytes[];
};

struct waiter {
	struct deadline deadline; /* fn is the owner's */
	struct waitlink *links;
	uint32_t n;
	bool parked;
};

struct waiters {
	struct waitname *names;
	size_t nparked;
};

/* Be a consumer of these names (taking the place of the former ones); false
 * when memory ran out. */
bool waiter_names(
    struct waiters *ws, struct waiter *w, const struct str *names, size_t n);
void waiter_park(struct waiters *ws, struct deadlines *ds, struct waiter *w,
    int64_t until_ns);
void waiter_unpark(struct waiters *ws, struct deadlines *ds, struct waiter *w);
/* Leave everything. */
void waiter_leave(struct waiters *ws, struct deadlines *ds, struct waiter *w);

/* Those waiting on a name, or NULL. */
struct waitname *waiters_find(const struct waiters *ws, struct str name);

/* Call fn for each waiter parked on the name now; fn may unpark it. */
void waiters_wake(struct waiters *ws, struct str name,
    void (*fn)(void *arg, struct waiter *w), void *arg);

/* The invariant, for tests. */
bool waiter_check(const struct waiters *ws, const struct waiter *w);

#endif
