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

# Adapter and runner are killed at each call.
job_tests += tests/test_job_kill
tests_test_job_kill_SOURCES = tests/test_job_kill.c
tests_test_job_kill_CPPFLAGS = $(JOB_INCLUDES)
tests_test_job_kill_LDADD = $(JOB_LIBS)
EXTRA_tests_test_job_kill_DEPENDENCIES = tests/job/xmsg-run$(EXEEXT) \
	tests/job_agent$(EXEEXT) tests/job/killjob.la
# the same runner with the dynamic linker, which knows of preloading
check_PROGRAMS += tests/job/xmsg-run
tests_job_xmsg_run_SOURCES = $(xmsg_run_SOURCES)
tests_job_xmsg_run_CPPFLAGS = $(AM_CPPFLAGS)
tests_job_xmsg_run_LDADD = libbase.a
check_PROGRAMS += tests/job_agent
tests_job_agent_SOURCES = tests/job/agent.c
tests_job_agent_CPPFLAGS = $(JOB_INCLUDES)
tests_job_agent_LDADD = libadapter.a libbase.a $(EVENT_LIBS) $(INIH_LIBS)
# never sanitized, as it goes in front of everything else
check_LTLIBRARIES += tests/job/killjob.la
tests_job_killjob_la_SOURCES = tests/job/killjob.c tests/support/preload.h
tests_job_killjob_la_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_job_killjob_la_LDFLAGS = -module -avoid-version -shared \
	-rpath $(abs_top_builddir)
tests_job_killjob_la_LIBADD = -ldl

# The folders.
job_tests += tests/test_job_dir
tests_test_job_dir_SOURCES = tests/test_job_dir.c
tests_test_job_dir_CPPFLAGS = $(JOB_INCLUDES)
tests_test_job_dir_LDADD = $(JOB_LIBS)
EXTRA_tests_test_job_dir_DEPENDENCIES = xmsg-run$(EXEEXT)

# The nursery.
job_tests += tests/test_job_nursery
tests_test_job_nursery_SOURCES = tests/test_job_nursery.c
tests_test_job_nursery_CPPFLAGS = $(JOB_INCLUDES)
tests_test_job_nursery_LDADD = $(JOB_LIBS)
EXTRA_tests_test_job_nursery_DEPENDENCIES = xmsg-run$(EXEEXT)

# The runner by itself.
TESTS += tests/job/test_run.py
EXTRA_DIST += tests/job/test_run.py
