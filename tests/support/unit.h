/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What every unit test includes: cmocka wants these four before it. */
#ifndef XMSG_TESTS_UNIT_H
#define XMSG_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Compare bytes with a literal, whole. */
#define assert_bytes(ptr, len, lit)                                            \
	do {                                                                   \
		assert_int_equal((int)(len), (int)sizeof(lit) - 1);            \
		assert_memory_equal(ptr, lit, sizeof(lit) - 1);                \
	} while (0)

#endif
