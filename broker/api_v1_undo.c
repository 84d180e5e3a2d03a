/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * /v1/removed: what was removed by hand, and putting it back, one message, or all
 * of a queue or of an act.  As a purge, the latter goes page by page, each
 * message by itself.
 */
#include "api_v1.h"

#include <stdlib.h>

#include "clock.h"
#include "redact.h"
#include "rpc.h"
#include "xalloc.h"

#define PAGE 256 /* messages at a time */

/* One that is to be put back. */
struct item {
	struct change ch; /* first member */
	struct call *c;
	int64_t id;
	struct str queue;
	char bytes[];
};

struct undo {
	int64_t after; /* cursor */
	int64_t act, only; /* only this id, 0: all that are chosen */
	int64_t back, failed;
	struct item *v[PAGE];
	size_t n, pending;
	enum ms_rc rc;
};

static void
free_items(struct undo *u)
{
	for (size_t i = 0; i < u->n; i++)
		free(u->v[i]);
	u->n = 0;
}

/* Free. */
void
undo_free(struct undo *u)
{
	if (u == NULL)
		return;
	free_items(u);
	free(u);
}

/* ---- listing ---- */

static const char *const whys[] = {[STORE_DELETED] = "deleted",
    [STORE_CANCELLED] = "cancelled",
    [STORE_PURGED] = "purged"};

/* One row of the listing. */
static int
list_row(struct store_op *op, const struct store_gone *g)
{
	struct call *c = call_of(op);
	struct jsonw w = {.b = &c->body, .comma = c->count > 0};
	const struct store_msg *m = &g->msg;
	char method[256];
	size_t n = rpc_method(method, sizeof method, m->payload);

	if (c->peer == NULL)
		return 1;
	if (c->count == c->limit) { /* one more was read, to know of it */
		c->flag = true;
		return 1;
	}
	c->count++;
	c->arg = m->id;
	jsonw_open(&w, NULL, '{');
	jsonw_str(&w, "queue", m->queue);
	jsonw_int(&w, "id", m->id);
	jsonw_str(
	    &w, "kind", str_of(m->re_queue.p != NULL ? "reply" : "request"));
	jsonw_str(&w, "method", (struct str){n ? method : NULL, n});
	jsonw_seconds(&w, "time", m->at_ns);
	jsonw_int(&w, "size", (int64_t)g->size);
	jsonw_str(&w, "origin", m->origin);
	jsonw_int(&w, "act", g->act);
	jsonw_str(&w, "why",
	    str_of(g->why >= STORE_DELETED && g->why <= STORE_PURGED
		    ? whys[g->why]
		    : "unknown"));
	jsonw_seconds(&w, "removed", g->gone_ns);
	jsonw_str(&w, "text", g->by);
	jsonw_close(&w, '}');
	return 0;
}

static void
list_done(struct store_op *op)
{
	struct call *c = call_of(op);
	struct v1 v = {.p = c->peer, .a = c->api};
	struct jsonw w;

	if (c->peer == NULL) {
		call_free(c);
		return;
	}
	if (op->rc != STORE_OK || !buf_ok(&c->body)) {
		api_ms_error(c->peer,
		    op->rc != STORE_OK ? MS_STORE : MS_NO_MEMORY, NULL);
		return;
	}
	w = v1_start(&v);
	jsonw_open(&w, "removed", '[');
	buf_add(w.b, c->body.p, c->body.n);
	jsonw_close(&w, ']');
	if (c->flag)
		jsonw_int(&w, "next", c->arg);
	else
		jsonw_null(&w, "next");
	v1_finish(&v, &w);
}

/* Begin to read; the call keeps the queue's name. */
static void
read_removed(struct call *c, int64_t act, int64_t after, uint32_t max,
    int (*row)(struct store_op *, const struct store_gone *),
    void (*done)(struct store_op *))
{
	struct store_op *op = &c->u.change.op[0];

	memset(op, 0, sizeof *op);
	op->u.removed.queue = (struct str){c->name, c->name_n};
	op->u.removed.act = act;
	op->u.removed.after = after;
	op->u.removed.max = max;
	op->u.removed.row = row;
	op->done = done;
	mswitch_removed(c->api->m, op);
}

/* GET /v1/removed */
void
v1_get_removed(const struct v1 *v)
{
	int64_t after, act, limit;
	struct call *c;

	if (!v1_param_int(v, "after", -1, INT64_MIN, INT64_MAX, &after) ||
	    !v1_param_int(v, "act", 0, 1, INT64_MAX, &act) ||
	    !v1_param_int(v, "limit", 100, 1, 1000, &limit))
		return;
	c = v1_change(v, NULL, v1_param(v, "queue"));
	c->limit = (size_t)limit;
	read_removed(c, act, after, (uint32_t)limit + 1, list_row, list_done);
}

/* ---- putting back ---- */

static void undo_next(struct call *c);

/* All that can be done is done: say so. */
static void
undo_end(struct call *c)
{
	struct undo *u = c->act->undo;
	struct v1 v = {.p = c->peer, .a = c->api};
	struct jsonw w;

	if (c->peer == NULL) {
		call_free(c);
		return;
	}
	if (u->rc == MS_OK && u->only != 0 && u->back == 0)
		u->rc = MS_NO_MESSAGE;
	if (u->rc != MS_OK && u->back == 0) {
		api_ms_error(c->peer, u->rc, NULL);
		return;
	}
	w = v1_start(&v);
	if (u->only != 0) {
		jsonw_str(&w, "queue", u->v[0]->queue);
		jsonw_int(&w, "id", u->only);
	} else {
		jsonw_int(&w, "messages", u->back);
		jsonw_int(&w, "failed", u->failed);
		jsonw_bool(&w, "complete", u->rc == MS_OK);
	}
	v1_finish(&v, &w);
}

static void
item_done(struct change *ch)
{
	struct item *it = (struct item *)ch;
	struct call *c = it->c;
	struct undo *u = c->act->undo;

	u->pending--;
	if (ch->rc == MS_OK && ch->found)
		u->back++;
	else
		u->failed++;
	if (ch->rc != MS_OK)
		u->rc = ch->rc;
	if (u->pending > 0)
		return;
	/* a queue that is gone does not keep the others from coming back */
	if (u->only == 0 && (u->rc == MS_OK || u->rc == MS_NO_QUEUE) &&
	    u->n == PAGE && c->peer != NULL)
		undo_next(c);
	else
		undo_end(c);
}

static int
undo_row(struct store_op *op, const struct store_gone *g)
{
	struct call *c = call_of(op);
	struct undo *u = c->act->undo;
	struct item *it;

	if (c->peer == NULL || u->n == PAGE ||
	    (u->only != 0 && g->msg.id != u->only))
		return 1;
	it = xcalloc(1, sizeof *it + g->msg.queue.n);
	memcpy(it->bytes, g->msg.queue.p, g->msg.queue.n);
	it->queue = (struct str){it->bytes, g->msg.queue.n};
	it->id = u->after = g->msg.id;
	it->c = c;
	it->ch.done = item_done;
	u->v[u->n++] = it;
	return 0;
}

/* A page is read: put it back. */
static void
undo_read(struct store_op *op)
{
	struct call *c = call_of(op);
	struct undo *u = c->act->undo;
	size_t n = u->n;

	if (op->rc != STORE_OK)
		u->rc = MS_STORE;
	if (c->peer == NULL || n == 0 || op->rc != STORE_OK) {
		undo_end(c);
		return;
	}
	u->pending = n;
	for (size_t i = 0; i < n; i++) {
		struct item *it = u->v[i];

		it->ch.rc = mswitch_restore(
		    c->api->m, &it->ch, &c->peer->client, it->queue, it->id);
		if (it->ch.rc == MS_PENDING)
			continue;
		it->ch.found = false;
		item_done(&it->ch); /* with the last one the call may go */
	}
}

/* Read the next page. */
static void
undo_next(struct call *c)
{
	struct undo *u = c->act->undo;

	free_items(u);
	read_removed(
	    c, u->act, u->after, u->only ? 1 : PAGE, undo_row, undo_read);
}

static void
undo_begin(const struct v1 *v, struct str queue, int64_t act, int64_t only)
{
	struct str none = {NULL, 0};
	struct call *c = v1_change(v, NULL, queue);

	c->act = act_new(v, "restored", none, none);
	c->act->undo = xcalloc(1, sizeof *c->act->undo);
	c->act->undo->act = act;
	c->act->undo->only = only;
	c->act->undo->after = only ? only - 1 : INT64_MIN;
	undo_next(c);
}

/* POST /v1/removed/ID/restore */
void
v1_post_restore(const struct v1 *v)
{
	struct str none = {NULL, 0};
	int64_t id;

	if (!wire_int64(v->seg[1], &id) || id < 1) {
		api_error(v->p, 400, "bad_id", "not a message id",
		    "ids are whole numbers, see GET /v1/removed");
		return;
	}
	undo_begin(v, none, 0, id);
}

/* POST /v1/removed/restore */
void
v1_post_restore_all(const struct v1 *v)
{
	struct str queue = {NULL, 0};
	int64_t act = 0;
	const struct v1_field fields[] = {
	    {"queue", V1_TEXT, &queue, 1, WIRE_MAX_NAME},
	    {"act", V1_NUMBER, &act, 1, INT64_MAX},
	};

	if (!v1_body(v, fields, sizeof fields / sizeof *fields))
		return;
	if (queue.p == NULL && act == 0) {
		api_error(v->p, 400, "bad_body", "queue or act is needed",
		    "to restore everything, restore queue by queue");
		return;
	}
	undo_begin(v, queue, act, 0);
}
