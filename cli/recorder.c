/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Reading a recorder's file. */
#include "recorder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "look.h"
#include "xalloc.h"

#define US_PER_S 1e6 /* the broker tells times in whole microseconds */

/* ---- opening ---- */

/* Map what fd is open on, when it is a ring. */
static int
map(struct recorder *r, int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return err_errno(e, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size < RING_MIN_SIZE)
		return err_set(e, 1, "%s is no recorder file", path);
	r->size = (size_t)st.st_size;
	r->p = mmap(NULL, r->size, PROT_READ, MAP_SHARED, fd, 0);
	if (r->p == MAP_FAILED) {
		r->p = NULL;
		return err_errno(e, "%s", path);
	}
	if (ring_attach(&r->ring, r->p, r->size))
		return 0;
	recorder_close(r);
	return err_set(e, 1, "%s is no recorder file of this version", path);
}

/* Open. */
int
recorder_open(
    struct recorder *r, const char *dir, const char *name, struct err *e)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int rc;

	memset(r, 0, sizeof *r);
	rc = map(r, fd, path, e);
	if (fd != -1)
		close(fd);
	free(path);
	return rc;
}

/* Close. */
void
recorder_close(struct recorder *r)
{
	if (r->p != NULL)
		munmap(r->p, r->size);
	r->p = NULL;
}

/* ---- reading ---- */

/* Seconds, as exact as the broker tells them. */
static double
seconds(int64_t ns)
{
	return (double)(ns / 1000) / US_PER_S;
}

/* The form of the commands. */
static struct event
event_of(const struct ring_event *e)
{
	return (struct event){
	    .seq = (int64_t)e->seq,
	    .time = seconds(e->wall_ns),
	    .type = e->type,
	    .id = e->id,
	    .re_id = e->re_id,
	    .size = e->size,
	    .pid = e->pid,
	    .took_s = e->dur_ns >= 0 ? seconds(e->dur_ns) : -1,
	    .client = e->client,
	    .queue = e->queue,
	    .peer = e->peer,
	    .text = e->text,
	};
}

/* What is asked for, as bits and a number. */
struct want {
	uint32_t kinds; /* 0: all */
	int64_t id; /* 0: all */
};

/* "publish,reply" as bits; commands know the names. */
static uint32_t
kinds_of(const char *names)
{
	char name[32];
	uint32_t kinds = 0;
	size_t n;

	for (; names != NULL && *names != '\0';
	     names += n + (names[n] == ',')) {
		n = strcspn(names, ",");
		if (n >= sizeof name)
			continue;
		memcpy(name, names, n);
		name[n] = '\0';
		kinds |= 1u << event_type(name);
	}
	return kinds;
}

static struct want
want_of(const struct cli *c)
{
	return (struct want){kinds_of(c->event_kinds), c->event_id};
}

static bool
wanted(const struct want *w, const struct event *e)
{
	return (w->kinds == 0 || (w->kinds & 1u << e->type) != 0) &&
	    (w->id == 0 || e->id == w->id || e->re_id == w->id);
}

/* Where to begin. */
uint64_t
recorder_from(const struct recorder *r, int64_t after, int64_t most)
{
	uint64_t first = ring_first(&r->ring), next = ring_next(&r->ring);
	uint64_t from = after >= 0 ? (uint64_t)after
	    : after == LOOK_LAST && next > (uint64_t)most
	    ? next - (uint64_t)most
	    : 0;

	return from < first ? first : from;
}

/* How many are wanted from there on. */
static int64_t
count(const struct recorder *r, const struct want *w, uint64_t from)
{
	struct ring_cursor at = ring_seek(&r->ring, from);
	struct ring_copy copy;
	struct ring_event e;
	int64_t n = 0;

	while (ring_read_copy(&r->ring, &at, &e, &copy)) {
		struct event ev = event_of(&e);

		n += wanted(w, &ev);
	}
	return n;
}

/* Add them. */
void
recorder_events(const struct recorder *r, const struct cli *c, int64_t after,
    int64_t most, struct events *l)
{
	const struct want w = want_of(c);
	uint64_t from = recorder_from(r, after, most);
	int64_t skip = 0;
	struct ring_cursor at;
	struct ring_copy copy;
	struct ring_event e;

	if (after == LOOK_LAST && (w.kinds != 0 || w.id != 0)) {
		/* the last that are wanted; few rings hold more than that */
		from = ring_first(&r->ring);
		if ((int64_t)(ring_next(&r->ring) - from) > most)
			skip = count(r, &w, from) - most;
	}
	if (after >= 0 && from > (uint64_t)after)
		l->lost += (int64_t)from - after;
	at = ring_seek(&r->ring, from);
	while (most > 0 && ring_read_copy(&r->ring, &at, &e, &copy)) {
		struct event ev = event_of(&e);

		if (!wanted(&w, &ev) || skip-- > 0)
			continue;
		events_add(l, &ev);
		most--;
	}
	l->next = (int64_t)at.seq;
}

/* The same out of events that are at hand. */
void
events_pick(const struct events *all, const struct cli *c, int64_t most,
    struct events *l)
{
	const struct want w = want_of(c);
	int64_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += wanted(&w, &all->v[i]);
	for (size_t i = 0; i < all->n; i++)
		if (wanted(&w, &all->v[i]) && n-- <= most)
			events_append(l, &all->v[i]);
	l->next = all->next;
}

/* The same number, time and kind are the same event. */
bool
recorder_has(const struct recorder *r, const struct event *e)
{
	struct ring_cursor at = ring_seek(&r->ring, (uint64_t)e->seq);
	struct ring_copy copy;
	struct ring_event have;

	return ring_read_copy(&r->ring, &at, &have, &copy) &&
	    (int64_t)have.seq == e->seq && have.type == e->type &&
	    have.id == e->id && have.pid == e->pid &&
	    have.wall_ns / 1000 == (int64_t)(e->time * US_PER_S + 0.5);
}
