/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * json: what jansson takes, we take, and find the same values in it (but for
 * our bound on depth, and for NUL behind a number, which jansson swallows).
 * Whatever the bytes are, written as a string they read back.
 */
#include "fuzz.h"

/* Both have constants of these names. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY  JANSSON_ARRAY
#define JSON_NULL   JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_NULL

#include "json.h"

static void check_value(struct json_in *j, enum json_type t, json_t *v);

/* The same elements in the same order. */
static void
check_array(struct json_in *j, json_t *v)
{
	size_t i;

	for (i = 0; i < json_array_size(v); i++)
		check_value(j, json_item(j), json_array_get(v, i));
	promise(json_item(j) == JSON_END);
}

/* The same fields, each once. */
static void
check_object(struct json_in *j, json_t *v)
{
	struct str key;
	char *name;
	size_t n = 0;

	for (; json_key(j, &key); n++) {
		name = fuzz_copy(key.p, key.n + 1);
		name[key.n] = '\0';
		check_value(j, json_value(j), json_object_get(v, name));
		free(name);
	}
	promise(j->reason == NULL && n == json_object_size(v));
}

/* Our value of type t, just read, and theirs are the same. */
static void
check_value(struct json_in *j, enum json_type t, json_t *v)
{
	promise(v != NULL);
	switch ((int)json_typeof(v)) {
	case JANSSON_OBJECT:
		promise(t == JSON_OBJECT);
		check_object(j, v);
		break;
	case JANSSON_ARRAY:
		promise(t == JSON_ARRAY);
		check_array(j, v);
		break;
	case JSON_STRING:
		promise(t == JSON_STR && j->str.n == json_string_length(v));
		promise(memcmp(j->str.p, json_string_value(v), j->str.n) == 0);
		break;
	case JSON_INTEGER:
		promise(t == JSON_INT && j->integer == json_integer_value(v));
		break;
	case JSON_REAL:
		promise(t == JSON_FLOAT && j->number == json_real_value(v));
		break;
	case JANSSON_NULL: promise(t == JSON_NULL); break;
	default:
		promise(t == JSON_BOOL && j->boolean == json_is_true(v));
		break;
	}
}

/* Read all of it; true when it is well-formed, and not too deep. */
static bool
reads(const uint8_t *data, size_t n, bool *bounded)
{
	char *p = fuzz_copy(data, n);
	struct json_in j;
	enum json_type t;
	bool ok;

	json_in_init(&j, p, n);
	t = json_value(&j);
	ok = json_skip(&j, t) && json_finish(&j);
	promise(ok == (j.reason == NULL) && j.pos <= n);
	*bounded = !ok &&
	    (strstr(j.reason, "too deeply") != NULL ||
		strstr(j.reason, "number is too large") != NULL);
	free(p);
	return ok && t != JSON_END;
}

/* Read it along with the tree that jansson made of it. */
static void
check_tree(const uint8_t *data, size_t n, json_t *v)
{
	char *p = fuzz_copy(data, n);
	struct json_in j;

	json_in_init(&j, p, n);
	check_value(&j, json_value(&j), v);
	promise(json_finish(&j));
	free(p);
}

/* These bytes as a string, there and back. */
static void
check_string(const uint8_t *data, size_t n)
{
	struct buf b = BUF_INIT;
	char *p = fuzz_copy(data, n), *q;
	struct json_in j;

	json_put_str(&b, (struct str){p, n});
	promise(buf_ok(&b));
	q = fuzz_copy(b.p, b.n);
	json_in_init(&j, q, b.n);
	promise(json_value(&j) == JSON_STR && json_finish(&j));
	promise(j.str.n == n && (n == 0 || memcmp(j.str.p, p, n) == 0));
	free(q);
	free(p);
	buf_fini(&b);
}

/* These bytes as a float, there and back. */
static void
check_float(const uint8_t *data, size_t n)
{
	struct buf b = BUF_INIT;
	double v, again;

	if (json_float((struct str){(const char *)data, n}, &v)) {
		json_put_float(&b, v);
		promise(json_float((struct str){b.p, b.n}, &again));
		promise(v == again);
	}
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	bool ok, bounded;
	json_t *v;

	check_string(data, n);
	check_float(data, n);
	ok = reads(data, n, &bounded);
	v = json_loadb((const char *)data, n,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	promise(v == NULL || ok || bounded || memchr(data, 0, n) != NULL);
	if (v != NULL && ok)
		check_tree(data, n, v);
	json_decref(v);
	return 0;
}
