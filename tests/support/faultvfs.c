/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A file layer that hands everything on, and fails on demand. */
#include "faultvfs.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "support/passvfs.h"

struct file {
	struct passed p; /* first member */
};

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static long at, calls;
static bool plan_full, plan_lasting, reads;
static enum fault_call failed;
static char quota_dir[200];
static long long quota = -1;

static bool read_only;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;

/* ---- the plan ---- */

/* Start over. */
void
faultvfs_plan(long n, bool full, bool lasting)
{
	pthread_mutex_lock(&mu);
	at = n;
	calls = 0;
	plan_full = full;
	plan_lasting = lasting;
	failed = 0;
	pthread_mutex_unlock(&mu);
}

/* Calls so far. */
long
faultvfs_calls(void)
{
	long n;

	pthread_mutex_lock(&mu);
	n = calls;
	pthread_mutex_unlock(&mu);
	return n;
}

/* What kind of call failed first. */
enum fault_call
faultvfs_failed(void)
{
	enum fault_call f;

	pthread_mutex_lock(&mu);
	f = failed;
	pthread_mutex_unlock(&mu);
	return f;
}

/* Must this call fail? */
static bool
now(enum fault_call c)
{
	bool yes;

	pthread_mutex_lock(&mu);
	calls++;
	yes = at != 0 && (plan_lasting ? calls >= at : calls == at);
	if (yes && failed == 0)
		failed = c;
	pthread_mutex_unlock(&mu);
	return yes;
}

static bool
is_full(void)
{
	return plan_full;
}

/* Count reads? */
void
faultvfs_reads(bool yes)
{
	reads = yes;
}

/* As on a medium that cannot be written. */
void
faultvfs_readonly(bool yes)
{
	read_only = yes;
}

/* ---- the quota ---- */

/* Set. */
void
faultvfs_quota(const char *dir, long long bytes)
{
	pthread_mutex_lock(&mu);
	snprintf(quota_dir, sizeof quota_dir, "%s", dir);
	quota = bytes;
	pthread_mutex_unlock(&mu);
}

/* What the files take. */
long long
faultvfs_used(void)
{
	DIR *d = opendir(quota_dir);
	struct dirent *e;
	struct stat st;
	char path[500];
	long long n = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", quota_dir, e->d_name);
		if (strstr(e->d_name, "-shm") == NULL && stat(path, &st) == 0 &&
		    S_ISREG(st.st_mode))
			n += st.st_size;
	}
	if (d != NULL)
		closedir(d);
	return n;
}

/* Is there room for more? */
bool
faultvfs_fits(long long more)
{
	bool fits;

	pthread_mutex_lock(&mu);
	fits = quota < 0 || faultvfs_used() + more <= quota;
	pthread_mutex_unlock(&mu);
	return fits;
}

/* ---- files ---- */

static int
f_close(sqlite3_file *f)
{
	return real(f)->pMethods->xClose(real(f));
}

static int
f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 off)
{
	if (reads && now(FAULT_READ))
		return SQLITE_IOERR_READ;
	return real(f)->pMethods->xRead(real(f), p, n, off);
}

static int
f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	sqlite3_int64 size = 0;

	if (now(FAULT_WRITE)) {
		(void)real(f)->pMethods->xWrite(real(f), p, n / 2, off);
		return is_full() ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	}
	(void)real(f)->pMethods->xFileSize(real(f), &size);
	if (off + n > size && !faultvfs_fits(off + n - size))
		return SQLITE_FULL;
	return real(f)->pMethods->xWrite(real(f), p, n, off);
}

static int
f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (now(FAULT_TRUNCATE))
		return is_full() ? SQLITE_FULL : SQLITE_IOERR_TRUNCATE;
	return real(f)->pMethods->xTruncate(real(f), size);
}

static int
f_sync(sqlite3_file *f, int flags)
{
	(void)f, (void)flags;
	if (now(FAULT_SYNC))
		return is_full() ? SQLITE_FULL : SQLITE_IOERR_FSYNC;
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    PASS_METHODS,
};

static int
v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct file *o = (struct file *)f;
	int rc;

	(void)v;
	if (read_only && (flags & SQLITE_OPEN_MAIN_DB)) {
		flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
		flags |= SQLITE_OPEN_READONLY;
	}
	o->p.real = (sqlite3_file *)(o + 1);
	rc = real_vfs->xOpen(real_vfs, name, o->p.real, flags, out);
	f->pMethods = o->p.real->pMethods != NULL ? &methods : NULL;
	return rc;
}

/* Before the system's layer from now on. */
void
faultvfs_install(void)
{
	if (real_vfs != NULL)
		return;
	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.pNext = NULL;
	vfs.zName = "fault";
	vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
	vfs.xOpen = v_open;
	sqlite3_vfs_register(&vfs, 1);
}
