# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Unit tests of what the adapter keeps and decides.
ADAPTER_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/storage-adapter \
	-I$(top_srcdir)/tests -I$(top_srcdir)/idl/runtime/c -Iidl \
	$(JANSSON_CFLAGS)
ADAPTER_TEST_LIBS = libadapter.a libsmapi.a libclient.a libbase.a \
	$(EVENT_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) $(INIH_LIBS) \
	$(SYSTEMD_LIBS) $(CMOCKA_LIBS) -lm
ADAPTER_WRAP = -Wl,--wrap=log_info -Wl,--wrap=log_warn -Wl,--wrap=log_error
adapter_unit = tests/test_turns tests/test_adapter_state tests/test_asettings
check_PROGRAMS += $(adapter_unit)
TESTS += $(adapter_unit)
tests_test_turns_SOURCES = tests/test_turns.c
tests_test_turns_CPPFLAGS = $(ADAPTER_CPPFLAGS)
tests_test_turns_LDADD = $(ADAPTER_TEST_LIBS)
tests_test_adapter_state_SOURCES = tests/test_adapter_state.c \
	tests/support/logtest.c tests/support/logtest.h \
	tests/support/tempdir.c tests/support/tempdir.h
tests_test_adapter_state_CPPFLAGS = $(ADAPTER_CPPFLAGS)
tests_test_adapter_state_LDFLAGS = $(AM_LDFLAGS) $(ADAPTER_WRAP)
tests_test_adapter_state_LDADD = $(ADAPTER_TEST_LIBS)
tests_test_asettings_SOURCES = tests/test_asettings.c \
	tests/support/logtest.c tests/support/logtest.h \
	tests/support/tempdir.c tests/support/tempdir.h
tests_test_asettings_CPPFLAGS = $(ADAPTER_CPPFLAGS)
tests_test_asettings_LDFLAGS = $(AM_LDFLAGS) $(ADAPTER_WRAP)
tests_test_asettings_LDADD = $(ADAPTER_TEST_LIBS)

# What the switch answers, and what is asked.
SW_SOURCES = tests/support/swtest.c tests/support/swtest.h \
	tests/support/logtest.c tests/support/logtest.h \
	tests/support/tempdir.c tests/support/tempdir.h
SW_WRAP = $(AM_LDFLAGS) $(ADAPTER_WRAP) \
	-Wl,--wrap=xmsg_http_start -Wl,--wrap=xmsg_call_start \
	-Wl,--wrap=xmsg_cancel -Wl,--wrap=xmsg_serve_start \
	-Wl,--wrap=xmsg_serve_stop -Wl,--wrap=xmsg_request_message \
	-Wl,--wrap=xmsg_reply -Wl,--wrap=xmsg_discard \
	-Wl,--wrap=xmsg_leave -Wl,--wrap=xmsg_error \
	-Wl,--wrap=xmsg_encode -Wl,--wrap=event_add \
	-Wl,--wrap=plugins_each -Wl,--wrap=plugins_why_not \
	-Wl,--wrap=plugins_settled
adapter_unit += tests/test_adapter_switch tests/test_adapter_asked
tests_test_adapter_switch_SOURCES = tests/test_adapter_switch.c $(SW_SOURCES)
tests_test_adapter_switch_CPPFLAGS = $(ADAPTER_CPPFLAGS)
tests_test_adapter_switch_LDFLAGS = $(SW_WRAP)
tests_test_adapter_switch_LDADD = $(ADAPTER_TEST_LIBS)
tests_test_adapter_asked_SOURCES = tests/test_adapter_asked.c $(SW_SOURCES)
tests_test_adapter_asked_CPPFLAGS = $(ADAPTER_CPPFLAGS)
tests_test_adapter_asked_LDFLAGS = $(SW_WRAP)
tests_test_adapter_asked_LDADD = $(ADAPTER_TEST_LIBS)

# Damaged files.
adapter_unit += tests/test_adapter_files
tests_test_adapter_files_SOURCES = tests/test_adapter_files.c \
	tests/support/logtest.c tests/support/logtest.h \
	tests/support/tempdir.c tests/support/tempdir.h
tests_test_adapter_files_CPPFLAGS = $(ADAPTER_CPPFLAGS)
tests_test_adapter_files_LDFLAGS = $(AM_LDFLAGS) $(ADAPTER_WRAP)
tests_test_adapter_files_LDADD = $(ADAPTER_TEST_LIBS)

# What calls are made of.
adapter_unit += tests/test_call_parts
tests_test_call_parts_SOURCES = tests/test_call_parts.c \
	tests/support/logtest.c tests/support/logtest.h
tests_test_call_parts_CPPFLAGS = $(ADAPTER_CPPFLAGS)
tests_test_call_parts_LDFLAGS = $(AM_LDFLAGS) $(ADAPTER_WRAP)
tests_test_call_parts_LDADD = $(ADAPTER_TEST_LIBS)
