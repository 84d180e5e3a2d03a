/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The HTML reference's lists that are made from everything: what each release
 * brought, all names from A to Z, the index that the search reads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xalloc.h"

#include "emit_html.h"
#include "prose.h"

/* ---- walking ---- */

/* Members of a record, or cases of a variant. */
static void
each_part(struct html *h, const struct tdef *d, html_item_fn *fn)
{
	const struct member *m;
	const struct tag *t;
	char name[160], url[200];

	for (m = d->fields; m != NULL; m = m->next) {
		snprintf(name, sizeof(name), "%s.%s", d->name, m->name);
		snprintf(url, sizeof(url), "types.html#type-%s", name);
		fn(h, "member", name, url, prose_first(m->doc));
	}
	for (t = d->tags; t != NULL; t = t->next) {
		snprintf(name, sizeof(name), "%s.%s", d->name, t->name);
		snprintf(url, sizeof(url), "types.html#type-%s", name);
		fn(h, "case", name, url, prose_first(t->doc));
	}
}

/* Types and errors of one list. */
static void
each_type(
    struct html *h, const struct tdef *d, const struct exn *e, html_item_fn *fn)
{
	char url[160];

	for (; d != NULL; d = d->next) {
		snprintf(url, sizeof(url), "types.html#type-%s", d->name);
		fn(h, "type", d->name, url, prose_first(d->doc));
		each_part(h, d, fn);
	}
	for (; e != NULL; e = e->next) {
		snprintf(url, sizeof(url), "errors.html#error-%s", e->name);
		fn(h, "error", e->name, url, prose_first(e->doc));
	}
}

/* An interface and its calls. */
static void
each_call(struct html *h, const struct iface *i, html_item_fn *fn)
{
	const struct method *f;
	char name[160], url[240];

	snprintf(url, sizeof(url), "%s.html", i->name);
	fn(h, "interface", i->name, url, str_of(i->title));
	for (f = i->methods; f != NULL; f = f->next) {
		snprintf(name, sizeof(name), "%s.%s", i->name, f->name);
		snprintf(url, sizeof(url), "%s.html#%s", i->name, name);
		fn(h, "call", name, url, str_of(f->title));
	}
}

/* Everything with a name. */
void
html_each(struct html *h, html_item_fn *fn)
{
	const struct module *m;
	const struct iface *i;
	const struct feature *f;
	char url[160];

	for (m = h->api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			each_call(h, i, fn);
	each_type(h, h->api->types, h->api->errors, fn);
	for (m = h->api->modules; m != NULL; m = m->next)
		each_type(h, m->types, m->errors, fn);
	for (f = h->api->features; f != NULL; f = f->next) {
		snprintf(url, sizeof(url), "features.html#feature-%s", f->name);
		fn(h, "feature", f->name, url, prose_first(f->doc));
	}
}

/* ---- releases ---- */

/* The events of one release: how many, and where they go. */
struct release_list {
	struct html *h;
	const struct release *release;
	size_t n;
};

/* An item's events in this release; what it has from its parent is said
 * there. */
static void
events(struct release_list *r, const char *kind, const char *name,
    const char *url, const struct life *l, const struct life *parent)
{
	struct buf *b = &r->h->b;

	for (; l != parent && l != NULL; l = l->next) {
		if (l->release != r->release)
			continue;
		buf_addf(b, "%s<li><span class=\"badge %s\">%s</span> %s ",
		    r->n++ == 0 ? "<ul class=\"events\">\n" : "",
		    life_kind_name(l->kind), life_kind_name(l->kind), kind);
		buf_addf(b, "<a href=\"%s\"><code>%s</code></a>", url, name);
		if (l->note[0] != '\0') {
			buf_adds(b, ": ");
			html_inline(r->h, l->note);
		}
		buf_adds(b, "</li>\n");
	}
}

/* Parts of types and parameters of calls. */
static void
part_events(struct release_list *r, const char *kind, const char *prefix,
    const char *owner, const struct member *m, const struct life *parent)
{
	char name[240], url[300];

	for (; m != NULL; m = m->next) {
		snprintf(name, sizeof(name), "%s.%s", owner, m->name);
		snprintf(url, sizeof(url), "%s%s", prefix, name);
		events(r, kind, name, url, m->life, parent);
	}
}

/* Types of one list. */
static void
type_events(struct release_list *r, const struct tdef *d)
{
	const struct tag *t;
	char name[160], url[240];

	for (; d != NULL; d = d->next) {
		snprintf(url, sizeof(url), "types.html#type-%s", d->name);
		events(r, "type", d->name, url, d->life, r->h->api->life);
		part_events(r, "member", "types.html#type-", d->name, d->fields,
		    d->life);
		for (t = d->tags; t != NULL; t = t->next) {
			snprintf(name, sizeof(name), "%s.%s", d->name, t->name);
			snprintf(url, sizeof(url), "types.html#type-%s", name);
			events(r, "case", name, url, t->life, d->life);
		}
	}
}

/* Errors of one list. */
static void
error_events(struct release_list *r, const struct exn *e)
{
	char url[160];

	for (; e != NULL; e = e->next) {
		snprintf(url, sizeof(url), "errors.html#error-%s", e->name);
		events(r, "error", e->name, url, e->life, r->h->api->life);
	}
}

/* An interface with its calls. */
static void
iface_events(struct release_list *r, const struct iface *i)
{
	const struct method *f;
	char name[160], prefix[120], url[300];

	snprintf(prefix, sizeof(prefix), "%s.html#", i->name);
	snprintf(url, sizeof(url), "%s.html", i->name);
	events(r, "interface", i->name, url, i->life, r->h->api->life);
	for (f = i->methods; f != NULL; f = f->next) {
		snprintf(name, sizeof(name), "%s.%s", i->name, f->name);
		snprintf(url, sizeof(url), "%s%s", prefix, name);
		events(r, "call", name, url, f->life, i->life);
		part_events(r, "parameter", prefix, name, f->params, f->life);
	}
}

/* All events of one release. */
static void
release_events(struct release_list *r)
{
	const struct api *api = r->h->api;
	const struct module *m;
	const struct iface *i;
	const struct feature *f;
	char url[160];

	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			iface_events(r, i);
	type_events(r, api->types);
	error_events(r, api->errors);
	for (m = api->modules; m != NULL; m = m->next) {
		type_events(r, m->types);
		error_events(r, m->errors);
	}
	for (f = api->features; f != NULL; f = f->next) {
		snprintf(url, sizeof(url), "features.html#feature-%s", f->name);
		events(r, "feature", f->name, url, f->life, api->life);
	}
}

/* One release. */
static void
release(struct html *h, const struct release *rel)
{
	struct release_list r = {h, rel, 0};
	bool first = life_first(h->api->life)->release == rel;
	char id[160];

	snprintf(id, sizeof(id), "release-%s", rel->id);
	buf_adds(&h->b, "<section class=\"item\">\n");
	html_heading(h, 2, id, rel->title, NULL);
	if (rel->date[0] != '\0')
		buf_addf(&h->b, "<p class=\"date\">%s</p>\n", rel->date);
	if (rel->doc != NULL)
		html_doc(h, rel->doc);
	if (first)
		buf_adds(&h->b,
		    "<p>Everything that has no other mark began "
		    "here.</p>\n");
	release_events(&r);
	buf_adds(&h->b,
	    r.n > 0	? "</ul>\n"
		: first ? ""
			: "<p>Nothing that is declared here changed.</p>\n");
	buf_adds(&h->b, "</section>\n");
}

/* The page of releases, the newest first. */
void
html_versions(struct html *h)
{
	const struct release *r;
	int rank = -1;

	for (r = h->api->releases; r != NULL; r = r->next)
		rank = r->rank > rank ? r->rank : rank;
	buf_adds(&h->b,
	    "<h1>Versions</h1>\n<p class=\"lead\">What each release of the "
	    "toolstack brought, the newest first.</p>\n"
	    "<p>A badge such as <span class=\"badge since\">since</span> marks "
	    "what is younger than the interface itself. "
	    "<span class=\"badge prototyped\">prototyped</span> may still "
	    "change, <span class=\"badge published\">published</span> will "
	    "not, <span class=\"badge deprecated\">deprecated</span> should no "
	    "longer be used, <span class=\"badge removed\">removed</span> is "
	    "gone. What is <span class=\"badge changed\">changed</span> or "
	    "<span class=\"badge extended\">extended</span> has a note that "
	    "says how.</p>\n");
	for (; rank >= 0; rank--)
		for (r = h->api->releases; r != NULL; r = r->next)
			if (r->rank == rank)
				release(h, r);
}

/* ---- names ---- */

struct name {
	char *sort, *html;
};

struct names {
	struct name *v;
	size_t n;
};

/* Where html_each's function finds them. */
static struct names names;

/* Remember one as a finished line. */
static void
collect(struct html *h, const char *kind, const char *name, const char *url,
    struct str about)
{
	struct buf b = BUF_INIT;
	const char *dot = strchr(name, '.');
	char *line;

	(void)h;
	(void)about;
	buf_addf(&b, "<li><a href=\"%s\"><code>%s</code></a> <span>%s</span>",
	    url, dot != NULL ? dot + 1 : name, kind);
	if (dot != NULL)
		buf_addf(&b, " <span>of %.*s</span>", (int)(dot - name), name);
	buf_adds(&b, "</li>\n");
	line = buf_steal(&b, NULL);
	names.v = xreallocarray(names.v, names.n + 1, sizeof(names.v[0]));
	names.v[names.n].sort =
	    xasprintf("%s %s %s", dot != NULL ? dot + 1 : name, name, kind);
	names.v[names.n++].html = line != NULL ? line : xstrdup("");
}

/* Letters first, capitals like small ones. */
static int
by_name(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int c = strcasecmp(x->sort, y->sort);

	return c != 0 ? c : strcmp(x->sort, y->sort);
}

/* The page with all names, a heading for each letter. */
void
html_names(struct html *h)
{
	char letter[2] = "", id[24];
	size_t i;

	names = (struct names){NULL, 0};
	html_each(h, collect);
	qsort(names.v, names.n, sizeof(names.v[0]), by_name);
	buf_adds(&h->b,
	    "<h1>All names</h1>\n<p class=\"lead\">Calls, types, "
	    "members, errors and features from A to Z.</p>\n");
	for (i = 0; i < names.n; i++) {
		if (strncasecmp(letter, names.v[i].sort, 1) != 0) {
			letter[0] = names.v[i].sort[0];
			if (letter[0] >= 'a' && letter[0] <= 'z')
				letter[0] = (char)(letter[0] - 'a' + 'A');
			snprintf(id, sizeof(id), "letter-%s", letter);
			buf_adds(&h->b, i > 0 ? "</ul>\n" : "");
			html_heading(h, 2, id, letter, NULL);
			buf_adds(&h->b, "<ul class=\"names\">\n");
		}
		buf_adds(&h->b, names.v[i].html);
		free(names.v[i].sort);
		free(names.v[i].html);
	}
	buf_adds(&h->b, names.n > 0 ? "</ul>\n" : "");
	free(names.v);
}

/* ---- search ---- */

/* One line of the index. */
static void
index_line(struct html *h, const char *kind, const char *name, const char *url,
    struct str about)
{
	json_t *v, *text = json_stringn(about.p, about.n);
	size_t i;

	(void)h;
	v = json_pack("[s, s, s, o]", name, kind, url, text);
	buf_adds(&h->b, "  ");
	i = h->b.n;
	html_json_line(&h->b, v);
	/* First sentences may be broken over lines. */
	for (; i + 1 < h->b.n; i++)
		if (h->b.p[i] == '\\' && h->b.p[i + 1] == 'n') {
			h->b.p[i] = ' ';
			memmove(h->b.p + i + 1, h->b.p + i + 2, h->b.n - i - 2);
			h->b.n--;
		}
	buf_adds(&h->b, ",\n");
	json_decref(v);
}

/* A script, because pages opened as files may not fetch anything. */
void
html_search(const struct api *api, struct out *o)
{
	struct html h = {.api = api, .o = o};
	const struct html_prose *p;
	struct buf *b;

	buf_adds(&h.b,
	    "/* Name, kind, place, first sentence. */\n"
	    "var searchIndex = [\n");
	for (p = html_proses; p->file != NULL && html_has_prose(api); p++)
		index_line(&h, "page", p->title, p->file, str_of(p->about));
	html_each(&h, index_line);
	if (h.b.n > 2 && h.b.p[h.b.n - 2] == ',')
		h.b.n -= 2;
	buf_adds(&h.b, "\n];\n");
	b = out_file(o, "search-index.js");
	buf_add(b, h.b.p, h.b.n);
	buf_fini(&h.b);
}
