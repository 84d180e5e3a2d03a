# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Those who look on cost those who work nothing: followers that stand still,
many that follow, and what they are told of what passed them by."""
import json
import shutil
import signal
import tempfile
import time

from cli_support import CliCase, main, until
from broker import Broker, get, memory, post

MANY = 4000  # messages; more than the recorder of these tests keeps
STALLED = 5
PAYLOAD = "x" * 300


class Stalled(CliCase):
    """Followers that were stopped and read nothing any more."""
    broker_options = ("--set", "recorder.size=256K")

    def follower(self, *words):
        p = self.start(*words, stdout=open(self.log, "ab"))
        self.addCleanup(p.kill)
        return p

    def setUp(self):
        self.log = self.folder.name + "/out"
        self.c = self.broker.conn("worker")
        self.addCleanup(self.c.close)
        self.c.create("q")

    def following(self, n):
        """n of them have asked for what is new."""
        until(lambda: len([c for c in self.broker.clients()
                           if c["comm"] == "xmsg" and c["requests"] > 1]) >= n,
              "%d follow" % n)

    def work(self):
        """Messages published, fetched and acknowledged, in order."""
        batch, done = 100, 0
        while done < MANY:
            self.c.send(*[post("/request/q/nobody", PAYLOAD)
                          for _ in range(batch)])
            for _ in range(batch):
                self.assertEqual(self.c.reply().status, 200)
            got, _ = self.c.poll(["q"])
            self.assertEqual(len(got), batch)
            self.c.send(*[get("/ack/q/%d" % m[1]) for m in got])
            for _ in range(batch):
                self.assertEqual(self.c.reply().status, 200)
            done += batch

    def test_nobody_waits_for_them(self):
        """Work goes on, memory does not grow; afterwards they go on, too, and
        say that they missed something."""
        stalled = [self.follower("monitor", "--json") for _ in range(STALLED)]
        self.following(STALLED)
        self.work()  # the allocator has seen as much before
        for p in stalled:
            p.send_signal(signal.SIGSTOP)
        before = self.broker.rss_kib()
        self.work()
        self.work()
        self.assertLess(self.broker.rss_kib() - before, memory(4096))
        self.assertEqual(self.broker.queue("q")["messages"], 0)
        for p in stalled:
            p.send_signal(signal.SIGCONT)
        self.c.create("the-last-one")

        def told():
            with open(self.log) as f:  # the last line may be half of one
                lines = [json.loads(l) for l in f.read().split("\n")[:-1]]
            return (sum(r.get("queue") == "the-last-one" for r in lines) ==
                    STALLED and lines)
        lines = until(told, "all have gone on", pause=0.05)
        self.assertGreaterEqual(
            sum(r["object"] == "gap" for r in lines), STALLED)

    def test_who_never_reads_its_answers(self):
        """A connection that asks, and asks, and takes nothing: what it gets is
        bounded by what a socket holds and one answer more."""
        lazy = self.broker.conn()
        self.addCleanup(lazy.close)
        lazy.sock.settimeout(0.05)
        self.work()
        before = self.broker.rss_kib()
        asked = 0
        try:
            while asked < 2000:
                lazy.send(get("/v1/events?after=-1&limit=100000"))
                asked += 1
        except OSError:
            pass  # its own socket is full
        began = time.monotonic()
        self.work()
        self.assertLess(time.monotonic() - began, 30)
        self.assertLess(self.broker.rss_kib() - before, memory(8192))


class Many(CliCase):
    """Twenty followers share an allowance, and who waits for what is rare does
    not wait for them."""
    broker_options = ("--set", "recorder.follow_rate=20")

    def test_rare_events_come_at_once(self):
        with self.broker.conn("worker") as c:
            c.create("q")
            ref = c.publish("q", "x")
            now = c.v1("/events?after=now")[1]["next"]
            watch = self.broker.conn()
            self.addCleanup(watch.close)
            watch.send(get("/v1/events?kind=cancel&wait=30&after=%d" % now))
            followers = [self.broker.conn() for _ in range(20)]
            for f in followers:
                self.addCleanup(f.close)
                f.send(get("/v1/events?wait=30&after=%d" % now))
            # who comes too late for a round waits for the next one
            until(lambda: sum(x["requests"] == 1 and x["token"] is None for x
                              in c.v1("/clients")[1]["clients"]) >= 21,
                  "all wait")
            c.publish("q", "y")
            for f in followers:
                got = f.reply().json()
                self.assertEqual([e["type"] for e in got["events"]],
                                 ["publish"])
                f.send(get("/v1/events?wait=30&after=%d" % got["next"]))
            # the next round is 18 s away: 20 answers, 10 events each at least
            c.publish("q", "z")
            self.x("cancel", "q:%d" % ref)
            self.assertEqual(watch.reply().json()["events"][0]["id"], ref)
            for f in followers:
                f.nothing(0.001)

    def test_looking_back_is_not_bounded(self):
        with self.broker.conn("worker") as c:
            c.create("q")
            for _ in range(500):
                c.publish("q", "z")
            got = c.v1("/events?kind=publish&after=-1")[1]["events"]
            self.assertGreaterEqual(len(got), 500)

    def test_stock_followers_take_turns_too(self):
        """/trace with a time limit: a follower that comes back at once."""
        with self.broker.conn("worker") as c, self.broker.conn("t") as t:
            c.create("q")
            answers, frm = 0, 0
            began = time.monotonic()
            while time.monotonic() - began < 1:
                c.publish("q", "z")
                got = t.ok(get("/trace/%d/5.0" % frm)).json()["events"]
                frm = got[-1][0] + 1
                answers += 1
            self.assertLess(answers, 30)


class ByFile(CliCase):
    """Long lists of events come from the recorder's file, when it is that of
    the broker that answers."""
    LONG = [["trace", "--format", "json", "-n", "150"],
            ["tail", "--json", "-n", "900"],
            ["stats", "--json"],
            ["stats", "--json", "-n", "120"],
            ["show", "q:%(id)d", "--json"]]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.broker.conn("worker") as c:
            c.create("q")
            for i in range(200):
                cls.ident = c.publish("q", json.dumps(
                    {"method": "VDI.m%d" % (i % 3), "text": "\u00e4\n\"%d" % i}))
                c.poll(["q"], frm=cls.ident - 1)
                if i % 2:
                    c.ack("q", cls.ident)
            cls.ident = c.publish("q", "the last one")
        cls.rest()

    @classmethod
    def rest(cls):
        """Nothing happens any more: who was there is seen to be gone."""
        until(lambda: not any(c["token"] for c in cls.broker.clients()),
              "all have left")

    def lists(self, folder):
        """What each command says, reading the recorder of that folder if it
        can; ages aside."""
        said = []
        for words in self.LONG:
            words = [w % {"id": self.ident} if "%(" in w else w for w in words]
            lines = self.x(*words, env={"XMSG_STATE": folder}).lines()
            rows = [json.loads(line) for line in lines]
            for r in rows:
                r.pop("age_s", None)
            said.append(rows)
        return said

    def copy(self):
        folder = tempfile.mkdtemp(dir=self.folder.name)
        shutil.copy(self.broker.state + "/recorder.ring", folder)
        return folder

    def test_the_same_is_said(self):
        nowhere = self.folder.name + "/nowhere"
        by_broker, by_file = self.lists(nowhere), self.lists(self.broker.state)
        for words, a, b in zip(self.LONG, by_broker, by_file):
            self.assertGreater(len(a), 0)
            self.assertEqual(a, b, words)

    def test_the_file_is_read(self):
        """One event of a copy is damaged, and missed."""
        folder = self.copy()
        with open(folder + "/recorder.ring", "r+b") as f:
            f.seek(f.read().index(b"VDI.m0"))
            f.write(b"VDI.m9")
        calls = [sum(r["calls"] for r in self.lists(of)[2])
                 for of in (folder, self.broker.state)]
        self.assertEqual(calls[0], calls[1] - 1)

    def test_that_of_another_broker_is_not(self):
        other = Broker()
        self.addCleanup(other.remove)
        with other.conn("somebody") as c:
            c.create("other")
            for _ in range(300):
                c.publish("other", "x")
        self.assertEqual(self.lists(other.state),
                         self.lists(self.broker.state))

    def test_an_older_copy_is_not(self):
        """The file ends before the last event."""
        folder = self.copy()
        with self.broker.conn("late") as c:
            c.create("late")
        self.rest()
        self.assertEqual(self.lists(folder), self.lists(self.broker.state))


if __name__ == "__main__":
    main()
