/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* waiter: parking by name and by time; random use, with the invariant checked
 * after each step and who is woken compared with a naive search. */
#include "support/unit.h"

#include "support/rnd.h"
#include "waiter.h"

enum { WAITERS = 24, NAMES = 10 };

struct fix {
	struct waiters ws;
	struct deadlines ds;
	struct waiter w[WAITERS];
	bool waits[WAITERS][NAMES]; /* the model: on which names */
	bool parked[WAITERS];
	int woken[WAITERS];
	bool unpark; /* the function unparks whom it is called for */
};

static const char *const names[NAMES] = {
    "a", "b", "c", "d", "e", "f", "g", "a/b", "", "long-name-of-a-queue"};

static int
setup(void **state)
{
	*state = calloc(1, sizeof(struct fix));
	return *state ? 0 : -1;
}

static void
check(struct fix *f)
{
	size_t parked = 0, nnames = 0;

	for (int i = 0; i < WAITERS; i++) {
		assert_true(waiter_check(&f->ws, &f->w[i]));
		assert_int_equal(f->w[i].parked, f->parked[i]);
		parked += f->parked[i];
	}
	assert_int_equal(f->ws.nparked, parked);
	assert_int_equal(f->ds.heap.n, parked);
	for (int k = 0; k < NAMES; k++) {
		struct waitname *wn = waiters_find(&f->ws, str_of(names[k]));
		size_t links = 0, on = 0;

		for (int i = 0; i < WAITERS; i++) {
			links += f->waits[i][k];
			on += f->waits[i][k] && f->parked[i];
		}
		assert_int_equal(wn ? wn->nlinks : 0, links);
		assert_int_equal(wn ? wn->nparked : 0, on);
		nnames += wn != NULL;
	}
	assert_int_equal(HASH_CNT(hh, f->ws.names), nnames);
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	for (int i = 0; i < WAITERS; i++) {
		waiter_leave(&f->ws, &f->ds, &f->w[i]);
		memset(f->waits[i], 0, sizeof f->waits[i]);
		f->parked[i] = false;
	}
	check(f);
	deadlines_fini(&f->ds);
	free(f);
	return 0;
}

static void
woken(void *arg, struct waiter *w)
{
	struct fix *f = arg;
	size_t i = (size_t)(w - f->w);

	assert_true(w->parked);
	f->woken[i]++;
	if (!f->unpark)
		return;
	waiter_unpark(&f->ws, &f->ds, w);
	f->parked[i] = false;
}

/* Wake a name and compare with who ought to be. */
static void
wake(struct fix *f, int k)
{
	bool should[WAITERS];

	for (int i = 0; i < WAITERS; i++) {
		should[i] = f->parked[i] && f->waits[i][k];
		f->woken[i] = 0;
	}
	waiters_wake(&f->ws, str_of(names[k]), woken, f);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(f->woken[i], should[i]);
}

/* Give a waiter some names, each once. */
static void
set_names(struct fix *f, struct rnd *r, int i)
{
	struct str v[NAMES];
	size_t n = 0;

	for (int k = 0; k < NAMES; k++) {
		f->waits[i][k] = rnd_below(r, 3) == 0;
		if (f->waits[i][k])
			v[n++] = str_of(names[k]);
	}
	assert_true(waiter_names(&f->ws, &f->w[i], v, n));
}

static void
random_run_matches_a_search(void **state)
{
	struct fix *f = *state;
	struct rnd r = rnd_start("waiter");

	for (int step = 0; step < 20000; step++) {
		int i = (int)rnd_below(&r, WAITERS);

		switch (rnd_below(&r, 6)) {
		case 0:
			if (!f->parked[i])
				set_names(f, &r, i);
			break;
		case 1:
		case 2:
			waiter_park(&f->ws, &f->ds, &f->w[i],
			    (int64_t)rnd_below(&r, 1000));
			f->parked[i] = true;
			break;
		case 3:
			waiter_unpark(&f->ws, &f->ds, &f->w[i]);
			f->parked[i] = false;
			break;
		case 4:
			f->unpark = rnd_below(&r, 4) != 0;
			wake(f, (int)rnd_below(&r, NAMES));
			break;
		default:
			if (rnd_below(&r, 4) != 0)
				break;
			waiter_leave(&f->ws, &f->ds, &f->w[i]);
			f->parked[i] = false;
			memset(f->waits[i], 0, sizeof f->waits[i]);
		}
		check(f);
	}
}

/* After an answer it counts as a consumer still, though it does not wait. */
static void
stays_on_its_lists_when_not_parked(void **state)
{
	struct fix *f = *state;
	struct str v[] = {STR("a"), STR("b")};

	assert_true(waiter_names(&f->ws, &f->w[0], v, 2));
	f->waits[0][0] = f->waits[0][1] = true;
	waiter_park(&f->ws, &f->ds, &f->w[0], 50);
	waiter_unpark(&f->ws, &f->ds, &f->w[0]);
	check(f);
	assert_int_equal(waiters_find(&f->ws, STR("a"))->nlinks, 1);
	wake(f, 0);
	/* the same names again change nothing, others do */
	assert_true(waiter_names(&f->ws, &f->w[0], v, 2));
	check(f);
	assert_true(waiter_names(&f->ws, &f->w[0], v, 1));
	f->waits[0][1] = false;
	check(f);
	assert_true(waiter_names(&f->ws, &f->w[0], v, 0));
	f->waits[0][0] = false;
	check(f);
}

/* A name that stands twice is woken once when the waiter is answered. */
static void
a_name_may_stand_twice(void **state)
{
	struct fix *f = *state;
	struct str v[] = {STR("a"), STR("a")};

	assert_true(waiter_names(&f->ws, &f->w[0], v, 2));
	waiter_park(&f->ws, &f->ds, &f->w[0], 50);
	assert_true(waiter_check(&f->ws, &f->w[0]));
	f->parked[0] = f->unpark = true;
	waiters_wake(&f->ws, STR("a"), woken, f);
	assert_int_equal(f->woken[0], 1);
	assert_int_equal(f->ws.nparked, 0);
	assert_int_equal(waiters_find(&f->ws, STR("a"))->nparked, 0);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(random_run_matches_a_search),
	    T(stays_on_its_lists_when_not_parked),
	    T(a_name_may_stand_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
