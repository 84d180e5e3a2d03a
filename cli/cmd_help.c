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
    {"environment",
	"XMSG_SOCKET  where the broker listens, as --socket\n"
	"XMSG_STATE   the state folder, as --offline=STATE without asking\n"
	"NO_COLOR     no colors when it is set\n"
	"COLUMNS      the width that charts aim at\n"},
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
    {"secrets",
	"Passwords and the like are masked (***) before anything is recorded,\n"
	"listed or logged; consumers get their messages unchanged.  Root may\n"
	"look, and it is recorded who did:\n"
	"  xmsg show zfs:17 --show-secrets    at a terminal\n"
	"  xmsg show zfs:17 --raw             the bytes\n"
	"  xmsg log                           who looked\n"
	"Further words that mark a secret: redact.keys in xmsg.conf(5).\n"},
    {"selectors",
	"Messages are named (QUEUE:ID, or - for lines of standard input) or\n"
	"chosen, by options that must all hold:\n"
	"  --queue GLOB   --method GLOB   --origin GLOB   --state STATE\n"
	"  --older 10m    --newer 1h      --size +1M      --grep TEXT\n"
	"  --id A-B       --limit N\n"
	"The same ones work for ls -m, hold, release, cancel, requeue, purge,\n"
	"dead, replay, and those that events know for tail, monitor, trace.\n"
	"What was chosen is shown and confirmed; --dry-run only shows it.\n"},
    {"states",
	"Of a message:\n"
	"  ready      not handed out yet\n"
	"  inflight   handed out, not acknowledged (also: delivered)\n"
	"  held       not handed out: by an operator (hold), or dead\n"
	"  dead       held by the broker: it ended its consumer too often, is\n"
	"             from before a reboot, or is damaged; see 'xmsg dead'\n"
	"  replied    has its answer\n"
	"  leaving    is being removed\n"
	"Of a queue: ok, idle, paused, held, no consumer, stalled.\n"},
    {"stuck",
	"Something hangs.  What to do:\n"
	"  xmsg ls                        which queue is stalled?\n"
	"  xmsg ls -m --older 1m          which messages?\n"
	"  xmsg why QUEUE[:ID]            why, in a sentence\n"
	"  xmsg show QUEUE:ID             what happened to it so far\n"
	"  xmsg cancel QUEUE:ID           end it: its caller gets an error, "
	"its\n"
	"                                 script ends; xmsg undo puts it back\n"
	"  xmsg replay                    what a crash or a reboot left\n"
	"  xmsg doctor                    is the machine in order?\n"},
    {"times",
	"Ages and limits: 30 or 30s, 500ms, 10m, 2h, also 0.5h.  --since of\n"
	"'calls' takes a time of day (18:30) or a date (2026-11-22 18:30), "
	"too.\n"
	"--utc shows times of day in UTC.  JSON has seconds since 1970.\n"},
};

static int
run_help(struct cli *c, int argc, char **argv)
{
	struct buf *b = out_buf(&c->out);
	const struct cmd *cmd;
	struct err e;

	if (argc == 0) {
		cmd_overview(b, c->prog, c->cmds, cmd_opts);
		buf_addf(
		    b, "'%s help TOPIC' knows these topics:\n   ", c->prog);
		for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
			buf_addf(b, " %s", topics[i].name);
		buf_addf(b, "\nSomething hangs?  Begin with '%s help stuck'.",
		    c->prog);
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
