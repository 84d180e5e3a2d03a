/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Files that the adapter reads, damaged in every place: the state of the
 * original and its settings, records of runs, its own database; and settings
 * that are too long. */
#include "support/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "old.h"
#include "record.h"
#include "sexp.h"
#include "spool.h"
#include "state.h"
#include "support/logtest.h"
#include "support/tempdir.h"

#define BOOT "11111111-2222-3333-4444-555555555555"

struct t {
	char dir[TEMPDIR_MAX], path[256];
	struct asettings s;
	struct old old;
	struct err e;
};

static int
setup(void **state)
{
	static struct t t;

	memset(&t, 0, sizeof t);
	tempdir_make(t.dir);
	snprintf(t.path, sizeof t.path, "%s/file", t.dir);
	conf_defaults(asettings_rows, asettings_n, &t.s);
	logtest_clear();
	*state = &t;
	return 0;
}

static int
teardown(void **state)
{
	struct t *t = *state;

	old_fini(&t->old);
	conf_fini(asettings_rows, asettings_n, &t->s);
	tempdir_remove(t->dir);
	return logtest_left();
}

/* ---- the state of the original ---- */

/* Handles, one behind the other. */
static int
handles(void *arg, const char *sr, const char *handle, const char *uids)
{
	char *all = arg;

	(void)sr, (void)uids;
	if (strcmp(handle, "refuse") == 0)
		return -1;
	snprintf(all + strlen(all), 200 - strlen(all), "%s;", handle);
	return 0;
}

/* How many SRs there are in this text; -1: it is none. */
static int
attached(struct t *t, const char *text, size_t n, char all[200])
{
	*all = '\0';
	tempdir_write(t->path, text, n);
	return sexp_attached(t->path, handles, all, &t->e);
}

static void
a_state_that_is_cut_off(void **state)
{
	static const char whole[] =
	    "((a ((sr \"h \\\"1\\\" \\065\")(uids(x y))))\n"
	    " (b((sr g)(uids()))))";
	struct t *t = *state;
	char all[200];

	assert_int_equal(attached(t, whole, sizeof whole - 1, all), 2);
	assert_string_equal(all, "h \"1\" A;g;");
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		assert_int_equal(attached(t, whole, n, all), -1);
		assert_non_null(strstr(t->e.text, "not a state file"));
	}
}

static void
words_of_a_state(void **state)
{
	static const struct {
		const char *handle, *read; /* NULL: no such word */
	} rows[] = {
	    {"\"\\n\\r\\t\\b\"", "\n\r\t\b;"},
	    {"\"\\q\\\\\"", "q\\;"},
	    {"\"\\255\"", "\xff;"},
	    {"\"\\256\"", NULL},
	    {"\"\\000\"", NULL},
	    {"\"\\1x0\"", NULL},
	    {"\"\\12\"", NULL},
	    {"\"\\", NULL},
	    {"", NULL},
	    {";", NULL},
	    {"x;", NULL},
	};
	static const char nul[] = "((a((sr \"\\\0\")(uids()))))";
	struct t *t = *state;
	char text[64], all[200];
	int n;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(text, sizeof text, "((a((sr %s)(uids()))))",
		    rows[i].handle);
		n = attached(t, text, strlen(text), all);
		if (n != (rows[i].read ? 1 : -1) ||
		    (n == 1 && strcmp(all, rows[i].read) != 0))
			fail_msg("%s: %d, %s", rows[i].handle, n, all);
	}
	/* behind a backslash, where no text ends */
	assert_int_equal(attached(t, nul, sizeof nul - 1, all), 1);
}

static void
other_words_in_a_state(void **state)
{
	static const char *const bad[] = {"((a((rs h)(uids()))))",
	    "((a((sr h)(uid()))))", "((a((sr h)(uids x))))",
	    "((a((sr h)(uids(;)))))", "((a((s h)(uids()))))", "((a(x", "(a)",
	    "(((sr h)))"};
	struct t *t = *state;
	char all[200];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (attached(t, bad[i], strlen(bad[i]), all) != -1)
			fail_msg("%s", bad[i]);
}

static void
a_state_that_cannot_be_read(void **state)
{
	struct t *t = *state;
	char all[200] = "";

	assert_int_equal(sexp_attached(t->path, handles, all, &t->e), -1);
	assert_int_equal(t->e.code, ENOENT);
	assert_int_equal(sexp_attached(t->dir, handles, all, &t->e), -1);
	assert_int_equal(t->e.code, EISDIR);
	tempdir_write(t->path, "", 0);
	assert_int_equal(truncate(t->path, (16 << 20) + 1), 0);
	assert_int_equal(sexp_attached(t->path, handles, all, &t->e), -1);
	assert_int_equal(t->e.code, EFBIG);
	assert_int_equal(
	    attached(t, "((a((sr refuse)(uids()))))", 26, all), -1);
	assert_non_null(strstr(t->e.text, "cannot be taken over"));
}

/* ---- the settings of the original ---- */

/* Read the options from here to NULL. */
static int
old(struct t *t, ...)
{
	char *argv[12] = {(char[]){"x"}}, conf[256], fragments[256];
	va_list ap;
	int argc = 3, rc;

	snprintf(conf, sizeof conf, "--config=%s/conf", t->dir);
	snprintf(fragments, sizeof fragments, "--config-dir=%s/conf.d", t->dir);
	argv[1] = conf;
	argv[2] = fragments;
	va_start(ap, t);
	while ((argv[argc] = va_arg(ap, char *)) != NULL)
		argc++;
	va_end(ap);
	old_fini(&t->old);
	rc = old_read(argc, argv, &t->s, &t->old, &t->e);
	return rc;
}

/* A file below the folder. */
static void
put(struct t *t, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", t->dir, name);
	tempdir_write(path, text, strlen(text));
}

/* A folder there. */
static void
make(struct t *t, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", t->dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void
relative_names_are_looked_for(void **state)
{
	struct t *t = *state;
	char path[600], search[600], want[600], *was = getenv("PATH");
	char here[600];

	assert_non_null(was);
	was = strdup(was);
	assert_non_null(getcwd(here, sizeof here));
	make(t, "one");
	make(t, "two");
	make(t, "two/plugins");
	snprintf(path, sizeof path, ":%s/none:%s/one", t->dir, t->dir);
	snprintf(search, sizeof search, "--search-path=%s/two", t->dir);
	setenv("PATH", path, 1);
	assert_int_equal(chdir(t->dir), 0);
	/* the root from the search path, the state as it is */
	assert_int_equal(
	    old(t, search, "--root=plugins", "--state=state.db", NULL), 0);
	snprintf(want, sizeof want, "%s/two/plugins", t->dir);
	assert_string_equal(t->s.root, want);
	assert_string_equal(t->s.state, "./xmsg-storaged");
	assert_string_equal(t->old.state, "state.db");
	/* $PATH comes first */
	make(t, "one/plugins");
	assert_int_equal(
	    old(t, search, "--root=plugins", "--state=state.db", NULL), 0);
	snprintf(want, sizeof want, "%s/one/plugins", t->dir);
	assert_string_equal(t->s.root, want);
	unsetenv("PATH");
	assert_int_equal(
	    old(t, "--root=two/plugins", "--state=state.db", NULL), 0);
	assert_string_equal(t->s.root, "two/plugins");
	assert_int_equal(chdir(here), 0);
	setenv("PATH", was, 1);
	free(was);
}

static void
files_that_cannot_be_read(void **state)
{
	struct t *t = *state;
	char option[600];

	make(t, "folder");
	put(t, "file", "");
	snprintf(option, sizeof option, "--config=%s/folder", t->dir);
	assert_int_equal(old(t, option, NULL), 2);
	assert_int_equal(t->e.code, EISDIR);
	snprintf(option, sizeof option, "--config=%s/file/x", t->dir);
	assert_int_equal(old(t, option, NULL), 2);
	assert_int_equal(t->e.code, ENOTDIR);
	snprintf(option, sizeof option, "--config-dir=%s/file", t->dir);
	assert_int_equal(old(t, option, NULL), 2);
	assert_int_equal(t->e.code, ENOTDIR);
	/* the first of two fragments: the second does not matter */
	make(t, "conf.d");
	put(t, "conf.d/1", "concurrent = maybe\n");
	put(t, "conf.d/2", "concurrent = perhaps\n");
	assert_int_equal(old(t, NULL), 2);
	assert_non_null(strstr(t->e.text, "conf.d/1:1: concurrent: \"maybe\""));
}

static void
lines_of_a_file(void **state)
{
	static const struct {
		const char *line, *socket;
	} rows[] = {
	    {"switch-path = /a", "/a"},
	    {"\t switch-path=\"/a b\"", "/a b"},
	    {"switch-path='/a'  # why\r", "/a"},
	    {"switch-path=\"/a'", "\"/a'"},
	    {"switch-path=\"", "\""},
	    {"switch-path", "/default"},
	    {" = /a", "/default"},
	    {"# switch-path=/a", "/default"},
	    {"switch-path-2=/a", "/default"},
	};
	struct t *t = *state;
	char root[256], state_[256];

	snprintf(root, sizeof root, "--root=%s", t->dir);
	snprintf(state_, sizeof state_, "--state=%s/state.db", t->dir);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		put(t, "conf", rows[i].line);
		assert_int_equal(
		    old(t, root, state_, "--switch-path=/default", NULL), 0);
		if (strcmp(t->s.socket, rows[i].socket) != 0)
			fail_msg("%s: %s", rows[i].line, t->s.socket);
	}
}

static void
what_cannot_be_used(void **state)
{
	struct t *t = *state;
	char root[256], state_[300], longer[5000] = "--root=/";

	put(t, "file", "");
	snprintf(root, sizeof root, "--root=%s", t->dir);
	snprintf(state_, sizeof state_, "--state=%s/file/x/state.db", t->dir);
	assert_int_equal(old(t, root, state_, NULL), 2);
	assert_non_null(strstr(t->e.text, "cannot make"));
	snprintf(state_, sizeof state_, "--state=%s/state.db", t->dir);
	memset(longer + 8, 'x', sizeof longer - 9);
	assert_int_equal(old(t, longer, state_, NULL), 2);
	assert_non_null(strstr(t->e.text, "adapter.root"));
	memcpy(longer, "--switch-path=/", 15);
	assert_int_equal(old(t, root, state_, longer, NULL), 2);
	assert_non_null(strstr(t->e.text, "adapter.socket"));
	assert_int_equal(old(t, root, state_, "--use-switch=false", NULL), 0);
	assert_true(logtest_take("use-switch=false is not supported"));
}

/* ---- records of runs ---- */

static const struct spool_start start = {
    .boot = BOOT,
    .runner = 12,
    .pid = 34,
    .ticks = 56,
    .wall_ns = 78,
    .script = "/a/script",
};
static const struct spool_end end = {.end = JOB_EXIT, .code = 3};

/* Is the record whole? */
static bool
whole(const char *buf, size_t n)
{
	struct spool_start s;
	struct spool_end e;

	return spool_read_start(buf, n, &s) && spool_read_end(buf, n, &e);
}

static void
a_key_that_is_another(void **state)
{
	char buf[SPOOL_RECORD];
	size_t seen = 0;

	(void)state;
	spool_write(buf, &start, &end);
	assert_true(whole(buf, sizeof buf));
	for (size_t i = 0; i < sizeof buf; i++) {
		if (buf[i] != '=')
			continue;
		buf[i] = '-'; /* the end of a key */
		assert_false(whole(buf, sizeof buf));
		buf[i] = '=';
		buf[i - 1] ^= 1; /* its last letter */
		assert_false(whole(buf, sizeof buf));
		buf[i - 1] ^= 1;
		seen++;
	}
	assert_int_equal(seen, 16);
}

static void
a_number_that_is_none(void **state)
{
	static const char *const texts[] = {"boot", "script", "end"};
	char buf[SPOOL_RECORD], key[16];
	size_t from = 0, n;
	bool is_text;

	(void)state;
	spool_write(buf, &start, &end);
	for (size_t i = 0; i < sizeof buf; i++) {
		char was = buf[i + (i + 1 < sizeof buf)];

		if (buf[i] == ' ' || buf[i] == '\n')
			from = i + 1;
		if (buf[i] != '=')
			continue;
		n = i - from < sizeof key - 1 ? i - from : sizeof key - 1;
		memcpy(key, buf + from, n);
		key[n] = '\0';
		is_text = false;
		for (size_t j = 0; j < sizeof texts / sizeof *texts; j++)
			is_text |= strcmp(key, texts[j]) == 0;
		for (const char *c = "x:/ -"; !is_text && *c != '\0'; c++) {
			buf[i + 1] = *c;
			if (whole(buf, sizeof buf))
				fail_msg("%s=%c", key, *c);
		}
		buf[i + 1] = was;
	}
	assert_true(whole(buf, sizeof buf));
}

static void
a_record_that_is_damaged(void **state)
{
	struct spool_start s = start;
	char buf[SPOOL_RECORD], *at;

	(void)state;
	spool_write(buf, &start, &end);
	assert_false(whole(buf, sizeof buf - 1)); /* another length */
	/* the boot is longer than one, or the last word of its line */
	at = strchr(buf, ' ') + 1;
	at[strlen("boot=") + 36] = 'x';
	assert_false(whole(buf, sizeof buf));
	at[strlen("boot=") + 36] = '\n';
	assert_false(whole(buf, sizeof buf));
	/* a word that is no end, or too long for one */
	spool_write(buf, &start, &end);
	memcpy(strstr(buf, "end=exit"), "end=tixe", 8);
	assert_false(whole(buf, sizeof buf));
	spool_write(buf, &start, &end);
	memset(strstr(buf, "end=exit") + 4, 'x', 20);
	assert_false(whole(buf, sizeof buf));
	/* no line at all, or one line of everything */
	memset(buf, 'x', sizeof buf);
	assert_false(whole(buf, sizeof buf));
	spool_write(buf, &start, &end);
	*strchr(buf, '\n') = ' ';
	assert_false(whole(buf, sizeof buf));
	spool_write(buf, &start, NULL);
	memset(strchr(buf, '\n'), 'x', 300); /* a long name */
	assert_false(spool_read_start(buf, sizeof buf, &s));
	/* what would end a line */
	s = start;
	snprintf(s.script, sizeof s.script, "/a\n\x7f\tb");
	spool_write(buf, &s, &end);
	assert_true(spool_read_start(buf, sizeof buf, &s));
	assert_string_equal(s.script, "/a???b");
}

/* ---- the database ---- */

/* Do this to it behind the adapter's back. */
static void
meanwhile(struct t *t, const char *sql)
{
	char path[256];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/state.db", t->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
nobody(const struct state_sr *sr, void *arg)
{
	(void)sr;
	(*(int *)arg)++;
}

static void
tables_that_are_gone(void **state)
{
	struct t *t = *state;
	struct state_sr row = {"q", "s", "h", "{}", "[]", 1};
	struct state *st = state_open(t->dir, BOOT, &t->e);
	const char *scheme;
	int n = 0;

	assert_non_null(st);
	meanwhile(t, "DROP TABLE attached; DROP TABLE epoch");
	assert_int_equal(state_sr_put(st, &row, &t->e), -1);
	assert_non_null(strstr(t->e.text, "remember an attached SR"));
	assert_int_equal(state_sr_get(st, "q", "s", &row, &t->e), -1);
	assert_non_null(strstr(t->e.text, "look up an SR"));
	assert_int_equal(state_sr_del(st, "q", "s", &t->e), -1);
	assert_int_equal(state_sr_each(st, NULL, nobody, &n, &t->e), -1);
	assert_int_equal(n, 0);
	assert_int_equal(
	    state_epoch_get(st, "q", "s", "v", &scheme, &t->e), -1);
	assert_non_null(strstr(t->e.text, "look up an epoch"));
	assert_int_equal(state_epoch_set(st, "q", "s", "v", "x", &t->e), -1);
	put(t, "file", "((a((sr h)(uids()))))");
	assert_int_equal(state_import(st, t->path, &t->e), -1);
	state_close(st);
}

static void
an_sr_that_cannot_be_taken_over(void **state)
{
	struct t *t = *state;
	struct state_sr row;
	struct state *st = state_open(t->dir, BOOT, &t->e);

	assert_non_null(st);
	put(t, "file", "((a((sr h)(uids()))))");
	assert_int_equal(state_import(st, t->path, &t->e), 1);
	meanwhile(t,
	    "CREATE TRIGGER no BEFORE UPDATE ON attached BEGIN SELECT"
	    " RAISE(ABORT, 'not this one'); END");
	assert_int_equal(state_sr_get(st, "q", "a", &row, &t->e), -1);
	assert_non_null(strstr(t->e.text, "take over an SR"));
	meanwhile(t, "DROP TRIGGER no");
	assert_int_equal(state_sr_get(st, "q", "a", &row, &t->e), 1);
	assert_string_equal(row.handle, "h");
	state_close(st);
}

static void
a_boot_that_cannot_be_noted(void **state)
{
	static const char *const sql[] = {
	    "CREATE TRIGGER no BEFORE UPDATE ON meta BEGIN SELECT"
	    " RAISE(ABORT, 'not this one'); END",
	    "INSERT INTO attached VALUES ('q', 's', 'h', '{}', '[]', 1);"
	    "CREATE TRIGGER no BEFORE DELETE ON attached BEGIN SELECT"
	    " RAISE(ABORT, 'not this one'); END",
	};
	static const char *const doing[] = {
	    "note the boot", "begin a new boot"};
	struct t *t = *state;

	for (size_t i = 0; i < 2; i++) {
		state_close(state_open(t->dir, BOOT, &t->e));
		meanwhile(t, sql[i]);
		assert_null(state_open(t->dir, "another boot", &t->e));
		if (strstr(t->e.text, doing[i]) == NULL)
			fail_msg("%s: %s", doing[i], t->e.text);
		meanwhile(t, "DROP TRIGGER no");
	}
}

static void
folders_that_are_none(void **state)
{
	char longer[5000];
	struct t *t = *state;

	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	assert_null(state_open(longer, BOOT, &t->e));
	assert_int_equal(t->e.code, ENAMETOOLONG);
	assert_null(state_open("/no/such", BOOT, &t->e));
	assert_non_null(strstr(t->e.text, "cannot open /no/such/state.db"));
}

/* ---- the record of calls ---- */

static void
a_call_with_nothing_to_say(void **state)
{
	struct t *t = *state;
	struct record *r = record_open(t->dir, 1 << 20, &t->e);
	json_t *list, *v;

	assert_non_null(r);
	record_put(r,
	    &(struct record_call){.queue = "q", .method = "m", .sr = "\xff"});
	list = record_list(r, 0, false, NULL, 5);
	v = json_array_get(list, 0);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_object_get(v, "sr")), "");
	assert_string_equal(
	    json_string_value(json_object_get(v, "scripts")), "");
	assert_true(json_is_null(json_object_get(v, "error")));
	json_decref(list);
	record_close(r);
	record_close(NULL);
}

/* ---- settings ---- */

static void
settings_that_are_too_long(void **state)
{
	static const struct {
		const char *key, *value;
		bool good;
	} rows[] = {
	    {"scripts.times", "Volume.copy=2h, SR.ls=1s", true},
	    {"scripts.times",
		"Abc.abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefgh"
		"ij=1s",
		false},
	    {"scripts.times", "A.b=00000000000000000000000000000000001s",
		false},
	    {"scripts.times", "A.b=never", false},
	    {"scripts.times", "copy=1s", false},
	    {"plugins.owners", "0, 7", true},
	    {"plugins.owners", "7x", false},
	    {"plugins.owners",
		"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"
		"abcd",
		false},
	    {"scripts.env", "A=1 B= C=x=y", true},
	    {"scripts.env", "=1", false},
	    {"scripts.env", "A=1 B", false},
	    {"scripts.env", "A B=1", false},
	};
	struct t *t = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		conf_fini(asettings_rows, asettings_n, &t->s);
		conf_defaults(asettings_rows, asettings_n, &t->s);
		assert_int_equal(conf_set(asettings_rows, asettings_n, &t->s,
				     rows[i].key, rows[i].value, &t->e),
		    0);
		if (asettings_check(&t->s, &t->e) != (rows[i].good ? 0 : -1))
			fail_msg("%s=%s", rows[i].key, rows[i].value);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_state_that_is_cut_off),
	    TEST(words_of_a_state),
	    TEST(other_words_in_a_state),
	    TEST(a_state_that_cannot_be_read),
	    TEST(relative_names_are_looked_for),
	    TEST(files_that_cannot_be_read),
	    TEST(lines_of_a_file),
	    TEST(what_cannot_be_used),
	    TEST(a_key_that_is_another),
	    TEST(a_number_that_is_none),
	    TEST(a_record_that_is_damaged),
	    TEST(tables_that_are_gone),
	    TEST(an_sr_that_cannot_be_taken_over),
	    TEST(a_boot_that_cannot_be_noted),
	    TEST(folders_that_are_none),
	    TEST(a_call_with_nothing_to_say),
	    TEST(settings_that_are_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
