/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The life of a script, from its start to the facts about its end. */
#include "run.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* After KILL the answer waits this long for everyone to be gone. */
#define KILL_NS NS_PER_SEC
/* How often the killed are counted: not all of them are our children. */
#define KILL_TICK_NS (2 * NS_PER_MS)

/* A moment so far from now; 0: never. */
static int64_t
after(int64_t ns)
{
	int64_t now = clock_mono_ns();

	return ns < INT64_MAX - now ? now + ns : 0;
}

/* Begin to end the script, for this reason. */
static void
begin_end(struct run *r, enum job_end why)
{
	r->end.end = why;
	r->end.code = why == JOB_OUTPUT ? r->out.error : 0;
	r->phase = RUN_TERM;
	r->deadline_ns = after(r->o.term_ns);
	run_term(r);
}

/* Has the moment come? */
static bool
passed(const struct run *r)
{
	return r->deadline_ns != 0 && clock_mono_ns() >= r->deadline_ns;
}

/* RUN: what happens first decides; the script's own end before all. */
static void
turn_run(struct run *r)
{
	if (r->dead) {
		r->end.took_ns = clock_mono_ns() - r->began_ns;
		r->phase = RUN_GRACE;
		r->deadline_ns = after(r->o.grace_ns);
	} else if (r->too_much) {
		begin_end(r, JOB_OUTPUT);
	} else if (r->cancelled) {
		begin_end(r, JOB_CANCELLED);
	} else if (passed(r)) {
		begin_end(r, JOB_TIMEOUT);
	}
}

/* GRACE: the script is gone; others may still hold its output, and may keep
 * it: they are left alone. */
static void
turn_grace(struct run *r)
{
	if (!r->too_much && passed(r))
		run_drain(r);
	if (r->too_much)
		begin_end(r, JOB_OUTPUT);
	else if (passed(r) || (r->out.pipe == -1 && r->err.pipe == -1))
		r->phase = RUN_OVER;
}

/* TERM: until the group is gone, or has had its time. */
static void
turn_term(struct run *r)
{
	if (!passed(r) && (!r->dead || run_group_left(r)))
		return;
	r->phase = RUN_KILL;
	r->deadline_ns = after(KILL_NS);
}

/* KILL: until nobody is left, or somebody cannot be killed. */
static void
turn_kill(struct run *r)
{
	unsigned left = run_kill(r);

	if (left > 0 && !passed(r))
		return;
	r->end.stuck = left > 0;
	run_drain(r);
	r->phase = RUN_OVER;
}

/* One step of the machine; true while something changes. */
static bool
turn(struct run *r)
{
	enum run_phase before = r->phase;

	switch (before) {
	case RUN_RUN: turn_run(r); break;
	case RUN_GRACE: turn_grace(r); break;
	case RUN_TERM: turn_term(r); break;
	case RUN_KILL: turn_kill(r); break;
	case RUN_OVER: break;
	}
	return r->phase != before;
}

/* Until something is to be read, or the moment comes. */
static void
sleep_until(struct run *r)
{
	struct pollfd p[3] = {{r->signals, POLLIN, 0}, {r->out.pipe, POLLIN, 0},
	    {r->err.pipe, POLLIN, 0}};
	int64_t ns = r->deadline_ns - clock_mono_ns();
	struct timespec ts;

	if (ns < 0)
		ns = 0;
	if (r->phase == RUN_KILL && ns > KILL_TICK_NS)
		ns = KILL_TICK_NS;
	ts.tv_sec = ns / NS_PER_SEC;
	ts.tv_nsec = ns % NS_PER_SEC;
	(void)ppoll(p, 3,
	    r->deadline_ns == 0 && r->phase != RUN_KILL ? NULL : &ts, NULL);
}

/* What the signals say. */
static void
take_signals(struct run *r)
{
	struct signalfd_siginfo si;

	while (read(r->signals, &si, sizeof si) == (ssize_t)sizeof si)
		if (si.ssi_signo != SIGCHLD)
			r->cancelled = true;
	run_reap(r);
}

/* The whole life. */
void
run_watch(struct run *r)
{
	if (r->error != 0) { /* it never became the script */
		r->end.end = JOB_NOEXEC;
		r->end.code = r->error;
		return;
	}
	r->deadline_ns = r->o.time_ns > 0 ? after(r->o.time_ns) : 0;
	while (r->phase != RUN_OVER) {
		sleep_until(r);
		take_signals(r);
		run_copy(r);
		while (turn(r))
			;
	}
	if (r->end.took_ns == 0)
		r->end.took_ns = clock_mono_ns() - r->began_ns;
	run_bury(r);
}
