/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The one copy of uthash's macros for all maps whose elements begin with their
 * handle. */
#include "map.h"

/* Any of them: what a handle is looked at as must not hang on its struct. */
struct __attribute__((may_alias)) any {
	UT_hash_handle hh;
};

/* Look up. */
void *
map_find(void *map, const void *key, size_t n)
{
	struct any *head = map, *e = NULL;

	HASH_FIND(hh, head, key, n, e);
	return e;
}

/* Put in. */
void *
map_add(void *map, void *element, const void *key, size_t n)
{
	struct any *head = map, *e = element;

	HASH_ADD_KEYPTR(hh, head, key, n, e);
	return head;
}

/* Take out. */
void *
map_del(void *map, void *element)
{
	struct any *head = map, *e = element;

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash */
	HASH_DEL(head, e);
	return head;
}

/* Take out all. */
void *
map_clear(void *map)
{
	struct any *head = map;

	HASH_CLEAR(hh, head);
	return head;
}

/* Order anew. */
void *
map_sort(void *map, int (*cmp)(const void *, const void *))
{
	struct any *head = map;

	HASH_SORT(head, cmp);
	return head;
}
