/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Losing the power, without losing it: a file layer for SQLite that writes down
 * every write, truncation, sync and deletion below one folder, and can build
 * afterwards what a disk might hold if the power had gone at any point between
 * two of them.  What was synced is there; of what was not, anything: nothing,
 * all, or some sectors of some writes, with old, new or senseless bytes.
 * Everything else goes on to the system's own layer; nothing is synced for real.
 */
#ifndef XMSG_TESTS_CRASHVFS_H
#define XMSG_TESTS_CRASHVFS_H

#include <stdbool.h>
#include <stdint.h>

/* Before the system's layer from now on. */
void crashvfs_install(void);

/* Write down what happens in dir from here on; what is there now counts as
 * synced.  Forgets what was written down before. */
void crashvfs_start(const char *dir);
/* No more. */
void crashvfs_stop(void);

/* Points so far: point n is after n calls.  While it is written down, this is
 * the time; afterwards, the number of the last point. */
long crashvfs_points(void);

/* What is left of what was not synced. */
enum crash_how {
	CRASH_NOTHING,
	CRASH_ALL, /* as after kill -9 */
	CRASH_SOME, /* whole writes by chance */
	CRASH_TORN, /* sectors by chance, some in pieces, some garbage */
	CRASH_N
};

/* Write the files as a crash at point n might leave them to the folder `to`,
 * which has no other files of these names.  Points in ascending order are
 * cheap. */
void crashvfs_build(long n, enum crash_how how, uint64_t seed, const char *to);
/* Is there anything unsynced at point n?  If not, all images are alike. */
bool crashvfs_unsynced(long n);
/* Is what is synced the same as at the point before? */
bool crashvfs_same(long n);

#endif
