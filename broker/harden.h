/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the broker gives up, so that a mistake in it is worth little to whoever
 * finds it: rights before it reads a byte, and after its start every system
 * call that serving does not need.
 */
#ifndef XMSG_HARDEN_H
#define XMSG_HARDEN_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define HARDEN_MOST_CALLS 30 /* promised; a test counts them */

/* Before the first byte of others is read, and before there are threads: become
 * `user`, unless it is empty. */
int harden_become(const char *user, struct err *e);

/* At the same time: no capabilities, no core dumps, and nothing that is started
 * from here can gain rights. */
int harden_drop(struct err *e);

/* When all is open: nobody looks into the process, and only the calls on the
 * list work, in every thread.  -1: not here, with the reason. */
int harden_lock(struct err *e);

/* The numbers of the calls on the list. */
size_t harden_calls(const int **nr);

/* harden_lock for builds with a sanitizer or gcov too; for tests. */
int harden_filter(struct err *e);

#endif
