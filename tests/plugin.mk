# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Plugins of the adapter: names, scripts, trust, folders that change.  The log is
# caught.
plugin_tests = tests/test_plugin tests/test_plugin_time tests/test_trust \
	tests/test_scripts tests/test_watch tests/test_plugin_churn
check_PROGRAMS += $(plugin_tests)
TESTS += $(plugin_tests)
PLUGIN_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	-I$(top_srcdir)/storage-adapter $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
PLUGIN_LINK_LIBS = libadapter.a $(UNIT_LIBS) $(EVENT_LIBS) $(JANSSON_LIBS)
PLUGIN_KIT = tests/test_plugin_kit.c tests/test_plugin_kit.h \
	tests/support/tempdir.c
PLUGIN_LINK = $(AM_LDFLAGS) -Wl,--wrap=log_info -Wl,--wrap=log_warn \
	-Wl,--wrap=log_error -Wl,--wrap=inotify_init1 \
	-Wl,--wrap=clock_wall_ns
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
tests_test_plugin_time_SOURCES = tests/test_plugin_time.c $(PLUGIN_KIT)
tests_test_plugin_time_CPPFLAGS = $(PLUGIN_CPPFLAGS)
tests_test_plugin_time_LDADD = $(PLUGIN_LINK_LIBS)
tests_test_plugin_time_LDFLAGS = $(PLUGIN_LINK) -Wl,--wrap=clock_mono_ns \
	-Wl,--wrap=event_add -Wl,--wrap=event_free
tests_test_watch_SOURCES = tests/test_watch.c $(PLUGIN_KIT)
tests_test_watch_CPPFLAGS = $(PLUGIN_CPPFLAGS)
tests_test_watch_LDADD = $(PLUGIN_LINK_LIBS)
tests_test_watch_LDFLAGS = $(PLUGIN_LINK) -Wl,--wrap=read \
	-Wl,--wrap=inotify_add_watch -Wl,--wrap=opendir -Wl,--wrap=fstatat
tests_test_plugin_churn_SOURCES = tests/test_plugin_churn.c \
	tests/support/rnd.h $(PLUGIN_KIT)
tests_test_plugin_churn_CPPFLAGS = $(PLUGIN_CPPFLAGS)
tests_test_plugin_churn_LDADD = $(PLUGIN_LINK_LIBS)
tests_test_plugin_churn_LDFLAGS = $(PLUGIN_LINK) \
	-Wl,--wrap=inotify_add_watch
