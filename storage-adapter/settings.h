/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The settings of the adapter: one table; xmsg-storaged.conf(5) has a paragraph
 * for each row, and a test compares the two.
 */
#ifndef XMSG_ADAPTER_SETTINGS_H
#define XMSG_ADAPTER_SETTINGS_H

#include "conf.h"

struct asettings {
	char *socket, *root, *state, *pidfile, *log_level, *control;
	int64_t syslog;
	/* plugins */
	char *owners;
	int64_t check_owner, settle, rescan, retry_max;
	/* limits */
	int64_t concurrent, queue, sr, scripts, in_hand;
	/* scripts */
	char *runner, *path, *env, *cgroup, *times;
	int64_t time, query_time, output, stderr_bytes, grace, term, nofile;
	/* record of calls */
	int64_t record;
};

extern const struct conf_row asettings_rows[];
extern const size_t asettings_n;

#define ASETTINGS_FILE "/etc/xmsg-storaged.conf"

/* The time limit of a method ("Volume.create"), ns; 0: none. */
int64_t asettings_time(const struct asettings *s, const char *method);

/* Read what the table cannot check: times, owners.  -1 with the reason. */
int asettings_check(const struct asettings *s, struct err *e);

/* The uids of `owners`: a new array of *n, for free(3); NULL when empty. */
unsigned *asettings_owners(const struct asettings *s, size_t *n);

/* The variables of `env`: a new NULL-terminated array, one allocation for
 * free(3). */
char **asettings_env(const struct asettings *s);

#endif
