# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Whole queues and what was done to them: purge, undo, pause, log; replay after a
reboot; live events and times of calls."""
import contextlib
import json
import os
import pty
import sqlite3

from cli_support import (CALL, Broker, CliCase, Serving, SECRET, main, table,
                         until)


def body(method, **params):
    return json.dumps({"method": method, "params": [params], "id": 7})


class Ops(CliCase):
    def setUp(self):
        self.x("create", "q", "back")

    def tearDown(self):
        self.x("destroy", "q", "back", "--yes", want=None)

    def send(self, method="SR.scan", queue="q", **params):
        return self.x("send", queue, "--reply-to", "back", "--body",
                      body(method, **params)).out.strip()

    def rows(self, *words, **kw):
        return [json.loads(l) for l in
                self.x(*words, "--json", **kw).lines()]

    def content(self, b=None):
        """Everything in the queue as consumers get it."""
        with (b or self.broker).conn("reads") as c:
            return [(m[1], m[2], m[3]) for m in c.poll(["q"])[0]]

    # ---- purge and undo ----

    def test_purge_and_undo(self):
        with self.broker.conn("fills") as c:
            for i in range(300):
                c.publish("q", body("SR.scan", n=i), "back")
        before = self.x("ls", "-m", "q", "--columns", "ref,what,size").out
        asked = self.x("purge", "q", want=4)
        self.assertIn("remove 300 messages of q (300 SR.scan), the oldest",
                      asked.err)
        done = self.x("purge", "q", "--yes", "--reason", "cleaning")
        self.assertRegex(done.out, r"^purged q: 300 messages, 300 callers "
                                   r"told; 'xmsg undo \d+' puts them back\n$")
        act = done.out.split("undo ")[1].split("'")[0]
        self.assertEqual(len(self.rows("ls", "-m", "back")), 300)
        self.assertEqual(self.broker.queue("q")["messages"], 0)
        listed = self.rows("undo", "--list", act)
        self.assertEqual(len(listed), 300)
        self.assertEqual(self.x("undo", "--dry-run").out,
                         "would undo act %s: 300 messages\n" % act)
        self.assertEqual(self.x("undo").out,
                         "undid act %s: 300 messages back\n" % act)
        self.assertEqual(
            self.x("ls", "-m", "q", "--columns", "ref,what,size").out, before)
        self.x("undo", act, want=1)

    def test_undo_by_number(self):
        one, two = self.send(), self.send()
        acts = [self.rows("cancel", r)[0]["act"] for r in (one, two)]
        self.assertEqual(self.rows("undo", str(acts[0]))[0]["messages"], 1)
        self.assertEqual([r["ref"] for r in self.rows("ls", "-m", "q")], [one])
        self.x("undo", "no", want=2)
        self.x("undo", "987654321", want=1)

    def test_undo_without_the_queue(self):
        self.x("cancel", self.send())
        self.x("destroy", "q", "--yes")
        self.assertIn("would undo", self.x("undo", "--dry-run").out)
        self.assertIsNone(self.broker.queue("q"))
        done = self.x("undo")
        self.assertEqual(done.err, "xmsg: made the queue q again\n")
        self.assertEqual(self.broker.queue("q")["messages"], 1)

    def test_purge_of_what_is_chosen(self):
        self.send(), self.send("VDI.stat"), self.send("VDI.stat", pad="x" * 99)
        self.assertIn("would purge q: 2 messages",
                      self.x("purge", "q", "--method", "VDI.*",
                             "--dry-run").out)
        self.assertIn("purged q: 1 message,",
                      self.x("purge", "q", "--size", "+90", "--yes").out)
        row, = self.rows("purge", "--queue", "q", "--method", "VDI.*",
                         "--yes")
        self.assertEqual((row["name"], row["messages"], row["replied"],
                          row["done"]), ("q", 1, 1, True))
        self.assertEqual([r["what"] for r in self.rows("ls", "-m", "q")],
                         ["SR.scan"])

    def test_all_queues_only_on_demand(self):
        self.send()
        self.assertIn("--all-queues",
                      self.x("purge", "--queue", "*", "--yes", want=2).err)
        self.x("purge", want=2)
        self.x("purge", "nosuch", "--yes", want=1)
        self.x("purge", "back", "--yes", want=1)
        self.x("purg", "q", "--yes", want=2)
        self.x("clear", "--queue", "*", "--all-queues", "--yes")
        self.assertEqual(self.broker.queue("q")["messages"], 0)

    def test_a_name_is_no_glob(self):
        self.x("create", "q[1]")
        self.send(queue="q[1]"), self.send()
        self.x("purge", "q[1]", "--yes")
        self.assertEqual(self.broker.queue("q")["messages"], 1)
        self.x("destroy", "q[1]", "--yes")

    def test_the_name_is_typed(self):
        self.send()
        for typed, want in ((b"yes\n", 4), (b"q\n", 0)):
            pid, fd = pty.fork()
            if pid == 0:
                os.execve(self.path, self.args(["purge", "q"]), self.env())
            shown = b""
            while b"Type q:" not in shown:
                shown += os.read(fd, 1000)
            os.write(fd, typed)
            with contextlib.suppress(OSError):
                while os.read(fd, 1000):
                    pass
            self.assertEqual(os.waitstatus_to_exitcode(
                os.waitpid(pid, 0)[1]), want)
            os.close(fd)

    # ---- pause ----

    def test_pause_and_resume(self):
        self.assertEqual(self.x("pause", "q", "--dry-run").out,
                         "would pause q\n")
        self.assertFalse(self.broker.queue("q")["paused"])
        self.assertEqual(self.x("pause", "q").out, "paused q\n")
        self.send()
        self.assertIn("paused", self.x("ls", "q").out)
        self.assertEqual(self.content(), [])
        self.assertEqual(self.rows("resume", "-", data="q\n")[0]["paused"],
                         False)
        self.assertEqual(len(self.content()), 1)
        self.x("pause", "nosuch", want=1)
        self.x("resume", "q", "nosuch", want=5)

    # ---- log ----

    def test_log_of_acts(self):
        ref, other = self.send(), self.send()
        self.x("hold", ref)
        self.x("release", ref)
        self.x("requeue", ref)
        self.x("cancel", ref, "--reason", "password=%s" % SECRET)
        self.x("undo")
        self.x("ack", other)
        self.x("pause", "q")
        self.x("resume", "q")
        want = ["hold", "release", "requeue", "cancel", "undo", "ack",
                "pause", "resume"]
        rows = self.rows("log", "-n", "8")
        self.assertEqual([r["verb"] for r in rows], want)
        self.assertEqual(rows[0]["ref"], ref)
        self.assertEqual(rows[-1]["ref"], "q")
        text = self.x("log").out
        self.assertIn("cancelled by uid", text)
        self.assertNotIn(SECRET, text)
        with self.broker.conn("client") as c:
            c.create("theirs")
            c.destroy("theirs")
        self.assertEqual(self.rows("log", "-n", "1")[0]["verb"], "resume")

    def test_log_says_who_and_is_not_forgotten(self):
        """Load overwrites the flight recorder, not this; nor does a restart."""
        with Broker("--set", "recorder.size=64K") as b:
            self.x("create", "q", broker=b)
            ref = self.x("send", "q", "--body", CALL, broker=b).out.strip()
            self.x("hold", ref, broker=b)
            self.x("show", ref, "--raw", broker=b)
            with b.conn("worker") as c:
                for _ in range(300):
                    c.publish("q", "x" * 400)
                first = c.v1("/events?after=-1")[1]["events"][0]
                self.assertEqual(first["type"], "publish")
            for stop in (lambda: None, b.restart,
                         lambda: b.restart("kill")):
                stop()
                rows = [json.loads(line) for line in
                        self.x("log", "--json", broker=b).lines()]
                self.assertEqual([r["verb"] for r in rows],
                                 ["create", "hold", "show --raw"])
            self.assertEqual((rows[1]["ref"], rows[1]["uid"], rows[1]["comm"],
                              rows[1]["done"]),
                             (ref, os.getuid(), "xmsg", True))
            text = self.x("log", broker=b).out
            self.assertRegex(text, r"hold +%s  \w+, xmsg\[%d\]\n" % (
                ref, rows[1]["pid"]))
            self.assertEqual(self.x("log", "--offline", broker=b).out, text)
            b.kill()
            self.assertEqual(self.x("log", broker=b, want=3).out, text)

    def test_log_of_what_was_not_allowed(self):
        if os.getuid() != 0:
            self.skipTest("only root can be another user")
        with Broker("--set", "server.mode=666") as b:
            os.chmod(b.folder, 0o755)
            self.x("create", "q", broker=b)
            ref = self.x("send", "q", "--body", CALL, broker=b).out.strip()
            pid = os.fork()
            if pid == 0:
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
                with b.conn() as c:
                    c.v1("/queues/q/messages/%s?payload=raw" %
                         ref.split(":")[1])
                os._exit(0)
            os.waitpid(pid, 0)
            row = json.loads(self.x("log", "-n", "1", "--json", broker=b).out)
            self.assertEqual((row["verb"], row["uid"], row["pid"], row["done"]),
                             ("show --raw", 65534, pid, False))
            self.assertIn("NOT ALLOWED", self.x("log", "-n", "1", broker=b).out)

    def test_log_follows(self):
        p = self.start("log", "-f", "-n", "0", "--json")
        ref = self.send()
        until(lambda: any(c["comm"] and c["requests"] >= 2 and
                          c["pid"] == p.pid for c in self.broker.clients()),
              "it waits")
        self.x("hold", ref)
        self.assertEqual(json.loads(p.stdout.readline())["ref"], ref)
        p.terminate()
        p.communicate(timeout=20)

    # ---- live ----

    def test_monitor_shows_what_is_chosen(self):
        p = self.start("monitor", "--method", "VDI.*", "--json")
        until(lambda: any(c["pid"] == p.pid and c["requests"] >= 2
                          for c in self.broker.clients()), "it waits")
        self.send("SR.scan")
        ref = self.send("VDI.stat")
        answer = self.x("reply", ref, "--body", "1").out.strip()
        rows = [json.loads(p.stdout.readline()) for _ in range(2)]
        self.assertEqual([(r["type"], r["ref"]) for r in rows],
                         [("publish", ref), ("reply", answer)])
        p.terminate()
        p.communicate(timeout=20)

    @table([("tail", ["tail", "-n", "50"]), ("trace", ["trace"]),
            ("mscgen", ["trace", "-F", "mscgen"])])
    def chosen_events(self, words):
        self.send("Odd.one")
        ref = self.send("Even.one")
        self.x("reply", ref, "--body", "1")
        text = self.x(*words, "--method", "Even.*").out
        self.assertIn("Even.one", text)
        self.assertNotIn("Odd.one", text)
        number = ref.split(":")[1]
        self.assertIn("Even.one", self.x(*words, "--id", number).out)

    def test_stats(self):
        script = self.script("fails", """
            case "$(cat)" in *bad*) echo '{"result":null,"error":["E"],"id":7}';;
            *) echo '{"result":1,"error":null,"id":7}';; esac""")
        with Serving(self, "q", "--program", script):
            for i in range(20):
                self.x("call", "q", "--body", body("S.one", how="good"))
            self.x("call", "q", "--body", body("S.one", how="bad"))
        self.send("S.two")
        rows = {r["method"]: r for r in self.rows("stats", "--method", "S.*")}
        one, two = rows["S.one"], rows["S.two"]
        self.assertEqual((one["calls"], one["open"], one["failed"]),
                         (21, 0, 1))
        self.assertLessEqual(one["p50_s"], one["p99_s"])
        self.assertLessEqual(one["p99_s"], one["max_s"])
        self.assertGreater(one["p50_s"], 0)
        self.assertEqual((two["calls"], two["open"], two["p50_s"]),
                         (1, 1, None))
        self.assertIn("S.one", self.x("stats").out)
        text = self.x("stats", "--prometheus").out
        self.assertTrue(text.endswith("# EOF\n"))
        self.assertIn("xmsg_", text)


class Replay(CliCase):
    """What a reboot and a poisonous delivery left."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        b = cls.broker
        own = cls("x")
        cls.refs = {}
        for method in ("SR.scan", "VDI.create", "smapiv3.Volume.stat", "Odd"):
            cls.refs[method] = own.x("send", "q", "--create", "--body",
                                     body(method)).out.strip()
        b.stop()
        with contextlib.closing(sqlite3.connect(
                os.path.join(b.state, "switch.db"))) as db:
            db.execute("UPDATE meta SET boot_id = 'another boot'")
            db.commit()
        b.start()
        own.x("send", "other", "--create", "--body", body("SR.scan"))

    def plan(self, *words, want=0):
        return {r["what"]: (r["class"], r["plan"]) for r in map(
            json.loads, self.x("replay", "--json", *words,
                               want=want).lines()) if r["object"] == "plan"}

    def test_1_the_plan(self):
        self.assertEqual(self.plan("--dry-run"), {
            "SR.scan": ("idempotent", "replay"),
            "VDI.create": ("once", "wait"),
            "smapiv3.Volume.stat": ("idempotent", "replay"),
            "Odd": ("unknown", "wait")})
        self.assertEqual(self.plan("--unsafe", "--dry-run", "--method", "O*"),
                         {"Odd": ("unknown", "replay")})
        self.assertEqual(self.plan("--since", "1ms", "--dry-run", want=1), {})
        self.assertEqual(self.plan("other", "--dry-run", want=1), {})
        text = self.x("replay", "--dry-run").out
        self.assertIn("2 to replay, 2 wait", text)

    def test_2_it_is_confirmed(self):
        done = self.x("replay", want=4)
        self.assertIn("SR.scan", done.out)
        self.assertIn("replay 2 messages of q", done.err)
        self.assertEqual(self.broker.queue("q")["held"], 4)

    def test_3_what_is_safe_goes(self):
        self.assertIn("2 replayed", self.x("replay", "--yes").out)
        self.assertEqual(self.broker.queue("q")["held"], 2)
        with self.broker.conn("server") as c:
            got = [json.loads(m[2])["method"] for m in c.poll(["q"])[0]]
            self.assertEqual(got, ["SR.scan", "smapiv3.Volume.stat"])
            self.assertIn("0 to replay, 2 wait", self.x("replay").out)
        until(lambda: "SR.scan" in self.plan("--unacked", "--dry-run"),
              "what the consumer took and left")
        self.assertEqual(self.plan("--dead", "--dry-run"), {
            "VDI.create": ("once", "wait"), "Odd": ("unknown", "wait")})

    def test_4_offline(self):
        self.broker.kill()
        done = self.x("replay", want=3)
        self.assertEqual(len(done.err.splitlines()), 1)


if __name__ == "__main__":
    main()
