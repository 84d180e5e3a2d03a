/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the emitters of OCaml share: names, types, layout (emit_ml_text.c),
 * doc comments (emit_ml_doc.c), the texts of --help (emit_ml_help.c).  Names of
 * our own that stand beside declared ones end in ', as no declared name does.
 */
#ifndef XMSG_IDL_EMIT_ML_H
#define XMSG_IDL_EMIT_ML_H

#include "emit.h"

#define ML_COLUMNS ((size_t)80)

/* Where the declared types are seen from another file. */
#define ML_TYPES "Types."

/* A value's or label's name: as declared, with _ behind a reserved word. */
void ml_name(struct buf *b, const char *name);
/* A module's name: a capital first. */
void ml_module(struct buf *b, const char *name);
/* A literal. */
void ml_string(struct buf *b, const char *s);
/* A use of a type: `Uri.t list`, and as a value: `Idl.list Uri.typ`, in
 * parentheses where an argument needs them. */
void ml_type(struct buf *b, const struct type *t, const char *at);
void ml_typ(struct buf *b, const struct type *t, const char *at, bool arg);

/* `a b` on the line that begins `indent` columns in, or b on the next one,
 * `step` columns further in. */
void ml_line(struct buf *b, size_t indent, size_t step, const struct buf *first,
    const struct buf *rest);
/* Elements between brackets: on one line, or one per line. */
void ml_group(struct buf *b, size_t indent, char open, const struct buf *elems,
    size_t n, char close);
/* `let name = expr in`. */
void ml_let_in(
    struct buf *b, size_t indent, const char *name, const struct buf *expr);

void ml_head(struct buf *b, const struct api *api);
/* A comment for odoc; `body` is made with the functions below. */
void ml_doc(struct buf *b, const struct buf *body, size_t indent);
/* A comment behind a field or a tag: on its line where there is room. */
void ml_doc_after(
    struct buf *b, const struct buf *body, size_t line, size_t indent);
/* Prose as odoc wants it. */
void ml_prose(struct buf *b, const char *prose, size_t indent);
/* `@tag prose`. */
void ml_tag(struct buf *b, const char *tag, const char *prose, size_t indent);
/* What became of an item, unless it is its parent's life. */
void ml_life(struct buf *b, const struct life *l, const struct life *parent,
    size_t indent);

/* What `Interface.method --help` prints. */
void ml_help(struct buf *b, const struct method *m);

/* emit_ml_value.c: a value as an expression, and where an argument stands;
 * its lines after the first begin at least `indent` columns in. */
void ml_value(struct buf *b, const struct type *t, json_t *v, size_t indent);
void ml_value_arg(
    struct buf *b, const struct type *t, json_t *v, size_t indent);

/* emit_ml_types.c */
void ml_emit_types(const struct api *api, struct out *o);
/* emit_ml_iface.c */
void ml_signature(struct buf *b, const struct iface *i, bool docs);
void ml_iface(struct buf *b, const struct iface *i);

#endif
