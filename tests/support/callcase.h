/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Cases of calls, from text files: what is asked, which scripts are run with
 * what, how they end, what is answered.
 *
 *	== name
 *	@ version 3.0			the world, where it is not the usual one
 *	> {"method":...}		the request
 *	run Volume.stat {"key":...}	a script and its input (dpx/Data.stat: of
 *					datapath plugin dpx)
 *	err TEXT			its standard error (%XX: a byte)
 *	= TEXT				it exits with 0 and this output, or
 *	! exit 1 TEXT			it ends otherwise
 *	wait				a second passes
 *	did TEXT			the world was changed
 *	note TEXT			people were told something with TEXT in it
 *	error CODE			what call_error says, or "none"
 *	< {"result":...}		the reply
 *
 * The usual world: SR "sruuid" is "file:///srs/one", datapath plugin "dpx"
 * without features, API version 5.0, all scripts exist, the call began at the
 * first second of 2020.
 */
#ifndef XMSG_TESTS_CALLCASE_H
#define XMSG_TESTS_CALLCASE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "call.h"

#define MAX_LINES 60
#define MAX_CASES 400

struct callcase {
	const char *file, *name;
	char *line[MAX_LINES];
	size_t n;
};

/* All cases of a file below tests/calls; how many there are now. */
size_t callcase_read(
    const char *file, struct callcase *cases, size_t n, size_t max);
void callcase_free(struct callcase *cases, size_t n);

/* The case's request, or NULL. */
const char *callcase_request(const struct callcase *k);

/* A call while it is played. */
struct play {
	const struct callcase *k;
	struct call_world w;
	struct buf log; /* what happened, in the form of the file */
	const char *datapath[8]; /* "dpx NONPERSISTENT" */
	size_t ndatapaths;
	/* 1-based number of the script that is made to fail, or 0, and how;
	 * what follows it succeeds with null */
	size_t fail_at;
	const struct job_result *failure;
	size_t runs;
	char method[80]; /* of the call */
	char scheme[64], handle[128];
	bool idempotent;
};

/* Play a case to its end; p->log has everything. */
void play_run(struct play *p, const struct callcase *k);
void play_fini(struct play *p);

/* What the log must be. */
void play_expected(const struct callcase *k, struct buf *b);

#endif
