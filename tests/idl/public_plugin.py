# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Public plugins through their life on our Python package, unchanged.

    python3 public_plugin.py CHECKOUT PYTHON BUILD

BUILD is our build folder; CHECKOUT and the PYTHON that its plugin is written
for are one of

- xcp-ng/xcp-ng-xapi-storage at 691f7a6, Python 2.7: volumes are qcow2 images,
  so that it has everything: create, stat, resize, snapshot, clone, destroy.
  Wants qemu-img and qemu-io (Debian: qemu-utils) and root, because the plugin
  looks for them in a place of its own, which is made in a mount namespace.
- the same at ef3b28d or later, Python 2.7: volumes are raw images, which this
  plugin can neither resize nor copy.  It fails in its own code, and its caller
  must get an error object that says so.
- xapi-project/xen-api, Python 3: the plugin simple-file of its examples.

The plugin's library is copied into one folder with our package, as its own
installation does, and `xmsg-idl links` makes its links.  Not part of `make
check`: nothing is downloaded there.  Prints TAP.
"""

from __future__ import print_function

import json
import os
import shutil
import subprocess
import sys
import tempfile

MIB = 1 << 20
SIMPLE = ("ocaml/xapi-storage/python/examples/volume/"
          "org.xen.xapi.storage.simple-file")
FILEBASED = "plugins/volume/org.xen.xapi.storage.filebased"
FORMATS = "xapi/storage/libs/libcow/imageformat.py"
TOOLS = "/usr/lib64"  # where the plugin has its own qemu-img

# That one knows a word more, and does not want to be told the format of what
# an image is based on.
QEMU_IMG = """#!/bin/sh
case "$1 $*" in
"query "*)
	exec /usr/bin/qemu-img info --output=json "$3" |
	python3 -c 'import json, sys
print(json.load(sys.stdin)["virtual-size"] >> 20)' ;;
*backing_file=*)
	shift
	exec /usr/bin/qemu-img create -F qcow2 "$@" ;;
esac
exec /usr/bin/qemu-img "$@"
"""


class Plugin(object):
    """The plugin in a folder of its own."""

    def __init__(self, checkout, python, build, folder):
        self.python = python
        self.site = os.path.join(folder, "site")
        self.folder = os.path.join(folder, "plugin")
        shutil.copytree(os.path.join(build, "python"), self.site)
        libs = os.path.join(checkout, "xapi/storage/libs")
        if os.path.isdir(libs):
            shutil.copytree(libs, os.path.join(
                self.site, "xapi/storage/libs"))
        # What it imports on a Xen host for disks in use, which none is here.
        os.makedirs(os.path.join(self.site, "xen/lowlevel/xs"))
        for name in ("psutil.py", "xen/__init__.py",
                     "xen/lowlevel/__init__.py",
                     "xen/lowlevel/xs/__init__.py"):
            open(os.path.join(self.site, name), "w").close()
        os.mkdir(self.folder)
        source = os.path.join(checkout, FILEBASED if os.path.isdir(libs)
                              else SIMPLE)
        for name in os.listdir(source):
            if name.endswith(".py"):
                shutil.copy(os.path.join(source, name), self.folder)
        for name in ("plugin.py", "sr.py", "volume.py"):
            os.chmod(os.path.join(self.folder, name), 0o755)
        self.links(build)

    def links(self, build):
        """A link per call; those of a class in its library are not seen in
        the program's text."""
        subprocess.call(
            [os.path.join(build, "xmsg-idl"), "links", self.folder,
             os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "../../idl/api")], stdout=subprocess.DEVNULL)
        for call in ("create destroy resize stat set unset set_name "
                     "set_description clone snapshot").split():
            path = os.path.join(self.folder, "Volume." + call)
            if not os.path.islink(path):
                os.symlink("volume.py", path)

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


class Life(object):
    """One plugin's life, as TAP."""

    def __init__(self, plugin, place):
        self.plugin = plugin
        self.place = place
        self.count = self.failed = 0

    def check(self, name, good, seen):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name))
        if not good:
            print("# " + str(seen).replace("\n", "\n# "))

    def good(self, script_, test=lambda value: value is None, **params):
        """A call whose result passes a test; the result."""
        status, value = self.plugin.call(script_, **params)
        try:
            good = status == 0 and test(value)
        except (KeyError, TypeError):
            good = False
        self.check(script_, good, value)
        return value

    def bad(self, script_, error, **params):
        """A call that ends with an error object of this kind."""
        status, value = self.plugin.call(script_, **params)
        self.check("%s: %s" % (script_, error), status == 1 and isinstance(
            value, dict) and value["params"][0] == error, value)

    def make(self, sr):
        return self.good(
            "Volume.create", lambda v: v["virtual_size"] == 10 * MIB, sr=sr,
            name="disk", description="", size=10 * MIB,
            sharable=False)["key"]

    def size(self, sr, key, wanted):
        self.good("Volume.stat", lambda v: (v["key"], v["virtual_size"]) == (
            key, wanted), sr=sr, key=key)

    def rename(self, sr, key):
        self.good("Volume.set_name", sr=sr, key=key, new_name=u"\u20ac")
        self.good("Volume.set_description", sr=sr, key=key,
                  new_description="y")
        self.good("SR.ls", lambda v: [(x["name"], x["virtual_size"])
                                      for x in v] == [(u"\u20ac", 10 * MIB)],
                  sr=sr)

    def resize(self, sr, key):
        self.good("Volume.resize", sr=sr, key=key, new_size=20 * MIB)
        self.size(sr, key, 20 * MIB)
        status, value = self.plugin.call(
            "Volume.resize", sr=sr, key=key, new_size=5 * MIB)
        self.check("Volume.resize: an error with a code", (
            status, value["code"]) == (1, "SR_BACKEND_FAILURE_79"), value)


def filebased(life, copies):
    """The plugin of xcp-ng; `copies` when its images have them."""
    config = {"file-uri": "file://" + life.place}
    life.good("Plugin.Query", lambda v: v["plugin"] == "filebased")
    life.good("Plugin.diagnostics", lambda v: isinstance(v, str))
    life.bad("SR.stat", "UnmarshalException")
    life.bad("SR.probe", "TypeError", configuration=config)
    life.good("SR.create", lambda v: v == config, uuid="u",
              configuration=config, name="n", description="d")
    sr = life.good("SR.attach", lambda v: v == life.place,
                   configuration=config)
    life.good("SR.set_name", sr=sr, new_name="other")
    life.good("SR.set_description", sr=sr, new_description="words")
    life.good("SR.stat", lambda v: (v["name"], v["description"]) == (
        "other", "words") and "overprovision" in v, sr=sr)
    key = life.make(sr)
    life.size(sr, key, 10 * MIB)
    life.good("Volume.set", sr=sr, key=key, k="a", v="1")
    life.good("Volume.stat", lambda v: v["keys"] == {"a": "1"}, sr=sr,
              key=key)
    life.good("Volume.unset", sr=sr, key=key, k="a")
    life.rename(sr, key)
    life.bad("Volume.stat", "AttributeError", sr=sr, key="nothing")
    if copies:
        life.resize(sr, key)
        made = [life.good("Volume." + how, lambda v: (
            v["read_write"], v["virtual_size"]) == (how == "clone", 20 * MIB),
            sr=sr, key=key)["key"] for how in ("snapshot", "clone")]
        life.good("SR.ls", lambda v: set(made + [key]) == set(
            x["key"] for x in v), sr=sr)
        for copy in made:
            life.good("Volume.destroy", sr=sr, key=copy)
    else:
        life.bad("Volume.resize", "AttributeError", sr=sr, key=key,
                 new_size=20 * MIB)
        life.bad("Volume.snapshot", "AttributeError", sr=sr, key=key)
    life.good("Volume.destroy", sr=sr, key=key)
    life.good("SR.ls", lambda v: v == [], sr=sr)
    life.good("SR.detach", sr=sr)
    life.good("SR.attach", lambda v: v == life.place, configuration=config)
    life.good("SR.destroy", sr=sr)


def simple_file(life):
    """The example of xen-api."""
    config = {"path": life.place}
    life.good("Plugin.Query", lambda v: v["plugin"] == "simple-file")
    life.good("Plugin.diagnostics", lambda v: isinstance(v, str))
    life.good("SR.probe", lambda v: v == [], configuration=config)
    life.bad("SR.create", "SR_does_not_exist", uuid="u", name="n",
             description="d", configuration={"path": "/nothing"})
    made = life.good("SR.create", lambda v: v["name"] == "n", uuid="u",
                     configuration=config, name="n", description="d")
    sr = life.good("SR.attach", lambda v: v.startswith("file:"),
                   configuration=made)
    life.good("SR.stat", lambda v: (v["name"], v["uuid"]) == ("n", "u"),
              sr=sr)
    key = life.make(sr)
    life.size(sr, key, 10 * MIB)
    life.rename(sr, key)
    life.bad("Volume.stat", "FileNotFoundError", sr=sr, key="nothing")
    life.bad("Volume.snapshot", "Unimplemented", sr=sr, key=key)
    life.resize(sr, key)
    life.good("Volume.destroy", sr=sr, key=key)
    life.good("SR.ls", lambda v: v == [], sr=sr)
    life.good("SR.detach", sr=sr)
    life.good("SR.destroy", sr=sr)


def with_tools(folder):
    """The plugin's tools in their place, for us and our children."""
    tools = os.path.join(folder, "tools")
    shutil.copytree(TOOLS, tools, symlinks=True)
    programs = os.path.join(tools, "qemu-dp/bin")
    os.makedirs(programs)
    os.symlink("/usr/bin/qemu-io", os.path.join(programs, "qemu-io"))
    path = os.path.join(programs, "qemu-img")
    with open(path, "w") as f:
        f.write(QEMU_IMG)
    os.chmod(path, 0o755)
    subprocess.check_call(["mount", "--bind", tools, TOOLS])


def has_copies(checkout):
    """Whether new images of the plugin of xcp-ng are qcow2."""
    try:
        with open(os.path.join(checkout, FORMATS)) as f:
            return "\n    IMAGE_QCOW2 = 2" in f.read()
    except IOError:
        return False


def main(checkout, python, build):
    copies = has_copies(checkout)
    if copies and "XMSG_TOOLS" not in os.environ:
        return subprocess.call(
            ["unshare", "-m", sys.executable, os.path.abspath(__file__),
             checkout, python, build], env=dict(os.environ, XMSG_TOOLS="1"))
    folder = os.path.realpath(tempfile.mkdtemp())
    place = os.path.join(folder, "sr")
    os.mkdir(place)
    if copies:
        with_tools(folder)
    try:
        life = Life(Plugin(checkout, python, build, folder), place)
        if os.path.isdir(os.path.join(checkout, SIMPLE)):
            simple_file(life)
        else:
            filebased(life, copies)
    finally:
        if copies:
            subprocess.check_call(["umount", TOOLS])
        shutil.rmtree(folder)
    print("1..%d" % life.count)
    return 1 if life.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
