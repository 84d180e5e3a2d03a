/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A loop of its own is turned until the script has ended. */
#include "trial.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "buf.h"
#include "clock.h"
#include "job.h"
#include "plugin.h"
#include "plugin_query.h"
#include "xalloc.h"

/* As the settings are when nobody changed them. */
#define SCRIPT_PATH                                                            \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct trial {
	struct trial_opts o;
	struct event_base *base;
	struct event *signals[2];
	struct jobs *jobs;
	struct job *job; /* that which runs */
	struct scripts *scripts;
	char *work, *runner, *run; /* folders; that of the last run */
	unsigned runs;
	bool stopped;
	struct trial_run *result;
	struct buf out, err;
};

/* A signal: end what runs. */
static void
stop(evutil_socket_t sig, short what, void *arg)
{
	struct trial *t = arg;

	(void)sig;
	(void)what;
	t->stopped = true;
	if (t->job != NULL)
		job_cancel(t->job);
}

/* A folder that nobody else can look into. */
static char *
work_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = xasprintf(
	    "%s/xmsg-check-XXXXXX", tmp != NULL && *tmp == '/' ? tmp : "/tmp");

	if (mkdtemp(dir) != NULL)
		return dir;
	free(dir);
	return NULL;
}

/* The loop, signals and runs. */
static int
start(struct trial *t, struct err *e)
{
	static const int signals[] = {SIGINT, SIGTERM};
	struct job_limits l = {.runner = t->runner,
	    .path = SCRIPT_PATH,
	    .max_out = 16 * 1024 * 1024,
	    .max_err = 64 * 1024,
	    .grace_ns = 250 * NS_PER_MS,
	    .term_ns = NS_PER_SEC,
	    .nofile = 4096};

	if (access(t->runner, X_OK) == -1)
		return err_errno(e, "%s", t->runner);
	t->base = event_base_new();
	if (t->base == NULL)
		return err_set(e, 1, "no event loop");
	for (int i = 0; i < 2; i++) {
		t->signals[i] = evsignal_new(t->base, signals[i], stop, t);
		if (t->signals[i] == NULL ||
		    event_add(t->signals[i], NULL) == -1)
			return err_set(e, 1, "no event for a signal");
	}
	t->jobs = jobs_new(t->base, &l, e);
	return t->jobs != NULL ? 0 : -1;
}

struct trial *
trial_new(const struct trial_opts *o, struct err *e)
{
	struct trial *t = xcalloc(1, sizeof *t);

	t->o = *o;
	t->scripts = scripts_new(o->dir);
	t->runner = job_runner(o->runner);
	t->work = work_folder();
	if (t->work == NULL)
		(void)err_errno(e, "cannot make a folder for the runs");
	else if (start(t, e) == 0)
		return t;
	trial_free(t);
	return NULL;
}

/* The last run's folder goes. */
static void
forget_run(struct trial *t)
{
	struct err e;

	if (t->run != NULL)
		(void)job_remove_folder(t->run, &e); /* rmdir below tells */
	free(t->run);
	t->run = NULL;
}

void
trial_free(struct trial *t)
{
	if (t == NULL)
		return;
	forget_run(t);
	if (t->work != NULL)
		(void)rmdir(t->work); /* stays when a run is still ending */
	if (t->jobs != NULL)
		jobs_free(t->jobs);
	for (int i = 0; i < 2; i++)
		if (t->signals[i] != NULL)
			event_free(t->signals[i]);
	if (t->base != NULL)
		event_base_free(t->base);
	scripts_free(t->scripts);
	buf_fini(&t->out);
	buf_fini(&t->err);
	free(t->runner);
	free(t->work);
	free(t);
}

int
trial_trust(struct trial *t, struct err *e)
{
	static const struct trust nobody = {.check = false};

	if (trust_path(t->o.dir, e) == 0)
		return 0;
	trust_set(&nobody);
	return -1;
}

enum trial_found
trial_find(
    struct trial *t, const char *method, const char **path, struct err *e)
{
	switch (scripts_find(t->scripts, method, path, e)) {
	case SCRIPT_OK: return TRIAL_FOUND;
	case SCRIPT_MISSING: return TRIAL_NONE;
	default: return TRIAL_BAD;
	}
}

/* The end of a run in words. */
static void
put_how(struct trial_run *r, const struct job_result *j)
{
	const char *name = j->end == JOB_SIGNAL ? sigabbrev_np(j->code) : NULL;

	r->exited = j->end == JOB_EXIT;
	r->status = j->code;
	switch (j->end) {
	case JOB_EXIT:
		snprintf(r->how, sizeof r->how, "ended with exit status %d",
		    j->code);
		break;
	case JOB_SIGNAL:
		snprintf(
		    r->how, sizeof r->how, "died of SIG%s", name ? name : "?");
		break;
	case JOB_TIMEOUT:
		snprintf(r->how, sizeof r->how, "took longer than %lld s",
		    (long long)(r->took_ns / NS_PER_SEC));
		break;
	case JOB_CANCELLED:
		snprintf(r->how, sizeof r->how, "was interrupted");
		break;
	case JOB_OUTPUT:
		snprintf(r->how, sizeof r->how, "printed more than 16 MiB");
		break;
	default:
		snprintf(r->how, sizeof r->how, "could not be run: %s",
		    strerror(j->code));
	}
}

static void
ran(const struct job_result *j, void *arg)
{
	struct trial *t = arg;
	struct trial_run *r = t->result;

	t->job = NULL;
	buf_add(&t->out, j->out.p, j->out.n);
	buf_add(&t->err, j->err.p, j->err.n);
	r->out = (struct str){t->out.p, t->out.n};
	r->err = (struct str){t->err.p, t->err.n};
	r->took_ns = j->took_ns;
	put_how(r, j);
}

int
trial_run(struct trial *t, const char *method, struct str input,
    struct trial_run *r, struct err *e)
{
	static const char *const argv[] = {"--json", NULL};
	struct job_spec spec = {.argv = argv, .env = t->o.env, .input = input};
	const char *path;

	spec.limit_ns = t->o.limit_ns;
	memset(r, 0, sizeof *r);
	buf_reset(&t->out);
	buf_reset(&t->err);
	if (t->stopped)
		return err_set(e, 1, "interrupted");
	if (trial_find(t, method, &path, e) != TRIAL_FOUND)
		return -1;
	forget_run(t);
	t->run = xasprintf("%s/%u", t->work, t->runs++);
	if (mkdir(t->run, 0700) == -1)
		return err_errno(e, "cannot make %s", t->run);
	spec.dir = t->run;
	spec.script = path;
	t->result = r;
	t->job = job_start(t->jobs, &spec, ran, t);
	while (t->job != NULL && event_base_loop(t->base, EVLOOP_ONCE) == 0)
		;
	return t->stopped ? err_set(e, 1, "interrupted") : 0;
}

bool
trial_stopped(const struct trial *t)
{
	return t->stopped;
}

void
trial_again(struct trial *t)
{
	t->stopped = false;
}

int
trial_version(const char *name, json_t *answer, bool *old, struct err *e)
{
	const char *version = NULL, **features = NULL;
	int rc = plugin_query_read(name, answer, &version, &features, e);

	free(features);
	*old = rc == 0 && strcmp(version, "3.0") == 0;
	return rc;
}
