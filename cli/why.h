/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Why is a message still there?  Pure: what is known of it, its queue, its
 * consumer, its caller and its script goes in, one sentence comes out.
 */
#ifndef XMSG_CLI_WHY_H
#define XMSG_CLI_WHY_H

#include <stdbool.h>

#include "buf.h"
#include "look.h"
#include "proc.h"

enum why_cause {
	WHY_NOTHING, /* it is young, and all is well */
	WHY_LEAVING,
	WHY_HELD, /* by an operator */
	WHY_POISON,
	WHY_REBOOT,
	WHY_PAUSED,
	WHY_NO_BROKER,
	WHY_DISK,
	WHY_NO_PLUGIN,
	WHY_NO_CONSUMER,
	WHY_CONSUMER_DEAD,
	WHY_CONSUMER_SLOW,
	WHY_CONSUMER_STOPPED,
	WHY_ANSWERED, /* not acknowledged yet */
	WHY_TURN, /* waits in the adapter for others to end */
	WHY_SCRIPT, /* works */
	WHY_SCRIPT_HUNG,
	WHY_SCRIPT_D,
	WHY_SCRIPT_DONE, /* its reply is on its way */
	WHY_CALLER_GONE,
	WHY_NOT_FETCHED, /* a reply that waits for its caller */
	WHY_NCAUSES
};

enum why_caller { CALLER_UNKNOWN, CALLER_HERE, CALLER_GONE };

struct why_facts {
	const struct look_msg *m;
	const char *what; /* its method, or "" */
	bool offline; /* only the folder was read */
	/* its last event of that kind; below 0: not known */
	double delivered_s, held_s;
	int64_t held_pid;
	struct str held_text;
	/* its queue */
	const struct look_queue *q; /* NULL: not known */
	/* who got it last, or who polls the queue */
	bool consumer_here;
	struct proc consumer;
	/* who waits for the answer */
	enum why_caller caller;
	struct str caller_name;
	/* what the storage adapter has of it */
	const char *script_state; /* "waiting", "running", "replying"; NULL */
	const char *script; /* name, or "" between two */
	int64_t script_pid;
	double script_s; /* since the adapter took the call */
	int64_t running; /* calls under way in the adapter */
	struct proc process; /* of the script; state 0: not seen */
	/* why its plugin is not served; NULL: it is, or it is none */
	const char *plugin_why;
	/* a folder without room, or NULL */
	const char *full;
};

/* Write the sentence. */
enum why_cause why_judge(struct buf *b, const struct why_facts *f);

/* A queue, and the message in it that waits longest. */
struct why_queue {
	const struct look_queue *q;
	bool offline;
	struct str server; /* token of one that polls it; n == 0: unknown */
	struct proc process; /* of that one */
	const struct why_facts *oldest; /* NULL: there is none */
	const char *plugin_why, *full; /* as above, when there is none */
};

/* The same for all of a queue, and what to do. */
enum why_cause why_judge_queue(struct buf *b, const struct why_queue *w);

/* "no consumer", "script in D state": for programs. */
const char *why_name(enum why_cause c);

#endif
