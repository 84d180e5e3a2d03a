/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One queue, served by one volume plugin.
 *
 *   SERVING --plugin gone--> DRAINING --nothing in hand--> queue removed, freed
 *      ^                        |
 *      +----plugin is back------+
 *
 * While it drains, running calls go on and new ones are told that the plugin is
 * gone, so that nobody waits for ever.
 */
#ifndef XMSG_SERVICE_H
#define XMSG_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "err.h"
#include "task.h"

struct ctx;
struct plugin;
struct xmsg_server;

struct service {
	struct ctx *ctx;
	char *queue;
	struct plugin *plugin; /* NULL while draining */
	struct xmsg_server *server;
	struct xmsg_op *removing; /* DELETE of the queue under way */
	struct event *again; /* try that once more */
	TAILQ_HEAD(task_list, task) tasks; /* in order of arrival */
	unsigned n_tasks;
	uint64_t calls, failed;
	struct service *next;
};

/* Serve the queue named as the plugin, or take it up again.  NULL with the
 * reason. */
struct service *service_start(struct ctx *ctx, struct plugin *p, struct err *e);
/* Its plugin is gone. */
void service_drain(struct service *sv, const char *why);
/* No more requests; tasks are left to the next process. */
void service_stop_all(struct ctx *ctx);

/* A task is gone. */
void service_task_gone(struct service *sv);

/* Begin what may begin. */
void service_pump(struct ctx *ctx);

struct service *service_find(const struct ctx *ctx, const char *queue);
struct task *service_task(const struct ctx *ctx, const char *queue, int64_t id);

#endif
