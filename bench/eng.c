/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Connections, the epoll loop, requests out and answers in.  Level-triggered:
 * one read for each readiness, so an answer that comes whole costs one read and
 * one write.
 */
#include "eng.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"

#define EVENTS	    256
#define READ_SIZE   8192
#define FAULTS_MAX  100 /* so many, and the run ends */
#define CALL_MS	    60000
#define CONNECT_MS  10000
#define KEEP_BUFFER (64 * 1024) /* a larger one is given back */

static const struct {
	const char *name;
	bool fatal; /* no use to go on */
} kinds[FAULT_N] = {
    [FAULT_STATUS] = {"bad_status", true},
    [FAULT_LOST] = {"lost_connections", true},
    [FAULT_MALFORMED] = {"malformed", true},
    [FAULT_DROPPED] = {"dropped", false},
    [FAULT_FOREIGN] = {"foreign", false},
    [FAULT_TWICE] = {"twice", false},
    [FAULT_MISSING] = {"missing", false},
};

/* ---- faults ---- */

/* The word for a kind of fault, as it stands in the JSON line. */
const char *
fault_name(enum fault what)
{
	return kinds[what].name;
}

/* How many in all. */
uint64_t
faults_total(const struct faults *f)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < FAULT_N; i++)
		n += f->n[i];
	return n;
}

/* Add them up. */
void
faults_merge(struct faults *to, const struct faults *from)
{
	int i;

	if (to->first[0] == '\0')
		memcpy(to->first, from->first, sizeof to->first);
	for (i = 0; i < FAULT_N; i++)
		to->n[i] += from->n[i];
}

/* Count one. */
void
eng_fault(struct eng *e, enum fault what, const char *fmt, ...)
{
	va_list ap;

	if (e->faults.first[0] == '\0') {
		va_start(ap, fmt);
		vsnprintf(e->faults.first, sizeof e->faults.first, fmt, ap);
		va_end(ap);
	}
	e->faults.n[what]++;
	if (kinds[what].fatal || faults_total(&e->faults) >= FAULTS_MAX)
		e->broken = true;
}

/* ---- connections ---- */

/* No connections yet. */
void
eng_init(struct eng *e, const char *path)
{
	memset(e, 0, sizeof *e);
	e->path = path;
	e->epfd = epoll_create1(EPOLL_CLOEXEC);
	e->now = clock_mono_ns();
	if (e->epfd < 0)
		eng_fault(e, FAULT_LOST, "epoll_create1: %s", strerror(errno));
}

/* The connections have to be closed before. */
void
eng_fini(struct eng *e)
{
	if (e->epfd >= 0)
		close(e->epfd);
	e->epfd = -1;
}

static void conn_ready(struct source *s, uint32_t events);

/* Connected, non-blocking descriptor, or -1 with errno.  A full backlog is
 * waited for. */
static int
dial(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int64_t give_up = clock_mono_ns() + CONNECT_MS * NS_PER_MS;
	int fd;

	if (strlen(path) >= sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	while (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		if (errno != EAGAIN || clock_mono_ns() > give_up) {
			int saved = errno;

			close(fd);
			errno = saved;
			return -1;
		}
		poll(NULL, 0, 1);
	}
	return fd;
}

/* The peer or the kernel ended it. */
static void
lost(struct conn *c, const char *why)
{
	eng_fault(c->eng, FAULT_LOST, "connection lost: %s", why);
	conn_close(c);
}

/* Tell the kernel what we wait for. */
static void
watch(struct conn *c, int op, bool write)
{
	struct epoll_event ev = {
	    .events = EPOLLIN | (write ? EPOLLOUT : 0u), .data = {.ptr = c}};

	if (epoll_ctl(c->eng->epfd, op, c->fd, &ev) < 0)
		lost(c, strerror(errno));
	else
		c->waits_to_write = write;
}

/* Connect and log in. */
bool
conn_open(struct conn *c, struct eng *e, void *arg, const char *token)
{
	memset(c, 0, sizeof *c);
	c->src.ready = conn_ready;
	c->eng = e;
	c->arg = arg;
	c->fd = dial(e->path);
	if (c->fd < 0) {
		eng_fault(e, FAULT_LOST, "connect to %s: %s", e->path,
		    strerror(errno));
		return false;
	}
	watch(c, EPOLL_CTL_ADD, false);
	return c->fd >= 0 && conn_get(c, "login", token);
}

/* End it; harmless when it is not open. */
void
conn_close(struct conn *c)
{
	if (c->eng != NULL && c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->done = NULL;
	buf_fini(&c->in);
	buf_fini(&c->out);
}

/* Write what is left to write. */
static void
flush(struct conn *c)
{
	ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN) {
		lost(c, strerror(errno));
		return;
	}
	if (n > 0)
		buf_drain(&c->out, (size_t)n);
	if (c->waits_to_write != (c->out.n > 0))
		watch(c, EPOLL_CTL_MOD, c->out.n > 0);
}

/* Send a request. */
void
conn_send(struct conn *c, const char *p, size_t n, conn_fn *done)
{
	ssize_t w;

	if (c->fd < 0)
		return;
	c->in.n = 0; /* the answer before this one has been used */
	c->done = done;
	w = send(c->fd, p, n, MSG_NOSIGNAL);
	if (w == (ssize_t)n)
		return;
	if (w < 0 && errno != EAGAIN) {
		lost(c, strerror(errno));
		return;
	}
	if (w < 0)
		w = 0;
	buf_add(&c->out, p + w, n - (size_t)w);
	if (!buf_ok(&c->out))
		lost(c, "out of memory");
	else
		watch(c, EPOLL_CTL_MOD, true);
}

/* One read.  True when it brought something. */
static bool
fill(struct conn *c, size_t want)
{
	char *to = buf_reserve(&c->in, want > READ_SIZE ? want : READ_SIZE);
	ssize_t n;

	if (to == NULL) {
		lost(c, "out of memory");
		return false;
	}
	n = recv(c->fd, to, c->in.cap - c->in.n, 0);
	if (n > 0) {
		c->in.n += (size_t)n;
		return true;
	}
	if (n == 0)
		lost(c, "the broker closed it");
	else if (errno != EAGAIN && errno != EINTR)
		lost(c, strerror(errno));
	return false;
}

/* Take an answer out of what was read; REPLY_OK when there is one. */
static enum reply_rc
take(struct conn *c, struct reply *r)
{
	enum reply_rc rc = reply_parse(r, c->in.p, c->in.n);

	if (rc == REPLY_BAD || (rc == REPLY_OK && r->total != c->in.n)) {
		eng_fault(c->eng, FAULT_MALFORMED, "not an HTTP answer: %.*s",
		    (int)(c->in.n > 200 ? 200 : c->in.n), c->in.p);
		return REPLY_BAD;
	}
	if (rc == REPLY_OK && r->status != 200)
		eng_fault(c->eng, FAULT_STATUS, "status %d: %.*s", r->status,
		    (int)(r->body.n > 200 ? 200 : r->body.n), r->body.p);
	return rc;
}

/* The answer is used up; a large buffer goes back. */
static void
used(struct conn *c)
{
	c->in.n = 0;
	if (c->in.cap > KEEP_BUFFER)
		buf_fini(&c->in);
}

/* Something to read. */
static void
readable(struct conn *c)
{
	struct reply r = {0};
	conn_fn *done = c->done;

	if (c->in.n > 0)
		reply_parse(&r, c->in.p, c->in.n);
	if (!fill(c, r.total > c->in.n ? r.total - c->in.n : 0))
		return;
	if (take(c, &r) != REPLY_OK)
		return;
	if (done == NULL) {
		eng_fault(c->eng, FAULT_MALFORMED, "an answer to nothing");
		return;
	}
	c->done = NULL;
	if (r.status == 200)
		done(c, r.body);
	used(c);
}

/* A turn of the loop for one connection. */
static void
conn_ready(struct source *s, uint32_t events)
{
	struct conn *c = (struct conn *)s;

	if (c->fd >= 0 && (events & EPOLLOUT))
		flush(c);
	if (c->fd >= 0 && (events & ~(uint32_t)EPOLLOUT))
		readable(c);
}

/* The loop. */
void
eng_run(struct eng *e, bool (*more)(void *arg), void *arg, int64_t deadline_ns)
{
	struct epoll_event ev[EVENTS];
	int i, n, ms;

	while (!e->broken && more(arg)) {
		e->now = clock_mono_ns();
		if (e->now >= deadline_ns)
			return;
		ms = (int)((deadline_ns - e->now) / NS_PER_MS) + 1;
		n = epoll_wait(e->epfd, ev, EVENTS, ms > 100 ? 100 : ms);
		e->now = clock_mono_ns();
		for (i = 0; i < n && !e->broken; i++) {
			struct source *s = ev[i].data.ptr;

			s->ready(s, ev[i].events);
		}
	}
}

/* Send and wait. */
bool
conn_call(struct conn *c, const char *p, size_t n, struct str *body)
{
	int64_t give_up = clock_mono_ns() + CALL_MS * NS_PER_MS;
	enum reply_rc rc = REPLY_MORE;
	struct reply r = {0};
	struct pollfd pfd;

	used(c);
	conn_send(c, p, n, NULL);
	while (c->fd >= 0 && rc == REPLY_MORE) {
		pfd = (struct pollfd){
		    c->fd, POLLIN | (c->out.n > 0 ? POLLOUT : 0), 0};
		poll(&pfd, 1, 1000);
		if (c->out.n > 0)
			flush(c);
		if (c->fd >= 0 && (pfd.revents & ~POLLOUT) &&
		    fill(c, r.total > c->in.n ? r.total - c->in.n : 0))
			rc = take(c, &r);
		if (rc == REPLY_MORE && clock_mono_ns() > give_up)
			lost(c, "no answer in a minute");
	}
	*body = r.body;
	return c->fd >= 0 && rc == REPLY_OK && r.status == 200;
}

/* A request without a body, answer unused. */
bool
conn_get(struct conn *c, const char *what, const char *name)
{
	struct buf b = BUF_INIT;
	struct str body;
	bool ok;

	req_get(&b, what, name);
	ok = buf_ok(&b) && conn_call(c, b.p, b.n, &body);
	buf_fini(&b);
	return ok;
}

/* ---- requests ---- */

#define HEAD_1 " HTTP/1.1\r\nconnection: keep-alive\r\ncontent-length: "
#define HEAD_2 "\r\nhost: localhost\r\nuser-agent: cohttp\r\n\r\n"

/* GET /what/name. */
void
req_get(struct buf *b, const char *what, const char *name)
{
	buf_addf(b, "GET /%s/%s" HEAD_1 "0" HEAD_2, what, name);
}

/* GET /ack/queue/id. */
void
req_ack(struct buf *b, struct str queue, int64_t id)
{
	buf_adds(b, "GET /ack/");
	buf_add(b, queue.p, queue.n);
	buf_addc(b, '/');
	buf_addi(b, id);
	buf_adds(b, HEAD_1 "0" HEAD_2);
}

/* POST /transfer; the first of a client has no cursor. */
void
req_transfer(struct buf *b, const char *queue, int64_t from, double timeout_s)
{
	char body[300];
	int n;

	if (from < 0)
		n = snprintf(body, sizeof body,
		    "{\"timeout\":%.1f,\"queues\":[\"%s\"]}", timeout_s, queue);
	else
		n = snprintf(body, sizeof body,
		    "{\"from\":\"%lld\",\"timeout\":%.1f,\"queues\":[\"%s\"]}",
		    (long long)from, timeout_s, queue);
	buf_addf(b, "POST /transfer" HEAD_1 "%d" HEAD_2 "%s", n, body);
}

/* POST /request/queue/reply_to, without the payload. */
void
req_send(
    struct buf *b, const char *queue, const char *reply_to, size_t payload_n)
{
	buf_addf(b, "POST /request/%s/%s" HEAD_1 "%zu" HEAD_2, queue, reply_to,
	    payload_n);
}

/* POST /response/to/from_queue/from_id. */
void
req_respond(struct buf *b, struct str to, struct str from_queue,
    int64_t from_id, struct str payload)
{
	buf_adds(b, "POST /response/");
	buf_add(b, to.p, to.n);
	buf_addc(b, '/');
	buf_add(b, from_queue.p, from_queue.n);
	buf_addc(b, '/');
	buf_addi(b, from_id);
	buf_adds(b, HEAD_1);
	buf_addi(b, (int64_t)payload.n);
	buf_adds(b, HEAD_2);
	buf_add(b, payload.p, payload.n);
}
