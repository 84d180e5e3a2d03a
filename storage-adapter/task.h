/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One request in hand: its call, its script, its reply.
 *
 *   WAITING --turn--> RUNNING <--> script or pause --call done--> REPLYING
 *      |                |                                            |
 *      +---cancelled----+--(script ended)--> gone <--reply durable---+
 *
 * Where a process before this one was at it already, its folder in the spool is
 * there: the call is gone through again, and finds the results of its scripts.
 */
#ifndef XMSG_TASK_H
#define XMSG_TASK_H

#include <sys/queue.h>

#include <jansson.h>

#include "buf.h"
#include "turns.h"
#include "xmsg.h"

struct call;
struct ctx;
struct event;
struct job;
struct service;

enum task_state { TASK_WAITING, TASK_RUNNING, TASK_REPLYING };

struct task {
	struct turns_item turn; /* first */
	struct ctx *ctx;
	struct service *sv;
	struct xmsg_request *req;
	struct call *call;
	struct job *job; /* the script that runs, or NULL */
	struct event *pause; /* or a wait */
	enum task_state state;
	int64_t id;
	char *dir; /* folder in the spool; NULL until there is one */
	json_t *memo; /* what the folder's `call` says */
	char *script; /* path of the script that runs */
	unsigned step; /* number of the next script */
	int unread; /* errno: there may be a memo that cannot be read */
	int64_t came_ns; /* monotonic */
	int64_t asked_ns; /* whether it is still there, last */
	int64_t began_wall_ns; /* the same when repeated */
	struct buf scripts; /* for the record */
	bool repeated, rebooted, memo_dirty, cancelled, again;
	TAILQ_ENTRY(task) entry; /* of the service */
};

/* A request came: it waits for its turn, or is answered.  NULL: no memory; it
 * was left alone. */
struct task *task_new(
    struct ctx *ctx, struct service *sv, struct xmsg_request *req);

/* Its turn has come. */
void task_begin(struct task *t);

/* Somebody removed the message: end the script, give no answer. */
void task_cancel(struct task *t);

/* Answer with a failure instead of running it; only while TASK_WAITING. */
void task_refuse(struct task *t, const char *why);

/* Forget it; scripts go on, and the next process takes it up. */
void task_leave(struct task *t);

/* The name of its folder: for free(3). */
char *task_folder(const struct ctx *ctx, const char *queue, int64_t id);

#endif
