/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the declarations of all kinds are read with: mappings by their table of
 * keys, texts, values, lives, lists of names, members.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_int.h"

/* Go one level down in the path; what path_pop needs to come back. */
size_t
path_push(struct load *l, const char *name)
{
	size_t n = strlen(l->path);

	snprintf(
	    l->path + n, sizeof(l->path) - n, "%s%s", n > 0 ? "." : "", name);
	return n;
}

/* Back up. */
void
path_pop(struct load *l, size_t n)
{
	l->path[n] = '\0';
}

/* Note a key that no table row knows. */
static void
unknown_key(struct load *l, const struct yml *k, const struct key *keys)
{
	struct suggest s;

	suggest_init(&s, k->s);
	if (!diag_full(l->d))
		for (; keys->name != NULL; keys++)
			suggest_offer(&s, keys->name);
	complain(l, k, "unknown key \"%s\"%s", k->s, suggest_text(&s));
}

/* Read a mapping into a struct by its table. */
void
read_map(struct load *l, const struct yml *y, const struct key *keys, void *obj)
{
	const struct key *k;
	const struct yml *e;

	if (y->kind != YML_MAP) {
		complain(l, y, "a mapping (key: value) is expected here");
		return;
	}
	for (e = y->first; e != NULL; e = e->next) {
		for (k = keys; k->name != NULL; k++)
			if (strcmp(k->name, e->key->s) == 0)
				break;
		if (k->name == NULL)
			unknown_key(l, e->key, keys);
		else
			k->read(l, e, (char *)obj + k->off);
	}
	for (k = keys; k->name != NULL; k++)
		if (k->must && yml_get(y, k->name) == NULL)
			complain(l, y->key != NULL ? y->key : y,
			    "\"%s\" is missing", k->name);
}

/* A scalar, or NULL with the problem noted. */
const char *
scalar_of(struct load *l, const struct yml *y)
{
	if (y->kind == YML_SCALAR)
		return y->s;
	complain(l, y, "a text is expected here");
	return NULL;
}

/* A text that is not empty, without blanks and newlines at its end. */
void
read_text(struct load *l, const struct yml *y, void *slot)
{
	const char *s = scalar_of(l, y);
	size_t n = s != NULL ? strlen(s) : 0;

	while (n > 0 && strchr(" \n\t", s[n - 1]) != NULL)
		n--;
	if (s != NULL && n == 0)
		complain(l, y, "the text is empty");
	else if (s != NULL)
		*(const char **)slot = arena_strndup(l->a, s, n);
}

/* true or false. */
void
read_bool(struct load *l, const struct yml *y, void *slot)
{
	const char *s = scalar_of(l, y);

	if (s != NULL && strcmp(s, "true") != 0 && strcmp(s, "false") != 0)
		complain(l, y, "true or false is expected, not \"%s\"", s);
	else if (s != NULL)
		*(bool *)slot = s[0] == 't';
}

/* A written type. */
void
read_type(struct load *l, const struct yml *y, void *slot)
{
	if (scalar_of(l, y) != NULL)
		*(const struct type **)slot = load_type(l, y);
}

/* What a plain scalar means in JSON. */
static json_t *
json_of_plain(const char *s)
{
	char *end;
	double f;
	long long v;

	if (strcmp(s, "null") == 0 || strcmp(s, "~") == 0 || s[0] == '\0')
		return json_null();
	if (strcmp(s, "true") == 0 || strcmp(s, "false") == 0)
		return json_boolean(s[0] == 't');
	if (strspn(s, "0123456789+-.eE") != strlen(s))
		return json_string(s);
	errno = 0;
	v = strtoll(s, &end, 10);
	if (*end == '\0' && errno == 0)
		return json_integer((json_int_t)v);
	f = strtod(s, &end);
	return *end == '\0' ? json_real(f) : json_string(s);
}

/* A tree as JSON; NULL when jansson refuses (infinite, or no memory). */
static json_t *
json_of(const struct yml *y)
{
	json_t *v, *part;
	const struct yml *e;

	if (y->kind == YML_SCALAR)
		return y->plain ? json_of_plain(y->s) : json_string(y->s);
	v = y->kind == YML_MAP ? json_object() : json_array();
	for (e = y->first; v != NULL && e != NULL; e = e->next) {
		part = json_of(e);
		if (y->kind == YML_MAP
			? json_object_set_new(v, e->key->s, part) < 0
			: json_array_append_new(v, part) < 0) {
			json_decref(v);
			return NULL;
		}
	}
	return v;
}

/* A value written in YAML, kept by the api. */
void
read_value(struct load *l, const struct yml *y, void *slot)
{
	json_t *v = json_of(y);

	if (v == NULL || json_array_append_new(l->api->values, v) < 0)
		complain(l, y, "the value cannot be written as JSON");
	else
		*(json_t **)slot = v;
}

/* The kind of one event of a life by its key. */
static int
life_kind_of(const char *s)
{
	int k;

	for (k = LIFE_PROTOTYPED; k <= LIFE_REMOVED; k++)
		if (strcmp(life_kind_name((enum life_kind)k), s) == 0)
			return k;
	return -1;
}

/* `published: RELEASE` and `note: TEXT`. */
static const struct key life_keys[] = {
    {"prototyped", read_text, offsetof(struct life, release_id), false},
    {"published", read_text, offsetof(struct life, release_id), false},
    {"extended", read_text, offsetof(struct life, release_id), false},
    {"changed", read_text, offsetof(struct life, release_id), false},
    {"deprecated", read_text, offsetof(struct life, release_id), false},
    {"removed", read_text, offsetof(struct life, release_id), false},
    {"note", read_text, offsetof(struct life, note), false},
    {NULL, NULL, 0, false},
};

/* One event; its place is that of the release. */
static struct life *
life_event(struct load *l, const struct yml *y)
{
	struct life *v = arena_alloc(l->a, sizeof(*v));
	const struct yml *e;
	int n = 0, k;

	v->at = y->at;
	v->note = "";
	read_map(l, y, life_keys, v);
	for (e = y->kind == YML_MAP ? y->first : NULL; e != NULL; e = e->next) {
		k = life_kind_of(e->key->s);
		if (k < 0)
			continue;
		n++;
		v->kind = (enum life_kind)k;
		v->at = e->at;
	}
	if (y->kind == YML_MAP && n != 1)
		complain(l, y,
		    "exactly one of prototyped, published, "
		    "extended, changed, deprecated, removed is expected");
	return v;
}

/* A list of events. */
void
read_life(struct load *l, const struct yml *y, void *slot)
{
	const struct life **head = slot;
	struct life **tail = (struct life **)head;
	const struct yml *e;
	size_t n = path_push(l, "lifecycle");

	if (y->kind != YML_SEQ || y->first == NULL)
		complain(l, y, "a list of events is expected here");
	else
		for (e = y->first; e != NULL; e = e->next) {
			*tail = life_event(l, e);
			tail = &(*tail)->next;
		}
	path_pop(l, n);
}

/* Names in brackets, or `name: text` pairs. */
void
read_refs(struct load *l, const struct yml *y, void *slot)
{
	struct ref **tail = slot, *r;
	const struct yml *e;

	if (y->kind == YML_SCALAR) {
		complain(l, y, "a list of names is expected here");
		return;
	}
	for (e = y->first; e != NULL; e = e->next) {
		r = arena_alloc(l->a, sizeof(*r));
		r->name = y->kind == YML_MAP ? e->key->s : scalar_of(l, e);
		r->at = y->kind == YML_MAP ? e->key->at : e->at;
		r->doc = "";
		if (y->kind == YML_MAP)
			read_text(l, e, &r->doc);
		if (r->name == NULL)
			continue;
		*tail = r;
		tail = &r->next;
	}
}

static const struct key member_keys[] = {
    {"type", read_type, offsetof(struct member, type), true},
    {"description", read_text, offsetof(struct member, doc), true},
    {"optional", read_bool, offsetof(struct member, optional), false},
    {"example", read_value, offsetof(struct member, example), false},
    {"lifecycle", read_life, offsetof(struct member, life), false},
    {NULL, NULL, 0, false},
};

/* One `name: {type: ..., description: ...}`. */
struct member *
member_of(struct load *l, const struct yml *y)
{
	struct member *m = arena_alloc(l->a, sizeof(*m));
	size_t n = path_push(l, y->key->s);

	m->name = y->key->s;
	m->at = y->key->at;
	read_map(l, y, member_keys, m);
	path_pop(l, n);
	return m;
}

/* A mapping is expected; its first entry. */
const struct yml *
entries(struct load *l, const struct yml *y)
{
	if (y->kind == YML_MAP)
		return y->first;
	complain(l, y, "a mapping (name: ...) is expected here");
	return NULL;
}

/* Fields or parameters, in order. */
void
read_members(struct load *l, const struct yml *y, void *slot)
{
	struct member **tail = slot;
	const struct yml *e;
	size_t n = path_push(l, y->key->s);

	while (*tail != NULL)
		tail = &(*tail)->next;
	for (e = entries(l, y); e != NULL; e = e->next) {
		*tail = member_of(l, e);
		tail = &(*tail)->next;
	}
	path_pop(l, n);
}

/* The one argument of an error. */
void
read_arg(struct load *l, const struct yml *y, void *slot)
{
	*(struct member **)slot = member_of(l, y);
}
