# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Runs of scripts: the adapter's side, and the program that supervises one.
libadapter_a_SOURCES += \
	storage-adapter/job.c storage-adapter/job.h \
	storage-adapter/job_spawn.c storage-adapter/job_nursery.c \
	storage-adapter/job_result.c \
	storage-adapter/job_dir.c storage-adapter/job_int.h \
	storage-adapter/spool.c storage-adapter/spool.h

# Forked, or started, with every call: nothing but libc.
libexec_PROGRAMS = xmsg-run
xmsg_run_SOURCES = \
	storage-adapter/run.c storage-adapter/run.h \
	storage-adapter/run_nursery.c \
	storage-adapter/run_start.c storage-adapter/run_watch.c \
	storage-adapter/run_copy.c storage-adapter/run_kill.c \
	storage-adapter/spool.c storage-adapter/spool.h \
	storage-adapter/job.h
xmsg_run_CPPFLAGS = $(AM_CPPFLAGS)
xmsg_run_LDFLAGS = $(AM_LDFLAGS) $(RUN_LDFLAGS)
xmsg_run_LDADD = libbase.a
