/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What operators do to messages, in the core: cancelling. */
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
