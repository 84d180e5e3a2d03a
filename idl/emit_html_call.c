/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One page of the HTML reference per interface: what it is for, its calls at
 * a glance, then each call with all there is to know of it.
 */
#include <stdio.h>

#include "emit_html.h"
#include "prose.h"

/* Small facts behind the title. */
static void
facts(struct html *h, const struct method *m)
{
	struct buf *b = &h->b;

	buf_adds(b, "<p class=\"facts\"><span>Script <code>");
	html_escs(b, m->script);
	buf_adds(b, "</code></span>");
	if (m->idempotent)
		buf_adds(b,
		    " <span class=\"badge fact\" title=\"Doing it twice is "
		    "doing it once.\">idempotent</span>");
	if (m->feature != NULL) {
		buf_adds(b,
		    " <a class=\"badge fact\" href=\"features.html#feature-");
		buf_addf(b, "%s\">feature %s</a>", m->feature->name,
		    m->feature->name);
	}
	if (m->unused)
		buf_adds(b,
		    " <span class=\"badge quiet\">today\xe2\x80\x99s toolstack "
		    "never calls it</span>");
	buf_adds(b, "</p>\n");
}

/* Volume.stat(dbg: string, ...) -> volume */
static void
signature(struct html *h, const struct method *m)
{
	const struct member *p;
	struct buf *b = &h->b;

	buf_addf(b, "<div class=\"signature\"><code>%s.<b>%s</b>(",
	    m->iface->name, m->name);
	for (p = m->params; p != NULL; p = p->next) {
		buf_addf(b, "<span class=\"param\"><a href=\"#%s.%s.%s\">%s",
		    m->iface->name, m->name, p->name, p->name);
		buf_adds(b, "</a>: ");
		html_type(h, p->type);
		buf_adds(b, p->next != NULL ? ",</span> " : "</span>");
	}
	buf_adds(b, ") <span class=\"arrow\">\xe2\x86\x92</span> ");
	html_type(h, m->result);
	buf_adds(b, "</code></div>\n");
}

/* What is the same in every call is explained in one place. */
static void
context(struct html *h, const struct member *p)
{
	struct str first = prose_first(p->doc);
	struct buf t = BUF_INIT;

	buf_add(&t, first.p, first.n);
	buf_addc(&t, '\0');
	buf_adds(&h->b, "<p>");
	html_inline(h, t.p != NULL ? t.p : "");
	buf_fini(&t);
	buf_adds(&h->b,
	    " <a href=\"index.html#context\">The same in every "
	    "call</a>.</p>\n");
}

/* A row: name, type, words. */
static void
param_row(struct html *h, const struct method *m, const struct member *p)
{
	struct buf *b = &h->b;

	buf_addf(b, "<tr id=\"%s.%s.%s\"><th scope=\"row\"><code>%s</code>",
	    m->iface->name, m->name, p->name, p->name);
	buf_adds(b, "</th><td>");
	html_type(h, p->type);
	buf_adds(b, "</td><td>");
	if (p == m->params)
		context(h, p);
	else
		html_doc(h, p->doc);
	html_badges(h, p->life, m->life);
	if (p->life != m->life)
		html_history(h, p->life);
	buf_adds(b, "</td></tr>\n");
}

/* Parameters and result in one table. */
static void
params(struct html *h, const struct method *m)
{
	const struct member *p;
	struct buf *b = &h->b;

	buf_addf(b,
	    "<h4>Parameters and result</h4>\n<table class=\"members\">"
	    "<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Type</th>"
	    "<th scope=\"col\">Meaning</th></tr></thead>\n<tbody>\n");
	for (p = m->params; p != NULL; p = p->next)
		param_row(h, m, p);
	buf_addf(b,
	    "<tr id=\"%s.%s-result\" class=\"result\"><th scope=\"row\">result"
	    "</th><td>",
	    m->iface->name, m->name);
	html_type(h, m->result);
	buf_adds(b, "</td><td>");
	html_doc(h, m->result_doc);
	buf_adds(b, "</td></tr>\n</tbody></table>\n");
}

/* A link to an error. */
static void
error_link(struct html *h, const struct exn *e)
{
	html_name(h, e->name);
}

/* Errors to expect with their when, then the others. */
static void
errors(struct html *h, const struct method *m)
{
	const struct ref *r = NULL, *other = NULL;
	struct buf *b = &h->b;
	size_t n = 0;

	buf_adds(b, "<h4>Errors</h4>\n");
	if (m->raises != NULL) {
		buf_adds(b, "<ul class=\"errors\">\n");
		for (r = m->raises; r != NULL; r = r->next) {
			buf_adds(b, "<li>");
			error_link(h, r->exn);
			buf_addc(b, ' ');
			html_inline(h, r->doc);
			buf_adds(b, "</li>\n");
		}
		buf_adds(b, "</ul>\n");
	}
	while ((other = method_next_error(m, other)) != NULL) {
		if (method_raises(m, other->exn)[0] != '\0')
			continue;
		buf_adds(b,
		    n++ == 0 ? "<p class=\"also\">Like any call of "
			       "this interface: "
			     : ", ");
		error_link(h, other->exn);
	}
	buf_adds(b, n > 0 ? ".</p>\n" : "");
}

/* Everything about one call. */
static void
method(struct html *h, const struct method *m)
{
	char id[160];

	snprintf(id, sizeof(id), "%s.%s", m->iface->name, m->name);
	buf_adds(&h->b, "<section class=\"call\">\n");
	html_heading(h, 3, id, id, m->life);
	buf_adds(&h->b, "<p class=\"title\">");
	html_inline(h, m->title);
	buf_adds(&h->b, "</p>\n");
	facts(h, m);
	signature(h, m);
	html_doc(h, m->doc);
	html_history(h, m->life);
	params(h, m);
	errors(h, m);
	html_examples(h, m);
	buf_adds(&h->b, "</section>\n");
}

/* All calls at a glance. */
static void
overview(struct html *h, const struct iface *i)
{
	const struct method *m;

	buf_adds(&h->b, "<ul class=\"calls\">\n");
	for (m = i->methods; m != NULL; m = m->next) {
		buf_addf(&h->b, "<li><a href=\"#%s.%s\"><code>%s</code></a> ",
		    i->name, m->name, m->name);
		buf_adds(&h->b, "<span>");
		html_inline(h, m->title);
		html_badges(h, m->life, i->life);
		buf_adds(&h->b, "</span></li>\n");
	}
	buf_adds(&h->b, "</ul>\n");
}

/* Where it is in the libraries. */
static void
where(struct html *h, const struct iface *i)
{
	const struct release *r = life_first(i->life)->release;

	buf_addf(&h->b,
	    "<dl class=\"about\"><div><dt>Version</dt><dd>%s</dd></div>"
	    "<div><dt>Since</dt><dd><a href=\"versions.html#release-%s\">%s</a>"
	    "</dd></div>"
	    "<div><dt>Module</dt><dd><a href=\"index.html#module-%s\">%s</a>"
	    "</dd></div><div><dt>In Python</dt><dd><code>xapi.storage.api.v5."
	    "%s.%s_skeleton</code></dd></div></dl>\n",
	    i->version, r->id, r->title, i->module->name, i->module->name,
	    i->module->name, i->name);
}

/* The page. */
void
html_iface(struct html *h, const struct iface *i)
{
	const struct method *m;
	const struct ref *r;

	buf_addf(&h->b, "<h1>%s", i->name);
	html_badges(h, i->life, h->api->life);
	buf_adds(&h->b, "</h1>\n<p class=\"lead\">");
	html_inline(h, i->title);
	buf_adds(&h->b, "</p>\n");
	where(h, i);
	html_doc(h, i->doc);
	html_history(h, i->life);
	buf_adds(&h->b, "<p>Any call may answer with ");
	for (r = i->errors; r != NULL; r = r->next) {
		error_link(h, r->exn);
		buf_adds(&h->b,
		    r->next == NULL		? ".</p>\n"
			: r->next->next == NULL ? " or "
						: ", ");
	}
	html_heading(h, 2, "calls", "Calls", NULL);
	overview(h, i);
	for (m = i->methods; m != NULL; m = m->next)
		method(h, m);
}
