# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The commands about the storage adapter: real broker, adapter and plugins.
cli_adapter_tests = tests/e2e/cli_adapter.py
TESTS += $(cli_adapter_tests)
EXTRA_DIST += $(cli_adapter_tests)
