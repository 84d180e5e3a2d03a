/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The calls of the plugin interface, for people.  Types come from the tables
 * that xmsg-idl makes, prose from its OpenRPC text, which the makefile puts
 * into the program.
 */
#include <jansson.h>

#include "smapi_help.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "cmd.h"
#include "gen_smapi.h"
#include "pick.h"

#define MARGIN 78 /* columns of prose */

extern const char smapi_openrpc[];

/* ---- finding ---- */

/* A method. */
const struct idl_method *
smapi_method(struct cli *c, const char *name)
{
	const struct idl_method *m =
	    idl_method_find(smapi_methods, SMAPI_N_METHODS, name);
	const char *names[SMAPI_N_METHODS], *near;

	if (m != NULL)
		return m;
	for (size_t i = 0; i < SMAPI_N_METHODS; i++)
		names[i] = smapi_methods[i].name;
	near = pick_nearest(names, SMAPI_N_METHODS, name);
	(void)cli_usage(c, "there is no method '%s'%s%s%s (smapi --list)", name,
	    near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
	return NULL;
}

/* The prose, parsed; release with json_decref. */
static json_t *
prose(void)
{
	return json_loads(smapi_openrpc, 0, NULL);
}

/* The element of an array whose member "name" is this one. */
static const json_t *
named(const json_t *o, const char *array, const char *name)
{
	const json_t *v;

	for (size_t i = 0; (v = ask_item(o, array, i)) != NULL; i++)
		if (str_eq(ask_str(v, "name"), str_of(name)))
			return v;
	return NULL;
}

/* ---- one method ---- */

/* Prose in lines that fit, each behind `indent` spaces; the first line goes on
 * at column `at`. */
static void
put_prose(struct buf *b, struct str s, size_t indent, size_t at)
{
	size_t i = 0;

	while (i < s.n) {
		size_t n = 0;

		while (i + n < s.n && strchr(" \n", s.p[i + n]) == NULL)
			n++;
		if (n > 0 && at > indent && at + n + 1 > MARGIN) {
			buf_addf(b, "\n%*s", (int)indent, "");
			at = indent;
		}
		if (n > 0 && at > indent)
			buf_addc(b, ' '), at++;
		buf_add(b, s.p + i, n);
		at += n;
		i += n + 1;
		if (i < s.n && s.p[i - 1] == '\n' && s.p[i] == '\n') {
			buf_addf(b, "\n\n%*s", (int)indent, "");
			at = indent;
		}
	}
	buf_addc(b, '\n');
}

/* A name, its type, and what it is. */
static void
put_field(struct buf *b, const struct idl_field *f, const json_t *about)
{
	const char *type = f->type ? f->type->name : "";
	char left[80];
	int n = snprintf(left, sizeof left, "  %-16s %s%s", f->name, type,
	    f->optional ? ", optional" : "");

	buf_addf(b, "%-38s", left);
	if (n >= 38)
		buf_addf(b, "\n%38s", "");
	put_prose(b, ask_str(about, "description"), 38, 38);
}

/* The members of the result, when it is a record. */
static void
put_result(struct buf *b, const struct idl_method *m, const json_t *about,
    const json_t *all)
{
	const struct idl_type *t = m->result;
	const json_t *schemas =
	    json_object_get(json_object_get(all, "components"), "schemas");
	const json_t *members;

	buf_addf(b, "\nResult: %s\n  ", t->name);
	put_prose(
	    b, ask_str(json_object_get(about, "result"), "description"), 2, 2);
	if (t->kind == IDL_LIST)
		t = t->a;
	if (t->kind != IDL_RECORD)
		return;
	members =
	    json_object_get(json_object_get(schemas, t->name), "properties");
	for (const struct idl_field *f = t->fields; f->name != NULL; f++)
		put_field(b, f, json_object_get(members, f->name));
}

/* The value of a parameter as it is typed. */
static void
put_value(struct buf *b, const json_t *v)
{
	char *text = json_is_string(v)
	    ? strdup(json_string_value(v))
	    : json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	bool plain = text != NULL && *text != '\0' &&
	    strpbrk(text, " '\"{}[]()*?$;&|<>\\") == NULL;

	buf_addf(b, plain ? "%s" : "'%s'", text ? text : "");
	free(text);
}

/* The first example, as a command. */
static void
put_example(struct buf *b, const struct idl_method *m, const json_t *about)
{
	const json_t *p, *e = ask_item(about, "examples", 0);

	if (e == NULL)
		return;
	buf_addf(b, "\nExample: xmsg smapi QUEUE %s", m->name);
	for (size_t i = 0; (p = ask_item(e, "params", i)) != NULL; i++) {
		if (str_eq(ask_str(p, "name"), STR("dbg")))
			continue;
		buf_addf(
		    b, " %s=", json_string_value(json_object_get(p, "name")));
		put_value(b, json_object_get(p, "value"));
	}
	buf_addc(b, '\n');
}

/* How to call it. */
void
smapi_help(struct cli *c, const struct idl_method *m)
{
	struct buf *b = out_buf(&c->out);
	json_t *all = prose();
	const json_t *about = named(all, "methods", m->name);

	buf_addf(b, "usage: xmsg smapi QUEUE %s", m->name);
	for (const struct idl_field *f = m->params; f->name != NULL; f++)
		if (strcmp(f->name, "dbg") != 0)
			buf_addf(
			    b, f->optional ? " [%s=..]" : " %s=..", f->name);
	buf_adds(b, "\n\n");
	put_prose(b, ask_str(about, "summary"), 0, 0);
	buf_addc(b, '\n');
	put_prose(b, ask_str(about, "description"), 0, 0);
	buf_adds(b, "\nParameters:\n");
	for (const struct idl_field *f = m->params; f->name != NULL; f++)
		put_field(b, f, named(about, "params", f->name));
	put_result(b, m, about, all);
	put_example(b, m, about);
	buf_adds(b,
	    "\nMaps and lists are written k=v,k=v and a,b, or as"
	    " JSON.\n");
	json_decref(all);
}

/* ---- all methods ---- */

enum {
	L_METHOD,
	L_PARAMS,
	L_RESULT,
	L_AGAIN,
	L_SUMMARY,
	L_SCRIPT,
	L_FEATURE,
	L_COLUMNS
};

static const struct col cols[L_COLUMNS] = {
    [L_METHOD] = {"name", "METHOD", COL_TEXT, false, "its name"},
    [L_PARAMS] = {"params", "PARAMETERS", COL_TEXT, false, "without dbg"},
    [L_RESULT] = {"result", "RESULT", COL_TEXT, false, "type of the result"},
    [L_AGAIN] = {"idempotent", "AGAIN", COL_BOOL, true, "may be repeated"},
    [L_SUMMARY] = {"summary", "DOES", COL_TEXT, false, "in a few words"},
    [L_SCRIPT] = {"script", "SCRIPT", COL_TEXT, true, "file in a plugin"},
    [L_FEATURE] = {"feature", "FEATURE", COL_TEXT, true, "word for it"},
};

static bool
selected(const char *name, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (fnmatch(argv[i], name, FNM_CASEFOLD) == 0)
			return true;
	return argc == 0;
}

static void
add(struct cli *c, const struct idl_method *m, const json_t *all)
{
	struct buf b = BUF_INIT;

	for (const struct idl_field *f = m->params; f->name != NULL; f++)
		if (strcmp(f->name, "dbg") != 0)
			buf_addf(&b, "%s%s:%s", b.n ? " " : "", f->name,
			    f->type->name);
	out_text(&c->out, L_METHOD, str_of(m->name));
	out_text(&c->out, L_PARAMS, (struct str){b.n ? b.p : "", b.n});
	out_text(&c->out, L_RESULT, str_of(m->result->name));
	out_int(&c->out, L_AGAIN, m->idempotent);
	out_text(&c->out, L_SUMMARY,
	    ask_str(named(all, "methods", m->name), "summary"));
	out_text(&c->out, L_SCRIPT, str_of(m->script));
	if (m->feature != NULL)
		out_text(&c->out, L_FEATURE, str_of(m->feature));
	out_row(&c->out);
	buf_fini(&b);
}

/* All of them. */
int
smapi_list(struct cli *c, int argc, char **argv)
{
	json_t *all;
	int n = 0;

	if (out_table(&c->out, "method", cols, L_COLUMNS, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	all = prose();
	for (size_t i = 0; i < SMAPI_N_METHODS; i++) {
		if (!selected(smapi_methods[i].name, argc, argv))
			continue;
		add(c, &smapi_methods[i], all);
		n++;
	}
	json_decref(all);
	out_end(&c->out);
	return n > 0 ? CLI_DONE : CLI_NONE;
}

/* ---- completion ---- */

/* Methods. */
void
smapi_offer(struct cli *c)
{
	json_t *all = prose();

	for (size_t i = 0; i < SMAPI_N_METHODS; i++)
		cmd_offer(c, str_of(smapi_methods[i].name),
		    json_string_value(json_object_get(
			named(all, "methods", smapi_methods[i].name),
			"summary")));
	json_decref(all);
}

/* Was this parameter given? */
static bool
was_given(const char *name, int argc, char **given)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++)
		if (strncmp(given[i], name, n) == 0 && given[i][n] == '=')
			return true;
	return false;
}

/* Parameters. */
void
smapi_offer_params(
    struct cli *c, const struct idl_method *m, int argc, char **given)
{
	char word[64];

	for (const struct idl_field *f = m->params; f->name != NULL; f++) {
		if (was_given(f->name, argc, given))
			continue;
		snprintf(word, sizeof word, "%s=", f->name);
		cmd_offer(c, str_of(word), f->type->name);
	}
}
