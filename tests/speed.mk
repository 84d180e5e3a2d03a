# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# What was made to be faster: that it is still right.
speed_tests = tests/core/test_sqldb_log tests/core/test_sqldb_get \
	tests/core/test_tidy
speed_scripts = tests/e2e/test_v1_turn.py
check_PROGRAMS += $(speed_tests)
TESTS += $(speed_tests) $(speed_scripts)
EXTRA_DIST += $(speed_scripts)
tests_core_test_sqldb_log_SOURCES = tests/core/test_sqldb_log.c
tests_core_test_sqldb_log_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_sqldb_log_LDFLAGS = $(CORE_LINK)
tests_core_test_sqldb_log_LDADD = $(CORE_LINK_LIBS)
tests_core_test_tidy_SOURCES = tests/core/test_tidy.c
tests_core_test_tidy_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_tidy_LDADD = $(CORE_LINK_LIBS)
tests_core_test_sqldb_get_SOURCES = tests/core/test_sqldb_get.c
tests_core_test_sqldb_get_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_sqldb_get_LDFLAGS = $(CORE_LINK)
tests_core_test_sqldb_get_LDADD = $(CORE_LINK_LIBS)
dist_doc_DATA += doc/performance-profile.md
