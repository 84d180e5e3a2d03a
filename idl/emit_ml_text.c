/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Names, types and lines of OCaml, laid out as its usual formatter does.
 */
#include <ctype.h>
#include <string.h>

#include "emit_ml.h"

static const char *const reserved[] = {"and", "as", "assert", "asr", "begin",
    "class", "constraint", "do", "done", "downto", "effect", "else", "end",
    "exception", "external", "false", "for", "fun", "function", "functor", "if",
    "in", "include", "inherit", "initializer", "land", "lazy", "let", "lor",
    "lsl", "lsr", "lxor", "match", "method", "mod", "module", "mutable", "new",
    "nonrec", "object", "of", "open", "or", "private", "rec", "sig", "struct",
    "then", "to", "true", "try", "type", "val", "virtual", "when", "while",
    "with", NULL};

static const char *const type_words[] = {
    [TYPE_UNIT] = "unit",
    [TYPE_STRING] = "string",
    [TYPE_INT] = "int",
    [TYPE_INT64] = "int64",
    [TYPE_FLOAT] = "float",
    [TYPE_BOOL] = "bool",
};

/* What each file begins with. */
void
ml_head(struct buf *b, const struct api *api)
{
	buf_addf(b,
	    "(* Made by xmsg-idl from the declarations of %s %s:\n"
	    "   change those instead. *)\n",
	    api->name, api->version);
}

/* Declared names begin with a small letter already. */
void
ml_name(struct buf *b, const char *name)
{
	const char *const *r;

	buf_adds(b, name);
	for (r = reserved; *r != NULL; r++)
		if (strcmp(*r, name) == 0)
			buf_addc(b, '_');
}

/* The same with a capital. */
void
ml_module(struct buf *b, const char *name)
{
	buf_addc(b, (char)toupper((unsigned char)name[0]));
	buf_adds(b, name + 1);
}

/* In quotes. */
void
ml_string(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '\n') {
			buf_adds(b, "\\n");
			continue;
		}
		if (*s == '"' || *s == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *s);
	}
	buf_addc(b, '"');
}

/* As it stands behind a colon. */
void
ml_type(struct buf *b, const struct type *t, const char *at)
{
	switch (t->kind) {
	case TYPE_LIST:
		ml_type(b, t->a, at);
		buf_adds(b, " list");
		break;
	case TYPE_MAP:
		buf_adds(b, "(string * ");
		ml_type(b, t->a, at);
		buf_adds(b, ") list");
		break;
	case TYPE_PAIR:
		buf_addc(b, '(');
		ml_type(b, t->a, at);
		buf_adds(b, " * ");
		ml_type(b, t->b, at);
		buf_addc(b, ')');
		break;
	case TYPE_NAMED:
		buf_adds(b, at);
		ml_module(b, t->name);
		buf_adds(b, ".t");
		break;
	default: buf_adds(b, type_words[t->kind]);
	}
}

/* As a value of the runtime's. */
void
ml_typ(struct buf *b, const struct type *t, const char *at, bool arg)
{
	static const char *const makers[] = {
	    [TYPE_LIST] = "list", [TYPE_MAP] = "map", [TYPE_PAIR] = "pair"};

	if (t->kind == TYPE_NAMED) {
		buf_adds(b, at);
		ml_module(b, t->name);
		buf_adds(b, ".typ");
		return;
	}
	if (t->a == NULL) {
		buf_addf(b, "Idl.%s", type_words[t->kind]);
		return;
	}
	buf_addf(b, "%sIdl.%s ", arg ? "(" : "", makers[t->kind]);
	ml_typ(b, t->a, at, true);
	if (t->b != NULL) {
		buf_addc(b, ' ');
		ml_typ(b, t->b, at, true);
	}
	buf_adds(b, arg ? ")" : "");
}

/* Broken between the two, if anywhere. */
void
ml_line(struct buf *b, size_t indent, size_t step, const struct buf *first,
    const struct buf *rest)
{
	bool fits = indent + first->n + 1 + rest->n <= ML_COLUMNS;

	buf_addf(b, "%*s%.*s", (int)indent, "", (int)first->n, first->p);
	if (fits)
		buf_addf(b, " %.*s\n", (int)rest->n, rest->p);
	else
		buf_addf(b, "\n%*s%.*s\n", (int)(indent + step), "",
		    (int)rest->n, rest->p);
}

/* Begins where the line stands; no newline behind it. */
void
ml_group(struct buf *b, size_t indent, char open, const struct buf *elems,
    size_t n, char close)
{
	size_t i, width = indent + 4;

	for (i = 0; i < n; i++)
		width += elems[i].n + (i + 1 < n ? 2 : 0);
	buf_addc(b, open);
	for (i = 0; i < n; i++) {
		if (width <= ML_COLUMNS)
			buf_addc(b, ' ');
		else
			buf_addf(b, "\n%*s", (int)indent + 2, "");
		buf_add(b, elems[i].p, elems[i].n);
		if (i + 1 < n || width > ML_COLUMNS)
			buf_addc(b, ';');
	}
	if (width <= ML_COLUMNS)
		buf_addc(b, ' ');
	else
		buf_addf(b, "\n%*s", (int)indent, "");
	buf_addc(b, close);
}

/* On one line or on three. */
void
ml_let_in(
    struct buf *b, size_t indent, const char *name, const struct buf *expr)
{
	struct buf head = BUF_INIT;

	buf_adds(&head, "let ");
	ml_name(&head, name);
	buf_adds(&head, " =");
	if (indent + head.n + 1 + expr->n + 3 <= ML_COLUMNS)
		buf_addf(b, "%*s%.*s %.*s in\n", (int)indent, "", (int)head.n,
		    head.p, (int)expr->n, expr->p);
	else
		buf_addf(b, "%*s%.*s\n%*s%.*s\n%*sin\n", (int)indent, "",
		    (int)head.n, head.p, (int)indent + 2, "", (int)expr->n,
		    expr->p, (int)indent, "");
	buf_fini(&head);
}
