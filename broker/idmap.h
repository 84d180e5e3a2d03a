/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A map from positive int64 to int64: open addressing, 16 bytes an entry at
 * most half full.  For the answered requests.
 */
#ifndef XMSG_IDMAP_H
#define XMSG_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap {
	struct idmap_ent {
		int64_t key, value; /* key 0: free */
	} * v;
	size_t n, cap; /* cap is 0 or a power of two */
};

/* The value, or 0. */
int64_t idmap_get(const struct idmap *m, int64_t key);
/* Set key (> 0) to value; false when memory ran out. */
bool idmap_put(struct idmap *m, int64_t key, int64_t value)
    __attribute__((warn_unused_result));
void idmap_del(struct idmap *m, int64_t key);
void idmap_fini(struct idmap *m);

#endif
