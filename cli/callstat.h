/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Times of calls by queue and method, out of a list of events.  Pure. */
#ifndef XMSG_CLI_CALLSTAT_H
#define XMSG_CLI_CALLSTAT_H

#include <stddef.h>
#include <stdint.h>

#include "events.h"

struct callstat {
	char *queue, *method;
	int64_t calls, answered, failed, cancelled, bytes;
	double p50_s, p99_s, max_s; /* below 0: no answer yet */
};

/* A new array of *n, those with the most calls first; callstat_free. */
struct callstat *callstat_of(const struct events *l, size_t *n);
void callstat_free(struct callstat *v, size_t n);

#endif
