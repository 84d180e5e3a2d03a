/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * dead: messages that will not go on by themselves, with the reason: their
 * delivery ended their consumer, or they are from before a reboot.
 */
#include "cmd.h"
#include "msgs.h"
#include "select.h"

static const struct opt opts[] = {
    SELECT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static int
run(struct cli *c, int argc, char **argv)
{
	struct selector s;
	int rc = select_parse(c, &s);

	if (rc != 0)
		return rc;
	s.state = "dead";
	s.filter.state = "held";
	if (c->out.columns == NULL && !c->json)
		c->out.columns = "ref,age_s,what,origin,deliveries,reason";
	if (msgs_table(c) == -1)
		return cli_fail(c, CLI_USAGE);
	rc = select_each(c, &s, argv, argc, NULL, msgs_add, c);
	if (rc == 0) {
		out_end(&c->out);
		rc = c->out.total == 0 ? cli_none(c, "dead letter") : 0;
	}
	return cli_fail(c, rc);
}

const struct cmd cmd_dead = {
    .name = "dead",
    .args = "[GLOB]... [SELECTORS]",
    .help = "List messages that will not go on by themselves, and why",
    .flags = CMD_READS,
    .min = 0,
    .max = -1,
    .opts = opts,
    .run = run,
};
