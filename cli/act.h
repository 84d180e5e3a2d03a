/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Acting on messages: those that were named (QUEUE:ID, or lines of standard
 * input), or those that selectors choose.  A selection is shown with its count
 * and confirmed before anything is done; each message that could not be done is
 * reported, and the rest goes on.
 */
#ifndef XMSG_CLI_ACT_H
#define XMSG_CLI_ACT_H

#include "cli.h"
#include "look.h"
#include "select.h"

/* Rows for the tables of options of commands that act. */
#define ACT_OPTS                                                               \
	{"dry-run", 0, OPT_FLAG, NULL, "say what would be done", NULL},        \
	{                                                                      \
		"yes", 'y', OPT_FLAG, NULL, "do not ask", NULL                 \
	}

/* A message that was chosen. */
struct chosen {
	char *queue, *what; /* what: method or outcome, may be "" */
	int64_t id;
	double age_s; /* below 0: not known */
};

struct chosen_list {
	struct chosen *v;
	size_t n, cap;
};
int chosen_add(void *list, const struct look_msg *m); /* a look_msg_fn */
void chosen_fini(struct chosen_list *l);

/* "12 messages of zfs (10 SR.attach, 2 VDI.stat), the oldest 4m12s old" */
void chosen_describe(struct buf *b, const struct chosen_list *l);

/* What came of one. */
struct acted {
	struct str reply_queue; /* where a failure went; p == NULL: nowhere */
	int64_t reply_id, act; /* -1: none */
};

struct act {
	const char *verb, *done; /* "cancel", "cancelled" */
	bool ask; /* a selection is confirmed */
	bool each; /* a line for each one, not only with -v */
	/* an exit status, with c->why; fills what it knows */
	int (*one)(struct cli *c, const struct chosen *m, struct acted *r);
};

/* Do it, to operands or selection; an exit status. */
int act_run(struct cli *c, int argc, char **argv, const struct act *a);

/* The same to a list of one's own, without asking. */
struct tally act_list(
    struct cli *c, const struct chosen_list *l, const struct act *a);

/* Begin the table that act_list fills. */
int act_table(struct cli *c, const struct act *a);

/* POST /v1/queues/Q/messages/ID/VERB. */
int act_post(struct cli *c, const struct chosen *m, const char *verb,
    struct str body, struct acted *r);

/* May it be done?  --yes, or the word typed at the terminal; else c->why. */
bool act_confirmed(struct cli *c, const char *word, const char *question);

/* {"reason":TEXT} or nothing, for a body. */
void act_reason(struct buf *b, const char *reason);

#endif
