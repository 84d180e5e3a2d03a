/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* plugin why: one paragraph about a plugin.  plugin check: plugin_check.c. */
#include <jansson.h>

#include <string.h>

#include "adapter.h"
#include "ask.h"
#include "cmd.h"
#include "plugin_check.h"
#include "text.h"
#include "units.h"

static const struct opt opts[] = {
    {"sr-config", 'S', OPT_TEXT, "KEY=VALUE",
	"check: device configuration of an SR to try, may be repeated", NULL},
    {"uri", 'u', OPT_TEXT, "URI", "check: location to try, of a datapath",
	NULL},
    {"keep", 'k', OPT_FLAG, NULL, "check: leave what was made", NULL},
    {"env", 'e', OPT_TEXT, "NAME=VALUE",
	"check: variable for the scripts, may be repeated", NULL},
    {"runner", 0, OPT_TEXT, "PATH", "check: the program xmsg-run", NULL},
    ADAPTER_OPT,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* ---- why ---- */

static const struct col cols[] = {
    {"name", "PLUGIN", COL_TEXT, false, "queue or scheme"},
    {"kind", "KIND", COL_TEXT, false, "volume or datapath"},
    {"served", "SERVED", COL_BOOL, false, "or not"},
    {"state", "STATE", COL_TEXT, false, "null: there is none"},
    {"dir", "FOLDER", COL_TEXT, false, "where it is"},
    {"version", "API", COL_TEXT, false, "version of the interface"},
    {"failures", "PROBES FAILED", COL_INT, false, "in a row"},
    {"since", "SINCE", COL_TIME, false, "start of the state"},
    {"why", "WHY", COL_TEXT, false, "reason it is not served"},
    {"advice", "ADVICE", COL_TEXT, false, "what to do"},
};
#define COLS (sizeof cols / sizeof *cols)

/* What to do about a reason, by words in it; the first that fits.  %s is the
 * folder. */
static const struct {
	const char *word, *advice;
} advices[] = {
    {"chmod ", "Do that; the adapter looks again by itself."},
    {"chown ", "Do that; the adapter looks again by itself."},
    {"there is no script",
	"Put an executable Plugin.Query there: 'xmsg-idl new-plugin NAME' makes"
	" a plugin to begin with."},
    {"API version",
	"Change required_api_version in what its Plugin.Query prints to 5.0."},
    {"required_api_version",
	"Let its Plugin.Query print required_api_version."},
    {"took longer", "Find out what it waits for: xmsg plugin check %s"},
    {"Plugin.Query", "See what it says by itself: xmsg plugin check %s"},
    {"is a link to nothing", "Remove the link, or put there what it names."},
    {"", "See what is wrong with it: xmsg plugin check %s"},
};

static void
put_advice(struct buf *b, struct str why, struct str dir)
{
	size_t i = 0;
	const char *hole;

	while (memmem(why.p ? why.p : "", why.n, advices[i].word,
		   strlen(advices[i].word)) == NULL)
		i++;
	hole = strstr(advices[i].advice, "%s");
	if (hole == NULL) {
		buf_adds(b, advices[i].advice);
		return;
	}
	buf_add(b, advices[i].advice, (size_t)(hole - advices[i].advice));
	text_put(b, dir);
	buf_adds(b, hole + 2);
}

/* "1 call", "2 calls" */
static void
put_count(struct buf *b, int64_t n, const char *what)
{
	buf_addf(b, "%lld %s%s", (long long)n, what, n == 1 ? "" : "s");
}

/* The rest of the sentence "... is served": how it does. */
static void
put_served(struct buf *b, const json_t *p)
{
	buf_adds(b, ": version ");
	text_put(b, ask_str(p, "version"));
	buf_adds(b, " of the interface, ");
	put_count(b, (int64_t)json_array_size(json_object_get(p, "features")),
	    "feature");
	buf_addc(b, '.');
	if (json_object_get(p, "calls") == NULL)
		return;
	buf_adds(b, " It has answered ");
	put_count(b, ask_int(p, "calls", 0), "call");
	buf_addf(b,
	    ", %lld of them with an error; %lld under way, %lld"
	    " waiting.",
	    (long long)ask_int(p, "failed", 0),
	    (long long)ask_int(p, "running", 0),
	    (long long)ask_int(p, "waiting", 0));
}

/* The rest of "... is not served". */
static void
put_refused(struct buf *b, const json_t *p)
{
	int64_t failures = ask_int(p, "failures", 0);

	buf_adds(b, ": ");
	text_put(b, ask_str(p, "why"));
	buf_addc(b, '.');
	if (failures > 0) {
		buf_adds(b, " ");
		put_count(b, failures, "probe");
		buf_adds(b, " failed in a row; it is tried again by itself.");
	}
	buf_addc(b, ' ');
	put_advice(b, ask_str(p, "why"), ask_str(p, "dir"));
}

/* The paragraph. */
static void
put_plugin(struct cli *c, const json_t *p)
{
	struct buf *b = out_buf(&c->out);
	double since = ask_real(p, "since", c->out.now);
	bool served = ask_int(p, "served", 0) != 0;
	char age[UNITS_MAX];

	units_age(age, c->out.now - since);
	text_put(b, ask_str(p, "name"));
	buf_adds(b, " (");
	text_put(b, ask_str(p, "kind"));
	buf_adds(b, " plugin, ");
	text_put(b, ask_str(p, "dir"));
	if (served) {
		buf_addf(b, ") is served since %s", age);
	} else {
		buf_adds(b, ") is not served (");
		text_put(b, ask_str(p, "state"));
		buf_addf(b, " since %s)", age);
	}
	if (served)
		put_served(b, p);
	else
		put_refused(b, p);
	out_line(&c->out, false);
}

static void
add(struct cli *c, json_t *p)
{
	struct buf advice = BUF_INIT;

	if (!c->json) {
		put_plugin(c, p);
		return;
	}
	if (!ask_int(p, "served", 0)) {
		put_advice(&advice, ask_str(p, "why"), ask_str(p, "dir"));
		json_object_set_new(
		    p, "advice", json_stringn(advice.p, advice.n));
	}
	adapter_row(c, cols, COLS, p);
	out_row(&c->out);
	buf_fini(&advice);
}

static int
why(struct cli *c, const char *name)
{
	json_t *list = NULL, *p;
	int n = 0, rc;
	size_t i;

	if (out_table(&c->out, "plugin", cols, COLS, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	rc = adapter_ask(
	    c, "adapter.why", json_pack("{ss}", "name", name), &list);
	json_array_foreach(list, i, p)
	{
		if (!json_is_string(json_object_get(p, "state")))
			continue; /* there is none */
		add(c, p);
		n++;
	}
	if (rc == 0)
		out_end(&c->out);
	if (rc == 0 && n == 0) {
		struct str said = ask_str(json_array_get(list, 0), "why");

		(void)err_set(&c->why, 1, "there is no plugin %s%s%.*s", name,
		    said.n > 0 ? ": " : "", (int)said.n, said.p ? said.p : "");
		rc = CLI_NONE;
	}
	json_decref(list);
	return cli_fail(c, rc);
}

/* ---- the command ---- */

static int
run(struct cli *c, int argc, char **argv)
{
	bool is_why = strcmp(argv[0], "why") == 0;

	if (!is_why && strcmp(argv[0], "check") != 0)
		return cli_usage(
		    c, "plugin does not '%s', but why and check", argv[0]);
	if (argc < 2)
		return cli_usage(
		    c, "%s needs %s", argv[0], is_why ? "NAME" : "DIR");
	if (argc > 2)
		return cli_usage(c, "'%s' is one operand too many", argv[2]);
	if (!is_why)
		return plugin_check(c, argv[1]);
	if (c->offline)
		return cli_usage(c, "why needs the adapter, not --offline");
	c->limit_ns = opts_ns(&c->opts, "timeout", c->limit_ns);
	return why(c, argv[1]);
}

static void
complete(struct cli *c, int argc, char **argv)
{
	if (argc == 1) {
		cmd_offer(c, STR("why"), "served or not, and what to do");
		cmd_offer(c, STR("check"), "try a plugin's folder");
	} else if (strcmp(argv[0], "why") == 0) {
		adapter_offer_plugins(c);
	}
}

const struct cmd cmd_plugin = {
    .name = "plugin",
    .args = "why NAME | check DIR",
    .help = "Say why a plugin is served or not; try a plugin's folder",
    .flags = CMD_ALONE | CMD_TAKES_LIMIT,
    .min = 1,
    .max = -1,
    .opts = opts,
    .run = run,
    .complete = complete,
};
