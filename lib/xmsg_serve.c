/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Serving a queue.  Every server polls over a connection of its own, with a
 * cursor of its own; what becomes of its requests is in xmsg_answer.c.
 *
 *   (polled) --> WAITING --> HANDED --> ANSWERING --> freed
 *                               |           |
 *                               | left      | the broker does not want it
 *                               +--> LEFT <-+
 *
 * All messages that are not freed are known by id, so one that the broker
 * delivers again is recognised.  After the loss of the broker's database ids
 * may come again with other contents: the old one is then `stale`, is not
 * answered, and the new one is handed out.
 *
 * The next poll goes out as soon as no message waits: the queue is seen to be
 * consumed, and memory is bounded by one answer of the broker (1 MiB, or one
 * message) and by what the program holds.
 */
#include <stdlib.h>
#include <string.h>

#include "xmsg_impl.h"

#define POLL_S 30.0

/* ---- requests ---- */

/* The message with this id. */
static struct xmsg_request *
find(struct xmsg_server *s, int64_t id)
{
	struct xmsg_request *r;

	LIST_FOREACH (r, &s->known[(uint64_t)id % SERVE_BUCKETS], hash)
		if (r->m.id == id)
			return r;
	return NULL;
}

/* Free one, in whatever state. */
void
xm_request_free(struct xmsg_request *r)
{
	struct xmsg_server *s = r->s;

	LIST_REMOVE(r, hash);
	if (r->state == REQUEST_WAITING)
		TAILQ_REMOVE(&s->waiting, r, link);
	if (r->state == REQUEST_HANDED)
		s->busy--;
	s->alive--;
	if (s->stopped)
		s->x->reap = true;
	free(r);
}

/* Copy a string behind the request. */
static const char *
put(char **to, struct str s)
{
	char *at = *to;

	if (s.n > 0)
		memcpy(at, s.p, s.n);
	at[s.n] = '\0';
	*to += s.n + 1;
	return at;
}

/* Keep a message; NULL when out of memory. */
static struct xmsg_request *
request_new(struct xmsg_server *s, const struct wire_message *m)
{
	bool request = m->kind == WIRE_KIND_REQUEST;
	struct xmsg_request *r;
	const char *peer;
	char *to;

	r = malloc(sizeof *r + m->queue.n + m->reply_to.n + m->payload.n + 3);
	if (r == NULL)
		return NULL;
	to = r->bytes;
	r->s = s;
	r->state = REQUEST_WAITING;
	r->stale = false;
	r->m.queue = put(&to, m->queue);
	peer = put(&to, m->reply_to);
	r->m.payload = (struct xmsg_bytes){put(&to, m->payload), m->payload.n};
	r->m.id = m->id;
	r->m.kind = request ? XMSG_REQUEST : XMSG_REPLY;
	r->m.reply_to = request ? peer : "";
	r->m.re_queue = request ? "" : peer;
	r->m.re_id = request ? -1 : m->re_id;
	LIST_INSERT_HEAD(&s->known[(uint64_t)m->id % SERVE_BUCKETS], r, hash);
	TAILQ_INSERT_TAIL(&s->waiting, r, link);
	s->alive++;
	return r;
}

/* Is this the message we have, or another with its id? */
static bool
same(const struct xmsg_request *r, const struct wire_message *m)
{
	const char *peer =
	    r->m.kind == XMSG_REQUEST ? r->m.reply_to : r->m.re_queue;

	return str_eq(str_of(peer), m->reply_to) &&
	    str_eq(xm_str(r->m.payload), m->payload);
}

/* It is of another life: make room for its successor. */
static void
outdate(struct xmsg_request *r)
{
	struct xmsg_server *s = r->s;

	if (r->state == REQUEST_WAITING || r->state == REQUEST_LEFT) {
		xm_request_free(r);
		return;
	}
	LIST_REMOVE(r, hash);
	r->stale = true;
	LIST_INSERT_HEAD(&s->stale, r, hash);
}

/* ---- polling ---- */

static void poll_queue(struct xmsg_server *s);

/* One message.  Non-zero: no memory, deliver it again. */
static int
on_message(void *arg, const struct wire_message *m)
{
	struct xmsg_server *s = arg;
	struct xmsg_request *r = find(s, m->id);

	if (r != NULL && same(r, m))
		return 0;
	if (r != NULL)
		outdate(r);
	return request_new(s, m) != NULL ? 0 : -1;
}

/* A poll is over.  When it failed the connection says when to try again. */
static void
polled(struct req *q, int rc, int status, struct str body)
{
	struct xmsg_server *s = q->arg;
	int64_t next = s->cursor;

	s->poll = NULL;
	xm_req_free(q);
	if (rc != XMSG_OK)
		return;
	if (status == 200 &&
	    wire_get_transfer(body, on_message, s, &next) >= 0) {
		s->cursor = next;
		poll_queue(s);
	} else {
		xm_conn_fail(s->conn);
	}
}

/* Ask for more, unless there is something to do or asked already. */
static void
poll_queue(struct xmsg_server *s)
{
	struct str queue = str_of(s->queue);
	struct wire_req w = {.op = WIRE_TRANSFER,
	    .from = s->cursor,
	    .timeout_s = POLL_S,
	    .queues = &queue,
	    .nqueues = 1};
	struct req *q;

	if (s->stopped || s->poll != NULL || s->conn->state != CONN_UP ||
	    !TAILQ_EMPTY(&s->waiting))
		return;
	q = xm_req_new(polled, s);
	if (q == NULL || xm_req_wire(q, &w) != 0) {
		xm_req_free(q);
		xm_conn_fail(s->conn);
		return;
	}
	q->again = false; /* a later one has a later cursor */
	s->poll = q;
	xm_req_submit(s->conn, q);
}

/* The connection is up. */
static void
server_up(struct conn *c)
{
	poll_queue(c->arg);
}

/* What it says after its login: there must be a queue, if so asked. */
static int
server_hello(struct conn *c)
{
	struct xmsg_server *s = c->arg;
	struct wire_req w = {.op = WIRE_PERSISTENT, .name = str_of(s->queue)};

	return s->flags & XMSG_CREATE ? xm_conn_greet(c, &w) : 0;
}

/* ---- handing out ---- */

/* May the server have another request? */
static bool
has_room(const struct xmsg_server *s)
{
	return !s->stopped && !s->x->closing &&
	    (s->limit == 0 || s->busy < s->limit);
}

/* Hand out what one server has.  Messages that come meanwhile are for the next
 * turn, for they come in turns. */
static void
hand_out(struct xmsg_server *s)
{
	struct xmsg_request *r;

	while (has_room(s) && (r = TAILQ_FIRST(&s->waiting)) != NULL) {
		TAILQ_REMOVE(&s->waiting, r, link);
		r->state = REQUEST_HANDED;
		s->busy++;
		s->fn(r, &r->m, s->arg);
	}
	poll_queue(s);
}

/* Hand out what there is, at the end of a turn. */
void
xm_serve_some(struct xmsg *x)
{
	struct xmsg_server *s;

	TAILQ_FOREACH (s, &x->servers, link) {
		if (x->closing)
			break;
		hand_out(s);
	}
}

/* Free servers that have ended and whose requests are gone; or all. */
void
xm_serve_reap(struct xmsg *x, bool all)
{
	struct xmsg_server *s, *following;
	struct xmsg_request *r;

	for (s = TAILQ_FIRST(&x->servers); s != NULL; s = following) {
		following = TAILQ_NEXT(s, link);
		for (size_t i = 0; all && i < SERVE_BUCKETS; i++)
			while ((r = LIST_FIRST(&s->known[i])) != NULL)
				xm_request_free(r);
		while (all && (r = LIST_FIRST(&s->stale)) != NULL)
			xm_request_free(r);
		if (!all && (!s->stopped || s->alive > 0))
			continue;
		xm_conn_free(s->conn);
		TAILQ_REMOVE(&x->servers, s, link);
		free(s->queue);
		free(s);
	}
}

/* What a request says. */
const struct xmsg_message *
xmsg_request_message(const struct xmsg_request *r)
{
	return &r->m;
}

/* ---- starting and ending ---- */

/* Serve a queue. */
struct xmsg_server *
xmsg_serve_start(struct xmsg *x, const char *queue, unsigned flags,
    unsigned limit, xmsg_serve_fn fn, void *arg)
{
	struct xmsg_server *s;

	if (xm_may_start(x) || xm_name(x, queue))
		return NULL;
	s = calloc(1, sizeof *s);
	if (s != NULL)
		s->queue = strdup(queue);
	if (s != NULL && s->queue != NULL)
		s->conn = xm_conn_new(x, true);
	if (s == NULL || s->queue == NULL || s->conn == NULL) {
		free(s != NULL ? s->queue : NULL);
		free(s);
		(void)xm_nomem(x);
		return NULL;
	}
	s->x = x;
	s->cursor = -1;
	s->flags = flags;
	s->limit = limit;
	s->fn = fn;
	s->arg = arg;
	TAILQ_INIT(&s->waiting);
	TAILQ_INSERT_TAIL(&x->servers, s, link);
	s->conn->keep = true;
	s->conn->hello = server_hello;
	s->conn->up = server_up;
	s->conn->arg = s;
	xm_conn_open(s->conn);
	return s;
}

/* No more requests. */
void
xmsg_serve_stop(struct xmsg_server *s)
{
	struct xmsg_request *r, *following;

	if (s->stopped)
		return;
	s->stopped = true;
	xm_req_drop(s->poll);
	s->poll = NULL;
	xm_conn_free(s->conn);
	s->conn = NULL;
	while ((r = TAILQ_FIRST(&s->waiting)) != NULL)
		xm_request_free(r);
	for (size_t i = 0; i < SERVE_BUCKETS; i++)
		for (r = LIST_FIRST(&s->known[i]); r != NULL; r = following) {
			following = LIST_NEXT(r, hash);
			if (r->state == REQUEST_LEFT)
				xm_request_free(r);
		}
	s->x->reap = true;
	xm_kick(s->x);
}

/* How many requests the program holds. */
unsigned
xmsg_serve_busy(const struct xmsg_server *s)
{
	return s->busy;
}

/* Serve until stopped, then see the last replies off. */
int
xmsg_serve(struct xmsg *x, const char *queue, unsigned flags, unsigned limit,
    xmsg_serve_fn fn, void *arg)
{
	struct xmsg_server *s;
	int rc = xm_may_block(x);

	if (rc != XMSG_OK)
		return rc;
	s = xmsg_serve_start(x, queue, flags, limit, fn, arg);
	if (s == NULL)
		return x->rc;
	while (!x->stopped)
		if (xm_turn(x, INT64_MAX) != XMSG_OK)
			return XMSG_ECANCELED; /* closed by the handler */
	x->stopped = false;
	xmsg_serve_stop(s);
	if (xmsg_flush(x, x->timeout_ms) != XMSG_OK)
		return x->rc;
	return xm_set(x, XMSG_ECANCELED, "stopped");
}
