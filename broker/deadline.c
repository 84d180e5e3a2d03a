/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* One heap for all that happens later. */
#include "deadline.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

/* Set or move. */
void
deadline_set(struct deadlines *ds, struct deadline *d, int64_t at_ns)
{
	heap_remove(&ds->heap, &d->node);
	d->node.key = at_ns;
	if (!heap_add(&ds->heap, &d->node)) {
		fprintf(stderr, "out of memory (deadlines)\n");
		exit(EX_OSERR);
	}
}

/* Take back. */
void
deadline_clear(struct deadlines *ds, struct deadline *d)
{
	heap_remove(&ds->heap, &d->node);
}

/* Run what is due. */
void
deadlines_run(struct deadlines *ds, int64_t now_ns)
{
	struct heap_node *n;
	struct deadline *d;

	while ((n = heap_min(&ds->heap)) != NULL && n->key <= now_ns) {
		d = (struct deadline *)n;
		heap_remove(&ds->heap, n);
		d->fn(d, now_ns);
	}
}

/* The earliest. */
int64_t
deadlines_next(const struct deadlines *ds)
{
	struct heap_node *n = heap_min(&ds->heap);

	return n ? n->key : -1;
}

/* Free the heap. */
void
deadlines_fini(struct deadlines *ds)
{
	heap_fini(&ds->heap);
}
