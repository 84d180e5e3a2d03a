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
tests_test_json_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=snprintf \
	-Wl,--wrap=__snprintf_chk -Wl,--wrap=strtod -Wl,--wrap=nl_langinfo
tests_test_wire_SOURCES = tests/test_wire.c
tests_test_wire_LDADD = $(UNIT_LIBS)

# Fuzz targets: with libFuzzer when asked for, else run over their seeds.
fuzz_targets = tests/fuzz/fuzz_http1 tests/fuzz/fuzz_json tests/fuzz/fuzz_wire
EXTRA_DIST += tests/fuzz/http1.seeds tests/fuzz/json.seeds \
	tests/fuzz/wire.seeds tests/fuzz/http1.dict tests/fuzz/json.dict \
	tests/fuzz/wire.dict
check_PROGRAMS += $(fuzz_targets)
if FUZZING
FUZZ_MAIN =
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else
TESTS += $(fuzz_targets)
FUZZ_MAIN = tests/fuzz/replay.c
FUZZ_LINK = $(AM_LDFLAGS)
endif
tests_fuzz_fuzz_http1_SOURCES = tests/fuzz/fuzz_http1.c tests/fuzz/fuzz.h \
	$(FUZZ_MAIN)
tests_fuzz_fuzz_http1_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"http1.seeds"'
tests_fuzz_fuzz_http1_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_http1_LDADD = libbase.a
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c $(FUZZ_MAIN)
tests_fuzz_fuzz_json_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"json.seeds"' \
	$(JANSSON_CFLAGS)
tests_fuzz_fuzz_json_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_json_LDADD = libbase.a $(JANSSON_LIBS)
tests_fuzz_fuzz_wire_SOURCES = tests/fuzz/fuzz_wire.c $(FUZZ_MAIN)
tests_fuzz_fuzz_wire_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"wire.seeds"'
tests_fuzz_fuzz_wire_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_wire_LDADD = libbase.a
# lib: settings, sockets, recorder, redaction, log, clock
lib_tests = tests/test_conf tests/test_systemd tests/test_usock tests/test_ring \
	tests/test_redact tests/test_log tests/test_clock
check_PROGRAMS += $(lib_tests)
TESTS += $(lib_tests)
tests_test_conf_SOURCES = tests/test_conf.c
tests_test_conf_LDADD = $(UNIT_LIBS)
tests_test_systemd_SOURCES = tests/test_systemd.c
tests_test_systemd_LDADD = $(UNIT_LIBS)
tests_test_usock_SOURCES = tests/test_usock.c
tests_test_usock_LDADD = $(UNIT_LIBS)
tests_test_usock_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=chmod
tests_test_ring_SOURCES = tests/test_ring.c
tests_test_ring_LDADD = $(UNIT_LIBS)
tests_test_redact_SOURCES = tests/test_redact.c
tests_test_redact_LDADD = $(UNIT_LIBS)
tests_test_log_SOURCES = tests/test_log.c
tests_test_log_LDADD = $(UNIT_LIBS)
tests_test_clock_SOURCES = tests/test_clock.c
tests_test_clock_LDADD = $(UNIT_LIBS)

# their fuzz targets (how: see above)
lib_fuzz = tests/fuzz/fuzz_ring tests/fuzz/fuzz_redact tests/fuzz/fuzz_conf
EXTRA_DIST += tests/fuzz/ring.seeds tests/fuzz/redact.seeds \
	tests/fuzz/conf.seeds
check_PROGRAMS += $(lib_fuzz)
if !FUZZING
TESTS += $(lib_fuzz)
endif
tests_fuzz_fuzz_ring_SOURCES = tests/fuzz/fuzz_ring.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ring_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"ring.seeds"'
tests_fuzz_fuzz_ring_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_ring_LDADD = libbase.a
tests_fuzz_fuzz_redact_SOURCES = tests/fuzz/fuzz_redact.c $(FUZZ_MAIN)
tests_fuzz_fuzz_redact_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"redact.seeds"'
tests_fuzz_fuzz_redact_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_redact_LDADD = libbase.a
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_conf_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"conf.seeds"'
tests_fuzz_fuzz_conf_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_conf_LDADD = libbase.a $(INIH_LIBS)

# libxmsg against a broker that misbehaves
xmsg_tests = tests/test_xmsg tests/test_xmsg_nomem tests/test_xmsg_broker
XMSG_TEST_LIBS = libclient.a $(UNIT_LIBS)
check_PROGRAMS += $(xmsg_tests)
TESTS += $(xmsg_tests)
tests_test_xmsg_SOURCES = tests/test_xmsg.c \
	tests/support/fake.c tests/support/fake.h
tests_test_xmsg_LDADD = $(XMSG_TEST_LIBS)
tests_test_xmsg_nomem_SOURCES = tests/test_xmsg_nomem.c \
	tests/support/fake.c tests/support/fake.h
tests_test_xmsg_nomem_LDADD = $(XMSG_TEST_LIBS)
tests_test_xmsg_nomem_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc \
	-Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=reallocarray \
	-Wl,--wrap=strdup -Wl,--wrap=asprintf -Wl,--wrap=__asprintf_chk \
	-Wl,--wrap=free
tests_test_xmsg_broker_SOURCES = tests/test_xmsg_broker.c
tests_test_xmsg_broker_LDADD = $(XMSG_TEST_LIBS)
# the example of the manual page, which test_xmsg_broker runs
check_PROGRAMS += tests/xmsg_example
nodist_tests_xmsg_example_SOURCES = tests/xmsg_example.c
tests_xmsg_example_LDADD = libclient.a libbase.a
CLEANFILES += tests/xmsg_example.c
tests/xmsg_example.c: $(top_srcdir)/doc/libxmsg.3
	$(AM_V_GEN)$(MKDIR_P) tests && sed -n -e '/^\.Sh EXAMPLES/,/^\.Ed/!d' \
		-e '/^#include/,/^\.Ed/{/^\.Ed/d;s/\\e/\\/g;p;}' \
		$(top_srcdir)/doc/libxmsg.3 >$@
dist_check_SCRIPTS += tests/test_xmsg_names.sh
TESTS += tests/test_xmsg_names.sh
