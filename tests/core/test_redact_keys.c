/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Further key words for the redaction. */
#include "support/unit.h"

#include "redact.h"

static int
teardown(void **state)
{
	(void)state;
	return redact_set_keys(STR("")) ? 0 : -1;
}

static void
shows(const char *text, const char *want)
{
	char out[256];
	size_t n = redact(out, sizeof out, str_of(text));

	assert_int_equal(n, strlen(want));
	assert_memory_equal(out, want, n);
}

/* They are masked in every form, and only while they are set; what is built in
 * stays. */
static void
words_are_masked(void **state)
{
	(void)state;
	shows("{\"lunid\":\"xyz\"}", "{\"lunid\":\"xyz\"}");
	assert_true(redact_set_keys(STR("  lun-id\tQX9  ")));
	shows("{\"lunid\":\"xyz\"}", "{\"lunid\":\"***\"}");
	shows("{\"my_LUN_Id2\":5}", "{\"my_LUN_Id2\":\"***\"}");
	shows("lun-id=xyz other=1", "lun-id=*** other=1");
	shows("{\"a\":\"{\\\"qx9\\\":\\\"xyz\\\"}\"}",
	    "{\"a\":\"{\\\"qx9\\\":\\\"***\\\"}\"}");
	shows("{\"lun\":1,\"qx\":2}", "{\"lun\":1,\"qx\":2}");
	shows("{\"password\":\"x\"}", "{\"password\":\"***\"}");
	assert_true(redact_set_keys(STR("wwn")));
	shows("{\"lunid\":\"xyz\"}", "{\"lunid\":\"xyz\"}");
	shows("{\"wwn\":\"xyz\"}", "{\"wwn\":\"***\"}");
	assert_true(redact_set_keys((struct str){NULL, 0}));
	shows("{\"wwn\":\"xyz\"}", "{\"wwn\":\"xyz\"}");
}

/* What is no word is refused, and changes nothing. */
static void
malformed_is_refused(void **state)
{
	static const char *const bad[] = {"ab", "a1b", "1ab", "--a-b", "a.bc",
	    "abc,def",
	    "\xc3\xa4"
	    "bc",
	    "abcdefghijklmnopqrstuvwxyzabcdefg"};
	char many[REDACT_WORDS * 4 + 8] = "";

	(void)state;
	assert_true(redact_set_keys(STR("wwn")));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(redact_set_keys(str_of(bad[i])));
		shows("{\"wwn\":\"xyz\"}", "{\"wwn\":\"***\"}");
	}
	for (int i = 0; i < REDACT_WORDS; i++)
		strcat(many, "abc ");
	assert_true(redact_set_keys(str_of(many)));
	assert_false(redact_set_keys(str_of(strcat(many, "abc"))));
	assert_true(redact_set_keys(STR("abcdefghijklmnopqrstuvwxyzabcdef")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(words_are_masked, teardown),
	    cmocka_unit_test_teardown(malformed_is_refused, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
