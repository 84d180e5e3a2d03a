/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The rules for declarations beyond their shape: names that every target
 * language can use, lives that make sense, examples that are of their types,
 * references in prose that lead somewhere.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "check.h"
#include "prose.h"
#include "yml.h"

/* What every check is handed down. */
struct check {
	const struct api *api;
	struct diag *d;
	char where[200];
};

#define complain(c, at, ...) diag_add((c)->d, (at), (c)->where, __VA_ARGS__)

enum name_form { NAME_LOWER, NAME_UPPER, NAME_WORD };

static const struct {
	const char *first, *rest, *text;
} forms[] = {
    [NAME_LOWER] = {"abcdefghijklmnopqrstuvwxyz",
	"abcdefghijklmnopqrstuvwxyz0123456789_",
	"small letters, digits and _, a letter first"},
    [NAME_UPPER] = {"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
	"letters, digits and _, a capital first"},
    [NAME_WORD] = {"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
	"capitals, digits and _, a capital first"},
};

/* Words that no emitter could write as a parameter or a method. */
static const char *const reserved[] = {"and", "as", "assert", "async", "await",
    "break", "class", "continue", "def", "del", "elif", "else", "except",
    "exec", "finally", "for", "from", "global", "if", "import", "in", "is",
    "json", "lambda", "nonlocal", "not", "or", "pass", "print", "raise",
    "return", "self", "try", "while", "with", "yield", NULL};

/* Set where we are. */
static void
at(struct check *c, const char *a, const char *sep, const char *b)
{
	snprintf(c->where, sizeof(c->where), "%s%s%s", a, sep, b);
}

/* A name of the right form, not too long, not a keyword. */
static void
check_name(
    struct check *c, struct pos pos, const char *name, enum name_form form)
{
	size_t i;

	if (name[0] == '\0' || strchr(forms[form].first, name[0]) == NULL ||
	    strspn(name, forms[form].rest) != strlen(name))
		complain(c, pos, "the name \"%.60s\" is not made of %s", name,
		    forms[form].text);
	if (strlen(name) > 40)
		complain(c, pos, "the name is longer than 40 letters");
	for (i = 0; reserved[i] != NULL; i++)
		if (strcmp(reserved[i], name) == 0)
			complain(c, pos,
			    "\"%s\" is a reserved word in a "
			    "language we write",
			    name);
}

/* A name that generated code has for something else. */
static void
check_clash(struct check *c, struct pos pos, const char *name, enum named what)
{
	const char *why = name_clash(what, name);

	if (why != NULL)
		complain(c, pos, "\"%s\" cannot be used: %s", name, why);
}

/* A name in backquotes that looks like ours must be one of ours. */
static void
check_link(struct check *c, struct pos pos, struct str run)
{
	char name[128];
	size_t n;

	if (run.n >= sizeof(name) || run.n == 0)
		return;
	memcpy(name, run.p, run.n);
	name[run.n] = '\0';
	n = strcspn(name, ".");
	if (name[n] != '.' ||
	    strspn(name + n + 1, forms[0].rest) != strlen(name + n + 1))
		return;
	name[n] = '\0';
	if (api_iface(c->api, name) == NULL)
		return;
	name[n] = '.';
	if (api_method(c->api, name) == NULL)
		complain(c, pos,
		    "the text refers to `%s`, which is not "
		    "declared",
		    name);
}

/* Prose: a sentence at least, links that lead somewhere. */
static void
check_doc(struct check *c, struct pos pos, const char *doc)
{
	struct str run;
	size_t n;
	bool code;

	if (doc == NULL || doc[0] == '\0') {
		complain(c, pos, "it has no description");
		return;
	}
	n = strlen(doc);
	if (strchr(".!?:", doc[n - 1]) == NULL && doc[n - 1] != '`' &&
	    strstr(doc, "\n    ") == NULL)
		complain(c, pos, "the description ends without a full stop");
	while (prose_span(&doc, &run, &code))
		if (code)
			check_link(c, pos, run);
}

/* Which event may follow which state. */
static bool
may_follow(int state, enum life_kind k)
{
	switch (k) {
	case LIFE_PROTOTYPED: return state < 0;
	case LIFE_PUBLISHED:
		return state < 0 || state == LIFE_PROTOTYPED ||
		    state == LIFE_REMOVED;
	case LIFE_EXTENDED:
	case LIFE_CHANGED:
		return state == LIFE_PROTOTYPED || state == LIFE_PUBLISHED;
	case LIFE_DEPRECATED: return state == LIFE_PUBLISHED;
	default: return state == LIFE_PROTOTYPED || state == LIFE_DEPRECATED;
	}
}

/* A life on its own and against its parent's. */
static void
check_life(struct check *c, const struct life *l, const struct life *parent)
{
	const struct life *first = l, *up = parent ? life_first(parent) : NULL;
	int state = -1, rank = -1;

	for (; l != NULL && l != parent; l = l->next) {
		if (!may_follow(state, l->kind))
			complain(c, l->at, "\"%s\" cannot come %s%s",
			    life_kind_name(l->kind),
			    state < 0 ? "first" : "while it is ",
			    state < 0 ? ""
				      : life_kind_name((enum life_kind)state));
		if (l->release->rank < rank)
			complain(c, l->at,
			    "release %s is older than the "
			    "event before it",
			    l->release->id);
		rank = l->release->rank;
		if (l->kind != LIFE_EXTENDED && l->kind != LIFE_CHANGED)
			state = (int)l->kind;
		if (l->kind != LIFE_PUBLISHED && l->kind != LIFE_PROTOTYPED &&
		    l->note[0] == '\0')
			complain(c, l->at,
			    "\"%s\" needs a note that says "
			    "what and why",
			    life_kind_name(l->kind));
	}
	if (first != NULL && up != NULL && first != parent &&
	    first->release->rank < up->release->rank)
		complain(c, first->at,
		    "it is older than what it belongs to "
		    "(%s)",
		    up->release->id);
}

/* An example value of a type. */
static void
check_value(struct check *c, struct pos pos, const struct type *t, json_t *v)
{
	struct buf why = BUF_INIT;

	if (type_match(t, v, &why) < 0)
		complain(c, pos, "the example is not of its type: %.*s",
		    (int)why.n, why.p);
	buf_fini(&why);
}

/* Fields, parameters, arguments. */
static void
check_members(struct check *c, const char *prefix, const struct member *m,
    const struct life *life)
{
	for (; m != NULL; m = m->next) {
		at(c, prefix, ".", m->name);
		check_name(c, m->at, m->name, NAME_LOWER);
		check_doc(c, m->at, m->doc);
		check_life(c, m->life, life);
		if (m->example != NULL)
			check_value(c, m->at, m->type, m->example);
		if (type_plain(m->type)->kind == TYPE_UNIT)
			complain(c, m->at, "unit is for results only");
	}
}

/* Does following first parts never end?  (Variants may go around.) */
static bool
endless(const struct type *t, int depth)
{
	const struct member *m;

	if (t == NULL)
		return false;
	if (depth > 32)
		return true;
	if (endless(t->a, depth + 1) || endless(t->b, depth + 1))
		return true;
	if (t->kind != TYPE_NAMED)
		return false;
	switch (t->def->kind) {
	case TDEF_ALIAS: return endless(t->def->alias, depth + 1);
	case TDEF_VARIANT: return endless(t->def->tags->type, depth + 1);
	default:
		for (m = t->def->fields; m != NULL; m = m->next)
			if (endless(m->type, depth + 1))
				return true;
		return false;
	}
}

/* Is there a type that cannot be finite?  Then values must not be made. */
static bool
check_finite(struct check *c, const struct tdef *t)
{
	struct type self = {.kind = TYPE_NAMED, .def = t};
	bool ok = true;

	for (; t != NULL; t = t->next) {
		self.def = t;
		at(c, t->name, "", "");
		if (!endless(&self, 0))
			continue;
		complain(c, t->at, "the type contains itself");
		ok = false;
	}
	return ok;
}

/* A named type's cases. */
static void
check_tags(struct check *c, const struct tdef *t)
{
	const struct tag *tag;

	for (tag = t->tags; tag != NULL; tag = tag->next) {
		at(c, t->name, ".", tag->name);
		check_name(c, tag->at, tag->name, NAME_UPPER);
		check_doc(c, tag->at, tag->doc);
		check_life(c, tag->life, t->life);
	}
	at(c, t->name, "", "");
	if (t->dflt != NULL && t->dflt->type != NULL)
		complain(c, t->at, "a default must be a tag without content");
}

/* Named types. */
static void
check_types(struct check *c, const struct tdef *t)
{
	struct type self = {.kind = TYPE_NAMED};

	for (; t != NULL; t = t->next) {
		at(c, t->name, "", "");
		check_name(c, t->at, t->name, NAME_LOWER);
		check_clash(c, t->at, t->name, NAMED_TYPE);
		if (api_type(c->api, t->name) != t)
			complain(c, t->at, "the type is declared twice");
		check_doc(c, t->at, t->doc);
		check_life(c, t->life, c->api->life);
		if (t->example != NULL) {
			self.def = t;
			self.name = t->name;
			check_value(c, t->at, &self, t->example);
		}
		check_tags(c, t);
		check_members(c, t->name, t->fields, t->life);
	}
}

/* Declared errors. */
static void
check_errors(struct check *c, const struct exn *e)
{
	for (; e != NULL; e = e->next) {
		at(c, e->name, "", "");
		check_name(c, e->at, e->name, NAME_UPPER);
		check_clash(c, e->at, e->name, NAMED_ERROR);
		if (api_error(c->api, e->name) != e)
			complain(c, e->at, "the error is declared twice");
		check_doc(c, e->at, e->doc);
		check_life(c, e->life, c->api->life);
		if (type_plain(e->arg->type)->kind != TYPE_STRING)
			complain(c, e->arg->at,
			    "an error's argument is a "
			    "string");
		check_members(c, e->name, e->arg, e->life);
	}
}

/* Where a part of an example was written: example, "params", name. */
static struct pos
part_at(const struct example *x, const char *part, const char *name)
{
	const struct yml *y = x->src, *e = yml_get(y, part);

	if (e != NULL && name != NULL && e->kind == YML_MAP &&
	    yml_get(e, name) != NULL)
		e = yml_get(e, name);
	return e != NULL ? e->at : x->at;
}

/* An example's params: every parameter, and no other. */
static void
check_example_params(
    struct check *c, const struct method *m, const struct example *x)
{
	const struct member *p;
	struct suggest s;
	const char *name;
	json_t *v;

	for (p = m->params; p != NULL; p = p->next) {
		v = json_object_get(x->params, p->name);
		if (v == NULL)
			complain(c, x->at, "the parameter \"%s\" is missing",
			    p->name);
		else
			check_value(
			    c, part_at(x, "params", p->name), p->type, v);
	}
	json_object_foreach(x->params, name, v)
	{
		suggest_init(&s, name);
		for (p = m->params; p != NULL; p = p->next) {
			if (strcmp(p->name, name) == 0)
				break;
			suggest_offer(&s, p->name);
		}
		if (p == NULL)
			complain(c, part_at(x, "params", name),
			    "unknown parameter \"%.60s\"%s", name,
			    suggest_text(&s));
	}
}

/* Does the interface declare this error? */
static bool
declares(const struct iface *i, const struct exn *e)
{
	const struct ref *r;

	for (r = i->errors; r != NULL; r = r->next)
		if (r->exn == e)
			return true;
	return false;
}

/* One call and its outcome. */
static void
check_example(struct check *c, const struct method *m, const struct example *x)
{
	bool unit = type_plain(m->result)->kind == TYPE_UNIT;

	if (!json_is_object(x->params)) {
		complain(c, x->at, "\"params\" must be a mapping");
		return;
	}
	check_example_params(c, m, x);
	if ((x->result != NULL) == (x->error != NULL))
		complain(c, x->at,
		    "an example has either a result or an "
		    "error%s",
		    unit ? " (result: null)" : "");
	else if (x->result != NULL)
		check_value(
		    c, part_at(x, "result", NULL), m->result, x->result);
	else if (!declares(m->iface, x->error))
		complain(c, x->at,
		    "the interface does not declare the error "
		    "%s",
		    x->error->name);
}

/* A method's references and examples. */
static void
check_method_refs(struct check *c, const struct method *m, const char *name)
{
	const struct example *x;
	const struct ref *r;
	int i = 0;

	for (r = m->raises; r != NULL; r = r->next)
		if (!declares(m->iface, r->exn))
			complain(c, r->at,
			    "%s is not in the \"errors\" of "
			    "the interface",
			    r->name);
	if (m->examples == NULL)
		complain(c, m->at, "it has no example");
	for (x = m->examples; x != NULL; x = x->next) {
		snprintf(
		    c->where, sizeof(c->where), "%s.examples[%d]", name, i++);
		check_example(c, m, x);
	}
}

/* One method. */
static void
check_method(struct check *c, const struct method *m)
{
	const struct member *p, *q;
	char name[160], params[180];

	snprintf(name, sizeof(name), "%s.%s", m->iface->name, m->name);
	snprintf(params, sizeof(params), "%s.params", name);
	at(c, name, "", "");
	check_name(c, m->at, m->name, NAME_LOWER);
	check_clash(c, m->at, m->name, NAMED_METHOD);
	check_doc(c, m->at, m->doc);
	check_life(c, m->life, m->iface->life);
	check_members(c, params, m->params, m->life);
	for (p = m->params; p != NULL; p = p->next)
		for (q = p->next; q != NULL; q = q->next)
			if (strcmp(p->name, q->name) == 0) {
				at(c, params, ".", q->name);
				complain(c, q->at,
				    "the parameter is there "
				    "twice");
			}
	for (p = m->params; p != NULL; p = p->next) {
		at(c, params, ".", p->name);
		check_clash(c, p->at, p->name, NAMED_PARAM);
		if (p->optional)
			complain(c, p->at, "a parameter cannot be optional");
	}
	at(c, name, "", "");
	if (strcasecmp(m->script, name) != 0)
		complain(c, m->at,
		    "the script's name \"%s\" may differ from "
		    "%s in case only",
		    m->script, name);
	check_doc(c, m->at, m->result_doc);
	check_method_refs(c, m, name);
}

/* Interfaces of a module. */
static void
check_ifaces(struct check *c, const struct iface *i)
{
	const struct method *m;

	for (; i != NULL; i = i->next) {
		at(c, i->name, "", "");
		check_name(c, i->at, i->name, NAME_UPPER);
		check_clash(c, i->at, i->name, NAMED_IFACE);
		if (api_iface(c->api, i->name) != i)
			complain(c, i->at, "the interface is declared twice");
		check_doc(c, i->at, i->doc);
		check_life(c, i->life, c->api->life);
		if (i->methods == NULL)
			complain(c, i->at, "the interface has no methods");
		for (m = i->methods; m != NULL; m = m->next)
			check_method(c, m);
	}
}

/* Feature words. */
static void
check_features(struct check *c)
{
	const struct feature *f;

	for (f = c->api->features; f != NULL; f = f->next) {
		at(c, f->name, "", "");
		check_name(c, f->at, f->name, NAME_WORD);
		check_clash(c, f->at, f->name, NAMED_FEATURE);
		check_doc(c, f->at, f->doc);
		check_life(c, f->life, c->api->life);
	}
}

/* Modules have names of their own. */
static void
check_module(struct check *c, const struct module *m)
{
	const struct module *o;

	at(c, m->name, "", "");
	check_name(c, m->at, m->name, NAME_LOWER);
	check_clash(c, m->at, m->name, NAMED_MODULE);
	check_doc(c, m->at, m->doc);
	for (o = c->api->modules; o != m; o = o->next)
		if (strcmp(o->name, m->name) == 0)
			complain(c, m->at, "the module is declared twice");
	check_types(c, m->types);
	check_errors(c, m->errors);
	check_ifaces(c, m->ifaces);
}

/* An interface there must be: without one there is nothing to call, and a page
 * or library of nothing would only hide that a file is missing. */
static void
check_any(struct check *c)
{
	const struct module *m;

	for (m = c->api->modules; m != NULL; m = m->next)
		if (m->ifaces != NULL)
			return;
	complain(c, c->api->at,
	    "no interface is declared; give the files of all modules");
}

/* All rules. */
void
check_api(const struct api *api, struct diag *d)
{
	struct check c = {.api = api, .d = d};
	const struct module *m;
	bool finite = check_finite(&c, api->types);

	for (m = api->modules; m != NULL; m = m->next)
		finite = check_finite(&c, m->types) && finite;
	if (!finite)
		return;
	at(&c, "api", "", "");
	check_doc(&c, api->at, api->doc);
	check_life(&c, api->life, NULL);
	check_any(&c);
	at(&c, "context", "", "");
	if (api->context->example == NULL)
		complain(&c, api->context->at, "it needs an example");
	check_types(&c, api->types);
	check_errors(&c, api->errors);
	for (m = api->modules; m != NULL; m = m->next)
		check_module(&c, m);
	check_features(&c);
}
