/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* tail: what happened last, and with -f what happens.  monitor: what happens. */
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "msgs.h"
#include "select.h"

#define LINES	 20
#define WAIT_S	 4 /* a long poll; shorter than the broker may be silent */
#define BATCH	 1000 /* one answer: more would not wait for its turn */
#define SEARCHED 100000 /* events looked through for those chosen */

static const struct opt opts[] = {
    {"lines", 'n', OPT_NUMBER, "N", "the last N events [20]", NULL},
    {"follow", 'f', OPT_FLAG, NULL, "go on with new ones", NULL},
    SELECT_EVENT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* Events were overwritten before they could be shown. */
static void
put_gap(struct cli *c, int64_t lost)
{
	struct buf *b = out_buf(&c->out);

	if (c->json)
		buf_addf(b, "{\"schema\":%d,\"object\":\"gap\",\"lost\":%lld}",
		    OUT_SCHEMA, (long long)lost);
	else
		buf_addf(b,
		    "-- %lld events were overwritten before they could"
		    " be shown --",
		    (long long)lost);
	out_line(&c->out, false);
}

static void
put(struct cli *c, const struct selector *s, struct select_seen **seen,
    const struct events *l)
{
	int64_t expected = l->n > 0 ? l->v[0].seq : 0;

	if (l->lost > 0)
		put_gap(c, l->lost);
	c->out.now = (double)clock_wall_ns() / 1e9;
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].seq > expected)
			put_gap(c, l->v[i].seq - expected);
		expected = l->v[i].seq + 1;
		if (!select_event(s, seen, &l->v[i]))
			continue;
		if (c->json) {
			events_put(c, &l->v[i]);
			continue;
		}
		event_line(out_buf(&c->out), &l->v[i], c->out.now, c->utc);
		out_line(&c->out, false);
	}
	(void)out_flush(&c->out); /* remembered in c->out.failed */
}

/* The newest n, of those that are chosen. */
static void
newest(struct events *l, const struct selector *s, int64_t n)
{
	size_t drop;

	if (s->any)
		select_events(s, l);
	drop = l->n > (size_t)n ? l->n - (size_t)n : 0;
	events_drop(l, drop);
}

static int
watch(struct cli *c, const struct selector *s, int64_t n, bool follow)
{
	struct select_seen *seen = NULL;
	struct events l = {0};
	int64_t next, most = s->any ? SEARCHED : n > 0 ? n : 1;
	int rc = look_events(c, LOOK_LAST, most, 0, &l);

	if (follow)
		cli_stand_back();
	if (rc == 0)
		newest(&l, s, n);
	while (rc == 0) {
		put(c, s, &seen, &l);
		next = l.next;
		events_fini(&l);
		if (!follow || c->offline || c->out.failed)
			break;
		ask_patiently(c);
		c->start_ns = clock_mono_ns();
		rc = look_events(c, next, BATCH, WAIT_S, &l);
	}
	events_fini(&l);
	select_forget(&seen);
	return cli_fail(c, rc);
}

static int
run(struct cli *c, int argc, char **argv)
{
	bool monitor = strcmp(c->cmd->name, "monitor") == 0;
	struct selector s;
	int rc = select_parse(c, &s);

	(void)argc, (void)argv;
	if (rc != 0)
		return rc;
	if (events_table(c) == -1)
		return cli_fail(c, CLI_USAGE);
	return watch(c, &s, opts_number(&c->opts, "lines", monitor ? 0 : LINES),
	    monitor || opts_has(&c->opts, "follow"));
}

const struct cmd cmd_tail = {
    .name = "tail",
    .help = "Show the last events, and with -f the new ones",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .opts = opts,
    .run = run,
};

static const struct opt monitor_opts[] = {
    {"lines", 'n', OPT_NUMBER, "N", "begin with the last N [0]", NULL},
    SELECT_EVENT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

const struct cmd cmd_monitor = {
    .name = "monitor",
    .args = "[SELECTORS]",
    .help = "Show events as they happen",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .opts = monitor_opts,
    .run = run,
};
