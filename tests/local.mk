# Unit tests: one cmocka program per module.  End-to-end tests: real binaries.
UNIT_LIBS = libbase.a $(CMOCKA_LIBS) $(INIH_LIBS)

unit_tests = \
	tests/test_buf tests/test_heap tests/test_err

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

tests_test_buf_SOURCES = tests/test_buf.c tests/support/unit.h
tests_test_buf_LDADD = $(UNIT_LIBS)
tests_test_heap_SOURCES = tests/test_heap.c
tests_test_heap_LDADD = $(UNIT_LIBS)
tests_test_err_SOURCES = tests/test_err.c
tests_test_err_LDADD = $(UNIT_LIBS)

# lib: settings, sockets, recorder, redaction, log, clock
lib_tests = tests/test_conf tests/test_usock tests/test_ring \
	tests/test_redact
check_PROGRAMS += $(lib_tests)
TESTS += $(lib_tests)
tests_test_conf_SOURCES = tests/test_conf.c
tests_test_conf_LDADD = $(UNIT_LIBS)
tests_test_usock_SOURCES = tests/test_usock.c
tests_test_usock_LDADD = $(UNIT_LIBS)
tests_test_ring_SOURCES = tests/test_ring.c
tests_test_ring_LDADD = $(UNIT_LIBS)
tests_test_redact_SOURCES = tests/test_redact.c
tests_test_redact_LDADD = $(UNIT_LIBS)
