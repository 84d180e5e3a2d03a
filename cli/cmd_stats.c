/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* stats: how often and how fast calls were answered, by queue and method. */
#include "ask.h"
#include "callstat.h"
#include "cmd.h"
#include "look.h"
#include "select.h"

#define EVENTS 100000

static const struct opt opts[] = {
    {"lines", 'n', OPT_NUMBER, "N", "from N messages and answers [100000]",
	NULL},
    {"prometheus", 0, OPT_FLAG, NULL, "the broker's metrics instead", NULL},
    SELECT_EVENT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum {
	S_QUEUE,
	S_METHOD,
	S_CALLS,
	S_OPEN,
	S_FAILED,
	S_CANCELLED,
	S_P50,
	S_P99,
	S_MAX,
	S_BYTES
};

static const struct col cols[] = {
    [S_QUEUE] = {"queue", "QUEUE", COL_TEXT, false, "queue of the calls"},
    [S_METHOD] = {"method", "METHOD", COL_TEXT, false, "what they call"},
    [S_CALLS] = {"calls", "CALLS", COL_INT, false, "calls seen"},
    [S_OPEN] = {"open", "OPEN", COL_INT, false, "without an answer"},
    [S_FAILED] = {"failed", "FAILED", COL_INT, false,
	"answered with a failure"},
    [S_CANCELLED] = {"cancelled", "CANCELLED", COL_INT, true,
	"ended by an operator"},
    [S_P50] = {"p50_s", "P50", COL_TOOK, false, "half was faster"},
    [S_P99] = {"p99_s", "P99", COL_TOOK, false, "99 of 100 were faster"},
    [S_MAX] = {"max_s", "MAX", COL_TOOK, false, "the slowest"},
    [S_BYTES] = {"bytes", "BYTES", COL_SIZE, true, "of their payloads"},
};

static void
put(struct cli *c, const struct callstat *s)
{
	struct out *o = &c->out;

	out_text(o, S_QUEUE, str_of(s->queue));
	out_text(o, S_METHOD, str_of(s->method));
	out_int(o, S_CALLS, s->calls);
	out_int(o, S_OPEN, s->calls - s->answered - s->cancelled);
	out_int(o, S_FAILED, s->failed);
	out_paint(o, S_FAILED, s->failed > 0 ? PAINT_BAD : PAINT_NONE);
	out_int(o, S_CANCELLED, s->cancelled);
	if (s->max_s >= 0) {
		out_real(o, S_P50, s->p50_s);
		out_real(o, S_P99, s->p99_s);
		out_real(o, S_MAX, s->max_s);
	}
	out_int(o, S_BYTES, s->bytes);
	out_row(o);
}

/* As it comes. */
static int
metrics(struct cli *c)
{
	struct xmsg *x = ask_xmsg(c);
	struct xmsg_bytes text = {NULL, 0};
	int rc, status = 0;

	if (x == NULL)
		return CLI_USAGE;
	xmsg_set_timeout(x, cli_left_ms(c));
	rc = xmsg_http(
	    x, "GET", "/metrics", (struct xmsg_bytes){NULL, 0}, &status, &text);
	if (rc != XMSG_OK)
		return ask_failed(c, rc);
	if (status == 200)
		buf_add(out_buf(&c->out), text.p, text.n);
	else
		(void)err_set(&c->why, 1,
		    "the broker has no /metrics (status %d)", status);
	xmsg_bytes_free(&text);
	return status == 200 ? 0 : CLI_REFUSED;
}

static int
run(struct cli *c, int argc, char **argv)
{
	static const unsigned char spare[] = {S_FAILED, S_OPEN, S_P50};
	struct events l = {0};
	struct selector s;
	struct callstat *v;
	size_t n;
	int rc = select_parse(c, &s);

	(void)argc, (void)argv;
	if (rc != 0)
		return rc;
	if (opts_has(&c->opts, "prometheus") && c->offline)
		return cli_usage(c, "metrics come from the broker only");
	if (opts_has(&c->opts, "prometheus"))
		return cli_fail(c, metrics(c));
	if (out_table(&c->out, "stat", cols, sizeof cols / sizeof *cols,
		&c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	out_spare(&c->out, spare, sizeof spare);
	/* of N events; those of other kinds are not counted, nor sent */
	c->event_kinds = "publish,reply,cancel";
	rc = look_events(
	    c, LOOK_LAST, opts_number(&c->opts, "lines", EVENTS), 0, &l);
	c->event_kinds = NULL;
	if (rc == 0) {
		if (s.any)
			select_events(&s, &l);
		v = callstat_of(&l, &n);
		for (size_t i = 0; i < n; i++)
			put(c, &v[i]);
		callstat_free(v, n);
		out_end(&c->out);
	}
	events_fini(&l);
	return cli_fail(c, rc);
}

const struct cmd cmd_stats = {
    .name = "stats",
    .help = "How often and how fast calls were answered, by queue and method",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .opts = opts,
    .run = run,
};
