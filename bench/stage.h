/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One measured stretch: workers (threads with an engine each) prepare, then all
 * begin together; after the warm-up comes the window in which operations are
 * counted and the processor time of the broker and of ourselves is taken; then
 * the workers finish what they have begun.
 */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "eng.h"
#include "hist.h"
#include "load.h"
#include "proc.h"

#define STAGE_GRACE_NS (20 * NS_PER_SEC) /* to finish what was begun */

struct worker;

/* What the workers do; on every fault of the broker the engine is told. */
struct job {
	size_t size; /* of the worker's own state */
	void (*prepare)(struct worker *w); /* connections, queues */
	void (*run)(struct worker *w); /* begin, then eng_run */
	void (*finish)(struct worker *w); /* close and free */
};

/* Remote calls with libxmsg (rpclib.c). */
extern const struct job rpc_lib_job;

struct stage {
	const struct opts *o;
	const struct job *job;
	bool open_ended; /* ends when the workers do, not by time */
	int64_t t0, t1; /* the window */
	double took_s; /* its length */
	uint64_t ops; /* operations that ended in it */
	struct hist lat; /* how long each took */
	/* processor time in it, of the broker (< 0: unknown), ours, all */
	double broker_us, own_us, all_us;
	struct proc_mem mem; /* the broker's, at its end */
	struct faults faults;
	atomic_int busy; /* workers not done yet */
	pthread_barrier_t ready, go;
};

struct worker {
	struct stage *stage;
	const struct opts *o;
	struct eng eng;
	unsigned no, of; /* which worker, of how many */
	void *own; /* zeroed, of the size the job asked for */
	struct hist lat;
	uint64_t ops;
	int64_t ended_ns;
	pthread_t thread;
};

/* Run it with `threads` workers; the results are in s. */
int stage_run(struct stage *s, const struct opts *o, const struct job *job,
    unsigned threads, bool open_ended, struct err *e);

/* An operation that began then is done now; counted when in the window. */
void stage_count(struct worker *w, int64_t began_ns);

/* New operations may begin. */
bool stage_goes_on(const struct worker *w);

/* Share of `total` of this worker, and the first of it. */
unsigned stage_share(const struct worker *w, unsigned total, unsigned *first);

/* Operations a second. */
double stage_rate(const struct stage *s);

/* The figures every mode has; `ops` says what an operation is. */
void stage_report(const struct stage *s, struct report *r, const char *ops);

#endif
