# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The Python package under every Python that it is for.

tests/idl/python_cases.py is run by each of them.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.environ["XMSG_SRCDIR"], "tests/idl"))
sys.dont_write_bytecode = True

import pythons  # noqa: E402

report = pythons.Report()
report.under_all("python_cases.py")
sys.exit(report.end())
