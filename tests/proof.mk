# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The promises, tested until they hold: power cuts, failed syncs, damaged files.
# What they have shown: doc/proof.md.  XMSG_FULL=1 runs all of it.
proof_tests = tests/proof/test_crash_store tests/proof/test_crash_upgrade \
	tests/proof/test_crash_state tests/proof/test_damage_store
proof_scripts = tests/proof/test_damage.py tests/proof/test_failed_sync.py
check_PROGRAMS += $(proof_tests)
dist_check_SCRIPTS += $(proof_scripts)
TESTS += $(proof_tests) $(proof_scripts)
EXTRA_DIST += doc/proof.md

CRASH_SOURCES = tests/proof/crashtest.c tests/proof/crashtest.h \
	tests/support/crashvfs.c tests/support/crashvfs.h tests/support/passvfs.h
CRASH_LINK = $(CORE_LINK) -Wl,--wrap=posix_fallocate -Wl,--wrap=sqlite3_exec
tests_proof_test_crash_store_SOURCES = tests/proof/test_crash_store.c \
	$(CRASH_SOURCES)
tests_proof_test_crash_store_CPPFLAGS = $(CORE_INCLUDES)
tests_proof_test_crash_store_LDFLAGS = $(CRASH_LINK)
tests_proof_test_crash_store_LDADD = $(CORE_LINK_LIBS)
tests_proof_test_crash_upgrade_SOURCES = tests/proof/test_crash_upgrade.c \
	$(CRASH_SOURCES)
tests_proof_test_crash_upgrade_CPPFLAGS = $(CORE_INCLUDES)
tests_proof_test_crash_upgrade_LDFLAGS = $(CRASH_LINK)
tests_proof_test_crash_upgrade_LDADD = $(CORE_LINK_LIBS)
tests_proof_test_crash_state_SOURCES = tests/proof/test_crash_state.c \
	tests/support/crashvfs.c tests/support/crashvfs.h tests/support/passvfs.h \
	tests/support/logtest.c tests/support/logtest.h \
	tests/support/tempdir.c tests/support/tempdir.h
tests_proof_test_crash_state_CPPFLAGS = $(ADAPTER_CPPFLAGS) $(SQLITE_CFLAGS)
tests_proof_test_crash_state_LDFLAGS = $(AM_LDFLAGS) $(ADAPTER_WRAP) \
	-Wl,--wrap=sqlite3_exec
tests_proof_test_crash_state_LDADD = $(ADAPTER_TEST_LIBS)
tests_proof_test_damage_store_SOURCES = tests/proof/test_damage_store.c
tests_proof_test_damage_store_CPPFLAGS = $(CORE_INCLUDES)
tests_proof_test_damage_store_LDFLAGS = $(CORE_LINK) \
	-Wl,--wrap=posix_fallocate
tests_proof_test_damage_store_LDADD = $(CORE_LINK_LIBS)
