/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Memory that is not needed any more goes back to the system: after a backlog
 * has been taken away, after many clients have left, and when there is nothing
 * to do.  The allocator keeps it otherwise, and pages of the recorder that were
 * written once stay mapped.
 */
#ifndef XMSG_TIDY_H
#define XMSG_TIDY_H

#include <stddef.h>
#include <stdint.h>

#include "deadline.h"

#define TIDY_NS (2 * 1000 * 1000 * 1000LL) /* how often it looks, if at all */

struct tidy {
	struct deadline deadline; /* first member */
	struct deadlines *deadlines;
	void *ring; /* mapped from a file */
	size_t ring_size;
	int64_t now, most; /* bytes in use, about; since the last look */
	uint64_t work, seen; /* requests, now and at the last look */
	uint64_t given; /* how often something was given back */
};

void tidy_init(struct tidy *t, struct deadlines *ds, void *ring, size_t size);
/* Once a turn: how many requests there were so far, and about how many bytes
 * messages and clients take. */
void tidy_turn(
    struct tidy *t, uint64_t requests, int64_t bytes, int64_t now_ns);

#endif
