/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What is in a folder.
 *
 * Has a plugin changed?  Its folder and the executable files in it say: device,
 * inode, owner, mode, times of change, size.  Not the folder's own time: a
 * plugin that keeps a lock or a note in its folder would be asked for ever.
 *
 * Times of change come in steps of a few milliseconds.  A file that changed just
 * before it was looked at may change again without a trace; so it is made to
 * differ at the next look, whatever it is like then.
 */
#include "watch_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "plugin_name.h"
#include "watch.h"
#include "xalloc.h"

#define SCRIPTS_MOST 4096 /* files of a folder that are looked at */
#define STEP_NS	     (20 * NS_PER_MS) /* times of files are as coarse as this */

/* ---- identity ---- */

/* Mix bytes into a number (FNV-1a). */
static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3ULL;
	return h;
}

/* What tells a file from another, or from itself before a change. */
static uint64_t
mix_stat(uint64_t h, const struct stat *st, bool times)
{
	uint64_t v[9] = {
	    st->st_dev, st->st_ino, st->st_mode, st->st_uid, st->st_gid};

	if (times) {
		v[5] = (uint64_t)st->st_size;
		v[6] = (uint64_t)st->st_mtim.tv_sec * NS_PER_SEC +
		    (uint64_t)st->st_mtim.tv_nsec;
		v[7] = (uint64_t)st->st_ctim.tv_sec * NS_PER_SEC +
		    (uint64_t)st->st_ctim.tv_nsec;
	}
	return mix(h, v, sizeof v);
}

/* Whose a folder is. */
uint64_t
watch_mix_owner(uint64_t h, const struct stat *st)
{
	return mix_stat(h, st, false);
}

/* A link, or nothing for what is none. */
static uint64_t
mix_link(uint64_t h, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		h = mix_stat(h, &st, true);
	return h;
}

/* How long ago was a file changed?  In the future counts as long ago. */
static int64_t
age_ns(const struct stat *st)
{
	int64_t ns = clock_wall_ns() - st->st_ctim.tv_sec * NS_PER_SEC -
	    st->st_ctim.tv_nsec;

	return ns < -NS_PER_SEC ? INT64_MAX : ns;
}

/* The executables in a folder, in any order; -1 when it cannot be told. */
static int
sum_scripts(DIR *d, uint64_t *sum)
{
	static uint64_t looks; /* at folders, so far */
	struct dirent *de;
	struct stat st;
	uint64_t h;

	looks++;
	for (unsigned i = 0; i < SCRIPTS_MOST; i++) {
		errno = 0;
		de = readdir(d);
		if (de == NULL)
			return errno ? -1 : 0;
		if (de->d_name[0] == '.' || plugin_name_bad(de->d_name) ||
		    fstatat(dirfd(d), de->d_name, &st, 0) == -1 ||
		    !S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
			continue;
		h = mix(0xcbf29ce484222325ULL, de->d_name, strlen(de->d_name));
		h = mix_stat(h, &st, true);
		if (age_ns(&st) < STEP_NS)
			h = mix(h, &looks, sizeof looks);
		*sum += mix_link(h, dirfd(d), de->d_name);
	}
	return 0;
}

/* Identity of a plugin's folder; 0, 1: there is no such folder, -1: it cannot be
 * told now. */
int
watch_identify(const char *path, uint64_t *id)
{
	struct stat st;
	uint64_t sum = 0;
	DIR *d;
	int rc;

	if (stat(path, &st) == -1)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
		    ? 1
		    : -1;
	if (!S_ISDIR(st.st_mode))
		return 1;
	*id = mix_link(mix_stat(*id, &st, false), AT_FDCWD, path);
	d = opendir(path);
	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 1
		    : errno == EACCES			   ? 0
							   : -1;
	rc = sum_scripts(d, &sum);
	closedir(d);
	*id = mix(*id, &sum, sizeof sum);
	return rc;
}

/* ---- names ---- */

/* Forget items of a list. */
void
watch_items_free(struct item *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].name);
	free(v);
}

/* Where is a name in order, or would be? */
size_t
watch_item_at(const struct item *v, size_t n, const char *name, bool *there)
{
	size_t lo = 0, hi = n;

	*there = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(v[mid].name, name);
		if (c == 0)
			*there = true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Keep a name in order; beyond WATCH_MOST the last one goes. */
static void
item_keep(struct folder *f, const char *name)
{
	bool there;
	size_t at = watch_item_at(f->v, f->n, name, &there);

	if (there)
		return;
	if (f->n == WATCH_MOST) {
		f->crowded = true;
		if (at == f->n)
			return;
		free(f->v[--f->n].name);
	}
	memmove(f->v + at + 1, f->v + at, (f->n - at) * sizeof *f->v);
	f->v[at] = (struct item){.name = xstrdup(name)};
	f->n++;
}

/* Could this entry be a plugin's folder?  A link may lead to one. */
static bool
candidate(struct folder *f, int dir, const struct dirent *de)
{
	struct stat st;

	if (plugin_name_bad(de->d_name))
		return false;
	if (de->d_type == DT_DIR)
		return true;
	if (de->d_type != DT_LNK && de->d_type != DT_UNKNOWN)
		return false;
	if (fstatat(dir, de->d_name, &st, 0) == 0)
		return S_ISDIR(st.st_mode);
	f->dangling = true;
	return false;
}

/* The names in a folder, a new list in order. */
enum found
watch_list(struct folder *f)
{
	DIR *d = opendir(f->path);
	struct dirent *de;

	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
		    ? ABSENT
		    : UNREADABLE;
	f->v = xcalloc(WATCH_MOST + 1, sizeof *f->v);
	while (errno = 0, (de = readdir(d)) != NULL)
		if (candidate(f, dirfd(d), de))
			item_keep(f, de->d_name);
	f->found = errno ? UNREADABLE : THERE;
	closedir(d);
	return f->found;
}
