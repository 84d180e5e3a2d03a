/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Preloaded into the broker: ends it with SIGKILL just before its N-th system
 * call of those that change what others can see (files, answers), for any N.
 * A kill before call N + 1 is a kill after call N, so all N cover every
 * boundary.  Works where ptrace is not allowed.
 *
 *  XMSG_KILL_AT=N       end before the N-th call (0 or absent: never)
 *  XMSG_KILL_COUNT=FILE append a line with name and number of each call
 *  XMSG_SLOW_SYNC_MS=N  each sync takes so long
 *  XMSG_FAIL_SYNC=N     the N-th sync fails, having done its work
 *
 * Counting begins with the first call after XMSG_KILL_FROM (a file) is there,
 * when that is given: so a test can leave the start out.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"

static atomic_long calls, syncs;
static long kill_at, slow_ms, fail_sync;
static const char *from;
static int count_fd = -1;
static atomic_bool on;

/* Read the environment, before main. */
static void __attribute__((constructor)) begin(void)
{
	const char *s = getenv("XMSG_KILL_AT");

	kill_at = s ? atol(s) : 0;
	s = getenv("XMSG_SLOW_SYNC_MS");
	slow_ms = s ? atol(s) : 0;
	s = getenv("XMSG_FAIL_SYNC");
	fail_sync = s ? atol(s) : 0;
	from = getenv("XMSG_KILL_FROM");
	atomic_store(&on, from == NULL);
	s = getenv("XMSG_KILL_COUNT");
	if (s != NULL)
		count_fd = (int)syscall(SYS_openat, AT_FDCWD, s,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* Before each call. */
int
preload_tick(const char *name)
{
	char line[64];
	long n;
	int len;

	if (!atomic_load(&on)) {
		if (syscall(SYS_faccessat, AT_FDCWD, from, F_OK) != 0)
			return 0;
		atomic_store(&on, true);
	}
	n = atomic_fetch_add(&calls, 1) + 1;
	if (count_fd != -1) {
		len = snprintf(line, sizeof line, "%ld %s\n", n, name);
		(void)!syscall(SYS_write, count_fd, line, (size_t)len);
	}
	if (n == kill_at) {
		syscall(SYS_kill, getpid(), SIGKILL);
		for (;;)
			pause();
	}
	return 0;
}

WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at),
    (fd, p, n, at))
WRAP(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at),
    (fd, p, n, at))
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
WRAP(ssize_t, send, (int fd, const void *p, size_t n, int flags),
    (fd, p, n, flags))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags),
    (fd, m, flags))
WRAP(int, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, ftruncate64, (int fd, off64_t n), (fd, n))
WRAP_RC(posix_fallocate, (int fd, off_t at, off_t n), (fd, at, n))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, rename, (const char *a, const char *b), (a, b))
WRAP(int, close, (int fd), (fd))
WRAP(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
WRAP(int, listen, (int fd, int n), (fd, n))
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))

/* A sync, slow when asked for. */
static int
sync_fd(const char *name, int (*next)(int), int fd)
{
	struct timespec ts = {slow_ms / 1000, slow_ms % 1000 * 1000000};

	(void)preload_tick(name);
	if (slow_ms > 0)
		nanosleep(&ts, NULL);
	if (atomic_load(&on) && atomic_fetch_add(&syncs, 1) + 1 == fail_sync) {
		(void)next(fd);
		errno = EIO;
		return -1;
	}
	return next(fd);
}

NEXT(fdatasync)
int
fdatasync(int fd)
{
	return sync_fd("fdatasync", next_fdatasync, fd);
}

NEXT(fsync)
int
fsync(int fd)
{
	return sync_fd("fsync", next_fsync, fd);
}

WRAP_OPEN(open, PATH_PARAMS, path)
WRAP_OPEN(open64, PATH_PARAMS, path)
WRAP_OPEN(openat, AT_PARAMS, AT_ARGS)
WRAP_OPEN(openat64, AT_PARAMS, AT_ARGS)
