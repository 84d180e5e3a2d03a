/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The C side of the round trips.  Each line of standard input is a type's
 * name, a blank and a value; each line of output is the value in its declared
 * form, or "!" and what is wrong with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen_smapi.h"

/* A type by name. */
static const struct idl_type *
type_of(const char *name)
{
	size_t i;

	for (i = 0; smapi_types[i] != NULL; i++)
		if (strcmp(smapi_types[i]->name, name) == 0)
			return smapi_types[i];
	return NULL;
}

/* Decode, print. */
static void
echo(const struct idl_type *t, json_t *v)
{
	struct idl_fault f;
	json_t *out = idl_decode(t, v, &f);
	char text[400], *s = NULL;

	if (out != NULL)
		s = json_dumps(out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (out == NULL)
		idl_fault_text(&f, text, sizeof(text));
	if (s != NULL)
		puts(s);
	else
		printf("! %s\n", out == NULL ? text : "cannot be written");
	free(s);
	json_decref(out);
}

/* Line by line. */
int
main(void)
{
	const struct idl_type *t;
	char *line = NULL, *blank;
	size_t size = 0;
	json_t *v;

	while (getline(&line, &size, stdin) > 0) {
		blank = strchr(line, ' ');
		if (blank != NULL)
			*blank = '\0';
		t = blank != NULL ? type_of(line) : NULL;
		v = t != NULL ? json_loads(blank + 1, JSON_DECODE_ANY, NULL)
			      : NULL;
		if (v == NULL)
			puts("! no such type or no JSON");
		else
			echo(t, v);
		json_decref(v);
		fflush(stdout);
	}
	free(line);
	return 0;
}
