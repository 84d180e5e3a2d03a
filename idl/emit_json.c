/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * For other tools: a JSON Schema of every type and call, and an OpenRPC
 * description of the calls.  Both are trees made with jansson, whose objects
 * keep the order of insertion.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"

static json_t *schema_of(const struct type *t);

/* jansson only fails for lack of memory, which is the end. */
static json_t *
must(json_t *v)
{
	if (v == NULL) {
		fputs("xmsg-idl: out of memory\n", stderr);
		exit(1);
	}
	return v;
}

/* Set a member, taking the value. */
static void
put(json_t *o, const char *key, json_t *v)
{
	if (json_object_set_new(o, key, must(v)) < 0)
		must(NULL);
}

/* Append an element, taking the value. */
static void
add(json_t *a, json_t *v)
{
	if (json_array_append_new(a, must(v)) < 0)
		must(NULL);
}

/* Set a text. */
static void
put_text(json_t *o, const char *key, const char *s)
{
	put(o, key, json_string(s));
}

/* {"type": name} */
static json_t *
schema_basic(const char *name)
{
	json_t *s = must(json_object());

	put_text(s, "type", name);
	return s;
}

/* An array of exactly these parts. */
static json_t *
schema_tuple(json_t *a, json_t *b)
{
	json_t *s = schema_basic("array"), *items = must(json_array());

	add(items, a);
	add(items, b);
	put(s, "prefixItems", items);
	put(s, "items", json_false());
	put(s, "minItems", json_integer(2));
	put(s, "maxItems", json_integer(2));
	return s;
}

/* A reference to a named type. */
static json_t *
schema_ref(const char *name)
{
	json_t *s = must(json_object());
	char ref[80];

	snprintf(ref, sizeof(ref), "#/$defs/%s", name);
	put_text(s, "$ref", ref);
	return s;
}

/* A use of a type. */
static json_t *
schema_of(const struct type *t)
{
	json_t *s;

	switch (t->kind) {
	case TYPE_UNIT: return schema_basic("null");
	case TYPE_STRING: return schema_basic("string");
	case TYPE_INT: return schema_basic("integer");
	case TYPE_INT64:
		s = schema_basic("integer");
		put_text(s, "format", "int64");
		return s;
	case TYPE_FLOAT: return schema_basic("number");
	case TYPE_BOOL: return schema_basic("boolean");
	case TYPE_LIST:
		s = schema_basic("array");
		put(s, "items", schema_of(t->a));
		return s;
	case TYPE_MAP:
		s = schema_basic("object");
		put(s, "additionalProperties", schema_of(t->a));
		return s;
	case TYPE_PAIR: return schema_tuple(schema_of(t->a), schema_of(t->b));
	default: return schema_ref(t->name);
	}
}

/* When it came, and when it is no longer what it was. */
static void
put_life(json_t *s, const struct life *l)
{
	json_t *events = must(json_array()), *e;
	enum life_kind now = life_state(l);

	if (now == LIFE_DEPRECATED || now == LIFE_REMOVED)
		put(s, "deprecated", json_true());
	for (; l != NULL; l = l->next) {
		e = must(json_object());
		put_text(e, life_kind_name(l->kind), l->release->id);
		if (l->note[0] != '\0')
			put_text(e, "note", l->note);
		add(events, e);
	}
	put(s, "x-lifecycle", events);
}

/* A member's schema with its prose. */
static json_t *
schema_member(const struct member *m)
{
	json_t *s = schema_of(m->type), *examples;

	put_text(s, "description", m->doc);
	put_life(s, m->life);
	if (m->example != NULL) {
		examples = must(json_array());
		add(examples, json_deep_copy(m->example));
		put(s, "examples", examples);
	}
	return s;
}

/* An object of these members; others are let through. */
static json_t *
schema_members(const struct member *m)
{
	json_t *s = schema_basic("object");
	json_t *props = must(json_object()), *required = must(json_array());

	for (; m != NULL; m = m->next) {
		put(props, m->name, schema_member(m));
		if (!m->optional)
			add(required, json_string(m->name));
	}
	put(s, "properties", props);
	put(s, "required", required);
	return s;
}

/* One of the tags, bare or with content. */
static json_t *
schema_tags(const struct tdef *d)
{
	json_t *s = must(json_object()), *cases = must(json_array()), *c, *k;
	const struct tag *tag;

	for (tag = d->tags; tag != NULL; tag = tag->next) {
		k = must(json_object());
		put_text(k, "const", tag->name);
		c = tag->type == NULL ? k
				      : schema_tuple(k, schema_of(tag->type));
		put_text(c, "description", tag->doc);
		put_life(c, tag->life);
		add(cases, c);
	}
	put(s, "oneOf", cases);
	if (d->dflt != NULL)
		put_text(s, "default", d->dflt->name);
	return s;
}

/* A named type. */
static json_t *
schema_tdef(const struct tdef *d)
{
	json_t *s, *examples = must(json_array());

	if (d->kind == TDEF_ALIAS)
		s = schema_of(d->alias);
	else if (d->kind == TDEF_RECORD)
		s = schema_members(d->fields);
	else
		s = schema_tags(d);
	put_text(s, "description", d->doc);
	put_life(s, d->life);
	add(examples, tdef_sample(d));
	put(s, "examples", examples);
	return s;
}

/* Types of one list. */
static void
put_types(json_t *defs, const struct tdef *d)
{
	for (; d != NULL; d = d->next)
		put(defs, d->name, schema_tdef(d));
}

/* Every named type. */
static json_t *
schema_types(const struct api *api)
{
	json_t *defs = must(json_object());
	const struct module *m;

	put_types(defs, api->types);
	for (m = api->modules; m != NULL; m = m->next)
		put_types(defs, m->types);
	return defs;
}

/* "Interface.method.params" and "….result". */
static void
put_call_schemas(json_t *defs, const struct method *f)
{
	char name[160];
	json_t *s;

	snprintf(name, sizeof(name), "%s.%s.params", f->iface->name, f->name);
	s = schema_members(f->params);
	put_text(s, "description", f->doc);
	put(defs, name, s);
	snprintf(name, sizeof(name), "%s.%s.result", f->iface->name, f->name);
	s = schema_of(f->result);
	put_text(s, "description", f->result_doc);
	put(defs, name, s);
}

/* A tree as a file. */
static void
write_json(struct out *o, const char *path, json_t *v)
{
	struct buf *b = out_file(o, "%s", path);
	char *s = json_dumps(v, JSON_INDENT(2));

	if (s == NULL)
		must(NULL);
	buf_adds(b, s);
	buf_addc(b, '\n');
	free(s);
	json_decref(v);
}

/* Call fn for every method. */
static void
each_method(const struct api *api, json_t *to,
    void (*fn)(json_t *, const struct method *))
{
	const struct module *m;
	const struct iface *i;
	const struct method *f;

	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			for (f = i->methods; f != NULL; f = f->next)
				fn(to, f);
}

/* `xmsg-idl jsonschema`. */
static void
emit_schema(const struct api *api, struct out *o)
{
	json_t *root = must(json_object()), *defs = schema_types(api);
	char name[160];

	put_text(
	    root, "$schema", "https://json-schema.org/draft/2020-12/schema");
	snprintf(name, sizeof(name), "urn:xmsg:%s:%s", api->name, api->version);
	put_text(root, "$id", name);
	put_text(root, "title", api->title);
	put_text(root, "description", api->doc);
	each_method(api, defs, put_call_schemas);
	put(root, "$defs", defs);
	write_json(o, "schema.json", root);
}

/* References in OpenRPC lead to components. */
static void
move_refs(json_t *v)
{
	const char *key, *s;
	json_t *e;
	size_t i;
	char ref[120];

	json_array_foreach(v, i, e) move_refs(e);
	json_object_foreach(v, key, e)
	{
		s = strcmp(key, "$ref") == 0 ? json_string_value(e) : NULL;
		if (s == NULL) {
			move_refs(e);
			continue;
		}
		snprintf(ref, sizeof(ref), "#/components/schemas/%s",
		    strrchr(s, '/') + 1);
		if (json_string_set(e, ref) < 0)
			must(NULL);
	}
}

/* The parameters by name. */
static json_t *
openrpc_params(const struct method *f)
{
	json_t *a = must(json_array()), *p;
	const struct member *m;

	for (m = f->params; m != NULL; m = m->next) {
		p = must(json_object());
		put_text(p, "name", m->name);
		put_text(p, "description", m->doc);
		put(p, "required", json_true());
		put(p, "schema", schema_of(m->type));
		add(a, p);
	}
	return a;
}

/* One example as OpenRPC pairs names and values. */
static json_t *
openrpc_example(const struct method *f, const struct example *x)
{
	json_t *e = must(json_object()), *a = must(json_array()), *p;
	const struct member *m;

	put_text(e, "name", x->title);
	for (m = f->params; m != NULL; m = m->next) {
		p = must(json_object());
		put_text(p, "name", m->name);
		put(p, "value",
		    json_deep_copy(json_object_get(x->params, m->name)));
		add(a, p);
	}
	put(e, "params", a);
	p = must(json_object());
	put_text(p, "name", "result");
	put(p, "value", json_deep_copy(x->result));
	put(e, "result", p);
	return e;
}

/* The errors, with when they come. */
static json_t *
openrpc_errors(const struct method *f)
{
	json_t *a = must(json_array()), *e;
	const struct ref *r = NULL;
	const char *when;

	while ((r = method_next_error(f, r)) != NULL) {
		e = must(json_object());
		put_text(e, "name", r->exn->name);
		put_text(e, "description", r->exn->doc);
		when = method_raises(f, r->exn);
		if (when[0] != '\0')
			put_text(e, "when", when);
		add(a, e);
	}
	return a;
}

/* One method. */
static void
openrpc_method(json_t *methods, const struct method *f)
{
	json_t *m = must(json_object()), *r = must(json_object());
	json_t *examples = must(json_array());
	const struct example *x;
	char name[160];

	snprintf(name, sizeof(name), "%s.%s", f->iface->name, f->name);
	put_text(m, "name", name);
	put_text(m, "summary", f->title);
	put_text(m, "description", f->doc);
	put_text(m, "paramStructure", "by-name");
	put(m, "params", openrpc_params(f));
	put_text(r, "name", "result");
	put_text(r, "description", f->result_doc);
	put(r, "schema", schema_of(f->result));
	put(m, "result", r);
	for (x = f->examples; x != NULL; x = x->next)
		if (x->result != NULL)
			add(examples, openrpc_example(f, x));
	put(m, "examples", examples);
	put(m, "x-errors", openrpc_errors(f));
	put(m, "x-idempotent", json_boolean(f->idempotent));
	if (f->feature != NULL)
		put_text(m, "x-feature", f->feature->name);
	put_text(m, "x-script", f->script);
	put_life(m, f->life);
	add(methods, m);
}

/* `xmsg-idl openrpc`. */
static void
emit_rpc(const struct api *api, struct out *o)
{
	json_t *root = must(json_object()), *info = must(json_object());
	json_t *methods = must(json_array()), *parts = must(json_object());

	put_text(root, "openrpc", "1.3.2");
	put_text(info, "title", api->title);
	put_text(info, "version", api->version);
	put_text(info, "description", api->doc);
	put(root, "info", info);
	each_method(api, methods, openrpc_method);
	put(root, "methods", methods);
	put(parts, "schemas", schema_types(api));
	put(root, "components", parts);
	move_refs(root);
	write_json(o, "openrpc.json", root);
}

const struct emitter emit_jsonschema = {"jsonschema",
    "a JSON Schema with every type and every call's params and result",
    emit_schema};
const struct emitter emit_openrpc = {
    "openrpc", "an OpenRPC description of all calls", emit_rpc};
