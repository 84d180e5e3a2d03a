/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Where things stand on the sheet of a drawn chart, and how text is fitted into
 * its place.  Characters are taken to be as wide as those of a usual font of 12
 * pixels, those of the east twice as wide.
 */
#include "chart_sheet.h"

#include <stdlib.h>

#include "xalloc.h"

#define NARROW	 760 /* so wide it is at least */
#define WIDE	 1240 /* to aim at */
#define LANE_MIN 21 /* columns between two lanes */
#define LANE_MAX 34
#define CARD_MAX 232.0
#define SLOTS	 4 /* bars beside each other */
#define STRETCH	 1.6 /* at most, to fill the width */

/* ---- text ---- */

/* How many bytes the first character has, and how many columns it takes. */
static size_t
take(struct str s, size_t *cells)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	*cells = c < 0xe1 || (c == 0xe2 && s.n > 1 && s.p[1] < '\x8c') ? 1 : 2;
	return n < s.n ? n : s.n;
}

/* So many columns it takes. */
size_t
xml_columns(struct str s)
{
	size_t all = 0, cells;

	for (size_t n; s.n > 0; s.p += n, s.n -= n) {
		n = take(s, &cells);
		all += cells;
	}
	return all;
}

/* As much of the front as fits. */
struct str
xml_front(struct str s, size_t room)
{
	size_t at = 0, cells;

	while (at < s.n) {
		size_t n = take((struct str){s.p + at, s.n - at}, &cells);

		if (cells > room)
			break;
		room -= cells;
		at += n;
	}
	return (struct str){s.p, at};
}

/* Text, for XML.  What is no character of XML even when escaped becomes the
 * mark for that. */
void
xml_put(struct buf *b, struct str s)
{
	for (; s.n > 0; s.p++, s.n--) {
		switch (*s.p) {
		case '&': buf_adds(b, "&amp;"); continue;
		case '<': buf_adds(b, "&lt;"); continue;
		case '>': buf_adds(b, "&gt;"); continue;
		case '"': buf_adds(b, "&quot;"); continue;
		case '\'': buf_adds(b, "&#39;"); continue;
		default: break;
		}
		if (str_starts(s, STR("\xef\xbf\xbe")) ||
		    str_starts(s, STR("\xef\xbf\xbf"))) {
			buf_adds(b, "\xef\xbf\xbd");
			s.p += 2;
			s.n -= 2;
		} else if ((unsigned char)*s.p >= 0x20 || *s.p == '\n') {
			buf_addc(b, *s.p);
		}
	}
}

/* The same, cut to so many columns. */
void
xml_put_cut(struct buf *b, struct str s, size_t room)
{
	if (xml_columns(s) <= room) {
		xml_put(b, s);
		return;
	}
	xml_put(b, xml_front(s, room > 1 ? room - 1 : 1));
	buf_adds(b, "\xe2\x80\xa6");
}

/* ---- places ---- */

/* The line of a step. */
double
sheet_y(size_t i)
{
	return (double)(i * SHEET_ROW + SHEET_LINE);
}

/* So many characters fit. */
size_t
sheet_fits(double pixels)
{
	return pixels > SHEET_CH ? (size_t)(pixels / SHEET_CH) : 1;
}

/* The widths of cards: no wider than there is room on both sides. */
static void
set_cards(struct sheet *s, const double *gap)
{
	size_t n = s->p->nlanes;

	for (size_t i = 0; i < n; i++) {
		double most = CARD_MAX;

		if (i > 0 && gap[i - 1] < most)
			most = gap[i - 1];
		if (i + 1 < n && gap[i] < most)
			most = gap[i];
		s->card[i] = most - 10;
	}
}

/* Room right of the last lane, for arrows to itself. */
static double
right_of(const struct plan *p)
{
	double most = 0;

	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *st = &p->steps[i];
		size_t n;

		if (!step_is_arrow(st) || st->from != st->to ||
		    st->from + 1 != p->nlanes)
			continue;
		n = xml_columns(str_of(st->label));
		n = n > SHEET_LABEL ? SHEET_LABEL : n;
		if ((double)n * SHEET_CH + 40 > most)
			most = (double)n * SHEET_CH + 40;
	}
	return most;
}

/* Where lanes stand, and how wide it all is. */
static void
set_lanes(struct sheet *s)
{
	const struct plan_widths w = {
	    LANE_MIN, LANE_MAX, (size_t)((WIDE - SHEET_LEFT) / SHEET_CH)};
	size_t *at = plan_lanes_at(s->p, &w), n = s->p->nlanes;
	double *gap = xcalloc(n + 1, sizeof *gap), stretch = 1, rest;

	if (n > 1)
		stretch = (WIDE - SHEET_LEFT - CARD_MAX) /
		    ((double)at[n - 1] * SHEET_CH);
	stretch = stretch < 1 ? 1 : stretch > STRETCH ? STRETCH : stretch;
	for (size_t i = 0; i < n; i++)
		s->x[i] = (double)at[i] * SHEET_CH * stretch;
	for (size_t i = 0; i + 1 < n; i++)
		gap[i] = s->x[i + 1] - s->x[i];
	set_cards(s, gap);
	for (size_t i = n; i-- > 0;)
		s->x[i] += SHEET_LEFT + s->card[0] / 2;
	rest = right_of(s->p);
	s->width = NARROW;
	if (n > 0) {
		double end = s->x[n - 1];

		end += rest > s->card[n - 1] / 2 ? rest : s->card[n - 1] / 2;
		if (end + SHEET_MARGIN > s->width)
			s->width = end + SHEET_MARGIN;
	}
	free(gap);
	free(at);
}

/* The step at which what step i began is over; 0: none is. */
static size_t
end_of(const struct plan *p, size_t i)
{
	const struct step *s = &p->steps[i];
	size_t end = 0;

	for (size_t k = s->next; k != 0; k = p->steps[k].next) {
		const struct step *t = &p->steps[k];

		if (t->kind == STEP_NOTE && t->failed)
			return k;
		if (s->kind == STEP_REQUEST && t->kind == STEP_REPLY)
			end = k;
		else if (s->kind == STEP_DELIVERY &&
		    (t->kind == STEP_REPLY || t->kind == STEP_DELIVERY))
			return k;
		else if (s->kind == STEP_SCRIPT && t->kind == STEP_EXIT &&
		    t->from == s->to)
			return k;
	}
	return end;
}

/* How long each lane has to do with a request. */
static void
set_bars(struct sheet *s)
{
	const struct plan *p = s->p;
	double(*busy)[SLOTS] = xcalloc(p->nlanes + 1, sizeof *busy);
	bool *waits = xcalloc(p->nsteps + 1, sizeof *waits);

	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *st = &p->steps[i];
		struct bar *bar = &s->bars[i];
		size_t end;

		waits[i] |= st->open;
		if (st->next != 0)
			waits[st->next] = waits[i];
		if (!step_is_arrow(st) || step_is_back(st))
			continue;
		end = end_of(p, i);
		bar->open = end == 0 && waits[i];
		bar->end = bar->open ? s->height - 4
		    : end != 0	     ? sheet_y(end)
				     : sheet_y(i) + 10;
		while (bar->slot < SLOTS - 1 &&
		    busy[st->to][bar->slot] > sheet_y(i))
			bar->slot++;
		busy[st->to][bar->slot] = bar->end;
	}
	free(waits);
	free(busy);
}

/* Find all places. */
void
sheet_init(struct sheet *s, const struct plan *p)
{
	*s = (struct sheet){.p = p};
	s->x = xcalloc(p->nlanes + 1, sizeof *s->x);
	s->card = xcalloc(p->nlanes + 1, sizeof *s->card);
	s->bars = xcalloc(p->nsteps + 1, sizeof *s->bars);
	s->height = (double)((p->nsteps ? p->nsteps : 1) * SHEET_ROW + 14);
	set_lanes(s);
	set_bars(s);
}

/* Free them. */
void
sheet_fini(struct sheet *s)
{
	free(s->x);
	free(s->card);
	free(s->bars);
}
