/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The adapter's settings, and those of the original. */
#include "support/unit.h"

#include <unistd.h>

#include "clock.h"
#include "old.h"
#include "settings.h"
#include "support/logtest.h"
#include "support/tempdir.h"

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

struct t {
	struct asettings s;
	struct old old;
	struct err e;
	char dir[TEMPDIR_MAX], text[8][300];
	char *argv[10];
	int argc;
};

static int
setup(void **state)
{
	static struct t t;

	memset(&t, 0, sizeof t);
	conf_defaults(asettings_rows, asettings_n, &t.s);
	tempdir_make(t.dir);
	t.argv[t.argc++] = t.text[0];
	logtest_clear();
	*state = &t;
	return 0;
}

static int
teardown(void **state)
{
	struct t *t = *state;

	conf_fini(asettings_rows, asettings_n, &t->s);
	old_fini(&t->old);
	tempdir_remove(t->dir);
	return logtest_left();
}

static int
set(struct t *t, const char *key, const char *value)
{
	return conf_set(asettings_rows, asettings_n, &t->s, key, value, &t->e);
}

static void
methods_have_time_limits(void **state)
{
	struct t *t = *state;

	assert_int_equal(asettings_check(&t->s, &t->e), 0);
	assert_int_equal(
	    asettings_time(&t->s, "Volume.copy"), 600 * NS_PER_SEC);
	assert_int_equal(
	    set(t, "scripts.times", "Volume.copy=2h, Data.copy=0 SR.ls=50ms"),
	    0);
	assert_int_equal(asettings_check(&t->s, &t->e), 0);
	assert_int_equal(
	    asettings_time(&t->s, "Volume.copy"), 7200 * NS_PER_SEC);
	assert_int_equal(asettings_time(&t->s, "data.copy"), 0);
	assert_int_equal(asettings_time(&t->s, "SR.ls"), 50 * NS_PER_MS);
	assert_int_equal(asettings_time(&t->s, "SR.stat"), 600 * NS_PER_SEC);
}

static void
bad_time_limits_are_refused(void **state)
{
	static const char *const bad[] = {"Volume.copy", "=5s",
	    "Volume.copy=", "Volume.copy=soon", "copy=5s", "Volume.copy=-1s"};
	struct t *t = *state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(set(t, "scripts.times", bad[i]), 0);
		assert_int_equal(asettings_check(&t->s, &t->e), -1);
		assert_non_null(strstr(t->e.text, "scripts.times"));
	}
}

static void
owners_are_users(void **state)
{
	struct t *t = *state;
	unsigned *uids;
	size_t n;

	uids = asettings_owners(&t->s, &n);
	assert_int_equal(n, 0);
	free(uids);
	assert_int_equal(set(t, "plugins.owners", "daemon, 4711 root"), 0);
	assert_int_equal(asettings_check(&t->s, &t->e), 0);
	uids = asettings_owners(&t->s, &n);
	assert_int_equal(n, 3);
	assert_int_equal(uids[1], 4711);
	assert_int_equal(uids[2], 0);
	free(uids);
	assert_int_equal(set(t, "plugins.owners", "no-such-user-here"), 0);
	assert_int_equal(asettings_check(&t->s, &t->e), -1);
	assert_non_null(strstr(t->e.text, "no-such-user-here"));
}

/* ---- the original's ---- */

static void
arg(struct t *t, const char *fmt, const char *value)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(t->text[t->argc], sizeof t->text[0], fmt, value);
#pragma GCC diagnostic pop
	t->argv[t->argc] = t->text[t->argc];
	t->argc++;
}

/* Options that keep it in the folder of the test. */
static void
here(struct t *t)
{
	arg(t, "--config=%s/conf", t->dir);
	arg(t, "--config-dir=%s/conf.d", t->dir);
	arg(t, "--root=%s", t->dir);
	arg(t, "--state=%s/deep/er/state.db", t->dir);
}

static int
old(struct t *t)
{
	return old_read(t->argc, t->argv, &t->s, &t->old, &t->e);
}

static void
the_original_s_options(void **state)
{
	struct t *t = *state;
	char want[300];

	here(t);
	arg(t, "--switch-path%s", "");
	arg(t, "%s", "/run/other");
	arg(t, "--concurrent=%s", "false");
	assert_int_equal(old(t), 0);
	assert_string_equal(t->s.root, t->dir);
	assert_string_equal(t->s.socket, "/run/other");
	assert_int_equal(t->s.concurrent, 0);
	snprintf(want, sizeof want, "%s/deep/er/xmsg-storaged", t->dir);
	assert_string_equal(t->s.state, want);
	assert_int_equal(access(want, W_OK), 0);
	snprintf(want, sizeof want, "%s/deep/er/state.db", t->dir);
	assert_string_equal(t->old.state, want);
	assert_false(t->old.self_test);
}

static void
the_original_s_files_win(void **state)
{
	static const char conf[] = "# all of it\n\n  switch-path = '/a'  # c\n"
				   "concurrent=false\nunknown = 1\nnonsense\n";
	static const char one[] = "switch-path = \"/b c\"\n";
	static const char two[] = "concurrent = true \t\n";
	struct t *t = *state;
	char path[300];

	here(t);
	arg(t, "--switch-path=%s", "/from/the/command/line");
	snprintf(path, sizeof path, "%s/conf", t->dir);
	tempdir_write(path, conf, sizeof conf - 1);
	snprintf(path, sizeof path, "mkdir %s/conf.d", t->dir);
	assert_int_equal(system(path), 0);
	snprintf(path, sizeof path, "%s/conf.d/10", t->dir);
	tempdir_write(path, two, sizeof two - 1);
	snprintf(path, sizeof path, "%s/conf.d/05", t->dir);
	tempdir_write(path, one, sizeof one - 1);
	assert_int_equal(old(t), 0);
	assert_string_equal(t->s.socket, "/b c");
	assert_int_equal(t->s.concurrent, 1);
}

static void
the_original_s_mistakes(void **state)
{
	static const struct {
		const char *arg;
		int status;
	} bad[] = {{"--no-such=1", OLD_VALUE}, {"--concurrent=yes", OLD_VALUE},
	    {"--root", OLD_VALUE}, {"word", OLD_VALUE}};
	struct t *t = *state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		t->argc = 1;
		arg(t, "%s", bad[i].arg);
		old_fini(&t->old);
		assert_int_equal(old(t), bad[i].status);
		assert_true(*t->e.text != '\0');
	}
	/* in a file: fatal, with the line */
	t->argc = 1;
	here(t);
	snprintf(t->text[7], sizeof t->text[7], "%s/conf", t->dir);
	tempdir_write(t->text[7], "\nconcurrent = maybe\n", 20);
	old_fini(&t->old);
	assert_int_equal(old(t), 2);
	assert_non_null(strstr(t->e.text, "conf:2"));
	/* no root */
	unlink(t->text[7]);
	arg(t, "--root=%s", "/no/such/folder");
	old_fini(&t->old);
	assert_int_equal(old(t), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(methods_have_time_limits),
	    T(bad_time_limits_are_refused),
	    T(owners_are_users),
	    T(the_original_s_options),
	    T(the_original_s_files_win),
	    T(the_original_s_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
