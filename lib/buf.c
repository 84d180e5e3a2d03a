/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A growing byte buffer with a sticky failure. */
#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 64 /* first allocation; small, as most buffers are */

/* An empty buffer. */
void
buf_init(struct buf *b)
{
	memset(b, 0, sizeof *b);
}

/* Give the memory back. */
void
buf_fini(struct buf *b)
{
	free(b->p);
	buf_init(b);
}

/* Empty it, keep the memory. */
void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

/* Make room. */
char *
buf_reserve(struct buf *b, size_t more)
{
	size_t want, cap;
	char *p;

	if (b->failed)
		return NULL;
	if (__builtin_add_overflow(b->n, more, &want) ||
	    (b->max != 0 && want > b->max))
		goto fail;
	if (b->p != NULL && want <= b->cap)
		return b->p + b->n;
	cap = b->cap ? b->cap : BUF_FIRST;
	while (cap < want)
		if (__builtin_mul_overflow(cap, 2, &cap))
			goto fail;
	p = realloc(b->p, cap);
	if (p == NULL)
		goto fail;
	b->p = p;
	b->cap = cap;
	return b->p + b->n;
fail:
	b->failed = true;
	return NULL;
}

/* Append bytes. */
void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_reserve(b, n);

	if (to == NULL || n == 0)
		return;
	memcpy(to, p, n);
	b->n += n;
}

/* Append one byte. */
void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

/* Append a string. */
void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

/* Append a number in decimal. */
void
buf_addi(struct buf *b, int64_t v)
{
	char tmp[24], *q = tmp + sizeof tmp;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do
		*--q = (char)('0' + u % 10);
	while ((u /= 10) != 0);
	if (v < 0)
		*--q = '-';
	buf_add(b, q, (size_t)(tmp + sizeof tmp - q));
}

/* Append formatted text. */
void
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	to = n < 0 ? NULL : buf_reserve(b, (size_t)n + 1);
	if (to == NULL) {
		b->failed = true;
		return;
	}
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
}

/* Append formatted text. */
void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

/* Drop bytes from the front. */
void
buf_drain(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

/* Hand the bytes over. */
char *
buf_steal(struct buf *b, size_t *n)
{
	char *p = NULL;

	if (buf_reserve(b, 1) != NULL) {
		b->p[b->n] = '\0';
		if (n != NULL)
			*n = b->n;
		p = b->p;
		b->p = NULL;
	}
	buf_fini(b);
	return p;
}
