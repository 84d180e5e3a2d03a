/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* serve: answer the requests of a queue with a program. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "rpc.h"

#define JOBS 8

static const struct opt opts[] = {
    {"program", 'p', OPT_TEXT, "PROGRAM",
	"run it for each request; arguments behind --", NULL},
    {"jobs", 0, OPT_NUMBER, "N", "so many at a time [8]", NULL},
    {"exact", 0, OPT_FLAG, NULL, "keep the newline at the end", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* serve QUEUE --program P [-- ARG...]; the operand's place becomes argv[0]. */
static int
run(struct cli *c, int argc, char **argv)
{
	const char *program = opts_text(&c->opts, "program", NULL);
	int64_t jobs = opts_number(&c->opts, "jobs", JOBS);
	struct serve s = {
	    .queue = argv[0],
	    .exact = opts_has(&c->opts, "exact"),
	    .jobs = (unsigned)jobs,
	};

	if (jobs < 1 || jobs > 1000)
		return cli_usage(c, "--jobs takes 1 to 1000");
	if (program == NULL && argc > 1)
		return cli_usage(c, "arguments without --program");
	if (program != NULL && strchr(program, '/') != NULL &&
	    access(program, X_OK) == -1)
		return cli_usage(c, "%s: %s", program, strerror(errno));
	if (program != NULL) {
		argv[0] = (char *)(uintptr_t)program;
		s.argv = argv;
	}
	return serve_run(c, &s);
}

const struct cmd cmd_serve = {
    .name = "serve",
    .args = "QUEUE [-- ARG...]",
    .help = "Answer the requests of a queue with a program",
    .min = 1,
    .max = -1,
    .opts = opts,
    .run = run,
};
