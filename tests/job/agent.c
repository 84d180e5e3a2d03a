/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A process to be killed: starts step 0 of each folder with one script, prints
 * one line for each that ends ("INDEX END CODE STUCK BYTES"), ends after all.
 *
 *  agent RUNNER SCRIPT DIR...
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "job.h"

static unsigned left;
static struct event_base *base;

/* One line; the last one ends us. */
static void
told(const struct job_result *r, void *arg)
{
	printf("%d %d %d %d %zu\n", *(int *)arg, (int)r->end, r->code, r->stuck,
	    r->out.n);
	fflush(stdout);
	if (--left == 0)
		event_base_loopbreak(base);
}

int
main(int argc, char **argv)
{
	struct job_limits l = {.path = "/usr/bin:/bin",
	    .max_out = 1 << 20,
	    .max_err = 1 << 10,
	    .grace_ns = 250000000,
	    .term_ns = 300000000,
	    .nofile = 256};
	struct job_spec spec = {.input = STR("{}")};
	struct jobs *js;
	int i, *index;

	if (argc < 4)
		return 64;
	alarm(30); /* nothing here takes longer */
	base = event_base_new();
	index = calloc((size_t)argc, sizeof *index);
	l.runner = argv[1];
	spec.script = argv[2];
	js = jobs_new(base, &l, NULL);
	for (i = 3; i < argc; i++) {
		spec.dir = argv[i];
		index[i] = i - 3;
		left++;
		(void)job_start(js, &spec, told, &index[i]);
	}
	event_base_dispatch(base);
	jobs_free(js);
	event_base_free(base);
	free(index);
	return 0;
}
