/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Catches warnings and errors of the code under test (link with
 * -Wl,--wrap=log_info -Wl,--wrap=log_warn -Wl,--wrap=log_error), so that one that nobody expected
 * fails the test.
 */
#ifndef XMSG_TESTS_LOGTEST_H
#define XMSG_TESTS_LOGTEST_H

#include <stdbool.h>

/* Take out every line that contains part; false when there was none. */
bool logtest_take(const char *part);

/* How many lines nobody has taken; they are printed and forgotten. */
int logtest_left(void);

/* Forget all. */
void logtest_clear(void);

#endif
