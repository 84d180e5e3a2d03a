/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One run of one script, once, whatever happens to the adapter.
 *
 * A run is known by its folder and its step in it.  job_start claims the step
 * by making its FIFO; where the step has been claimed before, by this process
 * or by one before it, nothing is started: the run that there is, or its
 * result, is taken up.  The runner, xmsg-run, is a process of its own: it holds
 * the FIFO open while it lives, keeps output and exit record in the folder, and
 * outlives the adapter.
 *
 *     started -> RUNNING -> done (fn called once, from the event loop)
 *     found   -> RUNNING or done
 */
#ifndef XMSG_JOB_H
#define XMSG_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "str.h"

struct event_base;

/* How a run ended. */
enum job_end {
	JOB_EXIT, /* code: exit status */
	JOB_SIGNAL, /* code: signal that it died of, not by us */
	JOB_TIMEOUT, /* time limit passed; the script was ended */
	JOB_CANCELLED, /* job_cancel; the script was ended */
	JOB_OUTPUT, /* more on stdout than allowed (code 0), or than could be
		     * kept (code: errno, ENOSPC); the script was ended */
	JOB_NOEXEC, /* code: errno of exec */
	JOB_LOST, /* the runner vanished, or (code: errno, EBADMSG) its files
		   * cannot be read: outcome unknown; script ended */
	JOB_NOSTART, /* code: errno; nothing was run (no process, full disk;
		      * ECHILD: the runner vanished before it began) */
};

struct job_result {
	enum job_end end;
	int code;
	int64_t start_wall_ns, took_ns; /* 0 when unknown */
	struct str out; /* all of stdout (bounded by max_out) */
	struct str err; /* the last of stderr (bounded by max_err) */
	bool stuck; /* something survived KILL (uninterruptible sleep) */
	char script[256]; /* path, as far as it fits */
};

/* Borrowed: r and what it points to, until fn returns. */
typedef void (*job_done_fn)(const struct job_result *r, void *arg);

/* What all runs share; strings are borrowed while there are jobs. */
struct job_limits {
	const char *runner; /* path of xmsg-run */
	const char *path; /* PATH of scripts */
	const char *cgroup; /* delegated cgroup folder, or NULL */
	int64_t max_out, max_err; /* bytes */
	int64_t grace_ns; /* for end of output, after exit */
	int64_t term_ns; /* between TERM and KILL */
	int64_t nofile; /* RLIMIT_NOFILE */
};

struct job_spec {
	const char *dir; /* folder of the request; exists */
	unsigned step; /* 0, 1, ... */
	const char *script; /* absolute path */
	const char *const *argv; /* behind the path; NULL-terminated */
	const char *const *env; /* NAME=VALUE, added to the clean ones */
	struct str input; /* standard input; never touches a disk */
	int64_t limit_ns; /* of time; 0: none */
};

/* Path of xmsg-run, for free(3): as said, when not NULL, else beside this
 * program, else where it is installed. */
char *job_runner(const char *said);

struct jobs; /* all runs of the process */
struct job;

/* NULL with the reason (libevent out of memory). */
struct jobs *jobs_new(
    struct event_base *base, const struct job_limits *l, struct err *e);
/* Forgets all runs without ending them and without calling anyone.  Not from
 * within a callback. */
void jobs_free(struct jobs *js);

/* How many are running; for limits and listings. */
unsigned jobs_running(const struct jobs *js);

/* Run, or take up.  Never fails and never calls fn before it returns: what
 * could not be started comes as JOB_NOSTART.  spec is borrowed for the call;
 * the job is gone when fn returns. */
struct job *job_start(
    struct jobs *js, const struct job_spec *spec, job_done_fn fn, void *arg);

/* End it: TERM to its process group, KILL after term_ns; then fn as usual. */
void job_cancel(struct job *j);

/* Forget it; the script goes on, fn is not called. */
void job_leave(struct job *j);

/* Process id of the script, 0 when not known (yet). */
pid_t job_pid(const struct job *j);

/* ---- folders without a job, at start and for listings ---- */

/* What a folder says about its newest step. */
struct job_look {
	unsigned steps; /* how many were claimed; 0: none */
	bool running; /* the newest one's runner lives */
	pid_t pid; /* its script, or 0 */
	int64_t start_wall_ns;
	char script[256];
};

/* 0, or -1 with the reason when it cannot be read. */
int job_look(const char *dir, struct job_look *l, struct err *e);

/* End whatever runs in a folder that nobody asks for any more; true when
 * nothing runs there (any more): then it can be removed. */
bool job_end_folder(const char *dir);

/* Remove a folder of finished runs and all in it. */
int job_remove_folder(const char *dir, struct err *e);

#endif
