/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Prose by lines: what a line begins with says what block it belongs to.
 */
#include <string.h>

#include "prose.h"

#define CODE_INDENT 4

/* The line at p, without its newline; *next is behind it. */
static struct str
line_at(const char *p, const char **next)
{
	size_t n = strcspn(p, "\n");

	*next = p[n] == '\n' ? p + n + 1 : p + n;
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return (struct str){p, n};
}

/* Blanks at the front of a line. */
static size_t
indent_of(struct str l)
{
	size_t n = 0;

	while (n < l.n && l.p[n] == ' ')
		n++;
	return n;
}

/* "- " after any indentation below code's. */
static bool
is_item(struct str l)
{
	size_t n = indent_of(l);

	return n < CODE_INDENT && l.n > n + 1 && l.p[n] == '-' &&
	    l.p[n + 1] == ' ';
}

/* Lines of code, empty ones inside included. */
static void
take_code(struct prose *s)
{
	size_t end = 0;
	const char *next;
	struct str l;

	for (;;) {
		l = line_at(s->p, &next);
		if (*s->p == '\0' || (l.n > 0 && indent_of(l) < CODE_INDENT))
			break;
		if (l.n > 0)
			buf_add(&s->text, l.p + CODE_INDENT, l.n - CODE_INDENT);
		buf_addc(&s->text, '\n');
		if (l.n > 0)
			end = s->text.n;
		s->p = next;
	}
	if (s->text.n > end)
		s->text.n = end; /* empty lines behind the last one */
}

/* Lines of a paragraph or an item on one line, up to an empty line, the next
 * item, or (for a paragraph) code. */
static void
take_text(struct prose *s)
{
	bool first = true;
	const char *next;
	struct str l;

	for (; *s->p != '\0'; s->p = next, first = false) {
		l = line_at(s->p, &next);
		if (l.n == 0 || (!first && is_item(l)))
			break;
		if (!first)
			buf_addc(&s->text, ' ');
		l.n -= indent_of(l);
		l.p = l.p + (line_at(s->p, &next).n - l.n);
		if (first && l.n > 1 && l.p[0] == '-' && l.p[1] == ' ') {
			l.p += 2;
			l.n -= 2;
		}
		buf_add(&s->text, l.p, l.n);
	}
}

/* The next block. */
enum prose_kind
prose_next(struct prose *s)
{
	enum prose_kind k;
	const char *next;
	struct str l;

	buf_reset(&s->text);
	while ((l = line_at(s->p, &next)).n == 0 && *s->p != '\0')
		s->p = next;
	if (*s->p == '\0')
		return PROSE_END;
	if (indent_of(l) >= CODE_INDENT) {
		take_code(s);
		k = PROSE_CODE;
	} else {
		k = is_item(l) ? PROSE_ITEM : PROSE_PARA;
		take_text(s);
	}
	buf_addc(&s->text, '\0');
	s->text.n--;
	return k;
}

/* Free the text. */
void
prose_fini(struct prose *s)
{
	buf_fini(&s->text);
}

/* Runs between backquotes. */
bool
prose_span(const char **p, struct str *run, bool *code)
{
	const char *s = *p, *end;

	if (*s == '\0')
		return false;
	*code = *s == '`' && strchr(s + 1, '`') != NULL;
	if (*code) {
		end = strchr(s + 1, '`');
		*run = (struct str){s + 1, (size_t)(end - s - 1)};
		*p = end + 1;
		return true;
	}
	end = strchr(s + 1, '`');
	run->n = end != NULL ? (size_t)(end - s) : strlen(s);
	run->p = s;
	*p = s + run->n;
	return true;
}

/* Up to the first full stop before a blank. */
struct str
prose_first(const char *doc)
{
	size_t i, n = strlen(doc);

	for (i = 0; i < n; i++) {
		if (doc[i] == '\n' && doc[i + 1] == '\n')
			return (struct str){doc, i};
		if (doc[i] == '.' &&
		    (doc[i + 1] == ' ' || doc[i + 1] == '\n' ||
			doc[i + 1] == '\0'))
			return (struct str){doc, i + 1};
	}
	return (struct str){doc, n};
}

/* Columns of a word: bytes that do not continue a UTF-8 letter. */
static size_t
columns(const char *s, size_t n)
{
	size_t i, c = 0;

	for (i = 0; i < n; i++)
		c += ((unsigned char)s[i] & 0xc0) != 0x80;
	return c;
}

/* Words in lines of at most `width` columns. */
static void
fill(struct buf *b, const char *s, const char *prefix, const char *mark,
    size_t width)
{
	size_t margin = strlen(prefix) + strlen(mark), col = margin, n, c;
	bool fresh = true;

	buf_addf(b, "%s%s", prefix, mark);
	for (s += strspn(s, " "); *s != '\0'; s += strspn(s, " ")) {
		n = strcspn(s, " ");
		c = columns(s, n);
		if (!fresh && col + 1 + c > width) {
			buf_addf(b, "\n%s%*s", prefix, (int)strlen(mark), "");
			col = margin;
			fresh = true;
		}
		if (!fresh)
			buf_addc(b, ' ');
		buf_add(b, s, n);
		col += c + (fresh ? 0 : 1);
		fresh = false;
		s += n;
	}
	buf_addc(b, '\n');
}

/* Code, line by line, indented. */
static void
fill_code(struct buf *b, const char *s, const char *prefix)
{
	const char *next;
	struct str l;

	for (; *s != '\0'; s = next) {
		l = line_at(s, &next);
		if (l.n > 0)
			buf_addf(b, "%s    %.*s", prefix, (int)l.n, l.p);
		buf_addc(b, '\n');
	}
}

/* An empty line, with the prefix but no blanks at its end. */
static void
blank_line(struct buf *b, const char *prefix)
{
	size_t n = strlen(prefix);

	while (n > 0 && prefix[n - 1] == ' ')
		n--;
	buf_add(b, prefix, n);
	buf_addc(b, '\n');
}

/* All blocks, with empty lines between those that are not items in a row. */
void
prose_fill(struct buf *b, const char *doc, const char *prefix, size_t width)
{
	struct prose s = {.p = doc};
	enum prose_kind k, last = PROSE_END;

	while ((k = prose_next(&s)) != PROSE_END) {
		if (last != PROSE_END && !(k == PROSE_ITEM && last == k))
			blank_line(b, prefix);
		if (k == PROSE_CODE)
			fill_code(b, s.text.p, prefix);
		else
			fill(b, s.text.p, prefix, k == PROSE_ITEM ? "- " : "",
			    width);
		last = k;
	}
	prose_fini(&s);
}
