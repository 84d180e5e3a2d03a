/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Publishing, for a time or up to a number; the modes `send` and `fill`. */
#include "send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "xalloc.h"

#define QUEUES_MAX 16 /* without --queues */

/* One connection that publishes. */
struct sender {
	struct conn c;
	struct worker *w;
	struct buf req; /* the whole request, made once */
	size_t digits; /* where its number stands */
	int64_t began_ns;
};

struct senders {
	struct sender *v;
	unsigned n, active;
	uint64_t next, end; /* numbers of the messages of this worker */
};

static void sent(struct conn *c, struct str body);

/* ---- queues ---- */

/* How many. */
int
send_queues(const struct opts *o)
{
	if (o->queues > 0)
		return o->queues;
	return o->conns < QUEUES_MAX ? o->conns : QUEUES_MAX;
}

/* Name of number i. */
void
send_queue_name(const struct opts *o, int i, char *to, size_t size)
{
	snprintf(to, size, "%s.q%d", o->prefix, i);
}

/* The same request for each queue. */
static void
each_queue(const struct opts *o, struct faults *f, const char *const *what)
{
	struct conn c;
	struct eng e;
	char name[128];
	int i, k;

	eng_init(&e, o->socket);
	snprintf(name, sizeof name, "%s.setup:%ld", o->prefix, (long)getpid());
	if (conn_open(&c, &e, NULL, name))
		for (i = 0; i < send_queues(o) && !e.broken; i++) {
			send_queue_name(o, i, name, sizeof name);
			for (k = 0; what[k] != NULL; k++)
				conn_get(&c, what[k], name);
		}
	conn_close(&c);
	faults_merge(f, &e.faults);
	eng_fini(&e);
}

/* Remove them with all that is in them. */
void
send_destroy_queues(const struct opts *o, struct faults *f)
{
	static const char *const what[] = {"destroy", NULL};

	each_queue(o, f, what);
}

/* Create them, empty. */
void
send_create_queues(const struct opts *o, struct faults *f)
{
	static const char *const what[] = {"destroy", "persistent", NULL};

	each_queue(o, f, what);
}

/* ---- senders ---- */

/* A number in fixed width. */
void
send_put_number(char *digits, uint64_t n)
{
	int i;

	for (i = SEND_DIGITS - 1; i >= 0; i--, n /= 10)
		digits[i] = (char)('0' + n % 10);
}

/* The request, but for its number. */
static void
make_request(struct sender *s, const struct opts *o, unsigned no)
{
	char queue[128], token[128], *p;

	send_queue_name(o, (int)no % send_queues(o), queue, sizeof queue);
	snprintf(
	    token, sizeof token, "%s.s%u:%ld", o->prefix, no, (long)getpid());
	req_send(&s->req, queue, token, (size_t)o->payload);
	s->digits = s->req.n + 1;
	p = buf_reserve(&s->req, (size_t)o->payload);
	if (p != NULL) {
		memset(p, 'x', (size_t)o->payload);
		p[0] = SEND_LETTER;
		p[1 + SEND_DIGITS] = ' ';
		s->req.n += (size_t)o->payload;
	}
	conn_open(&s->c, &s->w->eng, s, token);
}

/* Connect all of this worker's. */
static void
prepare(struct worker *w)
{
	struct senders *all = w->own;
	unsigned i, first, from;

	all->n = stage_share(w, (unsigned)w->o->conns, &first);
	all->v = xcalloc(all->n, sizeof *all->v);
	all->end = UINT64_MAX;
	if (w->stage->open_ended) {
		all->end = stage_share(w, (unsigned)w->o->count, &from);
		all->next = from;
		all->end += from;
	}
	for (i = 0; i < all->n && !w->eng.broken; i++) {
		all->v[i].w = w;
		make_request(&all->v[i], w->o, first + i);
	}
}

/* Send the next message, unless it is over. */
static void
send_next(struct sender *s)
{
	struct senders *all = s->w->own;

	if (all->next >= all->end || !stage_goes_on(s->w)) {
		all->active--;
		return;
	}
	send_put_number(s->req.p + s->digits, all->next++);
	s->began_ns = clock_mono_ns();
	conn_send(&s->c, s->req.p, s->req.n, sent);
}

/* Acknowledged. */
static void
sent(struct conn *c, struct str body)
{
	struct sender *s = c->arg;
	int64_t id;
	int rc = reply_sent(body, &id);

	if (rc == 1)
		stage_count(s->w, s->began_ns);
	else
		eng_fault(c->eng, rc == 0 ? FAULT_DROPPED : FAULT_MALFORMED,
		    "answer to a send: %.*s",
		    (int)(body.n > 100 ? 100 : body.n), body.p);
	send_next(s);
}

/* Some message is still to be acknowledged. */
static bool
any_active(void *arg)
{
	return ((struct senders *)arg)->active > 0;
}

/* Send until it is over and all is acknowledged. */
static void
run(struct worker *w)
{
	struct senders *all = w->own;
	unsigned i;

	w->eng.now = clock_mono_ns();
	all->active = all->n;
	for (i = 0; i < all->n; i++)
		send_next(&all->v[i]);
	eng_run(&w->eng, any_active, all,
	    w->stage->open_ended ? INT64_MAX : w->stage->t1 + STAGE_GRACE_NS);
	for (i = 0; i < all->active && !w->eng.broken; i++)
		eng_fault(&w->eng, FAULT_MISSING, "a send was not answered");
}

/* Close all. */
static void
finish(struct worker *w)
{
	struct senders *all = w->own;
	unsigned i;

	for (i = 0; i < all->n; i++) {
		conn_close(&all->v[i].c);
		buf_fini(&all->v[i].req);
	}
	free(all->v);
}

static const struct job job = {sizeof(struct senders), prepare, run, finish};

/* For a time. */
int
send_for_a_time(const struct opts *o, struct stage *s, struct err *e)
{
	return stage_run(s, o, &job, (unsigned)o->threads, false, e);
}

/* Up to a number. */
int
send_a_number(const struct opts *o, struct stage *s, struct err *e)
{
	return stage_run(s, o, &job, (unsigned)o->threads, true, e);
}

/* ---- modes ---- */

/* Publish only. */
int
mode_send(
    const struct opts *o, struct report *r, struct faults *f, struct err *e)
{
	struct stage s;

	report_int(r, "conns", o->conns, NULL);
	report_int(r, "payload", o->payload, NULL);
	report_line(r, "send: %d connections, %d queues, %d bytes", o->conns,
	    send_queues(o), o->payload);
	send_create_queues(o, f);
	if (faults_total(f) > 0)
		return 0;
	if (send_for_a_time(o, &s, e) < 0)
		return -1;
	faults_merge(f, &s.faults);
	stage_report(&s, r, "acknowledged sends");
	report_hist(r, &s.lat, "from request to acknowledgement");
	if (!o->keep && faults_total(f) == 0)
		send_destroy_queues(o, f);
	return 0;
}

/* Put a number of messages in and leave them there. */
int
mode_fill(
    const struct opts *o, struct report *r, struct faults *f, struct err *e)
{
	struct proc_mem before;
	struct stage s;

	report_int(r, "count", o->count, NULL);
	report_int(r, "payload", o->payload, NULL);
	report_line(r, "fill: %d messages, %d connections, %d queues, %d bytes",
	    o->count, o->conns, send_queues(o), o->payload);
	send_create_queues(o, f);
	proc_memory(o->pid, &before);
	if (faults_total(f) > 0)
		return 0;
	if (send_a_number(o, &s, e) < 0)
		return -1;
	faults_merge(f, &s.faults);
	stage_report(&s, r, "acknowledged sends");
	report_num(r, "bytes_per_message",
	    (double)(s.mem.rss - before.rss) / o->count,
	    "broker: memory for each message, bytes");
	return 0;
}
