/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * From text to values, by recursion that lib/json.h bounds at 128 levels, and
 * the odd rules for numbers and bytes.
 */
#include "call_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

struct reader {
	struct json_in in;
	const struct text_maker *make;
	const char *why; /* what the lexer does not know of */
};

static void *value(struct reader *r, enum json_type t);

/* A reason; NULL, so that callers can return it. */
static void *
refuse(struct reader *r, const char *why)
{
	if (r->why == NULL)
		r->why = why;
	return NULL;
}

/* A value that was made, or the reason why not. */
static void *
made(struct reader *r, void *v, const char *why)
{
	return v != NULL ? v : refuse(r, why);
}

/* Is the number that ends at pos written with a fraction or an exponent? */
static bool
is_float(const struct json_in *in)
{
	const char *p = in->p + in->pos;

	while (p > in->p && p[-1] >= '0' && p[-1] <= '9')
		p--;
	if (p == in->p)
		return false;
	if (p[-1] == '-')
		return p - 1 > in->p && (p[-2] | 0x20) == 'e';
	return p[-1] == '.' || p[-1] == '+' || (p[-1] | 0x20) == 'e';
}

/* A number: as an integer it must fit (contract 3.3). */
static void *
take_float(struct reader *r)
{
	if (!is_float(&r->in))
		return refuse(r, "an integer does not fit 64 bits");
	return made(r, r->make->number(r->in.number), "out of memory");
}

/* The rest of an array. */
static void *
take_array(struct reader *r)
{
	void *out = made(r, r->make->array(), "out of memory"), *v;
	enum json_type t;

	if (out == NULL)
		return NULL;
	while ((t = json_item(&r->in)) != JSON_END) {
		v = value(r, t);
		if (v == NULL || r->make->append(out, v) < 0) {
			r->make->drop(out);
			return refuse(r, "out of memory");
		}
	}
	return out;
}

/* A key for C: borrowed from the text, so it is copied. */
static char *
copy_key(struct reader *r, struct str key)
{
	char *s;

	if (memchr(key.p, '\0', key.n) != NULL)
		return refuse(r, "a key contains a NUL");
	s = strndup(key.p, key.n);
	return made(r, s, "out of memory");
}

/* One member; -1 with the reason. */
static int
take_member(struct reader *r, void *object, struct str name)
{
	char *key = copy_key(r, name);
	void *v;
	int rc = -1;

	if (key == NULL)
		return -1;
	v = value(r, json_value(&r->in));
	if (v != NULL) {
		rc = r->make->set(object, key, v);
		if (rc < 0)
			refuse(r, "a key is not UTF-8");
	}
	free(key);
	return rc;
}

/* The rest of an object. */
static void *
take_object(struct reader *r)
{
	void *out = made(r, r->make->object(), "out of memory");
	struct str key;

	if (out == NULL)
		return NULL;
	while (json_key(&r->in, &key)) {
		if (take_member(r, out, key) < 0) {
			r->make->drop(out);
			return NULL;
		}
	}
	if (r->in.reason != NULL) {
		r->make->drop(out);
		return NULL;
	}
	return out;
}

/* A string. */
static void *
take_string(struct reader *r)
{
	struct str s = r->in.str;

	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
		return refuse(r, "a string contains a NUL");
	return made(r, r->make->string(s), "a string is not UTF-8");
}

/* The value that the lexer just gave `t` for. */
static void *
value(struct reader *r, enum json_type t)
{
	const struct text_maker *m = r->make;

	switch (t) {
	case JSON_NULL: return made(r, m->null(), "out of memory");
	case JSON_BOOL:
		return made(r, m->boolean(r->in.boolean), "out of memory");
	case JSON_INT:
		return made(r, m->integer(r->in.integer), "out of memory");
	case JSON_FLOAT: return take_float(r);
	case JSON_STR: return take_string(r);
	case JSON_ARRAY: return take_array(r);
	case JSON_OBJECT: return take_object(r);
	case JSON_END: return refuse(r, "there is no JSON value");
	default: return refuse(r, r->in.reason);
	}
}

/* One whole value. */
void *
text_read(struct str text, const struct text_maker *m, char *why, size_t n)
{
	struct reader r = {.make = m};
	char *copy = malloc(text.n + 1);
	void *out;

	if (copy == NULL) {
		snprintf(why, n, "out of memory");
		return NULL;
	}
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	json_in_init(&r.in, copy, text.n);
	out = value(&r, json_value(&r.in));
	if (out != NULL && !json_finish(&r.in)) {
		m->drop(out);
		out = NULL;
	}
	if (out == NULL)
		snprintf(why, n, "%s (byte %zu)",
		    r.in.reason != NULL ? r.in.reason : r.why, r.in.pos);
	free(copy);
	return out;
}

/* As lib/json.h writes it. */
void
text_put_str(struct buf *b, struct str s)
{
	json_put_str(b, s);
}

/* As lib/json.h writes it. */
void
text_put_float(struct buf *b, double v)
{
	json_put_float(b, v);
}

/* A float in a string. */
bool
text_float(const char *s, double *v)
{
	return json_float(str_of(s), v);
}

/* The base that a prefix tells, and the digits behind it. */
static int
base_of(const char **s)
{
	static const struct {
		char letter;
		int base;
	} bases[] = {{'x', 16}, {'o', 8}, {'b', 2}};
	size_t i;

	for (i = 0; (*s)[0] == '0' && i < 3; i++) {
		if (((*s)[1] | 0x20) == bases[i].letter) {
			*s += 2;
			return bases[i].base;
		}
	}
	return 10;
}

/* An integer in a string. */
bool
text_int(const char *s, int64_t *v)
{
	bool minus = *s == '-';
	const char *p = s + minus;
	int base = base_of(&p), d;

	*v = 0;
	if (*p == '\0')
		return false;
	for (; *p != '\0'; p++) {
		if (*p >= '0' && *p <= '9')
			d = *p - '0';
		else if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			d = (*p | 0x20) - 'a' + 10;
		else
			return false;
		if (d >= base || __builtin_mul_overflow(*v, base, v) ||
		    __builtin_sub_overflow(*v, d, v))
			return false;
	}
	return minus || !__builtin_sub_overflow(0, *v, v);
}

/* How long the character at p is; 0 when it is none, or a NUL. */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = {{0x80, 0, 1}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800},
	    {0xf8, 0xf0, 0x10000}};
	size_t len, i;
	uint32_t c;

	for (len = 1; len <= 4; len++)
		if ((p[0] & forms[len - 1].mask) == forms[len - 1].lead)
			break;
	if (len > 4 || len > n)
		return 0;
	c = p[0] & (unsigned char)~forms[len - 1].mask;
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < forms[len - 1].least || c > 0x10ffff || c >> 11 == 0xd800 >> 11)
		return 0;
	return len;
}

/* Bytes for people. */
void
text_put_valid(struct buf *b, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i, len, start = 0;

	for (i = 0; i<s.n; i += len> 0 ? len : 1) {
		len = utf8_len(p + i, s.n - i);
		if (len > 0)
			continue;
		buf_add(b, s.p + start, i - start);
		buf_adds(b, "\xef\xbf\xbd");
		start = i + 1;
	}
	if (s.n > start)
		buf_add(b, s.p + start, s.n - start);
}

/* Is the byte one inside a character? */
static bool
inside(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The beginning. */
struct str
text_head(struct str s, size_t max)
{
	size_t n = max;

	if (s.n <= max)
		return s;
	while (n > 0 && n + 4 > max && inside(s.p[n]))
		n--;
	return (struct str){s.p, n};
}

/* The end. */
struct str
text_tail(struct str s, size_t max)
{
	size_t skip;

	if (s.n <= max)
		return s;
	skip = s.n - max;
	while (skip < s.n && skip < s.n - max + 4 && inside(s.p[skip]))
		skip++;
	return (struct str){s.p + skip, s.n - skip};
}
