/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The core, with a clock that the test moves: order, cursors, one reply per
 * request, keys, sessions, limits, what is under way, and what is read from the
 * store again.  A failing store and a long random run are in
 * test_mswitch_random.c.
 */
#include "support/unit.h"

#include "clock.h"
#include "support/coretest.h"
#include "support/logtest.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- order and cursors ---- */

/* Messages come in the order of their publish, from the cursor on. */
static void
messages_come_in_order(void **state)
{
	struct ct *t = *state;
	struct ct_client c;
	int64_t id[5];
	char text[4] = "m0";

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_int_equal(ct_get(t, &c, -1, "q"), 0);
	assert_int_equal(c.next, -1);
	for (int i = 0; i < 5; i++, text[1]++)
		id[i] = ct_publish(t, "q", text);
	assert_int_equal(ct_get(t, &c, -1, "q"), 5);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(c.got[i].id, id[i]);
		assert_int_equal(c.got[i].payload[1], '0' + i);
	}
	assert_string_equal(c.got[0].queue, "q");
	assert_string_equal(c.got[0].reply_to, "answers");
	assert_string_equal(c.got[0].origin, "operator");
	assert_int_equal(c.got[0].at_ns, t->wall_ns);
	assert_int_equal(c.next, id[4]);
	assert_int_equal(ct_get(t, &c, id[2], "q"), 2);
	assert_int_equal(ct_get(t, &c, id[4], "q"), 0);
	assert_int_equal(c.next, id[4]);
	ct_same(t);
	ct_close(t, &c);
}

/* Several queues are merged by id; a name that stands twice, or is no queue,
 * changes nothing; more names than a few. */
static void
queues_are_merged_by_id(void **state)
{
	static const char *const names[] = {"a", "b", "c", "a", "none", "d",
	    "e", "f", "g", "h", "i", "j", NULL};
	struct ct *t = *state;
	struct ct_client c;
	int64_t last = 0;

	ct_open(t, &c, "tok");
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], "none") != 0)
			assert_int_equal(
			    ct_create(t, NULL, names[i], false), MS_OK);
	for (int i = 0; i < 30; i++)
		assert_true(
		    ct_publish(t, (const char *[]){"a", "c", "j"}[i * 7 % 3],
			"x") > 0);
	assert_int_equal(ct_poll(t, &c, -1, names), MS_OK);
	assert_int_equal(c.ngot, 30);
	for (int i = 0; i < 30; i++) {
		assert_true(c.got[i].id > last);
		last = c.got[i].id;
	}
	assert_int_equal(ct_poll(t, &c, -1, NAMES("c", "j", "c")), MS_OK);
	assert_int_equal(c.ngot, 20);
	ct_close(t, &c);
}

/* An answer holds what fits, and at least one message. */
static void
answers_are_bounded_in_bytes(void **state)
{
	struct ct *t = *state;
	struct ct_client c;

	t->m->limits.transfer_bytes = 10;
	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_true(ct_publish(t, "q", "12345") > 0);
	assert_true(ct_publish(t, "q", "12345") > 0);
	assert_true(ct_publish(t, "q", "1") > 0);
	assert_true(ct_publish(t, "q", "123456789012345") > 0);
	assert_int_equal(ct_get(t, &c, -1, "q"), 2);
	assert_int_equal(ct_get(t, &c, c.next, "q"), 1);
	assert_int_equal(ct_get(t, &c, c.next, "q"), 1);
	assert_int_equal(ct_get(t, &c, c.next, "q"), 0);
	ct_close(t, &c);
}

/* A cursor beyond every id is from a lost life: everything comes. */
static void
cursor_of_another_life_gets_all(void **state)
{
	struct ct *t = *state;
	struct ct_client c;
	int64_t id;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_true(ct_publish(t, "q", "1") > 0);
	id = ct_publish(t, "q", "2");
	assert_int_equal(ct_get(t, &c, id, "q"), 0);
	assert_int_equal(ct_get(t, &c, id + 1, "q"), 2);
	assert_int_equal(ct_get(t, &c, INT64_MAX, "q"), 2);
	assert_int_equal(ct_get(t, &c, INT64_MIN, "q"), 2);
	ct_close(t, &c);
	ct_restart(t);
	ct_open(t, &c, "tok");
	assert_int_equal(ct_get(t, &c, id + 1, "q"), 2);
	ct_close(t, &c);
}

/* ---- waiting ---- */

/* A poll with nothing to give waits; a message for it wakes it, one for others
 * does not, and it is given once the message is durable. */
static void
poll_waits_for_its_message(void **state)
{
	struct ct *t = *state;
	struct ct_client c;
	struct ct_change *x = ct_new();

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "a", false), MS_OK);
	assert_int_equal(ct_create(t, NULL, "b", false), MS_OK);
	assert_int_equal(ct_poll(t, &c, -1, NAMES("a", "late")), MS_PENDING);
	assert_true(ct_publish(t, "b", "x") > 0);
	assert_int_equal(c.done, 0);
	assert_int_equal(ct_begin_publish(t, x, "a", "y"), MS_PENDING);
	mswitch_turn(t->m);
	assert_int_equal(c.done, 0); /* not durable */
	assert_int_equal(ct_end(t, x, MS_PENDING), MS_OK);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.ngot, 1);
	assert_int_equal(c.next, x->ch.id);
	assert_int_equal(
	    ct_poll(t, &c, c.next, NAMES("a", "late")), MS_PENDING);
	assert_int_equal(ct_create(t, NULL, "late", false), MS_OK);
	assert_true(ct_publish(t, "late", "z") > 0);
	assert_int_equal(c.done, 1);
	assert_string_equal(c.got[0].payload, "z");
	ct_close(t, &c);
	ct_free(x);
}

/* It ends empty at its time, to the nanosecond, and not before. */
static void
poll_ends_at_its_time(void **state)
{
	struct ct *t = *state;
	struct ct_client c;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_int_equal(ct_poll(t, &c, 5, NAMES("q")), MS_PENDING);
	assert_int_equal(
	    deadlines_next(&t->deadlines), t->now_ns + 10 * NS_PER_SEC);
	ct_pass(t, 10 * NS_PER_SEC - 1);
	assert_int_equal(c.done, 0);
	ct_pass(t, 1);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.rc, MS_OK);
	assert_int_equal(c.ngot, 0);
	assert_int_equal(c.next, 5);
	assert_int_equal(t->m->waiters.nparked, 0);
	ct_close(t, &c);
}

/* Everybody who waits on a queue gets its message; a client that has left is
 * not called. */
static void
all_who_wait_are_told(void **state)
{
	struct ct *t = *state;
	struct ct_client c[3];

	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	for (int i = 0; i < 3; i++) {
		ct_open(t, &c[i], "tok");
		assert_int_equal(ct_poll(t, &c[i], -1, NAMES("q")), MS_PENDING);
	}
	assert_int_equal(t->m->waiters.nparked, 3);
	ct_close(t, &c[1]);
	assert_int_equal(t->m->waiters.nparked, 2);
	assert_true(ct_publish(t, "q", "x") > 0);
	assert_int_equal(c[0].done, 1);
	assert_int_equal(c[1].done, 0);
	assert_int_equal(c[2].done, 1);
	assert_int_equal(c[2].got[0].deliveries, 2);
	ct_close(t, &c[0]);
	ct_close(t, &c[2]);
}

/* Cancelled while parked: nothing more is heard of it. */
static void
cancelled_poll_is_silent(void **state)
{
	struct ct *t = *state;
	struct ct_client c;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_int_equal(ct_poll(t, &c, -1, NAMES("q")), MS_PENDING);
	poll_cancel(t->m, &c.poll);
	assert_true(ct_publish(t, "q", "x") > 0);
	ct_pass(t, 20 * NS_PER_SEC);
	assert_int_equal(c.done, 0);
	assert_int_equal(ct_get(t, &c, -1, "q"), 1); /* and can poll again */
	ct_close(t, &c);
}

/* ---- acknowledging ---- */

/* It is gone when done, not handed out from the moment it was asked for, and a
 * second one is fine. */
static void
ack_takes_it_away(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	struct ct_client c;
	int64_t id;
	enum ms_rc rc;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	id = ct_publish(t, "q", "x");
	assert_int_equal(ct_ack(t, "q", id + 1), MS_OK);
	assert_int_equal(ct_ack(t, "none", id), MS_OK);
	assert_int_equal(ct_get(t, &c, -1, "q"), 1);
	rc = mswitch_ack(t->m, &x->ch, &c.client, STR("q"), id);
	assert_int_equal(rc, MS_PENDING);
	assert_int_equal(ct_get(t, &c, -1, "q"), 0);
	rc = mswitch_ack(t->m, &y->ch, &c.client, STR("q"), id);
	assert_int_equal(ct_end(t, y, rc), MS_OK);
	assert_int_equal(ct_end(t, x, MS_PENDING), MS_OK);
	assert_true(x->ch.found);
	assert_int_equal(t->m->messages, 0);
	assert_int_equal(t->m->counters.acked, 1);
	ct_same(t);
	ct_close(t, &c);
	ct_free(x);
	ct_free(y);
}

/* An ack that was refused: the message is offered again, also by the one that
 * waited for the first. */
static void
refused_ack_offers_it_again(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	struct ct_client c;
	int64_t id;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	id = ct_publish(t, "q", "x");
	faultstore_plan(&t->fs, 1, false, false, STORE_BUSY);
	assert_int_equal(
	    mswitch_ack(t->m, &x->ch, NULL, STR("q"), id), MS_PENDING);
	assert_int_equal(
	    mswitch_ack(t->m, &y->ch, NULL, STR("q"), id), MS_PENDING);
	assert_int_equal(ct_poll(t, &c, -1, NAMES("q")), MS_PENDING);
	assert_int_equal(ct_end(t, x, MS_PENDING), MS_STORE);
	assert_int_equal(ct_end(t, y, MS_PENDING), MS_STORE);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.ngot, 1);
	ct_same(t);
	ct_close(t, &c);
	ct_free(x);
	ct_free(y);
}

/* ---- one reply ---- */

/* Number of messages in a queue. */
static size_t
count(struct ct *t, const char *name)
{
	struct queue *q = mswitch_queue(t->m, str_of(name));

	return q ? q->q.n : 0;
}

static void
two_queues(struct ct *t)
{
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_int_equal(ct_create(t, NULL, "answers", false), MS_OK);
}

/* A second reply to the same request gets the first one's id, also when the
 * request is gone and after a restart. */
static void
one_reply_per_request(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	int64_t id, first;

	two_queues(t);
	id = ct_publish(t, "q", "ask");
	assert_int_equal(
	    ct_end(t, x, ct_begin_reply(t, x, "answers", "q", id)), MS_OK);
	first = x->ch.id;
	assert_true(first > id);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
		    ct_end(t, y, ct_begin_reply(t, y, "answers", "q", id)),
		    MS_OK);
		assert_true(y->ch.duplicate);
		assert_int_equal(y->ch.id, first);
		if (i == 0)
			assert_int_equal(ct_ack(t, "q", id), MS_OK);
		if (i == 1)
			ct_restart(t);
		if (i == 2)
			assert_int_equal(ct_ack(t, "answers", first), MS_OK);
	}
	assert_int_equal(count(t, "answers"), 0);
	ct_free(x);
	ct_free(y);
}

/* Also while the first is under way. */
static void
one_reply_while_the_first_is_under_way(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	int64_t id;
	enum ms_rc rc;

	two_queues(t);
	id = ct_publish(t, "q", "ask");
	assert_int_equal(ct_begin_reply(t, x, "answers", "q", id), MS_PENDING);
	rc = ct_begin_reply(t, y, "answers", "q", id);
	assert_int_equal(rc, MS_PENDING);
	assert_int_equal(ct_end(t, y, rc), MS_OK);
	assert_int_equal(ct_end(t, x, MS_PENDING), MS_OK);
	assert_true(y->ch.duplicate && !x->ch.duplicate);
	assert_int_equal(y->ch.id, x->ch.id);
	assert_int_equal(count(t, "answers"), 1);
	ct_free(x);
	ct_free(y);
}

/* When the first failed, the one that waited says so, and a third may. */
static void
one_reply_after_the_first_failed(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new(), *z = ct_new();
	int64_t id;

	two_queues(t);
	id = ct_publish(t, "q", "ask");
	faultstore_plan(&t->fs, 1, false, false, STORE_BUSY);
	assert_int_equal(ct_begin_reply(t, x, "answers", "q", id), MS_PENDING);
	assert_int_equal(ct_begin_reply(t, y, "answers", "q", id), MS_PENDING);
	assert_int_equal(ct_end(t, x, MS_PENDING), MS_STORE);
	assert_int_equal(ct_end(t, y, MS_PENDING), MS_STORE);
	assert_int_equal(count(t, "answers"), 0);
	assert_int_equal(
	    ct_end(t, z, ct_begin_reply(t, z, "answers", "q", id)), MS_OK);
	assert_false(z->ch.duplicate);
	assert_int_equal(count(t, "answers"), 1);
	ct_free(x);
	ct_free(y);
	ct_free(z);
}

/* Switched off, or without a request's id: every reply counts. */
static void
replies_that_are_not_counted(void **state)
{
	static const struct {
		bool one_reply;
		int64_t re_id;
	} cases[] = {{false, 5}, {true, 0}, {true, -1}, {true, INT64_MIN}};
	struct ct *t = *state;
	struct ct_change *x;

	two_queues(t);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		t->m->limits.one_reply = cases[i].one_reply;
		for (int k = 0; k < 2; k++) {
			x = ct_new();
			assert_int_equal(ct_end(t, x,
					     ct_begin_reply(t, x, "answers",
						 "q", cases[i].re_id)),
			    MS_OK);
			assert_false(x->ch.duplicate);
			ct_free(x);
		}
	}
	assert_int_equal(count(t, "answers"), 8);
	assert_int_equal(t->m->answered.n, 0);
}

/* A queue that ends takes what is known of its requests to those whose answer
 * is forgotten in time. */
static void
answered_requests_of_an_ended_queue(void **state)
{
	struct ct *t = *state;
	struct ct_change *x;
	int64_t id;

	two_queues(t);
	for (int i = 0; i < 10; i++) {
		id = ct_publish(t, "q", "ask");
		x = ct_new();
		assert_int_equal(
		    ct_end(t, x, ct_begin_reply(t, x, "answers", "q", id)),
		    MS_OK);
		ct_free(x);
	}
	assert_int_equal(t->m->answered.n, 10);
	assert_int_equal(t->m->forget_n, 0);
	assert_int_equal(ct_destroy(t, "q"), MS_OK);
	assert_int_equal(t->m->answered.n, 10);
	assert_int_equal(t->m->forget_n, 10);
}

/* ---- keys ---- */

/* A publish with a key that was used is not done again: later, while the first
 * is under way, and after a restart; another key is another message. */
static void
key_makes_a_publish_once(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new(), *z = ct_new();
	enum ms_rc rc;

	two_queues(t);
	assert_int_equal(ct_begin_keyed(t, x, "q", "k1"), MS_PENDING);
	rc = ct_begin_keyed(t, y, "q", "k1");
	assert_int_equal(rc, MS_PENDING);
	assert_int_equal(ct_end(t, y, rc), MS_OK);
	assert_true(y->ch.duplicate);
	assert_int_equal(y->ch.id, x->ch.id);
	assert_int_equal(ct_end(t, z, ct_begin_keyed(t, z, "q", "k2")), MS_OK);
	assert_true(z->ch.id > x->ch.id);
	ct_free(y);
	ct_restart(t);
	y = ct_new();
	assert_int_equal(ct_end(t, y, ct_begin_keyed(t, y, "q", "k1")), MS_OK);
	assert_true(y->ch.duplicate);
	assert_int_equal(y->ch.id, x->ch.id);
	assert_int_equal(count(t, "q"), 2);
	ct_free(x);
	ct_free(y);
	ct_free(z);
}

/* The key of a publish that failed may be used again. */
static void
key_of_a_failed_publish(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new(), *z = ct_new();

	two_queues(t);
	faultstore_plan(&t->fs, 1, false, false, STORE_FULL);
	assert_int_equal(ct_begin_keyed(t, x, "q", "k"), MS_PENDING);
	assert_int_equal(ct_begin_keyed(t, y, "q", "k"), MS_PENDING);
	assert_int_equal(ct_end(t, x, MS_PENDING), MS_FULL);
	assert_int_equal(ct_end(t, y, MS_PENDING), MS_STORE);
	assert_int_equal(ct_end(t, z, ct_begin_keyed(t, z, "q", "k")), MS_OK);
	assert_false(z->ch.duplicate);
	assert_int_equal(count(t, "q"), 1);
	ct_free(x);
	ct_free(y);
	ct_free(z);
}

/* Only so many are remembered; the oldest goes first. */
static void
keys_are_bounded(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new();
	char key[16];

	two_queues(t);
	for (int i = 0; i <= 65536; i++) {
		snprintf(key, sizeof key, "k%d", i);
		memset(&x->ch, 0, offsetof(struct change, done));
		x->done = 0;
		assert_int_equal(ct_begin_keyed(t, x, "q", key), MS_PENDING);
		store_kick(&t->fs.base);
	}
	assert_int_equal(t->m->keys.n, 65536);
	x->done = 0;
	assert_int_equal(ct_begin_keyed(t, x, "q", "k1"), MS_OK);
	assert_true(x->ch.duplicate);
	assert_int_equal(ct_end(t, x, ct_begin_keyed(t, x, "q", "k0")), MS_OK);
	assert_false(x->ch.duplicate);
	ct_free(x);
}

/* ---- reply and acknowledge at once ---- */

static enum ms_rc
begin_answer(struct ct *t, struct ct_change *x, int64_t id)
{
	return mswitch_answer(
	    t->m, &x->ch, NULL, STR("q"), id, STR("answers"), STR("reply"));
}

/* One transaction: the reply is there and the request is gone. A second one
 * finds the first reply. */
static void
answer_replies_and_acks(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	struct ct_client c;
	int64_t id;

	two_queues(t);
	ct_open(t, &c, "tok");
	id = ct_publish(t, "q", "ask");
	assert_int_equal(ct_end(t, x, begin_answer(t, x, id)), MS_OK);
	assert_int_equal(count(t, "q"), 0);
	assert_int_equal(ct_get(t, &c, -1, "answers"), 1);
	assert_true(c.got[0].reply);
	assert_int_equal(c.got[0].re_id, id);
	assert_string_equal(c.got[0].re_queue, "q");
	assert_int_equal(ct_end(t, y, begin_answer(t, y, id)), MS_OK);
	assert_true(y->ch.duplicate);
	assert_int_equal(y->ch.id, x->ch.id);
	assert_int_equal(count(t, "answers"), 1);
	ct_same(t);
	ct_close(t, &c);
	ct_free(x);
	ct_free(y);
}

/* It fails as a whole, and can be tried again. */
static void
answer_fails_as_a_whole(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	struct ct_client c;
	int64_t id;

	two_queues(t);
	ct_open(t, &c, "tok");
	id = ct_publish(t, "q", "ask");
	faultstore_plan(&t->fs, 1, false, false, STORE_FULL);
	assert_int_equal(ct_end(t, x, begin_answer(t, x, id)), MS_FULL);
	assert_int_equal(ct_get(t, &c, -1, "q"), 1);
	assert_int_equal(count(t, "answers"), 0);
	assert_int_equal(ct_end(t, y, begin_answer(t, y, id)), MS_OK);
	assert_int_equal(count(t, "q"), 0);
	assert_int_equal(count(t, "answers"), 1);
	ct_same(t);
	ct_close(t, &c);
	ct_free(x);
	ct_free(y);
}

/* What else may be asked for: nothing there, an answer without a request, a
 * reply queue that is gone, an answer that is there already. */
static void
answer_in_odd_cases(void **state)
{
	struct ct *t = *state;
	struct ct_change *x;
	int64_t id;

	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	x = ct_new();
	assert_int_equal(begin_answer(t, x, 77), MS_NO_MESSAGE);
	assert_int_equal(begin_answer(t, x, 0), MS_NO_MESSAGE);
	assert_int_equal(begin_answer(t, x, -1), MS_NO_MESSAGE);
	assert_int_equal(mswitch_answer(t->m, &x->ch, NULL, STR("none"), 77,
			     STR("answers"), STR("")),
	    MS_NO_QUEUE);
	ct_free(x);
	x = ct_new();
	id = ct_publish(t, "q", "ask"); /* nobody to answer: it stays */
	assert_int_equal(begin_answer(t, x, id), MS_NO_REPLY_QUEUE);
	assert_int_equal(count(t, "q"), 1);
	assert_int_equal(
	    ct_end(t, x, mswitch_ack(t->m, &x->ch, NULL, STR("q"), id)), MS_OK);
	assert_int_equal(count(t, "q"), 0);
	ct_free(x);
	assert_int_equal(ct_create(t, NULL, "answers", false), MS_OK);
	id = ct_publish(t, "q", "ask");
	x = ct_new();
	assert_int_equal(
	    ct_end(t, x, ct_begin_reply(t, x, "answers", "q", id)), MS_OK);
	ct_free(x);
	x = ct_new();
	assert_int_equal(ct_end(t, x, begin_answer(t, x, id)), MS_OK);
	assert_true(x->ch.duplicate);
	assert_true(x->ch.id > id);
	ct_free(x);
	ct_turn(t);
	assert_int_equal(count(t, "answers"), 1);
	assert_int_equal(count(t, "q"), 0);
	ct_same(t);
}

/* A plain reply is under way: the answer does not put a second one. */
static void
answer_while_a_reply_is_under_way(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	int64_t id;
	enum ms_rc rc;

	two_queues(t);
	id = ct_publish(t, "q", "ask");
	assert_int_equal(ct_begin_reply(t, x, "answers", "q", id), MS_PENDING);
	rc = begin_answer(t, y, id);
	rc = ct_end(t, y, rc);
	assert_true(rc == MS_OK || rc == MS_HELD);
	if (rc == MS_OK)
		assert_int_equal(y->ch.id, x->ch.id);
	ct_turn(t);
	assert_int_equal(count(t, "answers"), 1);
	ct_same(t);
	ct_free(x);
	ct_free(y);
}

/* Two answers at once: one reply. */
static void
answer_twice_at_once(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	int64_t id;
	enum ms_rc rc;

	two_queues(t);
	id = ct_publish(t, "q", "ask");
	assert_int_equal(begin_answer(t, x, id), MS_PENDING);
	rc = begin_answer(t, y, id);
	assert_int_equal(ct_end(t, y, rc), MS_OK);
	assert_int_equal(ct_end(t, x, MS_PENDING), MS_OK);
	assert_int_equal(y->ch.id, x->ch.id);
	assert_int_equal(count(t, "answers"), 1);
	assert_int_equal(count(t, "q"), 0);
	ct_free(x);
	ct_free(y);
}

/* ---- sessions and transient queues ---- */

/* They go with the last connection of the token, and with it only. */
static void
transient_queues_go_with_the_last_connection(void **state)
{
	struct ct *t = *state;
	struct ct_client a, b, other;

	ct_open(t, &a, "tok");
	ct_open(t, &b, "tok");
	ct_open(t, &other, "other");
	assert_int_equal(ct_create(t, &a, "mine", true), MS_OK);
	assert_int_equal(ct_create(t, &a, "kept", false), MS_OK);
	assert_int_equal(ct_create(t, &other, "theirs", true), MS_OK);
	assert_true(ct_publish(t, "mine", "x") > 0);
	ct_close(t, &a);
	ct_turn(t);
	assert_int_equal(count(t, "mine"), 1);
	ct_close(t, &b);
	ct_turn(t);
	assert_null(mswitch_queue(t->m, STR("mine")));
	assert_non_null(mswitch_queue(t->m, STR("kept")));
	assert_non_null(mswitch_queue(t->m, STR("theirs")));
	assert_null(session_find(&t->m->sessions, STR("tok")));
	ct_same(t);
	ct_close(t, &other);
	ct_turn(t);
	assert_null(mswitch_queue(t->m, STR("theirs")));
	assert_int_equal(t->m->sessions.n, 0);
	ct_same(t);
}

/* The last login of a connection counts; the same token again changes
 * nothing. */
static void
last_login_wins(void **state)
{
	struct ct *t = *state;
	struct ct_client c;

	ct_open(t, &c, "one");
	assert_int_equal(ct_create(t, &c, "q", true), MS_OK);
	client_login(t->m, &c.client, STR("one"));
	ct_turn(t);
	assert_non_null(mswitch_queue(t->m, STR("q")));
	client_login(t->m, &c.client, STR("two"));
	assert_bytes(
	    client_token(&c.client).p, client_token(&c.client).n, "two");
	ct_turn(t);
	assert_null(mswitch_queue(t->m, STR("q")));
	assert_null(session_find(&t->m->sessions, STR("one")));
	ct_close(t, &c);
	assert_int_equal(t->m->sessions.n, 0);
}

/* A queue whose creation is under way when its owner leaves goes too. */
static void
owner_leaves_while_creating(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new();
	struct ct_client c;

	ct_open(t, &c, "tok");
	assert_int_equal(
	    mswitch_create(t->m, &x->ch, &c.client, STR("q"), true),
	    MS_PENDING);
	ct_close(t, &c);
	ct_turn(t);
	assert_int_equal(x->done, 1);
	assert_null(mswitch_queue(t->m, STR("q")));
	assert_int_equal(t->m->sessions.n, 0);
	ct_same(t);
	ct_free(x);
}

/* The owner comes back while its queues are ending: they end, and it may make
 * them anew at once. */
static void
owner_returns_while_its_queue_ends(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new();
	struct ct_client c;
	enum ms_rc rc;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, &c, "q", true), MS_OK);
	assert_true(ct_publish(t, "q", "old") > 0);
	ct_close(t, &c);
	ct_open(t, &c, "tok");
	rc = mswitch_create(t->m, &x->ch, &c.client, STR("q"), true);
	assert_int_equal(rc, MS_PENDING);
	assert_int_equal(ct_end(t, x, rc), MS_OK);
	assert_non_null(mswitch_queue(t->m, STR("q")));
	assert_int_equal(count(t, "q"), 0);
	ct_same(t);
	ct_close(t, &c);
	ct_turn(t);
	assert_null(mswitch_queue(t->m, STR("q")));
	ct_free(x);
}

/* After a restart they wait for their owner, for the grace period. */
static void
grace_after_a_restart(void **state)
{
	struct ct *t = *state;
	struct ct_client a, b;

	ct_open(t, &a, "comes");
	ct_open(t, &b, "stays away");
	assert_int_equal(ct_create(t, &a, "a", true), MS_OK);
	assert_int_equal(ct_create(t, &b, "b", true), MS_OK);
	mswitch_stop(t->m);
	ct_close(t, &a);
	ct_close(t, &b);
	ct_restart(t);
	assert_non_null(mswitch_queue(t->m, STR("a")));
	assert_non_null(mswitch_queue(t->m, STR("b")));
	ct_pass(t, t->limits.grace_ns - 1);
	ct_open(t, &a, "comes");
	ct_turn(t);
	assert_non_null(mswitch_queue(t->m, STR("b")));
	ct_pass(t, 1);
	assert_non_null(mswitch_queue(t->m, STR("a")));
	assert_null(mswitch_queue(t->m, STR("b")));
	assert_int_equal(t->m->sessions.n, 1);
	ct_same(t);
	ct_close(t, &a);
	ct_turn(t);
	assert_null(mswitch_queue(t->m, STR("a")));
}

/* The store refuses to end the queues of an owner that has left: they end
 * later, by themselves. */
static void
refused_end_is_tried_again(void **state)
{
	struct ct *t = *state;
	struct ct_client c;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, &c, "q", true), MS_OK);
	faultstore_plan(&t->fs, 1, false, false, STORE_BUSY);
	ct_close(t, &c);
	ct_turn(t);
	assert_non_null(mswitch_queue(t->m, STR("q")));
	ct_pass(t, 60 * NS_PER_SEC);
	assert_null(mswitch_queue(t->m, STR("q")));
	assert_int_equal(t->m->sessions.n, 0);
	ct_same(t);
}

/* ---- the end of a queue ---- */

/* What was sent before it goes with it; what comes after finds no queue. */
static void
destroy_with_sends_under_way(void **state)
{
	struct ct *t = *state;
	struct ct_change *s = ct_new(), *d = ct_new(), *late = ct_new();
	struct ct_client c;
	enum ms_rc rc;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_true(ct_publish(t, "q", "first") > 0);
	assert_int_equal(ct_begin_publish(t, s, "q", "x"), MS_PENDING);
	rc = mswitch_destroy(t->m, &d->ch, NULL, STR("q"));
	assert_int_equal(rc, MS_PENDING);
	assert_int_equal(ct_begin_publish(t, late, "q", "y"), MS_NO_QUEUE);
	assert_int_equal(ct_end(t, d, rc), MS_OK);
	assert_true(d->ch.found);
	assert_int_equal(d->ch.messages, 1);
	assert_int_equal(s->done, 1);
	assert_int_equal(s->rc, MS_OK);
	assert_null(mswitch_queue(t->m, STR("q")));
	assert_int_equal(t->m->messages, 0);
	assert_int_equal(t->m->bytes, 0);
	assert_int_equal(t->m->cached, 0);
	ct_same(t);
	ct_close(t, &c);
	ct_free(s);
	ct_free(d);
	ct_free(late);
}

/* Made anew while it is ending; ended twice at once; ended when there is
 * none. */
static void
create_while_ending(void **state)
{
	struct ct *t = *state;
	struct ct_change *d = ct_new(), *e = ct_new(), *x = ct_new();

	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_true(ct_publish(t, "q", "old") > 0);
	assert_int_equal(
	    mswitch_destroy(t->m, &d->ch, NULL, STR("q")), MS_PENDING);
	assert_int_equal(
	    mswitch_destroy(t->m, &e->ch, NULL, STR("q")), MS_PENDING);
	assert_int_equal(
	    mswitch_create(t->m, &x->ch, NULL, STR("q"), false), MS_PENDING);
	assert_int_equal(ct_end(t, x, MS_PENDING), MS_OK);
	assert_int_equal(ct_end(t, d, MS_PENDING), MS_OK);
	assert_int_equal(ct_end(t, e, MS_PENDING), MS_OK);
	assert_false(x->ch.found);
	assert_true(d->ch.found && !e->ch.found);
	assert_int_equal(count(t, "q"), 0);
	assert_true(ct_publish(t, "q", "new") > 0);
	ct_same(t);
	assert_int_equal(ct_destroy(t, "none"), MS_OK);
	assert_int_equal(ct_create(t, NULL, "q", true), MS_OK); /* is there */
	ct_free(d);
	ct_free(e);
	ct_free(x);
}

/* A refused end: the queue is there, and the one that waited says so too. */
static void
refused_destroy_leaves_the_queue(void **state)
{
	struct ct *t = *state;
	struct ct_change *d = ct_new(), *e = ct_new();

	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	faultstore_plan(&t->fs, 1, false, false, STORE_BUSY);
	assert_int_equal(
	    mswitch_destroy(t->m, &d->ch, NULL, STR("q")), MS_PENDING);
	assert_int_equal(
	    mswitch_destroy(t->m, &e->ch, NULL, STR("q")), MS_PENDING);
	assert_int_equal(ct_end(t, d, MS_PENDING), MS_STORE);
	assert_int_equal(ct_end(t, e, MS_PENDING), MS_STORE);
	assert_true(ct_publish(t, "q", "x") > 0);
	ct_same(t);
	ct_free(d);
	ct_free(e);
}

/* A large queue: not all ids are told to the store, and the index is right. */
static void
destroy_of_a_large_queue(void **state)
{
	static const int sizes[] = {1, 999, 1000, 1001, 3000};
	struct ct *t = *state;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
		for (int k = 0; k < sizes[i]; k++)
			assert_true(ct_publish(t, "q", "x") > 0);
		assert_int_equal(ct_destroy(t, "q"), MS_OK);
		assert_int_equal(t->m->messages, 0);
		ct_same(t);
	}
}

/* ---- limits ---- */

/* Each at the bound, and one beyond. */
static void
limits_hold_at_the_bound(void **state)
{
	struct ct *t = *state;
	struct ms_limits *l = &t->m->limits;
	struct ct_change *x = ct_new();
	struct ct_client c;

	ct_open(t, &c, "tok");
	l->queues = 3;
	l->session_transient = 2;
	assert_int_equal(ct_create(t, &c, "a", true), MS_OK);
	assert_int_equal(ct_create(t, &c, "b", true), MS_OK);
	assert_int_equal(
	    mswitch_create(t->m, &x->ch, &c.client, STR("c"), true), MS_LIMIT);
	assert_string_equal(x->ch.limit, "session_transient");
	assert_int_equal(ct_create(t, &c, "c", false), MS_OK);
	assert_int_equal(
	    mswitch_create(t->m, &x->ch, &c.client, STR("d"), false), MS_LIMIT);
	assert_string_equal(x->ch.limit, "queues");
	assert_int_equal(ct_create(t, &c, "c", false), MS_OK); /* is there */
	l->queue_messages = 2;
	assert_true(ct_publish(t, "a", "12345") > 0);
	assert_true(ct_publish(t, "a", "12345") > 0);
	assert_int_equal(ct_begin_publish(t, x, "a", "1"), MS_LIMIT);
	assert_string_equal(x->ch.limit, "queue_messages");
	l->queue_messages = 100;
	l->queue_bytes = 15;
	assert_true(ct_publish(t, "a", "12345") > 0);
	assert_int_equal(ct_begin_publish(t, x, "a", "1"), MS_LIMIT);
	assert_string_equal(x->ch.limit, "queue_bytes");
	assert_true(ct_publish(t, "a", "") > 0);
	l->total_bytes = 20;
	assert_true(ct_publish(t, "b", "12345") > 0);
	assert_int_equal(ct_begin_publish(t, x, "b", "1"), MS_LIMIT);
	assert_string_equal(x->ch.limit, "total_bytes");
	assert_int_equal(t->m->counters.refused, 5);
	assert_int_equal(ct_destroy(t, "a"), MS_OK); /* makes room */
	assert_true(ct_publish(t, "b", "1") > 0);
	ct_close(t, &c);
	ct_free(x);
}

/* What is under way counts: several at once do not pass where one would not. */
static void
limits_count_what_is_under_way(void **state)
{
	struct ct *t = *state;
	struct ct_change *x[4];

	for (int i = 0; i < 4; i++)
		x[i] = ct_new();
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	t->m->limits.queue_messages = 2;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ct_begin_publish(t, x[i], "q", "12345"),
		    i < 2 ? MS_PENDING : MS_LIMIT);
	ct_turn(t);
	t->m->limits.queue_messages = 100;
	t->m->limits.queue_bytes = 20;
	for (int i = 0; i < 3; i++) {
		x[i]->done = 0;
		assert_int_equal(ct_begin_publish(t, x[i], "q", "12345"),
		    i < 2 ? MS_PENDING : MS_LIMIT);
	}
	ct_turn(t);
	t->m->limits.queue_bytes = 1000;
	t->m->limits.total_bytes = 25;
	for (int i = 0; i < 2; i++) {
		x[i]->done = 0;
		assert_int_equal(ct_begin_publish(t, x[i], "q", "12345"),
		    i < 1 ? MS_PENDING : MS_LIMIT);
	}
	ct_turn(t);
	t->m->limits.queues = 2;
	x[0]->done = x[1]->done = 0;
	assert_int_equal(
	    mswitch_create(t->m, &x[0]->ch, NULL, STR("r"), false), MS_PENDING);
	assert_int_equal(
	    mswitch_create(t->m, &x[1]->ch, NULL, STR("s"), false), MS_LIMIT);
	ct_turn(t);
	for (int i = 0; i < 4; i++)
		ct_free(x[i]);
}

/* ---- hold and release ---- */

/* A held message is passed over; released it is offered. */
static void
held_is_not_handed_out(void **state)
{
	struct ct *t = *state;
	struct ct_client c;
	int64_t id, next;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	id = ct_publish(t, "q", "first");
	next = ct_publish(t, "q", "second");
	assert_int_equal(ct_mark(t, "q", id, STORE_HELD_OPERATOR), MS_OK);
	assert_int_equal(mswitch_queue(t->m, STR("q"))->held, 1);
	assert_int_equal(ct_get(t, &c, -1, "q"), 1);
	assert_int_equal(c.got[0].id, next);
	assert_int_equal(ct_look(t, &c, "q", -1, 10), MS_OK);
	assert_int_equal(c.ngot, 2);
	assert_int_equal(c.got[0].held, STORE_HELD_OPERATOR);
	assert_int_equal(ct_ack(t, "q", next), MS_OK);
	assert_int_equal(ct_poll(t, &c, -1, NAMES("q")), MS_PENDING);
	assert_int_equal(ct_mark(t, "q", id, STORE_RELEASED), MS_OK);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.got[0].id, id);
	assert_int_equal(ct_mark(t, "q", id, STORE_HELD_POISON), MS_OK);
	ct_close(t, &c);
	ct_restart(t);
	ct_open(t, &c, "tok");
	assert_int_equal(ct_get(t, &c, -1, "q"), 0);
	assert_int_equal(ct_ack(t, "q", id), MS_OK); /* may be taken away */
	assert_int_equal(t->m->messages, 0);
	assert_int_equal(ct_mark(t, "q", id, STORE_RELEASED), MS_NO_MESSAGE);
	assert_int_equal(ct_mark(t, "none", id, 0), MS_NO_QUEUE);
	ct_same(t);
	ct_close(t, &c);
}

/* One that is leaving cannot be held; a mark that fails changes nothing. */
static void
mark_in_odd_cases(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new(), *y = ct_new();
	struct ct_client c;
	int64_t id;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	id = ct_publish(t, "q", "x");
	faultstore_plan(&t->fs, 1, false, false, STORE_IO);
	assert_int_equal(ct_mark(t, "q", id, STORE_HELD_OPERATOR), MS_STORE);
	assert_int_equal(ct_get(t, &c, -1, "q"), 1);
	/* held and gone before it is done */
	assert_int_equal(
	    mswitch_mark(t->m, &x->ch, NULL, STR("q"), id, STORE_HELD_OPERATOR),
	    MS_PENDING);
	assert_int_equal(
	    mswitch_ack(t->m, &y->ch, NULL, STR("q"), id), MS_PENDING);
	assert_int_equal(ct_mark(t, "q", id, STORE_RELEASED), MS_HELD);
	ct_turn(t);
	assert_int_equal(x->rc, MS_OK);
	assert_int_equal(y->rc, MS_OK);
	assert_int_equal(t->m->messages, 0);
	assert_int_equal(mswitch_queue(t->m, STR("q"))->held, 0);
	ct_close(t, &c);
	ct_free(x);
	ct_free(y);
}

/* Requests from before a boot wait for the operator; replies do not, nor what
 * was released. */
static void
requests_of_another_boot_are_held(void **state)
{
	struct ct *t = *state;
	struct ct_change *x = ct_new();
	struct ct_client c;
	int64_t old, freed, last;

	two_queues(t);
	old = ct_publish(t, "q", "old");
	freed = ct_publish(t, "q", "released");
	assert_int_equal(ct_mark(t, "q", freed, STORE_HELD_OPERATOR), MS_OK);
	assert_int_equal(ct_mark(t, "q", freed, STORE_RELEASED), MS_OK);
	assert_int_equal(
	    ct_end(t, x, ct_begin_reply(t, x, "q", "none", 3)), MS_OK);
	last = x->ch.id;
	t->fs.boot_first = last + 1;
	ct_restart(t);
	ct_open(t, &c, "tok");
	assert_int_equal(ct_get(t, &c, -1, "q"), 2);
	assert_int_equal(c.got[0].id, freed);
	assert_int_equal(c.got[1].id, last);
	assert_int_equal(mswitch_queue(t->m, STR("q"))->held, 1);
	assert_string_equal(
	    ms_held_reason(STORE_HELD_REBOOT), "from before the last reboot");
	assert_true(ct_publish(t, "q", "new") > 0);
	assert_int_equal(ct_get(t, &c, -1, "q"), 3);
	assert_int_equal(ct_mark(t, "q", old, STORE_RELEASED), MS_OK);
	assert_int_equal(ct_get(t, &c, -1, "q"), 4);
	ct_close(t, &c);
	ct_restart(t); /* and stays released */
	ct_open(t, &c, "tok");
	assert_int_equal(ct_get(t, &c, -1, "q"), 4);
	ct_close(t, &c);
	ct_free(x);
}

/* Every reason has its words. */
static void
reasons_have_words(void **state)
{
	(void)state;
	assert_null(ms_held_reason(STORE_FREE));
	assert_null(ms_held_reason(STORE_RELEASED));
	assert_non_null(ms_held_reason(STORE_HELD_OPERATOR));
	assert_non_null(ms_held_reason(STORE_HELD_POISON));
}

/* ---- bodies that are not in memory ---- */

/* Without a cache everything is read again, in order, mixed with what is
 * there. */
static void
bodies_are_read_again(void **state)
{
	struct ct *t = *state;
	struct ct_client c;
	char text[16];

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	for (int i = 0; i < 40; i++) {
		t->m->limits.cache_bytes = i % 3 ? 0 : 1 << 20;
		snprintf(text, sizeof text, "m%d", i);
		assert_true(ct_publish(t, "q", text) > 0);
	}
	assert_true(t->m->cached > 0);
	assert_int_equal(ct_poll(t, &c, -1, NAMES("q")), MS_PENDING);
	assert_int_equal(c.done, 0);
	ct_kick(t);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.rc, MS_OK);
	assert_int_equal(c.ngot, 40);
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof text, "m%d", i);
		assert_string_equal(c.got[i].payload, text);
		assert_string_equal(c.got[i].reply_to, "answers");
		assert_string_equal(c.got[i].queue, "q");
	}
	assert_int_equal(c.next, c.got[39].id);
	ct_close(t, &c);
}

/* The cache is bounded, and what leaves it is accounted for. */
static void
cache_is_bounded(void **state)
{
	struct ct *t = *state;
	int64_t id[20];

	t->m->limits.cache_bytes = 1000;
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	for (int i = 0; i < 20; i++) {
		id[i] = ct_publish(t, "q", "0123456789");
		assert_true(t->m->cached <= 1000);
	}
	assert_true(t->m->cached > 800);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ct_ack(t, "q", id[i]), MS_OK);
	assert_int_equal(t->m->cached, 0);
}

/* Gone, held or with its queue ended while it was being read: left out. */
static void
gone_while_it_is_read(void **state)
{
	struct ct *t = *state;
	struct ct_change *x[3] = {ct_new(), ct_new(), ct_new()};
	struct ct_client c;
	int64_t id[4];

	t->m->limits.cache_bytes = 0;
	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_int_equal(ct_create(t, NULL, "r", false), MS_OK);
	for (int i = 0; i < 4; i++)
		id[i] = ct_publish(t, i == 2 ? "r" : "q", "x");
	assert_int_equal(
	    mswitch_ack(t->m, &x[0]->ch, NULL, STR("q"), id[0]), MS_PENDING);
	assert_int_equal(ct_poll(t, &c, -1, NAMES("q", "r")), MS_PENDING);
	assert_int_equal(
	    mswitch_ack(t->m, &x[1]->ch, NULL, STR("q"), id[1]), MS_PENDING);
	assert_int_equal(
	    mswitch_destroy(t->m, &x[2]->ch, NULL, STR("r")), MS_PENDING);
	ct_turn(t);
	assert_int_equal(c.done, 1);
	/* the volatile store reads before the two that came later; the core
	 * knows better */
	assert_int_equal(c.rc, MS_OK);
	assert_int_equal(c.got[c.ngot - 1].id, id[3]);
	for (size_t i = 0; i < c.ngot; i++)
		assert_true(c.got[i].id != id[0] && c.got[i].id != id[1]);
	ct_same(t);
	ct_close(t, &c);
	for (int i = 0; i < 3; i++)
		ct_free(x[i]);
}

/* The client leaves while its messages are read: done comes, with no message,
 * and nothing is called delivered. */
static void
client_leaves_while_it_is_read(void **state)
{
	struct ct *t = *state;
	struct ct_client c;

	t->m->limits.cache_bytes = 0;
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_true(ct_publish(t, "q", "x") > 0);
	ct_open(t, &c, "tok");
	assert_int_equal(ct_poll(t, &c, -1, NAMES("q")), MS_PENDING);
	ct_close(t, &c);
	assert_int_equal(c.done, 0);
	assert_int_equal(ct_destroy(t, "q"), MS_OK);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.rc, MS_STORE);
	assert_int_equal(c.ngot, 0);
	assert_int_equal(t->m->counters.delivered, 0);
}

/* The store cannot read: no message may be passed over, whatever is in
 * memory. */
static void
failed_read_passes_nothing_over(void **state)
{
	struct ct *t = *state;
	struct ct_client c;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	for (int i = 0; i < 6; i++) {
		t->m->limits.cache_bytes = i == 2 ? 0 : 1 << 20;
		assert_true(ct_publish(t, "q", "x") > 0);
	}
	faultstore_plan(&t->fs, 1, false, false, STORE_IO);
	assert_true(ct_get(t, &c, -1, "q") <= 2); /* the third is missing */
	assert_int_equal(c.rc, MS_STORE);
	assert_int_equal(ct_get(t, &c, -1, "q"), 6);
	assert_int_equal(c.rc, MS_OK);
	ct_close(t, &c);
}

/* ---- looking ---- */

/* Looking takes nothing and sees all, page by page; the newest of every
 * queue. */
static void
looking_takes_nothing(void **state)
{
	struct ct *t = *state;
	struct ct_client c;
	int64_t id[6];

	ct_open(t, &c, NULL);
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_int_equal(ct_create(t, NULL, "r", false), MS_OK);
	for (int i = 0; i < 6; i++) {
		t->m->limits.cache_bytes = i % 2 ? 0 : 1 << 20;
		id[i] = ct_publish(t, i == 3 ? "r" : "q", "x");
	}
	assert_int_equal(ct_look(t, &c, "q", -1, 2), MS_OK);
	assert_int_equal(c.ngot, 2);
	assert_int_equal(ct_look(t, &c, "q", c.next, 10), MS_OK);
	assert_int_equal(c.ngot, 3);
	assert_int_equal(c.got[0].id, id[2]);
	assert_int_equal(ct_look(t, &c, "none", -1, 10), MS_NO_QUEUE);
	assert_int_equal(ct_look(t, &c, NULL, -1, 2), MS_OK);
	assert_int_equal(c.ngot, 3);
	assert_int_equal(c.got[0].id, id[3]);
	assert_int_equal(c.got[1].id, id[4]);
	assert_int_equal(c.got[2].id, id[5]);
	assert_int_equal(t->m->counters.delivered, 0);
	assert_int_equal(mswitch_queue(t->m, STR("q"))->delivered, 0);
	ct_close(t, &c);
}

/* Queues sorted, by prefix. */
static void
queues_are_listed_by_name(void **state)
{
	static const char *const names[] = {"b", "a/2", "a", "a/1", "c", "a/3"};
	struct ct *t = *state;
	struct queue **v;
	size_t n;

	v = mswitch_sorted(t->m, STR(""), &n);
	assert_non_null(v);
	assert_int_equal(n, 0);
	free(v);
	for (int i = 0; i < 6; i++)
		assert_int_equal(ct_create(t, NULL, names[i], false), MS_OK);
	v = mswitch_sorted(t->m, STR("a/"), &n);
	assert_int_equal(n, 3);
	assert_bytes(v[0]->name.p, v[0]->name.n, "a/1");
	assert_bytes(v[2]->name.p, v[2]->name.n, "a/3");
	free(v);
	v = mswitch_sorted(t->m, STR(""), &n);
	assert_int_equal(n, 6);
	assert_bytes(v[0]->name.p, v[0]->name.n, "a");
	free(v);
}

/* ---- loading ---- */

/* Thousands of messages, by the page; requests with a reply are over. */
static void
index_is_read_at_start(void **state)
{
	struct ct *t = *state;
	struct ct_change *x;
	struct ct_client c;
	int64_t id[50], n = 45000;

	two_queues(t);
	for (int64_t i = 0; i < n; i++) {
		x = ct_new();
		assert_int_equal(ct_begin_publish(t, x, "q", "x"), MS_PENDING);
		store_kick(&t->fs.base);
		if (i % 1000 == 0)
			id[i / 1000] = x->ch.id;
		ct_free(x);
	}
	for (int i = 0; i < 45; i++) {
		x = ct_new();
		assert_int_equal(
		    ct_end(t, x, ct_begin_reply(t, x, "answers", "q", id[i])),
		    MS_OK);
		ct_free(x);
	}
	ct_restart(t);
	ct_turn(t);
	assert_int_equal(count(t, "answers"), 45);
	assert_int_equal(count(t, "q"), n - 45);
	assert_int_equal(t->m->answered.n, 45);
	assert_int_equal(t->m->cached, 0);
	ct_same(t);
	ct_open(t, &c, "tok");
	assert_int_equal(ct_get(t, &c, id[44] - 1, "q"), 999);
	x = ct_new();
	assert_int_equal(
	    ct_end(t, x, ct_begin_reply(t, x, "answers", "q", id[7])), MS_OK);
	assert_true(x->ch.duplicate);
	ct_free(x);
	ct_close(t, &c);
}

/* More answers than are remembered: the newest are. */
static void
newest_answers_are_remembered(void **state)
{
	enum { N = 70000, KEPT = 65536 };
	struct ct *t = *state;
	struct ct_change *x = ct_new();

	two_queues(t);
	for (int i = 1; i <= N; i++) {
		x->done = 0;
		assert_int_equal(
		    ct_begin_reply(t, x, "answers", "q", i), MS_PENDING);
		store_kick(&t->fs.base);
	}
	for (int round = 0; round < 2; round++) {
		assert_int_equal(t->m->answered.n, KEPT);
		for (int i = 1; i <= N; i++)
			assert_int_equal(
			    idmap_get(&t->m->answered, i) > 0, i > N - KEPT);
		ct_restart(t);
	}
	ct_free(x);
}

/* A store that cannot be read: the start fails, and says so once. */
static void
failed_load_is_told(void **state)
{
	struct ct *t = *state;

	two_queues(t);
	assert_true(ct_publish(t, "q", "x") > 0);
	ct_stop(t);
	for (long n = 1; n <= 3; n++) {
		faultstore_plan(&t->fs, n, false, false, STORE_IO);
		ct_start(t);
		assert_int_equal(t->loaded, -1);
		ct_stop(t);
	}
	faultstore_plan(&t->fs, 4, false, false, STORE_IO);
	ct_start(t);
	assert_int_equal(t->loaded, 1);
	assert_int_equal(count(t, "q"), 1);
}

/* ---- what is counted and recorded ---- */

/* Each event is in the recorder, with its client, queue and id. */
static void
events_are_recorded(void **state)
{
	static const enum ring_type want[] = {RING_LOGIN, RING_CREATE,
	    RING_PUBLISH, RING_DELIVER, RING_HOLD, RING_RELEASE, RING_ACK,
	    RING_REFUSE, RING_LOGOUT, RING_DESTROY};
	struct ct *t = *state;
	struct ct_change *x = ct_new();
	struct ring_cursor at;
	struct ring_event e;
	struct ct_client c;
	int64_t id;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, &c, "q", true), MS_OK);
	id = ct_publish(t, "q", "hello");
	assert_int_equal(ct_get(t, &c, -1, "q"), 1);
	assert_int_equal(ct_mark(t, "q", id, STORE_HELD_OPERATOR), MS_OK);
	assert_int_equal(ct_mark(t, "q", id, STORE_RELEASED), MS_OK);
	assert_int_equal(ct_ack(t, "q", id), MS_OK);
	t->m->limits.queue_messages = 0;
	assert_int_equal(ct_begin_publish(t, x, "q", "y"), MS_LIMIT);
	ct_close(t, &c);
	ct_turn(t);
	at = ring_seek(&t->trace.ring, 0);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		assert_true(ring_read(&t->trace.ring, &at, &e));
		assert_int_equal(e.type, want[i]);
		if (e.type != RING_LOGIN && e.type != RING_LOGOUT &&
		    e.type != RING_REFUSE)
			assert_bytes(e.queue.p, e.queue.n, "q");
		if (e.type == RING_PUBLISH || e.type == RING_ACK)
			assert_int_equal(e.id, id);
		if (e.type == RING_PUBLISH)
			assert_bytes(e.text.p, e.text.n, "hello");
		if (e.type == RING_DELIVER)
			assert_bytes(e.client.p, e.client.n, "tok");
	}
	assert_false(ring_read(&t->trace.ring, &at, &e));
	ct_free(x);
}

/* A wall clock that is set back gives no negative age. */
static void
clock_set_back_gives_no_negative_age(void **state)
{
	struct ct *t = *state;
	struct ring_cursor at;
	struct ring_event e;
	struct ct_client c;

	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	assert_true(ct_publish(t, "q", "x") > 0);
	t->wall_ns -= 3600 * NS_PER_SEC;
	ct_pass(t, NS_PER_SEC);
	assert_int_equal(ct_get(t, &c, -1, "q"), 1);
	at = ring_seek(&t->trace.ring, ring_next(&t->trace.ring) - 1);
	assert_true(ring_read(&t->trace.ring, &at, &e));
	assert_int_equal(e.type, RING_DELIVER);
	assert_int_equal(e.dur_ns, 0);
	ct_close(t, &c);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, ct_setup, ct_teardown)
	const struct CMUnitTest tests[] = {
	    T(messages_come_in_order),
	    T(queues_are_merged_by_id),
	    T(answers_are_bounded_in_bytes),
	    T(cursor_of_another_life_gets_all),
	    T(poll_waits_for_its_message),
	    T(poll_ends_at_its_time),
	    T(all_who_wait_are_told),
	    T(cancelled_poll_is_silent),
	    T(ack_takes_it_away),
	    T(refused_ack_offers_it_again),
	    T(one_reply_per_request),
	    T(one_reply_while_the_first_is_under_way),
	    T(one_reply_after_the_first_failed),
	    T(replies_that_are_not_counted),
	    T(answered_requests_of_an_ended_queue),
	    T(key_makes_a_publish_once),
	    T(key_of_a_failed_publish),
	    T(keys_are_bounded),
	    T(answer_replies_and_acks),
	    T(answer_fails_as_a_whole),
	    T(answer_in_odd_cases),
	    T(answer_while_a_reply_is_under_way),
	    T(answer_twice_at_once),
	    T(transient_queues_go_with_the_last_connection),
	    T(last_login_wins),
	    T(owner_leaves_while_creating),
	    T(owner_returns_while_its_queue_ends),
	    T(grace_after_a_restart),
	    T(refused_end_is_tried_again),
	    T(destroy_with_sends_under_way),
	    T(create_while_ending),
	    T(refused_destroy_leaves_the_queue),
	    T(destroy_of_a_large_queue),
	    T(limits_hold_at_the_bound),
	    T(limits_count_what_is_under_way),
	    T(held_is_not_handed_out),
	    T(mark_in_odd_cases),
	    T(requests_of_another_boot_are_held),
	    T(reasons_have_words),
	    T(bodies_are_read_again),
	    T(cache_is_bounded),
	    T(gone_while_it_is_read),
	    T(client_leaves_while_it_is_read),
	    T(failed_read_passes_nothing_over),
	    T(looking_takes_nothing),
	    T(queues_are_listed_by_name),
	    T(index_is_read_at_start),
	    T(newest_answers_are_remembered),
	    T(failed_load_is_told),
	    T(events_are_recorded),
	    T(clock_set_back_gives_no_negative_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
