/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Remote calls with libxmsg on both sides: `rpc --libxmsg`.  Each caller is a
 * client of its own with --flight calls under way; each server serves a queue of
 * its own and answers at once.  All of them are in one epoll.
 *
 * As in the stock mode the payload carries the caller and the number of its
 * call, and comes back in the reply: so both sides can tell what is theirs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "load.h"
#include "stage.h"
#include "xalloc.h"
#include "xmsg.h"

#define NAME_SIZE  128
#define STAMP	   "c%06u n%012llu "
#define STAMP_SIZE 22
#define TIMEOUT_MS 20000
#define EVENTS	   64

struct all;

/* One call under way. */
struct flight {
	struct caller *c;
	char *payload; /* with its stamp */
	int64_t began_ns;
};

struct caller {
	struct all *all;
	struct xmsg *x;
	unsigned no;
	char queue[NAME_SIZE];
	unsigned long long calls;
	struct flight *flights;
};

struct server {
	struct all *all;
	struct xmsg *x;
	char queue[NAME_SIZE];
};

struct all {
	struct worker *w;
	int epfd;
	struct caller *callers;
	struct server *servers;
	unsigned ncallers, nservers, calling;
};

/* ---- servers ---- */

/* A request: its payload is its reply. */
static void
serve(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	struct server *s = arg;

	if (m->kind != XMSG_REQUEST || m->payload.n < STAMP_SIZE)
		eng_fault(&s->all->w->eng, FAULT_FOREIGN,
		    "server of %s got %lld: %.40s", s->queue, (long long)m->id,
		    m->payload.p);
	if (xmsg_reply(r, m->payload, NULL, NULL) != XMSG_OK)
		eng_fault(
		    &s->all->w->eng, FAULT_LOST, "reply: %s", xmsg_error(s->x));
}

/* ---- callers ---- */

static void call_ended(struct xmsg *x, const struct xmsg_result *r, void *arg);

/* Begin the next call of a flight, unless it is over. */
static void
call_begin(struct flight *f)
{
	struct caller *c = f->c;
	size_t n = (size_t)c->all->w->o->payload;
	char stamp[STAMP_SIZE + 1];

	if (!stage_goes_on(c->all->w))
		return;
	snprintf(stamp, sizeof stamp, STAMP, c->no, ++c->calls);
	memcpy(f->payload, stamp, STAMP_SIZE);
	f->began_ns = clock_mono_ns();
	if (xmsg_call_start(c->x, c->queue, (struct xmsg_bytes){f->payload, n},
		0, TIMEOUT_MS, call_ended, f) == NULL)
		eng_fault(
		    &c->all->w->eng, FAULT_LOST, "call: %s", xmsg_error(c->x));
	else
		c->all->calling++;
}

/* A reply, or none. */
static void
call_ended(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct flight *f = arg;
	struct all *all = f->c->all;

	all->calling--;
	if (r->rc != XMSG_OK)
		eng_fault(&all->w->eng, FAULT_MISSING, "caller %u: %s",
		    f->c->no, xmsg_error(x));
	else if (r->body.n != (size_t)all->w->o->payload ||
	    memcmp(r->body.p, f->payload, r->body.n) != 0)
		eng_fault(&all->w->eng, FAULT_FOREIGN,
		    "caller %u, not its own: %.40s", f->c->no, r->body.p);
	else
		stage_count(all->w, f->began_ns);
	call_begin(f);
}

/* ---- the worker ---- */

/* A client, watched; the queue is made afresh when `make`. */
static struct xmsg *
client(struct all *all, const char *kind, unsigned no, const char *make)
{
	const struct opts *o = all->w->o;
	struct epoll_event ev = {.events = EPOLLIN};
	struct xmsg *x = NULL;
	char token[NAME_SIZE];

	snprintf(token, sizeof token, "%s.lib%s%u:%ld", o->prefix, kind, no,
	    (long)getpid());
	if (xmsg_open(&x, o->socket, token) != XMSG_OK ||
	    (make != NULL &&
		(xmsg_destroy(x, make) != XMSG_OK ||
		    xmsg_create(x, make, XMSG_PERSISTENT) != XMSG_OK))) {
		eng_fault(&all->w->eng, FAULT_LOST, "%s: %s", token,
		    x ? xmsg_error(x) : "no client");
		all->w->eng.broken = true;
		return x;
	}
	ev.data.ptr = x;
	if (epoll_ctl(all->epfd, EPOLL_CTL_ADD, xmsg_fd(x), &ev) == -1)
		all->w->eng.broken = true;
	return x;
}

static void
server_prepare(struct server *s, struct all *all, unsigned no)
{
	s->all = all;
	snprintf(s->queue, sizeof s->queue, "%s.lib%u", all->w->o->prefix, no);
	s->x = client(all, "server", no, s->queue);
	if (!all->w->eng.broken &&
	    xmsg_serve_start(s->x, s->queue, 0, 0, serve, s) == NULL)
		all->w->eng.broken = true;
}

static void
caller_prepare(struct caller *c, struct all *all, unsigned no)
{
	const struct opts *o = all->w->o;

	if (all->nservers == 0) { /* the options see to it that there is one */
		all->w->eng.broken = true;
		return;
	}
	c->all = all;
	c->no = no;
	memcpy(c->queue, all->servers[no % all->nservers].queue, NAME_SIZE);
	c->flights = xcalloc((size_t)o->flight, sizeof *c->flights);
	for (int i = 0; i < o->flight; i++) {
		c->flights[i].c = c;
		c->flights[i].payload = xmalloc((size_t)o->payload);
		memset(c->flights[i].payload, 'x', (size_t)o->payload);
	}
	c->x = client(all, "caller", no, NULL);
}

static void
prepare(struct worker *w)
{
	struct all *all = w->own;
	unsigned i, first;

	all->w = w;
	all->epfd = epoll_create1(EPOLL_CLOEXEC);
	all->nservers = stage_share(w, (unsigned)w->o->servers, &first);
	all->servers = xcalloc(all->nservers, sizeof *all->servers);
	for (i = 0; i < all->nservers && !w->eng.broken; i++)
		server_prepare(&all->servers[i], all, first + i);
	all->ncallers = stage_share(w, (unsigned)w->o->conns, &first);
	all->callers = xcalloc(all->ncallers, sizeof *all->callers);
	for (i = 0; i < all->ncallers && !w->eng.broken; i++)
		caller_prepare(&all->callers[i], all, first + i);
}

/* Serve whoever has something to do, once. */
static void
serve_all(struct all *all)
{
	struct epoll_event ev[EVENTS];
	int n = epoll_wait(all->epfd, ev, EVENTS, 100);

	all->w->eng.now = clock_mono_ns();
	for (int i = 0; i < n; i++)
		(void)xmsg_dispatch(ev[i].data.ptr);
}

/* Call until it is over and every call has ended. */
static void
run(struct worker *w)
{
	struct all *all = w->own;
	int64_t until = w->stage->t1 + STAGE_GRACE_NS;

	for (unsigned i = 0; i < all->ncallers; i++)
		for (int k = 0; k < w->o->flight; k++)
			call_begin(&all->callers[i].flights[k]);
	while (!w->eng.broken && clock_mono_ns() < until &&
	    (all->calling > 0 || stage_goes_on(w)))
		serve_all(all);
	if (all->calling > 0)
		eng_fault(&w->eng, FAULT_MISSING, "%u calls have not ended",
		    all->calling);
}

static void
finish(struct worker *w)
{
	struct all *all = w->own;

	for (unsigned i = 0; i < all->ncallers; i++) {
		struct caller *c = &all->callers[i];

		xmsg_close(c->x);
		for (int k = 0; c->flights != NULL && k < w->o->flight; k++)
			free(c->flights[k].payload);
		free(c->flights);
	}
	for (unsigned i = 0; i < all->nservers; i++) {
		struct server *s = &all->servers[i];

		if (s->x != NULL && !w->eng.broken &&
		    xmsg_flush(s->x, TIMEOUT_MS) == XMSG_OK && !w->o->keep)
			(void)xmsg_destroy(s->x, s->queue);
		xmsg_close(s->x);
	}
	free(all->callers);
	free(all->servers);
	close(all->epfd);
}

const struct job rpc_lib_job = {sizeof(struct all), prepare, run, finish};
