/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Random numbers of a test: the same in each run, unless XMSG_SEED says
 * otherwise; the seed is printed, so that a failure can be repeated.
 */
#ifndef XMSG_TESTS_RND_H
#define XMSG_TESTS_RND_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct rnd {
	uint64_t s;
};

/* A given seed; spread over all bits (splitmix), as xorshift is slow to leave
 * small numbers. */
static inline struct rnd
rnd_seed(uint64_t seed)
{
	uint64_t z = seed + 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (struct rnd){(z ^ (z >> 31)) | 1};
}

/* Start; `what` is printed with the seed. */
static inline struct rnd
rnd_start(const char *what)
{
	const char *text = getenv("XMSG_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : 20260101;

	printf("# %s: XMSG_SEED=%llu\n", what, (unsigned long long)seed);
	return rnd_seed(seed);
}

/* 64 bits (xorshift*). */
static inline uint64_t
rnd_next(struct rnd *r)
{
	r->s ^= r->s >> 12;
	r->s ^= r->s << 25;
	r->s ^= r->s >> 27;
	return r->s * 0x2545f4914f6cdd1dULL;
}

/* 0 .. n-1. */
static inline uint32_t
rnd_below(struct rnd *r, size_t n)
{
	return (uint32_t)((rnd_next(r) >> 33) % n);
}

#endif
