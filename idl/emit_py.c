/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * `xmsg-idl python`: one module for the types (emit_py_types.c), one per module
 * of the interface with its errors, base classes, dispatchers and command lines, and
 * a stub for each (emit_pyi.c).  What they do is in the hand-written
 * runtime/python/xapi/storage/api/runtime.py; what existing plugins expect of
 * these classes is noted where it shows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "emit_py.h"
#include "prose.h"
#include "pytext.h"

/* What each generated file begins with. */
void
py_head(struct buf *b, const struct api *api, const char *doc)
{
	buf_adds(b, "# -*- coding: utf-8 -*-\n");
	buf_addf(b,
	    "# Made by xmsg-idl from the declarations of %s %s: change "
	    "those instead.\n\n",
	    api->name, api->version);
	if (doc != NULL)
		py_doc(b, doc, NULL, 0);
}

/* A declared error; those common to all are in the hand-written part. */
static void
error_class(struct buf *b, const struct exn *e)
{
	buf_addf(b, "\n\nclass %s(Rpc_light_failure):\n", e->name);
	py_doc(b, e->doc, NULL, 4);
	buf_addf(b,
	    "\n    def __init__(self, arg_0):\n"
	    "        Rpc_light_failure.__init__(self, \"%s\", [arg_0])\n"
	    "        _runtime.check_error_argument(arg_0)\n"
	    "        self.arg_0 = arg_0\n",
	    e->name);
}

/* JSON text as a member of a tuple. */
static void
json_text(struct buf *b, json_t *v, size_t indent, const char *after)
{
	char *s = json_dumps(v, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	buf_addf(b, "%*s", (int)indent, "");
	if (s == NULL)
		b->failed = true;
	else
		py_long(b, s, indent, indent, after);
	buf_addc(b, '\n');
	free(s);
}

/* One example: title, parameters, what is printed. */
static void
example(struct buf *b, const struct example *x)
{
	char *s;

	buf_adds(b, "        (\n            ");
	py_long(b, x->title, 12, 12, ",");
	buf_addc(b, '\n');
	json_text(b, x->params, 12, ",");
	if (x->error == NULL) {
		json_text(b, x->result, 12, ",");
	} else {
		s = NULL;
		if (asprintf(&s, "%s: %s", x->error->name, x->error_arg) < 0)
			b->failed = true;
		buf_adds(b, "            ");
		py_long(b, s != NULL ? s : "", 12, 12, ",");
		buf_addc(b, '\n');
		free(s);
	}
	buf_adds(b, "        ),\n");
}

/* A parameter's description, as an expression. */
static void
param_spec(struct buf *b, const struct member *p, size_t indent)
{
	json_t *v = member_sample(p);
	char *s = json_dumps(v, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	const char *word = json_is_string(v) ? json_string_value(v) : s;
	size_t in = indent + 4;

	buf_addf(b, "_runtime.Param(\n%*s\"%s\",\n%*s", (int)in, "", p->name,
	    (int)in, "");
	py_type_expr(b, p->type, "_types.");
	buf_addf(b, ",\n%*s", (int)in, "");
	py_prose(b, p->doc, in, in, ",");
	buf_addf(b, "\n%*s", (int)in, "");
	py_long(b, word != NULL ? word : "", in, in, ",");
	buf_addf(b, "\n%*s)", (int)indent, "");
	if (s == NULL)
		b->failed = true;
	free(s);
	json_decref(v);
}

/* Parameters; the first one is the same for all. */
static void
param_specs(struct buf *b, const struct method *m)
{
	const struct member *p;

	buf_adds(b, "    params=[\n");
	for (p = m->params; p != NULL; p = p->next) {
		buf_adds(b, "        ");
		if (p == m->params)
			buf_addf(b, "_%s", p->name);
		else
			param_spec(b, p, 8);
		buf_adds(b, ",\n");
	}
	buf_adds(b, "    ],\n");
}

/* What to expect to go wrong. */
static void
error_specs(struct buf *b, const struct method *m)
{
	const struct ref *r;

	if (m->raises == NULL) {
		buf_adds(b, "    errors=[],\n");
		return;
	}
	buf_adds(b, "    errors=[\n");
	for (r = m->raises; r != NULL; r = r->next) {
		buf_addf(b, "        (\"%s\", ", r->name);
		py_long(b, r->doc, 8, 12 + strlen(r->name) + 1, "),");
		buf_addc(b, '\n');
	}
	buf_adds(b, "    ],\n");
}

/* `    name="text",` */
static void
keyword(struct buf *b, const char *name, const char *s)
{
	buf_addf(b, "    %s=", name);
	py_long(b, s, 4, 5 + strlen(name), ",");
	buf_addc(b, '\n');
}

/* The release a method came with, in words. */
static void
since_spec(struct buf *b, const struct method *m)
{
	const struct release *r = life_first(m->life)->release;
	struct buf s = BUF_INIT;

	buf_adds(&s, r->title);
	if (r->date[0] != '\0')
		buf_addf(&s, " (%s)", r->date);
	buf_addc(&s, '\0');
	keyword(b, "since", s.p);
	buf_fini(&s);
}

/* All that is declared of a method, for the runtime. */
static void
method_spec(struct buf *b, const struct method *m)
{
	const struct example *x;

	buf_addf(b, "\n_%s_%s = _runtime.Method(\n", m->iface->name, m->name);
	buf_addf(b, "    \"%s.%s\",\n", m->iface->name, m->name);
	keyword(b, "title", m->title);
	buf_adds(b, "    doc=");
	py_prose(b, m->doc, 4, 8, ",\n");
	param_specs(b, m);
	buf_adds(b, "    result=");
	py_type_expr(b, m->result, "_types.");
	buf_adds(b, ",\n");
	keyword(b, "result_doc", m->result_doc);
	error_specs(b, m);
	since_spec(b, m);
	buf_adds(b, "    examples=[\n");
	for (x = m->examples; x != NULL; x = x->next)
		example(b, x);
	buf_adds(b, "    ],\n");
	if (strncmp(m->script, m->iface->name, strlen(m->iface->name)) != 0 ||
	    strcmp(m->script + strlen(m->iface->name) + 1, m->name) != 0)
		keyword(b, "script", m->script);
	buf_adds(b, ")\n");
}

/* The doc string of an implementation's method. */
static void
method_doc(struct buf *b, const struct method *m)
{
	struct buf doc = BUF_INIT, title = BUF_INIT;
	const struct member *p;
	const struct ref *r;

	buf_addf(&title, "%s.", m->title);
	buf_addc(&title, '\0');
	buf_addf(&doc, "%s\n\n", m->doc);
	for (p = m->params; p != NULL; p = p->next) {
		buf_addf(&doc, "- %s (", p->name);
		type_write(&doc, p->type);
		buf_addf(&doc, "): %s\n", p->doc);
	}
	buf_adds(&doc, "\nReturns ");
	type_write(&doc, m->result);
	buf_addf(&doc, ". %s\n", m->result_doc);
	if (m->raises != NULL)
		buf_addc(&doc, '\n');
	for (r = m->raises; r != NULL; r = r->next)
		buf_addf(&doc, "- raises %s %s\n", r->name, r->doc);
	buf_addc(&doc, '\0');
	py_doc(b, title.p, doc.p, 8);
	buf_fini(&doc);
	buf_fini(&title);
}

/* `    def name(self, dbg, ...):` filled to the line. */
void
py_signature(struct buf *b, const struct method *m)
{
	const struct member *p;
	size_t col, n;

	buf_addf(b, "\n    def %s(self", m->name);
	col = 13 + strlen(m->name);
	for (p = m->params; p != NULL; p = p->next) {
		n = strlen(p->name) + (p->next == NULL ? 2 : 1);
		if (col + 2 + n > PY_COLUMNS) {
			n += 9 + strlen(m->name);
			buf_addf(b, ",\n%*s%s", 9 + (int)strlen(m->name), "",
			    p->name);
			col = n;
		} else {
			buf_addf(b, ", %s", p->name);
			col += 2 + n - 1;
		}
	}
	buf_adds(b, "):\n");
}

/* I_skeleton: what plugins inherit from. */
static void
skeleton_class(struct buf *b, const struct iface *i)
{
	const struct method *m;

	buf_addf(b, "\n\nclass %s_skeleton(object):\n", i->name);
	py_doc(b, i->title, i->doc, 4);
	buf_adds(b, "\n    def __init__(self):\n        pass\n");
	for (m = i->methods; m != NULL; m = m->next) {
		py_signature(b, m);
		method_doc(b, m);
		buf_addf(b, "        raise Unimplemented(\"%s.%s\")\n", i->name,
		    m->name);
	}
}

/* I_test: valid values that mean nothing. */
static void
test_class(struct buf *b, const struct iface *i)
{
	const struct method *m;
	json_t *v;

	buf_addf(b, "\n\nclass %s_test(%s_skeleton):\n", i->name, i->name);
	py_doc(b, "Answers every call with made-up values of the right types.",
	    NULL, 4);
	for (m = i->methods; m != NULL; m = m->next) {
		py_signature(b, m);
		buf_adds(b, "        return ");
		v = type_sample(m->result);
		py_value(b, v, 8, 15, "");
		json_decref(v);
		buf_addc(b, '\n');
	}
}

/* I_server_dispatcher: checked calls. */
static void
dispatcher_class(struct buf *b, const struct iface *i)
{
	const struct method *m;

	buf_addf(b, "\n\nclass %s_server_dispatcher(object):\n", i->name);
	py_doc(b, "Calls of an implementation with types checked both ways.",
	    NULL, 4);
	buf_adds(b,
	    "\n    def __init__(self, impl):\n"
	    "        self._impl = impl\n        self._dispatcher_dict = {\n");
	for (m = i->methods; m != NULL; m = m->next)
		buf_addf(b, "            \"%s.%s\": self.%s,\n", i->name,
		    m->name, m->name);
	buf_adds(b, "        }\n");
	for (m = i->methods; m != NULL; m = m->next)
		buf_addf(b,
		    "\n    def %s(self, args):\n"
		    "        return _runtime.call(\n"
		    "            _%s_%s, self._impl.%s, args)\n",
		    m->name, i->name, m->name, m->name);
	buf_adds(b,
	    "\n    def _dispatch(self, method, params):\n"
	    "        return _runtime.dispatch(\n"
	    "            self._dispatcher_dict, _methods, method, params)\n");
}

/* I_commandline: one method per script.  Its public names are the calls,
 * impl and dispatcher, because plugins list them with dir(). */
static void
commandline_class(struct buf *b, const struct iface *i)
{
	const struct method *m;

	buf_addf(b, "\n\nclass %s_commandline(object):\n", i->name);
	py_doc(b, "The scripts of an implementation: parse, call, print.", NULL,
	    4);
	buf_addf(b,
	    "\n    def __init__(self, impl):\n"
	    "        self.impl = impl\n"
	    "        self.dispatcher = %s_server_dispatcher(self.impl)\n",
	    i->name);
	for (m = i->methods; m != NULL; m = m->next)
		buf_addf(b,
		    "\n    def _parse_%s(self):\n"
		    "        return _runtime.parse(_%s_%s)\n"
		    "\n    def %s(self):\n"
		    "        _runtime.run(\n"
		    "            _%s_%s, self._parse_%s,\n"
		    "            self.dispatcher.%s)\n",
		    m->name, i->name, m->name, m->name, i->name, m->name,
		    m->name, m->name);
}

/* m_server_dispatcher and m_server_test: all interfaces of a module. */
static void
module_server(struct buf *b, const struct module *m)
{
	const struct iface *i;

	buf_addf(b, "\n\nclass %s_server_dispatcher(object):\n", m->name);
	py_doc(b, "An in-process server of this module's interfaces.", NULL, 4);
	buf_adds(b, "\n    def __init__(self");
	for (i = m->ifaces; i != NULL; i = i->next)
		buf_addf(b, ", %s=None", i->name);
	buf_adds(b, "):\n");
	for (i = m->ifaces; i != NULL; i = i->next)
		buf_addf(b, "        self.%s = %s\n", i->name, i->name);
	buf_adds(b,
	    "\n    def _dispatch(self, method, params):\n"
	    "        return _runtime.dispatch_any(\n            {");
	for (i = m->ifaces; i != NULL; i = i->next)
		buf_addf(b, "\"%s\": self.%s%s", i->name, i->name,
		    i->next != NULL ? ", " : "");
	buf_adds(b, "}, method, params)\n");
	buf_addf(b, "\n\nclass %s_server_test(%s_server_dispatcher):\n",
	    m->name, m->name);
	py_doc(b, "An in-process server that answers with made-up values.",
	    NULL, 4);
	buf_addf(b,
	    "\n    def __init__(self):\n"
	    "        %s_server_dispatcher.__init__(\n            self",
	    m->name);
	for (i = m->ifaces; i != NULL; i = i->next)
		buf_addf(b, ",\n            %s=%s_server_dispatcher(%s_test())",
		    i->name, i->name, i->name);
	buf_adds(b, ")\n");
}

/* Descriptions and errors by name, for in-process servers and clients. */
static void
tables(struct buf *b, const struct module *m)
{
	const struct iface *i;
	const struct method *f;
	const struct exn *e;

	buf_adds(b, "\n_methods = {\n");
	for (i = m->ifaces; i != NULL; i = i->next)
		for (f = i->methods; f != NULL; f = f->next)
			buf_addf(b, "    \"%s.%s\": _%s_%s,\n", i->name,
			    f->name, i->name, f->name);
	buf_adds(b, "}\n\n_errors = {");
	for (e = m->errors; e != NULL; e = e->next)
		buf_addf(b, "\n    \"%s\": %s,", e->name, e->name);
	buf_adds(b, m->errors != NULL ? "\n}\n" : "}\n");
}

/* MODULE.py */
static void
emit_module(const struct api *api, const struct module *m, struct out *o)
{
	struct buf *b = out_file(o, PY_DIR "%s.py", m->name);
	const struct iface *i;
	const struct method *f;
	const struct exn *e;

	py_head(b, api, NULL);
	py_doc(b, m->title, m->doc, 0);
	buf_adds(b,
	    "\nfrom xapi import *  # noqa: F401,F403\n"
	    "from xapi import Rpc_light_failure, Unimplemented\n"
	    "from xapi.storage.api import runtime as _runtime\n"
	    "from xapi.storage.api.v5 import _types\n");
	for (e = m->errors; e != NULL; e = e->next)
		error_class(b, e);
	if (m->errors != NULL)
		buf_addc(b, '\n');
	buf_addf(b, "\n_%s = ", api->context->name);
	param_spec(b, api->context, 0);
	buf_addc(b, '\n');
	for (i = m->ifaces; i != NULL; i = i->next)
		for (f = i->methods; f != NULL; f = f->next)
			method_spec(b, f);
	tables(b, m);
	for (i = m->ifaces; i != NULL; i = i->next) {
		skeleton_class(b, i);
		test_class(b, i);
		dispatcher_class(b, i);
		commandline_class(b, i);
	}
	module_server(b, m);
}

/* Everything below xapi/. */
static void
emit(const struct api *api, struct out *o)
{
	const struct module *m;

	py_types(api, o);
	py_stub_types(api, o);
	py_stub_client(api, o);
	for (m = api->modules; m != NULL; m = m->next) {
		emit_module(api, m, o);
		py_stub_module(api, m, o);
	}
}

const struct emitter emit_python = {"python",
    "the Python modules below xapi/storage/api/v5 and their stubs", emit};
