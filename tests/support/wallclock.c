/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Preloaded into broker and adapter: the time of day is wrong, by as many
 * nanoseconds as the eight bytes of the file XMSG_CLOCK say; the test writes
 * there when the clock is to jump.  Clocks that do not jump are left alone.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL

static _Atomic int64_t right; /* no jump */
static _Atomic int64_t *off = &right;
static __typeof__(&clock_gettime) next_clock_gettime;

/* Find the real one and the file, before main. */
static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("XMSG_CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p;

	next_clock_gettime =
	    (__typeof__(&clock_gettime))dlsym(RTLD_NEXT, "clock_gettime");
	if (fd == -1)
		return;
	p = mmap(NULL, sizeof *off, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		off = p;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t ns;
	int rc;

	if (next_clock_gettime == NULL)
		begin();
	rc = next_clock_gettime(id, ts);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
		ns = ts->tv_sec * NS + ts->tv_nsec + atomic_load(off);
		ts->tv_sec = ns / NS;
		ts->tv_nsec = ns % NS;
	}
	return rc;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec ts;
	int rc = clock_gettime(CLOCK_REALTIME, &ts);

	(void)tz;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return rc;
}

time_t
time(time_t *t)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (t != NULL)
		*t = ts.tv_sec;
	return ts.tv_sec;
}
