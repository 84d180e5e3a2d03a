/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Settling a request: reply and acknowledge, over the connection for requests.
 * An answer has no time limit and no end but one the broker gives it:
 *
 *   REPLY_V1 ---------------------------> done
 *     | no such route     | nobody waits
 *     v                   v
 *   REPLY_STOCK -------> ACK -----------> done
 *
 * "No room", a lost connection and lack of memory only delay it.  When the
 * broker does not want this reply at all, the request stays in the queue.
 */
#include <stdlib.h>

#include "clock.h"
#include "xmsg_impl.h"

#define RETRY_NS      (50 * NS_PER_MS) /* no room for it now */
#define RETRY_MOST_NS (1 * NS_PER_SEC)

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
	a->r->state = REQUEST_LEFT;
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
	    (a->r->state != REQUEST_LEFT || a->r->stale || a->r->s->stopped))
		xm_request_free(a->r);
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
	r->state = REQUEST_ANSWERING;
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
	r->state = REQUEST_LEFT;
	if (r->stale || s->stopped)
		xm_request_free(r);
	if (!TAILQ_EMPTY(&s->waiting) || x->reap)
		xm_kick(x);
}
