/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What a VFS for tests hands on to the system's as it is.  A file begins with a
 * struct passed; PASS_METHODS are the rows for its table.
 */
#ifndef XMSG_TESTS_PASSVFS_H
#define XMSG_TESTS_PASSVFS_H

#include <sqlite3.h>

struct passed {
	sqlite3_file base; /* first member */
	sqlite3_file *real; /* behind the struct that it begins */
};

static sqlite3_file *
real(sqlite3_file *f)
{
	return ((struct passed *)f)->real;
}

static int
f_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return real(f)->pMethods->xFileSize(real(f), n);
}

static int
f_lock(sqlite3_file *f, int how)
{
	return real(f)->pMethods->xLock(real(f), how);
}

static int
f_unlock(sqlite3_file *f, int how)
{
	return real(f)->pMethods->xUnlock(real(f), how);
}

static int
f_reserved(sqlite3_file *f, int *out)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int
f_control(sqlite3_file *f, int op, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int
f_sector(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}

static int
f_device(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int
f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **p)
{
	return real(f)->pMethods->xShmMap(real(f), page, size, extend, p);
}

static int
f_shm_lock(sqlite3_file *f, int off, int n, int flags)
{
	return real(f)->pMethods->xShmLock(real(f), off, n, flags);
}

static void
f_shm_barrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}

static int
f_shm_unmap(sqlite3_file *f, int delete)
{
	return real(f)->pMethods->xShmUnmap(real(f), delete);
}

#define PASS_METHODS                                                           \
	.xFileSize = f_size, .xLock = f_lock, .xUnlock = f_unlock,             \
	.xCheckReservedLock = f_reserved, .xFileControl = f_control,           \
	.xSectorSize = f_sector, .xDeviceCharacteristics = f_device,           \
	.xShmMap = f_shm_map, .xShmLock = f_shm_lock,                          \
	.xShmBarrier = f_shm_barrier, .xShmUnmap = f_shm_unmap

#endif
