# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""unittest cases, reported as TAP.

A method of a Case whose name begins with test_ is one case.  A method marked
with @table(rows) is one case for each row, named by the row's first element and
called with the others.  What a failed case prints is what a reader needs to see
what differed: the assertion's text, and what the broker logged.
"""
import sys
import time
import traceback
import unittest


def table(rows):
    """One case for each row: (name, argument...)."""
    def mark(function):
        function.rows = list(rows)
        return function
    return mark


def _case_of(function, row):
    def case(self):
        return function(self, *row[1:])
    case.title = "%s: %s" % (function.__name__, row[0])
    return case


class Case(unittest.TestCase):
    """A group of cases; rows of tables become methods."""
    longMessage = True
    maxDiff = None

    def __init_subclass__(cls, **kw):
        super().__init_subclass__(**kw)
        for name, function in list(vars(cls).items()):
            rows = getattr(function, "rows", None)
            if rows is None:
                continue
            names = [row[0] for row in rows]
            twice = set(n for n in names if names.count(n) > 1)
            assert not twice, "rows with the same name: %s" % twice
            for i, row in enumerate(rows):
                setattr(cls, "test_%s_%04d" % (name, i),
                        _case_of(function, row))

    def title(self):
        method = getattr(self, self._testMethodName)
        title = getattr(method, "title", self._testMethodName)
        return "%s.%s" % (type(self).__name__,
                          title[5:] if title.startswith("test_") else title)

    def logged(self):
        """What a failure should show besides; groups with a broker say."""
        return ""


class _Tap(unittest.TestResult):
    def __init__(self, out):
        super().__init__()
        self.out = out
        self.count = 0
        self.bad = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def line(self, ok, test, more=""):
        self.count += 1
        self.bad += not ok
        title = test.title() if isinstance(test, Case) else str(test)
        title = title.replace("#", "\\#")
        self.out.write("%s %d - %s%s\n" % ("ok" if ok else "not ok",
                                            self.count, title, more))
        spent = time.monotonic() - getattr(self, "began", time.monotonic())
        if spent > 2:
            self.out.write("# took %.1f s\n" % spent)
        self.out.flush()

    def comment(self, text):
        for line in text.splitlines():
            self.out.write("#   %s\n" % line.encode(
                "ascii", "backslashreplace").decode())
        self.out.flush()

    def addSuccess(self, test):
        self.line(True, test)

    def addFailure(self, test, err):
        self.line(False, test)
        self.comment("".join(traceback.format_exception(*err)))
        if isinstance(test, Case):
            self.comment(test.logged())

    addError = addFailure

    def addSkip(self, test, reason):
        self.line(True, test, " # SKIP " + reason)

    def addExpectedFailure(self, test, err):
        self.line(False, test, " # TODO known")

    def addUnexpectedSuccess(self, test):
        self.line(True, test, " # TODO known")


def _flat(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from _flat(t)
        else:
            yield t


def main(module="__main__"):
    """Run the cases of a module; arguments choose those that contain one."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])
    cases = list(_flat(suite))
    words = sys.argv[1:]
    if words:
        cases = [c for c in cases if any(w in c.title() for w in words)]
    out = sys.stdout
    out.write("1..%d\n" % len(cases))
    result = _Tap(out)
    unittest.TestSuite(cases).run(result)
    if result.count != len(cases):
        out.write("Bail out! %d cases of %d ran\n" % (result.count, len(cases)))
        sys.exit(1)
    sys.exit(1 if result.bad else 0)
