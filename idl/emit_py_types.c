/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * `_types.py`, the types that the Python modules share: each comes after those
 * that it is made of.
 */
#include <stdlib.h>

#include "emit_py.h"
#include "pytext.h"

static const char *const type_words[] = {
    [TYPE_UNIT] = "UNIT",
    [TYPE_STRING] = "STRING",
    [TYPE_INT] = "INT",
    [TYPE_INT64] = "INT64",
    [TYPE_FLOAT] = "FLOAT",
    [TYPE_BOOL] = "BOOL",
};

/* A use of a type as an expression; `at` is what names are looked up in. */
void
py_type_expr(struct buf *b, const struct type *t, const char *at)
{
	switch (t->kind) {
	case TYPE_LIST:
	case TYPE_MAP:
		buf_addf(
		    b, "_runtime.%s(", t->kind == TYPE_LIST ? "List" : "Map");
		py_type_expr(b, t->a, at);
		buf_addc(b, ')');
		break;
	case TYPE_PAIR:
		buf_adds(b, "_runtime.Pair(");
		py_type_expr(b, t->a, at);
		buf_adds(b, ", ");
		py_type_expr(b, t->b, at);
		buf_addc(b, ')');
		break;
	case TYPE_NAMED: buf_addf(b, "%s%s", at, t->name); break;
	default: buf_addf(b, "_runtime.%s", type_words[t->kind]);
	}
}

/* Put a newline and an indentation in place of the blank before `at`. */
static void
break_line(struct buf *b, size_t at, const char *indent)
{
	struct buf rest = BUF_INIT;

	buf_add(&rest, b->p + at, b->n - at);
	b->n = at - 1;
	buf_addf(b, "\n%s%.*s", indent, (int)rest.n, rest.p);
	buf_fini(&rest);
}

/* A record's fields, one per line. */
static void
record_def(struct buf *b, const struct tdef *d)
{
	const struct member *m;
	size_t line, type;

	buf_addf(b, "%s = _runtime.Record(\"%s\", [\n", d->name, d->name);
	for (m = d->fields; m != NULL; m = m->next) {
		line = b->n;
		buf_addf(b, "    _runtime.Field(\"%s\", ", m->name);
		type = b->n;
		py_type_expr(b, m->type, "");
		buf_adds(b, m->optional ? ", optional=True),\n" : "),\n");
		if (b->n - line - 1 > PY_COLUMNS)
			break_line(b, type, "        ");
	}
	buf_adds(b, "])\n");
}

/* A variant's tags, one per line. */
static void
variant_def(struct buf *b, const struct tdef *d)
{
	const struct tag *tag;

	buf_addf(b, "%s = _runtime.Variant(\"%s\", [\n", d->name, d->name);
	for (tag = d->tags; tag != NULL; tag = tag->next) {
		buf_addf(b, "    (\"%s\", ", tag->name);
		if (tag->type != NULL)
			py_type_expr(b, tag->type, "");
		else
			buf_adds(b, "None");
		buf_adds(b, "),\n");
	}
	buf_adds(b, "])\n");
}

/* Types already written, so that each comes after what it is made of. */
struct done {
	const struct tdef **p;
	size_t n;
};

static void type_def(struct buf *b, const struct tdef *d, struct done *done);

/* The named types inside a written one. */
static void
needs(struct buf *b, const struct type *t, struct done *done)
{
	if (t == NULL)
		return;
	needs(b, t->a, done);
	needs(b, t->b, done);
	if (t->kind == TYPE_NAMED)
		type_def(b, t->def, done);
}

/* A named type after those it needs (a checked model has no cycles). */
static void
type_def(struct buf *b, const struct tdef *d, struct done *done)
{
	const struct member *m;
	const struct tag *tag;
	size_t i;

	for (i = 0; i < done->n; i++)
		if (done->p[i] == d)
			return;
	needs(b, d->alias, done);
	for (m = d->fields; m != NULL; m = m->next)
		needs(b, m->type, done);
	for (tag = d->tags; tag != NULL; tag = tag->next)
		needs(b, tag->type, done);
	done->p[done->n++] = d;
	if (d->kind == TDEF_RECORD) {
		record_def(b, d);
	} else if (d->kind == TDEF_VARIANT) {
		variant_def(b, d);
	} else {
		buf_addf(b, "%s = ", d->name);
		py_type_expr(b, d->alias, "");
		buf_addc(b, '\n');
	}
}

/* How many types there are in a list. */
static size_t
count(const struct tdef *d)
{
	size_t n = 0;

	for (; d != NULL; d = d->next)
		n++;
	return n;
}

/* _types.py */
void
py_types(const struct api *api, struct out *o)
{
	struct buf *b = out_file(o, PY_DIR "_types.py");
	const struct module *m;
	const struct feature *f;
	const struct tdef *d;
	struct done done = {NULL, 0};
	size_t n = count(api->types);

	for (m = api->modules; m != NULL; m = m->next)
		n += count(m->types);
	done.p = calloc(n + 1, sizeof(*done.p));
	if (done.p == NULL) {
		b->failed = true;
		return;
	}
	py_head(b, api, "The types of the interface.");
	buf_adds(b, "\nfrom xapi.storage.api import runtime as _runtime\n\n");
	for (d = api->types; d != NULL; d = d->next)
		type_def(b, d, &done);
	for (m = api->modules; m != NULL; m = m->next)
		for (d = m->types; d != NULL; d = d->next)
			type_def(b, d, &done);
	free(done.p);
	buf_adds(b, "\n# Words that Plugin.query may list.\nFEATURES = [\n");
	for (f = api->features; f != NULL; f = f->next)
		buf_addf(b, "    \"%s\",\n", f->name);
	buf_adds(b, "]\n");
}
