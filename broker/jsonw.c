/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* JSON objects written straight into a buffer. */
#include "jsonw.h"

#include <string.h>

#include "json.h"

/* Length of the UTF-8 sequence at p, 0 when it is none. */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = p[0];
	size_t len = c < 0x80 ? 1
	    : c >> 5 == 6     ? 2
	    : c >> 4 == 14    ? 3
	    : c >> 3 == 30    ? 4
			      : 0;

	if (len == 0 || len > n)
		return 0;
	if (len > 1)
		c &= 0x7fu >> len;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return len;
}

/* How many bytes in front are ASCII; eight at a time. */
static size_t
ascii_run(const char *p, size_t n)
{
	size_t i = 0;
	uint64_t v;

	for (; i + sizeof v <= n; i += sizeof v) {
		memcpy(&v, p + i, sizeof v);
		if ((v & 0x8080808080808080u) != 0)
			break;
	}
	return i;
}

static bool
is_utf8(struct str v)
{
	size_t n;

	for (size_t i = ascii_run(v.p, v.n); i < v.n; i += n)
		if ((n = utf8_len((const unsigned char *)v.p + i, v.n - i)) ==
		    0)
			return false;
	return true;
}

/* Valid UTF-8, whatever comes. */
void
jsonw_text(struct buf *b, struct str v)
{
	size_t n;

	for (size_t i = 0; i < v.n; i += n ? n : 1) {
		n = utf8_len((const unsigned char *)v.p + i, v.n - i);
		if (n > 0)
			buf_add(b, v.p + i, n);
		else
			buf_adds(b, "\xef\xbf\xbd");
	}
}

/* A string; what is not UTF-8 becomes U+FFFD. */
static void
put_text(struct buf *b, struct str v)
{
	struct buf clean = BUF_INIT;

	if (is_utf8(v)) {
		json_put_str(b, v);
		return;
	}
	jsonw_text(&clean, v);
	if (buf_ok(&clean))
		json_put_str(b, (struct str){clean.p, clean.n});
	else
		b->failed = true;
	buf_fini(&clean);
}

/* What stands before a value. */
static void
begin(struct jsonw *w, const char *key)
{
	if (w->comma)
		buf_addc(w->b, ',');
	w->comma = true;
	if (key == NULL)
		return;
	/* ours, so there is nothing in it that must be escaped */
	buf_addc(w->b, '"');
	buf_adds(w->b, key);
	buf_add(w->b, "\":", 2);
}

/* Start an object or array. */
void
jsonw_open(struct jsonw *w, const char *key, char bracket)
{
	begin(w, key);
	buf_addc(w->b, bracket);
	w->comma = false;
}

/* End it. */
void
jsonw_close(struct jsonw *w, char bracket)
{
	buf_addc(w->b, bracket);
	w->comma = true;
}

/* Text; NULL is null. */
void
jsonw_str(struct jsonw *w, const char *key, struct str v)
{
	begin(w, key);
	if (v.p == NULL)
		buf_adds(w->b, "null");
	else
		put_text(w->b, v);
}

/* Number. */
void
jsonw_int(struct jsonw *w, const char *key, int64_t v)
{
	begin(w, key);
	buf_addi(w->b, v);
}

/* true, false. */
void
jsonw_bool(struct jsonw *w, const char *key, bool v)
{
	begin(w, key);
	buf_adds(w->b, v ? "true" : "false");
}

/* null. */
void
jsonw_null(struct jsonw *w, const char *key)
{
	begin(w, key);
	buf_adds(w->b, "null");
}

/* Seconds. */
void
jsonw_seconds(struct jsonw *w, const char *key, int64_t ns)
{
	int64_t us = ns / 1000;
	char digits[] = ".000000";

	begin(w, key);
	if (us < 0) {
		buf_addc(w->b, '-');
		us = -us;
	}
	buf_addi(w->b, us / 1000000);
	us %= 1000000;
	for (size_t i = sizeof digits - 2; i > 0; i--, us /= 10)
		digits[i] = (char)('0' + us % 10);
	buf_adds(w->b, digits);
}
