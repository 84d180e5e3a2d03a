/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Borrowed bytes: a pointer and a length, no terminator, any byte value.
 * Whoever hands one out says how long it lives.
 */
#ifndef XMSG_STR_H
#define XMSG_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
	const char *p; /* may be NULL when n is 0 */
	size_t n;
};

/* A literal as a struct str. */
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})

/* A C string as a struct str; s may be NULL. */
static inline struct str
str_of(const char *s)
{
	return (struct str){s, s ? strlen(s) : 0};
}

/* Same bytes. */
static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* s begins with prefix. */
static inline bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n &&
	    (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* Byte order, shorter first when one is a prefix of the other. */
static inline int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

#endif
