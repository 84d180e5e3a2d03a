/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Calls: publish a request, wait for its reply.  Requests and acks go over the
 * connection for requests; replies come over a second one, on which the reply
 * queue (named as the token) is polled.
 *
 *   CREATING --> PUBLISHING --> WAITING --------------------> finished
 *   (only if                     |  ^                            ^
 *    asked)      the broker came |  | request still there        |
 *                back            v  |                            |
 *                               PROBING --> LOOKING -------------+
 *                                  request gone    nothing: XMSG_ELOST
 *
 * Invariants:
 *  1. A call is in `publishing` while its id is not known, in `by_id` from then
 *     until it is finished.
 *  2. A reply whose request is not known is kept, unacknowledged, while a call
 *     that was being published when it came still is: it may be its reply.  Not
 *     acknowledging it matters: the broker remembers an idempotency key as long
 *     as request or reply exist.
 *  3. The cursor passes a reply only after the reply was used or kept.
 *  4. After the broker has come back, every call in `by_id` is looked after:
 *     the reply may have gone with the reply queue, and then would never come.
 *     Reply and acknowledgement of the request are one transaction, so when the
 *     request is gone its reply is in the queue now or never.
 */
#include <stdlib.h>
#include <string.h>

#include "xmsg_impl.h"

#define POLL_S 30.0 /* as stock clients poll */

enum call_state { CREATING, PUBLISHING, WAITING, PROBING, LOOKING };

struct call {
	struct xmsg_op op; /* first */
	enum call_state state;
	char *queue;
	struct req *publish; /* while CREATING */
	uint64_t seq;
	uint64_t epoch; /* of xmsg.calls when last seen to */
	int64_t look; /* cursor while LOOKING */
	TAILQ_ENTRY(call) pub;
	LIST_ENTRY(call) hash;
};

/* A reply whose request is not known, yet. */
struct stray {
	TAILQ_ENTRY(stray) link;
	uint64_t mark; /* seq of the last call when it came */
	int64_t id, re_id;
	struct xmsg_bytes queue; /* of the request */
	struct xmsg_bytes payload;
};

static void poll_replies(struct xmsg *x);

/* ---- strays ---- */

/* Free one. */
static void
stray_free(struct xmsg *x, struct stray *s)
{
	TAILQ_REMOVE(&x->calls.strays, s, link);
	xmsg_bytes_free(&s->queue);
	xmsg_bytes_free(&s->payload);
	free(s);
}

/* Keep a reply; 0 or -1 when out of memory. */
static int
stray_keep(struct xmsg *x, const struct wire_message *m)
{
	struct stray *s;

	TAILQ_FOREACH (s, &x->calls.strays, link)
		if (s->id == m->id)
			return 0; /* delivered again */
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -1;
	s->mark = x->calls.seq;
	s->id = m->id;
	s->re_id = m->re_id;
	s->queue = xm_copy(m->reply_to);
	s->payload = xm_copy(m->payload);
	TAILQ_INSERT_TAIL(&x->calls.strays, s, link);
	if (s->queue.p != NULL && s->payload.p != NULL)
		return 0;
	stray_free(x, s);
	return -1;
}

/* Acknowledge and drop those that no call can be waiting for any more. */
static void
strays_prune(struct xmsg *x)
{
	struct call *oldest = TAILQ_FIRST(&x->calls.publishing);
	struct stray *s, *following;

	for (s = TAILQ_FIRST(&x->calls.strays); s != NULL; s = following) {
		following = TAILQ_NEXT(s, link);
		if (oldest != NULL && oldest->seq <= s->mark)
			continue;
		xm_ack(x, str_of(x->token), s->id);
		stray_free(x, s);
	}
}

/* ---- replies ---- */

/* The published call that waits for the reply to this request. */
static struct call *
find(struct xmsg *x, struct str queue, int64_t id)
{
	struct call *c;

	LIST_FOREACH (c, &x->calls.by_id[(uint64_t)id % CALL_BUCKETS], hash)
		if (c->op.res.id == id && str_eq(str_of(c->queue), queue))
			return c;
	return NULL;
}

/* One message of the reply queue.  Non-zero: no memory, deliver it again. */
static int
on_reply(void *arg, const struct wire_message *m)
{
	struct xmsg *x = arg;
	struct call *c = NULL;

	if (m->kind == WIRE_KIND_RESPONSE) {
		c = find(x, m->reply_to, m->re_id);
		if (c == NULL && !TAILQ_EMPTY(&x->calls.publishing))
			return stray_keep(x, m);
	}
	if (c != NULL)
		xm_op_take(&c->op, m->payload);
	xm_ack(x, m->queue, m->id);
	return 0;
}

/* A poll is over.  When it failed the connection says when to try again. */
static void
polled(struct req *r, int rc, int status, struct str body)
{
	struct xmsg *x = r->arg;
	int64_t next = x->calls.cursor;

	x->calls.poll = NULL;
	xm_req_free(r);
	if (rc != XMSG_OK)
		return;
	if (status == 200 && wire_get_transfer(body, on_reply, x, &next) >= 0) {
		x->calls.cursor = next;
		poll_replies(x);
	} else {
		xm_conn_fail(x->calls.events);
	}
}

/* Ask for the next replies. */
static void
poll_replies(struct xmsg *x)
{
	struct str queue = str_of(x->token);
	struct wire_req w = {.op = WIRE_TRANSFER,
	    .from = x->calls.cursor,
	    .timeout_s = POLL_S,
	    .queues = &queue,
	    .nqueues = 1};
	struct req *r;

	if (x->calls.poll != NULL)
		return;
	r = xm_req_new(polled, x);
	if (r == NULL || xm_req_wire(r, &w) != 0) {
		xm_req_free(r);
		xm_conn_fail(x->calls.events);
		return;
	}
	r->again = false; /* a later one has a later cursor */
	x->calls.poll = r;
	xm_req_submit(x->calls.events, r);
}

/* The connection for replies is up. */
static void
events_up(struct conn *c)
{
	poll_replies(c->x);
}

/* ---- after the broker came back ---- */

/* Look for the reply of a call whose request is gone. */
static void
look(struct call *c)
{
	struct xmsg *x = c->op.x;
	struct str queue = str_of(x->token);
	struct wire_req w = {.op = WIRE_TRANSFER,
	    .from = c->look,
	    .queues = &queue,
	    .nqueues = 1};

	c->state = LOOKING;
	xm_op_next(&c->op, x->requests, &w);
}

/* What there is in the reply queue. */
static void
looked(struct call *c, int status, struct str body)
{
	struct xmsg *x = c->op.x;
	int n = -1;

	if (status == 200)
		n = wire_get_transfer(body, on_reply, x, &c->look);
	if (c->op.finished)
		return;
	if (n > 0)
		look(c);
	else if (n == 0)
		xm_op_fail(&c->op, XMSG_ELOST,
		    "request %s:%lld is gone, and there is no reply to it",
		    c->queue, (long long)c->op.res.id);
	else
		c->state = WAITING; /* as good as not asked */
}

/* Ask whether the request is still there. */
static void
probe(struct call *c)
{
	struct xmsg *x = c->op.x;
	struct buf target = BUF_INIT;
	struct req *r = NULL;

	buf_adds(&target, "/v1/queues/");
	wire_put_segment(&target, str_of(c->queue));
	buf_addf(&target, "/messages/%lld", (long long)c->op.res.id);
	if (buf_ok(&target))
		r = xm_op_req(&c->op);
	if (r != NULL &&
	    xm_req_http(r, "GET", (struct str){target.p, target.n}, NULL,
		(struct str){NULL, 0}) == 0) {
		c->state = PROBING;
		xm_op_submit(&c->op, x->requests, r);
	} else {
		xm_req_free(r); /* no memory: the reply may come all the same */
	}
	buf_fini(&target);
}

/* Whether it is. */
static void
probed(struct call *c, int status, struct str body)
{
	struct xmsg *x = c->op.x;

	c->epoch = x->calls.epoch;
	c->state = WAITING;
	if (status != 404)
		return;
	if (xm_op_is_v1(body)) {
		c->look = c->op.res.id; /* the reply has a larger one */
		look(c);
	} else {
		x->no_v1 = true;
	}
}

/* The connection for requests is up, perhaps again. */
void
xm_calls_up(struct conn *conn)
{
	struct xmsg *x = conn->x;
	struct call *c;

	x->calls.epoch++;
	for (size_t i = 0; i < CALL_BUCKETS && !x->no_v1; i++)
		LIST_FOREACH (c, &x->calls.by_id[i], hash)
			if (c->op.req == NULL && c->epoch != x->calls.epoch)
				probe(c);
}

/* What it says after its login: there must be a reply queue. */
int
xm_calls_hello(struct conn *c)
{
	struct wire_req w = {.op = WIRE_TRANSIENT, .name = str_of(c->x->token)};

	return c->x->calls.started ? xm_conn_greet(c, &w) : 0;
}

/* ---- the course of a call ---- */

/* The id is known: the reply may be here already. */
static void
published(struct call *c)
{
	struct xmsg *x = c->op.x;
	struct stray *s;

	TAILQ_REMOVE(&x->calls.publishing, c, pub);
	c->state = WAITING;
	c->epoch = x->calls.epoch;
	c->op.told = true;
	LIST_INSERT_HEAD(
	    &x->calls.by_id[(uint64_t)c->op.res.id % CALL_BUCKETS], c, hash);
	TAILQ_FOREACH (s, &x->calls.strays, link)
		if (s->re_id == c->op.res.id &&
		    str_eq(xm_str(s->queue), str_of(c->queue)))
			break;
	if (s != NULL) {
		c->op.body = c->op.res.body = s->payload;
		s->payload = (struct xmsg_bytes){NULL, 0};
		xm_ack(x, str_of(x->token), s->id);
		stray_free(x, s);
		xm_op_finish(&c->op, XMSG_OK);
	}
	strays_prune(x);
}

/* The answer to the publication. */
static void
on_published(struct call *c, struct str body)
{
	int n = wire_get_sent(body, &c->op.res.id);

	if (n > 0)
		published(c);
	else if (n == 0)
		xm_op_fail(&c->op, XMSG_ENOQUEUE, "there is no queue %.200s",
		    c->queue);
	else
		xm_op_fail(
		    &c->op, XMSG_EPROTO, "the broker did not give an id");
}

/* The queue is there: publish. */
static void
on_created(struct call *c)
{
	struct req *r = c->publish;

	c->publish = NULL;
	c->state = PUBLISHING;
	xm_op_submit(&c->op, c->op.x->requests, r);
}

/* An answer to whatever the call asked last. */
static void
call_answer(struct xmsg_op *op, int status, struct str body)
{
	struct call *c = (struct call *)(void *)op;

	if (c->state == PROBING)
		probed(c, status, body);
	else if (c->state == LOOKING)
		looked(c, status, body);
	else if (status != 200)
		xm_op_refused(op, status, body);
	else if (c->state == CREATING)
		on_created(c);
	else
		on_published(c, body);
}

/* A call has ended, however. */
static void
call_fini(struct xmsg_op *op)
{
	struct call *c = (struct call *)(void *)op;

	if (c->state == CREATING || c->state == PUBLISHING)
		TAILQ_REMOVE(&op->x->calls.publishing, c, pub);
	else
		LIST_REMOVE(c, hash);
	xm_req_free(c->publish);
	free(c->queue);
	c->publish = NULL;
	c->queue = NULL;
	if (!op->x->closing)
		strays_prune(op->x);
}

/* ---- starting ---- */

/* With the first call: the reply queue and who polls it. */
static int
prepare(struct xmsg *x)
{
	struct wire_req w = {.op = WIRE_TRANSIENT, .name = str_of(x->token)};
	struct req *r = NULL;

	if (x->calls.started)
		return 0;
	if (xm_requests(x) == NULL)
		return -1;
	if (x->calls.events == NULL)
		x->calls.events = xm_conn_new(x, true);
	if (x->calls.events != NULL)
		r = xm_req_new(NULL, NULL);
	if (r == NULL || xm_req_wire(r, &w) != 0) {
		xm_req_free(r);
		return -1;
	}
	x->calls.started = true;
	x->requests->keep = true;
	if (x->requests->state == CONN_UP || x->requests->state == CONN_HELLO)
		xm_req_submit(x->requests, r); /* else the greeting does it */
	else
		xm_req_free(r);
	xm_conn_open(x->requests);
	x->calls.events->keep = true;
	x->calls.events->up = events_up;
	xm_conn_open(x->calls.events);
	return 0;
}

/* The requests of a call; 0, or -1 when out of memory. */
static int
call_begin(struct call *c, const char *queue, struct str request, bool create)
{
	struct xmsg *x = c->op.x;
	struct wire_req w = {.op = WIRE_PERSISTENT, .name = str_of(queue)};
	struct req *first = NULL;

	c->queue = strdup(queue);
	c->publish = xm_op_req(&c->op);
	if (create)
		first = xm_op_req(&c->op);
	if (c->queue == NULL || c->publish == NULL ||
	    xm_req_publish(x, c->publish, queue, x->token, request) != 0 ||
	    (create && (first == NULL || xm_req_wire(first, &w) != 0))) {
		xm_req_free(first);
		return -1;
	}
	if (!create)
		on_created(c);
	else
		xm_op_submit(&c->op, x->requests, first);
	return 0;
}

/* Start a call. */
struct xmsg_op *
xmsg_call_start(struct xmsg *x, const char *queue, struct xmsg_bytes request,
    unsigned flags, int timeout_ms, xmsg_done_fn fn, void *arg)
{
	struct call *c;

	if (xm_may_start(x) || xm_name(x, queue) || xm_bytes(x, request))
		return NULL;
	if (prepare(x) != 0) {
		(void)xm_nomem(x);
		return NULL;
	}
	c = xm_op_new(x, sizeof *c, (struct op_call){fn, arg}, timeout_ms);
	if (c == NULL)
		return NULL;
	c->seq = ++x->calls.seq;
	TAILQ_INSERT_TAIL(&x->calls.publishing, c, pub);
	c->op.answer = call_answer;
	c->op.fini = call_fini;
	if (call_begin(c, queue, xm_str(request), flags & XMSG_CREATE) != 0) {
		xm_op_free(&c->op);
		(void)xm_nomem(x);
		return NULL;
	}
	return &c->op;
}

/* Call and wait. */
int
xmsg_call(struct xmsg *x, const char *queue, struct xmsg_bytes request,
    unsigned flags, int timeout_ms, struct xmsg_bytes *reply)
{
	struct op_wait w = {0};

	if (reply != NULL)
		*reply = (struct xmsg_bytes){NULL, 0};
	if (xm_may_block(x))
		return x->rc;
	return xm_op_wait_body(x,
	    xmsg_call_start(
		x, queue, request, flags, timeout_ms, xm_op_waited, &w),
	    &w, reply);
}

/* ---- life ---- */

/* Nothing yet. */
void
xm_calls_init(struct xmsg *x)
{
	x->calls.cursor = -1;
	TAILQ_INIT(&x->calls.publishing);
	TAILQ_INIT(&x->calls.strays);
}

/* The calls themselves are gone; the rest goes too. */
void
xm_calls_fini(struct xmsg *x)
{
	struct stray *s;

	while ((s = TAILQ_FIRST(&x->calls.strays)) != NULL)
		stray_free(x, s);
}
