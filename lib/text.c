/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Making foreign text safe to look at; message ids; what a payload is. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "xalloc.h"

/* Take one character off; its length, or 0 when the first byte begins none. */
static size_t
utf8(struct str s, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = p[0] < 0x80	? 1
	    : p[0] >> 5 == 0x06 ? 2
	    : p[0] >> 4 == 0x0e ? 3
	    : p[0] >> 3 == 0x1e ? 4
				: 0;

	if (n == 0 || n > s.n)
		return 0;
	*c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	return *c < least[n] || *c > 0x10ffff || (*c >> 11) == 0x1b ? 0 : n;
}

/* Must it be made visible?  Control characters and marks of direction, line
 * and paragraph separators, the byte order mark. */
static bool
is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
	    (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* One character that is not shown as it is. */
static void
put_unsafe(struct buf *b, uint32_t c)
{
	static const char shorts[][3] = {
	    ['\t'] = "\\t", ['\n'] = "\\n", ['\r'] = "\\r", [0x1b] = "\\e"};

	if (c < sizeof shorts / sizeof *shorts && shorts[c][0] != '\0')
		buf_adds(b, shorts[c]);
	else if (c < 0x80)
		buf_addf(b, "\\x%02x", c);
	else
		buf_addf(b, "\\u{%x}", c);
}

/* How many bytes in front are plain ASCII, none of the two. */
static size_t
plain_run(struct str s, char one, char two)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != one &&
	    s.p[n] != two)
		n++;
	return n;
}

/* For a terminal. */
void
text_put(struct buf *b, struct str s)
{
	uint32_t c = 0;
	size_t n;

	for (; s.n > 0; s.p += n, s.n -= n) {
		n = plain_run(s, 0, 0);
		if (n > 0) {
			buf_add(b, s.p, n);
			continue;
		}
		n = utf8(s, &c);
		if (n == 0) {
			n = 1;
			buf_addf(b, "\\x%02x", (unsigned char)s.p[0]);
		} else if (is_unsafe(c)) {
			put_unsafe(b, c);
		} else {
			buf_add(b, s.p, n);
		}
	}
}

/* As JSON. */
void
text_json(struct buf *b, struct str s)
{
	uint32_t c = 0;
	size_t n;

	buf_addc(b, '"');
	for (; s.n > 0; s.p += n, s.n -= n) {
		n = plain_run(s, '"', '\\');
		if (n > 0) {
			buf_add(b, s.p, n);
			continue;
		}
		n = utf8(s, &c);
		if (n == 0) {
			n = 1;
			buf_adds(b, "\xef\xbf\xbd");
		} else if (c == '"' || c == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, (char)c);
		} else if (is_unsafe(c)) {
			buf_addf(b, "\\u%04x", c);
		} else {
			buf_add(b, s.p, n);
		}
	}
	buf_addc(b, '"');
}

/* A copy, whole. */
char *
text_copy(struct str s)
{
	char *p = xmalloc(s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

/* Columns. */
size_t
text_width(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* Drop characters from the front or keep only so many. */
static struct str
cut(struct str s, size_t width, bool keep_end)
{
	size_t have = text_width(s), i = 0, seen = 0;
	size_t stop = keep_end ? have - width : width;

	for (; i < s.n; i++) {
		seen += ((unsigned char)s.p[i] & 0xc0) != 0x80;
		if (seen > stop)
			break;
	}
	return keep_end ? (struct str){s.p + i, s.n - i} : (struct str){s.p, i};
}

/* Fit into so many columns. */
void
text_fit(struct buf *b, struct str s, size_t width, bool keep_end)
{
	size_t dots = width > 4 ? 2 : 0;

	if (text_width(s) <= width) {
		buf_add(b, s.p, s.n);
		return;
	}
	s = cut(s, width - dots, keep_end);
	if (keep_end)
		buf_add(b, "..", dots);
	buf_add(b, s.p, s.n);
	if (!keep_end)
		buf_add(b, "..", dots);
}

/* ---- message ids ---- */

/* The id stands behind the last colon; queues may have colons too. */
bool
msgid_parse(struct msgid *m, struct str s)
{
	const char *colon = s.n ? memrchr(s.p, ':', s.n) : NULL;
	size_t digits;
	char tmp[24];

	if (colon == NULL || colon == s.p)
		return false;
	digits = (size_t)(s.p + s.n - colon - 1);
	if (digits == 0 || digits > 18)
		return false;
	memcpy(tmp, colon + 1, digits);
	tmp[digits] = '\0';
	if (strspn(tmp, "0123456789") != digits)
		return false;
	m->queue = (struct str){s.p, (size_t)(colon - s.p)};
	m->id = strtoll(tmp, NULL, 10);
	return true;
}

/* Print it. */
void
msgid_put(struct buf *b, struct str queue, int64_t id)
{
	text_put(b, queue);
	buf_addc(b, ':');
	buf_addi(b, id);
}

/* ---- what a payload is ---- */

/* What stands in the fields of a call or an answer, as far as it can be read. */
struct seen {
	struct str method;
	bool result, failure;
};

/* A field whose value says how a call ended. */
static void
outcome(struct seen *s, struct str key, enum json_type t, struct str v)
{
	if (str_eq(key, STR("Status")) && t == JSON_STR) {
		s->result |= str_eq(v, STR("Success"));
		s->failure |= !str_eq(v, STR("Success"));
	} else if (str_eq(key, STR("result"))) {
		s->result |= t != JSON_NULL;
	} else if (str_eq(key, STR("error"))) {
		s->failure |= t != JSON_NULL;
		s->result |= t == JSON_NULL; /* of a call that gives nothing */
	}
}

/* Look through the fields of the outermost object, until something is not
 * JSON: payloads arrive cut. */
static void
look_through(struct json_in *j, struct seen *s)
{
	struct str key;
	enum json_type t;

	if (json_value(j) != JSON_OBJECT)
		return;
	while (json_key(j, &key)) {
		t = json_value(j);
		if (t == JSON_STR && str_eq(key, STR("method"))) {
			s->method = j->str;
			return;
		}
		outcome(s, key, t, j->str);
		if (t == JSON_BAD || !json_skip(j, t))
			return;
	}
}

/* Can it be an object, behind blanks or a comment? */
static bool
may_be_object(struct str s)
{
	return s.n > 0 && s.p[0] != '\0' && strchr("{/ \t\r\n", s.p[0]) != NULL;
}

/* In a word. */
void
text_summary(char *out, size_t max, struct str payload)
{
	struct buf copy = BUF_INIT, b = BUF_INIT;
	struct seen s = {.method = {NULL, 0}};
	struct json_in j;

	out[0] = '\0';
	if (!may_be_object(payload))
		return;
	buf_add(&copy, payload.p, payload.n);
	if (buf_ok(&copy)) {
		json_in_init(&j, copy.p, copy.n);
		look_through(&j, &s);
		if (s.method.n > 0)
			text_put(&b, s.method);
		else if (s.failure || s.result)
			buf_adds(&b, s.failure ? "FAILURE" : "OK");
		if (b.n > 0 && buf_ok(&b))
			snprintf(out, max, "%.*s", (int)b.n, b.p);
	}
	buf_fini(&b);
	buf_fini(&copy);
}
