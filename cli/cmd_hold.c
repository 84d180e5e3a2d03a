/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* hold messages back, release them, answer them by hand. */
#include <stdio.h>

#include <jansson.h>

#include "ask.h"
#include "cmd.h"
#include "msgs.h"

/* ---- hold and release ---- */

/* One message; what to do with it is the command's name. */
static int
mark(struct cli *c, const char *word)
{
	struct buf t = BUF_INIT;
	char queue[256], number[24];
	int64_t id;
	int rc = msgs_id(c, word, queue, &id);

	if (rc != 0)
		return rc;
	snprintf(number, sizeof number, "%lld", (long long)id);
	ask_path(&t, "queues", queue, "messages", number, c->cmd->name);
	rc = ask(c, "POST", &t, STR(""), NULL);
	buf_fini(&t);
	if (rc == 0 && (c->json || c->verbose))
		ref_add(c, queue, id);
	else if (rc != 0)
		(void)err_prefix(&c->why, "%s:%s", queue, number);
	return cli_fail(c, rc);
}

static int
run_mark(struct cli *c, int argc, char **argv)
{
	struct tally t;

	if (ref_table(c, c->cmd->alias) == -1)
		return cli_fail(c, CLI_USAGE);
	t = cli_each(c, argc, argv, mark);
	out_end(&c->out);
	if (!c->json && !c->quiet && t.done > 0) {
		buf_addf(out_buf(&c->out), "%d %s", t.done, c->cmd->alias);
		out_line(&c->out, false);
	}
	return tally_code(&t);
}

const struct cmd cmd_hold = {
    .name = "hold",
    .alias = "held",
    .args = "QUEUE:ID... | -",
    .help = "Keep messages from being delivered",
    .min = 1,
    .max = -1,
    .run = run_mark,
};

const struct cmd cmd_release = {
    .name = "release",
    .alias = "released",
    .args = "QUEUE:ID... | -",
    .help = "Let held messages be delivered",
    .min = 1,
    .max = -1,
    .run = run_mark,
};

/* ---- reply ---- */

static const struct opt opts[] = {
    {"body", 'b', OPT_TEXT, "TEXT", "the answer", NULL},
    {"file", 'f', OPT_TEXT, "FILE", "the answer is in this file", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static int
run_reply(struct cli *c, int argc, char **argv)
{
	struct buf body = BUF_INIT, t = BUF_INIT;
	char queue[256], number[24], to[256];
	json_t *j = NULL;
	int64_t id;
	int rc = msgs_id(c, argv[0], queue, &id);

	if (rc != 0 ||
	    (rc = cli_body(c, argc > 1 ? argv[1] : NULL, &body)) != 0)
		return rc;
	if (ref_table(c, "replied") == -1)
		return cli_fail(c, CLI_USAGE);
	snprintf(number, sizeof number, "%lld", (long long)id);
	ask_path(&t, "queues", queue, "messages", number, "reply");
	rc = ask(c, "POST", &t, (struct str){body.p, body.n}, &j);
	buf_fini(&t);
	buf_fini(&body);
	if (rc == 0) {
		struct str q = ask_str(j, "queue");

		snprintf(to, sizeof to, "%.*s", (int)q.n, q.p ? q.p : "");
		if (q.n > 0 && (!c->quiet || c->json))
			ref_add(c, to, ask_int(j, "id", -1));
		out_end(&c->out);
		if (ask_int(j, "duplicate", 0))
			cli_say(c,
			    "it had been answered before;"
			    " the caller gets that answer");
	}
	json_decref(j);
	return cli_fail(c, rc);
}

const struct cmd cmd_reply = {
    .name = "reply",
    .args = "QUEUE:ID [-]",
    .help = "Answer a request by hand, as if its server had",
    .min = 1,
    .max = 2,
    .opts = opts,
    .run = run_reply,
};
