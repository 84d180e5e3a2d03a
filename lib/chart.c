/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Charts: first the steps are worked out, then one of the writers puts them
 * down. */
#include "chart_plan.h"

static const struct {
	const char *name, *type;
	void (*write)(struct buf *, const struct plan *);
} forms[CHART_FORMS] = {
    [CHART_TEXT] = {"text", "text/plain; charset=utf-8", chart_text},
    [CHART_MSCGEN] = {"mscgen", "text/plain; charset=utf-8", chart_mscgen},
    [CHART_MERMAID] = {"mermaid", "text/plain; charset=utf-8", chart_mermaid},
    [CHART_SVG] = {"svg", "image/svg+xml", chart_svg},
    [CHART_HTML] = {"html", "text/html; charset=utf-8", chart_html},
    [CHART_JSON] = {"json", "application/json", chart_json},
};

/* By name. */
enum chart_form
chart_form(struct str name)
{
	int f = 0;

	while (f < CHART_FORMS && !str_eq(name, str_of(forms[f].name)))
		f++;
	return (enum chart_form)f;
}

/* Its media type. */
const char *
chart_type(enum chart_form form)
{
	return forms[form].type;
}

/* Draw. */
void
chart_put(struct buf *b, enum chart_form form, const struct events *l,
    const struct chart_options *o)
{
	struct plan p;

	plan_make(&p, l, o);
	forms[form].write(b, &p);
	plan_fini(&p);
}
