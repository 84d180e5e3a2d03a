/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One interface as an OCaml module: the signature of an implementation, one
 * that has no call, the programs of an implementation, a client.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit_ml.h"

/* Words filled, the first one where the line stands, at column `col`; further
 * lines are indented. */
static void
words(struct buf *b, const char *s, size_t col, size_t indent)
{
	bool fresh = true;
	size_t n;

	for (; *s != '\0'; s += n + (s[n] == ' ')) {
		n = strcspn(s, " ");
		if (!fresh && col + 1 + n > ML_COLUMNS) {
			buf_addf(b, "\n%*s", (int)indent, "");
			col = indent;
		} else if (!fresh) {
			buf_addc(b, ' ');
			col++;
		}
		buf_add(b, s, n);
		col += n;
		fresh = false;
	}
}

/* `~dbg ~sr`, with `after` behind each. */
static void
labels(struct buf *b, const struct method *m, const char *after)
{
	const struct member *p;

	for (p = m->params; p != NULL; p = p->next) {
		buf_adds(b, " ~");
		ml_name(b, p->name);
		buf_adds(b, after);
	}
}

/* The comment of a call: prose, parameters, result, errors, life. */
static void
method_doc(struct buf *b, const struct method *m)
{
	struct buf body = BUF_INIT, tag = BUF_INIT, title = BUF_INIT;
	const struct member *p;
	const struct ref *r;

	buf_addf(&title, "%s.\n\n%s", m->title, m->doc);
	buf_addc(&title, '\0');
	ml_prose(&body, title.p, 8);
	buf_addc(&body, '\n');
	for (p = m->params; p != NULL; p = p->next) {
		buf_reset(&tag);
		buf_adds(&tag, "param ");
		ml_name(&tag, p->name);
		buf_addc(&tag, '\0');
		ml_tag(&body, tag.p, p->doc, 8);
	}
	ml_tag(&body, "return", m->result_doc, 8);
	for (r = m->raises; r != NULL; r = r->next) {
		buf_reset(&tag);
		buf_addf(&tag, "raise %s", r->name);
		buf_addc(&tag, '\0');
		ml_tag(&body, tag.p, r->doc, 8);
	}
	ml_life(&body, m->life, NULL, 8);
	ml_doc(b, &body, 4);
	buf_fini(&body);
	buf_fini(&tag);
	buf_fini(&title);
}

/* `val create : dbg:string -> ... -> result` */
static void
method_val(struct buf *b, const struct method *m)
{
	struct buf one = BUF_INIT, name = BUF_INIT;
	const struct member *p;
	const char *s, *arrow;

	for (p = m->params; p != NULL; p = p->next) {
		ml_name(&one, p->name);
		buf_addc(&one, ':');
		ml_type(&one, p->type, ML_TYPES);
		buf_adds(&one, " -> ");
	}
	ml_type(&one, m->result, ML_TYPES);
	buf_addc(&one, '\0');
	ml_name(&name, m->name);
	buf_addf(b, "    val %.*s :", (int)name.n, name.p);
	if (4 + 4 + name.n + 3 + one.n - 1 <= ML_COLUMNS) {
		buf_addf(b, " %s\n", one.p);
	} else {
		for (s = one.p; (arrow = strstr(s, " -> ")) != NULL;
		     s = arrow + 4)
			buf_addf(b, "\n      %.*s ->", (int)(arrow - s), s);
		buf_addf(b, "\n      %s\n", s);
	}
	buf_fini(&one);
	buf_fini(&name);
}

/* What an implementation is. */
void
ml_signature(struct buf *b, const struct iface *i, bool docs)
{
	const struct method *m;

	buf_adds(b, "  module type S = sig\n");
	for (m = i->methods; m != NULL; m = m->next) {
		method_val(b, m);
		if (docs)
			method_doc(b, m);
		if (docs && m->next != NULL)
			buf_addc(b, '\n');
	}
	buf_adds(b, "  end\n");
}

/* The implementation to begin with. */
static void
unimplemented(struct buf *b, const struct iface *i)
{
	const struct method *m;
	struct buf head = BUF_INIT;

	buf_adds(b, "\n  module Unimplemented = struct\n");
	for (m = i->methods; m != NULL; m = m->next) {
		buf_reset(&head);
		buf_adds(&head, "let ");
		ml_name(&head, m->name);
		labels(&head, m, ":_");
		buf_adds(&head, " =");
		buf_addc(&head, '\0');
		buf_adds(b, "    ");
		words(b, head.p, 4, 8);
		buf_addf(b, "\n      raise (Idl.Unimplemented \"%s.%s\")\n",
		    i->name, m->name);
		if (m->next != NULL)
			buf_addc(b, '\n');
	}
	buf_adds(b, "  end\n");
	buf_fini(&head);
}

/* Checks the arguments in order, calls, encodes the result. */
static void
serve(struct buf *b, const struct method *m)
{
	struct buf expr = BUF_INIT, rest = BUF_INIT;
	const struct member *p;
	size_t line;

	buf_adds(b, "        serve =\n          (fun args' ->\n");
	for (p = m->params; p != NULL; p = p->next) {
		buf_reset(&expr);
		buf_addf(&expr, "Idl.argument args' \"%s\" ", p->name);
		ml_typ(&expr, p->type, ML_TYPES, true);
		ml_let_in(b, 12, p->name, &expr);
	}
	line = b->n;
	buf_adds(b, "            Idl.encode ");
	ml_typ(b, m->result, ML_TYPES, true);
	buf_adds(&rest, "(I.");
	ml_name(&rest, m->name);
	labels(&rest, m, "");
	buf_adds(&rest, "));");
	line = b->n - line;
	if (line + 1 + rest.n > ML_COLUMNS) {
		buf_adds(b, "\n              ");
		line = 14;
	} else {
		buf_addc(b, ' ');
		line++;
	}
	buf_addc(&rest, '\0');
	words(b, rest.p, line, 15);
	buf_addc(b, '\n');
	buf_fini(&expr);
	buf_fini(&rest);
}

/* One program of an implementation. */
static void
script(struct buf *b, const struct method *m)
{
	const struct member *p;

	buf_addf(b,
	    "      {\n        Idl_script.name = \"%s.%s\";\n"
	    "        file = \"%s\";\n        params =\n          [\n",
	    m->iface->name, m->name, m->script);
	for (p = m->params; p != NULL; p = p->next) {
		buf_addf(b, "            (\"%s\", Idl.Any ", p->name);
		ml_typ(b, p->type, ML_TYPES, true);
		buf_adds(b, ");\n");
	}
	buf_adds(b, "          ];\n        present = I.");
	ml_name(b, m->name);
	buf_adds(b, " != Unimplemented.");
	ml_name(b, m->name);
	buf_adds(b, ";\n");
	serve(b, m);
	buf_adds(b, "        help =\n          {help|");
	ml_help(b, m);
	buf_adds(b, "|help};\n      };\n");
}

/* One call of a client. */
static void
client_call(struct buf *b, const struct method *m)
{
	struct buf head = BUF_INIT, rest = BUF_INIT;
	const struct member *p;

	buf_adds(&head, "let ");
	ml_name(&head, m->name);
	labels(&head, m, "");
	buf_adds(&head, " =");
	buf_addc(&head, '\0');
	buf_adds(b, "      ");
	words(b, head.p, 6, 10);
	buf_adds(b, "\n        Idl.decode ");
	ml_typ(b, m->result, ML_TYPES, true);
	buf_addf(b, "\n          (call' \"%s.%s\"\n             [\n",
	    m->iface->name, m->name);
	for (p = m->params; p != NULL; p = p->next) {
		buf_reset(&head);
		buf_reset(&rest);
		buf_addf(&head, "Idl.put \"%s\" ", p->name);
		ml_typ(&head, p->type, ML_TYPES, true);
		ml_name(&rest, p->name);
		buf_addc(&rest, ';');
		ml_line(b, 15, 2, &head, &rest);
	}
	buf_adds(b, "             ])\n");
	if (m->next != NULL)
		buf_addc(b, '\n');
	buf_fini(&head);
	buf_fini(&rest);
}

/* The module. */
void
ml_iface(struct buf *b, const struct iface *i)
{
	const struct method *m;

	buf_addf(b, "\nmodule %s = struct\n", i->name);
	ml_signature(b, i, false);
	unimplemented(b, i);
	buf_adds(b, "\n  let scripts (module I : S) =\n    [\n");
	for (m = i->methods; m != NULL; m = m->next)
		script(b, m);
	buf_adds(b, "    ]\n\n  let client call' =\n    (module struct\n");
	for (m = i->methods; m != NULL; m = m->next)
		client_call(b, m);
	buf_adds(b, "    end : S)\nend\n");
}
