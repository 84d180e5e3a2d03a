# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The storage adapter: a convenience library, the runner, and a main.  Each
# subject has a makefile piece of its own.
noinst_LIBRARIES += libadapter.a
libadapter_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/idl/runtime/c -Iidl \
	$(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS) $(SYSTEMD_CFLAGS)
libadapter_a_SOURCES = \
	storage-adapter/settings.c storage-adapter/settings.h
include storage-adapter/job.mk
include storage-adapter/call.mk
include storage-adapter/plugin.mk
