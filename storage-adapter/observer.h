/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Tracing of scripts (contract 1.10 and 2.4): the toolstack says on a queue of
 * its own which observers there are; while one is enabled, and a call brings a
 * traceparent, its scripts are run by the tracing interpreter.
 */
#ifndef XMSG_OBSERVER_H
#define XMSG_OBSERVER_H

#include <stdbool.h>

#include "err.h"

struct observer;
struct xmsg;

#define OBSERVER_QUEUE "org.xen.xapi.observer"

/* Serve the queue.  NULL with the reason. */
struct observer *observer_new(struct xmsg *x, struct err *e);
void observer_free(struct observer *o);

/* How a traced script is started. */
struct traced {
	const char *program;
	const char *argv[5];
	char *text[2]; /* owned */
	const char **env; /* owned */
};

/* Fill tr and return true when this script is to be traced; tr is made safe
 * for observer_traced in any case.  o and traceparent may be NULL.  env: the
 * variables that scripts get anyway. */
bool observer_trace(struct observer *o, const char *traceparent,
    const char *script, char *const *env, struct traced *tr);
void observer_traced(struct traced *tr);

/* How many observers are enabled. */
unsigned observer_count(const struct observer *o);

#endif
