/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The loops around open, read and write.  `at` -1: where the file stands. */
#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
whole_open(int dir, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dir, path, flags, mode);
	while (fd == -1 && errno == EINTR);
	return fd;
}

ssize_t
whole_pread(int fd, void *to, size_t n, off_t at)
{
	size_t have = 0;
	ssize_t some;

	while (have < n) {
		some = at == -1
		    ? read(fd, (char *)to + have, n - have)
		    : pread(fd, (char *)to + have, n - have, at + (off_t)have);
		if (some == 0)
			break;
		if (some > 0)
			have += (size_t)some;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)have;
}

ssize_t
whole_read(int fd, void *to, size_t n)
{
	return whole_pread(fd, to, n, -1);
}

int
whole_pwrite(int fd, const void *p, size_t n, off_t at)
{
	const char *from = p;
	size_t done = 0;
	ssize_t some;

	while (done < n) {
		some = at == -1
		    ? write(fd, from + done, n - done)
		    : pwrite(fd, from + done, n - done, at + (off_t)done);
		if (some > 0) {
			done += (size_t)some;
			continue;
		}
		if (some == 0)
			errno = EIO; /* what a file never does */
		if (errno != EINTR)
			return -1;
	}
	return 0;
}

int
whole_write(int fd, const void *p, size_t n)
{
	return whole_pwrite(fd, p, n, -1);
}
