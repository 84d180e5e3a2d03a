/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* rate: events a second over the last seconds. */
#include "support/unit.h"

#include "rate.h"

#define S 1000000000LL

/* A steady stream has its rate once a window is full, at any moment. */
static void
a_steady_stream(void **state)
{
	struct rate r = {0};
	int64_t now = 1000 * S;

	(void)state;
	for (int i = 0; i < 200; i++, now += S / 10) {
		rate_add(&r, now);
		if (i > 55)
			assert_float_equal(rate_get(&r, now), 10, 0.5);
	}
}

/* It falls to nothing when nothing happens any more. */
static void
what_is_long_ago_does_not_count(void **state)
{
	struct rate r = {0};
	int64_t now = 1000 * S;

	(void)state;
	assert_float_equal(rate_get(&r, now), 0, 0);
	for (int i = 0; i < 50; i++)
		rate_add(&r, now);
	assert_float_equal(rate_get(&r, now), 10, 0.01);
	assert_true(rate_get(&r, now + 7 * S) < 10);
	assert_true(rate_get(&r, now + 7 * S) > 0);
	assert_float_equal(rate_get(&r, now + 11 * S), 0, 0);
	assert_float_equal(rate_get(&r, now + 1000000 * S), 0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_steady_stream),
	    cmocka_unit_test(what_is_long_ago_does_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
