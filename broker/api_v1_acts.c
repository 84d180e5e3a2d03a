/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What operators did: a record of its own, because the flight recorder forgets
 * in seconds under load.  An act is noted when it is asked for, and written when
 * it has been answered: done, or not allowed.  What clients do that have logged
 * in is their work, and no act.
 */
#include "api_v1.h"

#include <stdlib.h>

#include "clock.h"
#include "xalloc.h"

#define DENIED 403

/* An act on its way. */
struct asked {
	const char *verb;
	int64_t id; /* of a message, 0: none */
	size_t n;
	char queue[];
};

/* Note who asks for what. */
void
acts_asked(const struct v1 *v, const char *verb)
{
	bool queue = v->nseg > 1 && str_eq(v->seg[0], STR("queues"));
	size_t n = queue ? v->seg[1].n : 0;
	struct asked *a;

	acts_forget(v->p);
	if (v->p->client.session != NULL || v->a->acts == NULL)
		return;
	a = v->p->asked = xcalloc(1, sizeof *a + n + 1);
	a->verb = verb;
	a->n = n;
	if (n > 0)
		memcpy(a->queue, v->seg[1].p, n);
	if (queue && v->nseg > 3)
		(void)!wire_int64(v->seg[3], &a->id);
	else if (!queue && v->nseg > 1)
		(void)!wire_int64(v->seg[1], &a->id);
}

/* Nobody waits for the answer any more. */
void
acts_forget(struct peer *p)
{
	free(p->asked);
	p->asked = NULL;
}

/* It is answered: write it down. */
void
acts_answered(struct peer *p, int status, const char *note)
{
	const struct asked *a = p->asked;
	struct ring_event e = {.type = RING_CREATE, .dur_ns = -1};

	if (a == NULL)
		return;
	if ((status >= 200 && status < 300) || status == DENIED) {
		e.wall_ns = clock_wall_ns();
		e.client = str_of(p->client.comm);
		e.pid = (uint32_t)p->client.pid;
		e.size = (uint32_t)p->client.uid;
		e.queue = (struct str){a->queue, a->n};
		e.id = a->id;
		e.re_id = status;
		e.peer = str_of(a->verb);
		e.text = str_of(note);
		ring_put(p->api->acts, &e);
	}
	acts_forget(p);
}

static bool
put_act(struct jsonw *w, const struct ring_event *e, const void *all)
{
	(void)all;
	jsonw_open(w, NULL, '{');
	jsonw_int(w, "seq", (int64_t)e->seq);
	jsonw_seconds(w, "time", e->wall_ns);
	jsonw_str(w, "verb", e->peer);
	jsonw_str(w, "queue", e->queue);
	jsonw_int(w, "id", e->id);
	jsonw_int(w, "uid", e->size);
	jsonw_int(w, "pid", e->pid);
	jsonw_str(w, "comm", e->client);
	jsonw_bool(w, "done", e->re_id < 300);
	jsonw_str(w, "text", e->text);
	jsonw_close(w, '}');
	return true;
}

/* GET /v1/acts */
void
v1_get_acts(const struct v1 *v)
{
	const struct ring *r = v->a->acts;
	struct ring_cursor at = {0, 0};
	int64_t after, limit, next;
	struct jsonw w;

	if (!v1_param_int(v, "after", -1, -1, INT64_MAX, &after) ||
	    !v1_param_int(v, "limit", 1000, 1, 10000, &limit))
		return;
	w = v1_start(v);
	jsonw_open(&w, "acts", '[');
	if (r != NULL) {
		next = (int64_t)ring_next(r);
		/* left out: the last ones */
		if (after == -1)
			after = next > limit ? next - limit : 0;
		at = ring_seek(r, (uint64_t)after);
		(void)v1_put_ring(&w, r, &at, (size_t)limit, put_act, NULL);
	}
	jsonw_close(&w, ']');
	jsonw_int(&w, "next", (int64_t)at.seq);
	v1_finish(v, &w);
}
