/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * uthash, for programs: without memory it ends them as xalloc.h does, with a
 * line and a status that manuals have.
 *
 * Its macros are long, and each use of one is a copy of it.  So here are
 * functions for maps whose elements begin with their handle:
 *
 *	struct thing {
 *		UT_hash_handle hh; // first
 *		...
 *	} *things = NULL;
 *
 * HASH_ITER and HASH_CNT go with them, in the order of insertion.
 */
#ifndef XMSG_MAP_H
#define XMSG_MAP_H

#include <stddef.h>

#include "xalloc.h"

#define uthash_malloc(n) xmalloc(n)
#include <uthash.h>

/* The element with this key, or NULL. */
void *map_find(void *map, const void *key, size_t n);
/* Put in and take out: what the map is then.  The key, which is not in it yet,
 * must stay where it is. */
void *map_add(void *map, void *element, const void *key, size_t n);
void *map_del(void *map, void *element);
/* Take out all. */
void *map_clear(void *map);
/* Walk in this order from now on. */
void *map_sort(void *map, int (*cmp)(const void *, const void *));

#endif
