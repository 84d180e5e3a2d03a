# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Each call of SMAPIv2 through the real broker, adapter and scripts.

The reply is compared whole, and so is every run of a script: name, arguments,
standard input, order.  The rows are in calls_table.py; each becomes a success
and, at each of its scripts, a failure of every kind.
"""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (Adapter, dump, err, failure, out, raw,  # noqa: E402
                     request, step, success, typed, until, vdi_info)
import tap  # noqa: E402
import calls_table  # noqa: E402
from calls_table import ANY, SR, Like  # noqa: E402
from stage import (Stage, check_reply, failing_steps,  # noqa: E402
                   first_of_name)

SENTENCE = Like(r"\S.*")
MISSING_HINT = "Check whether the file exists and has correct permissions"


class Calls(tap.Case):
    """One adapter and one stage for a group of cases."""

    @classmethod
    def setUpClass(cls):
        cls.adapter = Adapter(start=False)
        cls.addClassCleanup(cls.adapter.remove)
        cls.stage = Stage(cls.adapter)
        cls.adapter.start()
        cls.stage.ready()
        cls.caller = cls.adapter.caller()

    @classmethod
    def tearDownClass(cls):
        cls.caller.close()

    def logged(self):
        return self.adapter.read_log()[-2000:]

    def ask(self, text, plugin=None):
        return self.caller.call((plugin or self.stage.volume).name, text)

    def play(self, row, instead=None):
        """(reply, runs) of a row whose SR is attached."""
        self.stage.attach()
        self.stage.clear()
        self.stage.plan(row, instead)
        mark = self.adapter.mark()
        reply = self.ask(self.stage.request(row))
        if row.forgets:
            self.stage.attached = False
        return reply, self.stage.runs(mark)

    def ran(self, runs, row, scripts):
        self.assertEqual(runs, self.stage.expected(row, scripts))


class Success(Calls):
    @tap.table([(r.name, r) for r in calls_table.ROWS])
    def row(self, row):
        reply, runs = self.play(row)
        self.ran(runs, row, row.scripts)
        check_reply(self, reply, self.stage.own(row.result, row),
                    self.stage.own(row.error, row))

    @tap.table([(r.name, r) for r in calls_table.ROWS if r.sr])
    def not_attached(self, row):
        """The same call on an SR that is not attached: no script runs."""
        params = dict(row.params, sr="nope")
        mark = self.adapter.mark()
        reply = self.ask(request(row.method, params))
        self.assertEqual(reply, failure(["Sr_not_attached", "nope"]))
        self.assertEqual(self.stage.runs(mark), [])

    @tap.table(sorted(calls_table.UNIMPLEMENTED.items()))
    def unimplemented(self, params):
        method = self.title().split(": ")[1]
        mark = self.adapter.mark()
        self.assertEqual(self.ask(request(method, params)),
                         failure(["Unimplemented", method]))
        self.assertEqual(self.stage.runs(mark), [])

    def test_unreachable_then_healthy(self):
        """SR.scan2 looks four times, a second apart."""
        row = [r for r in calls_table.ROWS if r.name == "SR.scan2"][0]
        ill = dict(row.scripts[0].prints, health=["Unreachable", "x"])
        self.stage.attach()
        self.stage.clear()
        self.stage.volume.in_turn("SR.stat", [out(ill)], [out(ill)],
                                  [out(row.scripts[0].prints)])
        self.stage.volume.usual("SR.ls", out([]))
        mark = self.adapter.mark()
        reply = json.loads(self.ask(self.stage.request(row)))
        self.assertEqual(reply["result"][0], [])
        self.assertEqual([r[1] for r in self.stage.runs(mark)],
                         ["SR.stat"] * 3 + ["SR.ls"])

    def test_unreachable_for_good(self):
        row = [r for r in calls_table.ROWS if r.name == "SR.scan2"][0]
        self.stage.attach()
        self.stage.clear()
        self.stage.volume.usual("SR.stat", out(dict(
            row.scripts[0].prints, health=["Unreachable", "x"])))
        mark = self.adapter.mark()
        self.assertEqual(self.ask(self.stage.request(row)),
                         failure(["Sr_unhealthy", [SR, "Unreachable"]]))
        self.assertEqual([r[1] for r in self.stage.runs(mark)],
                         ["SR.stat"] * 4)

    def test_attach_fails_late(self):
        """What the plugin attached is detached again, if it was not attached
        before."""
        stage = self.stage
        stage.attach()
        stage.clear()
        stage.volume.usual("SR.attach", out("fresh handle"))
        stage.volume.usual("SR.stat", out("no"))
        mark = self.adapter.mark()
        reply = self.ask(request("SR.attach", {
            "sr": "fresh", "device_config": {"path": "/x"}}))
        self.assertEqual(json.loads(reply)["error"][0], "Backend_error")
        self.assertEqual(
            [r[1:] for r in stage.runs(mark)][2:],
            [("SR.detach", ["--json"], {"sr": "fresh handle", "dbg": "D"})])
        self.assertEqual(self.ask(request("SR.list", {})), success([SR]))

    def test_boot_clone_is_gone_already(self):
        """A clone that does not exist any more does not stand in the way."""
        stage = self.stage
        for row in calls_table.ROWS:
            for i, s in enumerate(row.scripts):
                if s.name == "Volume.destroy" and s.params["key"] == "k1c":
                    reply, runs = self.play(row, {i: [typed(
                        "SR_BACKEND_FAILURE",
                        ["Volume_does_not_exist", "k1c"])]})
                    self.ran(runs, row, row.scripts)
                    check_reply(self, reply, stage.own(row.result, row))

    def test_something_for_nothing(self):
        """Where nothing is expected any value is as good."""
        for name in ("VDI.enable_cbt", "VDI.detach", "SR.set_name_label"):
            row = [r for r in calls_table.ROWS if r.name == name][0]
            reply, runs = self.play(row, {len(row.scripts) - 1: [
                out({"any": ["thing"]})]})
            self.assertEqual(reply, success())
            self.ran(runs, row, row.scripts)

    def test_clone_without_keys(self):
        """A plugin that cannot set keys can still clone."""
        row = [r for r in calls_table.ROWS
               if r.name == "VDI.clone of what has a type and tags"][0]
        self.stage.volume.replace("Volume.set")
        self.addCleanup(self.stage.volume.restore, "Volume.set")
        reply, runs = self.play(row)
        self.ran(runs, row, row.scripts[:1])
        check_reply(self, reply, vdi_info(row.scripts[0].prints))

    def test_sr_list(self):
        """What was attached, until it is detached or destroyed."""
        stage = self.stage
        stage.attach()
        names = ["b", "a", "with \"quotes\" and \u00e9"]
        for name in names:
            self.adapter.attach(stage.volume, name, "handle of " + name)
        listed = json.loads(self.ask(request("SR.list", {})))["result"]
        self.assertEqual(sorted(listed), sorted(names + [SR]))
        for name, method in zip(names, ("SR.detach", "SR.destroy",
                                        "SR.detach")):
            self.assertEqual(self.ask(request(method, {"sr": name})),
                             success())
        self.assertEqual(self.ask(request("SR.list", {})), success([SR]))


def refused(path, *more):
    return ["Backend_error", ["SCRIPT_FAILED", [path] + list(more)]]


BACKTRACE = {"error": "E", "files": ["f.py", "g.py"], "lines": [1, 22]}
SIGKILL, SIGUSR1 = 9, 10

# kind: (plan, error for a path); None: see `broken`
KINDS = {
    "typed error": (
        [typed("SR_BACKEND_FAILURE_40", ["a", "b \u00e9"], BACKTRACE)],
        lambda path: ["Backend_error_with_backtrace", [
            "SR_BACKEND_FAILURE_40", [dump(BACKTRACE), "a", "b \u00e9"]]]),
    "typed error, lines as texts": (
        [typed("C", [], {"lines": ["3"], "files": ["f"], "error": "",
                         "more": 1})],
        lambda path: ["Backend_error_with_backtrace", [
            "C", [dump({"error": "", "files": ["f"], "lines": [3]})]]]),
    "on another host": (
        [typed("ANY", ["Activated_on_another_host", "host-uuid"])],
        lambda path: ["Activated_on_another_host", "host-uuid"]),
    "error object without backtrace": (
        [out({"code": "C", "params": []}), step("exit", 1)],
        lambda path: refused(
            path, "non-zero exit and bad json on stdout", "1",
            '{"code":"C","params":[]}\n', '{"code":"C","params":[]}\n')),
    "bad JSON": (
        [raw("not json\n")],
        lambda path: refused(path, "bad json on stdout", "not json\n")),
    "two values": (
        [raw("null\nnull\n")],
        lambda path: refused(path, "bad json on stdout", "null\nnull\n")),
    "nothing printed": (
        [raw("")], lambda path: refused(path, "bad json on stdout", "")),
    "wrong shape": (
        [out({"wrong": 1})],
        lambda path: ["Backend_error", ["SCRIPT_FAILED", [
            Like(r"Unexpected exception:.+")]]]),
    "exit status": (
        [raw("not json\n"), step("exit", 4)],
        lambda path: refused(
            path, "non-zero exit and bad json on stdout", "4", "not json\n",
            "not json\n")),
    "exit status with stderr": (
        [raw("not json\n"), err("the reason\n"), step("exit", 4)],
        lambda path: refused(
            path, "non-zero exit and bad json on stdout", "4", "not json\n",
            "the reason\n")),
    "signal": (
        [raw("partial\n"), step("signal", SIGKILL)],
        lambda path: refused(path, "signalled", "SIGKILL", "partial\n",
                             "partial\n")),
    "signal with stderr": (
        [err("oh"), step("signal", SIGUSR1)],
        lambda path: refused(path, "signalled", "SIGUSR1", "", "oh")),
}


def shaped(script):
    """Does anything depend on the shape of what it prints?"""
    return script.prints is not None


class Failures(Calls):
    @tap.table([("%s: %s" % (kind, title), kind, row, i)
                for title, row, i in failing_steps() for kind in KINDS
                if kind != "wrong shape" or shaped(row.scripts[i])])
    def failed(self, kind, row, i):
        """A script fails: the call ends there, what was made is undone."""
        plan, error = KINDS[kind]
        reply, runs = self.play(row, {i: plan})
        script = row.scripts[i]
        self.ran(runs, row, row.scripts[:i + 1] + script.undo)
        check_reply(self, reply, error=error(self.stage.path(script, row)))

    def broken(self, row, i, error, mode=None, text=None, runs=None):
        """A script is not there, or not one that can be run."""
        script = row.scripts[i]
        plugin = self.stage.plugin(script, row)
        plugin.replace(script.name, mode, text)
        try:
            reply, ran = self.play(row)
        finally:
            plugin.restore(script.name)
            self.stage.attached = not script.name.startswith("SR.")
        self.ran(ran, row, row.scripts[:i] + script.undo)
        check_reply(self, reply, error=error)

    @tap.table(filter(first_of_name, failing_steps()))
    def missing(self, row, i):
        self.stage.attach()
        path = self.stage.path(row.scripts[i], row)
        path = path.replace("Plugin.Query", "Plugin.query")
        self.broken(row, i, ["Backend_error", ["SCRIPT_MISSING", [
            path, MISSING_HINT]]])

    @tap.table(filter(first_of_name, failing_steps()))
    def not_executable(self, row, i):
        self.stage.attach()
        path = self.stage.path(row.scripts[i], row)
        self.broken(row, i, ["Backend_error", ["SCRIPT_NOT_EXECUTABLE", [
            path, SENTENCE]]], 0o644, "#!/bin/sh\n")

    @tap.table(filter(first_of_name, failing_steps()))
    def no_interpreter(self, row, i):
        self.stage.attach()
        path = self.stage.path(row.scripts[i], row)
        self.broken(row, i, refused(
            path, "non-zero exit and bad json on stdout", "127", "", ANY),
            0o755, "#!/no/such/interpreter\n")


HANGING = [raw("half"), err("stuck on it\n"), step("note", "hangs"),
           step("sleep", 600000)]


class Together(tap.Case):
    """Every step of every call, each with plugins of its own, at once: none
    waits for another.  The cases look at what came of it."""
    settings = ()

    @classmethod
    def setUpClass(cls):
        cls.steps = failing_steps()
        cls.adapter = Adapter(*cls.settings, start=False)
        cls.addClassCleanup(cls.adapter.remove)
        cls.stages = [Stage(cls.adapter, "t%03d" % n, "sr-t%03d" % n,
                            "t%03d" % n, [tuple(step[1].features)])
                      for n, step in enumerate(cls.steps)]
        cls.adapter.start()
        for stage in cls.stages:
            stage.ready()
        cls.caller = cls.adapter.caller(patience=60)
        cls.mark = cls.adapter.mark()
        cls.ids = []
        for stage, (_, row, i) in zip(cls.stages, cls.steps):
            stage.attach()
            stage.clear()
            stage.plan(row, {i: HANGING})
            cls.ids.append(cls.caller.send(stage.volume.name,
                                           stage.request(row)))
        cls.hung()

    @classmethod
    def hung(cls):
        """What is to happen while all hang."""

    @classmethod
    def tearDownClass(cls):
        cls.caller.close()

    def logged(self):
        return self.adapter.read_log()[-2000:]

    def look(self, n):
        """(reply, runs but for those that attached) of one."""
        stage = self.stages[n]
        reply = self.caller.reply(self.ids[n])
        runs = stage.runs(self.mark)
        return reply, runs[2:]


class TimeLimit(Together):
    settings = ("scripts.time=2s", "scripts.term=200ms")

    @tap.table([(s[0], n) for n, s in enumerate(failing_steps())])
    def ended(self, n):
        stage, (_, row, i) = self.stages[n], self.steps[n]
        reply, runs = self.look(n)
        script = row.scripts[i]
        self.assertEqual(runs, stage.expected(
            row, row.scripts[:i + 1] + script.undo))
        error = json.loads(reply)["error"]
        check_reply(self, reply, error=error)
        name, (code, params) = error
        self.assertEqual((name, code), ("Backend_error", "SCRIPT_FAILED"))
        self.assertEqual(params[0], stage.path(script, row))
        self.assertRegex(" ".join(params), "(?i)time")
        self.assertEqual(params[-1], "stuck on it\n")

    def test_nothing_is_left(self):
        for ident in self.ids:
            self.caller.reply(ident)
        self.adapter.until_quiet()


class Cancelled(Together):
    settings = ("scripts.term=200ms",)

    @classmethod
    def hung(cls):
        until(lambda: sum("note" in l for l in cls.adapter.lines(cls.mark))
              == len(cls.steps), "all scripts hang")
        cls.answers = []
        with cls.adapter.broker.conn() as c:
            for stage, ident in zip(cls.stages, cls.ids):
                cls.answers.append(c.v1("/queues/%s/messages/%d/cancel" % (
                    stage.volume.name, ident), "POST",
                    '{"who":"anna","reason":"wrong disk"}'))

    @tap.table([(s[0], n) for n, s in enumerate(failing_steps())])
    def freed(self, n):
        stage, (_, row, i) = self.stages[n], self.steps[n]
        self.assertEqual(self.answers[n][0], 200, self.answers[n])
        reply, runs = self.look(n)
        self.assertEqual(json.loads(reply), {
            "result": None, "id": 7,
            "error": ["Cancelled", "cancelled by anna: wrong disk"]})
        self.assertEqual(runs[:i + 1],
                         stage.expected(row, row.scripts[:i + 1]))

    def test_nothing_is_left(self):
        for ident in self.ids:
            self.caller.reply(ident)
        self.adapter.until_quiet()


if __name__ == "__main__":
    tap.main()
