/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * peer: the work of `load rpc` and `load send` on other brokers.  The table of
 * back ends, and what all of them share.
 */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "clock.h"
#include "xalloc.h"

#define STAMP	    "c%06u n%012llu "
#define STAMP_SIZE  22
#define SEND_QUEUES 16 /* at most so many, as in load */

const char program[] = "peer";

static int mode_call(const struct opts *given, struct report *r,
    struct faults *f, struct err *e);
static int mode_publish(const struct opts *given, struct report *r,
    struct faults *f, struct err *e);

const struct mode modes[] = {
    {"rpc", "remote calls by --conns callers to --servers servers", mode_call,
	1, false},
    {"send", "publish only, by --conns callers", mode_publish, 1, false},
    {NULL, NULL, NULL, 0, false},
};

static const struct peer *const peers[] = {
    &peer_beanstalkd,
    &peer_redis,
    &peer_nats,
#ifdef HAVE_PEER_POSTGRES
    &peer_postgres,
#endif
#ifdef HAVE_PEER_RABBITMQ
    &peer_rabbitmq,
#endif
#ifdef HAVE_PEER_MOSQUITTO
    &peer_mosquitto,
#endif
};
#define NPEERS (sizeof peers / sizeof peers[0])

/* ---- for the back ends ---- */

/* Watch a descriptor. */
void
rig_watch(struct rig *g, int fd, struct source *s, bool write, bool first)
{
	struct epoll_event ev = {
	    .events = EPOLLIN | (write ? EPOLLOUT : 0u), .data = {.ptr = s}};

	if (epoll_ctl(g->eng->epfd, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd,
		&ev) < 0)
		eng_fault(g->eng, FAULT_LOST, "epoll_ctl: %s", strerror(errno));
}

/* Begin the next call, unless it is over. */
static void
call_begin(struct caller *c)
{
	char stamp[STAMP_SIZE + 1];

	if (!stage_goes_on(c->rig->w))
		return;
	snprintf(stamp, sizeof stamp, STAMP, c->no, ++c->calls);
	memcpy((char *)c->payload.p, stamp, STAMP_SIZE);
	c->confirmed = false;
	c->replied = c->rig->nservers == 0;
	c->calling = true;
	c->rig->calling++;
	c->began_ns = clock_mono_ns();
	c->rig->peer->call(c);
}

/* Confirmation and reply are both here. */
static void
call_end(struct caller *c)
{
	if (!c->confirmed || !c->replied)
		return;
	stage_count(c->rig->w, c->began_ns);
	c->calling = false;
	c->rig->calling--;
	call_begin(c);
}

/* The broker took it. */
void
rig_confirmed(struct caller *c)
{
	if (!c->calling || c->confirmed) {
		eng_fault(c->rig->eng, FAULT_TWICE,
		    "caller %u: a confirmation of nothing", c->no);
		return;
	}
	c->confirmed = true;
	call_end(c);
}

/* A reply: it has to be the one to this call. */
void
rig_replied(struct caller *c, struct str payload)
{
	if (c->calling && !c->replied && str_eq(payload, c->payload)) {
		c->replied = true;
		call_end(c);
		return;
	}
	eng_fault(c->rig->eng,
	    payload.n >= 7 && memcmp(payload.p, c->payload.p, 7) == 0
		? FAULT_TWICE
		: FAULT_FOREIGN,
	    "caller %u, call %llu, got %.*s", c->no, c->calls,
	    (int)(payload.n > 40 ? 40 : payload.n), payload.p);
}

/* A request: who sent it, and that it never came before. */
struct caller *
rig_request(struct server *s, struct str payload)
{
	struct rig *g = s->rig;
	unsigned long long call = 0;
	unsigned caller = g->ncallers;
	char stamp[STAMP_SIZE + 1] = "";

	if (payload.n == (size_t)g->o->payload)
		memcpy(stamp, payload.p, STAMP_SIZE);
	if (sscanf(stamp, "c%u n%llu", &caller, &call) != 2 ||
	    caller >= g->ncallers) {
		eng_fault(g->eng, FAULT_FOREIGN, "server %u got %.*s", s->no,
		    (int)(payload.n > 40 ? 40 : payload.n), payload.p);
		return NULL;
	}
	if (g->served[caller] >= call)
		eng_fault(g->eng, FAULT_TWICE, "server %u got %s again", s->no,
		    stamp);
	g->served[caller] = call;
	return &g->callers[caller];
}

/* ---- the job ---- */

/* A caller with its first payload. */
static void
caller_prepare(struct caller *c, struct rig *g, unsigned no)
{
	size_t n = (size_t)g->o->payload;
	char *p = xmalloc(n);

	memset(p, 'x', n);
	c->payload = (struct str){p, n};
	c->rig = g;
	c->no = no;
	snprintf(c->inbox, sizeof c->inbox, "%s.r.%u", g->o->prefix, no);
	if (g->nservers > 0)
		memcpy(c->queue, g->servers[no % g->nservers].queue,
		    sizeof c->queue);
	else
		snprintf(c->queue, sizeof c->queue, "%s.s.%u", g->o->prefix,
		    no % SEND_QUEUES);
	g->peer->caller_open(c);
}

/* Everything there before the clock runs. */
static void
prepare(struct worker *w)
{
	struct rig *g = w->own;
	unsigned i;

	g->w = w;
	g->o = w->o;
	g->eng = &w->eng;
	for (i = 0; i < NPEERS; i++)
		if (strcmp(peers[i]->name, w->o->peer) == 0)
			g->peer = peers[i];
	g->ncallers = (unsigned)w->o->conns;
	g->callers = xcalloc(g->ncallers, sizeof *g->callers);
	g->served = xcalloc(g->ncallers, sizeof *g->served);
	g->nservers = (unsigned)w->o->servers;
	g->servers = xcalloc(g->nservers + 1, sizeof *g->servers);
	for (i = 0; i < g->nservers; i++) {
		g->servers[i].rig = g;
		g->servers[i].no = i;
		snprintf(g->servers[i].queue, sizeof g->servers[i].queue,
		    "%s.q.%u", w->o->prefix, i);
	}
	if (g->peer->prepare != NULL)
		g->peer->prepare(g);
	for (i = 0; i < g->nservers && !g->eng->broken; i++)
		g->peer->server_open(&g->servers[i]);
	for (i = 0; i < g->ncallers && !g->eng->broken; i++)
		caller_prepare(&g->callers[i], g, i);
}

/* Some call is on its way. */
static bool
unfinished(void *arg)
{
	struct rig *g = arg;

	return g->calling > 0 || stage_goes_on(g->w);
}

/* Call until it is over and every call has its reply. */
static void
run(struct worker *w)
{
	struct rig *g = w->own;
	unsigned i;

	g->eng->now = clock_mono_ns();
	for (i = 0; i < g->ncallers; i++)
		call_begin(&g->callers[i]);
	eng_run(g->eng, unfinished, g, w->stage->t1 + STAGE_GRACE_NS);
	for (i = 0; i < g->ncallers && !g->eng->broken; i++)
		if (g->callers[i].calling)
			eng_fault(g->eng, FAULT_MISSING,
			    "caller %u, call %llu: no %s", i,
			    g->callers[i].calls,
			    g->callers[i].confirmed ? "reply" : "confirmation");
}

/* Close everything. */
static void
finish(struct worker *w)
{
	struct rig *g = w->own;
	unsigned i;

	for (i = 0; i < g->ncallers; i++) {
		if (g->callers[i].own != NULL)
			g->peer->caller_close(&g->callers[i]);
		free((char *)g->callers[i].payload.p);
	}
	for (i = 0; i < g->nservers; i++)
		if (g->servers[i].own != NULL)
			g->peer->server_close(&g->servers[i]);
	free(g->callers);
	free(g->servers);
	free(g->served);
	free(g->own);
}

/* Is it a back end of this program? */
static int
know_peer(const struct opts *o, struct err *e)
{
	char names[200] = "";
	size_t i;

	for (i = 0; i < NPEERS; i++) {
		if (o->peer != NULL && strcmp(peers[i]->name, o->peer) == 0)
			return 0;
		strcat(strcat(names, " "), peers[i]->name);
	}
	return err_set(e, 1, "--peer has to be one of:%s", names);
}

/* Run it and report. */
static int
measure(const struct opts *o, struct report *r, struct faults *f,
    const char *ops, const char *span, struct err *e)
{
	static const struct job job = {
	    sizeof(struct rig), prepare, run, finish};
	struct stage s;

	if (know_peer(o, e) < 0)
		return -1;
	report_text(r, "peer", o->peer, NULL);
	report_int(r, "conns", o->conns, NULL);
	report_int(r, "servers", o->servers, NULL);
	report_int(r, "payload", o->payload, NULL);
	report_int(r, "window", o->window, NULL);
	report_line(r, "%s on %s: %d callers, %d servers, %d bytes", ops,
	    o->peer, o->conns, o->servers, o->payload);
	if (stage_run(&s, o, &job, 1, false, e) < 0)
		return -1;
	faults_merge(f, &s.faults);
	stage_report(&s, r, ops);
	report_hist(r, &s.lat, span);
	return 0;
}

/* Remote calls. */
static int
mode_call(
    const struct opts *given, struct report *r, struct faults *f, struct err *e)
{
	struct opts o = *given;

	if (o.servers == 0)
		o.servers = o.conns > 1 ? 4 : 1;
	return measure(&o, r, f, "calls", "from call to reply", e);
}

/* Publish only. */
static int
mode_publish(
    const struct opts *given, struct report *r, struct faults *f, struct err *e)
{
	struct opts o = *given;

	o.servers = 0;
	return measure(
	    &o, r, f, "confirmed sends", "from request to confirmation", e);
}
