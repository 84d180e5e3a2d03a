/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* turns: limits at the bound and one beyond, fairness, order, removal. */
#include "support/unit.h"

#include "turns.h"

#define N 64

struct t {
	struct turns *s;
	struct turns_item i[N];
};

static struct t *
start(void **state, unsigned total, unsigned queue, unsigned sr, bool serial)
{
	static struct t t;
	struct turns_limits l = {total, queue, sr, serial};

	memset(&t, 0, sizeof t);
	t.s = turns_new(&l);
	*state = &t;
	return &t;
}

/* How many begin now; each is as one of those expected when they are given. */
static int
begin(struct t *t)
{
	int n = 0;

	while (turns_next(t->s) != NULL)
		n++;
	return n;
}

static void
an_sr_has_its_limit(void **state)
{
	struct t *t = start(state, 100, 100, 3, false);

	for (int i = 0; i < 5; i++)
		turns_add(t->s, &t->i[i], "q", "a");
	assert_int_equal(begin(t), 3);
	assert_int_equal(turns_running(t->s), 3);
	assert_int_equal(turns_waiting(t->s), 2);
	turns_remove(t->s, &t->i[1]);
	assert_ptr_equal(turns_next(t->s), &t->i[3]);
	assert_null(turns_next(t->s));
	turns_free(t->s);
}

static void
a_queue_and_all_have_theirs(void **state)
{
	struct t *t = start(state, 5, 3, 10, false);

	for (int i = 0; i < 10; i++)
		turns_add(t->s, &t->i[i], "q", "a");
	assert_int_equal(begin(t), 3);
	for (int i = 10; i < 20; i++)
		turns_add(t->s, &t->i[i], "r", "a");
	assert_int_equal(begin(t), 2); /* all: 5 */
	turns_free(t->s);
}

static void
a_slow_sr_delays_no_other(void **state)
{
	struct t *t = start(state, 3, 2, 2, false);

	for (int i = 0; i < 10; i++)
		turns_add(t->s, &t->i[i], "q", "slow");
	assert_int_equal(begin(t), 2);
	turns_add(t->s, &t->i[10], "q", "quick");
	turns_add(t->s, &t->i[11], "q", "quick");
	turns_add(t->s, &t->i[12], "q", "other");
	assert_ptr_equal(turns_next(t->s), &t->i[10]);
	assert_null(turns_next(t->s)); /* the limit of all holds */
	turns_remove(t->s, &t->i[0]);
	/* another one begins; the second of the quick one obeys the limits */
	assert_ptr_equal(turns_next(t->s), &t->i[12]);
	turns_free(t->s);
}

static void
queues_and_srs_take_turns(void **state)
{
	struct t *t = start(state, 100, 100, 100, false);
	static const int order[] = {0, 4, 2, 5, 1, 6, 3, 7};

	turns_add(t->s, &t->i[0], "q", "a");
	turns_add(t->s, &t->i[1], "q", "a");
	turns_add(t->s, &t->i[2], "q", "b");
	turns_add(t->s, &t->i[3], "q", "b");
	for (int i = 4; i < 8; i++)
		turns_add(t->s, &t->i[i], "r", "a");
	for (size_t i = 0; i < 8; i++)
		assert_ptr_equal(turns_next(t->s), &t->i[order[i]]);
	turns_free(t->s);
}

static void
one_at_a_time_in_order(void **state)
{
	struct t *t = start(state, 100, 100, 100, true);

	for (int i = 0; i < 4; i++)
		turns_add(t->s, &t->i[i], "q", "");
	turns_add(t->s, &t->i[4], "r", "");
	assert_ptr_equal(turns_next(t->s), &t->i[0]);
	assert_ptr_equal(turns_next(t->s), &t->i[4]);
	assert_null(turns_next(t->s));
	for (int i = 1; i < 4; i++) {
		turns_remove(t->s, &t->i[i - 1]);
		assert_ptr_equal(turns_next(t->s), &t->i[i]);
	}
	turns_free(t->s);
}

static void
those_who_wait_can_go(void **state)
{
	struct t *t = start(state, 100, 100, 1, false);

	for (int i = 0; i < 4; i++)
		turns_add(t->s, &t->i[i], "q", "a");
	assert_ptr_equal(turns_next(t->s), &t->i[0]);
	turns_remove(t->s, &t->i[3]); /* the last, then one may be added */
	turns_add(t->s, &t->i[4], "q", "a");
	turns_remove(t->s, &t->i[1]); /* the first */
	turns_remove(t->s, &t->i[1]); /* twice is harmless */
	turns_remove(t->s, &t->i[0]);
	assert_ptr_equal(turns_next(t->s), &t->i[2]);
	turns_remove(t->s, &t->i[2]);
	assert_ptr_equal(turns_next(t->s), &t->i[4]);
	turns_remove(t->s, &t->i[4]);
	assert_null(turns_next(t->s));
	assert_int_equal(turns_running(t->s), 0);
	assert_int_equal(turns_waiting(t->s), 0);
	turns_free(t->s);
}

static void
limits_change(void **state)
{
	struct t *t = start(state, 100, 100, 1, false);
	struct turns_limits l = {100, 100, 3, false};

	for (int i = 0; i < 4; i++)
		turns_add(t->s, &t->i[i], "q", "a");
	assert_int_equal(begin(t), 1);
	turns_set_limits(t->s, &l);
	assert_int_equal(begin(t), 2);
	turns_free(t->s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_sr_has_its_limit),
	    cmocka_unit_test(a_queue_and_all_have_theirs),
	    cmocka_unit_test(a_slow_sr_delays_no_other),
	    cmocka_unit_test(queues_and_srs_take_turns),
	    cmocka_unit_test(one_at_a_time_in_order),
	    cmocka_unit_test(those_who_wait_can_go),
	    cmocka_unit_test(limits_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
