# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# End-to-end tests: the real broker on a socket in a fresh folder.
e2e_tests = tests/e2e/test_wire.py tests/e2e/test_semantics.py \
	tests/e2e/test_kill.py tests/e2e/test_hostile.py
TESTS += $(e2e_tests)
EXTRA_DIST += $(e2e_tests) tests/support/tap.py tests/support/broker.py \
	tests/support/oracle.py

# Preloaded by the tests that kill the broker or slow its disk; never
# sanitized, as it goes into the broker in front of everything else.
check_LTLIBRARIES = tests/support/killat.la
tests_support_killat_la_SOURCES = tests/support/killat.c tests/support/preload.h
tests_support_killat_la_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_support_killat_la_LDFLAGS = -module -avoid-version -shared \
	-rpath $(abs_top_builddir)
tests_support_killat_la_LIBADD = -ldl
