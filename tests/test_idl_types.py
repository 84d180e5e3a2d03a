# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""A type checker reads the stubs of the Python package.

They must be free of mistakes, say what the modules really have, let good
programs through and stop bad ones at the right line.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = os.environ["XMSG_SRCDIR"], os.environ["XMSG_BUILDDIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests/idl"))
sys.path.insert(0, os.path.join(SOURCE, "tests"))
sys.dont_write_bytecode = True

import tap  # noqa: E402
import test_idl_html as html  # noqa: E402

PACKAGE = os.path.join(BUILD, "python")
TYPED = ["xapi", "xapi.storage.common", "xapi.storage.log",
         "xapi.storage.switch", "xapi.storage.client",
         "xapi.storage.api.v5.plugin", "xapi.storage.api.v5.volume",
         "xapi.storage.api.v5.datapath", "xapi.storage.api.v5.task"]

GOOD = '''\
from typing import Dict, List

import xapi
from xapi.storage import common, log
from xapi.storage.api.v5 import _types, datapath, volume
from xapi.storage.api.v5.volume import SR_skeleton, Volume_does_not_exist
from xapi.storage.client import BackendError, Client


class Implementation(SR_skeleton):
    def attach(self, dbg: str, configuration: Dict[str, str]) -> str:
        log.debug("%s", dbg, exc_info=True)
        out: bytes = common.call(dbg, ["true"])
        _, _, status = common.call(dbg, ["true"], simple=False)
        if status + len(out) > 1:
            raise xapi.XenAPIException("CODE", ["a"])
        raise volume.Sr_not_attached("x")

    def stat(self, dbg: str, sr: str) -> _types.sr_stat:
        return {
            "sr": sr, "name": "", "description": "", "free_space": 0,
            "total_space": 0, "datasources": [], "clustered": False,
            "health": ("Healthy", ""),
        }


class Path(datapath.Datapath_skeleton):
    def attach(self, dbg: str, uri: str, domain: str) -> _types.backend:
        return {"implementations": [["File", {"path": uri}]]}


volume.SR_commandline(Implementation()).attach()
with Client("queue", timeout=5) as c:
    disks: List[_types.volume] = c.SR.ls(sr="x")
    print(disks[0]["virtual_size"] + 1, disks[0].get("uuid"))
    try:
        c.Volume.destroy(sr="x", key="k", dbg="me")
    except Volume_does_not_exist as e:
        print(e.arg_0.upper())
    except BackendError as e:
        print(e.code.upper(), e.params[0])
'''

# Each line is wrong where it says so.
BAD = '''\
from typing import Dict
from xapi.storage.api.v5 import _types, volume
from xapi.storage.client import Client
class Bad(volume.SR_skeleton):
    def stat(self, dbg: str, sr: int) -> _types.sr_stat:  # [override]
        return {"sr": "x"}  # [typeddict-item]
    def ls(self, dbg: str, sr: str) -> str:  # [override]
        return 5  # [return-value]
volume.Sr_not_attached(5)  # [arg-type]
volume.Volume_commandline(Bad())  # [arg-type]
c = Client("q")
c.Volume.stat(sr=5, key="k")  # [arg-type]
c.Volume.stat(sr="x")  # [call-arg]
c.Volume.stat("x", "k")  # [misc]
c.Volume.stats(sr="x", key="k")  # [attr-defined]
c.Volume.stat(sr="x", key="k")["virtual_size"] + "x"  # [operator]
c.Volume.stat(sr="x", key="k")["size"]  # [typeddict-item]
'''

# Names that are types for the checker alone, and what has no stub.
ALLOWED = r"""
xapi\.storage\.api\.v5\._types\.\w+
xapi\.storage\.api\.types\._INTEGER
xapi\.storage\.extend_path
"""


class Checked(unittest.TestCase):
    def setUp(self):
        if shutil.which("mypy") is None:
            self.fail("mypy is not installed: packaging/setup.sh installs "
                      "what the tests need")
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def mypy(self, *words, **more):
        done = subprocess.run(
            [more.get("program", "mypy")] + list(words),
            env=dict(os.environ, MYPYPATH=PACKAGE, PYTHONPATH=PACKAGE,
                     MYPY_CACHE_DIR=self.folder), cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            universal_newlines=True)
        return done.returncode, done.stdout

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def passes(self, *words, **more):
        status, out = self.mypy(*words, **more)
        self.assertEqual(0, status, out)

    def test_the_package(self):
        self.passes("--strict", *[w for m in TYPED for w in ("-m", m)])

    def test_stubs_say_what_there_is(self):
        stubtest = shutil.which("stubtest")
        if stubtest is None:
            self.fail("stubtest, a part of mypy, is not installed")
        self.passes("xapi", "--concise", "--allowlist",
                    self.write("allowed", ALLOWED), program=stubtest)

    def test_a_good_program(self):
        self.passes("--strict", self.write("good.py", GOOD))

    def test_a_bad_program(self):
        status, out = self.mypy("--strict", self.write("bad.py", BAD))
        self.assertEqual(1, status)
        found = set()
        for line in out.splitlines():
            if ": error: " in line:
                found.add((int(line.split(":")[1]),
                           line.rsplit("[", 1)[1].rstrip("]")))
        wanted = set((i + 1, line.rsplit("[", 1)[1].rstrip("]"))
                     for i, line in enumerate(BAD.splitlines())
                     if "  # [" in line)
        self.assertEqual(wanted, found, out)

    def test_the_callers_in_the_reference(self):
        folder = os.path.join(self.folder, "html")
        os.mkdir(folder)
        html.generate(folder)
        paths = []
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".html"):
                continue
            page = html.Page(name, html.read(os.path.join(folder, name)))
            for call, blocks in page.examples:
                text, = [t for lang, label, t in blocks if label == "Caller"]
                paths.append(self.write(
                    "caller%d.py" % len(paths), text + "\n"))
        self.assertGreater(len(paths), 49)
        self.passes("--strict", *paths)

    def test_the_examples(self):
        for folder in ("volume/filebased", "datapath/loop+file"):
            self.passes("--check-untyped-defs", *[
                os.path.join(SOURCE, "examples", folder, name)
                for name in ("plugin.py",)])


if __name__ == "__main__":
    tap.main()
