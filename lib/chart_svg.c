/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A plan as a picture.  All steps of a request are in one group, so that a
 * style sheet alone can make them stand out together; there is no script.
 * Colours are written out twice, for light and dark: not everything that draws
 * SVG knows variables.
 */
#include "chart_xml.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "units.h"
#include "xalloc.h"

#define CH	  7.25 /* width of a character */
#define ROW	  34
#define LINE	  24 /* the arrow in its row */
#define LEFT	  112 /* room for times */
#define MARGIN	  14
#define NARROW	  760 /* so wide it is at least */
#define WIDE	  1240 /* to aim at */
#define LANE_MIN  21 /* columns between two lanes */
#define LANE_MAX  34
#define CARD_MAX  232.0
#define SLOTS	  4
#define SLOT	  5 /* pixels between bars that overlap */
#define STRETCH	  1.6 /* at most, to fill the width */
#define LABEL_MAX 60 /* columns of what stands beside a lane */

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

static size_t
cells_of(struct str s)
{
	size_t all = 0, cells;

	for (size_t n; s.n > 0; s.p += n, s.n -= n) {
		n = take(s, &cells);
		all += cells;
	}
	return all;
}

/* As much of the front as fits. */
static struct str
front(struct str s, size_t room)
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
static void
put_cut(struct buf *b, struct str s, size_t room)
{
	if (cells_of(s) <= room) {
		xml_put(b, s);
		return;
	}
	xml_put(b, front(s, room > 1 ? room - 1 : 1));
	buf_adds(b, "\xe2\x80\xa6");
}

/* ---- places ---- */

static double
row_y(size_t i)
{
	return (double)(i * ROW + LINE);
}

static size_t
fits(double pixels)
{
	return pixels > CH ? (size_t)(pixels / CH) : 1;
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
		n = cells_of(str_of(st->label));
		n = n > LABEL_MAX ? LABEL_MAX : n;
		if ((double)n * CH + 40 > most)
			most = (double)n * CH + 40;
	}
	return most;
}

/* Where lanes stand, and how wide it all is. */
static void
set_lanes(struct sheet *s)
{
	const struct plan_widths w = {
	    LANE_MIN, LANE_MAX, (size_t)((WIDE - LEFT) / CH)};
	size_t *at = plan_lanes_at(s->p, &w), n = s->p->nlanes;
	double *gap = xcalloc(n + 1, sizeof *gap), stretch = 1, rest;

	if (n > 1)
		stretch = (WIDE - LEFT - CARD_MAX) / ((double)at[n - 1] * CH);
	stretch = stretch < 1 ? 1 : stretch > STRETCH ? STRETCH : stretch;
	for (size_t i = 0; i < n; i++)
		s->x[i] = (double)at[i] * CH * stretch;
	for (size_t i = 0; i + 1 < n; i++)
		gap[i] = s->x[i + 1] - s->x[i];
	set_cards(s, gap);
	for (size_t i = n; i-- > 0;)
		s->x[i] += LEFT + s->card[0] / 2;
	rest = right_of(s->p);
	s->width = NARROW;
	if (n > 0) {
		double end = s->x[n - 1];

		end += rest > s->card[n - 1] / 2 ? rest : s->card[n - 1] / 2;
		if (end + MARGIN > s->width)
			s->width = end + MARGIN;
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
		    : end != 0	     ? row_y(end)
				     : row_y(i) + 10;
		while (
		    bar->slot < SLOTS - 1 && busy[st->to][bar->slot] > row_y(i))
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
	s->height = (double)((p->nsteps ? p->nsteps : 1) * ROW + 14);
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

/* ---- colours ---- */

static const struct {
	const char *what, *how, *light, *dark;
} colours[] = {
    {".bg", "fill", "#ffffff", "#161b22"},
    {"text", "fill", "#1b1f24", "#e6edf3"},
    {".life", "stroke", "#c3cad2", "#454d57"},
    {".card", "fill", "#eef2f6", "#21262d"},
    {".card", "stroke", "#9aa5b1", "#5b6571"},
    {".card.q", "fill", "#deecfb", "#122e4d"},
    {".card.q", "stroke", "#5c95cf", "#3f79b5"},
    {".card.s", "fill", "#efe5fb", "#2c1e4a"},
    {".card.s", "stroke", "#9a77cf", "#7d5cc0"},
    {".req,.scr", "stroke", "#0a539e", "#7fbcff"},
    {".del", "stroke", "#57606a", "#9da7b1"},
    {".ok", "stroke", "#0f6b2e", "#63d97c"},
    {".bad", "stroke", "#b3261e", "#ff9b93"},
    {".open", "stroke", "#8a5300", "#e9bd55"},
    {".scr", "stroke", "#6c3fc0", "#c3a5ff"},
    {".req .tip", "fill", "#0a539e", "#7fbcff"},
    {".del .tip", "fill", "#57606a", "#9da7b1"},
    {".ok .tip", "fill", "#0f6b2e", "#63d97c"},
    {".bad .tip", "fill", "#b3261e", "#ff9b93"},
    {".scr .tip", "fill", "#6c3fc0", "#c3a5ff"},
    {".open .tip", "fill", "#ffffff", "#161b22"},
    {".ok text", "fill", "#0f6b2e", "#63d97c"},
    {".bad text", "fill", "#b3261e", "#ff9b93"},
    {".open text", "fill", "#7a4b00", "#e9bd55"},
    {"text.l", "stroke", "#ffffff", "#161b22"},
    {".bar", "fill", "#e3e8ee", "#30363f"},
    {".bar", "stroke", "#8b96a2", "#6b7682"},
    {".bar.o", "fill", "#fdf0d0", "#3a2d0a"},
    {".bar.o", "stroke", "#8a5300", "#e9bd55"},
    {".note", "fill", "#eef2f6", "#21262d"},
    {".bad .note", "fill", "#fde7e5", "#481a18"},
    {".open .note", "fill", "#fdf0d0", "#3a2d0a"},
    {".gap", "stroke", "#9aa5b1", "#5b6571"},
    {"text.t,text.cap", "fill", "#545d68", "#9da7b1"},
};

static void
put_colours(struct buf *b, bool dark)
{
	for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
		buf_addf(b, "%s{%s:%s}\n", colours[i].what, colours[i].how,
		    dark ? colours[i].dark : colours[i].light);
}

/* The rules. */
void
sheet_style(struct buf *b)
{
	buf_adds(b,
	    "text{font:12px ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,"
	    "monospace;stroke:none}\n"
	    "text.t{font-size:11px}\ntext.cap{font-size:10px}\n"
	    ".arrow{stroke-width:1.6;fill:none}\n"
	    ".tip{stroke-width:1.4;stroke-linejoin:round}\n"
	    ".back .arrow{stroke-dasharray:6 3}\n"
	    ".open .arrow{stroke-dasharray:3 3}\n"
	    "text.l{paint-order:stroke;stroke-width:5px;"
	    "stroke-linejoin:round}\n"
	    ".note{stroke:none}\n"
	    ".bar{stroke-width:1}\n.bar.o{stroke-dasharray:4 2}\n"
	    ".gap{stroke-dasharray:2 5;stroke-width:1.4}\n"
	    ".card{stroke-width:1}\n"
	    ".m:hover .arrow{stroke-width:3}\n"
	    ".m:hover text{font-weight:700}\n");
	put_colours(b, false);
	buf_adds(b, "@media(prefers-color-scheme:dark){\n");
	put_colours(b, true);
	buf_adds(b, "}\n");
}

/* ---- the names ---- */

/* Where to break a name that is too long for one line of so many columns: behind
 * a mark, when both halves fit then. */
static size_t
break_at(struct str name, size_t room)
{
	size_t most = front(name, room).n, i = most;

	for (; i > 0 && cells_of((struct str){name.p + i, name.n - i}) <= room;
	     i--)
		if (strchr(".:/_-", name.p[i - 1]) != NULL)
			return i;
	return most;
}

static void
put_name(struct buf *b, double x, double y, struct str name, size_t room)
{
	buf_addf(
	    b, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">", x, y);
	put_cut(b, name, room);
	buf_adds(b, "</text>");
}

static const char *
caption(const struct lane *l)
{
	return l->script	    ? "script"
	    : l->queue && l->client ? "client + queue"
	    : l->queue		    ? "queue"
				    : "client";
}

static void
put_card(struct buf *b, const struct sheet *s, size_t i)
{
	const struct lane *l = s->p->order[i];
	struct str name = str_of(l->text);
	double x = s->x[i], w = s->card[i];
	size_t room = fits(w - 14), at;

	buf_adds(b, "<g><title>");
	xml_put(b, name);
	buf_addf(b,
	    "</title><rect class=\"card %s\" x=\"%.1f\" y=\"4.5\" width="
	    "\"%.1f\" height=\"50\" rx=\"%d\"/>",
	    l->script	   ? "s"
		: l->queue ? "q"
			   : "c",
	    x - w / 2, w,
	    l->script	   ? 16
		: l->queue ? 7
			   : 0);
	if (cells_of(name) <= room) {
		put_name(b, x, 27, name, room);
	} else {
		at = break_at(name, room);
		put_name(b, x, 20, (struct str){name.p, at}, room);
		put_name(
		    b, x, 34, (struct str){name.p + at, name.n - at}, room);
	}
	buf_addf(b,
	    "<text class=\"cap\" x=\"%.0f\" y=\"48\" text-anchor=\"middle\">"
	    "%s</text></g>\n",
	    x, caption(l));
}

/* The date of the first step that has a time. */
static void
put_date(struct buf *b, const struct plan *p)
{
	char stamp[UNITS_MAX];

	for (size_t i = 0; i < p->nsteps; i++) {
		if (p->steps[i].time <= 0)
			continue;
		units_time(stamp, p->steps[i].time, 0, p->o->utc);
		buf_addf(b,
		    "<text class=\"t\" x=\"%d\" y=\"27\">%.10s</text>"
		    "<text class=\"cap\" x=\"%d\" y=\"48\">%s</text>\n",
		    MARGIN, stamp, MARGIN, p->o->utc ? "UTC" : "local time");
		return;
	}
}

/* All. */
void
sheet_names(struct buf *b, const struct sheet *s)
{
	buf_addf(b, "<rect class=\"bg\" width=\"%.0f\" height=\"%d\"/>\n",
	    s->width, SHEET_HEAD);
	put_date(b, s->p);
	for (size_t i = 0; i < s->p->nlanes; i++)
		put_card(b, s, i);
}

/* ---- the steps ---- */

static const char *
class_of(const struct step *s)
{
	if (s->open)
		return "open";
	if (s->failed)
		return "bad back";
	switch (s->kind) {
	case STEP_REQUEST: return "req";
	case STEP_DELIVERY: return "del";
	case STEP_SCRIPT: return "scr";
	case STEP_REPLY:
	case STEP_EXIT: return "ok back";
	default: return "n";
	}
}

static void
put_time(struct buf *b, const struct plan *p, const struct step *s, double y)
{
	char stamp[UNITS_MAX];

	if (s->time <= 0)
		return;
	units_time(stamp, s->time, s->time, p->o->utc);
	buf_addf(b, "<text class=\"t\" x=\"%d\" y=\"%.0f\">%.12s</text>",
	    MARGIN, y + 4, stamp);
}

static void
put_bar(struct buf *b, const struct sheet *s, size_t i)
{
	const struct bar *bar = &s->bars[i];
	double y = row_y(i);

	if (bar->end <= 0)
		return;
	buf_addf(b,
	    "<rect class=\"bar%s\" x=\"%.1f\" y=\"%.0f\" width=\"8\" height="
	    "\"%.0f\" rx=\"2\"/>\n",
	    bar->open ? " o" : "",
	    s->x[s->p->steps[i].to] - 4 + bar->slot * SLOT, y, bar->end - y);
}

/* From a lane to itself. */
static void
put_loop(struct buf *b, const struct sheet *s, const struct step *st, double y)
{
	double x = s->x[st->to], room = s->width - x - 40;
	size_t cells = fits(room);

	buf_addf(b,
	    "<path class=\"arrow\" d=\"M%.1f %.0fh20v10h-12\"/><path class="
	    "\"tip\" d=\"M%.1f %.0fl8 -4v8z\"/><text class=\"l\" x=\"%.1f\" "
	    "y=\"%.0f\">",
	    x + 4, y - 5, x + 5, y + 5, x + 30, y + 4);
	put_cut(b, str_of(st->label), cells < LABEL_MAX ? cells : LABEL_MAX);
	buf_adds(b, "</text>");
}

static void
put_arrow(struct buf *b, const struct sheet *s, const struct step *st, double y)
{
	double from = s->x[st->from], to = s->x[st->to];
	int d = to > from ? 1 : -1;

	if (st->from == st->to) {
		put_loop(b, s, st, y);
		return;
	}
	buf_addf(b,
	    "<path class=\"arrow\" d=\"M%.1f %.0fH%.1f\"/><path class=\"tip\" "
	    "d=\"M%.1f %.0fl%d -4v8z\"/>"
	    "<text class=\"l\" x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">",
	    from + 4 * d, y, to - 11 * d, to - 4 * d, y, -8 * d,
	    (from + to) / 2 - 2 * d, y - 7);
	put_cut(b, str_of(st->label), fits((to - from) * d - 18));
	buf_adds(b, "</text>");
}

static void
put_note(struct buf *b, const struct sheet *s, const struct step *st, double y)
{
	double w = s->width - LEFT - MARGIN;

	buf_addf(b,
	    "<rect class=\"note\" x=\"%d\" y=\"%.0f\" width=\"%.0f\" height="
	    "\"24\" rx=\"6\"/><text x=\"%d\" y=\"%.0f\">",
	    LEFT, y - 14, w, LEFT + 10, y + 2);
	put_cut(b, str_of(st->label), fits(w - 20));
	buf_adds(b, "</text>");
}

static void
put_gap(struct buf *b, const struct sheet *s, const struct step *st, double y)
{
	buf_addf(b,
	    "<g class=\"%s\"><path class=\"gap\" d=\"M%d %.0fH%.0f\"/>"
	    "<text class=\"l\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">",
	    st->failed ? "open" : "n", MARGIN, y - 4, s->width - MARGIN,
	    s->width / 2, y);
	put_cut(b, str_of(st->label), LABEL_MAX);
	buf_adds(b, st->failed ? "</text></g>\n" : " later</text></g>\n");
}

static void
put_step(struct buf *b, const struct sheet *s, size_t i)
{
	const struct step *st = &s->p->steps[i];
	double y = row_y(i);

	buf_addf(b, "<g class=\"%s\"><title>", class_of(st));
	xml_put(b, str_of(st->label));
	buf_adds(b, "</title>");
	put_time(b, s->p, st, st->kind == STEP_NOTE ? y - 2 : y);
	if (st->kind == STEP_NOTE)
		put_note(b, s, st, y);
	else
		put_arrow(b, s, st, y);
	buf_adds(b, "</g>\n");
}

/* All that has to do with one request. */
static void
put_request(struct buf *b, const struct sheet *s, size_t i)
{
	buf_adds(b, "<g class=\"m\">\n");
	for (size_t k = i;; k = s->p->steps[k].next) {
		put_step(b, s, k);
		if (s->p->steps[k].next == 0)
			break;
	}
	buf_adds(b, "</g>\n");
}

/* The lanes and what happens on them. */
void
sheet_steps(struct buf *b, const struct sheet *s)
{
	const struct plan *p = s->p;

	buf_addf(b, "<rect class=\"bg\" width=\"%.0f\" height=\"%.0f\"/>\n",
	    s->width, s->height);
	for (size_t i = 0; i < p->nlanes; i++)
		buf_addf(b, "<path class=\"life\" d=\"M%.1f 0V%.0f\"/>\n",
		    s->x[i], s->height);
	for (size_t i = 0; i < p->nsteps; i++) /* below all text */
		put_bar(b, s, i);
	for (size_t i = 0; i < p->nsteps; i++) {
		if (p->steps[i].kind == STEP_GAP)
			put_gap(b, s, &p->steps[i], row_y(i));
		else if (p->steps[i].first)
			put_request(b, s, i);
	}
	if (p->nsteps == 0)
		buf_addf(b, "<text x=\"%d\" y=\"%d\">no messages</text>\n",
		    LEFT, LINE);
}

/* The picture. */
void
chart_svg(struct buf *b, const struct plan *p)
{
	struct sheet s;

	sheet_init(&s, p);
	buf_addf(b,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height="
	    "\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label="
	    "\"Message sequence chart\">\n<style>\n",
	    s.width, s.height + SHEET_HEAD, s.width, s.height + SHEET_HEAD);
	sheet_style(b);
	buf_adds(b, "</style>\n");
	sheet_names(b, &s);
	buf_addf(b, "<g transform=\"translate(0 %d)\">\n", SHEET_HEAD);
	sheet_steps(b, &s);
	buf_adds(b, "</g>\n</svg>\n");
	sheet_fini(&s);
}
