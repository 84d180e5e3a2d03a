/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* help and version. */
#include <string.h>

#include "cmd.h"
#include "version.h"

/* Texts that are no command's. */
static const struct {
	const char *name, *text;
} topics[] = {
    {"exit",
	"Exit statuses:\n"
	"  0    done\n"
	"  1    nothing matched, not found\n"
	"  2    the command line makes no sense\n"
	"  3    no broker answers (also when the state folder was read)\n"
	"  4    refused: no permission, a limit, not confirmed\n"
	"  5    done in part\n"
	"  6    the time limit passed\n"
	"  130  interrupted\n"},
    {"ids",
	"A message is named QUEUE:ID everywhere: listings print it in that\n"
	"form, commands take it, '-' reads one a line from standard input:\n"
	"  xmsg recv --peek --no-header zfs | xmsg hold -\n"},
    {"json",
	"With --json every line is one object.  \"schema\" is the version of\n"
	"their form, \"object\" says what it is; xmsg(1) lists the fields.\n"
	"Ignore fields that you do not know.\n"},
    {"offline",
	"When no broker answers, commands that only read say so and read the\n"
	"state folder (/var/lib/xmsg, XMSG_STATE, --offline=STATE); their\n"
	"status is 3 then.  With --offline they do not ask at all, status "
	"0.\n"},
};

static int
run_help(struct cli *c, int argc, char **argv)
{
	struct buf *b = out_buf(&c->out);
	const struct cmd *cmd;
	struct err e;

	if (argc == 0) {
		cmd_overview(b, c->prog, c->cmds, cmd_opts);
		buf_adds(b, "Topics of 'help':");
		for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
			buf_addf(b, " %s", topics[i].name);
		out_line(&c->out, false);
		return CLI_DONE;
	}
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
		if (strcmp(topics[i].name, argv[0]) == 0) {
			buf_adds(b, topics[i].text);
			return CLI_DONE;
		}
	}
	cmd = cmd_find(c->cmds, argv[0], &e);
	if (cmd == NULL)
		return cli_usage(c, "%s", e.text);
	cmd_usage(b, c->prog, cmd, cmd_opts);
	return CLI_DONE;
}

const struct cmd cmd_help = {
    .name = "help",
    .args = "[COMMAND|TOPIC]",
    .help = "Say how to use a command, or about a topic",
    .flags = CMD_ALONE,
    .min = 0,
    .max = 1,
    .run = run_help,
};

static int
run_version(struct cli *c, int argc, char **argv)
{
	struct buf *b = out_buf(&c->out);

	(void)argc, (void)argv;
	if (c->json)
		buf_addf(b,
		    "{\"schema\":%d,\"object\":\"version\",\"version\":\"%s\"}",
		    OUT_SCHEMA, XMSG_VERSION);
	else
		buf_addf(b, "%s %s", c->prog, XMSG_VERSION);
	out_line(&c->out, false);
	return CLI_DONE;
}

const struct cmd cmd_version = {
    .name = "version",
    .help = "Print the version",
    .flags = CMD_ALONE,
    .min = 0,
    .max = 0,
    .run = run_version,
};
