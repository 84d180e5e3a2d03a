/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Looking through /v1: messages, events, clients. */
#include "api_v1.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "redact.h"
#include "rpc.h"
#include "xalloc.h"

#define READ_PAGE 1000 /* messages read to find those that are meant */

/* ---- messages ---- */

/* Token of the session with this serial, while it lives. */
static struct str
token_of(const struct api *a, uint32_t serial)
{
	struct session *s, *next;

	if (serial == 0)
		return (struct str){NULL, 0};
	HASH_ITER (hh, a->m->sessions.by_token, s, next)
		if (s->serial == serial)
			return s->token;
	return STR("(gone)");
}

static void
put_base64(struct jsonw *w, const char *key, struct str v)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)v.p;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < v.n; i += 3) {
		size_t left = v.n - i;
		uint32_t x = (uint32_t)p[i] << 16 |
		    (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
		    (left > 2 ? p[i + 2] : 0);

		buf_addc(&b, set[x >> 18]);
		buf_addc(&b, set[x >> 12 & 63]);
		buf_addc(&b, left > 1 ? set[x >> 6 & 63] : '=');
		buf_addc(&b, left > 2 ? set[x & 63] : '=');
	}
	jsonw_str(w, key, (struct str){b.p ? b.p : "", b.n});
	w->b->failed |= b.failed;
	buf_fini(&b);
}

/* What is shown of a payload. */
static void
put_payload(struct jsonw *w, const struct call *c, const struct store_msg *sm)
{
	char text[RING_MAX_PAYLOAD];

	if (c->flag)
		put_base64(w, "payload_base64", sm->payload);
	else if (c->n1 != 0)
		jsonw_str(w, "payload",
		    (struct str){text, redact(text, sizeof text, sm->payload)});
}

/* Who sent it. */
static void
put_origin(struct jsonw *w, const struct store_msg *sm)
{
	jsonw_str(w, "origin", sm->origin);
	jsonw_int(w, "pid", sm->pid);
	if (sm->uid >= 0)
		jsonw_int(w, "uid", sm->uid);
	else
		jsonw_null(w, "uid");
	jsonw_str(w, "comm", sm->comm.p ? sm->comm : STR(""));
}

/* How a call has to be answered: in which form, with which id (JSON). */
static void
put_call(struct jsonw *w, struct str payload)
{
	char *text = malloc(payload.n + 1);
	struct rpc rpc;

	if (text == NULL) {
		w->b->failed = true;
		return;
	}
	if (payload.n > 0)
		memcpy(text, payload.p, payload.n);
	rpc_read(&rpc, text, payload.n, false);
	if (rpc.method.p != NULL) {
		jsonw_open(w, "call", '{');
		jsonw_bool(w, "jsonrpc2", rpc.v2);
		jsonw_str(w, "id", rpc.id);
		jsonw_close(w, '}');
	}
	free(text);
}

static void
put_message(struct jsonw *w, const struct call *c, const struct store_msg *sm,
    const struct msg *msg)
{
	const struct api *a = c->api;
	int64_t age = a->m->wall_ns - sm->at_ns;
	bool reply = msg->flags & MSG_REPLY;
	char method[256];
	size_t n;

	jsonw_open(w, NULL, '{');
	jsonw_str(w, "queue", sm->queue);
	jsonw_int(w, "id", sm->id);
	jsonw_str(w, "kind", str_of(reply ? "reply" : "request"));
	jsonw_str(w, "state", str_of(v1_state_name(v1_state(msg))));
	n = rpc_method(method, sizeof method, sm->payload);
	jsonw_str(w, "method", (struct str){n ? method : NULL, n});
	if (msg->held > 0)
		jsonw_str(w, "reason", str_of(ms_held_reason(msg->held)));
	jsonw_seconds(w, "age_s", age > 0 ? age : 0);
	jsonw_seconds(w, "time", sm->at_ns);
	jsonw_int(w, "size", msg->size);
	jsonw_int(w, "deliveries", msg->deliveries);
	jsonw_str(w, "consumer", token_of(a, msg->consumer));
	put_origin(w, sm);
	if (!reply) {
		jsonw_str(w, "reply_to", sm->reply_to);
		jsonw_bool(w, "answered", msg->flags & MSG_ANSWERED);
		if (c->op == WIRE_NOPS)
			put_call(w, sm->payload);
	} else {
		jsonw_open(w, "request", '{');
		jsonw_str(w, "queue", sm->re_queue);
		jsonw_int(w, "id", sm->re_id);
		jsonw_close(w, '}');
	}
	put_payload(w, c, sm);
	jsonw_close(w, '}');
}

static void
list_message(
    struct poll *poll, const struct store_msg *sm, const struct msg *msg)
{
	struct call *c = call_of(poll);
	struct jsonw w = {.b = &c->body, .comma = c->count > 0};

	if (c->op == WIRE_NOPS && sm->id != c->arg)
		return; /* one was asked for, and it is not there */
	if (c->chosen != NULL) {
		if (c->count == c->limit)
			return; /* the page is full: the next one has it */
		c->arg = sm->id;
		if (!filter_read(c->chosen, sm))
			return;
	}
	c->count++;
	put_message(&w, c, sm, msg);
}

/* What the index knows of the filter. */
static bool
list_want(const struct poll *p, const struct msg *msg)
{
	return filter_msg(call_of_const(p)->chosen, msg);
}

/* Is there more behind the page? */
static bool
more_after(const struct call *c, int64_t id)
{
	struct queue *q =
	    mswitch_queue(c->api->m, (struct str){c->name, c->name_n});
	struct msgq_cursor at;
	struct msg *msg;

	if (q == NULL)
		return false;
	at = msgq_seek(&q->q, id);
	while ((msg = msgq_next(&q->q, &at)) != NULL)
		if (filter_msg(c->chosen, msg))
			return true;
	return false;
}

static void
list_done(struct poll *poll, int64_t next, enum ms_rc rc)
{
	struct call *c = call_of(poll);
	struct v1 v = {.p = c->peer, .a = c->api};
	struct jsonw w;

	(void)next;
	if (c->peer == NULL) {
		call_free(c);
		return;
	}
	if (rc == MS_OK && c->op == WIRE_NOPS && c->count == 0)
		rc = MS_NO_MESSAGE;
	if (rc != MS_OK || !buf_ok(&c->body)) {
		api_ms_error(c->peer, rc != MS_OK ? rc : MS_NO_MEMORY, NULL);
		return;
	}
	if (c->op == WIRE_NOPS) {
		struct buf whole = c->body;

		buf_init(&c->body);
		buf_addc(&whole, '\n');
		api_reply(v.p, 200, V1_JSON, (struct str){whole.p, whole.n});
		buf_fini(&whole);
		return;
	}
	w = v1_start(&v);
	jsonw_open(&w, "messages", '[');
	buf_add(w.b, c->body.p, c->body.n);
	jsonw_close(&w, ']');
	if (more_after(c, c->arg))
		jsonw_int(&w, "next", c->arg);
	else
		jsonw_null(&w, "next");
	v1_finish(&v, &w);
}

static struct call *
new_look(const struct v1 *v, int64_t from)
{
	struct call *c = call_new(v->p, CALL_POLL);

	c->u.poll.client = &v->p->client;
	c->u.poll.from = from;
	c->name = xmalloc(v->seg[1].n + 1);
	memcpy(c->name, v->seg[1].p, v->seg[1].n);
	c->name_n = v->seg[1].n;
	c->u.poll.message = list_message;
	c->u.poll.done = list_done;
	return c;
}

/* The filter of a listing, owned by the caller; NULL: malformed (answered). */
static struct msg_filter *
get_filter(const struct v1 *v)
{
	struct msg_choice m = {.state = v1_param(v, "state"),
	    .method = v1_param(v, "method"),
	    .origin = v1_param(v, "origin"),
	    .grep = v1_param(v, "grep")};
	struct msg_filter *f;
	const char *bad;

	if (!v1_param_int(v, "older", -1, 0, INT32_MAX, &m.older_s) ||
	    !v1_param_int(v, "min_size", -1, 0, INT64_MAX, &m.min_size) ||
	    !v1_param_int(v, "max_size", -1, 0, INT64_MAX, &m.max_size) ||
	    !v1_param_int(v, "up_to", -1, 0, INT64_MAX, &m.up_to))
		return NULL;
	f = xcalloc(1, sizeof *f);
	if (filter_set(f, v->a, &m, &bad))
		return f;
	free(f);
	api_error(v->p, 400, "bad_parameter", bad,
	    "state: ready, delivered, held or leaving; method: a name, or the"
	    " beginning of one and *; texts: at most 255 bytes");
	return NULL;
}

void
v1_get_messages(const struct v1 *v)
{
	int64_t after, limit, payload;
	struct msg_filter *f;
	struct call *c;
	size_t most;

	if (!v1_param_int(v, "after", -1, INT64_MIN, INT64_MAX, &after) ||
	    !v1_param_int(v, "limit", 100, 1, 1000, &limit) ||
	    !v1_param_int(v, "payload", 0, 0, 1, &payload) ||
	    v1_queue(v) == NULL || (f = get_filter(v)) == NULL)
		return;
	c = new_look(v, after);
	c->limit = (size_t)limit;
	c->n1 = payload;
	c->chosen = f;
	c->arg = after; /* where the next page begins */
	c->u.poll.want = list_want;
	/* whether it is meant may show only when the message has been read */
	most = filter_reads(f) ? READ_PAGE : (size_t)limit;
	c->u.poll.most_bytes = filter_page_bytes(f);
	(void)mswitch_look(v->a->m, &c->u.poll, v->seg[1], most);
}

void
v1_get_message(const struct v1 *v)
{
	bool raw = str_eq(v1_param(v, "payload"), STR("raw"));
	struct call *c;
	int64_t id;

	if (!v1_id(v, &id) || v1_queue(v) == NULL)
		return;
	if (raw)
		acts_asked(v, "show --raw");
	if (raw && !v1_privileged(v->p)) {
		api_error(v->p, 403, "forbidden",
		    "raw payloads are for root only", "leave payload=raw out");
		return;
	}
	if (raw)
		log_info("api", "pid %d (%s) uid %d reads %.*s:%lld whole",
		    (int)v->p->client.pid, v->p->client.comm,
		    (int)v->p->client.uid, (int)v->seg[1].n, v->seg[1].p,
		    (long long)id);
	c = new_look(v, id - 1);
	c->arg = id;
	c->op = WIRE_NOPS; /* means: one */
	c->n1 = 1;
	c->flag = raw;
	(void)mswitch_look(v->a->m, &c->u.poll, v->seg[1], 1);
}

/* ---- clients ---- */

void
v1_get_clients(const struct v1 *v)
{
	struct http_conn *c = NULL;
	struct jsonw w = v1_start(v);

	jsonw_open(&w, "clients", '[');
	while ((c = http_next(v->a->http, c)) != NULL) {
		const struct peer *p = http_user(c);
		const struct http_use *use = http_use_of(c);
		const struct waiter *wt;

		if (p == NULL)
			continue;
		wt = &p->client.waiter;
		jsonw_open(&w, NULL, '{');
		jsonw_int(&w, "pid", p->client.pid);
		jsonw_int(&w, "uid", p->client.uid);
		jsonw_str(&w, "comm", str_of(p->client.comm));
		jsonw_str(&w, "token", client_token(&p->client));
		jsonw_bool(&w, "parked", wt->parked);
		jsonw_open(&w, "queues", '[');
		for (uint32_t i = 0; i < wt->n; i++)
			jsonw_str(&w, NULL, wt->links[i].name->name);
		jsonw_close(&w, ']');
		jsonw_seconds(&w, "age_s", v->a->m->now_ns - http_since(c));
		jsonw_int(&w, "requests", (int64_t)use->requests);
		jsonw_int(&w, "bytes_in", (int64_t)use->bytes_in);
		jsonw_int(&w, "bytes_out", (int64_t)use->bytes_out);
		jsonw_close(&w, '}');
	}
	jsonw_close(&w, ']');
	v1_finish(v, &w);
}
