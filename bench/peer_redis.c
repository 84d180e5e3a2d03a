/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Redis streams.
 *
 *   caller, requests:   XADD queue
 *   server, reading:    XREADGROUP, at once again
 *   server, replies:    XADD inbox, XACK and XDEL of the request, in one write;
 *                       they are carried out in this order, and confirmed after
 *                       the sync of the turn
 *   caller, replies:    XREAD; XDEL of the reply and the next XREAD in one write
 *
 * Two connections each, because one that waits can do nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "resp.h"
#include "xalloc.h"

#define BATCH "256" /* requests to one XREADGROUP */

struct redis_caller {
	struct link req, ev;
};

struct redis_server {
	struct link rd, re;
	struct tasks_line line;
	unsigned answers; /* of the three to the oldest reply */
};

/* A command of these arguments, ended by one with p == NULL. */
static void
command(struct link *l, const struct str *args)
{
	size_t n = 0, i;

	while (args[n].p != NULL)
		n++;
	link_addf(l, "*%zu\r\n", n);
	for (i = 0; i < n; i++) {
		link_addf(l, "$%zu\r\n", args[i].n);
		link_add(l, args[i].p, args[i].n);
		link_add(l, "\r\n", 2);
	}
}
#define COMMAND(l, ...) command(l, (struct str[]){__VA_ARGS__, {NULL, 0}})

/* Not what was asked for. */
static void
bad_answer(struct link *l, const char *p, size_t n)
{
	eng_fault(l->rig->eng, FAULT_STATUS, "redis: %.*s",
	    (int)(n > 100 ? 100 : n), p);
}

/* ---- servers ---- */

/* Send what may be sent. */
static void
replies_go(struct redis_server *rs, struct server *s)
{
	struct str queue = str_of(s->queue);
	struct link *l = &rs->re;
	struct task *t;

	while ((t = line_next(&rs->line, s->rig->o->window)) != NULL) {
		COMMAND(l, STR("XADD"), str_of(t->to->inbox), STR("*"),
		    STR("p"), t->payload);
		COMMAND(l, STR("XACK"), queue, STR("g"), str_of(t->ref));
		COMMAND(l, STR("XDEL"), queue, str_of(t->ref));
	}
	link_flush(l);
}

/* An answer on the connection for replies: an id, 1, and 1. */
static size_t
reply_taken(struct link *l, const char *p, size_t n)
{
	struct server *s = l->arg;
	struct redis_server *rs = s->own;
	size_t used = resp_whole(p, n);

	if (used == 0)
		return 0;
	if (rs->answers == 0 ? p[0] != '$' : p[0] != ':' || p[1] != '1')
		bad_answer(l, p, n);
	if (++rs->answers == 3) {
		rs->answers = 0;
		free(line_confirmed(&rs->line));
		replies_go(rs, s);
	}
	return used;
}

/* Wait for requests. */
static void
server_read(struct link *l, const struct server *s)
{
	COMMAND(l, STR("XREADGROUP"), STR("GROUP"), STR("g"), STR("c"),
	    STR("COUNT"), STR(BATCH), STR("BLOCK"), STR("0"), STR("STREAMS"),
	    str_of(s->queue), STR(">"));
	link_flush(l);
}

/* Requests came: read again, and answer them. */
static size_t
requests_came(struct link *l, const char *p, size_t n)
{
	size_t used = resp_whole(p, n);
	struct server *s = l->arg;
	struct redis_server *rs = s->own;
	struct str in = {p, used}, id, payload;
	int64_t entries;

	if (used == 0)
		return 0;
	entries = resp_entries(&in);
	if (entries <= 0)
		bad_answer(l, p, n);
	while (entries-- > 0 && resp_entry(&in, &id, &payload)) {
		struct caller *c = rig_request(s, payload);

		if (c != NULL)
			line_add(&rs->line, c, id, payload);
	}
	if (in.n > 0)
		bad_answer(l, p, n);
	server_read(l, s);
	replies_go(rs, s);
	return used;
}

/* A server with its stream and group. */
static void
server_open(struct server *s)
{
	struct redis_server *rs = s->own = xcalloc(1, sizeof *rs);

	line_init(&rs->line);
	if (!link_open(&rs->rd, s->rig, requests_came, s) ||
	    !link_open(&rs->re, s->rig, reply_taken, s))
		return;
	COMMAND(&rs->re, STR("XGROUP"), STR("CREATE"), str_of(s->queue),
	    STR("g"), STR("$"), STR("MKSTREAM"));
	link_ask(&rs->re, 1, "+OK");
	server_read(&rs->rd, s);
}

static void
server_close(struct server *s)
{
	struct redis_server *rs = s->own;

	link_close(&rs->rd);
	link_close(&rs->re);
	line_fini(&rs->line);
	free(rs);
}

/* ---- callers ---- */

/* Publish. */
static void
call(struct caller *c)
{
	struct redis_caller *rc = c->own;

	COMMAND(&rc->req, STR("XADD"), str_of(c->queue), STR("*"), STR("p"),
	    c->payload);
	link_flush(&rc->req);
}

/* The request is taken. */
static size_t
request_taken(struct link *l, const char *p, size_t n)
{
	size_t used = resp_whole(p, n);

	if (used == 0)
		return 0;
	if (p[0] != '$')
		bad_answer(l, p, n);
	else
		rig_confirmed(l->arg);
	return used;
}

/* Wait for the reply after this one. */
static void
caller_read(struct link *l, const struct caller *c, struct str after)
{
	COMMAND(l, STR("XREAD"), STR("BLOCK"), STR("0"), STR("STREAMS"),
	    str_of(c->inbox), after);
	link_flush(l);
}

/* The answer to XDEL, or replies. */
static size_t
replies_came(struct link *l, const char *p, size_t n)
{
	size_t used = resp_whole(p, n);
	struct caller *c = l->arg;
	struct str in = {p, used}, id = {NULL, 0}, payload;
	int64_t entries;

	if (used == 0)
		return 0;
	if (p[0] == ':' && p[1] == '1')
		return used;
	entries = resp_entries(&in);
	if (entries <= 0)
		bad_answer(l, p, n);
	while (entries-- > 0 && resp_entry(&in, &id, &payload)) {
		COMMAND(l, STR("XDEL"), str_of(c->inbox), id);
		rig_replied(c, payload);
	}
	if (in.n > 0 || id.p == NULL)
		bad_answer(l, p, n);
	else
		caller_read(l, c, id);
	return used;
}

/* A caller; its inbox begins empty. */
static void
caller_open(struct caller *c)
{
	struct redis_caller *rc = c->own = xcalloc(1, sizeof *rc);

	rc->ev.fd = -1;
	if (link_open(&rc->req, c->rig, request_taken, c) &&
	    c->rig->nservers > 0 &&
	    link_open(&rc->ev, c->rig, replies_came, c)) {
		COMMAND(&rc->req, STR("DEL"), str_of(c->inbox));
		link_ask(&rc->req, 1, ":");
		caller_read(&rc->ev, c, STR("0"));
	}
}

static void
caller_close(struct caller *c)
{
	struct redis_caller *rc = c->own;

	link_close(&rc->req);
	link_close(&rc->ev);
	free(rc);
}

const struct peer peer_redis = {
    .name = "redis",
    .caller_open = caller_open,
    .server_open = server_open,
    .call = call,
    .caller_close = caller_close,
    .server_close = server_close,
};
