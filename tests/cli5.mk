# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The operator's commands: selectors and acts against the real broker.
cli5_e2e_tests = tests/e2e/cli_acts.py tests/e2e/cli_why.py \
	tests/e2e/cli_ops.py tests/e2e/cli_bugtool.py \
	tests/e2e/cli_watch.py
TESTS += $(cli5_e2e_tests)
EXTRA_DIST += $(cli5_e2e_tests)

cli5_tests = tests/test_cli_why tests/test_cli_callstat
check_PROGRAMS += $(cli5_tests)
TESTS += $(cli5_tests)
tests_test_cli_why_SOURCES = tests/test_cli_why.c
tests_test_cli_why_LDADD = $(CLI_TEST_LIBS)
tests_test_cli_callstat_SOURCES = tests/test_cli_callstat.c
tests_test_cli_callstat_LDADD = $(CLI_TEST_LIBS)
