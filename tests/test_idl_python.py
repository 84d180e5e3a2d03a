# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The Python package under every Python of 2.7 and 3.6 to 3.13 that is here.

tests/idl/python_cases.py is run by each of them; one that is absent is named.
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


def find_pythons():
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


def run_cases(path):
    """The TAP lines of the cases under one Python, and its exit status."""
    source = os.environ["XMSG_SRCDIR"]
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    env.pop("PYTHONPATH", None)
    process = subprocess.Popen(
        [path, os.path.join(source, "tests/idl/python_cases.py")],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = process.communicate()[0].decode("utf-8", "replace")
    return out.splitlines(), process.returncode


def main():
    count = failed = 0
    pythons = find_pythons()
    for version in WANTED:
        if version not in pythons:
            count += 1
            print("ok %d - python %s # SKIP not on this machine"
                  % (count, version))
            continue
        lines, status = run_cases(pythons[version])
        passed = 0
        for line in lines:
            match = re.match(r"(ok|not ok) \d+ - (.*)", line)
            if match:
                count += 1
                passed += match.group(1) == "ok"
                failed += match.group(1) != "ok"
                print("%s %d - python %s: %s" % (
                    match.group(1), count, version, match.group(2)))
            elif not re.match(r"1\.\.\d+$", line):
                print("# " + line)
        count += 1
        good = status == 0 and passed > 0
        failed += not good
        print("%s %d - python %s: %d cases, exit status %d" % (
            "ok" if good else "not ok", count, version, passed, status))
        sys.stdout.flush()
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
