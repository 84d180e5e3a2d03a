/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Queues and messages, one exchange each: the functions that wait are the
 * starting ones and xm_op_wait.
 */
#include <stdlib.h>
#include <string.h>

#include "xmsg_impl.h"

#define MAX_WAIT_MS (WIRE_MAX_TIMEOUT * 1000) /* a poll may be parked */

/* ---- what answers mean ---- */

/* 200 is all there is to it. */
static void
plain_answer(struct xmsg_op *op, int status, struct str body)
{
	if (status == 200)
		xm_op_finish(op, XMSG_OK);
	else
		xm_op_refused(op, status, body);
}

/* The body is the result. */
static void
body_answer(struct xmsg_op *op, int status, struct str body)
{
	if (status == 200)
		xm_op_take(op, body);
	else
		xm_op_refused(op, status, body);
}

/* Any answer is a success. */
static void
http_answer(struct xmsg_op *op, int status, struct str body)
{
	op->res.status = status;
	xm_op_take(op, body);
}

/* An id, or no such queue. */
static void
sent_answer(struct xmsg_op *op, int status, struct str body)
{
	int n;

	if (status != 200) {
		xm_op_refused(op, status, body);
		return;
	}
	n = wire_get_sent(body, &op->res.id);
	if (n > 0)
		xm_op_finish(op, XMSG_OK);
	else if (n == 0)
		xm_op_fail(op, XMSG_ENOQUEUE, "there is no such queue");
	else
		xm_op_fail(op, XMSG_EPROTO, "the broker did not give an id");
}

/* ---- starting ---- */

typedef void (*answer_fn)(struct xmsg_op *op, int status, struct str body);

/* An op with one exchange of the stock protocol on c; NULL: the connection for
 * requests. */
static struct xmsg_op *
start_on(struct xmsg *x, struct conn *c, const struct wire_req *w,
    answer_fn answer, struct op_call cb, int timeout_ms)
{
	struct xmsg_op *op;

	if (c == NULL) {
		(void)xm_nomem(x);
		return NULL;
	}
	op = xm_op_new(x, sizeof *op, cb, timeout_ms);
	if (op == NULL)
		return NULL;
	op->answer = answer;
	return xm_op_start(op, c, w) == 0 ? op : NULL;
}

/* The usual: over the connection for requests, in the usual time. */
static struct xmsg_op *
start(struct xmsg *x, const struct wire_req *w, answer_fn answer,
    struct op_call cb)
{
	return start_on(x, xm_requests(x), w, answer, cb, x->timeout_ms);
}

/* Fill r with the publication of a request, which must not happen twice. */
int
xm_req_publish(struct xmsg *x, struct req *r, const char *queue,
    const char *reply_to, struct str payload)
{
	struct buf target = BUF_INIT;
	int rc = XMSG_ENOMEM;
	char key[64];

	xm_key(x, key);
	buf_adds(&target, "/request/");
	wire_put_segment(&target, str_of(queue));
	buf_addc(&target, '/');
	wire_put_segment(&target, str_of(reply_to));
	if (buf_ok(&target))
		rc = xm_req_http(
		    r, "POST", (struct str){target.p, target.n}, key, payload);
	buf_fini(&target);
	return rc;
}

/* Start to publish a request. */
struct xmsg_op *
xmsg_send_start(struct xmsg *x, const char *queue, const char *reply_to,
    struct xmsg_bytes payload, xmsg_done_fn fn, void *arg)
{
	struct xmsg_op *op;
	struct conn *c;
	struct req *r;

	if (reply_to == NULL)
		reply_to = x->token;
	if (xm_may_start(x) || xm_name(x, queue) || xm_name(x, reply_to) ||
	    xm_bytes(x, payload))
		return NULL;
	op = xm_op_new(x, sizeof *op, (struct op_call){fn, arg}, x->timeout_ms);
	if (op == NULL)
		return NULL;
	op->answer = sent_answer;
	op->flush = true;
	x->nflush++;
	c = xm_requests(x);
	r = c != NULL ? xm_op_req(op) : NULL;
	if (r == NULL ||
	    xm_req_publish(x, r, queue, reply_to, xm_str(payload)) != 0) {
		xm_req_free(r);
		xm_op_free(op);
		(void)xm_nomem(x);
		return NULL;
	}
	xm_op_submit(op, c, r);
	return op;
}

/* Start to acknowledge. */
struct xmsg_op *
xmsg_ack_start(
    struct xmsg *x, const char *queue, int64_t id, xmsg_done_fn fn, void *arg)
{
	struct wire_req w = {.op = WIRE_ACK, .name = str_of(queue), .id = id};
	struct xmsg_op *op;

	if (xm_may_start(x) || xm_name(x, queue))
		return NULL;
	op = start(x, &w, plain_answer, (struct op_call){fn, arg});
	if (op == NULL)
		return NULL;
	if (!op->finished) {
		op->flush = true;
		x->nflush++;
	}
	return op;
}

/* ---- queues ---- */

/* One exchange without a result, waited for. */
static int
plain(struct xmsg *x, enum wire_op what, const char *name)
{
	struct wire_req w = {.op = what, .name = str_of(name)};
	struct op_wait wait = {0};

	if (xm_may_block(x) || xm_name(x, name))
		return x->rc;
	return xm_op_wait(x, start(x, &w, plain_answer, OP_WAIT(&wait)), &wait);
}

/* Make a queue. */
int
xmsg_create(struct xmsg *x, const char *queue, enum xmsg_kind kind)
{
	struct op_wait wait = {0};
	struct wire_req w = {
	    .op = kind == XMSG_TRANSIENT ? WIRE_TRANSIENT : WIRE_PERSISTENT,
	    .name = str_of(queue)};

	if (xm_may_block(x) || xm_name(x, queue))
		return x->rc;
	return xm_op_wait(x, start(x, &w, plain_answer, OP_WAIT(&wait)), &wait);
}

/* Remove a queue. */
int
xmsg_destroy(struct xmsg *x, const char *queue)
{
	return plain(x, WIRE_DESTROY, queue);
}

/* Gather one name. */
static int
gather_name(void *arg, struct str name)
{
	buf_add(arg, &name, sizeof name);
	return buf_ok(arg) ? 0 : -1;
}

/* The names as one allocation: the pointers, then the bytes. */
static char **
pack(const struct str *v, size_t n)
{
	size_t size = (n + 1) * sizeof(char *);
	char **names, *to;

	for (size_t i = 0; i < n; i++)
		size += v[i].n + 1;
	names = malloc(size);
	if (names == NULL)
		return NULL;
	to = (char *)(names + n + 1);
	for (size_t i = 0; i < n; i++) {
		names[i] = to;
		memcpy(to, v[i].p, v[i].n);
		to += v[i].n;
		*to++ = '\0';
	}
	names[n] = NULL;
	return names;
}

/* Read the answer of list. */
static int
unpack_names(struct xmsg *x, struct xmsg_bytes body, char ***names, size_t *n)
{
	struct buf v = BUF_INIT;
	int rc = XMSG_OK, got;

	got = wire_get_names(xm_str(body), gather_name, &v);
	if (got >= 0)
		*names = pack((struct str *)(void *)v.p, (size_t)got);
	if (!buf_ok(&v) || (got >= 0 && *names == NULL))
		rc = xm_nomem(x);
	else if (got < 0)
		rc = xm_set(x, XMSG_EPROTO, "the list of queues is malformed");
	else if (n != NULL)
		*n = (size_t)got;
	buf_fini(&v);
	return rc;
}

/* Names of queues. */
int
xmsg_list(struct xmsg *x, const char *prefix, unsigned flags, char ***names,
    size_t *n)
{
	struct wire_req w = {
	    .op = flags & XMSG_LIST_ALIVE ? WIRE_LIST_ALIVE : WIRE_LIST,
	    .name = str_of(prefix)};
	struct op_wait wait = {0};
	int rc = xm_may_block(x);

	*names = NULL;
	if (n != NULL)
		*n = 0;
	if (rc == XMSG_OK && w.name.n > 0)
		rc = xm_name(x, prefix);
	if (rc == XMSG_OK)
		rc = xm_op_wait(
		    x, start(x, &w, body_answer, OP_WAIT(&wait)), &wait);
	if (rc == XMSG_OK)
		rc = unpack_names(x, wait.body, names, n);
	xmsg_bytes_free(&wait.body);
	return rc;
}

/* ---- messages ---- */

/* Publish. */
int
xmsg_send(struct xmsg *x, const char *queue, const char *reply_to,
    struct xmsg_bytes payload, int64_t *id)
{
	struct op_wait w = {0};
	int rc = xm_may_block(x);

	if (id != NULL)
		*id = -1;
	if (rc != XMSG_OK)
		return rc;
	rc = xm_op_wait(x,
	    xmsg_send_start(x, queue, reply_to, payload, xm_op_waited, &w), &w);
	if (rc == XMSG_OK && id != NULL)
		*id = w.res.id;
	return rc;
}

/* Answer a request that is known by its id. */
int
xmsg_respond(struct xmsg *x, const char *reply_to, const char *queue,
    int64_t id, struct xmsg_bytes payload)
{
	struct wire_req w = {.op = WIRE_RESPONSE,
	    .name = str_of(reply_to),
	    .reply_to = str_of(queue),
	    .id = id,
	    .payload = xm_str(payload)};
	struct op_wait wait = {0};

	if (xm_may_block(x) || xm_name(x, reply_to) || xm_name(x, queue) ||
	    xm_bytes(x, payload))
		return x->rc;
	return xm_op_wait(x, start(x, &w, sent_answer, OP_WAIT(&wait)), &wait);
}

/* Acknowledge. */
int
xmsg_ack(struct xmsg *x, const char *queue, int64_t id)
{
	struct op_wait w = {0};

	if (xm_may_block(x))
		return x->rc;
	return xm_op_wait(
	    x, xmsg_ack_start(x, queue, id, xm_op_waited, &w), &w);
}

/* What xmsg_messages.v points into. */
struct batch {
	char *body; /* the answer, which all strings are in */
	struct xmsg_message v[];
};

/* A string inside the answer, which has been read: what follows it is a quote
 * that is not needed any more. */
static const char *
terminate(struct str s)
{
	if (s.p == NULL)
		return "";
	((char *)s.p)[s.n] = '\0';
	return s.p;
}

/* Gather one message. */
static int
gather_message(void *arg, const struct wire_message *m)
{
	buf_add(arg, m, sizeof *m);
	return buf_ok(arg) ? 0 : -1;
}

/* One message as the program sees it. */
static struct xmsg_message
present(const struct wire_message *m)
{
	bool request = m->kind == WIRE_KIND_REQUEST;

	return (struct xmsg_message){
	    .queue = terminate(m->queue),
	    .id = m->id,
	    .kind = request ? XMSG_REQUEST : XMSG_REPLY,
	    .reply_to = request ? terminate(m->reply_to) : "",
	    .re_queue = request ? "" : terminate(m->reply_to),
	    .re_id = request ? -1 : m->re_id,
	    .payload = {terminate(m->payload), m->payload.n},
	};
}

/* Read the answer of transfer; takes the body when it succeeds. */
static int
unpack_messages(
    struct xmsg *x, struct xmsg_bytes *body, struct xmsg_messages *out)
{
	struct buf v = BUF_INIT;
	const struct wire_message *w;
	struct batch *b = NULL;
	int rc = XMSG_OK, n;

	n = wire_get_transfer(xm_str(*body), gather_message, &v, &out->next);
	if (n >= 0)
		b = calloc(1, sizeof *b + (size_t)n * sizeof *b->v);
	if (!buf_ok(&v) || (n >= 0 && b == NULL)) {
		rc = xm_nomem(x);
	} else if (n < 0) {
		rc = xm_set(x, XMSG_EPROTO, "the messages are malformed");
	} else {
		w = (const struct wire_message *)(void *)v.p;
		for (int i = 0; i < n; i++)
			b->v[i] = present(&w[i]);
		b->body = (char *)body->p;
		body->p = NULL;
		out->v = b->v;
		out->n = (size_t)n;
	}
	buf_fini(&v);
	return rc;
}

/* The names of a transfer, checked, as the wire wants them. */
static struct str *
wire_names(struct xmsg *x, const char *const *queues, size_t n)
{
	struct str *v;

	if (n == 0 || n > WIRE_MAX_QUEUES) {
		(void)xm_set(x, XMSG_EINVAL, "a transfer names 1 to %d queues",
		    WIRE_MAX_QUEUES);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (xm_name(x, queues[i]))
			return NULL;
	v = reallocarray(NULL, n, sizeof *v);
	if (v == NULL)
		(void)xm_nomem(x);
	for (size_t i = 0; v != NULL && i < n; i++)
		v[i] = str_of(queues[i]);
	return v;
}

/* A wait on the broker's side within what it allows. */
static int
bounded_ms(int timeout_ms)
{
	return timeout_ms < 0 || timeout_ms > MAX_WAIT_MS ? MAX_WAIT_MS
							  : timeout_ms;
}

/* How long to wait for the end of such a wait. */
static int
longer_ms(const struct xmsg *x, int wait_ms)
{
	return x->timeout_ms < 0 || x->timeout_ms > INT32_MAX - wait_ms
	    ? -1
	    : x->timeout_ms + wait_ms;
}

/* Wait for messages. */
int
xmsg_transfer(struct xmsg *x, const char *const *queues, size_t nqueues,
    int64_t from, int timeout_ms, struct xmsg_messages *m)
{
	struct wire_req w = {
	    .op = WIRE_TRANSFER, .from = from, .nqueues = nqueues};
	struct op_wait wait = {0};
	int rc;

	*m = (struct xmsg_messages){NULL, 0, from};
	if (xm_may_block(x))
		return x->rc;
	timeout_ms = bounded_ms(timeout_ms);
	w.timeout_s = timeout_ms / 1000.0;
	w.queues = wire_names(x, queues, nqueues);
	if (w.queues == NULL)
		return x->rc;
	rc = xm_op_wait(x,
	    start_on(x, xm_conn_aux(x, true), &w, body_answer, OP_WAIT(&wait),
		longer_ms(x, timeout_ms)),
	    &wait);
	free(w.queues);
	if (rc == XMSG_OK)
		rc = unpack_messages(x, &wait.body, m);
	if (rc != XMSG_OK)
		*m = (struct xmsg_messages){NULL, 0, from};
	xmsg_bytes_free(&wait.body);
	return rc;
}

/* Release messages. */
void
xmsg_messages_free(struct xmsg_messages *m)
{
	struct batch *b;

	if (m->v != NULL) {
		b = (struct batch *)(void *)((char *)m->v -
		    offsetof(struct batch, v));
		free(b->body);
		free(b);
	}
	m->v = NULL;
	m->n = 0;
}

/* ---- looking, and the broker itself ---- */

/* What all queues hold. */
int
xmsg_diagnostics(struct xmsg *x, struct xmsg_bytes *json)
{
	struct wire_req w = {.op = WIRE_DIAGNOSTICS};
	struct op_wait wait = {0};

	*json = (struct xmsg_bytes){NULL, 0};
	if (xm_may_block(x))
		return x->rc;
	return xm_op_wait_body(x,
	    start_on(x, xm_conn_aux(x, false), &w, body_answer, OP_WAIT(&wait),
		x->timeout_ms),
	    &wait, json);
}

/* What happened. */
int
xmsg_trace(
    struct xmsg *x, int64_t from, int timeout_ms, struct xmsg_bytes *json)
{
	struct wire_req w = {.op = WIRE_TRACE, .from = from};
	struct op_wait wait = {0};

	*json = (struct xmsg_bytes){NULL, 0};
	if (xm_may_block(x))
		return x->rc;
	timeout_ms = bounded_ms(timeout_ms);
	w.timeout_s = timeout_ms / 1000.0;
	return xm_op_wait_body(x,
	    start_on(x, xm_conn_aux(x, false), &w, body_answer, OP_WAIT(&wait),
		longer_ms(x, timeout_ms)),
	    &wait, json);
}

/* End the broker. */
int
xmsg_shutdown(struct xmsg *x)
{
	struct wire_req w = {.op = WIRE_SHUTDOWN};
	struct op_wait wait = {0};

	if (xm_may_block(x))
		return x->rc;
	return xm_op_wait(x, start(x, &w, plain_answer, OP_WAIT(&wait)), &wait);
}

static const struct {
	const char *name;
	bool again; /* twice is as good as once */
} methods[] = {
    {"GET", true},
    {"PUT", true},
    {"DELETE", true},
    {"POST", false},
};

/* Is this a request that can be put on the wire? *again: whether twice. */
static int
check_http(struct xmsg *x, const char *method, const char *target, bool *again)
{
	size_t n = 0, i = 0;

	while (i < sizeof methods / sizeof *methods &&
	    strcmp(method, methods[i].name) != 0)
		i++;
	if (i == sizeof methods / sizeof *methods)
		return xm_set(x, XMSG_EINVAL,
		    "the method is none of GET, PUT, DELETE, POST");
	*again = methods[i].again;
	while (target[n] > 0x20 && target[n] < 0x7f)
		n++;
	if (target[0] != '/' || target[n] != '\0')
		return xm_set(x, XMSG_EINVAL,
		    "the target must begin with / and be encoded");
	return 0;
}

/* Start any HTTP request. */
struct xmsg_op *
xmsg_http_start(struct xmsg *x, const char *method, const char *target,
    struct xmsg_bytes body, int timeout_ms, xmsg_done_fn fn, void *arg)
{
	struct req *r = NULL;
	struct xmsg_op *op;
	struct conn *c;
	bool again = false;

	if (xm_may_start(x) || check_http(x, method, target, &again) ||
	    xm_bytes(x, body))
		return NULL;
	op = xm_op_new(x, sizeof *op, (struct op_call){fn, arg}, timeout_ms);
	if (op == NULL)
		return NULL;
	op->answer = http_answer;
	c = xm_conn_aux(x, false);
	if (c != NULL)
		r = xm_op_req(op);
	if (r == NULL ||
	    xm_req_http(r, method, str_of(target), NULL, xm_str(body)) != 0) {
		xm_req_free(r);
		xm_op_free(op);
		(void)xm_nomem(x);
		return NULL;
	}
	r->again = again;
	xm_op_submit(op, c, r);
	return op;
}

/* Any HTTP request. */
int
xmsg_http(struct xmsg *x, const char *method, const char *target,
    struct xmsg_bytes body, int *status, struct xmsg_bytes *answer)
{
	struct op_wait w = {0};
	int rc = xm_may_block(x);

	if (status != NULL)
		*status = 0;
	if (answer != NULL)
		*answer = (struct xmsg_bytes){NULL, 0};
	if (rc != XMSG_OK)
		return rc;
	rc = xm_op_wait_body(x,
	    xmsg_http_start(
		x, method, target, body, x->timeout_ms, xm_op_waited, &w),
	    &w, answer);
	if (rc == XMSG_OK && status != NULL)
		*status = w.res.status;
	return rc;
}

/* Percent-encode. */
char *
xmsg_encode(const char *s)
{
	struct buf b = BUF_INIT;

	wire_put_segment(&b, str_of(s));
	return buf_steal(&b, NULL);
}
