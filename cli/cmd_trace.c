/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* trace and mscgen: the last messages as a sequence chart. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "chart.h"
#include "clock.h"
#include "cmd.h"
#include "msgs.h"
#include "select.h"

#define LAST	50
#define EVENTS	8 /* events that one message may cause, and more */
#define COLUMNS 100
#define MOST	100000 /* events looked at */

static const struct opt opts[] = {
    {"lines", 'n', OPT_NUMBER, "N",
	"the last N requests and replies [50]; 0: all", NULL},
    {"format", 'F', OPT_WORD, "text|mscgen|mermaid|table|json",
	"form of the chart [text]", NULL},
    {"gap", 'g', OPT_SECONDS, "SEC", "mark pauses longer than this [1]", NULL},
    SELECT_EVENT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* How wide is the terminal? */
static size_t
columns(void)
{
	const char *env = getenv("COLUMNS");
	struct winsize ws;
	long n = env != NULL ? strtol(env, NULL, 10) : 0;

	if (n > 0 && n < 1000)
		return (size_t)n;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return ws.ws_col;
	return COLUMNS;
}

static int
put_table(struct cli *c, const struct events *l)
{
	if (events_table(c) == -1)
		return CLI_USAGE;
	for (size_t i = 0; i < l->n; i++)
		events_put(c, &l->v[i]);
	out_end(&c->out);
	return CLI_DONE;
}

static int
draw(struct cli *c, const char *format)
{
	static const char *const forms[] = {
	    [CHART_TEXT] = "text",
	    [CHART_MSCGEN] = "mscgen",
	    [CHART_MERMAID] = "mermaid",
	};
	struct chart_options o = {
	    .last = (size_t)opts_number(&c->opts, "lines", LAST),
	    .gap_s = (double)opts_ns(&c->opts, "gap", NS_PER_SEC) / 1e9,
	    .now = c->out.now,
	    .columns = columns(),
	    .utc = c->utc,
	};
	struct events l = {0};
	int64_t most = (int64_t)o.last * EVENTS + 1000;
	struct selector s;
	int form = 0, rc = select_parse(c, &s);

	if (rc != 0)
		return rc;
	if (most > MOST || o.last == 0 || s.any)
		most = MOST;
	rc = look_events(c, o.last == 0 ? -1 : LOOK_LAST, most, 0, &l);
	if (s.any)
		select_events(&s, &l);
	while (form < CHART_MERMAID && strcmp(forms[form], format) != 0)
		form++;
	if (rc == 0 && (c->json || strcmp(format, "json") == 0)) {
		c->out.json = true;
		rc = put_table(c, &l);
	} else if (rc == 0 && strcmp(format, "table") == 0) {
		rc = put_table(c, &l);
	} else if (rc == 0) {
		chart_put(out_buf(&c->out), (enum chart_form)form, &l, &o);
	}
	events_fini(&l);
	return cli_fail(c, rc);
}

static int
run_trace(struct cli *c, int argc, char **argv)
{
	(void)argc, (void)argv;
	return draw(c, opts_text(&c->opts, "format", "text"));
}

const struct cmd cmd_trace = {
    .name = "trace",
    .alias = "chart",
    .help = "Draw the last messages as a sequence chart",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .opts = opts,
    .run = run_trace,
};

static int
run_mscgen(struct cli *c, int argc, char **argv)
{
	(void)argc, (void)argv;
	return draw(c, "mscgen");
}

static const struct opt mscgen_opts[] = {
    {"lines", 'n', OPT_NUMBER, "N",
	"the last N requests and replies [50]; 0: all", NULL},
    {"gap", 'g', OPT_SECONDS, "SEC", "mark pauses longer than this [1]", NULL},
    SELECT_EVENT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

const struct cmd cmd_mscgen = {
    .name = "mscgen",
    .help = "The same chart as input for mscgen",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .opts = mscgen_opts,
    .run = run_mscgen,
};
