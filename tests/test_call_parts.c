/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The pieces that calls are made of, with all that plugins and callers may put
 * into them: texts, numbers, URIs, values of any shape, names of folders. */
#include "support/unit.h"

#include <errno.h>

#include "call_int.h"
#include "call_json.h"
#include "call_text.h"
#include "err.h"
#include "gen_smapi.h"
#include "job.h"
#include "outcome.h"
#include "pick.h"
#include "plugin_name.h"
#include "plugin_query.h"
#include "support/logtest.h"
#include "v2.h"

/* JSON of a literal. */
static json_t *
json(const char *text)
{
	json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(v);
	return v;
}

/* Is v that?  Takes v. */
static void
same(json_t *v, const char *text)
{
	json_t *want = json(text);
	char *got;

	assert_non_null(v);
	if (!json_equal(v, want)) {
		got = json_dumps(v, JSON_ENCODE_ANY);
		fail_msg("%s, not %s", got, text);
	}
	json_decref(want);
	json_decref(v);
}

/* ---- URIs ---- */

static void
nbd_addresses(void **state)
{
	static const struct {
		const char *uri, *path; /* NULL: none */
	} rows[] = {
	    {"nbd:unix:/run/x:exportname=a", "/run/x"},
	    {"nbd:unix:/run/x", NULL},
	    {"nbd:unix::exportname=a", NULL},
	    {"nbd:unix:/run/x:name=a", NULL},
	    {"nbd:unix:/run/x:exportname=a:b", NULL},
	    {"nbd+unix:///a?socket=/run/x", "/run/x"},
	    {"nbd+unix:///a?b=c&socket=/run/x&d", "/run/x"},
	    {"NBD+unix:///?socket=%2Frun%2fx#y", "/run/x"},
	    {"nbd+unix:///?socket=%4", "%4"},
	    {"nbd+unix:///?socket=%zz%1g", "%zz%1g"},
	    {"nbd+unix:///?socket=%41%4a%4A", "AJJ"},
	    {"nbd+unix:///?socket=%ff", NULL},
	    {"nbd+unix:///?socket=%00", NULL},
	    {"nbd+unix:///?socket=", NULL},
	    {"nbd+unix:///?sock=/run/x", NULL},
	    {"nbd+unix:///a", NULL},
	    {"nbd+tcp://a?socket=/run/x", NULL},
	    {"/run/x", NULL},
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool is = pick_nbd(rows[i].uri, &b);

		if (is != (rows[i].path != NULL) ||
		    (is &&
			!str_eq((struct str){b.p, b.n}, str_of(rows[i].path))))
			fail_msg("%s: %.*s", rows[i].uri, (int)b.n, b.p);
	}
	buf_fini(&b);
}

static const struct call_datapath *
any_datapath(void *arg, const char *scheme)
{
	static const char *const none[] = {NULL};
	static struct call_datapath d;

	(void)arg;
	d = (struct call_datapath){scheme, none};
	return strcmp(scheme, "b") == 0 ? &d : NULL;
}

static void
the_first_that_is_served(void **state)
{
	static const struct call_world w = {.datapath = any_datapath};
	json_t *uris = json("[7,\"no scheme\",\"a://x\",\"B://y\"]");
	char scheme[PICK_SCHEME];

	(void)state;
	assert_string_equal(pick_uri(&w, uris, NULL, NULL, scheme), "B://y");
	assert_string_equal(scheme, "b");
	assert_string_equal(pick_uri(&w, uris, "a", "X", scheme), "B://y");
	json_decref(uris);
}

static void
domains(void **state)
{
	(void)state;
	same(pick_domain("a-b/c", "0"), "\"u0_a_b_c\"");
	same(pick_domain("a-b/c", "12"), "\"12\"");
}

/* ---- texts and numbers ---- */

static void
numbers_in_strings(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t v;
	} rows[] = {
	    {"9223372036854775807", true, INT64_MAX},
	    {"-9223372036854775808", true, INT64_MIN},
	    {"9223372036854775808", false, 0},
	    {"-9223372036854775809", false, 0},
	    {"-0x8000000000000000", true, INT64_MIN},
	    {"99999999999999999999", false, 0},
	    {"0b101", true, 5},
	    {"0b2", false, 0},
	    {"0o17", true, 15},
	    {"0xFf", true, 255},
	    {"0xg", false, 0},
	    {"1a", false, 0},
	    {"", false, 0},
	    {"-", false, 0},
	    {"0x", false, 0},
	    {"1 ", false, 0},
	};
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (text_int(rows[i].text, &v) != rows[i].good ||
		    (rows[i].good && v != rows[i].v))
			fail_msg("%s: %lld", rows[i].text, (long long)v);
}

static void
integers_that_do_not_fit(void **state)
{
	static const char *const no[] = {"99999999999999999999",
	    "-99999999999999999999", "[99999999999999999999]",
	    "[1,-99999999999999999999]"};
	static const char *const yes[] = {"1e-2", "1E+2", "1.5", "-1.5e3",
	    "99999999999999999999.0", "99999999999999999999e-1"};
	char why[100];
	json_t *v;

	(void)state;
	for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
		assert_null(tree_read(str_of(no[i]), why, sizeof why));
		assert_non_null(strstr(why, "does not fit"));
	}
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		v = tree_read(str_of(yes[i]), why, sizeof why);
		if (!json_is_real(v))
			fail_msg("%s: %s", yes[i], why);
		json_decref(v);
	}
}

/* The head of a text, or its tail, as a string. */
#define IS(s, want)                                                            \
	do {                                                                   \
		struct str got = s;                                            \
		assert_int_equal(got.n, sizeof want - 1);                      \
		assert_memory_equal(got.p, want, got.n);                       \
	} while (0)

static void
characters_are_not_cut(void **state)
{
	(void)state;
	IS(text_head(STR("a\xc3\xa9z"), 4), "a\xc3\xa9z");
	IS(text_head(STR("a\xc3\xa9z"), 3), "a\xc3\xa9");
	IS(text_head(STR("a\xc3\xa9z"), 2), "a");
	IS(text_tail(STR("a\xc3\xa9z"), 3), "\xc3\xa9z");
	IS(text_tail(STR("a\xc3\xa9z"), 2), "z");
	/* bytes that begin no character: so many at most are looked at */
	IS(text_head(STR("\x80\x80\x80\x80"), 2), "");
	IS(text_head(STR("\x80\x80\x80\x80\x80\x80\x80\x80"), 7),
	    "\x80\x80\x80");
	IS(text_tail(STR("\x80\x80\x80\x80"), 2), "");
	IS(text_tail(STR("\x80\x80\x80\x80\x80\x80\x80\x80"), 7),
	    "\x80\x80\x80");
}

static void
paths_into_values(void **state)
{
	json_t *v = json("{\"a\":[{\"b\":7}]}");
	char longer[100];

	(void)state;
	assert_int_equal(json_integer_value(tree_at(v, "a.0.b", 5)), 7);
	assert_null(tree_at(v, "a.1.b", 5));
	memset(longer, 'a', sizeof longer);
	assert_null(tree_at(v, longer, sizeof longer));
	json_decref(v);
}

/* ---- values ---- */

static const struct idl_type a_float = {
    IDL_FLOAT, "float", NULL, NULL, NULL, NULL};
static const struct idl_type an_int = {IDL_INT, "int", NULL, NULL, NULL, NULL};
static const struct idl_type a_pair = {
    IDL_PAIR, "pair", &a_float, &an_int, NULL, NULL};
static const struct idl_type a_list = {
    IDL_LIST, "list", &a_pair, NULL, NULL, NULL};
static const struct idl_field tags[] = {
    {"Yes", &an_int, false}, {"No", NULL, false}, {NULL, NULL, false}};
static const struct idl_type a_variant = {
    IDL_VARIANT, "variant", NULL, NULL, tags, NULL};
static const struct idl_field members[] = {
    {"x", &an_int, false}, {"v", &a_variant, true}, {NULL, NULL, false}};
static const struct idl_type a_record = {
    IDL_RECORD, "record", NULL, NULL, members, NULL};

static void
what_can_be_understood(void **state)
{
	static const struct {
		const struct idl_type *type;
		const char *given, *read; /* NULL: not at all */
	} rows[] = {
	    {&a_float, "7", "7.0"},
	    {&a_float, "\"7.5\"", "7.5"},
	    {&a_float, "\"x\"", NULL},
	    {&a_float, "true", NULL},
	    {&an_int, "\"0x10\"", "16"},
	    {&an_int, "\"x\"", NULL},
	    {&an_int, "null", NULL},
	    {&a_pair, "[1,\"2\"]", "[1.0,2]"},
	    {&a_list, "[[1,2],[\"3\",4]]", "[[1.0,2],[3.0,4]]"},
	    {&a_list, "7", NULL},
	    {&a_variant, "[\"yes\",\"7\"]", "[\"Yes\",7]"},
	    {&a_variant, "[\"yes\"]", NULL},
	    {&a_variant, "\"no\"", "\"No\""},
	    {&a_variant, "[\"maybe\",1]", NULL},
	    {&a_variant, "[7,1]", NULL},
	    {&a_variant, "7", NULL},
	    {&a_record, "{\"X\":\"7\",\"v\":\"NO\"}", "{\"x\":7,\"v\":\"No\"}"},
	    {&a_record, "{\"x\":1}", "{\"x\":1}"},
	    {&a_record, "[1]", NULL},
	    {&a_record, "{\"y\":1}", NULL},
	};
	struct idl_fault f;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *given = json(rows[i].given);
		json_t *v = v2_decode(rows[i].type, given, &f);

		if ((v != NULL) != (rows[i].read != NULL))
			fail_msg("%s as %s", rows[i].given, rows[i].type->name);
		if (v != NULL)
			same(v, rows[i].read);
		json_decref(given);
	}
}

/* The members in the reverse of declared order. */
static void
what_is_turned(void **state)
{
	json_t *given = json("{\"x\":1,\"v\":[\"Yes\",2]}");
	json_t *v = v2_turned(&a_record, given);
	char *text = json_dumps(v, JSON_COMPACT);

	(void)state;
	assert_string_equal(text, "{\"v\":[\"Yes\",2],\"x\":1}");
	free(text);
	json_decref(v);
	json_decref(given);
	given = json("[[1.0,2]]");
	same(v2_turned(&a_list, given), "[[1.0,2]]");
	json_decref(given);
	for (size_t i = 0; i < 3; i++) {
		static const char *const as_they_are[] = {
		    "\"No\"", "[\"No\"]", "[\"Other\",1]"};

		given = json(as_they_are[i]);
		same(v2_turned(&a_variant, given), as_they_are[i]);
		json_decref(given);
	}
}

/* ---- errors ---- */

static void
errors_for_people(void **state)
{
	static const struct {
		const char *error, *code, *text;
	} rows[] = {
	    {"[]", "Internal_error", ""},
	    {"[7]", "Internal_error", ""},
	    {"[\"Unimplemented\",\"x\"]", "Unimplemented", "x"},
	    {"[\"Backend_error\",[\"CODE\",[\"a\",\"b\"]]]", "CODE", "a: b"},
	    {"[\"Backend_error\",[]]", "Backend_error", ""},
	    {"[\"Backend_error\",[\"CODE\",[7,[\"b\"]]]]", "CODE", ": b"},
	    {"[\"Backend_error_with_backtrace\",[\"CODE\",[\"trace\",\"a\"]]]",
		"CODE", "a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *e = json(rows[i].error), *text = v2_error_text(e);

		assert_string_equal(v2_error_code(e), rows[i].code);
		assert_string_equal(json_string_value(text), rows[i].text);
		json_decref(text);
		json_decref(e);
	}
}

static const char *said; /* to people, the last time */

static void
note(void *arg, const char *text)
{
	static char kept[400];

	(void)arg;
	snprintf(kept, sizeof kept, "%s", text);
	said = kept;
}

static void
scripts_that_are_not_found(void **state)
{
	static const struct {
		enum call_found found;
		const char *why, *says;
	} rows[] = {
	    {CALL_NO_DIR, NULL, "no folder"},
	    {CALL_NO_DIR, "it is gone", "it is gone"},
	    {CALL_NOT_EXECUTABLE, NULL, "SCRIPT_NOT_EXECUTABLE"},
	    {CALL_NOT_EXECUTABLE, "chmod it", "chmod it"},
	    {CALL_MISSING, "why", "SCRIPT_MISSING"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct outcome_of of = {
		    .method = &smapi_methods[SMAPI_SR_LS], .note = note};
		struct call_ran r = {.found = rows[i].found,
		    .path = "/p/SR.ls",
		    .why = rows[i].why};
		json_t *error;
		char *text;

		assert_null(outcome_read(&of, &r, &error));
		text = json_dumps(error, 0);
		if (strstr(text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].says, text);
		free(text);
		json_decref(error);
	}
}

/* What a plugin of API 3.0 prints, or leaves out. */
static void
older_plugins(void **state)
{
	static const struct {
		int method;
		const char *printed, *read; /* NULL: an error */
	} rows[] = {
	    {SMAPI_SR_CREATE, "null", "{\"a\":\"b\"}"},
	    {SMAPI_SR_CREATE, "{\"c\":\"d\"}", "{\"c\":\"d\"}"},
	    {SMAPI_VOLUME_STAT, "7", NULL},
	    {SMAPI_SR_LS, "[7]", "[]"}, /* it is left out */
	};
	json_t *params = json("{\"configuration\":{\"a\":\"b\"}}");

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct outcome_of of = {
		    .method = &smapi_methods[rows[i].method],
		    .params = params,
		    .v30 = true,
		    .note = note};
		struct job_result result = {
		    .end = JOB_EXIT, .out = str_of(rows[i].printed)};
		struct call_ran r = {.path = "/p/x", .result = &result};
		json_t *error = NULL, *v = outcome_read(&of, &r, &error);

		if ((v != NULL) != (rows[i].read != NULL))
			fail_msg("%s", rows[i].printed);
		if (v != NULL)
			same(v, rows[i].read);
		else
			json_decref(error);
	}
	json_decref(params);
}

static void
scripts_that_may_be_missing(void **state)
{
	static const struct {
		int method;
		bool v30, may;
	} rows[] = {{SMAPI_VOLUME_SET, true, true},
	    {SMAPI_VOLUME_UNSET, true, true}, {SMAPI_VOLUME_SET, false, false},
	    {SMAPI_VOLUME_STAT, true, false}};
	struct call_ran r = {.found = CALL_MISSING, .path = "/p/x"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct outcome_of of = {
		    .method = &smapi_methods[rows[i].method],
		    .v30 = rows[i].v30,
		    .note = note};
		json_t *error = NULL, *v = outcome_read(&of, &r, &error);

		assert_int_equal(v != NULL, rows[i].may);
		json_decref(v);
		json_decref(error);
	}
}

/* ---- calls ---- */

static const char *
no_version(void *arg)
{
	(void)arg;
	return NULL;
}

static const char *
handle(void *arg, const char *sr)
{
	(void)arg;
	return sr;
}

static int
no_epoch(void *arg, const char *sr, const char *vdi, const char *scheme,
    struct err *e)
{
	(void)arg, (void)sr, (void)vdi, (void)scheme;
	return err_set(e, EIO, "the disk is full");
}

static const struct call_world world = {.sr_handle = handle,
    .version = no_version,
    .epoch_set = no_epoch,
    .note = note};

/* A script ends well, having printed this. */
static enum call_state
printed(struct call *c, const char *text)
{
	struct job_result r = {.end = JOB_EXIT, .out = str_of(text)};
	struct call_ran ran = {.path = "/p/x", .result = &r};

	return call_resume(c, &ran);
}

/* The reply. */
static void
replied(struct call *c, const char *want)
{
	struct str s = call_reply(c);
	char text[600];

	snprintf(text, sizeof text, "%.*s", (int)s.n, s.p);
	assert_string_equal(text, want);
}

static void
a_plugin_that_states_no_version(void **state)
{
	struct call *c = call_new(&world,
	    STR("{\"method\":\"VDI.enable_cbt\",\"id\":1,\"params\":"
		"[{\"sr\":\"s\",\"vdi\":\"v\",\"dbg\":\"D\"}]}"));

	(void)state;
	assert_int_equal(call_go(c), CALL_RUN);
	same(json_incref(call_script(c)->params),
	    "{\"key\":\"v\",\"sr\":\"s\",\"dbg\":\"D\"}");
	assert_int_equal(printed(c, "null"), CALL_DONE);
	replied(c, "{\"result\":null,\"error\":null,\"id\":0}");
	/* ended once more: the failure counts */
	call_fail(c, "Cancelled", "at the switch");
	replied(c,
	    "{\"result\":null,\"error\":[\"Cancelled\",\"at the switch\"],"
	    "\"id\":0}");
	call_free(c);
}

static void
what_is_something(void **state)
{
	static const struct {
		const char *json;
		bool is;
	} rows[] = {{"null", false}, {"false", false}, {"\"\"", false},
	    {"\"x\"", true}, {"true", true}, {"0", true}, {"[]", true}};
	struct call *c = call_new(&world, STR("{}"));

	(void)state;
	assert_false(call_has(c, "v"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_object_set_new(c->vars, "v", json(rows[i].json));
		assert_int_equal(call_has(c, "v"), rows[i].is);
	}
	call_free(c);
}

/* The state cannot be written at the end of an epoch: people are told. */
static void
an_epoch_that_cannot_be_forgotten(void **state)
{
	struct call *c = call_new(&world, STR("{\"method\":\"VDI.stat\"}"));

	(void)state;
	said = NULL;
	assert_int_equal(do_epoch_forget(c), GO_ON);
	assert_non_null(said);
	assert_non_null(strstr(said, "the disk is full"));
	call_free(c);
}

/* ---- folders ---- */

static void
names_of_plugins(void **state)
{
	static const struct {
		const char *path, *shown;
	} rows[] = {
	    {"/a/b.c_d-e+f,g:h@i%j0Z", "/a/b.c_d-e+f,g:h@i%j0Z"},
	    {"", "$''"},
	    {"a b", "$'a b'"},
	    {"it's", "$'it\\'s'"},
	    {"a\\b", "$'a\\\\b'"},
	    {"a\n\xff", "$'a\\x0a\\xff'"},
	    {"{a}", "$'{a}'"},
	};
	char longer[300], shown[PLUGIN_SHOWN];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		plugin_name_show(shown, sizeof shown, rows[i].path);
		assert_string_equal(shown, rows[i].shown);
	}
	memset(longer, 'x', sizeof longer);
	longer[256] = '\0';
	assert_non_null(plugin_name_bad(longer));
	plugin_name_show(shown, 20, longer);
	assert_string_equal(shown, "...xxxxxxxxxxxxxxxx");
	longer[0] = ' ';
	plugin_name_show(shown, 20, longer);
	assert_string_equal(shown, "$' xxxxxxxxxxxx...'");
	longer[255] = '\0';
	assert_null(plugin_name_bad(longer));
	assert_non_null(plugin_name_bad(""));
	assert_non_null(plugin_name_bad("a\n"));
	assert_non_null(plugin_name_bad("a\x7f"));
	assert_non_null(plugin_name_bad("a/b"));
	assert_non_null(plugin_name_bad(".a"));
}

static void
answers_of_plugins(void **state)
{
	struct plugin p = {
	    .kind = PLUGIN_VOLUME, .name = (char[]){"word"}, .version = "5.0"};
	const char *version, **features;
	json_t *v = json("[]");
	struct err e;

	(void)state;
	logtest_clear();
	assert_int_equal(
	    plugin_query_read("x", v, &version, &features, &e), -1);
	assert_non_null(strstr(e.text, "no JSON object"));
	json_decref(v);
	/* a name without a dot, and what the plugin calls itself */
	p.query = json("{\"plugin\":\"word\"}");
	plugin_query_remark(&p);
	assert_int_equal(logtest_left(), 0);
	json_decref(p.query);
	p.query = json("{}");
	plugin_query_remark(&p);
	assert_true(logtest_take("word calls itself nothing"));
	json_decref(p.query);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nbd_addresses),
	    cmocka_unit_test(the_first_that_is_served),
	    cmocka_unit_test(domains),
	    cmocka_unit_test(numbers_in_strings),
	    cmocka_unit_test(integers_that_do_not_fit),
	    cmocka_unit_test(characters_are_not_cut),
	    cmocka_unit_test(paths_into_values),
	    cmocka_unit_test(what_can_be_understood),
	    cmocka_unit_test(what_is_turned),
	    cmocka_unit_test(errors_for_people),
	    cmocka_unit_test(scripts_that_are_not_found),
	    cmocka_unit_test(older_plugins),
	    cmocka_unit_test(scripts_that_may_be_missing),
	    cmocka_unit_test(a_plugin_that_states_no_version),
	    cmocka_unit_test(what_is_something),
	    cmocka_unit_test(an_epoch_that_cannot_be_forgotten),
	    cmocka_unit_test(names_of_plugins),
	    cmocka_unit_test(answers_of_plugins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
