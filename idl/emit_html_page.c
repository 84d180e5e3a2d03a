/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Pages of prose: the script protocol and the tutorial.  They are written in
 * idl/html/ *.md, in the part of Markdown that this file reads: "# " for the
 * title, "## " and "### " for sections, paragraphs, "- " items, tables, code
 * between lines of three backquotes, [links](types.html), and names in
 * backquotes, which become links as they do in declarations.  A fence may name
 * a file behind its language: the tests write it, and run every console block.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "emit_html.h"
#include "html_text.h"

const struct html_prose html_proses[] = {
    {"tutorial.html", "Tutorial",
	"From an empty folder to a volume plugin that works.",
	html_tutorial_md},
    {"protocol.html", "Script protocol",
	"How a script is called: standard input, standard output, exit status.",
	html_protocol_md},
    {NULL, NULL, NULL, NULL},
};

/* The prose speaks of plugins of the storage interface. */
bool
html_has_prose(const struct api *api)
{
	return api_method(api, "Plugin.query") != NULL &&
	    api_method(api, "Volume.create") != NULL;
}

/* Lines of a page, one after the other. */
struct reader {
	struct html *h;
	const char *p;
	struct buf text; /* the block at hand */
};

/* The line at p. */
static struct str
line(const struct reader *r)
{
	return (struct str){r->p, strcspn(r->p, "\n")};
}

/* Go to the next one. */
static void
skip(struct reader *r)
{
	r->p += line(r).n;
	r->p += *r->p == '\n';
}

/* What a line begins with. */
static bool
starts(const struct reader *r, const char *s)
{
	return strncmp(r->p, s, strlen(s)) == 0;
}

/* A heading's anchor: its letters and digits. */
static void
slug(char *id, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s != '\0' && n + 1 < size; s++) {
		if (isalnum((unsigned char)*s))
			id[n++] = (char)tolower((unsigned char)*s);
		else if (n > 0 && id[n - 1] != '-')
			id[n++] = '-';
	}
	while (n > 0 && id[n - 1] == '-')
		n--;
	id[n] = '\0';
}

/* "## Words" */
static void
heading(struct reader *r)
{
	int level = (int)strspn(r->p, "#");
	struct str l = line(r);
	char name[200], id[200];

	snprintf(
	    name, sizeof(name), "%.*s", (int)l.n - level - 1, l.p + level + 1);
	slug(id, sizeof(id), name);
	if (level == 1) {
		buf_adds(&r->h->b, "<h1>");
		html_escs(&r->h->b, name);
		buf_addf(
		    &r->h->b, "</h1>\n<p class=\"lead\">%s</p>\n", r->h->about);
	} else {
		html_heading(r->h, level, id, name, NULL);
	}
	skip(r);
}

/* Code between fences, with its language and perhaps a file name. */
static void
fence(struct reader *r)
{
	struct str l = line(r), body;
	char lang[40] = "text", label[120] = "";

	if (sscanf(l.p + 3, "%39[a-z]%*[ ]%119[^\n]", lang, label) < 1)
		snprintf(lang, sizeof(lang), "text");
	skip(r);
	body.p = r->p;
	while (*r->p != '\0' && !starts(r, "```"))
		skip(r);
	body.n = (size_t)(r->p - body.p);
	skip(r);
	html_code(&r->h->b, lang, label, body);
}

/* One row of a table. */
static void
row(struct reader *r, const char *cell)
{
	struct str l = line(r);
	const char *p = l.p + 1, *end;
	bool first = true;

	buf_adds(&r->h->b, "<tr>");
	while ((end = memchr(p, '|', (size_t)(l.p + l.n - p))) != NULL) {
		buf_reset(&r->text);
		buf_add(&r->text, p + 1, (size_t)(end - p - 2));
		buf_addc(&r->text, '\0');
		buf_addf(&r->h->b, "<%s%s>",
		    first && cell[1] == 'd' ? "th" : cell,
		    first && cell[1] == 'd' ? " scope=\"row\""
			: cell[1] == 'h'    ? " scope=\"col\""
					    : "");
		html_inline(r->h, r->text.p);
		buf_addf(
		    &r->h->b, "</%s>", first && cell[1] == 'd' ? "th" : cell);
		first = false;
		p = end + 1;
	}
	buf_adds(&r->h->b, "</tr>\n");
	skip(r);
}

/* A head, a rule, rows. */
static void
table(struct reader *r)
{
	buf_adds(&r->h->b, "<table class=\"members\"><thead>");
	row(r, "th");
	buf_adds(&r->h->b, "</thead>\n<tbody>\n");
	skip(r);
	while (starts(r, "|"))
		row(r, "td");
	buf_adds(&r->h->b, "</tbody></table>\n");
}

/* Lines up to an empty one, or the next item. */
static void
gather(struct reader *r, size_t from)
{
	struct str l = line(r);

	buf_reset(&r->text);
	buf_add(&r->text, l.p + from, l.n - from);
	skip(r);
	while ((l = line(r)).n > 0 && !starts(r, "- ")) {
		while (l.n > 0 && *l.p == ' ') {
			l.p++;
			l.n--;
		}
		buf_addc(&r->text, ' ');
		buf_add(&r->text, l.p, l.n);
		skip(r);
	}
	buf_addc(&r->text, '\0');
}

/* "- item" */
static void
list(struct reader *r)
{
	buf_adds(&r->h->b, "<ul>\n");
	while (starts(r, "- ")) {
		gather(r, 2);
		buf_adds(&r->h->b, "<li>");
		html_inline(r->h, r->text.p);
		buf_adds(&r->h->b, "</li>\n");
	}
	buf_adds(&r->h->b, "</ul>\n");
}

/* The page. */
void
html_prose_page(struct html *h, const struct html_prose *p)
{
	struct reader r = {.h = h, .p = p->text};

	while (*r.p != '\0') {
		if (line(&r).n == 0 || starts(&r, "<!--")) {
			skip(&r);
		} else if (starts(&r, "#")) {
			heading(&r);
		} else if (starts(&r, "```")) {
			fence(&r);
		} else if (starts(&r, "|")) {
			table(&r);
		} else if (starts(&r, "- ")) {
			list(&r);
		} else {
			gather(&r, 0);
			buf_adds(&h->b, "<p>");
			html_inline(h, r.text.p);
			buf_adds(&h->b, "</p>\n");
		}
	}
	buf_fini(&r.text);
}
