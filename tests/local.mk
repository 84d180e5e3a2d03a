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

# The protocol: HTTP messages, JSON, requests and replies.
wire_tests = tests/test_http1 tests/test_json tests/test_wire
check_PROGRAMS += $(wire_tests)
TESTS += $(wire_tests)
tests_test_http1_SOURCES = tests/test_http1.c
tests_test_http1_LDADD = $(UNIT_LIBS)
tests_test_http1_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=memchr
tests_test_json_SOURCES = tests/test_json.c
tests_test_json_LDADD = $(UNIT_LIBS)
tests_test_wire_SOURCES = tests/test_wire.c
tests_test_wire_LDADD = $(UNIT_LIBS)
