/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What top shows: looking at it, and drawing it.  The loop is in cmd_top.c. */
#ifndef XMSG_CLI_TOP_H
#define XMSG_CLI_TOP_H

#include <jansson.h>

#include "act.h"
#include "callstat.h"
#include "cli.h"
#include "look.h"

#define TOP_MESSAGES 6 /* oldest ones, shown */

/* A queue as it was seen. */
struct row {
	char *name;
	struct look_queue q; /* its name is the one above */
	double in_s, out_s;
};

struct snap {
	struct row *v;
	size_t n, cap;
	double at; /* seconds, steady clock */
	json_t *status, *scripts;
	struct chosen_list oldest;
	struct callstat *methods;
	size_t nmethods;
};

struct top {
	struct cli *c;
	struct snap now, before;
	size_t mark; /* of the oldest messages */
	size_t width, height;
	char note[160]; /* what the last key did */
};

/* Look; `all`: not only at the queues.  An exit status, with c->why.  What was
 * found belongs to s, also after a failure. */
int top_look(struct cli *c, struct snap *s, bool all);
void snap_fini(struct snap *s);

/* Rates since the look before; then the busiest queues first. */
void top_compare(struct snap *now, struct snap *before);

/* A screen, or with `live` the same to be written over the one before. */
void top_draw(struct top *t, struct buf *to, bool live);

#endif
