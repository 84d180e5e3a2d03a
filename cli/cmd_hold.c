/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* hold messages back, release them, hand them out again, answer them by hand. */
#include <stdio.h>

#include <jansson.h>

#include "act.h"
#include "ask.h"
#include "cmd.h"
#include "msgs.h"

/* ---- hold, release, requeue ---- */

static const struct opt mark_opts[] = {
    ACT_OPTS,
    SELECT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* One message; what to do with it is the command's name. */
static int
mark(struct cli *c, const struct chosen *m, struct acted *r)
{
	return act_post(c, m, c->cmd->name, STR(""), r);
}

static int
run_hold(struct cli *c, int argc, char **argv)
{
	static const struct act a = {
	    .verb = "hold", .done = "held", .one = mark};

	return act_run(c, argc, argv, &a);
}

static int
run_release(struct cli *c, int argc, char **argv)
{
	static const struct act a = {
	    .verb = "release", .done = "released", .one = mark};

	return act_run(c, argc, argv, &a);
}

/* What is being worked on will be worked on twice, so a selection is asked
 * about. */
static int
run_requeue(struct cli *c, int argc, char **argv)
{
	static const struct act a = {
	    .verb = "requeue", .done = "requeued", .ask = true, .one = mark};

	return act_run(c, argc, argv, &a);
}

const struct cmd cmd_hold = {
    .name = "hold",
    .alias = "held",
    .args = "QUEUE:ID... | - | SELECTORS",
    .help = "Keep messages from being delivered",
    .min = 0,
    .max = -1,
    .opts = mark_opts,
    .run = run_hold,
};

const struct cmd cmd_release = {
    .name = "release",
    .alias = "released",
    .args = "QUEUE:ID... | - | SELECTORS",
    .help = "Let held messages be delivered",
    .min = 0,
    .max = -1,
    .opts = mark_opts,
    .run = run_release,
};

const struct cmd cmd_requeue = {
    .name = "requeue",
    .args = "QUEUE:ID... | - | SELECTORS",
    .help = "Hand messages out again, also what is being worked on",
    .min = 0,
    .max = -1,
    .opts = mark_opts,
    .run = run_requeue,
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
