/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One walk over type and value serves both strengths: every step returns the
 * value in its declared form.  Depth is bounded by the types, which are
 * finite.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "idlval.h"

const struct idl_type idl_unit = {.kind = IDL_UNIT, .name = "unit"};
const struct idl_type idl_string = {.kind = IDL_STRING, .name = "string"};
const struct idl_type idl_int = {.kind = IDL_INT, .name = "int"};
const struct idl_type idl_int64 = {.kind = IDL_INT64, .name = "int64"};
const struct idl_type idl_float = {.kind = IDL_FLOAT, .name = "float"};
const struct idl_type idl_bool = {.kind = IDL_BOOL, .name = "bool"};

static const struct idl_type strings = {
    .kind = IDL_LIST, .name = "list<string>", .a = &idl_string};
static const struct idl_type ints = {
    .kind = IDL_LIST, .name = "list<int>", .a = &idl_int};
static const struct idl_field trace_fields[] = {{"error", &idl_string, false},
    {"files", &strings, false}, {"lines", &ints, false}, {NULL, NULL, false}};
static const struct idl_type trace = {
    .kind = IDL_RECORD, .name = "backtrace", .fields = trace_fields};
static const struct idl_field failure_fields[] = {{"code", &idl_string, false},
    {"params", &strings, false}, {"backtrace", &trace, false},
    {NULL, NULL, false}};
const struct idl_type idl_failure = {
    .kind = IDL_RECORD, .name = "error", .fields = failure_fields};

#define DUMP_FLAGS (JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII)

/* Where the walk is, innermost first; on the stack. */
struct at {
	const struct at *up;
	const char *name; /* NULL: an index */
	size_t index;
};

struct walk {
	struct idl_fault *f;
	bool strict;
};

static json_t *take(
    struct walk *w, const struct idl_type *t, json_t *v, const struct at *at);

/* The path from the root into a fixed buffer; how much of it is used. */
static size_t
path_of(char *s, size_t size, const struct at *at)
{
	size_t n;
	int more;

	if (at == NULL)
		return 0;
	n = path_of(s, size, at->up);
	if (at->name == NULL)
		more = snprintf(s + n, size - n, "[%zu]", at->index);
	else
		more = snprintf(
		    s + n, size - n, "%s%s", n > 0 ? "." : "", at->name);
	n += more > 0 ? (size_t)more : 0;
	return n < size ? n : size - 1;
}

/* Names come from outside: no control characters, no letter cut in half. */
static void
clean(char *s, size_t size)
{
	size_t n = strlen(s), i;

	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			s[i] = '?';
	if (n + 1 < size)
		return;
	while (n > 0 && ((unsigned char)s[n - 1] & 0x80) != 0)
		s[--n] = '\0';
}

/* Note a fault; NULL, so that callers can return it. */
static json_t *
fault(struct walk *w, enum idl_fault_kind kind, const struct idl_type *t,
    json_t *v, const struct at *at)
{
	char *s = v != NULL ? json_dumps(v, DUMP_FLAGS) : NULL;

	w->f->kind = kind;
	w->f->expected = t != NULL ? t->name : NULL;
	w->f->path[0] = '\0';
	path_of(w->f->path, sizeof(w->f->path), at);
	clean(w->f->path, sizeof(w->f->path));
	snprintf(w->f->got, sizeof(w->f->got), "%s", s != NULL ? s : "");
	free(s);
	return NULL;
}

/* A copy of the reference, or the fault when a step before had no memory. */
static json_t *
made(struct walk *w, json_t *v)
{
	return v != NULL ? v : fault(w, IDL_NOMEM, NULL, NULL, NULL);
}

/* A member, its name in any case where that is allowed. */
static json_t *
member(const struct walk *w, json_t *v, const char *name)
{
	json_t *found = json_object_get(v, name), *e;
	const char *key;

	if (found != NULL || w->strict)
		return found;
	json_object_foreach(v, key, e)
	{
		if (strcasecmp(key, name) == 0)
			return e;
	}
	return NULL;
}

/* The row of a name, or NULL. */
static const struct idl_field *
field_of(const struct idl_field *f, const char *name)
{
	for (; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

/* A member that no row knows, in strict mode. */
static int
no_others(
    struct walk *w, const struct idl_type *t, json_t *v, const struct at *up)
{
	struct at at = {up, NULL, 0};
	json_t *e;

	if (!w->strict)
		return 0;
	json_object_foreach(v, at.name, e)
	{
		if (field_of(t->fields, at.name) == NULL) {
			fault(w, IDL_UNKNOWN, t, e, &at);
			return -1;
		}
	}
	return 0;
}

/* Every field of a record. */
static json_t *
take_record(
    struct walk *w, const struct idl_type *t, json_t *v, const struct at *up)
{
	const struct idl_field *f;
	struct at at = {up, NULL, 0};
	json_t *out, *e;

	if (!json_is_object(v))
		return fault(w, IDL_WRONG, t, v, up);
	if (no_others(w, t, v, up) < 0)
		return NULL;
	out = made(w, json_object());
	for (f = t->fields; out != NULL && f->name != NULL; f++) {
		at.name = f->name;
		e = member(w, v, f->name);
		if (f->optional &&
		    (e == NULL || (json_is_null(e) && !w->strict)))
			continue;
		e = e != NULL ? take(w, f->type, e, &at)
			      : fault(w, IDL_MISSING, f->type, NULL, &at);
		if (e == NULL || json_object_set_new(out, f->name, e) < 0) {
			json_decref(out);
			return e == NULL ? NULL : made(w, NULL);
		}
	}
	return out;
}

/* Every value of a map. */
static json_t *
take_map(
    struct walk *w, const struct idl_type *t, json_t *v, const struct at *up)
{
	struct at at = {up, NULL, 0};
	json_t *out, *e, *part;

	if (!json_is_object(v))
		return fault(w, IDL_WRONG, t, v, up);
	out = made(w, json_object());
	if (out == NULL)
		return NULL;
	json_object_foreach(v, at.name, e)
	{
		part = take(w, t->a, e, &at);
		if (part == NULL ||
		    json_object_set_new(out, at.name, part) < 0) {
			json_decref(out);
			return part == NULL ? NULL : made(w, NULL);
		}
	}
	return out;
}

/* Every element of a list, or the two of a pair. */
static json_t *
take_array(
    struct walk *w, const struct idl_type *t, json_t *v, const struct at *up)
{
	struct at at = {up, NULL, 0};
	json_t *out, *part;

	if (!json_is_array(v) ||
	    (t->kind == IDL_PAIR && json_array_size(v) != 2))
		return fault(w, IDL_WRONG, t, v, up);
	out = made(w, json_array());
	for (; out != NULL && at.index < json_array_size(v); at.index++) {
		part =
		    take(w, t->kind == IDL_PAIR && at.index == 1 ? t->b : t->a,
			json_array_get(v, at.index), &at);
		if (part == NULL || json_array_append_new(out, part) < 0) {
			json_decref(out);
			return part == NULL ? NULL : made(w, NULL);
		}
	}
	return out;
}

/* Is an array of this size a tag without content? */
static bool
is_bare(const struct walk *w, json_t *v)
{
	if (json_is_string(v))
		return true;
	if (w->strict || !json_is_array(v))
		return false;
	return json_array_size(v) == 1 ||
	    (json_array_size(v) == 2 && json_is_null(json_array_get(v, 1)));
}

/* ["Tag", content] around a part. */
static json_t *
tagged(struct walk *w, const char *name, json_t *part)
{
	json_t *out = json_array();

	if (out == NULL || json_array_append_new(out, json_string(name)) < 0) {
		json_decref(out);
		json_decref(part);
		return made(w, NULL);
	}
	if (json_array_append_new(out, part) < 0) {
		json_decref(out);
		return made(w, NULL);
	}
	return out;
}

/* "Tag" or ["Tag", content]. */
static json_t *
take_variant(
    struct walk *w, const struct idl_type *t, json_t *v, const struct at *up)
{
	const char *name =
	    json_string_value(json_is_string(v) ? v : json_array_get(v, 0));
	const struct idl_field *tag =
	    name != NULL ? field_of(t->fields, name) : NULL;
	struct at at = {up, NULL, 1};
	json_t *part;

	if (tag != NULL && tag->type == NULL && is_bare(w, v))
		return made(w, json_string(tag->name));
	if (tag == NULL || tag->type == NULL || !json_is_array(v) ||
	    json_array_size(v) != 2)
		return fault(w, IDL_WRONG, t, v, up);
	part = take(w, tag->type, json_array_get(v, 1), &at);
	return part != NULL ? tagged(w, tag->name, part) : NULL;
}

/* Does a basic value have its JSON type? */
static bool
fits(const struct walk *w, enum idl_kind kind, json_t *v)
{
	switch (kind) {
	case IDL_UNIT: return json_is_null(v) || !w->strict;
	case IDL_STRING: return json_is_string(v);
	case IDL_INT:
	case IDL_INT64: return json_is_integer(v);
	case IDL_FLOAT: return json_is_number(v);
	default: return json_is_boolean(v);
	}
}

/* One value; its declared form, a new reference. */
static json_t *
take(struct walk *w, const struct idl_type *t, json_t *v, const struct at *at)
{
	switch (t->kind) {
	case IDL_LIST:
	case IDL_PAIR: return take_array(w, t, v, at);
	case IDL_MAP: return take_map(w, t, v, at);
	case IDL_RECORD: return take_record(w, t, v, at);
	case IDL_VARIANT: return take_variant(w, t, v, at);
	default: break;
	}
	if (!fits(w, t->kind, v))
		return fault(w, IDL_WRONG, t, v, at);
	return t->kind == IDL_UNIT ? json_null() : json_incref(v);
}

/* Exactly as declared. */
int
idl_check(const struct idl_type *t, json_t *v, struct idl_fault *f)
{
	struct walk w = {f, true};
	json_t *out;

	f->kind = IDL_OK;
	out = take(&w, t, v, NULL);
	json_decref(out);
	return out != NULL ? 0 : -1;
}

/* Every parameter, exactly as declared. */
int
idl_check_params(
    const struct idl_method *m, json_t *params, struct idl_fault *f)
{
	static const struct idl_type object = {
	    .kind = IDL_MAP, .name = "object"};
	struct walk w = {f, true};
	const struct idl_field *p;
	struct at at = {NULL, NULL, 0};
	json_t *v;

	f->kind = IDL_OK;
	if (!json_is_object(params)) {
		fault(&w, IDL_WRONG, &object, params, NULL);
		return -1;
	}
	for (p = m->params; p->name != NULL; p++) {
		at.name = p->name;
		v = json_object_get(params, p->name);
		v = v != NULL ? take(&w, p->type, v, &at)
			      : fault(&w, IDL_MISSING, p->type, NULL, &at);
		if (v == NULL)
			return -1;
		json_decref(v);
	}
	return 0;
}

/* As real plugins write it. */
json_t *
idl_decode(const struct idl_type *t, json_t *v, struct idl_fault *f)
{
	struct walk w = {f, false};

	f->kind = IDL_OK;
	return take(&w, t, v, NULL);
}

/* A method by name, case ignored as for scripts. */
const struct idl_method *
idl_method_find(const struct idl_method *table, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcasecmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

/* A fault in words. */
void
idl_fault_text(const struct idl_fault *f, char *text, size_t n)
{
	const char *sep = f->path[0] != '\0' ? ": " : "";

	switch (f->kind) {
	case IDL_OK: snprintf(text, n, "no fault"); break;
	case IDL_NOMEM: snprintf(text, n, "out of memory"); break;
	case IDL_MISSING:
		snprintf(
		    text, n, "%s%sis missing (%s)", f->path, sep, f->expected);
		break;
	case IDL_UNKNOWN:
		snprintf(text, n, "%s%sis not a member of %s", f->path, sep,
		    f->expected);
		break;
	default:
		snprintf(text, n, "%s%sexpected %s, got %s", f->path, sep,
		    f->expected, f->got);
	}
}
