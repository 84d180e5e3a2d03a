/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A growing byte buffer.  Appending never ends the process: when memory runs
 * out, or a limit is passed, the buffer turns `failed`, later appends do
 * nothing, and the one check at the end (buf_ok) catches all of them.
 */
#ifndef XMSG_BUF_H
#define XMSG_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *p; /* the bytes; NULL until the first append */
	size_t n; /* how many are in use */
	size_t cap; /* how many are allocated */
	size_t max; /* limit on n, 0 = none */
	bool failed;
};

#define BUF_INIT                                                               \
	{                                                                      \
		NULL, 0, 0, 0, false                                           \
	}

void buf_init(struct buf *b);
void buf_fini(struct buf *b); /* frees the bytes; b is as after buf_init */
void buf_reset(struct buf *b); /* keeps the allocation, clears `failed` */

/* Room for `more` bytes beyond n: where to write them, or NULL (failed). */
char *buf_reserve(struct buf *b, size_t more);

void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addi(struct buf *b, int64_t v); /* decimal */
void buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Drop the first n bytes (n <= b->n). */
void buf_drain(struct buf *b, size_t n);

/* True while nothing failed. */
static inline bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}

/* The contents as a NUL-terminated string that the caller frees; *n, when not
 * NULL, gets the length.  The buffer is empty afterwards.  NULL when failed. */
char *buf_steal(struct buf *b, size_t *n) __attribute__((warn_unused_result));

#endif
