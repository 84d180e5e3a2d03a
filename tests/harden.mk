# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# What the broker gives up, and what it leaves behind (doc/proof.md).
check_PROGRAMS += tests/core/test_harden
harden_scripts = tests/proof/test_hardening.py tests/proof/test_wiped.py \
	tests/proof/test_history.py tests/proof/test_history_check.py
EXTRA_DIST += tests/proof/history.py
dist_check_SCRIPTS += $(harden_scripts)
TESTS += tests/core/test_harden $(harden_scripts)
check_PROGRAMS += tests/proof/test_trust_race
TESTS += tests/proof/test_trust_race
tests_proof_test_trust_race_SOURCES = tests/proof/test_trust_race.c \
	tests/support/rnd.h tests/support/tempdir.c
tests_proof_test_trust_race_CPPFLAGS = $(PLUGIN_CPPFLAGS)
tests_proof_test_trust_race_LDADD = $(PLUGIN_LINK_LIBS)
EXTRA_DIST += tests/proof/soak.py
tests_core_test_harden_SOURCES = tests/core/test_harden.c
tests_core_test_harden_CPPFLAGS = $(CORE_INCLUDES)
tests_core_test_harden_LDADD = $(CORE_LINK_LIBS)
