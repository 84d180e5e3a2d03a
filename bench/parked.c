/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Do waiting clients slow the others down?  Three stretches of publishing, one
 * after the other: nobody waits, many polls wait on other queues, nobody waits
 * again.  The figure is the middle one over the mean of the others, so that a
 * disk that grows slower by the minute does not pass for a slow broker.
 *
 * The waiting clients have a thread and an engine of their own; each has logged
 * in and polls as stock clients do, 30 s at a time.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "load.h"
#include "send.h"
#include "stage.h"
#include "xalloc.h"

#define POLL_S 30.0

/* A client that waits. */
struct parker {
	struct conn c;
	char queue[128];
};

struct lot {
	const struct opts *o;
	struct eng eng;
	struct parker *v;
	int n;
	atomic_bool stop;
	pthread_t thread;
	bool running;
};

static void park(struct parker *p);

/* A poll ended; that is only right when its time was over. */
static void
poll_ended(struct conn *c, struct str body)
{
	struct message m;
	struct scan s;

	reply_scan(&s, body);
	if (reply_message(&s, &m))
		eng_fault(c->eng, FAULT_FOREIGN, "a parked poll got a message");
	else if (s.bad)
		eng_fault(c->eng, FAULT_MALFORMED, "transfer: %.*s",
		    (int)(body.n > 200 ? 200 : body.n), body.p);
	park(c->arg);
}

/* Poll. */
static void
park(struct parker *p)
{
	struct buf b = BUF_INIT;

	req_transfer(&b, p->queue, -1, POLL_S);
	conn_send(&p->c, b.p, b.n, poll_ended);
	buf_fini(&b);
}

/* The engine goes on as long as nobody says stop. */
static bool
not_stopped(void *arg)
{
	return !atomic_load(&((struct lot *)arg)->stop);
}

/* The thread. */
static void *
serve(void *arg)
{
	struct lot *lot = arg;

	eng_run(&lot->eng, not_stopped, lot, INT64_MAX);
	return NULL;
}

/* Connect them all, let them poll, and wait until the broker has read that. */
static int
lot_open(struct lot *lot, const struct opts *o, struct err *e)
{
	struct conn probe;
	char token[128];
	int i;

	memset(lot, 0, sizeof *lot);
	lot->o = o;
	lot->v = xcalloc((size_t)o->parked, sizeof *lot->v);
	eng_init(&lot->eng, o->socket);
	for (i = 0; i < o->parked && !lot->eng.broken; i++) {
		struct parker *p = &lot->v[lot->n++];

		snprintf(token, sizeof token, "%s.parked%d:%ld", o->prefix, i,
		    (long)getpid());
		snprintf(p->queue, sizeof p->queue, "%s.park%d", o->prefix,
		    i % o->park_queues);
		if (!conn_open(&p->c, &lot->eng, p, token))
			break;
		if (i < o->park_queues)
			conn_get(&p->c, "persistent", p->queue);
		park(p);
	}
	/* what comes after on another connection is answered after */
	if (!lot->eng.broken && conn_open(&probe, &lot->eng, NULL, "probe"))
		conn_get(&probe, "login", "probe");
	if (!lot->eng.broken)
		conn_close(&probe);
	if (pthread_create(&lot->thread, NULL, serve, lot) != 0)
		return err_set(e, 1, "cannot start a thread");
	lot->running = true;
	return 0;
}

/* All of them leave; their queues go. */
static void
lot_close(struct lot *lot, struct faults *f)
{
	int i;

	atomic_store(&lot->stop, true);
	if (lot->running)
		pthread_join(lot->thread, NULL);
	for (i = lot->n - 1; i >= 0; i--)
		conn_close(&lot->v[i].c);
	if (!lot->eng.broken && lot->n > 0 &&
	    conn_open(&lot->v[0].c, &lot->eng, NULL, "probe")) {
		for (i = 0; i < lot->n && i < lot->o->park_queues; i++)
			conn_get(&lot->v[0].c, "destroy", lot->v[i].queue);
		conn_close(&lot->v[0].c);
	}
	faults_merge(f, &lot->eng.faults);
	eng_fini(&lot->eng);
	free(lot->v);
}

/* The three stretches. */
static int
three_stages(const struct opts *o, struct stage s[3], int64_t *grown,
    struct faults *f, struct err *e)
{
	struct proc_mem before, after;
	struct lot lot;
	int i, rc;

	if (send_for_a_time(o, &s[0], e) < 0)
		return -1;
	proc_memory(o->pid, &before);
	rc = lot_open(&lot, o, e);
	proc_memory(o->pid, &after);
	*grown = after.rss - before.rss;
	if (rc == 0)
		rc = send_for_a_time(o, &s[1], e);
	lot_close(&lot, f);
	if (rc == 0)
		rc = send_for_a_time(o, &s[2], e);
	for (i = 0; rc == 0 && i < 3; i++)
		faults_merge(f, &s[i].faults);
	return rc;
}

/* Sends while polls are parked. */
int
mode_parked(
    const struct opts *o, struct report *r, struct faults *f, struct err *e)
{
	struct stage s[3];
	double without;
	int64_t grown;

	if (proc_need_files(
		(unsigned long)o->parked + (unsigned long)o->conns + 64, e) < 0)
		return -1;
	report_int(r, "parked", o->parked, NULL);
	report_int(r, "conns", o->conns, NULL);
	report_int(r, "payload", o->payload, NULL);
	report_line(r, "parked: %d polls on %d queues; %d senders, %d bytes",
	    o->parked, o->park_queues, o->conns, o->payload);
	send_create_queues(o, f);
	if (faults_total(f) > 0)
		return 0;
	if (three_stages(o, s, &grown, f, e) < 0)
		return -1;
	stage_report(&s[1], r, "acknowledged sends");
	without = (stage_rate(&s[0]) + stage_rate(&s[2])) / 2;
	report_num(r, "rate_without", without, "a second without parked polls");
	report_num(
	    r, "ratio", stage_rate(&s[1]) / without, "with, over without");
	if (o->parked > 0)
		report_num(r, "bytes_per_poll", (double)grown / o->parked,
		    "broker: memory for each parked poll, bytes");
	report_hist(r, &s[1].lat, "from request to acknowledgement");
	send_destroy_queues(o, f);
	return 0;
}
