/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Choosing a name that a person typed: whole, abbreviated, or with a typing
 * error.  Pure.
 */
#ifndef XMSG_CLI_PICK_H
#define XMSG_CLI_PICK_H

#include <stddef.h>

enum { PICK_NONE = -1, PICK_MANY = -2 };

/* Index of the name that is word, or else of the only one that begins with it;
 * NULL names are passed over.  *abbreviated (may be NULL) tells which. */
int pick(
    const char *const *names, size_t n, const char *word, int *abbreviated);

/* How many letters to add, leave out, change or swap with the next one. */
unsigned pick_distance(const char *a, const char *b);

/* The name that was probably meant, or NULL. */
const char *pick_nearest(const char *const *names, size_t n, const char *word);

#endif
