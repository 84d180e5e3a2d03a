/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A binary min-heap whose elements know where they are. */
#include "heap.h"

#include <stdlib.h>

/* Write e at position i (1-based). */
static void
place(struct heap *h, size_t i, struct heap_node *e)
{
	h->v[i - 1] = e;
	e->pos = i;
}

/* Move e up from i until its parent is not larger. */
static void
up(struct heap *h, size_t i, struct heap_node *e)
{
	while (i > 1 && h->v[i / 2 - 1]->key > e->key) {
		place(h, i, h->v[i / 2 - 1]);
		i /= 2;
	}
	place(h, i, e);
}

/* Move e down from i until no child is smaller. */
static void
down(struct heap *h, size_t i, struct heap_node *e)
{
	size_t c;

	while ((c = 2 * i) <= h->n) {
		if (c < h->n && h->v[c]->key < h->v[c - 1]->key)
			c++;
		if (h->v[c - 1]->key >= e->key)
			break;
		place(h, i, h->v[c - 1]);
		i = c;
	}
	place(h, i, e);
}

/* Give the array back. */
void
heap_fini(struct heap *h)
{
	free(h->v);
	h->v = NULL;
	h->n = h->cap = 0;
}

/* Put an element in. */
bool
heap_add(struct heap *h, struct heap_node *e)
{
	struct heap_node **v;
	size_t cap;

	if (h->n == h->cap) {
		cap = h->cap ? h->cap * 2 : 16;
		v = reallocarray(h->v, cap, sizeof *v);
		if (v == NULL)
			return false;
		h->v = v;
		h->cap = cap;
	}
	h->n++;
	up(h, h->n, e);
	return true;
}

/* Take an element out. */
void
heap_remove(struct heap *h, struct heap_node *e)
{
	size_t i = e->pos;
	struct heap_node *last;

	if (i == 0)
		return;
	last = h->v[--h->n];
	e->pos = 0;
	if (last == e)
		return;
	if (last->key < e->key)
		up(h, i, last);
	else
		down(h, i, last);
}

/* Look at the smallest. */
struct heap_node *
heap_min(const struct heap *h)
{
	return h->n ? h->v[0] : NULL;
}

/* Verify the order. */
bool
heap_check(const struct heap *h)
{
	for (size_t i = 1; i <= h->n; i++) {
		if (h->v[i - 1]->pos != i)
			return false;
		if (i > 1 && h->v[i / 2 - 1]->key > h->v[i - 1]->key)
			return false;
	}
	return true;
}
