/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A list of events. */
#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#define BLOCK ((size_t)32 * 1024)

/* Texts, one behind the other: thousands of them come and go together. */
struct events_text {
	struct events_text *older;
	size_t n, cap;
	char bytes[];
};

/* Room in the newest block, or in a new one. */
char *
events_room(struct events *l, size_t n)
{
	struct events_text *t = l->text;
	size_t cap = n > BLOCK ? n : BLOCK;

	if (t == NULL || t->cap - t->n < n) {
		t = xmalloc(sizeof *t + cap);
		t->older = l->text;
		t->n = 0;
		t->cap = cap;
		l->text = t;
	}
	t->n += n;
	return t->bytes + t->n - n;
}

/* Copy text to `at`, which moves on. */
static struct str
move(struct str s, char **at)
{
	struct str to = {*at, s.n};

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return to;
}

/* Append. */
void
events_append(struct events *l, const struct event *e)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = xreallocarray(l->v, l->cap, sizeof *l->v);
	}
	l->v[l->n++] = *e;
}

/* Append a copy. */
void
events_add(struct events *l, const struct event *e)
{
	char *text =
	    events_room(l, e->client.n + e->queue.n + e->peer.n + e->text.n);
	struct event own = *e;

	own.client = move(e->client, &text);
	own.queue = move(e->queue, &text);
	own.peer = move(e->peer, &text);
	own.text = move(e->text, &text);
	events_append(l, &own);
}

/* Free it. */
void
events_fini(struct events *l)
{
	struct events_text *t;

	while ((t = l->text) != NULL) {
		l->text = t->older;
		free(t);
	}
	free(l->v);
	memset(l, 0, sizeof *l);
}

/* Drop the oldest. */
void
events_drop(struct events *l, size_t n)
{
	if (n > l->n)
		n = l->n;
	l->n -= n;
	if (l->n > 0)
		memmove(l->v, l->v + n, l->n * sizeof *l->v);
}

/* Numbers that are left out. */
void
events_find_missing(struct events *l)
{
	for (size_t i = 1; i < l->n; i++)
		if (l->v[i].seq > l->v[i - 1].seq + 1)
			l->v[i].missing = l->v[i].seq - l->v[i - 1].seq - 1;
}

/* Drop the others; what was lost before them was lost before the next. */
void
events_filter(
    struct events *l, bool (*keep)(void *arg, const struct event *e), void *arg)
{
	int64_t missing = 0;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		missing += l->v[i].missing;
		if (!keep(arg, &l->v[i]))
			continue;
		l->v[n] = l->v[i];
		l->v[n++].missing = missing;
		missing = 0;
	}
	l->n = n;
}

/* By name. */
enum ring_type
event_type(const char *name)
{
	int t = RING_START;

	while (t < RING_NTYPES &&
	    strcmp(ring_type_name((enum ring_type)t), name) != 0)
		t++;
	return (enum ring_type)t;
}
