/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One connection to the broker, which comes back by itself, and the exchanges
 * over it.  Requests are pipelined; answers come in the same order.
 *
 *            submit, open            connected            greeted
 *   IDLE ------------------> (try) ------------> HELLO ------------> UP
 *    ^                        |  ^                 |                  |
 *    | nothing to do   no one |  | timer           | lost             | lost
 *    |                        v  |                 |                  |
 *    +------------------------ WAIT <--------------+------------------+
 *
 * What was sent and not answered when a connection is lost goes back to the
 * head of the line if it may be repeated; otherwise it ends with XMSG_ELOST.
 * No callback here runs code of the program, so the lists are safe to walk.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clock.h"
#include "usock.h"
#include "xmsg_impl.h"

#define WINDOW	    64 /* requests on their way at once */
#define MAX_BREAKS  16 /* connections one request may cost */
#define READ_MIN    4096
#define KEEP_BUFFER (1024 * 1024) /* larger ones are given back when empty */

#define WAIT_FIRST_NS (10 * NS_PER_MS)
#define WAIT_SOON_NS  (100 * NS_PER_MS) /* at most, early in an outage */
#define WAIT_LATE_NS  (1 * NS_PER_SEC) /* at most, later */
#define SOON_NS	      (30 * NS_PER_SEC) /* what is early */
#define STEADY_NS     (1 * NS_PER_SEC) /* up so long: back-off starts anew */

static const struct str nothing = {"", 0};

static void pump(struct conn *c);

/* ---- exchanges ---- */

/* An empty request. */
struct req *
xm_req_new(req_fn done, void *arg)
{
	struct req *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->done = done;
	r->arg = arg;
	r->again = true;
	return r;
}

/* Free one that is in no list. */
void
xm_req_free(struct req *r)
{
	if (r == NULL)
		return;
	buf_fini(&r->out);
	free(r);
}

/* Fill it with a request of the stock protocol. */
int
xm_req_wire(struct req *r, const struct wire_req *w)
{
	buf_reset(&r->out);
	r->sent = 0;
	return wire_put_request(&r->out, w) ? 0 : XMSG_ENOMEM;
}

/* Fill it with any HTTP request. */
int
xm_req_http(struct req *r, const char *method, struct str target,
    const char *key, struct str body)
{
	buf_reset(&r->out);
	r->sent = 0;
	http1_put_request(&r->out, method, target, body.n);
	if (key != NULL && buf_ok(&r->out)) {
		r->out.n -= 2; /* the empty line comes after one more field */
		buf_addf(&r->out, "idempotency-key: %s\r\n\r\n", key);
	}
	r->head = r->out.n;
	buf_add(&r->out, body.p, body.n);
	return buf_ok(&r->out) ? 0 : XMSG_ENOMEM;
}

/* Take a request out of its connection's list. */
static void
unlink_req(struct req *r)
{
	struct conn *c = r->conn;

	if (c->next == r)
		c->next = TAILQ_NEXT(r, link);
	TAILQ_REMOVE(&c->reqs, r, link);
	if (r->sent > 0)
		c->nsent--;
	if (r->hello)
		c->nhello--;
	r->conn = NULL;
}

/* Hand in the outcome of an exchange that is in no list any more. */
static void
finish(struct req *r, int rc, int status, struct str body)
{
	if (r->done != NULL)
		r->done(r, rc, status, body);
	else
		xm_req_free(r);
}

/* Send a request as soon as the connection can take it. */
void
xm_req_submit(struct conn *c, struct req *r)
{
	r->conn = c;
	r->sent = 0;
	r->breaks = 0;
	TAILQ_INSERT_TAIL(&c->reqs, r, link);
	if (c->next == NULL)
		c->next = r;
	if (c->state == CONN_IDLE)
		xm_conn_open(c);
	else if (c->state == CONN_UP && c->x->depth > 0)
		c->late = true;
	else if (c->state == CONN_UP)
		pump(c);
	else if (c->state == CONN_WAIT && c->x->patience_ms >= 0)
		xm_timer_set(c->x, &c->timer, clock_mono_ns());
}

/* ---- losing a connection ---- */

/* Close the descriptor and forget what was read. */
static void
shut(struct conn *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->doomed = c->want_out = false;
	buf_fini(&c->in);
	http1_init(&c->parse, HTTP1_REPLY, &c->x->limits);
}

/* The next pause of the back-off, with its jitter. */
static int64_t
pause_ns(struct conn *c, int64_t now)
{
	int64_t wait = c->wait_ns, most = WAIT_LATE_NS;

	if (now - c->down_ns < SOON_NS)
		most = WAIT_SOON_NS;
	c->wait_ns = wait == 0 ? WAIT_FIRST_NS : 2 * wait;
	if (c->wait_ns > most)
		c->wait_ns = most;
	return wait / 100 * (int64_t)(75 + xm_random(c->x) % 51);
}

/* There is no broker: decide when to look again, and who waits no longer. */
static void
rest(struct conn *c, const char *why)
{
	int64_t now = clock_mono_ns(), give_up;

	if (c->down_ns == 0)
		c->down_ns = now;
	if (why != NULL)
		(void)err_set(&c->why, ENOTCONN, "%s", why);
	c->state = CONN_WAIT;
	give_up = xm_op_patience(c, now);
	if (c->gone || (!c->keep && TAILQ_EMPTY(&c->reqs))) {
		c->state = CONN_IDLE;
		c->down_ns = c->wait_ns = 0;
		xm_timer_off(c->x, &c->timer);
		return;
	}
	if (c->try_ns <= now)
		c->try_ns = now + pause_ns(c, now);
	xm_timer_set(
	    c->x, &c->timer, c->try_ns < give_up ? c->try_ns : give_up);
}

/* Sort the requests of a lost connection: greetings and what nobody waits for
 * are freed, what must end goes to `over`, the rest is sent again. */
static void
sort(struct conn *c, struct reqs *over)
{
	struct req *r, *following;
	bool oldest = true;

	for (r = TAILQ_FIRST(&c->reqs); r != NULL; r = following) {
		following = TAILQ_NEXT(r, link);
		if (r->hello || r->done == NULL) {
			unlink_req(r);
			xm_req_free(r);
			continue;
		}
		if (r->sent > 0 &&
		    (!r->again || (oldest && ++r->breaks >= MAX_BREAKS))) {
			unlink_req(r);
			TAILQ_INSERT_TAIL(over, r, link);
		}
		oldest = false;
		r->repeated = r->touched;
		r->sent = 0;
	}
	c->nsent = 0;
	c->next = TAILQ_FIRST(&c->reqs);
}

/* The connection is lost or no good. */
static void
lose(struct conn *c, const char *why)
{
	struct reqs over = TAILQ_HEAD_INITIALIZER(over);
	struct req *r;

	if (clock_mono_ns() - c->up_ns >= STEADY_NS)
		c->wait_ns = 0;
	shut(c);
	sort(c, &over);
	c->state = CONN_WAIT; /* what the callbacks submit waits */
	c->try_ns = 0;
	while ((r = TAILQ_FIRST(&over)) != NULL) {
		TAILQ_REMOVE(&over, r, link);
		finish(r, XMSG_ELOST, 0, nothing);
	}
	rest(c, why);
}

/* Close it, to come back after a pause. */
void
xm_conn_fail(struct conn *c)
{
	if (c->wait_ns == 0)
		c->wait_ns = WAIT_FIRST_NS;
	if (c->reading)
		c->doomed = true;
	else if (c->fd != -1)
		lose(c, "the broker's answer made no sense");
}

/* Forget a request: nobody waits for its answer.  What was sent is answered
 * all the same; a connection of the pool is rather closed than blocked. */
void
xm_req_drop(struct req *r)
{
	struct conn *c;

	if (r == NULL)
		return;
	c = r->conn;
	r->done = NULL;
	if (c == NULL) {
		xm_req_free(r);
	} else if (r->sent == 0) {
		unlink_req(r);
		xm_req_free(r);
	} else if (c->aux && !c->reading) {
		lose(c, "cancelled");
	}
}

/* ---- writing ---- */

/* Ask epoll to watch for room to write, or no longer. */
static void
watch_out(struct conn *c, bool want)
{
	struct epoll_event ev = {0};

	if (c->want_out == want)
		return;
	ev.events = EPOLLIN | EPOLLRDHUP | (want ? EPOLLOUT : 0);
	ev.data.ptr = c;
	if (epoll_ctl(c->x->epfd, EPOLL_CTL_MOD, c->fd, &ev) == 0)
		c->want_out = want;
	else
		xm_kick(c->x); /* try again in the next turn */
}

/* May r go out now, when so many are on their way? */
static bool
may_go(const struct conn *c, const struct req *r, unsigned sent)
{
	if (r == NULL)
		return false;
	if (r->sent > 0 || r->hello)
		return true;
	return c->nhello == 0 && sent < WINDOW;
}

/* Point v to what may be written now, request by request; how many. */
static size_t
gather(const struct conn *c, struct iovec v[WINDOW])
{
	struct req *r = c->next;
	unsigned sent = c->nsent;
	size_t n = 0;

	for (; n < WINDOW && may_go(c, r, sent); r = TAILQ_NEXT(r, link)) {
		v[n].iov_base = r->out.p + r->sent;
		v[n++].iov_len = r->out.n - r->sent;
		sent += r->sent == 0;
	}
	return n;
}

/* So many bytes were written.  False when they end within a request. */
static bool
advance(struct conn *c, size_t n)
{
	while (n > 0) {
		struct req *r = c->next;
		size_t part = r->out.n - r->sent;

		if (part > n)
			part = n;
		if (r->sent == 0)
			c->nsent++;
		r->sent += part;
		r->touched = true;
		n -= part;
		if (r->sent < r->out.n)
			return false;
		c->next = TAILQ_NEXT(r, link);
	}
	return true;
}

/* Write what can be written, together.  Errors are left to the reader, for there
 * may be answers to read before the end; which has to come, also when the
 * connection is as good as ever and the system had no memory for us. */
static void
pump(struct conn *c)
{
	struct iovec v[WINDOW];
	struct msghdr m = {.msg_iov = v};
	bool full = false;
	ssize_t n;

	c->late = false;
	while (c->fd != -1 && !full && (m.msg_iovlen = gather(c, v)) > 0) {
		n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			full = errno == EAGAIN;
			if (!full)
				(void)shutdown(c->fd, SHUT_WR);
			break;
		}
		full = !advance(c, (size_t)n);
	}
	if (c->fd != -1)
		watch_out(c, full);
}

/* Write what was submitted in a turn, at its end. */
void
xm_conn_pump(struct xmsg *x)
{
	struct conn *c;

	TAILQ_FOREACH (c, &x->conns, link)
		if (c->late && !c->gone && c->state == CONN_UP)
			pump(c);
}

/* ---- connecting ---- */

/* The greeting is through: work begins. */
static void
greeted(struct conn *c)
{
	c->state = CONN_UP;
	c->down_ns = 0;
	if (c->up != NULL)
		c->up(c);
	pump(c);
}

/* Add a request to the greeting. */
int
xm_conn_greet(struct conn *c, const struct wire_req *w)
{
	struct req *r = xm_req_new(NULL, NULL), *at = TAILQ_FIRST(&c->reqs);

	if (r == NULL || xm_req_wire(r, w) != 0) {
		xm_req_free(r);
		return XMSG_ENOMEM;
	}
	r->hello = true;
	r->conn = c;
	while (at != NULL && at->hello)
		at = TAILQ_NEXT(at, link);
	if (at != NULL)
		TAILQ_INSERT_BEFORE(at, r, link);
	else
		TAILQ_INSERT_TAIL(&c->reqs, r, link);
	c->nhello++;
	c->next = TAILQ_FIRST(&c->reqs);
	return 0;
}

/* Say who we are, and what else this connection has to say first. */
static int
greet(struct conn *c)
{
	struct wire_req w = {.op = WIRE_LOGIN, .name = str_of(c->x->token)};

	if (c->login && xm_conn_greet(c, &w) != 0)
		return XMSG_ENOMEM;
	return c->hello != NULL ? c->hello(c) : 0;
}

/* Try to connect. */
static void
attempt(struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP};
	struct err e = {0, ""};

	ev.data.ptr = c;
	c->fd = usock_connect(c->x->socket, 0, &e);
	if (c->fd == -1) {
		rest(c, e.text);
		return;
	}
	c->up_ns = clock_mono_ns();
	c->state = CONN_HELLO;
	if (epoll_ctl(c->x->epfd, EPOLL_CTL_ADD, c->fd, &ev) == -1 ||
	    greet(c) != 0) {
		xm_conn_fail(c);
		return;
	}
	if (c->nhello == 0)
		greeted(c);
	else
		pump(c);
}

/* Connect now unless it is connected or waiting for its turn. */
void
xm_conn_open(struct conn *c)
{
	if (c->state == CONN_IDLE)
		attempt(c);
}

/* Time to try again, or to tell who waited long enough. */
static void
on_timer(struct timer *t)
{
	struct conn *c =
	    (struct conn *)(void *)((char *)t - offsetof(struct conn, timer));

	if (c->state != CONN_WAIT)
		return;
	if (clock_mono_ns() >= c->try_ns || c->x->patience_ms == 0)
		attempt(c);
	else
		rest(c, NULL);
}

/* ---- reading ---- */

/* A connection of the pool has nothing to do: one idle one is enough. */
static void
spare(struct conn *c)
{
	struct conn *o;

	TAILQ_FOREACH (o, &c->x->conns, link) {
		if (o != c && o->aux && !o->gone && o->login == c->login &&
		    o->fd != -1 && TAILQ_EMPTY(&o->reqs)) {
			xm_conn_free(c);
			return;
		}
	}
}

/* Pass an answer to the oldest request. False: the connection is no good. */
static bool
deliver(struct conn *c, int status, struct str body)
{
	struct req *r = TAILQ_FIRST(&c->reqs);
	bool whole, hello;

	whole = r->sent == r->out.n;
	hello = r->hello;
	unlink_req(r);
	finish(r, XMSG_OK, status, body);
	if (!hello && status == 200 && !c->doomed)
		c->wait_ns = 0; /* it works: the next loss is a new one */
	if (hello && status != 200)
		return false;
	if (hello && c->nhello == 0)
		greeted(c);
	if (c->aux && TAILQ_EMPTY(&c->reqs))
		spare(c);
	return whole;
}

/* The answer at hand cannot be taken: its request ends with rc. */
static void
spoil(struct conn *c, int rc)
{
	struct req *r = TAILQ_FIRST(&c->reqs);

	if (r == NULL || r->hello || r->sent == 0)
		return;
	unlink_req(r);
	finish(r, rc, 0, nothing);
}

/* Take all answers that are complete. False: close the connection. */
static bool
parse(struct conn *c)
{
	enum http1_rc rc = HTTP1_MORE;
	unsigned due = c->nsent; /* answers these bytes may hold */
	bool good = true, last = false;
	size_t off = 0;
	struct http1 h;

	while (good && !last && off < c->in.n) {
		if (due == 0)
			return false; /* nobody asked */
		rc = http1_feed(&c->parse, c->in.p + off, c->in.n - off);
		h = c->parse;
		if (rc != HTTP1_DONE)
			break;
		http1_init(&c->parse, HTTP1_REPLY, &c->x->limits);
		off += h.used;
		last = h.close;
		if (h.status < 200)
			continue;
		due--;
		good = deliver(c, h.status, h.body) && !c->doomed && !c->gone;
	}
	if (good && rc == HTTP1_ERROR) {
		spoil(c,
		    h.status == 413 || h.status == 431 ? XMSG_ELIMIT
						       : XMSG_EPROTO);
		xm_conn_fail(c);
		return false;
	}
	buf_drain(&c->in, off);
	if (c->in.n == 0 && c->in.cap > KEEP_BUFFER)
		buf_fini(&c->in);
	return good && !last;
}

/* Read what has come. False: close the connection, *why says why. */
static bool
drain(struct conn *c, const char **why)
{
	ssize_t n = 1;
	size_t room;
	char *to;

	for (;;) {
		to = buf_reserve(&c->in, READ_MIN);
		if (to == NULL) {
			spoil(c, XMSG_ENOMEM);
			xm_conn_fail(c);
			*why = "out of memory";
			return false;
		}
		room = c->in.cap - c->in.n;
		n = recv(c->fd, to, room, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0)
			return false;
		c->in.n += (size_t)n;
		if (!parse(c))
			return false;
		if ((size_t)n < room)
			return true; /* an end would be told by epoll */
	}
}

/* Something happened on the descriptor. */
void
xm_conn_event(struct conn *c, unsigned events)
{
	const char *why = "the broker closed the connection";
	bool good;

	if (c->gone || c->fd == -1)
		return;
	if (events & EPOLLOUT)
		pump(c);
	c->reading = true;
	good = drain(c, &why);
	c->reading = false;
	if (c->gone)
		return;
	if (!good || c->doomed)
		lose(c, why);
	else
		pump(c);
}

/* ---- life ---- */

/* A connection, closed as yet. */
struct conn *
xm_conn_new(struct xmsg *x, bool login)
{
	struct conn *c = calloc(1, sizeof *c);

	if (c == NULL || xm_timer_init(x, &c->timer, on_timer) != 0) {
		free(c);
		return NULL;
	}
	c->x = x;
	c->fd = -1;
	c->login = login;
	TAILQ_INIT(&c->reqs);
	http1_init(&c->parse, HTTP1_REPLY, &x->limits);
	TAILQ_INSERT_TAIL(&x->conns, c, link);
	return c;
}

/* Close it for good.  Its requests are dropped without a word. */
void
xm_conn_free(struct conn *c)
{
	struct req *r;

	if (c == NULL || c->gone)
		return;
	while ((r = TAILQ_FIRST(&c->reqs)) != NULL) {
		unlink_req(r);
		xm_req_free(r);
	}
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->state = CONN_IDLE;
	xm_timer_fini(c->x, &c->timer);
	c->gone = c->x->reap = true;
}

/* Free those that are gone, when nobody can be looking at them any more. */
void
xm_conn_reap(struct xmsg *x)
{
	struct conn *c, *following;

	for (c = TAILQ_FIRST(&x->conns); c != NULL; c = following) {
		following = TAILQ_NEXT(c, link);
		if (!c->gone)
			continue;
		TAILQ_REMOVE(&x->conns, c, link);
		buf_fini(&c->in);
		free(c);
	}
}

/* A connection for one long or raw exchange. */
struct conn *
xm_conn_aux(struct xmsg *x, bool login)
{
	struct conn *c;

	TAILQ_FOREACH (c, &x->conns, link)
		if (c->aux && !c->gone && c->login == login &&
		    TAILQ_EMPTY(&c->reqs))
			return c;
	c = xm_conn_new(x, login);
	if (c != NULL)
		c->aux = true;
	return c;
}
