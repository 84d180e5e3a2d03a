/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What a plugin's answer to Plugin.Query says, and whether we can work with
 * it (contract 1.7). */
#ifndef XMSG_PLUGIN_QUERY_H
#define XMSG_PLUGIN_QUERY_H

#include "plugin.h"

/* Version and features of an answer; borrowed from it, but for the array, which
 * is for free(3).  -1 with why not: e->code is ENOTSUP for a version that is not
 * ours, EINVAL for what is no answer. */
int plugin_query_read(const char *name, json_t *answer, const char **version,
    const char ***features, struct err *e);

/* Log what the author of the plugin should know about it. */
void plugin_query_remark(const struct plugin *p);

#endif
