# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Choosing messages and acting on them: selectors, dry runs, questions, what a
caller is told, and what an operator reads."""
import json
import os
import pty
import time

from cli_support import CALL, Broker, CliCase, SECRET, main, table, until


def body(method, **params):
    return json.dumps({"method": method, "params": [params], "id": 7})


class Acts(CliCase):
    """Messages of several kinds in two queues, made anew for each case."""

    def setUp(self):
        self.x("create", "zfs", "nfs", "back")
        self.refs = {}
        for name, queue, method, more in (
                ("attach", "zfs", "SR.attach", {"sr": "one"}),
                ("stat", "zfs", "VDI.stat", {}),
                ("large", "zfs", "VDI.stat", {"pad": "x" * 5000}),
                ("nfs", "nfs", "SR.attach", {"sr": "two"})):
            self.refs[name] = self.x(
                "send", queue, "--reply-to", "back", "--body",
                body(method, **more)).out.strip()

    def tearDown(self):
        self.x("destroy", "zfs", "nfs", "back", "--yes", want=None)

    def listed(self, *words, want=0):
        done = self.x("ls", "--json", *words, want=want)
        return [json.loads(l)["ref"] for l in done.lines()]

    def names(self, *words, want=0):
        by_ref = {v: k for k, v in self.refs.items()}
        return sorted(by_ref[r] for r in self.listed(*words, want=want)
                      if r in by_ref)

    def in_pty(self, words, typed):
        """Run it at a terminal and type: (status, what it showed)."""
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(self.path, self.args(words), self.env())
        shown = b""
        while b"Type " not in shown:
            shown += os.read(fd, 1000)
        os.write(fd, typed)
        try:
            while True:
                more = os.read(fd, 1000)
                if not more:
                    break
                shown += more
        except OSError:
            pass
        _, status = os.waitpid(pid, 0)
        os.close(fd)
        return os.waitstatus_to_exitcode(status), shown.decode()

    @table([
        ("queue", ["--queue", "z*"], ["attach", "large", "stat"]),
        ("queue by glob operand", ["-m", "n*"], ["nfs"]),
        ("method", ["--method", "SR.attach"], ["attach", "nfs"]),
        ("method by glob", ["--method", "V*"], ["large", "stat"]),
        ("method by a glob of ours", ["--method", "*.stat"],
         ["large", "stat"]),
        ("state", ["--state", "held"], ["stat"]),
        ("state ready", ["--state", "ready", "--queue", "zfs"],
         ["attach", "large"]),
        ("newer", ["--newer", "1h"], ["attach", "large", "nfs", "stat"]),
        ("origin: program", ["--origin", "xmsg*", "--queue", "nfs"],
         ["nfs"]),
        ("size above", ["--size", "+1k"], ["large"]),
        ("size below", ["--size", "-1k"], ["attach", "nfs", "stat"]),
        ("grep", ["--grep", "two"], ["nfs"]),
        ("limit", ["--limit", "1", "--queue", "zfs"], ["attach"]),
        ("all together", ["--queue", "*", "--method", "VDI.*", "--size",
                          "-1k", "--state", "held"], ["stat"]),
    ])
    def selector(self, words, want):
        self.x("hold", self.refs["stat"])
        self.assertEqual(self.names(*words), want)

    @table([
        ("age", ["--older", "1h"]), ("method", ["--method", "VDI.destroy"]),
        ("text", ["--grep", "nowhere"]), ("queue", ["--queue", "zfs?"]),
        ("dead", ["--state", "dead"]), ("origin", ["--origin", "xapi"]),
        ("number", ["--id", "1-2"]), ("replied", ["--state", "replied"]),
        ("in flight", ["--state", "inflight"]),
    ])
    def selector_of_nothing(self, words):
        self.assertEqual(self.names(*words, want=1), [])
        done = self.x("cancel", "--yes", *words, want=1)
        self.assertIn("no message is chosen", done.err)

    def test_numbers(self):
        first, last = (self.refs[n].split(":")[1] for n in ("attach", "stat"))
        self.assertEqual(self.names("--id", first + "-" + last),
                         ["attach", "stat"])
        self.assertEqual(self.names("--id", first), ["attach"])
        self.assertEqual(self.names("--id", "-" + first), ["attach"])
        self.assertIn("nfs", self.names("--id", last + "-"))

    @table([("size", ["--size", "big"]), ("size unit", ["--size", "1x"]),
            ("ids", ["--id", "a-b"]), ("ids reversed", ["--id", "9-3"]),
            ("no ids", ["--id", "-"]), ("state", ["--state", "odd"]),
            ("age", ["--older", "soon"])])
    def selector_that_makes_no_sense(self, words):
        self.x("ls", *words, want=2)
        self.x("cancel", "--yes", *words, want=2)

    def test_a_secret_cannot_be_searched_for(self):
        self.x("send", "zfs", "--body", CALL)
        self.assertEqual(self.listed("--grep", SECRET, want=1), [])

    def test_text_far_behind_the_front(self):
        """All that is masked is searched, and not only what is shown; offline,
        too."""
        with Broker() as b:
            far = "x" * 5000 + " needle "
            refs = [self.x("send", "q", "--create", "--body", far + word,
                           broker=b).out.strip()
                    for word in ("password=hay", "else")]

            def found(text, **kw):
                done = self.x("ls", "--json", "--grep", text, broker=b, **kw)
                return [json.loads(l)["ref"] for l in done.lines()]
            self.assertEqual(found("needle"), refs)
            self.assertEqual(found("else"), refs[1:])
            self.assertEqual(found("hay", want=1), [])
            b.kill()
            self.assertEqual(found("needle", want=3), refs)
            self.assertEqual(found("hay", want=3), [])
        self.x("ls", "--grep", "x" * 256, want=2)

    def test_the_broker_leaves_out(self):
        """What is not chosen does not travel: few answers, however many
        messages."""
        with Broker() as b, b.conn("many") as c:
            c.create("q")
            ids = [c.publish("q", "x" * (i % 7)) for i in range(2500)]
            ids.append(c.publish("q", "needle" * 20))
            for words in (["--size", "+100"], ["--id", "%d-" % ids[-1]],
                          ["--id", "%d" % ids[-1]]):
                before = b.counters()["requests"]
                done = self.x("ls", "--json", *words, broker=b)
                self.assertEqual(
                    [json.loads(l)["id"] for l in done.lines()], ids[-1:])
                # the queues, one page, and the connection of this test
                self.assertLess(b.counters()["requests"] - before, 6, words)

    def test_offline_selects_the_same(self):
        with Broker() as b:
            for method in ("SR.attach", "VDI.stat"):
                self.x("send", "q", "--create", "--body", body(method),
                       broker=b)
            words = ["ls", "--method", "VDI.*", "--columns", "ref,what",
                     "--no-header"]
            online = self.x(*words, broker=b).out
            b.kill()
            self.assertIn("VDI.stat", online)
            self.assertEqual(self.x(*words, "--offline", broker=b).out,
                             online)
            done = self.x("cancel", "--queue", "q", "--yes", want=3, broker=b)
            self.assertEqual(len(done.err.splitlines()), 1, done)

    # ---- acting ----

    def test_cancel_by_name(self):
        done = self.x("cancel", self.refs["attach"], "--reason", "wrong disk")
        self.assertEqual(
            done.lines(),
            ["cancelled %s SR.attach (its caller back was told)" %
             self.refs["attach"], "1 cancelled"])
        told = json.loads(self.x("recv", "back", "--raw").out)
        self.assertEqual(told["error"][0], "Cancelled")
        self.assertIn("wrong disk", told["error"][1])
        self.x("cancel", self.refs["attach"], want=1)

    def test_cancel_without_a_word_to_the_caller(self):
        self.x("cancel", self.refs["attach"], "--no-reply")
        self.assertEqual(self.listed("-m", "back"), [])
        self.assertNotIn("attach", self.names("-m"))

    def test_cancel_frees_a_caller_that_waits(self):
        p = self.start("call", "nfs", "--body", body("SR.probe"))
        until(lambda: self.broker.queue("nfs")["messages"] == 2, "a call")
        ref = self.listed("-m", "nfs", "--method", "SR.probe")[0]
        began = time.monotonic()
        self.x("rm", ref, "--reason", "enough")
        out, _ = p.communicate(timeout=20)
        self.assertLess(time.monotonic() - began, 1)
        self.assertIn(b"Cancelled", out)
        self.assertIn(b"enough", out)

    def test_a_selection_is_confirmed(self):
        refused = self.x("cancel", "--queue", "zfs", want=4)
        self.assertIn("3 messages of zfs (1 SR.attach, 2 VDI.stat)",
                      refused.err)
        self.assertIn("--yes", refused.err)
        self.assertEqual(len(refused.err.splitlines()), 1)
        self.assertEqual(len(self.listed("-m", "zfs")), 3)
        done = self.x("cancel", "--queue", "zfs", "--yes")
        self.assertEqual(done.lines()[-1], "3 cancelled")
        self.assertEqual(self.listed("-m", "zfs"), [])
        self.assertEqual(len(self.listed("-m", "back")), 3)

    def test_a_selection_of_several_queues_names_them(self):
        refused = self.x("cancel", "--queue", "[nz]fs", want=4)
        self.assertIn("4 messages of several queues: 1 nfs, 3 zfs",
                      refused.err)

    def test_at_a_terminal(self):
        code, shown = self.in_pty(["cancel", "--queue", "nfs"], b"no\n")
        self.assertEqual(code, 4, shown)
        self.assertEqual(len(self.listed("-m", "nfs")), 1)
        code, shown = self.in_pty(["cancel", "--queue", "nfs"], b"yes\n")
        self.assertEqual(code, 0, shown)
        self.assertIn("1 cancelled", shown)
        self.assertEqual(self.listed("-m", "nfs"), [])

    @table([(v, v) for v in ("cancel", "hold", "release", "requeue")])
    def dry_run_changes_nothing(self, verb):
        before = self.x("ls", "-m", "--columns", "ref,state").out
        done = self.x(verb, "--queue", "zfs", "--dry-run")
        self.assertEqual(done.lines()[0], "would %s %s SR.attach" %
                         (verb, self.refs["attach"]))
        self.assertEqual(done.lines()[-1], "would %s 3" % verb)
        rows = [json.loads(l) for l in self.x(
            verb, self.refs["stat"], "--dry-run", "--json").lines()]
        self.assertEqual([(r["ref"], r["done"]) for r in rows],
                         [(self.refs["stat"], False)])
        self.assertEqual(self.x("ls", "-m", "--columns", "ref,state").out,
                         before)

    def test_hold_and_release_a_selection(self):
        self.assertEqual(self.x("hold", "--method", "VDI.*").out, "2 held\n")
        self.assertEqual(self.names("--state", "held"), ["large", "stat"])
        self.assertEqual(self.x("release", "--queue", "zfs").out,
                         "3 released\n")
        self.x("ls", "--state", "held", want=1)

    def test_requeue(self):
        taken = self.x("recv", "nfs", "--peek").out
        self.assertIn(self.refs["nfs"], taken)
        self.x("hold", self.refs["nfs"])
        self.assertEqual(self.x("requeue", self.refs["nfs"]).out,
                         "1 requeued\n")
        self.x("ls", "--state", "held", want=1)
        self.x("requeue", "--queue", "zfs", want=4)
        self.x("requeue", "--queue", "zfs", "--yes")

    def test_from_standard_input(self):
        lines = self.x("ls", "-m", "zfs", "--no-header").out
        done = self.x("cancel", "-", "--json", data=lines)
        rows = [json.loads(l) for l in done.lines()]
        self.assertEqual(len(rows), 3)
        for r in rows:
            self.assertEqual((r["object"], r["done"]), ("cancelled", True))
            self.assertRegex(r["reply_ref"], r"^back:\d+$")
            self.assertGreater(r["act"], 0)

    def test_in_part(self):
        done = self.x("cancel", "zfs:1", self.refs["nfs"], want=5)
        self.assertIn("zfs:1", done.err)
        self.assertIn("1 cancelled", done.out)

    def test_what_is_not_said_clearly(self):
        for verb in ("cancel", "hold", "release", "requeue"):
            self.assertIn("--queue", self.x(verb, want=2).err)
            self.x(verb, self.refs["nfs"], "--queue", "nfs", want=2)
            self.x(verb, "nfs", want=2)
        self.x("canc", self.refs["nfs"], want=2)

    def test_dead_letters(self):
        """Held by an operator is not dead; poison is."""
        self.x("hold", self.refs["nfs"])
        self.x("dead", want=1)
        for _ in range(3):
            with self.broker.conn("victim-%s" % time.monotonic_ns()) as c:
                c.poll(["zfs"])
        until(lambda: self.x("dead", want=None).code == 0, "a dead letter")
        done = self.x("dead")
        self.assertIn("its delivery ended its consumer", done.out)
        self.assertNotIn(self.refs["nfs"], done.out)
        ref = json.loads(self.x("dead", "z*", "--json").lines()[0])["ref"]
        self.x("dead", "n*", want=1)
        self.assertIn(ref, self.listed("--state", "dead"))


if __name__ == "__main__":
    main()
