/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The stock protocol: one row and one handler per operation (wire-contract 1,
 * with the differences of its section 5).
 */
#include "api.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "ui.h"
#include "xalloc.h"

#define OUT_KEEP (2 * 1024 * 1024) /* a larger buffer is given back */

/* ---- calls ---- */

/* A request that will be answered later. */
struct call *
call_new(struct peer *p, int kind)
{
	struct api *a = p->api;
	struct call *c = a->spare;

	if (c != NULL)
		a->spare = NULL;
	else
		c = xmalloc(sizeof *c);
	memset(c, 0, sizeof *c);
	c->api = a;
	c->peer = p;
	c->kind = kind;
	p->call = c;
	return c;
}

/* Done with. */
void
call_free(struct call *c)
{
	struct api *a = c->api;

	if (c->peer != NULL)
		c->peer->call = NULL;
	free(c->name);
	act_free(c->act);
	free(c->chosen);
	buf_fini(&c->body);
	if (a->spare == NULL)
		a->spare = c;
	else
		free(c);
}

/* Answer, when there is still somebody to answer. */
void
call_reply(struct call *c, int status, const char *type, struct str body)
{
	struct peer *p = c->peer;

	if (p != NULL) {
		p->call = NULL;
		c->peer = NULL;
		http_reply(p->conn, status, type, body);
	}
	call_free(c); /* the body may be part of it */
}

/* An empty buffer for a body. */
struct buf *
api_out(struct api *a)
{
	if (a->out.cap > OUT_KEEP)
		buf_fini(&a->out);
	buf_reset(&a->out);
	return &a->out;
}

/* ---- answers ---- */

/* Answer the request under way. */
void
api_reply(struct peer *p, int status, const char *type, struct str body)
{
	if (p->call != NULL)
		call_reply(p->call, status, type, body);
	else
		http_reply(p->conn, status, type, body);
}

/* End the connection in place of an answer: what was asked may be done, and
 * there is no memory to say so. */
void
api_drop(struct peer *p)
{
	struct http_conn *conn = p->conn;
	struct call *c = p->call;

	if (c != NULL) {
		c->peer = NULL;
		call_free(c);
		p->call = NULL;
	}
	http_drop(conn);
}

static void
reply_empty(struct peer *p)
{
	api_reply(p, 200, NULL, (struct str){NULL, 0});
}

/* Answer with what is in the buffer. */
static void
reply_buf(struct peer *p, const struct buf *b)
{
	if (buf_ok(b))
		api_reply(p, 200, NULL, (struct str){b->p, b->n});
	else
		api_error(p, 503, "no_memory", "out of memory",
		    "ask for less at a time");
}

/* Answer with an error in our one shape. */
void
api_error(struct peer *p, int status, const char *code, const char *message,
    const char *hint)
{
	struct buf *b = api_out(p->api);

	p->api->nerrors++;
	wire_put_error(b, code, message, hint);
	if (!buf_ok(b))
		b->n = 0; /* the status alone, rather than half a reason */
	api_reply(p, status, "application/json", (struct str){b->p, b->n});
}

/* Limits: status, and what to do. */
static const struct {
	const char *name;
	int status;
	const char *hint;
} limit_rows[] = {
    {"queues", 429, "destroy queues that are not needed"},
    {"queue_messages", 429, "is the queue served? see 'xmsg list'"},
    {"queue_bytes", 429, "is the queue served? see 'xmsg list'"},
    {"total_bytes", 507, "queues are not served: see 'xmsg list'"},
    {"session_transient", 429, "destroy transient queues when done"},
};

static void
limit_error(struct peer *p, const char *name)
{
	char text[128];
	size_t i;

	for (i = 0; i < sizeof limit_rows / sizeof *limit_rows - 1; i++)
		if (strcmp(limit_rows[i].name, name) == 0)
			break;
	snprintf(text, sizeof text, "limits.%s is reached", name);
	api_error(p, limit_rows[i].status, "limit", text, limit_rows[i].hint);
}

/* The error for a change that did not work out. */
void
api_ms_error(struct peer *p, enum ms_rc rc, const char *name)
{
	switch (rc) {
	case MS_LIMIT: limit_error(p, name ? name : "queues"); break;
	case MS_FULL:
		api_error(p, 507, "disk_full",
		    "the disk is full: nothing was stored",
		    "free space, or acknowledge and destroy what is old");
		break;
	case MS_NO_QUEUE:
		api_error(p, 404, "no_queue", "there is no such queue",
		    "see 'xmsg list'");
		break;
	case MS_NO_MESSAGE:
		api_error(p, 404, "no_message", "there is no such message",
		    "it may have been acknowledged: see 'xmsg tail'");
		break;
	case MS_NO_REPLY_QUEUE:
		api_error(p, 409, "no_reply_queue",
		    "nobody waits for the reply: its queue is gone",
		    "acknowledge the request: xmsg ack QUEUE:ID");
		break;
	case MS_HELD:
		api_error(
		    p, 409, "leaving", "the message is being removed", NULL);
		break;
	case MS_NO_MEMORY:
		api_error(
		    p, 503, "no_memory", "out of memory", "try again later");
		break;
	case MS_UNKNOWN:
		api_error(p, 503, "unknown",
		    "the disk failed while it was written: it may be done",
		    "look whether it was done, then try again; the"
		    " broker's log says why");
		break;
	default:
		api_error(p, 503, "store", "the store could not do it",
		    "it was not done: try again; the broker's log says why");
	}
}

/* ---- changes ---- */

/* A change is durable, or failed: answer as the operation has it. */
static void
change_done(struct change *ch)
{
	struct call *c = (struct call *)ch;
	struct api *a = c->api;
	struct buf *b;

	if (c->peer == NULL) {
		call_free(c);
		return;
	}
	switch (c->op) {
	case WIRE_REQUEST:
	case WIRE_RESPONSE:
		if (ch->rc != MS_OK && ch->rc != MS_NO_QUEUE)
			break;
		b = api_out(a);
		if (ch->rc == MS_OK)
			wire_put_sent(
			    b, (struct str){c->name, c->name_n}, ch->id);
		else
			wire_put_not_sent(b);
		if (buf_ok(b))
			call_reply(c, 200, NULL, (struct str){b->p, b->n});
		else
			api_drop(c->peer);
		return;
	case WIRE_PERSISTENT:
	case WIRE_TRANSIENT:
		if (ch->rc != MS_OK)
			break;
		call_reply(c, 200, NULL, (struct str){c->name, c->name_n});
		return;
	default:
		if (ch->rc != MS_OK)
			break;
		reply_empty(c->peer);
		return;
	}
	api_ms_error(c->peer, ch->rc, ch->limit);
}

/* A call for a change, with a copy of the name that the answer needs. */
static struct call *
new_change(struct peer *p, const struct wire_req *r)
{
	struct call *c = call_new(p, CALL_CHANGE);

	c->op = r->op;
	c->u.change.done = change_done;
	c->name = xmalloc(r->name.n + 1);
	memcpy(c->name, r->name.p, r->name.n);
	c->name[r->name.n] = '\0';
	c->name_n = r->name.n;
	return c;
}

/* When it is decided already, answer now. */
static void
finish_change(struct call *c, enum ms_rc rc)
{
	if (rc == MS_PENDING)
		return;
	c->u.change.rc = rc;
	change_done(&c->u.change);
}

static void
do_login(struct peer *p, const struct wire_req *r, struct str key)
{
	(void)key;
	client_login(p->api->m, &p->client, r->name);
	reply_empty(p);
}

static void
do_create(struct peer *p, const struct wire_req *r, struct str key)
{
	struct queue *q = mswitch_queue(p->api->m, r->name);
	struct call *c;

	(void)key;
	if (q != NULL && !q->ending) { /* the usual case, kept short */
		api_reply(p, 200, NULL, r->name);
		return;
	}
	c = new_change(p, r);
	finish_change(c,
	    mswitch_create(p->api->m, &c->u.change, &p->client, r->name,
		r->op == WIRE_TRANSIENT));
}

static void
do_destroy(struct peer *p, const struct wire_req *r, struct str key)
{
	struct call *c = new_change(p, r);

	(void)key;
	finish_change(
	    c, mswitch_destroy(p->api->m, &c->u.change, &p->client, r->name));
}

static void
do_ack(struct peer *p, const struct wire_req *r, struct str key)
{
	struct call *c = new_change(p, r);

	(void)key;
	finish_change(c,
	    mswitch_ack(p->api->m, &c->u.change, &p->client, r->name, r->id));
}

static void
do_send(struct peer *p, const struct wire_req *r, struct str key)
{
	struct ms_send s = {.queue = r->name, .payload = r->payload};
	struct call *c;

	if (key.n > 64) {
		api_error(p, 400, "bad_key",
		    "Idempotency-Key is longer than 64 bytes",
		    "use a short unique text, such as TOKEN:COUNTER");
		return;
	}
	s.key = key;
	s.is_reply = r->op == WIRE_RESPONSE;
	if (s.is_reply) {
		s.re_queue = r->reply_to;
		s.re_id = r->id;
	} else {
		s.reply_to = r->reply_to;
	}
	c = new_change(p, r);
	finish_change(c, mswitch_send(p->api->m, &c->u.change, &p->client, &s));
}

/* ---- transfers ---- */

static void
transfer_message(
    struct poll *poll, const struct store_msg *sm, const struct msg *msg)
{
	struct call *c = (struct call *)poll;
	struct wire_message w = {
	    .queue = sm->queue, .id = sm->id, .payload = sm->payload};

	if (c->count == 0) {
		(void)api_out(c->api);
		wire_put_transfer_begin(&c->api->out);
	}
	if (msg->flags & MSG_REPLY) {
		w.kind = WIRE_KIND_RESPONSE;
		w.reply_to = sm->re_queue;
		w.re_id = sm->re_id;
	} else {
		w.kind = WIRE_KIND_REQUEST;
		w.reply_to = sm->reply_to;
	}
	wire_put_transfer_message(&c->api->out, &w, c->count++ == 0);
}

static void
transfer_done(struct poll *poll, int64_t next, enum ms_rc rc)
{
	struct call *c = (struct call *)poll;
	struct buf *b = &c->api->out;

	if (c->peer == NULL) {
		call_free(c);
		return;
	}
	if (rc != MS_OK) {
		api_ms_error(c->peer, rc, NULL);
		return;
	}
	if (c->count == 0) {
		b = api_out(c->api);
		wire_put_transfer_begin(b);
	}
	wire_put_transfer_end(b, next);
	reply_buf(c->peer, b);
}

static void
do_transfer(struct peer *p, const struct wire_req *r, struct str key)
{
	struct api *a = p->api;
	struct call *c = call_new(p, CALL_POLL);
	int64_t wait = (int64_t)(r->timeout_s * NS_PER_SEC);

	(void)key;
	if (wait > a->poll_max_ns)
		wait = a->poll_max_ns;
	c->op = WIRE_TRANSFER;
	c->u.poll.client = &p->client;
	c->u.poll.from = r->from;
	c->u.poll.message = transfer_message;
	c->u.poll.done = transfer_done;
	if (mswitch_poll(a->m, &c->u.poll, r->queues, r->nqueues,
		a->m->now_ns + wait) == MS_PENDING &&
	    p->call == c)
		http_park(p->conn);
}

/* ---- lists ---- */

/* Has it a consumer: a connection whose last poll named it? */
static bool
alive(const struct api *a, const struct queue *q)
{
	return waiters_find(&a->m->waiters, q->name) != NULL;
}

static void
do_list(struct peer *p, const struct wire_req *r, struct str key)
{
	struct api *a = p->api;
	struct buf *b = api_out(a);
	struct queue **v;
	bool first = true;
	size_t n;

	(void)key;
	v = mswitch_sorted(a->m, r->name, &n);
	if (v == NULL) {
		api_ms_error(p, MS_NO_MEMORY, NULL);
		return;
	}
	wire_put_names_begin(b);
	while (n-- > 0) { /* descending, as the original */
		if (r->op == WIRE_LIST_ALIVE && !alive(a, v[n]))
			continue;
		wire_put_name(b, v[n]->name, first);
		first = false;
	}
	wire_put_names_end(b);
	free(v);
	reply_buf(p, b);
}

/* ---- the rest ---- */

static void
do_diagnostics(struct peer *p, const struct wire_req *r, struct str key)
{
	(void)r, (void)key;
	api_diagnostics(p);
}

static void
do_trace(struct peer *p, const struct wire_req *r, struct str key)
{
	(void)key;
	api_trace(p, r);
}

static void
do_shutdown(struct peer *p, const struct wire_req *r, struct str key)
{
	char by[64];

	(void)r, (void)key;
	snprintf(
	    by, sizeof by, "pid %d (%s)", (int)p->client.pid, p->client.comm);
	reply_empty(p);
	p->api->shutdown(p->api->ctx, by);
}

static void (*const handlers[WIRE_NOPS])(
    struct peer *, const struct wire_req *, struct str key) = {
    [WIRE_LOGIN] = do_login,
    [WIRE_PERSISTENT] = do_create,
    [WIRE_TRANSIENT] = do_create,
    [WIRE_DESTROY] = do_destroy,
    [WIRE_ACK] = do_ack,
    [WIRE_LIST] = do_list,
    [WIRE_LIST_ALIVE] = do_list,
    [WIRE_TRANSFER] = do_transfer,
    [WIRE_REQUEST] = do_send,
    [WIRE_RESPONSE] = do_send,
    [WIRE_TRACE] = do_trace,
    [WIRE_DIAGNOSTICS] = do_diagnostics,
    [WIRE_SHUTDOWN] = do_shutdown,
};

/* "Not found: TARGET", as the original answers; the target is still encoded,
 * so it has no control characters. */
static void
not_found(struct peer *p, struct str target)
{
	struct buf *b = api_out(p->api);

	buf_adds(b, "Not found: ");
	buf_add(b, target.p, target.n);
	api_reply(p, 404, NULL, (struct str){b->p, b->n});
}

/* One request of the stock protocol. */
static void
stock(struct peer *p, struct http_request *hr)
{
	struct api *a = p->api;
	struct wire_req r = {
	    .queues = a->names, .nqueues = (size_t)a->max_queues_per_poll};
	const char *reason = "";
	char text[128];

	switch (
	    wire_get_request(&r, hr->method, hr->target, hr->body, &reason)) {
	case WIRE_NOT_FOUND: not_found(p, hr->target); return;
	case WIRE_BAD:
		api_error(p, 400, "bad_request", reason,
		    "see doc/protocol.md for the form of each request");
		return;
	case WIRE_TOO_MANY:
		snprintf(text, sizeof text, "more than %lld queues in one poll",
		    (long long)a->max_queues_per_poll);
		api_error(
		    p, 413, "too_many_queues", text, "use several connections");
		return;
	case WIRE_OK: break;
	}
	if (wire_needs_login(r.op) && p->client.session == NULL) {
		api_reply(p, 404, NULL, STR("Please log in."));
		return;
	}
	handlers[r.op](p, &r, hr->key);
}

/* ---- from http ---- */

static void *
on_open(void *ctx, struct http_conn *conn, const struct usock_peer *peer)
{
	struct peer *p = xcalloc(1, sizeof *p);

	p->api = ctx;
	p->conn = conn;
	p->gid = peer->gid;
	client_init(&p->client, peer->pid, peer->uid);
	usock_comm(peer->pid, p->client.comm);
	return p;
}

static void
on_request(void *ctx, struct http_conn *conn, struct http_request *r)
{
	struct api *a = ctx;
	struct peer *p = http_user(conn);

	a->nrequests++;
	if (!api_v1(p, r) && !api_metrics(p, r) && !ui(p, r))
		stock(p, r);
}

static void
on_close(void *ctx, struct http_conn *conn)
{
	struct api *a = ctx;
	struct peer *p = http_user(conn);
	struct call *c = p->call;

	client_close(a->m, &p->client);
	if (c != NULL) {
		c->peer = NULL;
		if (c->kind == CALL_WAIT)
			trace_unwait(a->trace, &c->u.wait);
		if (c->kind == CALL_WAIT ||
		    (c->kind == CALL_POLL && !c->u.poll.fetching))
			call_free(c);
	}
	free(p);
}

static void
on_wake(void *ctx)
{
	struct api *a = ctx;

	a->wake(a->ctx);
}

const struct http_handler api_handler = {
    on_wake, on_open, on_request, on_close};

/* Set up what is private. */
void
api_init(struct api *a)
{
	a->names = xcalloc((size_t)a->max_queues_per_poll, sizeof *a->names);
}

/* Free it. */
void
api_fini(struct api *a)
{
	free(a->names);
	free(a->spare);
	buf_fini(&a->out);
}
