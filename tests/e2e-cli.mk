# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The command line: its pure parts, and the real programs.
cli_tests = tests/test_cli_opts \
	tests/test_cli_out tests/test_cli_old
cli_e2e_tests = tests/e2e/cli_commands.py tests/e2e/cli_dead.py \
	tests/e2e/cli_old.py
check_PROGRAMS += $(cli_tests)
TESTS += $(cli_tests) $(cli_e2e_tests)
EXTRA_DIST += $(cli_e2e_tests) tests/e2e/cli_support.py

CLI_TEST_LIBS = $(CLI_LIBS) $(CMOCKA_LIBS)
tests_test_cli_opts_SOURCES = tests/test_cli_opts.c
tests_test_cli_opts_LDADD = $(CLI_TEST_LIBS)
tests_test_cli_out_SOURCES = tests/test_cli_out.c
tests_test_cli_out_LDADD = $(CLI_TEST_LIBS)
tests_test_cli_old_SOURCES = tests/test_cli_old.c
tests_test_cli_old_LDADD = $(CLI_TEST_LIBS)
