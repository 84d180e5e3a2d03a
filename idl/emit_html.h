/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the files of the HTML reference share.  A page is written into `b`,
 * its table of contents into `toc` on the way; page_end puts the frame around
 * both.
 *
 * Anchors are for ever: Volume.html#Volume.create, #Volume.create.sr for a
 * parameter, types.html#type-volume.key, errors.html#error-Cancelled,
 * features.html#feature-VDI_CLONE, versions.html#release-xs-0.4.
 */
#ifndef XMSG_IDL_EMIT_HTML_H
#define XMSG_IDL_EMIT_HTML_H

#include "emit.h"
#include "str.h"

struct html {
	const struct api *api;
	struct out *o;
	struct buf b, toc;
	const char *file, *title, *about; /* of the page at hand */
};

/* A page of prose that comes with the program; see emit_html_page.c. */
struct html_prose {
	const char *file, *title, *about, *text;
};
extern const struct html_prose html_proses[]; /* file NULL at the end */
bool html_has_prose(const struct api *api);
void html_prose_page(struct html *h, const struct html_prose *p);

/* emit_html.c */
void html_heading(struct html *h, int level, const char *id, const char *name,
    const struct life *life);
void html_here(struct html *h, int level, const char *id, const char *name);

/* emit_html_text.c */
void html_esc(struct buf *b, struct str s);
void html_escs(struct buf *b, const char *s);
bool html_url(struct buf *b, const struct api *api, const char *name);
void html_name(struct html *h, const char *name); /* as code, a link */
void html_inline(struct html *h, const char *s);
void html_doc(struct html *h, const char *doc);
void html_type(struct html *h, const struct type *t);
void html_badges(
    struct html *h, const struct life *l, const struct life *parent);
void html_history(struct html *h, const struct life *l);

/* emit_html_code.c: `lang` is json, python, ocaml, console or text. */
void html_code(
    struct buf *b, const char *lang, const char *label, struct str s);
void html_json(struct buf *b, json_t *v, size_t indent, size_t used);
void html_json_line(struct buf *b, json_t *v); /* as Python prints it */

/* emit_html_call.c */
void html_iface(struct html *h, const struct iface *i);
/* emit_html_example.c */
void html_examples(struct html *h, const struct method *m);

/* emit_html_ref.c */
void html_types(struct html *h);
void html_errors(struct html *h);
void html_features(struct html *h);
/* emit_html_list.c */
void html_versions(struct html *h);
void html_names(struct html *h);
void html_search(const struct api *api, struct out *o);

/* The same walk for all that goes through every named thing: fn is given
 * what it is, its name and its first line, in order of declaration. */
typedef void html_item_fn(struct html *h, const char *kind, const char *name,
    const char *url, struct str about);
void html_each(struct html *h, html_item_fn *fn);

#endif
