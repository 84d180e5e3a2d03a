# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# What was not run by any test before: how much is, tells ./check --coverage.
cover_tests = tests/test_map
check_PROGRAMS += $(cover_tests)
TESTS += $(cover_tests)
tests_test_map_SOURCES = tests/test_map.c
tests_test_map_LDADD = $(UNIT_LIBS)
