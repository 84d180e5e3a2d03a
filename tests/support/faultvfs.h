/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A file layer for SQLite that fails on demand: the n-th write or sync, once or
 * from there on, or every write that needs room beyond a quota, as on a small
 * disk.  It stands before the system's own layer for all connections opened
 * after faultvfs_install.  Nothing is synced for real: tests here lose the
 * process, not the power.
 */
#ifndef XMSG_TESTS_FAULTVFS_H
#define XMSG_TESTS_FAULTVFS_H

#include <stdbool.h>

enum fault_call {
	FAULT_WRITE = 1,
	FAULT_SYNC = 2,
	FAULT_TRUNCATE = 4,
	FAULT_READ = 8,
};

void faultvfs_install(void);

/* Count from here on; the n-th of these calls fails (0: none) with EIO or, when
 * full, ENOSPC; lasting: so do all after it. A write that fails has written
 * half of its bytes. */
void faultvfs_plan(long n, bool full, bool lasting);

/* How many calls there were since the plan, and which kind the failed one was
 * (0: none has failed). */
long faultvfs_calls(void);
enum fault_call faultvfs_failed(void);

/* Reads count, too, and can fail. */
void faultvfs_reads(bool yes);

/* Databases opened from now on cannot be written. */
void faultvfs_readonly(bool yes);

/* Bytes that the files in dir may take together; -1: no quota. */
void faultvfs_quota(const char *dir, long long bytes);
long long faultvfs_used(void); /* what they take now */
/* Is there room for more?  For those who write without SQLite. */
bool faultvfs_fits(long long more);

#endif
