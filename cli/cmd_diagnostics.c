/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* diagnostics: everything there is to see, in one report. */
#include "ask.h"
#include "cmd.h"
#include "msgs.h"

static void
title(struct cli *c, const char *text)
{
	if (c->json)
		return;
	if (out_buf(&c->out)->n > 0)
		buf_addc(out_buf(&c->out), '\n');
	buf_addf(out_buf(&c->out), "== %s ==", text);
	out_line(&c->out, true);
}

/* Another command, without operands; what fails is said, the rest goes on. */
static int
part(struct cli *c, const char *name, const struct cmd *cmd)
{
	const struct cmd *self = c->cmd;
	int rc;

	if (c->offline && !(cmd->flags & CMD_READS))
		return CLI_DONE;
	title(c, name);
	c->cmd = cmd;
	rc = cmd->run(c, 0, NULL);
	c->cmd = self;
	return rc;
}

static int
run(struct cli *c, int argc, char **argv)
{
	static const struct opt lists = {.name = "messages"};
	static const struct opt lines = {.name = "lines"};
	struct tally t = {0, 0, 0};

	(void)argc, (void)argv;
	c->out.columns = c->out.sort = NULL; /* they fit one table only */
	if (!c->offline && ask_alive(c) != 0 && look_turn(c) != 0)
		return CLI_DEAD;
	tally_add(&t, part(c, "broker", &cmd_status));
	tally_add(&t, part(c, "queues", &cmd_list));
	opts_add(&c->opts, &lists, NULL);
	opts_add(&c->opts, &lines, "20");
	tally_add(&t, part(c, "oldest messages of each queue", &cmd_list));
	if (!c->offline)
		tally_add(&t, part(c, "clients", &cmd_clients));
	opts_add(&c->opts, &lines, "50");
	tally_add(&t, part(c, "last events", &cmd_tail));
	if (!c->json)
		tally_add(&t, part(c, "chart", &cmd_trace));
	return tally_code(&t);
}

const struct cmd cmd_diagnostics = {
    .name = "diagnostics",
    .help = "One report: broker, queues, messages, clients, events, chart",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .run = run,
};
