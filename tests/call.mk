# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Calls of the storage adapter, without any process.
call_tests = tests/test_call tests/test_call_all tests/test_call_meta
check_PROGRAMS += $(call_tests)
TESTS += $(call_tests)
call_cases = tests/calls/samples.call tests/calls/calls.call \
	tests/calls/rules.call tests/calls/outcomes.call tests/calls/envelope.call
EXTRA_DIST += $(call_cases)
CALL_TEST_CPPFLAGS = $(libadapter_a_CPPFLAGS) -I$(top_srcdir)/storage-adapter
CALL_TEST_LIBS = libadapter.a libsmapi.a libbase.a $(JANSSON_LIBS) \
	$(CMOCKA_LIBS)
callcase_sources = tests/support/callcase.c tests/support/callcase.h

tests_test_call_SOURCES = tests/test_call.c $(callcase_sources)
tests_test_call_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_test_call_LDADD = $(CALL_TEST_LIBS)
tests_test_call_all_SOURCES = tests/test_call_all.c $(callcase_sources)
tests_test_call_all_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_test_call_all_LDADD = $(CALL_TEST_LIBS)
tests_test_call_meta_SOURCES = tests/test_call_meta.c
tests_test_call_meta_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_test_call_meta_LDADD = $(CALL_TEST_LIBS)
$(tests_test_call_OBJECTS) $(tests_test_call_all_OBJECTS): idl/gen_smapi.h
$(tests_test_call_meta_OBJECTS): idl/gen_smapi.h

# The same with any bytes (how: see tests/local.mk).
check_PROGRAMS += tests/fuzz/fuzz_call
if !FUZZING
TESTS += tests/fuzz/fuzz_call
endif
EXTRA_DIST += tests/fuzz/call.seeds
tests_fuzz_fuzz_call_SOURCES = tests/fuzz/fuzz_call.c $(FUZZ_MAIN)
tests_fuzz_fuzz_call_CPPFLAGS = $(CALL_TEST_CPPFLAGS) -DSEEDS='"call.seeds"'
tests_fuzz_fuzz_call_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_call_LDADD = libadapter.a libsmapi.a libbase.a $(JANSSON_LIBS)
$(tests_fuzz_fuzz_call_OBJECTS): idl/gen_smapi.h
