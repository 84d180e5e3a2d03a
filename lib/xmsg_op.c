/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Operations: what a program starts and hears about exactly once.  An op has a
 * time limit, at most one exchange under way, and an `answer` function that
 * ends it or goes on with the next exchange.
 *
 *   started ---> (exchanges) ---> finished ---> callback ---> freed
 *
 * Everything that can end an op (answer, time limit, no broker) only puts it on
 * the list of finished ones; xm_op_run calls back from there.  Cancelling calls
 * back at once.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "xmsg_impl.h"

/* What an HTTP status means to a program; those not here are XMSG_EREFUSED. */
static const struct {
	int status, rc;
} meanings[] = {
    {400, XMSG_EINVAL},
    {401, XMSG_EDENIED},
    {403, XMSG_EDENIED},
    {404, XMSG_ENOENT},
    {413, XMSG_ELIMIT},
    {414, XMSG_ELIMIT},
    {429, XMSG_ELIMIT},
    {431, XMSG_ELIMIT},
    {503, XMSG_ELIMIT},
    {507, XMSG_ELIMIT},
};

/* The time limit of an op has passed. */
static void
expired(struct timer *t)
{
	struct xmsg_op *op = (struct xmsg_op *)(void *)((char *)t -
	    offsetof(struct xmsg_op, limit));
	const struct conn *c =
	    op->req != NULL ? op->req->conn : op->x->requests;
	bool away = c != NULL && c->state == CONN_WAIT;

	xm_op_fail(op, XMSG_ETIMEDOUT, "the time limit passed%s%s",
	    away ? "; " : "", away ? c->why.text : "");
}

/* A new op. */
void *
xm_op_new(struct xmsg *x, size_t size, struct op_call cb, int timeout_ms)
{
	struct xmsg_op *op = calloc(1, size);

	if (op == NULL || xm_timer_init(x, &op->limit, expired) != 0) {
		free(op);
		(void)xm_nomem(x);
		return NULL;
	}
	op->x = x;
	op->fn = cb.fn;
	op->arg = cb.arg;
	op->res.id = -1;
	op->born_ns = clock_mono_ns();
	TAILQ_INSERT_TAIL(&x->ops, op, all);
	xm_timer_set(x, &op->limit, xm_deadline(timeout_ms));
	return op;
}

/* End the exchange and what the kind of op has besides. */
static void
wind_up(struct xmsg_op *op)
{
	struct req *r = op->req;

	op->req = NULL;
	xm_req_drop(r);
	xm_timer_off(op->x, &op->limit);
	if (op->flush)
		op->x->nflush--;
	op->flush = false;
	if (op->fini != NULL)
		op->fini(op);
	op->fini = NULL;
}

/* Free an op, telling nobody. */
void
xm_op_free(struct xmsg_op *op)
{
	wind_up(op);
	if (op->finished)
		TAILQ_REMOVE(&op->x->finished, op, fin);
	TAILQ_REMOVE(&op->x->ops, op, all);
	xm_timer_fini(op->x, &op->limit);
	xmsg_bytes_free(&op->body);
	free(op);
}

/* It has ended; the callback comes at its time. */
void
xm_op_finish(struct xmsg_op *op, int rc)
{
	if (op->finished)
		return;
	op->res.rc = rc;
	wind_up(op);
	op->finished = true;
	TAILQ_INSERT_TAIL(&op->x->finished, op, fin);
	if (op->x->depth == 0)
		xm_arm(op->x);
}

/* It has failed. */
void
xm_op_fail(struct xmsg_op *op, int rc, const char *fmt, ...)
{
	va_list ap;

	if (op->finished)
		return;
	op->why.code = rc;
	va_start(ap, fmt);
	vsnprintf(op->why.text, sizeof op->why.text, fmt, ap);
	va_end(ap);
	xm_op_finish(op, rc);
}

/* End with these bytes as the result. */
void
xm_op_take(struct xmsg_op *op, struct str body)
{
	op->body = xm_copy(body);
	if (op->body.p == NULL) {
		xm_op_fail(op, XMSG_ENOMEM, "out of memory");
		return;
	}
	op->res.body = op->body;
	xm_op_finish(op, XMSG_OK);
}

/* Tell the program, and free the op. */
void
xm_op_run(struct xmsg_op *op)
{
	struct xmsg *x = op->x;

	if (op->finished)
		TAILQ_REMOVE(&x->finished, op, fin);
	op->finished = false;
	op->running = true;
	if (op->res.rc != XMSG_OK) {
		x->rc = op->res.rc;
		x->err = op->why;
	}
	if (op->fn != NULL)
		op->fn(x, &op->res, op->arg);
	xm_op_free(op);
}

/* End an op at once. */
void
xmsg_cancel(struct xmsg_op *op)
{
	struct xmsg *x = op->x;

	if (op->running)
		return; /* it is ending already, in its own callback */
	xm_enter(x);
	xmsg_bytes_free(&op->body);
	op->res.body = op->body;
	if (op->finished) {
		op->res.rc = XMSG_ECANCELED;
		(void)err_set(&op->why, XMSG_ECANCELED, "cancelled");
	} else {
		xm_op_fail(op, XMSG_ECANCELED, "cancelled");
	}
	xm_op_run(op);
	(void)xm_leave(x);
}

/* ---- exchanges ---- */

/* The exchange of an op is over. */
static void
answered(struct req *r, int rc, int status, struct str body)
{
	struct xmsg_op *op = r->arg;

	op->req = NULL;
	op->repeated = r->repeated;
	if (rc == XMSG_OK)
		op->answer(op, status, body);
	else if (op->stubborn)
		op->answer(op, 0, body); /* it will try again */
	else
		xm_op_fail(op, rc, "%s", xmsg_strerror(rc));
	xm_req_free(r);
}

/* A request for an op to fill. */
struct req *
xm_op_req(struct xmsg_op *op)
{
	return xm_req_new(answered, op);
}

/* Send it. */
void
xm_op_submit(struct xmsg_op *op, struct conn *c, struct req *r)
{
	op->req = r;
	xm_req_submit(c, r);
}

/* Build and send a request of the stock protocol. */
static bool
submit_wire(struct xmsg_op *op, struct conn *c, const struct wire_req *w)
{
	struct req *r = c != NULL ? xm_op_req(op) : NULL;

	if (r == NULL || xm_req_wire(r, w) != 0) {
		xm_req_free(r);
		return false;
	}
	r->again = w->op != WIRE_SHUTDOWN;
	xm_op_submit(op, c, r);
	return true;
}

/* The first exchange: failure means that nothing was started. */
int
xm_op_start(struct xmsg_op *op, struct conn *c, const struct wire_req *w)
{
	struct xmsg *x = op->x;

	if (submit_wire(op, c, w))
		return 0;
	xm_op_free(op);
	(void)xm_nomem(x);
	return -1;
}

/* A later exchange: failure is the end of the op. */
void
xm_op_next(struct xmsg_op *op, struct conn *c, const struct wire_req *w)
{
	if (!submit_wire(op, c, w))
		xm_op_fail(op, XMSG_ENOMEM, "out of memory");
}

/* ---- refusals ---- */

/* Does this come from a broker with /v1?  The original says "Not found: ...".
 */
bool
xm_op_is_v1(struct str body)
{
	return body.n > 0 && body.p[0] == '{';
}

/* The strings of {"error":{"message":M,"hint":H}}; what is not there stays. */
static void
error_texts(struct str body, struct str *message, struct str *hint)
{
	enum json_type t;
	struct json_in j;
	struct str key;

	json_in_init(&j, (char *)body.p, body.n);
	if (json_value(&j) != JSON_OBJECT || !json_key(&j, &key) ||
	    !str_eq(key, STR("error")) || json_value(&j) != JSON_OBJECT)
		return;
	while (json_key(&j, &key)) {
		t = json_value(&j);
		if (t == JSON_STR && str_eq(key, STR("message")))
			*message = j.str;
		else if (t == JSON_STR && str_eq(key, STR("hint")))
			*hint = j.str;
		else if (!json_skip(&j, t))
			return;
	}
}

/* The broker said no: the op ends with what it said, on one line. */
void
xm_op_refused(struct xmsg_op *op, int status, struct str body)
{
	struct str message = body, hint = {"", 0};
	int rc = XMSG_EREFUSED;
	char *p;

	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (meanings[i].status == status)
			rc = meanings[i].rc;
	if (xm_op_is_v1(body))
		error_texts(body, &message, &hint);
	xm_op_fail(op, rc, "the broker refused: %d %s: %.*s%s%.*s", status,
	    http1_phrase(status), message.n < 200 ? (int)message.n : 200,
	    message.n > 0 ? message.p : "", hint.n > 0 ? "; " : "",
	    hint.n < 100 ? (int)hint.n : 100, hint.n > 0 ? hint.p : "");
	for (p = op->why.text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
}

/* ---- no broker ---- */

/* Does this op wait for that connection?  A call that was published waits for
 * its reply and has no exchange: it belongs to the requests. */
static bool
waits_for(const struct xmsg_op *op, const struct conn *c)
{
	if (op->finished || op->stubborn || op->running)
		return false;
	if (op->req != NULL)
		return op->req->conn == c;
	return c == op->x->requests;
}

/* End what has waited long enough for a broker. */
int64_t
xm_op_patience(struct conn *c, int64_t now)
{
	struct xmsg *x = c->x;
	int64_t next = INT64_MAX, since, until;
	struct xmsg_op *op;
	bool told;

	if (x->patience_ms < 0)
		return next;
	TAILQ_FOREACH (op, &x->ops, all) {
		if (!waits_for(op, c))
			continue;
		since = op->born_ns > c->down_ns ? op->born_ns : c->down_ns;
		until = since + x->patience_ms * NS_PER_MS;
		if (until > now) {
			next = until < next ? until : next;
			continue;
		}
		told = op->told || (op->req != NULL && op->req->touched);
		xm_op_fail(op, told ? XMSG_ELOST : XMSG_ECONNECT, "%s%s",
		    told ? "outcome unknown: " : "", c->why.text);
	}
	return next;
}

/* ---- waiting ---- */

/* The callback of what blocks: keeps the result, and takes its bytes. */
void
xm_op_waited(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct xmsg_op *op = (struct xmsg_op *)(void *)((char *)r -
	    offsetof(struct xmsg_op, res));
	struct op_wait *w = arg;

	(void)x;
	w->done = true;
	w->res = *r;
	w->body = op->body;
	op->body = (struct xmsg_bytes){NULL, 0};
}

/* Wait for an op. */
int
xm_op_wait(struct xmsg *x, struct xmsg_op *op, struct op_wait *w)
{
	if (op == NULL)
		return x->rc;
	while (!w->done) {
		(void)xm_turn(x, INT64_MAX);
		if (!w->done && x->stopped) {
			x->stopped = false;
			xmsg_cancel(op);
		}
	}
	return w->res.rc;
}

/* Wait for an op and hand its bytes to the caller, who may not want them. */
int
xm_op_wait_body(struct xmsg *x, struct xmsg_op *op, struct op_wait *w,
    struct xmsg_bytes *body)
{
	int rc = xm_op_wait(x, op, w);

	if (rc == XMSG_OK && body != NULL)
		*body = w->body;
	else
		xmsg_bytes_free(&w->body);
	return rc;
}
