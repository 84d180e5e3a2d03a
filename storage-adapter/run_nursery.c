/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Where runners come from without exec, which would cost more than all else
 * that we do for a script.  The adapter sends the command line of a runner with
 * its two descriptors; a child of ours goes on as if it had been started so.
 *
 * A message that is on its way holds the FIFO, so do we until the child has it:
 * whenever we are killed, nobody holds it any more and nothing was run, or there
 * is a runner.  What was sent before the adapter went is begun still.
 */
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The socket; in a child the claim takes its place. */
#define NURSERY_FD RUN_CLAIM_FD

/* A runner to be. */
struct parcel {
	char text[SPOOL_NURSERY_MAX];
	size_t n; /* of text */
	int fd[2]; /* claim, standard input; -1: none */
};

/* Where the kernel looks for our command line. */
static struct {
	char *at;
	size_t n;
} title;

/* The arguments lie one behind the other; what is padding goes. */
static void
find_title(int argc, char **argv)
{
	char *end = argv[0];
	int i;

	for (i = 0; i < argc && argv[i] == end; i++)
		end += strlen(end) + 1;
	title.at = argv[0];
	title.n = (size_t)(end - argv[0]);
	if (argc > 2 && i > 2)
		memset(argv[2], 0, strlen(argv[2]));
}

/* Look like a runner that was started with these arguments.  When there is no
 * room for all of them, options are left out; the last byte stays 0. */
static void
retitle(char **argv, size_t n)
{
	size_t head = strlen(argv[0]) + 1, room = title.n - 1, skip = 0;
	char **dir = argv + 1;

	if (n > room) {
		while (*dir != NULL && strncmp(*dir, "--", 2) == 0)
			dir += dir[1] != NULL ? 2 : 1;
		if (*dir == NULL || head >= room)
			return;
		skip = (size_t)(*dir - argv[0]) - head;
	}
	if (n - skip > room)
		n = room + skip;
	memset(title.at, 0, title.n);
	memcpy(title.at, argv[0], head);
	memcpy(title.at + head, argv[0] + head + skip, n - head - skip);
}

/* The words of a message; NULL: no memory. */
static char **
words(struct parcel *p, int *argc)
{
	char **v = calloc(p->n + 1, sizeof *v), *at;

	*argc = 0;
	for (at = p->text; v != NULL && at < p->text + p->n;
	     at += strlen(at) + 1)
		v[(*argc)++] = at;
	return v;
}

/* In the child: become the runner. */
static int
child(struct parcel *p)
{
	char **argv;
	int argc, rc = ENOMEM;

	if (dup2(p->fd[1], STDIN_FILENO) == -1 ||
	    dup2(p->fd[0], RUN_CLAIM_FD) == -1)
		return errno; /* cannot be: these numbers are in use */
	close(p->fd[0]);
	close(p->fd[1]);
	argv = words(p, &argc);
	if (argv != NULL) {
		retitle(argv, p->n);
		rc = run_script(argc, argv);
	}
	free(argv);
	return rc;
}

/* The descriptors of a message. */
static void
unpack(struct msghdr *m, struct parcel *p)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	size_t n;

	p->fd[0] = p->fd[1] = -1;
	if (c == NULL || c->cmsg_level != SOL_SOCKET ||
	    c->cmsg_type != SCM_RIGHTS)
		return;
	n = c->cmsg_len - CMSG_LEN(0);
	memcpy(p->fd, CMSG_DATA(c), n < sizeof p->fd ? n : sizeof p->fd);
}

/* Wait for a message: 1, 0 when the adapter is gone and nothing is left, -1
 * with errno.  Its descriptors are ours; *why: 0, or what is wrong with it. */
static int
receive(struct parcel *p, int *why)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof p->fd)];
	} control;
	struct iovec v = {p->text, sizeof p->text};
	struct msghdr m = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	ssize_t n = recvmsg(NURSERY_FD, &m, MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return (int)n;
	p->n = (size_t)n;
	unpack(&m, p);
	*why = 0;
	if (m.msg_flags & MSG_CTRUNC)
		*why = EMFILE; /* we have no room, or there were too many */
	else if (p->fd[1] == -1 || (m.msg_flags & MSG_TRUNC) ||
	    p->text[n - 1] != '\0')
		*why = EINVAL;
	return 1;
}

/* Not an end, only something that happened. */
static bool
passing(int why)
{
	return why == EINTR || why == ECONNRESET || why == ENOMEM ||
	    why == ENOBUFS;
}

/* One runner; true in the child. */
static bool
beget(struct parcel *p, int why)
{
	pid_t pid = why == 0 ? fork() : -1;
	int i;

	if (pid == 0)
		return true;
	if (pid == -1)
		run_refuse(p->fd[0], why != 0 ? why : errno);
	for (i = 0; i < 2; i++)
		if (p->fd[i] != -1)
			close(p->fd[i]);
	return false;
}

int
run_nursery(int argc, char **argv)
{
	static const char hello[] = SPOOL_NURSERY_HELLO;
	static struct parcel p;
	int rc, why = 0;

	find_title(argc, argv);
	run_prepare(true);
	(void)setpgid(0, 0);
	signal(SIGCHLD, SIG_IGN); /* nobody waits for runners */
	if (send(NURSERY_FD, hello, sizeof hello - 1, MSG_NOSIGNAL) == -1)
		return errno;
	for (;;) {
		rc = receive(&p, &why);
		if (rc == 1 && beget(&p, why))
			return child(&p);
		if (rc == 0)
			return 0;
		if (rc == -1 && !passing(errno))
			return errno;
	}
}
