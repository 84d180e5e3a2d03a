/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What is known of a message and its queue, gathered for why.h. */
#ifndef XMSG_CLI_WHY_LOOK_H
#define XMSG_CLI_WHY_LOOK_H

#include "events.h"
#include "why.h"

struct json_t;

/* What is gathered; answers that facts point into are kept until the end. */
struct gather {
	struct cli *c;
	struct why_facts f;
	struct look_msg m;
	struct look_queue q;
	struct json_t *queue, *clients, *scripts, *plugin, *status;
	struct events events;
	char *texts[12], *full;
	size_t ntexts;
	int64_t oldest; /* of a queue; below 0: none */
	char what[128];
};

/* Gather what explains a message: 0, or an exit status with c->why. */
int why_look(struct gather *g, struct cli *c, const char *queue, int64_t id);

/* The same for a queue, the oldest message of which is looked at. */
int why_look_queue(
    struct gather *g, struct cli *c, const char *name, struct why_queue *w);

void why_forget(struct gather *g);

#endif
