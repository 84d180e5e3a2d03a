/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* deadline: order, moving, clearing, and what a function may do while it
 * runs; random use against a naive list. */
#include "support/unit.h"

#include "deadline.h"
#include "support/rnd.h"

enum { N = 200 };

struct item {
	struct deadline d; /* first member */
	int64_t at; /* of the model: -1 not set */
	int ran;
};

static struct deadlines ds;
static int64_t last_key;

static void
ran(struct deadline *d, int64_t now)
{
	struct item *i = (struct item *)d;

	assert_true(i->at >= 0 && i->at <= now);
	assert_true(i->at >= last_key); /* the earliest first */
	assert_false(deadline_pending(d));
	last_key = i->at;
	i->at = -1;
	i->ran++;
}

/* The earliest of the model. */
static int64_t
earliest(const struct item *v)
{
	int64_t at = -1;

	for (int i = 0; i < N; i++)
		if (v[i].at >= 0 && (at < 0 || v[i].at < at))
			at = v[i].at;
	return at;
}

static void
random_run_matches_a_list(void **state)
{
	struct rnd r = rnd_start("deadline");
	struct item *v = calloc(N, sizeof *v);
	int64_t now = 0;

	(void)state;
	assert_non_null(v);
	for (int i = 0; i < N; i++) {
		v[i].d.fn = ran;
		v[i].at = -1;
	}
	for (int step = 0; step < 50000; step++) {
		struct item *it = &v[rnd_below(&r, N)];

		switch (rnd_below(&r, 4)) {
		case 0:
		case 1:
			it->at = now + rnd_below(&r, 1000);
			deadline_set(&ds, &it->d, it->at);
			break;
		case 2:
			deadline_clear(&ds, &it->d);
			it->at = -1;
			break;
		default:
			now += rnd_below(&r, 40);
			last_key = 0;
			deadlines_run(&ds, now);
		}
		assert_true(heap_check(&ds.heap));
		assert_int_equal(deadline_pending(&it->d), it->at >= 0);
		if (step % 16 == 0)
			assert_int_equal(deadlines_next(&ds), earliest(v));
	}
	last_key = 0;
	deadlines_run(&ds, now + 1000);
	assert_int_equal(deadlines_next(&ds), -1);
	deadlines_fini(&ds);
	free(v);
}

/* Exactly at its time, not one before. */
static void
runs_at_its_time(void **state)
{
	struct item it = {.d.fn = ran, .at = 1000};

	(void)state;
	last_key = 0;
	deadline_set(&ds, &it.d, 1000);
	deadlines_run(&ds, 999);
	assert_int_equal(it.ran, 0);
	deadlines_run(&ds, 1000);
	assert_int_equal(it.ran, 1);
	deadlines_run(&ds, 5000);
	assert_int_equal(it.ran, 1);
	deadline_clear(&ds, &it.d); /* harmless */
	deadlines_fini(&ds);
}

static struct item chain[3];
static int nchain;

/* Sets itself again, and takes the other one back. */
static void
again(struct deadline *d, int64_t now)
{
	nchain++;
	deadline_clear(&ds, &chain[1].d);
	if (nchain < 5)
		deadline_set(&ds, d, now + 10);
}

static void
functions_may_set_and_clear(void **state)
{
	(void)state;
	chain[0].d.fn = again;
	chain[1].d.fn = ran;
	deadline_set(&ds, &chain[0].d, 10);
	deadline_set(&ds, &chain[1].d, 10);
	chain[1].at = 10;
	/* whichever of the two comes first, nothing runs twice in a turn */
	deadlines_run(&ds, 10);
	assert_int_equal(nchain, 1);
	for (int64_t t = 20; t <= 100; t += 10)
		deadlines_run(&ds, t);
	assert_int_equal(nchain, 5);
	assert_true(chain[1].ran <= 1);
	assert_int_equal(deadlines_next(&ds), -1);
	deadlines_fini(&ds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_run_matches_a_list),
	    cmocka_unit_test(runs_at_its_time),
	    cmocka_unit_test(functions_may_set_and_clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
