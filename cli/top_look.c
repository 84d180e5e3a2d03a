/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Looking at queues, the oldest messages, scripts and methods. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "adapter.h"
#include "ask.h"
#include "clock.h"
#include "top.h"
#include "xalloc.h"

#define QUEUES 5000 /* looked at */
#define EVENTS 2000 /* for the slowest methods */
#define FRONT  6 /* messages of a queue that are looked at */
#define ASIDE  (NS_PER_SEC) /* for the adapter */

/* Free it. */
void
snap_fini(struct snap *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].name);
	free(s->v);
	json_decref(s->status);
	json_decref(s->scripts);
	chosen_fini(&s->oldest);
	callstat_free(s->methods, s->nmethods);
	memset(s, 0, sizeof *s);
}

static int
keep_queue(void *arg, const struct look_queue *q)
{
	struct snap *s = arg;
	struct row *r;

	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->v = xreallocarray(s->v, s->cap, sizeof *s->v);
	}
	r = &s->v[s->n++];
	memset(r, 0, sizeof *r);
	r->name = xstrndup(q->name.p, q->name.n);
	r->q = *q;
	r->q.name = str_of(r->name);
	return s->n == QUEUES;
}

static int
by_age(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *)a,
			 *y = *(const struct row *const *)b;

	return (x->q.oldest_age_s < y->q.oldest_age_s) -
	    (x->q.oldest_age_s > y->q.oldest_age_s);
}

static int
by_id(const void *a, const void *b)
{
	const struct chosen *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The front messages of the queues with the oldest. */
static int
look_oldest(struct cli *c, struct snap *s)
{
	const struct row **by = xcalloc(s->n + 1, sizeof *by);
	int rc = 0, one;

	for (size_t i = 0; i < s->n; i++)
		by[i] = &s->v[i];
	qsort(by, s->n, sizeof *by, by_age);
	for (size_t i = 0; i < s->n && i < TOP_MESSAGES && rc == 0; i++) {
		if (by[i]->q.messages <= 0)
			break;
		one = look_broker.messages(
		    c, by[i]->name, -1, FRONT, false, chosen_add, &s->oldest);
		rc = one == CLI_NONE ? 0 : one; /* it went meanwhile */
	}
	free(by);
	if (s->oldest.n > 1)
		qsort(s->oldest.v, s->oldest.n, sizeof *s->oldest.v, by_id);
	return rc;
}

static int
slower(const void *a, const void *b)
{
	const struct callstat *x = a, *y = b;

	return (x->p99_s < y->p99_s) - (x->p99_s > y->p99_s);
}

static int
look_methods(struct cli *c, struct snap *s)
{
	struct events l = {0};
	int rc = look_broker.events(c, LOOK_LAST, EVENTS, 0, &l);

	s->methods = callstat_of(&l, &s->nmethods);
	qsort(s->methods, s->nmethods, sizeof *s->methods, slower);
	events_fini(&l);
	return rc;
}

/* Its absence is no failure. */
static void
look_scripts(struct cli *c, struct snap *s)
{
	int64_t limit = c->limit_ns;

	c->limit_ns = ASIDE;
	if (adapter_ask(c, "adapter.scripts", NULL, &s->scripts) != 0)
		s->scripts = NULL;
	c->limit_ns = limit;
	c->why.text[0] = '\0';
}

/* Everything. */
int
top_look(struct cli *c, struct snap *s, bool all)
{
	struct buf t = BUF_INIT;
	int rc;

	c->start_ns = clock_mono_ns();
	s->at = (double)c->start_ns / 1e9;
	rc = look_broker.queues(c, "", keep_queue, s);
	if (rc != 0 || !all)
		return rc;
	ask_path(&t, "status");
	rc = ask(c, "GET", &t, STR(""), &s->status);
	buf_fini(&t);
	if (rc == 0)
		rc = look_oldest(c, s);
	if (rc == 0)
		rc = look_methods(c, s);
	if (rc == 0)
		look_scripts(c, s);
	return rc;
}

static int
busier(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double rx = x->in_s + x->out_s, ry = y->in_s + y->out_s;

	if (rx != ry)
		return rx < ry ? 1 : -1;
	if (x->q.messages != y->q.messages)
		return x->q.messages < y->q.messages ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int
by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Rates since the look before, then by rate. */
void
top_compare(struct snap *now, struct snap *before)
{
	double dt = now->at - before->at;

	if (before->n > 1)
		qsort(before->v, before->n, sizeof *before->v, by_name);
	for (size_t i = 0; i < now->n && dt > 0 && before->n > 0; i++) {
		struct row *r = &now->v[i], *was;

		was = bsearch(
		    r, before->v, before->n, sizeof *before->v, by_name);
		if (was == NULL || was->q.in > r->q.in || was->q.out > r->q.out)
			continue;
		r->in_s = (double)(r->q.in - was->q.in) / dt;
		r->out_s = (double)(r->q.out - was->q.out) / dt;
	}
	if (now->n > 1)
		qsort(now->v, now->n, sizeof *now->v, busier);
}
