/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* calls: those that the storage adapter has finished, from the adapter or, when
 * it does not answer, from the record in its state folder. */
#include <jansson.h>

#include <string.h>
#include <time.h>

#include "../storage-adapter/record.h"
#include "adapter.h"
#include "ask.h"
#include "cmd.h"
#include "runs.h"

#define MOST  1000 /* calls the adapter tells of at a time */
#define USUAL 50

static const struct opt opts[] = {
    {"failed", 'f', OPT_FLAG, NULL, "only those that ended with an error",
	NULL},
    {"since", 0, OPT_TEXT, "TIME", "10m ago, 18:30, or 2026-11-22 18:30", NULL},
    {"lines", 'n', OPT_NUMBER, "N", "the last N [50]", NULL},
    {"adapter-state", 0, OPT_TEXT, "DIR",
	"the adapter's state folder [" ADAPTER_STATE "]", NULL},
    ADAPTER_OPT,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum {
	C_TIME,
	C_REF,
	C_METHOD,
	C_SR,
	C_TOOK,
	C_ERROR,
	C_TEXT,
	C_SCRIPTS,
	C_QUEUE,
	C_ID,
	C_SEQ,
	C_REPEATED,
	C_COLUMNS
};

static const struct col cols[C_COLUMNS] = {
    [C_TIME] = {"time", "TIME", COL_TIME, false, "when it ended"},
    [C_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the call"},
    [C_METHOD] = {"method", "METHOD", COL_TEXT, false, "of the call"},
    [C_SR] = {"sr", "SR", COL_TEXT, false, "storage repository"},
    [C_TOOK] = {"duration_s", "TOOK", COL_TOOK, false,
	"from its arrival to its end"},
    [C_ERROR] = {"error", "ERROR", COL_TEXT, false, "code; null: none"},
    [C_TEXT] = {"text", "TEXT", COL_TEXT, false, "what went wrong"},
    [C_SCRIPTS] = {"scripts", "SCRIPTS", COL_TEXT, false,
	"which ran, how long, how they ended"},
    [C_QUEUE] = {"queue", "QUEUE", COL_TEXT, true, "queue of the call"},
    [C_ID] = {"id", "NUMBER", COL_INT, true, "number of the call"},
    [C_SEQ] = {"seq", "SEQ", COL_INT, true, "number in the record"},
    [C_REPEATED] = {"repeated", "REPEATED", COL_BOOL, true,
	"taken up again after a restart"},
};

/* ---- since when ---- */

/* A date, a time of day, or both; false when it is neither. */
static bool
read_date(const struct cli *c, const char *text, double *at)
{
	static const char *const forms[] = {"%Y-%m-%d %H:%M:%S",
	    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d",
	    "%H:%M:%S", "%H:%M"};
	time_t now = (time_t)c->out.now, t;
	struct tm tm;
	const char *end;

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		bool z;

		(void)(c->utc ? gmtime_r(&now, &tm) : localtime_r(&now, &tm));
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		end = strptime(text, forms[i], &tm);
		z = end != NULL && strcmp(end, "Z") == 0;
		if (end == NULL || (*end != '\0' && !z))
			continue;
		tm.tm_isdst = -1;
		t = z || c->utc ? timegm(&tm) : mktime(&tm);
		/* a time of day that is still to come was yesterday's */
		*at = (double)t - (i >= 5 && t > now ? 86400.0 : 0.0);
		return true;
	}
	return false;
}

/* --since; 0, or CLI_USAGE after saying so. */
static int
since(struct cli *c, double *at)
{
	const char *text = opts_text(&c->opts, "since", NULL);
	int64_t ns;

	*at = 0;
	if (text == NULL)
		return 0;
	if (opts_seconds(text, &ns))
		*at = c->out.now - (double)ns / 1e9;
	else if (!read_date(c, text, at))
		return cli_usage(c,
		    "'%s' is no time (10m, 18:30, or 2026-11-22 18:30)", text);
	return 0;
}

/* ---- the two ways ---- */

/* Ask the adapter. */
static int
ask_adapter(struct cli *c, double from, bool failed, json_t *methods,
    int64_t most, json_t **list)
{
	return adapter_ask(c, "adapter.calls",
	    json_pack("{sf sb sO sI}", "since", from, "failed", failed,
		"methods", methods, "limit", (json_int_t)most),
	    list);
}

/* Read the file.  0, or an exit status with c->why. */
static int
read_file(struct cli *c, double from, bool failed, const json_t *methods,
    int64_t most, json_t **list)
{
	const char *dir = opts_text(&c->opts, "adapter-state", ADAPTER_STATE);
	struct record *r = record_view(dir, &c->why);

	if (r == NULL)
		return CLI_DEAD;
	*list =
	    record_list(r, record_since(from), failed, methods, (size_t)most);
	record_close(r);
	return 0;
}

/* One or the other; says so when the adapter is dead, and c->dead gives the
 * status. */
static int
get(struct cli *c, double from, bool failed, json_t *methods, int64_t most,
    json_t **list)
{
	const char *dir = opts_text(&c->opts, "adapter-state", ADAPTER_STATE);
	struct err why;
	int rc;

	if (c->offline)
		return read_file(c, from, failed, methods, most, list);
	rc = ask_adapter(c, from, failed, methods, most, list);
	if (rc != CLI_DEAD)
		return rc;
	why = c->why;
	if (read_file(c, from, failed, methods, most, list) != 0) {
		struct err no = c->why;

		c->why = why;
		(void)err_set(&c->why, CLI_DEAD, "%s; %s", why.text, no.text);
		return CLI_DEAD;
	}
	cli_say(c, "%s; reading %s/calls.ring", why.text, dir);
	c->why.text[0] = '\0';
	c->dead = true;
	return 0;
}

/* ---- the table ---- */

static void
add(struct cli *c, json_t *call)
{
	json_object_set(call, "duration_s", json_object_get(call, "took"));
	adapter_row(c, cols, C_COLUMNS, call);
	out_paint(&c->out, C_ERROR, PAINT_BAD);
	out_row(&c->out);
}

/* The globs as an array; null: any method. */
static json_t *
globs_of(int argc, char **argv)
{
	json_t *globs = argc > 0 ? json_array() : json_null();

	for (int i = 0; i < argc; i++)
		json_array_append_new(globs, json_string(argv[i]));
	return globs;
}

static int
run(struct cli *c, int argc, char **argv)
{
	static const unsigned char spare[] = {C_SCRIPTS, C_TEXT, C_SR, C_TOOK};
	bool failed = opts_has(&c->opts, "failed");
	int64_t most = opts_number(&c->opts, "lines", USUAL);
	json_t *list = NULL, *methods, *call;
	double from;
	size_t i;
	int rc;

	if (most > MOST)
		most = MOST;
	if (out_table(&c->out, "call", cols, C_COLUMNS, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	out_spare(&c->out, spare, sizeof spare);
	rc = since(c, &from);
	if (rc != 0)
		return rc;
	methods = globs_of(argc, argv);
	rc = get(c, from, failed, methods, most, &list);
	json_array_foreach(list, i, call)
	{
		add(c, call);
	}
	if (rc == 0)
		out_end(&c->out);
	if (rc == 0 && json_array_size(list) == 0 &&
	    cli_none(c, "such call on record") == CLI_NONE && argc > 0)
		rc = CLI_NONE;
	json_decref(methods);
	json_decref(list);
	return cli_fail(c, rc);
}

/* Methods that were called. */
static void
complete(struct cli *c, int argc, char **argv)
{
	json_t *list = NULL, *call, *seen = json_object();
	size_t i;

	(void)argc, (void)argv;
	if (ask_adapter(c, 0, false, json_null(), MOST, &list) == 0)
		json_array_foreach(list, i, call)
		{
			struct str m = ask_str(call, "method");

			if (m.n > 0 && json_object_get(seen, m.p) == NULL)
				cmd_offer(c, m, NULL);
			if (m.n > 0)
				json_object_set_new(seen, m.p, json_true());
		}
	json_decref(seen);
	json_decref(list);
}

const struct cmd cmd_calls = {
    .name = "calls",
    .args = "[METHOD-GLOB]...",
    .help = "List the storage calls that were finished, and how they ended",
    .flags = CMD_READS,
    .min = 0,
    .max = -1,
    .opts = opts,
    .run = run,
    .complete = complete,
};
