/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The HTML reference's running text: escaping, prose, and every name a link
 * to where it is explained.
 */
#include <stdio.h>
#include <string.h>

#include "emit_html.h"
#include "prose.h"

/* Text and attribute values. */
void
html_esc(struct buf *b, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		switch (s.p[i]) {
		case '&': buf_adds(b, "&amp;"); break;
		case '<': buf_adds(b, "&lt;"); break;
		case '>': buf_adds(b, "&gt;"); break;
		case '"': buf_adds(b, "&quot;"); break;
		default: buf_addc(b, s.p[i]);
		}
}

/* The same for a string. */
void
html_escs(struct buf *b, const char *s)
{
	html_esc(b, str_of(s));
}

/* The module with this name. */
static const struct module *
module_of(const struct api *api, const char *name)
{
	const struct module *m = api->modules;

	while (m != NULL && strcmp(m->name, name) != 0)
		m = m->next;
	return m;
}

/* Where a name is explained; false when it is just a word. */
bool
html_url(struct buf *b, const struct api *api, const char *name)
{
	const struct method *f;

	switch (api_lookup(api, name)) {
	case ITEM_METHOD:
		f = api_method(api, name);
		buf_addf(b, "%s.html#%s", f->iface->name, name);
		return true;
	case ITEM_IFACE: buf_addf(b, "%s.html", name); return true;
	case ITEM_TYPE: buf_addf(b, "types.html#type-%s", name); return true;
	case ITEM_ERROR: buf_addf(b, "errors.html#error-%s", name); return true;
	case ITEM_FEATURE:
		buf_addf(b, "features.html#feature-%s", name);
		return true;
	case ITEM_MODULE:
		if (module_of(api, name)->ifaces == NULL)
			return false;
		buf_addf(b, "index.html#module-%s", name);
		return true;
	default: return false;
	}
}

/* A name as code, and as a link if it can be one.  Modules are ordinary words
 * too often to be links wherever they stand. */
static void
name_str(struct html *h, struct str s)
{
	char name[120];
	bool link;

	snprintf(name, sizeof(name), "%.*s", (int)s.n, s.p);
	link = s.n < sizeof(name) && api_lookup(h->api, name) != ITEM_NONE &&
	    api_lookup(h->api, name) != ITEM_MODULE;
	if (link) {
		buf_adds(&h->b, "<a href=\"");
		html_url(&h->b, h->api, name);
		buf_adds(&h->b, "\">");
	}
	buf_adds(&h->b, "<code>");
	html_esc(&h->b, s);
	buf_adds(&h->b, link ? "</code></a>" : "</code>");
}

/* The same for a string. */
void
html_name(struct html *h, const char *name)
{
	name_str(h, str_of(name));
}

/* Plain words with `[text](target)` as links; targets are our own pages. */
static void
words(struct buf *b, struct str s)
{
	const char *open, *mid, *end, *stop = s.p + s.n;

	while ((open = memchr(s.p, '[', s.n)) != NULL &&
	    (mid = memmem(open, (size_t)(stop - open), "](", 2)) != NULL &&
	    (end = memchr(mid, ')', (size_t)(stop - mid))) != NULL) {
		html_esc(b, (struct str){s.p, (size_t)(open - s.p)});
		buf_adds(b, "<a href=\"");
		html_esc(b, (struct str){mid + 2, (size_t)(end - mid - 2)});
		buf_adds(b, "\">");
		html_esc(b, (struct str){open + 1, (size_t)(mid - open - 1)});
		buf_adds(b, "</a>");
		s.p = end + 1;
		s.n = (size_t)(stop - s.p);
	}
	html_esc(b, s);
}

/* One block's text with its code and links. */
void
html_inline(struct html *h, const char *s)
{
	struct str run;
	bool code;

	while (prose_span(&s, &run, &code))
		if (code)
			name_str(h, run);
		else
			words(&h->b, run);
}

/* A whole description. */
void
html_doc(struct html *h, const char *doc)
{
	struct prose s = {.p = doc};
	enum prose_kind k, last = PROSE_END;

	while ((k = prose_next(&s)) != PROSE_END) {
		if (last == PROSE_ITEM && k != PROSE_ITEM)
			buf_adds(&h->b, "</ul>\n");
		if (k == PROSE_ITEM && last != PROSE_ITEM)
			buf_adds(&h->b, "<ul>\n");
		if (k == PROSE_CODE) {
			html_code(&h->b, "text", "", str_of(s.text.p));
		} else {
			buf_adds(&h->b, k == PROSE_ITEM ? "<li>" : "<p>");
			html_inline(h, s.text.p);
			buf_adds(&h->b, k == PROSE_ITEM ? "</li>\n" : "</p>\n");
		}
		last = k;
	}
	if (last == PROSE_ITEM)
		buf_adds(&h->b, "</ul>\n");
	prose_fini(&s);
}

/* The pieces of a written type, named ones as links. */
static void
type_parts(struct html *h, const struct type *t)
{
	static const char *const outer[] = {
	    [TYPE_LIST] = "list", [TYPE_MAP] = "map", [TYPE_PAIR] = "pair"};
	struct buf *b = &h->b;

	switch (t->kind) {
	case TYPE_NAMED:
		buf_addf(b, "<a href=\"types.html#type-%s\">%s</a>", t->name,
		    t->name);
		break;
	case TYPE_LIST:
	case TYPE_MAP:
	case TYPE_PAIR:
		buf_addf(b, "<a href=\"types.html#basic-%s\">%s</a>&lt;",
		    outer[t->kind], outer[t->kind]);
		type_parts(h, t->a);
		if (t->b != NULL) {
			buf_adds(b, ", ");
			type_parts(h, t->b);
		}
		buf_adds(b, "&gt;");
		break;
	default:
		buf_adds(b, "<a href=\"types.html#basic-");
		type_write(b, t);
		buf_adds(b, "\">");
		type_write(b, t);
		buf_adds(b, "</a>");
	}
}

/* A type as it is written in declarations. */
void
html_type(struct html *h, const struct type *t)
{
	buf_adds(&h->b, "<code class=\"type\">");
	type_parts(h, t);
	buf_adds(&h->b, "</code>");
}

/* A link to a release with a word in front. */
static void
badge(struct html *h, const char *class, const char *word,
    const struct release *r)
{
	buf_addf(&h->b, " <a class=\"badge %s\" href=\"versions.html#release-",
	    class);
	html_escs(&h->b, r->id);
	buf_addf(&h->b, "\">%s ", word);
	html_escs(&h->b, r->title);
	buf_adds(&h->b, "</a>");
}

/* Since when, and what became of it.  What is as old as what it is part of
 * needs no word. */
void
html_badges(struct html *h, const struct life *l, const struct life *parent)
{
	const struct life *last = NULL, *first = life_first(l);
	enum life_kind now = life_state(l);

	if (l == parent)
		return;
	if (first->kind == LIFE_PUBLISHED &&
	    (parent == NULL || life_first(parent)->release != first->release))
		badge(h, "since", "since", first->release);
	for (; l != NULL; l = l->next) {
		if (l->kind == LIFE_CHANGED || l->kind == LIFE_EXTENDED)
			badge(
			    h, "changed", life_kind_name(l->kind), l->release);
		last = l->kind == now ? l : last;
	}
	if (now != LIFE_PUBLISHED && last != NULL)
		badge(
		    h, life_kind_name(now), life_kind_name(now), last->release);
}

/* Every event, when there is more to say than "since". */
void
html_history(struct html *h, const struct life *l)
{
	if (l->next == NULL && l->note[0] == '\0')
		return;
	buf_adds(&h->b, "<ul class=\"history\">\n");
	for (; l != NULL; l = l->next) {
		buf_adds(&h->b, "<li><a href=\"versions.html#release-");
		html_escs(&h->b, l->release->id);
		buf_adds(&h->b, "\">");
		html_escs(&h->b, l->release->title);
		buf_addf(&h->b, "</a>: %s", life_kind_name(l->kind));
		if (l->note[0] != '\0') {
			buf_adds(&h->b, ". ");
			html_inline(h, l->note);
		}
		buf_adds(&h->b, "</li>\n");
	}
	buf_adds(&h->b, "</ul>\n");
}
