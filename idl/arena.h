/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Memory that is given back all at once.  A model is a web of small structs
 * that live exactly as long as each other; nobody wants to free it by hand.
 */
#ifndef XMSG_IDL_ARENA_H
#define XMSG_IDL_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_chunk *head;
};

/* Zeroed bytes; never NULL (the process ends instead). */
void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t n)
    __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((returns_nonnull, format(printf, 2, 3)));

/* Frees everything; the arena is empty and usable afterwards. */
void arena_fini(struct arena *a);

#endif
