/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The tables of queues, messages and events, for the commands that show them. */
#ifndef XMSG_CLI_MSGS_H
#define XMSG_CLI_MSGS_H

#include "cli.h"
#include "events.h"
#include "look.h"

/* Begin the table of messages; add one (a look_msg_fn, arg is the cli); count
 * is that of the messages added. */
int msgs_table(struct cli *c);
int msgs_add(void *arg, const struct look_msg *m);

/* The same for queues. */
int queues_table(struct cli *c);
int queues_add(void *arg, const struct look_queue *q);

/* How a queue does, in words: "ok", "idle", "no consumer", "stalled 4m00s". */
enum paint queue_judge(const struct look_queue *q, char out[64]);

/* Event objects in JSON; a line for people. */
int events_table(struct cli *c);
void events_put(struct cli *c, const struct event *e);
void event_line(struct buf *b, const struct event *e, double now, bool utc);

/* The table of commands that do something to one message: its id. */
int ref_table(struct cli *c, const char *object);
void ref_add(struct cli *c, const char *queue, int64_t id);

/* The operand QUEUE:ID, or its line; 0, or CLI_USAGE after saying so. */
int msgs_id(struct cli *c, const char *word, char queue[256], int64_t *id);

#endif
