/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Taking a backlog away: how long the first transfer takes out of a full
 * queue, then how many messages a second are transferred and acknowledged.  One
 * connection for each queue transfers, opts.conns connections acknowledge what
 * it brought.  A bit for each message sees to it that all come, and once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "load.h"
#include "send.h"
#include "stage.h"
#include "xalloc.h"

#define POLL_S	  1.0
#define LOW_WATER 1024 /* fewer waiting to be acknowledged: transfer more */

struct drain;

/* Transfers one queue. */
struct taker {
	struct drain *all;
	struct conn c;
	char queue[128];
	int64_t cursor;
	bool empty; /* a poll brought nothing */
	struct buf out;
};

/* Acknowledges. */
struct acker {
	struct drain *all;
	struct conn c;
	int64_t began_ns;
	struct buf out;
};

struct todo {
	struct taker *from;
	int64_t id;
};

struct drain {
	struct worker *w;
	struct taker *takers;
	struct acker *ackers;
	unsigned ntakers, nackers, active; /* acks on their way */
	struct todo *todo; /* a ring, cap a power of two */
	size_t head, n, cap;
	unsigned char *seen; /* a bit for each message */
	uint64_t nseen, out_of_order;
};

static void take(struct taker *t);

/* ---- what came ---- */

/* Put an id on the list of those to be acknowledged. */
static void
todo_push(struct drain *d, struct taker *t, int64_t id)
{
	size_t i, cap = d->cap ? d->cap * 2 : 4096;
	struct todo *v;

	if (d->n == d->cap) {
		v = xcalloc(cap, sizeof *v);
		for (i = 0; i < d->n; i++)
			v[i] = d->todo[(d->head + i) & (d->cap - 1)];
		free(d->todo);
		d->todo = v;
		d->cap = cap;
		d->head = 0;
	}
	d->todo[(d->head + d->n++) & (d->cap - 1)] = (struct todo){t, id};
}

/* Tick it off by its number. */
static void
tick_off(struct drain *d, const struct message *m)
{
	uint64_t no = 0;
	size_t i;

	for (i = 1; i <= SEND_DIGITS && i < m->payload.n; i++)
		no = no * 10 + (uint64_t)(m->payload.p[i] - '0');
	if (m->response || m->payload.n < SEND_PAYLOAD ||
	    m->payload.p[0] != SEND_LETTER || no >= (uint64_t)d->w->o->count) {
		eng_fault(&d->w->eng, FAULT_FOREIGN,
		    "not one of ours: %.*s:%lld", (int)m->queue.n, m->queue.p,
		    (long long)m->id);
		return;
	}
	if (d->seen[no / 8] & (1u << no % 8))
		eng_fault(&d->w->eng, FAULT_TWICE, "message %llu came again",
		    (unsigned long long)no);
	d->seen[no / 8] |= (unsigned char)(1u << no % 8);
	d->nseen++;
}

/* ---- acknowledging ---- */

/* Acknowledge the oldest on the list. */
static void
ack_next(struct acker *a, conn_fn *done)
{
	struct drain *d = a->all;
	struct todo *t = &d->todo[d->head];

	if (d->n == 0 || a->c.fd < 0)
		return;
	d->head = (d->head + 1) & (d->cap - 1);
	d->n--;
	d->active++;
	buf_reset(&a->out);
	req_ack(&a->out, str_of(t->from->queue), t->id);
	a->began_ns = clock_mono_ns();
	conn_send(&a->c, a->out.p, a->out.n, done);
}

/* Acknowledged: the next, and more when there is little left. */
static void
acked(struct conn *c, struct str body)
{
	struct acker *a = c->arg;
	struct drain *d = a->all;
	unsigned i;

	(void)body;
	d->active--;
	stage_count(d->w, a->began_ns);
	if (stage_goes_on(d->w))
		ack_next(a, acked);
	for (i = 0; d->n < LOW_WATER && i < d->ntakers; i++)
		take(&d->takers[i]);
}

/* ---- transferring ---- */

/* Messages came. */
static void
delivered(struct conn *c, struct str body)
{
	struct taker *t = c->arg;
	struct drain *d = t->all;
	int64_t last = t->cursor;
	struct message m;
	struct scan scan;
	unsigned i;

	t->empty = true;
	reply_scan(&scan, body);
	while (reply_message(&scan, &m)) {
		t->empty = false;
		if (m.id <= last)
			d->out_of_order++;
		last = m.id;
		tick_off(d, &m);
		todo_push(d, t, m.id);
	}
	if (scan.bad)
		eng_fault(c->eng, FAULT_MALFORMED, "transfer: %.*s",
		    (int)(body.n > 200 ? 200 : body.n), body.p);
	t->cursor = scan.next;
	for (i = 0; i < d->nackers; i++)
		if (d->ackers[i].c.done == NULL)
			ack_next(&d->ackers[i], acked);
}

/* All messages there are have come. */
static bool
got_all(const struct drain *d)
{
	return d->nseen >= (uint64_t)d->w->o->count;
}

/* Transfer, unless that is on its way or there is nothing left. */
static void
take(struct taker *t)
{
	if (t->c.done != NULL || t->empty || got_all(t->all) ||
	    !stage_goes_on(t->all->w))
		return;
	buf_reset(&t->out);
	req_transfer(&t->out, t->queue, t->cursor, POLL_S);
	conn_send(&t->c, t->out.p, t->out.n, delivered);
}

/* ---- the worker ---- */

/* Connections. */
static void
prepare(struct worker *w)
{
	struct drain *d = w->own;
	char token[128];
	unsigned i;

	d->w = w;
	d->ntakers = (unsigned)send_queues(w->o);
	d->nackers = (unsigned)w->o->conns;
	d->takers = xcalloc(d->ntakers, sizeof *d->takers);
	d->ackers = xcalloc(d->nackers, sizeof *d->ackers);
	d->seen = xcalloc((size_t)w->o->count / 8 + 1, 1);
	snprintf(
	    token, sizeof token, "%s.drain:%ld", w->o->prefix, (long)getpid());
	for (i = 0; i < d->ntakers && !w->eng.broken; i++) {
		struct taker *t = &d->takers[i];

		t->all = d;
		t->cursor = -1;
		send_queue_name(w->o, (int)i, t->queue, sizeof t->queue);
		conn_open(&t->c, &w->eng, t, token);
	}
	for (i = 0; i < d->nackers && !w->eng.broken; i++) {
		d->ackers[i].all = d;
		conn_open(&d->ackers[i].c, &w->eng, &d->ackers[i], token);
	}
}

/* Something is still to be done, in the time there is. */
static bool
unfinished(void *arg)
{
	struct drain *d = arg;
	unsigned i;

	if (d->active > 0)
		return true;
	if (!stage_goes_on(d->w))
		return false;
	if (d->n > 0)
		return true;
	for (i = 0; i < d->ntakers && !got_all(d); i++)
		if (!d->takers[i].empty)
			return true;
	return false;
}

/* Drain until it is empty or the time is over. */
static void
run(struct worker *w)
{
	struct drain *d = w->own;
	uint64_t count = (uint64_t)w->o->count;
	bool all = true;
	unsigned i;

	w->eng.now = clock_mono_ns();
	for (i = 0; i < d->ntakers; i++)
		take(&d->takers[i]);
	eng_run(&w->eng, unfinished, d, w->stage->t1 + STAGE_GRACE_NS);
	for (i = 0; i < d->ntakers; i++)
		all = all && d->takers[i].empty;
	if (w->eng.broken || d->active > 0 || (all && d->nseen < count))
		eng_fault(&w->eng, FAULT_MISSING,
		    "%llu of %llu messages came, %u acks unanswered",
		    (unsigned long long)d->nseen, (unsigned long long)count,
		    d->active);
}

/* Close everything. */
static void
finish(struct worker *w)
{
	struct drain *d = w->own;
	unsigned i;

	for (i = 0; i < d->ntakers; i++) {
		conn_close(&d->takers[i].c);
		buf_fini(&d->takers[i].out);
	}
	for (i = 0; i < d->nackers; i++) {
		conn_close(&d->ackers[i].c);
		buf_fini(&d->ackers[i].out);
	}
	free(d->takers);
	free(d->ackers);
	free(d->todo);
	free(d->seen);
}

/* ---- the mode ---- */

/* The first transfer out of the first queue. */
static void
first_transfer(const struct opts *o, struct report *r, struct faults *f)
{
	struct buf b = BUF_INIT;
	struct str body = {NULL, 0};
	struct message m;
	struct scan scan;
	struct conn c;
	struct eng e;
	int64_t began, took, n = 0;
	char queue[128];

	eng_init(&e, o->socket);
	send_queue_name(o, 0, queue, sizeof queue);
	req_transfer(&b, queue, -1, POLL_S);
	if (conn_open(&c, &e, NULL, "first")) {
		began = clock_mono_ns();
		conn_call(&c, b.p, b.n, &body);
		took = clock_mono_ns() - began;
		for (reply_scan(&scan, body); reply_message(&scan, &m);)
			n++;
		if (n == 0 || scan.bad)
			eng_fault(&e, FAULT_MISSING,
			    "the first transfer brought nothing");
		report_num(
		    r, "first_ms", (double)took / 1e6, "first transfer, ms");
		report_int(r, "first_messages", n, "messages it brought");
		report_int(r, "first_bytes", (int64_t)body.n, NULL);
	}
	conn_close(&c);
	buf_fini(&b);
	faults_merge(f, &e.faults);
	eng_fini(&e);
}

/* Take away what fill has put there. */
static int
consume(
    const struct opts *given, struct report *r, struct faults *f, struct err *e)
{
	static const struct job job = {
	    sizeof(struct drain), prepare, run, finish};
	struct opts o = *given;
	struct stage s;

	o.warmup = 0;
	if (stage_run(&s, &o, &job, 1, false, e) < 0)
		return -1;
	faults_merge(f, &s.faults);
	stage_report(&s, r, "messages taken and acknowledged");
	report_hist(r, &s.lat, "from ack to its answer");
	return 0;
}

/* Fill (unless told not to), first transfer, drain. */
int
mode_drain(
    const struct opts *o, struct report *r, struct faults *f, struct err *e)
{
	struct stage s;

	report_int(r, "count", o->count, NULL);
	report_int(r, "conns", o->conns, NULL);
	report_int(r, "payload", o->payload, NULL);
	report_line(r, "drain: %d messages, %d queues, %d acknowledging",
	    o->count, send_queues(o), o->conns);
	if (!o->no_fill) {
		send_create_queues(o, f);
		if (faults_total(f) > 0)
			return 0;
		if (send_a_number(o, &s, e) < 0)
			return -1;
		faults_merge(f, &s.faults);
	}
	if (faults_total(f) > 0)
		return 0;
	first_transfer(o, r, f);
	if (!o->peek && faults_total(f) == 0 && consume(o, r, f, e) < 0)
		return -1;
	if (!o->peek && !o->keep && faults_total(f) == 0)
		send_destroy_queues(o, f);
	return 0;
}
