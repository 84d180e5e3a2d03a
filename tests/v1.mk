# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The operators' interface: end to end, and the pure part below it.
v1_tests = tests/e2e/test_v1_cancel.py tests/e2e/test_v1_events.py \
	tests/e2e/test_v1_offer.py tests/e2e/test_v1_undo.py \
	tests/e2e/test_v1_metrics.py tests/e2e/test_v1_redact.py \
	tests/e2e/test_v1_kill.py tests/e2e/test_v1_choose.py
TESTS += $(v1_tests)
EXTRA_DIST += $(v1_tests)

v1_core_tests = tests/core/test_rpc tests/core/test_mswitch_v1 \
	tests/core/test_store_undo tests/core/test_redact_keys
check_PROGRAMS += $(v1_core_tests)
TESTS += $(v1_core_tests)
tests_core_test_rpc_SOURCES = tests/core/test_rpc.c
tests_core_test_rpc_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_rpc_LDADD = $(CORE_LINK_LIBS)
tests_core_test_mswitch_v1_SOURCES = tests/core/test_mswitch_v1.c
tests_core_test_mswitch_v1_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_mswitch_v1_LDFLAGS = $(CORE_LINK)
tests_core_test_mswitch_v1_LDADD = $(CORE_LINK_LIBS)
tests_core_test_store_undo_SOURCES = tests/core/test_store_undo.c
tests_core_test_store_undo_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_store_undo_LDFLAGS = $(CORE_LINK)
tests_core_test_store_undo_LDADD = $(CORE_LINK_LIBS)
tests_core_test_redact_keys_SOURCES = tests/core/test_redact_keys.c
tests_core_test_redact_keys_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_redact_keys_LDADD = $(CORE_LINK_LIBS)

# its fuzz target (how: see tests/local.mk)
check_PROGRAMS += tests/fuzz/fuzz_rpc
EXTRA_DIST += tests/fuzz/rpc.seeds
if !FUZZING
TESTS += tests/fuzz/fuzz_rpc
endif
tests_fuzz_fuzz_rpc_SOURCES = tests/fuzz/fuzz_rpc.c tests/fuzz/fuzz.h \
	$(FUZZ_MAIN)
tests_fuzz_fuzz_rpc_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/broker \
	-DSEEDS='"rpc.seeds"'
tests_fuzz_fuzz_rpc_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_rpc_LDADD = libbroker.a libbase.a
