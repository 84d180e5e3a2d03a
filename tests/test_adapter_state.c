/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* state, record, poison: what the adapter keeps, over restarts and damage. */
#include "support/unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "poison.h"
#include "record.h"
#include "sexp.h"
#include "state.h"
#include "support/logtest.h"
#include "support/tempdir.h"

#define BOOT "11111111-2222-3333-4444-555555555555"

struct t {
	char dir[TEMPDIR_MAX], path[256];
	struct err e;
};

static int
setup(void **state)
{
	static struct t t;

	memset(&t, 0, sizeof t);
	tempdir_make(t.dir);
	snprintf(t.path, sizeof t.path, "%s/state.db", t.dir);
	logtest_clear();
	*state = &t;
	return 0;
}

static int
teardown(void **state)
{
	struct t *t = *state;

	tempdir_remove(t->dir);
	return logtest_left();
}

static struct state *
open_it(struct t *t, const char *boot)
{
	struct state *st = state_open(t->dir, boot, &t->e);

	if (st == NULL)
		fail_msg("%s", t->e.text);
	return st;
}

static void
put(struct t *t, struct state *st, const char *queue, const char *sr,
    const char *handle)
{
	struct state_sr row = {queue, sr, handle, "{\"a\":1}", "[\"x\"]", 5};

	assert_int_equal(state_sr_put(st, &row, &t->e), 0);
}

static void
count(const struct state_sr *sr, void *arg)
{
	(void)sr;
	++*(int *)arg;
}

static void
srs_are_kept(void **state)
{
	struct t *t = *state;
	struct state *st = open_it(t, BOOT);
	struct state_sr row;
	int n = 0;

	put(t, st, "q", "one", "file:///one");
	put(t, st, "q", "two", "file:///two");
	put(t, st, "r", "one", "other");
	put(t, st, "q", "one", "file:///again"); /* replaced */
	state_close(st);
	st = open_it(t, BOOT);
	assert_int_equal(state_sr_get(st, "q", "one", &row, &t->e), 1);
	assert_string_equal(row.handle, "file:///again");
	assert_string_equal(row.config, "{\"a\":1}");
	assert_string_equal(row.uids, "[\"x\"]");
	assert_int_equal(row.at_ns, 5);
	assert_int_equal(state_sr_get(st, "r", "one", &row, &t->e), 1);
	assert_string_equal(row.handle, "other");
	assert_int_equal(state_sr_get(st, "r", "two", &row, &t->e), 0);
	assert_int_equal(state_sr_each(st, "q", count, &n, &t->e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(state_sr_each(st, NULL, count, &n, &t->e), 0);
	assert_int_equal(n, 5);
	assert_int_equal(state_sr_del(st, "q", "one", &t->e), 0);
	assert_int_equal(state_sr_del(st, "q", "one", &t->e), 0);
	assert_int_equal(state_sr_get(st, "q", "one", &row, &t->e), 0);
	state_close(st);
}

static void
epochs_are_kept(void **state)
{
	struct t *t = *state;
	struct state *st = open_it(t, BOOT);
	const char *scheme;

	assert_int_equal(
	    state_epoch_set(st, "q", "sr", "v", "qdisk", &t->e), 0);
	state_close(st);
	st = open_it(t, BOOT);
	assert_int_equal(
	    state_epoch_get(st, "q", "sr", "v", &scheme, &t->e), 1);
	assert_string_equal(scheme, "qdisk");
	assert_int_equal(
	    state_epoch_get(st, "q", "sr", "w", &scheme, &t->e), 0);
	assert_int_equal(state_epoch_set(st, "q", "sr", "v", NULL, &t->e), 0);
	assert_int_equal(
	    state_epoch_get(st, "q", "sr", "v", &scheme, &t->e), 0);
	state_close(st);
}

static void
another_boot_begins_empty(void **state)
{
	struct t *t = *state;
	struct state *st = open_it(t, BOOT);
	struct state_sr row;
	const char *scheme;

	put(t, st, "q", "one", "h");
	state_epoch_set(st, "q", "sr", "v", "qdisk", &t->e);
	state_close(st);
	st = open_it(t, "another");
	assert_int_equal(state_sr_get(st, "q", "one", &row, &t->e), 0);
	assert_int_equal(
	    state_epoch_get(st, "q", "sr", "v", &scheme, &t->e), 0);
	state_close(st);
}

/* Whatever is in the file, the adapter starts; the file is kept. */
static void
damage_is_set_aside(void **state)
{
	static const char *const bad[] = {"", "SQLite format 3",
	    "((s3((sr x)(uids()))))", "SQLite format 3\0\x10\0\1\1\0@  "};
	struct t *t = *state;
	struct state_sr row;
	struct state *st;
	char junk[8192];
	char command[512];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		memset(junk, 'x', sizeof junk);
		memcpy(junk, bad[i], strlen(bad[i]) + 1);
		tempdir_write(t->path, junk, *bad[i] ? sizeof junk : 0);
		st = open_it(t, BOOT);
		put(t, st, "q", "one", "h");
		assert_int_equal(state_sr_get(st, "q", "one", &row, &t->e), 1);
		state_close(st);
		if (*bad[i] != '\0') {
			assert_true(logtest_take("was set aside"));
			snprintf(command, sizeof command,
			    "rm %s/state.db.bad-*", t->dir);
			assert_int_equal(system(command), 0);
		}
		unlink(t->path);
	}
}

/* A page in the middle overwritten: found at the start. */
static void
damage_within_is_found(void **state)
{
	struct t *t = *state;
	struct state *st = open_it(t, BOOT);
	struct state_sr row;
	char sr[32];
	FILE *f;

	for (int i = 0; i < 2000; i++) {
		snprintf(sr, sizeof sr, "sr-%d", i);
		put(t, st, "q", sr, "some handle of a certain length");
	}
	state_close(st);
	f = fopen(t->path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, 5 * 4096 + 3, SEEK_SET), 0);
	for (int i = 0; i < 3000; i++)
		fputc(0xa5, f);
	fclose(f);
	st = open_it(t, BOOT);
	assert_true(logtest_take("was set aside"));
	assert_int_equal(state_sr_get(st, "q", "sr-1", &row, &t->e), 0);
	state_close(st);
}

/* The file of the original, with every kind of atom. */
static void
the_original_is_taken_over(void **state)
{
	static const char file[] =
	    "((s3((sr file:///srs/one)(uids(sr-abc)))) "
	    "(\"a b\"((sr \"x \\\"y\\\" \\\\ \\n\\t\\195\\188\")(uids(u1 "
	    "u2))))\n (s4 ((sr \"\") (uids ()))))";
	struct t *t = *state;
	struct state *st = open_it(t, BOOT);
	struct state_sr row;
	char path[300];

	snprintf(path, sizeof path, "%s/old", t->dir);
	tempdir_write(path, file, sizeof file - 1);
	assert_int_equal(state_import(st, path, &t->e), 3);
	assert_int_equal(state_sr_get(st, "q", "s3", &row, &t->e), 1);
	assert_string_equal(row.handle, "file:///srs/one");
	assert_string_equal(row.uids, "[\"sr-abc\"]");
	assert_string_equal(row.queue, "q");
	/* it is this queue's from here on */
	assert_int_equal(state_sr_get(st, "r", "s3", &row, &t->e), 0);
	assert_int_equal(state_sr_get(st, "r", "a b", &row, &t->e), 1);
	assert_string_equal(row.handle, "x \"y\" \\ \n\t\xc3\xbc");
	assert_string_equal(row.uids, "[\"u1\",\"u2\"]");
	assert_int_equal(state_sr_get(st, "r", "s4", &row, &t->e), 1);
	assert_string_equal(row.handle, "");
	state_close(st);
}

static void
a_bad_file_of_the_original_changes_nothing(void **state)
{
	static const char *const bad[] = {"", "x", "(", "((s3", "((s3((sr x)))",
	    "((s3((sr x)(uids(y))))", "((s3((sr \"x)(uids(y)))))",
	    "((s1((sr x)(uids())))(s2))", "((s1((sr \"\\999\")(uids()))))"};
	struct t *t = *state;
	struct state *st = open_it(t, BOOT);
	struct state_sr row;
	char path[300];

	snprintf(path, sizeof path, "%s/old", t->dir);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		tempdir_write(path, bad[i], strlen(bad[i]));
		assert_int_equal(state_import(st, path, &t->e), -1);
		assert_non_null(strstr(t->e.text, path));
	}
	assert_int_equal(state_sr_get(st, "q", "s1", &row, &t->e), 0);
	snprintf(path, sizeof path, "%s/none", t->dir);
	assert_int_equal(state_import(st, path, &t->e), -1);
	state_close(st);
}

/* ---- record ---- */

static struct record *
open_record(struct t *t)
{
	struct record *r = record_open(t->dir, 64 * 1024, &t->e);

	if (r == NULL)
		fail_msg("%s", t->e.text);
	return r;
}

static void
calls_are_recorded(void **state)
{
	struct t *t = *state;
	struct record *r = open_record(t);
	json_t *list, *o, *globs;

	record_put(r,
	    &(struct record_call){.queue = "q",
		.id = 7,
		.method = "SR.scan",
		.sr = "sr1",
		.took_ns = 1500000000,
		.scripts = "SR.ls 12.3ms"});
	record_put(r,
	    &(struct record_call){.queue = "q",
		.id = 8,
		.method = "SR.attach",
		.sr = "sr2",
		.took_ns = 1,
		.error = "SCRIPT_FAILED",
		.text = "it said password=hunter2 and"
			" nfs://me:hunter2@host/",
		.scripts = "SR.attach 1.0ms exit 1",
		.repeated = true});
	record_close(r);
	r = open_record(t);
	list = record_list(r, 0, false, NULL, 10);
	assert_int_equal(json_array_size(list), 2);
	o = json_array_get(list, 0);
	assert_string_equal(
	    json_string_value(json_object_get(o, "method")), "SR.scan");
	assert_true(json_is_null(json_object_get(o, "error")));
	assert_true(json_real_value(json_object_get(o, "took")) == 1.5);
	assert_true(json_is_false(json_object_get(o, "repeated")));
	json_decref(list);
	list = record_list(r, 0, true, NULL, 10);
	assert_int_equal(json_array_size(list), 1);
	o = json_array_get(list, 0);
	assert_int_equal(json_integer_value(json_object_get(o, "id")), 8);
	assert_string_equal(
	    json_string_value(json_object_get(o, "error")), "SCRIPT_FAILED");
	assert_null(
	    strstr(json_string_value(json_object_get(o, "text")), "hunter2"));
	assert_string_equal(json_string_value(json_object_get(o, "scripts")),
	    "SR.attach 1.0ms exit 1");
	assert_true(json_is_true(json_object_get(o, "repeated")));
	json_decref(list);
	list = record_list(r, INT64_MAX, false, NULL, 10);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	/* of the methods that are wanted, the last ones: not of all calls */
	globs = json_pack("[ss]", "nosuch", "sr.s*");
	list = record_list(r, 0, false, globs, 1);
	assert_int_equal(json_array_size(list), 1);
	o = json_array_get(list, 0);
	assert_string_equal(
	    json_string_value(json_object_get(o, "method")), "SR.scan");
	json_decref(list);
	json_decref(globs);
	record_close(r);
}

static void
the_record_is_bounded(void **state)
{
	struct t *t = *state;
	struct record *r = open_record(t);
	char text[3000];
	json_t *list;
	size_t n;

	memset(text, 'y', sizeof text);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 2000; i++)
		record_put(r,
		    &(struct record_call){.queue = "q",
			.id = i,
			.method = "M",
			.sr = "",
			.error = "E",
			.text = text,
			.scripts = text});
	list = record_list(r, 0, false, NULL, 100000);
	n = json_array_size(list);
	assert_true(n > 30 && n < 500);
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(list, n - 1), "id")),
	    1999);
	json_decref(list);
	list = record_list(r, 0, false, NULL, 5);
	assert_int_equal(json_array_size(list), 5);
	assert_int_equal(
	    json_integer_value(json_object_get(json_array_get(list, 0), "id")),
	    1995);
	json_decref(list);
	record_close(r);
}

/* ---- poison ---- */

enum way { DONE, KILLED, CRASHED };

/* A process that ends with the message in hand, or after it. */
static void
die(struct t *t, const char *queue, int64_t id, enum way way)
{
	pid_t pid = fork();
	struct poison *p;
	int status;

	if (pid == 0) {
		p = poison_open(t->dir, NULL);
		if (p == NULL)
			_exit(1);
		poison_enter(p, queue, id);
		if (way == DONE)
			poison_leave(p);
		if (way == CRASHED)
			poison_crash(p);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
who_ends_us_three_times_is_known(void **state)
{
	struct t *t = *state;
	struct poison *p;

	die(t, "q", 5, CRASHED);
	die(t, "q", 5, CRASHED);
	die(t, "q", 6, DONE);
	p = poison_open(t->dir, &t->e);
	assert_non_null(p);
	assert_false(poison_is(p, "q", 5)); /* twice */
	assert_false(poison_is(p, "q", 6));
	poison_close(p);
	die(t, "q", 5, CRASHED);
	p = poison_open(t->dir, &t->e);
	assert_true(poison_is(p, "q", 5));
	assert_false(poison_is(p, "r", 5));
	poison_forget(p, "q", 5);
	assert_false(poison_is(p, "q", 5));
	poison_crash(p); /* with nothing in hand */
	poison_close(p);
	assert_true(logtest_take("the adapter crashed"));
}

static void
kills_count_little(void **state)
{
	struct t *t = *state;
	struct poison *p;

	for (int i = 0; i < POISON_KILLS; i++) {
		p = poison_open(t->dir, &t->e);
		assert_false(poison_is(p, "q", 5));
		poison_close(p);
		die(t, "q", 5, KILLED);
	}
	p = poison_open(t->dir, &t->e);
	assert_true(poison_is(p, "q", 5));
	poison_close(p);
	assert_true(logtest_take("was killed"));
}

static void
a_damaged_page_is_made_new(void **state)
{
	struct t *t = *state;
	struct poison *p;
	char path[300], junk[8192];

	snprintf(path, sizeof path, "%s/in_hand", t->dir);
	memset(junk, 0xff, sizeof junk);
	tempdir_write(path, junk, sizeof junk);
	p = poison_open(t->dir, &t->e);
	assert_non_null(p);
	assert_false(poison_is(p, "q", -1));
	poison_close(p);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(srs_are_kept),
	    T(epochs_are_kept),
	    T(another_boot_begins_empty),
	    T(damage_is_set_aside),
	    T(damage_within_is_found),
	    T(the_original_is_taken_over),
	    T(a_bad_file_of_the_original_changes_nothing),
	    T(calls_are_recorded),
	    T(the_record_is_bounded),
	    T(who_ends_us_three_times_is_known),
	    T(kills_count_little),
	    T(a_damaged_page_is_made_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
