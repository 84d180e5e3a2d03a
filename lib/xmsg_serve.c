/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Serving a queue.  Every server polls over a connection of its own, with a
 * cursor of its own; replies and acks go over the connection for requests.
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

#include "clock.h"
#include "xmsg_impl.h"

#define POLL_S	      30.0
#define BUCKETS	      64
#define RETRY_NS      (50 * NS_PER_MS) /* no room for it now */
#define RETRY_MOST_NS (1 * NS_PER_SEC)

enum state { WAITING, HANDED, ANSWERING, LEFT };

struct xmsg_request {
	struct xmsg_server *s;
	enum state state;
	bool stale; /* from another life of the broker; not in `known` */
	LIST_ENTRY(xmsg_request) hash;
	TAILQ_ENTRY(xmsg_request) link; /* WAITING: in the order of ids */
	struct xmsg_message m;
	char bytes[]; /* what m points to */
};
LIST_HEAD(request_list, xmsg_request);
TAILQ_HEAD(request_fifo, xmsg_request);

struct xmsg_server {
	TAILQ_ENTRY(xmsg_server) link;
	struct xmsg *x;
	struct conn *conn;
	struct req *poll;
	char *queue;
	int64_t cursor;
	unsigned flags, limit;
	unsigned busy; /* HANDED */
	size_t alive; /* requests that are not freed */
	bool stopped;
	xmsg_serve_fn fn;
	void *arg;
	struct request_fifo waiting;
	struct request_list known[BUCKETS];
	struct request_list stale;
};

/* ---- requests ---- */

/* The message with this id. */
static struct xmsg_request *
find(struct xmsg_server *s, int64_t id)
{
	struct xmsg_request *r;

	LIST_FOREACH (r, &s->known[(uint64_t)id % BUCKETS], hash)
		if (r->m.id == id)
			return r;
	return NULL;
}

/* Free one, in whatever state. */
static void
request_free(struct xmsg_request *r)
{
	struct xmsg_server *s = r->s;

	LIST_REMOVE(r, hash);
	if (r->state == WAITING)
		TAILQ_REMOVE(&s->waiting, r, link);
	if (r->state == HANDED)
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
	r->state = WAITING;
	r->stale = false;
	r->m.queue = put(&to, m->queue);
	peer = put(&to, m->reply_to);
	r->m.payload = (struct xmsg_bytes){put(&to, m->payload), m->payload.n};
	r->m.id = m->id;
	r->m.kind = request ? XMSG_REQUEST : XMSG_REPLY;
	r->m.reply_to = request ? peer : "";
	r->m.re_queue = request ? "" : peer;
	r->m.re_id = request ? -1 : m->re_id;
	LIST_INSERT_HEAD(&s->known[(uint64_t)m->id % BUCKETS], r, hash);
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

	if (r->state == WAITING || r->state == LEFT) {
		request_free(r);
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
		r->state = HANDED;
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
		for (size_t i = 0; all && i < BUCKETS; i++)
			while ((r = LIST_FIRST(&s->known[i])) != NULL)
				request_free(r);
		while (all && (r = LIST_FIRST(&s->stale)) != NULL)
			request_free(r);
		if (!all && (!s->stopped || s->alive > 0))
			continue;
		xm_conn_free(s->conn);
		TAILQ_REMOVE(&x->servers, s, link);
		free(s->queue);
		free(s);
	}
}

/* ---- answering ---- */

/* What an answer does next. */
enum phase {
	REPLY_V1, /* reply and acknowledge in one */
	REPLY_STOCK, /* reply */
	ACK, /* acknowledge */
};

struct answer {
	struct xmsg_op op; /* first */
	struct xmsg_request *r;
	enum phase phase;
	int rc; /* the outcome, if acknowledging goes well */
	struct xmsg_bytes payload; /* while it may have to be sent again */
	struct timer retry;
	int64_t wait_ns;
};

/* Statuses that a later attempt may not meet. */
static bool
passing(int status)
{
	static const int list[] = {408, 429, 500, 502, 503, 504, 507};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (list[i] == status)
			return true;
	return false;
}

/* Fill q with what the phase is about. */
static int
build(struct answer *a, struct req *q)
{
	const struct xmsg_message *m = &a->r->m;
	struct wire_req w = {
	    .op = WIRE_ACK, .name = str_of(m->queue), .id = m->id};
	struct buf target = BUF_INIT;
	int rc = XMSG_ENOMEM;

	if (a->phase == REPLY_STOCK) {
		w.op = WIRE_RESPONSE;
		w.reply_to = w.name;
		w.name = str_of(m->reply_to);
		w.payload = xm_str(a->payload);
	}
	if (a->phase != REPLY_V1)
		return xm_req_wire(q, &w);
	buf_adds(&target, "/v1/queues/");
	wire_put_segment(&target, w.name);
	buf_addf(&target, "/messages/%lld/reply", (long long)m->id);
	if (buf_ok(&target))
		rc = xm_req_http(q, "POST", (struct str){target.p, target.n},
		    NULL, xm_str(a->payload));
	buf_fini(&target);
	return rc;
}

/* Try again after a while. */
static void
later(struct answer *a)
{
	xm_timer_set(a->op.x, &a->retry, clock_mono_ns() + a->wait_ns);
	a->wait_ns =
	    a->wait_ns * 2 < RETRY_MOST_NS ? a->wait_ns * 2 : RETRY_MOST_NS;
}

/* Send what the phase is about.  This must get through: without memory it is
 * tried again later. */
static void
advance(struct answer *a)
{
	struct conn *c = xm_requests(a->op.x);
	struct req *q = c != NULL ? xm_op_req(&a->op) : NULL;

	if (q != NULL && build(a, q) == 0) {
		xm_op_submit(&a->op, c, q);
		return;
	}
	xm_req_free(q);
	later(a);
}

/* Go on with another phase. */
static void
go(struct answer *a, enum phase phase)
{
	a->phase = phase;
	advance(a);
}

/* Time to try again. */
static void
on_retry(struct timer *t)
{
	advance((struct answer *)(void *)((char *)t -
	    offsetof(struct answer, retry)));
}

/* It is over. */
static void
conclude(struct answer *a)
{
	if (a->rc == XMSG_OK)
		xm_op_finish(&a->op, XMSG_OK);
	else
		xm_op_fail(&a->op, a->rc, "%s",
		    a->rc == XMSG_ENOQUEUE
			? "nobody waits for this reply any more"
			: "the request was removed meanwhile");
}

/* The broker does not take the answer: the request stays where it is. */
static void
leave_it(struct answer *a, int status, struct str body)
{
	a->r->state = LEFT;
	xm_op_refused(&a->op, status, body);
}

/* The answer to a reply with /v1, and what to do about it. */
static void
replied_v1(struct answer *a, int status, struct str body)
{
	bool v1 = xm_op_is_v1(body);

	if (status == 200) {
		conclude(a);
	} else if (status == 404 && v1) {
		/* a repeat: the first one got through, its answer did not */
		a->rc = a->op.repeated ? XMSG_OK : XMSG_ENOENT;
		conclude(a);
	} else if (status == 409 && v1) {
		a->rc = XMSG_ENOQUEUE;
		go(a, ACK);
	} else if (status == 413) {
		leave_it(a, status, body);
	} else {
		/* no such route, or not for us */
		if (status == 404)
			a->op.x->no_v1 = true;
		go(a, REPLY_STOCK);
	}
}

/* The answer to a stock reply. */
static void
replied_stock(struct answer *a, int status, struct str body)
{
	int64_t id;

	if (status != 200) {
		leave_it(a, status, body);
		return;
	}
	if (wire_get_sent(body, &id) == 0)
		a->rc = XMSG_ENOQUEUE;
	go(a, ACK);
}

/* The broker has answered. */
static void
on_answer(struct xmsg_op *op, int status, struct str body)
{
	struct answer *a = (struct answer *)(void *)op;

	if (status == 0 || passing(status))
		later(a);
	else if (a->phase == REPLY_V1)
		replied_v1(a, status, body);
	else if (a->phase == REPLY_STOCK)
		replied_stock(a, status, body);
	else if (status == 200)
		conclude(a);
	else
		leave_it(a, status, body);
}

/* An answer has ended: so has its request, unless it stays. */
static void
answer_fini(struct xmsg_op *op)
{
	struct answer *a = (struct answer *)(void *)op;

	xm_timer_fini(op->x, &a->retry);
	xmsg_bytes_free(&a->payload);
	if (a->r != NULL &&
	    (a->r->state != LEFT || a->r->stale || a->r->s->stopped))
		request_free(a->r);
	a->r = NULL;
}

/* The request is the library's again, and must be settled. */
static struct answer *
answer_new(struct xmsg_request *r, struct op_call cb)
{
	struct xmsg *x = r->s->x;
	struct answer *a;

	/* no time limit, and no patience: it must get through */
	a = xm_op_new(x, sizeof *a, cb, -1);
	if (a == NULL)
		return NULL;
	if (xm_timer_init(x, &a->retry, on_retry) != 0) {
		xm_op_free(&a->op);
		(void)xm_nomem(x);
		return NULL;
	}
	a->op.stubborn = true;
	a->op.flush = true;
	a->op.answer = on_answer;
	a->op.fini = answer_fini;
	a->wait_ns = RETRY_NS;
	x->nflush++;
	return a;
}

/* Take the request from the program and send what settles it. */
static int
settle(struct xmsg_request *r, struct answer *a, enum phase phase)
{
	struct xmsg_server *s = r->s;

	a->r = r;
	a->phase = phase;
	r->state = ANSWERING;
	s->busy--;
	if (r->stale) {
		a->rc = XMSG_ENOENT;
		conclude(a);
	} else {
		advance(a);
	}
	if (!TAILQ_EMPTY(&s->waiting))
		xm_kick(s->x);
	return XMSG_OK;
}

/* Answer a request. */
int
xmsg_reply(struct xmsg_request *r, struct xmsg_bytes payload, xmsg_done_fn fn,
    void *arg)
{
	struct xmsg *x = r->s->x;
	enum phase phase = x->no_v1 ? REPLY_STOCK : REPLY_V1;
	struct answer *a;

	if (xm_bytes(x, payload))
		return x->rc;
	a = answer_new(r, (struct op_call){fn, arg});
	if (a == NULL)
		return x->rc;
	if (r->m.reply_to[0] == '\0') {
		a->rc = r->m.kind == XMSG_REQUEST ? XMSG_ENOQUEUE : XMSG_OK;
		return settle(r, a, ACK);
	}
	a->payload = xm_copy(xm_str(payload));
	if (a->payload.p == NULL) {
		xm_op_free(&a->op);
		return xm_nomem(x);
	}
	return settle(r, a, phase);
}

/* Acknowledge without an answer. */
int
xmsg_discard(struct xmsg_request *r)
{
	struct xmsg *x = r->s->x;
	struct answer *a = answer_new(r, (struct op_call){NULL, NULL});

	return a != NULL ? settle(r, a, ACK) : x->rc;
}

/* Let go of a request. */
void
xmsg_leave(struct xmsg_request *r)
{
	struct xmsg_server *s = r->s;
	struct xmsg *x = s->x;

	s->busy--;
	r->state = LEFT;
	if (r->stale || s->stopped)
		request_free(r);
	if (!TAILQ_EMPTY(&s->waiting) || x->reap)
		xm_kick(x);
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
		request_free(r);
	for (size_t i = 0; i < BUCKETS; i++)
		for (r = LIST_FIRST(&s->known[i]); r != NULL; r = following) {
			following = LIST_NEXT(r, hash);
			if (r->state == LEFT)
				request_free(r);
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
