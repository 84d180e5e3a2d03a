/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The state file of the original adapter (contract 1.9): a list of
 * (SR ((sr HANDLE) (uids (ID ...)))).
 */
#ifndef XMSG_SEXP_H
#define XMSG_SEXP_H

#include "err.h"

/* Call fn for each entry (uids as a JSON array), until it returns -1.  How many
 * there were; -1 with the reason when the file cannot be read or understood. */
int sexp_attached(const char *path,
    int (*fn)(void *arg, const char *sr, const char *handle, const char *uids),
    void *arg, struct err *e);

#endif
