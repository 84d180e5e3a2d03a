# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The operator's bench: what must hold while somebody looks on.
ops_e2e_tests = tests/e2e/cli_observers.py tests/e2e/test_v1_purge_fails.py
TESTS += $(ops_e2e_tests)
EXTRA_DIST += $(ops_e2e_tests) bench/observers bench/operator

ops_tests = tests/core/test_rate
check_PROGRAMS += $(ops_tests)
TESTS += $(ops_tests)
tests_core_test_rate_SOURCES = tests/core/test_rate.c
tests_core_test_rate_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_rate_LDADD = $(CMOCKA_LIBS)
