/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A plan as one HTML file that needs no other: the picture, whose names stay in
 * sight, what is to be said about it in words, and the same as text and as input
 * for mscgen, to be taken along.  It has no script, and forbids any.
 */
#include "chart_sheet.h"

#include "text.h"
#include "units.h"

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src"
    " 'none'; style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,"
    " initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<title>Message sequence chart</title>\n<style>\n";

static const char style[] =
    ":root{--bg:#f4f6f8;--panel:#fff;--text:#1b1f24;--muted:#545d68;"
    "--line:#d0d7de;--req:#0a539e;--ok:#0f6b2e;--bad:#b3261e;--open:#8a5300;"
    "--scr:#6c3fc0;--openbg:#fdf0d0}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--panel:#161b22;"
    "--text:#e6edf3;--muted:#9da7b1;--line:#343b44;--req:#7fbcff;--ok:#63d97c;"
    "--bad:#ff9b93;--open:#e9bd55;--scr:#c3a5ff;--openbg:#3a2d0a}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--bg);color:var(--text);font:14px/1.5 "
    "system-ui,\"Segoe UI\",\"Helvetica Neue\",Arial,sans-serif}\n"
    "header,main{padding:12px 16px;max-width:1400px;margin:0 auto}\n"
    "main{padding-top:0}\n"
    "h1{font-size:20px;letter-spacing:-.02em;margin:0}\n"
    "p{margin:4px 0;color:var(--muted)}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:2px 18px;font-size:13px}\n"
    ".legend span::before{content:\"\";display:inline-block;width:22px;"
    "margin-right:6px;vertical-align:middle;border-top:2px solid "
    "var(--muted)}\n"
    ".legend .req::before{border-color:var(--req)}\n"
    ".legend .ok::before{border-top:2px dashed var(--ok)}\n"
    ".legend .bad::before{border-top:2px dashed var(--bad)}\n"
    ".legend .scr::before{border-color:var(--scr)}\n"
    ".legend .open::before{width:9px;height:13px;border:1px dashed "
    "var(--open);background:var(--openbg)}\n"
    ".scroll{overflow:auto;max-height:86vh;background:var(--panel);border:1px "
    "solid var(--line);border-radius:10px}\n"
    ".scroll svg{display:block}\n"
    ".names{position:sticky;top:0;border-bottom:1px solid var(--line);"
    "background:var(--panel)}\n"
    "details{margin-top:12px}\nsummary{cursor:pointer}\n"
    "pre{overflow:auto;background:var(--panel);border:1px solid var(--line);"
    "border-radius:8px;padding:10px 12px;font:12px/1.45 ui-monospace,"
    "\"DejaVu Sans Mono\",Menlo,Consolas,monospace}\n"
    ":focus-visible{outline:2px solid var(--req);outline-offset:2px}\n"
    "@media print{.scroll{max-height:none;overflow:visible}}\n";

static const char legend[] =
    "<p class=\"legend\"><span class=\"req\">request</span>"
    "<span>delivery</span><span class=\"scr\">script</span>"
    "<span class=\"ok\">answer</span><span class=\"bad\">failure</span>"
    "<span class=\"open\">no answer yet</span></p>\n</header>\n";

/* "12 requests, 11 answers, 1 open", and from when to when. */
static void
put_summary(struct buf *b, const struct plan *p)
{
	size_t requests = 0, replies = 0, failed = 0, open = 0;
	double first = 0, last = 0;
	char from[UNITS_MAX], to[UNITS_MAX];

	for (size_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];

		requests += s->kind == STEP_REQUEST;
		open += s->kind == STEP_REQUEST && s->open;
		replies += s->kind == STEP_REPLY;
		failed += s->kind == STEP_REPLY && s->failed;
		if (s->time > 0 && first == 0)
			first = s->time;
		if (s->time > 0)
			last = s->time;
	}
	buf_addf(b,
	    "<p>%zu request%s, %zu answer%s, of which %zu failed;"
	    " %zu without an answer.",
	    requests, requests == 1 ? "" : "s", replies,
	    replies == 1 ? "" : "s", failed, open);
	if (first > 0) {
		units_time(from, first, 0, p->o->utc);
		units_time(to, last, 0, p->o->utc);
		buf_addf(b, " From %s to %s.", from, to);
	}
	buf_adds(b, "</p>\n");
}

/* One of the two pictures. */
static void
begin_svg(struct buf *b, const struct sheet *s, double height, const char *more)
{
	buf_addf(b,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height="
	    "\"%.0f\" role=\"img\" %s>\n",
	    s->width, height, more);
}

/* Another form, folded up. */
static void
put_form(struct buf *b, const struct plan *p, const char *title,
    void (*write)(struct buf *, const struct plan *))
{
	struct buf t = BUF_INIT;

	write(&t, p);
	buf_addf(
	    b, "<details><summary>%s</summary><pre tabindex=\"0\">", title);
	if (buf_ok(&t))
		xml_put(b, (struct str){t.p, t.n});
	buf_adds(b, "</pre></details>\n");
	buf_fini(&t);
}

/* The file. */
void
chart_html(struct buf *b, const struct plan *p)
{
	struct sheet s;

	sheet_init(&s, p);
	buf_adds(b, head);
	buf_adds(b, style);
	sheet_style(b);
	buf_adds(b,
	    "</style>\n</head>\n<body>\n<header>\n"
	    "<h1>Message sequence chart</h1>\n");
	put_summary(b, p);
	buf_adds(b, legend);
	buf_adds(b,
	    "<main>\n<div class=\"scroll\" tabindex=\"0\" role="
	    "\"region\" aria-label=\"Message sequence chart\">\n");
	buf_addf(b, "<div class=\"names\" style=\"width:%.0fpx\">\n", s.width);
	begin_svg(b, &s, SHEET_HEAD, "aria-label=\"Lifelines\"");
	sheet_names(b, &s);
	buf_adds(b, "</svg>\n</div>\n");
	begin_svg(b, &s, s.height,
	    "aria-label=\"Messages; the same as text stands below\"");
	sheet_steps(b, &s);
	buf_adds(b, "</svg>\n</div>\n");
	put_form(b, p, "The same as text", chart_text);
	put_form(b, p, "Input for mscgen", chart_mscgen);
	put_form(b, p, "Input for Mermaid", chart_mermaid);
	buf_adds(b, "</main>\n</body>\n</html>\n");
	sheet_fini(&s);
}
