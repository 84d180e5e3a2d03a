/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Waiting: when plugins are asked again, when folders are looked at.  The clock
 * stands still until the test moves it, and timers fire by that clock, so each
 * time is exact; folders and inotify are real. */
#include "test_plugin_kit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define A  "org.xen.xapi.storage.a"
#define MS NS_PER_MS

/* ---- the clock ---- */

static int64_t now = 1000 * NS_PER_SEC;
static struct {
	struct event *ev;
	int64_t due_ns;
} timers[8];
static unsigned ntimers, armed; /* set now; set so far */

int64_t __wrap_clock_mono_ns(void);
int __real_event_add(struct event *ev, const struct timeval *tv);
int __wrap_event_add(struct event *ev, const struct timeval *tv);
void __real_event_free(struct event *ev);
void __wrap_event_free(struct event *ev);

int64_t
__wrap_clock_mono_ns(void)
{
	return now;
}

/* Take a timer out of the list. */
static void
unset(const struct event *ev)
{
	for (unsigned i = 0; i < ntimers; i++)
		if (timers[i].ev == ev)
			timers[i--] = timers[--ntimers];
}

/* Timers go to our list; other events, and the kit's tick, are real. */
int
__wrap_event_add(struct event *ev, const struct timeval *tv)
{
	if (tv == NULL || event_get_fd(ev) != -1 ||
	    (event_get_events(ev) & EV_PERSIST))
		return __real_event_add(ev, tv);
	unset(ev);
	assert_true(ntimers < sizeof timers / sizeof *timers);
	timers[ntimers].ev = ev;
	timers[ntimers++].due_ns =
	    now + tv->tv_sec * NS_PER_SEC + tv->tv_usec * 1000;
	armed++;
	return 0;
}

void
__wrap_event_free(struct event *ev)
{
	unset(ev);
	__real_event_free(ev);
}

/* Move the clock, and let timers fire on the way, in order. */
static void
pass(struct kit *k, int64_t ns)
{
	int64_t end = now + ns;

	for (;;) {
		unsigned first = 0;
		struct event *ev;
		for (unsigned i = 1; i < ntimers; i++)
			if (timers[i].due_ns < timers[first].due_ns)
				first = i;
		if (ntimers == 0 || timers[first].due_ns > end)
			break;
		if (timers[first].due_ns > now)
			now = timers[first].due_ns;
		ev = timers[first].ev;
		unset(ev);
		event_active(ev, EV_TIMEOUT, 0);
		event_base_loop(k->base, EVLOOP_NONBLOCK);
		plugins_check(k->ps);
	}
	now = end;
}

/* Wait, in real time, until news of a change have come in. */
#define NEWS(k, change)                                                        \
	do {                                                                   \
		unsigned before_ = armed;                                      \
		change;                                                        \
		UNTIL(k, armed > before_);                                     \
	} while (0)

/* Begin, and let what is due at once happen. */
static void
start(struct kit *k)
{
	kit_start(k);
	pass(k, 0);
}

/* ---- asking again ---- */

/* One that fails: 1 s, 2 s, 4 s ... up to the longest wait, to the millisecond;
 * `failures` counts. */
static void
waits_double(void **state)
{
	static const int64_t waits[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct kit *k = *state;

	kit_file(k, "volume/" A "/Plugin.Query", "broken", 0755);
	start(k);
	assert_int_equal(k->probes, 1);
	for (unsigned i = 0; i < sizeof waits / sizeof *waits; i++) {
		struct plugin *p = plugins_find(k->ps, V, A);
		assert_int_equal(p->failures, i + 1);
		pass(k, waits[i] * NS_PER_SEC - MS);
		assert_int_equal(k->probes, i + 1);
		pass(k, MS);
		assert_int_equal(k->probes, i + 2);
	}
	/* the log has said it once */
	assert_true(kit_logged("Failed to register"));
	assert_false(kit_logged("Failed to register"));
}

/* A longest wait that is no power of two, and one below the first. */
static void
longest_wait(void **state)
{
	struct kit *k = *state;

	k->conf.retry_max_ns = 3 * NS_PER_SEC;
	kit_file(k, "volume/" A "/Plugin.Query", "broken", 0755);
	start(k);
	pass(k, 1 * NS_PER_SEC);
	pass(k, 2 * NS_PER_SEC);
	assert_int_equal(k->probes, 3);
	pass(k, 300 * NS_PER_SEC);
	assert_int_equal(k->probes, 103);
	kit_stop(k);
	k->probes = 0;
	k->conf.retry_max_ns = NS_PER_SEC / 2;
	start(k);
	pass(k, 10 * NS_PER_SEC);
	assert_int_equal(k->probes, 21);
}

/* 14: one that waits long is asked at once when it changes, and then waits
 * begin anew; so is it when told to look again. */
static void
a_change_ends_the_wait(void **state)
{
	struct kit *k = *state;

	kit_file(k, "volume/" A "/Plugin.Query", "broken", 0755);
	start(k);
	pass(k, 100 * NS_PER_SEC);
	assert_int_equal(k->probes, 7);
	NEWS(k, kit_file(k, "volume/" A "/Plugin.Query", "worse", 0755));
	pass(k, 20 * MS);
	assert_int_equal(k->probes, 8);
	assert_int_equal(plugins_find(k->ps, V, A)->failures, 1);
	pass(k, 1000 * MS);
	assert_int_equal(k->probes, 9);
	plugins_rescan(k->ps);
	pass(k, 0);
	assert_int_equal(k->probes, 10);
	NEWS(k, kit_plugin(k, "volume/" A));
	pass(k, 300 * MS);
	assert_true(kit_served(k, V, A));
	pass(k, 1000 * NS_PER_SEC);
	assert_int_equal(k->probes, 11);
}

/* A served one that breaks is asked once more after a quarter of a second, then
 * given up, and then waits as any other. */
static void
a_served_one_breaks(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "volume/" A);
	start(k);
	pass(k, NS_PER_SEC);
	NEWS(k, kit_file(k, "volume/" A "/Plugin.Query", "broken", 0755));
	pass(k, 20 * MS);
	assert_int_equal(k->probes, 2);
	pass(k, 249 * MS);
	assert_int_equal(k->probes, 2);
	assert_int_equal(k->gives, 0);
	assert_non_null(plugins_find(k->ps, V, A)->query);
	assert_string_equal(plugins_find(k->ps, V, A)->why, "");
	pass(k, 1 * MS);
	assert_int_equal(k->probes, 3);
	assert_int_equal(k->gives, 1);
	assert_int_equal(plugins_find(k->ps, V, A)->failures, 1);
	pass(k, 999 * MS);
	assert_int_equal(k->probes, 3);
	pass(k, 1 * MS);
	assert_int_equal(k->probes, 4);
}

/* One that changes all the time is not asked more often than every 300 ms. */
static void
not_too_often(void **state)
{
	struct kit *k = *state;
	int64_t begin;

	kit_file(k, "volume/" A "/Plugin.Query", "broken", 0755);
	kit_ageing_ns = 0; /* counts as changed at each look */
	start(k);
	begin = now;
	for (int i = 0; i < 100; i++) {
		NEWS(k, kit_file(k, "volume/" A "/Plugin.Query", "x", 0755));
		pass(k, 20 * MS);
	}
	assert_int_equal(now - begin, 2000 * MS);
	assert_in_range(k->probes, 1 + 5, 1 + 6);
}

/* An answer that comes after a change, and before it is asked again, is about
 * what was there before: good or bad, it is void. */
static void
an_answer_too_late(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "volume/" A);
	k->hold = true;
	start(k);
	assert_int_equal(k->nasked, 1);
	NEWS(k,
	    kit_file(k, "volume/" A "/Plugin.Query",
		"{\"plugin\":\"a\",\"required_api_version\":\"3.0\"}", 0755));
	pass(k, 20 * MS);
	assert_int_equal(k->nasked, 1);
	kit_answer(k);
	assert_int_equal(k->serves, 0);
	pass(k, 279 * MS);
	assert_int_equal(k->nasked, 0);
	pass(k, 1 * MS);
	assert_int_equal(k->nasked, 1);
	kit_answer(k);
	assert_int_equal(k->serves, 1);
	assert_string_equal(plugins_find(k->ps, V, A)->version, "3.0");
}

/* ---- looking ---- */

/* A look waits until it is quiet, but not for ever. */
static void
settling(void **state)
{
	struct kit *k = *state;

	k->conf.settle_ns = 100 * MS;
	start(k);
	NEWS(k, kit_plugin(k, "volume/x.0"));
	pass(k, 99 * MS);
	assert_int_equal(k->probes, 0);
	NEWS(k, kit_plugin(k, "volume/x.1"));
	pass(k, 99 * MS);
	assert_int_equal(k->probes, 0);
	pass(k, 1 * MS);
	assert_int_equal(k->probes, 2);
	/* no quiet: after five times as long */
	NEWS(k, kit_plugin(k, "volume/x.2"));
	for (int i = 0; i < 4; i++) {
		pass(k, 99 * MS);
		NEWS(k, mkdir(kit_path(k, "volume/busy.%d", i), 0755));
	}
	pass(k, 99 * MS);
	assert_int_equal(k->probes, 2);
	NEWS(k, mkdir(kit_path(k, "volume/busy.9"), 0755));
	pass(k, 5 * MS);
	assert_true(kit_served(k, V, "x.2"));
}

/* What no watch tells is found by the slow look: here the target of a script's
 * link, in a folder that is not ours. */
static void
the_slow_look(void **state)
{
	struct kit *k = *state;
	char query[300];

	snprintf(query, sizeof query, GOOD, "a");
	kit_file(k, "elsewhere/in/query", query, 0755);
	assert_int_equal(mkdir(kit_path(k, "volume/x.a"), 0755), 0);
	assert_int_equal(symlink("../../elsewhere/in/query",
			     kit_path(k, "volume/x.a/Plugin.Query")),
	    0);
	start(k);
	assert_true(kit_served(k, V, "x.a"));
	kit_file(k, "elsewhere/in/query",
	    "{\"plugin\":\"a\",\"required_api_version\":\"3.0\"}", 0755);
	kit_turn(k);
	pass(k, 30 * NS_PER_SEC - MS);
	assert_int_equal(k->probes, 1);
	pass(k, MS);
	assert_int_equal(k->probes, 2);
	assert_int_equal(k->serves, 2);
}

/* Without inotify: every rescan_ns; inotify is tried again after 30 looks, and
 * what is said is said once. */
static void
scanning(void **state)
{
	struct kit *k = *state;

	kit_no_inotify = EMFILE;
	k->conf.rescan_ns = 2 * NS_PER_SEC;
	start(k);
	assert_true(kit_logged("it is read every 2000 ms instead"));
	for (int i = 1; i <= 40; i++) {
		kit_file(k, "volume/x.a/Plugin.Query",
		    "{\"plugin\":\"a\",\"required_api_version\":\"5.0\"}",
		    0755);
		pass(k, 2 * NS_PER_SEC - MS);
		assert_int_equal(k->served, 0);
		pass(k, MS);
		assert_int_equal(k->served, 1);
		kit_remove(k, "volume/x.a");
		pass(k, 2 * NS_PER_SEC);
		assert_int_equal(k->served, 0);
	}
	assert_false(kit_logged("instead"));
	assert_int_equal(kit_watches(), 0);
	kit_no_inotify = 0;
	pass(k, 60 * NS_PER_SEC);
	assert_true(kit_logged("is watched again"));
	assert_true(kit_watches() > 4);
	NEWS(k, kit_plugin(k, "volume/x.a"));
	pass(k, 20 * MS);
	assert_int_equal(k->served, 1);
	assert_false(kit_logged("instead"));
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
	    CASE(waits_double),
	    CASE(longest_wait),
	    CASE(a_change_ends_the_wait),
	    CASE(a_served_one_breaks),
	    CASE(not_too_often),
	    CASE(an_answer_too_late),
	    CASE(settling),
	    CASE(the_slow_look),
	    CASE(scanning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
