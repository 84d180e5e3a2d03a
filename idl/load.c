/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * YAML trees to the model.  What a mapping may hold is a table of keys, each
 * with a reader and the place it fills; one loop serves all tables and knows
 * what is missing, what is unknown and what was probably meant.  That and the
 * readers of common parts are in load_part.c, types in their written form in
 * load_type.c, linking is in link.c.
 */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xalloc.h"

#include "load.h"
#include "load_int.h"

static const struct key tag_keys[] = {
    {"type", read_type, offsetof(struct tag, type), false},
    {"description", read_text, offsetof(struct tag, doc), true},
    {"lifecycle", read_life, offsetof(struct tag, life), false},
    {NULL, NULL, 0, false},
};

/* The cases of a variant. */
static void
read_tags(struct load *l, const struct yml *y, void *slot)
{
	struct tag **tail = slot, *t;
	const struct yml *e;
	size_t n;

	for (e = entries(l, y); e != NULL; e = e->next) {
		t = *tail = arena_alloc(l->a, sizeof(*t));
		tail = &t->next;
		t->name = e->key->s;
		t->at = e->key->at;
		n = path_push(l, t->name);
		read_map(l, e, tag_keys, t);
		path_pop(l, n);
	}
}

static const struct key tdef_keys[] = {
    {"type", read_type, offsetof(struct tdef, alias), false},
    {"fields", read_members, offsetof(struct tdef, fields), false},
    {"tags", read_tags, offsetof(struct tdef, tags), false},
    {"default", read_text, offsetof(struct tdef, dflt_name), false},
    {"description", read_text, offsetof(struct tdef, doc), true},
    {"example", read_value, offsetof(struct tdef, example), false},
    {"lifecycle", read_life, offsetof(struct tdef, life), false},
    {NULL, NULL, 0, false},
};

/* Which of type, fields and tags it has decides what it is. */
static void
tdef_kind_of(struct load *l, const struct yml *y, struct tdef *t)
{
	int n = (yml_get(y, "type") != NULL) + (yml_get(y, "fields") != NULL) +
	    (yml_get(y, "tags") != NULL);

	if (n != 1)
		complain(l, y->key,
		    "a type has exactly one of \"type\", "
		    "\"fields\" and \"tags\"");
	t->kind = TDEF_ALIAS;
	if (t->fields != NULL)
		t->kind = TDEF_RECORD;
	else if (t->tags != NULL)
		t->kind = TDEF_VARIANT;
	else if (n == 1 && yml_get(y, "type") == NULL)
		complain(l, y->key, "the type is empty");
}

/* Named types. */
static void
read_types(struct load *l, const struct yml *y, void *slot)
{
	struct tdef **tail = slot, *t;
	const struct yml *e;
	size_t n;

	while (*tail != NULL)
		tail = &(*tail)->next;
	for (e = entries(l, y); e != NULL; e = e->next) {
		t = *tail = arena_alloc(l->a, sizeof(*t));
		tail = &t->next;
		t->name = e->key->s;
		t->at = e->key->at;
		t->module = l->module;
		n = path_push(l, t->name);
		read_map(l, e, tdef_keys, t);
		if (e->kind == YML_MAP)
			tdef_kind_of(l, e, t);
		path_pop(l, n);
	}
}

static const struct key exn_keys[] = {
    {"description", read_text, offsetof(struct exn, doc), true},
    {"argument", read_arg, offsetof(struct exn, arg), true},
    {"lifecycle", read_life, offsetof(struct exn, life), false},
    {NULL, NULL, 0, false},
};

/* Declared errors. */
static void
read_errors(struct load *l, const struct yml *y, void *slot)
{
	struct exn **tail = slot, *x;
	const struct yml *e;
	size_t n;

	while (*tail != NULL)
		tail = &(*tail)->next;
	for (e = entries(l, y); e != NULL; e = e->next) {
		x = *tail = arena_alloc(l->a, sizeof(*x));
		tail = &x->next;
		x->name = e->key->s;
		x->at = e->key->at;
		x->module = l->module;
		n = path_push(l, x->name);
		read_map(l, e, exn_keys, x);
		path_pop(l, n);
	}
}

/* `error: {Name: text}`: exactly one entry. */
static void
read_example_error(struct load *l, const struct yml *y, void *slot)
{
	struct example *x = (struct example *)((char *)slot -
	    offsetof(struct example, error_name));
	const struct yml *e = entries(l, y);

	if (e == NULL || e->next != NULL) {
		complain(l, y, "one error is expected: {Name: text}");
		return;
	}
	x->error_name = e->key->s;
	x->error_arg = scalar_of(l, e);
}

static const struct key example_keys[] = {
    {"title", read_text, offsetof(struct example, title), true},
    {"params", read_value, offsetof(struct example, params), true},
    {"result", read_value, offsetof(struct example, result), false},
    {"error", read_example_error, offsetof(struct example, error_name), false},
    {NULL, NULL, 0, false},
};

/* Calls with what came of them. */
static void
read_examples(struct load *l, const struct yml *y, void *slot)
{
	struct example **tail = slot, *x;
	const struct yml *e;
	char name[32];
	size_t n, i = 0;

	if (y->kind != YML_SEQ) {
		complain(l, y, "a list of examples is expected here");
		return;
	}
	for (e = y->first; e != NULL; e = e->next) {
		x = *tail = arena_alloc(l->a, sizeof(*x));
		tail = &x->next;
		x->at = e->at;
		x->src = e;
		snprintf(name, sizeof(name), "examples[%zu]", i++);
		n = path_push(l, name);
		read_map(l, e, example_keys, x);
		path_pop(l, n);
	}
}

static const struct key result_keys[] = {
    {"type", read_type, offsetof(struct method, result), true},
    {"description", read_text, offsetof(struct method, result_doc), true},
    {NULL, NULL, 0, false},
};

/* The method's result; slot is the method. */
static void
read_result(struct load *l, const struct yml *y, void *slot)
{
	size_t n = path_push(l, "result");

	read_map(l, y, result_keys, slot);
	path_pop(l, n);
}

/* The method's feature word; slot is the method. */
static void
read_feature(struct load *l, const struct yml *y, void *slot)
{
	struct method *m = slot;

	m->feature_at = y->at;
	read_text(l, y, &m->feature_name);
}

static const struct key method_keys[] = {
    {"title", read_text, offsetof(struct method, title), true},
    {"description", read_text, offsetof(struct method, doc), true},
    {"script", read_text, offsetof(struct method, script), false},
    {"params", read_members, offsetof(struct method, params), false},
    {"result", read_result, 0, false},
    {"raises", read_refs, offsetof(struct method, raises), false},
    {"feature", read_feature, 0, false},
    {"idempotent", read_bool, offsetof(struct method, idempotent), false},
    {"unused", read_bool, offsetof(struct method, unused), false},
    {"lifecycle", read_life, offsetof(struct method, life), false},
    {"examples", read_examples, offsetof(struct method, examples), true},
    {NULL, NULL, 0, false},
};

/* The methods of the interface in hand. */
static void
read_methods(struct load *l, const struct yml *y, void *slot)
{
	struct method **tail = slot, *m;
	const struct yml *e;
	size_t n;

	for (e = entries(l, y); e != NULL; e = e->next) {
		m = *tail = arena_alloc(l->a, sizeof(*m));
		tail = &m->next;
		m->name = e->key->s;
		m->at = e->key->at;
		m->iface = l->iface;
		n = path_push(l, m->name);
		read_map(l, e, method_keys, m);
		path_pop(l, n);
	}
}

static const struct key iface_keys[] = {
    {"title", read_text, offsetof(struct iface, title), true},
    {"description", read_text, offsetof(struct iface, doc), true},
    {"version", read_text, offsetof(struct iface, version), true},
    {"errors", read_refs, offsetof(struct iface, errors), true},
    {"lifecycle", read_life, offsetof(struct iface, life), false},
    {"methods", read_methods, offsetof(struct iface, methods), true},
    {NULL, NULL, 0, false},
};

/* The interfaces of the module in hand. */
static void
read_ifaces(struct load *l, const struct yml *y, void *slot)
{
	struct iface **tail = slot, *i;
	const struct yml *e;
	size_t n;

	for (e = entries(l, y); e != NULL; e = e->next) {
		i = *tail = arena_alloc(l->a, sizeof(*i));
		tail = &i->next;
		i->name = e->key->s;
		i->at = e->key->at;
		i->module = l->module;
		l->iface = i;
		n = path_push(l, i->name);
		read_map(l, e, iface_keys, i);
		path_pop(l, n);
	}
}

static const struct key feature_keys[] = {
    {"description", read_text, offsetof(struct feature, doc), true},
    {"methods", read_refs, offsetof(struct feature, methods), false},
    {"automatic", read_bool, offsetof(struct feature, automatic), false},
    {"lifecycle", read_life, offsetof(struct feature, life), false},
    {NULL, NULL, 0, false},
};

/* Feature words. */
static void
read_features(struct load *l, const struct yml *y, void *slot)
{
	struct feature **tail = slot, *f;
	const struct yml *e;
	size_t n;

	for (e = entries(l, y); e != NULL; e = e->next) {
		f = *tail = arena_alloc(l->a, sizeof(*f));
		tail = &f->next;
		f->name = e->key->s;
		f->at = e->key->at;
		n = path_push(l, f->name);
		read_map(l, e, feature_keys, f);
		path_pop(l, n);
	}
}

static const struct key release_keys[] = {
    {"title", read_text, offsetof(struct release, title), true},
    {"date", read_text, offsetof(struct release, date), false},
    {"description", read_text, offsetof(struct release, doc), false},
    {NULL, NULL, 0, false},
};

/* Releases, oldest first. */
static void
read_releases(struct load *l, const struct yml *y, void *slot)
{
	struct release **tail = slot, *r;
	const struct yml *e;
	int rank = 0;
	size_t n;

	for (e = entries(l, y); e != NULL; e = e->next) {
		r = *tail = arena_alloc(l->a, sizeof(*r));
		tail = &r->next;
		r->id = e->key->s;
		r->at = e->key->at;
		r->rank = rank++;
		r->date = r->doc = "";
		n = path_push(l, r->id);
		read_map(l, e, release_keys, r);
		path_pop(l, n);
	}
}

/* `context: {dbg: {type: ..., ...}}`. */
static void
read_context(struct load *l, const struct yml *y, void *slot)
{
	const struct yml *e = entries(l, y);

	if (e == NULL || e->next != NULL)
		complain(l, y, "one parameter is expected here");
	else
		*(struct member **)slot = member_of(l, e);
}

static const struct key api_keys[] = {
    {"name", read_text, offsetof(struct api, name), true},
    {"title", read_text, offsetof(struct api, title), true},
    {"version", read_text, offsetof(struct api, version), true},
    {"description", read_text, offsetof(struct api, doc), true},
    {"context", read_context, offsetof(struct api, context), true},
    {"releases", read_releases, offsetof(struct api, releases), true},
    {"lifecycle", read_life, offsetof(struct api, life), true},
    {"features", read_features, offsetof(struct api, features), false},
    {"modules", read_refs, offsetof(struct api, order), false},
    {NULL, NULL, 0, false},
};

/* `api:`, once in all files; slot is not used. */
static void
read_api(struct load *l, const struct yml *y, void *slot)
{
	(void)slot;
	if (l->api->name != NULL) {
		complain(l, y->key, "\"api\" is there twice (first in %s)",
		    l->api->at.file);
		return;
	}
	l->api->at = y->key->at;
	read_map(l, y, api_keys, l->api);
}

static const struct key module_keys[] = {
    {"name", read_text, offsetof(struct module, name), true},
    {"title", read_text, offsetof(struct module, title), true},
    {"description", read_text, offsetof(struct module, doc), true},
    {NULL, NULL, 0, false},
};

/* `module:`; slot is not used. */
static void
read_module(struct load *l, const struct yml *y, void *slot)
{
	(void)slot;
	if (l->module == NULL)
		return; /* not a mapping: noted by load_text */
	l->module->at = y->key->at;
	read_map(l, y, module_keys, l->module);
}

static const struct key file_keys[] = {
    {"api", read_api, 0, false},
    {"module", read_module, 0, false},
    {"types", read_types, offsetof(struct module, types), false},
    {"errors", read_errors, offsetof(struct module, errors), false},
    {"interfaces", read_ifaces, offsetof(struct module, ifaces), false},
    {NULL, NULL, 0, false},
};

/* A module for the file that declares one. */
static struct module *
new_module(struct load *l)
{
	struct module *m = arena_alloc(l->a, sizeof(*m));
	struct module **tail = &l->api->modules;

	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = m;
	return m;
}

/* A file with `module` fills that; one without adds to the common part. */
void
load_text(struct api *api, const char *file, const char *text, size_t n,
    struct diag *d)
{
	struct load l = {.api = api, .a = &api->arena, .d = d};
	struct module common = {.types = api->types, .errors = api->errors};
	const struct yml *root;

	file = arena_strndup(l.a, file, strlen(file));
	root = yml_parse(l.a, file, text, n, d);
	if (root == NULL) {
		api->broken = true;
		return;
	}
	if (root->kind == YML_MAP && yml_get(root, "module") != NULL)
		l.module = new_module(&l);
	read_map(&l, root, file_keys, l.module != NULL ? l.module : &common);
	api->types = common.types;
	api->errors = common.errors;
	if (common.ifaces != NULL)
		diag_add(d, common.ifaces->at, common.ifaces->name,
		    "an interface needs a \"module\" in its file");
}

/* Read what is not larger than a file may be. */
static void
load_file(struct api *api, const char *path, struct diag *d)
{
	struct pos at = {arena_strndup(&api->arena, path, strlen(path)), 0, 0};
	struct buf text = {.max = YML_MAX_BYTES + 65536};
	FILE *f = fopen(path, "re");
	char *p;
	size_t n = 1;

	if (f == NULL) {
		diag_add(d, at, "", "%s", strerror(errno));
		return;
	}
	while (n > 0 && text.n <= YML_MAX_BYTES &&
	    (p = buf_reserve(&text, 65536)) != NULL) {
		n = fread(p, 1, 65536, f);
		text.n += n;
	}
	if (ferror(f))
		diag_add(d, at, "", "%s", strerror(errno));
	else if (!buf_ok(&text))
		diag_add(d, at, "", "out of memory");
	else
		load_text(api, path, text.p, text.n, d);
	fclose(f);
	buf_fini(&text);
}

/* Names that end in .yaml and are not hidden. */
static int
is_yaml(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && n > 5 &&
	    strcmp(e->d_name + n - 5, ".yaml") == 0;
}

/* By bytes, whatever the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* All of a folder. */
static void
load_dir(struct api *api, const char *path, struct diag *d)
{
	struct dirent **names;
	struct pos at = {arena_strndup(&api->arena, path, strlen(path)), 0, 0};
	int n = scandir(path, &names, is_yaml, by_name), i;
	char *file;

	if (n < 0) {
		diag_add(d, at, "", "%s", strerror(errno));
		return;
	}
	if (n == 0)
		diag_add(d, at, "", "there is no *.yaml file in this folder");
	for (i = 0; i < n; i++) {
		file = xasprintf("%s/%s", path, names[i]->d_name);
		load_file(api, file, d);
		free(file);
		free(names[i]);
	}
	free(names);
}

/* A file or a folder. */
void
load_path(struct api *api, const char *path, struct diag *d)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		load_dir(api, path, d);
	else
		load_file(api, path, d);
}
