/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Events of the recorder as commands and charts see them, with their text. */
#ifndef XMSG_EVENTS_H
#define XMSG_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring.h"
#include "str.h"

struct event {
	int64_t seq;
	double time; /* seconds since 1970 */
	enum ring_type type;
	int64_t id, re_id, size, pid;
	double took_s; /* below 0: does not apply */
	int64_t missing; /* so many were lost before it */
	struct str client, queue, peer, text;
};

/* A list that owns the text of its events. */
struct events {
	struct event *v;
	size_t n, cap;
	int64_t next; /* number after the last one */
	int64_t lost; /* were overwritten before the first one */
	struct events_text *text; /* private: the newest block of it */
};

/* Append a copy; or as it is, its text being in room of the list. */
void events_add(struct events *l, const struct event *e);
void events_append(struct events *l, const struct event *e);

/* Room for so many bytes of text, until events_fini. */
char *events_room(struct events *l, size_t n);

void events_fini(struct events *l);

/* Set `missing` of each where numbers are left out: before any is dropped. */
void events_find_missing(struct events *l);

/* Drop the oldest n. */
void events_drop(struct events *l, size_t n);

/* Leave only those that `keep` says yes to. */
void events_filter(struct events *l,
    bool (*keep)(void *arg, const struct event *e), void *arg);

/* The type of this name; RING_NTYPES when it is unknown. */
enum ring_type event_type(const char *name);

#endif
