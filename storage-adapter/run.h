/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The parts of xmsg-run, which supervises one script; see xmsg-run(8) and
 * spool.h.  Links libc only, as its start is paid for with every call.
 *
 *     RUN --exit--> GRACE --end of output, or time--> OVER
 *      |              | too much output
 *      v              v
 *     TERM --group gone, or time--> KILL --nobody left, or time--> OVER
 *
 * A runner is begun by exec, or by a nursery, which is this program too.
 */
#ifndef XMSG_RUN_H
#define XMSG_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "spool.h"

/* The writing end of the FIFO, from who begins us. */
#define RUN_CLAIM_FD 3

/* The command line. */
struct run_opts {
	int64_t time_ns, grace_ns, term_ns, max_out, max_err, nofile;
	const char *path, *cgroup, *dir;
	int64_t step;
	char **argv; /* script and its arguments, NULL-terminated */
	const char **env; /* of --env, n_env of them */
	int n_env;
};

enum run_phase { RUN_RUN, RUN_GRACE, RUN_TERM, RUN_KILL, RUN_OVER };

/* One stream of the script, on its way into a file. */
struct run_stream {
	int pipe; /* reading end; -1: at its end */
	int file; /* -1: not made yet */
	int64_t len; /* of the file */
	int error; /* errno of the file: nothing more is kept */
};

struct run {
	struct run_opts o;
	int dir; /* folder of the run */
	int record; /* its file */
	int signals; /* signalfd */
	int cgroup; /* folder of its own group, or -1 */
	char cgroup_name[32];
	struct run_stream out, err;
	struct spool_start start;
	struct spool_end end;
	enum run_phase phase;
	int64_t began_ns, deadline_ns; /* 0: none */
	bool dead; /* the script has ended; not reaped yet */
	bool reaped;
	bool cancelled;
	bool too_much; /* more output than allowed, or than could be kept */
	/* written by the child before exec, in our memory */
	volatile bool recorded;
	volatile int error;
};

/* Leave behind what exec has given us: all signals wait and have their default,
 * no descriptor above 3, no output, nor input when that is said. */
void run_prepare(bool input);

/* One run, from its options to its record; the exit status. */
int run_script(int argc, char **argv);

/* Tell who waits for the FIFO why there is no run. */
void run_refuse(int claim, int why);

/* Begin runs as the adapter asks for them, until it is gone; the exit status:
 * ours, and, in each child, that of its run. */
int run_nursery(int argc, char **argv);

/* Start the script: 0, or errno when nothing was run.  The record has its name
 * by then.  r->error is the errno of exec. */
int run_start(struct run *r);

/* Supervise until it is over; fills r->end. */
void run_watch(struct run *r);

/* Take what is in the pipes, one buffer each. */
void run_copy(struct run *r);
/* Take what is in the pipes at this moment. */
void run_drain(struct run *r);

/* Ask the process group to end. */
void run_term(struct run *r);
/* Kill all descendants; how many are still there. */
unsigned run_kill(struct run *r);
/* Is anyone of the script's group left, apart from a dead script? */
bool run_group_left(struct run *r);
/* See who has died: sets dead and how; reaps all but the script, which keeps
 * its number until we are through. */
void run_reap(struct run *r);
/* Reap the script. */
void run_bury(struct run *r);

/* A control group of its own, best effort. */
void run_cgroup_make(struct run *r);
void run_cgroup_remove(struct run *r);

/* Write a short text to a file below dir; errno, or 0. */
int run_put(int dir, const char *name, const char *text);

#endif
