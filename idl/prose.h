/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Prose as it stands in declarations: paragraphs with empty lines between,
 * list items that begin with "- " (continued by indented lines), lines
 * indented by four or more are shown as they are, `backquotes` around names
 * and code.  A name in backquotes that api_lookup knows is a link.
 */
#ifndef XMSG_IDL_PROSE_H
#define XMSG_IDL_PROSE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "str.h"

enum prose_kind { PROSE_END, PROSE_PARA, PROSE_ITEM, PROSE_CODE };

/* Blocks one after the other: set p to the text, then call prose_next until
 * PROSE_END.  `text` of a paragraph or item is on one line; of code, as it
 * stands without its indentation.  It lives until the next call. */
struct prose {
	const char *p;
	struct buf text;
};

enum prose_kind prose_next(struct prose *s);
void prose_fini(struct prose *s);

/* Pieces of one block: true with the next run of text and whether it stood
 * in backquotes; *p moves on. */
bool prose_span(const char **p, struct str *run, bool *code);

/* The first sentence, as a borrowed part of `doc`. */
struct str prose_first(const char *doc);

/* Append the whole prose filled to `width` columns, every line after
 * `prefix`; no line has blanks at its end. */
void prose_fill(
    struct buf *b, const char *doc, const char *prefix, size_t width);

#endif
