/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Pieces of code in the HTML reference: values laid out as a person would,
 * and colours, put in here so that they are there without JavaScript.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "emit_html.h"

#define COLUMNS ((size_t)72)

/* A value on one line with blanks as Python's json prints them. */
static void
flat(struct buf *b, json_t *v, size_t flags)
{
	char *s = json_dumps(v, JSON_ENCODE_ANY | flags);

	if (s == NULL)
		b->failed = true;
	else
		buf_adds(b, s);
	free(s);
}

/* One line, ASCII only. */
void
html_json_line(struct buf *b, json_t *v)
{
	flat(b, v, JSON_ENSURE_ASCII);
}

/* A key with its colon. */
static void
json_key(struct buf *b, const char *key)
{
	json_t *k = json_string(key);

	flat(b, k, 0);
	buf_adds(b, ": ");
	json_decref(k);
}

/* One element per line. */
static void
json_open(struct buf *b, json_t *v, size_t indent)
{
	bool list = json_is_array(v), first = true;
	size_t i, in = indent + 2, start;
	const char *key;
	json_t *e;

	buf_addc(b, list ? '[' : '{');
	json_array_foreach(v, i, e)
	{
		buf_addf(b, "%s\n%*s", first ? "" : ",", (int)in, "");
		html_json(b, e, in, in + 1);
		first = false;
	}
	json_object_foreach(v, key, e)
	{
		buf_addf(b, "%s\n%*s", first ? "" : ",", (int)in, "");
		start = b->n;
		json_key(b, key);
		html_json(b, e, in, in + b->n - start + 1);
		first = false;
	}
	buf_addf(b, "\n%*s%c", (int)indent, "", list ? ']' : '}');
}

/* On one line when it fits; `used` columns are taken already. */
void
html_json(struct buf *b, json_t *v, size_t indent, size_t used)
{
	struct buf one = BUF_INIT;

	flat(&one, v, 0);
	if (used + one.n <= COLUMNS ||
	    (!json_is_object(v) && !json_is_array(v)))
		buf_add(b, one.p, one.n);
	else
		json_open(b, v, indent);
	buf_fini(&one);
}

/* Words with a colour of their own. */
static bool
is_keyword(const char *lang, struct str w)
{
	static const char *const ocaml[] = {"else", "end", "fun", "if", "in",
	    "include", "let", "match", "module", "open", "raise", "struct",
	    "then", "type", "with", NULL};
	static const char *const python[] = {"and", "as", "class", "def",
	    "else", "elif", "except", "False", "false", "finally", "for",
	    "from", "if", "import", "in", "is", "None", "not", "null", "or",
	    "pass", "raise", "return", "True", "true", "try", "with", "while",
	    NULL};
	const char *const *words = strcmp(lang, "ocaml") == 0 ? ocaml : python;
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		if (str_eq(w, str_of(words[i])))
			return true;
	return false;
}

/* A piece in its colour. */
static void
token(struct buf *b, const char *class, struct str s)
{
	if (class != NULL)
		buf_addf(b, "<span class=\"%s\">", class);
	html_esc(b, s);
	if (class != NULL)
		buf_adds(b, "</span>");
}

/* Bytes of the literal at s, which begins with a quote. */
static size_t
literal(struct str s)
{
	size_t i, q = 1;

	if (s.n >= 3 && s.p[1] == s.p[0] && s.p[2] == s.p[0])
		q = 3;
	for (i = q; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == s.p[0] &&
		    (q == 1 ||
			(i + 2 < s.n && s.p[i + 1] == s.p[0] &&
			    s.p[i + 2] == s.p[0])))
			return i + q;
	}
	return s.n;
}

/* Bytes of a word or a number. */
static size_t
word(struct str s)
{
	size_t i = 0;

	while (i < s.n &&
	    (isalnum((unsigned char)s.p[i]) || strchr("_.", s.p[i]) != NULL))
		i++;
	return i;
}

/* The next token: its length and its class. */
static size_t
next_token(const char *lang, struct str s, const char **class)
{
	const char *end;
	size_t n;

	*class = NULL;
	if (s.p[0] == '"' || s.p[0] == '\'') {
		n = literal(s);
		*class = n < s.n && s.p[n] == ':' ? "k" : "s";
	} else if (strcmp(lang, "ocaml") == 0 && s.n > 1 && s.p[0] == '(' &&
	    s.p[1] == '*') {
		end = memmem(s.p, s.n, "*)", 2);
		n = end != NULL ? (size_t)(end - s.p) + 2 : s.n;
		*class = "c";
	} else if (s.p[0] == '#') {
		end = memchr(s.p, '\n', s.n);
		n = end != NULL ? (size_t)(end - s.p) : s.n;
		*class = "c";
	} else if (isdigit((unsigned char)s.p[0])) {
		n = word(s);
		*class = "n";
	} else if (isalpha((unsigned char)s.p[0]) || s.p[0] == '_') {
		n = word(s);
		*class = is_keyword(lang, (struct str){s.p, n}) ? "w" : NULL;
	} else {
		n = 1;
	}
	return n;
}

/* JSON, Python or OCaml. */
static void
coloured(struct buf *b, const char *lang, struct str s)
{
	const char *class;
	size_t n;

	while (s.n > 0) {
		n = next_token(lang, s, &class);
		token(b, class, (struct str){s.p, n});
		s.p += n;
		s.n -= n;
	}
}

/* What is typed stands out from what is answered. */
static void
console(struct buf *b, struct str s)
{
	bool typed = false;
	const char *nl;
	size_t n;

	while (s.n > 0) {
		nl = memchr(s.p, '\n', s.n);
		n = nl != NULL ? (size_t)(nl - s.p) : s.n;
		/* A line that ends with a backslash or a bar goes on. */
		if (n > 1 && s.p[0] == '$' && s.p[1] == ' ') {
			buf_adds(b, "<span class=\"p\">$ </span>");
			token(b, "i", (struct str){s.p + 2, n - 2});
			typed = true;
		} else {
			token(b, typed ? "i" : "o", (struct str){s.p, n});
		}
		typed = typed && n > 0 && strchr("\\|", s.p[n - 1]) != NULL;
		if (nl != NULL)
			buf_addc(b, '\n');
		n += nl != NULL;
		s.p += n;
		s.n -= n;
	}
}

/* A block; the label says what it is, "" when that is clear. */
void
html_code(struct buf *b, const char *lang, const char *label, struct str s)
{
	while (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	buf_addf(b, "<div class=\"code\" data-lang=\"%s\">", lang);
	if (label[0] != '\0') {
		buf_adds(b, "<div class=\"label\">");
		html_escs(b, label);
		buf_adds(b, "</div>");
	}
	buf_adds(b, "<pre><code>");
	if (strcmp(lang, "console") == 0)
		console(b, s);
	else if (strcmp(lang, "text") == 0)
		html_esc(b, s);
	else
		coloured(b, lang, s);
	buf_adds(b, "</code></pre></div>\n");
}
