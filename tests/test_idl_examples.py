# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The example plugins, run as the toolstack runs them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

SOURCE = os.environ["XMSG_SRCDIR"]
BUILD = os.environ["XMSG_BUILDDIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests/idl"))
sys.dont_write_bytecode = True

import pythons  # noqa: E402
import tap  # noqa: E402

VOLUME = os.path.join(SOURCE, "examples/volume/filebased")
DATAPATH = os.path.join(SOURCE, "examples/datapath/loop+file")
MIB = 1 << 20


class Failed(Exception):
    """A script that answered with an error object."""


def run(folder, script_, **params):
    """One call; its result."""
    env = dict(os.environ, XMSG_PYTHON=os.path.join(BUILD, "python"),
               PYTHONDONTWRITEBYTECODE="1")
    process = subprocess.Popen(
        [sys.executable, os.path.join(folder, script_), "--json"], env=env,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    out, err = process.communicate(
        json.dumps(dict(params, dbg="test")).encode())
    assert err == b"", err
    value = json.loads(out.decode())
    if process.returncode != 0:
        raise Failed(*value["params"])
    return value


class Filebased(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp())
        self.place = os.path.join(self.folder, "sr")
        self.config = {"file-uri": "file://" + self.place}

    def tearDown(self):
        shutil.rmtree(self.folder)

    def call(self, script_, **params):
        return run(VOLUME, script_, **params)

    def attach(self):
        config = self.call(
            "SR.create", uuid="u", configuration=self.config, name="n",
            description="d")
        return self.call("SR.attach", configuration=config)

    def fails(self, error, script_, **params):
        with self.assertRaises(Failed) as caught:
            self.call(script_, **params)
        self.assertEqual(error, caught.exception.args[0])

    def make(self, sr, size=MIB):
        return self.call("Volume.create", sr=sr, name="disk", description="",
                         size=size, sharable=False)

    def test_query(self):
        self.assertEqual("filebased", self.call("Plugin.Query")["plugin"])
        self.assertIn("filebased", self.call("Plugin.diagnostics"))

    def test_life_of_a_repository(self):
        self.fails("SR_does_not_exist", "SR.attach",
                   configuration=self.config)
        self.fails("SR_does_not_exist", "SR.probe",
                   configuration=self.config)
        sr = self.attach()
        self.assertEqual(sr, self.call(
            "SR.attach", configuration=self.config))
        self.call("SR.set_name", sr=sr, new_name="other")
        self.call("SR.set_description", sr=sr, new_description="words")
        stat = self.call("SR.stat", sr=sr)
        self.assertEqual(("other", "words", "u"), (
            stat["name"], stat["description"], stat["uuid"]))
        found = self.call("SR.probe", configuration=self.config)
        self.assertEqual(stat["uuid"], found[0]["sr"]["uuid"])
        self.call("SR.detach", sr=sr)
        self.call("SR.detach", sr=sr)
        self.fails("Sr_not_attached", "SR.stat", sr=sr)
        self.fails("Sr_not_attached", "SR.destroy", sr=sr)
        self.call("SR.attach", configuration=self.config)
        self.make(sr)
        self.call("SR.destroy", sr=sr)
        self.assertEqual([], os.listdir(self.place))

    def test_life_of_a_volume(self):
        sr = self.attach()
        disk = self.make(sr, MIB - 1)
        key = disk["key"]
        self.assertEqual(MIB, disk["virtual_size"])
        self.assertEqual([disk], self.call("SR.ls", sr=sr))
        self.call("Volume.set", sr=sr, key=key, k="a", v="1")
        self.call("Volume.set", sr=sr, key=key, k="b", v="2")
        self.call("Volume.unset", sr=sr, key=key, k="a")
        self.call("Volume.unset", sr=sr, key=key, k="a")
        self.call("Volume.set_name", sr=sr, key=key, new_name="x")
        self.call("Volume.set_description", sr=sr, key=key,
                  new_description="y")
        self.call("Volume.resize", sr=sr, key=key, new_size=2 * MIB)
        stat = self.call("Volume.stat", sr=sr, key=key)
        self.assertEqual(("x", "y", {"b": "2"}, 2 * MIB), (
            stat["name"], stat["description"], stat["keys"],
            stat["virtual_size"]))
        self.fails("volumes do not shrink", "Volume.resize", sr=sr, key=key,
                   new_size=1)
        self.call("Volume.destroy", sr=sr, key=key)
        self.fails("Volume_does_not_exist", "Volume.destroy", sr=sr, key=key)
        self.fails("Volume_does_not_exist", "Volume.stat", sr=sr,
                   key="../sr")
        self.assertEqual([], self.call("SR.ls", sr=sr))
        self.assertNotEqual(key, self.make(sr)["key"])

    def image(self, volume):
        return volume["uri"][0][len("loop+file://"):]

    def test_copies_and_revert(self):
        sr = self.attach()
        disk = self.make(sr)
        with open(self.image(disk), "r+b") as f:
            f.write(b"first")
        snapshot = self.call("Volume.snapshot", sr=sr, key=disk["key"])
        self.assertFalse(snapshot["read_write"])
        clone = self.call("Volume.clone", sr=sr, key=snapshot["key"])
        self.assertTrue(clone["read_write"])
        with open(self.image(disk), "r+b") as f:
            f.write(b"other")
        for volume, want in ((disk, b"other"), (snapshot, b"first"),
                             (clone, b"first")):
            with open(self.image(volume), "rb") as f:
                self.assertEqual(want, f.read(5))
        self.call("Volume.revert", sr=sr, snapshot=snapshot["key"],
                  key=disk["key"])
        with open(self.image(disk), "rb") as f:
            self.assertEqual(b"first", f.read(5))
        self.assertEqual(3, len(self.call("SR.ls", sr=sr)))

    def test_calls_at_the_same_time_take_turns(self):
        sr = self.attach()
        env = dict(os.environ, XMSG_PYTHON=os.path.join(BUILD, "python"),
                   PYTHONDONTWRITEBYTECODE="1")
        params = json.dumps({
            "dbg": "d", "sr": sr, "name": "n", "description": "", "size": 1,
            "sharable": False}).encode()
        running = []
        for _ in range(5):
            running.append(subprocess.Popen(
                [sys.executable, os.path.join(VOLUME, "Volume.create"),
                 "--json"], env=env, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE))
        for process in running:
            process.stdin.write(params)
            process.stdin.close()
        keys = set(json.loads(p.stdout.read().decode())["key"]
                   for p in running)
        for process in running:
            process.wait()
            process.stdout.close()
        self.assertEqual(5, len(keys))
        self.assertEqual(5, len(self.call("SR.ls", sr=sr)))

    def test_a_volume_is_brought_to_a_machine(self):
        sr = self.attach()
        disk = self.make(sr)
        uri = disk["uri"][0]
        self.assertEqual("loop+file", uri.split(":")[0])
        query = run(DATAPATH, "Plugin.Query")
        self.assertEqual(uri.split(":")[0], query["plugin"])
        for domain in ("1", "2"):
            for _ in range(2):
                ways = dict(run(DATAPATH, "Datapath.attach", uri=uri,
                                domain=domain)["implementations"])
        self.assertEqual(self.image(disk), ways["File"]["path"])
        if "BlockDevice" in ways:
            print("# with a loop device: " + ways["BlockDevice"]["path"])
            self.assertEqual(ways["BlockDevice"]["path"],
                             ways["XenDisk"]["params"])
        else:
            print("# without a loop device")
        run(DATAPATH, "Datapath.activate", uri=uri, domain="1")
        run(DATAPATH, "Datapath.activate_readonly", uri=uri, domain="2")
        for domain in ("1", "2"):
            for _ in range(2):
                run(DATAPATH, "Datapath.deactivate", uri=uri, domain=domain)
                run(DATAPATH, "Datapath.detach", uri=uri, domain=domain)
        self.assertFalse(os.path.exists(self.image(disk) + ".users"))
        self.call("Volume.destroy", sr=sr, key=disk["key"])
        run(DATAPATH, "Datapath.detach", uri=uri, domain="1")
        with self.assertRaises(Failed):
            run(DATAPATH, "Datapath.attach", uri=uri, domain="1")

    def test_every_link_is_a_call_and_a_program(self):
        out = subprocess.check_output(
            [os.path.join(BUILD, "xmsg-idl"), "list",
             os.path.join(SOURCE, "idl/api")]).decode()
        calls = set(line.split("(")[0].lower() for line in out.splitlines())
        for folder in (VOLUME, DATAPATH):
            links = [n for n in os.listdir(folder) if n[0].isupper()]
            self.assertGreater(len(links), 4)
            for name in links:
                self.assertIn(name.lower(), calls)
                self.assertTrue(
                    os.access(os.path.join(folder, name), os.X_OK))
                out = subprocess.check_output(
                    [sys.executable, os.path.join(folder, name), "--help"],
                    env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
                             XMSG_PYTHON=os.path.join(BUILD, "python")))
                self.assertIn(b"Example:", out)


class Packaging(unittest.TestCase):
    def test_setup_installs_all_of_it(self):
        try:
            import setuptools  # noqa: F401
        except ImportError:
            self.fail("%s has no setuptools: packaging/setup.sh installs "
                      "what the tests need" % sys.executable)
        folder = tempfile.mkdtemp()
        try:
            source = os.path.join(folder, "source")
            shutil.copytree(os.path.join(BUILD, "python"), source)
            subprocess.check_output(
                [sys.executable, "setup.py", "-q", "install", "--root",
                 os.path.join(folder, "root"), "--install-lib", "/lib"],
                cwd=source, stderr=subprocess.STDOUT)
            self.is_there(os.path.join(folder, "root/lib"), sys.executable)
        finally:
            shutil.rmtree(folder)

    def is_there(self, lib, python):
        """All of the package, and it is what is imported."""
        source = os.path.join(BUILD, "python/xapi")
        for folder, _, names in os.walk(source):
            for name in names:
                if name.endswith((".py", ".pyi", "py.typed")):
                    path = os.path.relpath(os.path.join(folder, name), source)
                    self.assertTrue(os.path.exists(
                        os.path.join(lib, "xapi", path)), path)
        out = subprocess.check_output(
            [python, "-B", "-c", "import xapi.storage.client, xapi.storage."
             "api.v5.volume as v; print(v.__file__)"],
            env=dict(os.environ, PYTHONPATH=lib), cwd="/")
        self.assertIn(lib, out.decode())

    def test_pip_installs_all_of_it(self):
        """With every Python that has pip, and without a network."""
        count = 0
        for version, python in sorted(pythons.find().items()):
            if subprocess.call([python, "-m", "pip", "--version"],
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL) != 0:
                print("# python %s has no pip" % version)
                continue
            folder = os.path.realpath(tempfile.mkdtemp())
            try:
                self.pip(python, version, folder)
            finally:
                shutil.rmtree(folder)
            count += 1
        print("# pip of %d versions" % count)

    def pip(self, python, version, folder):
        source = os.path.join(folder, "source")
        shutil.copytree(os.path.join(BUILD, "python"), source)
        old = version in ("2.7", "3.6")
        done = subprocess.run(
            [python, "-m", "pip", "--disable-pip-version-check", "install",
             "-q", "--no-index", "--target", os.path.join(folder, "lib")]
            + ["--no-build-isolation"] * old + ["."], cwd=source,
            env=dict(os.environ, PYTHONPATH="." if old else ""),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            universal_newlines=True)
        self.assertEqual(0, done.returncode, version + ": " + done.stdout)
        self.is_there(os.path.join(folder, "lib"), python)

    def test_a_wheel_is_the_same_each_time(self):
        folder = tempfile.mkdtemp()
        try:
            code = ("import backend, sys\n"
                    "print(backend.build_wheel(sys.argv[1]))")
            found = []
            for name in ("one", "two"):
                place = os.path.join(folder, name)
                os.mkdir(place)
                wheel = subprocess.check_output(
                    [sys.executable, "-B", "-c", code, place],
                    cwd=os.path.join(BUILD, "python")).decode().strip()
                with open(os.path.join(place, wheel), "rb") as f:
                    found.append(f.read())
                with zipfile.ZipFile(os.path.join(place, wheel)) as z:
                    self.assertIsNone(z.testzip())
                    z.extractall(os.path.join(place, "lib"))
                self.is_there(os.path.join(place, "lib"), sys.executable)
            self.assertEqual(found[0], found[1])
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    tap.main()
