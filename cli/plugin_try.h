/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The parts of a plugin's self-test: one call, one line, the whole story. */
#ifndef XMSG_CLI_PLUGIN_TRY_H
#define XMSG_CLI_PLUGIN_TRY_H

#include <stdbool.h>

#include "cli.h"

struct trial;
struct json_t;

struct check {
	struct cli *c;
	struct trial *t;
	const char *dir; /* of the plugin */
	const char *name; /* of the folder */
	const char *word; /* its end behind the last dot */
	bool volume; /* or datapath */
	bool interrupted;
	bool utf8; /* marks may be more than letters */
	int ok, failed, warned, skipped;
};

/* Begin the list of results; -1 with c->why. */
int try_begin(struct check *k);
/* Its end: the sums. */
void try_end(struct check *k);

enum verdict { TRY_OK, TRY_FAIL, TRY_WARN, TRY_SKIP };

/* A line: what was tried, how long it took (below 0: does not apply), and why
 * (fmt may be NULL). */
void try_say(struct check *k, enum verdict v, const char *what, double took_s,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Say that what was tried is right, or why not; gives `right` back. */
bool try_that(struct check *k, bool right, const char *what, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/* Is there a script for the method (its number in gen_smapi.h)? */
bool try_has(struct check *k, int method);

/* Call it: its result, decoded, for json_decref, or NULL; a line in both cases.
 * Takes params, which get a dbg.  what: NULL: the method's name. */
struct json_t *try_call(
    struct check *k, const char *what, int method, struct json_t *params);
/* The same when the result does not matter. */
bool try_done(
    struct check *k, const char *what, int method, struct json_t *params);
/* Without a line when it goes well: to look at what another call has done. */
struct json_t *try_look(struct check *k, int method, struct json_t *params);

/* Call it, and want a failure, best with this code (or NULL). */
void try_refused(struct check *k, const char *what, int method,
    struct json_t *params, const char *code);

/* Call it: an answer is as good as a proper failure. */
void try_either(
    struct check *k, const char *what, int method, struct json_t *params);

/* The life of a repository with this device configuration, and of volumes in
 * it; what was made is removed unless keep. */
void try_repository(struct check *k, struct json_t *config, bool keep);

/* The steps of a datapath at this location. */
void try_datapath(struct check *k, const char *uri);

#endif
