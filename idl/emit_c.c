/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * `xmsg-idl c`: a header with the calls as an enumeration and constant tables
 * of types, methods, errors and features for runtime/c/idlval.h.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#include "emit.h"

static const char *const basic[] = {
    [TYPE_UNIT] = "idl_unit",
    [TYPE_STRING] = "idl_string",
    [TYPE_INT] = "idl_int",
    [TYPE_INT64] = "idl_int64",
    [TYPE_FLOAT] = "idl_float",
    [TYPE_BOOL] = "idl_bool",
};

/* Names that have their definition already. */
struct done {
	char **names;
	size_t n;
};

/* Note a name; whether it was new. */
static bool
done_add(struct done *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (strcmp(d->names[i], name) == 0)
			return false;
	d->names = xreallocarray(d->names, d->n + 1, sizeof(*d->names));
	d->names[d->n++] = xstrdup(name);
	return true;
}

/* Forget all names. */
static void
done_fini(struct done *d)
{
	while (d->n > 0)
		free(d->names[--d->n]);
	free(d->names);
}

/* The name of the table entry of a type: list_key, smapi_volume. */
static void
ident(struct buf *b, const struct api *api, const struct type *t)
{
	t = type_plain(t);
	switch (t->kind) {
	case TYPE_LIST:
	case TYPE_MAP:
	case TYPE_PAIR:
		buf_adds(b,
		    t->kind == TYPE_LIST      ? "list_"
			: t->kind == TYPE_MAP ? "map_"
					      : "pair_");
		ident(b, api, t->a);
		if (t->b != NULL) {
			buf_addc(b, '_');
			ident(b, api, t->b);
		}
		break;
	case TYPE_NAMED: buf_addf(b, "%s_%s", api->name, t->def->name); break;
	default: buf_adds(b, basic[t->kind]);
	}
}

/* The same as a string that the caller frees. */
static char *
ident_dup(const struct api *api, const struct type *t)
{
	struct buf b = BUF_INIT;
	char *s;

	ident(&b, api, t);
	s = buf_steal(&b, NULL);
	return s != NULL ? s : xstrdup("");
}

/* What lists, maps and pairs inside a type need, before it. */
static void
composite(struct buf *b, const struct api *api, const struct type *t,
    struct done *done)
{
	struct buf name = BUF_INIT;
	char *id, *a, *part = NULL;

	t = type_plain(t);
	if (t->kind != TYPE_LIST && t->kind != TYPE_MAP && t->kind != TYPE_PAIR)
		return;
	composite(b, api, t->a, done);
	if (t->b != NULL)
		composite(b, api, t->b, done);
	id = ident_dup(api, t);
	a = ident_dup(api, t->a);
	if (t->b != NULL)
		part = ident_dup(api, t->b);
	if (done_add(done, id)) {
		type_write(&name, t);
		buf_addf(b,
		    "static const struct idl_type %s = {\n"
		    "    .kind = IDL_%s,\n    .name = \"%.*s\",\n    .a = "
		    "&%s,\n",
		    id,
		    t->kind == TYPE_LIST      ? "LIST"
			: t->kind == TYPE_MAP ? "MAP"
					      : "PAIR",
		    (int)name.n, name.p, a);
		if (part != NULL)
			buf_addf(b, "    .b = &%s,\n", part);
		buf_adds(b, "};\n\n");
	}
	buf_fini(&name);
	free(id);
	free(a);
	free(part);
}

/* One row of a table of fields, tags or parameters. */
static void
field_row(struct buf *b, const struct api *api, const char *name,
    const struct type *t, bool optional)
{
	char *id = t != NULL ? ident_dup(api, t) : NULL;

	buf_addf(b, "    {\"%s\", %s%s, %s},\n", name, id != NULL ? "&" : "",
	    id != NULL ? id : "NULL", optional ? "true" : "false");
	free(id);
}

/* The rows of members. */
static void
members(struct buf *b, const struct api *api, const char *id,
    const struct member *m)
{
	buf_addf(b, "static const struct idl_field %s[] = {\n", id);
	for (; m != NULL; m = m->next)
		field_row(b, api, m->name, m->type, m->optional);
	buf_adds(b, "    {NULL, NULL, false},\n};\n\n");
}

/* A record or a variant after what it is made of. */
static void
tdef(struct buf *b, const struct api *api, const struct tdef *d,
    struct done *done)
{
	const struct member *m;
	const struct tag *tag;
	char id[120];

	if (d->kind == TDEF_ALIAS)
		return;
	for (m = d->fields; m != NULL; m = m->next)
		composite(b, api, m->type, done);
	for (tag = d->tags; tag != NULL; tag = tag->next)
		if (tag->type != NULL)
			composite(b, api, tag->type, done);
	snprintf(id, sizeof(id), "%s_%s", d->name,
	    d->kind == TDEF_RECORD ? "fields" : "tags");
	if (d->kind == TDEF_RECORD) {
		members(b, api, id, d->fields);
	} else {
		buf_addf(b, "static const struct idl_field %s[] = {\n", id);
		for (tag = d->tags; tag != NULL; tag = tag->next)
			field_row(b, api, tag->name, tag->type, false);
		buf_adds(b, "    {NULL, NULL, false},\n};\n\n");
	}
	buf_addf(b,
	    "const struct idl_type %s_%s = {\n    .kind = IDL_%s,\n"
	    "    .name = \"%s\",\n    .fields = %s,\n",
	    api->name, d->name, d->kind == TDEF_RECORD ? "RECORD" : "VARIANT",
	    d->name, id);
	if (d->dflt != NULL)
		buf_addf(b, "    .dflt = \"%s\",\n", d->dflt->name);
	buf_adds(b, "};\n\n");
}

/* Call fn for every named type that has a table. */
static void
each_type(const struct api *api, struct buf *b, struct done *done,
    void (*fn)(
	struct buf *, const struct api *, const struct tdef *, struct done *))
{
	const struct module *m;
	const struct tdef *d;

	for (d = api->types; d != NULL; d = d->next)
		fn(b, api, d, done);
	for (m = api->modules; m != NULL; m = m->next)
		for (d = m->types; d != NULL; d = d->next)
			fn(b, api, d, done);
}

/* Its declaration in the header. */
static void
declare(struct buf *b, const struct api *api, const struct tdef *d,
    struct done *done)
{
	(void)done;
	if (d->kind != TDEF_ALIAS)
		buf_addf(b, "extern const struct idl_type %s_%s;\n", api->name,
		    d->name);
}

/* SMAPI_VOLUME_CREATE */
static void
enum_name(struct buf *b, const struct api *api, const struct method *m)
{
	char name[200], *s = name;

	snprintf(
	    name, sizeof(name), "%s_%s_%s", api->name, m->iface->name, m->name);
	for (; *s != '\0'; s++)
		buf_addc(b, (char)toupper((unsigned char)*s));
}

/* Call fn for every method. */
static void
each_method(const struct api *api, struct buf *b, struct done *done,
    void (*fn)(
	struct buf *, const struct api *, const struct method *, struct done *))
{
	const struct module *m;
	const struct iface *i;
	const struct method *f;

	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			for (f = i->methods; f != NULL; f = f->next)
				fn(b, api, f, done);
}

/* One value of the enumeration. */
static void
enum_row(struct buf *b, const struct api *api, const struct method *m,
    struct done *done)
{
	(void)done;
	buf_addc(b, '\t');
	enum_name(b, api, m);
	buf_adds(b, ",\n");
}

/* A method's parameters. */
static void
params_table(struct buf *b, const struct api *api, const struct method *m,
    struct done *done)
{
	const struct member *p;
	char id[160];

	for (p = m->params; p != NULL; p = p->next)
		composite(b, api, p->type, done);
	composite(b, api, m->result, done);
	snprintf(id, sizeof(id), "%s_%s_params", m->iface->name, m->name);
	members(b, api, id, m->params);
}

/* A method's row. */
static void
method_row(struct buf *b, const struct api *api, const struct method *m,
    struct done *done)
{
	char *id = ident_dup(api, m->result);

	(void)done;
	buf_adds(b, "    [");
	enum_name(b, api, m);
	buf_addf(b,
	    "] =\n\t{\n\t    .name = \"%s.%s\",\n\t    .script = \"%s\",\n",
	    m->iface->name, m->name, m->script);
	if (m->feature != NULL)
		buf_addf(b, "\t    .feature = \"%s\",\n", m->feature->name);
	buf_addf(b, "\t    .params = %s_%s_params,\n\t    .result = &%s,\n",
	    m->iface->name, m->name, id);
	buf_addf(b, "\t    .idempotent = %s,\n\t},\n",
	    m->idempotent ? "true" : "false");
	free(id);
}

/* The enumeration's last value: SMAPI_N_METHODS. */
static void
count_name(struct buf *b, const struct api *api)
{
	const char *s;

	for (s = api->name; *s != '\0'; s++)
		buf_addc(b, (char)toupper((unsigned char)*s));
	buf_adds(b, "_N_METHODS");
}

/* The first lines of both files. */
static void
head(struct buf *b, const struct api *api)
{
	buf_addf(b,
	    "/* Made by xmsg-idl from the declarations of %s %s: change those\n"
	    " * instead. */\n",
	    api->name, api->version);
}

/* One row of the table of types. */
static void
type_row(struct buf *b, const struct api *api, const struct tdef *d,
    struct done *done)
{
	(void)done;
	if (d->kind != TDEF_ALIAS)
		buf_addf(b, "    &%s_%s,\n", api->name, d->name);
}

/* gen_NAME.h */
static void
header(const struct api *api, struct out *o)
{
	struct buf *b = out_file(o, "gen_%s.h", api->name);
	struct done done = {NULL, 0};

	head(b, api);
	buf_addf(b,
	    "#ifndef GEN_%s_H\n#define GEN_%s_H\n\n"
	    "#include \"idlval.h\"\n\nenum %s_method {\n",
	    api->name, api->name, api->name);
	each_method(api, b, &done, enum_row);
	buf_addc(b, '\t');
	count_name(b, api);
	buf_addf(b,
	    "\n};\n\n/* By that number. */\n"
	    "extern const struct idl_method %s_methods[",
	    api->name);
	count_name(b, api);
	buf_adds(b,
	    "];\n\n/* The name of every declared error, NULL at the end. "
	    "*/\n");
	buf_addf(b,
	    "extern const char *const %s_errors[];\n\n"
	    "/* Every feature word, NULL at the end. */\n"
	    "extern const char *const %s_features[];\n\n",
	    api->name, api->name);
	each_type(api, b, &done, declare);
	buf_addf(b,
	    "\n/* All of these, NULL at the end. */\n"
	    "extern const struct idl_type *const %s_types[];\n",
	    api->name);
	buf_adds(b, "\n#endif\n");
}

/* Errors and features as lists of words. */
static void
words(struct buf *b, const struct api *api)
{
	const struct module *m;
	const struct feature *f;
	const struct exn *e;

	buf_addf(b, "\nconst char *const %s_errors[] = {\n", api->name);
	for (e = api->errors; e != NULL; e = e->next)
		buf_addf(b, "    \"%s\",\n", e->name);
	for (m = api->modules; m != NULL; m = m->next)
		for (e = m->errors; e != NULL; e = e->next)
			buf_addf(b, "    \"%s\",\n", e->name);
	buf_addf(b, "    NULL,\n};\n\nconst char *const %s_features[] = {\n",
	    api->name);
	for (f = api->features; f != NULL; f = f->next)
		buf_addf(b, "    \"%s\",\n", f->name);
	buf_adds(b, "    NULL,\n};\n");
}

/* gen_NAME.c */
static void
source(const struct api *api, struct out *o)
{
	struct buf *b = out_file(o, "gen_%s.c", api->name);
	struct done done = {NULL, 0};

	head(b, api);
	buf_addf(b, "#include \"gen_%s.h\"\n\n", api->name);
	each_type(api, b, &done, tdef);
	each_method(api, b, &done, params_table);
	buf_addf(b, "const struct idl_method %s_methods[", api->name);
	count_name(b, api);
	buf_adds(b, "] = {\n");
	each_method(api, b, &done, method_row);
	buf_adds(b, "};\n");
	buf_addf(
	    b, "\nconst struct idl_type *const %s_types[] = {\n", api->name);
	each_type(api, b, &done, type_row);
	buf_adds(b, "    NULL,\n};\n");
	words(b, api);
	done_fini(&done);
}

/* Both. */
static void
emit(const struct api *api, struct out *o)
{
	header(api, o);
	source(api, o);
}

const struct emitter emit_c = {
    "c", "a C header and tables for runtime/c/idlval.h", emit};
