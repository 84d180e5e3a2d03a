/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* session: when one ends, when it is freed, grace; random use against counters. */
#include "support/unit.h"

#include "session.h"
#include "support/rnd.h"

struct fix {
	struct sessions ss;
	struct deadlines ds;
	int ended;
	char last[16];
};

static void
on_end(void *ctx, struct session *s)
{
	struct fix *f = ctx;

	assert_int_equal(s->nclients, 0);
	f->ended++;
	snprintf(f->last, sizeof f->last, "%.*s", (int)s->token.n, s->token.p);
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->ss.ended = on_end;
	f->ss.ctx = f;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	sessions_fini(&f->ss);
	deadlines_fini(&f->ds);
	free(f);
	return 0;
}

/* It ends with its last connection and is gone when it owns nothing. */
static void
ends_with_the_last_connection(void **state)
{
	struct fix *f = *state;
	struct session *s = session_get(&f->ss, STR("tok"));

	assert_ptr_equal(session_get(&f->ss, STR("tok")), s);
	assert_int_not_equal(s->serial, 0);
	session_attach(&f->ss, &f->ds, s);
	session_attach(&f->ss, &f->ds, s);
	session_detach(&f->ss, s);
	assert_int_equal(f->ended, 0);
	session_detach(&f->ss, s);
	assert_int_equal(f->ended, 1);
	assert_string_equal(f->last, "tok");
	assert_null(session_find(&f->ss, STR("tok")));
	assert_int_equal(f->ss.n, 0);
}

/* One that owns queues stays until they are gone. */
static void
stays_while_it_owns_something(void **state)
{
	struct fix *f = *state;
	struct session *s = session_get(&f->ss, STR("tok"));

	session_attach(&f->ss, &f->ds, s);
	s->nqueues = 1;
	session_detach(&f->ss, s);
	assert_int_equal(f->ended, 1);
	assert_ptr_equal(session_find(&f->ss, STR("tok")), s);
	s->nqueues = 0;
	session_release(&f->ss, s);
	assert_int_equal(f->ss.n, 0);
}

/* Grace: nobody comes, and it ends; somebody comes, and it does not. */
static void
grace_gives_time(void **state)
{
	struct fix *f = *state;
	struct session *s = session_get(&f->ss, STR("late"));

	session_get(&f->ss, STR("in time"));
	session_grace(&f->ss, &f->ds, s, 100);
	session_grace(&f->ss, &f->ds, session_get(&f->ss, STR("in time")), 100);
	session_release(&f->ss, s); /* grace holds it */
	assert_int_equal(f->ss.n, 2);
	deadlines_run(&f->ds, 99);
	session_attach(&f->ss, &f->ds, session_get(&f->ss, STR("in time")));
	deadlines_run(&f->ds, 100);
	assert_int_equal(f->ended, 1);
	assert_string_equal(f->last, "late");
	assert_int_equal(f->ss.n, 1);
	/* no grace for one that is connected */
	s = session_get(&f->ss, STR("in time"));
	session_grace(&f->ss, &f->ds, s, 200);
	assert_int_equal(deadlines_next(&f->ds), -1);
	session_detach(&f->ss, s);
	assert_int_equal(f->ended, 2);
}

/* Serials are never 0 and not given twice in a row. */
static void
serials_are_not_zero(void **state)
{
	struct fix *f = *state;
	uint32_t last = 0;

	f->ss.next_serial = UINT32_MAX - 2;
	for (int i = 0; i < 6; i++) {
		char name[8];
		struct session *s;

		snprintf(name, sizeof name, "t%d", i);
		s = session_get(&f->ss, str_of(name));
		assert_int_not_equal(s->serial, 0);
		assert_int_not_equal(s->serial, last);
		last = s->serial;
	}
}

/* Random use: ended as often as the last connection left. */
static void
random_run_matches_counters(void **state)
{
	struct fix *f = *state;
	struct rnd r = rnd_start("session");
	struct session *open[500];
	int clients[20] = {0}, ends = 0;
	int who[500];
	size_t n = 0, alive;

	for (int step = 0; step < 20000; step++) {
		if (n < 500 && (n == 0 || rnd_below(&r, 2))) {
			char name[8];
			int k = (int)rnd_below(&r, 20);

			snprintf(name, sizeof name, "s%d", k);
			open[n] = session_get(&f->ss, str_of(name));
			session_attach(&f->ss, &f->ds, open[n]);
			who[n++] = k;
			clients[k]++;
		} else {
			size_t i = rnd_below(&r, n);

			ends += --clients[who[i]] == 0;
			session_detach(&f->ss, open[i]);
			open[i] = open[--n];
			who[i] = who[n];
		}
		alive = 0;
		for (int k = 0; k < 20; k++)
			alive += clients[k] > 0;
		assert_int_equal(f->ss.n, alive);
		assert_int_equal(f->ended, ends);
	}
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(ends_with_the_last_connection),
	    T(stays_while_it_owns_something),
	    T(grace_gives_time),
	    T(serials_are_not_zero),
	    T(random_run_matches_counters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
