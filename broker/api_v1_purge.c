/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * POST /v1/queues/Q/purge: cancel every message of a queue that is chosen.
 *
 * A page of messages is read, a cancellation for each is put on its way, and the
 * next page is read when all of them are durable.  Each message goes in one
 * transaction with the failure for its caller; the purge as a whole is no
 * transaction.  Should the broker or the client end in the middle, what is gone
 * is gone whole, and the rest is there.
 */
#include "api_v1.h"

#include <stdlib.h>

#include "xalloc.h"

#define PAGE 256 /* messages at a time */

struct purge {
	struct msg_filter filter;
	int64_t limit; /* how many more */
	int64_t after; /* cursor */
	int64_t gone, replied, skipped;
	size_t pending; /* cancellations on their way */
	enum ms_rc rc; /* why it ends early */
	const char *limit_name;
	bool dry, looking, running, last;
};

/* One cancellation. */
struct item {
	struct change ch; /* first member */
	struct call *c;
	struct buf failure;
};

/* Free. */
void
purge_free(struct purge *g)
{
	free(g);
}

static void purge_go(struct call *c);

static void
item_done(struct change *ch)
{
	struct item *it = (struct item *)ch;
	struct call *c = it->c;
	struct purge *g = c->act->purge;

	g->pending--;
	if (ch->rc == MS_OK) {
		g->gone++;
		g->replied += ch->id != 0;
	} else if (ch->rc == MS_HELD || ch->rc == MS_NO_MESSAGE) {
		g->skipped++; /* somebody else is about to remove it */
	} else {
		g->rc = ch->rc;
	}
	buf_fini(&it->failure);
	free(it);
	if (g->pending == 0)
		purge_go(c);
}

/* Put one cancellation on its way. */
static void
cancel_one(struct call *c, const struct store_msg *sm)
{
	struct act *act = c->act;
	struct ms_cancel k = {.queue = {c->name, c->name_n},
	    .id = sm->id,
	    .reply_to = sm->reply_to,
	    .note = str_of(act->note),
	    .why = STORE_PURGED,
	    .act = act->number};
	struct item *it = xcalloc(1, sizeof *it);

	it->c = c;
	it->ch.done = item_done;
	act_failure(act, &it->failure, sm->payload);
	k.failure = (struct str){it->failure.p, it->failure.n};
	act->purge->pending++;
	it->ch.rc = buf_ok(&it->failure)
	    ? mswitch_cancel(c->api->m, &it->ch, &c->peer->client, &k)
	    : MS_NO_MEMORY;
	if (it->ch.rc != MS_PENDING)
		item_done(&it->ch);
}

static bool
purge_want(const struct poll *p, const struct msg *msg)
{
	const struct call *c = call_of_const(p);

	return !(msg->flags & MSG_LEAVING) &&
	    filter_msg(&c->act->purge->filter, msg);
}

static void
purge_message(
    struct poll *poll, const struct store_msg *sm, const struct msg *msg)
{
	struct call *c = call_of(poll);
	struct purge *g = c->act->purge;

	(void)msg;
	g->last = false; /* there was one: look for more */
	if (g->limit == 0 || !filter_read(&g->filter, sm))
		return;
	g->limit--;
	if (g->dry)
		g->gone++;
	else
		cancel_one(c, sm);
}

static void
purge_looked(struct poll *poll, int64_t next, enum ms_rc rc)
{
	struct call *c = call_of(poll);
	struct purge *g = c->act->purge;

	g->looking = false;
	g->after = next;
	if (rc != MS_OK)
		g->rc = rc;
	purge_go(c);
}

static void
purge_end(struct call *c)
{
	struct purge *g = c->act->purge;
	struct v1 v = {.p = c->peer, .a = c->api};
	struct jsonw w;

	if (c->peer == NULL) {
		call_free(c);
		return;
	}
	if (g->rc != MS_OK && g->gone == 0) {
		api_ms_error(c->peer, g->rc, NULL);
		return;
	}
	w = v1_start(&v);
	jsonw_str(&w, "queue", (struct str){c->name, c->name_n});
	jsonw_int(&w, "messages", g->gone);
	jsonw_int(&w, "replied", g->replied);
	jsonw_int(&w, "skipped", g->skipped);
	jsonw_bool(&w, "complete", g->rc == MS_OK);
	jsonw_bool(&w, "dry_run", g->dry);
	if (g->dry)
		jsonw_null(&w, "act");
	else
		jsonw_int(&w, "act", c->act->number);
	v1_finish(&v, &w);
}

/* Read the next page. */
static void
look_on(struct call *c)
{
	struct purge *g = c->act->purge;
	struct poll *p = &c->u.poll;

	memset(p, 0, sizeof *p);
	p->client = &c->peer->client;
	p->from = g->after;
	p->want = purge_want;
	p->message = purge_message;
	p->done = purge_looked;
	g->looking = g->last = true;
	if (mswitch_look(c->api->m, p, (struct str){c->name, c->name_n},
		PAGE) == MS_NO_QUEUE)
		g->looking = false; /* it went meanwhile, with the rest */
}

/* Go on as far as possible: until something is under way, or to the end. */
static void
purge_go(struct call *c)
{
	struct purge *g = c->act->purge;

	if (g->running)
		return; /* the loop below is where this came from */
	g->running = true;
	while (!g->looking && g->pending == 0 && !g->last && g->limit > 0 &&
	    g->rc == MS_OK && c->peer != NULL)
		look_on(c);
	g->running = false;
	if (!g->looking && g->pending == 0)
		purge_end(c);
}

/* The conditions; false when malformed (answered). */
static bool
purge_read(
    const struct v1 *v, struct purge *g, struct str *who, struct str *reason)
{
	struct msg_choice m = MSG_CHOICE;
	const struct v1_field fields[] = {
	    {"limit", V1_NUMBER, &g->limit, 1, INT64_MAX},
	    {"older", V1_NUMBER, &m.older_s, 0, INT32_MAX},
	    {"state", V1_TEXT, &m.state, 0, 16},
	    {"method", V1_TEXT, &m.method, 0, 256},
	    {"dry_run", V1_BOOL, &g->dry, 0, 0},
	    {"reason", V1_TEXT, reason, 0, 1000},
	    {"who", V1_TEXT, who, 1, 255},
	};
	const char *bad;

	if (!v1_body(v, fields, sizeof fields / sizeof *fields))
		return false;
	if (filter_set(&g->filter, v->a, &m, &bad))
		return true;
	api_error(v->p, 400, "bad_body", bad,
	    "state: ready, delivered or held; method: a name, or the beginning"
	    " of one and *");
	return false;
}

/* POST .../purge */
void
v1_post_purge(const struct v1 *v)
{
	struct str who = {NULL, 0}, reason = {NULL, 0};
	struct purge *g;
	struct call *c;

	if (v1_queue(v) == NULL)
		return;
	g = xcalloc(1, sizeof *g);
	g->limit = INT64_MAX;
	g->after = INT64_MIN;
	g->rc = MS_OK;
	if (!purge_read(v, g, &who, &reason)) {
		purge_free(g);
		return;
	}
	/* not a poll: when the client leaves it lives until all is done */
	c = v1_change(v, NULL, v->seg[1]);
	c->act = act_new(v, "purged", who, reason);
	c->act->purge = g;
	if (!g->dry)
		c->act->number = mswitch_act(v->a->m);
	purge_go(c);
}
