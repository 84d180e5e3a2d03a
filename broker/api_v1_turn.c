/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The daily work of callers and consumers in fewer exchanges: a message sent,
 * with its queue made, an older one acknowledged and the reply waited for; a
 * request answered and the next one waited for.
 *
 *   (make the queue) --> send or answer --durable--> answered
 *                                          `--asked--> poll --> answered
 */
#include "api_v1.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "xalloc.h"

#define MAX_KEY 64

/* What a call carries along for this; its strings are behind it. */
struct turn {
	struct str queue; /* where the message goes, or came from */
	struct str reply_to;
	struct str payload;
	struct str key;
	struct str polled; /* the queue to poll afterwards, n == 0: none */
	int64_t from; /* the cursor for that; INT64_MIN: the message sent */
	int64_t wait_ns;
	bool duplicate;
	char bytes[];
};

/* Free it. */
void
turn_free(struct turn *t)
{
	free(t);
}

/* Copy bytes to *at, and move it. */
static struct str
put(char **at, struct str s)
{
	struct str copy = {*at, s.n};

	if (s.n != 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

/* Only who has logged in is a consumer. */
static bool
logged_in(const struct v1 *v)
{
	if (v->p->client.session != NULL)
		return true;
	api_error(v->p, 403, "no_login", "who polls must log in first",
	    "GET /login/TOKEN on this connection");
	return false;
}

/* The parameters of the poll that is to follow: `wait` or `next` asks for it.
 * false: answered. */
static bool
poll_params(const struct v1 *v, struct turn *t, bool *wanted)
{
	int64_t wait;

	*wanted =
	    v1_param(v, "wait").p != NULL || v1_param(v, "next").p != NULL;
	if (!v1_param_int(v, "wait", 0, 0, INT32_MAX, &wait) ||
	    !v1_param_int(v, "next", INT64_MIN, -1, INT64_MAX, &t->from))
		return false;
	t->wait_ns = wait * NS_PER_SEC;
	if (t->wait_ns > v->a->poll_max_ns)
		t->wait_ns = v->a->poll_max_ns;
	return !*wanted || logged_in(v);
}

/* ---- the poll ---- */

/* The fields of the message, at the beginning of the answer. */
static struct jsonw
begin_answer(struct call *c)
{
	struct v1 v = {.p = c->peer, .a = c->api};
	struct jsonw w = v1_start(&v);

	jsonw_str(&w, "queue", (struct str){c->name, c->name_n});
	jsonw_int(&w, "id", c->arg);
	jsonw_bool(&w, "duplicate", c->turn->duplicate);
	return w;
}

/* Nothing more was asked for. */
static void
finish_answer(struct call *c)
{
	struct v1 v = {.p = c->peer, .a = c->api};
	struct jsonw w = begin_answer(c);

	v1_finish(&v, &w);
}

/* The list of messages begins. */
static void
begin_messages(struct call *c)
{
	struct jsonw w = begin_answer(c);

	buf_adds(w.b, ",\"messages\":[");
}

static void
polled_message(
    struct poll *poll, const struct store_msg *sm, const struct msg *msg)
{
	struct call *c = call_of(poll);

	if (c->count == 0)
		begin_messages(c);
	api_put_message(&c->api->out, sm, msg, c->count++ == 0);
}

static void
polled(struct poll *poll, int64_t next, enum ms_rc rc)
{
	struct call *c = call_of(poll);
	struct buf *b = &c->api->out;

	if (c->peer == NULL) {
		call_free(c);
		return;
	}
	/* the message is durable, so it must be told; what could not be read
	 * comes with the next poll */
	if (c->count == 0 || rc != MS_OK)
		begin_messages(c);
	wire_put_transfer_end(b, rc == MS_OK ? next : c->u.poll.from);
	if (buf_ok(b))
		api_reply(c->peer, 200, V1_JSON, (struct str){b->p, b->n});
	else
		api_ms_error(c->peer, MS_NO_MEMORY, NULL);
}

/* The message is durable: answer, or poll first.  The call is used again. */
void
turn_done(struct call *c, int64_t id, bool duplicate)
{
	struct turn *t = c->turn;
	struct peer *p = c->peer;

	c->arg = id;
	t->duplicate = duplicate;
	if (t->polled.n == 0) {
		finish_answer(c);
		return;
	}
	c->kind = CALL_POLL;
	c->count = 0;
	memset(&c->u.poll, 0, sizeof c->u.poll);
	c->u.poll.client = &p->client;
	c->u.poll.from = t->from != INT64_MIN ? t->from : id;
	c->u.poll.message = polled_message;
	c->u.poll.done = polled;
	if (mswitch_poll(c->api->m, &c->u.poll, &t->polled, 1,
		c->api->m->now_ns + t->wait_ns) == MS_PENDING &&
	    p->call == c)
		http_park(p->conn);
}

/* ---- sending ---- */

static void
sent(struct change *ch)
{
	struct call *c = call_of(ch);

	if (!call_resume(c))
		return;
	if (ch->rc == MS_OK)
		turn_done(c, ch->id, ch->duplicate);
	else
		api_ms_error(c->peer, ch->rc, ch->limit);
}

/* Send what the call is about. */
static void
send(struct call *c)
{
	const struct turn *t = c->turn;
	struct ms_send s = {.queue = t->queue,
	    .reply_to = t->reply_to,
	    .payload = t->payload,
	    .key = t->key};
	enum ms_rc rc;

	memset(&c->u.change, 0, sizeof c->u.change);
	c->u.change.done = sent;
	rc = mswitch_send(c->api->m, &c->u.change, &c->peer->client, &s);
	if (rc == MS_PENDING)
		return;
	c->u.change.rc = rc;
	sent(&c->u.change);
}

/* The queue is there. */
static void
created(struct change *ch)
{
	struct call *c = call_of(ch);

	if (!call_resume(c))
		return;
	if (ch->rc == MS_OK)
		send(c);
	else
		api_ms_error(c->peer, ch->rc, ch->limit);
}

/* Make the queue first, unless it is there. */
static void
create_and_send(struct call *c)
{
	const struct turn *t = c->turn;
	struct queue *q = mswitch_queue(c->api->m, t->queue);
	enum ms_rc rc;

	if (q != NULL && !q->ending) {
		c->overlaps = t->polled.n == 0;
		send(c);
		return;
	}
	c->u.change.done = created;
	rc = mswitch_create(
	    c->api->m, &c->u.change, &c->peer->client, t->queue, false);
	if (rc == MS_PENDING)
		return;
	c->u.change.rc = rc;
	created(&c->u.change);
}

static void
acked_along(struct change *ch)
{
	free(ch);
}

/* Acknowledge a message of the reply queue.  It goes with the batch of what is
 * sent right after it, which is what the client waits for. */
static void
ack_along(const struct v1 *v, struct str queue, int64_t id)
{
	struct change *ch = xcalloc(1, sizeof *ch);

	ch->done = acked_along;
	if (mswitch_ack(v->a->m, ch, &v->p->client, queue, id) != MS_PENDING)
		free(ch);
}

/* Whose queue the reply goes to: as asked, or that of the token. */
static bool
reply_queue(const struct v1 *v, struct str *name)
{
	*name = v1_param(v, "reply_to");
	if (name->p != NULL)
		return v1_good_name(v, *name);
	if (!logged_in(v))
		return false;
	*name = client_token(&v->p->client);
	return true;
}

/* POST /v1/queues/Q/messages */
void
v1_post_message(const struct v1 *v)
{
	struct turn about = {.wait_ns = 0}, *t;
	int64_t make, ack;
	struct str reply_to;
	struct call *c;
	bool poll;
	char *at;

	if (!v1_good_name(v, v->seg[1]) || !reply_queue(v, &reply_to) ||
	    !v1_param_int(v, "create", 0, 0, 1, &make) ||
	    !v1_param_int(v, "ack", -1, 0, INT64_MAX, &ack) ||
	    !poll_params(v, &about, &poll))
		return;
	if (v->key.n > MAX_KEY) {
		api_error(v->p, 400, "bad_key",
		    "Idempotency-Key is longer than 64 bytes",
		    "use a short unique text, such as TOKEN:COUNTER");
		return;
	}
	t = malloc(sizeof *t + v->seg[1].n + reply_to.n + v->key.n + v->body.n);
	if (t == NULL) {
		api_ms_error(v->p, MS_NO_MEMORY, NULL);
		return;
	}
	*t = about;
	at = t->bytes;
	t->queue = put(&at, v->seg[1]);
	t->reply_to = put(&at, reply_to);
	t->key = put(&at, v->key);
	t->payload = put(&at, v->body);
	t->polled = poll ? t->reply_to : (struct str){NULL, 0};
	c = v1_change(v, sent, t->queue);
	c->turn = t;
	if (ack >= 0)
		ack_along(v, t->reply_to, ack);
	if (make)
		create_and_send(c);
	else {
		c->overlaps = !poll;
		send(c);
	}
}

/* ---- answering ---- */

/* The poll that is to follow a reply, for its call; false: answered. */
bool
turn_after_reply(const struct v1 *v, struct turn **t)
{
	struct turn about = {.wait_ns = 0};
	bool poll;
	char *at;

	*t = NULL;
	if (!poll_params(v, &about, &poll))
		return false;
	if (!poll)
		return true;
	*t = malloc(sizeof **t + v->seg[1].n);
	if (*t == NULL) {
		api_ms_error(v->p, MS_NO_MEMORY, NULL);
		return false;
	}
	**t = about;
	at = (*t)->bytes;
	(*t)->queue = (*t)->polled = put(&at, v->seg[1]);
	if ((*t)->from == INT64_MIN)
		v1_id(v, &(*t)->from); /* behind the request that is answered */
	return true;
}
