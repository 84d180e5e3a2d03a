# The measuring tools: built with the rest, never installed.  bench/run drives
# them (doc/bench.md).
noinst_PROGRAMS += bench/limit bench/load
bench_common = bench/hist.c bench/hist.h bench/report.c bench/report.h
bench_limit_SOURCES = bench/limit.c bench/proc.c bench/proc.h $(bench_common)
bench_limit_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
bench_limit_LDADD = libbase.a $(SQLITE_LIBS)
bench_stage = bench/load.c bench/load.h $(bench_common) \
	bench/reply.c bench/reply.h \
	bench/eng.c bench/eng.h \
	bench/proc.c bench/proc.h \
	bench/stage.c bench/stage.h
bench_load_SOURCES = bench/load_modes.c $(bench_stage) \
	bench/send.c bench/send.h \
	bench/rpc.c bench/rpclib.c bench/parked.c bench/drain.c bench/restart.c
bench_load_LDADD = libclient.a libbase.a
EXTRA_DIST += bench/run bench/table.awk

check_PROGRAMS += bench/test_bench
TESTS += bench/test_bench
bench_test_bench_SOURCES = bench/test_bench.c tests/support/unit.h \
	bench/reply.c bench/reply.h bench/resp.c bench/resp.h \
	bench/proc.c bench/proc.h $(bench_common)
bench_test_bench_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
bench_test_bench_LDADD = libbase.a $(CMOCKA_LIBS) -lm
dist_doc_DATA += doc/bench.md
