/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * `xmsg-idl html`: the reference as a folder of pages that need no server, no
 * network and no JavaScript.  This file has the frame of a page (head, bar,
 * navigation, foot) and the front page; the other emit_html_*.c say what is
 * inside.
 */
#include <stdio.h>
#include <string.h>

#include "emit_html.h"
#include "html_assets.h"
#include "prose.h"

/* ---- the frame ---- */

/* A section's heading with its anchor, remembered for the contents. */
void
html_heading(struct html *h, int level, const char *id, const char *name,
    const struct life *life)
{
	bool code = strchr(id, '.') != NULL || strncmp(id, "type-", 5) == 0 ||
	    strncmp(id, "error-", 6) == 0 || strncmp(id, "feature-", 8) == 0;
	struct buf *b = &h->b;

	/* A release's id may have dots in it. */
	code = code && strncmp(id, "release-", 8) != 0;
	html_here(h, level, id, name);
	buf_addf(b, "<h%d id=\"%s\">", level, id);
	buf_adds(b, code ? "<code>" : "");
	html_escs(b, name);
	buf_adds(b, code ? "</code>" : "");
	if (life != NULL)
		html_badges(h, life, h->api->life);
	buf_addf(
	    b, " <a class=\"anchor\" href=\"#%s\" aria-label=\"Link to ", id);
	html_escs(b, name);
	buf_addf(b, "\">#</a></h%d>\n", level);
}

/* A line of the page's contents; calls lose their interface's name, and long
 * names may be broken behind a low line. */
void
html_here(struct html *h, int level, const char *id, const char *name)
{
	const char *dot = strchr(id, '.');

	if (dot != NULL && strcmp(id, name) == 0)
		name = dot + 1;
	buf_addf(&h->toc, "<li%s><a href=\"#%s\">",
	    level > 2 ? " class=\"sub\"" : "", id);
	for (; *name != '\0'; name++) {
		html_esc(&h->toc, (struct str){name, 1});
		if (*name == '_')
			buf_adds(&h->toc, "<wbr>");
	}
	buf_adds(&h->toc, "</a></li>\n");
}

/* One link of the navigation, with the contents of the page at hand. */
static void
nav_link(
    const struct html *h, struct buf *b, const char *file, const char *name)
{
	bool here = strcmp(h->file, file) == 0;

	buf_addf(b, "<li><a href=\"%s\"%s>%s</a>", file,
	    here ? " aria-current=\"page\"" : "", name);
	if (here && h->toc.n > 0)
		buf_addf(b, "\n<ul class=\"toc\">\n%.*s</ul>\n", (int)h->toc.n,
		    h->toc.p);
	buf_adds(b, "</li>\n");
}

/* All pages. */
static void
nav(const struct html *h, struct buf *b)
{
	const struct html_prose *p;
	const struct module *m;
	const struct iface *i;
	char file[120];

	buf_adds(b,
	    "<nav id=\"nav\" aria-label=\"Pages\">\n"
	    "<a class=\"close\" href=\"#main\">Close the menu</a>\n"
	    "<ul>\n");
	nav_link(h, b, "index.html", "Overview");
	for (p = html_proses; p->file != NULL && html_has_prose(h->api); p++)
		nav_link(h, b, p->file, p->title);
	buf_adds(b, "</ul>\n<p>Interfaces</p>\n<ul>\n");
	for (m = h->api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next) {
			snprintf(file, sizeof(file), "%s.html", i->name);
			nav_link(h, b, file, i->name);
		}
	buf_adds(b, "</ul>\n<p>Reference</p>\n<ul>\n");
	nav_link(h, b, "types.html", "Types");
	nav_link(h, b, "errors.html", "Errors");
	nav_link(h, b, "features.html", "Features");
	nav_link(h, b, "versions.html", "Versions");
	nav_link(h, b, "names.html", "All names");
	buf_adds(b, "</ul>\n</nav>\n");
}

/* Head and bar. */
static void
top(const struct html *h, struct buf *b)
{
	buf_adds(b,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
	    "content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<title>");
	html_escs(b, h->title);
	buf_adds(b, " \xe2\x80\x93 ");
	html_escs(b, h->api->title);
	buf_adds(b, "</title>\n<meta name=\"description\" content=\"");
	html_escs(b, h->about);
	buf_adds(b,
	    "\">\n<link rel=\"icon\" href=\"data:,\">\n"
	    "<link rel=\"stylesheet\" href=\"style.css\">\n"
	    "<script src=\"page.js\"></script>\n"
	    "<script src=\"search-index.js\" defer></script>\n"
	    "</head>\n<body>\n"
	    "<a class=\"skip\" href=\"#main\">Skip to the text</a>\n"
	    "<header>\n<a class=\"menu\" href=\"#nav\">Menu</a>\n"
	    "<a class=\"home\" href=\"index.html\">");
	html_escs(b, h->api->title);
	buf_addf(b, "</a>\n<span class=\"version\">%s %s</span>\n",
	    h->api->name, h->api->version);
	buf_adds(b,
	    "<form role=\"search\" hidden>"
	    "<label for=\"search\">Search</label>"
	    "<input id=\"search\" type=\"search\" autocomplete=\"off\" "
	    "spellcheck=\"false\" placeholder=\"Search  /\" role=\"combobox\" "
	    "aria-expanded=\"false\" aria-controls=\"found\" "
	    "aria-autocomplete=\"list\">"
	    "<ul id=\"found\" role=\"listbox\" aria-label=\"Found\" "
	    "hidden></ul>"
	    "</form>\n"
	    "<button type=\"button\" id=\"theme\" hidden>Colours</button>\n"
	    "</header>\n<div class=\"columns\">\n");
}

/* The whole page as a file; h is ready for the next one. */
static void
finish(struct html *h)
{
	struct buf *b = out_file(h->o, "%s", h->file);

	top(h, b);
	nav(h, b);
	buf_adds(b, "<main id=\"main\" tabindex=\"-1\">\n");
	buf_add(b, h->b.p, h->b.n);
	buf_adds(b, "</main>\n</div>\n<footer>\n<p>");
	html_escs(b, h->api->title);
	buf_addf(b,
	    ", %s %s. Made by <code>xmsg-idl html</code> from the "
	    "declarations.</p>\n</footer>\n</body>\n</html>\n",
	    h->api->name, h->api->version);
	buf_fini(&h->b);
	buf_fini(&h->toc);
}

/* Begin a page. */
static void
begin(struct html *h, const char *file, const char *title, const char *about)
{
	h->file = file;
	h->title = title;
	h->about = about;
}

/* ---- the front page ---- */

/* An interface with its calls. */
static void
card(struct html *h, const struct iface *i)
{
	const struct method *m;
	struct buf *b = &h->b;

	buf_addf(b, "<section class=\"card\">\n<h3><a href=\"%s.html\">%s</a>",
	    i->name, i->name);
	html_badges(h, i->life, h->api->life);
	buf_adds(b, "</h3>\n<p>");
	html_inline(h, i->title);
	buf_adds(b, ".</p>\n<p class=\"links\">");
	for (m = i->methods; m != NULL; m = m->next) {
		buf_addf(b, "<a href=\"%s.html#%s.%s\"><code>%s</code></a>",
		    i->name, i->name, m->name, m->name);
		buf_adds(b, m->next != NULL ? " " : "</p>\n");
	}
	buf_adds(b, "</section>\n");
}

/* Where a reader begins. */
static void
ways_in(struct html *h)
{
	if (!html_has_prose(h->api))
		return;
	buf_adds(&h->b,
	    "<ul class=\"ways\">\n"
	    "<li><a href=\"tutorial.html\"><b>Write a plugin in ten minutes"
	    "</b><span>From an empty folder to a working volume "
	    "plugin.</span></a></li>\n"
	    "<li><a href=\"protocol.html\"><b>The script protocol</b><span>"
	    "Standard input, standard output, exit status, errors.</span></a>"
	    "</li>\n"
	    "<li><a href=\"versions.html\"><b>What is new</b><span>Each "
	    "release and what it brought.</span></a></li>\n</ul>\n");
}

/* The parameter that every call begins with. */
static void
context(struct html *h)
{
	const struct member *c = h->api->context;

	html_heading(h, 2, "context", "In every call", NULL);
	buf_addf(&h->b,
	    "<p>The first parameter is always <code>%s</code>, of type ",
	    c->name);
	html_type(h, c->type);
	buf_adds(&h->b, ".</p>\n");
	html_doc(h, c->doc);
}

/* index.html */
static void
front(struct html *h)
{
	const struct module *m;
	const struct iface *i;
	char id[120];

	buf_adds(&h->b, "<h1>");
	html_escs(&h->b, h->api->title);
	buf_adds(&h->b, "</h1>\n");
	ways_in(h);
	html_doc(h, h->api->doc);
	for (m = h->api->modules; m != NULL; m = m->next) {
		if (m->ifaces == NULL)
			continue;
		snprintf(id, sizeof(id), "module-%s", m->name);
		html_heading(h, 2, id, m->title, NULL);
		html_doc(h, m->doc);
		buf_adds(&h->b, "<div class=\"cards\">\n");
		for (i = m->ifaces; i != NULL; i = i->next)
			card(h, i);
		buf_adds(&h->b, "</div>\n");
	}
	context(h);
}

/* ---- all pages ---- */

/* The pages that every reference has. */
static void
fixed_pages(struct html *h)
{
	static const struct {
		const char *file, *title, *about;
		void (*body)(struct html *);
	} pages[] = {
	    {"index.html", "Overview", "All interfaces and their calls.",
		front},
	    {"types.html", "Types", "What parameters and results are made of.",
		html_types},
	    {"errors.html", "Errors",
		"What a call may answer instead of its result.", html_errors},
	    {"features.html", "Features",
		"Words with which a plugin says what it can do.",
		html_features},
	    {"versions.html", "Versions", "What each release brought.",
		html_versions},
	    {"names.html", "All names", "Everything from A to Z.", html_names},
	};
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		begin(h, pages[i].file, pages[i].title, pages[i].about);
		pages[i].body(h);
		finish(h);
	}
}

/* The whole folder. */
static void
emit(const struct api *api, struct out *o)
{
	struct html h = {.api = api, .o = o};
	const struct html_prose *p;
	const struct module *m;
	const struct iface *i;
	char file[120];

	fixed_pages(&h);
	for (p = html_proses; p->file != NULL && html_has_prose(api); p++) {
		begin(&h, p->file, p->title, p->about);
		html_prose_page(&h, p);
		finish(&h);
	}
	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next) {
			snprintf(file, sizeof(file), "%s.html", i->name);
			begin(&h, file, i->name, i->title);
			html_iface(&h, i);
			finish(&h);
		}
	html_search(api, o);
	buf_adds(out_file(o, "style.css"), html_style_css);
	buf_adds(out_file(o, "page.js"), html_page_js);
}

const struct emitter emit_html = {
    "html", "the reference as a folder of pages", emit};
