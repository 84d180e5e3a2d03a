/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Tokens of RESP 2. */
#include "resp.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS 24 /* longest number */

/* The number between a type and the end of its line. */
static int64_t
number(const char *p, size_t n)
{
	char text[DIGITS];

	if (n >= sizeof text)
		n = sizeof text - 1;
	memcpy(text, p, n);
	text[n] = '\0';
	return strtoll(text, NULL, 10);
}

/* The next token. */
bool
resp_next(struct str *in, struct resp *t)
{
	const char *end = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;
	size_t line, used;

	if (end == NULL || end - in->p < 2)
		return false;
	line = (size_t)(end - in->p) - 2; /* between the type and \r\n */
	used = (size_t)(end - in->p) + 1;
	*t = (struct resp){in->p[0], 0, {in->p + 1, line}};
	if (t->type != '+' && t->type != '-')
		t->n = number(in->p + 1, line);
	if (t->type == '$' && t->n >= 0) {
		t->text = (struct str){end + 1, (size_t)t->n};
		used += (size_t)t->n + 2;
	}
	if (used > in->n)
		return false;
	in->p += used;
	in->n -= used;
	return true;
}

/* The length of a value. */
size_t
resp_whole(const char *p, size_t n)
{
	struct str in = {p, n};
	int64_t left = 1; /* values still to come */
	struct resp t;

	while (left > 0) {
		if (!resp_next(&in, &t))
			return 0;
		left--;
		if (t.type == '*' && t.n > 0)
			left += t.n;
	}
	return n - in.n;
}

/* An array of that many. */
static bool
array_of(struct str *in, int64_t n)
{
	struct resp t;

	return resp_next(in, &t) && t.type == '*' && t.n == n;
}

/* A string. */
static bool
string(struct str *in, struct str *s)
{
	struct resp t;

	if (!resp_next(in, &t) || t.type != '$' || t.n < 0)
		return false;
	*s = t.text;
	return true;
}

/* [id, [field, value]] */
bool
resp_entry(struct str *in, struct str *id, struct str *value)
{
	struct str field;

	return array_of(in, 2) && string(in, id) && array_of(in, 2) &&
	    string(in, &field) && string(in, value);
}

/* [[stream, [ */
int64_t
resp_entries(struct str *in)
{
	struct str stream;
	struct resp t;

	if (!array_of(in, 1) || !array_of(in, 2) || !string(in, &stream) ||
	    !resp_next(in, &t) || t.type != '*')
		return -1;
	return t.n;
}
