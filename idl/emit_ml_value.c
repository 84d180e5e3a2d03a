/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * JSON values of declared types as OCaml expressions, as a person would lay
 * them out.  The values were checked with the declarations.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#include "emit_ml.h"

/* The parts of one list, record or pair. */
struct parts {
	struct buf *p;
	size_t n;
};

/* One more, empty. */
static struct buf *
part(struct parts *s)
{
	s->p = xreallocarray(s->p, s->n + 1, sizeof(*s->p));
	buf_init(&s->p[s->n]);
	return &s->p[s->n++];
}

/* Write them between brackets and forget them. */
static void
group(struct buf *b, size_t indent, char open, struct parts *s, char close)
{
	if (s->n == 0)
		buf_addf(b, "%c%c", open, close);
	else
		ml_group(b, indent, open, s->p, s->n, close);
	while (s->n > 0)
		buf_fini(&s->p[--s->n]);
	free(s->p);
}

/* A number with a point or an exponent. */
static void
real(struct buf *b, json_t *v)
{
	char s[40];
	double d = json_number_value(v);
	int digits = 15;

	do
		snprintf(s, sizeof(s), "%.*g", digits, d);
	while (strtod(s, NULL) != d && digits++ < 17);
	buf_addf(b, "%s%s", s, s[strcspn(s, ".en")] == '\0' ? "." : "");
}

/* What belongs behind a word that ends at column `col`: beside it where it
 * fits there, else below it. */
static void
behind(struct buf *b, const struct type *t, json_t *v, size_t indent,
    size_t col, bool arg)
{
	struct buf s = BUF_INIT;

	if (arg)
		ml_value_arg(&s, t, v, indent + 2);
	else
		ml_value(&s, t, v, indent + 2);
	if (memchr(s.p, '\n', s.n) != NULL || col + s.n + 3 > ML_COLUMNS)
		buf_addf(b, "\n%*s", (int)indent + 2, "");
	else
		buf_addc(b, ' ');
	buf_add(b, s.p, s.n);
	buf_fini(&s);
}

/* `name = Some value` */
static void
field(struct buf *b, const struct member *m, json_t *v, size_t indent)
{
	struct buf some = BUF_INIT;

	buf_adds(b, " =");
	if (!m->optional) {
		behind(b, m->type, v, indent, indent + b->n, false);
		return;
	}
	behind(&some, m->type, v, indent + 2, indent + b->n + 5, true);
	if (memchr(some.p, '\n', some.n) != NULL)
		buf_addf(b, "\n%*sSome", (int)indent + 2, "");
	else
		buf_adds(b, " Some");
	buf_add(b, some.p, some.n);
	buf_fini(&some);
}

/* A record; the first member says which. */
static void
record(struct buf *b, const struct tdef *d, json_t *v, size_t indent)
{
	const struct member *m;
	struct parts s = {NULL, 0};
	struct buf *one;
	json_t *value;

	for (m = d->fields; m != NULL; m = m->next) {
		one = part(&s);
		if (m == d->fields) {
			buf_adds(one, ML_TYPES);
			ml_module(one, d->name);
			buf_addc(one, '.');
		}
		ml_name(one, m->name);
		value = json_object_get(v, m->name);
		if (value == NULL || json_is_null(value))
			buf_adds(one, " = None");
		else
			field(one, m, value, indent + 2);
	}
	group(b, indent, '{', &s, '}');
}

/* A tag, with its contents where it has some. */
static void
variant(struct buf *b, const struct tdef *d, json_t *v, size_t indent)
{
	json_t *name = json_is_array(v) ? json_array_get(v, 0) : v;
	json_t *inside = json_is_array(v) ? json_array_get(v, 1) : NULL;
	const struct tag *tag;
	size_t start = b->n;

	buf_adds(b, ML_TYPES);
	ml_module(b, d->name);
	buf_addf(b, ".%s", json_string_value(name));
	for (tag = d->tags; tag != NULL; tag = tag->next)
		if (strcmp(tag->name, json_string_value(name)) == 0 &&
		    tag->type != NULL)
			behind(b, tag->type, inside, indent,
			    indent + b->n - start, true);
}

/* `[ a; b ]` */
static void
list(struct buf *b, const struct type *t, json_t *v, size_t indent)
{
	struct parts s = {NULL, 0};
	json_t *one;
	size_t i;

	json_array_foreach(v, i, one) ml_value(part(&s), t->a, one, indent + 2);
	group(b, indent, '[', &s, ']');
}

/* `[ ("key", value) ]` */
static void
map(struct buf *b, const struct type *t, json_t *v, size_t indent)
{
	struct parts s = {NULL, 0};
	const char *key;
	struct buf *p;
	json_t *one;

	json_object_foreach(v, key, one)
	{
		p = part(&s);
		buf_addc(p, '(');
		ml_string(p, key);
		buf_adds(p, ", ");
		ml_value(p, t->a, one, indent + 4);
		buf_addc(p, ')');
	}
	group(b, indent, '[', &s, ']');
}

/* An expression; lines after the first begin at least `indent` columns in. */
void
ml_value(struct buf *b, const struct type *t, json_t *v, size_t indent)
{
	t = type_plain(t);
	switch (t->kind) {
	case TYPE_UNIT: buf_adds(b, "()"); break;
	case TYPE_STRING: ml_string(b, json_string_value(v)); break;
	case TYPE_INT:
	case TYPE_INT64:
		buf_addf(b, "%lld%s", (long long)json_integer_value(v),
		    t->kind == TYPE_INT64 ? "L" : "");
		break;
	case TYPE_FLOAT: real(b, v); break;
	case TYPE_BOOL: buf_adds(b, json_is_true(v) ? "true" : "false"); break;
	case TYPE_LIST: list(b, t, v, indent); break;
	case TYPE_MAP: map(b, t, v, indent); break;
	case TYPE_PAIR:
		buf_addc(b, '(');
		ml_value(b, t->a, json_array_get(v, 0), indent + 2);
		buf_adds(b, ", ");
		ml_value(b, t->b, json_array_get(v, 1), indent + 2);
		buf_addc(b, ')');
		break;
	case TYPE_NAMED:
		if (t->def->kind == TDEF_RECORD)
			record(b, t->def, v, indent);
		else
			variant(b, t->def, v, indent);
	}
}

/* The same where an argument stands. */
void
ml_value_arg(struct buf *b, const struct type *t, json_t *v, size_t indent)
{
	struct buf s = BUF_INIT;
	bool negative;

	ml_value(&s, t, v, indent);
	negative = json_is_number(v) && json_number_value(v) < 0;
	t = type_plain(t);
	if (negative ||
	    (t->kind == TYPE_NAMED && t->def->kind == TDEF_VARIANT &&
		json_is_array(v)))
		buf_addf(b, "(%.*s)", (int)s.n, s.p);
	else
		buf_add(b, s.p, s.n);
	buf_fini(&s);
}
