/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A binary min-heap of int64 keys.  Elements carry their own position, so one
 * can be taken out of the middle without a search (beanstalkd's idea).
 */
#ifndef XMSG_HEAP_H
#define XMSG_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	int64_t key;
	size_t pos; /* 1-based; 0 = not in a heap */
};

struct heap {
	struct heap_node **v;
	size_t n, cap;
};

void heap_fini(struct heap *h); /* frees the array, not the elements */

/* Put e in with e->key; false when memory ran out.  e->pos must be 0. */
bool heap_add(struct heap *h, struct heap_node *e)
    __attribute__((warn_unused_result));

/* Take e out; harmless when it is not in. */
void heap_remove(struct heap *h, struct heap_node *e);

/* The element with the smallest key, or NULL. */
struct heap_node *heap_min(const struct heap *h);

/* Every parent's key <= its children's, every pos right. For tests. */
bool heap_check(const struct heap *h);

#endif
