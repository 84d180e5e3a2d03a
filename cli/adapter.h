/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Asking the storage adapter (xmsg-storaged) through its queue, and showing
 * what it knows.  An adapter that is not running is told from a broker that is
 * not, soon, and nothing of ours stays in its queue.
 */
#ifndef XMSG_CLI_ADAPTER_H
#define XMSG_CLI_ADAPTER_H

#include "cli.h"

struct json_t;

#define ADAPTER_QUEUE "xmsg.storaged"

/* The option that names the queue, for the tables of options. */
#define ADAPTER_OPT                                                            \
	{                                                                      \
		"adapter", 'A', OPT_TEXT, "QUEUE",                             \
		    "the adapter's queue [" ADAPTER_QUEUE "]", NULL            \
	}

/* One question; takes params (an object, or NULL).  0 and *result (release with
 * json_decref), or an exit status with c->why: CLI_DEAD when the broker or the
 * adapter does not answer. */
int adapter_ask(struct cli *c, const char *method, struct json_t *params,
    struct json_t **result);

/* A call to any queue, with the time limit of the command.  0 and *reply, which
 * is an object, or an exit status with c->why. */
int adapter_call(struct cli *c, const char *queue, const char *method,
    struct json_t *params, int64_t limit_ns, struct json_t **reply);

/* Fill the row with the members of an object that are named as columns are;
 * those of other names, and null, are left out.  A column "ref" is made of the
 * members queue and id. */
void adapter_row(
    struct cli *c, const struct col *cols, size_t n, const struct json_t *o);

/* For completion: the names of plugins, and the ends of long ones; the calls
 * under way.  Nothing when nobody answers. */
void adapter_offer_plugins(struct cli *c);
void adapter_offer_calls(struct cli *c);

#endif
