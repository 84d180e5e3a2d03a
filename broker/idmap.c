/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* int64 -> int64, open addressing with linear probing and backward-shift
 * deletion, so that there are no tombstones. */
#include "idmap.h"

#include <stdlib.h>
#include <string.h>

/* Where the search for a key begins. */
static size_t
home(const struct idmap *m, int64_t key)
{
	uint64_t h = (uint64_t)key * 0x9e3779b97f4a7c15ULL;

	return (size_t)(h >> 20) & (m->cap - 1);
}

/* The slot of key, or the free one where it would go. */
static size_t
slot(const struct idmap *m, int64_t key)
{
	size_t i = home(m, key);

	while (m->v[i].key != 0 && m->v[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return i;
}

/* Change the capacity. */
static bool
resize(struct idmap *m, size_t cap)
{
	struct idmap old = *m;
	struct idmap_ent *v = calloc(cap, sizeof *v);

	if (v == NULL)
		return false;
	m->v = v;
	m->cap = cap;
	for (size_t i = 0; i < old.cap; i++)
		if (old.v[i].key != 0)
			m->v[slot(m, old.v[i].key)] = old.v[i];
	free(old.v);
	return true;
}

/* Look up. */
int64_t
idmap_get(const struct idmap *m, int64_t key)
{
	size_t i;

	if (m->n == 0 || key <= 0)
		return 0;
	i = slot(m, key);
	return m->v[i].key == key ? m->v[i].value : 0;
}

/* Insert or change. */
bool
idmap_put(struct idmap *m, int64_t key, int64_t value)
{
	size_t i;

	if (m->cap < 2 * (m->n + 1) && !resize(m, m->cap ? m->cap * 2 : 16))
		return false;
	i = slot(m, key);
	m->n += m->v[i].key == 0;
	m->v[i].key = key;
	m->v[i].value = value;
	return true;
}

/* Remove, and move back what was pushed aside. */
void
idmap_del(struct idmap *m, int64_t key)
{
	size_t i, j, mask = m->cap - 1;

	if (m->n == 0 || key <= 0)
		return;
	i = slot(m, key);
	if (m->v[i].key != key)
		return;
	m->n--;
	for (j = (i + 1) & mask; m->v[j].key != 0; j = (j + 1) & mask) {
		size_t h = home(m, m->v[j].key);
		/* may the entry at j live at i? only if its home is not
		 * cyclically in (i, j] */
		if (((j - h) & mask) >= ((j - i) & mask)) {
			m->v[i] = m->v[j];
			i = j;
		}
	}
	m->v[i].key = 0;
	if (m->cap > 1024 && m->n < m->cap / 8)
		(void)resize(m, m->cap / 2); /* keeping the larger is fine */
}

/* Free. */
void
idmap_fini(struct idmap *m)
{
	free(m->v);
	memset(m, 0, sizeof *m);
}
