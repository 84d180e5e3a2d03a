# Tests of the generator and of what it makes.
check_PROGRAMS += tests/test_idl
TESTS += tests/test_idl
tests_test_idl_SOURCES = tests/test_idl.c
tests_test_idl_CPPFLAGS = $(libidl_a_CPPFLAGS)
tests_test_idl_LDADD = $(IDL_LIBS) $(CMOCKA_LIBS)

# The tables for C programs.
check_PROGRAMS += tests/test_idlval
TESTS += tests/test_idlval
tests_test_idlval_SOURCES = tests/test_idlval.c
tests_test_idlval_CPPFLAGS = $(libsmapi_a_CPPFLAGS)
tests_test_idlval_LDADD = libsmapi.a $(JANSSON_LIBS) $(CMOCKA_LIBS)
tests/test_idlval-test_idlval.$(OBJEXT): idl/gen_smapi.h

idl_tests = tests/test_idl_python.py tests/test_idl_cli.sh \
	tests/test_idl_examples.py tests/test_idl_client.py \
	tests/test_idl_completion.py tests/test_idl_types.py \
	tests/test_idl_mutants.py
TESTS += $(idl_tests)
EXTRA_DIST += $(idl_tests) tests/idl/tap.py tests/idl/python_cases.py \
	tests/idl/public_plugin.py tests/idl/pythons.py \
	tests/idl/consumer.py tests/idl/client_cases.py \
	tests/golden examples
tests/test_idl_python.log: python/stamp
tests/test_idl_examples.log: xmsg-idl$(EXEEXT) python/stamp
tests/test_idl_mutants.log: python/stamp
tests/test_idl_types.log: xmsg-idl$(EXEEXT) python/stamp
tests/test_idl_completion.log: xmsg-idl$(EXEEXT) python/stamp
tests/test_idl_client.log: xmsgd$(EXEEXT) xmsg-storaged$(EXEEXT) \
	xmsg-run$(EXEEXT) python/stamp
tests/test_idl_cli.log: xmsg-idl$(EXEEXT) python/stamp

# C and Python on the same random values.
check_PROGRAMS += tests/idl/echo
tests_idl_echo_SOURCES = tests/idl/echo.c
tests_idl_echo_CPPFLAGS = $(libsmapi_a_CPPFLAGS)
tests_idl_echo_LDADD = libsmapi.a $(JANSSON_LIBS)
tests/idl/echo-echo.$(OBJEXT): idl/gen_smapi.h
TESTS += tests/test_idl_roundtrip.py
EXTRA_DIST += tests/test_idl_roundtrip.py
tests/test_idl_roundtrip.log: tests/idl/echo$(EXEEXT) python/stamp

# Declarations from strangers.
check_PROGRAMS += tests/fuzz/fuzz_idl
if !FUZZING
TESTS += tests/fuzz/fuzz_idl
endif
tests_fuzz_fuzz_idl_SOURCES = tests/fuzz/fuzz_idl.c $(FUZZ_MAIN)
tests_fuzz_fuzz_idl_CPPFLAGS = $(libidl_a_CPPFLAGS) -DSEEDS='"idl.seeds"'
tests_fuzz_fuzz_idl_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_idl_LDADD = $(IDL_LIBS)
EXTRA_DIST += tests/fuzz/idl.seeds tests/fuzz/idl.dict
# The same with changed declarations, for a minute where CI is set.
check_PROGRAMS += tests/idl/mutate
TESTS += tests/idl/mutate
tests_idl_mutate_SOURCES = tests/fuzz/fuzz_idl.c tests/idl/mutate.c
tests_idl_mutate_CPPFLAGS = $(libidl_a_CPPFLAGS) -I$(top_srcdir)/tests \
	-I$(top_srcdir)/tests/fuzz
tests_idl_mutate_LDADD = $(IDL_LIBS)
CLEANFILES += fuzz_idl.last
