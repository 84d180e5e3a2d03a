/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Every case of tests/calls: scripts, their input, and the reply, whole. */
#include "support/unit.h"

#include "support/callcase.h"

static const char *const files[] = {"samples.call", "calls.call", "rules.call",
    "outcomes.call", "envelope.call"};

static struct callcase cases[MAX_CASES];
static struct CMUnitTest tests[MAX_CASES];

/* What happens is what the case says; twice, as calls are repeatable. */
static void
play_case(void **state)
{
	const struct callcase *k = *state;
	struct buf want = BUF_INIT;
	struct play p = {.log = BUF_INIT};
	int i;

	play_expected(k, &want);
	buf_addc(&want, '\0');
	for (i = 0; i < 2; i++) {
		play_run(&p, k);
		assert_string_equal(p.log.p, want.p);
	}
	play_fini(&p);
	buf_fini(&want);
}

/* One test each. */
int
main(void)
{
	size_t i, n = 0;
	int failed;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		n = callcase_read(files[i], cases, n, MAX_CASES);
	for (i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){.name = cases[i].name,
		    .test_func = play_case,
		    .initial_state = &cases[i]};
	failed = _cmocka_run_group_tests("calls", tests, n, NULL, NULL);
	callcase_free(cases, n);
	return failed;
}
