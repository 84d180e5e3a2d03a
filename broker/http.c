/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Connections.
 *
 *   IDLE ──bytes──> READING ──whole request──> BUSY ──http_reply──> IDLE
 *                      │ head or body too slow, malformed             │
 *                      └──> error reply, then CLOSING <── peer asked ─┘
 *
 * Bytes are read into one buffer shared by all connections, and a request that
 * came whole is handled there; only what is incomplete or has to wait is copied
 * to the connection.  A reply is written at once; what the socket does not take
 * is kept; while much of it is kept, no further request is begun.
 */
#include "http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "clock.h"
#include "log.h"
#include "map.h"
#include "wire.h"
#include "xalloc.h"

#define SCRATCH	     (64 * 1024)
#define ACCEPT_BURST 64 /* connections taken in one turn */
#define RETRY_NS     (100 * NS_PER_MS) /* accept again after EMFILE */

struct http_conn {
	struct event ev; /* first: most of the size */
	struct deadline slow;
	struct http *http;
	void *user;
	struct http1 parser;
	struct buf in, out;
	size_t out_at;
	int64_t since, began_ns;
	uint64_t nrequests;
	uid_t uid;
	int fd;
	short armed;
	bool busy, closing, dead, queued, parsing;
	bool parked; /* the request under way may take long */
	bool half; /* the peer has left; one answer is still due */
	TAILQ_ENTRY(http_conn) all;
	TAILQ_ENTRY(http_conn) todo; /* to go on with, or to be freed */
};

TAILQ_HEAD(conn_list, http_conn);

/* Connections per user. */
struct uid_ent {
	UT_hash_handle hh;
	uid_t uid;
	int64_t n;
};

struct http {
	struct http_config c;
	struct event *listener;
	struct deadline retry;
	struct conn_list all, todo;
	struct uid_ent *uids;
	struct http_counters n;
	int64_t now_ns;
	int spare; /* descriptor given up to tell a client that there is none */
	bool told;
	char *scratch;
};

/* ---- the event of a connection ---- */

static void on_io(evutil_socket_t fd, short what, void *arg);

/* Has the peer left so much unread that it gets no more? */
static bool
choked(const struct http_conn *c)
{
	return c->out.n - c->out_at >= c->http->c.max_pending;
}

/* What matters now: its end, unless that would be told for ever; bytes unless
 * too many wait already behind a request or a reply; room to write when
 * something is left. */
static short
wanted(const struct http_conn *c)
{
	short want = c->half ? 0 : EV_CLOSED;

	if (!c->closing &&
	    ((!c->busy && !choked(c)) || c->in.n < c->http->c.max_pending))
		want |= EV_READ;
	if (c->out.n > c->out_at)
		want |= EV_WRITE;
	return want != 0 ? want | EV_PERSIST : 0;
}

/* Watch for it. */
static void
arm(struct http_conn *c)
{
	short want = wanted(c);

	if (c->dead || want == c->armed)
		return;
	if (c->armed != 0)
		event_del(&c->ev);
	c->armed = 0;
	if (want == 0)
		return;
	event_assign(&c->ev, c->http->c.base, c->fd, want, on_io, c);
	if (event_add(&c->ev, NULL) == -1) {
		log_error("http", "cannot watch a connection");
		http_drop(c);
		return;
	}
	c->armed = want;
}

/* Look at it again at the end of the turn. */
static void
enqueue(struct http_conn *c)
{
	if (c->queued)
		return;
	c->queued = true;
	TAILQ_INSERT_TAIL(&c->http->todo, c, todo);
}

/* End a connection; it is freed at the end of the turn. */
void
http_drop(struct http_conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	if (c->armed != 0)
		event_del(&c->ev);
	c->armed = 0;
	deadline_clear(c->http->c.deadlines, &c->slow);
	enqueue(c);
}

/* ---- writing ---- */

/* Send what is left; drops the connection when the peer is gone. */
static void
flush(struct http_conn *c)
{
	ssize_t n;

	while (!c->dead && c->out_at < c->out.n) {
		n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno != EAGAIN && errno != EWOULDBLOCK) {
			http_drop(c);
			return;
		}
		if (n == -1)
			break;
		c->out_at += (size_t)n;
	}
	if (c->out_at == c->out.n) {
		buf_fini(&c->out);
		c->out_at = 0;
		if (c->closing)
			http_drop(c);
	} else if (c->out_at >= c->http->c.max_pending &&
	    c->out_at >= c->out.n / 2) { /* or a long reply is moved often */
		buf_drain(&c->out, c->out_at);
		c->out_at = 0;
	}
	if (!c->dead && c->in.n > 0 && !choked(c))
		enqueue(c);
	arm(c);
}

/* Keep what the socket did not take. */
static void
keep(struct http_conn *c, const struct iovec v[2], size_t sent)
{
	for (int i = 0; i < 2; i++) {
		size_t skip = sent < v[i].iov_len ? sent : v[i].iov_len;

		buf_add(
		    &c->out, (char *)v[i].iov_base + skip, v[i].iov_len - skip);
		sent -= skip;
	}
	if (!buf_ok(&c->out)) {
		log_warn(
		    "http", "no memory for a reply of %zu bytes", v[1].iov_len);
		http_drop(c);
	}
}

/* Head and body in one system call when the socket takes them. */
static void
send_reply(struct http_conn *c, struct str head, struct str body)
{
	struct iovec v[2] = {{(void *)(uintptr_t)head.p, head.n},
	    {(void *)(uintptr_t)body.p, body.n}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = body.n ? 2 : 1};
	ssize_t n = 0;

	if (c->out.n == c->out_at) {
		do
			n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		while (n == -1 && errno == EINTR);
		if (n == -1 && errno != EAGAIN && errno != EWOULDBLOCK) {
			http_drop(c);
			return;
		}
		if (n == -1)
			n = 0;
		if ((size_t)n == head.n + body.n) {
			if (c->closing)
				http_drop(c);
			return;
		}
	}
	keep(c, v, (size_t)n);
	arm(c);
}

/* Answer the request under way, with fields of its own. */
void
http_reply_with(struct http_conn *c, int status, const char *type,
    struct str fields, struct str body)
{
	struct buf head = BUF_INIT;

	if (c->dead)
		return;
	c->busy = c->parked = false;
	http1_put_reply(
	    &head, status, type, c->closing && type != NULL, body.n);
	if (buf_ok(&head) && fields.n > 0) {
		head.n -= 2; /* the empty line comes behind them */
		buf_add(&head, fields.p, fields.n);
		buf_adds(&head, "\r\n");
	}
	if (buf_ok(&head))
		send_reply(c, (struct str){head.p, head.n}, body);
	else
		http_drop(c);
	buf_fini(&head);
	if (c->dead || c->parsing)
		return;
	if (c->in.n > 0)
		enqueue(c);
	arm(c);
}

/* Answer the request under way. */
void
http_reply(struct http_conn *c, int status, const char *type, struct str body)
{
	http_reply_with(c, status, type, (struct str){NULL, 0}, body);
}

/* ---- reading ---- */

/* A message that cannot be understood: say why, then close. */
static void
refuse(struct http_conn *c)
{
	struct buf b = BUF_INIT;

	c->http->n.bad++;
	c->closing = true;
	wire_put_error(&b, "bad_request", c->parser.reason,
	    "the connection is closed; send HTTP/1.1 as RFC 9112 has it");
	http_reply(
	    c, c->parser.status, "application/json", (struct str){b.p, b.n});
	buf_fini(&b);
}

/* Too slow: close, with a word. */
static void
too_slow(struct deadline *d, int64_t now)
{
	struct http_conn *c =
	    (struct http_conn *)((char *)d - offsetof(struct http_conn, slow));

	(void)now;
	c->http->n.slow++;
	c->parser.status = 408;
	c->parser.reason = "the request did not come in time";
	refuse(c);
	http_drop(c);
}

/* Set or clear the limit for a request that is incomplete. */
static void
watch_speed(struct http_conn *c, size_t have)
{
	const struct http_config *cf = &c->http->c;
	int64_t limit = cf->head_ns;

	if (have == 0) {
		deadline_clear(cf->deadlines, &c->slow);
		c->began_ns = 0;
		return;
	}
	if (c->began_ns == 0)
		c->began_ns = c->http->now_ns;
	if (http1_head_done(&c->parser) && cf->body_rate > 0)
		limit += (int64_t)have / cf->body_rate * NS_PER_SEC;
	else if (deadline_pending(&c->slow))
		return;
	c->slow.fn = too_slow;
	deadline_set(cf->deadlines, &c->slow, c->began_ns + limit);
}

/* One whole request: hand it up. */
static void
handle(struct http_conn *c, const char *p)
{
	struct http_request r = {.method = c->parser.method,
	    .target = c->parser.target,
	    .body = c->parser.body};

	(void)http1_field(&c->parser, p, "idempotency-key", &r.key);
	(void)http1_field(&c->parser, p, "accept", &r.accept);
	c->busy = true;
	c->nrequests++;
	c->http->n.requests++;
	if (c->parser.close)
		c->closing = true;
	c->http->c.handler->request(c->http->c.ctx, c, &r);
}

/* Handle requests in p[0..n) as far as they are whole; returns how many bytes
 * are done with. */
static size_t
consume(struct http_conn *c, char *p, size_t n)
{
	size_t at = 0;

	c->parsing = true;
	while (at < n && !c->busy && !c->dead && !c->closing && !choked(c)) {
		enum http1_rc rc = http1_feed(&c->parser, p + at, n - at);

		if (rc == HTTP1_MORE)
			break;
		if (rc == HTTP1_ERROR) {
			refuse(c);
			at = n;
			break;
		}
		handle(c, p + at);
		at += c->parser.used;
		http1_init(&c->parser, HTTP1_REQUEST, &c->http->c.parse);
		c->began_ns = 0;
		deadline_clear(c->http->c.deadlines, &c->slow);
	}
	c->parsing = false;
	return at;
}

/* After consume: what is left is kept, the event follows. */
static void
settle(struct http_conn *c)
{
	if (c->dead)
		return;
	if (c->in.n == 0 && c->in.cap > 0)
		buf_fini(&c->in);
	if (!c->busy && !choked(c))
		watch_speed(c, c->in.n);
	arm(c);
}

/* Bytes that came while others were waiting already. */
static void
consume_buffered(struct http_conn *c)
{
	size_t used = consume(c, c->in.p, c->in.n);

	buf_drain(&c->in, used);
	settle(c);
}

/* Bytes in the shared buffer. */
static void
consume_fresh(struct http_conn *c, char *p, size_t n)
{
	size_t used = consume(c, p, n);

	if (used < n && !c->dead) {
		buf_add(&c->in, p + used, n - used);
		if (!buf_ok(&c->in)) {
			log_warn("http", "no memory for a request");
			http_drop(c);
		}
	}
	settle(c);
}

static void on_closed(struct http_conn *c);

/* Read once. */
static void
on_readable(struct http_conn *c)
{
	bool fresh = c->in.n == 0;
	char *to = fresh ? c->http->scratch : buf_reserve(&c->in, SCRATCH);
	ssize_t n;

	if (to == NULL) {
		log_warn("http", "no memory for a request");
		http_drop(c);
		return;
	}
	do
		n = recv(c->fd, to, SCRATCH, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EWOULDBLOCK)) {
		on_closed(c);
		return;
	}
	if (n == -1)
		return;
	if (fresh) {
		consume_fresh(c, to, (size_t)n);
		return;
	}
	c->in.n += (size_t)n;
	consume_buffered(c);
}

/* The peer has closed, at least its sending side.  What is parked is void; a
 * change on its way to the disk is still answered, in vain or not, and an
 * answer on its way to the peer is finished. */
static void
on_closed(struct http_conn *c)
{
	if (c->parked || (!c->busy && c->out.n == c->out_at)) {
		http_drop(c);
		return;
	}
	c->closing = c->half = true;
	buf_fini(&c->in);
	arm(c);
}

static void
on_io(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *c = arg;

	(void)fd;
	if (c->dead)
		return;
	c->http->c.handler->wake(c->http->c.ctx);
	if (what & EV_WRITE)
		flush(c);
	if ((what & EV_READ) && !c->dead)
		on_readable(c);
	/* with reading on, recv() tells; bytes before the end count */
	if ((what & EV_CLOSED) && !c->dead && (!(what & EV_READ) || c->busy))
		on_closed(c);
}

/* ---- accepting ---- */

static struct uid_ent *
uid_get(struct http *h, uid_t uid)
{
	struct uid_ent *u = NULL;

	HASH_FIND(hh, h->uids, &uid, sizeof uid, u);
	if (u == NULL) {
		u = xcalloc(1, sizeof *u);
		u->uid = uid;
		HASH_ADD(hh, h->uids, uid, sizeof uid, u);
	}
	return u;
}

static void
uid_drop(struct http *h, uid_t uid)
{
	struct uid_ent *u = uid_get(h, uid);

	if (--u->n > 0)
		return;
	HASH_DEL(h->uids, u);
	free(u);
}

/* Tell a client that it cannot be served, and why. */
static void
turn_away(struct http *h, int fd, const char *why)
{
	struct buf b = BUF_INIT, head = BUF_INIT;

	h->n.refused++;
	wire_put_error(&b, "too_many_connections", why,
	    "close connections that are not needed, or raise the limit");
	http1_put_reply(&head, 503, "application/json", true, b.n);
	buf_add(&head, b.p, b.n);
	/* it may be gone already: that is its own business */
	if (buf_ok(&head) &&
	    send(fd, head.p, head.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
	}
	buf_fini(&b);
	buf_fini(&head);
	close(fd);
}

/* Is there room for one more of this user? NULL, or why not. */
static const char *
no_room(struct http *h, uid_t uid)
{
	if ((int64_t)h->n.connections >= h->c.max_connections)
		return "limits.connections is reached";
	if (uid != 0 && uid_get(h, uid)->n >= h->c.max_connections_per_uid)
		return "limits.connections_per_uid is reached";
	return NULL;
}

static void
take(struct http *h, int fd)
{
	struct usock_peer peer;
	struct http_conn *c;
	const char *why;

	if (usock_peer(fd, &peer) == -1) {
		close(fd);
		return;
	}
	why = no_room(h, peer.uid);
	if (why != NULL) {
		turn_away(h, fd, why);
		return;
	}
	c = xcalloc(1, sizeof *c);
	c->http = h;
	c->fd = fd;
	c->uid = peer.uid;
	c->since = h->now_ns;
	http1_init(&c->parser, HTTP1_REQUEST, &h->c.parse);
	TAILQ_INSERT_TAIL(&h->all, c, all);
	uid_get(h, peer.uid)->n++;
	h->n.connections++;
	h->n.accepted++;
	c->user = h->c.handler->open(h->c.ctx, c, &peer);
	if (c->user == NULL)
		http_drop(c);
	arm(c);
}

/* Accept again after a while without descriptors. */
static void
retry(struct deadline *d, int64_t now)
{
	struct http *h =
	    (struct http *)((char *)d - offsetof(struct http, retry));

	if (h->listener == NULL)
		return;
	if (h->spare == -1)
		h->spare = dup(event_get_fd(h->listener));
	if (event_add(h->listener, NULL) == 0)
		return;
	log_error("http", "cannot watch the listening socket yet");
	deadline_set(h->c.deadlines, &h->retry, now + RETRY_NS);
}

/* No descriptors left: use the spare one to say so, then pause. */
static void
exhausted(struct http *h, int fd)
{
	int c;

	if (!h->told)
		log_error("http",
		    "no file descriptors left: connections"
		    " wait; raise LimitNOFILE");
	h->told = true;
	if (h->spare != -1) {
		close(h->spare);
		c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c != -1)
			turn_away(h, c, "the broker is out of descriptors");
		h->spare = dup(fd);
	}
	event_del(h->listener);
	h->retry.fn = retry;
	deadline_set(h->c.deadlines, &h->retry, h->now_ns + RETRY_NS);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct http *h = arg;
	int c;

	(void)what;
	h->c.handler->wake(h->c.ctx);
	for (int i = 0; i < ACCEPT_BURST; i++) {
		c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c != -1) {
			take(h, c);
			h->told = h->told && h->spare == -1;
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			exhausted(h, fd);
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

/* ---- life ---- */

/* Without listener yet. */
struct http *
http_new(const struct http_config *c)
{
	struct http *h = xcalloc(1, sizeof *h);

	h->c = *c;
	h->spare = -1;
	h->scratch = xmalloc(SCRATCH);
	TAILQ_INIT(&h->all);
	TAILQ_INIT(&h->todo);
	return h;
}

/* Begin to accept. */
int
http_listen(struct http *h, int fd, struct err *e)
{
	h->listener =
	    event_new(h->c.base, fd, EV_READ | EV_PERSIST, on_accept, h);
	h->spare = dup(fd);
	if (h->listener == NULL || event_add(h->listener, NULL) == -1)
		return err_set(e, ENOMEM, "cannot watch the listening socket");
	return 0;
}

/* No more connections. */
void
http_stop_listening(struct http *h)
{
	if (h->listener != NULL)
		event_free(h->listener);
	h->listener = NULL;
	deadline_clear(h->c.deadlines, &h->retry);
	if (h->spare != -1)
		close(h->spare);
	h->spare = -1;
}

/* New limits, for what comes from now on. */
void
http_set_limits(struct http *h, const struct http_config *c)
{
	h->c.parse = c->parse;
	h->c.max_connections = c->max_connections;
	h->c.max_connections_per_uid = c->max_connections_per_uid;
	h->c.head_ns = c->head_ns;
	h->c.body_rate = c->body_rate;
}

/* Free a connection that is dead. */
static void
reap(struct http_conn *c)
{
	struct http *h = c->http;

	if (c->user != NULL)
		h->c.handler->close(h->c.ctx, c);
	TAILQ_REMOVE(&h->all, c, all);
	uid_drop(h, c->uid);
	h->n.connections--;
	close(c->fd);
	buf_fini(&c->in);
	buf_fini(&c->out);
	free(c);
	if (deadline_pending(&h->retry)) /* this is what it waits for */
		deadline_set(h->c.deadlines, &h->retry, h->now_ns);
}

/* Time of the turn. */
void
http_now(struct http *h, int64_t mono_ns)
{
	h->now_ns = mono_ns;
}

/* Go on with what waits, free what is gone. */
void
http_turn(struct http *h)
{
	struct conn_list list = TAILQ_HEAD_INITIALIZER(list);
	struct http_conn *c;

	TAILQ_CONCAT(&list, &h->todo, todo);
	while ((c = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, c, todo);
		c->queued = false;
		if (c->dead)
			reap(c);
		else if (c->in.n > 0 && !c->busy)
			consume_buffered(c);
	}
}

/* Does anything wait for the next one? */
bool
http_more(const struct http *h)
{
	return !TAILQ_EMPTY(&h->todo);
}

/* Close everything. */
void
http_free(struct http *h)
{
	struct http_conn *c, *next;
	struct uid_ent *u, *un;

	if (h == NULL)
		return;
	http_stop_listening(h);
	for (c = TAILQ_FIRST(&h->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		http_drop(c);
	}
	while (http_more(h))
		http_turn(h);
	HASH_ITER (hh, h->uids, u, un) {
		HASH_DEL(h->uids, u);
		free(u);
	}
	free(h->scratch);
	free(h);
}

/* ---- looking ---- */

/* What open returned. */
void *
http_user(const struct http_conn *c)
{
	return c->user;
}

/* The request under way waits for something else than the disk. */
void
http_park(struct http_conn *c)
{
	c->parked = true;
}

/* Under way? */
bool
http_busy(const struct http_conn *c)
{
	return c->busy;
}

/* Numbers. */
const struct http_counters *
http_counters(const struct http *h)
{
	return &h->n;
}

/* Walk. */
struct http_conn *
http_next(const struct http *h, const struct http_conn *c)
{
	return c == NULL ? TAILQ_FIRST(&h->all) : TAILQ_NEXT(c, all);
}

/* How many requests it sent. */
uint64_t
http_requests_of(const struct http_conn *c)
{
	return c->nrequests;
}

/* Since when it is there. */
int64_t
http_since(const struct http_conn *c)
{
	return c->since;
}
