/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The self test of the original (contract 1.12): the plugin
 * org.xen.xapi.storage.dummyv5 is taken through a life, without the switch and
 * without state.
 */
#ifndef XMSG_SELFTEST_H
#define XMSG_SELFTEST_H

#include <stdbool.h>

struct event_base;
struct jobs;

/* True when every call succeeded; each is a line in the log.  root: the folder
 * with volume/; dir: an empty folder for the runs, which is left empty. */
bool selftest(struct event_base *base, struct jobs *jobs, const char *root,
    const char *dir);

#endif
