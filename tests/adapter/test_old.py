# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Called as xapi-storage-script: its options, its files, its state, its self
test (contract 1.4, 1.9, 1.12, 1.13)."""
import json
import os
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (Adapter, out, outkey, program,  # noqa: E402
                     request, sr_stat, staged, step, success, until, volume)
import support  # noqa: E402
import tap  # noqa: E402
from calls_table import HANDLE, SR  # noqa: E402


class Old(Adapter):
    """The adapter under its old name."""

    def __init__(self):
        super().__init__(start=False)
        self.link = os.path.join(self.base, "xapi-storage-script")
        os.symlink(program("xmsg-storaged"), self.link)
        self.file = os.path.join(self.base, "old.conf")
        self.old_state = os.path.join(self.memory, "state.db")
        self.arguments = {
            "root": self.root, "state": self.old_state,
            "switch-path": self.broker.socket, "concurrent": "true",
            "config": self.file, "config-dir": self.file + ".d"}
        # owners are checked here: scripts are files that nobody can change
        self.script = os.path.join(self.base, "script")
        shutil.copy(staged(), self.script)
        os.chmod(self.script, 0o755)

    def command(self):
        return [self.link] + ["--%s=%s" % a for a in
                              self.arguments.items()] + self.options

    def volume(self, *args, **kw):
        real = support.staged
        support.staged = lambda: self.script
        try:
            return super().volume(*args, **kw)
        finally:
            support.staged = real

    def end(self, *options):
        """Run it to its end: (status, what it wrote)."""
        done = subprocess.run(self.command() + list(options),
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=8)
        return done.returncode, done.stdout.decode()


class Case(tap.Case):
    def setUp(self):
        self.adapter = Old()
        self.addCleanup(self.adapter.remove)

    def logged(self):
        return self.adapter.read_log()[-3000:]

    def config(self, text, name=None):
        path = self.adapter.file
        if name:
            os.makedirs(path + ".d", exist_ok=True)
            path = os.path.join(path + ".d", name)
        with open(path, "w") as f:
            f.write(text)

    def listed(self):
        return sorted(json.loads(self.adapter.call(
            self.plugin, "SR.list"))["result"])

    def serve(self):
        self.plugin = self.adapter.volume()
        self.adapter.start()
        self.adapter.ready(self.plugin)


class Options(Case):
    def test_serves(self):
        self.serve()
        self.adapter.attach(self.plugin)
        self.plugin.usual("Volume.stat", outkey(volume("@KEY@")))
        self.assertIsNone(json.loads(self.adapter.call(
            self.plugin, "VDI.stat", sr=SR, vdi="k1"))["error"])
        for how in (self.adapter.kill, self.adapter.stop):
            how()
            self.adapter.start()
            self.adapter.ready(self.plugin)
            self.assertEqual(self.listed(), [SR])

    def test_file_wins(self):
        """The file over the command line; fragments over the file, in order
        of their names."""
        self.config("root = /no/such\nnonsense = 7\n # a line\n")
        self.config("root = /no/such # twice\n", "10-x.conf")
        self.config('root = "%s"  \n' % self.adapter.root, "20-y.conf")
        self.adapter.arguments["root"] = "/no/such/either"
        self.serve()

    @tap.table([("one at a time", "false", 1), ("at a time", "true", 8)])
    def concurrent(self, value, most):
        self.config("concurrent = %s\n" % value)
        self.serve()
        self.adapter.attach(self.plugin)
        gate = os.path.join(self.adapter.base, "gate")
        self.plugin.usual("SR.ls", step("note", "begin"),
                          step("await", gate), out([]))
        mark = self.adapter.mark()

        def begun():
            return sum("note" in l for l in self.adapter.lines(mark))
        with self.adapter.caller() as c:
            ids = [c.send(self.plugin.name, request("SR.scan", {"sr": SR}))
                   for _ in range(8)]
            until(lambda: begun() >= most, "%d run" % most)
            self.adapter.control("status")
            self.assertEqual(begun(), most)
            open(gate, "w").close()
            for i in ids:
                self.assertEqual(c.reply(i), success([]))

    def test_options_that_do_nothing(self):
        """They are taken."""
        self.adapter.arguments.update({
            "pidfile": "/no/such/x.pid", "log": "syslog:daemon",
            "loglevel": "debug", "disable-logging-for": "a b",
            "inventory": "/no/such", "timeslice": "0.05",
            "use-switch": "true"})
        self.serve()

    @tap.table([("help", ["--help"], 0, "switch-path"),
                ("version", ["--version"], 0, "xapi-storage-script"),
                ("no such option", ["--nonsense=1"], None, "nonsense"),
                ("no boolean", ["--concurrent=yes"], None, "yes"),
                ("no such root", ["--root=/no/such"], 2, "/no/such")])
    def ends(self, options, status, word):
        code, text = self.adapter.end(*options)
        if status is None:
            self.assertNotEqual(code, 0)
        else:
            self.assertEqual(code, status)
        self.assertIn(word, text)

    def test_no_boolean_in_the_file(self):
        self.config("concurrent = 1\n")
        code, text = self.adapter.end()
        self.assertNotEqual(code, 0)
        self.assertIn("concurrent", text)


class State(Case):
    """What the original has left is taken over."""
    OLD = ('((s3((sr file:///srs/one)(uids(sr-abc))))'
           '("with blank"((sr "a \\"b\\"\\\\ \\n\\195\\169")(uids()))))')

    def old(self, text):
        with open(self.adapter.old_state, "w") as f:
            f.write(text)

    def test_taken_over(self):
        self.old(self.OLD)
        self.serve()
        self.assertEqual(self.listed(), ["s3", "with blank"])
        self.plugin.usual("SR.ls", out([]))
        mark = self.adapter.mark()
        for sr in ("s3", "with blank"):
            self.assertEqual(self.adapter.call(
                self.plugin, "SR.scan", sr=sr), success([]))
        self.assertEqual(
            [json.loads(r["stdin"])["sr"] for r in self.adapter.runs(mark)],
            ["file:///srs/one", 'a "b"\\ \n\u00e9'])

    def test_taken_over_once(self):
        """What was detached since does not come back."""
        self.old(self.OLD)
        self.serve()
        self.plugin.usual("SR.detach", out(None))
        self.assertEqual(self.adapter.call(self.plugin, "SR.detach",
                                           sr="s3"), success())
        self.adapter.stop()
        self.adapter.start()
        self.adapter.ready(self.plugin)
        self.assertEqual(self.listed(), ["with blank"])

    @tap.table([("empty", ""), ("half", "((s3((sr file:"),
                ("noise", "\x00\x01((("), ("none", "()")])
    def damaged(self, text):
        """The original dies of it."""
        self.old(text)
        self.serve()
        self.assertEqual(self.listed(), [])
        self.adapter.attach(self.plugin)
        self.assertEqual(self.listed(), [SR])


    def test_that_cannot_be_renamed(self):
        """It is said, and the SRs are there."""
        os.makedirs(self.adapter.old_state + ".taken-over/x")
        self.old(self.OLD)
        self.serve()
        self.assertEqual(self.listed(), ["s3", "with blank"])
        self.assertIn("cannot rename", self.logged())

    def test_new_settings(self):
        """The files are read again, as the original does not."""
        self.serve()
        self.config("concurrent = maybe\n")
        self.adapter.process.send_signal(signal.SIGHUP)
        until(lambda: "not reloaded" in self.logged(), "it says so")
        self.config("concurrent = true\n")
        self.adapter.process.send_signal(signal.SIGHUP)
        until(lambda: "settings: reloaded" in self.logged(), "it says so")


class SelfTest(Case):
    def setUp(self):
        super().setUp()
        p = self.plugin = self.adapter.volume("dummyv5", features=[
            "SR_PROBE"])
        p.usual("Plugin.diagnostics", out("fine"))
        p.usual("SR.create", out({"uri": "file:///dev/null"}))
        p.usual("SR.attach", out(HANDLE))
        p.usual("SR.stat", out(sr_stat(HANDLE)))
        p.usual("SR.ls", out([]))
        p.usual("SR.probe", out([]))
        p.usual("Volume.create", out(volume("v")))
        p.usual("Volume.stat", out(volume("v")))

    def run_it(self):
        return self.adapter.end("--self-test-only=true")

    def test_passes(self):
        code, text = self.run_it()
        self.assertEqual(code, 0, text)
        names = [r["argv"][0].rsplit("/", 1)[-1]
                 for r in self.adapter.runs()]
        want = ["Plugin.Query", "Plugin.diagnostics", "SR.create",
                "SR.attach", "SR.stat", "Volume.create", "Volume.set",
                "Volume.stat", "Volume.stat", "Volume.destroy", "SR.stat",
                "SR.ls", "SR.probe"]
        # one more look at the plugin before it is tested does no harm
        while names[:2] == ["Plugin.Query"] * 2:
            del names[0]
        self.assertEqual(names, want)

    @tap.table([("an error", "Volume.create", [step("exit", 1)]),
                ("another type", "SR.stat", [out(7)]),
                ("a signal", "SR.ls", [step("signal", 9)])] +
               [("the first: " + s, s, [step("exit", 1)]) for s in (
                   "Plugin.Query", "Plugin.diagnostics", "SR.create",
                   "SR.attach", "Volume.stat", "Volume.destroy",
                   "SR.probe")])
    def fails(self, script, plan):
        self.plugin.usual(script, *plan)
        code, text = self.run_it()
        self.assertEqual(code, 2, text)
        self.assertIn(script.split(".")[1], text)

    def test_a_script_that_cannot_be_run(self):
        self.plugin.replace("SR.ls", 0o644, "#!/bin/sh\n")
        code, text = self.run_it()
        self.assertEqual(code, 2, text)
        self.assertIn("is not executable", text)

    def test_a_script_that_is_missing(self):
        self.plugin.replace("SR.ls")
        code, text = self.run_it()
        self.assertEqual(code, 2, text)
        self.assertIn("SCRIPT_MISSING", text)

    def test_without_a_feature(self):
        """What the plugin does not offer is not tried."""
        self.plugin.usual("Plugin.Query", out(support.answer_of_query(
            "dummyv5")))
        code, text = self.run_it()
        self.assertEqual(code, 0, text)
        self.assertNotIn("SR.probe", [r["script"] for r in
                                      self.adapter.runs()])

    def test_its_folder_stays(self):
        """What lies in its folder is not ours to remove."""
        folder = os.path.join(os.path.dirname(self.adapter.old_state),
                              "xmsg-storaged", "selftest")
        os.makedirs(os.path.join(folder, "x"))
        code, text = self.run_it()
        self.assertEqual(code, 0, text)
        self.assertIn("selftest stays", text)

    def test_no_room_for_its_folder(self):
        folder = os.path.join(os.path.dirname(self.adapter.old_state),
                              "xmsg-storaged")
        os.makedirs(folder)
        os.symlink("/no/such/folder/x", os.path.join(folder, "selftest"))
        code, text = self.run_it()
        self.assertEqual(code, 2, text)


if __name__ == "__main__":
    tap.main()
