/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A store that stands before another one and fails on demand: the n-th chain of
 * operations, or the whole batch that it is in, once or from there on.  What
 * fails does not reach the store behind.  It checks the callers' half of the
 * contract, too: nothing is submitted twice at a time.
 */
#ifndef XMSG_TESTS_FAULTSTORE_H
#define XMSG_TESTS_FAULTSTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "store.h"

struct faultstore_op; /* private */

struct faultstore {
	struct store base; /* first member: use it as a store */
	struct store *inner;
	/* the plan */
	long at; /* fail the at-th chain from now on, 0: none */
	bool batch; /* and all of its batch */
	bool lasting; /* and all that follow */
	enum store_rc rc; /* with this */
	int64_t boot_first; /* what info says instead, when not 0 */
	/* what happened */
	long chains, failed, batches;
	/* private */
	struct faultstore_op *v;
	size_t n, cap;
};

/* Takes over the inner store: closing closes it. */
void faultstore_init(struct faultstore *f, struct store *inner);
/* A new plan; counts from zero. */
void faultstore_plan(
    struct faultstore *f, long at, bool batch, bool lasting, enum store_rc rc);
/* Is something submitted and not done? */
bool faultstore_pending(const struct faultstore *f);

#endif
