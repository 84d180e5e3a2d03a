/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * An example of the declarations four times: as JSON on a script's standard
 * input and output, in Python (a plugin and its caller), as a plugin in OCaml,
 * as a shell session.  The tests take them out of the pages again and run
 * them.
 */
#include <stdlib.h>
#include <string.h>

#include "emit_html.h"
#include "emit_ml.h"
#include "emit_py.h"
#include "pytext.h"

/* What a script prints when it fails; the backtrace is left empty. */
static json_t *
error_object(const struct example *x)
{
	return json_pack("{s:s, s:[s, s], s:{s:s, s:[], s:[]}}", "code",
	    "SR_BACKEND_FAILURE", "params", x->error->name, x->error_arg,
	    "backtrace", "error", x->error_arg, "files", "lines");
}

/* What goes in and what comes out. */
static void
as_json(struct html *h, const struct example *x)
{
	struct buf t = BUF_INIT;
	json_t *out =
	    x->error != NULL ? error_object(x) : json_incref(x->result);

	html_json(&t, x->params, 0, 0);
	html_code(&h->b, "json", "Parameters", (struct str){t.p, t.n});
	buf_reset(&t);
	html_json(&t, out, 0, 0);
	html_code(&h->b, "json",
	    x->error != NULL ? "Error, exit status 1" : "Result, exit status 0",
	    (struct str){t.p, t.n});
	buf_fini(&t);
	json_decref(out);
}

/* An implementation that gives this answer. */
static void
as_python(struct html *h, const struct method *m, const struct example *x)
{
	const char *module = m->iface->module->name;
	struct buf t = BUF_INIT;

	buf_addf(&t,
	    "from xapi.storage.api.v5 import %s\n\n\n"
	    "class Implementation(%s.%s_skeleton):",
	    module, module, m->iface->name);
	py_signature(&t, m);
	if (x->error != NULL) {
		buf_addf(&t, "        raise %s.%s(", module, x->error->name);
		py_string(&t, str_of(x->error_arg));
		buf_adds(&t, ")");
	} else {
		buf_adds(&t, "        return ");
		py_value(&t, x->result, 8, 15, "");
	}
	html_code(&h->b, "python", "Plugin", (struct str){t.p, t.n});
	buf_fini(&t);
}

/* The call with its parameters, one per line. */
static void
python_call(struct buf *t, const struct method *m, const struct example *x,
    size_t indent)
{
	const struct member *p;

	buf_addf(t, "c.%s.%s(", m->iface->name, m->name);
	for (p = m->params->next; p != NULL; p = p->next) {
		buf_addf(t, "\n%*s%s=", (int)indent + 4, "", p->name);
		py_value(t, json_object_get(x->params, p->name), indent + 4,
		    indent + 5 + strlen(p->name), ",");
	}
	if (m->params->next != NULL)
		buf_addf(t, "\n%*s", (int)indent, "");
	buf_addc(t, ')');
}

/* A program that makes the call through the message switch. */
static void
python_caller(struct html *h, const struct method *m, const struct example *x)
{
	const char *module = m->iface->module->name;
	struct buf t = BUF_INIT;

	if (x->error != NULL)
		buf_addf(&t, "from xapi.storage.api.v5 import %s\n", module);
	buf_adds(&t,
	    "from xapi.storage.client import Client\n\n"
	    "c = Client(queue=\"org.xen.xapi.storage.mine\")\n");
	if (x->error != NULL) {
		buf_adds(&t, "try:\n    ");
		python_call(&t, m, x, 4);
		buf_addf(&t, "\nexcept %s.%s as e:\n    print(e)", module,
		    x->error->name);
	} else {
		buf_adds(&t,
		    type_plain(m->result)->kind == TYPE_UNIT ? ""
							     : "result = ");
		python_call(&t, m, x, 0);
	}
	html_code(&h->b, "python", "Caller", (struct str){t.p, t.n});
	buf_fini(&t);
}

/* Where an error is declared: in its module, or common to all. */
static const char *
ml_home(const struct module *m, const struct exn *e)
{
	const struct exn *one;

	for (one = m->errors; one != NULL; one = one->next)
		if (one == e)
			return m->name;
	return "errors";
}

/* `raise (Volume.Cancelled "x")`, or the result. */
static void
ml_outcome(struct buf *t, const struct method *m, const struct example *x)
{
	if (x->error == NULL) {
		ml_value(t, m->result, x->result, 4);
		return;
	}
	buf_adds(t, "raise (");
	ml_module(t, ml_home(m->iface->module, x->error));
	buf_addf(t, ".%s ", x->error->name);
	ml_string(t, x->error_arg);
	buf_addc(t, ')');
}

/* A plugin that gives this answer. */
static void
as_ocaml(struct html *h, const struct method *m, const struct example *x)
{
	const struct member *p;
	struct buf t = BUF_INIT, iface = BUF_INIT;
	size_t col;

	ml_module(&iface, m->iface->module->name);
	buf_addf(&iface, ".%s%c", m->iface->name, '\0');
	buf_adds(&t, "open ");
	ml_module(&t, h->api->name);
	buf_addf(&t,
	    "\n\nmodule Implementation = struct\n"
	    "  include %s.Unimplemented\n\n  let ",
	    iface.p);
	col = t.n - 6;
	ml_name(&t, m->name);
	for (p = m->params; p != NULL; p = p->next) {
		if (t.n - col + strlen(p->name) + 7 > ML_COLUMNS) {
			buf_adds(&t, "\n     ");
			col = t.n - 5;
		}
		buf_adds(&t, " ~");
		ml_name(&t, p->name);
		buf_adds(&t, ":_");
	}
	buf_adds(&t, " =\n    ");
	ml_outcome(&t, m, x);
	buf_addf(&t,
	    "\nend\n\n"
	    "let () = Script.main (%s.scripts (module Implementation))",
	    iface.p);
	html_code(&h->b, "ocaml", "", (struct str){t.p, t.n});
	buf_fini(&t);
	buf_fini(&iface);
}

/* One word of a command line. */
static void
shell_word(struct buf *b, const char *s)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "_-+=:,./@%";

	if (s[0] != '\0' && s[strspn(s, plain)] == '\0') {
		buf_adds(b, s);
		return;
	}
	buf_addc(b, '\'');
	for (; *s != '\0'; s++)
		if (*s == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, *s);
	buf_addc(b, '\'');
}

/* A parameter as a word: texts as they are, the rest as JSON. */
static void
shell_value(struct buf *b, json_t *v)
{
	struct buf t = BUF_INIT;

	if (json_is_string(v)) {
		shell_word(b, json_string_value(v));
		return;
	}
	html_json_line(&t, v);
	buf_addc(&t, '\0');
	shell_word(b, t.p != NULL ? t.p : "");
	buf_fini(&t);
}

/* Maps of texts are options, all else is given in order. */
static bool
is_option(const struct member *p)
{
	return type_plain(p->type)->kind == TYPE_MAP;
}

/* As a person calls it. */
static void
by_hand(struct buf *t, const struct method *m, const struct example *x)
{
	const struct member *p;
	const char *key;
	json_t *v;

	buf_addf(t, "$ ./%s", m->script);
	for (p = m->params; p != NULL; p = p->next) {
		if (!is_option(p))
			continue;
		json_object_foreach(json_object_get(x->params, p->name), key, v)
		{
			buf_addf(t, " --%s ", p->name);
			shell_word(t, key);
			buf_addc(t, ' ');
			shell_value(t, v);
		}
	}
	for (p = m->params; p != NULL; p = p->next) {
		if (is_option(p))
			continue;
		buf_addc(t, ' ');
		shell_value(t, json_object_get(x->params, p->name));
	}
	buf_addc(t, '\n');
}

/* As the toolstack calls it. */
static void
by_program(struct buf *t, const struct method *m, const struct example *x)
{
	struct buf line = BUF_INIT;

	html_json_line(&line, x->params);
	buf_addc(&line, '\0');
	/* Some shells' echo would look at backslashes. */
	buf_adds(t, "$ printf '%s\\n' ");
	shell_word(t, line.p != NULL ? line.p : "");
	buf_addf(t, " |\n    ./%s --json\n", m->script);
	buf_fini(&line);
}

/* Both ways; an error is an object for programs only. */
static void
as_shell(struct html *h, const struct method *m, const struct example *x)
{
	struct buf t = BUF_INIT;
	json_t *e;

	if (x->error == NULL) {
		by_hand(&t, m, x);
		html_json_line(&t, x->result);
		buf_addc(&t, '\n');
	}
	by_program(&t, m, x);
	e = x->error != NULL ? error_object(x) : json_incref(x->result);
	html_json_line(&t, e);
	json_decref(e);
	html_code(&h->b, "console", "", (struct str){t.p, t.n});
	buf_fini(&t);
}

/* One example in all languages. */
static void
example(struct html *h, const struct method *m, const struct example *x)
{
	struct buf *b = &h->b;

	buf_addf(b, "<div class=\"example\" data-call=\"%s.%s\"><h5>",
	    m->iface->name, m->name);
	html_inline(h, x->title);
	buf_adds(b,
	    "</h5>\n<div class=\"langs\">\n"
	    "<div class=\"lang\" data-name=\"JSON\"><h6>JSON</h6>\n");
	as_json(h, x);
	buf_adds(b,
	    "</div>\n<div class=\"lang\" data-name=\"Python\">"
	    "<h6>Python</h6>\n");
	as_python(h, m, x);
	python_caller(h, m, x);
	buf_adds(b,
	    "</div>\n<div class=\"lang\" data-name=\"OCaml\">"
	    "<h6>OCaml</h6>\n");
	as_ocaml(h, m, x);
	buf_adds(b,
	    "</div>\n<div class=\"lang\" data-name=\"Shell\">"
	    "<h6>Shell</h6>\n");
	as_shell(h, m, x);
	buf_adds(b, "</div>\n</div>\n</div>\n");
}

/* All examples of a call. */
void
html_examples(struct html *h, const struct method *m)
{
	const struct example *x;

	buf_addf(&h->b, "<h4>Example%s</h4>\n",
	    m->examples->next != NULL ? "s" : "");
	for (x = m->examples; x != NULL; x = x->next)
		example(h, m, x);
}
