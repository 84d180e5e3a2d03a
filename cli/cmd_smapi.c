/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * smapi: one call of the plugin interface through the broker and the adapter,
 * for those who write plugins and those who look after them.  Values are read
 * by the declared type of their parameter and checked before they are sent.
 */
#include <jansson.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "adapter.h"
#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "gen_smapi.h"
#include "pick.h"
#include "redact.h"
#include "smapi_help.h"
#include "text.h"
#include "xalloc.h"

#define PREFIX "org.xen.xapi.storage."

static const struct opt opts[] = {
    {"list", 'l', OPT_FLAG, NULL, "list the methods instead", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* ---- values ---- */

static json_t *read_value(
    const struct idl_type *t, const char *text, struct err *e);

/* "10", "-3", "4G" */
static json_t *
read_int(const char *text, struct err *e)
{
	static const char units[] = "kMGT";
	char *end;
	long long v;
	const char *unit;

	errno = 0;
	v = strtoll(text, &end, 10);
	unit = *end != '\0' && end != text ? strchr(units, *end) : NULL;
	for (long i = 0; unit != NULL && i <= unit - units; i++)
		if (__builtin_mul_overflow(v, 1024, &v))
			errno = ERANGE;
	end += unit != NULL;
	if (end == text || *end != '\0' || errno != 0) {
		(void)err_set(e, 1, "no whole number");
		return NULL;
	}
	return json_integer(v);
}

static json_t *
read_float(const char *text, struct err *e)
{
	char *end;
	double v = strtod(text, &end);

	if (end != text && *end == '\0')
		return json_real(v); /* NULL when it is not finite */
	(void)err_set(e, 1, "no number");
	return NULL;
}

static json_t *
read_bool(const char *text, struct err *e)
{
	static const char *const words[] = {
	    "false", "true", "no", "yes", "0", "1"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(text, words[i]) == 0)
			return json_boolean(i % 2);
	(void)err_set(e, 1, "neither true nor false");
	return NULL;
}

static json_t *
read_json(const char *text, struct err *e)
{
	json_error_t je;
	json_t *v = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &je);

	if (v == NULL)
		(void)err_set(e, 1, "no JSON: %s", je.text);
	return v;
}

/* "k=v" into an object. */
static int
add_pair(json_t *o, const struct idl_type *t, const char *text, struct err *e)
{
	const char *eq = strchr(text, '=');
	char *key;
	json_t *v;
	int rc;

	if (eq == NULL)
		return err_set(e, 1, "'%s' is not of the form key=value", text);
	v = read_value(t, eq + 1, e);
	key = xstrndup(text, (size_t)(eq - text));
	rc = v != NULL ? json_object_set_new(o, key, v) : -1;
	free(key);
	return rc;
}

/* "a,b" or "k=v,k=v" */
static json_t *
read_parts(const struct idl_type *t, const char *text, struct err *e)
{
	bool map = t->kind == IDL_MAP;
	json_t *all = map ? json_object() : json_array();
	const struct idl_type *of = t->b ? t->b : t->a;
	char *copy = xstrdup(text), *rest = copy, *part;
	int rc = 0;

	while (rc == 0 && *text != '\0' && (part = strsep(&rest, ",")) != NULL)
		rc = map ? add_pair(all, of, part, e)
			 : json_array_append_new(all, read_value(of, part, e));
	free(copy);
	if (rc == 0)
		return all;
	json_decref(all);
	return NULL;
}

/* A value by its type; NULL with the reason. */
static json_t *
read_value(const struct idl_type *t, const char *text, struct err *e)
{
	bool json = *text != '\0' && strchr("{[\"", *text) != NULL;
	json_t *v;

	switch (t->kind) {
	case IDL_STRING:
		v = json_string(text);
		if (v == NULL)
			(void)err_set(e, 1, "no UTF-8");
		return v;
	case IDL_INT:
	case IDL_INT64: return read_int(text, e);
	case IDL_FLOAT: return read_float(text, e);
	case IDL_BOOL: return read_bool(text, e);
	case IDL_LIST:
	case IDL_MAP: return json ? read_json(text, e) : read_parts(t, text, e);
	case IDL_VARIANT: return json ? read_json(text, e) : json_string(text);
	default: return read_json(text, e);
	}
}

/* ---- parameters ---- */

/* A mistake about the parameters of a method. */
static int wrong(struct cli *c, const struct idl_method *m, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
static int
wrong(struct cli *c, const struct idl_method *m, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	cli_say(c, "%.*s; see 'xmsg smapi --help %s'", (int)b.n, b.p, m->name);
	buf_fini(&b);
	return CLI_USAGE;
}

/* The parameter of a name; NULL after saying so. */
static const struct idl_field *
find_param(struct cli *c, const struct idl_method *m, const char *name)
{
	static const struct idl_field datapath = {
	    "datapath", &idl_string, true};
	const char *names[32], *near;
	size_t n = 0;

	for (const struct idl_field *f = m->params; f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0)
			return f;
		if (n < sizeof names / sizeof *names)
			names[n++] = f->name;
	}
	/* says which plugin is meant when no URI does */
	if (strncmp(m->name, "Data", 4) == 0 &&
	    strcmp(name, datapath.name) == 0)
		return &datapath;
	near = pick_nearest(names, n, name);
	(void)wrong(c, m, "%s has no parameter '%s'%s%s%s", m->name, name,
	    near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
	return NULL;
}

/* Standard input: an object with parameters. */
static int
add_input(struct cli *c, json_t *params)
{
	struct buf b = BUF_INIT;
	json_error_t je;
	json_t *o;
	int rc;

	if (cli_slurp(c, "-", &b) == -1)
		return cli_fail(c, CLI_USAGE);
	o = json_loadb(b.p ? b.p : "", b.n, JSON_ALLOW_NUL, &je);
	buf_fini(&b);
	rc = json_is_object(o)
	    ? json_object_update(params, o)
	    : cli_usage(c, "standard input is no JSON object: %s", je.text);
	json_decref(o);
	return rc;
}

/* One operand, "key=value". */
static int
add_param(
    struct cli *c, const struct idl_method *m, const char *word, json_t *params)
{
	const char *eq = strchr(word, '=');
	const struct idl_field *f;
	struct err e = {0, "out of memory"};
	json_t *v;
	char *key;

	if (strcmp(word, "-") == 0)
		return add_input(c, params);
	if (eq == NULL)
		return cli_usage(c, "'%s' is not of the form key=value", word);
	key = xstrndup(word, (size_t)(eq - word));
	f = find_param(c, m, key);
	free(key);
	if (f == NULL)
		return CLI_USAGE;
	v = read_value(f->type, eq + 1, &e);
	if (v == NULL)
		return wrong(
		    c, m, "%s (%s): %s", f->name, f->type->name, e.text);
	return json_object_set_new(params, f->name, v);
}

/* Are they all there, and right? */
static int
check(struct cli *c, const struct idl_method *m, json_t *params)
{
	struct buf b = BUF_INIT;
	struct idl_fault fault;
	char text[300];
	int rc = 0;

	for (const struct idl_field *f = m->params; f->name != NULL; f++)
		if (!f->optional && json_object_get(params, f->name) == NULL)
			buf_addf(&b, "%s%s (%s)", b.n ? ", " : "", f->name,
			    f->type->name);
	if (b.n > 0) {
		rc = wrong(c, m, "%s needs %.*s", m->name, (int)b.n, b.p);
	} else if (idl_check_params(m, params, &fault) < 0) {
		idl_fault_text(&fault, text, sizeof text);
		rc = wrong(c, m, "%s: %s", m->name, text);
	}
	buf_fini(&b);
	return rc;
}

/* ---- the answer ---- */

/* All strings in a value, one after the other. */
static void
put_strings(struct buf *b, const json_t *v, const char *between)
{
	const json_t *e;
	size_t i;

	if (json_is_string(v)) {
		char text[1024];
		struct str s = {json_string_value(v), json_string_length(v)};

		if (b->n > 0)
			buf_adds(b, between);
		while (s.n > 0 && s.p[s.n - 1] == '\n')
			s.n--;
		text_put(b, (struct str){text, redact(text, sizeof text, s)});
	}
	json_array_foreach(v, i, e)
	{
		put_strings(b, e, between);
	}
}

/* What an error says. */
struct failure {
	const json_t *code;
	json_t *params; /* ours */
};

/* An error of the adapter: [TAG, CONTENT], where the content of those that come
 * from scripts is [CODE, [PARAM...]].  The backtrace is left out, and so is the
 * code that stands for all of the declared errors. */
static void
read_failure(const json_t *error, struct failure *f)
{
	const char *tag = json_string_value(json_array_get(error, 0));
	const json_t *content = json_array_get(error, 1);
	bool script = tag != NULL && strncmp(tag, "Backend_error", 13) == 0;

	f->code = json_array_get(script ? content : error, 0);
	f->params =
	    json_copy(script ? json_array_get(content, 1) : (json_t *)content);
	if (script && strcmp(tag, "Backend_error_with_backtrace") == 0)
		json_array_remove(f->params, 0);
}

/* Is it the name of a declared error? */
static bool
is_declared(const json_t *v)
{
	const char *s = json_string_value(v);

	for (size_t i = 0; s != NULL && smapi_errors[i] != NULL; i++)
		if (strcmp(s, smapi_errors[i]) == 0)
			return true;
	return false;
}

/* One line of JSON; takes o. */
static void
put_line(struct cli *c, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);

	buf_adds(out_buf(&c->out), text ? text : "{}");
	out_line(&c->out, true);
	free(text);
	json_decref(o);
}

/* It went wrong. */
static int
report_failure(struct cli *c, const struct idl_method *m, const json_t *error)
{
	struct buf code = BUF_INIT, params = BUF_INIT;
	struct failure f;

	read_failure(error, &f);
	if (is_declared(json_array_get(f.params, 0)))
		f.code = json_array_get(f.params, 0);
	put_strings(&code, f.code, "");
	if (f.code == json_array_get(f.params, 0))
		json_array_remove(f.params, 0);
	put_strings(&params, f.params, "; ");
	json_decref(f.params);
	if (c->json)
		put_line(c,
		    json_pack("{si ss ss ss% ss%}", "schema", OUT_SCHEMA,
			"object", "failure", "method", m->name, "code",
			code.p ? code.p : "", code.n, "text",
			params.p ? params.p : "", params.n));
	cli_say(c, "%s failed: %.*s%s%.*s", m->name, (int)code.n,
	    code.p ? code.p : "", params.n ? ": " : "", (int)params.n,
	    params.p ? params.p : "");
	buf_fini(&code);
	buf_fini(&params);
	return CLI_NONE;
}

/* It went well. */
static void
report(struct cli *c, const struct idl_method *m, json_t *result, double took)
{
	int flags = JSON_ENCODE_ANY | JSON_INDENT(2) |
	    (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0);
	struct idl_fault fault;
	char text[300], *s;

	if (c->json) {
		put_line(c,
		    json_pack("{si ss ss sf sO}", "schema", OUT_SCHEMA,
			"object", "result", "method", m->name, "duration_s",
			took, "result", result));
	} else if (m->result->kind != IDL_UNIT || c->verbose) {
		s = json_dumps(result, flags);
		buf_adds(out_buf(&c->out), s ? s : "null");
		out_line(&c->out, true);
		free(s);
	}
	if (idl_check(m->result, result, &fault) < 0 && !c->quiet) {
		idl_fault_text(&fault, text, sizeof text);
		cli_say(c, "remark: the result is not as declared: %s", text);
	}
}

/* ---- the command ---- */

/* The queue, which may be short. */
static char *
whole_queue(const char *name)
{
	return strchr(name, '.') != NULL ? xstrdup(name)
					 : xasprintf(PREFIX "%s", name);
}

/* Call and report. */
static int
call(struct cli *c, const char *queue, const struct idl_method *m,
    json_t *params)
{
	char *method = xasprintf("smapiv3.%s", m->name);
	json_t *reply = NULL, *error;
	double took = 0;
	int rc = adapter_call(
	    c, queue, method, json_incref(params), c->limit_ns, &reply, &took);

	free(method);
	if (rc == CLI_TIME) {
		struct err why = c->why;

		(void)err_set(&c->why, why.code,
		    "%s; the plugin goes on with it (xmsg scripts)", why.text);
	}
	if (rc != 0)
		return cli_fail(c, rc);
	error = json_object_get(reply, "error");
	if (error != NULL && !json_is_null(error))
		rc = report_failure(c, m, error);
	else
		report(c, m, json_object_get(reply, "result"), took);
	json_decref(reply);
	return rc;
}

/* The method among the operands, for --help. */
static int
help(struct cli *c, int argc, char **argv)
{
	const struct idl_method *m = NULL;

	for (int i = 0; i < argc && m == NULL; i++)
		m = idl_method_find(smapi_methods, SMAPI_N_METHODS, argv[i]);
	if (m == NULL)
		m = smapi_method(c, argv[argc > 1]);
	if (m == NULL)
		return CLI_USAGE;
	smapi_help(c, m);
	return CLI_DONE;
}

static int
run(struct cli *c, int argc, char **argv)
{
	const struct idl_method *m;
	json_t *params;
	char *queue;
	int rc = 0;

	if (opts_has(&c->opts, "list"))
		return smapi_list(c, argc, argv);
	if (argc > 0 && opts_has(&c->opts, "help"))
		return help(c, argc, argv);
	if (argc < 2)
		return cli_usage(c, "smapi needs %s", c->cmd->args);
	m = smapi_method(c, argv[1]);
	if (m == NULL)
		return CLI_USAGE;
	params = json_pack("{ss}", "dbg", "xmsg");
	for (int i = 2; i < argc && rc == 0; i++)
		rc = add_param(c, m, argv[i], params);
	if (rc == 0)
		rc = check(c, m, params);
	queue = whole_queue(argv[0]);
	if (rc == 0)
		rc = call(c, queue, m, params);
	free(queue);
	json_decref(params);
	return rc;
}

static void
complete(struct cli *c, int argc, char **argv)
{
	const struct idl_method *m;

	if (argc == 1) {
		adapter_offer_plugins(c);
	} else if (argc == 2) {
		smapi_offer(c);
	} else {
		m = idl_method_find(smapi_methods, SMAPI_N_METHODS, argv[1]);
		if (m != NULL)
			smapi_offer_params(c, m, argc - 3, argv + 2);
	}
}

const struct cmd cmd_smapi = {
    .name = "smapi",
    .args = "QUEUE METHOD [KEY=VALUE|-]...",
    .help = "Call a method of the plugin interface",
    .flags = CMD_HELPS,
    .min = 0,
    .max = -1,
    .opts = opts,
    .run = run,
    .complete = complete,
};
