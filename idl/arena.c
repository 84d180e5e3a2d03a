/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Chunks in a list; the newest one is carved from its front.  What does not
 * fit a common chunk gets one of its own.
 */
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#include "arena.h"

#define CHUNK_BYTES ((size_t)32768)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, cap;
	alignas(max_align_t) char mem[];
};

/* A new chunk in front, large enough for n bytes. */
static struct arena_chunk *
grow(struct arena *a, size_t n)
{
	size_t cap = n > CHUNK_BYTES ? n : CHUNK_BYTES;
	struct arena_chunk *c = xcalloc(1, sizeof(*c) + cap);

	c->next = a->head;
	c->cap = cap;
	a->head = c;
	return c;
}

/* Carve n zeroed bytes. */
void *
arena_alloc(struct arena *a, size_t n)
{
	size_t al = alignof(max_align_t);
	size_t need = (n + al - 1) / al * al;
	struct arena_chunk *c = a->head;
	void *p;

	if (c == NULL || c->cap - c->used < need)
		c = grow(a, need);
	p = c->mem + c->used;
	c->used += need;
	return p;
}

/* A terminated copy of n bytes. */
char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (n > 0)
		memcpy(p, s, n);
	return p;
}

/* A formatted copy. */
char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = arena_alloc(a, n < 0 ? 1 : (size_t)n + 1);
	if (n > 0)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

/* Give all chunks back. */
void
arena_fini(struct arena *a)
{
	struct arena_chunk *c = a->head, *next;

	for (; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	a->head = NULL;
}
