# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""unittest, reported as TAP.

End a test file with `tap.main()`, or run `python3 tap.py FILE`.  One line per
case, `ok N - name`; what went wrong follows as comments.  Runs on Python 2.7
and later.
"""

from __future__ import print_function

import importlib
import os
import sys
import traceback
import unittest


class Result(unittest.TestResult):
    """Prints a line for every case as it ends."""

    def __init__(self):
        unittest.TestResult.__init__(self)
        self.count = 0

    def _line(self, ok, test, note=""):
        self.count += 1
        name = test.id().split(".", 1)[-1].replace("#", "")
        print("%s %d - %s%s" % ("ok" if ok else "not ok", self.count, name,
                                note))
        sys.stdout.flush()

    def _details(self, err):
        for line in "".join(traceback.format_exception(*err)).splitlines():
            print("# " + line)

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        self._line(True, test)

    def addFailure(self, test, err):
        unittest.TestResult.addFailure(self, test, err)
        self._line(False, test)
        self._details(err)

    addError = addFailure

    def addSkip(self, test, reason):
        # Here what a case needs is installed, or it fails.
        self.failures.append((test, reason))
        self._line(False, test, " # skipped, which is no pass: " + reason)

    def addExpectedFailure(self, test, err):
        self._line(False, test, " # an expected failure is not a pass")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.failures.append((subtest, ""))
            print("# in %s" % subtest)
            self._details(err)


def run(suite):
    """Run all cases; whether they passed."""
    print("1..%d" % suite.countTestCases())
    result = Result()
    suite.run(result)
    return not result.failures and not result.errors and (
        result.count == suite.countTestCases())


def main(module="__main__"):
    """Run the cases of a module and end the process."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(
        sys.modules.get(module) or importlib.import_module(module))
    sys.exit(0 if run(suite) else 1)


if __name__ == "__main__":
    path = os.path.abspath(sys.argv[1])
    sys.path.insert(0, os.path.dirname(path))
    sys.argv = sys.argv[1:]
    main(os.path.splitext(os.path.basename(path))[0])
