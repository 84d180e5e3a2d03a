/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* tail: what happened last, and with -f what happens. */
#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "msgs.h"

#define LINES  20
#define WAIT_S 4 /* a long poll; shorter than the broker may be silent */
#define BATCH  10000

static const struct opt opts[] = {
    {"lines", 'n', OPT_NUMBER, "N", "the last N events [20]", NULL},
    {"follow", 'f', OPT_FLAG, NULL, "go on with new ones", NULL},
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
put(struct cli *c, const struct events *l)
{
	int64_t expected = l->n > 0 ? l->v[0].seq : 0;

	if (l->lost > 0)
		put_gap(c, l->lost);
	c->out.now = (double)clock_wall_ns() / 1e9;
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].seq > expected)
			put_gap(c, l->v[i].seq - expected);
		expected = l->v[i].seq + 1;
		if (c->json) {
			events_put(c, &l->v[i]);
			continue;
		}
		event_line(out_buf(&c->out), &l->v[i], c->out.now, c->utc);
		out_line(&c->out, false);
	}
	(void)out_flush(&c->out); /* remembered in c->out.failed */
}

static int
run(struct cli *c, int argc, char **argv)
{
	int64_t n = opts_number(&c->opts, "lines", LINES);
	bool follow = opts_has(&c->opts, "follow");
	struct events l = {0};
	int rc = events_table(c) == -1 ? CLI_USAGE : 0;
	int64_t next;

	(void)argc, (void)argv;
	if (rc == 0)
		rc = look_events(c, LOOK_LAST, n > 0 ? n : 1, 0, &l);
	while (rc == 0) {
		if (n > 0)
			put(c, &l);
		n = 1;
		next = l.next;
		events_fini(&l);
		if (!follow || c->offline || c->out.failed)
			break;
		ask_patiently(c);
		c->start_ns = clock_mono_ns();
		rc = look_events(c, next, BATCH, WAIT_S, &l);
	}
	events_fini(&l);
	return cli_fail(c, rc);
}

const struct cmd cmd_tail = {
    .name = "tail",
    .alias = "monitor",
    .help = "Show the last events, and with -f the new ones",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .opts = opts,
    .run = run,
};
