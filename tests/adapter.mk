# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The adapter, end to end: real broker, adapter and scripts.
adapter_e2e_tests = tests/adapter/test_calls.py \
	tests/adapter/test_samples.py tests/adapter/test_plugins.py \
	tests/adapter/test_misbehaviour.py \
	tests/adapter/test_limits.py tests/adapter/test_crash.py \
	tests/adapter/test_churn.py tests/adapter/test_secrets.py \
	tests/adapter/test_old.py tests/adapter/test_rrd.py \
	tests/adapter/test_kill_at.py tests/adapter/test_daemon.py
TESTS += $(adapter_e2e_tests)
EXTRA_DIST += $(adapter_e2e_tests) tests/adapter/support.py \
	tests/adapter/stage.py tests/adapter/calls_table.py

# The program behind every script of a staged plugin.
check_PROGRAMS += tests/adapter/staged
tests_adapter_staged_SOURCES = tests/adapter/staged.c
# without sanitizers, which would change how it dies and what it ignores
tests_adapter_staged_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_adapter_staged_LDFLAGS =

# What the adapter costs (bench/adapter).
noinst_PROGRAMS += bench/null bench/calls
bench_null_SOURCES = bench/null.c
bench_calls_SOURCES = bench/calls.c bench/hist.c bench/hist.h
bench_calls_LDADD = libclient.a libbase.a -lpthread
EXTRA_DIST += bench/adapter
