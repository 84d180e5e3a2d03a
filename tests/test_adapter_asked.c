/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the adapter is asked for besides calls, and what it asks of others:
 * observers, operators, data sources. */
#include "support/swtest.h"

#include "control.h"
#include "observer.h"
#include "rrd.h"

/* ---- observer ---- */

static void
observers_come_and_go(void **state)
{
	static const struct {
		const char *name, *request, *reply;
		unsigned count;
	} rows[] = {
	    {"no JSON", "{", "not a JSON-RPC request", 0},
	    {"no uuid", "{\"method\":\"Observer.create\"}", "'uuid'", 0},
	    {"no bool",
		"{\"method\":\"Observer.create\",\"params\":[{\"uuid\":\"a\"}]"
		"}",
		"'bool'", 0},
	    {"off",
		"{\"method\":\"Observer.create\",\"params\":[{\"uuid\":\"a\","
		"\"bool\":false}]}",
		"\"error\":null", 0},
	    {"on, without the list",
		"{\"method\":\"Observer.set_enabled\",\"params\":{\"uuid\":"
		"\"a\","
		"\"bool\":true}}",
		"\"error\":null", 1},
	    {"another",
		"{\"method\":\"Observer.create\",\"params\":[{\"uuid\":\"b\","
		"\"bool\":true}]}",
		"\"error\":null", 2},
	    {"gone",
		"{\"method\":\"Observer.destroy\",\"params\":[{\"uuid\":\"a\"}]"
		"}",
		"\"error\":null", 1},
	    {"gone twice",
		"{\"method\":\"Observer.destroy\",\"params\":[{\"uuid\":\"a\"}]"
		"}",
		"\"error\":null", 1},
	    {"not ours",
		"{\"method\":\"Observer.set_host_id\",\"params\":[{}]}",
		"\"Unimplemented\",\"Observer.set_host_id\"", 1},
	    {"nobody's", "{\"method\":\"Observer.sing\",\"params\":[{}]}",
		"Idl.UnknownMethod", 1},
	};
	struct sw_adapter *t = *state;
	struct observer *o = observer_new(t->ctx.x, &t->e);
	static struct xmsg_request r;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		sw_come(&r, 1, rows[i].request);
		if (strstr(r.reply, rows[i].reply) == NULL)
			fail_msg("%s: %s", rows[i].name, r.reply);
		assert_int_equal(observer_count(o), rows[i].count);
	}
	sw_no_replies = true;
	sw_come(&r, 1, "{}");
	assert_true(r.left);
	observer_free(o);
	observer_free(NULL);
	assert_int_equal(observer_count(NULL), 0);
}

/* There may be so many, and those that are there can be changed. */
static void
observers_are_bounded(void **state)
{
	struct sw_adapter *t = *state;
	struct observer *o = observer_new(t->ctx.x, &t->e);
	static struct xmsg_request r;
	char text[128];
	unsigned n = 0;

	do {
		snprintf(text, sizeof text,
		    "{\"method\":\"Observer.create\",\"params\":[{\"uuid\":"
		    "\"u%u\",\"bool\":true}]}",
		    n++);
		sw_come(&r, 1, text);
		assert_true(n < 100000);
	} while (strstr(r.reply, "too many observers") == NULL);
	assert_int_equal(observer_count(o), n - 1);
	sw_come(&r, 1,
	    "{\"method\":\"Observer.create\",\"params\":[{\"uuid\":\"u0\","
	    "\"bool\":false}]}");
	assert_non_null(strstr(r.reply, "\"error\":null"));
	assert_int_equal(observer_count(o), n - 2);
	observer_free(o);
}

static void
an_observer_without_a_queue(void **state)
{
	struct sw_adapter *t = *state;

	sw_no_servers = true;
	assert_null(observer_new(t->ctx.x, &t->e));
	assert_non_null(strstr(t->e.text, "the switch says no"));
}

static void
a_traced_script(void **state)
{
	char *env[] = {(char[]){"A=1"}, (char[]){"B=2"}, NULL};
	struct sw_adapter *t = *state;
	struct observer *o = observer_new(t->ctx.x, &t->e);
	static struct xmsg_request r;
	struct traced tr;

	assert_false(observer_trace(o, "00-1-2-3", "/p/x", env, &tr));
	sw_come(&r, 1,
	    "{\"method\":\"Observer.create\",\"params\":[{\"uuid\":\"a\","
	    "\"bool\":true}]}");
	assert_false(observer_trace(o, NULL, "/p/x", env, &tr));
	assert_true(observer_trace(o, "00-1-2-3", "/p/x", env, &tr));
	assert_string_equal(tr.argv[2], "/p/x");
	assert_string_equal(tr.env[0], "A=1");
	assert_string_equal(tr.env[1], "B=2");
	assert_string_equal(tr.env[2], "TRACEPARENT=00-1-2-3");
	assert_string_equal(tr.env[3], "PYTHONPATH=/p");
	assert_null(tr.env[5]);
	observer_traced(&tr);
	assert_true(observer_trace(o, "00-1-2-3", "x", NULL, &tr));
	assert_string_equal(tr.env[0], "TRACEPARENT=00-1-2-3");
	assert_string_equal(tr.env[1], "PYTHONPATH=");
	observer_traced(&tr);
	observer_free(o);
}

/* ---- control ---- */

/* The answer to a request; to be freed. */
static json_t *
asked(struct control *c, const char *request)
{
	char *text = control_answer(c, str_of(request));
	json_t *v = json_loads(text, 0, NULL);

	assert_non_null(v);
	free(text);
	return v;
}

/* The text of an error. */
static void
fails(struct control *c, const char *request, const char *tag, const char *why)
{
	json_t *v = asked(c, request), *e = json_object_get(v, "error");

	assert_true(json_is_null(json_object_get(v, "result")));
	assert_string_equal(json_string_value(json_array_get(e, 0)), tag);
	assert_non_null(strstr(json_string_value(json_array_get(e, 1)), why));
	json_decref(v);
}

/* How many there are in the answer. */
static size_t
listed(struct control *c, const char *request)
{
	json_t *v = asked(c, request);
	size_t n = json_array_size(json_object_get(v, "result"));

	assert_true(json_is_null(json_object_get(v, "error")));
	json_decref(v);
	return n;
}

static void
questions_that_make_no_sense(void **state)
{
	struct sw_adapter *t = *state;
	struct control *c = control_new(&t->ctx, &t->e);
	json_t *v;

	fails(c, "{", "Internal_error", "not a JSON-RPC request");
	fails(c, "{\"method\":7}", "Internal_error", "not a JSON-RPC request");
	fails(c, "{\"method\":\"adapter.sing\"}", "Unimplemented",
	    "adapter.sing");
	fails(c, "{\"method\":\"adapter.why\",\"params\":[{}]}",
	    "Internal_error", "`name`");
	fails(c, "{\"method\":\"adapter.why\"}", "Internal_error", "`name`");
	v = asked(c, "{\"method\":\"adapter.srs\",\"id\":\"x\"}");
	assert_string_equal(json_string_value(json_object_get(v, "id")), "x");
	json_decref(v);
	control_free(c);
	control_free(NULL);
}

static void
the_queue_for_operators(void **state)
{
	struct sw_adapter *t = *state;
	struct control *c = control_new(&t->ctx, &t->e);
	static struct xmsg_request r;
	char *name = t->set.control;

	sw_come(&r, 1, "{\"method\":\"adapter.srs\",\"id\":3}");
	assert_string_equal(r.reply, "{\"result\":[],\"error\":null,\"id\":3}");
	sw_no_replies = true;
	sw_come(&r, 1, "{}");
	assert_true(r.left);
	control_free(c);
	sw_no_servers = true;
	assert_null(control_new(&t->ctx, &t->e));
	assert_non_null(strstr(t->e.text, "xmsg.storaged: the switch says no"));
	t->set.control = (char[]){""}; /* none is wanted */
	c = control_new(&t->ctx, &t->e);
	assert_non_null(c);
	assert_int_equal(listed(c, "{\"method\":\"adapter.plugins\"}"), 1);
	control_free(c);
	t->set.control = name;
}

static void
why_a_plugin_is_not_there(void **state)
{
	struct sw_adapter *t = *state;
	struct control *c = control_new(&t->ctx, &t->e);

#define WHY(name)                                                              \
	listed(c,                                                              \
	    "{\"method\":\"adapter.why\",\"params\":[{\"name\":\"" name        \
	    "\"}]}")
	assert_int_equal(WHY(QUEUE), 1);
	assert_int_equal(WHY("p"), 1);
	assert_int_equal(WHY("nobody"), 0);
	sw_no_why = "it is a file";
	assert_int_equal(WHY("nobody"), 1);
	control_free(c);
}

/* Names of folders need not be UTF-8, nor need there be features. */
static void
names_of_any_bytes(void **state)
{
	struct sw_adapter *t = *state;
	struct control *c = control_new(&t->ctx, &t->e);
	char *dir = sw_plugin->dir;
	json_t *v, *p;

	sw_plugin->dir = (char[]){"/a\xff/b"};
	sw_plugin->features = NULL;
	v = asked(c, "{\"method\":\"adapter.plugins\"}");
	p = json_array_get(json_object_get(v, "result"), 0);
	assert_string_equal(
	    json_string_value(json_object_get(p, "dir")), "/a\\xff/b");
	assert_int_equal(json_array_size(json_object_get(p, "features")), 0);
	assert_null(json_object_get(p, "calls")); /* it has no queue */
	json_decref(v);
	sw_plugin->dir = dir;
	control_free(c);
}

static void
load_of_a_plugin(void **state)
{
	struct sw_adapter *t = *state;
	struct control *c;
	static struct xmsg_request r, w;
	json_t *v, *p;

	c = control_new(&t->ctx, &t->e);
	sw_serve(t);
	sw_come(&r, 5, LIST);
	t->ctx.stopping = true;
	sw_come(&w, 6, LIST);
	t->ctx.stopping = false;
	v = asked(c, "{\"method\":\"adapter.plugins\"}");
	p = json_array_get(json_object_get(v, "result"), 0);
	assert_int_equal(json_integer_value(json_object_get(p, "waiting")), 1);
	assert_int_equal(json_integer_value(json_object_get(p, "calls")), 1);
	json_decref(v);
	sw_plugin->kind = PLUGIN_DATAPATH; /* which has none of that */
	v = asked(c, "{\"method\":\"adapter.plugins\"}");
	p = json_array_get(json_object_get(v, "result"), 0);
	assert_null(json_object_get(p, "calls"));
	json_decref(v);
	sw_plugin->kind = PLUGIN_VOLUME;
	v = asked(c, "{\"method\":\"adapter.scripts\"}");
	p = json_object_get(v, "result");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(p, 0), "state")),
	    "replying");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(p, 1), "state")),
	    "waiting");
	json_decref(v);
	control_free(c);
}

static void
calls_that_were(void **state)
{
	static const struct {
		const char *params;
		size_t n;
	} rows[] = {
	    {"{}", 3},
	    {"{\"limit\":2}", 2},
	    {"{\"limit\":-1}", 3},
	    {"{\"limit\":5000}", 3},
	    {"{\"limit\":\"2\"}", 3},
	    {"{\"since\":1}", 3},
	    {"{\"since\":99999999999}", 0},
	    {"{\"since\":-99999999999}", 3},
	    {"{\"since\":\"x\"}", 3},
	    {"{\"failed\":true}", 0},
	    {"{\"methods\":[7,\"sr.*\"]}", 3},
	    {"{\"methods\":[\"VDI.*\"]}", 0},
	};
	struct sw_adapter *t = *state;
	struct control *c;
	static struct xmsg_request r;
	char text[256];

	c = control_new(&t->ctx, &t->e);
	sw_serve(t);
	for (int i = 0; i < 3; i++) {
		sw_come(&r, i + 1, LIST);
		sw_replied(&r, XMSG_OK);
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(text, sizeof text,
		    "{\"method\":\"adapter.calls\",\"params\":[%s]}",
		    rows[i].params);
		if (listed(c, text) != rows[i].n)
			fail_msg("%s", rows[i].params);
	}
	control_free(c);
}

/* ---- rrd ---- */

static void
data_sources_are_told(void **state)
{
	struct sw_adapter *t = *state;

	rrd_tell(&t->ctx, true, "[\"a\",\"b\"]");
	rrd_tell(&t->ctx, false, "[\"a\"]");
	rrd_tell(&t->ctx, true, "{");
	assert_int_equal(sw_n_ops, 3);
	sw_done(&sw_ops[0], XMSG_OK, 0, "{\"error\":null}");
	assert_false(logtest_take("rrd"));
	sw_done(&sw_ops[1], XMSG_OK, 0, "{\"error\":[\"no\"]}");
	assert_true(logtest_take("a data source was refused: {\"error\""));
	sw_done(&sw_ops[2], XMSG_ETIMEDOUT, 0, "");
	assert_true(logtest_take("xcp-rrdd: the switch says no") ||
	    logtest_take("the switch says no"));
	rrd_tell(&t->ctx, true, "[\"a\"]");
	sw_answer(XMSG_ECANCELED, 0, "");
	rrd_tell(&t->ctx, true, "[\"a\"]");
	sw_answer(XMSG_OK, 0, "no JSON");
	assert_true(logtest_take("a data source was refused: no JSON"));
	sw_no_ops = true;
	rrd_tell(&t->ctx, true, "[\"a\"]");
	assert_true(logtest_take("the switch says no"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(observers_come_and_go),
	    TEST(observers_are_bounded),
	    TEST(an_observer_without_a_queue),
	    TEST(a_traced_script),
	    TEST(questions_that_make_no_sense),
	    TEST(the_queue_for_operators),
	    TEST(why_a_plugin_is_not_there),
	    TEST(names_of_any_bytes),
	    TEST(load_of_a_plugin),
	    TEST(calls_that_were),
	    TEST(data_sources_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
