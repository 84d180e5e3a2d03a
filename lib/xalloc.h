/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Allocation that cannot fail: the process ends with one line instead.  For
 * the programs' own small structures only.  Never for a size that a peer chose
 * and never in libxmsg (style rule 12).
 */
#ifndef XMSG_XALLOC_H
#define XMSG_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xreallocarray(void *p, size_t n, size_t size)
    __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n)
    __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* The end itself, when n bytes are missing that cannot be done without. */
void xnomem(size_t n) __attribute__((noreturn));

#endif
