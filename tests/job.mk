# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Runs of scripts, with real scripts and the real runner.
job_tests = tests/test_job
check_PROGRAMS += $(job_tests)
TESTS += $(job_tests)

check_LIBRARIES += tests/job/libjobtest.a
tests_job_libjobtest_a_SOURCES = tests/job/jobtest.c tests/job/jobtest.h \
	tests/support/tempdir.c tests/support/tempdir.h
JOB_INCLUDES = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	-I$(top_srcdir)/storage-adapter $(EVENT_CFLAGS)
tests_job_libjobtest_a_CPPFLAGS = $(JOB_INCLUDES)
JOB_LIBS = tests/job/libjobtest.a libadapter.a libbase.a $(CMOCKA_LIBS) \
	$(EVENT_LIBS) $(INIH_LIBS)

tests_test_job_SOURCES = tests/test_job.c
tests_test_job_CPPFLAGS = $(JOB_INCLUDES)
tests_test_job_LDADD = $(JOB_LIBS)
EXTRA_tests_test_job_DEPENDENCIES = xmsg-run$(EXEEXT)
