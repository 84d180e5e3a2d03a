# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The operators' interface: end to end, and the pure part below it.
v1_tests = tests/e2e/test_v1_cancel.py tests/e2e/test_v1_events.py
TESTS += $(v1_tests)
EXTRA_DIST += $(v1_tests)

check_PROGRAMS += tests/core/test_rpc
TESTS += tests/core/test_rpc
tests_core_test_rpc_SOURCES = tests/core/test_rpc.c
tests_core_test_rpc_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_rpc_LDADD = $(CORE_LINK_LIBS)
