/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Doc comments.  Two readers must not stumble: odoc, for which {}[]@ mean
 * something, and the compiler, which looks for texts in quotes even inside of
 * comments, so that quotes have to come in pairs.
 */
#include <stdio.h>
#include <string.h>

#include "emit_ml.h"
#include "prose.h"

/* Text outside of backquotes. */
static void
plain(struct buf *b, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (strchr("{}[]@", s.p[i]) != NULL)
			buf_addc(b, '\\');
		buf_addc(b, s.p[i]);
	}
}

/* Names and code: brackets in it must not end it. */
static void
code(struct buf *b, struct str s)
{
	size_t i;

	buf_addc(b, '[');
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '[' || s.p[i] == ']')
			buf_addc(b, '\\');
		buf_addc(b, s.p[i]);
	}
	buf_addc(b, ']');
}

/* Quotes that the compiler would not find the end of are written as two
 * apostrophes. */
static void
pair_quotes(struct buf *b, size_t from)
{
	struct buf old = BUF_INIT;
	size_t i, n = 0;
	bool risky = false;

	for (i = from; i < b->n; i++) {
		n += b->p[i] == '"';
		risky |= b->p[i] == '\\' && i + 1 < b->n && b->p[i + 1] == '"';
	}
	if (n == 0 || (n % 2 == 0 && !risky))
		return;
	buf_add(&old, b->p + from, b->n - from);
	b->n = from;
	for (i = 0; i < old.n; i++)
		if (old.p[i] == '"')
			buf_adds(b, "''");
		else
			buf_addc(b, old.p[i]);
	buf_fini(&old);
}

/* A paragraph or an item, filled. */
static void
text_block(struct buf *b, const char *text, bool item, size_t indent)
{
	struct buf t = BUF_INIT;
	const char *p = text;
	struct str run;
	char prefix[32];
	bool is_code;

	buf_adds(&t, item ? "- " : "");
	while (prose_span(&p, &run, &is_code))
		(is_code ? code : plain)(&t, run);
	pair_quotes(&t, 0);
	buf_addc(&t, '\0');
	snprintf(prefix, sizeof(prefix), "%*s", (int)indent, "");
	prose_fill(b, t.p, prefix, ML_COLUMNS - 3);
	buf_fini(&t);
}

/* Lines as they stand. */
static void
code_block(struct buf *b, const char *text, size_t indent)
{
	size_t from = b->n, n;

	buf_addf(b, "%*s{[\n", (int)indent, "");
	for (; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if (n > 0)
			buf_addf(
			    b, "%*s%.*s", (int)indent + 2, "", (int)n, text);
		buf_addc(b, '\n');
	}
	buf_addf(b, "%*s]}\n", (int)indent, "");
	pair_quotes(b, from);
}

/* Block by block. */
void
ml_prose(struct buf *b, const char *prose, size_t indent)
{
	struct prose s = {.p = prose};
	enum prose_kind k, last = PROSE_END;

	while ((k = prose_next(&s)) != PROSE_END) {
		if (last != PROSE_END && !(k == PROSE_ITEM && last == k))
			buf_addc(b, '\n');
		if (k == PROSE_CODE)
			code_block(b, s.text.p, indent);
		else
			text_block(b, s.text.p, k == PROSE_ITEM, indent);
		last = k;
	}
	prose_fini(&s);
}

/* The prose goes on two columns further in. */
void
ml_tag(struct buf *b, const char *tag, const char *prose, size_t indent)
{
	struct buf t = BUF_INIT, doc = BUF_INIT;
	size_t skip = 0;

	buf_addf(&doc, "%s %s", tag, prose);
	buf_addc(&doc, '\0');
	ml_prose(&t, doc.p, indent + 2);
	while (skip < t.n && t.p[skip] == ' ')
		skip++;
	buf_addf(b, "%*s@%.*s", (int)indent, "", (int)(t.n - skip), t.p + skip);
	buf_fini(&t);
	buf_fini(&doc);
}

/* @since and @deprecated; `parent` may be NULL. */
void
ml_life(struct buf *b, const struct life *l, const struct life *parent,
    size_t indent)
{
	const struct life *e;

	if (l == parent)
		return;
	ml_tag(b, "since", life_first(l)->release->title, indent);
	for (e = l; e != NULL; e = e->next)
		if (e->kind == LIFE_DEPRECATED)
			ml_tag(b, "deprecated", e->note, indent);
}

/* `body` was made with an indentation of `indent` + 4, where the comment's
 * opening goes. */
void
ml_doc(struct buf *b, const struct buf *body, size_t indent)
{
	buf_addf(b, "%*s(** %.*s *)\n", (int)indent, "",
	    (int)(body->n - indent - 5), body->p + indent + 4);
}

/* `body` as for ml_doc with the indentation that a line of its own has;
 * `line` is where the line began that the field stands on. */
void
ml_doc_after(struct buf *b, const struct buf *body, size_t line, size_t indent)
{
	const char *text = body->p + indent + 4;
	size_t n = body->n - indent - 5;

	if (memchr(text, '\n', n) == NULL &&
	    b->n - line + 2 + n + 7 <= ML_COLUMNS) {
		buf_addf(b, "  (** %.*s *)\n", (int)n, text);
		return;
	}
	buf_addc(b, '\n');
	ml_doc(b, body, indent);
}
