/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Preloaded into adapter and runner: SIGKILL just before the N-th call of those
 * by which a run comes to be and to its end.  A kill before call N + 1 is a
 * kill after call N, so all N cover every boundary.
 *
 *  XMSG_KILL_IN=NAME     count and kill only in the program of this name; the
 *                        nursery has the name nursery, and a runner that it
 *                        forks counts anew
 *  XMSG_KILL_AT=N        kill before the N-th call (0 or absent: never)
 *  XMSG_KILL_COUNT=FILE  append a line with number and name of each call
 *  XMSG_KILL_WHO=owner   kill the program also when the call is made by the
 *                        child that shares its memory, which then goes on;
 *                        else who calls is killed
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/preload.h"

static long calls, kill_at;
static pid_t owner;
static bool on, kill_owner;
static const char *count_file, *in;

/* Is this the program? */
static bool
is_in(const char *name)
{
	return in != NULL && strcmp(in, name) == 0;
}

/* Read arguments and environment, before main. */
static void __attribute__((constructor)) begin(int argc, char **argv)
{
	const char *s = getenv("XMSG_KILL_IN");

	in = s != NULL ? strdup(s) : NULL;
	on = is_in(preload_name(argc, argv));
	s = getenv("XMSG_KILL_AT");
	kill_at = s != NULL ? atol(s) : 0;
	s = getenv("XMSG_KILL_WHO");
	kill_owner = s != NULL && strcmp(s, "owner") == 0;
	s = getenv("XMSG_KILL_COUNT");
	count_file = s != NULL ? strdup(s) : NULL;
	owner = (pid_t)syscall(SYS_getpid);
}

/* Before each call. */
int
preload_tick(const char *name)
{
	char line[64];
	pid_t self;
	int fd, len, saved = errno;

	if (!on)
		return 0;
	calls++;
	self = (pid_t)syscall(SYS_getpid);
	if (count_file != NULL) {
		len = snprintf(line, sizeof line, "%ld %s%s\n", calls, name,
		    self == owner ? "" : " (child)");
		fd = (int)syscall(SYS_openat, AT_FDCWD, count_file,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		(void)!syscall(SYS_write, fd, line, (size_t)len);
		syscall(SYS_close, fd);
	}
	if (calls == kill_at) {
		syscall(SYS_kill, kill_owner ? owner : self, SIGKILL);
		while (self == owner || !kill_owner)
			pause();
	}
	errno = saved;
	return 0;
}

WRAP(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at),
    (fd, p, n, at))
WRAP(int, close, (int fd), (fd))
WRAP(int, dup2, (int a, int b), (a, b))
WRAP(int, pipe2, (int p[2], int flags), (p, flags))
WRAP(int, symlinkat, (const char *to, int dir, const char *name),
    (to, dir, name))
WRAP(int, mkfifoat, (int dir, const char *name, mode_t mode), (dir, name, mode))
WRAP(int, renameat, (int a, const char *from, int b, const char *to),
    (a, from, b, to))
WRAP(int, unlinkat, (int dir, const char *name, int flags), (dir, name, flags))
WRAP(int, rmdir, (const char *name), (name))
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags))
WRAP(int, posix_spawn,
    (pid_t * pid, const char *path, const posix_spawn_file_actions_t *fa,
	const posix_spawnattr_t *a, char *const argv[], char *const envp[]),
    (pid, path, fa, a, argv, envp))
WRAP(pid_t, setsid, (void), ())
WRAP(int, setpgid, (pid_t pid, pid_t group), (pid, group))
WRAP(pid_t, getppid, (void), ())
WRAP(int, chdir, (const char *path), (path))
WRAP(int, sigprocmask, (int how, const sigset_t *new, sigset_t *old),
    (how, new, old))
WRAP(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
WRAP(int, execve, (const char *path, char *const argv[], char *const envp[]),
    (path, argv, envp))
WRAP(int, ppoll,
    (struct pollfd * p, nfds_t n, const struct timespec *ts,
	const sigset_t *set),
    (p, n, ts, set))
WRAP(pid_t, waitpid, (pid_t pid, int *status, int flags), (pid, status, flags))
WRAP(int, waitid, (idtype_t type, id_t id, siginfo_t *si, int flags),
    (type, id, si, flags))
WRAP(pid_t, wait4, (pid_t pid, int *status, int flags, struct rusage *u),
    (pid, status, flags, u))
WRAP(int, munmap, (void *p, size_t n), (p, n))
WRAP(int, socketpair, (int domain, int type, int protocol, int fds[2]),
    (domain, type, protocol, fds))
WRAP(int, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))
WRAP(ssize_t, send, (int fd, const void *p, size_t n, int flags),
    (fd, p, n, flags))
WRAP(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags),
    (fd, m, flags))
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))

WRAP(int, kill, (pid_t pid, int sig), (pid, sig))

/* fork, as the nursery calls it: what comes of it is a runner. */
pid_t fork(void);
NEXT(fork)
pid_t
fork(void)
{
	pid_t pid;

	(void)preload_tick("fork");
	pid = next_fork();
	if (pid == 0) {
		owner = (pid_t)syscall(SYS_getpid);
		on = is_in(program_invocation_short_name);
		calls = 0;
	}
	return pid;
}

/* clone, as the runner calls it. */
int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
NEXT(clone)
int
clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
	(void)preload_tick("clone");
	return next_clone(fn, stack, flags, arg);
}

WRAP_OPEN(open, PATH_PARAMS, path)
WRAP_OPEN(open64, PATH_PARAMS, path)
WRAP_OPEN(openat, AT_PARAMS, AT_ARGS)
WRAP_OPEN(openat64, AT_PARAMS, AT_ARGS)
