/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Workers, the window, and the figures taken at both ends of it. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "xalloc.h"

#define SLICE_NS (20 * NS_PER_MS) /* how often we look whether all are done */

/* A worker's life. */
static void *
work(void *arg)
{
	struct worker *w = arg;
	struct stage *s = w->stage;

	eng_init(&w->eng, s->o->socket);
	if (!w->eng.broken)
		s->job->prepare(w);
	pthread_barrier_wait(&s->ready);
	pthread_barrier_wait(&s->go);
	if (!w->eng.broken)
		s->job->run(w);
	w->ended_ns = clock_mono_ns();
	atomic_fetch_sub(&s->busy, 1);
	s->job->finish(w);
	eng_fini(&w->eng);
	return NULL;
}

/* Sleep until then, or until no worker is busy. */
static void
sleep_until(const struct stage *s, int64_t then_ns)
{
	for (;;) {
		int64_t left = then_ns - clock_mono_ns();
		struct timespec t = {0};

		if (left <= 0 || atomic_load(&s->busy) == 0)
			return;
		t.tv_nsec = left < SLICE_NS ? left : SLICE_NS;
		nanosleep(&t, NULL);
	}
}

/* Let them run; take the figures at both ends of the window. */
static void
measure(struct stage *s)
{
	int64_t broker, own, all;

	sleep_until(s, s->t0);
	broker = proc_tree_cpu_us(s->o->pid);
	own = proc_own_cpu_us();
	all = proc_all_cpu_us();
	sleep_until(s, s->t1);
	s->all_us = (double)(proc_all_cpu_us() - all);
	s->own_us = (double)(proc_own_cpu_us() - own);
	s->broker_us =
	    broker < 0 ? -1 : (double)(proc_tree_cpu_us(s->o->pid) - broker);
	proc_memory(s->o->pid, &s->mem);
}

/* Set the times and let all begin. */
static void
begin(struct stage *s)
{
	const struct opts *o = s->o;
	int64_t now;

	pthread_barrier_wait(&s->ready);
	now = clock_mono_ns();
	s->t0 = now + (s->open_ended ? 0 : (int64_t)(o->warmup * 1e9));
	s->t1 = s->open_ended ? INT64_MAX : s->t0 + (int64_t)(o->seconds * 1e9);
	pthread_barrier_wait(&s->go);
}

/* Take a worker's results.  The window ends early when all are done early. */
static void
collect(struct stage *s, struct worker *w)
{
	int64_t end;
	double took_s;

	pthread_join(w->thread, NULL);
	end = w->ended_ns < s->t1 ? w->ended_ns : s->t1;
	took_s = (double)(end - s->t0) / 1e9;
	if (took_s > s->took_s)
		s->took_s = took_s;
	hist_merge(&s->lat, &w->lat);
	s->ops += w->ops;
	faults_merge(&s->faults, &w->eng.faults);
	free(w->own);
}

/* The whole of it. */
int
stage_run(struct stage *s, const struct opts *o, const struct job *job,
    unsigned threads, bool open_ended, struct err *e)
{
	struct worker *w = xcalloc(threads, sizeof *w);
	unsigned i;

	memset(s, 0, sizeof *s);
	s->o = o;
	s->job = job;
	s->open_ended = open_ended;
	atomic_init(&s->busy, (int)threads);
	pthread_barrier_init(&s->ready, NULL, threads + 1);
	pthread_barrier_init(&s->go, NULL, threads + 1);
	for (i = 0; i < threads; i++) {
		w[i] =
		    (struct worker){.stage = s, .o = o, .no = i, .of = threads};
		w[i].own = xcalloc(1, job->size);
		if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0) {
			/* those waiting at the barrier cannot be called back */
			err_set(e, 1, "cannot start %u threads", threads);
			return -1;
		}
	}
	begin(s);
	measure(s);
	for (i = 0; i < threads; i++)
		collect(s, &w[i]);
	pthread_barrier_destroy(&s->ready);
	pthread_barrier_destroy(&s->go);
	free(w);
	return 0;
}

/* Count an operation. */
void
stage_count(struct worker *w, int64_t began_ns)
{
	int64_t now = clock_mono_ns();

	if (now < w->stage->t0 || now >= w->stage->t1)
		return;
	w->ops++;
	hist_add(&w->lat, now - began_ns);
}

/* Not yet over. */
bool
stage_goes_on(const struct worker *w)
{
	return w->eng.now < w->stage->t1;
}

/* Deal out evenly, the first workers getting what is left over. */
unsigned
stage_share(const struct worker *w, unsigned total, unsigned *first)
{
	unsigned each = total / w->of, more = total % w->of;

	*first = w->no * each + (w->no < more ? w->no : more);
	return each + (w->no < more ? 1 : 0);
}

/* Operations a second; 0 when there was no window. */
double
stage_rate(const struct stage *s)
{
	return s->took_s > 0 ? (double)s->ops / s->took_s : 0;
}

/* Rate, processor time, memory. */
void
stage_report(const struct stage *s, struct report *r, const char *ops)
{
	double n = s->ops > 0 ? (double)s->ops : 1;
	char what[80];

	if (s->took_s <= 0)
		return; /* it broke off before the window */
	snprintf(what, sizeof what, "%s a second", ops);
	report_num(r, "rate", stage_rate(s), what);
	report_int(r, "ops", (int64_t)s->ops, "counted");
	report_num(r, "seconds", s->took_s, NULL);
	if (s->broker_us >= 0) {
		report_num(r, "broker_cpu_us", s->broker_us / n,
		    "broker: processor time for each, us");
		report_num(r, "broker_cores", s->broker_us / s->took_s / 1e6,
		    "broker: cores used");
	}
	report_num(r, "own_cpu_us", s->own_us / n, NULL);
	report_num(r, "own_cores", s->own_us / s->took_s / 1e6,
	    "load generator: cores used");
	if (s->broker_us >= 0)
		report_num(r, "other_cores",
		    (s->all_us - s->own_us - s->broker_us) / s->took_s / 1e6,
		    "everything else: cores used");
	report_int(r, "rss", s->mem.rss, "broker: memory now, bytes");
	report_int(r, "peak", s->mem.peak, "broker: most memory so far, bytes");
}
