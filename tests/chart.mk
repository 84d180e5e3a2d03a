# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Charts, and what they are made with.
chart_tests = tests/test_text tests/test_units tests/test_chart
check_PROGRAMS += $(chart_tests)
TESTS += $(chart_tests)
CHART_TEST_LIBS = libbase.a $(CMOCKA_LIBS) -lm
tests_test_text_SOURCES = tests/test_text.c
tests_test_text_LDADD = $(CHART_TEST_LIBS)
tests_test_units_SOURCES = tests/test_units.c
tests_test_units_LDADD = $(CHART_TEST_LIBS)
tests_test_chart_SOURCES = tests/test_chart.c
tests_test_chart_LDADD = $(CHART_TEST_LIBS)
