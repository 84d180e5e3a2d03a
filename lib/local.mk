# Shared code; knows none of the programs.
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	lib/err.c lib/err.h \
	lib/str.h lib/version.h \
	lib/log.c lib/log.h \
	lib/xalloc.c lib/xalloc.h \
	lib/clock.c lib/clock.h \
	lib/buf.c lib/buf.h \
	lib/heap.c lib/heap.h \
	lib/conf.c lib/conf.h \
	lib/usock.c lib/usock.h \
	lib/http1.c lib/http1.h \
	lib/json.c lib/json.h \
	lib/wire.c lib/wire_body.c lib/wire.h \
	lib/ring.c lib/ring.h \
	lib/redact.c lib/redact.h \
	lib/redact_scan.c lib/redact_scan.h \
	lib/redact_end.c
libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(INIH_CFLAGS)
EXTRA_DIST += lib/xmsg.pc.in
