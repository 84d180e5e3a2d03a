/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * log: what operators did, from the flight recorder.  An act of an operator is
 * a change that came without a login: those of clients have a token.
 */
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "msgs.h"
#include "text.h"
#include "units.h"

#define LINES	 20
#define SEARCHED 100000
#define BATCH	 10000
#define WAIT_S	 4
#define NEAR	 16 /* events between the two halves of a cancel */

static const struct opt opts[] = {
    {"lines", 'n', OPT_NUMBER, "N", "the last N acts [20]", NULL},
    {"follow", 'f', OPT_FLAG, NULL, "go on with new ones", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum { L_TIME, L_ACT, L_REF, L_QUEUE, L_ID, L_PID, L_TEXT };

static const struct col cols[] = {
    [L_TIME] = {"time", "TIME", COL_TIME, false, "when"},
    [L_ACT] = {"verb", "ACT", COL_TEXT, false, "what was done"},
    [L_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID, or a queue"},
    [L_QUEUE] = {"queue", "QUEUE", COL_TEXT, true, "queue"},
    [L_ID] = {"id", "NUMBER", COL_INT, true, "number of the message"},
    [L_PID] = {"pid", "PID", COL_INT, false, "process that did it"},
    [L_TEXT] = {"text", "WHO AND WHY", COL_TEXT, false,
	"what is known of who and why"},
};

/* Words for types; NULL: no act. */
static const char *
act_of(const struct event *e)
{
	bool whole = e->id == 0;

	switch (e->type) {
	case RING_CREATE: return "create";
	case RING_DESTROY: return "destroy";
	case RING_ACK: return "ack";
	case RING_REPLY: return "reply";
	case RING_CANCEL: return "cancel";
	case RING_HOLD: return whole ? "pause" : "hold";
	case RING_RELEASE:
		return whole			       ? "resume"
		    : str_eq(e->text, STR("requeued")) ? "requeue"
		    : str_eq(e->text, STR("restored")) ? "undo"
						       : "release";
	default: return NULL;
	}
}

/* The failure that a cancel sent is recorded just before it. */
static bool
is_of_cancel(const struct events *l, const struct event *e)
{
	const struct event *end = l->v + l->n;

	for (const struct event *k = e + 1; k < end && k < e + NEAR; k++)
		if (k->type == RING_CANCEL && k->re_id == e->id)
			return true;
	return false;
}

static bool
is_act(void *arg, const struct event *e)
{
	bool nobody = e->client.n == 0 || str_eq(e->client, STR("operator"));

	if (e->type == RING_REPLY && is_of_cancel(arg, e))
		return false;
	return act_of(e) != NULL && e->pid > 0 &&
	    (nobody || e->type == RING_CANCEL || e->type == RING_HOLD ||
		e->type == RING_RELEASE);
}

/* A line, at once: what follows may take long. */
static void
put(struct cli *c, const struct event *e)
{
	struct buf ref = BUF_INIT, *b = out_buf(&c->out);
	char when[UNITS_MAX];

	buf_add(&ref, e->queue.p, e->queue.n);
	if (e->id != 0)
		buf_addf(&ref, ":%lld", (long long)e->id);
	if (c->json) {
		out_real(&c->out, L_TIME, e->time);
		out_text(&c->out, L_ACT, str_of(act_of(e)));
		out_text(&c->out, L_REF, (struct str){ref.p, ref.n});
		out_text(&c->out, L_QUEUE, e->queue);
		if (e->id != 0)
			out_int(&c->out, L_ID, e->id);
		out_int(&c->out, L_PID, e->pid);
		if (e->type == RING_CANCEL)
			out_text(&c->out, L_TEXT, e->text);
		out_row(&c->out);
	} else {
		units_time(when, e->time, c->out.now, c->utc);
		buf_addf(b, "%s  %-7s ", when, act_of(e));
		text_put(b, (struct str){ref.p, ref.n});
		buf_addf(b, "  pid %lld", (long long)e->pid);
		if (e->type == RING_CANCEL && e->text.n > 0) {
			buf_adds(b, "  ");
			text_put(b, e->text);
		}
		out_line(&c->out, false);
	}
	buf_fini(&ref);
}

static int
run(struct cli *c, int argc, char **argv)
{
	int64_t n = opts_number(&c->opts, "lines", LINES), next;
	bool follow = opts_has(&c->opts, "follow");
	struct events l = {0};
	int rc;

	(void)argc, (void)argv;
	if (out_table(&c->out, "act", cols, sizeof cols / sizeof *cols,
		&c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	rc = look_events(c, LOOK_LAST, SEARCHED, 0, &l);
	events_filter(&l, is_act, &l);
	events_drop(&l, l.n > (size_t)n ? l.n - (size_t)n : 0);
	while (rc == 0) {
		for (size_t i = 0; i < l.n; i++)
			put(c, &l.v[i]);
		(void)out_flush(&c->out); /* remembered in c->out.failed */
		next = l.next;
		events_fini(&l);
		if (!follow || c->offline || c->out.failed)
			break;
		ask_patiently(c);
		c->start_ns = clock_mono_ns();
		rc = look_events(c, next, BATCH, WAIT_S, &l);
		events_filter(&l, is_act, &l);
		c->out.now = (double)clock_wall_ns() / 1e9;
	}
	events_fini(&l);
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
