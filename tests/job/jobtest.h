/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the tests of job share: a folder, an event loop, scripts, results. */
#ifndef XMSG_TESTS_JOBTEST_H
#define XMSG_TESTS_JOBTEST_H

#include "support/unit.h"

#include <event2/event.h>

#include "job.h"
#include "support/tempdir.h"

#define MS 1000000LL

struct fix {
	char dir[TEMPDIR_MAX]; /* scripts, and what they write */
	char req[TEMPDIR_MAX + 8]; /* the folder of the request */
	char runner[4096];
	struct event_base *base;
	struct job_limits limits;
	struct jobs *js;
	struct job_spec spec; /* of the next run */
	unsigned n; /* scripts made */
};

/* A result, kept. */
struct got {
	unsigned calls;
	struct job_result r; /* out and err are copies */
	int64_t at_ns; /* when it was told */
};

/* cmocka's setup and teardown; *state is a struct fix. */
int fix_setup(void **state);
int fix_teardown(void **state);

/* Make jobs anew, with the limits as they are now. */
void fix_again(struct fix *f);

/* An executable file with this text ("#!/bin/sh" is put before it unless it
 * begins so); borrowed until teardown. */
const char *script(struct fix *f, const char *text);

/* A file in the folder of scripts; borrowed until the next call. */
const char *in_dir(struct fix *f, const char *name);
/* Its contents; "" when there is none.  Borrowed until the next call. */
const char *contents(struct fix *f, const char *name);
/* Run the loop until the file is there. */
void until_file(struct fix *f, const char *name);

/* fn of a job, and waiting for it. */
void got_it(const struct job_result *r, void *arg);
void until_told(struct fix *f, struct got *g);
void got_free(struct got *g);

/* Start, as f->spec says. */
struct job *start(struct fix *f, const char *path, struct got *g);
/* Start and wait. */
void run(struct fix *f, const char *path, struct got *g);

/* Does a process live (and is no zombie)? */
bool lives(pid_t pid);
/* The number in a file, once it is there. */
pid_t pid_in(struct fix *f, const char *name);
/* Until it is gone; fails after ten seconds. */
void until_gone(pid_t pid);

/* Output as text. */
#define assert_out(g, text)                                                    \
	do {                                                                   \
		assert_int_equal((g)->r.out.n, strlen(text));                  \
		if ((g)->r.out.n > 0)                                          \
			assert_memory_equal((g)->r.out.p, text, strlen(text)); \
	} while (0)

#define assert_end(g, e, c)                                                    \
	do {                                                                   \
		assert_int_equal((g)->r.end, e);                               \
		assert_int_equal((g)->r.code, c);                              \
		assert_int_equal((g)->calls, 1);                               \
	} while (0)

#endif
