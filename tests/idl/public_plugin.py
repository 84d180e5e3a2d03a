# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""A public plugin through its life on our Python package.

    python3 public_plugin.py CHECKOUT PYTHON2 BUILD

CHECKOUT is a clone of xcp-ng/xcp-ng-xapi-storage, PYTHON2 a Python 2.7 (which
that plugin is written for), BUILD our build folder.  Its library is copied
into one folder with our package, as its own installation does, and its
`filebased` plugin gets a link per call.  Not part of `make check`: nothing is
downloaded there.  Prints TAP.
"""

from __future__ import print_function

import json
import os
import shutil
import subprocess
import sys
import tempfile

MIB = 1 << 20
SR = "probe create attach detach destroy stat ls set_name set_description"
VOLUME = ("create destroy resize stat set unset set_name set_description "
          "clone snapshot")


class Plugin(object):
    """The plugin in a folder of its own."""

    def __init__(self, checkout, python, build, folder):
        self.python = python
        self.site = os.path.join(folder, "site")
        self.folder = os.path.join(folder, "plugin")
        shutil.copytree(os.path.join(build, "python"), self.site)
        shutil.copytree(os.path.join(checkout, "xapi/storage/libs"),
                        os.path.join(self.site, "xapi/storage/libs"))
        shutil.copytree(os.path.join(
            checkout, "plugins/volume/org.xen.xapi.storage.filebased"),
            self.folder)
        for program, prefix, calls in (
                ("plugin.py", "Plugin", "Query ls diagnostics"),
                ("sr.py", "SR", SR), ("volume.py", "Volume", VOLUME)):
            for call in calls.split():
                os.symlink(program, os.path.join(
                    self.folder, prefix + "." + call))

    def call(self, script_, **params):
        """Exit status and printed value."""
        env = dict(os.environ, PYTHONPATH=self.site,
                   PYTHONDONTWRITEBYTECODE="1")
        process = subprocess.Popen(
            [self.python, os.path.join(self.folder, script_), "--json"],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        out, err = process.communicate(
            json.dumps(dict(params, dbg="d")).encode())
        try:
            return process.returncode, json.loads(out.decode())
        except ValueError:
            return process.returncode, (out + err).decode()


class Tap(object):
    def __init__(self):
        self.count = self.failed = 0

    def check(self, name, good, seen):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name))
        if not good:
            print("# " + str(seen).replace("\n", "\n# "))


def live(plugin, place, tap):
    """Query to destroy; every answer looked at."""
    def good(script_, test=lambda value: value is None, **params):
        status, value = plugin.call(script_, **params)
        tap.check(script_, status == 0 and test(value), value)
        return value

    def bad(script_, error, **params):
        status, value = plugin.call(script_, **params)
        tap.check("%s: %s" % (script_, error), status == 1 and isinstance(
            value, dict) and value["params"][0] == error, value)

    config = {"file-uri": "file://" + place}
    good("Plugin.Query", lambda v: v["plugin"] == "filebased")
    good("Plugin.diagnostics", lambda v: isinstance(v, str))
    bad("SR.stat", "UnmarshalException")
    bad("SR.probe", "TypeError", configuration=config)
    good("SR.create", lambda v: v == config, uuid="u", configuration=config,
         name="n", description="d")
    sr = good("SR.attach", lambda v: v == place, configuration=config)
    good("SR.set_name", sr=sr, new_name="other")
    good("SR.set_description", sr=sr, new_description="words")
    good("SR.stat", lambda v: (v["name"], v["description"]) == (
        "other", "words") and "overprovision" in v, sr=sr)
    key = good("Volume.create", lambda v: v["virtual_size"] == 10 * MIB,
               sr=sr, name="disk", description="", size=10 * MIB,
               sharable=False)["key"]
    good("Volume.stat", lambda v: v["key"] == key, sr=sr, key=key)
    good("Volume.set", sr=sr, key=key, k="a", v="1")
    good("Volume.stat", lambda v: v["keys"] == {"a": "1"}, sr=sr, key=key)
    good("Volume.unset", sr=sr, key=key, k="a")
    good("Volume.set_name", sr=sr, key=key, new_name=u"\u20ac")
    good("Volume.set_description", sr=sr, key=key, new_description="y")
    good("SR.ls", lambda v: [(x["name"], x["virtual_size"]) for x in v] == [
        (u"\u20ac", 10 * MIB)], sr=sr)
    # Its raw images have neither of these; it fails in its own code, and
    # the caller gets an error object that says so.
    bad("Volume.resize", "AttributeError", sr=sr, key=key, new_size=20 * MIB)
    bad("Volume.snapshot", "AttributeError", sr=sr, key=key)
    bad("Volume.stat", "AttributeError", sr=sr, key="nothing")
    good("Volume.destroy", sr=sr, key=key)
    good("SR.ls", lambda v: v == [], sr=sr)
    good("SR.detach", sr=sr)
    good("SR.attach", lambda v: v == place, configuration=config)
    good("SR.destroy", sr=sr)


def main(checkout, python, build):
    folder = os.path.realpath(tempfile.mkdtemp())
    place = os.path.join(folder, "sr")
    os.mkdir(place)
    tap = Tap()
    try:
        live(Plugin(checkout, python, build, folder), place, tap)
    finally:
        shutil.rmtree(folder)
    print("1..%d" % tap.count)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
