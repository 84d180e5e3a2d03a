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

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
	    CASE(found_at_the_start),
	    CASE(nothing_is_settled),
	    CASE(comes_and_goes),
	    CASE(strays_are_no_plugins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
