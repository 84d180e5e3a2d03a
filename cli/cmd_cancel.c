/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* cancel: end requests; who waits for an answer gets a failure. */
#include <stdio.h>

#include "act.h"
#include "ask.h"
#include "cmd.h"

static const struct opt opts[] = {
    {"reason", 'r', OPT_TEXT, "TEXT", "why, for the caller and the record",
	"reply-error"},
    {"no-reply", 0, OPT_FLAG, NULL, "let the caller wait on", NULL},
    ACT_OPTS,
    SELECT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* Without an answer it is an acknowledgement. */
static int
drop(struct cli *c, const struct chosen *m)
{
	struct buf t = BUF_INIT;
	char number[24];
	int rc;

	snprintf(number, sizeof number, "%lld", (long long)m->id);
	ask_path(&t, "queues", m->queue, "messages", number);
	rc = ask(c, "DELETE", &t, STR(""), NULL);
	buf_fini(&t);
	return rc;
}

static int
cancel(struct cli *c, const struct chosen *m, struct acted *r)
{
	struct buf body = BUF_INIT;
	int rc;

	if (opts_has(&c->opts, "no-reply"))
		return drop(c, m);
	act_reason(&body, opts_text(&c->opts, "reason", NULL));
	rc = act_post(c, m, "cancel", (struct str){body.p, body.n}, r);
	buf_fini(&body);
	return rc;
}

static int
run(struct cli *c, int argc, char **argv)
{
	static const struct act a = {
	    .verb = "cancel",
	    .done = "cancelled",
	    .ask = true,
	    .each = true,
	    .one = cancel,
	};

	return act_run(c, argc, argv, &a);
}

const struct cmd cmd_cancel = {
    .name = "cancel",
    .alias = "rm",
    .args = "QUEUE:ID... | - | SELECTORS",
    .help = "End requests: their callers are told, their scripts end",
    .flags = CMD_EXACT,
    .min = 0,
    .max = -1,
    .opts = opts,
    .run = run,
};
