/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Values of declared types: written names, valid samples, and matching a JSON
 * value against a type (as strict as the strictest consumer).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static const char *const type_names[] = {
    [TYPE_UNIT] = "unit",
    [TYPE_STRING] = "string",
    [TYPE_INT] = "int",
    [TYPE_INT64] = "int64",
    [TYPE_FLOAT] = "float",
    [TYPE_BOOL] = "bool",
};

/* Where in a value a match is, innermost first; on the stack. */
struct at {
	const struct at *up;
	const char *name; /* or NULL: an index */
	size_t index;
};

static int match(
    const struct type *t, json_t *v, const struct at *at, struct buf *why);

/* Through any number of aliases (check sees to it that they end). */
const struct type *
type_plain(const struct type *t)
{
	while (t->kind == TYPE_NAMED && t->def->kind == TDEF_ALIAS)
		t = t->def->alias;
	return t;
}

/* The form used in declarations. */
void
type_write(struct buf *b, const struct type *t)
{
	switch (t->kind) {
	case TYPE_LIST:
	case TYPE_MAP:
		buf_adds(b, t->kind == TYPE_LIST ? "list<" : "map<");
		type_write(b, t->a);
		buf_addc(b, '>');
		break;
	case TYPE_PAIR:
		buf_adds(b, "pair<");
		type_write(b, t->a);
		buf_adds(b, ", ");
		type_write(b, t->b);
		buf_addc(b, '>');
		break;
	case TYPE_NAMED: buf_adds(b, t->name); break;
	default: buf_adds(b, type_names[t->kind]);
	}
}

/* jansson only fails for lack of memory: as in xalloc, that is the end. */
static json_t *
must(json_t *v)
{
	if (v == NULL) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return v;
}

/* A list with one element, a map with one entry, two for a pair. */
static json_t *
sample_of_parts(const struct type *t)
{
	json_t *v = must(t->kind == TYPE_MAP ? json_object() : json_array());

	if (t->kind == TYPE_MAP) {
		json_object_set_new(v, "key", type_sample(t->a));
		return v;
	}
	json_array_append_new(v, type_sample(t->a));
	if (t->kind == TYPE_PAIR)
		json_array_append_new(v, type_sample(t->b));
	return v;
}

/* Something valid of this type. */
json_t *
type_sample(const struct type *t)
{
	switch (t->kind) {
	case TYPE_UNIT: return json_null();
	case TYPE_STRING: return must(json_string("string"));
	case TYPE_INT:
	case TYPE_INT64: return must(json_integer(1));
	case TYPE_FLOAT: return must(json_real(0.5));
	case TYPE_BOOL: return json_true();
	case TYPE_NAMED: return tdef_sample(t->def);
	default: return sample_of_parts(t);
	}
}

/* Its example, or one for its type. */
json_t *
member_sample(const struct member *m)
{
	if (m->example != NULL)
		return must(json_deep_copy(m->example));
	return type_sample(m->type);
}

/* The default tag, or the first. */
static json_t *
variant_sample(const struct tdef *d)
{
	const struct tag *tag = d->dflt != NULL ? d->dflt : d->tags;
	json_t *v;

	if (tag->type == NULL)
		return must(json_string(tag->name));
	v = must(json_array());
	json_array_append_new(v, must(json_string(tag->name)));
	json_array_append_new(v, type_sample(tag->type));
	return v;
}

/* The example of the declaration, or one from the parts. */
json_t *
tdef_sample(const struct tdef *d)
{
	const struct member *m;
	json_t *v;

	if (d->example != NULL)
		return must(json_deep_copy(d->example));
	if (d->kind == TDEF_ALIAS)
		return type_sample(d->alias);
	if (d->kind == TDEF_VARIANT)
		return variant_sample(d);
	v = must(json_object());
	for (m = d->fields; m != NULL; m = m->next)
		json_object_set_new(v, m->name, member_sample(m));
	return v;
}

/* The path from the root: sr.ranges[2]. */
static void
write_at(struct buf *b, const struct at *at)
{
	if (at == NULL)
		return;
	write_at(b, at->up);
	if (at->name == NULL)
		buf_addf(b, "[%zu]", at->index);
	else
		buf_addf(b, "%s%s", at->up != NULL ? "." : "", at->name);
}

/* Say that a member should be there, or should not. */
static int
wrong(struct buf *why, const struct at *at, const char *what, const char *name)
{
	if (at != NULL) {
		write_at(why, at);
		buf_adds(why, ": ");
	}
	buf_addf(why, "%s \"%s\"", what, name);
	return -1;
}

/* A value that is not of its type. */
static int
mismatch(struct buf *why, const struct at *at, const struct type *t, json_t *v)
{
	char *s = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);

	if (at != NULL) {
		write_at(why, at);
		buf_adds(why, ": ");
	}
	buf_adds(why, "expected ");
	type_write(why, t);
	buf_addf(why, ", got %.60s", s != NULL ? s : "?");
	free(s);
	return -1;
}

/* Every element of an array. */
static int
match_list(
    const struct type *t, json_t *v, const struct at *up, struct buf *why)
{
	struct at at = {up, NULL, 0};

	for (; at.index < json_array_size(v); at.index++)
		if (match(t->a, json_array_get(v, at.index), &at, why) < 0)
			return -1;
	return 0;
}

/* Every value of an object. */
static int
match_map(const struct type *t, json_t *v, const struct at *up, struct buf *why)
{
	struct at at = {up, NULL, 0};
	json_t *e;

	json_object_foreach(v, at.name, e)
	{
		if (match(t->a, e, &at, why) < 0)
			return -1;
	}
	return 0;
}

/* Two elements. */
static int
match_pair(
    const struct type *t, json_t *v, const struct at *up, struct buf *why)
{
	struct at at = {up, NULL, 0};

	if (json_array_size(v) != 2)
		return mismatch(why, up, t, v);
	if (match(t->a, json_array_get(v, 0), &at, why) < 0)
		return -1;
	at.index = 1;
	return match(t->b, json_array_get(v, 1), &at, why);
}

/* Every field, and no other. */
static int
match_record(
    const struct tdef *d, json_t *v, const struct at *up, struct buf *why)
{
	struct at at = {up, NULL, 0};
	const struct member *m;
	size_t n = 0;
	json_t *e;

	for (m = d->fields; m != NULL; m = m->next) {
		at.name = m->name;
		e = json_object_get(v, m->name);
		if (e == NULL && m->optional)
			continue;
		if (e == NULL)
			return wrong(why, up, "no member", m->name);
		if (match(m->type, e, &at, why) < 0)
			return -1;
		n++;
	}
	if (n == json_object_size(v))
		return 0;
	json_object_foreach(v, at.name, e)
	{
		for (m = d->fields; m != NULL; m = m->next)
			if (strcmp(m->name, at.name) == 0)
				break;
		if (m == NULL)
			return wrong(why, up, "unknown member", at.name);
	}
	return 0;
}

/* "Tag" or ["Tag", content]. */
static int
match_variant(
    const struct type *t, json_t *v, const struct at *up, struct buf *why)
{
	bool bare = json_is_string(v);
	const char *name = json_string_value(bare ? v : json_array_get(v, 0));
	struct at at = {up, NULL, 1};
	const struct tag *tag;

	for (tag = t->def->tags; tag != NULL && name != NULL; tag = tag->next)
		if (strcmp(tag->name, name) == 0)
			break;
	if (name == NULL || tag == NULL || bare != (tag->type == NULL))
		return mismatch(why, up, t, v);
	if (bare)
		return 0;
	if (json_array_size(v) != 2)
		return mismatch(why, up, t, v);
	return match(tag->type, json_array_get(v, 1), &at, why);
}

/* The JSON type that a type of our own wants at the top. */
static bool
shape(const struct type *t, json_t *v)
{
	switch (t->kind) {
	case TYPE_UNIT: return json_is_null(v);
	case TYPE_STRING: return json_is_string(v);
	case TYPE_INT:
	case TYPE_INT64: return json_is_integer(v);
	case TYPE_FLOAT: return json_is_number(v);
	case TYPE_BOOL: return json_is_boolean(v);
	case TYPE_MAP: return json_is_object(v);
	case TYPE_LIST:
	case TYPE_PAIR: return json_is_array(v);
	default: return t->def->kind != TDEF_RECORD || json_is_object(v);
	}
}

/* One value at one place. */
static int
match(const struct type *t, json_t *v, const struct at *at, struct buf *why)
{
	t = type_plain(t);
	if (v == NULL || !shape(t, v))
		return mismatch(why, at, t, v);
	switch (t->kind) {
	case TYPE_LIST: return match_list(t, v, at, why);
	case TYPE_MAP: return match_map(t, v, at, why);
	case TYPE_PAIR: return match_pair(t, v, at, why);
	case TYPE_NAMED:
		if (t->def->kind == TDEF_RECORD)
			return match_record(t->def, v, at, why);
		return match_variant(t, v, at, why);
	default: return 0;
	}
}

/* A whole value. */
int
type_match(const struct type *t, json_t *v, struct buf *why)
{
	return match(t, v, NULL, why);
}
