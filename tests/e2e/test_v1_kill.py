# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""kill -9 at the system calls of operators' acts.

A script cancels, deletes, purges, pauses and restores; the broker ends itself
(tests/support/killat.c) before its N-th system call.  Then, whatever N:

 - each request is in its queue or among the removed, in one of them;
 - it has at most one reply; one that was cancelled or purged has its failure, one
   that was never removed, or deleted without a word, has none;
 - what the operator was told has happened, and stays;
 - what is in the queue has all its bytes.

XMSG_FULL=1 runs every N; otherwise they are spread evenly.
"""
import base64
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, Closed, killat  # noqa: E402

FULL = bool(os.environ.get("XMSG_FULL"))
POINTS = 40
GONE = (Closed, ConnectionError, FileNotFoundError)


class Script:
    """The acts, and what the operator was told of each."""

    def __init__(self, broker):
        self.broker = broker
        self.told = {}      # id: "queue" or "removed"
        self.touched = set()  # ids that were ever to be removed
        self.paused = None
        with broker.conn("setup") as c:
            c.create("svc")
            c.create("caller")
            self.sent = {}
            for n in range(40):
                payload = '{"method":"m","id":%d,"x":"%s"}' % (n, "x" * 3000)
                self.sent[c.publish("svc", payload, "caller")] = payload
        self.ids = sorted(self.sent)

    def act(self, where, target, ids, method="POST", **body):
        """One act: forget what was known of these, ask, note what was told."""
        for i in ids:
            self.told.pop(i, None)
            self.touched.add(i)
        status, got = self.c.v1(target, method,
                                json.dumps(body) if body else None)
        if status != 200:
            raise AssertionError("%s: %r" % (target, got))
        for i in ids:
            self.told[i] = where
        return got

    def run(self):
        base = "/queues/svc/messages/%d"
        ids = self.ids
        with self.broker.conn() as self.c:
            for i in ids[:4]:
                self.act("removed", base % i + "/cancel", [i])
            self.act("removed", base % ids[4], [ids[4]], "DELETE")
            self.paused = None
            self.act(None, "/queues/svc/pause", [])
            self.paused = True
            done = self.act("removed", "/queues/svc/purge", ids[5:15],
                            limit=10)
            self.act("queue", "/removed/restore", ids[5:15],
                     act=done["act"])
            self.act("queue", "/removed/%d/restore" % ids[0], [ids[0]])
            self.act("removed", "/queues/svc/purge",
                     [ids[0]] + ids[5:])
            self.paused = None
            self.act(None, "/queues/svc/resume", [])
            self.paused = False
            self.act("queue", "/removed/restore", ids, queue="svc")


class Kill(tap.Case):
    def broker(self, **env):
        b = Broker(start=False)
        self.addCleanup(b.remove)
        b.env.update(killat(), XMSG_KILL_FROM=b.folder + "/now", **env)
        b.start()
        return b

    def begin(self, broker):
        script = Script(broker)
        with open(broker.folder + "/now", "w"):
            return script

    def calls(self):
        """How many there are."""
        b = Broker(start=False)
        self.addCleanup(b.remove)
        count = b.folder + "/count"
        b.env.update(killat(), XMSG_KILL_FROM=b.folder + "/now",
                     XMSG_KILL_COUNT=count)
        b.start()
        self.begin(b).run()
        b.kill()
        with open(count) as f:
            return len(f.readlines())

    def everything(self, c, path, field):
        out, after = [], -1
        while after is not None:
            got = c.v1("%slimit=1000&after=%d" % (path, after))[1]
            out += got[field]
            after = got["next"]
        return out

    def judge(self, script, c, n):
        where = {m["id"]: "queue" for m in self.everything(
            c, "/queues/svc/messages?", "messages")}
        why = {}
        for m in self.everything(c, "/removed?", "removed"):
            self.assertNotIn(m["id"], where, "in both, call %d" % n)
            where[m["id"]], why[m["id"]] = "removed", m["why"]
        self.assertEqual(sorted(where), script.ids, "call %d" % n)
        replies = {}
        for m in self.everything(c, "/queues/caller/messages?", "messages"):
            replies.setdefault(m["request"]["id"], []).append(m["id"])
        for i in script.ids:
            text = "call %d, id %d, %s" % (n, i, where[i])
            self.assertEqual(where[i], script.told.get(i, where[i]), text)
            had = len(replies.get(i, ()))
            self.assertLessEqual(had, 1, text)
            if why.get(i) in ("cancelled", "purged"):
                self.assertEqual(had, 1, text)
            if why.get(i) == "deleted" or i not in script.touched:
                self.assertEqual(had, 0, text)
            if where[i] == "queue":
                raw = c.v1("/queues/svc/messages/%d?payload=raw" % i)[1]
                self.assertEqual(base64.b64decode(
                    raw["payload_base64"]).decode(), script.sent[i], text)
        if script.paused is not None:
            self.assertEqual(c.v1("/queues/svc")[1]["paused"], script.paused)

    def test_every_call(self):
        calls = self.calls()
        self.assertGreater(calls, 30)
        step = 1 if FULL else max(1, calls // POINTS)
        ended = 0
        for n in range(1, calls + 1, step):
            b = self.broker(XMSG_KILL_AT=str(n))
            script = self.begin(b)
            try:
                script.run()
            except GONE:
                ended += 1
            if b.process.poll() is None:
                b.kill()
            b.env.pop("XMSG_KILL_AT")
            for _ in range(2):  # and what it finds stays so
                b.start()
                with b.conn() as c:
                    self.judge(script, c, n)
                b.kill()
            b.remove()
        print("# %d of %d calls, %d kills" % (len(range(1, calls + 1, step)),
                                              calls, ended))
        self.assertGreater(ended, POINTS // 2)


tap.main()
