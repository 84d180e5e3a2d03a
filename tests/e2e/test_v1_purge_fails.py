# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""A purge that comes to a bad end in the middle: the broker is killed, or a sync
fails and it ends itself.  What is gone is gone whole and can be put back, what
is left is left; after the undo all is as it was, byte for byte, in order."""
import json
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, Closed, killat, post  # noqa: E402

MESSAGES = 1500  # a purge takes them in pages of 256


class Fails(tap.Case):
    def logged(self):
        return self.broker.read_log()

    def filled(self, **how):
        """A broker with a queue of messages; its ends begin with the purge."""
        self.broker = Broker(start=False)
        self.addCleanup(self.broker.remove)
        self.go = os.path.join(self.broker.folder, "go")
        env = killat()
        env["XMSG_KILL_FROM"] = self.go
        env.update({k: str(v) for k, v in how.items()})
        self.broker.start(env=env)
        with self.broker.conn("caller") as c:
            c.create("svc")
            for at in range(0, MESSAGES, 100):
                c.send(*[post("/request/svc/gone", b"\x00\xff %d" % i)
                         for i in range(at, at + 100)])
                for _ in range(100):
                    self.assertEqual(c.reply().status, 200)
        return self.broker.rows()

    def purge(self):
        """Its answer, or None when there was none."""
        open(self.go, "w").close()
        with self.broker.conn() as c:
            try:
                return c.v1("/queues/svc/purge", "POST")
            except (Closed, ConnectionError):
                return None

    def removed(self, c):
        out, after = [], -1
        while after is not None:
            got = c.v1("/removed?limit=1000&after=%d" % after)[1]
            out += got["removed"]
            after = got["next"]
        return out

    def put_back(self, before):
        """Start it again, look, undo, look again; how many were gone."""
        self.broker.wait()
        self.broker.start()
        with self.broker.conn() as c:
            removed = self.removed(c)
            gone = [m["id"] for m in removed]
            left = [r[0] for r in self.broker.rows()]
            self.assertEqual(sorted(gone + left), [r[0] for r in before])
            if gone:
                act, = {m["act"] for m in removed}
                done = c.v1("/removed/restore", "POST",
                            json.dumps({"act": act}))
                self.assertEqual(done, (200, {
                    "messages": len(gone), "failed": 0, "complete": True}))
            self.assertEqual(self.broker.rows(), before)
            self.assertEqual(self.removed(c), [])
        with self.broker.conn("consumer") as c:
            got, after = [], -1
            while True:
                more, after = c.poll(["svc"], frm=after)
                if not more:
                    break
                got += [m[1] for m in more]
            self.assertEqual(got, [r[0] for r in before])
        return len(gone)

    def counted(self):
        """How many system calls a purge makes that end well."""
        folder = os.path.join(self.folder, "count")
        self.filled(XMSG_KILL_COUNT=folder)
        status, got = self.purge()
        self.assertEqual((status, got["messages"]), (200, MESSAGES))
        with open(folder) as f:
            return len(f.readlines())

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="xmsg-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_killed(self):
        """Killed early, in the middle, late.  How many calls a purge makes
        depends on what the loop finds to do in one turn: where there were too
        few of them to come to the kill, it has to have been done whole."""
        calls = self.counted()
        self.assertGreater(calls, 8)
        kills = in_part = 0
        for part in (1, 2, 3, 4, 5, 6, 7):
            before = self.filled(XMSG_KILL_AT=max(1, calls * part // 8))
            got = self.purge()
            if got is None:
                kills += 1
                in_part += 0 < self.put_back(before) < MESSAGES
            else:
                self.assertEqual((got[0], got[1]["messages"]), (200, MESSAGES))
        self.assertGreater(kills, 2, "of %d calls" % calls)
        self.assertGreater(in_part, 0, "no kill came in the middle")

    def test_a_sync_fails(self):
        """The disk says no to one of the pages: nothing after it is done."""
        in_part = 0
        for sync in (1, 3, 5):
            before = self.filled(XMSG_FAIL_SYNC=sync)
            got = self.purge()
            if got is not None:  # it was told how far it came
                self.assertFalse(got[0] == 200 and got[1]["complete"], got)
            in_part += 0 < self.put_back(before) < MESSAGES
        self.assertGreater(in_part, 0, "no failure came in the middle")


if __name__ == "__main__":
    tap.main()
