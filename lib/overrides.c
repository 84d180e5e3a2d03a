/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A list of names and values. */
#include "overrides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

struct override {
	char *key, *value;
	struct override *next;
};

void
overrides_init(struct overrides *o)
{
	o->first = NULL;
	o->last = &o->first;
}

void
overrides_fini(struct overrides *o)
{
	struct override *i, *next;

	for (i = o->first; i != NULL; i = next) {
		next = i->next;
		free(i->key);
		free(i->value);
		free(i);
	}
	overrides_init(o);
}

/* One more, its key n bytes long. */
static void
add(struct overrides *o, const char *key, size_t n, const char *value)
{
	struct override *i = xcalloc(1, sizeof *i);

	i->key = xstrndup(key, n);
	i->value = xstrdup(value);
	*o->last = i;
	o->last = &i->next;
}

void
overrides_add(struct overrides *o, const char *key, const char *value)
{
	add(o, key, strlen(key), value);
}

int
overrides_parse(struct overrides *o, const char *text)
{
	const char *eq = strchr(text, '=');

	if (eq == NULL)
		return -1;
	add(o, text, (size_t)(eq - text), eq + 1);
	return 0;
}

int
overrides_apply(const struct overrides *o, const struct conf_row *rows,
    size_t n, void *to, struct err *e)
{
	for (const struct override *i = o->first; i != NULL; i = i->next)
		if (conf_set(rows, n, to, i->key, i->value, e) == -1)
			return -1;
	return 0;
}

void
overrides_print(const struct conf_row *rows, size_t n, const void *from)
{
	struct buf b = BUF_INIT;

	conf_print(rows, n, from, &b);
	fwrite(b.p, 1, b.n, stdout);
	buf_fini(&b);
}
