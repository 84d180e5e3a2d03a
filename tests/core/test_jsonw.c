/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* jsonw: whole objects, text that is not UTF-8, and random values read back by
 * a reader that is not ours. */
#include "support/unit.h"

#include <jansson.h>

#include "jsonw.h"
#include "support/rnd.h"

static void
whole_object(void **state)
{
	struct buf b = BUF_INIT;
	struct jsonw w = {&b, false};

	(void)state;
	jsonw_open(&w, NULL, '{');
	jsonw_str(&w, "s", STR("a\"b\n"));
	jsonw_str(&w, "none", (struct str){NULL, 0});
	jsonw_str(&w, "empty", STR(""));
	jsonw_int(&w, "i", INT64_MIN);
	jsonw_bool(&w, "t", true);
	jsonw_bool(&w, "f", false);
	jsonw_null(&w, "n");
	jsonw_open(&w, "list", '[');
	jsonw_int(&w, NULL, 1);
	jsonw_open(&w, NULL, '{');
	jsonw_close(&w, '}');
	jsonw_open(&w, NULL, '[');
	jsonw_close(&w, ']');
	jsonw_int(&w, NULL, 2);
	jsonw_close(&w, ']');
	jsonw_int(&w, "after", 3);
	jsonw_close(&w, '}');
	assert_true(buf_ok(&b));
	assert_bytes(b.p, b.n,
	    "{\"s\":\"a\\\"b\\n\",\"none\":null,\"empty\":\"\","
	    "\"i\":-9223372036854775808,\"t\":true,\"f\":false,\"n\":null,"
	    "\"list\":[1,{},[],2],\"after\":3}");
	buf_fini(&b);
}

static void
seconds(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
	    {0, "0.000000"},
	    {1, "0.000000"},
	    {1000, "0.000001"},
	    {1999, "0.000001"},
	    {999999999, "0.999999"},
	    {1000000000, "1.000000"},
	    {61000500000, "61.000500"},
	    {-1500000000, "-1.500000"},
	    {-1000, "-0.000001"},
	    {INT64_MAX, "9223372036.854775"},
	    {INT64_MIN, "-9223372036.854775"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = BUF_INIT;
		struct jsonw w = {&b, false};

		jsonw_seconds(&w, NULL, cases[i].ns);
		buf_addc(&b, '\0');
		assert_string_equal(b.p, cases[i].text);
		buf_fini(&b);
	}
}

/* Bytes that are no UTF-8 become U+FFFD, one each; the rest stays. */
static void
bad_utf8(void **state)
{
#define R "\xef\xbf\xbd"
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"plain", "plain"},
	    {"\xc3\xa9", "\xc3\xa9"},
	    {"\xe2\x82\xac!", "\xe2\x82\xac!"},
	    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
	    {"a\xff"
	     "b",
		"a" R "b"},
	    {"\x80", R},
	    {"\xc3", R},
	    {"\xc3(", R "("},
	    {"\xe2\x82", R R},
	    {"\xc0\xaf", R R}, /* longer than it must be */
	    {"\xe0\x80\xaf", R R R},
	    {"\xf0\x80\x80\xaf", R R R R},
	    {"\xed\xa0\x80", R R R}, /* half of a pair */
	    {"\xf4\x90\x80\x80", R R R R}, /* beyond the last */
	    {"\xf8\x88\x80\x80\x80", R R R R R},
	    {"ok\xc3\xa9\xfe", "ok\xc3\xa9" R},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = BUF_INIT;
		struct jsonw w = {&b, false};
		json_t *v;

		jsonw_str(&w, NULL, str_of(cases[i].in));
		v = json_loadb(b.p, b.n, JSON_DECODE_ANY, NULL);
		assert_non_null(v);
		assert_string_equal(json_string_value(v), cases[i].out);
		json_decref(v);
		buf_fini(&b);
	}
}

/* Random bytes: always valid JSON, and the same text when it was valid. */
static void
random_text_is_valid(void **state)
{
	struct rnd r = rnd_start("jsonw");

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char in[24];
		size_t n = rnd_below(&r, sizeof in);
		struct buf b = BUF_INIT;
		struct jsonw w = {&b, false};
		json_t *v, *same;

		for (size_t k = 0; k < n; k++)
			in[k] = (char)(rnd_below(&r, 3)
				? rnd_below(&r, 128)
				: 0x80 + rnd_below(&r, 128));
		jsonw_open(&w, NULL, '[');
		jsonw_str(&w, NULL, (struct str){in, n});
		jsonw_close(&w, ']');
		v = json_loadb(b.p, b.n, JSON_ALLOW_NUL, NULL);
		assert_non_null(v);
		same = json_stringn(in, n); /* NULL when it is no UTF-8 */
		if (same != NULL)
			assert_true(json_equal(json_array_get(v, 0), same));
		json_decref(same);
		json_decref(v);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_object),
	    cmocka_unit_test(seconds),
	    cmocka_unit_test(bad_utf8),
	    cmocka_unit_test(random_text_is_valid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
