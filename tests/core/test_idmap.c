/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* idmap: against an array, with keys that collide and are moved back. */
#include "support/unit.h"

#include "idmap.h"
#include "support/rnd.h"

enum { KEYS = 400, STEPS = 200000 };

/* The map holds what the array holds. */
static void
compare(const struct idmap *m, const int64_t *keys, const int64_t *values)
{
	size_t n = 0, used = 0;

	for (size_t i = 0; i < KEYS; i++) {
		assert_int_equal(idmap_get(m, keys[i]), values[i]);
		n += values[i] != 0;
	}
	for (size_t i = 0; i < m->cap; i++)
		used += m->v[i].key != 0;
	assert_int_equal(m->n, n);
	assert_int_equal(used, n);
	assert_true(m->cap == 0 || m->n * 2 <= m->cap);
}

/* Random puts and deletes of a few hundred keys: dense, far apart, at the
 * ends. */
static void
random_run_matches_an_array(void **state)
{
	struct rnd r = rnd_start("idmap");
	int64_t keys[KEYS], values[KEYS] = {0};
	struct idmap m = {0};

	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		keys[i] = i < 200 ? (int64_t)i + 1
		    : i < 300	  ? (int64_t)i << 40
				  : INT64_MAX - (int64_t)i;
	for (int i = 0; i < STEPS; i++) {
		/* phases: it grows, it shrinks */
		size_t k = rnd_below(&r, KEYS);
		bool put = rnd_below(&r, 10) < (i / 2000 % 2 ? 8 : 2);

		if (put) {
			values[k] = (int64_t)(rnd_next(&r) | 1);
			assert_true(idmap_put(&m, keys[k], values[k]));
		} else {
			idmap_del(&m, keys[k]);
			values[k] = 0;
		}
		if (i % 500 == 0)
			compare(&m, keys, values);
	}
	compare(&m, keys, values);
	idmap_fini(&m);
	assert_null(m.v);
}

/* It gives memory back when few of many are left. */
static void
shrinks_when_emptied(void **state)
{
	struct idmap m = {0};
	size_t most;

	(void)state;
	for (int64_t i = 1; i <= 100000; i++)
		assert_true(idmap_put(&m, i, -i));
	most = m.cap;
	for (int64_t i = 1; i <= 99990; i++)
		idmap_del(&m, i);
	assert_true(m.cap < most / 32);
	for (int64_t i = 99991; i <= 100000; i++)
		assert_int_equal(idmap_get(&m, i), -i);
	assert_int_equal(m.n, 10);
	idmap_fini(&m);
}

/* What is no key: nothing is found, nothing is taken away. */
static void
zero_is_no_key(void **state)
{
	struct idmap m = {0};

	(void)state;
	assert_int_equal(idmap_get(&m, 0), 0);
	idmap_del(&m, 0);
	for (int64_t i = 1; i <= 64; i++)
		assert_true(idmap_put(&m, i, i + 1000));
	for (int64_t i = 1; i <= 60; i++)
		idmap_del(&m, i);
	assert_int_equal(idmap_get(&m, 0), 0);
	assert_int_equal(idmap_get(&m, -5), 0);
	idmap_del(&m, 0);
	idmap_del(&m, -5);
	assert_int_equal(m.n, 4);
	idmap_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_run_matches_an_array),
	    cmocka_unit_test(shrinks_when_emptied),
	    cmocka_unit_test(zero_is_no_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
