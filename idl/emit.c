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
    &emit_ocaml,
    &emit_c,
    &emit_openrpc,
    &emit_man,
    &emit_html,
    &emit_completion,
    NULL,
};

/* Add a file behind the others. */
static struct out_file *__attribute__((format(printf, 2, 0)))
append(struct out *o, const char *fmt, va_list ap)
{
	struct out_file *f = xcalloc(1, sizeof(*f)), **tail = &o->files;
	char path[512];

	vsnprintf(path, sizeof(path), fmt, ap);
	f->path = xstrdup(path);
	buf_init(&f->text);
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = f;
	return f;
}

/* A file to write to. */
struct buf *
out_file(struct out *o, const char *fmt, ...)
{
	struct out_file *f;
	va_list ap;

	va_start(ap, fmt);
	f = append(o, fmt, ap);
	va_end(ap);
	return &f->text;
}

/* A link. */
void
out_link(struct out *o, const char *target, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(o, fmt, ap)->link = xstrdup(target);
	va_end(ap);
}

/* The last file becomes a program. */
void
out_exec(struct out *o)
{
	struct out_file *f = o->files;

	while (f != NULL && f->next != NULL)
		f = f->next;
	if (f != NULL)
		f->exec = true;
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
		free(f->link);
		free(f);
	}
	o->files = NULL;
}
