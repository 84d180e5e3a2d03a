# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# What was not run by any test before: how much is, tells ./check --coverage.
cover_tests = tests/test_map tests/core/test_sqldb_starved
check_PROGRAMS += $(cover_tests)
TESTS += $(cover_tests)
tests_test_map_SOURCES = tests/test_map.c
tests_test_map_LDADD = $(UNIT_LIBS)
tests_core_test_sqldb_starved_SOURCES = tests/core/test_sqldb_starved.c
tests_core_test_sqldb_starved_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_sqldb_starved_LDFLAGS = $(CORE_LINK)
tests_core_test_sqldb_starved_LDADD = $(CORE_LINK_LIBS)
