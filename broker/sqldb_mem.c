/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* SQLite's memory is wiped before it is given back: payloads are in it. */
#include "sqldb.h"

#include <string.h>

#include <sqlite3.h>

static sqlite3_mem_methods own; /* SQLite's */

static void
wipe_free(void *p)
{
	explicit_bzero(p, (size_t)own.xSize(p));
	own.xFree(p);
}

static void *
wipe_realloc(void *p, int n)
{
	int had = own.xSize(p);
	void *to;

	if (n <= had)
		return p;
	to = own.xMalloc(n);
	if (to == NULL)
		return NULL;
	memcpy(to, p, (size_t)had);
	wipe_free(p);
	return to;
}

/* Take over, and let nothing be kept in pools that are not given back. */
void
sqldb_wipe_freed(void)
{
	sqlite3_mem_methods m;

	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &own) != SQLITE_OK)
		return;
	m = own;
	m.xFree = wipe_free;
	m.xRealloc = wipe_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &m);
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
}
