/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* trace: payloads are redacted on their way in, and who waits is told once. */
#include "support/unit.h"

#include "support/rnd.h"
#include "trace.h"

struct fix {
	struct deadlines ds;
	struct trace t;
	void *mem;
};

struct wait {
	struct trace_wait w; /* first member */
	struct trace *t;
	int told;
	bool again; /* waits again when told */
	bool greedy; /* is shown all there is room for */
	size_t shown;
};

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	struct ring r;

	assert_non_null(f);
	f->mem = calloc(1, RING_MIN_SIZE);
	assert_non_null(f->mem);
	ring_format(&r, f->mem, RING_MIN_SIZE, 7);
	trace_init(&f->t, &f->ds, r);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	deadlines_fini(&f->ds);
	free(f->mem);
	free(f);
	return 0;
}

static void
on_event(struct trace_wait *w)
{
	struct wait *x = (struct wait *)w;

	assert_false(w->waiting);
	x->told++;
	if (x->greedy) {
		x->shown += x->t->pace.room;
		trace_shown(x->t, x->t->pace.room);
	}
	if (x->again)
		trace_wait(x->t, w, ring_next(&x->t->ring), 500);
}

static void
on_time(struct deadline *d, int64_t now)
{
	struct trace_wait *w = (struct trace_wait *)d; /* its first member */

	(void)now;
	trace_unwait(((struct wait *)w)->t, w);
	((struct wait *)w)->told += 100;
}

static void
start(struct fix *f, struct wait *x)
{
	x->t = &f->t;
	x->w.fn = on_event;
	x->w.deadline.fn = on_time;
	trace_wait(&f->t, &x->w, ring_next(&f->t.ring), 100);
}

static void
put(struct fix *f, const char *payload)
{
	struct ring_event e = {
	    .type = RING_PUBLISH, .queue = STR("q"), .dur_ns = -1};

	trace_put(&f->t, &e, str_of(payload));
}

/* A secret does not reach the ring; the length stays that of the payload. */
static void
payload_is_redacted(void **state)
{
	struct fix *f = *state;
	struct ring_cursor at = ring_seek(&f->t.ring, 7);
	struct ring_event e;
	char text[RING_MAX_PAYLOAD + 1];

	put(f, "{\"user\":\"me\",\"password\":\"hunter2hunter2\"}");
	assert_true(ring_read(&f->t.ring, &at, &e));
	assert_int_equal(e.seq, 7);
	assert_int_equal(e.size, 41);
	snprintf(text, sizeof text, "%.*s", (int)e.text.n, e.text.p);
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "user"));
}

/* Without a payload the text is the event's own. */
static void
detail_is_kept(void **state)
{
	struct fix *f = *state;
	struct ring_event e = {.type = RING_REFUSE, .text = STR("why")};
	struct ring_cursor at = ring_seek(&f->t.ring, 7);

	trace_put(&f->t, &e, (struct str){NULL, 0});
	assert_true(ring_read(&f->t.ring, &at, &e));
	assert_bytes(e.text.p, e.text.n, "why");
}

/* What happened while nobody followed is no reason for a round: it would put
 * off the first one that has something to tell. */
static void
the_past_costs_no_round(void **state)
{
	struct fix *f = *state;
	struct wait a = {0};

	f->t.pace.rate = 1;
	put(f, "x");
	trace_turn(&f->t, 0);
	start(f, &a);
	trace_turn(&f->t, 1);
	assert_int_equal(a.told, 0);
	put(f, "y");
	trace_turn(&f->t, 2);
	assert_int_equal(a.told, 1);
}

/* Everybody who waits is told once, at the end of the turn. */
static void
waiting_is_told_once(void **state)
{
	struct fix *f = *state;
	struct wait a = {0}, b = {0}, gone = {0};

	start(f, &a);
	start(f, &b);
	start(f, &gone);
	trace_unwait(&f->t, &gone.w);
	trace_unwait(&f->t, &gone.w); /* harmless */
	trace_turn(&f->t, 0);
	assert_int_equal(a.told, 0);
	put(f, "x");
	put(f, "y");
	assert_int_equal(a.told, 0);
	trace_turn(&f->t, 0);
	trace_turn(&f->t, 0);
	assert_int_equal(a.told, 1);
	assert_int_equal(b.told, 1);
	assert_int_equal(gone.told, 0);
	assert_int_equal(deadlines_next(&f->ds), -1);
}

/* One that waits again is told of the next event, not of the same. */
static void
waiting_again(void **state)
{
	struct fix *f = *state;
	struct wait a = {.again = true};

	start(f, &a);
	put(f, "x");
	trace_turn(&f->t, 0);
	trace_turn(&f->t, 0);
	assert_int_equal(a.told, 1);
	put(f, "y");
	trace_turn(&f->t, 0);
	assert_int_equal(a.told, 2);
	trace_unwait(&f->t, &a.w);
}

/* One that waits for other kinds is left alone, and knows up to where. */
static void
waiting_for_a_kind(void **state)
{
	struct fix *f = *state;
	struct wait a = {.w.kinds = 1u << RING_CANCEL}, b = {0};
	struct ring_event e = {.type = RING_CANCEL, .dur_ns = -1};

	start(f, &a);
	start(f, &b);
	assert_int_equal(a.w.seen, ring_next(&f->t.ring));
	put(f, "x");
	trace_turn(&f->t, 0);
	assert_int_equal(a.told, 0);
	assert_int_equal(b.told, 1);
	assert_int_equal(a.w.seen, ring_next(&f->t.ring));
	put(f, "y");
	trace_put(&f->t, &e, (struct str){NULL, 0});
	trace_turn(&f->t, 0);
	assert_int_equal(a.told, 1);
	assert_int_equal(a.w.seen, ring_next(&f->t.ring) - 2);
}

/* Its time comes first. */
static void
waiting_ends_at_its_time(void **state)
{
	struct fix *f = *state;
	struct wait a = {0};

	start(f, &a);
	deadlines_run(&f->ds, 99);
	assert_int_equal(a.told, 0);
	deadlines_run(&f->ds, 100);
	assert_int_equal(a.told, 100);
	put(f, "x");
	trace_turn(&f->t, 0);
	assert_int_equal(a.told, 100);
}

/* ---- rounds ---- */

#define MS   1000000LL
#define LATE (3600 * 1000 * MS) /* the allowance is whole by then */

static void
record(struct fix *f, enum ring_type type)
{
	struct ring_event e = {.type = type, .dur_ns = -1};

	trace_put(&f->t, &e, (struct str){NULL, 0});
}

/* The next round comes after a pause, and the loop is woken for it; meanwhile
 * who waits for what is rare is told at once. */
static void
followers_are_told_in_rounds(void **state)
{
	struct fix *f = *state;
	struct wait a = {.again = true}, rare = {.w.kinds = 1u << RING_CANCEL};
	int64_t next;

	f->t.pace.rate = 1000;
	a.t = rare.t = &f->t;
	a.w.fn = rare.w.fn = on_event;
	trace_wait(&f->t, &a.w, ring_next(&f->t.ring), 2 * LATE);
	trace_wait(&f->t, &rare.w, ring_next(&f->t.ring), 2 * LATE);
	put(f, "x");
	trace_turn(&f->t, LATE);
	assert_int_equal(a.told, 1);
	put(f, "y");
	record(f, RING_CANCEL);
	trace_turn(&f->t, LATE + 1);
	assert_int_equal(a.told, 1);
	assert_int_equal(rare.told, 1);
	next = f->t.pace.next_ns;
	assert_in_range(next, LATE + 20 * MS, LATE + 1000 * MS);
	assert_true(deadline_pending(&f->t.pace.next));
	trace_turn(&f->t, next - 1);
	assert_int_equal(a.told, 1);
	trace_turn(&f->t, next);
	assert_int_equal(a.told, 2);
	trace_turn(&f->t, next + LATE); /* nothing new */
	assert_int_equal(a.told, 2);
	trace_unwait(&f->t, &a.w);
	deadline_clear(&f->ds, &f->t.pace.next);
}

/* Who comes back and finds that there is more waits for the round, too. */
static void
who_comes_late_waits_for_the_round(void **state)
{
	struct fix *f = *state;
	struct wait a = {0}, b = {0};

	f->t.pace.rate = 1000;
	start(f, &a);
	put(f, "x");
	trace_turn(&f->t, LATE);
	assert_int_equal(a.told, 1);
	put(f, "y");
	trace_turn(&f->t, LATE + 1); /* nobody waits */
	b.t = &f->t;
	b.w.fn = on_event;
	trace_wait(&f->t, &b.w, ring_next(&f->t.ring) - 1, 2 * LATE);
	assert_int_equal(b.w.seen, ring_next(&f->t.ring) - 1);
	trace_turn(&f->t, LATE + 2);
	assert_int_equal(b.told, 0);
	trace_turn(&f->t, f->t.pace.next_ns);
	assert_int_equal(b.told, 1);
	deadline_clear(&f->ds, &f->t.pace.next);
}

/* There is something new all the time, for so long. */
static void
go_on(struct fix *f, int64_t ns)
{
	for (int64_t now = LATE; now < LATE + ns; now += MS) {
		put(f, "x");
		trace_turn(&f->t, now);
	}
}

/* All of them together have one allowance. */
static void
followers_share_an_allowance(void **state)
{
	struct fix *f = *state;
	struct wait v[100];
	size_t shown = 0;

	memset(v, 0, sizeof v);
	f->t.pace.rate = 6000;
	for (size_t i = 0; i < 100; i++) {
		v[i].again = v[i].greedy = true;
		v[i].t = &f->t;
		v[i].w.fn = on_event;
		trace_wait(&f->t, &v[i].w, ring_next(&f->t.ring), 9 * LATE);
	}
	put(f, "x");
	trace_turn(&f->t, LATE - 1);
	assert_in_range(f->t.pace.room, 20, 30); /* what was saved, shared */
	go_on(f, 10000 * MS);
	assert_in_range(v[0].told, 10, 50);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(v[i].told, v[0].told);
		assert_true(v[i].shown >= 10 * (size_t)v[i].told);
		shown += v[i].shown;
		trace_unwait(&f->t, &v[i].w);
	}
	assert_in_range(shown, 10000, 63000);
	deadline_clear(&f->ds, &f->t.pace.next);
}

/* 0: as often as there is something. */
static void
without_bounds(void **state)
{
	struct fix *f = *state;
	struct wait a = {.again = true};

	start(f, &a);
	go_on(f, 100 * MS);
	assert_int_equal(a.told, 100);
	assert_int_equal(f->t.pace.room, SIZE_MAX);
	trace_unwait(&f->t, &a.w);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(payload_is_redacted),
	    T(detail_is_kept),
	    T(the_past_costs_no_round),
	    T(waiting_is_told_once),
	    T(waiting_again),
	    T(waiting_for_a_kind),
	    T(waiting_ends_at_its_time),
	    T(followers_are_told_in_rounds),
	    T(who_comes_late_waits_for_the_round),
	    T(followers_share_an_allowance),
	    T(without_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
