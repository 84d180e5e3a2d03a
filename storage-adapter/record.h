/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The record of calls: what each call was, how long it took, which scripts it
 * ran and how they ended.  A ring file of bounded size (lib/ring.h), calls.ring
 * in the state folder; it survives the adapter, and can be read without it.
 * Secrets are masked before they get in.
 */
#ifndef XMSG_RECORD_H
#define XMSG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "err.h"

struct record;

/* Map or make calls.ring in `dir`.  NULL with the reason. */
struct record *record_open(const char *dir, size_t size, struct err *e);
/* The same file to be looked at only, by another process. */
struct record *record_view(const char *dir, struct err *e);
void record_close(struct record *r);

struct record_call {
	const char *queue;
	int64_t id;
	const char *method, *sr;
	int64_t took_ns;
	const char *error; /* code or constructor; NULL: success */
	const char *text; /* one sentence; NULL */
	const char *scripts; /* "SR.attach 12.3ms, SR.stat 8.0ms exit 1" */
	bool repeated; /* taken up after a restart of the adapter */
};
void record_put(struct record *r, const struct record_call *c);

/* Seconds since 1970 as since_ns, however far away. */
int64_t record_since(double seconds);

/* The last `limit` calls, oldest first, that ended at or after since_ns (1970)
 * and, when failed is set, with an error, of the methods that one of these globs
 * fits (NULL or no array: all): a new JSON array of objects with the
 * members seq, time, queue, id, method, sr, took (s), error, text, scripts,
 * repeated. */
json_t *record_list(const struct record *r, int64_t since_ns, bool failed,
    const json_t *methods, size_t limit);

#endif
