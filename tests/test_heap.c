/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* heap: order, removal from the middle, positions. */
#include "support/unit.h"

#include "heap.h"

#define N 500

/* What is taken out comes in order, whatever the order in. */
static void
heap_sorts(void **state)
{
	struct heap h = {0};
	struct heap_node e[N] = {{0}};
	int64_t last = INT64_MIN;

	(void)state;
	for (int i = 0; i < N; i++) {
		e[i].key = (i * 7919) % 263;
		assert_true(heap_add(&h, &e[i]));
		assert_true(heap_check(&h));
	}
	for (int i = 0; i < N; i++) {
		struct heap_node *m = heap_min(&h);
		assert_true(m->key >= last);
		last = m->key;
		heap_remove(&h, m);
		assert_int_equal(m->pos, 0);
	}
	assert_null(heap_min(&h));
	heap_fini(&h);
}

/* Any element can go at any time; twice is harmless. */
static void
heap_removes_from_the_middle(void **state)
{
	struct heap h = {0};
	struct heap_node e[N] = {{0}};

	(void)state;
	for (int i = 0; i < N; i++) {
		e[i].key = (i * 31) % 97;
		assert_true(heap_add(&h, &e[i]));
	}
	for (int i = 0; i < N; i++) {
		struct heap_node *x = &e[(i * 211) % N];
		heap_remove(&h, x);
		heap_remove(&h, x);
		assert_true(heap_check(&h));
	}
	assert_int_equal(h.n, 0);
	heap_fini(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(heap_sorts),
	    cmocka_unit_test(heap_removes_from_the_middle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
