/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A plan as text, as input for mscgen, as input for mermaid. */
#include "chart_plan.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "units.h"

#define LANE_MIN 12 /* columns between two lanes */
#define LANE_MAX 30
#define STAMP	 16 /* columns for the time, at most */
#define OPEN	 4 /* what is before the text of an open arrow */

/* ---- text ---- */

static void
put_stamp(struct buf *b, const struct plan *p, double time)
{
	char stamp[UNITS_MAX] = "";

	if (time > 0)
		units_time(stamp, time, p->o->now, p->o->utc);
	buf_addf(b, "%-*s  ", p->o->utc ? 13 : 12, stamp);
}

size_t
chart_text_lanes(size_t columns)
{
	size_t n =
	    columns > STAMP + OPEN ? (columns - STAMP - OPEN) / LANE_MIN : 0;

	return n > 3 ? n - 1 : 2;
}

/* Columns for the name of a lane. */
static size_t
name_room(const struct plan *p, const size_t *at, size_t i)
{
	size_t end = p->o->columns > STAMP ? p->o->columns - STAMP : 0;

	if (i + 1 < p->nlanes)
		return at[i + 1] - at[i] - 2;
	return end >= at[i] + LANE_MIN && end < at[i] + LANE_MAX ? end - at[i]
								 : LANE_MAX;
}

/* The names above their lanes. */
static void
text_head(struct buf *b, const struct plan *p, const size_t *at)
{
	put_stamp(b, p, 0);
	for (size_t i = 0; i < p->nlanes; i++) {
		struct str name = str_of(p->order[i]->text);
		bool last = i + 1 == p->nlanes;
		size_t room = name_room(p, at, i);
		size_t used = text_width(name);

		text_fit(b, name, room, true);
		for (used = used < room ? used : room; !last && used < room + 2;
		     used++)
			buf_addc(b, ' ');
	}
	buf_addc(b, '\n');
}

/* The lanes from `i` on, beginning at column `col`; i behind the last. */
static void
put_lanes(struct buf *b, const struct plan *p, const size_t *at, size_t i,
    size_t n, size_t col)
{
	for (; i < n && i < p->nlanes; i++) {
		for (; col < at[i]; col++)
			buf_addc(b, ' ');
		buf_addc(b, '|');
		col++;
	}
}

/* The lanes, with an arrow and its label between two of them. */
static void
text_arrow(
    struct buf *b, const struct plan *p, const struct step *s, const size_t *at)
{
	bool east = s->to > s->from;
	size_t left = east ? s->from : s->to, right = east ? s->to : s->from;
	size_t room, used;
	char line = step_is_back(s) ? '.' : '-';
	struct buf label = BUF_INIT;

	put_lanes(b, p, at, 0, left + 1, 0);
	if (left == right) { /* to itself */
		room = p->o->columns > STAMP + OPEN + at[left] + LANE_MIN
		    ? p->o->columns - STAMP - OPEN - at[left]
		    : LANE_MIN;
		buf_adds(b, " <- ");
		text_fit(b, str_of(s->label), p->o->columns ? room : SIZE_MAX,
		    false);
		buf_addc(b, '\n');
		return;
	}
	room = at[right] - at[left] - 1;
	text_fit(&label, str_of(s->label), room - 4, false);
	used = text_width((struct str){label.p, label.n}) + 2;
	buf_addc(b, east ? line : '<');
	buf_addc(b, line);
	buf_add(b, label.p, label.n);
	for (; used + 1 < room; used++)
		buf_addc(b, line);
	buf_addc(b, east ? '>' : line);
	put_lanes(b, p, at, right, p->nlanes, at[right]);
	buf_addc(b, '\n');
	buf_fini(&label);
}

/* For a terminal or a report. */
void
chart_text(struct buf *b, const struct plan *p)
{
	struct plan_widths w = {LANE_MIN, LANE_MAX,
	    p->o->columns > 40 ? p->o->columns - STAMP - OPEN - LANE_MIN : 80};
	size_t *at = plan_lanes_at(p, &w);

	if (p->nlanes > 0)
		text_head(b, p, at);
	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];

		put_stamp(b, p, s->time);
		if (step_is_arrow(s))
			text_arrow(b, p, s, at);
		else
			buf_addf(b,
			    s->kind == STEP_GAP ? "... %s ...\n" : "* %s\n",
			    s->label);
	}
	free(at);
}

/* ---- mscgen ---- */

/* Its strings know \" only; a backslash before other characters may mean
 * something. */
static void
put_quoted(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			buf_addc(b, '\\');
		buf_addc(b, *s == '\\' ? '/' : *s);
	}
	buf_addc(b, '"');
}

/* For mscgen. */
void
chart_mscgen(struct buf *b, const struct plan *p)
{
	buf_adds(b, "msc {\n  hscale = \"auto\", wordwraparcs = \"true\";\n");
	if (p->nlanes == 0)
		buf_adds(b, "  \"no messages\"");
	for (size_t i = 0; i < p->nlanes; i++) {
		buf_addf(b, "%s%zu [label = ", i == 0 ? "  p" : ",\n  p", i);
		put_quoted(b, p->order[i]->text);
		buf_addc(b, ']');
	}
	buf_adds(b, ";\n");
	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];

		if (step_is_arrow(s))
			buf_addf(b, "  p%zu %s p%zu", s->from,
			    s->open		  ? "-x"
				: step_is_back(s) ? ">>"
						  : "=>",
			    s->to);
		else
			buf_adds(b, s->kind == STEP_GAP ? "  ..." : "  ---");
		buf_adds(b, " [label = ");
		put_quoted(b, s->label);
		buf_adds(b, "];\n");
	}
	buf_adds(b, "}\n");
}

/* ---- mermaid ---- */

/* Characters that mean something to it are written as #N;. */
static void
put_mermaid(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("#;\"<>&\\{}()[]:%`", *s) != NULL)
			buf_addf(b, "#%d;", *s);
		else
			buf_addc(b, *s);
	}
}

/* For mermaid. */
void
chart_mermaid(struct buf *b, const struct plan *p)
{
	buf_adds(b, "sequenceDiagram\n");
	for (size_t i = 0; i < p->nlanes; i++) {
		buf_addf(b, "  participant p%zu as ", i);
		put_mermaid(b, p->order[i]->text);
		buf_addc(b, '\n');
	}
	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];

		if (step_is_arrow(s))
			buf_addf(b, "  p%zu%sp%zu: ", s->from,
			    s->open		  ? "-x"
				: step_is_back(s) ? "-->>"
						  : "->>",
			    s->to);
		else if (p->nlanes == 0)
			continue;
		else
			buf_addf(b, "  Note over p0,p%zu: %s", p->nlanes - 1,
			    s->kind == STEP_GAP ? "... " : "");
		put_mermaid(b, s->label);
		buf_addc(b, '\n');
	}
}
