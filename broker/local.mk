# The broker: a convenience library, and a main.
noinst_LIBRARIES += libbroker.a
libbroker_a_SOURCES = \
	broker/deadline.c broker/deadline.h broker/hist.c broker/hist.h \
	broker/idmap.c broker/idmap.h \
	broker/msgq.c broker/msgq.h \
	broker/session.c broker/session.h \
	broker/waiter.c broker/waiter.h \
	broker/trace.c broker/trace.h broker/rate.h \
	broker/mswitch.c broker/mswitch_load.c broker/mswitch_poll.c \
	broker/mswitch_change.c broker/mswitch_send.c broker/mswitch_ack.c \
	broker/mswitch_cancel.c broker/mswitch_mark.c \
	broker/mswitch_poison.c broker/rpc.c broker/rpc.h \
	broker/mswitch.h broker/mswitch_int.h \
	broker/store.c broker/store.h \
	broker/store_mem.c broker/store_sqlite.c \
	broker/store_job.c broker/store_job.h \
	broker/sqldb.c broker/sqldb_write.c broker/sqldb_read.c \
	broker/sqldb_keep.c broker/sqldb_log.c broker/sqldb_mem.c \
	broker/sqldb.h broker/sqldb_int.h \
	broker/http.c broker/http_out.c broker/http_accept.c \
	broker/http.h broker/http_int.h \
	broker/jsonw.c broker/jsonw.h \
	broker/api.c broker/api_look.c broker/api_v1.c \
	broker/api_v1_look.c broker/api_v1_act.c broker/api_v1_events.c \
	broker/api_v1_body.c broker/api_v1_filter.c broker/api_v1_purge.c \
	broker/api_v1_undo.c broker/api_v1_ring.c broker/api_v1_acts.c broker/api_v1_turn.c broker/api_v1_chart.c \
	broker/api_metrics.c broker/api.h broker/api_v1.h \
	broker/settings.c broker/settings.h broker/tidy.c broker/tidy.h \
	broker/harden.c broker/harden.h \
	broker/server.c broker/server.h
libbroker_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(SQLITE_CFLAGS)

BROKER_LIBS = libbroker.a libbase.a $(EVENT_LIBS) $(SQLITE_LIBS) \
	$(INIH_LIBS) -lm

sbin_PROGRAMS += xmsgd
xmsgd_SOURCES = broker/main.c broker/wipe.c broker/wipe.h
xmsgd_LDFLAGS = $(AM_LDFLAGS) $(PIE_LDFLAGS) -Wl,--wrap=free \
	-Wl,--wrap=realloc -Wl,--wrap=reallocarray
xmsgd_LDADD = $(BROKER_LIBS)

install-exec-hook: install-old-names
install-old-names:
	cd '$(DESTDIR)$(sbindir)' && $(LN_S) -f xmsgd message-switch
uninstall-hook: uninstall-old-names
uninstall-old-names:
	rm -f '$(DESTDIR)$(sbindir)/message-switch'
