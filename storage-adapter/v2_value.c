/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Reading with leniency: a value is first softened, that is changed to what
 * the tables of the IDL take, and then decoded by them.  What softening does
 * not understand stays, and is the decoder's fault to name.
 */
#include "v2.h"

#include <string.h>
#include <strings.h>

#include "call_text.h"
#include "each.h"
#include "gen_smapi.h"

const struct idl_type v2_map = {
    .kind = IDL_MAP, .name = "map<string>", .a = &idl_string};

static const struct idl_type strings = {
    .kind = IDL_LIST, .name = "list<string>", .a = &idl_string};

/* `optional` also stands for: has a default. */
static const struct idl_field vdi_info[] = {
    {"vdi", &idl_string, false},
    {"uuid", &idl_string, true},
    {"content_id", &idl_string, true},
    {"name_label", &idl_string, false},
    {"name_description", &idl_string, true},
    {"ty", &idl_string, true},
    {"metadata_of_pool", &idl_string, true},
    {"is_a_snapshot", &idl_bool, true},
    {"snapshot_time", &idl_string, true},
    {"snapshot_of", &idl_string, true},
    {"read_only", &idl_bool, true},
    {"cbt_enabled", &idl_bool, true},
    {"virtual_size", &idl_int64, true},
    {"physical_utilisation", &idl_int64, true},
    {"persistent", &idl_bool, true},
    {"sharable", &idl_bool, true},
    {"sm_config", &v2_map, true},
    {"tags", &strings, true},
    {NULL, NULL, false},
};

const struct idl_type v2_vdi_info = {
    .kind = IDL_RECORD, .name = "vdi_info", .fields = vdi_info};

/* What stands for a member of vdi_info that is not there. */
static json_t *
vdi_defaults(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:b, s:b, s:i,"
			 " s:i, s:b, s:b, s:{}, s:[]}",
	    "content_id", "", "name_description", "", "ty", "user",
	    "metadata_of_pool", "", "is_a_snapshot", 0, "snapshot_time",
	    "19700101T00:00:00Z", "snapshot_of", "", "read_only", 0,
	    "cbt_enabled", 0, "virtual_size", 0, "physical_utilisation", 0,
	    "persistent", 1, "sharable", 0, "sm_config", "tags");
}

/* Add what is not there; -1: out of memory (jansson's own function for this
 * does not tell). */
static int
add_defaults(json_t *vdi)
{
	json_t *defaults = vdi_defaults(), *v;
	int bad = defaults != NULL ? 0 : -1;
	const char *key;

	object_each (defaults, key, v) {
		if (json_object_get(vdi, key) == NULL)
			bad |= json_object_set(vdi, key, v);
	}
	json_decref(defaults);
	return bad;
}

/* ---- softening ---- */

static json_t *soft(const struct idl_type *t, json_t *v);

/* A number in a string; an integer where a float is meant. */
static json_t *
soft_number(const struct idl_type *t, json_t *v)
{
	const char *s = json_string_value(v);
	int64_t i;
	double d;

	if (t->kind == IDL_FLOAT && json_is_integer(v))
		return json_real((double)json_integer_value(v));
	if (s != NULL && t->kind == IDL_FLOAT && text_float(s, &d))
		return json_real(d);
	if (s != NULL && t->kind != IDL_FLOAT && text_int(s, &i))
		return json_integer(i);
	return json_incref(v);
}

/* Elements of a list or a pair. */
static json_t *
soft_array(const struct idl_type *t, json_t *v)
{
	size_t i;

	for (i = 0; i < json_array_size(v); i++)
		json_array_set_new(v, i,
		    soft(t->kind == IDL_PAIR && i == 1 ? t->b : t->a,
			json_array_get(v, i)));
	return json_incref(v);
}

/* Values of a map. */
static json_t *
soft_map(const struct idl_type *t, json_t *v)
{
	const char *key;
	json_t *e;

	object_each (v, key, e)
		json_object_set_new(v, key, soft(t->a, e));
	return json_incref(v);
}

/* The member's own spelling of a declared name, or NULL. */
static const char *
spelling(json_t *v, const char *name)
{
	const char *key;
	json_t *e;

	if (json_object_get(v, name) != NULL)
		return name;
	object_each (v, key, e) {
		if (strcasecmp(key, name) == 0)
			return key;
	}
	return NULL;
}

/* Is what is ill-typed there the same as absent? */
static bool
has_default(const struct idl_type *t, const struct idl_field *f)
{
	return f->optional && strcmp(f->name, "uuid") != 0 &&
	    (t == &smapi_volume || t == &v2_vdi_info);
}

/* Is it of the type, as far as there is memory to say so? */
static bool
fits(const struct idl_type *t, json_t *v)
{
	struct idl_fault f;
	json_t *out = idl_decode(t, v, &f);

	json_decref(out);
	return out != NULL || f.kind == IDL_NOMEM;
}

/* Members of a record. */
static json_t *
soft_record(const struct idl_type *t, json_t *v)
{
	const struct idl_field *f;
	const char *key;
	json_t *e;

	for (f = t->fields; json_is_object(v) && f->name != NULL; f++) {
		key = spelling(v, f->name);
		if (key == NULL)
			continue;
		e = soft(f->type, json_object_get(v, key));
		if (has_default(t, f) && e != NULL && !fits(f->type, e)) {
			json_decref(e);
			json_object_del(v, key);
		} else {
			json_object_set_new(v, key, e);
		}
	}
	return json_incref(v);
}

/* A tag in its own spelling, and what it carries. */
static json_t *
soft_variant(const struct idl_type *t, json_t *v)
{
	json_t *name = json_is_string(v) ? v : json_array_get(v, 0);
	const struct idl_field *f;

	for (f = t->fields; json_is_string(name) && f->name != NULL; f++) {
		if (strcasecmp(f->name, json_string_value(name)) != 0)
			continue;
		if (json_is_string(v))
			return json_string(f->name);
		json_array_set_new(v, 0, json_string(f->name));
		if (f->type != NULL && json_array_size(v) == 2)
			json_array_set_new(
			    v, 1, soft(f->type, json_array_get(v, 1)));
		break;
	}
	return json_incref(v);
}

/* Any value; a new reference, often to itself. */
static json_t *
soft(const struct idl_type *t, json_t *v)
{
	switch (t->kind) {
	case IDL_INT:
	case IDL_INT64:
	case IDL_FLOAT: return soft_number(t, v);
	case IDL_LIST:
	case IDL_PAIR: return soft_array(t, v);
	case IDL_MAP: return soft_map(t, v);
	case IDL_RECORD: return soft_record(t, v);
	case IDL_VARIANT: return soft_variant(t, v);
	default: return json_incref(v);
	}
}

/* Softened, then decoded. */
json_t *
v2_decode(const struct idl_type *t, json_t *v, struct idl_fault *f)
{
	json_t *s = soft(t, v), *out;

	if (s == NULL) {
		*f = (struct idl_fault){.kind = IDL_NOMEM};
		return NULL;
	}
	out = idl_decode(t, s, f);
	json_decref(s);
	if (out == NULL || t != &v2_vdi_info || add_defaults(out) == 0)
		return out;
	json_decref(out);
	*f = (struct idl_fault){.kind = IDL_NOMEM};
	return NULL;
}

/* ---- turning ---- */

/* Members in the reverse of declared order. */
static json_t *
turned_record(const struct idl_type *t, json_t *v)
{
	const struct idl_field *f = t->fields;
	json_t *out = json_object(), *e;

	while (f->name != NULL)
		f++;
	while (f-- > t->fields) {
		e = json_object_get(v, f->name);
		if (e != NULL &&
		    json_object_set_new(out, f->name, v2_turned(f->type, e)) <
			0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* Elements. */
static json_t *
turned_array(const struct idl_type *t, json_t *v)
{
	json_t *out = json_array(), *e;
	size_t i;

	array_each (v, i, e) {
		if (json_array_append_new(out,
			v2_turned(t->kind == IDL_PAIR && i == 1 ? t->b : t->a,
			    e)) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* What a tag carries. */
static json_t *
turned_variant(const struct idl_type *t, json_t *v)
{
	const char *name = json_string_value(json_array_get(v, 0));
	const struct idl_field *f = t->fields;

	if (name == NULL)
		return json_incref(v);
	while (f->name != NULL && strcmp(f->name, name) != 0)
		f++;
	if (f->type == NULL)
		return json_incref(v);
	return json_pack(
	    "[s,o]", name, v2_turned(f->type, json_array_get(v, 1)));
}

/* Any value. */
json_t *
v2_turned(const struct idl_type *t, json_t *v)
{
	switch (t->kind) {
	case IDL_RECORD: return turned_record(t, v);
	case IDL_LIST:
	case IDL_PAIR: return turned_array(t, v);
	case IDL_VARIANT: return turned_variant(t, v);
	default: return json_incref(v);
	}
}
