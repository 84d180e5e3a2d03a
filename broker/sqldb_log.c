/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A layer under SQLite for the writer's log, which makes a commit one write and
 * a cheap sync.
 *
 * SQLite writes the head and the page of each frame apart: a commit of ten
 * frames is twenty system calls.  Here they gather, and go as one write when the
 * last frame of the commit is there, or before anything else looks at the file.
 * Nobody can miss them: SQLite tells readers of a frame after its commit only.
 *
 * And a file that grows costs at each sync what its new size costs.  So when a
 * write goes beyond the end, zeros are put behind it, and the next commits find
 * their blocks there.  SQLite takes zeros for the end of the log.  They are a
 * convenience: when there is no room for them, there are none.
 *
 * All other files, and all that is not writing, are the system's as they were.
 */
#include "sqldb_int.h"

#include <stdlib.h>
#include <string.h>

#define GATHER_BYTES (128 * 1024) /* frames that gather; a page is less */
#define AHEAD_LEAST  (64 * 1024) /* zeros behind the end: half the log, ... */
#define AHEAD_MOST   (1024 * 1024) /* ... between these */
#define FRAME_HEAD   24 /* of it, bytes 4 to 7 are 0 unless it ends a commit */
#define ZERO_BYTES   (64 * 1024)

struct logfile {
	sqlite3_file base; /* first member */
	sqlite3_file *real; /* behind this struct */
	char *bytes; /* what has gathered ... */
	int n; /* ... how many of them ... */
	sqlite3_int64 at; /* ... and where they go */
	sqlite3_int64 size; /* of the file, zeros and all; -1: not known */
	bool last; /* the frame whose head came last ends a commit */
	bool no_ahead; /* no room for zeros, until it is emptied */
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs log_vfs;
static const char zeros[ZERO_BYTES];

static struct logfile *
of(sqlite3_file *f)
{
	return (struct logfile *)f;
}

/* Put zeros behind what was just written; its end is the file's. */
static int
go_ahead(struct logfile *l)
{
	sqlite3_int64 want = l->size / 2, upto;
	int rc = SQLITE_OK, n;

	if (l->no_ahead)
		return SQLITE_OK;
	want = want < AHEAD_LEAST ? AHEAD_LEAST
	    : want > AHEAD_MOST	  ? AHEAD_MOST
				  : want;
	for (upto = l->size + want; l->size < upto && rc == SQLITE_OK;
	     l->size += n) {
		n = upto - l->size < ZERO_BYTES ? (int)(upto - l->size)
						: ZERO_BYTES;
		rc = l->real->pMethods->xWrite(l->real, zeros, n, l->size);
	}
	if ((rc & 0xff) != SQLITE_FULL)
		return rc;
	l->no_ahead = true;
	l->size = -1; /* some may be there */
	return SQLITE_OK;
}

/* Write what has gathered. */
static int
flush(struct logfile *l)
{
	sqlite3_int64 end = l->at + l->n;
	int rc;

	if (l->n == 0)
		return SQLITE_OK;
	rc = l->real->pMethods->xWrite(l->real, l->bytes, l->n, l->at);
	l->n = 0; /* after a failure SQLite writes all of it anew, or nothing */
	l->last = false;
	if (rc != SQLITE_OK)
		return rc;
	if (l->size < 0)
		rc = l->real->pMethods->xFileSize(l->real, &l->size);
	if (rc != SQLITE_OK || end < l->size)
		return rc;
	l->size = end;
	return go_ahead(l);
}

/* ---- the file's methods ---- */

static int
log_close(sqlite3_file *f)
{
	struct logfile *l = of(f);
	int rc = flush(l), rc2 = l->real->pMethods->xClose(l->real);

	free(l->bytes);
	l->bytes = NULL;
	return rc != SQLITE_OK ? rc : rc2;
}

static int
log_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	struct logfile *l = of(f);
	int rc = flush(l);

	return rc != SQLITE_OK ? rc
			       : l->real->pMethods->xRead(l->real, p, n, at);
}

static int
log_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct logfile *l = of(f);
	int rc = SQLITE_OK;

	if (l->n > 0 && (at != l->at + l->n || l->n + n > GATHER_BYTES))
		rc = flush(l);
	if (rc != SQLITE_OK)
		return rc;
	if (l->bytes == NULL)
		l->bytes = malloc(GATHER_BYTES);
	if (l->bytes == NULL) /* no memory */
		return l->real->pMethods->xWrite(l->real, p, n, at);
	if (l->n == 0)
		l->at = at;
	memcpy(l->bytes + l->n, p, (size_t)n);
	l->n += n;
	if (n == FRAME_HEAD)
		l->last = memcmp((const char *)p + 4, zeros, 4) != 0;
	else if (l->last)
		rc = flush(l);
	return rc;
}

static int
log_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct logfile *l = of(f);
	int rc = flush(l);

	if (rc == SQLITE_OK)
		rc = l->real->pMethods->xTruncate(l->real, size);
	l->size = -1;
	l->no_ahead = false;
	return rc;
}

static int
log_sync(sqlite3_file *f, int flags)
{
	struct logfile *l = of(f);
	int rc = flush(l);

	return rc != SQLITE_OK ? rc : l->real->pMethods->xSync(l->real, flags);
}

static int
log_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct logfile *l = of(f);
	int rc = flush(l);

	return rc != SQLITE_OK ? rc
			       : l->real->pMethods->xFileSize(l->real, size);
}

static int
log_lock(sqlite3_file *f, int how)
{
	return of(f)->real->pMethods->xLock(of(f)->real, how);
}

static int
log_unlock(sqlite3_file *f, int how)
{
	return of(f)->real->pMethods->xUnlock(of(f)->real, how);
}

static int
log_reserved(sqlite3_file *f, int *out)
{
	return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, out);
}

static int
log_control(sqlite3_file *f, int op, void *arg)
{
	return of(f)->real->pMethods->xFileControl(of(f)->real, op, arg);
}

static int
log_sector(sqlite3_file *f)
{
	return of(f)->real->pMethods->xSectorSize(of(f)->real);
}

static int
log_device(sqlite3_file *f)
{
	return of(f)->real->pMethods->xDeviceCharacteristics(of(f)->real);
}

/* A log has no shared memory of its own, so version 1 is enough. */
static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_reserved,
    .xFileControl = log_control,
    .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_device,
};

/* ---- the layer ---- */

/* A log gets our methods, everything else the system's. */
static int
log_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct logfile *l = of(f);
	int rc;

	(void)v;
	if (!(flags & SQLITE_OPEN_WAL))
		return real_vfs->xOpen(real_vfs, name, f, flags, out);
	memset(l, 0, sizeof *l);
	l->size = -1;
	l->real = (sqlite3_file *)(l + 1);
	rc = real_vfs->xOpen(real_vfs, name, l->real, flags, out);
	f->pMethods = l->real->pMethods != NULL ? &log_methods : NULL;
	return rc;
}

/* The name of the layer, over the one that is the default now; NULL when it
 * cannot be had, and then the default does. */
const char *
sqldb_log_layer(void)
{
	sqlite3_vfs *v = sqlite3_vfs_find(NULL);

	if (v == NULL)
		return NULL;
	if (v == real_vfs)
		return log_vfs.zName;
	if (real_vfs != NULL)
		sqlite3_vfs_unregister(&log_vfs);
	real_vfs = v;
	log_vfs = *v;
	log_vfs.pNext = NULL;
	log_vfs.zName = "xmsg";
	log_vfs.szOsFile = (int)sizeof(struct logfile) + v->szOsFile;
	log_vfs.xOpen = log_open;
	(void)sqlite3_vfs_register(&log_vfs, 0); /* v is: so can this be */
	return log_vfs.zName;
}
