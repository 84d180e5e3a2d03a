# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Plugins of API version 3.0; what a script finds when it starts; tracing."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (dump, failure, out, request, success,  # noqa: E402
                     until, vdi_info, volume)
import tap  # noqa: E402
from calls_table import HANDLE, SR, STAT  # noqa: E402
from stage import Plugins  # noqa: E402


class Pvs(Plugins):
    """A plugin of API version 3.0 (contract 2.6)."""

    @classmethod
    def make(cls):
        cls.plugin = cls.adapter.volume("old", version="3.0")
        cls.dpx = cls.adapter.datapath("dpx", version="3.0")

    def attached(self):
        self.plugin.usual("SR.attach", out(HANDLE))
        self.plugin.usual("SR.stat", out(STAT))
        self.assertEqual(self.ask(request("SR.attach", {
            "sr": SR, "device_config": {"uri": "u", "a": "b"}})), success())

    def test_uri_is_added(self):
        mark = self.adapter.mark()
        self.attached()
        self.assertEqual(json.loads(self.adapter.runs(mark)[0]["stdin"]), {
            "configuration": {"uri": "u", "a": "b"}, "uri": "u",
            "dbg": "D"})

    @tap.table([("SR.attach", {"sr": SR, "device_config": {"a": "b"}}),
                ("SR.create", {"sr": SR, "device_config": {"a": "b"},
                               "name_label": "l", "name_description": "d",
                               "physical_size": 0})])
    def no_uri(self, params):
        method = self.title().split(": ")[1]
        mark = self.adapter.mark()
        self.assertEqual(self.ask(request(method, params)), failure([
            "Backend_error", ["MISSING_URI", [
                "Please include a URI in the device-config"]]]))
        self.assertEqual(self.names(mark), [])

    def test_create_prints_null(self):
        self.plugin.usual("SR.create", out(None))
        mark = self.adapter.mark()
        self.assertEqual(self.ask(request("SR.create", {
            "sr": SR, "device_config": {"uri": "u"}, "name_label": "l",
            "name_description": "d", "physical_size": 0})),
            success({"uri": "u"}))
        self.assertEqual(
            json.loads(self.adapter.runs(mark)[0]["stdin"])["uri"], "u")

    @tap.table([("VDI.stat", "Volume.stat", {"vdi": "k1"}),
                ("SR.scan", "SR.ls", {})])
    def sharable(self, script, params):
        self.attached()
        v = volume("k1")
        del v["sharable"]
        self.plugin.usual(script, out([v] if script == "SR.ls" else v))
        want = vdi_info(volume("k1"))
        method = self.title().split(": ")[1]
        self.assertEqual(
            self.ask(request(method, dict(params, sr=SR))),
            success([want] if script == "SR.ls" else want))

    @tap.table([("VDI.set_content_id", "Volume.set", {"content_id": "c"}),
                ("VDI.remove_tags", "Volume.unset", {"key": "c"})])
    def may_be_missing(self, script, params):
        self.attached()
        self.plugin.replace(script)
        self.addCleanup(self.plugin.restore, script)
        method = self.title().split(": ")[1]
        self.assertEqual(self.ask(request(
            method, dict(params, vdi="k1", sr=SR))), success())


class Surroundings(Plugins):
    """What a script finds (contract 2.2, 7.4; promises D4)."""

    def run_of(self, **env):
        self.adapter.attach(self.plugin)
        mark = self.adapter.mark()
        self.plugin.usual("Volume.set", out(None))
        self.ask(request("VDI.add_tags", {"key": "t", "vdi": "k1",
                                          "sr": SR}))
        return self.adapter.runs(mark)[0]

    def test_arguments(self):
        self.assertEqual(self.run_of()["argv"], [
            self.plugin.path("Volume.set"), "--json"])

    def test_descriptors(self):
        self.assertEqual(self.run_of()["fds"], [0, 1, 2])

    def test_signals(self):
        self.assertEqual(self.run_of()["signals"], [])

    def test_session(self):
        run = self.run_of()
        self.assertNotEqual(run["sid"], os.getsid(0))
        self.assertEqual(run["pgid"], run["pid"])

    def test_folder_and_mask(self):
        run = self.run_of()
        self.assertEqual((run["cwd"], run["umask"]), ("/", 0o022))

    def test_environment(self):
        """Rebuilt: nothing of the adapter's own comes through."""
        self.adapter.kill()
        self.adapter.start(env={"LD_LIBRARY_PATH": "/tmp", "IFS": "x",
                                "BASH_ENV": "/x", "PYTHONPATH": "/x",
                                "SECRET": "hunter2"})
        self.adapter.ready(self.plugin)
        env = dict(e.split("=", 1) for e in self.run_of()["env"])
        self.assertLessEqual(set(env), {"PATH", "HOME", "LANG", "LC_ALL",
                                        "TMPDIR"})
        self.assertIn("/usr/bin", env["PATH"].split(":"))

    def test_any_spelling(self):
        """Scripts are found without regard to case."""
        os.rename(self.plugin.path("SR.ls"), self.plugin.path("sr.LS"))
        self.addCleanup(os.rename, self.plugin.path("sr.LS"),
                        self.plugin.path("SR.ls"))
        self.adapter.attach(self.plugin)
        self.plugin.usual("SR.ls", out([]))
        mark = self.adapter.mark()
        self.assertEqual(self.ask(request("SR.scan", {"sr": SR})),
                         success([]))
        self.assertEqual(self.names(mark), ["sr.LS"])


class Tracing(Plugins):
    """Scripts are wrapped while anybody observes (contract 1.10, 2.4)."""
    TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    OBSERVER = "org.xen.xapi.observer"

    @classmethod
    def make(cls):
        super().make()
        # what the toolstack has installed for Python in general
        with open(cls.plugin.path("observer.py"), "w") as f:
            f.write("import os, sys\n"
                    "os.environ['OBSERVED'] = 'yes'\n"
                    "os.execv(sys.argv[1], sys.argv[1:])\n")

    def observer(self, method, **params):
        until(lambda: self.OBSERVER in self.adapter.alive(), "served")
        got = json.loads(self.caller.call(self.OBSERVER, request(
            "Observer." + method, params)))
        return got["error"]

    def create(self, uuid):
        self.assertIsNone(self.observer(
            "create", uuid=uuid, name_label="n", dict={}, endpoints=["b"],
            bool=True))

    def run_env(self, dbg):
        """The environment of a script that is called with it."""
        self.adapter.attach(self.plugin)
        mark = self.adapter.mark()
        self.assertEqual(self.ask(request("VDI.add_tags", {
            "key": "t", "vdi": "k1", "sr": SR, "dbg": dbg})), success())
        run = self.adapter.runs(mark)[0]
        self.assertEqual(json.loads(run["stdin"])["dbg"], dbg)
        self.assertEqual(run["argv"], [self.plugin.path("Volume.set"),
                                       "--json"])
        return dict(e.split("=", 1) for e in run["env"])

    def test_observed(self):
        dbg = "a call\n" + dump({"traceparent": self.TRACE,
                                 "baggage": None})
        self.assertNotIn("OBSERVED", self.run_env(dbg))
        self.create("one")
        self.create("two")
        for text in (dbg, "a call\n" + self.TRACE):
            env = self.run_env(text)
            self.assertEqual(env["OBSERVED"], "yes")
            self.assertEqual(env["TRACEPARENT"], self.TRACE)
            self.assertEqual(env["PYTHONPATH"], self.plugin.dir)
            self.assertEqual(env["OBSERVER_CONFIG_DIR"],
                             "/etc/xensource/observer/smapi/enabled")
        self.assertNotIn("OBSERVED", self.run_env("a call"))
        self.assertIsNone(self.observer("destroy", uuid="one"))
        self.assertIn("OBSERVED", self.run_env(dbg))
        self.assertIsNone(self.observer("set_enabled", uuid="two",
                                        bool=False))
        self.assertNotIn("OBSERVED", self.run_env(dbg))
        self.assertIsNone(self.observer("destroy", uuid="two"))

    @tap.table([
        ("set_attributes", {"uuid": "u", "dict": {}}),
        ("set_endpoints", {"uuid": "u", "endpoints": []}),
        ("init", {}), ("set_trace_log_dir", {"string": "s"}),
        ("set_export_interval", {"float": 1.5}),
        ("set_max_spans", {"int": 1}),
        ("set_compress_tracing_files", {"bool": True})])
    def unimplemented(self, params):
        method = self.title().split(": ")[1]
        self.assertEqual(self.observer(method, **params)[0],
                         "Unimplemented")

    def test_errors_name_the_script(self):
        self.create("three")
        self.plugin.usual("Volume.set", out({}) + b"exit 3\n")
        self.adapter.attach(self.plugin)
        got = json.loads(self.ask(request("VDI.add_tags", {
            "key": "t", "vdi": "k1", "sr": SR,
            "dbg": "a\n" + self.TRACE})))
        self.assertEqual(got["error"][1][1][0],
                         self.plugin.path("Volume.set"))
        self.assertIsNone(self.observer("destroy", uuid="three"))


if __name__ == "__main__":
    tap.main()
