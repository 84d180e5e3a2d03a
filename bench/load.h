/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The options of the load generator and the modes it has.  A mode puts load on
 * a broker, writes what it found into the report and adds the broker's
 * mistakes to the faults; 0, or -1 with a sentence when it could not run.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <sys/types.h>

#include "eng.h"
#include "err.h"
#include "report.h"

struct opts {
	const char *socket;
	const char *prefix; /* of every queue name */
	const char *peer; /* kind of broker */
	int window; /* replies a server may have unconfirmed */
	const char *start; /* command that starts the broker again */
	double seconds, warmup;
	int conns; /* callers, senders, acknowledging connections */
	int servers; /* 0: 4, or 1 for one caller */
	int flight; /* calls of a caller under way, with libxmsg */
	int threads;
	int payload;
	int queues; /* 0: one a connection, at most 16 */
	int count; /* messages to fill or drain */
	int parked; /* polls */
	int park_queues; /* they wait on */
	pid_t pid; /* of the broker */
	bool json, no_fill, keep, peek, leave, libxmsg;
};

typedef int mode_fn(
    const struct opts *o, struct report *r, struct faults *f, struct err *e);

/* What one program can do; ends with a row without a name. */
struct mode {
	const char *name, *help;
	mode_fn *run;
	int conns; /* without --conns */
	bool finds_pid; /* asks the socket who listens, unless told */
};
extern const struct mode modes[];
extern const char program[];

mode_fn mode_ping, mode_rpc, mode_send, mode_parked, mode_fill, mode_drain,
    mode_restart;

#endif
