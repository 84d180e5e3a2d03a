/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Bodies of requests under /v1: an object whose fields are known, or nothing.
 * What is not known is refused: a misspelt condition must not make an act wider.
 */
#include "api_v1.h"

#include <stdio.h>

#include "json.h"

static bool
bad_body(const struct v1 *v, const char *why, struct str field)
{
	char text[128];

	snprintf(text, sizeof text, "%s%s%.*s", why, field.n ? ": " : "",
	    (int)(field.n > 64 ? 64 : field.n), field.p ? field.p : "");
	api_error(v->p, 400, "bad_body", text,
	    "an object with the fields that doc/openapi.yaml names");
	return false;
}

/* Store one value; false when it is none for this field. */
static bool
take(const struct v1_field *f, const struct json_in *j, enum json_type t)
{
	switch (f->type) {
	case V1_TEXT:
		if (t != JSON_STR || (int64_t)j->str.n < f->min ||
		    (int64_t)j->str.n > f->max)
			return false;
		*(struct str *)f->to = j->str;
		return true;
	case V1_NUMBER:
		if (t != JSON_INT || j->integer < f->min || j->integer > f->max)
			return false;
		*(int64_t *)f->to = j->integer;
		return true;
	default:
		if (t != JSON_BOOL)
			return false;
		*(bool *)f->to = j->boolean;
		return true;
	}
}

static const struct v1_field *
find(const struct v1_field *f, size_t n, struct str key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(key, str_of(f[i].name)))
			return &f[i];
	return NULL;
}

/* Read it. */
bool
v1_body(const struct v1 *v, const struct v1_field *f, size_t n)
{
	const struct v1_field *known;
	struct str none = {NULL, 0}, key;
	struct json_in j;

	/* a request's body is mutable memory */
	json_in_init(&j, (char *)(uintptr_t)v->body.p, v->body.n);
	if (v->body.n == 0)
		return true;
	if (json_value(&j) != JSON_OBJECT)
		return bad_body(v, "the body is no JSON object", none);
	while (json_key(&j, &key)) {
		known = find(f, n, key);
		if (known == NULL)
			return bad_body(v, "unknown field", key);
		if (!take(known, &j, json_value(&j)))
			return bad_body(v, "not a value for this field", key);
	}
	if (!json_finish(&j))
		return bad_body(v, j.reason, none);
	return true;
}
