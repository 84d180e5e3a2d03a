/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the emitters of Python modules and of their stubs share.
 */
#ifndef XMSG_IDL_EMIT_PY_H
#define XMSG_IDL_EMIT_PY_H

#include "emit.h"

#define PY_DIR "xapi/storage/api/v5/"

void py_head(struct buf *b, const struct api *api, const char *doc);
void py_signature(struct buf *b, const struct method *m);

/* emit_py_types.c: a use of a type as an expression (`at` is what names are
 * looked up in), and the module with all of them. */
void py_type_expr(struct buf *b, const struct type *t, const char *at);
void py_types(const struct api *api, struct out *o);

/* emit_pyi.c */
void py_stub_client(const struct api *api, struct out *o);
void py_stub_types(const struct api *api, struct out *o);
void py_stub_module(
    const struct api *api, const struct module *m, struct out *o);

#endif
