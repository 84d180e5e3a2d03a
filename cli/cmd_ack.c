/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* ack: drop messages without an answer. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "cmd.h"
#include "msgs.h"

static int
drop(struct cli *c, const char *queue, int64_t id)
{
	struct buf t = BUF_INIT;
	char number[24];
	int rc;

	snprintf(number, sizeof number, "%lld", (long long)id);
	ask_path(&t, "queues", queue, "messages", number);
	rc = ask(c, "DELETE", &t, STR(""), NULL);
	buf_fini(&t);
	if (rc == 0 && (c->json || c->verbose))
		ref_add(c, queue, id);
	else if (rc != 0)
		(void)err_prefix(&c->why, "%s:%s", queue, number);
	return cli_fail(c, rc);
}

static int
drop_word(struct cli *c, const char *word)
{
	char queue[256];
	int64_t id;
	int rc = msgs_id(c, word, queue, &id);

	return rc != 0 ? rc : drop(c, queue, id);
}

/* The old way to say it: QUEUE ID. */
static bool
is_pair(int argc, char **argv, int64_t *id)
{
	char end;

	return argc == 2 && strlen(argv[1]) <= 18 &&
	    strspn(argv[1], "0123456789") == strlen(argv[1]) &&
	    sscanf(argv[1], "%ld%c", id, &end) == 1;
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct tally t = {0, 0, 0};
	int64_t id;

	if (ref_table(c, "acked") == -1)
		return cli_fail(c, CLI_USAGE);
	if (is_pair(argc, argv, &id))
		tally_add(&t, drop(c, argv[0], id));
	else
		t = cli_each(c, argc, argv, drop_word);
	out_end(&c->out);
	return tally_code(&t);
}

const struct cmd cmd_ack = {
    .name = "ack",
    .args = "QUEUE:ID... | QUEUE ID | -",
    .help = "Drop messages without an answer",
    .flags = CMD_EXACT,
    .min = 1,
    .max = -1,
    .run = run,
};
