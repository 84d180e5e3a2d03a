/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Requests are joined with their replies by id, and summed up. */
#include "callstat.h"

#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "text.h"
#include "xalloc.h"

/* All calls of one method on one queue. */
struct group {
	UT_hash_handle hh;
	struct callstat s;
	double *took;
	size_t n, cap;
	char key[];
};

/* A request, until its end is seen. */
struct open {
	UT_hash_handle hh;
	int64_t id;
	struct group *of;
};

struct sums {
	struct group *groups;
	struct open *open;
};

static struct group *
group_of(struct sums *t, const struct event *e)
{
	char what[128];
	struct group *g = NULL;
	struct buf key = BUF_INIT;

	text_summary(what, sizeof what, e->text);
	buf_add(&key, e->queue.p, e->queue.n);
	buf_addc(&key, '\n');
	buf_adds(&key, what);
	HASH_FIND(hh, t->groups, key.p, key.n, g);
	if (g == NULL) {
		g = xcalloc(1, sizeof *g + key.n);
		memcpy(g->key, key.p, key.n);
		g->s.queue = xstrndup(e->queue.p, e->queue.n);
		g->s.method = xstrdup(what);
		HASH_ADD_KEYPTR(hh, t->groups, g->key, key.n, g);
	}
	buf_fini(&key);
	return g;
}

static void
published(struct sums *t, const struct event *e)
{
	struct group *g = group_of(t, e);
	struct open *o = xcalloc(1, sizeof *o);

	g->s.calls++;
	g->s.bytes += e->size;
	o->id = e->id;
	o->of = g;
	HASH_ADD(hh, t->open, id, sizeof o->id, o);
}

/* It has its answer, or was cancelled. */
static void
ended(struct sums *t, const struct event *e, int64_t id)
{
	struct open *o = NULL;
	struct group *g;
	char what[16];

	HASH_FIND(hh, t->open, &id, sizeof id, o);
	if (o == NULL)
		return; /* published before the list begins */
	g = o->of;
	HASH_DEL(t->open, o);
	free(o);
	if (e->type == RING_CANCEL) {
		g->s.cancelled++;
		return;
	}
	text_summary(what, sizeof what, e->text);
	g->s.answered++;
	g->s.failed += strcmp(what, "FAILURE") == 0;
	if (e->took_s < 0)
		return;
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 16;
		g->took = xreallocarray(g->took, g->cap, sizeof *g->took);
	}
	g->took[g->n++] = e->took_s;
}

static int
by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The smallest that so much of all are not above. */
static double
quantile(const struct group *g, double part)
{
	size_t at = (size_t)((double)g->n * part);

	return g->n == 0 ? -1 : g->took[at < g->n ? at : g->n - 1];
}

static int
by_calls(const void *a, const void *b)
{
	const struct callstat *x = a, *y = b;
	int c = (x->calls < y->calls) - (x->calls > y->calls);

	if (c == 0)
		c = strcmp(x->queue, y->queue);
	return c ? c : strcmp(x->method, y->method);
}

/* Sum up. */
struct callstat *
callstat_of(const struct events *l, size_t *n)
{
	struct sums t = {NULL, NULL};
	struct open *o, *onext;
	struct group *g, *gnext;
	struct callstat *v;

	for (size_t i = 0; i < l->n; i++) {
		const struct event *e = &l->v[i];

		if (e->type == RING_PUBLISH)
			published(&t, e);
		else if (e->type == RING_REPLY)
			ended(&t, e, e->re_id);
		else if (e->type == RING_CANCEL)
			ended(&t, e, e->id);
	}
	v = xcalloc(HASH_COUNT(t.groups) + 1, sizeof *v);
	*n = 0;
	HASH_ITER (hh, t.open, o, onext) {
		HASH_DEL(t.open, o);
		free(o);
	}
	HASH_ITER (hh, t.groups, g, gnext) {
		HASH_DEL(t.groups, g);
		if (g->n > 0)
			qsort(g->took, g->n, sizeof *g->took, by_time);
		g->s.p50_s = quantile(g, 0.5);
		g->s.p99_s = quantile(g, 0.99);
		g->s.max_s = quantile(g, 1);
		v[(*n)++] = g->s;
		free(g->took);
		free(g);
	}
	qsort(v, *n, sizeof *v, by_calls);
	return v;
}

/* Free it. */
void
callstat_free(struct callstat *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].queue);
		free(v[i].method);
	}
	free(v);
}
