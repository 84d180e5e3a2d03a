/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* buf: appending, limits, the sticky failure, handing over. */
#include "support/unit.h"

#include "buf.h"

/* Everything that appends, in one string. */
static void
buf_appends_in_order(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "a");
	buf_addc(&b, '-');
	buf_addi(&b, INT64_MIN);
	buf_addf(&b, "%s%d", "x", 7);
	buf_addi(&b, 0);
	assert_true(buf_ok(&b));
	assert_bytes(b.p, b.n, "a--9223372036854775808x70");
	buf_fini(&b);
}

/* The limit holds at the bound and fails one beyond; failure sticks. */
static void
buf_limit_is_exact_and_failure_sticks(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	b.max = 4;
	buf_adds(&b, "1234");
	assert_true(buf_ok(&b));
	buf_addc(&b, '5');
	assert_false(buf_ok(&b));
	buf_reset(&b);
	buf_adds(&b, "12345");
	buf_adds(&b, "1");
	assert_false(buf_ok(&b));
	assert_int_equal(b.n, 0);
	assert_null(buf_steal(&b, NULL));
}

/* A size that overflows is a failure, not a small allocation. */
static void
buf_refuses_overflow(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_addc(&b, 'x');
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_false(buf_ok(&b));
	buf_fini(&b);
}

/* Stealing gives a NUL-terminated string and leaves an empty buffer. */
static void
buf_steal_hands_over(void **state)
{
	struct buf b = BUF_INIT;
	size_t n = 0;
	char *s;

	(void)state;
	s = buf_steal(&b, &n);
	assert_string_equal(s, "");
	free(s);
	buf_add(&b, "a\0b", 3);
	s = buf_steal(&b, &n);
	assert_int_equal(n, 3);
	assert_memory_equal(s, "a\0b", 4);
	assert_null(b.p);
	free(s);
}

/* Draining the front keeps the rest. */
static void
buf_drains_the_front(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "hello");
	buf_drain(&b, 2);
	assert_bytes(b.p, b.n, "llo");
	buf_drain(&b, 9);
	assert_int_equal(b.n, 0);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buf_appends_in_order),
	    cmocka_unit_test(buf_limit_is_exact_and_failure_sticks),
	    cmocka_unit_test(buf_refuses_overflow),
	    cmocka_unit_test(buf_steal_hands_over),
	    cmocka_unit_test(buf_drains_the_front),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
