# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# What was made to be faster: that it is still right.
speed_tests = tests/core/test_sqldb_log
check_PROGRAMS += $(speed_tests)
TESTS += $(speed_tests)
tests_core_test_sqldb_log_SOURCES = tests/core/test_sqldb_log.c
tests_core_test_sqldb_log_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_sqldb_log_LDFLAGS = $(CORE_LINK)
tests_core_test_sqldb_log_LDADD = $(CORE_LINK_LIBS)
