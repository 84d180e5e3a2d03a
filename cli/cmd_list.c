/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* list: queues, or with -m the messages in them. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "msgs.h"
#include "units.h"
#include "xalloc.h"

static const struct opt opts[] = {
    {"messages", 'm', OPT_FLAG, NULL, "the messages in them", NULL},
    {"lines", 'n', OPT_NUMBER, "N", "at most N messages of a queue", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* What is selected, and the totals. */
struct listing {
	struct cli *c;
	char **globs;
	int nglobs;
	int64_t queues, messages, bytes;
	char **names; /* with -m */
	size_t nnames, cap;
};

static bool
selected(const struct listing *l, const char *name)
{
	for (int i = 0; i < l->nglobs; i++)
		if (fnmatch(l->globs[i], name, 0) == 0)
			return true;
	return l->nglobs == 0;
}

/* Keep a name for later. */
static void
remember(struct listing *l, const char *name)
{
	if (l->nnames == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->names = xreallocarray(l->names, l->cap, sizeof *l->names);
	}
	l->names[l->nnames++] = xstrdup(name);
}

static int
add(void *arg, const struct look_queue *q)
{
	struct listing *l = arg;
	char *name = xstrndup(q->name.p, q->name.n);

	if (selected(l, name)) {
		l->queues++;
		l->messages += q->messages;
		l->bytes += q->bytes > 0 ? q->bytes : 0;
		if (!opts_has(&l->c->opts, "messages"))
			(void)queues_add(l->c, q);
		else if (q->messages > 0)
			remember(l, name);
	}
	free(name);
	return 0;
}

/* What all globs begin with, for the broker to begin with. */
static char *
prefix_of(char **globs, int n)
{
	size_t len = n > 0 ? strcspn(globs[0], "*?[\\") : 0;

	for (int i = 1; i < n; i++) {
		size_t k = 0;

		while (k < len && globs[i][k] == globs[0][k] &&
		    strchr("*?[\\", globs[i][k]) == NULL)
			k++;
		len = k;
	}
	return xstrndup(n > 0 ? globs[0] : "", len);
}

/* The messages of the queues that were found. */
static int
messages(struct listing *l)
{
	int64_t most = opts_number(&l->c->opts, "lines", INT64_MAX);
	int rc = msgs_table(l->c) == -1 ? CLI_USAGE : 0, one;

	for (size_t i = 0; i < l->nnames && rc == 0; i++) {
		one = look_messages(
		    l->c, l->names[i], -1, most, true, msgs_add, l->c);
		if (one != CLI_NONE) /* else it went away meanwhile */
			rc = one;
	}
	return rc;
}

static void
totals(struct listing *l)
{
	struct out *o = &l->c->out;
	char size[UNITS_MAX];

	if (o->json || o->no_header)
		return;
	units_size(size, l->bytes);
	buf_addf(out_buf(o), "%lld queue%s, %lld message%s, %s bytes",
	    (long long)l->queues, l->queues == 1 ? "" : "s",
	    (long long)l->messages, l->messages == 1 ? "" : "s", size);
	out_line(o, false);
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct listing l = {.c = c, .globs = argv, .nglobs = argc};
	bool msgs = opts_has(&c->opts, "messages");
	char *prefix = prefix_of(argv, argc);
	int rc = 0;

	if (!msgs && queues_table(c) == -1)
		rc = CLI_USAGE;
	if (rc == 0)
		rc = look_queues(c, prefix, add, &l);
	if (rc == 0 && msgs)
		rc = messages(&l);
	if (rc == 0) {
		out_end(&c->out);
		totals(&l);
	}
	for (size_t i = 0; i < l.nnames; i++)
		free(l.names[i]);
	free(l.names);
	free(prefix);
	if (rc == 0 && l.queues == 0 && argc > 0)
		rc = CLI_NONE;
	return cli_fail(c, rc);
}

const struct cmd cmd_list = {
    .name = "list",
    .alias = "ls",
    .args = "[GLOB]...",
    .help = "List queues: how many messages, how old, who serves them",
    .flags = CMD_READS,
    .min = 0,
    .max = -1,
    .opts = opts,
    .run = run,
};
