/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The same as roundtrip.ml, with the tables for C programs.  The types are
 * those that gen_smapi.h names; aliases of basic types are none of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen_smapi.h"
#include "idlval.h"

/* The table of a type, or NULL. */
static const struct idl_type *
type_of(const char *name)
{
	size_t i;

	for (i = 0; smapi_types[i] != NULL; i++)
		if (strcmp(smapi_types[i]->name, name) == 0)
			return smapi_types[i];
	return NULL;
}

/* One value of a type, checked and decoded; NULL with a sentence. */
static json_t *
value_of(const struct idl_type *t, json_t *v, char *why, size_t n)
{
	struct idl_fault f;
	json_t *decoded;

	if (idl_check(t, v, &f) < 0 ||
	    (decoded = idl_decode(t, v, &f)) == NULL) {
		idl_fault_text(&f, why, n);
		return NULL;
	}
	return decoded;
}

/* Parameters and result of a call. */
static json_t *
call_of(const char *name, json_t *v, char *why, size_t n)
{
	const struct idl_method *m =
	    idl_method_find(smapi_methods, SMAPI_N_METHODS, name);
	const struct idl_field *p;
	json_t *params, *one, *given = json_object_get(v, "params");

	if (m == NULL) {
		snprintf(why, n, "there is no call %s", name);
		return NULL;
	}
	params = json_object();
	for (p = m->params; p->name != NULL; p++) {
		one =
		    value_of(p->type, json_object_get(given, p->name), why, n);
		if (one == NULL) {
			json_decref(params);
			return NULL;
		}
		json_object_set_new(params, p->name, one);
	}
	one = value_of(m->result, json_object_get(v, "result"), why, n);
	if (one == NULL) {
		json_decref(params);
		return NULL;
	}
	return json_pack("{s:o, s:o}", "params", params, "result", one);
}

/* What a line holds, or NULL with a sentence. */
static json_t *
answer(char *line, char *why, size_t n)
{
	char *rest, *kind = strtok_r(line, "\t", &rest),
		    *name = strtok_r(NULL, "\t", &rest),
		    *text = strtok_r(NULL, "\n", &rest);
	const struct idl_type *t;
	json_t *v, *made = NULL;
	json_error_t e;

	if (text == NULL ||
	    (v = json_loads(text, JSON_DECODE_ANY, &e)) == NULL) {
		snprintf(why, n, "not a line of three parts, the last JSON");
		return NULL;
	}
	t = type_of(name);
	if (strcmp(kind, "call") == 0)
		made = call_of(name, v, why, n);
	else if (t != NULL)
		made = value_of(t, v, why, n);
	else
		snprintf(why, n, "there is no type %s", name);
	json_decref(v);
	return made;
}

int
main(void)
{
	char *line = NULL, *text, why[512];
	size_t size = 0;
	json_t *v;

	while (getline(&line, &size, stdin) > 0) {
		v = answer(line, why, sizeof(why));
		text = v == NULL
		    ? NULL
		    : json_dumps(v, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		if (text != NULL)
			puts(text);
		else
			printf("! %s\n", why);
		free(text);
		json_decref(v);
	}
	free(line);
	return ferror(stdin) || fflush(stdout) != 0;
}
