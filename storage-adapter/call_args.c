/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Variables of a call, and the parameters of scripts that are made of them. */
#include <stdlib.h>
#include <string.h>

#include "call_int.h"
#include "call_json.h"
#include "v2.h"

/* A variable by path. */
json_t *
call_var(const struct call *c, const char *path)
{
	return tree_at(c->vars, path, strlen(path));
}

/* As text. */
const char *
call_text(const struct call *c, const char *path)
{
	const char *s = json_string_value(call_var(c, path));

	return s != NULL ? s : "";
}

/* Is there something in it? */
bool
call_has(const struct call *c, const char *path)
{
	json_t *v = call_var(c, path);

	if (v == NULL || json_is_null(v) || json_is_false(v))
		return false;
	return !json_is_string(v) || json_string_length(v) > 0;
}

/* Set it. */
enum next
call_let(struct call *c, const char *name, json_t *v)
{
	if (json_object_set_new(c->vars, name, v) < 0)
		return call_error_set(c, NULL);
	return GO_ON;
}

/* One part of a value, a new reference. */
static json_t *
part(const struct call *c, const char *s, size_t n)
{
	switch (*s) {
	case '$':
		return json_incref(
		    tree_at(json_object_get(c->vars, "p"), s + 1, n - 1));
	case '@': return json_incref(tree_at(c->vars, s + 1, n - 1));
	case '\'': return json_stringn(s + 1, n - 1);
	default: return json_integer(strtoll(s + 1, NULL, 10)); /* '#' */
	}
}

/* A value: one part, or texts together. */
static json_t *
value(const struct call *c, const char *s, size_t n)
{
	const char *plus = memchr(s, '+', n);
	json_t *a, *b, *sum = NULL;

	if (plus == NULL)
		return part(c, s, n);
	a = part(c, s, (size_t)(plus - s));
	b = value(c, plus + 1, n - (size_t)(plus - s) - 1);
	if (json_is_string(a) && json_is_string(b))
		sum = json_sprintf(
		    "%s%s", json_string_value(a), json_string_value(b));
	json_decref(a);
	json_decref(b);
	return sum;
}

/* The "name=" in args, or NULL: where its value begins. */
static const char *
given(const char *args, const char *name)
{
	size_t n = strlen(name);

	while (args != NULL) {
		if (strncmp(args, name, n) == 0 && args[n] == '=')
			return args + n + 1;
		args = strchr(args, ' ');
		args = args != NULL ? args + 1 : NULL;
	}
	return NULL;
}

/* What a parameter of a script is. */
static json_t *
argument(const struct call *c, const struct step *s, const char *name)
{
	const char *spec = given(s->args, name);

	if (spec != NULL)
		return value(c, spec, strcspn(spec, " "));
	if (strcmp(name, "sr") == 0 && !c->pass)
		return json_incref(json_object_get(c->vars, "sr"));
	return json_incref(
	    json_object_get(json_object_get(c->vars, "p"), name));
}

/* Add `uri` for plugins of API 3.0 (2.6). */
static enum next
add_uri(struct call *c, const struct step *s, json_t *out)
{
	json_t *uri;

	if (s->method != SMAPI_SR_ATTACH && s->method != SMAPI_SR_CREATE)
		return GO_ON;
	uri = json_object_get(json_object_get(c->vars, "p"),
	    c->pass ? "configuration" : "device_config");
	uri = json_object_get(uri, "uri");
	if (uri == NULL)
		return call_error_set(c,
		    v2_backend_error("MISSING_URI",
			json_pack("[s]",
			    "Please include a URI in the device-config")));
	if (json_object_set(out, "uri", uri) < 0)
		return call_error_set(c, NULL);
	return GO_ON;
}

/* The parameters, in the reverse of declared order. */
json_t *
call_args(struct call *c, const struct step *s)
{
	const struct idl_field *first = smapi_methods[s->method].params, *f;
	json_t *out = json_object(), *v;
	const char *version = c->w.version(c->w.arg);

	if (version != NULL && strcmp(version, "3.0") == 0 &&
	    add_uri(c, s, out) != GO_ON) {
		json_decref(out);
		return NULL;
	}
	for (f = first; f->name != NULL; f++)
		;
	while (f-- > first) {
		v = argument(c, s, f->name);
		if (json_object_set_new(out, f->name, v) == 0)
			continue;
		call_internal(c, "no value for %s of %s", f->name,
		    smapi_methods[s->method].name);
		json_decref(out);
		return NULL;
	}
	return out;
}
