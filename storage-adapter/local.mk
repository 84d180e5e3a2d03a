# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The storage adapter: a convenience library, the runner, and a main.  Each
# subject has a makefile piece of its own.
noinst_LIBRARIES += libadapter.a
libadapter_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/idl/runtime/c -Iidl \
	-DRUNNER_PATH='"$(libexecdir)/xmsg-run"' $(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
libadapter_a_SOURCES = \
	storage-adapter/settings.c storage-adapter/settings.h \
	storage-adapter/old.c storage-adapter/old.h \
	storage-adapter/ctx.h storage-adapter/each.h \
	storage-adapter/state.c storage-adapter/state.h \
	storage-adapter/sexp.c storage-adapter/sexp.h \
	storage-adapter/turns.c storage-adapter/turns.h \
	storage-adapter/record.c storage-adapter/record.h \
	storage-adapter/poison.c storage-adapter/poison.h \
	storage-adapter/rrd.c storage-adapter/rrd.h \
	storage-adapter/observer.c storage-adapter/observer.h \
	storage-adapter/probe.c storage-adapter/probe.h \
	storage-adapter/world.c storage-adapter/world.h \
	storage-adapter/task.c storage-adapter/task.h \
	storage-adapter/service.c storage-adapter/service.h \
	storage-adapter/follow.c storage-adapter/follow.h \
	storage-adapter/control.c storage-adapter/control.h \
	storage-adapter/selftest.c storage-adapter/selftest.h \
	storage-adapter/adapter.c storage-adapter/adapter.h
include storage-adapter/job.mk
include storage-adapter/call.mk
include storage-adapter/plugin.mk

sbin_PROGRAMS += xmsg-storaged
xmsg_storaged_SOURCES = storage-adapter/main.c
xmsg_storaged_CPPFLAGS = $(libadapter_a_CPPFLAGS)
xmsg_storaged_LDFLAGS = $(AM_LDFLAGS) $(PIE_LDFLAGS)
xmsg_storaged_LDADD = libadapter.a libsmapi.a libclient.a libbase.a \
	$(EVENT_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) $(INIH_LIBS) \
	-lm

# xapi-storage-script is the same program under its old name.
install-exec-hook: install-storage-script
install-storage-script:
	cd '$(DESTDIR)$(sbindir)' && \
		$(LN_S) -f xmsg-storaged xapi-storage-script
uninstall-hook: uninstall-storage-script
uninstall-storage-script:
	rm -f '$(DESTDIR)$(sbindir)/xapi-storage-script'
