/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The two clocks and the boot they belong to. */
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "whole.h"

/* Read one clock. */
static int64_t
get(clockid_t id)
{
	struct timespec ts = {0, 0};

	(void)clock_gettime(id, &ts); /* cannot fail for these ids */
	return (int64_t)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

/* Time since boot. */
int64_t
clock_mono_ns(void)
{
	return get(CLOCK_BOOTTIME);
}

/* Time of day. */
int64_t
clock_wall_ns(void)
{
	return get(CLOCK_REALTIME);
}

/* The kernel's boot id. */
int
clock_boot_id(char out[37])
{
	ssize_t n;
	int fd;

	memset(out, 0, 37);
	fd = whole_open(AT_FDCWD, "/proc/sys/kernel/random/boot_id",
	    O_RDONLY | O_CLOEXEC, 0);
	if (fd == -1)
		return errno == ENOENT || errno == EACCES ? 0 : -1;
	n = whole_read(fd, out, 36);
	close(fd);
	if (n != 36)
		memset(out, 0, 37);
	return n == -1 ? -1 : 0;
}
