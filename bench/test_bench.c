/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the measuring tools compute: percentiles, answers, reports. */
#include "support/unit.h"

#include <unistd.h>

#include "hist.h"
#include "proc.h"
#include "reply.h"
#include "report.h"
#include "resp.h"

/* Small durations are exact. */
static void
hist_is_exact_for_small(void **state)
{
	struct hist h;
	int i;

	(void)state;
	hist_init(&h);
	assert_int_equal(hist_at(&h, 0.5), 0);
	for (i = 1; i <= 50; i++)
		hist_add(&h, i);
	assert_int_equal(hist_at(&h, 0.5), 25);
	assert_int_equal(hist_at(&h, 0), 1);
	assert_int_equal(hist_at(&h, 1), 50);
	assert_int_equal(h.n, 50);
}

/* Large ones are at most 1.6 % too long, never too short. */
static void
hist_errs_upwards_a_little(void **state)
{
	int64_t ns;

	(void)state;
	for (ns = 1; ns < INT64_C(1000000000000); ns = ns * 3 / 2 + 1) {
		struct hist h;
		int64_t got;

		hist_init(&h);
		hist_add(&h, ns);
		hist_add(&h, INT64_C(1) << 42); /* so that max does not clip */
		got = hist_at(&h, 0.5);
		assert_true(got >= ns);
		assert_true(got <= ns + ns / 60);
	}
}

/* Merging is as adding one by one; beyond the last slot max is still right. */
static void
hist_merges(void **state)
{
	struct hist a, b;

	(void)state;
	hist_init(&a);
	hist_init(&b);
	hist_add(&a, 10);
	hist_add(&b, 20);
	hist_add(&b, INT64_MAX);
	hist_add(&b, -5);
	hist_merge(&a, &b);
	assert_int_equal(a.n, 4);
	assert_int_equal(a.max, INT64_MAX);
	assert_int_equal(hist_at(&a, 0.25), 0);
	assert_int_equal(hist_at(&a, 0.75), 20);
}

/* An answer split anywhere is the same answer. */
static void
reply_comes_in_pieces(void **state)
{
	static const char whole[] =
	    "HTTP/1.1 200 OK\r\nX-Y: 1\r\nContent-Length: 5\r\n\r\nab\r\n\r";
	struct reply r;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof whole - 1; n++)
		assert_int_equal(reply_parse(&r, whole, n), REPLY_MORE);
	assert_int_equal(reply_parse(&r, whole, n), REPLY_OK);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.total, n);
	assert_bytes(r.body.p, r.body.n, "ab\r\n\r");
}

/* What is not an answer with a length is said to be none. */
static void
reply_refuses_rubbish(void **state)
{
	static const char *const bad[] = {
	    "GET / HTTP/1.1\r\n\r\n",
	    "HTTP/1.1 200 OK\r\n\r\n",
	    "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
	    "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
	    "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n",
	    "HTTP/1.\r\n\r\n",
	};
	struct reply r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(
		    reply_parse(&r, bad[i], strlen(bad[i])), REPLY_BAD);
}

/* Messages of both kinds, and the cursor. */
static void
scan_reads_messages(void **state)
{
	static const char body[] =
	    "{\"messages\":[[[\"q\",7],{\"payload\":\"p1\",\"kind\":"
	    "[\"Request\",\"me\"]}],[[\"q\",9],{\"payload\":\"\",\"kind\":"
	    "[\"Response\",[\"r\",3]]}]],\"next\":\"9\"}";
	struct message m;
	struct scan s;

	(void)state;
	reply_scan(&s, (struct str){body, sizeof body - 1});
	assert_true(reply_message(&s, &m));
	assert_bytes(m.queue.p, m.queue.n, "q");
	assert_int_equal(m.id, 7);
	assert_bytes(m.payload.p, m.payload.n, "p1");
	assert_false(m.response);
	assert_bytes(m.to.p, m.to.n, "me");
	assert_true(reply_message(&s, &m));
	assert_int_equal(m.id, 9);
	assert_true(m.response);
	assert_bytes(m.to.p, m.to.n, "r");
	assert_int_equal(m.re_id, 3);
	assert_false(reply_message(&s, &m));
	assert_false(s.bad);
	assert_int_equal(s.next, 9);
}

/* Cut short anywhere, it is bad and says no more messages. */
static void
scan_notices_a_cut(void **state)
{
	static const char body[] =
	    "{\"messages\":[[[\"q\",7],{\"payload\":\"p1\",\"kind\":"
	    "[\"Request\",\"me\"]}]],\"next\":\"-1\"}";
	struct message m;
	struct scan s;
	size_t n;

	(void)state;
	for (n = 0; n <= sizeof body - 1; n++) {
		reply_scan(&s, (struct str){body, n});
		while (reply_message(&s, &m))
			;
		assert_int_equal(s.bad, n < sizeof body - 1);
	}
	assert_int_equal(s.next, -1);
}

/* The answer of a send. */
static void
sent_is_understood(void **state)
{
	int64_t id = 0;

	(void)state;
	assert_int_equal(reply_sent(STR("[[\"q\",42]]"), &id), 1);
	assert_int_equal(id, 42);
	assert_int_equal(reply_sent(STR("[]"), &id), 0);
	assert_int_equal(reply_sent(STR("[[\"q\",42]"), &id), -1);
	assert_int_equal(reply_sent(STR("[[\"q\",42]] "), &id), -1);
	assert_int_equal(reply_sent(STR(""), &id), -1);
}

/* The JSON object is one line whatever the text. */
static void
report_makes_one_line_of_json(void **state)
{
	struct report r;

	(void)state;
	report_init(&r);
	report_text(&r, "a", "x\"y\\z\nw", "label");
	report_int(&r, "b", -3, NULL);
	report_num(&r, "c", 1.0 / 0.0, NULL);
	report_num(&r, "d", 2.5, "two and a half");
	assert_bytes(r.json.p, r.json.n,
	    "{\"a\":\"x\\\"y\\\\z w\",\"b\":-3,\"c\":0.000,\"d\":2.500");
	report_fini(&r);
}

static const char stream[] = "*1\r\n*2\r\n$1\r\nq\r\n*2\r\n"
			     "*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\np\r\n$2\r\na\n\r\n"
			     "*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\np\r\n$0\r\n\r\n";

/* A value is taken only when all of it is there, and nothing after it. */
static void
resp_waits_for_the_whole(void **state)
{
	char two[2 * sizeof stream];
	size_t i;

	(void)state;
	snprintf(two, sizeof two, "%s:1\r\n", stream);
	for (i = 0; i < sizeof stream - 1; i++)
		assert_int_equal(resp_whole(two, i), 0);
	assert_int_equal(resp_whole(two, i), i);
	assert_int_equal(resp_whole(two, strlen(two)), i);
	assert_int_equal(resp_whole(":1\r\n", 4), 4);
	assert_int_equal(resp_whole("$-1\r\n", 5), 5);
	assert_int_equal(resp_whole("\r", 1), 0);
}

/* Entries of a stream. */
static void
resp_reads_entries(void **state)
{
	struct str in = {stream, sizeof stream - 1}, id, value;

	(void)state;
	assert_int_equal(resp_entries(&in), 2);
	assert_true(resp_entry(&in, &id, &value));
	assert_bytes(id.p, id.n, "1-0");
	assert_bytes(value.p, value.n, "a\n");
	assert_true(resp_entry(&in, &id, &value));
	assert_bytes(id.p, id.n, "2-0");
	assert_int_equal(value.n, 0);
	assert_int_equal(in.n, 0);
	assert_false(resp_entry(&in, &id, &value));
	in = STR("-ERR no\r\n");
	assert_int_equal(resp_entries(&in), -1);
}

/* Both ways to ask for the time of a process agree: it is counted once. */
static void
proc_counts_each_thread_once(void **state)
{
	int64_t own = proc_own_cpu_us(), told, tree, spent;

	(void)state;
	do
		spent = proc_own_cpu_us() - own;
	while (spent < 200000);
	own = proc_own_cpu_us();
	told = proc_cpu_us(getpid());
	tree = proc_tree_cpu_us(getpid());
	assert_in_range(told, own / 2, own * 3 / 2);
	assert_in_range(tree, own / 2, own * 3 / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hist_is_exact_for_small),
	    cmocka_unit_test(hist_errs_upwards_a_little),
	    cmocka_unit_test(hist_merges),
	    cmocka_unit_test(reply_comes_in_pieces),
	    cmocka_unit_test(reply_refuses_rubbish),
	    cmocka_unit_test(scan_reads_messages),
	    cmocka_unit_test(scan_notices_a_cut),
	    cmocka_unit_test(sent_is_understood),
	    cmocka_unit_test(resp_waits_for_the_whole),
	    cmocka_unit_test(resp_reads_entries),
	    cmocka_unit_test(report_makes_one_line_of_json),
	    cmocka_unit_test(proc_counts_each_thread_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
