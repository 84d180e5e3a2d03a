/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What operators do to messages, in the core: cancelling, letting go, offering
 * again; and what the core does by itself with those that end their consumers. */
#include "support/unit.h"

#include "clock.h"
#include "support/coretest.h"

static enum ms_rc
begin_cancel(struct ct *t, struct ct_change *x, const char *queue, int64_t id)
{
	struct ms_cancel k = {.queue = str_of(queue),
	    .id = id,
	    .reply_to = STR("answers"),
	    .failure = STR("cancelled!"),
	    .note = STR("by me")};

	return mswitch_cancel(t->m, &x->ch, NULL, &k);
}

static int64_t
two_queues_and_a_request(struct ct *t)
{
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_int_equal(ct_create(t, NULL, "answers", false), MS_OK);
	return ct_publish(t, "q", "ask");
}

static size_t
count(struct ct *t, const char *queue)
{
	return mswitch_queue(t->m, str_of(queue))->q.n;
}

/* The newest event. */
static struct ring_event
last_event(struct ct *t)
{
	struct ring_cursor at =
	    ring_seek(&t->trace.ring, ring_next(&t->trace.ring) - 1);
	struct ring_event e;

	assert_true(ring_read(&t->trace.ring, &at, &e));
	return e;
}

/* Until it is durable nothing has happened, but that it is not handed out. */
static void
cancel_is_told_when_durable(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	struct ct_client c;
	int64_t id = two_queues_and_a_request(t);

	ct_open(t, &c, "tok");
	assert_int_equal(begin_cancel(t, x, "q", id), MS_PENDING);
	assert_int_equal(x->done, 0);
	assert_int_equal(count(t, "q"), 1);
	assert_int_equal(count(t, "answers"), 0);
	assert_int_equal(last_event(t).type, RING_LOGIN);
	assert_int_equal(ct_get(t, &c, -1, "q"), 0);
	assert_int_equal(begin_cancel(t, y, "q", id), MS_HELD);
	ct_turn(t);
	assert_int_equal(x->done, 1);
	assert_int_equal(x->rc, MS_OK);
	assert_int_equal(count(t, "q"), 0);
	assert_int_equal(ct_get(t, &c, -1, "answers"), 1);
	assert_int_equal(c.got[0].re_id, id);
	assert_int_equal(c.got[0].id, x->ch.id);
	assert_string_equal(c.got[0].payload, "cancelled!");
	assert_int_equal(begin_cancel(t, y, "q", id), MS_NO_MESSAGE);
	assert_int_equal(begin_cancel(t, y, "none", id), MS_NO_QUEUE);
	ct_same(t);
	ct_close(t, &c);
	ct_free(x);
	ct_free(y);
}

static void
cancel_is_recorded(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new();
	int64_t id = two_queues_and_a_request(t);
	struct ring_event e;

	assert_int_equal(ct_end(t, x, begin_cancel(t, x, "q", id)), MS_OK);
	e = last_event(t);
	assert_int_equal(e.type, RING_CANCEL);
	assert_int_equal(e.id, id);
	assert_int_equal(e.re_id, x->ch.id);
	assert_bytes(e.queue.p, e.queue.n, "q");
	assert_bytes(e.peer.p, e.peer.n, "answers");
	assert_bytes(e.text.p, e.text.n, "by me");
	assert_int_equal(t->m->counters.cancelled, 1);
	assert_int_equal(t->m->counters.acked, 0);
	ct_free(x);
}

/* It fails as a whole, and the message is offered again. */
static void
cancel_fails_as_a_whole(void **state)
{
	static const enum store_rc rcs[] = {STORE_BUSY, STORE_IO, STORE_FULL};
	struct ct *t = *state;
	int64_t id = two_queues_and_a_request(t);
	struct ct_client c;

	ct_open(t, &c, "tok");
	for (size_t i = 0; i < 3; i++) {
		struct ct_change *x = ct_new();

		faultstore_plan(&t->fs, 1, i > 0, false, rcs[i]);
		assert_int_equal(ct_end(t, x, begin_cancel(t, x, "q", id)),
		    rcs[i] == STORE_FULL ? MS_FULL : MS_STORE);
		assert_int_equal(count(t, "answers"), 0);
		assert_int_equal(ct_get(t, &c, -1, "q"), 1);
		assert_int_equal(last_event(t).type, RING_DELIVER);
		ct_same(t);
		ct_free(x);
	}
	ct_close(t, &c);
}

/* What has its reply, is one, or has nobody waiting, is only removed. */
static void
cancel_without_an_answer(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new(), *z = ct_new();
	int64_t id = two_queues_and_a_request(t), re;

	assert_int_equal(
	    ct_end(t, x, ct_begin_reply(t, x, "answers", "q", id)), MS_OK);
	re = x->ch.id;
	assert_int_equal(ct_end(t, y, begin_cancel(t, y, "q", id)), MS_OK);
	assert_int_equal(y->ch.id, 0);
	assert_int_equal(count(t, "q"), 0);
	assert_int_equal(count(t, "answers"), 1);
	assert_int_equal(
	    ct_end(t, z, begin_cancel(t, z, "answers", re)), MS_OK);
	assert_int_equal(z->ch.id, 0);
	assert_int_equal(count(t, "answers"), 0);
	assert_int_equal(ct_destroy(t, "answers"), MS_OK);
	id = ct_publish(t, "q", "ask");
	assert_int_equal(
	    ct_end(t, y, (y->done = 0, begin_cancel(t, y, "q", id))), MS_OK);
	assert_int_equal(y->ch.id, 0);
	assert_int_equal(count(t, "q"), 0);
	ct_same(t);
	ct_free(x);
	ct_free(y);
	ct_free(z);
}

/* A reply is on its way: it wins, and the cancellation is told to wait. */
static void
cancel_while_a_reply_is_under_way(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	int64_t id = two_queues_and_a_request(t);

	assert_int_equal(ct_begin_reply(t, x, "answers", "q", id), MS_PENDING);
	assert_int_equal(begin_cancel(t, y, "q", id), MS_HELD);
	ct_turn(t);
	assert_int_equal(count(t, "answers"), 1);
	assert_int_equal(ct_end(t, y, begin_cancel(t, y, "q", id)), MS_OK);
	assert_int_equal(y->ch.id, 0);
	assert_int_equal(count(t, "answers"), 1);
	ct_free(x);
	ct_free(y);
}

/* A reply after it is the second one, also after a restart. */
static void
reply_after_a_cancel(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	int64_t id = two_queues_and_a_request(t);

	assert_int_equal(ct_end(t, x, begin_cancel(t, x, "q", id)), MS_OK);
	ct_restart(t);
	assert_int_equal(
	    ct_end(t, y, ct_begin_reply(t, y, "answers", "q", id)), MS_OK);
	assert_true(y->ch.duplicate);
	assert_int_equal(y->ch.id, x->ch.id);
	assert_int_equal(count(t, "answers"), 1);
	ct_free(x);
	ct_free(y);
}

/* ---- released and requeued ---- */

/* A consumer as stock ones are: it keeps its cursor, whatever happens. */
struct stock {
	struct ct_client c;
	int64_t from;
};

/* What its next poll gets; the cursor moves on as theirs do. */
static size_t
stock_poll(struct ct *t, struct stock *s)
{
	size_t n = ct_get(t, &s->c, s->from, "q");

	if (n > 0) {
		assert_true(s->c.next >= s->from);
		s->from = s->c.next;
	}
	return n;
}

static enum ms_rc
requeue(struct ct *t, int64_t id)
{
	struct ct_change *x = ct_new();
	enum ms_rc rc =
	    ct_end(t, x, mswitch_requeue(t->m, &x->ch, NULL, STR("q"), id));

	ct_free(x);
	return rc;
}

/* One that is let go is seen by a consumer that has passed it, once, and what it
 * works on does not come a second time. */
static void
released_is_seen(void **state)
{
	struct ct *t = *state;
	struct stock s = {.from = -1};
	int64_t a = two_queues_and_a_request(t), b;

	ct_open(t, &s.c, "consumer");
	assert_int_equal(ct_mark(t, "q", a, STORE_HELD_OPERATOR), MS_OK);
	b = ct_publish(t, "q", "later");
	assert_int_equal(stock_poll(t, &s), 1);
	assert_int_equal(s.from, b);
	assert_int_equal(stock_poll(t, &s), 0);
	assert_int_equal(ct_mark(t, "q", a, STORE_RELEASED), MS_OK);
	assert_int_equal(stock_poll(t, &s), 1);
	assert_int_equal(s.c.got[0].id, a);
	assert_int_equal(s.from, b);
	assert_int_equal(stock_poll(t, &s), 0);
	/* what comes with it is in order of id */
	assert_int_equal(ct_mark(t, "q", a, STORE_HELD_OPERATOR), MS_OK);
	assert_int_equal(ct_mark(t, "q", a, STORE_RELEASED), MS_OK);
	(void)ct_publish(t, "q", "new");
	assert_int_equal(stock_poll(t, &s), 2);
	assert_int_equal(s.c.got[0].id, a);
	ct_close(t, &s.c);
}

/* It wakes a poll that waits. */
static void
released_wakes(void **state)
{
	static const char *const names[] = {"q", NULL};
	struct ct *t = *state;
	struct ct_client c;
	int64_t a = two_queues_and_a_request(t), b;

	ct_open(t, &c, "consumer");
	assert_int_equal(ct_mark(t, "q", a, STORE_HELD_OPERATOR), MS_OK);
	b = ct_publish(t, "answers", "x");
	assert_int_equal(ct_poll(t, &c, b, names), MS_PENDING);
	assert_int_equal(ct_mark(t, "q", a, STORE_RELEASED), MS_OK);
	ct_turn(t);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.ngot, 1);
	assert_int_equal(c.next, b);
	ct_close(t, &c);
}

/* Also when it has to be read from the store, and two ask at the same time: one
 * of them gets it. */
static void
released_and_read_again(void **state)
{
	struct str q = STR("q");
	struct ct *t = *state;
	struct ct_client c, d;
	int64_t a, b;

	t->m->limits.cache_bytes = 0;
	a = two_queues_and_a_request(t);
	b = ct_publish(t, "q", "later");
	ct_open(t, &c, "one");
	ct_open(t, &d, "two");
	assert_int_equal(ct_mark(t, "q", a, STORE_HELD_OPERATOR), MS_OK);
	assert_int_equal(ct_mark(t, "q", a, STORE_RELEASED), MS_OK);
	assert_int_equal(ct_get(t, &c, b, "answers"), 0);
	assert_int_equal(ct_get(t, &d, b, "answers"), 0);
	c.done = d.done = 0;
	c.poll.from = d.poll.from = b;
	assert_int_equal(mswitch_poll(t->m, &c.poll, &q, 1, 0), MS_PENDING);
	assert_int_equal(mswitch_poll(t->m, &d.poll, &q, 1, 0), MS_PENDING);
	ct_turn(t);
	assert_int_equal(c.ngot, 1);
	assert_int_equal(d.ngot, 0);
	assert_int_equal(d.done, 1);
	assert_int_equal(d.next, b);
	ct_close(t, &c);
	ct_close(t, &d);
}

/* To let go what is not held offers nothing again: it may be worked on. */
static void
release_of_what_is_not_held(void **state)
{
	struct ct *t = *state;
	struct stock s = {.from = -1};
	int64_t a = two_queues_and_a_request(t);
	uint64_t events;

	ct_open(t, &s.c, "consumer");
	assert_int_equal(stock_poll(t, &s), 1);
	events = ring_next(&t->trace.ring);
	assert_int_equal(ct_mark(t, "q", a, STORE_RELEASED), MS_OK);
	assert_int_equal(ring_next(&t->trace.ring), events);
	assert_int_equal(stock_poll(t, &s), 0);
	mswitch_stop(t->m);
	ct_close(t, &s.c);
	ct_restart(t);
	ct_open(t, &s.c, "consumer");
	assert_int_equal(stock_poll(t, &s), 0);
	ct_close(t, &s.c);
}

/* While a hold is on its way to the disk the message is not handed out; when it
 * fails, it is. */
static void
hold_under_way(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	struct ct_client c;
	int64_t a = two_queues_and_a_request(t);

	ct_open(t, &c, "consumer");
	faultstore_plan(&t->fs, 1, false, false, STORE_BUSY);
	assert_int_equal(
	    mswitch_mark(t->m, &x->ch, NULL, STR("q"), a, 1), MS_PENDING);
	assert_int_equal(ct_get(t, &c, -1, "q"), 0);
	assert_int_equal(ct_end(t, x, MS_PENDING), MS_STORE);
	assert_int_equal(ct_get(t, &c, -1, "q"), 1);
	/* a release that comes behind a hold */
	x->done = 0;
	assert_int_equal(
	    mswitch_mark(t->m, &x->ch, NULL, STR("q"), a, 1), MS_PENDING);
	assert_int_equal(
	    mswitch_mark(t->m, &y->ch, NULL, STR("q"), a, -1), MS_PENDING);
	ct_turn(t);
	assert_int_equal(y->rc, MS_OK);
	assert_int_equal(ct_get(t, &c, a, "q"), 1);
	ct_close(t, &c);
	ct_free(x);
	ct_free(y);
}

/* A restart knows it, too; and knows when somebody has had it. */
static void
released_before_a_restart(void **state)
{
	struct ct *t = *state;
	struct stock s = {.from = -1};
	int64_t a = two_queues_and_a_request(t);

	ct_open(t, &s.c, "consumer");
	assert_int_equal(ct_mark(t, "q", a, STORE_HELD_OPERATOR), MS_OK);
	s.from = ct_publish(t, "q", "later");
	assert_int_equal(ct_mark(t, "q", a, STORE_RELEASED), MS_OK);
	mswitch_stop(t->m);
	ct_close(t, &s.c);
	ct_restart(t);
	ct_open(t, &s.c, "consumer");
	assert_int_equal(stock_poll(t, &s), 1);
	assert_int_equal(s.c.got[0].id, a);
	mswitch_stop(t->m);
	ct_close(t, &s.c);
	ct_restart(t);
	ct_open(t, &s.c, "consumer");
	assert_int_equal(stock_poll(t, &s), 0);
	ct_close(t, &s.c);
}

/* Its answer may not have arrived: the connection ended before the next poll. */
static void
released_and_lost(void **state)
{
	struct ct *t = *state;
	struct stock s = {.from = -1};
	int64_t a = two_queues_and_a_request(t);

	ct_open(t, &s.c, "consumer");
	assert_int_equal(ct_mark(t, "q", a, STORE_HELD_OPERATOR), MS_OK);
	s.from = ct_publish(t, "q", "later");
	assert_int_equal(ct_mark(t, "q", a, STORE_RELEASED), MS_OK);
	assert_int_equal(stock_poll(t, &s), 1);
	ct_close(t, &s.c);
	ct_open(t, &s.c, "consumer");
	assert_int_equal(stock_poll(t, &s), 1);
	assert_int_equal(stock_poll(t, &s), 0); /* now it has read that */
	ct_close(t, &s.c);
	ct_open(t, &s.c, "consumer");
	assert_int_equal(stock_poll(t, &s), 0);
	ct_close(t, &s.c);
}

/* Requeued: once more for everybody's cursor, as if never handed out. */
static void
requeue_offers_again(void **state)
{
	struct ct *t = *state;
	struct stock s = {.from = -1};
	int64_t a = two_queues_and_a_request(t), b = ct_publish(t, "q", "b");

	ct_open(t, &s.c, "consumer");
	assert_int_equal(stock_poll(t, &s), 2);
	assert_int_equal(s.c.got[0].deliveries, 1);
	assert_int_equal(requeue(t, a), MS_OK);
	assert_int_equal(mswitch_queue(t->m, STR("q"))->delivered, 1);
	assert_int_equal(stock_poll(t, &s), 1);
	assert_int_equal(s.c.got[0].id, a);
	assert_int_equal(s.c.got[0].deliveries, 1);
	assert_int_equal(s.from, b);
	/* a held one is let go */
	assert_int_equal(ct_mark(t, "q", a, STORE_HELD_OPERATOR), MS_OK);
	assert_int_equal(requeue(t, a), MS_OK);
	mswitch_stop(t->m);
	ct_close(t, &s.c);
	ct_restart(t);
	ct_open(t, &s.c, "consumer");
	assert_int_equal(stock_poll(t, &s), 1);
	assert_int_equal(s.c.got[0].deliveries, 1);
	assert_int_equal(requeue(t, a + 100), MS_NO_MESSAGE);
	ct_close(t, &s.c);
}

/* A request that has its reply is over. */
static void
requeue_of_an_answered_one(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new();
	int64_t a = two_queues_and_a_request(t);

	assert_int_equal(
	    ct_end(t, x, ct_begin_reply(t, x, "answers", "q", a)), MS_OK);
	assert_int_equal(requeue(t, a), MS_HELD);
	ct_free(x);
}

/* ---- poison ---- */

/* A consumer takes what there is and dies; what it had first, or 0. */
static int64_t
die(struct ct *t, int64_t after_ns)
{
	struct ct_client c;
	size_t n;

	ct_open(t, &c, "consumer");
	n = ct_get(t, &c, -1, "q");
	if (after_ns > 0)
		ct_pass(t, after_ns);
	ct_close(t, &c);
	ct_turn(t);
	return n > 0 ? c.got[0].id : 0;
}

static int
held_of(struct ct *t, int64_t id)
{
	return msgq_find(&mswitch_queue(t->m, STR("q"))->q, id)->held;
}

/* The third death is the last one. */
static void
poison_is_held(void **state)
{
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t);
	struct ring_event e;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(held_of(t, a), 0);
		assert_int_equal(die(t, NS_PER_SEC), a);
	}
	assert_int_equal(held_of(t, a), STORE_HELD_POISON);
	e = last_event(t);
	assert_int_equal(e.type, RING_HOLD);
	assert_int_equal(e.id, a);
	assert_bytes(e.text.p, e.text.n,
	    "its delivery ended its consumer 3 times, last consumer (pid"
	    " 4711)");
	assert_int_equal(die(t, 0), 0);
	ct_restart(t);
	assert_int_equal(held_of(t, a), STORE_HELD_POISON);
	/* let go, it has three lives again */
	assert_int_equal(ct_mark(t, "q", a, STORE_RELEASED), MS_OK);
	assert_int_equal(die(t, 0), a);
	assert_int_equal(die(t, 0), a);
	assert_int_equal(held_of(t, a), STORE_RELEASED);
	assert_int_equal(die(t, 0), a);
	assert_int_equal(held_of(t, a), STORE_HELD_POISON);
	ct_same(t);
}

/* A consumer that takes one after the other dies of the first it has not
 * answered; the others are not charged. */
static void
poison_in_a_row(void **state)
{
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t), b = ct_publish(t, "q", "b"),
		d = ct_publish(t, "q", "d");
	struct ct_client c;

	ct_open(t, &c, "consumer");
	assert_int_equal(ct_get(t, &c, -1, "q"), 3);
	assert_int_equal(ct_ack(t, "q", a), MS_OK); /* done; then it died */
	ct_close(t, &c);
	assert_int_equal(die(t, 0), b);
	assert_int_equal(die(t, 0), b);
	assert_int_equal(held_of(t, b), STORE_HELD_POISON);
	assert_int_equal(held_of(t, d), 0);
	assert_int_equal(die(t, 0), d);
	assert_int_equal(die(t, 0), d);
	assert_int_equal(held_of(t, d), 0);
}

/* One that works on many at a time dies of what came last; at its next starts
 * it gets everything at once, and the same request is charged. */
static void
poison_among_many(void **state)
{
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t), b = ct_publish(t, "q", "b"),
		bad;
	struct ct_client c;

	ct_open(t, &c, "consumer");
	assert_int_equal(ct_get(t, &c, -1, "q"), 2);
	ct_pass(t, NS_PER_SEC);
	bad = ct_publish(t, "q", "bad");
	assert_int_equal(ct_get(t, &c, b, "q"), 1);
	ct_close(t, &c);
	assert_int_equal(die(t, 0), a);
	assert_int_equal(die(t, 0), a);
	assert_int_equal(held_of(t, bad), STORE_HELD_POISON);
	assert_int_equal(held_of(t, a), 0);
	assert_int_equal(held_of(t, b), 0);
}

/* What is not charged: what it had for long; what is answered, or about to be;
 * a reply; and nothing, when it is switched off. */
static void
no_poison(void **state)
{
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t);
	struct ct_change *x = ct_new();
	struct ct_client c;

	for (int i = 0; i < 9; i++)
		assert_int_equal(die(t, 10 * NS_PER_SEC + 1), a);
	assert_int_equal(t->m->strikes.n, 0);
	t->m->limits.poison = 0;
	for (int i = 0; i < 9; i++)
		assert_int_equal(die(t, 0), a);
	assert_int_equal(t->m->strikes.n, 0);
	t->m->limits.poison = 1;
	ct_open(t, &c, "consumer");
	assert_int_equal(ct_get(t, &c, -1, "q"), 1);
	assert_int_equal(ct_begin_reply(t, x, "answers", "q", a), MS_PENDING);
	ct_close(t, &c);
	ct_turn(t);
	assert_int_equal(held_of(t, a), 0);
	ct_open(t, &c, "caller");
	assert_int_equal(ct_get(t, &c, -1, "answers"), 1);
	ct_close(t, &c);
	ct_turn(t);
	assert_int_equal(mswitch_queue(t->m, STR("answers"))->held, 0);
	assert_int_equal(t->m->strikes.n, 0);
	ct_free(x);
}

/* A consumer may have several connections: the last one counts. */
static void
poison_and_several_connections(void **state)
{
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t);
	struct ct_client c, other;

	t->m->limits.poison = 1;
	ct_open(t, &other, "consumer");
	for (int i = 0; i < 3; i++) {
		ct_open(t, &c, "consumer");
		assert_int_equal(ct_get(t, &c, -1, "q"), 1);
		ct_close(t, &c);
	}
	ct_turn(t);
	assert_int_equal(held_of(t, a), 0);
	ct_close(t, &other);
	ct_turn(t);
	assert_int_equal(held_of(t, a), STORE_HELD_POISON);
}

/* The hold fails: it is offered again, and the next death tries again.  The queue
 * may be gone, too. */
static void
poison_when_the_store_fails(void **state)
{
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t);
	struct ct_client c;

	t->m->limits.poison = 1;
	faultstore_plan(&t->fs, 1, false, false, STORE_BUSY);
	assert_int_equal(die(t, 0), a);
	assert_int_equal(held_of(t, a), 0);
	assert_int_equal(die(t, 0), a);
	assert_int_equal(held_of(t, a), STORE_HELD_POISON);
	assert_int_equal(ct_mark(t, "q", a, STORE_RELEASED), MS_OK);
	ct_open(t, &c, "consumer");
	assert_int_equal(ct_get(t, &c, -1, "q"), 1);
	assert_int_equal(ct_destroy(t, "q"), MS_OK);
	ct_close(t, &c);
	ct_turn(t);
	ct_same(t);
}

/* A reply to a held request is still taken. */
static void
reply_to_poison(void **state)
{
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t);
	struct ct_change *x = ct_new();

	t->m->limits.poison = 1;
	assert_int_equal(die(t, 0), a);
	assert_int_equal(held_of(t, a), STORE_HELD_POISON);
	assert_int_equal(
	    ct_end(t, x, ct_begin_reply(t, x, "answers", "q", a)), MS_OK);
	assert_int_equal(count(t, "answers"), 1);
	assert_int_equal(ct_ack(t, "q", a), MS_OK);
	assert_int_equal(count(t, "q"), 0);
	ct_free(x);
}

/* A hold that fails, with a release behind it: nothing was let go, so nothing is
 * offered again. */
static void
failed_hold_then_release(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	struct stock s = {.from = -1};
	int64_t a = two_queues_and_a_request(t);

	ct_open(t, &s.c, "consumer");
	assert_int_equal(stock_poll(t, &s), 1);
	faultstore_plan(&t->fs, 1, false, false, STORE_BUSY);
	assert_int_equal(
	    mswitch_mark(t->m, &x->ch, NULL, STR("q"), a, 1), MS_PENDING);
	assert_int_equal(
	    mswitch_mark(t->m, &y->ch, NULL, STR("q"), a, -1), MS_PENDING);
	ct_turn(t);
	assert_int_equal(x->rc, MS_STORE);
	assert_int_equal(y->rc, MS_OK);
	assert_int_equal(stock_poll(t, &s), 0);
	ct_close(t, &s.c);
	ct_free(x);
	ct_free(y);
}

/* ---- paused queues ---- */

/* Paused: nothing is handed out, publishing goes on; it stays so over a restart;
 * resumed, those who wait are told. */
static void
paused_hands_out_nothing(void **state)
{
	static const char *const names[] = {"q", NULL};
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t);
	struct ct_client c;
	struct ring_event e;

	ct_open(t, &c, "consumer");
	assert_int_equal(ct_pause(t, "none", true), MS_NO_QUEUE);
	assert_int_equal(ct_pause(t, "q", true), MS_OK);
	e = last_event(t);
	assert_int_equal(e.type, RING_HOLD);
	assert_int_equal(e.id, 0);
	assert_bytes(e.queue.p, e.queue.n, "q");
	assert_bytes(e.text.p, e.text.n, "paused");
	assert_int_equal(ct_get(t, &c, -1, "q"), 0);
	assert_int_equal(c.next, -1);
	assert_true(ct_publish(t, "q", "more") > a);
	assert_int_equal(ct_look(t, &c, "q", -1, 10), MS_OK);
	assert_int_equal(c.ngot, 2);
	ct_close(t, &c);
	ct_restart(t);
	ct_open(t, &c, "consumer");
	assert_int_equal(ct_poll(t, &c, -1, names), MS_PENDING);
	assert_int_equal(ct_pause(t, "q", false), MS_OK);
	ct_turn(t);
	assert_int_equal(c.ngot, 2);
	e = last_event(t);
	assert_int_equal(e.type, RING_DELIVER);
	ct_close(t, &c);
}

/* It is durable before it is so. */
static void
pause_fails(void **state)
{
	struct ct *t = *state;
	struct ct_client c;

	(void)two_queues_and_a_request(t);
	ct_open(t, &c, "consumer");
	faultstore_plan(&t->fs, 1, false, false, STORE_BUSY);
	assert_int_equal(ct_pause(t, "q", true), MS_STORE);
	assert_int_equal(ct_get(t, &c, -1, "q"), 1);
	ct_close(t, &c);
}

/* A poll of several queues moves its cursor over messages of a paused one; they
 * come when it is resumed, and only those that were passed over. */
static void
paused_and_passed_over(void **state)
{
	static const char *const names[] = {"q", "r", NULL};
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t), b, held, d;
	struct ct_client c;

	assert_int_equal(ct_create(t, NULL, "r", false), MS_OK);
	ct_open(t, &c, "consumer");
	assert_int_equal(ct_poll(t, &c, -1, names), MS_OK);
	assert_int_equal(c.next, a);
	assert_int_equal(ct_pause(t, "q", true), MS_OK);
	b = ct_publish(t, "q", "passed over");
	held = ct_publish(t, "q", "held");
	assert_int_equal(ct_mark(t, "q", held, STORE_HELD_OPERATOR), MS_OK);
	d = ct_publish(t, "r", "other");
	assert_int_equal(ct_poll(t, &c, a, names), MS_OK);
	assert_int_equal(c.ngot, 1);
	assert_int_equal(c.next, d);
	assert_int_equal(ct_pause(t, "q", false), MS_OK);
	assert_int_equal(ct_poll(t, &c, d, names), MS_OK);
	assert_int_equal(c.ngot, 1);
	assert_int_equal(c.got[0].id, b);
	assert_int_equal(c.next, d);
	ct_close(t, &c);
}

/* ---- undo ---- */

static enum ms_rc
restore(struct ct *t, const char *queue, int64_t id, bool *found)
{
	struct ct_change *x = ct_new();
	enum ms_rc rc = ct_end(
	    t, x, mswitch_restore(t->m, &x->ch, NULL, str_of(queue), id));

	*found = x->ch.found;
	ct_free(x);
	return rc;
}

static void delete (struct ct *t, int64_t id)
{
	struct ct_change *x = ct_new();

	assert_int_equal(
	    ct_end(t, x,
		mswitch_delete(t->m, &x->ch, NULL, STR("q"), id, STR("by me"))),
	    MS_OK);
	ct_free(x);
}

/* Deleted and put back: at its place, and offered to those who have passed it,
 * also when the broker ends in between. */
static void
restored_is_offered(void **state)
{
	struct ct *t = *state;
	struct stock s = {.from = -1};
	int64_t a = two_queues_and_a_request(t), b = ct_publish(t, "q", "b");
	struct ring_event e;
	bool found;

	ct_open(t, &s.c, "consumer");
	delete (t, a);
	e = last_event(t);
	assert_int_equal(e.type, RING_ACK);
	assert_int_equal(stock_poll(t, &s), 1);
	assert_int_equal(restore(t, "q", a, &found), MS_OK);
	assert_true(found);
	e = last_event(t);
	assert_int_equal(e.type, RING_RELEASE);
	assert_bytes(e.text.p, e.text.n, "restored");
	assert_int_equal(restore(t, "q", a, &found), MS_OK);
	assert_false(found);
	ct_same(t);
	mswitch_stop(t->m);
	ct_close(t, &s.c);
	ct_restart(t);
	ct_open(t, &s.c, "consumer");
	assert_int_equal(stock_poll(t, &s), 1);
	assert_int_equal(s.c.got[0].id, a);
	assert_string_equal(s.c.got[0].payload, "ask");
	assert_int_equal(s.from, b);
	assert_int_equal(ct_look(t, &s.c, "q", -1, 10), MS_OK);
	assert_int_equal(s.c.got[0].id, a);
	assert_int_equal(s.c.got[1].id, b);
	assert_int_equal(restore(t, "none", a, &found), MS_NO_QUEUE);
	ct_close(t, &s.c);
}

/* A cancelled request that is put back has had its reply: it is worked on, but
 * there is no second one, whichever way it comes; and a restart keeps it. */
static void
restored_after_a_cancel(void **state)
{
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t);
	struct ct_client c;
	bool found;

	ct_open(t, &c, "consumer");
	for (int how = 0; how < 3; how++) {
		struct ct_change *x = ct_new(), *y = ct_new();

		assert_int_equal(
		    ct_end(t, x, begin_cancel(t, x, "q", a)), MS_OK);
		assert_int_equal(x->ch.id != 0, how == 0);
		assert_int_equal(restore(t, "q", a, &found), MS_OK);
		assert_true(found);
		ct_close(t, &c);
		ct_restart(t);
		ct_open(t, &c, "consumer");
		assert_int_equal(ct_get(t, &c, -1, "q"), 1);
		if (how == 0)
			assert_int_equal(
			    ct_end(t, y,
				mswitch_answer(t->m, &y->ch, NULL, STR("q"), a,
				    STR("answers"), STR("late"))),
			    MS_OK);
		if (how == 1)
			assert_int_equal(
			    ct_end(
				t, y, ct_begin_reply(t, y, "answers", "q", a)),
			    MS_OK);
		if (how < 2)
			assert_true(y->ch.duplicate);
		assert_int_equal(count(t, "answers"), 1);
		assert_int_equal(count(t, "q"), how == 0 ? 0 : 1);
		if (how == 0) {
			a = ct_publish(t, "q", "ask");
			assert_int_equal(ct_destroy(t, "answers"), MS_OK);
			assert_int_equal(
			    ct_create(t, NULL, "answers", false), MS_OK);
			ct_free(x);
			x = ct_new();
			assert_int_equal(
			    ct_end(t, x, begin_cancel(t, x, "q", a)), MS_OK);
			assert_int_equal(restore(t, "q", a, &found), MS_OK);
		}
		ct_free(x);
		ct_free(y);
	}
	ct_same(t);
	ct_close(t, &c);
}

/* Not durable: not back. */
static void
restore_fails(void **state)
{
	struct ct *t = *state;
	int64_t a = two_queues_and_a_request(t);
	bool found;

	delete (t, a);
	faultstore_plan(&t->fs, 1, false, false, STORE_FULL);
	assert_int_equal(restore(t, "q", a, &found), MS_FULL);
	assert_false(found);
	assert_int_equal(count(t, "q"), 0);
	ct_same(t);
	assert_int_equal(restore(t, "q", a, &found), MS_OK);
	assert_int_equal(count(t, "q"), 1);
	ct_same(t);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, ct_setup, ct_teardown)
	const struct CMUnitTest tests[] = {
	    T(cancel_is_told_when_durable),
	    T(cancel_is_recorded),
	    T(cancel_fails_as_a_whole),
	    T(cancel_without_an_answer),
	    T(cancel_while_a_reply_is_under_way),
	    T(reply_after_a_cancel),
	    T(released_is_seen),
	    T(released_wakes),
	    T(released_and_read_again),
	    T(release_of_what_is_not_held),
	    T(hold_under_way),
	    T(released_before_a_restart),
	    T(released_and_lost),
	    T(requeue_offers_again),
	    T(requeue_of_an_answered_one),
	    T(poison_is_held),
	    T(poison_in_a_row),
	    T(poison_among_many),
	    T(no_poison),
	    T(poison_and_several_connections),
	    T(poison_when_the_store_fails),
	    T(reply_to_poison),
	    T(failed_hold_then_release),
	    T(paused_hands_out_nothing),
	    T(pause_fails),
	    T(paused_and_passed_over),
	    T(restored_is_offered),
	    T(restored_after_a_cancel),
	    T(restore_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
