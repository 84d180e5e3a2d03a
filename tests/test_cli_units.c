/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* cli/units: ages, durations, sizes, times, at every border. */
#include "support/unit.h"

#include <time.h>

#include "../cli/units.h"

struct row {
	double in;
	const char *out;
};

static void
check(void (*fn)(char *, double), const struct row *rows, size_t n)
{
	char out[UNITS_MAX];

	for (size_t i = 0; i < n; i++) {
		fn(out, rows[i].in);
		if (strcmp(out, rows[i].out) != 0)
			fail_msg("%.9g: got %s, want %s", rows[i].in, out,
			    rows[i].out);
	}
}

/* An age is never more than it is; below a second it is still an age. */
static void
ages_are_cut_not_rounded(void **state)
{
	static const struct row rows[] = {
	    {-5, "0.0s"},
	    {0, "0.0s"},
	    {0.04, "0.0s"},
	    {0.25, "0.2s"},
	    {1.96, "1.9s"},
	    {9.999, "9.9s"},
	    {10, "10s"},
	    {59.99, "59s"},
	    {60, "1m00s"},
	    {192, "3m12s"},
	    {3599.9, "59m59s"},
	    {3600, "1h00m"},
	    {7530, "2h05m"},
	    {86399, "23h59m"},
	    {86400, "1d00h"},
	    {86400 * 400.0 + 7200, "400d02h"},
	    {1e300, "104166666666d16h"},
	};

	(void)state;
	check(units_age, rows, sizeof rows / sizeof *rows);
}

static void
durations_show_three_digits(void **state)
{
	static const struct row rows[] = {
	    {0, "0us"},
	    {0.0000425, "42us"},
	    {0.0004, "0.4ms"},
	    {0.0123, "12ms"},
	    {0.9999, "999ms"},
	    {1.256, "1.25s"},
	    {12.3, "12s"},
	    {192, "3m12s"},
	};

	(void)state;
	check(units_took, rows, sizeof rows / sizeof *rows);
}

static void
words_leave_out_what_is_nothing(void **state)
{
	static const struct {
		int64_t in;
		const char *out;
	} rows[] = {
	    {-3, "0 seconds"},
	    {0, "0 seconds"},
	    {1, "1 second"},
	    {61, "1 min and 1 second"},
	    {3600, "1 hour"},
	    {3605, "1 hour and 5 seconds"},
	    {90061, "1 day, 1 hour, 1 min and 1 second"},
	    {2 * 86400 + 120, "2 days and 2 mins"},
	};
	char out[UNITS_MAX * 2];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		units_words(out, rows[i].in);
		assert_string_equal(out, rows[i].out);
	}
}

static void
sizes_are_powers_of_1024(void **state)
{
	static const struct {
		int64_t in;
		const char *out;
	} rows[] = {
	    {0, "0"},
	    {1023, "1023"},
	    {1024, "1.0k"},
	    {1300, "1.2k"},
	    {10 * 1024, "10k"},
	    {16 * 1024 * 1024, "16M"},
	    {INT64_MAX, "8.0E"},
	};
	char out[UNITS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		units_size(out, rows[i].in);
		assert_string_equal(out, rows[i].out);
	}
}

/* Rates show a digit while they are small. */
static void
rates_are_whole_when_large(void **state)
{
	static const struct {
		double in;
		const char *out;
	} rows[] = {{0, "0"}, {0.01, "0"}, {0.2, "0.2"}, {9.94, "9.9"},
	    {9.96, "10"}, {3401.2, "3401"}};
	char out[UNITS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		units_rate(out, rows[i].in);
		assert_string_equal(out, rows[i].out);
	}
}

/* The date is there when it is not today's, and the zone is what was asked. */
static void
times_have_a_date_when_it_matters(void **state)
{
	double noon = 1700049600.25; /* 2023-11-15 12:00:00 UTC */
	char out[UNITS_MAX];

	(void)state;
	units_time(out, noon, noon + 60, true);
	assert_string_equal(out, "12:00:00.250Z");
	units_time(out, noon, noon + 86400, true);
	assert_string_equal(out, "2023-11-15 12:00:00.250Z");
	setenv("TZ", "XYZ-2", 1);
	tzset();
	units_time(out, noon, noon + 60, false);
	assert_string_equal(out, "14:00:00.250");
	units_time(out, noon, noon + 11 * 3600, false);
	assert_string_equal(out, "2023-11-15 14:00:00.250");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ages_are_cut_not_rounded),
	    cmocka_unit_test(durations_show_three_digits),
	    cmocka_unit_test(words_leave_out_what_is_nothing),
	    cmocka_unit_test(sizes_are_powers_of_1024),
	    cmocka_unit_test(rates_are_whole_when_large),
	    cmocka_unit_test(times_have_a_date_when_it_matters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
