# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Charts, and what they are made with.
chart_tests = tests/test_text tests/test_units tests/test_chart \
	tests/test_cli_runs
check_PROGRAMS += $(chart_tests)
TESTS += $(chart_tests)
CHART_TEST_LIBS = libbase.a $(CMOCKA_LIBS) -lm
tests_test_text_SOURCES = tests/test_text.c
tests_test_text_LDADD = $(CHART_TEST_LIBS)
tests_test_units_SOURCES = tests/test_units.c
tests_test_units_LDADD = $(CHART_TEST_LIBS)
tests_test_chart_SOURCES = tests/test_chart.c
tests_test_chart_LDADD = $(CHART_TEST_LIBS)
tests_test_cli_runs_SOURCES = tests/test_cli_runs.c \
	tests/support/tempdir.c tests/support/tempdir.h
tests_test_cli_runs_LDADD = $(CLI_TEST_LIBS)

# The forms as others see them: parsers, mscgen, a browser.
chart_e2e_tests = tests/e2e/test_chart.py tests/ui/test_chart.py
TESTS += $(chart_e2e_tests)
EXTRA_DIST += $(chart_e2e_tests)
tests/e2e/test_chart.log tests/ui/test_chart.log: xmsgd$(EXEEXT) xmsg$(EXEEXT)

# its fuzz target (how: see tests/local.mk)
check_PROGRAMS += tests/fuzz/fuzz_chart
EXTRA_DIST += tests/fuzz/chart.seeds
if !FUZZING
TESTS += tests/fuzz/fuzz_chart
endif
tests_fuzz_fuzz_chart_SOURCES = tests/fuzz/fuzz_chart.c $(FUZZ_MAIN)
tests_fuzz_fuzz_chart_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"chart.seeds"'
tests_fuzz_fuzz_chart_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_chart_LDADD = libbase.a -lm
