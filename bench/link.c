/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Connections of text, and lines of replies. */
#include "link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "xalloc.h"

#define READ_SIZE   16384
#define ASK_MS	    10000
#define KEEP_BUFFER (256 * 1024) /* a larger one is given back */

/* Connected to a path; -1 with errno. */
static int
dial_path(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Connected to HOST:PORT, host a number; -1 with errno. */
static int
dial_port(const char *where)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	    .ai_socktype = SOCK_STREAM};
	char *host = xstrdup(where), *port = strrchr(host, ':');
	struct addrinfo *a = NULL;
	int fd = -1, on = 1;

	errno = EINVAL;
	if (port != NULL)
		*port++ = '\0';
	if (port == NULL || getaddrinfo(host, port, &hints, &a) != 0) {
		free(host);
		return -1;
	}
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	freeaddrinfo(a);
	free(host);
	return fd;
}

/* The peer or the kernel ended it. */
static void
lost(struct link *l, const char *why)
{
	eng_fault(l->rig->eng, FAULT_LOST, "connection lost: %s", why);
	link_close(l);
}

/* Write what is left to write. */
void
link_flush(struct link *l)
{
	ssize_t n = 0;

	if (l->fd < 0)
		return;
	if (!buf_ok(&l->out)) {
		lost(l, "out of memory");
		return;
	}
	if (l->out.n > 0)
		n = send(l->fd, l->out.p, l->out.n, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN) {
		lost(l, strerror(errno));
		return;
	}
	if (n > 0)
		buf_drain(&l->out, (size_t)n);
	if (l->waits_to_write != (l->out.n > 0)) {
		l->waits_to_write = l->out.n > 0;
		rig_watch(l->rig, l->fd, &l->src, l->waits_to_write, false);
	}
}

/* One read.  True when it brought something. */
static bool
fill(struct link *l)
{
	char *to = buf_reserve(&l->in, READ_SIZE);
	ssize_t n;

	if (to == NULL) {
		lost(l, "out of memory");
		return false;
	}
	n = recv(l->fd, to, l->in.cap - l->in.n, MSG_DONTWAIT);
	if (n > 0) {
		l->in.n += (size_t)n;
		return true;
	}
	if (n == 0)
		lost(l, "the broker closed it");
	else if (errno != EAGAIN && errno != EINTR)
		lost(l, strerror(errno));
	return false;
}

/* A turn of the loop: every whole message that has come. */
static void
link_ready(struct source *s, uint32_t events)
{
	struct link *l = (struct link *)s;
	size_t used = 0, n = 1;

	if (l->fd >= 0 && (events & EPOLLOUT))
		link_flush(l);
	if (l->fd < 0 || !(events & ~(uint32_t)EPOLLOUT) || !fill(l))
		return;
	while (n > 0 && l->fd >= 0 && used < l->in.n && !l->rig->eng->broken) {
		n = l->take(l, l->in.p + used, l->in.n - used);
		used += n;
	}
	if (l->fd < 0)
		return;
	if (used == l->in.n && l->in.cap > KEEP_BUFFER)
		buf_fini(&l->in);
	else
		buf_drain(&l->in, used);
}

/* Connect. */
bool
link_open(struct link *l, struct rig *g, link_fn *take, void *arg)
{
	const char *where = g->o->socket;

	memset(l, 0, sizeof *l);
	l->src.ready = link_ready;
	l->rig = g;
	l->take = take;
	l->arg = arg;
	l->fd = where[0] == '/' ? dial_path(where) : dial_port(where);
	if (l->fd < 0) {
		eng_fault(g->eng, FAULT_LOST, "connect to %s: %s", where,
		    strerror(errno));
		return false;
	}
	rig_watch(g, l->fd, &l->src, false, true);
	return true;
}

/* End it; harmless when it is not open. */
void
link_close(struct link *l)
{
	if (l->rig != NULL && l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	buf_fini(&l->in);
	buf_fini(&l->out);
}

/* More to send. */
void
link_add(struct link *l, const void *p, size_t n)
{
	buf_add(&l->out, p, n);
}

/* More to send. */
void
link_addf(struct link *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&l->out, fmt, ap);
	va_end(ap);
}

/* The first line of what was read is what was wanted; take it out. */
static bool
line_is(struct link *l, const char *want)
{
	char *end = memchr(l->in.p, '\n', l->in.n);
	bool ok;

	*end = '\0';
	ok = strstr(l->in.p, want) != NULL;
	if (!ok)
		eng_fault(l->rig->eng, FAULT_STATUS,
		    "the broker says \"%.200s\" and not \"%s\"", l->in.p, want);
	buf_drain(&l->in, (size_t)(end + 1 - l->in.p));
	return ok;
}

/* Send and wait. */
void
link_ask(struct link *l, unsigned lines, const char *want)
{
	link_flush(l);
	while (lines > 0 && l->fd >= 0) {
		struct pollfd pfd = {
		    l->fd, POLLIN | (l->out.n > 0 ? POLLOUT : 0), 0};

		if (l->in.n > 0 && memchr(l->in.p, '\n', l->in.n) != NULL) {
			if (!line_is(l, want))
				return;
			lines--;
			continue;
		}
		if (poll(&pfd, 1, ASK_MS) <= 0)
			lost(l, "no answer");
		else if (pfd.revents & POLLOUT)
			link_flush(l);
		else
			fill(l);
	}
}

/* ---- lines of replies ---- */

/* Nobody waits. */
void
line_init(struct tasks_line *q)
{
	STAILQ_INIT(&q->waiting);
	STAILQ_INIT(&q->sent);
	q->nsent = 0;
	q->last = 0;
}

/* Free all. */
void
line_fini(struct tasks_line *q)
{
	struct task *t;

	STAILQ_CONCAT(&q->sent, &q->waiting);
	while ((t = STAILQ_FIRST(&q->sent)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->sent, next);
		free(t);
	}
}

/* One more reply at the end. */
void
line_add(
    struct tasks_line *q, struct caller *to, struct str ref, struct str payload)
{
	struct task *t = xmalloc(sizeof *t + payload.n);

	t->to = to;
	if (ref.n >= sizeof t->ref)
		ref.n = sizeof t->ref - 1;
	memcpy(t->ref, ref.p, ref.n);
	t->ref[ref.n] = '\0';
	t->payload = (struct str){(char *)(t + 1), payload.n};
	memcpy(t + 1, payload.p, payload.n);
	STAILQ_INSERT_TAIL(&q->waiting, t, next);
}

/* The next to be sent. */
struct task *
line_next(struct tasks_line *q, int window)
{
	struct task *t = STAILQ_FIRST(&q->waiting);

	if (t == NULL || q->nsent >= window)
		return NULL;
	STAILQ_REMOVE_HEAD(&q->waiting, next);
	STAILQ_INSERT_TAIL(&q->sent, t, next);
	q->nsent++;
	t->no = ++q->last;
	return t;
}

/* The oldest one sent is done. */
struct task *
line_confirmed(struct tasks_line *q)
{
	return line_take(q, q->last, true);
}

/* A certain one is done. */
struct task *
line_take(struct tasks_line *q, uint64_t no, bool up_to)
{
	struct task *t;

	STAILQ_FOREACH(t, &q->sent, next)
	if (t->no == no || (up_to && t->no < no)) {
		STAILQ_REMOVE(&q->sent, t, task, next);
		q->nsent--;
		return t;
	}
	return NULL;
}
