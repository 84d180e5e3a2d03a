/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* trace and mscgen: the last messages as a sequence chart. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "chart.h"
#include "clock.h"
#include "cmd.h"
#include "msgs.h"
#include "runs.h"
#include "select.h"

#define LAST	50
#define EVENTS	8 /* events that one message may cause, and more */
#define COLUMNS 100
#define MOST	100000 /* events looked at */
#define LANES	40 /* of a picture; more cannot be read */

/* What both have. */
#define CHART_OPTS                                                             \
	{"lines", 'n', OPT_NUMBER, "N",                                        \
	    "the last N requests and replies [50]; 0: all", NULL},             \
	    {"gap", 'g', OPT_SECONDS, "SEC",                                   \
		"mark pauses longer than this [1]", NULL},                     \
	    {"output", 'o', OPT_TEXT, "FILE", "write it to this file", NULL},  \
	    {"adapter-state", 0, OPT_TEXT, "DIR",                              \
		"scripts: the adapter's state folder [" ADAPTER_STATE "]",     \
		NULL},                                                         \
	    SELECT_EVENT_OPTS,                                                 \
	{                                                                      \
		NULL, 0, OPT_FLAG, NULL, NULL, NULL                            \
	}

static const struct opt opts[] = {
    {"format", 'F', OPT_WORD, "text|mscgen|mermaid|svg|html|table|json",
	"form of the chart [text]", NULL},
    CHART_OPTS,
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

/* How many lanes, before others share one; 0: all.  On a terminal a chart that
 * does not fit is not readable; a file has room. */
static size_t
lanes(enum chart_form form)
{
	if (form == CHART_SVG || form == CHART_HTML)
		return LANES;
	if (form != CHART_TEXT || !isatty(STDOUT_FILENO))
		return 0;
	return chart_text_lanes(columns());
}

/* ---- where it goes ---- */

/* Write all of it to a file.  0, or an exit status with c->why. */
static int
write_file(struct cli *c, const char *path, struct str s)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	ssize_t n = 0;

	while (fd != -1 && s.n > 0 && (n = write(fd, s.p, s.n)) > 0) {
		s.p += n;
		s.n -= (size_t)n;
	}
	if (fd != -1 && n >= 0 && close(fd) == 0)
		return 0;
	err_errno(&c->why, "cannot write %s", path);
	if (fd != -1 && n < 0)
		close(fd);
	return CLI_PART;
}

static int
put_table(struct cli *c, const struct events *l)
{
	if (opts_has(&c->opts, "output"))
		return cli_usage(c, "--output is for charts, not for tables");
	if (events_table(c) == -1)
		return CLI_USAGE;
	for (size_t i = 0; i < l->n; i++)
		events_put(c, &l->v[i]);
	out_end(&c->out);
	return CLI_DONE;
}

static int
put_chart(struct cli *c, enum chart_form form, const struct events *l,
    const struct chart_options *o)
{
	const char *path = opts_text(&c->opts, "output", "-");
	struct buf b = BUF_INIT;
	int rc = 0;

	if (strcmp(path, "-") == 0) {
		chart_put(out_buf(&c->out), form, l, o);
		return 0;
	}
	chart_put(&b, form, l, o);
	if (buf_ok(&b))
		rc = write_file(c, path, (struct str){b.p, b.n});
	else
		(void)err_set(
		    &c->why, rc = CLI_PART, "no memory for the chart");
	buf_fini(&b);
	return rc;
}

/* ---- what is drawn ---- */

/* The scripts of the calls in the list; without a word when nobody asked for
 * them and there is no adapter. */
static int
find_runs(struct cli *c, const struct events *l, struct runs *r)
{
	const char *dir = opts_text(&c->opts, "adapter-state", ADAPTER_STATE);
	struct err e = {0};

	if (l->n == 0 || runs_read(r, dir, l->v[0].time, &e) == 0 ||
	    !opts_has(&c->opts, "adapter-state"))
		return 0;
	c->why = e;
	return CLI_DEAD;
}

static int
draw(struct cli *c, enum chart_form form, const struct events *l)
{
	struct runs runs = {0};
	int rc = find_runs(c, l, &runs);
	struct chart_options o = {
	    .last = (size_t)opts_number(&c->opts, "lines", LAST),
	    .gap_s = (double)opts_ns(&c->opts, "gap", NS_PER_SEC) / 1e9,
	    .now = c->out.now,
	    .columns = columns(),
	    .lanes = lanes(form),
	    .utc = c->utc,
	    .runs = runs.v,
	    .nruns = runs.n,
	};

	if (rc == 0)
		rc = put_chart(c, form, l, &o);
	runs_fini(&runs);
	return rc;
}

/* The events that are chosen. */
static int
look(struct cli *c, struct events *l)
{
	int64_t last = opts_number(&c->opts, "lines", LAST);
	int64_t most = last * EVENTS + 1000;
	struct selector s;
	int rc = select_parse(c, &s);

	if (rc != 0)
		return rc;
	if (most > MOST || last == 0 || s.any)
		most = MOST;
	rc = look_events(c, last == 0 ? -1 : LOOK_LAST, most, 0, l);
	events_find_missing(l);
	if (s.any)
		select_events(&s, l);
	return rc;
}

static int
show(struct cli *c, const char *format)
{
	bool json = c->json || strcmp(format, "json") == 0;
	enum chart_form form = chart_form(str_of(format));
	struct events l = {0};
	int rc = look(c, &l);

	if (rc == 0 && (json || strcmp(format, "table") == 0)) {
		c->out.json = json;
		rc = put_table(c, &l);
	} else if (rc == 0) {
		rc = draw(c, form, &l);
	}
	events_fini(&l);
	return cli_fail(c, rc);
}

static int
run_trace(struct cli *c, int argc, char **argv)
{
	(void)argc, (void)argv;
	return show(c, opts_text(&c->opts, "format", "text"));
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
	return show(c, "mscgen");
}

static const struct opt mscgen_opts[] = {CHART_OPTS};

const struct cmd cmd_mscgen = {
    .name = "mscgen",
    .help = "The same chart as input for mscgen",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .opts = mscgen_opts,
    .run = run_mscgen,
};
