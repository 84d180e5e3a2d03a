/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A payload passes through a dozen buffers.  Instead of a dozen places that
 * must not forget to wipe theirs there is one: xmsgd is linked so that free()
 * and realloc() of all our files end up here (--wrap, in local.mk).  SQLite's
 * memory is treated alike (sqldb_mem.c).  What is in use stays as it is, so a
 * buffer that is kept for the next request is wiped where it is kept.
 */
#include "wipe.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sqldb.h"

void __real_free(void *p);
void *__real_realloc(void *p, size_t n);
void __wrap_free(void *p);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static bool on;

/* free() of all our files. */
void
__wrap_free(void *p)
{
	if (on && p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	__real_free(p);
}

/* The C library's leaves the old bytes where they were when it moves them. */
void *
__wrap_realloc(void *p, size_t n)
{
	size_t had = p != NULL ? malloc_usable_size(p) : 0;
	void *to;

	if (on && n < had)
		explicit_bzero((char *)p + n, had - n);
	if (!on || p == NULL || n <= had)
		return __real_realloc(p, n);
	to = malloc(n);
	if (to == NULL)
		return NULL;
	memcpy(to, p, had);
	__wrap_free(p);
	return to;
}

/* So that it comes by the one above. */
void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return __wrap_realloc(p, bytes);
}

/* From now on. */
void
wipe_freed(void)
{
	on = true;
	sqldb_wipe_freed();
}
