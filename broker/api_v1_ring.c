/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Pages of a ring: of the recorder's events, of what operators did. */
#include "api_v1.h"

/* One page. */
size_t
v1_put_ring(struct jsonw *w, const struct ring *r, struct ring_cursor *at,
    size_t limit, v1_put_fn put, const void *arg)
{
	struct ring_event e;
	size_t n = 0;

	while (ring_read(r, at, &e))
		if (put(w, &e, arg) &&
		    (++n == limit || w->b->n >= V1_PAGE_BYTES))
			return n;
	at->seq = ring_next(r);
	return n;
}
