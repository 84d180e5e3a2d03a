/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* cancel: end requests; who waits for an answer gets a failure. */
#include <poll.h>
#include <stdio.h>

#include <jansson.h>

#include "act.h"
#include "adapter.h"
#include "ask.h"
#include "clock.h"
#include "cmd.h"

#define KILL_NS (8 * NS_PER_SEC) /* TERM, five seconds, KILL, and some */
#define LOOK_MS 100

static const struct opt opts[] = {
    {"reason", 'r', OPT_TEXT, "TEXT", "why, for the caller and the record",
	"reply-error"},
    {"no-reply", 0, OPT_FLAG, NULL, "let the caller wait on", NULL},
    {"kill", 0, OPT_FLAG, NULL, "wait until its script has ended", NULL},
    ADAPTER_OPT,
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

/* Does the adapter still work on it?  -1: it does not answer. */
static int
at_work(struct cli *c, const struct chosen *m)
{
	json_t *list = NULL, *s;
	int found = 0;
	size_t i;

	if (adapter_ask(c, "adapter.scripts", NULL, &list) != 0)
		found = -1;
	json_array_foreach(list, i, s)
	{
		found |= str_eq(ask_str(s, "queue"), str_of(m->queue)) &&
		    ask_int(s, "id", -1) == m->id;
	}
	json_decref(list);
	return found;
}

/* The adapter ends a cancelled call's script; be there when it has. */
static int
await_end(struct cli *c, const struct chosen *m)
{
	int64_t until = clock_mono_ns() + KILL_NS;
	int found;

	while ((found = at_work(c, m)) == 1 && clock_mono_ns() < until)
		(void)poll(NULL, 0, LOOK_MS);
	if (found == 0)
		return 0;
	(void)err_set(&c->why, 1,
	    found == 1 ? "cancelled, but its script runs on (state D?); see"
			 " 'xmsg scripts'"
		       : "cancelled, but no adapter tells whether its script"
			 " has ended");
	return CLI_PART;
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
	if (rc == 0 && opts_has(&c->opts, "kill"))
		rc = await_end(c, m);
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
