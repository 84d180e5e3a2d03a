/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * completion: a small script for the shell.  It asks xmsg itself what can stand
 * at a place (the hidden command "__complete"), so it never goes stale, and it
 * knows the queues and messages there are.
 */
#include <string.h>

#include "ask.h"
#include "cmd.h"
#include "look.h"
#include "text.h"

extern const char completion_bash[], completion_zsh[], completion_fish[];

static int
run(struct cli *c, int argc, char **argv)
{
	(void)argc;
	return cli_usage(c, "%s", argv[0]);
}

const struct cmd cmd_completion = {
    .name = "completion",
    .args = "bash|zsh|fish",
    .help = "Print the completion script of a shell",
    .flags = CMD_ALONE,
    .min = 1,
    .max = 1,
    .run = run,
};
