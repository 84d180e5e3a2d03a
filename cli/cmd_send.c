/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* send: publish one message. */
#include "ask.h"
#include "cmd.h"
#include "text.h"

static const struct opt opts[] = {
    {"body", 'b', OPT_TEXT, "TEXT", "the message", NULL},
    {"file", 'f', OPT_TEXT, "FILE", "the message is in this file", NULL},
    {"reply-to", 'r', OPT_TEXT, "QUEUE", "where the answer goes", NULL},
    {"create", 0, OPT_FLAG, NULL, "make the queue when it is missing", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static const struct col cols[] = {
    {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the message"},
    {"queue", "QUEUE", COL_TEXT, false, "queue"},
    {"id", "NUMBER", COL_INT, false, "number of the message"},
};

/* Say which id it got. */
static void
report(struct cli *c, const char *queue, int64_t id)
{
	struct buf ref = BUF_INIT;

	buf_addf(&ref, "%s:%lld", queue, (long long)id);
	if (c->json) {
		out_text(&c->out, 0, (struct str){ref.p, ref.n});
		out_text(&c->out, 1, str_of(queue));
		out_int(&c->out, 2, id);
		out_row(&c->out);
	} else if (!c->quiet) {
		text_put(out_buf(&c->out), (struct str){ref.p, ref.n});
		out_line(&c->out, false);
	}
	buf_fini(&ref);
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct buf body = BUF_INIT;
	struct xmsg *x = ask_xmsg(c);
	int64_t id = -1;
	int rc;

	if (x == NULL || out_table(&c->out, "sent", cols, 3, &c->why) == -1)
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
	if (rc == 0)
		report(c, argv[0], id);
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
