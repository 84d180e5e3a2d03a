/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* hold messages back, release them, hand them out again. */
#include "act.h"
#include "cmd.h"

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

/* Ids order a queue, and a message keeps its own. */
static const struct opt requeue_opts[] = {
    {"front", 0, OPT_FLAG, NULL, "before newer ones, as it is always", NULL},
    ACT_OPTS,
    SELECT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

const struct cmd cmd_requeue = {
    .name = "requeue",
    .args = "QUEUE:ID... | - | SELECTORS",
    .help = "Hand messages out again, also what is being worked on",
    .min = 0,
    .max = -1,
    .opts = requeue_opts,
    .run = run_requeue,
};
