/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The plan of a chart: its lanes and steps.  chart_plan.c makes it out of
 * events, the writers put it down: they know nothing of events, and the plan
 * nothing of forms.  Nobody else needs it.
 */
#ifndef XMSG_CHART_PLAN_H
#define XMSG_CHART_PLAN_H

#include <uthash.h>

#include "chart.h"

enum step_kind {
	STEP_REQUEST,
	STEP_DELIVERY,
	STEP_REPLY,
	STEP_SCRIPT, /* a script is begun */
	STEP_EXIT, /* and ends */
	STEP_NOTE,
	STEP_GAP,
};

struct step {
	enum step_kind kind;
	size_t from, to; /* lanes, of arrows */
	bool open; /* nobody has answered; it runs still */
	bool failed;
	bool first; /* of the steps of its request */
	size_t next; /* the next of them, 0: none */
	int64_t id; /* of the request, 0: none */
	double time; /* 0: none */
	double took_s; /* below 0: does not apply */
	char *label; /* owned, safe to print */
};

struct lane {
	UT_hash_handle hh;
	size_t index, n;
	bool client, queue, script; /* what goes by this name */
	bool consumer; /* a client that takes requests */
	char *text; /* safe to print, owned */
	char name[];
};

struct sent;

struct plan {
	const struct events *l;
	const struct chart_options *o;
	struct lane *lanes, **order, *others;
	size_t nlanes, caplanes;
	struct step *steps;
	size_t nsteps, capsteps;
	struct sent *sent, *newest; /* by id; in a list */
	size_t *next_run; /* of the same request, + 1; by number + 1 */
};

/* Lanes from left to right: who asks, queues, who answers, scripts. */
void plan_make(
    struct plan *p, const struct events *l, const struct chart_options *o);
void plan_fini(struct plan *p);

static inline bool
step_is_arrow(const struct step *s)
{
	return s->kind < STEP_NOTE;
}

/* From who answers to who asked: dashed. */
static inline bool
step_is_back(const struct step *s)
{
	return s->kind == STEP_REPLY || s->kind == STEP_EXIT;
}

/* Columns between lanes: what names and labels need, within these limits, less
 * when it would be wider than room in all.  Where each lane stands, from 0; for
 * free(3). */
struct plan_widths {
	size_t min, max, room;
};
size_t *plan_lanes_at(const struct plan *p, const struct plan_widths *w);

void chart_text(struct buf *b, const struct plan *p);
void chart_mscgen(struct buf *b, const struct plan *p);
void chart_mermaid(struct buf *b, const struct plan *p);
void chart_svg(struct buf *b, const struct plan *p);
void chart_html(struct buf *b, const struct plan *p);
void chart_json(struct buf *b, const struct plan *p);

#endif
