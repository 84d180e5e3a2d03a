/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What is told about a call besides its reply, and the pieces below: texts,
 * numbers, URIs. */
#include "support/unit.h"

#include "call_json.h"
#include "call_text.h"
#include "gen_smapi.h"
#include "pick.h"
#include "support/callcase.h"

#define TP "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/* A world that has attached every SR, and nothing else. */
static const char *
any_handle(void *arg, const char *sr)
{
	(void)arg;
	return sr;
}

/* The newest one. */
static const char *
newest(void *arg)
{
	(void)arg;
	return "5.0";
}

/* Nobody listens. */
static void
no_note(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static const struct call_world world = {
    .sr_handle = any_handle, .version = newest, .note = no_note};

/* A call of VDI.enable_cbt with a dbg (as JSON). */
static struct call *
call_with(const char *dbg)
{
	char text[700];
	struct call *c;

	snprintf(text, sizeof(text),
	    "{\"method\":\"VDI.enable_cbt\",\"id\":1,\"params\":"
	    "[{\"sr\":\"s\",\"vdi\":\"v\",\"dbg\":%s}]}",
	    dbg);
	c = call_new(&world, str_of(text));
	assert_non_null(c);
	return c;
}

/* ---- dbg ---- */

static const struct {
	const char *dbg, *line, *trace;
} dbgs[] = {
    {"\"D\"", "D", NULL},
    {"\"\"", "", NULL},
    {"5", "", NULL},
    {"\"D\\n" TP "\"", "D", TP},
    {"\"D\\n{\\\"traceparent\\\":\\\"" TP "\\\",\\\"baggage\\\":null}\"", "D",
	TP},
    {"\"D\\n{\\\"traceparent\\\":null}\"", "D", NULL},
    {"\"D\\n{\\\"traceparent\\\":5}\"", "D", NULL},
    {"\"D\\n[\\\"" TP "\\\"]\"", "D", NULL},
    {"\"D\\n" TP "\\nx\"", "D", NULL},
    {"\"D\\n" TP "x\"", "D", NULL},
    {"\"D\\n00-short\"", "D", NULL},
    {"\"D\\n00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01\"", "D",
	NULL},
    {"\"D\\n\"", "D", NULL},
};

/* The first line, and what is good for an environment. */
static void
dbg_is_taken_apart(void **state)
{
	struct call *c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(dbgs) / sizeof(dbgs[0]); i++) {
		c = call_with(dbgs[i].dbg);
		assert_string_equal(call_dbg(c), dbgs[i].line);
		if (dbgs[i].trace != NULL)
			assert_string_equal(call_traceparent(c), dbgs[i].trace);
		else
			assert_null(call_traceparent(c));
		call_free(c);
	}
}

/* As much as fits, whole characters. */
static void
a_long_dbg_is_cut(void **state)
{
	char dbg[500] = "\"a", *s = dbg + 2;
	struct call *c;
	int i;

	(void)state;
	for (i = 0; i < 100; i++, s += 2)
		memcpy(s, "\xc3\xa9", 3);
	memcpy(s, "\"", 2);
	c = call_with(dbg);
	assert_int_equal(strlen(call_dbg(c)), 159);
	assert_int_equal((unsigned char)call_dbg(c)[158], 0xa9);
	call_free(c);
}

/* ---- the rest ---- */

/* Method, SR, step, error. */
static void
a_call_tells_about_itself(void **state)
{
	struct call *c = call_with("\"D\"");
	const char *text;

	(void)state;
	assert_string_equal(call_method(c), "VDI.enable_cbt");
	assert_string_equal(call_sr(c), "s");
	assert_true(call_idempotent(c));
	assert_int_equal(call_go(c), CALL_RUN);
	assert_int_equal(call_go(c), CALL_RUN);
	assert_string_equal(call_script(c)->method->name, "Volume.enable_cbt");
	assert_null(call_script(c)->datapath);
	call_fail(c, "Internal_error", "given up");
	assert_int_equal(call_go(c), CALL_DONE);
	assert_string_equal(call_error(c, &text), "Internal_error");
	assert_string_equal(text, "given up");
	assert_bytes(call_reply(c).p, call_reply(c).n,
	    "{\"result\":null,\"error\":[\"Internal_error\",\"given up\"],"
	    "\"id\":0}");
	call_fail(c, "Cancelled", "by me");
	assert_bytes(call_reply(c).p, call_reply(c).n,
	    "{\"result\":null,\"error\":[\"Cancelled\",\"by me\"],\"id\":0}");
	call_free(c);
	call_free(NULL);
}

/* One sentence, without the backtrace. */
static void
errors_have_a_text(void **state)
{
	static const struct str out =
	    STR("{\"code\":\"C\",\"params\":[\"a\",\"b\"],"
		"\"backtrace\":{\"error\":\"e\",\"files\":[],\"lines\":[]}}");
	struct job_result j = {.end = JOB_EXIT, .code = 1, .out = out};
	struct call_ran r = {.path = "/p", .result = &j};
	struct call *c = call_with("\"D\"");
	const char *text;

	(void)state;
	assert_int_equal(call_go(c), CALL_RUN);
	assert_int_equal(call_resume(c, &r), CALL_DONE);
	assert_int_equal(call_resume(c, &r), CALL_DONE);
	assert_string_equal(call_error(c, &text), "C");
	assert_string_equal(text, "a: b");
	call_free(c);
	c = call_with("\"D\"");
	j = (struct job_result){.end = JOB_SIGNAL, .code = 9};
	assert_int_equal(call_go(c), CALL_RUN);
	assert_int_equal(call_resume(c, &r), CALL_DONE);
	assert_string_equal(call_error(c, &text), "SCRIPT_FAILED");
	assert_string_equal(text, "/p: signalled: SIGKILL: : ");
	call_free(c);
	c = call_with("\"D\"");
	j = (struct job_result){.end = JOB_EXIT, .out = STR("null")};
	assert_int_equal(call_go(c), CALL_RUN);
	assert_int_equal(call_resume(c, &r), CALL_DONE);
	assert_null(call_error(c, &text));
	assert_string_equal(text, "");
	call_free(c);
}

/* Names that nothing is known of are told as they are. */
static void
nonsense_tells_little(void **state)
{
	struct call *c = call_new(&world, STR("{\"method\":\"x\""));

	(void)state;
	assert_non_null(c);
	assert_string_equal(call_method(c), "");
	assert_string_equal(call_sr(c), "");
	assert_true(call_idempotent(c));
	assert_int_equal(call_go(c), CALL_DONE);
	call_free(c);
}

/* ---- pieces ---- */

static const struct {
	const char *text;
	bool good;
	int64_t value;
} ints[] = {
    {"0", true, 0},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775807", true, INT64_MAX},
    {"9223372036854775808", false, 0},
    {"0xFf", true, 255},
    {"-0o17", true, -15},
    {"0B101", true, 5},
    {"0b2", false, 0},
    {"0x", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {" 1", false, 0},
    {"1.0", false, 0},
    {"+1", false, 0},
};

/* Decimal and with a prefix. */
static void
integers_in_strings(void **state)
{
	int64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		assert_int_equal(text_int(ints[i].text, &v), ints[i].good);
		if (ints[i].good)
			assert_true(v == ints[i].value);
	}
}

static const char *const same[] = {
    "null",
    "[true,false,0,-1,9223372036854775807,-9223372036854775808]",
    "[1.0,0.1,-0.5,1e+300,2.5e-07]",
    "{\"b\":{},\"a\":[],\"\":\"\\u0001\\u007f\\\"\\\\/\\b\\f\\n\\r\\t\"}",
    "\"\xf0\x9f\x98\x80\"",
};

/* What is read is written again, byte for byte. */
static void
text_survives(void **state)
{
	struct buf b = BUF_INIT;
	char why[200];
	json_t *v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		v = tree_read(str_of(same[i]), why, sizeof(why));
		assert_non_null(v);
		buf_reset(&b);
		tree_write(&b, v);
		buf_addc(&b, '\0');
		assert_string_equal(b.p, same[i]);
		json_decref(v);
	}
	buf_fini(&b);
}

/* Any bytes become UTF-8. */
static void
bytes_become_text(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} rows[] = {
	    {STR("plain"), "plain"},
	    {STR("a\0b"),
		"a\xef\xbf\xbd"
		"b"},
	    {STR("\x80\xc3"), "\xef\xbf\xbd\xef\xbf\xbd"},
	    {STR("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd"},
	    {STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {STR("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf"},
	    {STR("\xf4\x90\x80\x80"),
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	};
	json_t *v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		v = tree_text(rows[i].in);
		assert_string_equal(json_string_value(v), rows[i].out);
		json_decref(v);
	}
}

/* Schemes are compared in lower case, and are bounded. */
static void
schemes_of_uris(void **state)
{
	static const struct {
		const char *uri, *scheme;
	} rows[] = {
	    {"raw+file:///x", "raw+file"},
	    {"TapDisk:x", "tapdisk"},
	    {"a.b-9+:", "a.b-9+"},
	    {":x", NULL},
	    {"9p://x", NULL},
	    {"no", NULL},
	    {"", NULL},
	    {"a b:x", NULL},
	    {"\xc3\xa9:x", NULL},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:"
	     "x",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"a"},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:"
	     "x",
		NULL},
	};
	char scheme[PICK_SCHEME];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    pick_scheme(rows[i].uri, scheme), rows[i].scheme != NULL);
		if (rows[i].scheme != NULL)
			assert_string_equal(scheme, rows[i].scheme);
	}
}

/* Data sources that are no UTF-8 or nothing are none. */
static void
rrd_sources(void **state)
{
	static const struct {
		const char *uri, *id;
	} rows[] = {
	    {"xeno+shm:///a", "a"},
	    {"XENO+SHM:/a?b", "a"},
	    {"xeno+shm://h/a%2", "a%2"},
	    {"xeno+shm:///%FF", NULL},
	    {"xeno+shm:///a%00", NULL},
	    {"xeno+shm://", NULL},
	    {"file:///a", NULL},
	};
	struct buf id = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    pick_rrd(rows[i].uri, &id), rows[i].id != NULL);
		if (rows[i].id == NULL)
			continue;
		assert_int_equal(id.n, strlen(rows[i].id));
		assert_memory_equal(id.p, rows[i].id, id.n);
	}
	buf_fini(&id);
}

/* What there is to know. */
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dbg_is_taken_apart),
	    cmocka_unit_test(a_long_dbg_is_cut),
	    cmocka_unit_test(a_call_tells_about_itself),
	    cmocka_unit_test(errors_have_a_text),
	    cmocka_unit_test(nonsense_tells_little),
	    cmocka_unit_test(integers_in_strings),
	    cmocka_unit_test(text_survives),
	    cmocka_unit_test(bytes_become_text),
	    cmocka_unit_test(schemes_of_uris),
	    cmocka_unit_test(rrd_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
