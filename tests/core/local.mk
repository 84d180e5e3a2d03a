# The core and the store.  What the tests share is a library; the log is caught,
# so that a warning nobody expected fails a test.
check_LIBRARIES += tests/core/libcoretest.a
tests_core_libcoretest_a_SOURCES = \
	tests/support/storetest.c tests/support/storetest.h \
	tests/support/tempdir.c tests/support/tempdir.h \
	tests/support/logtest.c tests/support/logtest.h \
	tests/support/coretest.c tests/support/coretest.h \
	tests/support/faultstore.c tests/support/faultstore.h \
	tests/support/faultvfs.c tests/support/faultvfs.h tests/support/rnd.h
CORE_INCLUDES = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	-I$(top_srcdir)/broker $(EVENT_CFLAGS) $(SQLITE_CFLAGS)
tests_core_libcoretest_a_CPPFLAGS = $(CORE_INCLUDES)
CORE_LINK_LIBS = tests/core/libcoretest.a libbroker.a libbase.a $(CMOCKA_LIBS) \
	$(EVENT_LIBS) $(SQLITE_LIBS) $(INIH_LIBS) $(SYSTEMD_LIBS)
CORE_LINK = $(AM_LDFLAGS) -Wl,--wrap=log_info -Wl,--wrap=log_warn \
	-Wl,--wrap=log_error

core_tests = tests/core/test_store_random tests/core/test_store_fault \
	tests/core/test_sqldb \
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
