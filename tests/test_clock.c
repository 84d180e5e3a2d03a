/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* clock: the two clocks are the ones they say they are. */
#include "support/unit.h"

#include <time.h>
#include <unistd.h>

#include "clock.h"

/* One of the system's clocks in nanoseconds. */
static int64_t
sys_ns(clockid_t id)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(id, &ts), 0);
	return (int64_t)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

/* Between two looks at the system's clock. */
static void
clock_wall_is_time_of_day(void **state)
{
	int64_t a = sys_ns(CLOCK_REALTIME), w = clock_wall_ns();

	(void)state;
	/* the time of day may be set meanwhile; a minute is not */
	assert_true(w - a > -60 * NS_PER_SEC);
	assert_true(w - a < 60 * NS_PER_SEC);
	assert_true(w > 1700000000LL * NS_PER_SEC);
}

/* Since boot, with suspend; never back. */
static void
clock_mono_is_since_boot(void **state)
{
	int64_t a = sys_ns(CLOCK_BOOTTIME), last = clock_mono_ns(), now;

	(void)state;
	assert_true(last >= a);
	for (int i = 0; i < 10000; i++) {
		now = clock_mono_ns();
		assert_true(now >= last);
		last = now;
	}
	assert_true(last > a);
	assert_true(last <= sys_ns(CLOCK_BOOTTIME));
}

/* The same every time, in the form the kernel gives it. */
static void
clock_boot_id_is_one(void **state)
{
	char a[38], b[37];

	(void)state;
	memset(a, 'x', sizeof a);
	clock_boot_id(a);
	clock_boot_id(b);
	assert_string_equal(a, b);
	assert_int_equal(a[37], 'x');
	if (*a == '\0') {
		/* a system that does not tell */
		assert_int_not_equal(
		    access("/proc/sys/kernel/random/boot_id", R_OK), 0);
		return;
	}
	assert_int_equal(strlen(a), 36);
	for (int i = 0; i < 36; i++)
		assert_non_null(strchr("0123456789abcdef-", a[i]));
	assert_int_equal(a[8], '-');
	assert_int_equal(a[23], '-');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(clock_wall_is_time_of_day),
	    cmocka_unit_test(clock_mono_is_since_boot),
	    cmocka_unit_test(clock_boot_id_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
