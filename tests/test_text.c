/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* lib/text: foreign text made safe, cutting, message ids, summaries. */
#include "support/unit.h"

#include "text.h"

#define S(lit)                                                                 \
	{                                                                      \
		lit, sizeof(lit) - 1                                           \
	}

/* Where what is shown begins and ends. */
static void
text_edges_of_what_is_shown(void **state)
{
	static const struct {
		struct str in;
		const char *shown; /* NULL: as it is */
	} rows[] = {
	    {S("\xc2\x9f"), "\\u{9f}"},
	    {S("\xc2\xa0"), NULL},
	    {S("\xd8\x9b"), NULL},
	    {S("\xd8\x9c"), "\\u{61c}"},
	    {S("\xd8\x9d"), NULL},
	    {S("\xe2\x80\x8d"), NULL},
	    {S("\xe2\x80\x8e"), "\\u{200e}"},
	    {S("\xe2\x80\x8f"), "\\u{200f}"},
	    {S("\xe2\x80\x90"), NULL},
	    {S("\xe2\x80\xa7"), NULL},
	    {S("\xe2\x80\xa8"), "\\u{2028}"},
	    {S("\xe2\x80\xae"), "\\u{202e}"},
	    {S("\xe2\x80\xaf"), NULL},
	    {S("\xe2\x81\xa5"), NULL},
	    {S("\xe2\x81\xa6"), "\\u{2066}"},
	    {S("\xe2\x81\xa9"), "\\u{2069}"},
	    {S("\xe2\x81\xaa"), NULL},
	    {S("\xef\xbb\xbe"), NULL},
	    {S("\xef\xbb\xbf"), "\\u{feff}"},
	    {S("\xef\xbc\x80"), NULL},
	    {S("\xed\x9f\xbf"), NULL}, /* before the surrogates */
	    {S("\xed\xbf\xbf"), "\\xed\\xbf\\xbf"},
	    {S("\xee\x80\x80"), NULL}, /* behind them */
	    {S("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf"}, /* too long */
	    {S("\xf0\x8f\xbf\xbf"), "\\xf0\\x8f\\xbf\\xbf"},
	    {S("\xf4\x8f\xbf\xbf"), NULL}, /* the last one */
	    {S("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"},
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *want = rows[i].shown ? rows[i].shown : rows[i].in.p;

		buf_reset(&b);
		text_put(&b, rows[i].in);
		buf_addc(&b, '\0');
		if (strcmp(b.p, want) != 0)
			fail_msg("%zu: %s instead of %s", i, b.p, want);
	}
	buf_fini(&b);
}

/* What a terminal, and a JSON reader, get to see of each. */
static void
text_is_made_safe(void **state)
{
	static const struct {
		const char *name;
		struct str in;
		const char *shown, *json;
	} rows[] = {
	    {"plain", S("SR.attach"), "SR.attach", "\"SR.attach\""},
	    {"empty", S(""), "", "\"\""},
	    {"UTF-8", S("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f",
		"\"gr\xc3\xbc\xc3\x9f\""},
	    {"controls", S("a\nb\tc\rd"), "a\\nb\\tc\\rd",
		"\"a\\u000ab\\u0009c\\u000dd\""},
	    {"escape sequence", S("\033[2Jx"), "\\e[2Jx", "\"\\u001b[2Jx\""},
	    {"NUL and DEL", S("a\0b\x7f"), "a\\x00b\\x7f",
		"\"a\\u0000b\\u007f\""},
	    {"C1",
		S("\xc2\x9b"
		  "31m"),
		"\\u{9b}31m", "\"\\u009b31m\""},
	    {"direction",
		S("a\xe2\x80\xae"
		  "b"),
		"a\\u{202e}b", "\"a\\u202eb\""},
	    {"no UTF-8", S("\xff\xc3"), "\\xff\\xc3",
		"\"\xef\xbf\xbd\xef\xbf\xbd\""},
	    {"overlong", S("\xc0\xaf"), "\\xc0\\xaf",
		"\"\xef\xbf\xbd\xef\xbf\xbd\""},
	    {"surrogate", S("\xed\xa0\x80"), "\\xed\\xa0\\x80",
		"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	    {"quotes", S("\"\\"), "\"\\", "\"\\\"\\\\\""},
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		buf_reset(&b);
		text_put(&b, rows[i].in);
		buf_addc(&b, '\0');
		if (strcmp(b.p, rows[i].shown) != 0)
			fail_msg("%s: got %s", rows[i].name, b.p);
		buf_reset(&b);
		text_json(&b, rows[i].in);
		buf_addc(&b, '\0');
		if (strcmp(b.p, rows[i].json) != 0)
			fail_msg("%s: got %s", rows[i].name, b.p);
	}
	buf_fini(&b);
}

/* No byte that moves a cursor comes out, whatever goes in. */
static void
text_of_any_bytes_is_printable(void **state)
{
	char in[4];
	struct buf b = BUF_INIT;

	(void)state;
	for (unsigned v = 0; v < 65536; v++) {
		in[0] = (char)(v >> 8);
		in[1] = (char)v;
		in[2] = (char)(v * 7);
		buf_reset(&b);
		text_put(&b, (struct str){in, 3});
		for (size_t i = 0; i < b.n; i++) {
			unsigned char c = (unsigned char)b.p[i];

			assert_true(c >= 0x20 && c != 0x7f);
			/* C1 as UTF-8 */
			if (c == 0xc2)
				assert_true((unsigned char)b.p[i + 1] >= 0xa0);
		}
	}
	buf_fini(&b);
}

/* Cutting counts characters, and never cuts one. */
static void
text_fit_cuts_characters(void **state)
{
	static const struct {
		const char *in;
		size_t width;
		bool keep_end;
		const char *out;
	} rows[] = {
	    {"short", 10, false, "short"},
	    {"exactly", 7, true, "exactly"},
	    {"org.xen.zfs", 8, true, "..en.zfs"},
	    {"org.xen.zfs", 8, false, "org.xe.."},
	    {"abcdef", 4, false, "abcd"},
	    {"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", 5, true,
		"..\xc3\xbc\xc3\xbc\xc3\xbc"},
	    {"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", 5, false,
		"\xc3\xbc\xc3\xbc\xc3\xbc.."},
	    {"abc", 0, false, ""},
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		buf_reset(&b);
		text_fit(
		    &b, str_of(rows[i].in), rows[i].width, rows[i].keep_end);
		buf_addc(&b, '\0');
		assert_string_equal(b.p, rows[i].out);
	}
	buf_fini(&b);
}

/* QUEUE:ID: the last colon counts, and the id is digits. */
static void
msgid_is_what_stands_behind_the_last_colon(void **state)
{
	static const struct {
		const char *in;
		const char *queue; /* NULL: not an id */
		int64_t id;
	} rows[] = {
	    {"zfs:17", "zfs", 17},
	    {"xapi:812:3", "xapi:812", 3},
	    {"a b:0", "a b", 0},
	    {"::1", ":", 1},
	    {"zfs:217524266457", "zfs", 217524266457},
	    {"zfs", NULL, 0},
	    {"zfs:", NULL, 0},
	    {":17", NULL, 0},
	    {"zfs:-1", NULL, 0},
	    {"zfs:1x", NULL, 0},
	    {"zfs:1234567890123456789", NULL, 0},
	    {"", NULL, 0},
	};
	struct buf b = BUF_INIT;
	struct msgid m;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool good = msgid_parse(&m, str_of(rows[i].in));

		if (good != (rows[i].queue != NULL))
			fail_msg("'%s'", rows[i].in);
		if (!good)
			continue;
		assert_true(str_eq(m.queue, str_of(rows[i].queue)));
		assert_int_equal(m.id, rows[i].id);
		buf_reset(&b);
		msgid_put(&b, m.queue, m.id);
		buf_addc(&b, '\0');
		assert_string_equal(b.p, rows[i].in);
	}
	buf_fini(&b);
}

/* What a payload is; payloads arrive cut, too. */
static void
summaries_name_the_call_or_the_outcome(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"{\"method\":\"SR.attach\",\"params\":[]}", "SR.attach"},
	    {"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"VDI.create\"}",
		"VDI.create"},
	    {"{\"params\":[{\"method\":\"inner\"}],\"method\":\"outer\"}",
		"outer"},
	    {"{\"method\":\"SR.scan\",\"params\":[\"abc", "SR.scan"},
	    {"{\"result\":null,\"error\":\"x\"}", "FAILURE"},
	    {"{\"result\":\"x\",\"error\":null,\"id\":0}", "OK"},
	    {"{\"result\":null,\"error\":null,\"id\":0}", "OK"},
	    {"{\"result\":[1,2,", "OK"},
	    {"{\"Status\":\"Success\",\"Value\":\"\"}", "OK"},
	    {"{\"Status\":\"Failure\",\"ErrorDescription\":[]}", "FAILURE"},
	    {"{\"method\":\"a\\u001bb\"}", "a\\eb"},
	    {"{\"method\":7}", ""},
	    {"[\"method\"]", ""},
	    {"plain text", ""},
	    {"", ""},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		text_summary(out, sizeof out, str_of(rows[i].in));
		if (strcmp(out, rows[i].out) != 0)
			fail_msg("%s: got '%s'", rows[i].in, out);
	}
	text_summary(out, 4, STR("{\"method\":\"SR.attach\"}"));
	assert_string_equal(out, "SR.");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_edges_of_what_is_shown),
	    cmocka_unit_test(text_is_made_safe),
	    cmocka_unit_test(text_of_any_bytes_is_printable),
	    cmocka_unit_test(text_fit_cuts_characters),
	    cmocka_unit_test(msgid_is_what_stands_behind_the_last_colon),
	    cmocka_unit_test(summaries_name_the_call_or_the_outcome),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
