/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* settings: the table at its bounds, and the file of the original. */
#include "support/unit.h"

#include "clock.h"
#include "settings.h"
#include "support/tempdir.h"

static struct settings
defaults(void)
{
	struct settings s;

	memset(&s, 0, sizeof s);
	conf_defaults(settings_rows, settings_n, &s);
	return s;
}

static void
drop(struct settings *s)
{
	conf_fini(settings_rows, settings_n, s);
}

/* The value of a number as text of its type. */
static void
as_text(char out[32], const struct conf_row *r, int64_t v)
{
	if (r->type == CONF_TIME && v % NS_PER_MS == 0)
		snprintf(out, 32, "%lldms", (long long)(v / NS_PER_MS));
	else
		snprintf(out, 32, "%lld", (long long)v);
}

/* Every number is taken at both of its bounds and not one beyond, and what was
 * refused changes nothing. */
static void
numbers_hold_at_their_bounds(void **state)
{
	struct settings s = defaults();
	struct err e;
	int seen = 0;

	(void)state;
	for (size_t i = 0; i < settings_n; i++) {
		const struct conf_row *r = &settings_rows[i];
		int64_t step = r->type == CONF_TIME ? NS_PER_MS : 1;
		int64_t *v = (int64_t *)(void *)((char *)&s + r->offset);
		char key[64], text[32];

		if (r->type == CONF_STR || (r->min == 0 && r->max == 0))
			continue;
		seen++;
		snprintf(key, sizeof key, "%s.%s", r->section, r->name);
		as_text(text, r, r->min);
		assert_int_equal(
		    conf_set(settings_rows, settings_n, &s, key, text, &e), 0);
		assert_int_equal(*v, r->min);
		as_text(text, r, r->max);
		assert_int_equal(
		    conf_set(settings_rows, settings_n, &s, key, text, &e), 0);
		assert_int_equal(*v, r->max);
		as_text(text, r, r->max + step);
		assert_int_equal(
		    conf_set(settings_rows, settings_n, &s, key, text, &e), -1);
		as_text(text, r, r->min - step);
		assert_int_equal(
		    conf_set(settings_rows, settings_n, &s, key, text, &e), -1);
		assert_int_equal(*v, r->max);
		assert_non_null(strstr(e.text, r->name));
	}
	assert_true(seen > 20);
	drop(&s);
}

/* Rows are complete: a help sentence, no two of a name, no two of a place. */
static void
rows_are_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < settings_n; i++) {
		const struct conf_row *r = &settings_rows[i];
		size_t n = strlen(r->help);

		assert_true(n > 10 && r->help[n - 1] == '.');
		assert_true(r->offset < sizeof(struct settings));
		for (size_t k = 0; k < i; k++) {
			const struct conf_row *o = &settings_rows[k];
			assert_int_not_equal(o->offset, r->offset);
			assert_false(strcmp(o->section, r->section) == 0 &&
			    strcmp(o->name, r->name) == 0);
		}
	}
	/* every field of the struct has its row */
	assert_int_equal(settings_n, sizeof(struct settings) / 8);
}

/* The settings of the original: three of them mean something here. */
static void
file_of_the_original(void **state)
{
	static const char *const files[] = {
	    "((path /run/a)(pidfile(/run/pid))(statedir(/st)))",
	    "  (\n (path\t\"/run/a\")\n(unknown (x y (z)))\n"
	    "(pidfile (\"/run/pid\")) (statedir (/st))\n)\n",
	    "((daemon false)(path /run/a)(pidfile(/run/pid))(statedir(/st)",
	};
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 8];
	struct err e;

	(void)state;
	tempdir_make(dir);
	snprintf(path, sizeof path, "%s/f", dir);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct settings s = defaults();

		tempdir_write(path, files[i], strlen(files[i]));
		assert_int_equal(settings_read_old(&s, path, &e), 0);
		assert_string_equal(s.socket, "/run/a");
		assert_string_equal(s.pidfile, "/run/pid");
		assert_string_equal(s.state, "/st");
		drop(&s);
	}
	tempdir_remove(dir);
}

/* An empty list is "none": the default stays. */
static void
empty_lists_of_the_original(void **state)
{
	static const char text[] = "((path /run/a)(pidfile())(statedir()))";
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 8];
	struct settings s = defaults();
	struct err e;

	(void)state;
	tempdir_make(dir);
	snprintf(path, sizeof path, "%s/f", dir);
	tempdir_write(path, text, strlen(text));
	assert_int_equal(settings_read_old(&s, path, &e), 0);
	assert_string_equal(s.pidfile, "");
	assert_string_equal(s.state, "/var/lib/xmsg");
	drop(&s);
	tempdir_remove(dir);
}

/* What is no such file: said so, nothing read beyond it. */
static void
odd_files_of_the_original(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} cases[] = {
	    {"", -1},
	    {"   \n", -1},
	    {"[server]\nsocket = /x\n", -1},
	    {"(", 0},
	    {"()", 0},
	    {"((", 0},
	    {"((path", 0},
	    {"((path \"", 0},
	    {"((path \"/unclosed", 0},
	    {")", -1},
	    {"(\"\" \"\")", 0},
	    {"((\"\" x)(path /run/b))", 0},
	};
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 8];
	struct err e;

	(void)state;
	tempdir_make(dir);
	snprintf(path, sizeof path, "%s/f", dir);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct settings s = defaults();

		print_message("# case %zu\n", i);
		tempdir_write(path, cases[i].text, strlen(cases[i].text));
		assert_int_equal(settings_read_old(&s, path, &e), cases[i].rc);
		drop(&s);
	}
	snprintf(path, sizeof path, "%s/none", dir);
	assert_int_equal(settings_read_old(NULL, path, &e), -1);
	assert_non_null(strstr(e.text, "none"));
	tempdir_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_hold_at_their_bounds),
	    cmocka_unit_test(rows_are_complete),
	    cmocka_unit_test(file_of_the_original),
	    cmocka_unit_test(empty_lists_of_the_original),
	    cmocka_unit_test(odd_files_of_the_original),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
