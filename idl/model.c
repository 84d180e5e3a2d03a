/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Making, freeing and asking the model: look-ups by name, lives, the order of
 * a method's errors.
 */
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#include "model.h"

/* An empty model. */
struct api *
api_new(void)
{
	struct api *api = xcalloc(1, sizeof(*api));

	api->values = json_array();
	if (api->values == NULL)
		abort();
	return api;
}

/* All of it. */
void
api_free(struct api *api)
{
	if (api == NULL)
		return;
	json_decref(api->values);
	arena_fini(&api->arena);
	free(api);
}

/* In one list of types. */
static const struct tdef *
find_type(const struct tdef *t, const char *name)
{
	while (t != NULL && strcmp(t->name, name) != 0)
		t = t->next;
	return t;
}

/* Common types first, then module by module. */
const struct tdef *
api_type(const struct api *api, const char *name)
{
	const struct tdef *t = find_type(api->types, name);
	const struct module *m;

	for (m = api->modules; t == NULL && m != NULL; m = m->next)
		t = find_type(m->types, name);
	return t;
}

/* In one list of errors. */
static const struct exn *
find_error(const struct exn *e, const char *name)
{
	while (e != NULL && strcmp(e->name, name) != 0)
		e = e->next;
	return e;
}

/* Common errors first, then module by module. */
const struct exn *
api_error(const struct api *api, const char *name)
{
	const struct exn *e = find_error(api->errors, name);
	const struct module *m;

	for (m = api->modules; e == NULL && m != NULL; m = m->next)
		e = find_error(m->errors, name);
	return e;
}

/* A feature word. */
const struct feature *
api_feature(const struct api *api, const char *name)
{
	const struct feature *f = api->features;

	while (f != NULL && strcmp(f->name, name) != 0)
		f = f->next;
	return f;
}

/* A release by its id. */
const struct release *
api_release(const struct api *api, const char *id)
{
	const struct release *r = api->releases;

	while (r != NULL && strcmp(r->id, id) != 0)
		r = r->next;
	return r;
}

/* An interface of any module. */
const struct iface *
api_iface(const struct api *api, const char *name)
{
	const struct module *m;
	const struct iface *i;

	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			if (strcmp(i->name, name) == 0)
				return i;
	return NULL;
}

/* "Interface.method". */
const struct method *
api_method(const struct api *api, const char *dotted)
{
	const char *dot = strchr(dotted, '.');
	const struct module *m;
	const struct iface *i;
	const struct method *f;
	size_t n;

	if (dot == NULL)
		return NULL;
	n = (size_t)(dot - dotted);
	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next) {
			if (strlen(i->name) != n ||
			    strncmp(i->name, dotted, n) != 0)
				continue;
			for (f = i->methods; f != NULL; f = f->next)
				if (strcmp(f->name, dot + 1) == 0)
					return f;
		}
	return NULL;
}

/* What a name in backquotes stands for. */
enum item_kind
api_lookup(const struct api *api, const char *name)
{
	const struct module *m;

	if (api_method(api, name) != NULL)
		return ITEM_METHOD;
	if (api_iface(api, name) != NULL)
		return ITEM_IFACE;
	if (api_type(api, name) != NULL)
		return ITEM_TYPE;
	if (api_error(api, name) != NULL)
		return ITEM_ERROR;
	if (api_feature(api, name) != NULL)
		return ITEM_FEATURE;
	for (m = api->modules; m != NULL; m = m->next)
		if (strcmp(m->name, name) == 0)
			return ITEM_MODULE;
	return ITEM_NONE;
}

/* The interface's errors; a method has no others. */
const struct ref *
method_next_error(const struct method *m, const struct ref *prev)
{
	return prev == NULL ? m->iface->errors : prev->next;
}

/* The sentence of the method's `raises` for an error. */
const char *
method_raises(const struct method *m, const struct exn *e)
{
	const struct ref *r;

	for (r = m->raises; r != NULL; r = r->next)
		if (r->exn == e)
			return r->doc;
	return "";
}

/* How many parameters, dbg included. */
size_t
method_nparams(const struct method *m)
{
	const struct member *p;
	size_t n = 0;

	for (p = m->params; p != NULL; p = p->next)
		n++;
	return n;
}

static const char *const life_names[] = {
    [LIFE_PROTOTYPED] = "prototyped",
    [LIFE_PUBLISHED] = "published",
    [LIFE_EXTENDED] = "extended",
    [LIFE_CHANGED] = "changed",
    [LIFE_DEPRECATED] = "deprecated",
    [LIFE_REMOVED] = "removed",
};

/* The word in declarations. */
const char *
life_kind_name(enum life_kind k)
{
	return life_names[k];
}

/* The first publication, else the first event. */
const struct life *
life_first(const struct life *l)
{
	const struct life *e;

	for (e = l; e != NULL; e = e->next)
		if (e->kind == LIFE_PUBLISHED)
			return e;
	return l;
}

/* Extending and changing leave the state as it was. */
enum life_kind
life_state(const struct life *l)
{
	enum life_kind k = LIFE_PROTOTYPED;

	for (; l != NULL; l = l->next)
		if (l->kind != LIFE_EXTENDED && l->kind != LIFE_CHANGED)
			k = l->kind;
	return k;
}
