/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Folders that a test makes and removes. */
#include "tempdir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Say why and end: a test without its folder proves nothing. */
static void
die(const char *what)
{
	perror(what);
	exit(99);
}

/* Make. */
void
tempdir_make(char dir[TEMPDIR_MAX])
{
	const char *base = getenv("TMPDIR");
	int n;

	n = snprintf(dir, TEMPDIR_MAX, "%s/xmsg-test-XXXXXX",
	    base && *base ? base : "/tmp");
	if (n >= TEMPDIR_MAX || mkdtemp(dir) == NULL)
		die("mkdtemp");
}

/* Somewhere quick. */
void
tempdir_in_memory(void)
{
	if (access("/dev/shm", W_OK | X_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

/* Remove with all that is in it. */
void
tempdir_remove(const char *dir)
{
	if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == -1)
		die(dir);
}

/* Copy. */
long
tempdir_copy(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out;
	char buf[65536];
	long all = 0;
	size_t n;

	if (in == NULL)
		return -1;
	out = fopen(to, "wb");
	if (out == NULL)
		die(to);
	while ((n = fread(buf, 1, sizeof buf, in)) > 0) {
		if (fwrite(buf, 1, n, out) != n)
			die(to);
		all += (long)n;
	}
	fclose(in);
	if (fclose(out) != 0)
		die(to);
	return all;
}

/* Compare. */
bool
tempdir_same(const char *a, const char *b)
{
	FILE *x = fopen(a, "rb"), *y = fopen(b, "rb");
	int c, d;

	if (x == NULL || y == NULL)
		die(a);
	do {
		c = fgetc(x);
		d = fgetc(y);
	} while (c == d && c != EOF);
	fclose(x);
	fclose(y);
	return c == d;
}

/* Write. */
void
tempdir_write(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		die(path);
}
