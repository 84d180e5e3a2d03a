/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the parts of job share; for job*.c only. */
#ifndef XMSG_JOB_INT_H
#define XMSG_JOB_INT_H

#include <errno.h>
#include <stdbool.h>

#include "job.h"
#include "spool.h"

struct nursery;

/* Does anyone hold the FIFO? */
enum job_claim {
	CLAIM_NONE, /* there is no FIFO */
	CLAIM_HELD, /* a runner lives */
	CLAIM_LOOSE, /* made, but nobody holds it (any more) */
	CLAIM_DAMAGED, /* no FIFO, but something else by that name */
};

/* What the files of a step tell, and the writers of its FIFO. */
enum job_fate {
	FATE_FREE, /* never claimed */
	FATE_RUNNING,
	FATE_ENDED, /* start and end are there */
	FATE_LOST, /* start is there; or cannot be known (start.pid is 0) */
	FATE_UNBORN, /* claimed in this boot, but nothing was ever run */
};

/* One step, looked at.  fifo gets a reading end when it is RUNNING, else -1. */
struct job_facts {
	enum job_fate fate;
	struct spool_start start;
	struct spool_end end;
	int fifo;
};

/* For lack of room, which may pass? */
static inline bool
job_passing(int why)
{
	return why == EMFILE || why == ENFILE || why == ENOMEM || why == EINTR;
}

/* Learn the id of this boot: -1 with errno when it cannot be read. */
int job_boot_read(void);
/* It; "" when the system does not tell, or it was not learnt. */
const char *job_boot(void);

/* dir is a descriptor.  -1 with errno when it cannot be told. */
int job_facts(int dir, unsigned step, struct job_facts *f);

/* Claim: 1 when this call made it, 0 when it was there, -1 with errno. */
int job_claim(int dir, unsigned step);

/* The record of a step: true when there is one by this name.  -1 with errno
 * when it cannot be read or is damaged (EBADMSG), else 0 or 1. */
int job_record(int dir, unsigned step, enum spool_file which,
    struct spool_start *s, struct spool_end *e);

/* Start the runner on a claimed step, in the nursery or by exec: 0, or -1 with
 * errno.  Its FIFO is held by then.  *pid: our child, or 0. */
int job_spawn(int dir, struct nursery *n, const struct job_limits *l,
    const struct job_spec *spec, pid_t *pid);

/* A process with all signals blocked, descriptor 3, and 0 unless in is -1;
 * both are above 3.  0, or errno. */
int job_exec(pid_t *pid, const char *const *argv, int in, int fd3);

/* A copy of fd at 10 or above, in its place; -1 with errno. */
int job_above(int fd);

/* The nursery, from which runners are forked.  runner is borrowed.  Waits a
 * moment until it is ready; a nursery that is not is no failure. */
struct nursery *nursery_new(const char *runner);
/* What was passed is begun still. */
void nursery_free(struct nursery *n);
/* Pass a runner on, with its claim and standard input: true when it is its
 * matter from here on, false when nothing has happened.  Does not block. */
bool nursery_pass(
    struct nursery *n, const char *const *argv, int claim, int in);
/* A child of ours that was a nursery and is not reaped, or 0; told once. */
pid_t nursery_left(struct nursery *n);

/* TERM to a runner that is not our child; false: not now, or gone. */
bool job_term_runner(const struct spool_start *s);

/* KILL what is left of a script whose runner is gone; how many processes were
 * still there. */
unsigned job_kill_script(const struct spool_start *s);

/* Fill r's output from the files; owned by r until job_output_free. */
struct job_output {
	struct str out, err;
};
int job_output(int dir, unsigned step, const struct spool_end *e,
    int64_t max_out, int64_t max_err, struct job_output *o);
void job_output_free(struct job_output *o);

#endif
