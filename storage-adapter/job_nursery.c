/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The adapter's side of the nursery, from which runners are forked (see
 * run_nursery.c).  It is a help: whenever it cannot take a runner at once, the
 * runner is started by exec, as if there were none.  A message that was sent
 * counts as a runner that was started; one that was not has started nothing.
 *
 *     NONE --start--> BORN --its first message--> READY
 *      ^---------------------- gone ----------------'
 */
#include "job_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "xalloc.h"

/* The first one is waited for so long at most; those after it are not. */
#define READY_MS 2000
/* From one start to the next. */
#define AGAIN_NS NS_PER_SEC

struct nursery {
	const char *runner; /* the program */
	int fd; /* -1: NONE */
	pid_t pid;
	pid_t left; /* one before it, not reaped */
	bool ready;
	int64_t began_ns; /* of the last start */
	char text[SPOOL_NURSERY_MAX];
};

/* The process, with theirs as its end of the socket. */
static int
spawn(struct nursery *n, int theirs)
{
	char pad[SPOOL_NURSERY_PAD + 1];
	const char *argv[] = {n->runner, SPOOL_NURSERY, pad, NULL};

	memset(pad, ' ', SPOOL_NURSERY_PAD);
	pad[SPOOL_NURSERY_PAD] = '\0';
	return job_exec(&n->pid, argv, -1, theirs);
}

/* A new one; what fails is tried again later. */
static void
start(struct nursery *n)
{
	int p[2], theirs;

	n->began_ns = clock_mono_ns();
	n->ready = false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p) == -1)
		return;
	theirs = job_above(p[1]);
	if (theirs == -1 || spawn(n, theirs) != 0)
		close(p[0]);
	else
		n->fd = p[0];
	if (theirs != -1)
		close(theirs);
}

/* Without it from here on; it ends when it has read what was sent. */
static void
gone(struct nursery *n)
{
	close(n->fd);
	n->fd = -1;
	n->ready = false;
	if (waitpid(n->pid, NULL, WNOHANG) == 0)
		n->left = n->pid;
}

/* Has it said that it can begin? */
static void
listen_to(struct nursery *n)
{
	static const char hello[] = SPOOL_NURSERY_HELLO;
	char said[sizeof hello];
	ssize_t got = recv(n->fd, said, sizeof said, MSG_DONTWAIT);

	if (got == (ssize_t)sizeof hello - 1 && memcmp(said, hello, got) == 0)
		n->ready = true;
	else if (got != -1 || errno != EAGAIN)
		gone(n);
}

struct nursery *
nursery_new(const char *runner)
{
	struct nursery *n = xcalloc(1, sizeof *n);
	struct pollfd p = {.events = POLLIN};

	n->runner = runner;
	n->fd = -1;
	start(n);
	p.fd = n->fd;
	if (n->fd != -1 && poll(&p, 1, READY_MS) > 0)
		listen_to(n);
	return n;
}

void
nursery_free(struct nursery *n)
{
	if (n->fd != -1)
		gone(n);
	free(n);
}

pid_t
nursery_left(struct nursery *n)
{
	pid_t pid = n->left;

	n->left = 0;
	return pid;
}

/* Can it be asked now? */
static bool
awake(struct nursery *n)
{
	if (n->fd == -1 && clock_mono_ns() - n->began_ns >= AGAIN_NS)
		start(n);
	if (n->fd != -1 && !n->ready)
		listen_to(n);
	return n->ready;
}

/* The words into n->text, each with its NUL; their length, 0: no room. */
static size_t
pack(struct nursery *n, const char *const *argv)
{
	size_t len, at = 0;

	for (; *argv != NULL; argv++) {
		len = strlen(*argv) + 1;
		if (len > sizeof n->text - at)
			return 0;
		memcpy(n->text + at, *argv, len);
		at += len;
	}
	return at;
}

/* One message: all of it, or nothing of it and -1. */
static ssize_t
post(struct nursery *n, size_t len, int claim, int in)
{
	int fd[2] = {claim, in};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof fd)];
	} control = {.room = {0}};
	struct iovec v = {n->text, len};
	struct msghdr m = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), fd, sizeof fd);
	return sendmsg(n->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool
nursery_pass(struct nursery *n, const char *const *argv, int claim, int in)
{
	size_t len;

	if (!awake(n))
		return false;
	len = pack(n, argv);
	if (len == 0)
		return false;
	if (post(n, len, claim, in) != -1)
		return true;
	if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
		gone(n);
	return false; /* it may be busy, or we short of something */
}
