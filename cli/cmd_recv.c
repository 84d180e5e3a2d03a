/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* recv: look at the messages of a queue, or take the oldest out of it. */
#include <unistd.h>

#include "ask.h"
#include "cmd.h"
#include "msgs.h"
#include "text.h"

static const struct opt opts[] = {
    {"peek", 'p', OPT_FLAG, NULL, "only look, take nothing", NULL},
    {"lines", 'n', OPT_NUMBER, "N", "at most N messages", NULL},
    {"after", 'a', OPT_NUMBER, "ID", "only those with a larger id", NULL},
    {"wait", 'w', OPT_SECONDS, "SEC", "wait so long for one", NULL},
    {"raw", 0, OPT_FLAG, NULL, "the bytes of the payload, nothing else", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static int
peek(struct cli *c, const char *queue)
{
	int64_t most = opts_number(&c->opts, "lines", INT64_MAX);
	int64_t after = opts_number(&c->opts, "after", -1);
	int rc = msgs_table(c) == -1 ? CLI_USAGE : 0;

	if (rc == 0)
		rc = look_messages(c, queue, after, most, true, msgs_add, c);
	if (rc == 0)
		out_end(&c->out);
	return cli_fail(c, rc);
}

/* Print one, and acknowledge it when it has been written. */
static int
take_one(struct cli *c, struct xmsg *x, const struct xmsg_message *m)
{
	struct buf *b = out_buf(&c->out);
	struct str s = {m->payload.p, m->payload.n};
	bool raw = opts_has(&c->opts, "raw");
	int rc;

	if (isatty(STDOUT_FILENO) && !raw)
		text_put(b, s);
	else
		buf_add(b, s.p, s.n);
	if (!raw && (s.n == 0 || s.p[s.n - 1] != '\n'))
		buf_addc(b, '\n');
	if (out_flush(&c->out) == -1)
		return CLI_PART;
	rc = xmsg_ack(x, m->queue, m->id);
	return rc == XMSG_OK ? 0 : ask_failed(c, rc);
}

/* Take messages, oldest first. */
static int
take(struct cli *c, const char *queue)
{
	int64_t most = opts_number(&c->opts, "lines", 1);
	int64_t wait_ns = opts_ns(&c->opts, "wait", 0);
	struct xmsg *x = ask_xmsg(c);
	struct xmsg_messages m = {NULL, 0, 0};
	int rc = ask_alive(c);

	if (rc == 0) {
		xmsg_set_timeout(x, cli_left_ms(c));
		rc = xmsg_transfer(x, &queue, 1,
		    opts_number(&c->opts, "after", -1),
		    (int)(wait_ns / 1000000), &m);
		rc = rc == XMSG_OK ? 0 : ask_failed(c, rc);
	}
	for (size_t i = 0; i < m.n && (int64_t)i < most && rc == 0; i++)
		rc = take_one(c, x, &m.v[i]);
	if (rc == 0 && m.n == 0) {
		(void)err_set(&c->why, 1, "%s: there is no message", queue);
		rc = wait_ns > 0 ? CLI_TIME : CLI_NONE;
	}
	xmsg_messages_free(&m);
	return cli_fail(c, rc);
}

static int
run(struct cli *c, int argc, char **argv)
{
	(void)argc;
	if (opts_has(&c->opts, "peek"))
		return peek(c, argv[0]);
	if (c->json || c->offline)
		return cli_usage(c, "%s goes with --peek only",
		    c->json ? "--json" : "--offline");
	return take(c, argv[0]);
}

const struct cmd cmd_recv = {
    .name = "recv",
    .args = "QUEUE",
    .help = "Take the oldest message out of a queue, or look (--peek)",
    .flags = CMD_READS,
    .min = 1,
    .max = 1,
    .opts = opts,
    .run = run,
};
