/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Characters and words of text that is JSON, or JSON in strings, or neither. */
#include "redact_scan.h"

#include <string.h>

/* Inside how many strings is a quote with k backslashes in front? */
static unsigned
depth_of(size_t k)
{
	unsigned d = 0;

	for (; k & 1; k >>= 1)
		d++;
	return d;
}

/* Value of four hexadecimal digits, or -1. */
static int
hex4(const char *p)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = scan_lower((unsigned char)p[i]);
		if (c >= '0' && c <= '9')
			v = v * 16 + c - '0';
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + c - 'a' + 10;
		else
			return -1;
	}
	return v;
}

/* The character after k backslashes at i, k > 0. */
static struct tok
lex_escaped(const struct scan *s, size_t i, size_t k)
{
	size_t j = i + k;
	unsigned char c = j < s->n ? (unsigned char)s->p[j] : 0;
	struct tok t = {c, true, depth_of(k), k + 1};
	unsigned extra = 0;
	int v;

	switch (c) {
	case '"':
	case '\'':
	case '/': return t;
	case 'n':
	case 'r':
	case 't': t.c = ' '; return t;
	case 'u':
		v = s->n - j > 4 ? hex4(s->p + j + 1) : -1;
		if (v == -1)
			break;
		for (; (k & 1) == 0; k >>= 1)
			extra++;
		t.c = v < 0x80 ? (unsigned char)v : 0x80;
		t.depth = extra + depth_of(k);
		t.len += 4;
		return t;
	default: break;
	}
	return (struct tok){'\\', false, 0, j - i};
}

/* What begins with a backslash at i, or the end. */
struct tok
scan_lex_escaped(const struct scan *s, size_t i)
{
	size_t k = 0;

	while (i + k < s->n && s->p[i + k] == '\\')
		k++;
	return k != 0 ? lex_escaped(s, i, k) : (struct tok){0, false, 0, 0};
}

/* Behind white space, also escaped. */
size_t
scan_blanks(const struct scan *s, size_t i)
{
	struct tok t;

	while (t = scan_lex(s, i), t.len != 0 && scan_is_blank(t.c))
		i += t.len;
	return i;
}

/* Behind the rest of a word. */
size_t
scan_word(const struct scan *s, size_t i)
{
	struct tok t;

	while (t = scan_lex(s, i), t.len != 0 && scan_is_word(t.c))
		i += t.len;
	return i;
}

/* The last character before i that is not white space; 0 at the beginning. */
unsigned char
scan_before(const struct scan *s, size_t i)
{
	while (i > 0) {
		unsigned char c = (unsigned char)s->p[i - 1];
		bool esc = i > 1 && s->p[i - 2] == '\\';
		if (esc && (c == 'n' || c == 'r' || c == 't'))
			for (i--; i > 0 && s->p[i - 1] == '\\'; i--)
				continue;
		else if (scan_is_blank(c))
			i--;
		else
			return c;
	}
	return 0;
}

/* The input at i begins with lit. */
bool
scan_starts(const struct scan *s, size_t i, const char *lit)
{
	size_t n = strlen(lit);

	return s->n - i >= n && memcmp(s->p + i, lit, n) == 0;
}
