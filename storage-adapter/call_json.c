/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The side of call_text.h that knows jansson. */
#include "call_json.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "call_text.h"
#include "each.h"

/* Makers, for text_read. */
static void *
make_null(void)
{
	return json_null();
}

/* true or false */
static void *
make_boolean(bool v)
{
	return json_boolean(v);
}

/* 64 bits */
static void *
make_integer(int64_t v)
{
	return json_integer(v);
}

/* a double */
static void *
make_number(double v)
{
	return json_real(v);
}

/* NULL also when it is not UTF-8. */
static void *
make_string(struct str s)
{
	return json_stringn(s.n > 0 ? s.p : "", s.n);
}

/* empty */
static void *
make_array(void)
{
	return json_array();
}

/* empty */
static void *
make_object(void)
{
	return json_object();
}

/* at the end */
static int
append(void *array, void *v)
{
	return json_array_append_new(array, v);
}

/* The first of two members counts. */
static int
set(void *object, const char *key, void *v)
{
	if (json_object_get(object, key) == NULL)
		return json_object_set_new(object, key, v);
	json_decref(v);
	return 0;
}

/* no longer wanted */
static void
drop(void *v)
{
	json_decref(v);
}

static const struct text_maker maker = {
    .null = make_null,
    .boolean = make_boolean,
    .integer = make_integer,
    .number = make_number,
    .string = make_string,
    .array = make_array,
    .object = make_object,
    .append = append,
    .set = set,
    .drop = drop,
};

/* One whole value. */
json_t *
tree_read(struct str text, char *why, size_t n)
{
	return text_read(text, &maker, why, n);
}

/* Elements between brackets. */
static void
write_array(struct buf *b, const json_t *v)
{
	size_t i;

	buf_addc(b, '[');
	for (i = 0; i < json_array_size(v); i++) {
		if (i > 0)
			buf_addc(b, ',');
		tree_write(b, json_array_get(v, i));
	}
	buf_addc(b, ']');
}

/* Members between braces. */
static void
write_object(struct buf *b, const json_t *v)
{
	const char *key, *comma = "";
	json_t *e;

	buf_addc(b, '{');
	object_each ((json_t *)v, key, e) {
		buf_adds(b, comma);
		text_put_str(b, str_of(key));
		buf_addc(b, ':');
		tree_write(b, e);
		comma = ",";
	}
	buf_addc(b, '}');
}

/* A value. */
void
tree_write(struct buf *b, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: write_object(b, v); break;
	case JSON_ARRAY: write_array(b, v); break;
	case JSON_STRING:
		text_put_str(b,
		    (struct str){json_string_value(v), json_string_length(v)});
		break;
	case JSON_INTEGER: buf_addi(b, json_integer_value(v)); break;
	case JSON_REAL: text_put_float(b, json_real_value(v)); break;
	case JSON_TRUE: buf_adds(b, "true"); break;
	case JSON_FALSE: buf_adds(b, "false"); break;
	default: buf_adds(b, "null");
	}
}

/* The bytes of a buffer as a string; the buffer is freed. */
static json_t *
finish(struct buf *b)
{
	json_t *v = NULL;

	if (buf_ok(b))
		v = json_stringn(b->n > 0 ? b->p : "", b->n);
	buf_fini(b);
	return v;
}

/* Any bytes. */
json_t *
tree_text(struct str bytes)
{
	struct buf b = BUF_INIT;

	text_put_valid(&b, bytes);
	return finish(&b);
}

/* printf. */
json_t *
tree_textf(const char *fmt, ...)
{
	struct buf raw = BUF_INIT, b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&raw, fmt, ap);
	va_end(ap);
	text_put_valid(&b, (struct str){raw.p, raw.n});
	b.failed = b.failed || raw.failed;
	buf_fini(&raw);
	return finish(&b);
}

/* One name further. */
static json_t *
step_in(const json_t *v, const char *name, size_t n)
{
	char key[64];

	if (n >= sizeof(key))
		return NULL;
	memcpy(key, name, n);
	key[n] = '\0';
	if (json_is_array(v))
		return json_array_get(v, strtoul(key, NULL, 10));
	return json_object_get(v, key);
}

/* A path. */
json_t *
tree_at(const json_t *v, const char *path, size_t n)
{
	const char *dot;
	size_t len;

	while (v != NULL && n > 0) {
		dot = memchr(path, '.', n);
		len = dot != NULL ? (size_t)(dot - path) : n;
		v = step_in(v, path, len);
		len += dot != NULL;
		path += len;
		n -= len;
	}
	return (json_t *)v;
}
