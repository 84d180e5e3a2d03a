/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Selectors: the options that choose messages, the same for every command that
 * lists messages or acts on several of them.  What the broker can leave out it
 * leaves out; the rest is looked at here, so that the state folder can be
 * searched in the same way.
 */
#ifndef XMSG_CLI_SELECT_H
#define XMSG_CLI_SELECT_H

#include "cli.h"
#include "events.h"
#include "look.h"

/* Rows for a command's table of options; those that events know, too. */
#define SELECT_EVENT_OPTS                                                      \
	{"queue", 0, OPT_TEXT, "GLOB", "in these queues", NULL},               \
	    {"method", 0, OPT_TEXT, "GLOB", "calls of these methods", NULL},   \
	    {"origin", 0, OPT_TEXT, "GLOB", "sent by this token", NULL},       \
	    {"size", 0, OPT_TEXT, "[+-]N", "so large: +1M more, -4k less",     \
		NULL},                                                         \
	    {"grep", 0, OPT_TEXT, "TEXT", "with this in the masked payload",   \
		NULL},                                                         \
	{                                                                      \
		"id", 0, OPT_TEXT, "A-B", "with a number from A to B", NULL    \
	}
#define SELECT_OPTS                                                            \
	{"queue", 0, OPT_TEXT, "GLOB", "in these queues", NULL},               \
	    {"method", 0, OPT_TEXT, "GLOB", "calls of these methods", NULL},   \
	    {"state", 0, OPT_WORD,                                             \
		"ready|inflight|delivered|held|dead|replied|leaving",          \
		"in this state", NULL},                                        \
	    {"older", 0, OPT_SECONDS, "AGE", "at least so old: 10m", NULL},    \
	    {"newer", 0, OPT_SECONDS, "AGE", "not so old", NULL},              \
	    {"origin", 0, OPT_TEXT, "GLOB", "sent by this token or program",   \
		NULL},                                                         \
	    {"size", 0, OPT_TEXT, "[+-]N", "so large: +1M more, -4k less",     \
		NULL},                                                         \
	    {"grep", 0, OPT_TEXT, "TEXT", "with this in the masked payload",   \
		NULL},                                                         \
	    {"id", 0, OPT_TEXT, "A-B", "with a number from A to B", NULL},     \
	{                                                                      \
		"limit", 0, OPT_NUMBER, "N", "no more than N", NULL            \
	}

struct selector {
	const char *queue, *method, *state, *origin, *grep;
	double older_s, newer_s; /* 0: any */
	int64_t size_min, size_max, id_min, id_max, limit;
	bool any; /* was one of them given? */
	struct look_filter filter;
};

/* From the options of the command.  0, or CLI_USAGE after saying why. */
int select_parse(struct cli *c, struct selector *s);

/* Does it choose this message? */
bool select_takes(const struct selector *s, const struct look_msg *m);

/* Does it choose this event?  Events of a message follow the one that published
 * it, so who asks keeps what was chosen, and begins at the beginning.  Only
 * queue, method, origin, grep, id and size count. */
struct select_seen;
bool select_event(
    const struct selector *s, struct select_seen **seen, const struct event *e);
void select_forget(struct select_seen **seen);

/* Leave only those. */
void select_events(const struct selector *s, struct events *l);

/* Can the broker tell exactly, without a look at each message? */
bool select_is_plain(const struct selector *s);

/* Each message of the queues that are chosen and whose name is one of the globs
 * (none: all).  An exit status, with c->why. *queues counts the queues. */
int select_each(struct cli *c, const struct selector *s, char **globs,
    int nglobs, int *queues, look_msg_fn fn, void *arg);

/* The method of a message, or of what is known of its payload. */
void select_method(char *out, size_t max, const struct look_msg *m);

#endif
