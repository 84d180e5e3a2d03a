/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What came of a script (contract 2.3, 2.5): its value, decoded and in written
 * order, or the SMAPIv2 error for it.  Pure.
 */
#ifndef XMSG_OUTCOME_H
#define XMSG_OUTCOME_H

#include <stdbool.h>

#include <jansson.h>

struct call_ran;
struct idl_method;

/* How one script was run, and how its answer is to be read. */
struct outcome_of {
	const struct idl_method *method;
	const json_t *params; /* as given to it */
	bool v30; /* rules for plugins of API 3.0 (2.6) */
	bool plain; /* as declared, nothing degraded: smapiv3 calls */
	/* something that was tolerated */
	void (*note)(void *arg, const char *text);
	void *arg;
};

/* A new reference to the value, or NULL with *error (new; NULL: no memory). */
json_t *outcome_read(
    const struct outcome_of *o, const struct call_ran *r, json_t **error);

/* Does an error say that the volume does not exist (any more)? */
bool outcome_gone(const json_t *error);

#endif
