/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Runs as seen by the event loop.  A run that lives is one descriptor, the
 * reading end of its FIFO, which ends when its runner does; all else is in its
 * files (spool.h) and is read when it is wanted.
 *
 *     WAITING --end of FIFO--> what do the files say?
 *                                ended, or never begun --> TELLING
 *                                lost --> ENDING --script gone--> TELLING
 *     TELLING --next turn of the loop--> fn --> TOLD --> freed
 */
#include "job.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "job_int.h"
#include "whole.h"
#include "xalloc.h"

/* How often a lost script is killed anew, and for how long. */
#define LOST_TICK_MS 10
#define LOST_TICKS   100
/* How often a runner is asked to cancel that is not ready for it. */
#define CANCEL_TICK_MS 10
/* How often files are looked at again that could not be for lack of room. */
#define RETRY_MS 100
/* How often children that end on their own are reaped. */
#define REAP_MS 100

enum state { WAITING, ENDING, TELLING, TOLD };

struct job {
	struct jobs *js;
	LIST_ENTRY(job) link;
	job_done_fn fn;
	void *arg;
	struct event *fifo; /* has the descriptor; NULL when there is none */
	struct event *timer;
	enum state state;
	char *path; /* of the folder */
	int dir; /* the same, open while it is needed, else -1 */
	unsigned step;
	pid_t runner; /* our child, not reaped; else 0 */
	int refused; /* errno: why there is no run, as the runner told */
	bool cancel;
	unsigned ticks; /* of ENDING */
	struct spool_start start;
	struct job_result result;
	struct spool_end end;
	bool has_output;
};

struct jobs {
	struct event_base *base;
	struct job_limits limits;
	LIST_HEAD(job_list, job) all;
	unsigned running;
	pid_t *left; /* children nobody waits for */
	size_t n_left;
	struct event *reaper;
	struct nursery *nursery;
};

/* So many milliseconds. */
static const struct timeval *
ms(int n)
{
	static struct timeval tv;

	tv = (struct timeval){n / 1000, n % 1000 * 1000};
	return &tv;
}

/* Reap those that are gone, come back for the others. */
static void
reap(evutil_socket_t fd, short what, void *arg)
{
	struct jobs *js = arg;
	size_t i, n = 0;

	(void)fd;
	(void)what;
	for (i = 0; i < js->n_left; i++)
		if (waitpid(js->left[i], NULL, WNOHANG) == 0)
			js->left[n++] = js->left[i];
	js->n_left = n;
	if (n > 0)
		evtimer_add(js->reaper, ms(REAP_MS));
}

/* A child that may still be there. */
static void
leave_child(struct jobs *js, pid_t pid)
{
	if (pid == 0 || waitpid(pid, NULL, WNOHANG) != 0)
		return;
	js->left = xreallocarray(js->left, js->n_left + 1, sizeof *js->left);
	js->left[js->n_left++] = pid;
	evtimer_add(js->reaper, ms(REAP_MS));
}

/* All runs of the process. */
struct jobs *
jobs_new(struct event_base *base, const struct job_limits *l, struct err *e)
{
	struct jobs *js = xcalloc(1, sizeof *js);

	js->base = base;
	js->limits = *l;
	LIST_INIT(&js->all);
	if (job_boot_read() == -1) {
		err_errno(e, "cannot read the id of this boot");
		free(js);
		return NULL;
	}
	js->reaper = evtimer_new(base, reap, js);
	if (js->reaper == NULL) {
		free(js);
		err_set(e, ENOMEM, "no memory for events");
		return NULL;
	}
	js->nursery = nursery_new(l->runner);
	return js;
}

/* Stop waiting for the FIFO. */
static void
close_fifo(struct job *j)
{
	int fd;

	if (j->fifo == NULL)
		return;
	fd = event_get_fd(j->fifo);
	event_free(j->fifo);
	close(fd);
	j->fifo = NULL;
}

/* Open the folder. */
static int
open_dir(struct job *j)
{
	if (j->dir == -1)
		j->dir = whole_open(AT_FDCWD, j->path,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
	return j->dir;
}

/* Close it: a run that lives costs one descriptor. */
static void
close_dir(struct job *j)
{
	if (j->dir != -1)
		close(j->dir);
	j->dir = -1;
}

/* Forget it. */
static void
job_free(struct job *j)
{
	close_fifo(j);
	event_free(j->timer);
	close_dir(j);
	leave_child(j->js, j->runner);
	free(j->path);
	free(j);
}

/* All of them. */
void
jobs_free(struct jobs *js)
{
	struct job *j;

	if (js == NULL)
		return;
	while ((j = LIST_FIRST(&js->all)) != NULL) {
		LIST_REMOVE(j, link);
		job_free(j);
	}
	nursery_free(js->nursery);
	event_free(js->reaper);
	free(js->left);
	free(js);
}

/* How many run. */
unsigned
jobs_running(const struct jobs *js)
{
	return js->running;
}

/* The outcome is known; it is told in the next turn. */
static void
tell(struct job *j, enum job_end end, int code)
{
	close_fifo(j);
	j->result.end = end;
	j->result.code = code;
	j->state = TELLING;
	evtimer_add(j->timer, ms(0));
}

/* What the record says about the beginning. */
static void
take_start(struct job *j, const struct spool_start *s)
{
	if (s->pid == 0)
		return;
	j->start = *s;
	j->result.start_wall_ns = s->wall_ns;
	memcpy(j->result.script, s->script, sizeof j->result.script);
}

/* The runner is gone and nothing was run: it has told why, or its exit status
 * is the reason. */
static void
unborn(struct job *j)
{
	int status, code = j->refused != 0 ? j->refused : ECHILD;

	/* it holds the FIFO no more, so it is about to be gone */
	if (j->runner != 0 && waitpid(j->runner, &status, 0) == j->runner &&
	    WIFEXITED(status) && WEXITSTATUS(status) != 0)
		code = WEXITSTATUS(status) == 127 ? ENOENT /* no such program */
						  : WEXITSTATUS(status);
	j->runner = 0;
	if (j->cancel)
		tell(j, JOB_CANCELLED, 0);
	else
		tell(j, JOB_NOSTART, code);
}

/* Kill what a runner has left behind; told when it is gone. */
static void
end_lost(struct job *j)
{
	bool left = job_kill_script(&j->start) > 0;

	j->state = ENDING;
	if (left && j->ticks++ < LOST_TICKS) {
		evtimer_add(j->timer, ms(LOST_TICK_MS));
		return;
	}
	j->result.stuck = left;
	tell(j, JOB_LOST, 0);
}

/* The runner has told the end. */
static void
ended(struct job *j, const struct spool_end *e)
{
	j->end = *e;
	j->has_output = true;
	j->result.took_ns = e->took_ns;
	j->result.stuck = e->stuck;
	tell(j, e->end, e->code);
}

/* The folder, and what is in it. */
static int
look(struct job *j, struct job_facts *f)
{
	return open_dir(j) == -1 ? -1 : job_facts(j->dir, j->step, f);
}

/* It could not be looked at: for now, or at all. */
static void
blind(struct job *j, int why)
{
	if (job_passing(why))
		evtimer_add(j->timer, ms(RETRY_MS));
	else
		tell(j, JOB_LOST, why);
}

static void wait_fifo(struct job *j, int fd);

/* What has become of it?  Nobody held the FIFO a moment ago. */
static void
settle(struct job *j)
{
	struct job_facts f;

	close_fifo(j);
	if (look(j, &f) == -1) {
		blind(j, errno);
		return;
	}
	take_start(j, &f.start);
	switch (f.fate) {
	case FATE_RUNNING: wait_fifo(j, f.fifo); break;
	case FATE_ENDED: ended(j, &f.end); break;
	case FATE_UNBORN: unborn(j); break;
	case FATE_FREE: /* the files were taken away */
	case FATE_LOST: end_lost(j); break;
	}
}

/* The end of the FIFO, or a byte in it: an errno. */
static void
on_fifo(evutil_socket_t fd, short what, void *arg)
{
	struct job *j = arg;
	unsigned char why;
	ssize_t n = read(fd, &why, 1);

	(void)what;
	if (n == 0) {
		settle(j);
		return;
	}
	if (n == 1)
		j->refused = why;
	event_add(j->fifo, NULL);
}

/* Wait until nobody holds it; fd is ours from here on. */
static void
wait_fifo(struct job *j, int fd)
{
	j->fifo = event_new(j->js->base, fd, EV_READ, on_fifo, j);
	if (j->fifo == NULL) {
		close(fd);
		blind(j, ENOMEM);
	} else if (event_add(j->fifo, NULL) == -1) {
		close_fifo(j);
		blind(j, ENOMEM);
	}
	close_dir(j);
}

/* The record of a run under way, when it is there. */
static void
read_start(struct job *j)
{
	struct spool_start s;

	if (j->start.pid == 0 && open_dir(j) != -1 &&
	    job_record(j->dir, j->step, SPOOL_PID, &s, NULL) == 1)
		take_start(j, &s);
	close_dir(j);
}

/* Ask the runner to end it. */
static void
cancel(struct job *j)
{
	if (j->state != WAITING)
		return;
	if (j->runner != 0) {
		(void)kill(j->runner, SIGTERM);
		return;
	}
	read_start(j);
	if (j->start.pid != 0 && job_term_runner(&j->start))
		return;
	/* not begun yet, or just over: the FIFO tells */
	evtimer_add(j->timer, ms(CANCEL_TICK_MS));
}

/* Get the output that there is; -1 when it has to wait. */
static int
collect(struct job *j, struct job_output *o)
{
	const struct job_limits *l = &j->js->limits;
	struct job_result *r = &j->result;
	int rc;

	memset(o, 0, sizeof *o);
	if (!j->has_output && r->end != JOB_LOST)
		return 0;
	rc = open_dir(j) == -1
	    ? -1
	    : job_output(j->dir, j->step, &j->end, l->max_out, l->max_err, o);
	close_dir(j);
	if (rc == -1 && j->has_output) {
		if (job_passing(errno)) {
			job_output_free(o);
			return -1;
		}
		r->end = JOB_LOST;
		r->code = errno;
	}
	return 0;
}

/* Call back with everything, then forget it. */
static void
done(struct job *j)
{
	struct job_output o;

	if (collect(j, &o) == -1) {
		evtimer_add(j->timer, ms(RETRY_MS));
		return;
	}
	j->state = TOLD;
	j->js->running--;
	LIST_REMOVE(j, link);
	j->result.out = o.out;
	j->result.err = o.err;
	j->fn(&j->result, j->arg);
	job_output_free(&o);
	job_free(j);
}

/* What could not be done before. */
static void
again(struct job *j)
{
	if (j->fifo == NULL)
		settle(j);
	if (j->cancel)
		cancel(j);
}

/* One timer for all purposes. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct job *j = arg;

	(void)fd;
	(void)what;
	switch (j->state) {
	case WAITING: again(j); break;
	case ENDING: end_lost(j); break;
	case TELLING: done(j); break;
	case TOLD: break;
	}
}

/* Start the runner; our own reading end, opened before, keeps its opening of
 * the FIFO from failing and cannot miss its end. */
static void
begin(struct job *j, const struct job_spec *spec)
{
	char name[SPOOL_NAME];
	struct jobs *js = j->js;
	int fd, rc;

	fd = whole_open(j->dir, spool_name(name, j->step, SPOOL_RUN),
	    O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0);
	rc = fd == -1
	    ? -1
	    : job_spawn(j->dir, js->nursery, &js->limits, spec, &j->runner);
	if (rc == -1) {
		tell(j, JOB_NOSTART, errno);
		if (fd != -1)
			close(fd);
	} else {
		wait_fifo(j, fd);
	}
	leave_child(js, nursery_left(js->nursery));
}

/* Could there be a run, for all that can be seen without a descriptor? */
static bool
maybe_claimed(const struct job *j)
{
	char path[4200], name[SPOOL_NAME];
	int saved = errno;
	bool maybe = false;
	enum spool_file f;

	for (f = SPOOL_BOOT; f <= SPOOL_RUN; f++) {
		snprintf(path, sizeof path, "%s/%s", j->path,
		    spool_name(name, j->step, f));
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
		    (errno != ENOENT && errno != ENOTDIR))
			maybe = true;
	}
	errno = saved;
	return maybe;
}

/* Look, and claim what is free: 0, or -1 when the outcome is told already. */
static int
look_and_claim(struct job *j, struct job_facts *f)
{
	int made = 0, rc = look(j, f);

	if (rc == 0 && f->fate == FATE_FREE) {
		made = job_claim(j->dir, j->step);
		if (made == 0) /* another one was faster */
			rc = look(j, f);
	}
	if (made == -1 || (rc == -1 && !maybe_claimed(j)))
		tell(j, JOB_NOSTART, errno);
	else if (rc == -1)
		blind(j, errno);
	return made == -1 ? -1 : rc;
}

/* Run it, or take up what there is. */
static void
claim(struct job *j, const struct job_spec *spec)
{
	struct job_facts f;

	if (look_and_claim(j, &f) == -1)
		return;
	take_start(j, &f.start);
	switch (f.fate) {
	case FATE_FREE: /* ours now */
	case FATE_UNBORN: begin(j, spec); break;
	case FATE_RUNNING: wait_fifo(j, f.fifo); break;
	case FATE_ENDED: ended(j, &f.end); break;
	case FATE_LOST: end_lost(j); break;
	}
}

/* Run, or take up. */
struct job *
job_start(
    struct jobs *js, const struct job_spec *spec, job_done_fn fn, void *arg)
{
	struct job *j = xcalloc(1, sizeof *j);

	j->js = js;
	j->fn = fn;
	j->arg = arg;
	j->path = xstrdup(spec->dir);
	j->dir = -1;
	j->step = spec->step;
	strncpy(j->result.script, spec->script, sizeof j->result.script - 1);
	j->timer = evtimer_new(js->base, on_timer, j);
	if (j->timer == NULL)
		xnomem(sizeof j->timer);
	LIST_INSERT_HEAD(&js->all, j, link);
	js->running++;
	claim(j, spec);
	return j;
}

/* Ask once; the machine does the rest. */
void
job_cancel(struct job *j)
{
	j->cancel = true;
	cancel(j);
}

/* The script goes on. */
void
job_leave(struct job *j)
{
	if (j->state == TOLD)
		return;
	j->js->running--;
	LIST_REMOVE(j, link);
	job_free(j);
}

/* From the record, which is there once the script has begun. */
pid_t
job_pid(const struct job *j)
{
	if (j->state == WAITING)
		read_start((struct job *)j); /* remembers, changes nothing */
	return j->start.pid;
}
