/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What every fuzz target includes.  A target is one function that takes bytes
 * and ends the process when a promise is broken.  It is linked with libFuzzer
 * (configure CC=clang --enable-fuzzing --enable-sanitizers) or, in an ordinary
 * build, with replay.c, which runs it over its seeds as a test.
 */
#ifndef XMSG_TESTS_FUZZ_H
#define XMSG_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A promise; broken, the input is kept by the fuzzer. */
#define promise(what)                                                          \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__,       \
			    __LINE__, #what);                                  \
			abort();                                               \
		}                                                              \
	} while (0)

/* A copy of exactly n bytes, so that a read beyond them is seen. */
static inline char *
fuzz_copy(const void *p, size_t n)
{
	char *q = malloc(n ? n : 1);

	promise(q != NULL);
	if (n > 0)
		memcpy(q, p, n);
	return q;
}

#endif
