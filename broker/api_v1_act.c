/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Changes through /v1: queues made and destroyed, messages removed, answered,
 * cancelled, held and released. */
#include "api_v1.h"

#include <stdio.h>
#include <stdlib.h>

#include "redact.h"
#include "rpc.h"
#include "xalloc.h"

enum {
	V1_CREATE,
	V1_DESTROY,
	V1_DELETE,
	V1_REPLY,
	V1_MARK,
	V1_CANCEL,
	V1_PAUSE
};

/* Free it. */
void
act_free(struct act *act)
{
	if (act == NULL)
		return;
	free(act->by);
	free(act->reason);
	free(act->note);
	free(act->reply_to);
	buf_fini(&act->failure);
	purge_free(act->purge);
	undo_free(act->undo);
	free(act);
}

/* ---- who and why ---- */

/* The sentence that tells who did it and why; to be freed. */
static char *
sentence_of(const struct act *act, const char *done)
{
	return xasprintf("%s by %s%s%s", done, act->by,
	    *act->reason ? ": " : "", act->reason);
}

/* Who and why. */
struct act *
act_new(const struct v1 *v, const char *done, struct str who, struct str reason)
{
	struct act *act = xcalloc(1, sizeof *act);
	const struct client *c = &v->p->client;
	char text[RING_MAX_PAYLOAD], *sentence;
	size_t n;

	act->reason =
	    xasprintf("%.*s", (int)reason.n, reason.p ? reason.p : "");
	act->by = who.p != NULL ? xasprintf("%.*s", (int)who.n, who.p)
				: xasprintf("uid %d pid %d (%s)", (int)c->uid,
				      (int)c->pid, c->comm);
	sentence = sentence_of(act, done);
	n = redact(text, sizeof text, str_of(sentence));
	act->note = xasprintf("%.*s", (int)n, text);
	free(sentence);
	return act;
}

/* The failure for a caller. */
void
act_failure(const struct act *act, struct buf *failure, struct str payload)
{
	char *text = malloc(payload.n + 1), *sentence;
	struct rpc rpc;

	if (text == NULL) {
		failure->failed = true;
		return;
	}
	if (payload.n != 0)
		memcpy(text, payload.p, payload.n);
	rpc_read(&rpc, text, payload.n, false);
	sentence = sentence_of(act, "cancelled");
	rpc_cancelled(failure, &rpc, str_of(act->by), str_of(act->reason),
	    str_of(sentence));
	free(sentence);
	free(text);
}

/* ---- queues, and messages one at a time ---- */

/* What became of a cancelled message's caller. */
static void
put_reply(struct jsonw *w, const struct act *act, int64_t id)
{
	struct str queue = {act->reply_to, act->reply_to_n};

	jsonw_open(w, "reply", '{');
	jsonw_str(w, "queue", id ? queue : (struct str){NULL, 0});
	if (id != 0)
		jsonw_int(w, "id", id);
	else
		jsonw_null(w, "id");
	jsonw_close(w, '}');
}

/* Is it an act on a whole queue? */
static bool
of_queue(int64_t what)
{
	return what == V1_CREATE || what == V1_DESTROY || what == V1_PAUSE;
}

/* A change under /v1 is done: say what was done. */
static void
change_done(struct change *ch)
{
	struct call *c = call_of(ch);
	struct v1 v = {.p = c->peer, .a = c->api};
	struct str name = {c->name, c->name_n};
	struct jsonw w;

	if (!call_resume(c))
		return;
	if (ch->rc == MS_OK && !ch->found && c->n1 == V1_DESTROY)
		ch->rc = MS_NO_QUEUE;
	if (ch->rc == MS_OK && !ch->found && c->n1 == V1_DELETE)
		ch->rc = MS_NO_MESSAGE;
	if (ch->rc != MS_OK) {
		api_ms_error(c->peer, ch->rc, ch->limit);
		return;
	}
	if (c->turn != NULL) {
		turn_done(c, ch->id, ch->duplicate);
		return;
	}
	w = v1_start(&v);
	jsonw_str(&w, of_queue(c->n1) ? "name" : "queue", name);
	if (c->n1 == V1_PAUSE)
		jsonw_bool(&w, "paused", c->flag);
	else if (c->n1 == V1_CREATE)
		jsonw_bool(&w, "created", !ch->found);
	else if (c->n1 == V1_DESTROY)
		jsonw_int(&w, "messages", ch->messages);
	else
		jsonw_int(&w, "id", c->n1 == V1_REPLY ? ch->id : c->arg);
	if (c->n1 == V1_REPLY)
		jsonw_bool(&w, "duplicate", ch->duplicate);
	if (c->n1 == V1_CANCEL) {
		put_reply(&w, c->act, ch->id);
		jsonw_int(&w, "act", c->act->number);
	}
	v1_finish(&v, &w);
}

/* A call for a change. */
struct call *
v1_change(const struct v1 *v, void (*done)(struct change *), struct str name)
{
	struct call *c = call_new(v->p, CALL_CHANGE);

	c->u.change.done = done;
	c->name = xmalloc(name.n + 1);
	if (name.n != 0)
		memcpy(c->name, name.p, name.n);
	c->name[name.n] = '\0';
	c->name_n = name.n;
	return c;
}

static struct call *
new_change(const struct v1 *v, int what, struct str name)
{
	struct call *c = v1_change(v, change_done, name);

	c->n1 = what;
	return c;
}

static void
begin(struct call *c, enum ms_rc rc)
{
	if (rc == MS_PENDING)
		return;
	c->u.change.rc = rc;
	change_done(&c->u.change);
}

/* Names on the way in: the rules of the stock protocol. */
bool
v1_good_name(const struct v1 *v, struct str s)
{
	bool bad = s.n == 0 || s.n > WIRE_MAX_NAME;

	for (size_t i = 0; i < s.n && !bad; i++)
		bad = (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f;
	if (bad)
		api_error(v->p, 400, "bad_name", "not a queue's name",
		    "1 to 255 bytes without control characters");
	return !bad;
}

void
v1_put_queue(const struct v1 *v)
{
	struct call *c;

	if (!v1_good_name(v, v->seg[1]))
		return;
	c = new_change(v, V1_CREATE, v->seg[1]);
	begin(c,
	    mswitch_create(
		v->a->m, &c->u.change, &v->p->client, v->seg[1], false));
}

/* if_empty=1: only a queue with nothing in it or on its way to it, so that no
 * request is lost that came at the last moment. */
void
v1_delete_queue(const struct v1 *v)
{
	struct queue *q;
	struct call *c;
	int64_t if_empty;

	if (!v1_param_int(v, "if_empty", 0, 0, 1, &if_empty))
		return;
	q = if_empty ? v1_queue(v) : NULL;
	if (if_empty && q == NULL)
		return;
	if (q != NULL && (q->q.n > 0 || q->pending > 0)) {
		api_error(v->p, 409, "not_empty", "the queue is not empty",
		    "leave out if_empty to destroy it all the same");
		return;
	}
	c = new_change(v, V1_DESTROY, v->seg[1]);
	begin(c,
	    mswitch_destroy(v->a->m, &c->u.change, &v->p->client, v->seg[1]));
}

/* The id in the path; false when it is none (answered). */
bool
v1_id(const struct v1 *v, int64_t *id)
{
	if (wire_int64(v->seg[3], id) && *id > INT64_MIN)
		return true; /* the one before it is a number, too */
	api_error(v->p, 400, "bad_id", "not a message id",
	    "ids are whole numbers, see 'xmsg recv --peek QUEUE'");
	return false;
}

void
v1_delete_message(const struct v1 *v)
{
	struct str none = {NULL, 0};
	struct call *c;
	int64_t id;

	if (!v1_id(v, &id) || v1_queue(v) == NULL)
		return;
	c = new_change(v, V1_DELETE, v->seg[1]);
	c->arg = id;
	c->act = act_new(v, "deleted", none, none);
	begin(c,
	    mswitch_delete(v->a->m, &c->u.change, &v->p->client, v->seg[1], id,
		str_of(c->act->note)));
}

static void
mark(const struct v1 *v, int held)
{
	struct call *c;
	int64_t id;

	if (!v1_id(v, &id))
		return;
	c = new_change(v, V1_MARK, v->seg[1]);
	c->arg = id;
	begin(c,
	    mswitch_mark(
		v->a->m, &c->u.change, &v->p->client, v->seg[1], id, held));
}

void
v1_post_hold(const struct v1 *v)
{
	mark(v, STORE_HELD_OPERATOR);
}

void
v1_post_release(const struct v1 *v)
{
	mark(v, STORE_RELEASED);
}

void
v1_post_requeue(const struct v1 *v)
{
	struct call *c;
	int64_t id;

	if (!v1_id(v, &id))
		return;
	c = new_change(v, V1_MARK, v->seg[1]);
	c->arg = id;
	begin(c,
	    mswitch_requeue(
		v->a->m, &c->u.change, &v->p->client, v->seg[1], id));
}

/* ---- reply and acknowledge ---- */

/* The request has been read, so its reply queue is known. */
static void
reply_message(
    struct poll *poll, const struct store_msg *sm, const struct msg *msg)
{
	struct call *c = call_of(poll);

	if (sm->id != c->arg)
		return;
	c->flag = !(msg->flags & MSG_REPLY);
	c->count++;
	free(c->name);
	c->name = xmalloc(sm->reply_to.n + 1);
	if (sm->reply_to.n != 0)
		memcpy(c->name, sm->reply_to.p, sm->reply_to.n);
	c->name[sm->reply_to.n] = '\0';
	c->name_n = sm->reply_to.n;
}

/* Go on from having read the request to answering it; the call is used again
 * as a change, which is what the client waits for. */
static void
reply_looked(struct poll *poll, int64_t next, enum ms_rc rc)
{
	struct call *c = call_of(poll);
	struct str payload = {c->body.p, c->body.n};
	struct str queue = {c->body.p + c->limit, c->body.n - c->limit};
	struct peer *p = c->peer;
	enum ms_rc rc2;

	(void)next;
	payload.n = c->limit;
	if (p == NULL) {
		call_free(c);
		return;
	}
	if (rc == MS_OK && c->count > 0 && !c->flag) {
		api_error(p, 409, "no_reply_queue",
		    "the message is itself a reply", NULL);
		return;
	}
	if (rc != MS_OK) {
		api_ms_error(p, rc, NULL);
		return;
	}
	c->kind = CALL_CHANGE;
	memset(&c->u.change, 0, sizeof c->u.change);
	c->u.change.done = change_done;
	c->n1 = V1_REPLY;
	c->overlaps = c->turn == NULL;
	rc2 = mswitch_answer(c->api->m, &c->u.change, &p->client, queue, c->arg,
	    (struct str){c->name ? c->name : "", c->name_n}, payload);
	begin(c, rc2);
}

void
v1_post_reply(const struct v1 *v)
{
	struct turn *turn;
	struct call *c;
	int64_t id;

	if (!v1_id(v, &id) || v1_queue(v) == NULL ||
	    !turn_after_reply(v, &turn))
		return;
	c = call_new(v->p, CALL_POLL);
	c->turn = turn;
	c->arg = id;
	buf_add(&c->body, v->body.p, v->body.n);
	buf_add(&c->body, v->seg[1].p, v->seg[1].n);
	c->limit = v->body.n;
	if (!buf_ok(&c->body)) {
		api_ms_error(v->p, MS_NO_MEMORY, NULL);
		return;
	}
	c->u.poll.client = &v->p->client;
	c->u.poll.from = id - 1;
	c->u.poll.message = reply_message;
	c->u.poll.done = reply_looked;
	(void)mswitch_look(v->a->m, &c->u.poll, v->seg[1], 1);
}

/* ---- cancel ---- */

/* The request has been read: compose what its caller gets. */
static void
cancel_message(
    struct poll *poll, const struct store_msg *sm, const struct msg *msg)
{
	struct call *c = call_of(poll);
	struct act *act = c->act;

	(void)msg;
	if (sm->id != c->arg)
		return;
	c->count++;
	act->reply_to_n = sm->reply_to.n;
	act->reply_to = xmalloc(sm->reply_to.n + 1);
	if (sm->reply_to.n != 0)
		memcpy(act->reply_to, sm->reply_to.p, sm->reply_to.n);
	act_failure(act, &act->failure, sm->payload);
}

static void
cancel_looked(struct poll *poll, int64_t next, enum ms_rc rc)
{
	struct call *c = call_of(poll);
	struct act *act = c->act;
	struct peer *p = c->peer;
	struct ms_cancel k = {.queue = {c->name, c->name_n},
	    .id = c->arg,
	    .why = STORE_CANCELLED};

	(void)next;
	if (p == NULL) {
		call_free(c);
		return;
	}
	if (rc == MS_OK && c->count == 0)
		rc = MS_NO_MESSAGE;
	if (rc == MS_OK && !buf_ok(&act->failure))
		rc = MS_NO_MEMORY;
	if (rc != MS_OK) {
		api_ms_error(p, rc, NULL);
		return;
	}
	k.reply_to = (struct str){act->reply_to, act->reply_to_n};
	k.failure = (struct str){act->failure.p, act->failure.n};
	k.note = str_of(act->note);
	k.act = act->number = mswitch_act(c->api->m);
	c->kind = CALL_CHANGE;
	memset(&c->u.change, 0, sizeof c->u.change);
	c->u.change.done = change_done;
	c->n1 = V1_CANCEL;
	begin(c, mswitch_cancel(c->api->m, &c->u.change, &p->client, &k));
}

/* POST .../cancel */
void
v1_post_cancel(const struct v1 *v)
{
	struct str who = {NULL, 0}, reason = {NULL, 0};
	const struct v1_field fields[] = {
	    {"reason", V1_TEXT, &reason, 0, 1000},
	    {"who", V1_TEXT, &who, 1, 255},
	};
	struct call *c;
	int64_t id;

	if (!v1_id(v, &id) || v1_queue(v) == NULL ||
	    !v1_body(v, fields, sizeof fields / sizeof *fields))
		return;
	c = new_change(v, V1_CANCEL, v->seg[1]);
	c->kind = CALL_POLL;
	c->act = act_new(v, "cancelled", who, reason);
	c->arg = id;
	memset(&c->u, 0, sizeof c->u);
	c->u.poll.client = &v->p->client;
	c->u.poll.from = id - 1;
	c->u.poll.message = cancel_message;
	c->u.poll.done = cancel_looked;
	(void)mswitch_look(v->a->m, &c->u.poll, v->seg[1], 1);
}

/* ---- pause and resume ---- */

static void
pause_queue(const struct v1 *v, bool paused)
{
	struct call *c = new_change(v, V1_PAUSE, v->seg[1]);

	c->flag = paused;
	begin(c,
	    mswitch_pause(
		v->a->m, &c->u.change, &v->p->client, v->seg[1], paused));
}

void
v1_post_pause(const struct v1 *v)
{
	pause_queue(v, true);
}

void
v1_post_resume(const struct v1 *v)
{
	pause_queue(v, false);
}
