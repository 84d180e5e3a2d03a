# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Cases under every Python of 2.7 and 3.6 to 3.13 that is here.

A version that is absent is named in the output: it is no package that could
be installed, so it is one skipped case, which counts as no pass.
"""

from __future__ import print_function

import glob
import os
import re
import subprocess
import sys

WANTED = ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]
PLACES = ["/usr/bin", "/usr/local/bin", "/opt/python*/bin",
          "/opt/*python*/*/bin", "~/.pyenv/versions/*/bin", "~/.local/bin"]


def version_of(path):
    """What a program says its version of Python is, or None."""
    try:
        out = subprocess.check_output(
            [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return out.decode().strip()


def find():
    """One program for each version that is found."""
    found = {}
    folders = os.environ.get("PATH", "").split(os.pathsep)
    for place in PLACES:
        folders += sorted(glob.glob(os.path.expanduser(place)))
    for version in WANTED:
        for folder in folders:
            path = os.path.join(folder, "python" + version)
            if os.path.exists(path) and version_of(path) == version:
                found[version] = path
                break
    here = "%d.%d" % sys.version_info[:2]
    found.setdefault(here, sys.executable)
    return found


def run_cases(path, cases, more):
    """The TAP lines of a file of cases under one Python, its exit status."""
    source = os.environ["XMSG_SRCDIR"]
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **more)
    env.pop("PYTHONPATH", None)
    process = subprocess.Popen(
        [path, os.path.join(source, "tests/idl", cases)],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = process.communicate()[0].decode("utf-8", "replace")
    return out.splitlines(), process.returncode


class Report(object):
    """Numbers the lines."""

    def __init__(self):
        self.count = self.failed = 0

    def line(self, good, text):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, text))
        sys.stdout.flush()

    def under_all(self, cases, **more):
        """All cases of a file, by version."""
        pythons = find()
        for version in WANTED:
            if version not in pythons:
                self.line(True, "python %s # SKIP not on this machine"
                          % version)
                continue
            lines, status = run_cases(pythons[version], cases, more)
            passed = 0
            for line in lines:
                match = re.match(r"(ok|not ok) \d+ - (.*)", line)
                if match:
                    passed += match.group(1) == "ok"
                    self.line(match.group(1) == "ok", "python %s: %s" % (
                        version, match.group(2)))
                elif not re.match(r"1\.\.\d+$", line):
                    print("# " + line)
            self.line(status == 0 and passed > 0,
                      "python %s: %d cases, exit status %d" % (
                          version, passed, status))

    def end(self):
        """The plan; the exit status."""
        print("1..%d" % self.count)
        return 1 if self.failed else 0
