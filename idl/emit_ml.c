/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * `xmsg-idl ocaml`: the types (emit_ml_types.c), a file per module of the
 * interface with its errors and interfaces (emit_ml_iface.c), the feature
 * words, and one file that names them all.  They stand on the hand-written
 * runtime/ocaml/idl.ml and idl_script.ml.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "emit_ml.h"

/* A comment of prose only. */
static void
doc(struct buf *b, const char *title, const char *prose, size_t indent)
{
	struct buf body = BUF_INIT, text = BUF_INIT;

	if (title != NULL)
		buf_addf(&text, "%s.\n\n", title);
	buf_addf(&text, "%s", prose);
	buf_addc(&text, '\0');
	ml_prose(&body, text.p, indent + 4);
	ml_doc(b, &body, indent);
	buf_fini(&body);
	buf_fini(&text);
}

/* Errors as exceptions, known to the runtime by name. */
static void
errors(struct buf *b, const struct exn *e, bool mli)
{
	for (; e != NULL; e = e->next) {
		buf_addf(b, "\nexception %s of string\n", e->name);
		if (mli) {
			doc(b, NULL, e->doc, 0);
			continue;
		}
		buf_addf(b,
		    "\nlet () =\n  Idl.declare_error \"%s\"\n"
		    "    ~make:(fun arg -> %s arg)\n"
		    "    ~get:(function %s arg -> Some arg | _ -> None)\n",
		    e->name, e->name, e->name);
	}
}

/* The errors that all modules share; the runtime has one of them. */
static void
common_errors(struct buf *b, const struct api *api, bool mli)
{
	const struct exn *e;
	struct exn one;

	for (e = api->errors; e != NULL; e = e->next) {
		if (strcmp(e->name, "Unimplemented") == 0) {
			buf_addf(b, "\nexception Unimplemented %s\n",
			    mli ? "of string" : "= Idl.Unimplemented");
			if (mli)
				doc(b, NULL, e->doc, 0);
			continue;
		}
		one = *e;
		one.next = NULL;
		errors(b, &one, mli);
	}
}

/* API_errors.ml and .mli */
static void
emit_errors(const struct api *api, struct out *o)
{
	struct buf *b;
	int mli;

	for (mli = 0; mli <= 1; mli++) {
		b = out_file(
		    o, "%s_errors.%s", api->name, mli == 1 ? "mli" : "ml");
		ml_head(b, api);
		if (mli == 1)
			buf_adds(
			    b, "\n(** The errors that all modules share. *)\n");
		common_errors(b, api, mli == 1);
	}
}

/* `let vdi_create = "VDI_CREATE"` */
static void
emit_features(const struct api *api, struct out *o)
{
	struct buf *ml = out_file(o, "%s_features.ml", api->name);
	struct buf *mli = out_file(o, "%s_features.mli", api->name);
	struct buf small = BUF_INIT, name = BUF_INIT, all = BUF_INIT;
	const struct feature *f;
	const char *c;

	ml_head(ml, api);
	ml_head(mli, api);
	buf_adds(mli, "\n(** Words that an answer to a query may list. *)\n");
	for (f = api->features; f != NULL; f = f->next) {
		buf_reset(&name);
		buf_reset(&small);
		for (c = f->name; *c != '\0'; c++)
			buf_addc(&small, (char)tolower((unsigned char)*c));
		buf_addc(&small, '\0');
		ml_name(&name, small.p);
		buf_addf(ml, "%slet %.*s = \"%s\"\n",
		    f == api->features ? "\n" : "", (int)name.n, name.p,
		    f->name);
		buf_addf(mli, "\nval %.*s : string\n", (int)name.n, name.p);
		doc(mli, NULL, f->doc, 0);
		buf_addf(&all, "    %.*s;\n", (int)name.n, name.p);
	}
	buf_addf(ml, "\nlet all =\n  [\n%.*s  ]\n", (int)all.n,
	    all.n > 0 ? all.p : "");
	buf_adds(mli, "\nval all : string list\n(** In order. *)\n");
	buf_fini(&small);
	buf_fini(&name);
	buf_fini(&all);
}

/* `module Types = Smapi_types` */
static void
alias(struct buf *b, const struct api *api, const char *name)
{
	buf_adds(b, "module ");
	ml_module(b, name);
	buf_adds(b, " = ");
	ml_module(b, api->name);
	buf_addf(b, "_%s\n", name);
}

/* What users see of an interface. */
static void
iface_sig(struct buf *b, const struct iface *i)
{
	buf_addc(b, '\n');
	doc(b, i->title, i->doc, 0);
	buf_addf(b, "module %s : sig\n", i->name);
	buf_adds(b, "  (** What an implementation is. *)\n");
	ml_signature(b, i, true);
	buf_adds(b,
	    "\n"
	    "  (** Raises {!Idl.Unimplemented} whatever the call: include it "
	    "in\n"
	    "      an implementation that does not have them all. *)\n"
	    "  module Unimplemented : S\n"
	    "\n"
	    "  val scripts : (module S) -> Idl_script.t list\n"
	    "  (** The programs of an implementation, for "
	    "{!Idl_script.main}. *)\n"
	    "\n"
	    "  val client : (string -> Idl.member list -> Idl.json) -> "
	    "(module S)\n"
	    "  (** The calls of somebody else, by a function that brings a\n"
	    "      call's name and its parameters there and the result back.\n"
	    "      {!Idl.error_of} makes the exception it should raise. *)\n"
	    "end\n");
}

/* API_MODULE.ml and .mli */
static void
emit_module(const struct api *api, const struct module *m, struct out *o)
{
	struct buf *ml = out_file(o, "%s_%s.ml", api->name, m->name);
	struct buf *mli = out_file(o, "%s_%s.mli", api->name, m->name);
	const struct iface *i;

	ml_head(ml, api);
	ml_head(mli, api);
	buf_addc(mli, '\n');
	doc(mli, m->title, m->doc, 0);
	buf_addc(ml, '\n');
	buf_addc(mli, '\n');
	alias(ml, api, "types");
	alias(mli, api, "types");
	errors(ml, m->errors, false);
	errors(mli, m->errors, true);
	for (i = m->ifaces; i != NULL; i = i->next) {
		ml_iface(ml, i);
		iface_sig(mli, i);
	}
}

/* API.ml: everything by its short name. */
static void
emit_index(const struct api *api, struct out *o)
{
	struct buf *b = out_file(o, "%s.ml", api->name);
	const struct module *m;

	ml_head(b, api);
	buf_addc(b, '\n');
	doc(b, api->title, api->doc, 0);
	buf_adds(b, "\nmodule Idl = Idl\nmodule Script = Idl_script\n");
	alias(b, api, "types");
	alias(b, api, "errors");
	alias(b, api, "features");
	for (m = api->modules; m != NULL; m = m->next)
		alias(b, api, m->name);
}

/* All files. */
static void
emit(const struct api *api, struct out *o)
{
	const struct module *m;

	ml_emit_types(api, o);
	emit_errors(api, o);
	emit_features(api, o);
	for (m = api->modules; m != NULL; m = m->next)
		emit_module(api, m, o);
	emit_index(api, o);
}

const struct emitter emit_ocaml = {
    "ocaml", "the OCaml modules, for the runtime that comes with them", emit};
