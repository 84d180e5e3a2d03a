/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Running the scripts of a plugin's folder as the adapter does, one after the
 * other, without an adapter and a broker: for those who try a plugin out.
 */
#ifndef XMSG_TRIAL_H
#define XMSG_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "err.h"
#include "str.h"

struct trial;

struct trial_opts {
	const char *dir; /* of the plugin */
	const char *runner; /* xmsg-run; NULL: beside this program, or where it
	                     * was installed */
	const char *const *env; /* NAME=VALUE for scripts, NULL-terminated */
	int64_t limit_ns; /* of each script */
};

/* Makes a folder for the runs.  NULL with the reason.  o is borrowed. */
struct trial *trial_new(const struct trial_opts *o, struct err *e);
void trial_free(struct trial *t);

/* Owner and modes of the folder: 0, or -1 with what to do about them.  Those of
 * scripts count from here on only when all is well. */
int trial_trust(struct trial *t, struct err *e);

/* Is there a script for this method?  TRIAL_BAD: with the reason why it cannot
 * be run. */
enum trial_found { TRIAL_FOUND, TRIAL_NONE, TRIAL_BAD };
enum trial_found trial_find(
    struct trial *t, const char *method, const char **path, struct err *e);

/* How a run ended. */
struct trial_run {
	bool exited; /* by itself */
	int status; /* then */
	char how[160]; /* "ended with exit status 3", "died of SIGSEGV" */
	struct str out, err; /* until the next run; all of the output, the last
	                      * of standard error */
	int64_t took_ns;
};

/* Run a script with this input, to its end.  -1 with the reason when it cannot
 * be started, or when a signal (SIGINT, SIGTERM) asked us to stop, which ends
 * what runs: trial_stopped then. */
int trial_run(struct trial *t, const char *method, struct str input,
    struct trial_run *r, struct err *e);
bool trial_stopped(const struct trial *t);

/* Go on after a stop, to tidy up. */
void trial_again(struct trial *t);

/* Can we work with this answer to Plugin.Query?  -1 with why not; *old: with an
 * older version of the interface, but yes. */
int trial_version(const char *name, json_t *answer, bool *old, struct err *e);

#endif
