/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* log: what operators did, when, who they were, and why. */
#include <poll.h>
#include <pwd.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "look.h"
#include "text.h"
#include "units.h"

#define LINES	  20
#define MOST	  10000
#define LOOK_MS	  500 /* between two looks of -f */
#define UID_NOONE (-1)

static const struct opt opts[] = {
    {"lines", 'n', OPT_NUMBER, "N", "the last N acts [20]", NULL},
    {"follow", 'f', OPT_FLAG, NULL, "go on with new ones", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum {
	L_TIME,
	L_ACT,
	L_REF,
	L_QUEUE,
	L_ID,
	L_UID,
	L_PID,
	L_COMM,
	L_DONE,
	L_TEXT
};

static const struct col cols[] = {
    [L_TIME] = {"time", "TIME", COL_TIME, false, "when"},
    [L_ACT] = {"verb", "ACT", COL_TEXT, false, "what was done"},
    [L_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID, or a queue"},
    [L_QUEUE] = {"queue", "QUEUE", COL_TEXT, true, "queue"},
    [L_ID] = {"id", "NUMBER", COL_INT, true, "number of the message"},
    [L_UID] = {"uid", "UID", COL_INT, false, "user who did it"},
    [L_PID] = {"pid", "PID", COL_INT, false, "process that did it"},
    [L_COMM] = {"comm", "PROGRAM", COL_TEXT, false, "its name"},
    [L_DONE] = {"done", "DONE", COL_BOOL, true, "false: it was not allowed"},
    [L_TEXT] = {"text", "WHO AND WHY", COL_TEXT, false, "as it was recorded"},
};

/* QUEUE:ID, QUEUE, or nothing. */
static void
put_ref(struct buf *b, const struct look_act *a)
{
	buf_add(b, a->queue.p, a->queue.n);
	if (a->id != 0)
		buf_addf(
		    b, "%s%lld", a->queue.n > 0 ? ":" : "", (long long)a->id);
}

static void
put_json(struct cli *c, const struct look_act *a, struct str ref)
{
	struct out *o = &c->out;

	out_real(o, L_TIME, a->time);
	out_text(o, L_ACT, a->verb);
	out_text(o, L_REF, ref);
	out_text(o, L_QUEUE, a->queue);
	if (a->id != 0)
		out_int(o, L_ID, a->id);
	if (a->uid != UID_NOONE)
		out_int(o, L_UID, a->uid);
	out_int(o, L_PID, a->pid);
	out_text(o, L_COMM, a->comm);
	out_int(o, L_DONE, a->done);
	if (a->text.n > 0)
		out_text(o, L_TEXT, a->text);
	out_row(o);
}

/* "root, xmsg[812]" */
static void
put_who(struct buf *b, const struct look_act *a)
{
	const struct passwd *pw = getpwuid((uid_t)a->uid);

	if (pw != NULL)
		text_put(b, str_of(pw->pw_name));
	else
		buf_addf(b, "uid %lld", (long long)a->uid);
	buf_adds(b, ", ");
	text_put(b, a->comm);
	buf_addf(b, "[%lld]", (long long)a->pid);
}

/* A line, at once: what follows may take long. */
static void
put(void *arg, const struct look_act *a)
{
	struct cli *c = arg;
	struct buf ref = BUF_INIT, *b = out_buf(&c->out);
	char when[UNITS_MAX];

	put_ref(&ref, a);
	if (c->json) {
		put_json(c, a, (struct str){ref.p, ref.n});
	} else {
		units_time(when, a->time, c->out.now, c->utc);
		buf_addf(b, "%s  %-7.*s  ", when, (int)a->verb.n, a->verb.p);
		text_put(b, (struct str){ref.p, ref.n});
		buf_adds(b, ref.n > 0 ? "  " : "");
		put_who(b, a);
		if (!a->done)
			buf_adds(b, "  NOT ALLOWED");
		if (a->text.n > 0)
			buf_adds(b, "  ");
		text_put(b, a->text);
		out_line(&c->out, false);
	}
	buf_fini(&ref);
}

static int
run(struct cli *c, int argc, char **argv)
{
	bool follow = opts_has(&c->opts, "follow");
	int64_t n = opts_number(&c->opts, "lines", LINES), next = 0;
	int rc;

	(void)argc, (void)argv;
	if (out_table(&c->out, "act", cols, sizeof cols / sizeof *cols,
		&c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	/* none at all: only where to go on */
	rc = look_acts(
	    c, n > 0 ? LOOK_LAST : INT64_MAX, n > 0 ? n : 1, &next, put, c);
	while (rc == 0 && follow && !c->offline && !c->out.failed) {
		(void)out_flush(&c->out); /* remembered in c->out.failed */
		ask_patiently(c);
		(void)poll(NULL, 0, LOOK_MS);
		c->start_ns = clock_mono_ns();
		c->out.now = (double)clock_wall_ns() / 1e9;
		rc = look_acts(c, next, MOST, &next, put, c);
	}
	return cli_fail(c, rc);
}

const struct cmd cmd_log = {
    .name = "log",
    .help = "What operators did: cancel, hold, purge, undo and the like",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .opts = opts,
    .run = run,
};
