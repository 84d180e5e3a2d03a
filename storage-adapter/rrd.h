/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Telling the RRD daemon about data sources of SRs (contract 4.5), on its queue
 * org.xen.xapi.rrd.  Nobody waits for it: what goes wrong is a line in the log.
 */
#ifndef XMSG_RRD_H
#define XMSG_RRD_H

#include <stdbool.h>

struct ctx;

/* Register or deregister each id of a JSON array. */
void rrd_tell(struct ctx *ctx, bool add, const char *uids);

#endif
