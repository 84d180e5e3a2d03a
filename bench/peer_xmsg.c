/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Our broker through libxmsg on both sides: what a program gets that uses the
 * library as its manual says.  With --shared all callers are operations of one
 * client.
 */
#include "xmsg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"
#include "xalloc.h"

#define CALL_MS 30000

/* A client as the loop sees it. */
struct client {
	struct source src;
	struct rig *rig;
	struct xmsg *x;
	unsigned users; /* callers */
};

/* What a failed operation says. */
static void
failed(struct rig *g, const char *what, const char *why)
{
	eng_fault(g->eng, FAULT_STATUS, "%s: %s", what, why);
}

/* Something to do. */
static void
client_ready(struct source *s, uint32_t events)
{
	struct client *c = (struct client *)s;

	(void)events;
	xmsg_dispatch(c->x);
}

/* A client under a token. */
static struct client *
client_open(struct rig *g, const char *who, unsigned no)
{
	struct client *c = xcalloc(1, sizeof *c);
	char token[128];

	snprintf(token, sizeof token, "%s.%s%u:%ld", g->o->prefix, who, no,
	    (long)getpid());
	c->src.ready = client_ready;
	c->rig = g;
	c->users = 1;
	if (xmsg_open(&c->x, g->o->socket, token) != XMSG_OK) {
		failed(g, "xmsg_open", "no memory or descriptors");
		free(c);
		return NULL;
	}
	xmsg_set_patience(c->x, 1000);
	rig_watch(g, xmsg_fd(c->x), &c->src, false, true);
	return c;
}

/* The last user closes it. */
static void
client_close(struct client *c)
{
	if (--c->users > 0)
		return;
	xmsg_close(c->x);
	free(c);
}

/* ---- servers ---- */

/* A reply was taken, or not. */
static void
reply_taken(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct server *s = arg;

	if (r->rc != XMSG_OK && r->rc != XMSG_ECANCELED)
		failed(s->rig, "xmsg_reply", xmsg_error(x));
}

/* A request. */
static void
request_came(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	struct server *s = arg;

	if (rig_request(s, (struct str){m->payload.p, m->payload.n}) == NULL)
		xmsg_discard(r);
	else if (xmsg_reply(r, m->payload, reply_taken, s) != XMSG_OK)
		failed(s->rig, "xmsg_reply", "not started");
}

static void
server_open(struct server *s)
{
	struct client *c = s->own = client_open(s->rig, "server", s->no);

	if (c == NULL)
		return;
	if (xmsg_create(c->x, s->queue, XMSG_PERSISTENT) != XMSG_OK)
		failed(s->rig, "xmsg_create", xmsg_error(c->x));
	else if (xmsg_serve_start(c->x, s->queue, 0,
		     (unsigned)s->rig->o->window > 1
			 ? (unsigned)s->rig->o->window
			 : 0,
		     request_came, s) == NULL)
		failed(s->rig, "xmsg_serve_start", xmsg_error(c->x));
}

static void
server_close(struct server *s)
{
	client_close(s->own);
}

/* ---- callers ---- */

/* A send was taken. */
static void
sent(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct caller *c = arg;

	if (r->rc == XMSG_OK)
		rig_confirmed(c);
	else if (r->rc != XMSG_ECANCELED)
		failed(c->rig, "xmsg_send", xmsg_error(x));
}

/* A call ended. */
static void
called(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct caller *c = arg;

	if (r->rc == XMSG_ECANCELED)
		return;
	if (r->rc != XMSG_OK) {
		failed(c->rig, "xmsg_call", xmsg_error(x));
		return;
	}
	rig_confirmed(c);
	rig_replied(c, (struct str){r->body.p, r->body.n});
}

/* Call, or send. */
static void
call(struct caller *c)
{
	struct xmsg_bytes p = {c->payload.p, c->payload.n};
	struct client *cl = c->own;
	struct xmsg_op *op;

	if (c->rig->nservers > 0)
		op = xmsg_call_start(cl->x, c->queue, p, 0, CALL_MS, called, c);
	else
		op = xmsg_send_start(cl->x, c->queue, NULL, p, sent, c);
	if (op == NULL)
		failed(c->rig, "xmsg_call_start", xmsg_error(cl->x));
}

static void
caller_open(struct caller *c)
{
	struct client *first = c->rig->callers[0].own;

	if (c->rig->o->shared && first != NULL) {
		c->own = first;
		first->users++;
	} else
		c->own = first = client_open(c->rig, "caller", c->no);
	if (first != NULL &&
	    xmsg_create(first->x, c->queue, XMSG_PERSISTENT) != XMSG_OK)
		failed(c->rig, "xmsg_create", xmsg_error(first->x));
}

static void
caller_close(struct caller *c)
{
	client_close(c->own);
}

const struct peer peer_xmsg = {
    .name = "xmsg",
    .caller_open = caller_open,
    .server_open = server_open,
    .call = call,
    .caller_close = caller_close,
    .server_close = server_close,
};
