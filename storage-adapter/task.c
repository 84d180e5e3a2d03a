/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One request from its turn to its durable reply.
 *
 * Why no script runs twice: a script is claimed in the request's folder by its
 * number (job.h), the folder goes only when the reply is durable or the message
 * is gone, and a repeated call asks for the same scripts in the same order
 * (call.h), since all that it learnt from elsewhere is in the memo, which is
 * written before the script that follows is claimed.
 */
#include "task.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "call.h"
#include "clock.h"
#include "ctx.h"
#include "idlval.h"
#include "job.h"
#include "log.h"
#include "observer.h"
#include "plugin.h"
#include "poison.h"
#include "record.h"
#include "redact.h"
#include "service.h"
#include "whole.h"
#include "world.h"
#include "xalloc.h"

#define RETRY_NS NS_PER_SEC /* when there was no memory for a reply */

static void advance(struct task *t, enum call_state state);

char *
task_folder(const struct ctx *ctx, const char *queue, int64_t id)
{
	return xasprintf("%s/%s/%lld", ctx->spool, queue, (long long)id);
}

/* ---- the folder and the memo ---- */

/* Write the memo where it is found again.  -1 with the reason. */
static int
memo_write(struct task *t, struct err *e)
{
	char *text = json_dumps(t->memo, JSON_COMPACT), *tmp, *path;
	int fd, rc = -1;

	tmp = xasprintf("%s/call.new", t->dir);
	path = xasprintf("%s/call", t->dir);
	fd = whole_open(
	    AT_FDCWD, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || whole_write(fd, text, strlen(text)) == -1 ||
	    rename(tmp, path) == -1)
		err_errno(e, "cannot write %s", path);
	else
		rc = 0;
	if (fd != -1)
		close(fd);
	free(path);
	free(tmp);
	free(text);
	if (rc == 0)
		t->memo_dirty = false;
	return rc;
}

/* What it says; NULL with 0 in *why when there is none, or none that makes
 * sense, else with the error that kept it from us. */
static json_t *
memo_load(const char *dir, int *why)
{
	char *path = xasprintf("%s/call", dir), *text = NULL;
	int fd = whole_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	json_t *memo = NULL;
	ssize_t n = -1;
	struct stat st;

	free(path);
	if (fd != -1 && fstat(fd, &st) == 0) {
		text = xmalloc((size_t)st.st_size);
		n = whole_read(fd, text, (size_t)st.st_size);
	}
	*why = n == -1 && errno != ENOENT ? errno : 0;
	if (fd != -1)
		close(fd);
	if (n > 0)
		memo = json_loadb(text, (size_t)n, JSON_ALLOW_NUL, NULL);
	free(text);
	return memo;
}

/* Take up the folder of a process before this one, if there is one. */
static void
memo_read(struct task *t)
{
	char *dir = task_folder(t->ctx, t->sv->queue, t->id);
	json_t *memo = memo_load(dir, &t->unread);
	const char *boot = json_string_value(json_object_get(memo, "boot"));

	if (boot == NULL) {
		/* no memo, so no script was claimed */
		json_decref(memo);
		free(dir);
		return;
	}
	json_decref(t->memo);
	t->memo = memo;
	t->dir = dir;
	t->repeated = true;
	t->rebooted = strcmp(boot, t->ctx->boot) != 0;
	t->began_wall_ns = json_integer_value(json_object_get(memo, "began"));
}

/* A folder of another boot whose scripts may run again: begin afresh, with what
 * the call has learnt. */
static void
memo_drop(struct task *t)
{
	struct err e;

	if (job_remove_folder(t->dir, &e) == -1) {
		log_error("spool", "%s", e.text);
		return; /* still marked as rebooted: answered as unknown */
	}
	free(t->dir);
	t->dir = NULL;
	t->rebooted = false;
	t->began_wall_ns = clock_wall_ns();
}

/* Folder and memo are on disk when this returns 0. */
static int
memo_ready(struct task *t, struct err *e)
{
	if (t->dir == NULL) {
		t->dir = task_folder(t->ctx, t->sv->queue, t->id);
		if (mkdir(t->dir, 0700) == -1 && errno != EEXIST) {
			err_errno(e, "cannot make %s", t->dir);
			free(t->dir);
			t->dir = NULL;
			return -1;
		}
		json_object_set_new(t->memo, "boot", json_string(t->ctx->boot));
		json_object_set_new(
		    t->memo, "began", json_integer(t->began_wall_ns));
		json_object_set_new(
		    t->memo, "method", json_string(call_method(t->call)));
		t->memo_dirty = true;
	}
	return t->memo_dirty ? memo_write(t, e) : 0;
}

/* ---- the end ---- */

/* Free everything; the folder stays or has been seen to. */
static void
task_free(struct task *t)
{
	struct service *sv = t->sv;

	turns_remove(t->ctx->turns, &t->turn);
	TAILQ_REMOVE(&sv->tasks, t, entry);
	if (t->pause != NULL)
		event_free(t->pause);
	call_free(t->call);
	json_decref(t->memo);
	buf_fini(&t->scripts);
	free(t->script);
	free(t->dir);
	free(t);
	service_task_gone(sv);
}

/* Nobody asks for its scripts any more. */
static void
clear_folder(struct task *t)
{
	struct err e;

	if (t->dir == NULL)
		return;
	if (!job_end_folder(t->dir))
		return; /* something is still ending: the sweep sees to it */
	if (job_remove_folder(t->dir, &e) == -1)
		log_warn("spool", "%s", e.text);
}

/* Into the record and, when it failed, the log. */
static void
keep_record(struct task *t)
{
	const char *text = NULL, *error = call_error(t->call, &text);
	char said[1024];
	size_t n;

	buf_addc(&t->scripts, '\0');
	t->ctx->calls++;
	t->sv->calls++;
	record_put(t->ctx->record,
	    &(struct record_call){.queue = t->sv->queue,
		.id = t->id,
		.method = call_method(t->call),
		.sr = call_sr(t->call),
		.took_ns = clock_mono_ns() - t->came_ns,
		.error = error,
		.text = text,
		.scripts = buf_ok(&t->scripts) ? t->scripts.p : "",
		.repeated = t->repeated});
	if (error == NULL)
		return;
	t->ctx->failed++;
	t->sv->failed++;
	n = redact(said, sizeof said, str_of(text));
	log_warn("call", "%s:%lld %s failed: %s: %.*s", t->sv->queue,
	    (long long)t->id, call_method(t->call), error, (int)n, said);
}

/* ---- the reply ---- */

static void reply(struct task *t);

static void
reply_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	reply(arg);
}

/* Pause; fn is called with the task. */
static void
pause_for(struct task *t, int64_t ns, event_callback_fn fn)
{
	struct timeval tv = {ns / NS_PER_SEC, ns % NS_PER_SEC / 1000};

	if (t->pause != NULL)
		event_free(t->pause);
	t->pause = evtimer_new(t->ctx->base, fn, t);
	if (t->pause == NULL || evtimer_add(t->pause, &tv) == -1)
		log_error("call", "%s:%lld: no timer: out of memory",
		    t->sv->queue, (long long)t->id);
}

/* The reply is durable, or will never be wanted. */
static void
finish(struct task *t)
{
	poison_forget(t->ctx->poison, t->sv->queue, t->id);
	clear_folder(t);
	task_free(t);
}

/* The broker's answer to the second try, through /v1. */
static void
replied_v1(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct task *t = arg;

	if (r->rc == XMSG_ECANCELED)
		return;
	if (r->rc != XMSG_OK || r->status != 200)
		log_error("call", "%s:%lld: cannot be answered: %s",
		    t->sv->queue, (long long)t->id,
		    r->rc != XMSG_OK ? xmsg_error(x) : "refused again");
	finish(t);
}

/* Our reply was refused, and the message is still there: say so to the caller
 * in few words. */
static void
reply_small(struct task *t, const char *why)
{
	char *text = xasprintf("the reply (%zu bytes) was refused: %s",
		 call_reply(t->call).n, why),
	     *queue = xmsg_encode(t->sv->queue), *target;
	struct xmsg_op *op = NULL;
	struct str s;

	call_fail(t->call, "Internal_error", text);
	s = call_reply(t->call);
	if (queue != NULL) {
		target = xasprintf("/v1/queues/%s/messages/%lld/reply", queue,
		    (long long)t->id);
		op = xmsg_http_start(t->ctx->x, "POST", target,
		    (struct xmsg_bytes){s.p, s.n}, -1, replied_v1, t);
		free(target);
	}
	log_error("call", "%s:%lld %s: %s", t->sv->queue, (long long)t->id,
	    call_method(t->call), text);
	free(queue);
	free(text);
	if (op == NULL)
		finish(t);
}

static void
replied(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct task *t = arg;

	switch (r->rc) {
	case XMSG_ECANCELED: /* we end; it is left to the next process */
		return;
	case XMSG_ELIMIT:
	case XMSG_EREFUSED:
	case XMSG_EDENIED: reply_small(t, xmsg_error(x)); return;
	case XMSG_OK:
	case XMSG_ENOENT: /* somebody removed the request meanwhile */
	case XMSG_ENOQUEUE: /* nobody waits for the reply any more */ break;
	default:
		log_error("call", "%s:%lld: reply: %s", t->sv->queue,
		    (long long)t->id, xmsg_error(x));
	}
	finish(t);
}

static void
reply(struct task *t)
{
	struct str s = call_reply(t->call);

	t->state = TASK_REPLYING;
	turns_remove(t->ctx->turns, &t->turn);
	if (xmsg_reply(t->req, (struct xmsg_bytes){s.p, s.n}, replied, t) !=
	    XMSG_OK) {
		log_error("call", "%s:%lld: reply: %s", t->sv->queue,
		    (long long)t->id, xmsg_error(t->ctx->x));
		pause_for(t, RETRY_NS, reply_again);
	}
}

/* ---- scripts ---- */

/* Words for the record: "SR.attach 12.3ms exit 1". */
static void
note_run(struct task *t, const struct job_result *r)
{
	static const char *const ends[] = {
	    [JOB_EXIT] = "exit",
	    [JOB_SIGNAL] = "signal",
	    [JOB_TIMEOUT] = "time limit",
	    [JOB_CANCELLED] = "cancelled",
	    [JOB_OUTPUT] = "too much output",
	    [JOB_NOEXEC] = "cannot be executed",
	    [JOB_LOST] = "lost",
	    [JOB_NOSTART] = "not started",
	};
	const char *name = strrchr(t->script, '/');

	buf_addf(&t->scripts, "%s%s %.1fms", t->scripts.n ? ", " : "",
	    name ? name + 1 : t->script, (double)r->took_ns / 1e6);
	if (r->end != JOB_EXIT || r->code != 0)
		buf_addf(&t->scripts, " %s", ends[r->end]);
	if (r->end <= JOB_SIGNAL && r->code != 0)
		buf_addf(&t->scripts, " %d", r->code);
}

/* A script has ended. */
static void
ran(const struct job_result *r, void *arg)
{
	struct task *t = arg;
	struct call_ran told = {
	    .found = CALL_FOUND, .path = t->script, .result = r};
	enum call_state state;
	/* a runner that vanished before it began has run nothing (job.h) */
	bool never = r->end == JOB_NOSTART && r->code == ECHILD,
	     again = !t->again && !t->cancelled &&
	    (never || (r->end == JOB_LOST && call_idempotent(t->call)));

	poison_enter(t->ctx->poison, t->sv->queue, t->id);
	t->job = NULL;
	note_run(t, r);
	if (t->cancelled) {
		poison_leave(t->ctx->poison);
		call_fail(t->call, "Cancelled", "at the switch");
		keep_record(t);
		(void)xmsg_discard(t->req); /* it is gone at the broker */
		finish(t);
		return;
	}
	if (again) {
		/* run it again, once, under a number of its own */
		t->again = true;
		state = CALL_RUN;
	} else {
		t->again = false;
		state = call_resume(t->call, &told);
	}
	advance(t, state);
	poison_leave(t->ctx->poison);
}

/* Where the script of the call is; tells the call when there is none. */
static enum script_rc
locate(struct task *t, const struct call_script *cs, const char **path,
    struct err *e)
{
	struct plugin *p = cs->datapath
	    ? plugins_find(t->ctx->plugins, PLUGIN_DATAPATH, cs->datapath)
	    : t->sv->plugin;

	free(t->script);
	t->script = NULL;
	if (p == NULL) {
		*path = cs->method->name;
		err_set(e, ENOENT, "its plugin is gone");
		return SCRIPT_NO_DIR;
	}
	return scripts_find(p->scripts, cs->method->name, path, e);
}

static enum call_found
found(enum script_rc rc)
{
	switch (rc) {
	case SCRIPT_OK: return CALL_FOUND;
	case SCRIPT_MISSING: return CALL_MISSING;
	case SCRIPT_NOT_EXECUTABLE:
	case SCRIPT_UNTRUSTED: return CALL_NOT_EXECUTABLE;
	default: return CALL_NO_DIR;
	}
}

/* Run it, by the interpreter that traces when one is asked for. */
static void
launch(struct task *t, const struct call_script *cs)
{
	static const char *const plain[] = {"--json", NULL};
	struct traced tr;
	char *input = json_dumps(cs->params, JSON_COMPACT);
	struct job_spec spec = {.dir = t->dir,
	    .step = t->step++,
	    .script = t->script,
	    .argv = plain,
	    .env = (const char *const *)t->ctx->env,
	    .input = str_of(input),
	    .limit_ns = asettings_time(t->ctx->set, cs->method->name)};

	if (observer_trace(t->ctx->observer, call_traceparent(t->call),
		t->script, t->ctx->env, &tr)) {
		spec.script = tr.program;
		spec.argv = tr.argv;
		spec.env = tr.env;
	}
	log_debug("script", "%s:%lld runs %s", t->sv->queue, (long long)t->id,
	    t->script);
	t->job = job_start(t->ctx->jobs, &spec, ran, t);
	free(input);
	observer_traced(&tr);
}

/* The script that the call wants; what the call wants next when it cannot be
 * run, CALL_RUN when it was started. */
static enum call_state
run_script(struct task *t, bool *started)
{
	const struct call_script *cs = call_script(t->call);
	struct job_result none = {.end = JOB_NOSTART, .code = EIO};
	struct call_ran told = {.result = &none};
	const char *path = NULL;
	struct err e = {0};

	*started = false;
	told.found = found(locate(t, cs, &path, &e));
	told.path = path;
	told.why = e.text;
	if (told.found == CALL_FOUND && t->rebooted) {
		none.end = JOB_LOST;
		told.rebooted = true;
	} else if (told.found == CALL_FOUND && memo_ready(t, &e) == -1) {
		log_error("spool", "%s", e.text);
		none.code = e.code;
	} else if (told.found == CALL_FOUND) {
		t->script = xstrdup(path);
		launch(t, cs);
		*started = true;
		return CALL_RUN;
	} else {
		log_warn("script", "%s: %s", path, e.text);
	}
	return call_resume(t->call, &told);
}

static void
go_on(evutil_socket_t fd, short what, void *arg)
{
	struct task *t = arg;

	(void)fd;
	(void)what;
	poison_enter(t->ctx->poison, t->sv->queue, t->id);
	advance(t, call_go(t->call));
	poison_leave(t->ctx->poison);
}

/* Do what the call wants until it has to wait. */
static void
advance(struct task *t, enum call_state state)
{
	bool started;

	while (state == CALL_RUN) {
		state = run_script(t, &started);
		if (started)
			return;
	}
	if (state == CALL_WAIT) {
		pause_for(t, call_wait_ns(t->call), go_on);
		return;
	}
	keep_record(t);
	reply(t);
}

/* ---- its life ---- */

struct task *
task_new(struct ctx *ctx, struct service *sv, struct xmsg_request *req)
{
	const struct xmsg_message *m = xmsg_request_message(req);
	struct task *t = xcalloc(1, sizeof *t);
	struct call_world w;

	t->ctx = ctx;
	t->sv = sv;
	t->req = req;
	t->id = m->id;
	t->came_ns = t->asked_ns = clock_mono_ns();
	t->began_wall_ns = clock_wall_ns();
	t->memo = json_object();
	buf_init(&t->scripts);
	memo_read(t); /* before the call asks for anything */
	w = world_of(t);
	t->call = call_new(&w, (struct str){m->payload.p, m->payload.n});
	TAILQ_INSERT_TAIL(&sv->tasks, t, entry);
	sv->n_tasks++;
	turns_add(ctx->turns, &t->turn, sv->queue,
	    ctx->set->concurrent ? call_sr(t->call) : "");
	return t;
}

/* Its scripts may have been run by an adapter before us. */
static void
refuse_unread(struct task *t)
{
	char *why = xasprintf("what is known of this call cannot be read (%s):"
			      " its outcome is unknown",
	    strerror(t->unread));

	task_refuse(t, why);
	free(why);
}

void
task_begin(struct task *t)
{
	enum call_state state;

	if (t->unread != 0) {
		refuse_unread(t);
		return;
	}
	poison_enter(t->ctx->poison, t->sv->queue, t->id);
	t->state = TASK_RUNNING;
	if (t->rebooted && call_idempotent(t->call))
		memo_drop(t);
	state = call_go(t->call);
	advance(t, state);
	poison_leave(t->ctx->poison);
}

void
task_refuse(struct task *t, const char *why)
{
	assert(t->state == TASK_WAITING);
	call_fail(t->call, "Internal_error", why);
	keep_record(t);
	reply(t);
}

void
task_cancel(struct task *t)
{
	if (t->cancelled || t->state == TASK_REPLYING)
		return;
	log_info("call", "%s:%lld %s: cancelled", t->sv->queue,
	    (long long)t->id, call_method(t->call));
	t->cancelled = true;
	if (t->job != NULL) {
		job_cancel(t->job);
		return;
	}
	call_fail(t->call, "Cancelled", "at the switch");
	keep_record(t);
	(void)xmsg_discard(t->req); /* it is gone at the broker */
	finish(t);
}

void
task_leave(struct task *t)
{
	if (t->job != NULL)
		job_leave(t->job);
	if (t->state != TASK_REPLYING)
		xmsg_leave(t->req);
	task_free(t);
}
