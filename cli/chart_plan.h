/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The plan of a chart: its lanes and steps.  chart.c makes it, chart_draw.c
 * writes it down; nobody else needs it. */
#ifndef XMSG_CLI_CHART_PLAN_H
#define XMSG_CLI_CHART_PLAN_H

#include "chart.h"
#include "map.h"

enum step_kind { STEP_ARROW, STEP_NOTE, STEP_GAP };

struct step {
	enum step_kind kind;
	size_t from, to;
	bool dashed; /* a reply */
	bool open; /* a request that nobody has answered */
	double time; /* 0: none */
	char *label; /* owned */
};

struct lane {
	UT_hash_handle hh;
	size_t index, n;
	char *text; /* safe to print, owned */
	char name[];
};

struct sent;

struct plan {
	const struct events *l;
	const struct chart_options *o;
	struct lane *lanes, **order;
	size_t nlanes, caplanes;
	struct step *steps;
	size_t nsteps, capsteps;
	struct sent *sent, *newest; /* by id; in a list */
};

void chart_text(struct buf *b, const struct plan *p);
void chart_mscgen(struct buf *b, const struct plan *p);
void chart_mermaid(struct buf *b, const struct plan *p);

#endif
