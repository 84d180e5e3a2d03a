/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A file layer that keeps a journal, and a disk on which the journal is played
 * again up to any point.
 *
 * The disk: each file has what is synced, and a list of what was written since.
 * A sync of the file moves the list into the synced part.  A deletion lasts when
 * the folder is synced, which SQLite does with the first sync of a log or
 * journal that it has opened; until then a crash may bring the old file back.
 *
 * A write never changes bytes outside of it: that is what SQLite assumes of
 * disks, too (SQLITE_IOCAP_POWERSAFE_OVERWRITE).
 */
#include "crashvfs.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "support/passvfs.h"

#include "rnd.h"

#define SECTOR 512
#define FILES  8

enum kind { WRITE, TRUNCATE, SYNC, DELETE };

/* One call. */
struct entry {
	enum kind kind;
	int file;
	/* truncate: n is the new size; sync, delete: n != 0: and the folder */
	int64_t off, n;
	char *p;
};

struct image {
	char *p;
	int64_t n;
};

/* A file of the disk on which the journal is played. */
struct disk {
	struct image synced;
	long *pending; /* entries since the last sync */
	size_t npending, cap;
	struct image old; /* what may come back; n < 0: nothing */
};

struct file {
	struct passed p; /* first member */
	int index; /* of its name, -1: not ours */
	bool sync_folder; /* at the next sync */
};

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static char folder[256];
static bool recording;
static char names[FILES][64];
static struct image before[FILES]; /* when it began */
static int nnames;
static struct entry *journal;
static long njournal, cap_journal;

static struct disk disks[FILES];
static long played;

static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;

/* A test without memory proves nothing. */
static void *
need(void *p)
{
	if (p == NULL) {
		perror("crashvfs");
		abort();
	}
	return p;
}

/* ---- images ---- */

/* Make it n bytes long; new ones are zero. */
static void
image_resize(struct image *m, int64_t n)
{
	if (n > m->n) {
		m->p = need(realloc(m->p, (size_t)n));
		memset(m->p + m->n, 0, (size_t)(n - m->n));
	}
	m->n = n;
}

static void
image_write(struct image *m, const char *p, int64_t n, int64_t off)
{
	if (off + n > m->n)
		image_resize(m, off + n);
	memcpy(m->p + off, p, (size_t)n);
}

static struct image
image_copy(const struct image *m)
{
	struct image c = {NULL, 0};

	if (m->n > 0)
		image_write(&c, m->p, m->n, 0);
	return c;
}

static void
image_read(struct image *m, const char *path)
{
	FILE *f = need(fopen(path, "rb"));
	char buf[65536];
	size_t n;

	while ((n = fread(buf, 1, sizeof buf, f)) > 0)
		image_write(m, buf, (int64_t)n, m->n);
	fclose(f);
}

static void
image_store(const struct image *m, const char *path)
{
	FILE *f = need(fopen(path, "wb"));

	if ((m->n > 0 && fwrite(m->p, (size_t)m->n, 1, f) != 1) ||
	    fclose(f) != 0)
		need(NULL);
}

static void
image_free(struct image *m)
{
	free(m->p);
	*m = (struct image){NULL, 0};
}

/* ---- the journal ---- */

/* The number of a file, or -1; with the lock. */
static int
index_of(const char *path)
{
	size_t n = strlen(folder);
	const char *name;

	if (path == NULL || n == 0 || strncmp(path, folder, n) != 0 ||
	    path[n] != '/' || strstr(path, "-shm") != NULL)
		return -1;
	name = path + n + 1;
	for (int i = 0; i < nnames; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	if (nnames == FILES || strlen(name) >= sizeof names[0])
		need(NULL);
	strcpy(names[nnames], name);
	return nnames++;
}

/* Write a call down. */
static void
note(enum kind k, int file, const void *p, int64_t n, int64_t off)
{
	struct entry *e;

	pthread_mutex_lock(&mu);
	if (recording && file >= 0) {
		if (njournal == cap_journal) {
			cap_journal = cap_journal ? cap_journal * 2 : 256;
			journal = need(realloc(
			    journal, (size_t)cap_journal * sizeof *journal));
		}
		e = &journal[njournal++];
		*e = (struct entry){k, file, off, n, NULL};
		if (p != NULL && n > 0) {
			e->p = need(malloc((size_t)n));
			memcpy(e->p, p, (size_t)n);
		}
	}
	pthread_mutex_unlock(&mu);
}

/* Points so far. */
long
crashvfs_points(void)
{
	long n;

	pthread_mutex_lock(&mu);
	n = njournal;
	pthread_mutex_unlock(&mu);
	return n;
}

/* Back to the beginning. */
static void
rewind_disks(void)
{
	for (int i = 0; i < FILES; i++) {
		image_free(&disks[i].synced);
		image_free(&disks[i].old);
		disks[i].old.n = -1;
		disks[i].npending = 0;
		disks[i].synced = image_copy(&before[i]);
	}
	played = 0;
}

/* Begin. */
void
crashvfs_start(const char *dir)
{
	DIR *d = need(opendir(dir));
	struct dirent *e;
	char path[512];
	int i;

	pthread_mutex_lock(&mu);
	while (njournal > 0)
		free(journal[--njournal].p);
	for (i = 0; i < FILES; i++)
		image_free(&before[i]);
	nnames = 0;
	snprintf(folder, sizeof folder, "%s", dir);
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if (strstr(e->d_name, ".db") == NULL ||
		    strstr(e->d_name, ".reserve") != NULL ||
		    (i = index_of(path)) < 0)
			continue;
		image_read(&before[i], path);
	}
	closedir(d);
	recording = true;
	rewind_disks();
	pthread_mutex_unlock(&mu);
}

/* End. */
void
crashvfs_stop(void)
{
	pthread_mutex_lock(&mu);
	recording = false;
	folder[0] = '\0';
	pthread_mutex_unlock(&mu);
}

/* ---- the disk ---- */

static void
apply(struct image *m, const struct entry *e)
{
	if (e->kind == WRITE)
		image_write(m, e->p, e->n, e->off);
	else if (e->kind == TRUNCATE)
		image_resize(m, e->n);
}

static void
disk_sync(struct disk *d)
{
	for (size_t i = 0; i < d->npending; i++)
		apply(&d->synced, &journal[d->pending[i]]);
	d->npending = 0;
}

/* What was deleted does not come back. */
static void
sync_folder(void)
{
	for (int i = 0; i < FILES; i++) {
		image_free(&disks[i].old);
		disks[i].old.n = -1;
	}
}

/* The file is gone, for now. */
static void
disk_delete(struct disk *d)
{
	disk_sync(d); /* the worst that can come back is all of it */
	image_free(&d->old);
	d->old = d->synced;
	d->synced = (struct image){NULL, 0};
}

/* Play on to point n. */
static void
play(long n)
{
	if (n < played)
		rewind_disks();
	for (; played < n; played++) {
		const struct entry *e = &journal[played];
		struct disk *d = &disks[e->file];

		if (e->kind == SYNC || e->kind == DELETE) {
			if (e->kind == SYNC)
				disk_sync(d);
			else
				disk_delete(d);
			if (e->n != 0)
				sync_folder();
		} else {
			if (d->npending == d->cap) {
				d->cap = d->cap ? d->cap * 2 : 64;
				d->pending = need(realloc(
				    d->pending, d->cap * sizeof *d->pending));
			}
			d->pending[d->npending++] = played;
		}
	}
}

/* Some sectors of a write: left out, in pieces, or senseless. */
static void
apply_torn(struct image *m, const struct entry *e, struct rnd *r)
{
	char junk[SECTOR];
	int64_t at, n, end = e->off + e->n;

	for (at = e->off; at < end; at += n) {
		uint32_t fate = rnd_below(r, 16);

		n = SECTOR - at % SECTOR;
		if (n > end - at)
			n = end - at;
		if (fate < 7) {
			image_write(m, e->p + (at - e->off), n, at);
		} else if (fate == 7 && n > 1) {
			int64_t part = 1 + rnd_below(r, (size_t)n - 1);

			image_write(m, e->p + (at - e->off), part, at);
		} else if (fate == 8) {
			for (int64_t i = 0; i < n; i++)
				junk[i] = (char)rnd_next(r);
			image_write(m, junk, n, at);
		}
	}
}

/* What is left of one file. */
static struct image
survivor(const struct disk *d, enum crash_how how, struct rnd *r)
{
	struct image m;

	if (d->old.n >= 0 && how != CRASH_ALL &&
	    (how == CRASH_NOTHING || rnd_below(r, 2)))
		return image_copy(&d->old);
	m = image_copy(&d->synced);
	for (size_t i = 0; i < d->npending && how != CRASH_NOTHING; i++) {
		const struct entry *e = &journal[d->pending[i]];

		if (how == CRASH_ALL || (how == CRASH_SOME && rnd_below(r, 2)))
			apply(&m, e);
		else if (how == CRASH_TORN && e->kind == WRITE)
			apply_torn(&m, e, r);
		else if (how == CRASH_TORN && rnd_below(r, 2))
			apply(&m, e);
	}
	return m;
}

/* Build. */
void
crashvfs_build(long n, enum crash_how how, uint64_t seed, const char *to)
{
	struct rnd r = rnd_seed(seed);
	char path[512];

	play(n);
	for (int i = 0; i < nnames; i++) {
		struct image m = survivor(&disks[i], how, &r);

		snprintf(path, sizeof path, "%s/%s", to, names[i]);
		if (m.n > 0) /* to SQLite, empty and missing are the same */
			image_store(&m, path);
		else
			remove(path);
		image_free(&m);
	}
}

/* Anything to lose? */
bool
crashvfs_unsynced(long n)
{
	play(n);
	for (int i = 0; i < nnames; i++)
		if (disks[i].npending > 0 || disks[i].old.n >= 0)
			return true;
	return false;
}

/* Only something written since? */
bool
crashvfs_same(long n)
{
	return n > 0 && n <= njournal &&
	    (journal[n - 1].kind == WRITE || journal[n - 1].kind == TRUNCATE);
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
	return real(f)->pMethods->xRead(real(f), p, n, off);
}

static int
f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	note(WRITE, ((struct file *)f)->index, p, n, off);
	return real(f)->pMethods->xWrite(real(f), p, n, off);
}

static int
f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	note(TRUNCATE, ((struct file *)f)->index, NULL, size, 0);
	return real(f)->pMethods->xTruncate(real(f), size);
}

static int
f_sync(sqlite3_file *f, int flags)
{
	struct file *o = (struct file *)f;

	(void)flags;
	note(SYNC, o->index, NULL, o->sync_folder, 0);
	o->sync_folder = false;
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
	o->p.real = (sqlite3_file *)(o + 1);
	o->sync_folder = (flags & SQLITE_OPEN_CREATE) &&
	    (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
	pthread_mutex_lock(&mu);
	o->index = recording ? index_of(name) : -1;
	pthread_mutex_unlock(&mu);
	rc = real_vfs->xOpen(real_vfs, name, o->p.real, flags, out);
	f->pMethods = o->p.real->pMethods != NULL ? &methods : NULL;
	return rc;
}

static int
v_delete(sqlite3_vfs *v, const char *name, int sync)
{
	int i, rc = real_vfs->xDelete(real_vfs, name, 0);

	(void)v;
	pthread_mutex_lock(&mu);
	i = recording ? index_of(name) : -1;
	pthread_mutex_unlock(&mu);
	if (rc == SQLITE_OK)
		note(DELETE, i, NULL, sync, 0);
	return rc;
}

/* Register. */
void
crashvfs_install(void)
{
	if (real_vfs != NULL)
		return;
	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.pNext = NULL;
	vfs.zName = "crash";
	vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
	vfs.xOpen = v_open;
	vfs.xDelete = v_delete;
	sqlite3_vfs_register(&vfs, 1);
}
