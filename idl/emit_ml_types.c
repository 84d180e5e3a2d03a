/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * API_types.ml and .mli: a module for each declared type, with the type `t`
 * and `typ`, how it is read and written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#include "emit_ml.h"

/* What is written: the interface with its comments, or the code. */
struct side {
	struct buf *b;
	const struct api *api;
	bool mli;
	const struct tdef **done; /* written already: each after its parts */
	size_t n_done;
};

/* A comment behind what stands on the line that began at `line`. */
static void
part_doc(struct side *s, const char *doc, const struct life *l,
    const struct life *parent, size_t line)
{
	struct buf body = BUF_INIT;

	if (!s->mli) {
		buf_addc(s->b, '\n');
		return;
	}
	ml_prose(&body, doc, 12);
	ml_life(&body, l, parent, 12);
	ml_doc_after(s->b, &body, line, 8);
	buf_fini(&body);
}

/* `type t = { ... }` */
static void
record_type(struct side *s, const struct tdef *d)
{
	const struct member *m;
	size_t line;

	buf_adds(s->b, "  type t = {\n");
	for (m = d->fields; m != NULL; m = m->next) {
		line = s->b->n;
		buf_adds(s->b, "    ");
		ml_name(s->b, m->name);
		buf_adds(s->b, " : ");
		ml_type(s->b, m->type, "");
		buf_adds(s->b, m->optional ? " option;" : ";");
		part_doc(s, m->doc, m->life, d->life, line);
	}
	buf_adds(s->b, "  }\n");
}

/* `type t = | A | B of b` */
static void
variant_type(struct side *s, const struct tdef *d)
{
	const struct tag *tag;
	size_t line;

	buf_adds(s->b, "  type t =\n");
	for (tag = d->tags; tag != NULL; tag = tag->next) {
		line = s->b->n;
		buf_addf(s->b, "    | %s", tag->name);
		if (tag->type != NULL) {
			buf_adds(s->b, " of ");
			ml_type(s->b, tag->type, "");
		}
		part_doc(s, tag->doc, tag->life, d->life, line);
	}
}

/* Reads a record member by member, in order. */
static void
record_read(struct buf *b, const struct tdef *d)
{
	const struct member *m;
	struct buf expr = BUF_INIT, *names;
	size_t n = 0;

	for (m = d->fields; m != NULL; m = m->next)
		n++;
	names = xcalloc(n + 1, sizeof(*names));
	buf_adds(b, "      (fun m' ->\n");
	for (m = d->fields, n = 0; m != NULL; m = m->next, n++) {
		buf_reset(&expr);
		buf_addf(&expr, "Idl.get%s m' \"%s\" ",
		    m->optional ? "_opt" : "", m->name);
		ml_typ(&expr, m->type, "", true);
		ml_let_in(b, 8, m->name, &expr);
		ml_name(&names[n], m->name);
	}
	buf_adds(b, "        ");
	ml_group(b, 8, '{', names, n, '}');
	buf_adds(b, ")\n");
	while (n > 0)
		buf_fini(&names[--n]);
	free(names);
	buf_fini(&expr);
}

/* Writes it. */
static void
record_write(struct buf *b, const struct tdef *d)
{
	const struct member *m;
	struct buf first = BUF_INIT, rest = BUF_INIT;

	buf_adds(b, "      (fun v ->\n        [\n");
	for (m = d->fields; m != NULL; m = m->next) {
		buf_reset(&first);
		buf_reset(&rest);
		buf_addf(&first, "Idl.put%s \"%s\" ", m->optional ? "_opt" : "",
		    m->name);
		ml_typ(&first, m->type, "", true);
		buf_adds(&rest, "v.");
		ml_name(&rest, m->name);
		buf_addc(&rest, ';');
		ml_line(b, 10, 2, &first, &rest);
	}
	buf_adds(b, "        ])\n");
	buf_fini(&first);
	buf_fini(&rest);
}

/* Reads one case of a variant. */
static void
tag_read(struct buf *b, const struct tag *tag)
{
	struct buf first = BUF_INIT, rest = BUF_INIT;

	if (tag->type == NULL) {
		buf_addf(&first, "Idl.tag_only \"%s\"", tag->name);
		buf_addf(&rest, "%s;", tag->name);
	} else {
		buf_addf(&first, "Idl.tag \"%s\" ", tag->name);
		ml_typ(&first, tag->type, "", true);
		buf_addf(&rest, "(fun v -> %s v);", tag->name);
	}
	ml_line(b, 8, 2, &first, &rest);
	buf_fini(&first);
	buf_fini(&rest);
}

/* Writes it. */
static void
tag_write(struct buf *b, const struct tag *tag)
{
	struct buf first = BUF_INIT, rest = BUF_INIT;

	if (tag->type == NULL) {
		buf_addf(&first, "| %s ->", tag->name);
		buf_addf(&rest, "Idl.put_tag_only \"%s\"", tag->name);
	} else {
		buf_addf(&first, "| %s v ->", tag->name);
		buf_addf(&rest, "Idl.put_tag \"%s\" ", tag->name);
		ml_typ(&rest, tag->type, "", true);
		buf_adds(&rest, " v");
	}
	buf_adds(&rest, tag->next == NULL ? ")" : "");
	ml_line(b, 8, 4, &first, &rest);
	buf_fini(&first);
	buf_fini(&rest);
}

/* Reads a variant by its tags, and writes it. */
static void
variant_code(struct buf *b, const struct tdef *d)
{
	const struct tag *tag;

	buf_adds(b, "      [\n");
	for (tag = d->tags; tag != NULL; tag = tag->next)
		tag_read(b, tag);
	buf_adds(b, "      ]\n      (function\n");
	for (tag = d->tags; tag != NULL; tag = tag->next)
		tag_write(b, tag);
}

/* What the type is. */
static void
type_side(struct side *s, const struct tdef *d)
{
	switch (d->kind) {
	case TDEF_RECORD: record_type(s, d); break;
	case TDEF_VARIANT: variant_type(s, d); break;
	default:
		buf_adds(s->b, "  type t = ");
		ml_type(s->b, d->alias, "");
		buf_addc(s->b, '\n');
	}
	if (d->dflt != NULL && s->mli)
		buf_adds(s->b, "\n  val default : t");
	else if (d->dflt != NULL)
		buf_addf(s->b, "\n  let default = %s\n", d->dflt->name);
}

/* How it is read and written. */
static void
code_side(struct buf *b, const struct tdef *d)
{
	if (d->kind == TDEF_ALIAS) {
		buf_adds(b, "\n  let typ = ");
		ml_typ(b, d->alias, "", false);
		buf_addc(b, '\n');
		return;
	}
	buf_addf(b, "\n  let typ =\n    Idl.%s \"%s\"\n",
	    d->kind == TDEF_RECORD ? "record" : "variant", d->name);
	if (d->kind == TDEF_VARIANT) {
		variant_code(b, d);
		return;
	}
	record_read(b, d);
	record_write(b, d);
}

/* One module. */
static void
type_module(struct side *s, const struct tdef *d)
{
	struct buf body = BUF_INIT;

	buf_addc(s->b, '\n');
	if (s->mli) {
		ml_prose(&body, d->doc, 4);
		ml_life(&body, d->life, NULL, 4);
		ml_doc(s->b, &body, 0);
	}
	buf_adds(s->b, "module ");
	ml_module(s->b, d->name);
	buf_adds(s->b, s->mli ? " : sig\n" : " = struct\n");
	type_side(s, d);
	if (s->mli)
		buf_adds(s->b, "\n  val typ : t Idl.typ\n");
	else
		code_side(s->b, d);
	buf_adds(s->b, "end\n");
	buf_fini(&body);
}

static void after_parts(struct side *s, const struct tdef *d);

/* The named types inside a written one. */
static void
parts(struct side *s, const struct type *t)
{
	if (t == NULL)
		return;
	parts(s, t->a);
	parts(s, t->b);
	if (t->kind == TYPE_NAMED)
		after_parts(s, t->def);
}

/* A type once, after those it is made of (a checked model has no cycles). */
static void
after_parts(struct side *s, const struct tdef *d)
{
	const struct member *m;
	const struct tag *tag;
	size_t i;

	for (i = 0; i < s->n_done; i++)
		if (s->done[i] == d)
			return;
	parts(s, d->alias);
	for (m = d->fields; m != NULL; m = m->next)
		parts(s, m->type);
	for (tag = d->tags; tag != NULL; tag = tag->next)
		parts(s, tag->type);
	s->done = xreallocarray(s->done, s->n_done + 1, sizeof(*s->done));
	s->done[s->n_done++] = d;
	type_module(s, d);
}

/* All of them by name, for programs that learn of types when they run. */
static void
table(struct side *s)
{
	size_t i;

	if (s->mli) {
		buf_adds(s->b,
		    "\n(** Every type by its declared name. *)\n"
		    "val all : (string * Idl.any) list\n");
		return;
	}
	buf_adds(s->b, "\nlet all =\n  [\n");
	for (i = 0; i < s->n_done; i++) {
		buf_addf(s->b, "    (\"%s\", Idl.Any ", s->done[i]->name);
		ml_module(s->b, s->done[i]->name);
		buf_adds(s->b, ".typ);\n");
	}
	buf_adds(s->b, "  ]\n");
}

/* One of the two files. */
static void
types_file(const struct api *api, struct buf *b, bool mli)
{
	struct side s = {.b = b, .api = api, .mli = mli};
	const struct module *m;
	const struct tdef *d;

	ml_head(b, api);
	if (mli)
		buf_adds(b, "\n(** The types of the interface. *)\n");
	for (d = api->types; d != NULL; d = d->next)
		after_parts(&s, d);
	for (m = api->modules; m != NULL; m = m->next)
		for (d = m->types; d != NULL; d = d->next)
			after_parts(&s, d);
	table(&s);
	free(s.done);
}

/* Both files. */
void
ml_emit_types(const struct api *api, struct out *o)
{
	types_file(api, out_file(o, "%s_types.ml", api->name), false);
	types_file(api, out_file(o, "%s_types.mli", api->name), true);
}
