/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The HTML reference's pages of types, errors and features, each with what
 * uses it.
 */
#include <stdio.h>
#include <string.h>

#include "emit_html.h"
#include "prose.h"

/* ---- who uses a type ---- */

/* Whether a type is written with this name in it. */
static bool
mentions(const struct type *t, const struct tdef *d)
{
	if (t == NULL)
		return false;
	return t->def == d || mentions(t->a, d) || mentions(t->b, d);
}

/* Whether its own declaration mentions d. */
static bool
built_from(const struct tdef *t, const struct tdef *d)
{
	const struct member *m;
	const struct tag *tag;

	if (mentions(t->alias, d))
		return true;
	for (m = t->fields; m != NULL; m = m->next)
		if (mentions(m->type, d))
			return true;
	for (tag = t->tags; tag != NULL; tag = tag->next)
		if (mentions(tag->type, d))
			return true;
	return false;
}

/* One more user, with a word in front of the first. */
static void
user(struct html *h, const char *name, bool *any)
{
	if (!*any)
		buf_adds(&h->b, "<p class=\"used\">Used by ");
	else
		buf_adds(&h->b, ", ");
	*any = true;
	html_name(h, name);
}

/* The types of one list that are made from d. */
static void
using_types(
    struct html *h, const struct tdef *t, const struct tdef *d, bool *any)
{
	for (; t != NULL; t = t->next)
		if (built_from(t, d))
			user(h, t->name, any);
}

/* A method, when d is among its parameters or its result. */
static void
using_method(
    struct html *h, const struct method *f, const struct tdef *d, bool *any)
{
	bool uses = mentions(f->result, d);
	const struct member *p;
	char name[160];

	for (p = f->params; p != NULL; p = p->next)
		uses = uses || mentions(p->type, d);
	if (!uses)
		return;
	snprintf(name, sizeof(name), "%s.%s", f->iface->name, f->name);
	user(h, name, any);
}

/* All users of a type. */
static void
used_by(struct html *h, const struct tdef *d)
{
	const struct module *m;
	const struct iface *i;
	const struct method *f;
	const struct exn *e;
	bool any = false;

	using_types(h, h->api->types, d, &any);
	for (e = h->api->errors; e != NULL; e = e->next)
		if (mentions(e->arg->type, d))
			user(h, e->name, &any);
	for (m = h->api->modules; m != NULL; m = m->next) {
		using_types(h, m->types, d, &any);
		for (e = m->errors; e != NULL; e = e->next)
			if (mentions(e->arg->type, d))
				user(h, e->name, &any);
		for (i = m->ifaces; i != NULL; i = i->next)
			for (f = i->methods; f != NULL; f = f->next)
				using_method(h, f, d, &any);
	}
	buf_adds(&h->b, any ? ".</p>\n" : "");
}

/* ---- types ---- */

/* The head of a table of parts. */
static void
table(struct html *h, const char *first, const char *second)
{
	buf_addf(&h->b,
	    "<table class=\"members\"><thead><tr><th scope=\"col\">%s</th>"
	    "<th scope=\"col\">%s</th><th scope=\"col\">Meaning</th></tr>"
	    "</thead>\n<tbody>\n",
	    first, second);
}

/* A record's members. */
static void
fields(struct html *h, const struct tdef *d)
{
	const struct member *m;

	table(h, "Member", "Type");
	for (m = d->fields; m != NULL; m = m->next) {
		buf_addf(&h->b,
		    "<tr id=\"type-%s.%s\"><th scope=\"row\"><code>%s</code>"
		    "</th><td>",
		    d->name, m->name, m->name);
		html_type(h, m->type);
		if (m->optional)
			buf_adds(&h->b,
			    " <span class=\"badge fact\" title=\"Left out when "
			    "there is nothing to say; never null.\">optional"
			    "</span>");
		buf_adds(&h->b, "</td><td>");
		html_doc(h, m->doc);
		html_badges(h, m->life, d->life);
		if (m->life != d->life)
			html_history(h, m->life);
		buf_adds(&h->b, "</td></tr>\n");
	}
	buf_adds(&h->b, "</tbody></table>\n");
}

/* How a case is written. */
static void
tag_form(struct html *h, const struct tag *tag)
{
	if (tag->type == NULL) {
		buf_addf(&h->b, "<code>\"%s\"</code>", tag->name);
		return;
	}
	buf_addf(&h->b, "<code>[\"%s\", </code>", tag->name);
	html_type(h, tag->type);
	buf_adds(&h->b, "<code>]</code>");
}

/* A variant's cases. */
static void
tags(struct html *h, const struct tdef *d)
{
	const struct tag *t;

	table(h, "Case", "In JSON");
	for (t = d->tags; t != NULL; t = t->next) {
		buf_addf(&h->b,
		    "<tr id=\"type-%s.%s\"><th scope=\"row\"><code>%s</code>",
		    d->name, t->name, t->name);
		if (d->dflt == t)
			buf_adds(&h->b,
			    " <span class=\"badge fact\">default</span>");
		buf_adds(&h->b, "</th><td>");
		tag_form(h, t);
		buf_adds(&h->b, "</td><td>");
		html_doc(h, t->doc);
		html_badges(h, t->life, d->life);
		if (t->life != d->life)
			html_history(h, t->life);
		buf_adds(&h->b, "</td></tr>\n");
	}
	buf_adds(&h->b, "</tbody></table>\n");
}

/* One type. */
static void
type(struct html *h, const struct tdef *d)
{
	static const char *const kinds[] = {[TDEF_ALIAS] = "Another name for ",
	    [TDEF_RECORD] = "A record: a JSON object with these members.",
	    [TDEF_VARIANT] = "A variant: exactly one of these cases."};
	struct buf t = BUF_INIT;
	char id[120];
	json_t *v;

	snprintf(id, sizeof(id), "type-%s", d->name);
	buf_adds(&h->b, "<section class=\"item\">\n");
	html_heading(h, 3, id, d->name, d->life);
	html_doc(h, d->doc);
	html_history(h, d->life);
	buf_addf(&h->b, "<p class=\"kind\">%s", kinds[d->kind]);
	if (d->kind == TDEF_ALIAS) {
		html_type(h, d->alias);
		buf_addc(&h->b, '.');
	}
	buf_adds(&h->b, "</p>\n");
	if (d->kind == TDEF_RECORD)
		fields(h, d);
	else if (d->kind == TDEF_VARIANT)
		tags(h, d);
	v = tdef_sample(d);
	html_json(&t, v, 0, 0);
	json_decref(v);
	html_code(&h->b, "json", "Example", (struct str){t.p, t.n});
	buf_fini(&t);
	used_by(h, d);
	buf_adds(&h->b, "</section>\n");
}

/* The types of one list below a heading. */
static void
types_of(
    struct html *h, const char *id, const char *title, const struct tdef *d)
{
	if (d == NULL)
		return;
	html_heading(h, 2, id, title, NULL);
	for (; d != NULL; d = d->next)
		type(h, d);
}

/* What types are made from. */
static void
basics(struct html *h)
{
	static const struct {
		const char *name, *json, *about;
	} rows[] = {
	    {"unit", "null", "Nothing to say; results only."},
	    {"string", "\"text\"", "Text in Unicode."},
	    {"int", "65536", "A whole number."},
	    {"int64", "10737418240", "A whole number of up to 64 bits."},
	    {"float", "0.5", "A number; whole numbers will do."},
	    {"bool", "true", "<code>true</code> or <code>false</code>."},
	    {"list", "[\"a\", \"b\"]",
		"Any number of values of one type, as in "
		"<code>list&lt;string&gt;</code>."},
	    {"map", "{\"name\": \"value\"}",
		"Names with values of one type, as in "
		"<code>map&lt;string&gt;</code>."},
	    {"pair", "[0, 16]",
		"Two values, as in "
		"<code>pair&lt;int64, int64&gt;</code>."},
	};
	size_t i;

	html_heading(h, 2, "basic-types", "Basic types", NULL);
	table(h, "Type", "In JSON");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_addf(&h->b,
		    "<tr id=\"basic-%s\"><th scope=\"row\"><code>%s</code></th>"
		    "<td><code>",
		    rows[i].name, rows[i].name);
		html_escs(&h->b, rows[i].json);
		buf_addf(&h->b, "</code></td><td><p>%s</p></td></tr>\n",
		    rows[i].about);
	}
	buf_adds(&h->b, "</tbody></table>\n");
}

/* The page of types. */
void
html_types(struct html *h)
{
	const struct module *m;
	char id[120];

	buf_adds(&h->b,
	    "<h1>Types</h1>\n<p class=\"lead\">What parameters and "
	    "results are made of.</p>\n");
	types_of(h, "common-types", "Common types", h->api->types);
	for (m = h->api->modules; m != NULL; m = m->next) {
		snprintf(id, sizeof(id), "types-of-%s", m->name);
		types_of(h, id, m->title, m->types);
	}
	basics(h);
}

/* ---- errors ---- */

/* The calls that say when they raise it. */
static void
raised_by(struct html *h, const struct exn *e)
{
	const struct module *m;
	const struct iface *i;
	const struct method *f;
	const char *when;
	char name[160];
	size_t n = 0;

	for (m = h->api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			for (f = i->methods; f != NULL; f = f->next) {
				when = method_raises(f, e);
				if (when[0] == '\0')
					continue;
				snprintf(name, sizeof(name), "%s.%s", i->name,
				    f->name);
				buf_adds(&h->b,
				    n++ == 0 ? "<ul class=\"errors\">\n<li>"
					     : "<li>");
				html_name(h, name);
				buf_addc(&h->b, ' ');
				html_inline(h, when);
				buf_adds(&h->b, "</li>\n");
			}
	buf_adds(&h->b, n > 0 ? "</ul>\n" : "");
}

/* The interfaces whose calls may all answer with it. */
static void
declared_by(struct html *h, const struct exn *e)
{
	const struct module *m;
	const struct iface *i;
	const struct ref *r;
	bool any = false;

	for (m = h->api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			for (r = i->errors; r != NULL; r = r->next) {
				if (r->exn != e)
					continue;
				buf_adds(&h->b,
				    any ? ", "
					: "<p class=\"used\">Any "
					  "call may answer with it "
					  "in ");
				html_name(h, i->name);
				any = true;
			}
	buf_adds(&h->b, any ? ".</p>\n" : "");
}

/* Its argument, and how it looks on the wire. */
static void
error_form(struct html *h, const struct exn *e)
{
	json_t *v, *arg = member_sample(e->arg);
	struct buf t = BUF_INIT;

	table(h, "Argument", "Type");
	buf_addf(&h->b,
	    "<tr id=\"error-%s.%s\"><th scope=\"row\"><code>%s</code></th><td>",
	    e->name, e->arg->name, e->arg->name);
	html_type(h, e->arg->type);
	buf_adds(&h->b, "</td><td>");
	html_doc(h, e->arg->doc);
	buf_adds(&h->b, "</td></tr>\n</tbody></table>\n");
	v = json_pack("{s:s, s:[s, o]}", "code", "SR_BACKEND_FAILURE", "params",
	    e->name, arg);
	html_json(&t, v, 0, 0);
	html_code(&h->b, "json", "What a script prints, without the backtrace",
	    (struct str){t.p, t.n});
	buf_fini(&t);
	json_decref(v);
}

/* One error. */
static void
error(struct html *h, const struct exn *e)
{
	char id[120];

	snprintf(id, sizeof(id), "error-%s", e->name);
	buf_adds(&h->b, "<section class=\"item\">\n");
	html_heading(h, 3, id, e->name, e->life);
	html_doc(h, e->doc);
	html_history(h, e->life);
	buf_addf(&h->b,
	    "<p class=\"kind\">In Python <code>xapi%s%s.%s</code>.</p>\n",
	    e->module != NULL ? ".storage.api.v5." : "",
	    e->module != NULL ? e->module->name : "", e->name);
	error_form(h, e);
	raised_by(h, e);
	declared_by(h, e);
	buf_adds(&h->b, "</section>\n");
}

/* The errors of one list below a heading. */
static void
errors_of(
    struct html *h, const char *id, const char *title, const struct exn *e)
{
	if (e == NULL)
		return;
	html_heading(h, 2, id, title, NULL);
	for (; e != NULL; e = e->next)
		error(h, e);
}

/* The page of errors. */
void
html_errors(struct html *h)
{
	const struct module *m;
	char id[120];

	buf_adds(&h->b,
	    "<h1>Errors</h1>\n<p class=\"lead\">What a call may answer instead "
	    "of its result.</p>\n<p>Each has one argument, a text. On the wire "
	    "an error is an object on standard output and exit status 1");
	if (html_has_prose(h->api))
		buf_adds(&h->b,
		    "; <a href=\"protocol.html\">the script protocol</a> has "
		    "the details");
	buf_adds(&h->b, ".</p>\n");
	errors_of(h, "common-errors", "Common errors", h->api->errors);
	for (m = h->api->modules; m != NULL; m = m->next) {
		snprintf(id, sizeof(id), "errors-of-%s", m->name);
		errors_of(h, id, m->title, m->errors);
	}
}

/* ---- features ---- */

/* One word: a row with its calls. */
static void
feature(struct html *h, const struct feature *f)
{
	const struct ref *r;

	buf_addf(
	    &h->b, "<tr id=\"feature-%s\"><th scope=\"row\"><code>", f->name);
	buf_addf(&h->b, "%s</code></th><td>", f->name);
	for (r = f->methods; r != NULL; r = r->next) {
		html_name(h, r->name);
		buf_adds(&h->b, r->next != NULL ? " " : "");
	}
	buf_adds(&h->b, "</td><td>");
	html_doc(h, f->doc);
	html_badges(h, f->life, h->api->life);
	html_history(h, f->life);
	buf_adds(&h->b, "</td></tr>\n");
}

/* Those that are, or are not, found out by themselves. */
static void
features_of(struct html *h, const char *id, const char *title, bool automatic)
{
	const struct feature *f;

	html_heading(h, 2, id, title, NULL);
	table(h, "Word", "Stands for");
	for (f = h->api->features; f != NULL; f = f->next)
		if (f->automatic == automatic)
			feature(h, f);
	buf_adds(&h->b, "</tbody></table>\n");
}

/* The page of feature words. */
void
html_features(struct html *h)
{
	const struct feature *f;
	bool automatic = false;

	for (f = h->api->features; f != NULL; f = f->next)
		automatic = automatic || f->automatic;
	buf_adds(&h->b,
	    "<h1>Features</h1>\n<p class=\"lead\">Words with which a plugin "
	    "says what it can do.</p>\n");
	if (api_method(h->api, "Plugin.query") != NULL)
		html_doc(h,
		    "They stand in the list `features` of what `Plugin.query` "
		    "returns, each perhaps with a version behind a slash.");
	features_of(h, "listed-features", "Words that a plugin lists", false);
	if (automatic)
		features_of(h, "automatic-features",
		    "Words that the toolstack finds out by itself", true);
}
