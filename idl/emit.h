/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One emitter is one file emit_NAME.c and one row in the table in emit.c.  It
 * is given a checked model and writes one or more files into `out`; it cannot
 * fail (model.h says what it may rely on).  Output depends on the model alone:
 * order of declaration, no dates, no paths of this machine.
 */
#ifndef XMSG_IDL_EMIT_H
#define XMSG_IDL_EMIT_H

#include "model.h"

/* The files that an emitter makes. */
struct out {
	struct out_file *files;
};

struct out_file {
	struct out_file *next;
	char *path; /* relative, with / */
	bool exec; /* to be made executable */
	char *link; /* a symbolic link to this instead, or NULL */
	struct buf text;
};

/* A new file; append to what is returned until the emitter returns. */
struct buf *out_file(struct out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The newest file is a program. */
void out_exec(struct out *o);
/* A symbolic link. */
void out_link(struct out *o, const char *target, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void out_fini(struct out *o);

struct emitter {
	const char *name; /* the word on the command line */
	const char *help; /* one line */
	void (*emit)(const struct api *api, struct out *o);
};

extern const struct emitter *const emitters[]; /* NULL at the end */

/* `new-plugin`: a plugin folder to begin with; kind is "volume" or
 * "datapath". */
void emit_new_plugin(
    const struct api *api, struct out *o, const char *name, const char *kind);

extern const struct emitter emit_list;
extern const struct emitter emit_python;
extern const struct emitter emit_ocaml;
extern const struct emitter emit_c;
extern const struct emitter emit_jsonschema;
extern const struct emitter emit_openrpc;
extern const struct emitter emit_man;
extern const struct emitter emit_html;
extern const struct emitter emit_completion;

#endif
