# The core and the store.  What the tests share is a library; the log is caught,
# so that a warning nobody expected fails a test.
check_LIBRARIES += tests/core/libcoretest.a
tests_core_libcoretest_a_SOURCES = \
	tests/support/storetest.c tests/support/storetest.h \
	tests/support/tempdir.c tests/support/tempdir.h \
	tests/support/logtest.c tests/support/logtest.h \
	tests/support/coretest.c tests/support/coretest.h \
	tests/support/faultstore.c tests/support/faultstore.h \
	tests/support/faultvfs.c tests/support/faultvfs.h tests/support/format1.h tests/support/passvfs.h tests/support/rnd.h
CORE_INCLUDES = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	-I$(top_srcdir)/broker $(EVENT_CFLAGS) $(SQLITE_CFLAGS)
tests_core_libcoretest_a_CPPFLAGS = $(CORE_INCLUDES)
CORE_LINK_LIBS = tests/core/libcoretest.a libbroker.a libbase.a $(CMOCKA_LIBS) \
	$(EVENT_LIBS) $(SQLITE_LIBS) $(INIH_LIBS) $(SYSTEMD_LIBS)
CORE_LINK = $(AM_LDFLAGS) -Wl,--wrap=log_info -Wl,--wrap=log_warn \
	-Wl,--wrap=log_error

core_tests = tests/core/test_store_random tests/core/test_store_fault \
	tests/core/test_sqldb tests/core/test_http \
	tests/core/test_deadline tests/core/test_idmap tests/core/test_msgq \
	tests/core/test_session tests/core/test_waiter tests/core/test_trace \
	tests/core/test_jsonw tests/core/test_settings \
	tests/core/test_mswitch tests/core/test_mswitch_random \
	tests/core/test_store
check_PROGRAMS += $(core_tests)
TESTS += $(core_tests)

tests_core_test_store_SOURCES = tests/core/test_store.c
tests_core_test_store_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_store_LDFLAGS = $(CORE_LINK)
tests_core_test_store_LDADD = $(CORE_LINK_LIBS)
tests_core_test_store_random_SOURCES = tests/core/test_store_random.c
tests_core_test_store_random_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_store_random_LDFLAGS = $(CORE_LINK)
tests_core_test_store_random_LDADD = $(CORE_LINK_LIBS)
tests_core_test_store_fault_SOURCES = tests/core/test_store_fault.c
tests_core_test_store_fault_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_store_fault_LDFLAGS = $(CORE_LINK) -Wl,--wrap=posix_fallocate
tests_core_test_store_fault_LDADD = $(CORE_LINK_LIBS)
tests_core_test_mswitch_SOURCES = tests/core/test_mswitch.c
tests_core_test_mswitch_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_mswitch_LDFLAGS = $(CORE_LINK)
tests_core_test_mswitch_LDADD = $(CORE_LINK_LIBS)
tests_core_test_mswitch_random_SOURCES = tests/core/test_mswitch_random.c
tests_core_test_mswitch_random_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_mswitch_random_LDFLAGS = $(CORE_LINK)
tests_core_test_mswitch_random_LDADD = $(CORE_LINK_LIBS)
tests_core_test_sqldb_SOURCES = tests/core/test_sqldb.c
tests_core_test_sqldb_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_sqldb_LDFLAGS = $(CORE_LINK)
tests_core_test_sqldb_LDADD = $(CORE_LINK_LIBS)
tests_core_test_deadline_SOURCES = tests/core/test_deadline.c
tests_core_test_deadline_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_deadline_LDADD = $(CORE_LINK_LIBS)
tests_core_test_idmap_SOURCES = tests/core/test_idmap.c
tests_core_test_idmap_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_idmap_LDADD = $(CORE_LINK_LIBS)
tests_core_test_msgq_SOURCES = tests/core/test_msgq.c
tests_core_test_msgq_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_msgq_LDADD = $(CORE_LINK_LIBS)
tests_core_test_session_SOURCES = tests/core/test_session.c
tests_core_test_session_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_session_LDADD = $(CORE_LINK_LIBS)
tests_core_test_waiter_SOURCES = tests/core/test_waiter.c
tests_core_test_waiter_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_waiter_LDADD = $(CORE_LINK_LIBS)
tests_core_test_trace_SOURCES = tests/core/test_trace.c
tests_core_test_trace_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_trace_LDADD = $(CORE_LINK_LIBS)
tests_core_test_jsonw_SOURCES = tests/core/test_jsonw.c
tests_core_test_jsonw_CPPFLAGS = $(CORE_INCLUDES) $(JANSSON_CFLAGS)
tests_core_test_jsonw_LDADD = $(CORE_LINK_LIBS) $(JANSSON_LIBS)
tests_core_test_settings_SOURCES = tests/core/test_settings.c
tests_core_test_settings_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_settings_LDADD = $(CORE_LINK_LIBS)
tests_core_test_http_SOURCES = tests/core/test_http.c
tests_core_test_http_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_http_LDFLAGS = $(CORE_LINK) -Wl,--wrap=usock_peer \
	-Wl,--wrap=accept4
tests_core_test_http_LDADD = $(CORE_LINK_LIBS)

# Who may know whom.
dist_check_SCRIPTS += tests/core/test_layers.sh
TESTS += tests/core/test_layers.sh
AM_TESTS_ENVIRONMENT += \
	XMSG_CC='$(CC)'; export XMSG_CC; \
	XMSG_CFLAGS='$(EVENT_CFLAGS) $(SQLITE_CFLAGS) $(JANSSON_CFLAGS) \
	$(INIH_CFLAGS) $(CMOCKA_CFLAGS)'; export XMSG_CFLAGS;
