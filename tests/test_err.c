/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* err: sentences, prefixes, truncation. */
#include "support/unit.h"

#include <errno.h>

#include "err.h"

/* Code and text arrive; a prefix goes in front. */
static void
err_prefixes(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, 5, "no %s", "way"), -1);
	assert_int_equal(err_prefix(&e, "file %d", 3), -1);
	assert_int_equal(e.code, 5);
	assert_string_equal(e.text, "file 3: no way");
	errno = ENOENT;
	err_errno(&e, "open");
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.text, "open: No such file or directory");
	assert_int_equal(err_set(NULL, 1, "x"), -1);
	assert_int_equal(err_errno(NULL, "x"), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
}

/* Too long is cut, never overrun. */
static void
err_cuts(void **state)
{
	struct err e;
	char big[1000];

	(void)state;
	memset(big, 'x', sizeof big);
	big[sizeof big - 1] = '\0';
	err_set(&e, 1, "%s", big);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	err_prefix(&e, "%s", big);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	errno = EIO;
	err_errno(&e, "%s", big);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(err_prefixes),
	    cmocka_unit_test(err_cuts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
