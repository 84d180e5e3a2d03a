/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Texts as Python source: literals that fit 79 columns, doc strings, values.
 */
#ifndef XMSG_IDL_PYTEXT_H
#define XMSG_IDL_PYTEXT_H

#include <jansson.h>

#include "buf.h"
#include "str.h"

#define PY_COLUMNS ((size_t)79)

/* A literal on one line, in double quotes. */
void py_string(struct buf *b, struct str s);

/* A literal that is broken at blanks: `"..."`, or in parentheses over
 * several lines indented by `indent` + 4.  `used` columns are taken on the
 * first line already; `after` is what follows, such as ",". */
void py_long(struct buf *b, const char *s, size_t indent, size_t used,
    const char *after);

/* The same for prose, filled anew. */
void py_prose(struct buf *b, const char *prose, size_t indent, size_t used,
    const char *after);

/* A doc string: the first line, then prose, indented. */
void py_doc(struct buf *b, const char *first, const char *prose, size_t indent);

/* A JSON value as a Python literal, over as many lines as it needs. */
void py_value(
    struct buf *b, json_t *v, size_t indent, size_t used, const char *after);

#endif
