/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* send: publish one message. */
#include "ask.h"
#include "cmd.h"
#include "msgs.h"

static const struct opt opts[] = {
    {"body", 'b', OPT_TEXT, "TEXT", "the message", NULL},
    {"file", 'f', OPT_TEXT, "FILE", "the message is in this file", NULL},
    {"reply-to", 'r', OPT_TEXT, "QUEUE", "where the answer goes", NULL},
    {"create", 0, OPT_FLAG, NULL, "make the queue when it is missing", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static int
run(struct cli *c, int argc, char **argv)
{
	struct buf body = BUF_INIT;
	struct xmsg *x = ask_xmsg(c);
	int64_t id = -1;
	int rc;

	if (x == NULL || ref_table(c, "sent") == -1)
		return cli_fail(c, CLI_USAGE);
	rc = cli_body(c, argc > 1 ? argv[1] : NULL, &body);
	if (rc == 0)
		rc = ask_alive(c);
	xmsg_set_timeout(x, cli_left_ms(c));
	if (rc == 0 && opts_has(&c->opts, "create") &&
	    xmsg_create(x, argv[0], XMSG_PERSISTENT) != XMSG_OK)
		rc = ask_failed(c, xmsg_rc(x));
	if (rc == 0 &&
	    xmsg_send(x, argv[0], opts_text(&c->opts, "reply-to", NULL),
		(struct xmsg_bytes){body.p, body.n}, &id) != XMSG_OK)
		rc = ask_failed(c, xmsg_rc(x));
	if (rc == 0 && (!c->quiet || c->json))
		ref_add(c, argv[0], id);
	out_end(&c->out);
	buf_fini(&body);
	return cli_fail(c, rc);
}

const struct cmd cmd_send = {
    .name = "send",
    .args = "QUEUE [-]",
    .help = "Publish a message and print its id",
    .min = 1,
    .max = 2,
    .opts = opts,
    .run = run,
};
