/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* plugins: those that the storage adapter knows, served or not. */
#include <jansson.h>

#include <fnmatch.h>
#include <string.h>

#include "adapter.h"
#include "ask.h"
#include "cmd.h"

static const struct opt opts[] = {
    ADAPTER_OPT,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum {
	P_NAME,
	P_KIND,
	P_STATE,
	P_VERSION,
	P_FEATURES,
	P_RUNNING,
	P_WAITING,
	P_CALLS,
	P_FAILED,
	P_AGE,
	P_WHY,
	P_WORDS,
	P_DIR,
	P_FAILURES,
	P_OWN_VERSION,
	P_SINCE,
	P_COLUMNS
};

static const struct col cols[P_COLUMNS] = {
    [P_NAME] = {"name", "PLUGIN", COL_TEXT, false, "queue or scheme"},
    [P_KIND] = {"kind", "KIND", COL_TEXT, false, "volume or datapath"},
    [P_STATE] = {"state", "STATE", COL_TEXT, false,
	"new, probing, waiting or serving"},
    [P_VERSION] = {"version", "API", COL_TEXT, false,
	"version of the interface it asks for"},
    [P_FEATURES] = {"features", "FEATURES", COL_INT, false, "how many"},
    [P_RUNNING] = {"running", "RUNNING", COL_INT, false, "calls under way"},
    [P_WAITING] = {"waiting", "WAITING", COL_INT, false,
	"calls that wait for their turn"},
    [P_CALLS] = {"calls", "CALLS", COL_INT, false,
	"calls answered since the adapter started"},
    [P_FAILED] = {"failed", "FAILED", COL_INT, false, "of them with an error"},
    [P_AGE] = {"age_s", "SINCE", COL_AGE, false, "in this state"},
    [P_WHY] = {"why", "WHY NOT", COL_TEXT, false, "reason it is not served"},
    [P_WORDS] = {"feature_list", "FEATURE LIST", COL_TEXT, true, "the words"},
    [P_DIR] = {"dir", "FOLDER", COL_TEXT, true, "where it is"},
    [P_FAILURES] = {"failures", "PROBES FAILED", COL_INT, true, "in a row"},
    [P_OWN_VERSION] = {"plugin_version", "VERSION", COL_TEXT, true, "its own"},
    [P_SINCE] = {"since", "SINCE WHEN", COL_TIME, true, "start of the state"},
};

/* By the whole name, or by its end behind the last dot. */
static bool
selected(const char *name, char **globs, int n)
{
	const char *dot = strrchr(name, '.');

	for (int i = 0; i < n; i++)
		if (fnmatch(globs[i], name, 0) == 0 ||
		    (dot != NULL && fnmatch(globs[i], dot + 1, 0) == 0))
			return true;
	return n == 0;
}

/* The feature words, with spaces between. */
static void
put_words(struct cli *c, const json_t *p)
{
	struct buf b = BUF_INIT;
	struct str s;
	json_t *v;

	for (size_t i = 0; (v = ask_item(p, "features", i)) != NULL; i++) {
		s = (struct str){json_string_value(v), json_string_length(v)};
		if (i > 0)
			buf_addc(&b, ' ');
		buf_add(&b, s.p, s.n);
	}
	out_text(&c->out, P_WORDS, (struct str){b.p, b.n});
	buf_fini(&b);
}

static void
add(struct cli *c, const json_t *p)
{
	struct str state = ask_str(p, "state");
	double since = ask_real(p, "since", c->out.now);
	bool serving = str_eq(state, STR("serving"));

	adapter_row(c, cols, P_COLUMNS, p);
	out_int(&c->out, P_FEATURES,
	    (int64_t)json_array_size(json_object_get(p, "features")));
	out_real(&c->out, P_AGE, c->out.now > since ? c->out.now - since : 0.0);
	put_words(c, p);
	if (json_object_get(p, "query") != NULL)
		out_text(&c->out, P_OWN_VERSION,
		    ask_str(json_object_get(p, "query"), "version"));
	out_paint(&c->out, P_STATE, serving ? PAINT_GOOD : PAINT_WARN);
	if (ask_int(p, "failed", 0) > 0)
		out_paint(&c->out, P_FAILED, PAINT_WARN);
	out_row(&c->out);
}

static void
totals(struct cli *c, int shown, int serving)
{
	if (c->json || c->out.no_header)
		return;
	buf_addf(out_buf(&c->out), "%d plugin%s, %d served", shown,
	    shown == 1 ? "" : "s", serving);
	out_line(&c->out, false);
}

static int
run(struct cli *c, int argc, char **argv)
{
	static const unsigned char spare[] = {P_FEATURES, P_AGE, P_CALLS,
	    P_KIND, P_VERSION, P_WAITING, P_RUNNING};
	int shown = 0, serving = 0, rc;
	json_t *list = NULL, *p;
	size_t i;

	if (out_table(&c->out, "plugin", cols, P_COLUMNS, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	out_spare(&c->out, spare, sizeof spare);
	rc = adapter_ask(c, "adapter.plugins", NULL, &list);
	json_array_foreach(list, i, p)
	{
		struct str name = ask_str(p, "name");

		if (name.p == NULL || !selected(name.p, argv, argc))
			continue;
		add(c, p);
		shown++;
		serving += str_eq(ask_str(p, "state"), STR("serving"));
	}
	if (rc == 0) {
		out_end(&c->out);
		totals(c, shown, serving);
		rc = shown == 0 && argc > 0 ? CLI_NONE : 0;
	}
	json_decref(list);
	return cli_fail(c, rc);
}

static void
complete(struct cli *c, int argc, char **argv)
{
	(void)argc, (void)argv;
	adapter_offer_plugins(c);
}

const struct cmd cmd_plugins = {
    .name = "plugins",
    .args = "[GLOB]...",
    .help = "List storage plugins: served or not, why, how busy",
    .min = 0,
    .max = -1,
    .opts = opts,
    .run = run,
    .complete = complete,
};
