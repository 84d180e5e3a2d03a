/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* shutdown: end the broker. */
#include "ask.h"
#include "cmd.h"

static int
run(struct cli *c, int argc, char **argv)
{
	struct xmsg *x = ask_xmsg(c);
	int rc;

	(void)argc, (void)argv;
	rc = ask_alive(c);
	if (rc != 0)
		return cli_fail(c, rc);
	xmsg_set_timeout(x, cli_left_ms(c));
	rc = xmsg_shutdown(x);
	return rc == XMSG_OK ? 0 : cli_fail(c, ask_failed(c, rc));
}

const struct cmd cmd_shutdown = {
    .name = "shutdown",
    .help = "End the broker; what it holds stays on disk",
    .flags = CMD_EXACT,
    .min = 0,
    .max = 0,
    .run = run,
};
