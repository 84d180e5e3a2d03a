# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# What was not run by any test before: how much is, tells ./check --coverage.
cover_tests = tests/test_map tests/test_xmsg_edges tests/test_lib_edges \
	tests/core/test_sqldb_starved tests/core/test_harden_fails \
	tests/core/test_core_nomem tests/core/test_store_ends \
	tests/core/test_sqldb_edges
check_PROGRAMS += $(cover_tests)
TESTS += $(cover_tests)
tests_test_map_SOURCES = tests/test_map.c
tests_test_map_LDADD = $(UNIT_LIBS)
tests_core_test_sqldb_starved_SOURCES = tests/core/test_sqldb_starved.c
tests_core_test_sqldb_starved_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_sqldb_starved_LDFLAGS = $(CORE_LINK)
tests_core_test_sqldb_starved_LDADD = $(CORE_LINK_LIBS)
tests_core_test_harden_fails_SOURCES = tests/core/test_harden_fails.c
tests_core_test_harden_fails_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_harden_fails_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=initgroups -Wl,--wrap=setresgid -Wl,--wrap=setresuid \
	-Wl,--wrap=setrlimit -Wl,--wrap=prctl -Wl,--wrap=syscall \
	-Wl,--wrap=getpwnam
tests_core_test_harden_fails_LDADD = $(CORE_LINK_LIBS)
tests_test_xmsg_edges_SOURCES = tests/test_xmsg_edges.c \
	tests/support/fake.c tests/support/fake.h
tests_test_xmsg_edges_LDADD = $(XMSG_TEST_LIBS)
cover_scripts = tests/fault/test_operator.py tests/e2e/test_v1_edges.py \
	tests/e2e/test_start.py
dist_check_SCRIPTS += $(cover_scripts)
TESTS += $(cover_scripts)
tests_core_test_core_nomem_SOURCES = tests/core/test_core_nomem.c
tests_core_test_core_nomem_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_core_nomem_LDFLAGS = $(CORE_LINK) -Wl,--wrap=malloc \
	-Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=reallocarray
tests_core_test_core_nomem_LDADD = $(CORE_LINK_LIBS)
tests_core_test_store_ends_SOURCES = tests/core/test_store_ends.c
tests_core_test_store_ends_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_store_ends_LDFLAGS = $(CORE_LINK) \
	-Wl,--wrap=sqldb_apply -Wl,--wrap=sqldb_checkpoint \
	-Wl,--wrap=sqldb_answers_new -Wl,--wrap=sqldb_forget_answers \
	-Wl,--wrap=sqldb_sweep_due -Wl,--wrap=sqldb_sweep \
	-Wl,--wrap=sqldb_wal_frames -Wl,--wrap=write -Wl,--wrap=read \
	-Wl,--wrap=ftruncate -Wl,--wrap=posix_fallocate \
	-Wl,--wrap=event_add
tests_core_test_store_ends_LDADD = $(CORE_LINK_LIBS)
tests_core_test_sqldb_edges_SOURCES = tests/core/test_sqldb_edges.c
tests_core_test_sqldb_edges_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_sqldb_edges_LDFLAGS = $(CORE_LINK) -Wl,--wrap=malloc
tests_core_test_sqldb_edges_LDADD = $(CORE_LINK_LIBS)
tests_test_lib_edges_SOURCES = tests/test_lib_edges.c
tests_test_lib_edges_LDADD = $(UNIT_LIBS)
tests_test_lib_edges_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=read \
	-Wl,--wrap=write -Wl,--wrap=pread -Wl,--wrap=pwrite -Wl,--wrap=openat \
	-Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=reallocarray
