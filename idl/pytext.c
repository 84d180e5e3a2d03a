/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Python source from texts and values.  A value that does not fit its line is
 * opened: one element per line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prose.h"
#include "pytext.h"

/* What a quote, a backslash or a newline is written as, or NULL. */
static const char *
escape_of(char c, char quote)
{
	switch (c) {
	case '\'': return quote == c ? "\\'" : NULL;
	case '"': return quote == c ? "\\\"" : NULL;
	case '\\': return "\\\\";
	case '\n': return "\\n";
	case '\t': return "\\t";
	case '\r': return "\\r";
	default: return NULL;
	}
}

/* The quote that needs fewer escapes. */
static char
quote_for(struct str s)
{
	bool twice = s.n > 0 && memchr(s.p, '"', s.n) != NULL;

	return twice && memchr(s.p, '\'', s.n) == NULL ? '\'' : '"';
}

/* How many columns a byte takes in a literal. */
static size_t
columns_of(char c, char quote)
{
	const char *e = escape_of(c, quote);

	if (e != NULL)
		return strlen(e);
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* A literal in the given quotes. */
static void
quoted(struct buf *b, struct str s, char quote)
{
	const char *e;
	size_t i;

	buf_addc(b, quote);
	for (i = 0; i < s.n; i++) {
		e = escape_of(s.p[i], quote);
		if (e != NULL)
			buf_adds(b, e);
		else if ((unsigned char)s.p[i] < 0x20)
			buf_addf(b, "\\x%02x", (unsigned char)s.p[i]);
		else
			buf_addc(b, s.p[i]);
	}
	buf_addc(b, quote);
}

/* All of it between quotes. */
void
py_string(struct buf *b, struct str s)
{
	quoted(b, s, quote_for(s));
}

/* Columns of a whole literal. */
static size_t
literal_width(struct str s)
{
	char quote = quote_for(s);
	size_t i, n = 2;

	for (i = 0; i < s.n; i++)
		n += columns_of(s.p[i], quote);
	return n;
}

/* How much of s fits a line of a literal: up to behind a blank or newline
 * where there is one. */
static size_t
fitting(struct str s, char quote, size_t room)
{
	size_t i, cols = 2, cut = 0;

	for (i = 0; i < s.n; i++) {
		cols += columns_of(s.p[i], quote);
		if (cols > room && cut > 0)
			return cut;
		if (s.p[i] == '\n')
			return i + 1;
		if (s.p[i] == ' ')
			cut = i + 1;
	}
	return s.n;
}

/* A literal, in parentheses where it takes several lines. */
void
py_long(
    struct buf *b, const char *s, size_t indent, size_t used, const char *after)
{
	struct str rest = str_of(s), run;
	char quote = quote_for(rest);
	size_t in = indent + 4;

	if (strchr(s, '\n') == NULL &&
	    used + literal_width(rest) + strlen(after) <= PY_COLUMNS) {
		py_string(b, rest);
		buf_adds(b, after);
		return;
	}
	buf_adds(b, "(\n");
	while (rest.n > 0) {
		run =
		    (struct str){rest.p, fitting(rest, quote, PY_COLUMNS - in)};
		rest.p += run.n;
		rest.n -= run.n;
		buf_addf(b, "%*s", (int)in, "");
		quoted(b, run, quote);
		buf_addc(b, '\n');
	}
	buf_addf(b, "%*s)%s", (int)indent, "", after);
}

/* Prose with its lines filled, so that each fits its literal. */
void
py_prose(struct buf *b, const char *prose, size_t indent, size_t used,
    const char *after)
{
	struct buf filled = BUF_INIT;

	prose_fill(&filled, prose, "", PY_COLUMNS - indent - 8);
	if (filled.n > 0)
		filled.n--; /* the last newline */
	buf_addc(&filled, '\0');
	py_long(b, filled.p, indent, used, after);
	buf_fini(&filled);
}

/* A doc string's text: backslashes and quotes must not end it. */
static void
doc_text(struct buf *b, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' ||
		    (s.p[i] == '"' && (i + 1 == s.n || s.p[i + 1] == '"')))
			buf_addc(b, '\\');
		buf_addc(b, s.p[i]);
	}
}

/* Three quotes, a line, the rest. */
void
py_doc(struct buf *b, const char *first, const char *prose, size_t indent)
{
	struct buf body = BUF_INIT;
	char in[32];

	snprintf(in, sizeof(in), "%*s", (int)indent, "");
	buf_addf(b, "%s\"\"\"", in);
	doc_text(b, str_of(first));
	if (prose != NULL) {
		buf_adds(b, "\n\n");
		prose_fill(&body, prose, in, PY_COLUMNS - 1);
		doc_text(b, (struct str){body.p, body.n});
		buf_adds(b, in);
	}
	buf_adds(b, "\"\"\"\n");
	buf_fini(&body);
}

/* A value on one line. */
static void
flat(struct buf *b, json_t *v)
{
	const char *key;
	json_t *e;
	size_t i;
	bool first = true;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		buf_addc(b, '{');
		json_object_foreach(v, key, e)
		{
			buf_adds(b, first ? "" : ", ");
			first = false;
			py_string(b, str_of(key));
			buf_adds(b, ": ");
			flat(b, e);
		}
		buf_addc(b, '}');
		break;
	case JSON_ARRAY:
		buf_addc(b, '[');
		json_array_foreach(v, i, e)
		{
			buf_adds(b, i == 0 ? "" : ", ");
			flat(b, e);
		}
		buf_addc(b, ']');
		break;
	case JSON_STRING: py_string(b, str_of(json_string_value(v))); break;
	case JSON_INTEGER: buf_addi(b, json_integer_value(v)); break;
	case JSON_REAL: buf_addf(b, "%.17g", json_real_value(v)); break;
	case JSON_TRUE: buf_adds(b, "True"); break;
	case JSON_FALSE: buf_adds(b, "False"); break;
	default: buf_adds(b, "None");
	}
}

/* An object or a list with one element per line. */
static void
opened(struct buf *b, json_t *v, size_t indent, const char *after)
{
	bool list = json_is_array(v);
	const char *key;
	json_t *e;
	size_t i, in = indent + 4, start;

	buf_adds(b, list ? "[\n" : "{\n");
	json_array_foreach(v, i, e)
	{
		buf_addf(b, "%*s", (int)in, "");
		py_value(b, e, in, in, ",");
		buf_addc(b, '\n');
	}
	json_object_foreach(v, key, e)
	{
		start = b->n;
		buf_addf(b, "%*s", (int)in, "");
		py_string(b, str_of(key));
		buf_adds(b, ": ");
		py_value(b, e, in, b->n - start, ",");
		buf_addc(b, '\n');
	}
	buf_addf(b, "%*s%c%s", (int)indent, "", list ? ']' : '}', after);
}

/* On one line when it fits. */
void
py_value(
    struct buf *b, json_t *v, size_t indent, size_t used, const char *after)
{
	struct buf one = BUF_INIT;

	flat(&one, v);
	if (used + one.n + strlen(after) <= PY_COLUMNS ||
	    (!json_is_object(v) && !json_is_array(v)))
		buf_addf(b, "%.*s%s", (int)one.n, one.p, after);
	else
		opened(b, v, indent, after);
	buf_fini(&one);
}
