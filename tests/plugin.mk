# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Plugins of the adapter: names, scripts, trust, folders that change.  The log is
# caught.
plugin_tests = tests/test_plugin tests/test_trust tests/test_scripts
check_PROGRAMS += $(plugin_tests)
TESTS += $(plugin_tests)
PLUGIN_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	-I$(top_srcdir)/storage-adapter $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
PLUGIN_LINK_LIBS = libadapter.a $(UNIT_LIBS) $(EVENT_LIBS) $(JANSSON_LIBS)
PLUGIN_KIT = tests/test_plugin_kit.c tests/test_plugin_kit.h \
	tests/support/tempdir.c
PLUGIN_LINK = $(AM_LDFLAGS) -Wl,--wrap=log_info -Wl,--wrap=log_warn \
	-Wl,--wrap=log_error
tests_test_plugin_SOURCES = tests/test_plugin.c $(PLUGIN_KIT)
tests_test_plugin_CPPFLAGS = $(PLUGIN_CPPFLAGS)
tests_test_plugin_LDADD = $(PLUGIN_LINK_LIBS)
tests_test_plugin_LDFLAGS = $(PLUGIN_LINK)
tests_test_scripts_SOURCES = tests/test_scripts.c tests/support/tempdir.c
tests_test_scripts_CPPFLAGS = $(PLUGIN_CPPFLAGS)
tests_test_scripts_LDADD = $(PLUGIN_LINK_LIBS)
tests_test_scripts_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=readdir \
	-Wl,--wrap=opendir
tests_test_trust_SOURCES = tests/test_trust.c tests/support/tempdir.c
tests_test_trust_CPPFLAGS = $(PLUGIN_CPPFLAGS)
tests_test_trust_LDADD = $(PLUGIN_LINK_LIBS)
