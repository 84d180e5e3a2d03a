/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the tests of power cuts share: a store whose setting `synchronous` can be
 * another one (link with -Wl,--wrap=sqlite3_exec -Wl,--wrap=posix_fallocate), and
 * all that a store holds as one number.
 */
#ifndef XMSG_TESTS_CRASHTEST_H
#define XMSG_TESTS_CRASHTEST_H

#include "support/storetest.h"

/* In memory where there is such a folder, over the file layer that remembers. */
void crashtest_begin(void);
bool crashtest_full(void); /* XMSG_FULL is set */

/* Instead of FULL; NULL: as the store has it. */
extern const char *crashtest_setting;

/* The state of a store; *last: the highest id seen. */
uint64_t crashtest_digest(struct st *t, int64_t *last);

#endif
