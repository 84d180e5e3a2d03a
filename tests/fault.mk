# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# System calls that fail.  What they have shown: doc/proof.md.  XMSG_FULL=1
# lets each of them fail.
fault_scripts = tests/fault/test_broker.py tests/fault/test_adapter.py \
	tests/fault/test_runner.py tests/fault/test_client.py \
	tests/fault/test_full_disk.py tests/fault/test_clock.py
dist_check_SCRIPTS += $(fault_scripts)
TESTS += $(fault_scripts)
EXTRA_DIST += tests/support/fault.py \
	tests/support/preload.h

# never sanitized, as it goes in front of everything else
check_LTLIBRARIES += tests/support/faultat.la
tests_support_faultat_la_SOURCES = tests/support/faultat.c \
	tests/support/preload.h
tests_support_faultat_la_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_support_faultat_la_LDFLAGS = -module -avoid-version -shared \
	-rpath $(abs_top_builddir)
tests_support_faultat_la_LIBADD = -ldl -lpthread

# The client whose calls fail.
check_PROGRAMS += tests/fault/client
tests_fault_client_SOURCES = tests/fault/client.c
tests_fault_client_LDADD = libclient.a libbase.a

# The time of day, wrong.
check_LTLIBRARIES += tests/support/wallclock.la
tests_support_wallclock_la_SOURCES = tests/support/wallclock.c
tests_support_wallclock_la_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_support_wallclock_la_LDFLAGS = -module -avoid-version -shared \
	-rpath $(abs_top_builddir)
tests_support_wallclock_la_LIBADD = -ldl
