/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the declarations say about the calls of the plugin interface. */
#ifndef XMSG_CLI_SMAPI_HELP_H
#define XMSG_CLI_SMAPI_HELP_H

#include "cli.h"

struct idl_method;

/* The method of this name, in any case; NULL after saying that there is none. */
const struct idl_method *smapi_method(struct cli *c, const char *name);

/* How to call it. */
void smapi_help(struct cli *c, const struct idl_method *m);

/* All of them as a table: an exit status. */
int smapi_list(struct cli *c, int argc, char **argv);

/* For completion: all of them; the parameters of one, but for those that were
 * given. */
void smapi_offer(struct cli *c);
void smapi_offer_params(
    struct cli *c, const struct idl_method *m, int argc, char **given);

#endif
