/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Where values end.  In doubt later rather than sooner: what is cut off a
 * secret would be printed. */
#include "redact_scan.h"

#include <string.h>

/* What comes at i can follow a string that began with `open`.  In JSON little
 * can; a quote in the middle of a word does not end a secret. */
static bool
can_follow(const struct scan *s, size_t i, struct tok open, enum form f)
{
	unsigned depth = open.c == '"' ? open.depth : s->level;
	struct tok t = scan_lex(s, i);

	if (f != F_JSON && (scan_is_blank(t.c) || (t.c && strchr("&|<>", t.c))))
		return true;
	if (t.c == '/' && scan_lex(s, i + t.len).c == '>')
		return true;
	t = scan_lex(s, scan_blanks(s, i));
	if (t.len == 0)
		return true;
	if (t.c == '"')
		return t.depth < depth || f != F_JSON;
	return t.c != '\0' && strchr(",}]);", t.c) != NULL;
}

/* A quote that ends the string around us, which may be a name, too. */
bool
scan_ends_outer(const struct scan *s, size_t i, struct tok t)
{
	return t.c == '"' && t.depth < s->level &&
	    (can_follow(s, i + t.len, t, F_JSON) ||
		scan_lex(s, scan_blanks(s, i + t.len)).c == ':');
}

/* End of the string that `open` began, i is behind it.  *close is its quote,
 * or has length 0. */
size_t
scan_string_end(const struct scan *s, size_t i, struct tok open, enum form f,
    struct tok *close)
{
	size_t begin = i;

	for (; i - begin <= MASK_MAX; i += close->len) {
		*close = scan_lex(s, i);
		if (close->len == 0)
			return i;
		if (close->c == open.c && close->depth == open.depth &&
		    can_follow(s, i + close->len, open, f))
			return i;
		if (open.c == '"' ? close->c == '"' && close->depth < open.depth
				  : scan_ends_outer(s, i, *close))
			break;
	}
	close->len = 0;
	return i;
}

/* End of the object or list that begins at i; its strings have quotes like
 * `quote`. */
size_t
scan_struct_end(const struct scan *s, size_t i, struct tok quote)
{
	size_t begin = i, open = 0;
	bool in_string = false;
	struct tok t;

	for (; t = scan_lex(s, i), t.len != 0 && i - begin <= MASK_MAX;
	     i += t.len) {
		if (scan_is_quote(t) && t.c == quote.c) {
			if (t.depth < quote.depth)
				return i;
			if (t.depth == quote.depth)
				in_string = !in_string;
		} else if (in_string) {
			continue;
		} else if (t.c == '{' || t.c == '[') {
			open++;
		} else if ((t.c == '}' || t.c == ']') && --open == 0) {
			return i + t.len;
		}
	}
	return i;
}

/* End of a number, true, false or null at i, or i when it is something else. */
size_t
scan_literal_end(const struct scan *s, size_t i)
{
	size_t begin = i;
	struct tok t;

	while (
	    t = scan_lex(s, i), t.len == 1 && (scan_is_word(t.c) || t.c == '+'))
		i++;
	return t.len == 0 || scan_is_blank(t.c) || t.c == '"' ||
		strchr(",}]", t.c ? t.c : '.') != NULL
	    ? i
	    : begin;
}

/* A value of which the first line may be empty or a YAML mark, and the rest
 * follows indented. */
static bool
is_block(const struct scan *s, size_t i)
{
	struct tok t = scan_lex(s, i);

	return t.c == '|' || t.c == '>' || t.c == '\n' || t.c == '\r';
}

/* End of a value without quotes. */
size_t
scan_bare_end(const struct scan *s, size_t i, enum form f)
{
	size_t begin = i, parens = 0;
	bool block = f == F_LINE && is_block(s, i);
	struct tok t;

	if (f == F_JSON && scan_literal_end(s, i) != i)
		return scan_literal_end(s, i);
	for (; i - begin <= MASK_MAX; i += t.len) {
		t = scan_lex(s, i);
		if (t.len == 0 || scan_ends_outer(s, i, t))
			break;
		if (f == F_PAREN && t.c == '(')
			parens++;
		if (f == F_PAREN && t.c == ')' && parens-- == 0)
			break;
		if (f == F_ASSIGN && scan_is_blank(t.c) && !t.escaped)
			break;
		if ((f == F_LINE || f == F_JSON) && t.c == '\n' &&
		    !(block && scan_is_blank(scan_lex(s, i + 1).c)))
			break;
	}
	return i;
}

/* The end of the tag that i is in; false when there is none near. */
bool
scan_tag_end(const struct scan *s, size_t i, struct tag *g)
{
	size_t begin = i;
	struct tok t;

	g->empty = false;
	for (; i - begin < LOOK_MAX; i += t.len) {
		t = scan_lex(s, i);
		if (t.len == 0 || t.c == '<')
			return false;
		if (t.c == '>') {
			g->close = g->empty ? g->close : i;
			g->end = i + t.len;
			return true;
		}
		g->empty = t.c == '/';
		g->close = i;
	}
	g->empty = false; /* endless: in doubt a tag */
	g->close = g->end = i;
	return true;
}

/* Where "</name" begins, from i on; the end of the text or string when it does
 * not come. */
size_t
scan_element_end(const struct scan *s, size_t i, struct str name)
{
	size_t begin = i, j;
	struct tok t;

	for (; i - begin <= MASK_MAX; i += t.len) {
		t = scan_lex(s, i);
		if (t.len == 0 || scan_ends_outer(s, i, t))
			break;
		if (t.c != '<' || scan_lex(s, i + t.len).c != '/')
			continue;
		j = i + t.len;
		j += scan_lex(s, j).len;
		if (s->n - j >= name.n && memcmp(s->p + j, name.p, name.n) == 0)
			break;
	}
	return i;
}

/* Where the authority of a URI ends, from i on; *at is its last '@', or 0. */
size_t
scan_authority(
    const struct scan *s, size_t i, const char *stop, size_t *last_at)
{
	size_t begin = i;
	struct tok t;

	*last_at = 0;
	for (; i - begin < LOOK_MAX; i += t.len) {
		t = scan_lex(s, i);
		if (t.len == 0 || scan_is_blank(t.c) || t.c == '"' ||
		    (t.c && strchr(stop, t.c) != NULL))
			return i;
		if (t.c == '@')
			*last_at = i;
	}
	*last_at = i; /* endless: in doubt it is a secret */
	return i;
}
