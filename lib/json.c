/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Byte-transparent JSON.  Strings are where the bytes are, so both directions
 * look for the next special byte eight at a time and move whole runs.
 *
 * The reader keeps no stack: the caller knows whether it is in an array or in
 * an object, and one flag says whether a comma is due.  An escape is never
 * shorter than what it stands for, so decoding in place only moves bytes down.
 */
#include "json.h"

#include <endian.h>
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NUMBER 400 /* bytes of a number that is no plain integer */

/* ---- finding special bytes ---- */

/*
 * Eight bytes in a word, the first one lowest.  Each macro sets the high bit of
 * bytes that have the property; above the lowest of them there may be false
 * ones, so only the lowest is used.
 */
#define ONES	   (~(uint64_t)0 / 255)
#define HIGHS	   (ONES * 0x80)
#define LESS(v, c) (((v)-ONES * (c)) & ~(v)&HIGHS)
#define EQ(v, c)   LESS((v) ^ (ONES * (c)), 1)

/* Eight bytes. */
static uint64_t
load8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return le64toh(v);
}

/* Which of eight bytes is the first with its high bit set. */
static size_t
lowest(uint64_t v)
{
	return (size_t)__builtin_ctzll(v) >> 3;
}

/* Must it be escaped when written. */
static bool
must_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

/* How many bytes from p on can be written as they are. */
static size_t
plain_run(const char *p, size_t n)
{
	size_t i = 0;
	uint64_t v;

	for (; i + 8 <= n; i += 8) {
		v = load8(p + i);
		v = LESS(v, 0x20) | EQ(v, '"') | EQ(v, '\\') | EQ(v, 0x7f);
		if (v != 0)
			return i + lowest(v);
	}
	while (i < n && !must_escape((unsigned char)p[i]))
		i++;
	return i;
}

/* How many bytes from p on come before a quote or a backslash. */
static size_t
quoted_run(const char *p, size_t n)
{
	size_t i = 0;
	uint64_t v;

	for (; i + 8 <= n; i += 8) {
		v = load8(p + i);
		v = EQ(v, '"') | EQ(v, '\\');
		if (v != 0)
			return i + lowest(v);
	}
	while (i < n && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

/* ---- writing ---- */

/* buf_add, without a call while there is room. */
static inline void
add(struct buf *b, const char *p, size_t n)
{
	size_t room = b->max != 0 && b->max < b->cap ? b->max : b->cap;

	if (b->failed || room < b->n || n > room - b->n) {
		buf_add(b, p, n);
		return;
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

/* One byte that cannot stand for itself. */
static void
put_escape(struct buf *b, unsigned char c)
{
	static const char names[256] = {
	    ['\b'] = 'b',
	    ['\t'] = 't',
	    ['\n'] = 'n',
	    ['\f'] = 'f',
	    ['\r'] = 'r',
	    ['"'] = '"',
	    ['\\'] = '\\',
	};
	static const char hex[] = "0123456789abcdef";
	char two[2] = {'\\', names[c]};
	char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	if (names[c] != '\0')
		add(b, two, sizeof two);
	else
		add(b, six, sizeof six);
}

/* A string with its quotes. */
void
json_put_str(struct buf *b, struct str s)
{
	size_t run;

	if (buf_reserve(b, s.n + 2) == NULL)
		return;
	add(b, "\"", 1);
	for (;;) {
		run = plain_run(s.p, s.n);
		if (run > 0)
			add(b, s.p, run);
		if (run == s.n)
			break;
		put_escape(b, (unsigned char)s.p[run]);
		s.p += run + 1;
		s.n -= run + 1;
	}
	add(b, "\"", 1);
}

/* A number with a fraction or an exponent. */
void
json_put_float(struct buf *b, double v)
{
	char tmp[40];
	bool integral = true;
	size_t i, n;

	snprintf(tmp, sizeof tmp, "%.16g", v);
	if (strtod(tmp, NULL) != v)
		snprintf(tmp, sizeof tmp, "%.17g", v);
	n = strlen(tmp);
	for (i = 0; i < n; i++) {
		if ((tmp[i] >= '0' && tmp[i] <= '9') || tmp[i] == '-')
			continue;
		integral = false;
		/* the locale may have its own decimal point */
		if (tmp[i] != 'e' && tmp[i] != '+')
			tmp[i] = '.';
	}
	buf_add(b, tmp, n);
	if (integral)
		buf_add(b, ".0", 2);
}

/* ---- reading ---- */

/* It is malformed here; the first reason stays. */
static enum json_type
bad(struct json_in *j, const char *reason)
{
	if (j->reason == NULL)
		j->reason = reason;
	return JSON_BAD;
}

/* A comment begins at pos: go beyond it. */
static bool
skip_comment(struct json_in *j)
{
	const char *p = j->p + j->pos, *end = j->p + j->n, *q;

	if (p + 1 < end && p[1] == '/') {
		q = memchr(p, '\n', (size_t)(end - p));
		j->pos = q == NULL ? j->n : (size_t)(q - j->p) + 1;
		return true;
	}
	if (p + 1 >= end || p[1] != '*')
		return bad(j, "a value is missing"), false;
	q = memmem(p + 2, (size_t)(end - p) - 2, "*/", 2);
	if (q == NULL)
		return bad(j, "a comment does not end"), false;
	j->pos = (size_t)(q - j->p) + 2;
	return true;
}

/* To the next token; its first byte, or -1 at the end or when malformed. */
static int
peek(struct json_in *j)
{
	char c;

	if (j->reason != NULL)
		return -1;
	while (j->pos < j->n) {
		c = j->p[j->pos];
		if (c == '/') {
			if (!skip_comment(j))
				return -1;
		} else if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
			j->pos++;
		} else {
			return (unsigned char)c;
		}
	}
	return -1;
}

/* Four hexadecimal digits at p, or -1. */
static long
hex4(const char *p, const char *end)
{
	long v = 0;
	int i, d;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		if (p[i] >= '0' && p[i] <= '9')
			d = p[i] - '0';
		else if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f')
			d = (p[i] | 0x20) - 'a' + 10;
		else
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* A code point as UTF-8; a lone surrogate as if it were one. */
static char *
put_utf8(char *w, long c)
{
	if (c < 0x80) {
		*w++ = (char)c;
		return w;
	}
	if (c < 0x800) {
		*w++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*w++ = (char)(0xe0 | c >> 12);
		} else {
			*w++ = (char)(0xf0 | c >> 18);
			*w++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*w++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*w++ = (char)(0x80 | (c & 0x3f));
	return w;
}

/* The escape at *from (behind its backslash) decoded to w; the new w, and
 * *from beyond it, or NULL. */
static char *
take_escape(const char **from, const char *end, char *w)
{
	static const char names[] = "\"\\/bfnrt";
	static const char bytes[] = "\"\\/\b\f\n\r\t";
	const char *p = *from, *known;
	long c, low;

	if (p == end)
		return NULL;
	if (*p != 'u') {
		known = *p == '\0' ? NULL : strchr(names, *p);
		if (known == NULL)
			return NULL;
		*w = bytes[known - names];
		*from = p + 1;
		return w + 1;
	}
	c = hex4(p + 1, end);
	if (c < 0)
		return NULL;
	p += 5;
	if (c >> 10 == 0xd800 >> 10 && end - p >= 6 && p[0] == '\\' &&
	    p[1] == 'u') {
		low = hex4(p + 2, end);
		if (low >> 10 == 0xdc00 >> 10) {
			c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
			p += 6;
		}
	}
	*from = p;
	return put_utf8(w, c);
}

/* The string whose opening quote is at pos. */
static enum json_type
take_str(struct json_in *j)
{
	char *start = j->p + j->pos + 1, *w = start;
	const char *r = start, *end = j->p + j->n;
	size_t run;

	for (;;) {
		run = quoted_run(r, (size_t)(end - r));
		if (w != r)
			memmove(w, r, run);
		w += run;
		r += run;
		if (r == end)
			return bad(j, "a string does not end");
		if (*r++ == '"')
			break;
		w = take_escape(&r, end, w);
		if (w == NULL)
			return bad(j, "a string has a malformed escape");
	}
	j->pos = (size_t)(r - j->p);
	j->str = (struct str){start, (size_t)(w - start)};
	return JSON_STR;
}

/* How many digits at p. */
static size_t
digits(const char *p, const char *end)
{
	const char *q = p;

	while (q < end && *q >= '0' && *q <= '9')
		q++;
	return (size_t)(q - p);
}

/* A decimal number, whole, in any locale. */
bool
json_float(struct str s, double *v)
{
	char tmp[MAX_NUMBER + 1], *point, *end;

	if (s.n == 0 || s.n > MAX_NUMBER)
		return false;
	memcpy(tmp, s.p, s.n);
	tmp[s.n] = '\0';
	if (strspn(tmp, "+-.0123456789eE") != s.n)
		return false;
	point = memchr(tmp, '.', s.n);
	if (point != NULL)
		*point = *nl_langinfo(RADIXCHAR);
	*v = strtod(tmp, &end);
	return end == tmp + s.n && isfinite(*v);
}

/* n bytes of a checked integer; false when int64 cannot hold it. */
static bool
take_int(struct json_in *j, const char *p, size_t n)
{
	bool minus = *p == '-';
	int64_t v = 0;
	size_t i;

	for (i = minus; i < n; i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, p[i] - '0', &v))
			return false;
	if (!minus && __builtin_sub_overflow(0, v, &v))
		return false;
	j->integer = v;
	j->number = (double)v;
	return true;
}

/* The number at pos, as RFC 8259 has it. */
static enum json_type
take_number(struct json_in *j)
{
	const char *p = j->p + j->pos, *end = j->p + j->n, *q = p;
	bool integer = true;
	size_t n;

	q += *q == '-';
	n = digits(q, end);
	if (n == 0 || (n > 1 && *q == '0'))
		return bad(j, "a number is malformed");
	q += n;
	if (q < end && *q == '.') {
		integer = false;
		n = digits(++q, end);
		q += n;
	}
	if (n > 0 && q < end && (*q == 'e' || *q == 'E')) {
		integer = false;
		q++;
		q += q < end && (*q == '+' || *q == '-');
		n = digits(q, end);
		q += n;
	}
	if (n == 0)
		return bad(j, "a number is malformed");
	n = (size_t)(q - p);
	j->pos += n;
	if (integer && take_int(j, p, n))
		return JSON_INT;
	if (!json_float((struct str){p, n}, &j->number))
		return bad(j, "a number is too large");
	return JSON_FLOAT;
}

/* null, true, false. */
static enum json_type
take_word(struct json_in *j)
{
	static const struct {
		struct str word;
		enum json_type type;
		bool value;
	} words[] = {
	    {{"null", 4}, JSON_NULL, false},
	    {{"true", 4}, JSON_BOOL, true},
	    {{"false", 5}, JSON_BOOL, false},
	};
	struct str rest = {j->p + j->pos, j->n - j->pos};
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++) {
		if (!str_starts(rest, words[i].word))
			continue;
		j->pos += words[i].word.n;
		j->boolean = words[i].value;
		return words[i].type;
	}
	return bad(j, "a value is missing");
}

/* An opening bracket at pos. */
static enum json_type
enter(struct json_in *j, enum json_type t)
{
	if (j->depth == JSON_MAX_DEPTH)
		return bad(j, "the JSON is nested too deeply");
	j->depth++;
	j->pos++;
	j->first = true;
	return t;
}

/* A closing bracket at pos. */
static void
leave(struct json_in *j)
{
	j->pos++;
	j->depth--;
	j->first = false;
}

/* Begin. */
void
json_in_init(struct json_in *j, char *p, size_t n)
{
	memset(j, 0, sizeof *j);
	j->p = p;
	j->n = n;
}

/* The next value. */
enum json_type
json_value(struct json_in *j)
{
	int c = peek(j);

	if (j->reason != NULL)
		return JSON_BAD;
	if (c < 0)
		return j->depth == 0 ? JSON_END
				     : bad(j, "the JSON ends too early");
	if (c == '"')
		return take_str(j);
	if (c == '{')
		return enter(j, JSON_OBJECT);
	if (c == '[')
		return enter(j, JSON_ARRAY);
	if (c == '-' || (c >= '0' && c <= '9'))
		return take_number(j);
	return take_word(j);
}

/* Up to the next element or key: false when the closing bracket came instead,
 * which is then taken, or when it is malformed. */
static bool
next(struct json_in *j, int close)
{
	int c = peek(j);

	if (c == close) {
		leave(j);
		return false;
	}
	if (c >= 0 && !j->first && c != ',')
		bad(j, "a comma or a closing bracket is missing");
	if (j->reason != NULL)
		return false;
	if (c < 0)
		return bad(j, "the JSON ends too early"), false;
	j->pos += !j->first;
	j->first = false;
	return true;
}

/* The next element. */
enum json_type
json_item(struct json_in *j)
{
	if (next(j, ']'))
		return json_value(j);
	return j->reason != NULL ? JSON_BAD : JSON_END;
}

/* The next key. */
bool
json_key(struct json_in *j, struct str *key)
{
	if (!next(j, '}'))
		return false;
	if (peek(j) != '"')
		return bad(j, "the key of a field is missing"), false;
	if (take_str(j) != JSON_STR)
		return false;
	*key = j->str;
	if (peek(j) != ':')
		return bad(j, "the colon after a key is missing"), false;
	j->pos++;
	return true;
}

/* The rest of a value; as deep as JSON_MAX_DEPTH at most. */
bool
json_skip(struct json_in *j, enum json_type t)
{
	struct str key;

	if (t == JSON_ARRAY)
		while ((t = json_item(j)) != JSON_END)
			if (!json_skip(j, t))
				return false;
	if (t == JSON_OBJECT)
		while (json_key(j, &key))
			if (!json_skip(j, json_value(j)))
				return false;
	return t != JSON_BAD && j->reason == NULL;
}

/* Nothing may follow. */
bool
json_finish(struct json_in *j)
{
	if (peek(j) >= 0)
		bad(j, "something follows the JSON value");
	return j->reason == NULL;
}
