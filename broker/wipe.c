/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A payload passes through a dozen buffers.  Instead of a dozen places that
 * must not forget to wipe theirs there is one: xmsgd is linked so that free()
 * and realloc() of all our files end up here (--wrap, in local.mk), and SQLite
 * is given a realloc() and a free() of ours.  Libraries that never see a payload
 * keep their own.
 */
#include "wipe.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

void __real_free(void *p);
void *__real_realloc(void *p, size_t n);
void __wrap_free(void *p);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static bool on;
static sqlite3_mem_methods sqlite; /* SQLite's own */

/* ---- ours ---- */

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

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return __wrap_realloc(p, bytes);
}

/* ---- SQLite's ---- */

static void
sqlite_free(void *p)
{
	explicit_bzero(p, (size_t)sqlite.xSize(p));
	sqlite.xFree(p);
}

static void *
sqlite_realloc(void *p, int n)
{
	int had = sqlite.xSize(p);
	void *to;

	if (n <= had)
		return p;
	to = sqlite.xMalloc(n);
	if (to == NULL)
		return NULL;
	memcpy(to, p, (size_t)had);
	sqlite_free(p);
	return to;
}

/* Take over, and let nothing be kept in pools that are not given back. */
void
wipe_freed(void)
{
	sqlite3_mem_methods m;

	on = true;
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite) != SQLITE_OK)
		return;
	m = sqlite;
	m.xFree = sqlite_free;
	m.xRealloc = sqlite_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &m);
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
}
