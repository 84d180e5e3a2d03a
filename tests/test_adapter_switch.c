/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the adapter makes of the switch's answers: cancellations, calls, replies,
 * queues that go and come back. */
#include "support/swtest.h"

#include <sys/stat.h>
#include <unistd.h>

#include "follow.h"
#include "poison.h"
#include "turns.h"

/* ---- follow: events ---- */

#define NO_MESSAGE "{\"error\":{\"code\":\"no_message\"}}"

static void
polls_from_now_and_then_on(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f = follow_new(&t->ctx, &t->e);

	assert_string_equal(
	    sw_ops[0].target, "/v1/events?kind=cancel&after=now");
	sw_answer(XMSG_OK, 200, "{\"events\":[],\"next\":7}");
	assert_int_equal(sw_n_ops, 2);
	assert_string_equal(
	    sw_ops[1].target, "/v1/events?kind=cancel&after=7&wait=60");
	/* an event of nobody, one of a queue of others, and nonsense */
	sw_answer(XMSG_OK, 200,
	    "{\"events\":[{},{\"queue\":\"other\",\"id\":1},7],\"next\":9}");
	assert_int_equal(sw_n_ops, 3);
	follow_free(f);
	assert_null(sw_ops[2].fn); /* cancelled */
}

static void
a_cancelled_call_is_ended(void **state)
{
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);
	struct follow *f = follow_new(&t->ctx, &t->e);
	static struct xmsg_request r;

	t->ctx.stopping = true; /* nothing begins */
	sw_come(&r, 5, LIST);
	t->ctx.stopping = false;
	assert_int_equal(sv->n_tasks, 1);
	sw_answer(XMSG_OK, 200,
	    "{\"events\":[{\"queue\":\"" QUEUE "\",\"id\":5}],\"next\":1}");
	assert_int_equal(sv->n_tasks, 0);
	assert_true(r.discarded);
	assert_string_equal(r.reply, "");
	assert_true(logtest_take("failed: Cancelled"));
	follow_free(f);
}

static void
lost_events_make_it_ask(void **state)
{
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);
	struct follow *f = follow_new(&t->ctx, &t->e);
	static struct xmsg_request r[3];
	size_t i;

	t->ctx.stopping = true;
	for (i = 0; i < 3; i++)
		sw_come(&r[i], 5 + (int64_t)i, LIST);
	sw_answer(XMSG_OK, 200, "{\"events\":[],\"next\":1,\"lost\":2}");
	assert_int_equal(sw_n_ops, 5); /* three questions, and the next poll */
	assert_string_equal(
	    sw_ops[1].target, "/v1/queues/org.xen.xapi.storage.p/messages/5");
	sw_done(&sw_ops[1], XMSG_OK, 404, NO_MESSAGE);
	assert_int_equal(sv->n_tasks, 2);
	sw_done(
	    &sw_ops[2], XMSG_OK, 404, "{\"error\":{\"code\":\"no_queue\"}}");
	assert_int_equal(sv->n_tasks, 1);
	sw_done(&sw_ops[3], XMSG_OK, 200, "{}"); /* it is there */
	assert_int_equal(sv->n_tasks, 1);
	assert_true(logtest_take("failed: Cancelled"));
	follow_free(f);
}

static void
only_a_clear_no_counts(void **state)
{
	static const struct {
		int rc, status;
		const char *body;
	} no[] = {{XMSG_ELOST, 0, ""}, {XMSG_OK, 500, NO_MESSAGE},
	    {XMSG_OK, 404, ""}, {XMSG_OK, 404, "{\"error\":{\"code\":7}}"},
	    {XMSG_OK, 404, "{\"error\":{\"code\":\"no_such_route\"}}"},
	    {XMSG_ECANCELED, 0, ""}};
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);
	struct follow *f = follow_new(&t->ctx, &t->e);
	static struct xmsg_request r;
	size_t i;

	t->ctx.stopping = true;
	sw_come(&r, 5, LIST);
	t->ctx.stopping = false;
	for (i = 0; i < sizeof no / sizeof *no; i++) {
		size_t poll = sw_n_ops - 1;

		sw_done(&sw_ops[poll], XMSG_OK, 200, "{\"next\":1,\"lost\":1}");
		sw_done(&sw_ops[poll + 1], no[i].rc, no[i].status, no[i].body);
		assert_int_equal(sv->n_tasks, 1);
	}
	follow_free(f);
}

static void
a_switch_without_events(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f = follow_new(&t->ctx, &t->e);

	sw_answer(XMSG_OK, 404, "");
	assert_true(logtest_take("the switch has no /v1/events (status 404)"));
	assert_int_equal(sw_n_ops, 1); /* it is asked again in a minute */
	follow_free(f);
}

static void
an_answer_that_makes_no_sense(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f = follow_new(&t->ctx, &t->e);

	sw_answer(XMSG_OK, 200, "{\"next\":\"x\"}");
	assert_int_equal(sw_n_ops, 1);
	follow_free(f);
}

static void
a_switch_that_is_away_is_asked_again(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f = follow_new(&t->ctx, &t->e);

	sw_answer(XMSG_ECONNECT, 0, "");
	while (sw_n_ops == 1)
		sw_turn(t);
	assert_string_equal(
	    sw_ops[1].target, "/v1/events?kind=cancel&after=now");
	follow_free(f);
}

static void
a_poll_that_cannot_begin_is_tried_again(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f;

	sw_no_ops = true;
	f = follow_new(&t->ctx, &t->e);
	assert_non_null(f);
	sw_no_ops = false;
	while (sw_n_ops == 0)
		sw_turn(t);
	follow_free(f);
}

static void
no_timer(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f;

	sw_no_timers = true;
	assert_null(follow_new(&t->ctx, &t->e));
	assert_string_equal(t->e.text, "out of memory");
	sw_no_timers = false;
	f = follow_new(&t->ctx, &t->e);
	sw_no_timers = true;
	sw_answer(XMSG_ECONNECT, 0, "");
	assert_true(logtest_take("no timer"));
	sw_no_timers = false;
	follow_free(f);
	follow_free(NULL);
}

static void
a_poll_without_memory_for_anything(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f = follow_new(&t->ctx, &t->e);

	sw_no_timers = sw_no_ops = true;
	sw_answer(XMSG_OK, 200, "{\"next\":1}");
	assert_true(logtest_take("no timer"));
	sw_no_timers = sw_no_ops = false;
	follow_free(f);
}

/* ---- follow: the sweep ---- */

static void
what_is_left_over_is_removed(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f;

	sw_folder(t, "q", "17");
	sw_folder(t, "q", "0");
	sw_folder(t, "q", "x");
	sw_folder(t, "q", "99999999999999999999");
	sw_folder(t, "q", "18");
	sw_folder(t, "empty", "1");
	assert_int_equal(
	    rmdir(strcat(strcpy((char[512]){0}, t->spool), "/empty/1")), 0);
	tempdir_write(strcat(strcpy((char[512]){0}, t->spool), "/file"), "", 0);
	f = follow_new(&t->ctx, &t->e);
	while (sw_n_ops < 3)
		sw_turn(t);
	assert_false(sw_is_there(t, "empty")); /* of a plugin gone for good */
	for (size_t i = 1; i < 3; i++)
		if (strcmp(sw_ops[i].target, "/v1/queues/q/messages/17") == 0)
			sw_done(&sw_ops[i], XMSG_OK, 404, NO_MESSAGE);
		else
			sw_done(&sw_ops[i], XMSG_OK, 200, "{}");
	assert_false(sw_is_there(t, "q/17"));
	assert_true(sw_is_there(t, "q/18"));
	assert_true(sw_is_there(t, "q/x"));
	follow_free(f);
}

static void
what_cannot_be_removed_is_said(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f;

	sw_folder(t, "q", "17");
	sw_folder(t, "q/17", "x");
	f = follow_new(&t->ctx, &t->e);
	while (sw_n_ops < 2)
		sw_turn(t);
	sw_done(&sw_ops[1], XMSG_OK, 404, NO_MESSAGE);
	assert_true(logtest_take("q/17"));
	assert_true(sw_is_there(t, "q/17"));
	follow_free(f);
}

static void
not_too_many_questions(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f;
	char id[16];
	size_t asked;

	for (int i = 1; i <= 20; i++) {
		snprintf(id, sizeof id, "%d", i);
		sw_folder(t, "q", id);
	}
	f = follow_new(&t->ctx, &t->e);
	while (sw_n_ops == 1)
		sw_turn(t);
	asked = sw_n_ops - 1;
	assert_int_equal(asked, 16);
	sw_turn(t); /* another sweep: those are still under way */
	assert_int_equal(sw_n_ops - 1, asked);
	for (size_t i = 1; i <= asked; i++)
		sw_done(&sw_ops[i], XMSG_OK, 200, "{}");
	sw_turn(t);
	assert_int_equal(sw_n_ops - 1, 2 * asked);
	for (size_t i = asked + 1; i <= 2 * asked; i++)
		sw_done(&sw_ops[i], XMSG_ECANCELED, 0, "");
	follow_free(f);
}

static void
questions_that_cannot_be_asked(void **state)
{
	struct sw_adapter *t = *state;
	struct follow *f;

	sw_folder(t, "q", "1");
	f = follow_new(&t->ctx, &t->e);
	sw_no_ops = true;
	sw_turn(t);
	sw_no_names = true;
	sw_turn(t);
	assert_int_equal(sw_n_ops, 1);
	sw_no_ops = sw_no_names = false;
	while (sw_n_ops == 1)
		sw_turn(t);
	assert_string_equal(sw_ops[1].target, "/v1/queues/q/messages/1");
	sw_done(&sw_ops[1], XMSG_ECANCELED, 0, "");
	/* no spool any more */
	tempdir_remove(t->spool);
	sw_turn(t);
	assert_int_equal(sw_n_ops, 2);
	follow_free(f);
}

/* ---- service ---- */

static void
a_reply_to_a_plugin_is_taken_off(void **state)
{
	struct sw_adapter *t = *state;
	static struct xmsg_request r = {.m = {.id = 3, .kind = XMSG_REPLY}};

	sw_serve(t);
	sw_servers[0].fn(&r, &r.m, sw_servers[0].arg);
	assert_true(r.discarded && !r.left);
	sw_no_discards = true;
	sw_servers[0].fn(&r, &r.m, sw_servers[0].arg);
	assert_true(r.left);
	assert_true(logtest_take("is a reply: dropped"));
}

static void
a_call_is_answered(void **state)
{
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);
	static struct xmsg_request r;

	sw_come(&r, 5, LIST);
	assert_string_equal(r.reply, "{\"result\":[],\"error\":null,\"id\":0}");
	assert_int_equal(sv->n_tasks, 1);
	sw_replied(&r, XMSG_OK);
	assert_int_equal(sv->n_tasks, 0);
}

static void
poison_is_refused(void **state)
{
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);
	static struct xmsg_request r;

	for (int i = 0; i < POISON_CRASHES; i++) {
		poison_enter(t->ctx.poison, QUEUE, 5);
		poison_crash(t->ctx.poison);
		poison_close(t->ctx.poison);
		t->ctx.poison = poison_open(t->dir, &t->e);
	}
	sw_come(&r, 5, LIST);
	assert_non_null(strstr(r.reply, "three times"));
	assert_true(logtest_take("three times"));
	assert_true(logtest_take("was in hand when the adapter crashed"));
	sw_replied(&r, XMSG_OK);
	assert_int_equal(sv->n_tasks, 0);
	/* it is forgotten with its answer */
	sw_come(&r, 5, LIST);
	assert_null(strstr(r.reply, "three times"));
	sw_replied(&r, XMSG_OK);
}

static void
calls_of_a_plugin_that_goes(void **state)
{
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);
	static struct xmsg_request r, late;

	t->ctx.stopping = true;
	sw_come(&r, 5, LIST);
	t->ctx.stopping = false;
	service_drain(sv, "it went away");
	assert_non_null(strstr(r.reply, "it went away"));
	sw_come(&late, 6, LIST);
	assert_non_null(strstr(late.reply, "plugin of this queue is gone"));
	assert_int_equal(
	    sw_n_ops, 0); /* the queue stays until they are answered */
	service_drain(sv, "again"); /* those have their replies */
	sw_replied(&r, XMSG_OK);
	sw_replied(&late, XMSG_ENOENT);
	assert_int_equal(sw_n_ops, 1);
	assert_string_equal(
	    sw_ops[0].target, "/v1/queues/org.xen.xapi.storage.p?if_empty=1");
	service_drain(sv, "once more"); /* it is being removed */
	assert_int_equal(sw_n_ops, 1);
	sw_answer(XMSG_OK, 200, "");
	assert_null(service_find(&t->ctx, QUEUE));
	assert_true(logtest_take("failed: Internal_error"));
}

static void
a_queue_that_is_not_removed_at_once(void **state)
{
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);

	sw_no_names = true;
	service_drain(sv, "gone");
	assert_int_equal(sw_n_ops, 0);
	sw_no_names = false;
	service_drain(sv, "gone");
	sw_answer(XMSG_OK, 409, ""); /* a message came */
	while (sw_n_ops == 1)
		sw_turn(t);
	sw_answer(XMSG_ECONNECT, 0, "");
	while (sw_n_ops == 2)
		sw_turn(t);
	sw_no_timers = true;
	sw_answer(XMSG_ECONNECT, 0, "");
	assert_true(logtest_take("no timer"));
	sw_no_timers = false;
	service_drain(sv, "gone");
	assert_int_equal(sw_n_ops, 4);
	service_stop_all(&t->ctx); /* cancels it */
	assert_null(sw_ops[3].fn);
	service_drain(&(struct service){.ctx = &t->ctx,
			  .tasks = TAILQ_HEAD_INITIALIZER(sv->tasks)},
	    "we end");
	assert_int_equal(sw_n_ops, 4);
}

static void
a_plugin_that_comes_back(void **state)
{
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);

	service_drain(sv, "gone");
	assert_ptr_equal(
	    sw_serve(t), sv); /* while its queue is being removed */
	assert_int_equal(sw_n_servers, 1);
	sw_answer(XMSG_OK, 200, "");
	assert_int_equal(sw_n_servers, 2); /* it is made again */
	assert_int_equal(sw_stopped, 1);
	service_drain(sv, "gone");
	assert_ptr_equal(sw_serve(t), sv);
	sw_no_servers = true;
	sw_answer(XMSG_OK, 200, "");
	assert_true(logtest_take("cannot be served: the switch says no"));
}

static void
a_queue_that_cannot_be_served(void **state)
{
	struct sw_adapter *t = *state;

	sw_no_servers = true;
	assert_null(service_start(&t->ctx, sw_plugin, &t->e));
	assert_non_null(strstr(t->e.text, "the switch says no"));
	sw_no_servers = false;
	assert_non_null(service_start(&t->ctx, sw_plugin, &t->e));
	service_stop_all(&t->ctx);
	t->ctx.stopping = false;
	tempdir_remove(t->spool);
	assert_null(service_start(&t->ctx, sw_plugin, &t->e));
	assert_non_null(strstr(t->e.text, "cannot make"));
}

/* ---- replies ---- */

static void
replies_that_come_to_nothing(void **state)
{
	static const int over[] = {XMSG_ENOQUEUE, XMSG_ENOENT, XMSG_ELOST};
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);
	static struct xmsg_request r;

	for (size_t i = 0; i < sizeof over / sizeof *over; i++) {
		sw_come(&r, 5, LIST);
		sw_replied(&r, over[i]);
		assert_int_equal(sv->n_tasks, 0);
	}
	assert_true(logtest_take("reply: the switch says no"));
	sw_come(&r, 5, LIST);
	sw_replied(&r, XMSG_ECANCELED); /* it is left to the next process */
	assert_int_equal(sv->n_tasks, 1);
}

static void
a_reply_that_is_refused(void **state)
{
	static const int refused[] = {XMSG_ELIMIT, XMSG_EREFUSED, XMSG_EDENIED};
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);
	static struct xmsg_request r;

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		sw_come(&r, 5, LIST);
		sw_replied(&r, refused[i]);
		assert_string_equal(sw_ops[i].target,
		    "/v1/queues/org.xen.xapi.storage.p/messages/5/reply");
		assert_int_equal(sv->n_tasks, 1);
		sw_done(&sw_ops[i], XMSG_OK, i == 1 ? 500 : 200, "");
		assert_int_equal(sv->n_tasks, 0);
		assert_int_equal(logtest_take("cannot be answered"), i == 1);
	}
	sw_come(&r, 5, LIST);
	sw_replied(&r, XMSG_ELIMIT);
	sw_answer(XMSG_ELOST, 0, "");
	assert_true(logtest_take("cannot be answered: the switch says no"));
	sw_no_names = true;
	sw_come(&r, 5, LIST);
	sw_replied(&r, XMSG_ELIMIT);
	sw_no_names = false;
	sw_no_ops = true;
	sw_come(&r, 5, LIST);
	sw_replied(&r, XMSG_ELIMIT);
	assert_int_equal(sv->n_tasks, 0);
	sw_no_ops = false;
	sw_come(&r, 5, LIST);
	sw_replied(&r, XMSG_ELIMIT);
	sw_answer(XMSG_ECANCELED, 0, "");
	assert_int_equal(sv->n_tasks, 1); /* we end */
	assert_true(logtest_take("was refused: the switch says no"));
}

static void
a_reply_that_cannot_be_sent_yet(void **state)
{
	struct sw_adapter *t = *state;
	static struct xmsg_request r;

	sw_serve(t);
	sw_no_replies = sw_no_timers = true;
	sw_come(&r, 5, LIST);
	assert_true(logtest_take("no timer"));
	sw_no_timers = false;
	service_stop_all(&t->ctx);
	t->ctx.stopping = false;
	sw_serve(t);
	sw_come(&r, 6, LIST);
	assert_string_equal(r.reply, "");
	sw_no_replies = false;
	while (r.fn == NULL)
		sw_turn(t);
	assert_true(logtest_take("reply: the switch says no"));
	sw_replied(&r, XMSG_OK);
}

static void
a_call_is_cancelled_once(void **state)
{
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);
	static struct xmsg_request r;
	struct task *task;

	sw_come(&r, 5, LIST);
	task = service_task(&t->ctx, QUEUE, 5);
	assert_non_null(task);
	task_cancel(task); /* too late: it is being answered */
	assert_false(task->cancelled);
	assert_int_equal(sv->n_tasks, 1);
	sw_replied(&r, XMSG_OK);
	assert_null(service_task(&t->ctx, QUEUE, 5));
	assert_null(service_task(&t->ctx, "other", 5));
}

/* What an adapter before us knew of the call cannot be read: nobody knows
 * whether its scripts ran. */
static void
a_memo_that_cannot_be_read(void **state)
{
	struct sw_adapter *t = *state;
	struct service *sv = sw_serve(t);
	static struct xmsg_request r;

	sw_folder(t, QUEUE, "5");
	sw_folder(t, QUEUE, "5/call"); /* where a file should be */
	sw_come(&r, 5, LIST);
	assert_non_null(strstr(r.reply, "its outcome is unknown"));
	assert_true(logtest_take("its outcome is unknown"));
	sw_replied(&r, XMSG_OK);
	assert_int_equal(sv->n_tasks, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(polls_from_now_and_then_on),
	    TEST(a_cancelled_call_is_ended),
	    TEST(lost_events_make_it_ask),
	    TEST(only_a_clear_no_counts),
	    TEST(a_switch_without_events),
	    TEST(an_answer_that_makes_no_sense),
	    TEST(a_switch_that_is_away_is_asked_again),
	    TEST(a_poll_that_cannot_begin_is_tried_again),
	    TEST(no_timer),
	    TEST(a_poll_without_memory_for_anything),
	    TEST(what_is_left_over_is_removed),
	    TEST(what_cannot_be_removed_is_said),
	    TEST(not_too_many_questions),
	    TEST(questions_that_cannot_be_asked),
	    TEST(a_reply_to_a_plugin_is_taken_off),
	    TEST(a_call_is_answered),
	    TEST(poison_is_refused),
	    TEST(calls_of_a_plugin_that_goes),
	    TEST(a_queue_that_is_not_removed_at_once),
	    TEST(a_plugin_that_comes_back),
	    TEST(a_queue_that_cannot_be_served),
	    TEST(replies_that_come_to_nothing),
	    TEST(a_reply_that_is_refused),
	    TEST(a_reply_that_cannot_be_sent_yet),
	    TEST(a_call_is_cancelled_once),
	    TEST(a_memo_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
