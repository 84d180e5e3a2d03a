# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The comparison with other brokers (bench/compare, doc/performance.md): built
# by `make bench-compare`, not by `make`, because it wants client libraries that
# nothing else needs.  Those that are not there are left out.
EXTRA_PROGRAMS += bench/peer
bench_peer_SOURCES = bench/peer.c bench/peer.h bench/link.c bench/link.h \
	bench/resp.c bench/resp.h $(bench_stage) \
	bench/peer_beanstalkd.c bench/peer_redis.c bench/peer_nats.c
bench_peer_CPPFLAGS = $(AM_CPPFLAGS) $(PEER_CPPFLAGS)
bench_peer_LDADD = libbase.a $(PEER_LIBS)
if PEER_POSTGRES
bench_peer_SOURCES += bench/peer_postgres.c
endif
if PEER_RABBITMQ
bench_peer_SOURCES += bench/peer_rabbitmq.c
endif
if PEER_MOSQUITTO
bench_peer_SOURCES += bench/peer_mosquitto.c
endif

.PHONY: bench-compare
bench-compare: bench/load bench/limit bench/peer

TESTS += bench/test_tools.py
CLEANFILES += bench/peer$(EXEEXT)
EXTRA_DIST += bench/compare bench/scale bench/mixed bench/brokers.py \
	bench/edges.py bench/tables.py bench/plot.py bench/test_tools.py
dist_doc_DATA += doc/performance.md
EXTRA_DIST += doc/plots/calls.svg doc/plots/cost.svg doc/plots/memory.svg
