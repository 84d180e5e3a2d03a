/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Remote calls, exchange for exchange as stock programs make them.
 *
 *   caller, request connection:   persistent Q, request Q/TOKEN
 *   server, transfer connection:  transfer (at once again with the new cursor)
 *   server, reply connection:     response TOKEN/Q/ID, ack Q/ID
 *   caller, events connection:    transfer, ack TOKEN/ID
 *
 * The ack of a reply and the next call run side by side.  Each server has a
 * queue of its own, because every poller of a queue gets every message; the
 * callers are dealt out over the queues.
 *
 * The payload carries the caller and the number of its call, and the server
 * sends it back, so each caller can tell whether a reply is its own, and each
 * server whether it has had a request before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "load.h"
#include "stage.h"
#include "xalloc.h"

#define POLL_S	   30.0 /* stock clients' time limit of a transfer */
#define NAME_SIZE  128
#define STAMP	   "c%06u n%012llu "
#define STAMP_SIZE 22

struct rpc;

/* A program that calls. */
struct caller {
	struct rpc *all;
	unsigned no;
	struct conn req, ev;
	char token[NAME_SIZE], queue[NAME_SIZE];
	struct buf persistent, request; /* made once */
	size_t stamp; /* where the number of the call goes */
	unsigned long long calls; /* made so far; the number of this one */
	int64_t began_ns, sent_id, reply_re, cursor;
	bool calling, has_id, has_reply;
	int64_t *acks; /* ids to be acknowledged, oldest first */
	unsigned nacks, acks_cap;
	struct buf out;
};

/* A reply and an ack that a server has to send. */
struct task {
	struct buf response;
	int64_t id;
};

/* A program that answers one queue. */
struct server {
	struct rpc *all;
	struct conn tr, re;
	char queue[NAME_SIZE];
	int64_t cursor;
	struct task *tasks; /* a ring; its buffers are used again */
	unsigned head, n, cap;
	struct buf out;
};

struct rpc {
	struct worker *w;
	struct caller *callers;
	struct server *servers;
	unsigned ncallers, nservers, first;
	unsigned calling; /* calls not ended */
	unsigned long long *served; /* last call served, for each caller */
};

static void call_begin(struct caller *c);
static void caller_poll(struct caller *c);
static void server_poll(struct server *s);
static void task_begin(struct server *s);

/* ---- servers ---- */

/* Room for one more task at the end of the ring. */
static struct task *
task_push(struct server *s)
{
	unsigned i, cap = s->cap ? s->cap * 2 : 64;
	struct task *v;

	if (s->n == s->cap) {
		v = xcalloc(cap, sizeof *v);
		for (i = 0; i < s->n; i++)
			v[i] = s->tasks[(s->head + i) % s->cap];
		free(s->tasks);
		s->tasks = v;
		s->cap = cap;
		s->head = 0;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
	return &s->tasks[(s->head + s->n++) % s->cap];
}

/* Note that this request came; true when it had come before. */
static bool
served_before(struct rpc *all, struct str payload)
{
	unsigned long long call;
	unsigned caller;
	char stamp[STAMP_SIZE + 1];

	if (payload.n < STAMP_SIZE)
		return false;
	memcpy(stamp, payload.p, STAMP_SIZE);
	stamp[STAMP_SIZE] = '\0';
	if (sscanf(stamp, "c%u n%llu", &caller, &call) != 2 ||
	    caller < all->first || caller >= all->first + all->ncallers)
		return false;
	caller -= all->first;
	if (all->served[caller] >= call)
		return true;
	all->served[caller] = call;
	return false;
}

/* A request: prepare its reply. */
static void
server_take(struct server *s, const struct message *m)
{
	struct eng *e = s->tr.eng;
	struct task *t;

	if (m->response || !str_eq(m->queue, str_of(s->queue))) {
		eng_fault(e, FAULT_FOREIGN, "server of %s got %.*s:%lld",
		    s->queue, (int)m->queue.n, m->queue.p, (long long)m->id);
		return;
	}
	if (served_before(s->all, m->payload))
		eng_fault(e, FAULT_TWICE, "server of %s got %lld again: %.*s",
		    s->queue, (long long)m->id, STAMP_SIZE, m->payload.p);
	t = task_push(s);
	t->id = m->id;
	buf_reset(&t->response);
	req_respond(&t->response, m->to, m->queue, m->id, m->payload);
}

/* Requests came: poll again, and answer them one after the other. */
static void
server_delivered(struct conn *c, struct str body)
{
	struct server *s = c->arg;
	struct message m;
	struct scan scan;

	reply_scan(&scan, body);
	while (reply_message(&scan, &m))
		server_take(s, &m);
	if (scan.bad) {
		eng_fault(c->eng, FAULT_MALFORMED, "transfer: %.*s",
		    (int)(body.n > 200 ? 200 : body.n), body.p);
		return;
	}
	s->cursor = scan.next;
	server_poll(s);
	if (s->re.done == NULL)
		task_begin(s);
}

/* Wait for requests. */
static void
server_poll(struct server *s)
{
	buf_reset(&s->out);
	req_transfer(&s->out, s->queue, s->cursor, POLL_S);
	conn_send(&s->tr, s->out.p, s->out.n, server_delivered);
}

/* The request is acknowledged: on to the next. */
static void
task_acked(struct conn *c, struct str body)
{
	struct server *s = c->arg;

	(void)body;
	s->head = (s->head + 1) % s->cap;
	s->n--;
	task_begin(s);
}

/* The reply is taken: acknowledge the request. */
static void
task_replied(struct conn *c, struct str body)
{
	struct server *s = c->arg;
	int64_t id;

	if (reply_sent(body, &id) != 1)
		eng_fault(c->eng, FAULT_DROPPED, "answer to a reply: %.*s",
		    (int)(body.n > 100 ? 100 : body.n), body.p);
	buf_reset(&s->out);
	req_ack(&s->out, str_of(s->queue), s->tasks[s->head].id);
	conn_send(c, s->out.p, s->out.n, task_acked);
}

/* Send the oldest reply that waits. */
static void
task_begin(struct server *s)
{
	struct task *t = s->n > 0 ? &s->tasks[s->head] : NULL;

	if (t != NULL)
		conn_send(&s->re, t->response.p, t->response.n, task_replied);
}

/* ---- callers ---- */

/* The id of the request and its reply are both here. */
static void
call_end(struct caller *c)
{
	if (!c->has_id || !c->has_reply)
		return;
	if (c->reply_re != c->sent_id)
		eng_fault(c->req.eng, FAULT_FOREIGN,
		    "caller %u sent request %lld and got the reply to %lld",
		    c->no, (long long)c->sent_id, (long long)c->reply_re);
	stage_count(c->all->w, c->began_ns);
	c->calling = false;
	c->all->calling--;
	call_begin(c);
}

/* The request is taken. */
static void
call_sent(struct conn *conn, struct str body)
{
	struct caller *c = conn->arg;

	if (reply_sent(body, &c->sent_id) != 1) {
		eng_fault(conn->eng, FAULT_DROPPED, "answer to a request: %.*s",
		    (int)(body.n > 100 ? 100 : body.n), body.p);
		return;
	}
	c->has_id = true;
	call_end(c);
}

/* The queue is there (again): send the request. */
static void
call_created(struct conn *conn, struct str body)
{
	struct caller *c = conn->arg;

	(void)body;
	conn_send(conn, c->request.p, c->request.n, call_sent);
}

/* Begin the next call, unless it is over. */
static void
call_begin(struct caller *c)
{
	char stamp[STAMP_SIZE + 1];

	if (!stage_goes_on(c->all->w))
		return;
	snprintf(stamp, sizeof stamp, STAMP, c->no, ++c->calls);
	memcpy(c->request.p + c->stamp, stamp, STAMP_SIZE);
	c->has_id = c->has_reply = false;
	c->calling = true;
	c->all->calling++;
	c->began_ns = clock_mono_ns();
	conn_send(&c->req, c->persistent.p, c->persistent.n, call_created);
}

/* A message: it has to be the one reply this caller waits for. */
static void
caller_take(struct caller *c, const struct message *m)
{
	struct eng *e = c->ev.eng;
	struct str want = {c->request.p + c->stamp, c->request.n - c->stamp};

	if (c->nacks == c->acks_cap) {
		c->acks_cap = c->acks_cap ? c->acks_cap * 2 : 8;
		c->acks = xreallocarray(c->acks, c->acks_cap, sizeof *c->acks);
	}
	c->acks[c->nacks++] = m->id;
	if (!m->response || !str_eq(m->queue, str_of(c->token)) ||
	    !str_eq(m->to, str_of(c->queue)) || m->payload.n < STAMP_SIZE ||
	    memcmp(m->payload.p, want.p, 7) != 0)
		eng_fault(e, FAULT_FOREIGN, "caller %u got %.*s:%lld: %.*s",
		    c->no, (int)m->queue.n, m->queue.p, (long long)m->id,
		    (int)(m->payload.n > 40 ? 40 : m->payload.n), m->payload.p);
	else if (!c->calling || c->has_reply || !str_eq(m->payload, want))
		eng_fault(e, FAULT_TWICE, "caller %u, call %llu, got %.*s",
		    c->no, c->calls, STAMP_SIZE, m->payload.p);
	else {
		c->has_reply = true;
		c->reply_re = m->re_id;
	}
}

/* Acknowledged: on to the next ack, or poll again. */
static void
caller_acked(struct conn *conn, struct str body)
{
	struct caller *c = conn->arg;

	(void)body;
	if (c->nacks == 0) {
		caller_poll(c);
		return;
	}
	buf_reset(&c->out);
	req_ack(&c->out, str_of(c->token), c->acks[0]);
	memmove(c->acks, c->acks + 1, --c->nacks * sizeof *c->acks);
	conn_send(conn, c->out.p, c->out.n, caller_acked);
}

/* Replies came: acknowledge them, and end the call meanwhile. */
static void
caller_delivered(struct conn *conn, struct str body)
{
	struct caller *c = conn->arg;
	struct message m;
	struct scan scan;

	reply_scan(&scan, body);
	while (reply_message(&scan, &m))
		caller_take(c, &m);
	if (scan.bad) {
		eng_fault(conn->eng, FAULT_MALFORMED, "transfer: %.*s",
		    (int)(body.n > 200 ? 200 : body.n), body.p);
		return;
	}
	c->cursor = scan.next;
	caller_acked(conn, body);
	if (c->calling)
		call_end(c);
}

/* Wait for replies. */
static void
caller_poll(struct caller *c)
{
	buf_reset(&c->out);
	req_transfer(&c->out, c->token, c->cursor, POLL_S);
	conn_send(&c->ev, c->out.p, c->out.n, caller_delivered);
}

/* ---- the worker ---- */

/* Connections and queue of a server. */
static void
server_prepare(struct server *s, struct worker *w, unsigned no)
{
	char token[NAME_SIZE];

	s->all = w->own;
	s->cursor = -1;
	snprintf(s->queue, sizeof s->queue, "%s.rpc%u", w->o->prefix, no);
	snprintf(token, sizeof token, "%s.server%u:%ld", w->o->prefix, no,
	    (long)getpid());
	if (conn_open(&s->tr, &w->eng, s, token) &&
	    conn_open(&s->re, &w->eng, s, token)) {
		conn_get(&s->re, "destroy", s->queue);
		conn_get(&s->re, "persistent", s->queue);
	}
}

/* Connections, reply queue and requests of a caller. */
static void
caller_prepare(struct caller *c, struct worker *w, unsigned no)
{
	struct rpc *all = w->own;
	size_t payload = (size_t)w->o->payload;
	char *p;

	c->all = all;
	c->no = no;
	c->cursor = -1;
	snprintf(c->token, sizeof c->token, "%s.caller%u:%ld", w->o->prefix, no,
	    (long)getpid());
	memcpy(c->queue, all->servers[no % all->nservers].queue, NAME_SIZE);
	req_get(&c->persistent, "persistent", c->queue);
	req_send(&c->request, c->queue, c->token, payload);
	c->stamp = c->request.n;
	p = buf_reserve(&c->request, payload);
	if (p != NULL) {
		memset(p, 'x', payload);
		c->request.n += payload;
	}
	if (conn_open(&c->req, &w->eng, c, c->token) &&
	    conn_open(&c->ev, &w->eng, c, c->token))
		conn_get(&c->req, "transient", c->token);
}

/* Everything there before the clock runs. */
static void
prepare(struct worker *w)
{
	struct rpc *all = w->own;
	unsigned i, servers, first;

	all->w = w;
	servers = (unsigned)w->o->servers;
	all->nservers = stage_share(w, servers, &first);
	all->servers = xcalloc(all->nservers, sizeof *all->servers);
	for (i = 0; i < all->nservers && !w->eng.broken; i++)
		server_prepare(&all->servers[i], w, first + i);
	all->ncallers = stage_share(w, (unsigned)w->o->conns, &all->first);
	all->callers = xcalloc(all->ncallers, sizeof *all->callers);
	all->served = xcalloc(all->ncallers, sizeof *all->served);
	for (i = 0; i < all->ncallers && !w->eng.broken; i++)
		caller_prepare(&all->callers[i], w, all->first + i);
}

/* Some call, reply or ack is on its way. */
static bool
unfinished(void *arg)
{
	struct rpc *all = arg;
	unsigned i;

	if (all->calling > 0 || stage_goes_on(all->w))
		return true;
	for (i = 0; i < all->nservers; i++)
		if (all->servers[i].n > 0)
			return true;
	for (i = 0; i < all->ncallers; i++)
		if (all->callers[i].nacks > 0)
			return true;
	return false;
}

/* A call that has not ended in all that time. */
static void
no_reply(struct eng *e, const struct caller *c)
{
	eng_fault(e, FAULT_MISSING,
	    "caller %u: no reply to call %llu: request %lld in %s, %s from "
	    "%lld",
	    c->no, c->calls, (long long)(c->has_id ? c->sent_id : -1), c->queue,
	    c->ev.done == caller_delivered ? "polling" : "acknowledging",
	    (long long)c->cursor);
}

/* Call until it is over and every call has its reply. */
static void
run(struct worker *w)
{
	struct rpc *all = w->own;
	unsigned i;

	w->eng.now = clock_mono_ns();
	for (i = 0; i < all->nservers; i++)
		server_poll(&all->servers[i]);
	for (i = 0; i < all->ncallers; i++) {
		caller_poll(&all->callers[i]);
		call_begin(&all->callers[i]);
	}
	eng_run(&w->eng, unfinished, all, w->stage->t1 + STAGE_GRACE_NS);
	for (i = 0; i < all->ncallers && !w->eng.broken; i++)
		if (all->callers[i].calling)
			no_reply(&w->eng, &all->callers[i]);
}

/* Give a server's memory and queue back. */
static void
server_finish(struct server *s)
{
	unsigned i;

	if (!s->all->w->eng.broken && !s->all->w->o->keep)
		conn_get(&s->re, "destroy", s->queue);
	conn_close(&s->tr);
	conn_close(&s->re);
	for (i = 0; i < s->cap; i++)
		buf_fini(&s->tasks[i].response);
	free(s->tasks);
	buf_fini(&s->out);
}

/* Give a caller's memory back. */
static void
caller_finish(struct caller *c)
{
	conn_close(&c->req);
	conn_close(&c->ev);
	buf_fini(&c->persistent);
	buf_fini(&c->request);
	buf_fini(&c->out);
	free(c->acks);
}

/* Close everything. */
static void
finish(struct worker *w)
{
	struct rpc *all = w->own;
	unsigned i;

	for (i = 0; i < all->ncallers; i++)
		if (all->callers[i].all != NULL)
			caller_finish(&all->callers[i]);
	for (i = 0; i < all->nservers; i++)
		if (all->servers[i].all != NULL)
			server_finish(&all->servers[i]);
	free(all->callers);
	free(all->servers);
	free(all->served);
}

/* Remote calls. */
int
mode_rpc(
    const struct opts *given, struct report *r, struct faults *f, struct err *e)
{
	static const struct job job = {
	    sizeof(struct rpc), prepare, run, finish};
	struct opts o = *given;
	struct stage s;

	if (o.servers == 0)
		o.servers = o.conns > 1 ? 4 : 1;
	if (o.threads > o.servers || o.threads > o.conns)
		return err_set(e, 1, "more threads than servers or callers");
	if (o.flight > 1 && !o.libxmsg)
		return err_set(e, 1, "--flight goes with --libxmsg");
	report_int(r, "conns", o.conns, NULL);
	report_int(r, "servers", o.servers, NULL);
	report_int(r, "payload", o.payload, NULL);
	report_int(r, "flight", o.flight, NULL);
	report_text(r, "exchanges", o.libxmsg ? "libxmsg" : "stock", NULL);
	report_line(r, "rpc: %d callers, %d servers, %d bytes%s", o.conns,
	    o.servers, o.payload, o.libxmsg ? ", libxmsg" : "");
	if (stage_run(&s, &o, o.libxmsg ? &rpc_lib_job : &job,
		(unsigned)o.threads, false, e) < 0)
		return -1;
	faults_merge(f, &s.faults);
	stage_report(&s, r, "calls");
	report_hist(r, &s.lat, "from call to reply");
	return 0;
}
