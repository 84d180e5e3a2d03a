/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Small parts of lib where the system says no: files read and written whole,
 * allocations that end the program, checks that notice. */
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf.h"
#include "heap.h"
#include "whole.h"
#include "xalloc.h"

/* ---- files ---- */

/* What calls do, one after the other: > 0 that many bytes at most, 0 none, < 0
 * an error; at the end of the list all of it. */
static const int *steps;
static size_t nsteps, at_step;

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __real_pread(int fd, void *p, size_t n, off_t at);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
int __real_openat(int dir, const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
int __wrap_openat(int dir, const char *path, int flags, ...);

/* How much of n; false: the call ends with *rc. */
static bool
go_on(size_t *n, ssize_t *rc)
{
	int step = at_step < nsteps ? steps[at_step++] : INT32_MAX;

	errno = step < 0 ? -step : 0;
	*rc = step < 0 ? -1 : 0;
	if (step > 0 && (size_t)step < *n)
		*n = (size_t)step;
	return step > 0;
}

ssize_t
__wrap_read(int fd, void *p, size_t n)
{
	ssize_t rc;

	return go_on(&n, &rc) ? __real_read(fd, p, n) : rc;
}

ssize_t
__wrap_pread(int fd, void *p, size_t n, off_t at)
{
	ssize_t rc;

	return go_on(&n, &rc) ? __real_pread(fd, p, n, at) : rc;
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	ssize_t rc;

	return go_on(&n, &rc) ? __real_write(fd, p, n) : rc;
}

ssize_t
__wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t rc;

	return go_on(&n, &rc) ? __real_pwrite(fd, p, n, at) : rc;
}

int
__wrap_openat(int dir, const char *path, int flags, ...)
{
	size_t n = 1;
	ssize_t rc;

	return go_on(&n, &rc) ? __real_openat(dir, path, flags, 0600) : -1;
}

/* From here on calls do this. */
static void
plan(const int *v, size_t n)
{
	steps = v;
	nsteps = n;
	at_step = 0;
}

#define PLAN(...)                                                              \
	plan((const int[]){__VA_ARGS__},                                       \
	    sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* Pieces and interruptions make no difference; a failure is one. */
static void
whole_goes_on(void **state)
{
	char path[] = "/tmp/xmsg-whole.XXXXXX", got[16] = "";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd != -1);
	close(fd);
	PLAN(-EINTR, -EINTR);
	fd = whole_open(AT_FDCWD, path, O_RDWR, 0);
	assert_true(fd != -1);
	PLAN(3, -EINTR, 1, -EINTR);
	assert_int_equal(whole_write(fd, "0123456789", 10), 0);
	PLAN(1, -EINTR);
	assert_int_equal(whole_pwrite(fd, "ab", 2, 4), 0);
	PLAN(2, -EINTR, 5);
	assert_int_equal(whole_pread(fd, got, 16, 0), 10);
	assert_memory_equal(got, "0123ab6789", 10);
	assert_int_equal(lseek(fd, 8, SEEK_SET), 8);
	PLAN(-EINTR, 1);
	assert_int_equal(whole_read(fd, got, 16), 2);
	assert_memory_equal(got, "89", 2);
	PLAN(2, -EIO);
	assert_int_equal(whole_pread(fd, got, 10, 0), -1);
	assert_int_equal(errno, EIO);
	PLAN(2, -ENOSPC);
	assert_int_equal(whole_write(fd, "xyz", 3), -1);
	assert_int_equal(errno, ENOSPC);
	PLAN(0);
	assert_int_equal(whole_pwrite(fd, "xyz", 3, 0), -1);
	assert_int_equal(errno, EIO);
	PLAN(-EMFILE);
	assert_int_equal(whole_open(AT_FDCWD, path, O_RDWR, 0), -1);
	assert_int_equal(errno, EMFILE);
	plan(NULL, 0);
	close(fd);
	unlink(path);
}

/* ---- allocations ---- */

static void *sink;
static bool none; /* there is no memory */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *
__wrap_malloc(size_t n)
{
	return none ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return none ? NULL : __real_calloc(n, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return none ? NULL : __real_reallocarray(p, n, size);
}

/* For what comes behind the program's end. */
static void
memory_again(void)
{
	none = false;
}

static void
no_malloc(void)
{
	sink = xmalloc(7);
}

static void
no_calloc(void)
{
	sink = xcalloc(7, 7);
}

static void
no_reallocarray(void)
{
	sink = xreallocarray(NULL, 7, 7);
}

/* A program without memory ends with a status that manuals have; nothing is
 * something all the same. */
static void
no_memory_ends_the_program(void **state)
{
	static void (*const fns[])(void) = {
	    no_malloc, no_calloc, no_reallocarray};
	void *p[4] = {xmalloc(0), xcalloc(0, 0), xcalloc(1, 0),
	    xreallocarray(NULL, 0, 0)};
	int status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_non_null(p[i]);
		free(p[i]);
	}
	for (size_t i = 0; i < sizeof fns / sizeof *fns; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			atexit(memory_again);
			none = true;
			fns[i]();
			exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), EX_OSERR);
	}
}

/* More than there can be is a failure that stays. */
static void
buf_that_is_too_large(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "x");
	assert_null(buf_reserve(&b, SIZE_MAX / 2 + 10));
	assert_false(buf_ok(&b));
	buf_adds(&b, "y");
	assert_int_equal(b.n, 1);
	assert_null(buf_steal(&b, NULL));
	buf_fini(&b);
}

/* ---- checks ---- */

static void
heap_check_notices(void **state)
{
	struct heap_node e[5] = {{0}};
	struct heap h = {0};

	(void)state;
	for (int i = 0; i < 5; i++) {
		e[i].key = i;
		assert_true(heap_add(&h, &e[i]));
	}
	assert_true(heap_check(&h));
	e[4].key = -1;
	assert_false(heap_check(&h));
	e[4].key = 4;
	e[2].pos++;
	assert_false(heap_check(&h));
	e[2].pos--;
	assert_true(heap_check(&h));
	heap_fini(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_goes_on),
	    cmocka_unit_test(no_memory_ends_the_program),
	    cmocka_unit_test(buf_that_is_too_large),
	    cmocka_unit_test(heap_check_notices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
