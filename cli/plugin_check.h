/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The self-test of a plugin's folder: needs neither broker nor adapter. */
#ifndef XMSG_CLI_PLUGIN_CHECK_H
#define XMSG_CLI_PLUGIN_CHECK_H

#include "cli.h"

/* Run it with the options of the command; an exit status. */
int plugin_check(struct cli *c, const char *dir);

#endif
