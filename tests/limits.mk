# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# What clients can take from the broker, and how far it grows.
EXTRA_DIST += bench/hostile

# What of its memory the broker has in use; never sanitized.
check_LTLIBRARIES += tests/support/heapinfo.la
tests_support_heapinfo_la_SOURCES = tests/support/heapinfo.c
tests_support_heapinfo_la_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_support_heapinfo_la_LDFLAGS = -module -avoid-version -shared \
	-rpath $(abs_top_builddir)
tests_support_heapinfo_la_LIBADD = -ldl
