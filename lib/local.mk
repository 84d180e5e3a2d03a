# Shared code; knows none of the programs.
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	lib/err.c lib/err.h \
	lib/str.h lib/sum.h lib/version.h \
	lib/log.c lib/log.h \
	lib/xalloc.c lib/xalloc.h lib/map.c lib/map.h \
	lib/clock.c lib/clock.h \
	lib/whole.c lib/whole.h \
	lib/buf.c lib/buf.h \
	lib/heap.c lib/heap.h \
	lib/conf.c lib/conf.h \
	lib/overrides.c lib/overrides.h \
	lib/usock.c lib/usock.h \
	lib/systemd.c lib/systemd.h \
	lib/http1.c lib/http1.h \
	lib/json.c lib/json.h \
	lib/wire.c lib/wire_body.c lib/wire.h \
	lib/ring.c lib/ring.h lib/ring_file.c lib/ring_file.h \
	lib/redact.c lib/redact.h \
	lib/redact_scan.c lib/redact_scan.h \
	lib/redact_end.c \
	lib/evlog.c lib/evlog.h \
	lib/text.c lib/text.h lib/units.c lib/units.h \
	lib/events.c lib/events.h \
	lib/chart.c lib/chart.h lib/chart_plan.c lib/chart_plan.h \
	lib/chart_text.c lib/chart_svg.c lib/chart_html.c \
	lib/chart_sheet.c lib/chart_sheet.h lib/chart_json.c
libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(INIH_CFLAGS) $(EVENT_CFLAGS)
EXTRA_DIST += lib/xmsg.pc.in

# libxmsg, the client library: shared for others, with what it needs of ours
# hidden inside; as an archive for our own programs, which stay plain
# executables.  Link libclient.a before libbase.a.
XMSG_SOURCES = \
	lib/xmsg.c lib/xmsg.h lib/xmsg_impl.h \
	lib/xmsg_conn.c lib/xmsg_op.c lib/xmsg_msg.c \
	lib/xmsg_call.c lib/xmsg_serve.c lib/xmsg_answer.c
noinst_LIBRARIES += libclient.a
libclient_a_SOURCES = $(XMSG_SOURCES)
lib_LTLIBRARIES += libxmsg.la
libxmsg_la_SOURCES = $(XMSG_SOURCES) \
	lib/err.c lib/clock.c lib/whole.c lib/buf.c lib/heap.c lib/usock.c \
	lib/http1.c lib/json.c lib/wire.c lib/wire_body.c
libxmsg_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
libxmsg_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -no-undefined \
	-Wl,--version-script=$(top_srcdir)/lib/xmsg.map
EXTRA_libxmsg_la_DEPENDENCIES = lib/xmsg.map
include_HEADERS += lib/xmsg.h
pkgconfig_DATA += lib/xmsg.pc
EXTRA_DIST += lib/xmsg.map
