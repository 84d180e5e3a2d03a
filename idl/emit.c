/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The table of formats, and the files in memory that emitters write to.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "xalloc.h"

#include "emit.h"

const struct emitter *const emitters[] = {
    &emit_list,
    &emit_jsonschema,
    &emit_python,
    &emit_c,
    &emit_openrpc,
    NULL,
};

/* Add a file behind the others. */
struct buf *
out_file(struct out *o, const char *fmt, ...)
{
	struct out_file *f = xcalloc(1, sizeof(*f)), **tail = &o->files;
	char path[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	f->path = xstrdup(path);
	buf_init(&f->text);
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = f;
	return &f->text;
}

/* Free all files. */
void
out_fini(struct out *o)
{
	struct out_file *f = o->files, *next;

	for (; f != NULL; f = next) {
		next = f->next;
		buf_fini(&f->text);
		free(f->path);
		free(f);
	}
	o->files = NULL;
}
