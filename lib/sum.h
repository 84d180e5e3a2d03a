/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A sum over bytes, to find those that a disk or a memory has changed: eight at
 * a time, with one multiplication.  Every step is a bijection of what came
 * before, so that a change within eight bytes is always seen; two that undo each
 * other are as good as impossible.  It is no protection against anybody who
 * wants to change something.
 */
#ifndef XMSG_SUM_H
#define XMSG_SUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One word more. */
static inline uint64_t
sum_word(uint64_t h, uint64_t w)
{
	h = (h ^ w) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

/* The sum h of what came before, and of n bytes more; the last word is filled
 * up with zeros. */
static inline uint64_t
sum_bytes(uint64_t h, const void *p, size_t n)
{
	const unsigned char *c = p;
	uint64_t w;

	if (p == NULL) /* an empty string may have no address */
		return h;
	for (; n >= 8; c += 8, n -= 8) {
		memcpy(&w, c, 8);
		h = sum_word(h, w);
	}
	if (n > 0) {
		w = 0;
		memcpy(&w, c, n);
		h = sum_word(h, w);
	}
	return h;
}

#endif
