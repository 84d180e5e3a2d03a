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
 *
 * Requests that wait for the disk only may overlap (http_overlap): those behind
 * them begin, and go with the same commit.  Answers are given in order all the
 * same: one that comes early is kept, and those that come together are written
 * together at the end of the turn.
 */
#include "http_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "log.h"
#include "wire.h"
#include "xalloc.h"

#define SCRATCH	     (64 * 1024)
#define OVERLAP_MOST 64 /* requests of a connection under way at a time */

/* ---- the event of a connection ---- */

static void on_io(evutil_socket_t fd, short what, void *arg);

/* Requests that were begun and are not answered? */
bool
http_pending(const struct http_conn *c)
{
	return c->begun != c->answered;
}

/* Must the next request wait? */
bool
http_blocked(const struct http_conn *c)
{
	return c->busy || (c->held && http_pending(c));
}

/* Has the peer left so much unread that it gets no more? */
bool
http_choked(const struct http_conn *c)
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
	    ((!http_blocked(c) && !http_choked(c)) ||
		c->in.n < c->http->c.max_pending))
		want |= EV_READ;
	if (c->out.n > c->out_at && !c->gathering)
		want |= EV_WRITE;
	return want != 0 ? want | EV_PERSIST : 0;
}

/* Watch for it. */
void
http_arm(struct http_conn *c)
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
void
http_enqueue(struct http_conn *c)
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
	http_enqueue(c);
}

/* ---- reading ---- */

/* A message that cannot be understood: say why, then close. */
static void
refuse(struct http_conn *c, int status, const char *why)
{
	struct buf b = BUF_INIT;

	c->http->n.bad++;
	c->closing = true;
	c->begun += !c->busy; /* to be answered behind the others */
	wire_put_error(&b, "bad_request", why,
	    "the connection is closed; send HTTP/1.1 as RFC 9112 has it");
	http_reply(c, status, "application/json", (struct str){b.p, b.n});
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
	refuse(c, 408, "the request did not come in time");
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
	if (c->parser != NULL && http1_head_done(c->parser) &&
	    cf->body_rate > 0)
		limit += (int64_t)have / cf->body_rate * NS_PER_SEC;
	else if (deadline_pending(&c->slow))
		return;
	c->slow.fn = too_slow;
	deadline_set(cf->deadlines, &c->slow, c->began_ns + limit);
}

/* What the handler sees of the request in p. */
static struct http_request
request_of(const struct http1 *h, const char *p)
{
	struct http_request r = {
	    .method = h->method, .target = h->target, .body = h->body};

	(void)http1_field(h, p, "idempotency-key", &r.key);
	(void)http1_field(h, p, "accept", &r.accept);
	return r;
}

/* The parser, as far as it has come with the request at hand. */
static struct http1
parser_take(struct http_conn *c)
{
	struct http1 h;

	if (c->parser != NULL)
		h = *c->parser;
	else
		http1_init(&h, HTTP1_REQUEST, &c->http->c.parse);
	free(c->parser);
	c->parser = NULL;
	return h;
}

/* The request is incomplete: keep the parser until there is more. */
static void
parser_keep(struct http_conn *c, const struct http1 *h)
{
	c->parser = xmalloc(sizeof *h);
	*c->parser = *h;
}

/* One whole request: hand it up. */
static void
handle(struct http_conn *c, struct http_request *r)
{
	c->busy = true;
	c->held = false;
	c->begun++;
	c->use.requests++;
	c->http->n.requests++;
	c->http->c.handler->request(c->http->c.ctx, c, r);
}

/* May this request begin now? */
static bool
may_begin(const struct http_conn *c, const struct http_request *r)
{
	const struct http_handler *h = c->http->c.handler;

	return !http_pending(c) ||
	    (c->begun - c->answered < OVERLAP_MOST && h->overlaps != NULL &&
		h->overlaps(c->http->c.ctx, r));
}

/* Handle requests in p[0..n) as far as they are whole; returns how many bytes
 * are done with. */
static size_t
consume(struct http_conn *c, char *p, size_t n)
{
	struct http1 h = parser_take(c);
	struct http_request r;
	bool more = false;
	size_t at = 0;

	c->parsing = true;
	while (at < n && !http_blocked(c) && !c->dead && !c->closing &&
	    !http_choked(c)) {
		enum http1_rc rc = http1_feed(&h, p + at, n - at);

		more = rc == HTTP1_MORE;
		if (more)
			break;
		if (rc == HTTP1_ERROR) {
			refuse(c, h.status, h.reason);
			at = n;
			break;
		}
		r = request_of(&h, p + at);
		c->held = !may_begin(c, &r);
		if (!c->held) {
			c->closing |= h.close;
			handle(c, &r);
			at += h.used;
		}
		http1_init(&h, HTTP1_REQUEST, &c->http->c.parse);
		c->began_ns = 0;
		deadline_clear(c->http->c.deadlines, &c->slow);
	}
	if (more && !c->dead)
		parser_keep(c, &h);
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
	if (!http_blocked(c) && !http_choked(c))
		watch_speed(c, c->in.n);
	http_arm(c);
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
	if (n == 0 || (n == -1 && errno != EAGAIN)) {
		on_closed(c);
		return;
	}
	if (n == -1)
		return;
	c->use.bytes_in += (uint64_t)n;
	if (fresh) {
		consume_fresh(c, to, (size_t)n);
		explicit_bzero(to, (size_t)n); /* it may be secret */
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
	if (c->parked || (!http_pending(c) && c->out.n == c->out_at)) {
		http_drop(c);
		return;
	}
	c->closing = c->half = true;
	buf_fini(&c->in);
	http_arm(c);
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
		http_flush(c);
	if ((what & EV_READ) && !c->dead)
		on_readable(c);
	/* with reading on, recv() tells; bytes before the end count */
	if ((what & EV_CLOSED) && !c->dead && (!(what & EV_READ) || c->busy))
		on_closed(c);
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
	http_uid_drop(h, c->uid);
	h->n.connections--;
	close(c->fd);
	while (c->early != NULL)
		http_drop_early(c, NULL);
	free(c->parser);
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
		if (c->gathering) { /* still counts as queued */
			c->gathering = false;
			http_flush(c);
		}
		c->queued = false;
		if (c->dead)
			reap(c);
		else if (c->in.n > 0 && !http_blocked(c))
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

	if (h == NULL)
		return;
	http_stop_listening(h);
	for (c = TAILQ_FIRST(&h->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		http_drop(c);
	}
	while (http_more(h))
		http_turn(h);
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

/* Others may begin before it is answered. */
void
http_overlap(struct http_conn *c)
{
	c->busy = false;
}

/* Which is it? */
uint32_t
http_number(const struct http_conn *c)
{
	return c->begun;
}

/* Under way? */
bool
http_busy(const struct http_conn *c)
{
	return http_pending(c);
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

/* What it has asked for and got. */
const struct http_use *
http_use_of(const struct http_conn *c)
{
	return &c->use;
}

/* Since when it is there. */
int64_t
http_since(const struct http_conn *c)
{
	return c->since;
}
