/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Declarations to model: read any number of files, then link the names.  All
 * problems go to the diag; a model with problems must not be emitted.
 */
#ifndef XMSG_IDL_LOAD_H
#define XMSG_IDL_LOAD_H

#include "model.h"

/* A file, or every *.yaml of a folder in the order of their names. */
void load_path(struct api *api, const char *path, struct diag *d);
/* One file's text; `file` is for messages. */
void load_text(struct api *api, const char *file, const char *text, size_t n,
    struct diag *d);
/* After the last file: resolve every name. */
void load_link(struct api *api, struct diag *d);

#endif
