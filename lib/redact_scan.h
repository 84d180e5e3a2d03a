/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The inside of redact: text as tokens of JSON that may be nested in strings,
 * and where the things end that values can be.
 *
 * Nesting needs no stack: a quote that opens or closes a string which is d
 * times inside other strings has backslashes in front whose number tells d
 * (0, 1, 3, 7, ... and more when the text before it ends in backslashes).
 * `level` counts the strings that are open.
 */
#ifndef XMSG_REDACT_SCAN_H
#define XMSG_REDACT_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "str.h"

#define LOOK_MAX 4096 /* how far a URI or a tag is looked through */
#define MASK_MAX 65536 /* a longer value ends the output */

enum form {
	F_JSON, /* after a quoted key: a JSON value */
	F_ASSIGN, /* key=value: up to a blank */
	F_LINE, /* key: value: up to the end of the line */
	F_PAREN, /* (key value): up to the parenthesis */
};

struct scan {
	const char *p;
	size_t n, i; /* input, and where we are in it */
	size_t from; /* first byte not yet written or masked */
	char *out;
	size_t max, o; /* output, and how much is there */
	bool full; /* there is more than fits, or than we look at */
	bool hot; /* a key word since the last quote */
	bool eaten; /* masked text, in which a key word may have been */
	unsigned level;
	size_t word; /* where the word at i begins */
	size_t open; /* the last quote, and the byte behind it */
	size_t str;
};

/* One character as the innermost reader would see it. */
struct tok {
	unsigned char c; /* ' ' for escaped white space, 0 with len 0: end */
	bool escaped; /* not written as itself */
	unsigned depth; /* quotes: inside how many strings */
	size_t len; /* bytes of input */
};

/* End of a tag. */
struct tag {
	size_t close; /* ">" or "/>" */
	size_t end; /* behind it */
	bool empty; /* it is "/>" */
};

/* Classes of bytes; bytes from 0x80 count as parts of words.  Here, as they are
 * asked of every byte. */
static inline unsigned char
scan_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static inline bool
scan_is_letter(unsigned char c)
{
	return (unsigned char)((c | 0x20) - 'a') < 26;
}

static inline bool
scan_is_word(unsigned char c)
{
	return scan_is_letter(c) || (c >= '0' && c <= '9') || c == '_' ||
	    c == '-' || c == '.' || c >= 0x80;
}

static inline bool
scan_is_blank(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A quote that key names and values have around them. */
static inline bool
scan_is_quote(struct tok t)
{
	return t.c == '"' || t.c == '\'';
}

/* What begins with a backslash at i, or the end. */
struct tok scan_lex_escaped(const struct scan *s, size_t i);

/* The character at i. */
static inline struct tok
scan_lex(const struct scan *s, size_t i)
{
	if (i < s->n && s->p[i] != '\\')
		return (struct tok){(unsigned char)s->p[i], false, 0, 1};
	return scan_lex_escaped(s, i);
}

/* The place behind blanks, behind a word; the last character before i that is
 * not blank (0: none); does lit begin at i? */
size_t scan_blanks(const struct scan *s, size_t i);
size_t scan_word(const struct scan *s, size_t i);
unsigned char scan_before(const struct scan *s, size_t i);
bool scan_starts(const struct scan *s, size_t i, const char *lit);

/* t, a quote at i, ends the string we are in. */
bool scan_ends_outer(const struct scan *s, size_t i, struct tok t);

/* End of the string that `open` began, i is behind it.  *close is its quote,
 * or has length 0. */
size_t scan_string_end(const struct scan *s, size_t i, struct tok open,
    enum form f, struct tok *close);

/* End of what begins at i: an object or list whose strings have quotes like
 * `quote`; a number, true, false or null (i: it is none); any other value. */
size_t scan_struct_end(const struct scan *s, size_t i, struct tok quote);
size_t scan_literal_end(const struct scan *s, size_t i);
size_t scan_bare_end(const struct scan *s, size_t i, enum form f);

/* The end of the tag that i is in; false when there is none near. */
bool scan_tag_end(const struct scan *s, size_t i, struct tag *g);

/* Where "</name" begins, from i on, or the text or the string ends. */
size_t scan_element_end(const struct scan *s, size_t i, struct str name);

/* Where the authority of a URI ends; *last_at is its last '@', or 0. */
size_t scan_authority(
    const struct scan *s, size_t i, const char *stop, size_t *last_at);

#endif
