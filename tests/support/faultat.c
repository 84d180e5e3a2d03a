/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Preloaded into any of the programs: the N-th of its system calls that can
 * fail in some way does.  What can fail how is the table below.
 *
 *  XMSG_FAULT=KIND        EIO, ENOSPC, EMFILE, EINTR or ENOMEM: the call fails
 *                         with that, having done nothing; HEAP: as ENOMEM, of
 *                         malloc and the like only; SHORT: a read or write
 *                         does half of what was asked (never of a number of
 *                         eight bytes, which eventfds take whole)
 *  XMSG_FAULT_AT=N        the N-th call that can (0 or absent: none)
 *  XMSG_FAULT_FOR=N       and those that follow, N in all [1]
 *  XMSG_FAULT_IN=NAME     only in the program of this name; the nursery has the
 *                         name nursery, and a runner that it forks counts anew
 *  XMSG_FAULT_FROM=FILE   begin to count when the file is there
 *  XMSG_FAULT_COUNT=FILE  append a line with number and name of each call that
 *                         can, and where it is made: a number that stands for
 *                         the innermost functions of the program, different
 *                         in each process; those that fail are on standard
 *                         error besides
 *
 * ENOMEM is for allocations too: malloc and the like, also those that the C
 * library makes for others (not under a sanitizer, which has its own), until the
 * end of main: what is done behind it, gcov's for one, is none of the program's.
 */
#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "preload.h"

/* ---- which call can fail how ---- */

#define IO    1u /* EIO */
#define SPACE 2u /* ENOSPC */
#define FILES 4u /* EMFILE */
#define INTR  8u /* EINTR */
#define MEM   16u /* ENOMEM */
#define SHORT 32u /* half of it */
#define HEAP  64u /* ENOMEM, of allocations only */

static const struct {
	const char *name;
	unsigned bit;
	int error;
} kinds[] = {
    {"EIO", IO, EIO},
    {"ENOSPC", SPACE, ENOSPC},
    {"EMFILE", FILES, EMFILE},
    {"EINTR", INTR, EINTR},
    {"ENOMEM", MEM, ENOMEM},
    {"HEAP", HEAP, ENOMEM},
    {"SHORT", SHORT, 0},
};

static const struct {
	const char *name;
	unsigned can;
} table[] = {
    {"read", IO | INTR | SHORT},
    {"pread", IO | INTR | SHORT},
    {"pread64", IO | INTR | SHORT},
    {"recv", IO | INTR | SHORT | MEM},
    {"recvmsg", IO | INTR | MEM},
    {"write", IO | SPACE | INTR | SHORT},
    {"pwrite", IO | SPACE | INTR | SHORT},
    {"pwrite64", IO | SPACE | INTR | SHORT},
    {"send", IO | INTR | SHORT | MEM},
    {"sendmsg", IO | INTR | SHORT | MEM},
    {"fsync", IO | SPACE | INTR},
    {"fdatasync", IO | SPACE | INTR},
    {"truncate", IO | INTR},
    {"ftruncate", IO | INTR},
    {"ftruncate64", IO | INTR},
    {"posix_fallocate", IO | SPACE | INTR},
    {"open", IO | FILES | INTR | MEM},
    {"open64", IO | FILES | INTR | MEM},
    {"openat", IO | FILES | INTR | MEM},
    {"openat64", IO | FILES | INTR | MEM},
    {"open O_CREAT", IO | SPACE | FILES | INTR | MEM},
    {"open64 O_CREAT", IO | SPACE | FILES | INTR | MEM},
    {"openat O_CREAT", IO | SPACE | FILES | INTR | MEM},
    {"openat64 O_CREAT", IO | SPACE | FILES | INTR | MEM},
    {"fopen", IO | FILES | INTR | MEM},
    {"opendir", IO | FILES | MEM},
    {"fdopendir", IO | MEM},
    {"readdir", IO},
    {"scandir", IO | FILES | MEM},
    {"close", IO | INTR},
    {"stat", IO | MEM},
    {"lstat", IO | MEM},
    {"fstat", IO | MEM},
    {"stat64", IO | MEM},
    {"lstat64", IO | MEM},
    {"fstat64", IO | MEM},
    {"fstatat", IO | MEM},
    {"access", IO | MEM},
    {"faccessat", IO | MEM},
    {"readlink", IO | MEM},
    {"readlinkat", IO | MEM},
    {"fcntl64", IO | INTR},
    {"flock", IO | INTR},
    {"chmod", IO},
    {"fchmod", IO},
    {"mkdir", IO | SPACE},
    {"rmdir", IO},
    {"unlink", IO},
    {"unlinkat", IO},
    {"rename", IO | SPACE},
    {"renameat", IO | SPACE},
    {"symlinkat", IO | SPACE},
    {"mkfifoat", IO | SPACE},
    {"chdir", IO},
    {"execve", IO | MEM},
    {"socket", FILES | MEM},
    {"socketpair", FILES | MEM},
    {"bind", IO | SPACE | MEM},
    {"listen", IO},
    {"accept4", IO | FILES | INTR | MEM},
    {"connect", INTR | MEM},
    {"getsockopt", MEM},
    {"dup", FILES},
    {"dup2", INTR},
    {"pipe", FILES},
    {"pipe2", FILES},
    {"eventfd", FILES | MEM},
    {"memfd_create", FILES | MEM},
    {"signalfd", FILES | MEM},
    {"timerfd_create", FILES | MEM},
    {"epoll_create", FILES | MEM},
    {"epoll_create1", FILES | MEM},
    {"epoll_ctl", SPACE | MEM},
    {"epoll_wait", INTR},
    {"poll", INTR | MEM},
    {"ppoll", INTR | MEM},
    {"nanosleep", INTR},
    {"waitpid", INTR},
    {"waitid", INTR},
    {"wait4", INTR},
    {"inotify_init1", FILES | MEM},
    {"inotify_add_watch", SPACE | MEM},
    {"mmap", MEM},
    {"mmap64", MEM},
    {"mremap", MEM},
    {"fork", MEM},
    {"clone", MEM},
    {"posix_spawn", MEM | FILES | IO},
    {"pthread_create", MEM},
    {"malloc", MEM | HEAP},
    {"calloc", MEM | HEAP},
    {"realloc", MEM | HEAP},
};

/* ---- counting ---- */

#define FRAMES	   40 /* so far out the program is looked for, ... */
#define OWN_FRAMES 5 /* ... and so many of its calls make a place */

static atomic_long calls;
static long at, most = 1;
static unsigned kind; /* 0: none */
static int error;
static const char *count_file, *from, *in;
static atomic_bool on;
static __thread bool within; /* calls of our own do not count */
static uintptr_t text_from, text_upto; /* of the program */

/* Where the program itself is: the first object that there is. */
static int
note_text(struct dl_phdr_info *o, size_t size, void *arg)
{
	(void)size, (void)arg;
	for (int i = 0; i < o->dlpi_phnum; i++)
		if (o->dlpi_phdr[i].p_type == PT_LOAD &&
		    (o->dlpi_phdr[i].p_flags & PF_X)) {
			text_from = o->dlpi_addr + o->dlpi_phdr[i].p_vaddr;
			text_upto = text_from + o->dlpi_phdr[i].p_memsz;
		}
	return 1;
}

/* Read arguments and environment, before main. */
static void __attribute__((constructor)) begin(int argc, char **argv)
{
	const char *s = getenv("XMSG_FAULT");
	void *frame;

	dl_iterate_phdr(note_text, NULL);
	(void)backtrace(&frame, 1); /* the first time it loads a library */
	for (size_t i = 0; s != NULL && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(s, kinds[i].name) == 0) {
			error = kinds[i].error;
			kind = kinds[i].bit;
		}
	s = getenv("XMSG_FAULT_AT");
	at = s != NULL ? atol(s) : 0;
	s = getenv("XMSG_FAULT_FOR");
	most = s != NULL ? atol(s) : 1;
	/* the program may change its environment */
	s = getenv("XMSG_FAULT_IN");
	in = s != NULL ? strdup(s) : NULL;
	s = getenv("XMSG_FAULT_COUNT");
	count_file = s != NULL ? strdup(s) : NULL;
	s = getenv("XMSG_FAULT_FROM");
	from = s != NULL ? strdup(s) : NULL;
	atomic_store(&on,
	    kind != 0 &&
		(in == NULL || strcmp(in, preload_name(argc, argv)) == 0));
}

/* Can the call of this name fail in the way that is asked for? */
static bool
can(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(table[i].name, name) == 0)
			return (table[i].can & kind) != 0;
	return false;
}

/* A number for the place in the program that this call comes from. */
static uintptr_t
place(void)
{
	void *frames[FRAMES];
	int n = backtrace(frames, FRAMES), own = 0;
	uintptr_t sum = 0, at_frame;

	for (int i = 0; i < n && own < OWN_FRAMES; i++) {
		at_frame = (uintptr_t)frames[i];
		if (at_frame < text_from || at_frame >= text_upto)
			continue;
		sum = sum * 31 + at_frame;
		own++;
	}
	return sum;
}

/* Write down each, and on standard error those that fail. */
static void
note(long n, const char *name, bool fails)
{
	char line[80];
	int fd, len = snprintf(line, sizeof line, "%ld %s\n", n, name);

	if (fails) {
		(void)!syscall(SYS_write, STDERR_FILENO, "fault: ", 7);
		(void)!syscall(SYS_write, STDERR_FILENO, line, (size_t)len);
	}
	if (count_file == NULL)
		return;
	len = snprintf(line, sizeof line, "%ld %s @%lx\n", n, name,
	    (unsigned long)place());
	fd = (int)syscall(SYS_openat, AT_FDCWD, count_file,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	(void)!syscall(SYS_write, fd, line, (size_t)len);
	syscall(SYS_close, fd);
}

/* Count the call; is it its turn? */
static bool
turn(const char *name)
{
	int saved = errno;
	bool fails;
	long n;

	if (!atomic_load(&on) || within || !can(name))
		return false;
	if (from != NULL && atomic_load(&calls) == 0 &&
	    syscall(SYS_faccessat, AT_FDCWD, from, F_OK) != 0) {
		errno = saved;
		return false;
	}
	n = atomic_fetch_add(&calls, 1) + 1;
	fails = at > 0 && n >= at && n - at < most;
	within = true;
	note(n, name, fails);
	within = false;
	errno = saved;
	return fails;
}

/* What wrappers ask: 0, or the error. */
int
preload_tick(const char *name)
{
	return kind != SHORT && turn(name) ? error : 0;
}

/* ---- calls that may be short ---- */

/* How much of n is done, at least one byte of some; or -1: it fails. */
static ssize_t
share(const char *name, size_t n)
{
	if (kind == SHORT && n > 1 && n != sizeof(uint64_t))
		return (ssize_t)(turn(name) ? n / 2 : n);
	errno = kind != SHORT ? preload_tick(name) : 0;
	return errno != 0 ? -1 : (ssize_t)n;
}

#define WRAP_IO(name, params, args)                                            \
	ssize_t name params;                                                   \
	NEXT(name)                                                             \
	ssize_t name params                                                    \
	{                                                                      \
		int saved = errno;                                             \
		ssize_t some;                                                  \
                                                                               \
		if (next_##name == NULL)                                       \
			find_##name();                                         \
		some = share(#name, n);                                        \
		if (some == -1)                                                \
			return -1;                                             \
		errno = saved;                                                 \
		n = (size_t)some;                                              \
		return next_##name args;                                       \
	}

WRAP_IO(read, (int fd, void *p, size_t n), (fd, p, n))
WRAP_IO(pread, (int fd, void *p, size_t n, off_t o), (fd, p, n, o))
WRAP_IO(pread64, (int fd, void *p, size_t n, off64_t o), (fd, p, n, o))
WRAP_IO(pwrite, (int fd, const void *p, size_t n, off_t o), (fd, p, n, o))
WRAP_IO(pwrite64, (int fd, const void *p, size_t n, off64_t o), (fd, p, n, o))
WRAP_IO(recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
WRAP_IO(send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))

/* Can writing there fail so?  Only files have no room.  Standard error is where
 * a test reads why a program ended; and the pipe or the socket that is written
 * to is libevent's own, by which a signal handler wakes the loop. */
static bool
may_fail(int fd)
{
	struct stat st;

	if (fd == STDERR_FILENO || syscall(SYS_fstat, fd, &st) != 0)
		return false;
	return kind == SPACE ? S_ISREG(st.st_mode)
			     : !S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode);
}

ssize_t write(int fd, const void *p, size_t n);
NEXT(write)
ssize_t
write(int fd, const void *p, size_t n)
{
	ssize_t some;

	if (next_write == NULL)
		find_write();
	some = may_fail(fd) ? share("write", n) : (ssize_t)n;
	return some == -1 ? -1 : next_write(fd, p, (size_t)some);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags);
NEXT(sendmsg)
/* Half of it is half of the first piece. */
ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t some = share("sendmsg", m->msg_iov[0].iov_len);
	struct iovec half = m->msg_iov[0];
	struct msghdr part = *m;

	if (some == -1)
		return -1;
	if ((size_t)some == half.iov_len)
		return next_sendmsg(fd, m, flags);
	half.iov_len = (size_t)some;
	part.msg_iov = &half;
	part.msg_iovlen = 1;
	return next_sendmsg(fd, &part, flags);
}

/* ---- calls that fail or do not ---- */

WRAP(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, truncate, (const char *path, off_t n), (path, n))
WRAP(int, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, ftruncate64, (int fd, off64_t n), (fd, n))
WRAP_RC(posix_fallocate, (int fd, off_t o, off_t n), (fd, o, n))
WRAP_OPEN(open, PATH_PARAMS, path)
WRAP_OPEN(open64, PATH_PARAMS, path)
WRAP_OPEN(openat, AT_PARAMS, AT_ARGS)
WRAP_OPEN(openat64, AT_PARAMS, AT_ARGS)
WRAP_AS(FILE *, fopen, (const char *path, const char *mode), (path, mode),
    (errno = e, NULL))
WRAP_AS(DIR *, opendir, (const char *path), (path), (errno = e, NULL))
WRAP_AS(DIR *, fdopendir, (int fd), (fd), (errno = e, NULL))
WRAP_AS(struct dirent *, readdir, (DIR * d), (d), (errno = e, NULL))
WRAP(int, scandir,
    (const char *path, struct dirent ***list,
	int (*filter)(const struct dirent *),
	int (*compare)(const struct dirent **, const struct dirent **)),
    (path, list, filter, compare))
WRAP(int, stat, (const char *path, struct stat *st), (path, st))
WRAP(int, lstat, (const char *path, struct stat *st), (path, st))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, stat64, (const char *path, struct stat64 *st), (path, st))
WRAP(int, lstat64, (const char *path, struct stat64 *st), (path, st))
WRAP(int, fstat64, (int fd, struct stat64 *st), (fd, st))
WRAP(int, fstatat, (int dir, const char *path, struct stat *st, int flags),
    (dir, path, st, flags))
WRAP(int, access, (const char *path, int mode), (path, mode))
WRAP(int, faccessat, (int dir, const char *path, int mode, int flags),
    (dir, path, mode, flags))
WRAP(ssize_t, readlink, (const char *path, char *p, size_t n), (path, p, n))
WRAP(ssize_t, readlinkat, (int dir, const char *path, char *p, size_t n),
    (dir, path, p, n))
WRAP(int, flock, (int fd, int how), (fd, how))
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, rmdir, (const char *path), (path))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
WRAP(int, rename, (const char *a, const char *b), (a, b))
WRAP(int, renameat, (int da, const char *a, int db, const char *b),
    (da, a, db, b))
WRAP(int, symlinkat, (const char *to, int dir, const char *path),
    (to, dir, path))
WRAP(int, mkfifoat, (int dir, const char *path, mode_t mode), (dir, path, mode))
WRAP(int, chdir, (const char *path), (path))
WRAP(int, execve, (const char *path, char *const argv[], char *const envp[]),
    (path, argv, envp))
WRAP(
    int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(int, socketpair, (int domain, int type, int protocol, int fds[2]),
    (domain, type, protocol, fds))
WRAP(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
WRAP(int, listen, (int fd, int n), (fd, n))
WRAP(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags),
    (fd, a, n, flags))
WRAP(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
WRAP(int, getsockopt, (int fd, int level, int name, void *p, socklen_t *n),
    (fd, level, name, p, n))
WRAP(int, dup, (int fd), (fd))
WRAP(int, dup2, (int a, int b), (a, b))
WRAP(int, pipe, (int p[2]), (p))
WRAP(int, pipe2, (int p[2], int flags), (p, flags))
WRAP(int, eventfd, (unsigned n, int flags), (n, flags))
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags))
WRAP(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
WRAP(int, timerfd_create, (clockid_t id, int flags), (id, flags))
WRAP(int, epoll_create, (int n), (n))
WRAP(int, epoll_create1, (int flags), (flags))
WRAP(int, epoll_wait, (int fd, struct epoll_event *ev, int n, int ms),
    (fd, ev, n, ms))
WRAP(int, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))
WRAP(int, ppoll,
    (struct pollfd * p, nfds_t n, const struct timespec *ts,
	const sigset_t *set),
    (p, n, ts, set))
WRAP(int, nanosleep, (const struct timespec *ts, struct timespec *left),
    (ts, left))
WRAP(pid_t, waitpid, (pid_t pid, int *status, int flags), (pid, status, flags))
WRAP(int, waitid, (idtype_t type, id_t id, siginfo_t *si, int flags),
    (type, id, si, flags))
WRAP(pid_t, wait4, (pid_t pid, int *status, int flags, struct rusage *u),
    (pid, status, flags, u))
WRAP(int, inotify_init1, (int flags), (flags))
WRAP(int, inotify_add_watch, (int fd, const char *path, uint32_t mask),
    (fd, path, mask))
WRAP_AS(void *, mmap, (void *p, size_t n, int prot, int flags, int fd, off_t o),
    (p, n, prot, flags, fd, o), (errno = e, MAP_FAILED))
WRAP_AS(void *, mmap64,
    (void *p, size_t n, int prot, int flags, int fd, off64_t o),
    (p, n, prot, flags, fd, o), (errno = e, MAP_FAILED))
WRAP_RC(posix_spawn,
    (pid_t *restrict pid, const char *restrict path,
	const posix_spawn_file_actions_t *restrict fa,
	const posix_spawnattr_t *restrict a, char *const argv[restrict],
	char *const envp[restrict]),
    (pid, path, fa, a, argv, envp))
WRAP_RC(pthread_create,
    (pthread_t *restrict t, const pthread_attr_t *restrict a,
	void *(*fn)(void *), void *restrict arg),
    (t, a, fn, arg))

/* ---- calls with a rule of their own ---- */

int close(int fd);
NEXT(close)
/* A close that fails has closed. */
int
close(int fd)
{
	int e = preload_tick("close"), rc = next_close(fd);

	if (e == 0)
		return rc;
	errno = e;
	return -1;
}

int epoll_ctl(int fd, int op, int target, struct epoll_event *ev);
NEXT(epoll_ctl)
/* Taking something out needs no room. */
int
epoll_ctl(int fd, int op, int target, struct epoll_event *ev)
{
	int e = op == EPOLL_CTL_ADD ? preload_tick("epoll_ctl") : 0;

	if (e == 0)
		return next_epoll_ctl(fd, op, target, ev);
	errno = e;
	return -1;
}

int fcntl64(int fd, int op, ...);
NEXT(fcntl64)
/* As SQLite calls it: taking a lock can fail, giving it back cannot. */
int
fcntl64(int fd, int op, ...)
{
	va_list ap;
	void *arg;
	int e;

	va_start(ap, op);
	arg = va_arg(ap, void *);
	va_end(ap);
	e = op == F_SETLK && ((struct flock *)arg)->l_type != F_UNLCK
	    ? preload_tick("fcntl64")
	    : 0;
	if (e == 0)
		return next_fcntl64(fd, op, arg);
	errno = e;
	return -1;
}

void *mremap(void *p, size_t old, size_t new, int flags, ...);
NEXT(mremap)
/* As SQLite calls it: without an address. */
void *
mremap(void *p, size_t old, size_t new, int flags, ...)
{
	int e = preload_tick("mremap");

	if (e == 0)
		return next_mremap(p, old, new, flags);
	errno = e;
	return MAP_FAILED;
}

pid_t fork(void);
NEXT(fork)
/* As the nursery calls it: what comes of it is a runner. */
pid_t
fork(void)
{
	int e = preload_tick("fork");
	pid_t pid;

	if (e != 0) {
		errno = e;
		return -1;
	}
	pid = next_fork();
	if (pid == 0 && in != NULL) {
		atomic_store(
		    &on, strcmp(in, program_invocation_short_name) == 0);
		atomic_store(&calls, 0);
	}
	return pid;
}

int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
NEXT(clone)
/* As the runner calls it. */
int
clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
	int e = preload_tick("clone");

	if (e == 0)
		return next_clone(fn, stack, flags, arg);
	errno = e;
	return -1;
}

/* ---- allocations ---- */

#ifdef __GLIBC__
/* From here on there is memory; and nothing fails where gcov writes what it has
 * counted: a file that it has half written takes no more. */
static void
spare(void)
{
#ifndef FOREIGN_RUNTIME
	if ((kind & (MEM | HEAP)) != 0)
#endif
		atomic_store(&on, false);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
    void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack_end);
NEXT(__libc_start_main)

static int (*program_main)(int, char **, char **);

/* What is registered last is called first. */
static int
start(int argc, char **argv, char **envp)
{
	atexit(spare);
	return program_main(argc, argv, envp);
}

int
__libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
    void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack_end)
{
	program_main = main;
	return next___libc_start_main(
	    start, argc, argv, init, fini, rtld_fini, stack_end);
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

/* Is there none for this one? */
static bool
starved(const char *name)
{
	int e = (kind & (MEM | HEAP)) != 0 ? preload_tick(name) : 0;

	if (e != 0)
		errno = e;
	return e != 0;
}

/* Not looked for with dlsym(), which allocates. */
void *
malloc(size_t n)
{
	return starved("malloc") ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return starved("calloc") ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return starved("realloc") ? NULL : __libc_realloc(p, n);
}
#endif
