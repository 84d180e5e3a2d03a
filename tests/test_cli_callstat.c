/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* cli/callstat and cli/select: sums and choices over lists of events. */
#include "support/unit.h"

#include "../cli/callstat.h"
#include "../cli/select.h"

#define CALL(m) STR("{\"method\":\"" m "\",\"params\":[],\"id\":1}")

static void
publish(struct events *l, int64_t id, const char *queue, struct str text)
{
	struct event e = {.type = RING_PUBLISH,
	    .id = id,
	    .queue = str_of(queue),
	    .text = text,
	    .size = (int64_t)text.n,
	    .took_s = -1};

	events_add(l, &e);
}

static void
answer(struct events *l, int64_t re_id, double took_s, bool good)
{
	struct event e = {.type = RING_REPLY,
	    .id = re_id + 1000,
	    .re_id = re_id,
	    .queue = STR("back"),
	    .peer = STR("q"),
	    .text = good ? STR("{\"result\":1,\"error\":null,\"id\":1}")
			 : STR("{\"result\":null,\"error\":[\"E\"],\"id\":1}"),
	    .took_s = took_s};

	events_add(l, &e);
}

static void
times_are_quantiles(void **unused)
{
	struct events l = {0};
	struct callstat *v;
	size_t n;

	(void)unused;
	for (int i = 1; i <= 100; i++)
		publish(&l, i, "q", CALL("A"));
	for (int i = 100; i >= 1; i--)
		answer(&l, i, i, true);
	v = callstat_of(&l, &n);
	assert_int_equal(n, 1);
	assert_string_equal(v[0].queue, "q");
	assert_string_equal(v[0].method, "A");
	assert_int_equal(v[0].calls, 100);
	assert_int_equal(v[0].answered, 100);
	assert_true(v[0].p50_s == 51);
	assert_true(v[0].p99_s == 100);
	assert_true(v[0].max_s == 100);
	callstat_free(v, n);
	events_fini(&l);
}

static void
what_is_open_failed_or_cancelled_is_counted(void **unused)
{
	struct event cancel = {.type = RING_CANCEL, .id = 3, .took_s = -1};
	struct events l = {0};
	struct callstat *v;
	size_t n;

	(void)unused;
	answer(&l, 77, 5, true); /* to what came before the list */
	for (int i = 1; i <= 4; i++)
		publish(&l, i, "q", CALL("A"));
	publish(&l, 9, "other", CALL("A"));
	answer(&l, 1, 0.5, true);
	answer(&l, 2, 0.25, false);
	answer(&l, 2, 0.75, true); /* a second answer does not count */
	events_add(&l, &cancel);
	v = callstat_of(&l, &n);
	assert_int_equal(n, 2);
	assert_int_equal(v[0].calls, 4);
	assert_int_equal(v[0].answered, 2);
	assert_int_equal(v[0].failed, 1);
	assert_int_equal(v[0].cancelled, 1);
	assert_true(v[0].max_s == 0.5);
	assert_string_equal(v[1].queue, "other");
	assert_true(v[1].p50_s < 0);
	callstat_free(v, n);
	events_fini(&l);
}

static void
nothing_gives_nothing(void **unused)
{
	struct events l = {0};
	size_t n = 7;

	(void)unused;
	callstat_free(callstat_of(&l, &n), 0);
	assert_int_equal(n, 0);
}

/* What follows a chosen request is chosen, too. */
static void
events_of_a_chosen_request_follow_it(void **unused)
{
	struct selector s = {.method = "V*",
	    .any = true,
	    .size_max = INT64_MAX,
	    .id_max = INT64_MAX,
	    .limit = INT64_MAX};
	struct event deliver = {
	    .type = RING_DELIVER, .id = 2, .queue = STR("q"), .took_s = -1};
	struct events l = {0};

	(void)unused;
	publish(&l, 1, "q", CALL("SR.scan"));
	publish(&l, 2, "q", CALL("VDI.stat"));
	events_add(&l, &deliver);
	answer(&l, 1, 1, true);
	answer(&l, 2, 1, true);
	select_events(&s, &l);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.v[0].id, 2);
	assert_int_equal(l.v[1].type, RING_DELIVER);
	assert_int_equal(l.v[2].re_id, 2);
	events_drop(&l, 1);
	assert_int_equal(l.n, 2);
	events_drop(&l, 9);
	assert_int_equal(l.n, 0);
	events_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_are_quantiles),
	    cmocka_unit_test(what_is_open_failed_or_cancelled_is_counted),
	    cmocka_unit_test(nothing_gives_nothing),
	    cmocka_unit_test(events_of_a_chosen_request_follow_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
