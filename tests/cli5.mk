# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The operator's commands: selectors and acts against the real broker.
cli5_e2e_tests = tests/e2e/cli_acts.py tests/e2e/cli_why.py \
	tests/e2e/cli_ops.py tests/e2e/cli_bugtool.py \
	tests/e2e/cli_watch.py
TESTS += $(cli5_e2e_tests)
EXTRA_DIST += $(cli5_e2e_tests)
