# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The commands about the storage adapter, against the real one: what it serves
and why not, what it works on, what it has finished."""
import json
import os
import re
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "adapter"))
from cli_support import CliCase, SECRET, main, table, until  # noqa: E402
from support import (Adapter, PREFIX, Staged, err, out,  # noqa: E402
                     request, step, typed)

SRC = os.environ["XMSG_SRCDIR"]
BUILD = os.environ["XMSG_BUILDDIR"]
PYTHON = "XMSG_PYTHON=" + os.path.join(BUILD, "python")


def example(root, kind, name, to):
    shutil.copytree(os.path.join(SRC, "examples", kind, name),
                    os.path.join(root, kind, to))


class AdapterCase(CliCase):
    """One broker and one adapter for the group."""
    settings = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.broker.remove()
        cls.adapter = Adapter(*cls.settings, start=False)
        cls.broker = cls.adapter.broker
        cls.plugins()
        cls.adapter.start()
        cls.adapter.ready(*[p for p in cls.adapter.plugins.values()
                            if p.kind == "volume"])

    @classmethod
    def tearDownClass(cls):
        cls.adapter.remove()
        cls.folder.cleanup()

    @classmethod
    def plugins(cls):
        cls.one = cls.adapter.volume("one", features=["VDI_REVERT"])
        cls.dp = cls.adapter.datapath("dpx")

    def logged(self):
        return self.adapter.read_log()

    def rows(self, *words, **kw):
        return [json.loads(l) for l in
                self.x(*words, "--json", **kw).lines()]


def refused(adapter, name, query):
    """A volume plugin that is not served because of its Plugin.Query."""
    p = Staged(adapter, "volume", PREFIX + name, ready=False)
    p.usual("Plugin.Query", *query)
    p.put()
    return p


class Plugins(AdapterCase):
    @classmethod
    def plugins(cls):
        super().plugins()
        refused(cls.adapter, "sick", [err("oops\n"), step("exit", 3)])
        refused(cls.adapter, "future", [out({
            "plugin": "future", "name": "n", "description": "d",
            "vendor": "v", "copyright": "c", "version": "1",
            "required_api_version": "9.0", "features": [],
            "configuration": {}, "required_cluster_stack": []})])
        os.mkdir(os.path.join(cls.adapter.root, "volume", PREFIX + "hollow"))

    def setUp(self):
        self.adapter.until_datapath(self.dp)
        until(lambda: len(self.adapter.known()) == 5 and all(
            p["state"] in ("serving", "waiting")
            for p in self.adapter.known()), "all were probed")

    def test_list(self):
        got = self.x("plugins")
        lines = got.lines()
        self.assertEqual(lines[0].split("  ")[0], "PLUGIN")
        self.assertEqual(lines[-1], "5 plugins, 2 served")
        self.assertRegex(got.out, r"(?m)^dpx +datapath +serving +5\.0 ")
        self.assertRegex(got.out, r"(?m)^%ssick +volume +waiting .*exit "
                                  r"status 3: oops$" % PREFIX)

    def test_json(self):
        rows = {r["name"]: r for r in self.rows("plugins")}
        one = rows[self.one.name]
        self.assertEqual(
            (one["schema"], one["object"], one["kind"], one["state"],
             one["version"], one["features"], one["feature_list"],
             one["why"], one["dir"], one["failed"]),
            (1, "plugin", "volume", "serving", "5.0", 1, "VDI_REVERT", "",
             self.one.dir, 0))
        self.assertIsNone(rows["dpx"]["calls"])
        self.assertIsNone(rows[PREFIX + "sick"]["version"])
        self.assertGreaterEqual(rows[PREFIX + "sick"]["failures"], 1)

    def test_globs_and_columns(self):
        def names(*words):
            return self.x("plugins", *words, "--columns", "name",
                          "--no-header").lines()
        self.assertEqual(names("one"), [self.one.name])
        self.assertEqual(names(PREFIX + "*", "--sort", "-name"),
                         [PREFIX + n for n in ("sick", "one", "hollow",
                                               "future")])
        self.x("plugins", "nosuch*", want=1)

    @table([
        ("served", "one", ["is served since", "version 5.0", "1 feature.",
                           "0 calls"]),
        ("served, whole name", PREFIX + "one", ["is served since"]),
        ("datapath", "dpx", ["(datapath plugin, ", "is served since"]),
        ("it fails", "sick", ["is not served (", "exit status 3: oops",
                              "failed in a row", "xmsg plugin check /"]),
        ("of another version", "future", ["unknown SMAPI API version 9.0",
                                          "required_api_version"]),
        ("empty", "hollow", ["there is no script", "xmsg-idl new-plugin"]),
    ])
    def why(self, name, words):
        said = self.x("plugin", "why", name)
        self.assertEqual(len(said.lines()), 1, said)
        for word in words:
            self.assertIn(word, said.out)
        row, = self.rows("plugin", "why", name)
        self.assertEqual(row["served"], "is served" in said.out)
        self.assertEqual(row["advice"] is None, row["served"])
        self.assertEqual(row["kind"], "datapath" if name == "dpx"
                         else "volume")

    def test_why_there_is_none(self):
        done = self.x("plugin", "why", "nosuch", want=1)
        self.assertEqual(done.out, "")
        self.assertRegex(done.err, r"^xmsg: there is no plugin nosuch: "
                                   r"there is no folder /.*/nosuch\n$")

    @table([
        ("no word", ["plugin"]), ("another word", ["plugin", "what", "x"]),
        ("no name", ["plugin", "why"]),
        ("two names", ["plugin", "why", "a", "b"]),
        ("kill whom", ["scripts", "kill"]),
        ("kill abbreviated", ["scripts", "kil", "q:1"]),
        ("kill what", ["scripts", "kill", "q"]),
        ("offline", ["plugins", "--offline"]),
        ("why offline", ["plugin", "why", "one", "--offline"]),
        ("bad time", ["calls", "--since", "yesterday"]),
        ("bad time of day", ["calls", "--since", "25:00"]),
        ("bad column", ["plugins", "--columns", "x"]),
        ("bad number", ["calls", "-n", "x"]),
    ])
    def usage(self, words):
        done = self.x(*words, want=2)
        self.assertEqual(done.out, "")
        self.assertEqual(len(done.err.splitlines()), 1, done)

    def test_completion(self):
        def offers(*words):
            return [l.split("\t")[0] for l in
                    self.x("__complete", "--", *words).lines()]
        self.assertEqual(offers("plugin", ""), ["why", "check"])
        for words in (["plugins", ""], ["plugin", "why", ""]):
            got = offers(*words)
            self.assertIn("dpx", got)
            self.assertIn("one", got)
            self.assertIn(PREFIX + "one", got)
        self.assertEqual(offers("scripts", ""), ["kill"])
        self.assertIn("--failed", offers("calls", "--"))
        self.assertIn("plugins", offers("plug"))


class Calls(AdapterCase):
    settings = ("scripts.term=200ms",)

    def setUp(self):
        self.adapter.attach(self.one)

    def hang(self, caller, sr="sruuid", **more):
        """A call whose script does not end; its row."""
        self.one.usual("SR.ls", step("sleep", 600000))
        ident = caller.send(self.one.name, request("SR.scan",
                                                   dict(sr=sr, **more)))
        ref = "%s:%d" % (self.one.name, ident)

        def runs():
            return [r for r in self.rows("scripts")
                    if r["ref"] == ref and r["pid"]]
        until(runs, "%s runs" % ref, pause=0.01)
        return ident, ref, runs()[0]

    def test_running(self):
        self.assertEqual(self.x("scripts").lines()[-1], "0 calls")
        with self.adapter.caller() as c:
            ident, ref, row = self.hang(c, dbg="mark")
            self.assertEqual(
                (row["object"], row["queue"], row["id"], row["method"],
                 row["sr"], row["state"], row["script"], row["dbg"],
                 row["cancelled"]),
                ("script", self.one.name, ident, "SR.scan", "sruuid",
                 "running", self.one.path("SR.ls"), "mark", False))
            self.assertGreater(row["rss"], 0)
            self.assertGreaterEqual(row["cpu_s"], 0)
            self.assertIn(row["process_state"], "RSD")
            with open("/proc/%d/cmdline" % row["pid"], "rb") as f:
                self.assertIn(b"SR.ls", f.read())
            lines = self.x("scripts").lines()
            self.assertEqual(lines[0].split()[:3], ["ID", "METHOD", "SR"])
            self.assertTrue(lines[1].startswith(ref + " "))
            self.assertEqual(lines[2], "1 call")
            self.assertIn("\nscripts    SR.ls, running\n", self.x(
                "show", ref, "--adapter-state", self.adapter.state).out)
            done = self.x("show", ref, "--adapter-state", "/nonexistent")
            self.assertNotIn("\nscripts", done.out)
            self.assertIn("/nonexistent", done.err)
            offered = self.x("__complete", "--", "scripts", "kill", "").out
            self.assertIn(ref, offered)

            # nothing is ended by accident
            done = self.x("scripts", "kill", ref, want=4)
            self.assertIn("--yes", done.err)
            self.assertEqual(done.out, "")
            dry = self.x("scripts", "kill", ref, "--dry-run").out
            self.assertTrue(dry.startswith("would cancel %s SR.scan, pid %d, "
                                           "running " % (ref, row["pid"])))
            self.assertEqual(
                self.rows("scripts", "kill", ref, "--dry-run")[0]["cancelled"],
                False)
            self.assertTrue(os.path.exists("/proc/%d" % row["pid"]))

            # on purpose
            done = self.x("scripts", "kill", "nosuch:1", ref, "--yes",
                          "--reason", "disk is gone", want=5)
            self.assertIn("nosuch:1", done.err)
            self.assertTrue(done.out.startswith("cancelled %s " % ref))
            self.assertIn("(its caller was answered)", done.out)
            answer = json.loads(c.reply(ident))
            self.assertEqual(answer["error"][0], "Cancelled")
            self.assertIn("disk is gone", answer["error"][1])
        self.adapter.until_quiet()
        self.x("scripts", "kill", ref, "--yes", want=1)
        last = self.rows("calls", "-n", "1")[0]
        self.assertEqual((last["ref"], last["error"], last["text"]),
                         (ref, "Cancelled", "at the switch"))
        self.assertIn("cancelled", last["scripts"])

    def test_kill_from_a_list(self):
        with self.adapter.caller() as c:
            _, ref, _ = self.hang(c)
            done = self.x("scripts", "kill", "-", "--yes", "--json",
                          data=ref + "\n")
            row = json.loads(done.out)
            self.assertEqual((row["object"], row["ref"], row["cancelled"],
                              row["answered"]),
                             ("cancelled", ref, True, True))
        self.adapter.until_quiet()

    def test_finished(self):
        self.one.usual("SR.ls", out([]))
        self.one.usual("Volume.stat", typed("Volume_does_not_exist", ["v9"]))
        mark = time.time()
        self.adapter.call(self.one, "SR.scan", sr="sruuid")
        self.adapter.call(self.one, "VDI.stat", sr="sruuid", vdi="v9")
        rows = self.rows("calls")
        good, bad = rows[-2:]
        self.assertEqual(
            (good["object"], good["method"], good["sr"], good["queue"],
             good["error"], good["text"], good["repeated"]),
            ("call", "SR.scan", "sruuid", self.one.name, None, "", False))
        self.assertRegex(good["scripts"], r"^SR\.ls \d+\.\dms$")
        self.assertGreater(good["duration_s"], 0)
        self.assertGreaterEqual(good["time"], mark - 1)
        self.assertEqual(good["ref"], "%s:%d" % (self.one.name, good["id"]))
        self.assertIsNotNone(bad["error"])
        self.assertIn("Volume.stat", bad["scripts"])
        self.assertIn("exit 1", bad["scripts"])
        self.assertEqual([r["seq"] for r in rows],
                         sorted(r["seq"] for r in rows))

        def methods(*words, **kw):
            return self.x("calls", *words, "--columns", "method",
                          "--no-header", **kw).lines()
        self.assertNotIn("SR.scan", methods("--failed"))
        self.assertEqual(methods("--failed", "-n", "1"), ["VDI.stat"])
        self.assertEqual(set(methods("sr.s*")), {"SR.scan"})
        self.assertEqual(methods("vdi.*", "-n", "1"), ["VDI.stat"])
        self.assertEqual(methods("nosuch*", want=1), [])
        self.assertEqual(methods("-n", "0"), [])
        self.assertIn("VDI.stat", methods("--since", "10m"))
        self.assertEqual(methods("--since", "2999-01-01"), [])
        self.assertIn("VDI.stat", methods("--since", "2020-01-01 10:00"))
        self.assertIn("VDI.stat", methods("--utc", "--since",
                                          "2020-01-01T10:00:00Z"))
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                              time.gmtime(time.time() + 5))
        self.assertEqual(methods("--since", stamp), [])
        self.assertIn("SR.scan", self.x("__complete", "--", "calls", "").out)

    def test_scripts_in_the_chart(self):
        """Those that ended and the one that runs; nobody is asked for it."""
        self.one.usual("SR.ls", out([]))
        self.one.usual("Volume.stat", typed("Volume_does_not_exist", ["v9"]))
        self.adapter.call(self.one, "SR.scan", sr="sruuid")
        self.adapter.call(self.one, "VDI.stat", sr="sruuid", vdi="v9")

        def steps():
            chart = self.x("trace", "-F", "mermaid", "--adapter-state",
                           self.adapter.state).out
            names = dict(re.findall(r"participant (p\d+) as (.*)", chart))
            return [(names[a], names[b], label) for a, b, label in re.findall(
                r"(p\d+)\S*?>>?(p\d+): (.*)", chart.replace("-x", "->>"))]
        with self.adapter.caller() as c:
            _, ref, _ = self.hang(c)
            with self.broker.conn() as b:
                at = b.v1("/events?after=now")[1]["next"]
                got = steps()
                self.assertNotIn("publish", [e["type"] for e in b.v1(
                    "/events?after=%d" % at)[1]["events"]])
            self.x("scripts", "kill", ref, "--yes")
        self.adapter.until_quiet()
        for name, end in (("SR.ls", r"[\d.]+\w+"),
                          ("Volume.stat", r"exit 1 [\d.]+\w+")):
            at = [i for i, s in enumerate(got) if s[1] == name
                  and s[2] == "run"][-1]
            self.assertEqual(got[at + 1][:2], (name, got[at][0]))
            self.assertRegex(got[at + 1][2], "^%s$" % end)
        self.assertIn(("SR.ls", "running"), [s[1:] for s in got])
        self.assertTrue([s for s in steps() if s[0] == "SR.ls"
                         and s[2].startswith("cancelled ")])

    def test_no_secret(self):
        self.one.usual("SR.attach", typed("E", ["password=" + SECRET]))
        self.adapter.call(self.one, "SR.attach", sr="x", device_config={
            "chappassword": SECRET})
        with self.adapter.caller() as c:
            self.hang(c, dbg='{"password":"%s"}' % SECRET)
            for words in (["calls"], ["scripts"], ["plugins"]):
                for more in ([], ["--json"]):
                    done = self.x(*words, *more)
                    self.assertNotIn(SECRET, done.out + done.err)
            self.x("scripts", "kill", "--yes", "-", data=self.x(
                "scripts", "--columns", "ref", "--no-header").out)
        self.adapter.until_quiet()


class Smapi(AdapterCase):
    """Calls of the plugin interface, of a staged plugin and of the example."""

    settings = ("scripts.term=200ms", "scripts.env=" + PYTHON)

    @classmethod
    def plugins(cls):
        super().plugins()
        example(cls.adapter.root, "volume", "filebased", PREFIX + "filebased")

    def setUp(self):
        until(lambda: PREFIX + "filebased" in self.adapter.served(),
              "the example is served")

    def test_the_example(self):
        folder = os.path.join(self.folder.name, "sr")

        def call(*words, **kw):
            return self.x("smapi", "filebased", *words, **kw)
        call("SR.create", "uuid=u-1", "configuration=file-uri=file://" +
             folder, "name=An SR", "description=")
        sr = json.loads(call("SR.attach", 'configuration={"file-uri":'
                             '"file://%s"}' % folder).out)
        volume = json.loads(call("Volume.create", "sr=" + sr, "name=v",
                                 "description=d", "size=1M",
                                 "sharable=no").out)
        self.assertEqual((volume["virtual_size"], volume["sharable"]),
                         (1048576, False))
        key = volume["key"]
        self.assertEqual(call("volume.SET", "sr=" + sr, "key=" + key, "k=a",
                              "v=b=c").out, "")
        whole = PREFIX + "filebased"
        row, = self.rows("smapi", whole, "Volume.stat", "-",
                         data=json.dumps({"sr": sr, "key": key}))
        self.assertEqual((row["object"], row["method"],
                          row["result"]["keys"]),
                         ("result", "Volume.stat", {"a": "b=c"}))
        done = call("Volume.stat", "sr=" + sr, "key=zz", want=1)
        self.assertEqual(done.out, "")
        self.assertEqual(done.err, "xmsg: Volume.stat failed: "
                                   "Volume_does_not_exist: zz\n")
        row, = self.rows("smapi", whole, "Volume.stat", "sr=" + sr, "key=zz",
                         want=1)
        self.assertEqual((row["object"], row["code"], row["text"]),
                         ("failure", "Volume_does_not_exist", "zz"))
        done = call("Volume.compare", "sr=" + sr, "key=a", "key2=b", want=1)
        self.assertIn("SCRIPT_MISSING", done.err)
        call("SR.destroy", "sr=" + sr)

    def test_what_the_script_gets(self):
        self.one.usual("SR.create", out({}))
        mark = self.adapter.mark()
        self.x("smapi", "one", "SR.create", "uuid=u", "name=a b",
               "description=", "configuration=a=1,b=x=y", "dbg=me")
        run, = [r for r in self.adapter.runs(mark)
                if r["script"].lower().endswith("sr.create")]
        self.assertEqual(json.loads(run["stdin"]), {
            "dbg": "me", "uuid": "u", "name": "a b", "description": "",
            "configuration": {"a": "1", "b": "x=y"}})

    def test_not_as_declared(self):
        self.one.usual("SR.ls", out([{"key": 1}]))
        done = self.x("smapi", "one", "SR.ls", "sr=x", want=None)
        self.assertIn("SR.ls", done.err)
        self.assertEqual(len(done.err.splitlines()), 1)

    def test_failures_in_words(self):
        self.one.usual("SR.ls", err("no disk\n"), step("exit", 3))
        done = self.x("smapi", "one", "SR.ls", "sr=x", want=1)
        self.assertIn("SR.ls failed: SCRIPT_FAILED: ", done.err)
        self.assertIn("no disk", done.err)
        self.assertEqual(len(done.err.splitlines()), 1)
        self.one.usual("SR.ls", err("password=%s\n" % SECRET),
                       step("exit", 3))
        done = self.x("smapi", "one", "SR.ls", "sr=x", "--json", want=1)
        self.assertNotIn(SECRET, done.out + done.err)

    def test_time_limit(self):
        self.one.usual("SR.ls", step("sleep", 600000))
        done = self.x("smapi", "one", "SR.ls", "sr=x", "--timeout", "500ms",
                      want=6)
        self.assertIn("the plugin goes on with it", done.err)
        ref, = self.x("scripts", "--columns", "ref", "--no-header").lines()
        self.x("scripts", "kill", "--yes", ref)
        self.adapter.until_quiet()

    @table([
        ("method", ["one", "SR.lss"], "did you mean SR.ls?"),
        ("missing", ["one", "SR.create", "name=x"],
         "needs uuid (string), configuration (map<string>), description"),
        ("unknown", ["one", "SR.ls", "srr=x"], "did you mean sr?"),
        ("no pair", ["one", "SR.ls", "x"], "key=value"),
        ("no map", ["one", "SR.probe", "configuration=x"], "key=value"),
        ("map of numbers", ["one", "SR.probe", 'configuration={"a":1}'],
         "configuration"),
        ("no JSON", ["one", "SR.probe", "configuration={"], "no JSON"),
        ("no number", ["one", "Volume.resize", "sr=x", "key=k",
                       "new_size=1X"], "new_size (int64): no whole number"),
        ("too large", ["one", "Volume.resize", "sr=x", "key=k",
                       "new_size=9999999999T"], "no whole number"),
        ("no boolean", ["one", "Volume.create", "sr=x", "name=", "size=1",
                        "description=", "sharable=maybe"],
         "neither true nor false"),
        ("empty input", ["one", "SR.ls", "-"], "no JSON object"),
        ("no operands", [], "needs QUEUE METHOD"),
        ("help on nothing", ["--help", "nosuch"], "no method 'nosuch'"),
    ])
    def usage(self, words, said):
        done = self.x("smapi", *words, want=2)
        self.assertEqual(done.out, "")
        self.assertIn(said, done.err)
        self.assertEqual(len(done.err.splitlines()), 1, done)

    def test_no_such_queue(self):
        done = self.x("smapi", "nosuch", "SR.ls", "sr=x", want=1)
        self.assertIn("there is no queue %snosuch" % PREFIX, done.err)

    def test_help(self):
        for words in (["--help", "Volume.create"], ["volume.create", "-h"],
                      ["one", "Volume.create", "--help"]):
            text = self.x("smapi", *words).out
            self.assertIn("usage: xmsg smapi QUEUE Volume.create sr=.. name=",
                          text)
            self.assertRegex(text, r"(?m)^  size +int64 +How large")
            self.assertRegex(text, r"(?m)^  uuid +string, optional +")
            self.assertIn("\nResult: volume\n", text)
            self.assertIn("\nExample: xmsg smapi QUEUE Volume.create sr=",
                          text)
        self.assertIn("--list", self.x("smapi", "--help").out)

    def test_every_method_has_help(self):
        rows = self.rows("smapi", "--list")
        self.assertEqual(len(rows), 49)
        for row in rows:
            text = self.x("smapi", "--help", row["name"]).out
            self.assertTrue(row["summary"] and row["summary"] in text, row)
            for line in text.splitlines():
                if not line.startswith(("usage:", "Example:")):
                    self.assertLessEqual(len(line), 80, line)
        self.assertEqual(len(self.rows("smapi", "--list", "Data.*")), 6)
        self.x("smapi", "--list", "nosuch*", want=1)

    def test_completion(self):
        def offers(*words):
            return [l.split("\t")[0] for l in
                    self.x("__complete", "--", "smapi", *words).lines()]
        self.assertIn("filebased", offers(""))
        self.assertIn("Volume.create", offers("filebased", "Vol"))
        self.assertEqual(offers("filebased", "SR.set_name", "sr=x", ""),
                         ["dbg=", "new_name="])


QUERY = ('{"plugin":"filebased","name":"n","description":"d","vendor":"v",'
         '"copyright":"c","version":"1","required_api_version":"%s",'
         '"features":[%s],"configuration":{},"required_cluster_stack":[]%s}')
ERROR = ('{"code":"%s","params":["x"],"backtrace":{"error":"e","files":[],'
         '"lines":[]}}')


def says(text, status=0):
    """A script that prints this, whatever it is asked."""
    return "cat >/dev/null\ncat <<'EOF'\n%s\nEOF\nexit %d\n" % (text, status)


class Check(CliCase):
    """xmsg plugin check: no broker, no adapter; the example plugins, and
    copies of them with one fault each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.broker.remove()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def logged(self):
        return ""

    def setUp(self):
        self.base = os.path.join(self.folder.name, self._testMethodName)
        for sub in ("tmp", "volume", "datapath"):
            os.makedirs(os.path.join(self.base, sub))
        self.sr = os.path.join(self.base, "sr")
        self.config = ["--sr-config", "file-uri=file://" + self.sr]

    def copy(self, changes=(), name=PREFIX + "filebased"):
        """The example under this name, with other scripts in it."""
        path = os.path.join(self.base, "volume", name)
        example(self.base, "volume", "filebased", name)
        for script, text in dict(changes).items():
            os.unlink(os.path.join(path, script))
            if text is not None:
                self.put(os.path.join(path, script), text)
        return path

    @staticmethod
    def put(path, text, mode=0o755):
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, mode)

    def words(self, path, *words):
        return ["plugin", "check", path, "--env", PYTHON, *words]

    def check(self, path, *words, env=None, **kw):
        env = dict({"TMPDIR": os.path.join(self.base, "tmp"),
                    "XMSG_SOCKET": "/nonexistent"}, **(env or {}))
        done = self.x(*self.words(path, *words), env=env, **kw)
        self.assertEqual(os.listdir(os.path.join(self.base, "tmp")), [])
        return done

    def test_the_example(self):
        done = self.check(self.copy(), *self.config)
        lines = done.lines()
        self.assertEqual([l for l in lines[:-1] if l[0] != "\u2713"], [])
        self.assertRegex(lines[-1], r"^%sfilebased: \d+ passed, 0 failed, "
                                    r"0 warnings$" % PREFIX)
        self.assertEqual(done.err, "")
        said = [l[2:].split(" (")[0] for l in lines]
        for word in ("SR.create", "SR.attach",
                     "SR.attach again gives the same handle", "SR.detach",
                     "SR.detach again", "Volume.create", "Volume.snapshot",
                     "Volume.clone", "Volume.resize makes it larger",
                     "Volume.set is kept", "Volume.destroy", "SR.destroy"):
            self.assertIn(word, said)
        self.assertEqual(os.listdir(self.sr), [])

    def test_json(self):
        done = self.check(self.copy(), *self.config, "--json")
        rows = [json.loads(l) for l in done.lines()]
        self.assertEqual({r["verdict"] for r in rows[:-1]}, {"ok"})
        self.assertEqual({r["object"] for r in rows[:-1]}, {"check"})
        self.assertTrue(any(r["check"] == "SR.attach" and r["duration_s"] > 0
                            for r in rows))
        last = rows[-1]
        self.assertEqual(
            (last["object"], last["plugin"], last["kind"], last["passed"],
             last["failed"], last["warnings"], last["skipped"]),
            ("checked", PREFIX + "filebased", "volume", len(rows) - 1, 0, 0,
             0))

    def test_without_a_repository(self):
        done = self.check(self.copy())
        self.assertIn("- SR and Volume calls: give --sr-config KEY=VALUE to "
                      "try them; it knows file-uri (", done.out)
        self.assertFalse(os.path.exists(self.sr))

    def test_keep(self):
        done = self.check(self.copy(), "--keep", *self.config)
        self.assertIn("it stays: repository %s, 3 volumes" % self.sr,
                      done.out)
        kept = sorted(os.listdir(self.sr))
        self.assertIn("sr.json", kept)
        # what is there already is left alone
        done = self.check(self.copy(name="again." + "filebased"),
                          *self.config, want=1)
        self.assertRegex(done.out, r"(?m)^\u2717 SR.create \(.*: failed with")
        self.assertEqual(sorted(os.listdir(self.sr)), kept)

    def test_datapath(self):
        name = "loop+file"
        example(self.base, "datapath", name, name)
        path = os.path.join(self.base, "datapath", name)
        image = os.path.join(self.base, "image")
        with open(image, "wb") as f:
            f.truncate(1 << 20)
        done = self.check(path, "--uri", "loop+file://" + image)
        self.assertIn("Datapath.attach again gives the same answer", done.out)
        self.assertIn("Datapath.detach again", done.out)
        self.assertIn(" 0 failed, 0 warnings\n", done.out)
        self.assertIn("--uri", self.check(path).out)
        bad = self.check(path, "--uri", "loop+file:///nonexistent", want=1)
        self.assertRegex(bad.out, r"(?m)^\u2717 Datapath.attach \(.*: failed "
                                  r"with SR_BACKEND_FAILURE: there is no")

    def test_letters(self):
        done = self.check(self.copy(), env={"LC_ALL": "C"})
        self.assertTrue(done.out.isascii())
        self.assertIn("ok   Plugin.Query", done.out)
        self.assertEqual(self.check(self.copy(name="org.b"), "-q",
                                    want=1).lines()[0][0], "\u2717")

    @table([
        ("it fails", {"Plugin.Query": "echo oops >&2; exit 3\n"},
         "Plugin.Query (", "ended with exit status 3: oops"),
        ("it is silent", {"Plugin.Query": "exit 0\n"},
         "Plugin.Query (", "it printed nothing"),
        ("it is missing", {"Plugin.Query": None},
         "Plugin.Query:", "there is no script"),
        ("it lacks a member", {"Plugin.Query": says('{"plugin":"x"}')},
         "Plugin.Query (", "is not of type query_result"),
        ("another version", {"Plugin.Query": says(QUERY % ("9.0", "", ""))},
         "version of the interface", "unknown SMAPI API version 9.0"),
        ("a promise", {"Volume.revert": None},
         "features", "VDI_REVERT is promised, but its script is not there"),
        ("two values", {"Plugin.diagnostics": says('"a"\n"b"')},
         "Plugin.diagnostics (", "no single value of JSON"),
        ("no JSON", {"Plugin.diagnostics": says("hello")},
         "Plugin.diagnostics (", "no single value of JSON"),
        ("another type", {"Plugin.diagnostics": says("[1]")},
         "Plugin.diagnostics (", "not of type string"),
        ("a signal", {"Plugin.diagnostics": "kill -SEGV $$\n"},
         "Plugin.diagnostics (", "died of SIGSEGV"),
        ("time", {"Plugin.diagnostics": "exec sleep 1000\n"},
         "Plugin.diagnostics (", "took longer than"),
        ("no program", {"Plugin.diagnostics": None, "SR.stat": None},
         "SR.stat:", "no volume plugin works without"),
        ("never fails", {"SR.stat": says("null")},
         "SR.stat of a repository that is not there (",
         "it should fail, but ended with exit status 0"),
        ("fails without an object", {"SR.stat": says("oops", 1)},
         "SR.stat of a repository that is not there (",
         "no single value of JSON"),
        ("fails with another object", {"SR.stat": says('{"code":1}', 1)},
         "SR.stat of a repository that is not there (",
         "its error is not of the form"),
    ])
    def broken(self, changes, what, why):
        done = self.check(self.copy(changes), "--timeout", "2s", want=1)
        bad = [l for l in done.lines()
               if l.startswith("\u2717 " + what) and why in l]
        self.assertTrue(bad, done)
        self.assertRegex(done.lines()[-1], r" [1-9]\d* failed, ")

    @table([
        ("another handle", {"SR.attach": says('"/x"').replace(
            "'EOF'", "EOF").replace("/x", "/x/$$")},
         "SR.attach again gives the same handle", "first /x/"),
        ("no list", {"SR.ls": says("{}")}, "SR.ls (",
         "not of type list<volume>"),
        ("never detached", {"SR.detach": says("null")},
         "SR.stat of a detached repository (", "it should fail"),
        ("forgets notes", {"Volume.set": says("null")}, "Volume.set is kept",
         "keys of Volume.stat have it not"),
        ("does not grow", {"Volume.resize": says("null")},
         "Volume.resize makes it larger", "8388608 bytes, not 16777216"),
        ("does not go", {"Volume.destroy": says("null")},
         "SR.ls forgets it", "still in the list"),
        ("is not renamed", {"Volume.set_name": says("null")},
         "Volume.set_name is kept", "it is 'one'"),
        ("is refused", {"Volume.clone": says(ERROR % "NO_SPACE", 1)},
         "Volume.clone (", "failed with NO_SPACE: x"),
    ])
    def broken_repository(self, changes, what, why):
        done = self.check(self.copy(changes), *self.config, want=1)
        bad = [l for l in done.lines()
               if l.startswith("\u2717 " + what) and why in l]
        self.assertTrue(bad, done)

    @table([
        ("an unknown member", {"Plugin.Query": says(
            QUERY % ("5.0", "", ',"more":1'))}, "taken, but not of type"),
        ("an unknown feature", {"Plugin.Query": says(
            QUERY % ("5.0", '"FLYING"', ""))}, "FLYING is none"),
        ("an old version", {"Plugin.Query": says(
            QUERY % ("3.0", "", ""))}, "3.0 is deprecated"),
        ("another error", {"SR.stat": says(ERROR % "E", 1)},
         "it fails, but not with Sr_not_attached: E"),
        ("not complete", {"Volume.create": None}, "Volume.create: it is not"),
    ])
    def odd(self, changes, why):
        done = self.check(self.copy(changes))
        self.assertIn(why, "".join(l for l in done.lines()
                                   if l.startswith("!")), done)
        self.assertIn(" 0 failed, ", done.out)

    def test_names(self):
        done = self.check(self.copy(name=PREFIX + "other"), want=1)
        self.assertIn("it calls itself filebased, the folder's name ends in "
                      "other", done.out)
        path = self.copy(name="filebased")
        self.assertIn("looks for %sfilebased" % PREFIX, self.check(path).out)
        path = self.copy()
        link = os.path.join(self.base, PREFIX + "linked")
        os.symlink(path, link)
        for word in (link, link + "//", os.path.relpath(link)):
            self.assertIn("the folder's name ends in linked",
                          self.check(word, want=1).out)
        for word in (link + "/.", path + "/../" + PREFIX + "filebased"):
            self.assertIn(" 0 failed", self.check(word).out)
        self.put(os.path.join(path, "SR.atach"), "exit 0\n")
        self.assertIn("! names of scripts: there is no method SR.atach (did "
                      "you mean SR.attach?)", self.check(path).out)

    def test_modes(self):
        path = self.copy()
        os.chmod(path, 0o777)
        done = self.check(path, want=1)
        self.assertIn("\u2717 owner and modes of the folder: ", done.out)
        self.assertIn("chmod go-w " + path, done.out)
        self.assertIn(" 1 failed", done.out)
        os.chmod(path, 0o755)
        os.unlink(os.path.join(path, "SR.ls"))
        self.put(os.path.join(path, "SR.ls"), "exit 0\n", 0o644)
        done = self.check(path, want=1)
        self.assertIn("\u2717 SR.ls: %s/SR.ls is not executable: chmod +x"
                      % path, done.out)

    def test_no_secret(self):
        path = self.copy({"SR.create": "cat >&2; exit 1\n"})
        for more in ([], ["--json"]):
            done = self.check(path, *self.config, "--sr-config",
                              "password=" + SECRET, *more, want=1)
            self.assertIn("SR.create", done.out)
            self.assertNotIn(SECRET, done.out + done.err)

    def test_interrupted(self):
        """What runs is ended, what was made is removed."""
        mark = os.path.join(self.base, "mark")
        path = self.copy({"Volume.clone":
                          "echo $$ >%s.new; mv %s.new %s; exec sleep 1000\n"
                          % (mark, mark, mark)})
        env = {"TMPDIR": os.path.join(self.base, "tmp")}
        p = self.start(*self.words(path, *self.config), env=env)
        until(lambda: os.path.exists(mark) or p.poll() is not None,
              "the script runs", pause=0.01)
        with open(mark) as f:
            pid = int(f.read())
        p.send_signal(signal.SIGINT)
        out, _ = p.communicate(timeout=30)
        self.assertEqual(p.returncode, 130, out)
        self.assertFalse(os.path.exists("/proc/%d" % pid))
        self.assertEqual(os.listdir(self.sr), [])
        self.assertEqual(os.listdir(env["TMPDIR"]), [])
        self.assertNotIn(b"Volume.clone", out)

    @table([
        ("no folder", ["plugin", "check", "/nonexistent"], 1),
        ("a file", ["plugin", "check", "/dev/null"], 1),
        ("no operand", ["plugin", "check"], 2),
        ("two operands", ["plugin", "check", "/", "/"], 2),
        ("no pair", ["plugin", "check", "/", "--sr-config", "x"], 2),
        ("no runner", ["plugin", "check", "/", "--runner", "/nonexistent"],
         2),
        ("bad limit", ["plugin", "check", "/", "--timeout", "x"], 2),
        ("no column", ["plugin", "check", "/", "--json", "--columns", "x"],
         2),
    ])
    def exit_status(self, words, want):
        done = self.x(*words, want=want)
        self.assertEqual(done.out, "")
        self.assertEqual(len(done.err.splitlines()), 1, done)


COMMANDS = [["smapi", "one", "SR.ls", "sr=x"], ["plugins"], ["plugin", "why", "one"], ["scripts"],
            ["scripts", "kill", "q:1"], ["calls"]]


class Dead(AdapterCase):
    """The broker is well, the adapter is not; then neither is."""

    def setUp(self):
        if self.adapter.process.poll() is not None:
            self.adapter.start()
        self.record = ["--adapter-state", self.adapter.state]

    def lines(self, words, **kw):
        done = self.x(*words, want=3, **kw)
        self.assertEqual(len(done.err.splitlines()), 1, done)
        return done

    def test_dead(self):
        self.adapter.call(self.one, "SR.scan", sr="nosuch")
        self.adapter.kill()
        for words in COMMANDS:
            done = self.lines(words)
            self.assertIn("systemctl start xmsg-storaged", done.err)
            self.assertEqual(done.out, "")
            self.assertLess(done.seconds, 2)
        self.assertEqual(self.broker.queue("xmsg.storaged")["messages"], 0)
        done = self.lines(["calls"] + self.record)
        self.assertIn("Sr_not_attached", done.out)
        self.assertIn("calls.ring", done.err)
        done = self.x("calls", "--offline", *self.record)
        self.assertIn("Sr_not_attached", done.out)
        self.assertEqual(done.err, "")
        done = self.x("calls", "--offline", "--adapter-state",
                      self.broker.state, want=3)
        self.assertEqual(len(done.err.splitlines()), 1, done)

    def test_not_a_record(self):
        for name, text in (("empty", b""), ("short", b"x" * 100),
                           ("other", b"x" * 200000)):
            folder = os.path.join(self.folder.name, name)
            os.mkdir(folder)
            with open(os.path.join(folder, "calls.ring"), "wb") as f:
                f.write(text)
            done = self.x("calls", "--offline", "--adapter-state", folder,
                          want=3)
            self.assertRegex(done.err, "^xmsg: .*is no record of calls\n$")

    def test_stopped(self):
        """It polls, but does not answer."""
        self.adapter.process.send_signal(signal.SIGSTOP)
        try:
            done = self.lines(["plugins", "--timeout", "1"])
            self.assertIn("does not answer", done.err)
            self.assertLess(done.seconds, 3)
            until(lambda: self.broker.queue("xmsg.storaged")["messages"] == 0,
                  "the question is taken back")
            self.assertEqual(
                self.lines(["calls", "--timeout", "1", "--no-header"] +
                           self.record).err.count("calls.ring"), 1)
        finally:
            self.adapter.process.send_signal(signal.SIGCONT)
        self.assertEqual(len(self.rows("plugins")), 2)

    def test_another_queue(self):
        self.broker.conn("t").create("elsewhere")
        done = self.lines(["plugins", "--adapter", "elsewhere"])
        self.assertIn("nobody serves the queue elsewhere", done.err)
        self.lines(["plugins", "-A", "nosuch"])

    def test_zz_no_broker(self):
        env = {"XMSG_SOCKET": os.path.join(self.folder.name, "nothing")}
        for words in COMMANDS:
            done = self.lines(words, env=env)
            self.assertIn("no broker answers", done.err)
            self.assertEqual(done.out, "")
        self.broker.signal(signal.SIGSTOP)
        try:
            for words in COMMANDS:
                done = self.lines(words + ["--timeout", "1"])
                self.assertIn("the broker", done.err)
                self.assertLess(done.seconds, 3)
        finally:
            self.broker.signal(signal.SIGCONT)


if __name__ == "__main__":
    main()
