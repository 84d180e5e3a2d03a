/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Looking at the switch: through the broker, or, when it is dead or --offline
 * was given, at its state folder, read-only.  Commands see no difference but
 * fields that nobody knows (numbers below 0, text with p == NULL).
 *
 * Functions return an exit status.  When the broker is dead they say so in one
 * line and go on with the folder; main turns success into CLI_DEAD then.
 */
#ifndef XMSG_CLI_LOOK_H
#define XMSG_CLI_LOOK_H

#include "cli.h"
#include "events.h"
#include "str.h"

struct look_queue {
	struct str name, owner; /* owner.p == NULL: persistent */
	int64_t messages, bytes, ready, delivered, held, dead;
	int64_t oldest_id, consumers, parked, in, out;
	double oldest_age_s, last_poll_age_s, in_s, out_s;
	bool paused;
};

struct look_msg {
	struct str queue, state, reason, origin, consumer, reply_to, re_queue;
	struct str payload; /* redacted and cut, or whole when raw */
	struct str method, comm; /* comm: the sender's process */
	int64_t id, re_id, size, deliveries, pid, uid;
	bool reply, answered, raw;
	double time, age_s;
};

/* Return non-zero to stop. */
typedef int (*look_queue_fn)(void *arg, const struct look_queue *q);
typedef int (*look_msg_fn)(void *arg, const struct look_msg *m);

/* Queues whose names begin with prefix, ascending. */
int look_queues(struct cli *c, const char *prefix, look_queue_fn fn, void *arg);

/* What the broker leaves out of the messages; the folder leaves out only those
 * without `grep`, so who asks has to look again. */
struct look_filter {
	const char *state, *method; /* NULL: any; method may end with '*' */
	const char *origin; /* of token or program; * and ? stand for others */
	const char *grep; /* in the masked payload */
	int64_t older_s; /* 0: any */
	int64_t min_size, max_size, up_to; /* bytes; id; 0, INT64_MAX: any */
};
#define LOOK_GREP_MOST 255 /* bytes of what can be looked for */
#define LOOK_FILTER                                                            \
	(struct look_filter)                                                   \
	{                                                                      \
		.max_size = INT64_MAX, .up_to = INT64_MAX                      \
	}

/* At most `most` messages of a queue with ids above `after`, ascending; fewer
 * when c->filter is set. */
int look_messages(struct cli *c, const char *queue, int64_t after, int64_t most,
    bool payload, look_msg_fn fn, void *arg);

/* One message; raw: its whole payload. */
int look_message(struct cli *c, const char *queue, int64_t id, bool raw,
    look_msg_fn fn, void *arg);

/* The last `most` events when after is LOOK_LAST, else those from `after` on;
 * waits up to wait_s for one.  l->next is the `after` of the next call. */
#define LOOK_LAST	 (-2)
#define LOOK_MOST_EVENTS 100000
int look_events(
    struct cli *c, int64_t after, int64_t most, int wait_s, struct events *l);

/* Read the recorder's file now, if that can be done, for all that asks for the
 * last events from here on. */
void look_keep_events(struct cli *c);

/* What an operator did. */
struct look_act {
	struct str verb, queue, comm, text;
	int64_t seq, id, uid, pid;
	bool done; /* else it was not allowed */
	double time;
};
typedef void (*look_act_fn)(void *arg, const struct look_act *a);

/* Acts from `after` on, or with LOOK_LAST the last `most`; *next is the `after`
 * of the next call. */
int look_acts(struct cli *c, int64_t after, int64_t most, int64_t *next,
    look_act_fn fn, void *arg);

/* ---- the two ways; used by look.c ---- */

struct look_vt {
	int (*queues)(struct cli *, const char *, look_queue_fn, void *);
	int (*messages)(struct cli *, const char *, int64_t, int64_t, bool,
	    look_msg_fn, void *);
	int (*message)(
	    struct cli *, const char *, int64_t, bool, look_msg_fn, void *);
	int (*events)(struct cli *, int64_t, int64_t, int, struct events *);
	int (*acts)(
	    struct cli *, int64_t, int64_t, int64_t *, look_act_fn, void *);
};
extern const struct look_vt look_broker, look_state;

/* Of look_broker; JSON is read in another way there (look_events.c). */
int look_broker_events(
    struct cli *c, int64_t after, int64_t most, int wait_s, struct events *l);

/* Open the file of the broker that answers; false: it cannot be had. */
struct recorder;
bool look_find_recorder(struct cli *c, struct recorder *r);

/* The broker is dead (c->why): say so, and turn to the folder when it can be
 * read.  0: go on offline; else CLI_DEAD. */
int look_turn(struct cli *c);

void look_close(struct cli *c);

#endif
