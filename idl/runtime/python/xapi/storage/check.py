# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Look at a plugin folder from outside: `python3 -m xapi.storage.check DIR`.

Every script is run in a way that changes nothing: Plugin.Query for its
answer, all others without parameters, which must give an error object.  One
line for each finding, as TAP.
"""

from __future__ import print_function

import json
import os
import subprocess
import sys

import xapi
from xapi.storage.api.v5 import _types, datapath, plugin, task, volume

CALLS = {}
for _module in (plugin, volume, datapath, task):
    CALLS.update(_module._methods)
_BY_LOWER = dict((name.lower(), spec) for name, spec in CALLS.items())


class Report(object):
    """Numbers the lines and remembers whether all is well."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def line(self, good, text, why=""):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, text))
        if not good and why:
            print("# " + why.replace("\n", "\n# "))


def run(path, params):
    """Exit status and standard output of one script."""
    process = subprocess.Popen(
        [path, "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    out = process.communicate(json.dumps(params).encode("utf-8"))[0]
    return process.returncode, out.decode("utf-8", "replace")


def parse(out):
    """The one JSON value of an output; ValueError when it is not one."""
    if not out.strip():
        raise ValueError("nothing on standard output")
    return json.loads(out)


def error_fault(value):
    """What is wrong with an error object, or ""."""
    if not isinstance(value, dict):
        return "an error must be an object"
    text = xapi._TEXT
    params, trace = value.get("params"), value.get("backtrace")
    if not isinstance(value.get("code"), text):
        return '"code" must be a string'
    if not isinstance(params, list) or not all(
            isinstance(p, text) for p in params):
        return '"params" must be a list of strings'
    if not isinstance(trace, dict) or not isinstance(
            trace.get("error"), text):
        return '"backtrace" must be an object with "error"'
    files, lines = trace.get("files"), trace.get("lines")
    if not isinstance(files, list) or not isinstance(lines, list) or (
            len(files) != len(lines)):
        return '"files" and "lines" must be lists of the same length'
    return ""


def check_query(report, path):
    """Plugin.Query answers, and with what it should."""
    try:
        status, out = run(path, {"dbg": "check"})
        value = parse(out)
        if status != 0:
            raise ValueError("exit status %d: %s" % (status, out))
        plugin._Plugin_query.result.check(value)
    except (EnvironmentError, ValueError, xapi.InternalError) as e:
        report.line(False, "Plugin.Query answers", str(e))
        return
    report.line(True, "Plugin.Query answers")
    report.line(
        value["required_api_version"] == "5.0",
        "its version is 5.0", "not " + value["required_api_version"])
    for word in value["features"]:
        report.line(
            word.split("/")[0] in _types.FEATURES,
            "the feature %s is known" % word, "nobody will look for it")


def check_call(report, name, path):
    """A script without parameters gives an error object."""
    try:
        status, out = run(path, {})
        value = parse(out)
        why = error_fault(value) if status != 0 else ""
        if status == 0 and len(_BY_LOWER[name.lower()].params) > 1:
            why = "it does not miss its parameters"
    except (EnvironmentError, ValueError) as e:
        why = str(e)
    report.line(why == "", "%s refuses a call without parameters" % name, why)


def check_folder(report, folder):
    """All scripts of a plugin."""
    names = sorted(name for name in os.listdir(folder)
                   if name.lower() in _BY_LOWER)
    odd = sorted(name for name in os.listdir(folder)
                 if name.split(".")[0] in ("Plugin", "SR", "Volume",
                                           "Datapath", "Data", "Task")
                 and "." in name and name not in names)
    for name in odd:
        report.line(False, "%s is a call" % name,
                    "the interface has no call of this name")
    query = [name for name in names if name.lower() == "plugin.query"]
    report.line(bool(query), "there is a Plugin.Query")
    for name in names:
        path = os.path.join(folder, name)
        good = os.access(path, os.X_OK)
        report.line(good, "%s is a program" % name,
                    "it cannot be run: chmod +x?")
        if good and name in query:
            check_query(report, path)
        elif good:
            check_call(report, name, path)


def main(args):
    """Check the folders; the exit status."""
    if not args:
        print("usage: python3 -m xapi.storage.check FOLDER...",
              file=sys.stderr)
        return 2
    report = Report()
    for folder in args:
        check_folder(report, os.path.abspath(folder))
    print("1..%d" % report.count)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
