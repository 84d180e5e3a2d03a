/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* cli/runs: the words of the record, and what lies in a spool. */
#include "support/unit.h"

#include <sys/stat.h>

#include "../cli/runs.h"
#include "../storage-adapter/spool.h"
#include "support/tempdir.h"

/* "name|end|ms;" for each run. */
static void
expect_words(const char *words, const char *want)
{
	struct runs r = {0};
	struct buf b = BUF_INIT;
	char *got;

	runs_add_words(&r, 7, str_of(words));
	for (size_t i = 0; i < r.n; i++) {
		assert_int_equal(r.v[i].id, 7);
		buf_addf(&b, "%.*s|%.*s|%.1f;", (int)r.v[i].script.n,
		    r.v[i].script.p, (int)r.v[i].end.n, r.v[i].end.p,
		    r.v[i].took_s * 1e3);
	}
	got = buf_steal(&b, NULL);
	assert_string_equal(got ? got : "", want);
	free(got);
	runs_fini(&r);
}

static void
runs_are_read_from_words(void **state)
{
	(void)state;
	expect_words("", "");
	expect_words("SR.attach 12.3ms", "SR.attach||12.3;");
	expect_words("SR.attach 12.3ms, SR.stat 8.0ms exit 1",
	    "SR.attach||12.3;SR.stat|exit 1|8.0;");
	expect_words("a 1.0ms time limit, b 2.0ms", "a|time limit|1.0;b||2.0;");
	expect_words("a 1.0ms, SR.st", "a||1.0;");
	expect_words("a 1.0ms, SR.stat 8.", "a||1.0;");
	expect_words("a xms, , b", "");
	expect_words("a -1ms, b nanms, c ms", "");
}

/* A step that began, and whether it ended. */
static void
put_step(const char *dir, unsigned step, const char *script, bool over)
{
	struct spool_start s = {.boot = "b", .runner = 1, .pid = 1};
	char record[SPOOL_RECORD], name[SPOOL_NAME], path[512];

	snprintf(s.script, sizeof s.script, "%s", script);
	spool_write(record, &s, NULL);
	snprintf(
	    path, sizeof path, "%s/%s", dir, spool_name(name, step, SPOOL_RUN));
	tempdir_write(path, "", 0);
	snprintf(path, sizeof path, "%s/%s", dir,
	    spool_name(name, step, over ? SPOOL_STATUS : SPOOL_PID));
	tempdir_write(path, record, sizeof record);
}

/* One runs; of one the record is damaged; two folders are no calls. */
static void
runs_are_found_in_the_spool(void **state)
{
	static const char *const folders[] = {"spool", "spool/q", "spool/q/12",
	    "spool/q/13", "spool/q/x", "spool/q/-4"};
	char dir[TEMPDIR_MAX], path[512];
	struct runs r = {0};
	struct err e = {0};

	(void)state;
	tempdir_make(dir);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
		if (i < 2)
			continue;
		put_step(path, 0, "/p/SR.first", true);
		put_step(path, 1, "/p/SR.second", false);
	}
	snprintf(path, sizeof path, "%s/spool/q/13/1.pid", dir);
	tempdir_write(path, "no record\n", 10);
	assert_int_equal(runs_read(&r, dir, 0, &e), 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].id, 12);
	assert_true(str_eq(r.v[0].script, STR("SR.second")));
	assert_true(r.v[0].took_s < 0);
	runs_fini(&r);
	tempdir_remove(dir);
}

static void
runs_say_when_there_is_nothing(void **state)
{
	struct runs r = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(runs_read(&r, "/nonexistent", 0, &e), -1);
	assert_non_null(strstr(e.text, "/nonexistent"));
	assert_int_equal(r.n, 0);
	runs_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(runs_are_read_from_words),
	    cmocka_unit_test(runs_are_found_in_the_spool),
	    cmocka_unit_test(runs_say_when_there_is_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
