/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A recorder's file, mapped read-only: the recorder itself or the acts, of a
 * broker that is dead or at work.  What a broker at work overwrites meanwhile
 * is passed over and counted as a gap, as the ring promises (ring.h).
 */
#ifndef XMSG_CLI_RECORDER_H
#define XMSG_CLI_RECORDER_H

#include "cli.h"
#include "err.h"
#include "events.h"
#include "ring.h"

#define RECORDER_FILE "recorder.ring"

struct recorder {
	void *p; /* NULL: could not be opened */
	size_t size;
	struct ring ring;
};

/* Map a file of a folder; -1 with a sentence. */
int recorder_open(
    struct recorder *r, const char *dir, const char *name, struct err *e);
void recorder_close(struct recorder *r);

/* Where reading begins: at `after`, or with LOOK_LAST (look.h) so that `most`
 * are read, at the first one when `after` is below 0 otherwise. */
uint64_t recorder_from(const struct recorder *r, int64_t after, int64_t most);

/* Add events as look_events does, those of c->event_id and c->event_kinds. */
void recorder_events(const struct recorder *r, const struct cli *c,
    int64_t after, int64_t most, struct events *l);

/* The last `most` of those, out of all events; their text stays where it is. */
void events_pick(const struct events *all, const struct cli *c, int64_t most,
    struct events *l);

/* Is this event in it? */
bool recorder_has(const struct recorder *r, const struct event *e);

#endif
