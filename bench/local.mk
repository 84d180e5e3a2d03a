# The measuring tools: built with the rest, never installed.  bench/run drives
# them (doc/bench.md).
noinst_PROGRAMS += bench/limit
bench_limit_SOURCES = bench/limit.c bench/hist.c bench/hist.h \
	bench/report.c bench/report.h
bench_limit_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
bench_limit_LDADD = libbase.a $(SQLITE_LIBS)
