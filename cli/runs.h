/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The scripts of storage calls, for charts: those that ended out of the
 * adapter's record of calls, those that run out of its spool.  Both are files,
 * so nobody is asked, nothing is recorded for it, and the adapter may be dead.
 */
#ifndef XMSG_CLI_RUNS_H
#define XMSG_CLI_RUNS_H

#include "chart.h"
#include "err.h"

/* Where the adapter keeps its state when nobody says otherwise. */
#define ADAPTER_STATE "/var/lib/xmsg-storaged"

struct runs {
	struct chart_run *v; /* its texts are owned */
	size_t n, cap;
};

/* Those that ended at or after `since` (1970), and those under way, of the
 * adapter with this state folder.  -1 with the reason when neither can be read;
 * what there is has been added. */
int runs_read(struct runs *r, const char *dir, double since, struct err *e);
void runs_fini(struct runs *r);

/* "SR.attach 12.3ms, SR.stat 8.0ms exit 1", as the record has it. */
void runs_add_words(struct runs *r, int64_t id, struct str words);

#endif
