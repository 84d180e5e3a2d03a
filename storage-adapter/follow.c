/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Two loops.  One is parked in /v1/events for cancellations.  The other looks
 * every SWEEP_S seconds.  A message counts as gone when the switch says 404
 * with the code of a missing message or queue, nothing less.
 */
#include "follow.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "clock.h"
#include "ctx.h"
#include "each.h"
#include "job.h"
#include "log.h"
#include "service.h"
#include "task.h"
#include "xalloc.h"
#include "xmsg.h"

#define SWEEP_S	  1 /* between two looks */
#define LONG_NS	  (2 * NS_PER_SEC) /* a request that takes longer is asked for */
#define WAIT_S	  60 /* of the long poll */
#define SLACK_MS  10000 /* beyond it */
#define AGAIN_S	  1 /* after a failure */
#define MOST_ASKS 16 /* of a sweep, under way */

struct follow {
	struct ctx *ctx;
	struct event *again, *sweep;
	struct xmsg_op *poll;
	int64_t next; /* cursor; -1: from now on */
	unsigned asks; /* questions of the sweep under way */
	bool said; /* that the switch has no /v1 */
};

/* ---- is it still there? ---- */

struct ask {
	struct follow *f;
	char *queue;
	int64_t id;
};

/* The code of an error answer of /v1, or "". */
static bool
gone(const struct xmsg_result *r)
{
	json_t *v;
	const char *code = NULL;
	bool yes;

	if (r->rc != XMSG_OK || r->status != 404)
		return false;
	v = json_loadb(r->body.p, r->body.n, 0, NULL);
	code = json_string_value(
	    json_object_get(json_object_get(v, "error"), "code"));
	yes = code != NULL &&
	    (strcmp(code, "no_message") == 0 || strcmp(code, "no_queue") == 0);
	json_decref(v);
	return yes;
}

/* Nobody has the folder in hand, and its message is gone: end and remove. */
static void
clear(const struct ctx *ctx, const char *queue, int64_t id)
{
	char *dir = task_folder(ctx, queue, id);
	struct err e;

	if (job_end_folder(dir)) {
		if (job_remove_folder(dir, &e) == -1)
			log_warn("spool", "%s", e.text);
		else
			log_info("spool",
			    "%s:%" PRId64 " was left over:"
			    " removed",
			    queue, id);
	}
	free(dir);
}

static void
asked(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct ask *a = arg;
	struct ctx *ctx = a->f->ctx;
	struct task *t;

	(void)x;
	if (r->rc != XMSG_ECANCELED) {
		a->f->asks--;
		t = service_task(ctx, a->queue, a->id);
		if (!gone(r)) {
			/* there, or nobody knows */
		} else if (t != NULL) {
			task_cancel(t);
		} else {
			clear(ctx, a->queue, a->id);
		}
	}
	free(a->queue);
	free(a);
}

/* Ask the switch; false when too much is being asked already. */
static bool
ask(struct follow *f, const char *queue, int64_t id)
{
	char *name = xmsg_encode(queue), *target;
	struct ask *a;

	if (name == NULL || f->asks >= MOST_ASKS) {
		free(name);
		return false; /* the next sweep */
	}
	a = xcalloc(1, sizeof *a);
	*a = (struct ask){f, xstrdup(queue), id};
	target = xasprintf("/v1/queues/%s/messages/%" PRId64, name, id);
	if (xmsg_http_start(f->ctx->x, "GET", target,
		(struct xmsg_bytes){NULL, 0}, SLACK_MS, asked, a) == NULL) {
		free(a->queue);
		free(a);
	} else {
		f->asks++;
	}
	free(target);
	free(name);
	return true;
}

/* ---- cancellations ---- */

static void poll_events(struct follow *f);

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	poll_events(arg);
}

/* Every request in hand is asked for. */
static void
ask_all(struct follow *f, int64_t older_ns)
{
	int64_t now = clock_mono_ns();
	struct service *sv;
	struct task *t;

	for (sv = f->ctx->services; sv != NULL; sv = sv->next)
		TAILQ_FOREACH (t, &sv->tasks, entry)
			if (t->state != TASK_REPLYING &&
			    now - t->asked_ns >= older_ns &&
			    ask(f, sv->queue, t->id))
				t->asked_ns = now;
}

/* One answer of /v1/events. */
static bool
take_events(struct follow *f, const struct xmsg_result *r)
{
	json_t *v = json_loadb(r->body.p, r->body.n, 0, NULL), *ev;
	json_t *next = json_object_get(v, "next");
	struct task *t;
	size_t i;

	if (!json_is_integer(next)) {
		json_decref(v);
		return false;
	}
	array_each (json_object_get(v, "events"), i, ev) {
		const char *queue =
		    json_string_value(json_object_get(ev, "queue"));

		t = queue == NULL
		    ? NULL
		    : service_task(f->ctx, queue,
			  json_integer_value(json_object_get(ev, "id")));
		if (t != NULL)
			task_cancel(t);
	}
	f->next = json_integer_value(next);
	if (json_integer_value(json_object_get(v, "lost")) > 0)
		ask_all(f, 0);
	json_decref(v);
	return true;
}

static void
polled(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct follow *f = arg;
	struct timeval tv = {AGAIN_S, 0};

	f->poll = NULL;
	if (r->rc == XMSG_ECANCELED)
		return;
	if (r->rc == XMSG_OK && r->status == 200 && take_events(f, r)) {
		poll_events(f);
		return;
	}
	if (r->rc == XMSG_OK && r->status != 200 && !f->said) {
		f->said = true;
		log_warn("follow",
		    "the switch has no /v1/events (status %d):"
		    " cancelling a message will not end its script",
		    r->status);
	}
	if (r->rc == XMSG_OK)
		tv.tv_sec = WAIT_S;
	else
		log_debug("follow", "%s", xmsg_error(x));
	if (evtimer_add(f->again, &tv) == -1)
		log_error("follow", "no timer: out of memory");
}

static void
poll_events(struct follow *f)
{
	char target[128];
	int wait = f->next < 0 ? 0 : WAIT_S;
	struct timeval tv = {AGAIN_S, 0};

	if (f->next < 0)
		snprintf(
		    target, sizeof target, "/v1/events?kind=cancel&after=now");
	else
		snprintf(target, sizeof target,
		    "/v1/events?kind=cancel&after=%" PRId64 "&wait=%d", f->next,
		    wait);
	f->poll = xmsg_http_start(f->ctx->x, "GET", target,
	    (struct xmsg_bytes){NULL, 0}, wait * 1000 + SLACK_MS, polled, f);
	if (f->poll == NULL && evtimer_add(f->again, &tv) == -1)
		log_error("follow", "no timer: out of memory");
}

/* ---- the sweep ---- */

/* The folders of one queue. */
static void
sweep_queue(struct follow *f, const char *queue)
{
	char *path = xasprintf("%s/%s", f->ctx->spool, queue), *end;
	DIR *d = opendir(path);
	struct dirent *de;
	int64_t id;
	bool empty = true;

	while (d != NULL && (de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		empty = false;
		errno = 0;
		id = strtoll(de->d_name, &end, 10);
		if (errno == 0 && *end == '\0' && id > 0 &&
		    service_task(f->ctx, queue, id) == NULL &&
		    !ask(f, queue, id))
			break;
	}
	if (d != NULL)
		closedir(d);
	if (empty && d != NULL && service_find(f->ctx, queue) == NULL)
		(void)rmdir(path); /* of a plugin that is gone for good */
	free(path);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct follow *f = arg;
	DIR *d = opendir(f->ctx->spool);
	struct dirent *de;

	(void)fd;
	(void)what;
	while (d != NULL && (de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			sweep_queue(f, de->d_name);
	if (d != NULL)
		closedir(d);
	ask_all(f, LONG_NS);
}

struct follow *
follow_new(struct ctx *ctx, struct err *e)
{
	struct follow *f = xcalloc(1, sizeof *f);
	struct timeval tv = {SWEEP_S, 0};

	f->ctx = ctx;
	f->next = -1;
	f->again = evtimer_new(ctx->base, on_again, f);
	f->sweep = event_new(ctx->base, -1, EV_PERSIST, on_sweep, f);
	if (f->again == NULL || f->sweep == NULL ||
	    event_add(f->sweep, &tv) == -1) {
		follow_free(f);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	poll_events(f);
	return f;
}

void
follow_free(struct follow *f)
{
	if (f == NULL)
		return;
	if (f->poll != NULL)
		xmsg_cancel(f->poll);
	if (f->again != NULL)
		event_free(f->again);
	if (f->sweep != NULL)
		event_free(f->sweep);
	free(f);
}
