/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Plugins: which folders are served, and what is said about the others.  Each
 * case names the row of the contract or the defect of the original that it is
 * about. */
#include "test_plugin_kit.h"

#include <sys/stat.h>
#include <unistd.h>

#define A "org.xen.xapi.storage.a"
#define B "org.xen.xapi.storage.b"

/* ---- finding ---- */

/* Nothing is called before the loop runs; then all that is there is served. */
static void
found_at_the_start(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "volume/" A);
	kit_plugin(k, "volume/" B);
	kit_plugin(k, "datapath/loop");
	kit_start(k);
	assert_int_equal(k->probes, 0);
	assert_false(plugins_settled(k->ps));
	UNTIL(k, plugins_settled(k->ps));
	assert_true(kit_served(k, V, A));
	assert_true(kit_served(k, V, B));
	assert_true(kit_served(k, D, "loop"));
	assert_null(plugins_find(k->ps, D, A));
	assert_int_equal(k->probes, 3);
	assert_true(kit_logged("info Adding " A));
	assert_true(kit_logged("info Registered datapath plugin loop"));
	kit_stop(k);
	assert_int_equal(k->gives, 3);
	assert_false(kit_logged("Removing"));
}

/* An empty root is settled, too. */
static void
nothing_is_settled(void **state)
{
	struct kit *k = *state;

	kit_start(k);
	UNTIL(k, plugins_settled(k->ps));
}

/* 1.5: create, moved-from, moved-to, delete; 13: a datapath plugin, too, goes
 * when its folder goes, and others are not asked again. */
static void
comes_and_goes(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "datapath/other");
	kit_start(k);
	UNTIL(k, plugins_settled(k->ps));
	kit_plugin(k, "volume/" A);
	kit_plugin(k, "datapath/loop");
	UNTIL(k, kit_served(k, V, A) && kit_served(k, D, "loop"));
	assert_int_equal(k->gives, 0);
	rename(kit_path(k, "volume/" A), kit_path(k, "volume/" B));
	UNTIL(k, kit_served(k, V, B));
	assert_null(plugins_find(k->ps, V, A));
	kit_remove(k, "volume/" B);
	kit_remove(k, "datapath/loop");
	UNTIL(k, k->served == 1);
	assert_true(kit_logged("info Removing " A));
	assert_true(kit_logged("info Removing " B));
	assert_true(kit_logged("info Removing datapath plugin loop"));
	assert_int_equal(k->probes, 4);
}

/* 11: what is no folder, hidden or left over is no plugin, and one can ask
 * why. */
static void
strays_are_no_plugins(void **state)
{
	struct kit *k = *state;

	kit_file(k, "volume/file", "x", 0755);
	kit_plugin(k, "volume/.hidden");
	kit_plugin(k, "volume/" A "~");
	kit_plugin(k, "volume/" A ".rpmsave");
	kit_plugin(k, "volume/" A ".dpkg-old");
	kit_plugin(k, "volume/.x.swp");
	kit_plugin(k, "volume/#x#");
	kit_plugin(k, "volume/line\nbreak");
	kit_plugin(k, "volume/del\x7f");
	assert_int_equal(mkfifo(kit_path(k, "volume/fifo"), 0644), 0);
	assert_int_equal(symlink("nowhere", kit_path(k, "volume/dangling")), 0);
	assert_int_equal(symlink("loop", kit_path(k, "volume/loop")), 0);
	kit_start(k);
	UNTIL(k, plugins_settled(k->ps));
	kit_file(k, "volume/file", "y", 0755);
	kit_plugin(k, "volume/" A);
	UNTIL(k, kit_served(k, V, A));
	assert_int_equal(k->probes, 1);
	assert_true(kit_why(k, V, A, "it is served"));
	assert_true(kit_why(k, V, "file", "volume/file is not a folder"));
	assert_true(kit_why(k, V, "fifo", "is not a folder"));
	assert_true(kit_why(k, V, ".hidden", "hidden"));
	assert_true(kit_why(k, V, A "~", "leftover"));
	assert_true(kit_why(k, V, A ".rpmsave", "leftover"));
	assert_true(kit_why(k, V, A ".dpkg-old", "leftover"));
	assert_true(kit_why(k, V, "#x#", "leftover"));
	assert_true(kit_why(k, V, "line\nbreak", "control"));
	assert_true(kit_why(k, V, "../datapath", "'/'"));
	assert_true(kit_why(k, V, "", "1 to 255"));
	assert_true(kit_why(k, V, "dangling", "is a link to nothing"));
	assert_true(kit_why(k, V, "loop", "Too many levels"));
	assert_true(kit_why(k, V, "b", "there is no folder"));
	assert_true(kit_why(k, D, A, "there is no folder"));
}

/* 14: a folder that gets its scripts later. */
static void
scripts_come_later(void **state)
{
	struct kit *k = *state;

	assert_int_equal(mkdir(kit_path(k, "volume/" A), 0755), 0);
	assert_int_equal(mkdir(kit_path(k, "datapath/loop"), 0755), 0);
	kit_start(k);
	UNTIL(k, kit_waiting(k, V, A) && kit_waiting(k, D, "loop"));
	assert_true(kit_why(k, V, A, "there is no script "));
	assert_true(kit_logged("warn Failed to register volume plugin " A));
	assert_true(kit_logged("warn Failed to register datapath plugin loop"));
	kit_file(k, "volume/" A "/plugin.query", "{}", 0644);
	UNTIL(k, kit_why(k, V, A, "is not executable: chmod +x "));
	chmod(kit_path(k, "volume/" A "/plugin.query"), 0755);
	UNTIL(k, kit_why(k, V, A, "no required_api_version"));
	kit_plugin(k, "volume/" A);
	kit_plugin(k, "datapath/loop");
	UNTIL(k, kit_served(k, V, A) && kit_served(k, D, "loop"));
}

/* 15: volume/, the root and what is above it go and come. */
static void
roots_come_and_go(void **state)
{
	struct kit *k = *state;
	char top[200], away[200];

	snprintf(top, sizeof top, "%s/top", k->dir);
	snprintf(away, sizeof away, "%s/away", k->dir);
	kit_start(k);
	for (int i = 0; i < 3; i++) {
		kit_plugin(k, "volume/" A);
		kit_plugin(k, "datapath/loop");
		UNTIL(k, k->served == 2);
		assert_false(kit_logged("volume is not there"));
		kit_remove(k, "volume");
		UNTIL(k, k->served == 1);
		assert_true(kit_logged("volume is not there: no plugins"));
		kit_plugin(k, "volume/" A);
		UNTIL(k, k->served == 2);
		assert_true(kit_logged("volume is there again"));
		tempdir_remove(k->root);
		UNTIL(k, k->served == 0);
		kit_plugin(k, "volume/" A);
		UNTIL(k, k->served == 1);
		tempdir_remove(top);
		UNTIL(k, k->served == 0);
		kit_plugin(k, "volume/" B);
		UNTIL(k, k->served == 1 && kit_served(k, V, B));
		/* moved away and back, as a whole */
		assert_int_equal(rename(top, away), 0);
		UNTIL(k, k->served == 0);
		assert_int_equal(rename(away, top), 0);
		UNTIL(k, kit_served(k, V, B));
		kit_remove(k, "volume/" B);
		UNTIL(k, k->served == 0);
		kit_log_clear();
	}
}

/* 1.3: a missing root is not fatal. */
static void
no_root_at_the_start(void **state)
{
	struct kit *k = *state;
	char top[200];

	snprintf(top, sizeof top, "%s/top", k->dir);
	tempdir_remove(top);
	kit_start(k);
	UNTIL(k, plugins_settled(k->ps));
	assert_true(kit_logged("volume is not there"));
	assert_true(kit_logged("datapath is not there"));
	assert_true(kit_why(k, V, A, "there is no folder "));
	kit_plugin(k, "volume/" A);
	UNTIL(k, kit_served(k, V, A));
}

/* The root is reached by a link, which is made to lead elsewhere; it is given
 * relative to the current folder. */
static void
root_behind_a_link(void **state)
{
	struct kit *k = *state;
	struct plugin *p;

	kit_plugin(k, "volume/" A);
	kit_plugin(k, "other/volume/" B);
	assert_int_equal(chdir(k->dir), 0);
	assert_int_equal(symlink("top/root", "way"), 0);
	k->conf.root = "way//";
	kit_start(k);
	UNTIL(k, kit_served(k, V, A));
	p = plugins_find(k->ps, V, A);
	assert_int_equal(p->dir[0], '/');
	assert_int_equal(symlink("top/root/other", "way.new"), 0);
	assert_int_equal(rename("way.new", "way"), 0);
	UNTIL(k, kit_served(k, V, B) && k->served == 1);
	assert_int_equal(chdir("/"), 0);
	kit_stop(k);
}

/* The way to the root goes through one folder twice. */
static void
root_behind_a_loop(void **state)
{
	struct kit *k = *state;
	char root[200];

	kit_plugin(k, "volume/" A);
	kit_plugin(k, "../../other/top/root/volume/" B);
	assert_int_equal(symlink(".", kit_path(k, "../../way")), 0);
	snprintf(root, sizeof root, "%s/way/top/root", k->dir);
	k->conf.root = root;
	kit_start(k);
	UNTIL(k, kit_served(k, V, A));
	assert_int_equal(symlink("other", kit_path(k, "../../new")), 0);
	rename(kit_path(k, "../../new"), kit_path(k, "../../way"));
	UNTIL(k, kit_served(k, V, B) && k->served == 1);
}

/* 16: many at once; each is asked once. */
static void
a_burst(void **state)
{
	struct kit *k = *state;
	char name[40];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "new/%d", i);
		kit_plugin(k, name);
	}
	kit_start(k);
	UNTIL(k, plugins_settled(k->ps));
	for (int i = 0; i < 300; i++)
		rename(kit_path(k, "new/%d", i),
		    kit_path(k, "volume/org.xen.xapi.storage.%d", i));
	UNTIL(k, k->served == 300);
	assert_int_equal(k->probes, 300);
}

/* 17: volume plugins wait for the datapath plugins of the start, and for no
 * later ones. */
static void
datapaths_come_first(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "volume/" A);
	kit_plugin(k, "datapath/loop");
	kit_plugin(k, "datapath/raw");
	k->hold = true;
	kit_start(k);
	UNTIL(k, k->nasked == 3);
	kit_answer_kind(k, V);
	kit_file(k, "datapath/raw/Plugin.Query", "broken", 0755);
	kit_turn(k);
	assert_int_equal(k->serves, 0);
	assert_false(plugins_settled(k->ps));
	assert_true(kit_why(k, V, A, "the datapath plugins come first"));
	kit_answer_kind(k, D);
	UNTIL(k, kit_served(k, V, A) && kit_served(k, D, "loop"));
	assert_true(plugins_settled(k->ps));
	kit_plugin(k, "datapath/late");
	kit_plugin(k, "volume/" B);
	UNTIL(k, plugins_find(k->ps, V, B) && k->nasked >= 2);
	kit_answer_kind(k, V);
	assert_true(kit_served(k, V, B));
}

/* Once is enough: a datapath plugin that keeps changing does not hold up the
 * others. */
static void
a_restless_datapath(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "volume/" A);
	kit_plugin(k, "datapath/loop");
	k->hold = true;
	kit_start(k);
	UNTIL(k, k->nasked == 2);
	kit_answer_kind(k, V);
	kit_file(k, "datapath/loop/SR.ls", "x", 0755);
	UNTIL(k, k->nasked == 2);
	UNTIL(k, kit_served(k, V, A));
	assert_true(plugins_settled(k->ps));
	kit_answer(k);
	assert_true(kit_served(k, D, "loop"));
}

/* ---- answers ---- */

/* 1.7 and 12: the versions, for both kinds; and what is no answer. */
static void
versions(void **state)
{
	static const struct {
		const char *text, *why, *log;
	} rows[] = {
	    {"{\"plugin\":\"a\",\"required_api_version\":\"5.0\"}", NULL, NULL},
	    {"{\"plugin\":\"a\",\"required_api_version\":\"3.0\"}", NULL,
		"warn Using deprecated SMAPIv3 API version 3.0, latest is 5.0. "
		"Update your a plugin!"},
	    {"{\"plugin\":\"a\",\"required_api_version\":\"4.0\"}",
		"a requires unknown SMAPI API version 4.0, supported: 3.0,5.0",
		" plugin a: [\"No_storage_plugin_for_sr\",\"a requires unknown "
		"SMAPI API version 4.0, supported: 3.0,5.0\"]"},
	    {"{\"required_api_version\":\"5.0 \"}", "version $'5.0 ',", NULL},
	    {"{\"required_api_version\":\"\"}", "version $'',", NULL},
	    {"{\"required_api_version\":5.0}", "no required_api_version", NULL},
	    {"{\"required_api_version\":null}", "no required_api_version",
		NULL},
	    {"{}", "no required_api_version", NULL},
	    {"[]", "no JSON object", NULL},
	    {"null", "no JSON object", NULL},
	    {"\"5.0\"", "no JSON object", NULL},
	    {"", "it printed no JSON", NULL},
	};
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		kit_file(k, "volume/a/Plugin.Query", rows[i].text, 0755);
		kit_file(k, "datapath/a/Plugin.Query", rows[i].text, 0755);
		kit_start(k);
		UNTIL(k, plugins_settled(k->ps));
		assert_int_equal(k->served, rows[i].why ? 0 : 2);
		for (int kind = 0; rows[i].why && kind < 2; kind++) {
			assert_true(kit_waiting(k, kind, "a"));
			assert_true(kit_why(k, kind, "a", rows[i].why));
		}
		for (int n = 0; rows[i].log && n < 2; n++)
			assert_true(kit_logged(rows[i].log));
		assert_false(kit_logged("deprecated"));
		kit_stop(k);
		kit_log_clear();
	}
}

/* The features are strings; the rest is passed over. */
static void
features(void **state)
{
	struct kit *k = *state;
	struct plugin *p;

	kit_file(k, "volume/a/Plugin.Query",
	    "{\"plugin\":\"a\",\"required_api_version\":\"5.0\","
	    "\"features\":[\"X\",1,null,\"Y\"]}",
	    0755);
	kit_file(k, "volume/b/Plugin.Query",
	    "{\"plugin\":\"b\",\"required_api_version\":\"5.0\","
	    "\"features\":\"X\"}",
	    0755);
	kit_start(k);
	UNTIL(k, k->served == 2);
	p = plugins_find(k->ps, V, "a");
	assert_string_equal(p->version, "5.0");
	assert_string_equal(p->features[0], "X");
	assert_string_equal(p->features[1], "Y");
	assert_null(p->features[2]);
	assert_null(plugins_find(k->ps, V, "b")->features[0]);
	assert_false(kit_logged("the toolstack will not find it"));
}

/* The toolstack looks for the last part of the queue's name. */
static void
a_plugin_by_another_name(void **state)
{
	struct kit *k = *state;

	kit_file(k, "volume/" A "/Plugin.Query",
	    "{\"plugin\":\"b\",\"required_api_version\":\"5.0\"}", 0755);
	kit_file(k, "datapath/x/Plugin.Query",
	    "{\"plugin\":\"b\",\"required_api_version\":\"5.0\"}", 0755);
	kit_start(k);
	UNTIL(k, k->served == 2);
	assert_true(kit_logged("warn " A " calls itself b, but"));
	assert_false(kit_logged("calls itself"));
}

/* The same answer again changes nothing; another one is served again. */
static void
answers_change(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "volume/" A);
	kit_start(k);
	UNTIL(k, kit_served(k, V, A));
	kit_plugin(k, "volume/" A);
	UNTIL(k, k->probes == 2 && kit_served(k, V, A));
	assert_int_equal(k->serves, 1);
	kit_file(k, "volume/" A "/Plugin.Query",
	    "{\"plugin\":\"a\",\"required_api_version\":\"3.0\"}", 0755);
	UNTIL(k, k->serves == 2);
	assert_string_equal(plugins_find(k->ps, V, A)->version, "3.0");
	assert_int_equal(k->gives, 0);
	/* a file that is no script: not asked */
	kit_file(k, "volume/" A "/notes", "x", 0644);
	kit_plugin(k, "volume/" B);
	UNTIL(k, kit_served(k, V, B));
	assert_int_equal(k->probes, 4);
}

/* A served one breaks: given up with the reason, served when mended. */
static void
breaks_and_is_mended(void **state)
{
	struct kit *k = *state;
	const char *path = kit_path(k, "volume/" A "/Plugin.Query");
	char query[300];

	snprintf(query, sizeof query, "%s", path);
	kit_plugin(k, "volume/" A);
	kit_start(k);
	UNTIL(k, kit_served(k, V, A));
	kit_file(k, "volume/" A "/Plugin.Query", "broken", 0755);
	UNTIL(k, kit_waiting(k, V, A));
	assert_true(kit_why(k, V, A, "it printed no JSON"));
	assert_int_equal(k->probes, 3); /* and once more before */
	assert_null(plugins_find(k->ps, V, A)->query);
	assert_true(kit_logged("has changed and does not answer"));
	assert_true(kit_logged("info Removing " A));
	kit_plugin(k, "volume/" A);
	UNTIL(k, kit_served(k, V, A));
	unlink(query);
	UNTIL(k, kit_waiting(k, V, A));
	assert_true(kit_why(k, V, A, "there is no script"));
	kit_plugin(k, "volume/" A);
	UNTIL(k, kit_served(k, V, A));
	chmod(query, 0644);
	UNTIL(k, kit_waiting(k, V, A));
	assert_true(kit_why(k, V, A, "is not executable"));
	chmod(query, 0755);
	UNTIL(k, kit_served(k, V, A));
	assert_int_equal(k->gives, 3);
	/* another version: given up at once */
	k->probes = 0;
	kit_file(k, "volume/" A "/Plugin.Query",
	    "{\"required_api_version\":\"9\"}", 0755);
	UNTIL(k, kit_waiting(k, V, A));
	assert_int_equal(k->probes, 1);
	assert_true(kit_why(k, V, A, "unknown SMAPI API version 9"));
}

/* D4: given up when others could change it, served when they cannot. */
static void
trust_is_lost_and_won(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "volume/" A);
	kit_plugin(k, "volume/" B);
	kit_plugin(k, "datapath/loop");
	kit_start(k);
	UNTIL(k, k->served == 3);
	chmod(kit_path(k, "volume/" A), 0777);
	UNTIL(k, kit_waiting(k, V, A));
	assert_true(kit_why(k, V, A, "can be written by its group and every"));
	assert_int_equal(k->probes, 3);
	chmod(kit_path(k, "volume/" A), 0755);
	UNTIL(k, kit_served(k, V, A));
	chmod(kit_path(k, "volume/" A "/Plugin.Query"), 0775);
	UNTIL(k, kit_waiting(k, V, A));
	assert_true(kit_why(k, V, A, "Plugin.Query can be written by its g"));
	chmod(kit_path(k, "volume/" A "/Plugin.Query"), 0755);
	UNTIL(k, kit_served(k, V, A));
	chmod(kit_path(k, "volume"), 0757);
	UNTIL(k, k->served == 1);
	assert_true(kit_served(k, D, "loop"));
	chmod(k->root, 0757);
	UNTIL(k, k->served == 0);
	chmod(kit_path(k, "volume"), 0755);
	chmod(k->root, 0755);
	UNTIL(k, k->served == 3);
}

/* The hook that is to serve one says no; later it says yes. */
static void
serve_refuses(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "volume/" A);
	k->refuse = "the switch is away";
	kit_start(k);
	UNTIL(k, kit_waiting(k, V, A));
	assert_true(kit_why(k, V, A, "the switch is away"));
	assert_int_equal(k->gives, 0);
	assert_true(plugins_settled(k->ps));
	k->refuse = NULL;
	plugins_rescan(k->ps);
	UNTIL(k, kit_served(k, V, A));
	/* of a served one that has changed: given up */
	k->refuse = "not like that";
	kit_file(k, "volume/" A "/Plugin.Query",
	    "{\"plugin\":\"a\",\"required_api_version\":\"3.0\"}", 0755);
	UNTIL(k, kit_waiting(k, V, A));
	assert_true(kit_why(k, V, A, "not like that"));
	assert_int_equal(k->gives, 1);
}

/* ---- probes under way ---- */

/* The folder goes while it is asked; the answer comes when its place in memory
 * may be another's. */
static void
gone_while_asked(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "volume/" A);
	k->hold = true;
	kit_start(k);
	UNTIL(k, k->nasked == 1);
	kit_remove(k, "volume/" A);
	UNTIL(k, plugins_find(k->ps, V, A) == NULL);
	kit_plugin(k, "volume/" B);
	UNTIL(k, k->nasked == 2);
	k->nasked = 1;
	kit_answer(k);
	assert_int_equal(plugins_find(k->ps, V, B)->state, PLUGIN_PROBING);
	assert_int_equal(k->serves + k->gives, 0);
}

/* It changes while it is asked: that answer is void. */
static void
changed_while_asked(void **state)
{
	struct kit *k = *state;
	unsigned first;

	kit_plugin(k, "volume/" A);
	k->hold = true;
	kit_start(k);
	UNTIL(k, k->nasked == 1);
	first = k->asked[0].ticket;
	kit_file(k, "volume/" A "/Plugin.Query",
	    "{\"plugin\":\"a\",\"required_api_version\":\"3.0\"}", 0755);
	UNTIL(k, k->nasked == 2);
	plugins_probed(k->ps, k->asked[0].p, first, NULL, "old news");
	assert_int_equal(plugins_find(k->ps, V, A)->failures, 0);
	kit_answer(k);
	UNTIL(k, kit_served(k, V, A));
	assert_string_equal(plugins_find(k->ps, V, A)->version, "3.0");
	/* a ticket works once */
	plugins_probed(k->ps, plugins_find(k->ps, V, A),
	    plugins_find(k->ps, V, A)->failures, NULL, "again");
	assert_true(kit_served(k, V, A));
}

/* So many are asked at a time, and all in the end. */
static void
few_at_a_time(void **state)
{
	struct kit *k = *state;
	char name[40];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "volume/x.%d", i);
		kit_plugin(k, name);
	}
	k->hold = true;
	kit_start(k);
	UNTIL(k, k->nasked == 32);
	kit_turn(k);
	assert_int_equal(k->nasked, 32);
	assert_int_equal(kit_count(k, PLUGIN_NEW), 68);
	while (k->served < 100) {
		assert_true(k->nasked <= 32);
		kit_answer(k);
		kit_turn(k);
	}
	assert_int_equal(k->probes, 100);
}

/* ---- names ---- */

struct seen {
	char names[300];
	char why[400]; /* of the one whose folder is "loop" */
};

static void
see(struct plugin *p, void *arg)
{
	struct seen *s = arg;
	size_t n = strlen(s->names);
	const char *folder = strrchr(p->dir, '/') + 1;

	snprintf(s->names + n, sizeof s->names - n, "%s(%s) ", p->name, folder);
	if (strcmp(folder, "loop") == 0)
		snprintf(s->why, sizeof s->why, "%s", p->why);
}

/* Schemes are compared in lower case; of two folders the first in order of
 * bytes has the name.  Queues are taken as they are.  And the order. */
static void
upper_and_lower_case(void **state)
{
	struct kit *k = *state;
	struct seen s = {"", ""};

	kit_plugin(k, "datapath/loop");
	kit_plugin(k, "datapath/Raw+File");
	kit_plugin(k, "volume/x.A");
	kit_plugin(k, "volume/x.a");
	kit_start(k);
	UNTIL(k, k->served == 4);
	assert_true(kit_served(k, D, "raw+file"));
	assert_null(plugins_find(k->ps, D, "Raw+File"));
	kit_plugin(k, "datapath/Loop");
	UNTIL(k, k->gives == 1 && k->served == 4);
	assert_true(kit_served(k, D, "loop"));
	assert_true(kit_why(k, D, "loop", "it is served"));
	plugins_each(k->ps, see, &s);
	assert_string_equal(s.names,
	    "loop(Loop) loop(loop) raw+file(Raw+File) x.A(x.A) x.a(x.a) ");
	assert_non_null(strstr(s.why, "datapath/Loop has the same name but"));
	plugins_rescan(k->ps);
	kit_remove(k, "datapath/Loop");
	UNTIL(k, k->gives == 2 && k->served == 4);
	assert_true(kit_served(k, D, "loop"));
	kit_remove(k, "datapath/loop");
	UNTIL(k, plugins_find(k->ps, D, "loop") == NULL);
}

/* A plugin's folder may be a link, which may come to lead elsewhere, or
 * nowhere, or somewhere again. */
static void
linked_folders(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "pool/one");
	kit_file(k, "pool/two/Plugin.Query",
	    "{\"plugin\":\"a\",\"required_api_version\":\"3.0\"}", 0755);
	assert_int_equal(symlink("../pool/one", kit_path(k, "volume/x.a")), 0);
	kit_start(k);
	UNTIL(k, kit_served(k, V, "x.a"));
	assert_int_equal(symlink("../pool/two", kit_path(k, "volume/.n")), 0);
	rename(kit_path(k, "volume/.n"), kit_path(k, "volume/x.a"));
	UNTIL(k, k->serves == 2);
	assert_string_equal(plugins_find(k->ps, V, "x.a")->version, "3.0");
	chmod(kit_path(k, "pool"), 0777);
	kit_plugin(k, "pool/two");
	UNTIL(k, kit_waiting(k, V, "x.a"));
	assert_true(kit_why(k, V, "x.a", "pool can be written by"));
	chmod(kit_path(k, "pool"), 0755);
	plugins_rescan(k->ps);
	UNTIL(k, kit_served(k, V, "x.a"));
	kit_remove(k, "pool/two");
	UNTIL(k, k->served == 0);
	assert_true(kit_why(k, V, "x.a", "is a link to nothing"));
	kit_plugin(k, "pool/two");
	UNTIL(k, kit_served(k, V, "x.a"));
}

/* 10,000 entries of all sorts: so many are looked at, the first in order, and
 * what is there is served. */
static void
a_hostile_folder(void **state)
{
	struct kit *k = *state;
	char name[60];

	for (int i = 0; i < 2000; i++)
		mkdir(kit_path(k, "volume/y.%04d", i), 0755);
	for (int i = 0; i < 2000; i++) {
		mkdir(kit_path(k, "volume/.h%d", i), 0755);
		mkfifo(kit_path(k, "volume/f%d", i), 0777);
		mknod(kit_path(k, "volume/line\n%d", i), S_IFREG | 0777, 0);
		assert_int_equal(
		    symlink("y.0001/no", kit_path(k, "volume/l%d", i)), 0);
	}
	kit_plugin(k, "volume/x.a");
	kit_plugin(k, "volume/x.b");
	kit_plugin(k, "volume/z.out");
	kit_file(k, "volume/x.b/fifo", "", 0755);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "volume/x.b/f%d", i);
		mkfifo(kit_path(k, "%s", name), 0777);
	}
	kit_start(k);
	UNTIL(k, plugins_settled(k->ps));
	assert_true(kit_logged("there are more than 1024 folders in "));
	assert_int_equal(k->served, 2);
	assert_int_equal(kit_count(k, PLUGIN_WAITING), 1022);
	assert_true(kit_why(k, V, "z.out", "or there are more than 1024"));
	for (int i = 0; i < 2000; i++)
		rmdir(kit_path(k, "volume/y.%04d", i));
	UNTIL(
	    k, kit_served(k, V, "z.out") && kit_count(k, PLUGIN_WAITING) == 0);
}

int
main(void)
{
#define ONCE(fn) cmocka_unit_test_setup_teardown(fn, kit_setup, kit_teardown)
#define BOTH(fn)                                                               \
	ONCE(fn),                                                              \
	{                                                                      \
#fn " (without inotify)", fn, kit_setup_scanning,              \
		    kit_teardown, NULL                                         \
	}
	const struct CMUnitTest tests[] = {
	    BOTH(found_at_the_start),
	    BOTH(nothing_is_settled),
	    BOTH(comes_and_goes),
	    BOTH(strays_are_no_plugins),
	    BOTH(scripts_come_later),
	    BOTH(roots_come_and_go),
	    BOTH(no_root_at_the_start),
	    BOTH(root_behind_a_link),
	    BOTH(root_behind_a_loop),
	    BOTH(a_burst),
	    ONCE(datapaths_come_first),
	    ONCE(a_restless_datapath),
	    ONCE(versions),
	    ONCE(features),
	    ONCE(a_plugin_by_another_name),
	    BOTH(answers_change),
	    ONCE(breaks_and_is_mended),
	    BOTH(trust_is_lost_and_won),
	    ONCE(serve_refuses),
	    BOTH(gone_while_asked),
	    BOTH(changed_while_asked),
	    ONCE(few_at_a_time),
	    BOTH(upper_and_lower_case),
	    BOTH(linked_folders),
	    BOTH(a_hostile_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
