/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* map: found by its key, walked in order, taken out from anywhere, sorted. */
#include "support/unit.h"

#include <stdbool.h>

#include "map.h"
#include "support/rnd.h"

#define N 3000

struct thing {
	UT_hash_handle hh;
	char key[40];
	size_t n; /* of the key */
	int order;
	bool in;
};

/* Keys of all lengths up to 39, bytes of any value; no two are alike. */
static struct thing *
make(size_t n)
{
	struct thing *v = calloc(n, sizeof *v);

	assert_non_null(v);
	for (size_t i = 0; i < n; i++) {
		v[i].n = sizeof(uint32_t) + i % 36;
		memset(v[i].key, (int)(i & 0xff), sizeof v[i].key);
		memcpy(v[i].key, &(uint32_t){(uint32_t)i}, sizeof(uint32_t));
		v[i].order = (int)((i * 7919) % 263);
	}
	return v;
}

/* Exactly those that are in are found; a walk meets them in order. */
static void
check(struct thing *map, struct thing *v, size_t n)
{
	struct thing *e, *next, *last = NULL;
	size_t in = 0, walked = 0;

	for (size_t i = 0; i < n; i++) {
		in += v[i].in;
		assert_ptr_equal(
		    map_find(map, v[i].key, v[i].n), v[i].in ? &v[i] : NULL);
	}
	HASH_ITER (hh, map, e, next) {
		assert_true(e->in && (last == NULL || e > last));
		last = e;
		walked++;
	}
	assert_int_equal(walked, in);
	assert_int_equal(HASH_CNT(hh, map), in);
}

static void
map_keeps_what_is_put_in(void **state)
{
	struct thing *v = make(N), *map = NULL;
	struct rnd r = rnd_start("map");

	(void)state;
	assert_null(map_find(NULL, "x", 1));
	for (size_t i = 0; i < N; i++) {
		map = map_add(map, &v[i], v[i].key, v[i].n);
		v[i].in = true;
	}
	check(map, v, N);
	for (size_t left = N; left > 0; left--) {
		size_t i = rnd_below(&r, N);

		while (!v[i].in)
			i = (i + 1) % N;
		map = map_del(map, &v[i]);
		v[i].in = false;
		if (left % 500 == 1)
			check(map, v, N);
	}
	assert_null(map); /* and holds no memory */
	free(v);
}

/* A key is its bytes and its length. */
static void
map_tells_keys_apart(void **state)
{
	struct thing v[3] = {{.n = 0}}, *map = NULL;

	(void)state;
	map = map_add(map, &v[0], "ab", 2);
	map = map_add(map, &v[1], "ab\0", 3);
	map = map_add(map, &v[2], "", 0);
	assert_ptr_equal(map_find(map, "ab", 2), &v[0]);
	assert_ptr_equal(map_find(map, "ab\0", 3), &v[1]);
	assert_ptr_equal(map_find(map, "", 0), &v[2]);
	assert_null(map_find(map, "a", 1));
	map = map_del(map, &v[0]);
	assert_null(map_find(map, "ab", 2));
	map = map_clear(map);
	assert_null(map);
	assert_null(map_clear(map)); /* of nothing, too */
}

static int
by_order(const void *va, const void *vb)
{
	const struct thing *a = va, *b = vb;

	return a->order - b->order;
}

/* Equal ones stay as they were; what is put in later comes last. */
static void
map_sorts(void **state)
{
	struct thing *v = make(N), *map = NULL, *e, *next, *last = NULL;
	size_t n = 0;

	(void)state;
	assert_null(map_sort(NULL, by_order));
	for (size_t i = 0; i + 1 < N; i++)
		map = map_add(map, &v[i], v[i].key, v[i].n);
	map = map_sort(map, by_order);
	HASH_ITER (hh, map, e, next) {
		assert_true(last == NULL || e->order > last->order ||
		    (e->order == last->order && e > last));
		last = e;
		n++;
	}
	assert_int_equal(n, N - 1);
	map = map_add(map, &v[N - 1], v[N - 1].key, v[N - 1].n);
	assert_ptr_equal(last->hh.next, &v[N - 1]);
	for (size_t i = 0; i < N; i++)
		assert_ptr_equal(map_find(map, v[i].key, v[i].n), &v[i]);
	assert_null(map_clear(map));
	free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(map_keeps_what_is_put_in),
	    cmocka_unit_test(map_tells_keys_apart),
	    cmocka_unit_test(map_sorts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
