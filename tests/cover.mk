# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# What was not run by any test before: how much is, tells ./check --coverage.
cover_tests = tests/test_map tests/test_xmsg_edges \
	tests/core/test_sqldb_starved tests/core/test_harden_fails
check_PROGRAMS += $(cover_tests)
TESTS += $(cover_tests)
tests_test_map_SOURCES = tests/test_map.c
tests_test_map_LDADD = $(UNIT_LIBS)
tests_core_test_sqldb_starved_SOURCES = tests/core/test_sqldb_starved.c
tests_core_test_sqldb_starved_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_sqldb_starved_LDFLAGS = $(CORE_LINK)
tests_core_test_sqldb_starved_LDADD = $(CORE_LINK_LIBS)
tests_core_test_harden_fails_SOURCES = tests/core/test_harden_fails.c
tests_core_test_harden_fails_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_harden_fails_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=initgroups -Wl,--wrap=setresgid -Wl,--wrap=setresuid \
	-Wl,--wrap=setrlimit -Wl,--wrap=prctl -Wl,--wrap=syscall \
	-Wl,--wrap=getpwnam
tests_core_test_harden_fails_LDADD = $(CORE_LINK_LIBS)
tests_test_xmsg_edges_SOURCES = tests/test_xmsg_edges.c \
	tests/support/fake.c tests/support/fake.h
tests_test_xmsg_edges_LDADD = $(XMSG_TEST_LIBS)
cover_scripts = tests/fault/test_operator.py
dist_check_SCRIPTS += $(cover_scripts)
TESTS += $(cover_scripts)
