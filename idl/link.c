/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Names to pointers, after all files are read: types, errors, features,
 * releases; and what may be left out in a declaration is filled in (dbg in
 * front of parameters and examples, the result of calls without one, script
 * names, inherited lives).
 */
#include <stdio.h>
#include <string.h>

#include "load.h"

/* What every linking function is handed down. */
struct link {
	struct api *api;
	struct diag *d;
	char where[200];
};

static const struct type unit_type = {.kind = TYPE_UNIT, .name = "unit"};

static const char *const basic_types[] = {"unit", "string", "int", "int64",
    "float", "bool", "list", "map", "pair", NULL};

/* The name nearest to an unknown type's. */
static const char *
suggest_type(struct link *k, struct suggest *s, const char *name)
{
	const struct module *m;
	const struct tdef *t;
	size_t i;

	suggest_init(s, name);
	if (diag_full(k->d))
		return "";
	for (i = 0; basic_types[i] != NULL; i++)
		suggest_offer(s, basic_types[i]);
	for (t = k->api->types; t != NULL; t = t->next)
		suggest_offer(s, t->name);
	for (m = k->api->modules; m != NULL; m = m->next)
		for (t = m->types; t != NULL; t = t->next)
			suggest_offer(s, t->name);
	return suggest_text(s);
}

/* Every name in a written type.  The loader made it, we may complete it. */
static void
link_type(struct link *k, const struct type *t)
{
	struct suggest s;

	if (t == NULL)
		return;
	link_type(k, t->a);
	link_type(k, t->b);
	if (t->kind != TYPE_NAMED)
		return;
	((struct type *)t)->def = api_type(k->api, t->name);
	if (t->def == NULL)
		diag_add(k->d, t->at, k->where, "unknown type \"%s\"%s",
		    t->name, suggest_type(k, &s, t->name));
}

/* Releases of a life; a missing life is the parent's. */
static void
link_life(struct link *k, const struct life **slot, const struct life *parent)
{
	struct life *l;
	const struct release *r;
	struct suggest s;

	if (*slot == NULL)
		*slot = parent;
	if (*slot == parent)
		return;
	for (l = (struct life *)*slot; l != NULL; l = l->next) {
		if (l->release_id == NULL)
			continue; /* noted by the loader */
		l->release = api_release(k->api, l->release_id);
		if (l->release != NULL)
			continue;
		suggest_init(&s, l->release_id);
		for (r = k->api->releases; r != NULL; r = r->next)
			suggest_offer(&s, r->id);
		diag_add(k->d, l->at, k->where, "unknown release \"%s\"%s",
		    l->release_id, suggest_text(&s));
	}
}

/* Where we are, for messages. */
static void
at(struct link *k, const char *a, const char *sep, const char *b)
{
	snprintf(k->where, sizeof(k->where), "%s%s%s", a, sep, b);
}

/* Members of a record or a method; prefix is its path. */
static void
link_members(struct link *k, const char *prefix, struct member *m,
    const struct life *life)
{
	for (; m != NULL; m = m->next) {
		at(k, prefix, ".", m->name);
		link_type(k, m->type);
		link_life(k, &m->life, life);
	}
}

/* Types: parts, default, life. */
static void
link_types(struct link *k, struct tdef *t, const struct life *life)
{
	struct tag *tag;

	for (; t != NULL; t = t->next) {
		at(k, t->name, "", "");
		link_life(k, &t->life, life);
		link_type(k, t->alias);
		for (tag = t->tags; tag != NULL; tag = tag->next) {
			at(k, t->name, ".", tag->name);
			link_type(k, tag->type);
			link_life(k, &tag->life, t->life);
			if (t->dflt_name != NULL &&
			    strcmp(t->dflt_name, tag->name) == 0)
				t->dflt = tag;
		}
		at(k, t->name, "", "");
		if (t->dflt_name != NULL && t->dflt == NULL)
			diag_add(k->d, t->at, k->where,
			    "the default \"%s\" is none of its tags",
			    t->dflt_name);
		link_members(k, t->name, t->fields, t->life);
	}
}

/* Errors: argument, life. */
static void
link_errors(struct link *k, struct exn *e, const struct life *life)
{
	for (; e != NULL; e = e->next) {
		at(k, e->name, "", "");
		link_life(k, &e->life, life);
		link_members(k, e->name, e->arg, e->life);
	}
}

/* An error by name, or NULL with the problem noted. */
static const struct exn *
error_named(struct link *k, struct pos pos, const char *name)
{
	const struct exn *e = api_error(k->api, name), *o;
	const struct module *m;
	struct suggest s;

	if (e != NULL)
		return e;
	suggest_init(&s, name);
	for (o = k->api->errors; o != NULL; o = o->next)
		suggest_offer(&s, o->name);
	for (m = k->api->modules; m != NULL; m = m->next)
		for (o = m->errors; o != NULL; o = o->next)
			suggest_offer(&s, o->name);
	diag_add(k->d, pos, k->where, "unknown error \"%s\"%s", name,
	    suggest_text(&s));
	return NULL;
}

/* References to errors. */
static void
link_error_refs(struct link *k, struct ref *r)
{
	for (; r != NULL; r = r->next)
		r->exn = error_named(k, r->at, r->name);
}

/* dbg in front, where the example does not say it. */
static void
complete_example(struct link *k, struct example *x)
{
	const struct member *c = k->api->context;
	json_t *all, *dbg;

	if (x->error_name != NULL)
		x->error = error_named(k, x->at, x->error_name);
	if (!json_is_object(x->params) || c == NULL || c->example == NULL ||
	    json_object_get(x->params, c->name) != NULL)
		return;
	all = json_object();
	dbg = json_deep_copy(c->example);
	if (all == NULL || json_object_set_new(all, c->name, dbg) < 0 ||
	    json_object_update(all, x->params) < 0 ||
	    json_array_append_new(k->api->values, all) < 0) {
		diag_add(k->d, x->at, k->where, "out of memory");
		return;
	}
	x->params = all;
}

/* The context's own copy in front of a method's parameters. */
static void
add_context(struct link *k, struct method *m)
{
	struct member *c;

	if (k->api->context == NULL)
		return;
	c = arena_alloc(&k->api->arena, sizeof(*c));
	*c = *k->api->context;
	c->next = m->params;
	m->params = c;
}

/* A feature word of a method. */
static void
link_feature(struct link *k, struct method *m)
{
	const struct feature *f;
	struct suggest s;

	if (m->feature_name == NULL)
		return;
	m->feature = api_feature(k->api, m->feature_name);
	if (m->feature != NULL)
		return;
	suggest_init(&s, m->feature_name);
	for (f = k->api->features; f != NULL; f = f->next)
		suggest_offer(&s, f->name);
	diag_add(k->d, m->feature_at, k->where, "unknown feature \"%s\"%s",
	    m->feature_name, suggest_text(&s));
}

/* One method. */
static void
link_method(struct link *k, struct method *m)
{
	char name[160];
	struct example *x;

	snprintf(name, sizeof(name), "%s.%s", m->iface->name, m->name);
	if (m->script == NULL)
		m->script = arena_printf(&k->api->arena, "%s", name);
	if (m->result == NULL && m->result_doc == NULL) {
		m->result = &unit_type;
		m->result_doc = "Nothing: `null`.";
	}
	add_context(k, m);
	at(k, name, "", "");
	link_life(k, &m->life, m->iface->life);
	link_error_refs(k, m->raises);
	link_feature(k, m);
	at(k, name, ".", "result");
	link_type(k, m->result);
	at(k, name, ".", "examples");
	for (x = m->examples; x != NULL; x = x->next)
		complete_example(k, x);
	snprintf(name, sizeof(name), "%s.%s.params", m->iface->name, m->name);
	link_members(k, name, m->params, m->life);
}

/* A module's interfaces. */
static void
link_ifaces(struct link *k, struct iface *i)
{
	struct method *m;

	for (; i != NULL; i = i->next) {
		at(k, i->name, "", "");
		link_life(k, &i->life, k->api->life);
		link_error_refs(k, i->errors);
		for (m = i->methods; m != NULL; m = m->next)
			link_method(k, m);
	}
}

/* A method by "Interface.method", or NULL with the problem noted. */
static const struct method *
method_named(struct link *k, const struct ref *r)
{
	const struct method *found = api_method(k->api, r->name), *f;
	const struct module *m;
	const struct iface *i;
	struct suggest s;
	char name[90];

	if (found != NULL)
		return found;
	suggest_init(&s, r->name);
	for (m = k->api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			for (f = i->methods; f != NULL; f = f->next) {
				snprintf(name, sizeof(name), "%s.%s", i->name,
				    f->name);
				suggest_offer(&s, name);
			}
	diag_add(k->d, r->at, k->where, "unknown method \"%s\"%s", r->name,
	    suggest_text(&s));
	return NULL;
}

/* Feature words and their methods. */
static void
link_features(struct link *k)
{
	struct feature *f;
	struct ref *r;

	for (f = k->api->features; f != NULL; f = f->next) {
		at(k, f->name, "", "");
		link_life(k, &f->life, k->api->life);
		for (r = f->methods; r != NULL; r = r->next) {
			r->method = method_named(k, r);
		}
	}
}

/* Take the module of this name out of a list; NULL when there is none. */
static struct module *
take_module(struct module **list, const char *name)
{
	struct module *m;

	for (; (m = *list) != NULL; list = &m->next)
		if (m->name != NULL && strcmp(m->name, name) == 0) {
			*list = m->next;
			m->next = NULL;
			return m;
		}
	return NULL;
}

/* A name in the order of modules that is none of theirs. */
static void
unknown_module(struct link *k, const struct ref *r, const struct module *rest)
{
	const struct ref *o;
	struct suggest s;

	for (o = k->api->order; o != r; o = o->next)
		if (strcmp(o->name, r->name) == 0) {
			diag_add(k->d, r->at, "api.modules",
			    "the module %s is there twice", r->name);
			return;
		}
	suggest_init(&s, r->name);
	for (; rest != NULL; rest = rest->next)
		if (rest->name != NULL)
			suggest_offer(&s, rest->name);
	diag_add(k->d, r->at, "api.modules", "unknown module \"%s\"%s", r->name,
	    suggest_text(&s));
}

/* Bring the modules into their declared order. */
static void
link_order(struct link *k)
{
	struct module *rest = k->api->modules, *sorted = NULL, **tail = &sorted;
	const struct ref *r;

	if (k->api->order == NULL)
		return;
	for (r = k->api->order; r != NULL; r = r->next) {
		*tail = take_module(&rest, r->name);
		if (*tail == NULL)
			unknown_module(k, r, rest);
		else
			tail = &(*tail)->next;
	}
	*tail = rest;
	k->api->modules = sorted;
	for (; rest != NULL; rest = rest->next)
		diag_add(k->d, rest->at, rest->name != NULL ? rest->name : "",
		    "the module is not in \"modules\" of the api");
}

/* Everything. */
void
load_link(struct api *api, struct diag *d)
{
	struct link k = {.api = api, .d = d};
	struct module *m;

	if (api->name == NULL)
		diag_add(d, (struct pos){NULL, 0, 0}, "",
		    "no file has an \"api\" part");
	if (api->context != NULL) {
		at(&k, "context", "", "");
		link_type(&k, api->context->type);
	}
	link_order(&k);
	at(&k, "api", "", "");
	link_life(&k, &api->life, NULL);
	link_types(&k, api->types, api->life);
	link_errors(&k, api->errors, api->life);
	for (m = api->modules; m != NULL; m = m->next) {
		link_types(&k, m->types, api->life);
		link_errors(&k, m->errors, api->life);
		link_ifaces(&k, m->ifaces);
	}
	link_features(&k);
}
