/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * json: every byte survives, escapes as the original writes them, floats as it
 * prints them, and a reader that takes what the original takes and stops at
 * everything else.  Inputs are copied to exactly their size, so that a read
 * beyond the end is seen by the sanitizers.
 */
#include "support/unit.h"

#include <langinfo.h>

#include "json.h"

#define BYTES(s) "" s, sizeof(s) - 1

/* A copy without a terminator. */
static char *
copy(const char *p, size_t n)
{
	char *q = malloc(n ? n : 1);

	assert_non_null(q);
	if (n > 0)
		memcpy(q, p, n);
	return q;
}

/* Read one value and skip it whole; the type, or JSON_BAD. */
static enum json_type
read_all(char *p, size_t n, struct json_in *j)
{
	enum json_type t;

	json_in_init(j, p, n);
	t = json_value(j);
	if (!json_skip(j, t) || !json_finish(j)) {
		assert_non_null(j->reason);
		return JSON_BAD;
	}
	assert_null(j->reason);
	return t;
}

/* ---- writing ---- */

/* Escapes: these and no others. */
static void
json_put_str_escapes_as_the_original(void **state)
{
	static const struct {
		const char *p;
		size_t n;
		const char *out;
	} cases[] = {
	    {BYTES(""), "\"\""},
	    {BYTES("plain"), "\"plain\""},
	    {BYTES("\"\\/"), "\"\\\"\\\\/\""},
	    {BYTES("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\""},
	    {BYTES("\0\x01\x0b\x1f\x7f"),
		"\"\\u0000\\u0001\\u000b\\u001f\\u007f\""},
	    {BYTES("\x80\xff\xc3\xa9"), "\"\x80\xff\xc3\xa9\""},
	    {BYTES("0123456789abcdef\"0123456789abcdef"),
		"\"0123456789abcdef\\\"0123456789abcdef\""},
	};
	struct buf b = BUF_INIT;
	char *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&b);
		p = copy(cases[i].p, cases[i].n);
		json_put_str(&b, (struct str){p, cases[i].n});
		free(p);
		if (!str_eq((struct str){b.p, b.n}, str_of(cases[i].out)))
			fail_msg("%s: %.*s", cases[i].out, (int)b.n, b.p);
	}
	buf_reset(&b);
	json_put_str(&b, (struct str){NULL, 0});
	assert_bytes(b.p, b.n, "\"\"");
	buf_fini(&b);
}

/* Every byte value at every place in a string of 40: found wherever the search
 * by eights may meet it, and read back. */
static void
json_every_byte_survives_at_every_place(void **state)
{
	struct buf b = BUF_INIT;
	struct json_in j;
	char s[40], *p;
	size_t at, n;
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		for (at = 0; at < sizeof s; at++) {
			memset(s, 'a' + (int)(at % 26), sizeof s);
			s[at] = (char)c;
			buf_reset(&b);
			json_put_str(&b, (struct str){s, sizeof s});
			n = sizeof s + 2;
			if (c == '"' || c == '\\' || c == '\b' || c == '\t' ||
			    c == '\n' || c == '\f' || c == '\r')
				n += 1;
			else if (c < 0x20 || c == 0x7f)
				n += 5;
			assert_int_equal(b.n, n);
			p = copy(b.p, b.n);
			assert_int_equal(read_all(p, b.n, &j), JSON_STR);
			assert_int_equal(j.str.n, sizeof s);
			assert_memory_equal(j.str.p, s, sizeof s);
			free(p);
		}
	}
	buf_fini(&b);
}

/* Raw control bytes inside a string are taken too, as the original does. */
static void
json_raw_bytes_in_strings_are_taken(void **state)
{
	struct json_in j;
	char s[3] = "\"_\"";
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		if (c == '"' || c == '\\')
			continue;
		s[1] = (char)c;
		assert_int_equal(read_all(s, 3, &j), JSON_STR);
		assert_int_equal(j.str.n, 1);
		assert_int_equal((unsigned char)j.str.p[0], c);
	}
}

/* A megabyte of all bytes in random order there and back. */
static void
json_large_strings_survive(void **state)
{
	struct buf b = BUF_INIT;
	struct json_in j;
	size_t i, n = 1 << 20;
	char *s = malloc(n);
	uint32_t x = 1;

	(void)state;
	assert_non_null(s);
	for (i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		s[i] = (char)(x >> 24);
	}
	json_put_str(&b, (struct str){s, n});
	assert_true(buf_ok(&b));
	assert_int_equal(read_all(b.p, b.n, &j), JSON_STR);
	assert_int_equal(j.str.n, n);
	assert_memory_equal(j.str.p, s, n);
	free(s);
	buf_fini(&b);
}

/* A full buffer fails and stays failed. */
static void
json_put_str_respects_the_limit(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	b.max = 6;
	json_put_str(&b, STR("ab\n"));
	assert_true(buf_ok(&b));
	buf_reset(&b);
	json_put_str(&b, STR("abc\n"));
	assert_false(buf_ok(&b));
	buf_reset(&b);
	json_put_str(&b, STR("abcde"));
	assert_false(buf_ok(&b));
	buf_fini(&b);
}

static const struct {
	double v;
	const char *out;
} floats[] = {
    {30, "30.0"},
    {0, "0.0"},
    {-1, "-1.0"},
    {-0.0, "-0.0"},
    {0.1, "0.1"},
    {0.5, "0.5"},
    {1795345652.170616, "1795345652.170616"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1e15, "1000000000000000.0"},
    {1e16, "1e+16"},
    {1e22, "1e+22"},
    {1e308, "1e+308"},
    {1e-7, "1e-07"},
    {123456.789, "123456.789"},
    {1.0 / 3, "0.3333333333333333"},
    {5e-324, "4.940656458412465e-324"},
};

/* Floats as the original prints them; each reads back. */
static void
json_put_float_is_shortest(void **state)
{
	struct buf b = BUF_INIT;
	struct json_in j;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof floats / sizeof *floats; i++) {
		buf_reset(&b);
		json_put_float(&b, floats[i].v);
		if (!str_eq((struct str){b.p, b.n}, str_of(floats[i].out)))
			fail_msg("%s: %.*s", floats[i].out, (int)b.n, b.p);
		assert_int_equal(read_all(b.p, b.n, &j), JSON_FLOAT);
		assert_true(j.number == floats[i].v);
	}
	buf_fini(&b);
}

/* A locale with a decimal comma, pretended through --wrap, as the machine may
 * have none. */
static bool comma;

int __wrap_snprintf(char *s, size_t n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int __wrap___snprintf_chk(char *s, size_t n, int flag, size_t size,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
double __real_strtod(const char *s, char **end);
double __wrap_strtod(const char *s, char **end);
char *__real_nl_langinfo(nl_item item);
char *__wrap_nl_langinfo(nl_item item);

/* The first `from` in s becomes `to`. */
static void
swap_point(char *s, char from, char to)
{
	char *p = strchr(s, from);

	if (p != NULL && comma)
		*p = to;
}

/* snprintf in that locale. */
int
__wrap_snprintf(char *s, size_t n, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(s, n, fmt, ap);
	va_end(ap);
	swap_point(s, '.', ',');
	return len;
}

/* The same where the compiler adds a check. */
int
__wrap___snprintf_chk(
    char *s, size_t n, int flag, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	(void)flag;
	assert_true(n <= size);
	va_start(ap, fmt);
	len = vsnprintf(s, n, fmt, ap);
	va_end(ap);
	swap_point(s, '.', ',');
	return len;
}

/* strtod in that locale: stops at a point. */
double
__wrap_strtod(const char *s, char **end)
{
	char tmp[512], *stop;
	double v;

	assert_in_range(strlen(s), 0, sizeof tmp - 1);
	strcpy(tmp, s);
	swap_point(tmp, '.', '!');
	swap_point(tmp, ',', '.');
	v = __real_strtod(tmp, &stop);
	if (end != NULL)
		*end = (char *)s + (stop - tmp);
	return v;
}

/* nl_langinfo in that locale. */
char *
__wrap_nl_langinfo(nl_item item)
{
	static char text[] = ",";

	return comma && item == RADIXCHAR ? text : __real_nl_langinfo(item);
}

/* A program with a decimal comma in its locale gets the same numbers. */
static void
json_floats_ignore_the_locale(void **state)
{
	struct buf b = BUF_INIT;
	struct json_in j;
	char in[] = "2.5";
	double v = 0;

	(void)state;
	comma = true;
	json_put_float(&b, 0.1);
	json_put_float(&b, 30);
	assert_bytes(b.p, b.n, "0.130.0");
	assert_true(json_float(STR("2.5"), &v));
	assert_true(v == 2.5);
	assert_false(json_float(STR("2,5"), &v));
	assert_int_equal(read_all(in, 3, &j), JSON_FLOAT);
	assert_true(j.number == 2.5);
	comma = false;
	buf_fini(&b);
}

/* ---- reading ---- */

/* Numbers by text, as the timeouts in strings and paths come. */
static void
json_float_takes_the_whole_text(void **state)
{
	static const struct {
		const char *p;
		bool ok;
		double v;
	} cases[] = {
	    {"30", true, 30},
	    {"30.", true, 30},
	    {".5", true, 0.5},
	    {"1e3", true, 1000},
	    {"-2.5E-1", true, -0.25},
	    {"+1", true, 1},
	    {"", false, 0},
	    {".", false, 0},
	    {" 1", false, 0},
	    {"1 ", false, 0},
	    {"1,5", false, 0},
	    {"0x10", false, 0},
	    {"nan", false, 0},
	    {"inf", false, 0},
	    {"infinity", false, 0},
	    {"1e400", false, 0},
	    {"-1e400", false, 0},
	    {"1e", false, 0},
	    {"--1", false, 0},
	};
	char digits[402];
	double v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		v = 0;
		if (json_float(str_of(cases[i].p), &v) != cases[i].ok ||
		    (cases[i].ok && v != cases[i].v))
			fail_msg("\"%s\": %g", cases[i].p, v);
	}
	assert_false(json_float((struct str){"1\0", 2}, &v));
	memset(digits, '0', sizeof digits);
	digits[0] = '1';
	digits[1] = '.';
	assert_true(json_float((struct str){digits, 400}, &v));
	assert_false(json_float((struct str){digits, 401}, &v));
}

static const struct {
	const char *p;
	size_t n;
	enum json_type type;
} texts[] = {
    {BYTES("null"), JSON_NULL},
    {BYTES("true"), JSON_BOOL},
    {BYTES(" \t\r\nfalse "), JSON_BOOL},
    {BYTES("0"), JSON_INT},
    {BYTES("-0"), JSON_INT},
    {BYTES("9223372036854775807"), JSON_INT},
    {BYTES("-9223372036854775808"), JSON_INT},
    {BYTES("9223372036854775808"), JSON_FLOAT},
    {BYTES("-9223372036854775809"), JSON_FLOAT},
    {BYTES("123456789012345678901234567890"), JSON_FLOAT},
    {BYTES("0.0"), JSON_FLOAT},
    {BYTES("1e5"), JSON_FLOAT},
    {BYTES("1E+5"), JSON_FLOAT},
    {BYTES("-1.25e-05"), JSON_FLOAT},
    {BYTES("[]"), JSON_ARRAY},
    {BYTES("[ ]"), JSON_ARRAY},
    {BYTES("[1,[2,{\"a\":[]}],\"\"]"), JSON_ARRAY},
    {BYTES("{}"), JSON_OBJECT},
    {BYTES("{ \"a\" : 1 , \"a\" : null }"), JSON_OBJECT},
    {BYTES("/* a */ [ /* b */ 1 /**/ , /***/ 2 ] // end"), JSON_ARRAY},
    {BYTES("// first\n{// x\n\"k\"/*:*/:/*\"*/1}//"), JSON_OBJECT},
    {BYTES("\"\""), JSON_STR},
    {BYTES(""), JSON_END},
    {BYTES("  /* only a comment */ "), JSON_END},
    {BYTES("nul"), JSON_BAD},
    {BYTES("nullx"), JSON_BAD},
    {BYTES("True"), JSON_BAD},
    {BYTES("NaN"), JSON_BAD},
    {BYTES("Infinity"), JSON_BAD},
    {BYTES("-Infinity"), JSON_BAD},
    {BYTES("-"), JSON_BAD},
    {BYTES("+1"), JSON_BAD},
    {BYTES("01"), JSON_BAD},
    {BYTES("-01"), JSON_BAD},
    {BYTES("1."), JSON_BAD},
    {BYTES(".5"), JSON_BAD},
    {BYTES("1e"), JSON_BAD},
    {BYTES("1e+"), JSON_BAD},
    {BYTES("1.e5"), JSON_BAD},
    {BYTES("0x10"), JSON_BAD},
    {BYTES("1e400"), JSON_BAD},
    {BYTES("1 2"), JSON_BAD},
    {BYTES("[1]]"), JSON_BAD},
    {BYTES("[1"), JSON_BAD},
    {BYTES("[1,"), JSON_BAD},
    {BYTES("[1,]"), JSON_BAD},
    {BYTES("[,1]"), JSON_BAD},
    {BYTES("[1 2]"), JSON_BAD},
    {BYTES("[1}"), JSON_BAD},
    {BYTES("]"), JSON_BAD},
    {BYTES("}"), JSON_BAD},
    {BYTES("{"), JSON_BAD},
    {BYTES("{]"), JSON_BAD},
    {BYTES("{\"a\"}"), JSON_BAD},
    {BYTES("{\"a\":}"), JSON_BAD},
    {BYTES("{\"a\":1,}"), JSON_BAD},
    {BYTES("{\"a\":1 \"b\":2}"), JSON_BAD},
    {BYTES("{a:1}"), JSON_BAD},
    {BYTES("{1:1}"), JSON_BAD},
    {BYTES("{\"a\" 1}"), JSON_BAD},
    {BYTES("{\"a"), JSON_BAD},
    {BYTES("{\"a\""), JSON_BAD},
    {BYTES("{\"a\":"), JSON_BAD},
    {BYTES("\""), JSON_BAD},
    {BYTES("\"abc"), JSON_BAD},
    {BYTES("\"\\"), JSON_BAD},
    {BYTES("\"\\\""), JSON_BAD},
    {BYTES("\"\\x\""), JSON_BAD},
    {BYTES("\"\\\0\""), JSON_BAD},
    {BYTES("\"\\u12"), JSON_BAD},
    {BYTES("\"\\u12\""), JSON_BAD},
    {BYTES("\"\\u12g4\""), JSON_BAD},
    {BYTES("'a'"), JSON_BAD},
    {BYTES("/"), JSON_BAD},
    {BYTES("/*"), JSON_BAD},
    {BYTES("/*/"), JSON_BAD},
    {BYTES("[1/]"), JSON_BAD},
    {BYTES("1 /* x"), JSON_BAD},
    {BYTES("\0"), JSON_BAD},
    {BYTES("1\0"), JSON_BAD},
    {BYTES("\xef\xbb\xbf{}"), JSON_BAD},
    {BYTES("\f1"), JSON_BAD},
};

/* Each text of the table, to its end; then cut short at every byte, which must
 * end too, whatever it comes to. */
static void
json_takes_json_and_nothing_else(void **state)
{
	enum json_type t;
	struct json_in j;
	size_t i, cut;
	char *p;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		p = copy(texts[i].p, texts[i].n);
		t = read_all(p, texts[i].n, &j);
		if (t != texts[i].type)
			fail_msg("%s: %d, %s", texts[i].p, t,
			    j.reason ? j.reason : "-");
		assert_in_range(j.pos, 0, texts[i].n);
		free(p);
		for (cut = 0; cut < texts[i].n; cut++) {
			p = copy(texts[i].p, cut);
			read_all(p, cut, &j);
			assert_in_range(j.pos, 0, cut);
			free(p);
		}
	}
}

/* Values of numbers and words. */
static void
json_values_are_right(void **state)
{
	char in[] = "[null,true,false,-7,2.5,9223372036854775808,1e2,"
		    "-9223372036854775808,9223372036854775807]";
	struct json_in j;

	(void)state;
	json_in_init(&j, in, sizeof in - 1);
	assert_int_equal(json_value(&j), JSON_ARRAY);
	assert_int_equal(json_item(&j), JSON_NULL);
	assert_int_equal(json_item(&j), JSON_BOOL);
	assert_true(j.boolean);
	assert_int_equal(json_item(&j), JSON_BOOL);
	assert_false(j.boolean);
	assert_int_equal(json_item(&j), JSON_INT);
	assert_int_equal(j.integer, -7);
	assert_true(j.number == -7);
	assert_int_equal(json_item(&j), JSON_FLOAT);
	assert_true(j.number == 2.5);
	assert_int_equal(json_item(&j), JSON_FLOAT);
	assert_true(j.number == 9223372036854775808.0);
	assert_int_equal(json_item(&j), JSON_FLOAT);
	assert_true(j.number == 100);
	assert_int_equal(json_item(&j), JSON_INT);
	assert_true(j.integer == INT64_MIN);
	assert_int_equal(json_item(&j), JSON_INT);
	assert_true(j.integer == INT64_MAX);
	assert_int_equal(json_item(&j), JSON_END);
	assert_true(json_finish(&j));
}

/* Escapes of the input become bytes. */
static void
json_escapes_are_decoded(void **state)
{
	static const struct {
		const char *in, *out;
		size_t n;
	} cases[] = {
	    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", BYTES("\"\\/\b\f\n\r\t")},
	    {"\"\\u0041\\u00e9\\u20aC\"", BYTES("A\xc3\xa9\xe2\x82\xac")},
	    {"\"\\u0000\"", BYTES("\0")},
	    {"\"\\u007f\\u0080\"", BYTES("\x7f\xc2\x80")},
	    {"\"\\u07ff\\u0800\\uffff\"",
		BYTES("\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
	    {"\"\\ud83d\\ude00\"", BYTES("\xf0\x9f\x98\x80")},
	    {"\"\\uD800\\uDC00\"", BYTES("\xf0\x90\x80\x80")},
	    {"\"\\udbff\\udfff\"", BYTES("\xf4\x8f\xbf\xbf")},
	    {"\"\\ud800\"", BYTES("\xed\xa0\x80")},
	    {"\"\\udfff\"", BYTES("\xed\xbf\xbf")},
	    {"\"\\ud800x\"", BYTES("\xed\xa0\x80x")},
	    {"\"\\ud800\\n\"", BYTES("\xed\xa0\x80\n")},
	    {"\"\\ud800\\u0041\"",
		BYTES("\xed\xa0\x80"
		      "A")},
	    {"\"\\ud800\\ud800\\udc00\"",
		BYTES("\xed\xa0\x80\xf0\x90\x80\x80")},
	    {"\"\\udc00\\ud800\"", BYTES("\xed\xb0\x80\xed\xa0\x80")},
	    {"\"a\\u0020b\\u0020c\"", BYTES("a b c")},
	};
	struct json_in j;
	size_t i, n;
	char *p;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		n = strlen(cases[i].in);
		p = copy(cases[i].in, n);
		if (read_all(p, n, &j) != JSON_STR || j.str.n != cases[i].n ||
		    memcmp(j.str.p, cases[i].out, j.str.n) != 0)
			fail_msg("%s", cases[i].in);
		free(p);
	}
}

/* A high surrogate before a malformed escape is malformed. */
static void
json_surrogate_before_garbage_is_refused(void **state)
{
	static const char *const cases[] = {
	    "\"\\ud800\\u\"",
	    "\"\\ud800\\uzzzz\"",
	    "\"\\ud800\\",
	    "\"\\ud800\\u12",
	};
	struct json_in j;
	size_t i, n;
	char *p;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		n = strlen(cases[i]);
		p = copy(cases[i], n);
		assert_int_equal(read_all(p, n, &j), JSON_BAD);
		free(p);
	}
}

/* Depth at the bound and one beyond, of arrays and of objects. */
static void
json_depth_is_bounded(void **state)
{
	struct buf b = BUF_INIT;
	struct json_in j;
	int depth, i;

	(void)state;
	for (depth = JSON_MAX_DEPTH; depth <= JSON_MAX_DEPTH + 1; depth++) {
		buf_reset(&b);
		for (i = 0; i < depth; i++)
			buf_addc(&b, '[');
		for (i = 0; i < depth; i++)
			buf_addc(&b, ']');
		assert_int_equal(read_all(b.p, b.n, &j),
		    depth == JSON_MAX_DEPTH ? JSON_ARRAY : JSON_BAD);
		buf_reset(&b);
		for (i = 0; i < depth; i++)
			buf_adds(&b, "{\"a\":");
		buf_addc(&b, '1');
		for (i = 0; i < depth; i++)
			buf_addc(&b, '}');
		assert_int_equal(read_all(b.p, b.n, &j),
		    depth == JSON_MAX_DEPTH ? JSON_OBJECT : JSON_BAD);
	}
	buf_reset(&b);
	buf_adds(&b, "[[]");
	for (i = 0; i < 1000; i++)
		buf_adds(&b, ",[]");
	buf_addc(&b, ']');
	assert_int_equal(read_all(b.p, b.n, &j), JSON_ARRAY);
	buf_fini(&b);
}

/* Keys and values in order; what is not wanted is skipped. */
static void
json_objects_are_read_in_order(void **state)
{
	char in[] = "{\"a\":[1,{\"x\":[]}],\"\\u0062\":\"v\\n\",\"\":{}}";
	struct json_in j;
	struct str k1, k2, k3, v;

	(void)state;
	json_in_init(&j, in, sizeof in - 1);
	assert_int_equal(json_value(&j), JSON_OBJECT);
	assert_true(json_key(&j, &k1));
	assert_true(json_skip(&j, json_value(&j)));
	assert_true(json_key(&j, &k2));
	assert_int_equal(json_value(&j), JSON_STR);
	v = j.str;
	assert_true(json_key(&j, &k3));
	assert_int_equal(json_value(&j), JSON_OBJECT);
	assert_false(json_key(&j, &k1));
	assert_false(json_key(&j, &k3));
	assert_null(j.reason);
	assert_true(json_finish(&j));
	assert_bytes(k2.p, k2.n, "b");
	assert_bytes(v.p, v.n, "v\n");
}

/* After a fault everything says so, with the first reason and its place. */
static void
json_fault_sticks(void **state)
{
	char in[] = "[1 2]";
	struct json_in j;
	struct str key;

	(void)state;
	json_in_init(&j, in, sizeof in - 1);
	assert_int_equal(json_value(&j), JSON_ARRAY);
	assert_int_equal(json_item(&j), JSON_INT);
	assert_int_equal(json_item(&j), JSON_BAD);
	assert_int_equal(j.pos, 3);
	assert_string_equal(
	    j.reason, "a comma or a closing bracket is missing");
	assert_int_equal(json_item(&j), JSON_BAD);
	assert_int_equal(json_value(&j), JSON_BAD);
	assert_false(json_key(&j, &key));
	assert_false(json_skip(&j, JSON_ARRAY));
	assert_false(json_finish(&j));
	assert_string_equal(
	    j.reason, "a comma or a closing bracket is missing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json_put_str_escapes_as_the_original),
	    cmocka_unit_test(json_every_byte_survives_at_every_place),
	    cmocka_unit_test(json_raw_bytes_in_strings_are_taken),
	    cmocka_unit_test(json_large_strings_survive),
	    cmocka_unit_test(json_put_str_respects_the_limit),
	    cmocka_unit_test(json_put_float_is_shortest),
	    cmocka_unit_test(json_floats_ignore_the_locale),
	    cmocka_unit_test(json_float_takes_the_whole_text),
	    cmocka_unit_test(json_takes_json_and_nothing_else),
	    cmocka_unit_test(json_values_are_right),
	    cmocka_unit_test(json_escapes_are_decoded),
	    cmocka_unit_test(json_surrogate_before_garbage_is_refused),
	    cmocka_unit_test(json_depth_is_bounded),
	    cmocka_unit_test(json_objects_are_read_in_order),
	    cmocka_unit_test(json_fault_sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
