/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* list: queues, or with -m the messages in them. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "msgs.h"
#include "select.h"
#include "units.h"
#include "xalloc.h"

static const struct opt opts[] = {
    {"messages", 'm', OPT_FLAG, NULL, "the messages in them", NULL},
    {"lines", 'n', OPT_NUMBER, "N", "at most N messages of a queue", NULL},
    SELECT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* What is selected, and the totals. */
struct listing {
	struct cli *c;
	char **globs;
	int nglobs;
	int64_t queues, messages, bytes;
};

static bool
selected(const struct listing *l, const char *name)
{
	for (int i = 0; i < l->nglobs; i++)
		if (fnmatch(l->globs[i], name, 0) == 0)
			return true;
	return l->nglobs == 0;
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
		(void)queues_add(l->c, q);
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

/* Of a queue no more than --lines. */
struct lines {
	struct cli *c;
	char *queue; /* the last one */
	int64_t left, most;
};

static int
add_message(void *arg, const struct look_msg *m)
{
	struct lines *l = arg;

	if (l->queue == NULL || !str_eq(m->queue, str_of(l->queue))) {
		free(l->queue);
		l->queue = xstrndup(m->queue.p, m->queue.n);
		l->left = l->most;
	}
	if (l->left-- > 0)
		(void)msgs_add(l->c, m);
	return l->left <= 0; /* go on with the next queue */
}

/* The messages of the queues that were found. */
static int
messages(struct cli *c, struct selector *s, int argc, char **argv)
{
	struct lines l = {
	    .c = c, .most = opts_number(&c->opts, "lines", INT64_MAX)};
	int queues = 0, rc = msgs_table(c) == -1 ? CLI_USAGE : 0;

	if (rc == 0)
		rc = select_each(c, s, argv, argc, &queues, add_message, &l);
	free(l.queue);
	if (rc == 0)
		out_end(&c->out);
	if (rc == 0 &&
	    ((queues == 0 && argc > 0) || (c->out.total == 0 && s->any)))
		rc = CLI_NONE;
	return cli_fail(c, rc);
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

/* The queues. */
static int
queues(struct cli *c, int argc, char **argv)
{
	struct listing l = {.c = c, .globs = argv, .nglobs = argc};
	char *prefix = prefix_of(argv, argc);
	int rc = queues_table(c) == -1 ? CLI_USAGE : 0;

	if (rc == 0)
		rc = look_queues(c, prefix, add, &l);
	if (rc == 0) {
		out_end(&c->out);
		totals(&l);
	}
	free(prefix);
	if (rc == 0 && l.queues == 0 && argc > 0)
		rc = CLI_NONE;
	return cli_fail(c, rc);
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct selector s;
	int rc = select_parse(c, &s);

	if (rc != 0)
		return rc;
	if (s.any || opts_has(&c->opts, "messages"))
		return messages(c, &s, argc, argv);
	return queues(c, argc, argv);
}

const struct cmd cmd_list = {
    .name = "list",
    .alias = "ls",
    .args = "[GLOB]... [SELECTORS]",
    .help = "List queues: how many messages, how old, who serves them",
    .flags = CMD_READS,
    .min = 0,
    .max = -1,
    .opts = opts,
    .run = run,
};
