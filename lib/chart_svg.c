/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A plan as a picture.  All steps of a request are in one group, so that a
 * style sheet alone can make them stand out together; there is no script.
 * Colours are written out twice, for light and dark: not everything that draws
 * SVG knows variables.
 */
#include "chart_sheet.h"

#include <string.h>

#include "units.h"

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
	size_t most = xml_front(name, room).n, i = most;

	for (;
	     i > 0 && xml_columns((struct str){name.p + i, name.n - i}) <= room;
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
	xml_put_cut(b, name, room);
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
	size_t room = sheet_fits(w - 14), at;

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
	if (xml_columns(name) <= room) {
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
		    SHEET_MARGIN, stamp, SHEET_MARGIN,
		    p->o->utc ? "UTC" : "local time");
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
	    SHEET_MARGIN, y + 4, stamp);
}

static void
put_bar(struct buf *b, const struct sheet *s, size_t i)
{
	const struct bar *bar = &s->bars[i];
	double y = sheet_y(i);

	if (bar->end <= 0)
		return;
	buf_addf(b,
	    "<rect class=\"bar%s\" x=\"%.1f\" y=\"%.0f\" width=\"8\" height="
	    "\"%.0f\" rx=\"2\"/>\n",
	    bar->open ? " o" : "",
	    s->x[s->p->steps[i].to] - 4 + bar->slot * SHEET_SLOT, y,
	    bar->end - y);
}

/* From a lane to itself. */
static void
put_loop(struct buf *b, const struct sheet *s, const struct step *st, double y)
{
	double x = s->x[st->to], room = s->width - x - 40;
	size_t cells = sheet_fits(room);

	buf_addf(b,
	    "<path class=\"arrow\" d=\"M%.1f %.0fh20v10h-12\"/><path class="
	    "\"tip\" d=\"M%.1f %.0fl8 -4v8z\"/><text class=\"l\" x=\"%.1f\" "
	    "y=\"%.0f\">",
	    x + 4, y - 5, x + 5, y + 5, x + 30, y + 4);
	xml_put_cut(
	    b, str_of(st->label), cells < SHEET_LABEL ? cells : SHEET_LABEL);
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
	xml_put_cut(b, str_of(st->label), sheet_fits((to - from) * d - 18));
	buf_adds(b, "</text>");
}

static void
put_note(struct buf *b, const struct sheet *s, const struct step *st, double y)
{
	double w = s->width - SHEET_LEFT - SHEET_MARGIN;

	buf_addf(b,
	    "<rect class=\"note\" x=\"%d\" y=\"%.0f\" width=\"%.0f\" height="
	    "\"24\" rx=\"6\"/><text x=\"%d\" y=\"%.0f\">",
	    SHEET_LEFT, y - 14, w, SHEET_LEFT + 10, y + 2);
	xml_put_cut(b, str_of(st->label), sheet_fits(w - 20));
	buf_adds(b, "</text>");
}

static void
put_gap(struct buf *b, const struct sheet *s, const struct step *st, double y)
{
	buf_addf(b,
	    "<g class=\"%s\"><path class=\"gap\" d=\"M%d %.0fH%.0f\"/>"
	    "<text class=\"l\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">",
	    st->failed ? "open" : "n", SHEET_MARGIN, y - 4,
	    s->width - SHEET_MARGIN, s->width / 2, y);
	xml_put_cut(b, str_of(st->label), SHEET_LABEL);
	buf_adds(b, st->failed ? "</text></g>\n" : " later</text></g>\n");
}

static void
put_step(struct buf *b, const struct sheet *s, size_t i)
{
	const struct step *st = &s->p->steps[i];
	double y = sheet_y(i);

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
			put_gap(b, s, &p->steps[i], sheet_y(i));
		else if (p->steps[i].first)
			put_request(b, s, i);
	}
	if (p->nsteps == 0)
		buf_addf(b, "<text x=\"%d\" y=\"%d\">no messages</text>\n",
		    SHEET_LEFT, SHEET_LINE);
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
