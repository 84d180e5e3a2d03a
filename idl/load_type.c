/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Types as people write them: string, volume, list<volume>, map<string>,
 * pair<int64, int64>.  A column inside the text is known when the scalar
 * stands on one line without quotes.
 */
#include <string.h>

#include "load_int.h"

#define MAX_NESTING 8
#define NAME_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

struct parse {
	struct load *l;
	const struct yml *y;
	const char *p; /* not read yet */
	int depth;
};

static const struct {
	const char *name;
	enum type_kind kind;
	int args;
} words[] = {
    {"unit", TYPE_UNIT, 0},
    {"string", TYPE_STRING, 0},
    {"int", TYPE_INT, 0},
    {"int64", TYPE_INT64, 0},
    {"float", TYPE_FLOAT, 0},
    {"bool", TYPE_BOOL, 0},
    {"list", TYPE_LIST, 1},
    {"map", TYPE_MAP, 1},
    {"pair", TYPE_PAIR, 2},
};
#define NWORDS (sizeof(words) / sizeof(words[0]))

/* Where the parser stands. */
static struct pos
here(const struct parse *s, const char *p)
{
	struct pos at = s->y->at;

	if (s->y->inline1)
		at.col += (int)(p - s->y->s);
	return at;
}

/* Note that something else was expected. */
static struct type *
expected(struct parse *s, const char *what)
{
	diag_add(s->l->d, here(s, s->p), s->l->path,
	    "%s is expected in the type \"%.60s\"", what, s->y->s);
	return NULL;
}

/* Blanks, then this character; 0 or -1. */
static int
accept(struct parse *s, char c)
{
	s->p += strspn(s->p, " ");
	if (*s->p != c)
		return -1;
	s->p++;
	return 0;
}

static struct type *parse(struct parse *s);

/* `<a>` or `<a, b>` behind a type that has parts. */
static struct type *
arguments(struct parse *s, struct type *t, int n)
{
	if (accept(s, '<') < 0)
		return expected(s, "\"<\"");
	t->a = parse(s);
	if (t->a == NULL)
		return NULL;
	if (n == 2) {
		if (accept(s, ',') < 0)
			return expected(s, "\",\"");
		t->b = parse(s);
		if (t->b == NULL)
			return NULL;
	}
	return accept(s, '>') < 0 ? expected(s, "\">\"") : t;
}

/* One type. */
static struct type *
parse(struct parse *s)
{
	struct type *t = arena_alloc(s->l->a, sizeof(*t));
	size_t i, n;

	s->p += strspn(s->p, " ");
	n = strspn(s->p, NAME_CHARS);
	if (n == 0 || ++s->depth > MAX_NESTING)
		return expected(s, n == 0 ? "a name" : "less nesting");
	t->at = here(s, s->p);
	t->name = arena_strndup(s->l->a, s->p, n);
	s->p += n;
	for (i = 0; i < NWORDS; i++)
		if (strcmp(words[i].name, t->name) == 0)
			break;
	if (i == NWORDS) {
		t->kind = TYPE_NAMED;
		return t;
	}
	t->kind = words[i].kind;
	return words[i].args > 0 ? arguments(s, t, words[i].args) : t;
}

/* The whole scalar. */
const struct type *
load_type(struct load *l, const struct yml *y)
{
	struct parse s = {l, y, y->s, 0};
	struct type *t = parse(&s);

	if (t == NULL)
		return NULL;
	s.p += strspn(s.p, " \n");
	return *s.p != '\0' ? expected(&s, "nothing more") : t;
}
