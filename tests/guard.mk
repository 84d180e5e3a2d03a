# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# What operations cost in instructions.  The counts are those of a plain build
# with -O2; elsewhere there is nothing to compare with, and no such test.
if PLAIN_O2
TESTS += tests/guard/test_guard.py
endif
EXTRA_DIST += tests/guard/test_guard.py tests/guard/bounds
