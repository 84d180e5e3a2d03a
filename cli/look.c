/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Which of the two ways is taken. */
#include "look.h"

#include <stdlib.h>

#include "recorder.h"
#include "state.h"
#include "xalloc.h"

static const struct look_vt *
way(const struct cli *c)
{
	return c->offline ? &look_state : &look_broker;
}

/* Turn to the folder. */
int
look_turn(struct cli *c)
{
	struct err dead = c->why;

	c->dead = true;
	if (state_open(c, &c->why) == -1) {
		cli_say(c,
		    "%s; and nothing can be read of the state folder:"
		    " %s",
		    dead.text, c->why.text);
		c->why.text[0] = '\0'; /* said */
		return CLI_DEAD;
	}
	cli_say(c, "%s; this is what %s holds", dead.text, c->state_dir);
	c->why.text[0] = '\0'; /* said */
	c->offline = true;
	return 0;
}

/* Open the folder when it was asked for, or after the broker failed.  1: do it
 * (again), else the result. */
static bool
again(struct cli *c, int *rc)
{
	if (*rc != CLI_DEAD || c->offline)
		return false;
	*rc = look_turn(c);
	return *rc == 0;
}

static int
ready(struct cli *c)
{
	if (!c->offline || state_open(c, &c->why) == 0)
		return 0;
	return CLI_NONE;
}

/* Queues. */
int
look_queues(struct cli *c, const char *prefix, look_queue_fn fn, void *arg)
{
	int rc = ready(c);

	if (rc == 0)
		rc = way(c)->queues(c, prefix, fn, arg);
	if (again(c, &rc))
		rc = way(c)->queues(c, prefix, fn, arg);
	return rc;
}

/* Messages. */
int
look_messages(struct cli *c, const char *queue, int64_t after, int64_t most,
    bool payload, look_msg_fn fn, void *arg)
{
	int rc = ready(c);

	if (rc == 0)
		rc = way(c)->messages(c, queue, after, most, payload, fn, arg);
	if (again(c, &rc))
		rc = way(c)->messages(c, queue, after, most, payload, fn, arg);
	return rc;
}

/* One message. */
int
look_message(struct cli *c, const char *queue, int64_t id, bool raw,
    look_msg_fn fn, void *arg)
{
	int rc = ready(c);

	if (rc == 0)
		rc = way(c)->message(c, queue, id, raw, fn, arg);
	if (again(c, &rc))
		rc = way(c)->message(c, queue, id, raw, fn, arg);
	return rc;
}

/* Events. */
int
look_events(
    struct cli *c, int64_t after, int64_t most, int wait_s, struct events *l)
{
	int rc;

	if (c->events != NULL && after == LOOK_LAST && wait_s == 0) {
		events_pick(c->events, c, most, l);
		return 0;
	}
	rc = ready(c);
	if (rc == 0)
		rc = way(c)->events(c, after, most, wait_s, l);
	if (again(c, &rc))
		rc = way(c)->events(c, after, most, 0, l);
	return rc;
}

/* Keep them. */
void
look_keep_events(struct cli *c)
{
	struct recorder r;
	struct err e;

	if (c->events != NULL ||
	    (c->offline
		    ? recorder_open(&r, c->state_dir, RECORDER_FILE, &e) == -1
		    : !look_find_recorder(c, &r)))
		return;
	c->events = xcalloc(1, sizeof *c->events);
	recorder_events(&r, c, LOOK_LAST, LOOK_MOST_EVENTS, c->events);
	recorder_close(&r);
}

/* Acts. */
int
look_acts(struct cli *c, int64_t after, int64_t most, int64_t *next,
    look_act_fn fn, void *arg)
{
	int rc = ready(c);

	if (rc == 0)
		rc = way(c)->acts(c, after, most, next, fn, arg);
	if (again(c, &rc))
		rc = way(c)->acts(c, after, most, next, fn, arg);
	return rc;
}

/* Give back what reading took. */
void
look_close(struct cli *c)
{
	state_close(c);
	if (c->events != NULL)
		events_fini(c->events);
	free(c->events);
	c->events = NULL;
}
