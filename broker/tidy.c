/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Giving memory back: when a lot less is in use than was, and when nothing has
 * been asked for a while. */
#include "tidy.h"

#include <malloc.h>
#include <sys/mman.h>

#include "log.h"

#define WORTH (4 * 1024 * 1024) /* bytes that are worth the look */

/* Look. */
static void
look(struct deadline *d, int64_t now_ns)
{
	struct tidy *t = (struct tidy *)d;
	bool idle = t->work == t->seen;

	if (idle || t->most - t->now > WORTH) {
		malloc_trim(0);
		/* the file keeps what was written */
		if (t->ring != NULL &&
		    madvise(t->ring, t->ring_size, MADV_DONTNEED) == -1)
			log_warn("tidy", "cannot unmap the recorder's pages");
		t->given++;
	}
	t->most = t->now;
	t->seen = t->work;
	if (!idle)
		deadline_set(t->deadlines, d, now_ns + TIDY_NS);
}

/* Begin. */
void
tidy_init(struct tidy *t, struct deadlines *ds, void *ring, size_t size)
{
	*t = (struct tidy){.deadlines = ds, .ring = ring, .ring_size = size};
	t->deadline.fn = look;
}

/* Once a turn. */
void
tidy_turn(struct tidy *t, uint64_t requests, int64_t bytes, int64_t now_ns)
{
	t->now = bytes;
	t->work = requests;
	if (bytes > t->most)
		t->most = bytes;
	if (!deadline_pending(&t->deadline) &&
	    (t->work != t->seen || t->given == 0))
		deadline_set(t->deadlines, &t->deadline, now_ns + TIDY_NS);
}
