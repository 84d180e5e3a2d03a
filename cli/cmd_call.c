/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* call: publish a request and print its reply. */
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "rpc.h"
#include "text.h"
#include "units.h"

static const struct opt opts[] = {
    {"body", 'b', OPT_TEXT, "TEXT", "the request", NULL},
    {"file", 'f', OPT_TEXT, "FILE", "the request is in this file", NULL},
    {"create", 0, OPT_FLAG, NULL, "make the queue when it is missing", NULL},
    {"raw", 0, OPT_FLAG, NULL, "the bytes of the reply, nothing else", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static const struct col cols[] = {
    {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the request"},
    {"queue", "QUEUE", COL_TEXT, false, "queue"},
    {"id", "NUMBER", COL_INT, false, "number of the request"},
    {"duration_s", "TOOK", COL_TOOK, false, "until the reply came"},
    {"reply", "REPLY", COL_TEXT, false, "the reply, as text"},
};

static void
report_json(struct cli *c, const struct rpc *r)
{
	struct buf ref = BUF_INIT;

	buf_addf(&ref, "%s:%lld", r->queue, (long long)r->id);
	out_text(&c->out, 0, (struct str){ref.p, ref.n});
	out_text(&c->out, 1, str_of(r->queue));
	out_int(&c->out, 2, r->id);
	out_real(&c->out, 3, r->took_s);
	out_text(&c->out, 4, (struct str){r->reply.p, r->reply.n});
	out_row(&c->out);
	out_end(&c->out);
	buf_fini(&ref);
}

/* The reply: safe for a terminal, byte for byte for anything else. */
static void
report(struct cli *c, const struct rpc *r)
{
	struct buf *b = out_buf(&c->out);
	struct str s = {r->reply.p, r->reply.n};
	bool raw = opts_has(&c->opts, "raw");

	if (isatty(STDOUT_FILENO) && !raw)
		text_put(b, s);
	else
		buf_add(b, s.p, s.n);
	if (!raw && (s.n == 0 || s.p[s.n - 1] != '\n'))
		out_line(&c->out, true);
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct buf body = BUF_INIT;
	struct rpc r = {.queue = argv[0], .limit_ns = c->limit_ns};
	char took[UNITS_MAX];
	int rc;

	if (out_table(&c->out, "reply", cols, 5, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	rc = cli_body(c, argc > 1 ? argv[1] : NULL, &body);
	r.request = (struct xmsg_bytes){body.p, body.n};
	r.flags = opts_has(&c->opts, "create") ? XMSG_CREATE : 0;
	if (rc == 0)
		rc = rpc_call(c, &r);
	if (rc == 0 && c->json)
		report_json(c, &r);
	else if (rc == 0)
		report(c, &r);
	if (rc == 0 && c->verbose) {
		units_took(took, r.took_s);
		cli_say(c, "%s:%lld answered after %s", r.queue,
		    (long long)r.id, took);
	}
	xmsg_bytes_free(&r.reply);
	buf_fini(&body);
	return cli_fail(c, rc);
}

const struct cmd cmd_call = {
    .name = "call",
    .args = "QUEUE [-]",
    .help = "Publish a request and print its reply",
    .min = 1,
    .max = 2,
    .opts = opts,
    .run = run,
};
