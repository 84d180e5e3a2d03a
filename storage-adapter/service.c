/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Queues served by volume plugins. */
#include "service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <event2/event.h>

#include "call.h"
#include "ctx.h"
#include "log.h"
#include "plugin.h"
#include "poison.h"
#include "turns.h"
#include "task.h"
#include "xalloc.h"

#define AGAIN_S 1 /* before a queue is tried to be removed again */

static void remove_queue(struct service *sv);

struct service *
service_find(const struct ctx *ctx, const char *queue)
{
	struct service *sv = ctx->services;

	while (sv != NULL && strcmp(sv->queue, queue) != 0)
		sv = sv->next;
	return sv;
}

struct task *
service_task(const struct ctx *ctx, const char *queue, int64_t id)
{
	struct service *sv = service_find(ctx, queue);
	struct task *t;

	if (sv == NULL)
		return NULL;
	TAILQ_FOREACH (t, &sv->tasks, entry)
		if (t->id == id)
			return t;
	return NULL;
}

void
service_pump(struct ctx *ctx)
{
	static bool busy; /* a task that begins may end, and ask again */
	struct turns_item *i;

	if (busy)
		return;
	busy = true;
	while (!ctx->stopping && (i = turns_next(ctx->turns)) != NULL)
		task_begin((struct task *)i);
	busy = false;
}

/* A request was taken from the queue. */
static void
on_request(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	struct service *sv = arg;
	struct ctx *ctx = sv->ctx;
	struct task *t;

	if (m->kind == XMSG_REPLY) {
		/* nobody replies to a plugin: contract 1.8 says take it off */
		log_warn("service", "%s:%lld is a reply: dropped", sv->queue,
		    (long long)m->id);
		if (xmsg_discard(r) != XMSG_OK)
			xmsg_leave(r);
		return;
	}
	if (poison_is(ctx->poison, sv->queue, m->id)) {
		t = task_new(ctx, sv, r);
		task_refuse(t,
		    "handling this call ended the storage adapter"
		    " three times: it is not tried again");
		return;
	}
	poison_enter(ctx->poison, sv->queue, m->id);
	t = task_new(ctx, sv, r);
	if (sv->plugin == NULL)
		task_refuse(t, "the storage plugin of this queue is gone");
	poison_leave(ctx->poison);
	service_pump(ctx);
}

/* ---- begin and end ---- */

/* Take requests of the queue, made when it is not there. */
static int
serve(struct service *sv, struct err *e)
{
	struct ctx *ctx = sv->ctx;

	if (sv->server != NULL)
		xmsg_serve_stop(sv->server);
	sv->server = xmsg_serve_start(ctx->x, sv->queue, XMSG_CREATE,
	    (unsigned)ctx->set->in_hand, on_request, sv);
	if (sv->server == NULL)
		return err_set(e, EIO, "%s: cannot be served: %s", sv->queue,
		    xmsg_error(ctx->x));
	return 0;
}

/* A service without a server yet. */
static struct service *
service_new(struct ctx *ctx, const char *queue, struct err *e)
{
	char *folder = xasprintf("%s/%s", ctx->spool, queue);
	struct service *sv = NULL;

	if (mkdir(folder, 0700) == -1 && errno != EEXIST) {
		err_errno(e, "cannot make %s", folder);
	} else {
		sv = xcalloc(1, sizeof *sv);
		sv->ctx = ctx;
		sv->queue = xstrdup(queue);
		TAILQ_INIT(&sv->tasks);
		sv->next = ctx->services;
		ctx->services = sv;
	}
	free(folder);
	return sv;
}

struct service *
service_start(struct ctx *ctx, struct plugin *p, struct err *e)
{
	struct service *sv = service_find(ctx, p->name);

	if (sv == NULL && (sv = service_new(ctx, p->name, e)) == NULL)
		return NULL;
	sv->plugin = p;
	if (sv->server != NULL)
		return sv; /* or `removed` makes it again */
	if (serve(sv, e) == 0)
		return sv;
	service_drain(sv, e->text);
	return NULL;
}

/* Nothing is in hand and the queue is gone. */
static void
service_free(struct service *sv)
{
	struct service **at = &sv->ctx->services;

	while (*at != sv)
		at = &(*at)->next;
	*at = sv->next;
	if (sv->server != NULL)
		xmsg_serve_stop(sv->server);
	if (sv->again != NULL)
		event_free(sv->again);
	free(sv->queue);
	free(sv);
}

/* The broker has answered DELETE. */
static void
removed(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct service *sv = arg;
	struct timeval tv = {AGAIN_S, 0};
	struct err e;

	sv->removing = NULL;
	if (r->rc == XMSG_ECANCELED)
		return;
	if (sv->plugin != NULL) {
		/* it came back meanwhile: the queue may be gone */
		if (serve(sv, &e) == -1)
			log_error("service", "%s", e.text);
		return;
	}
	if (r->rc == XMSG_OK && r->status == 200) {
		log_info("service", "%s: queue removed", sv->queue);
		service_free(sv);
		return;
	}
	/* a message came at the last moment, or the broker is away */
	if (r->rc != XMSG_OK)
		log_debug(
		    "service", "%s: not removed: %s", sv->queue, xmsg_error(x));
	if (sv->again != NULL && evtimer_add(sv->again, &tv) == -1)
		log_error("service", "%s: no timer", sv->queue);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	remove_queue(arg);
}

/* Remove the queue of a plugin that is gone, once nothing is in hand. */
static void
remove_queue(struct service *sv)
{
	char *queue, *target;

	if (sv->plugin != NULL || sv->n_tasks > 0 || sv->removing != NULL ||
	    sv->ctx->stopping)
		return;
	queue = xmsg_encode(sv->queue);
	if (queue == NULL)
		return; /* no memory: the next change tries again */
	target = xasprintf("/v1/queues/%s?if_empty=1", queue);
	free(queue);
	if (sv->again == NULL)
		sv->again = evtimer_new(sv->ctx->base, on_again, sv);
	sv->removing = xmsg_http_start(sv->ctx->x, "DELETE", target,
	    (struct xmsg_bytes){NULL, 0}, -1, removed, sv);
	free(target);
}

void
service_drain(struct service *sv, const char *why)
{
	struct task *t, *next;

	sv->plugin = NULL;
	for (t = TAILQ_FIRST(&sv->tasks); t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (t->state == TASK_WAITING)
			task_refuse(t, why);
	}
	remove_queue(sv);
}

void
service_task_gone(struct service *sv)
{
	sv->n_tasks--;
	if (sv->plugin == NULL)
		remove_queue(sv);
	service_pump(sv->ctx);
}

void
service_stop_all(struct ctx *ctx)
{
	struct service *sv;
	struct task *t, *next;

	ctx->stopping = true;
	while ((sv = ctx->services) != NULL) {
		for (t = TAILQ_FIRST(&sv->tasks); t != NULL; t = next) {
			next = TAILQ_NEXT(t, entry);
			task_leave(t);
		}
		if (sv->removing != NULL)
			xmsg_cancel(sv->removing);
		service_free(sv);
	}
}
