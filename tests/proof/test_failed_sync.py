#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""A sync that fails, each one of a run in turn (promise R10): the real broker
says of the change that it may be done, acknowledges nothing more, although every
later sync would succeed, and ends with 74.  The next start finds all that was
acknowledged."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, Closed, get, killat, post  # noqa: E402

MOST = 100  # syncs in the script: fewer


class Sync(tap.Case):
    def run_once(self, n, slow):
        """The script with the n-th sync failing; False: there is none."""
        b = Broker(start=False)
        self.addCleanup(b.remove)
        env = dict(killat(), XMSG_KILL_FROM=b.folder + "/now",
                   XMSG_FAIL_SYNC=str(n))
        if slow:  # then the writer thread commits, not the loop
            env["XMSG_SLOW_SYNC_MS"] = "3"
        b.start(env=env)
        with b.conn("t") as c:
            c.create("q")
        open(b.folder + "/now", "w").close()
        there, unsure, failed = [], None, False
        with b.conn("t") as c:
            for i in range(14):
                ack = i % 3 == 2 and there
                what = (get("/ack/q/%d" % there[0]) if ack
                        else post("/request/q/r", "x%d" % i))
                try:
                    r = c.ask(what)
                except (Closed, OSError):
                    self.assertTrue(failed)
                    break
                if failed:
                    self.assertNotEqual(r.status, 200)
                elif r.status == 200:
                    if ack:
                        there.pop(0)
                    else:
                        there.append(r.json()[0][1])
                else:
                    self.assertEqual((r.status, r.json()["error"]["code"]),
                                     (503, "unknown"))
                    failed, unsure = True, there[0] if ack else "x%d" % i
        if not failed:
            b.stop()
            return False
        self.assertEqual(b.wait(), 74)
        b.env = dict(os.environ)
        b.start(env={})
        with b.conn("t") as c:
            got = [(m[1], m[2]) for m in c.poll(["q"], frm=-1)[0]]
        ids = [i for i, text in got if text != unsure]
        self.assertIn(ids, [there, [i for i in there if i != unsure]])
        b.remove()
        return True

    def test_each_sync(self):
        for slow in (False, True):
            n = 1
            while n < MOST and self.run_once(n, slow):
                n += 1
            print("# %d syncs failed one after the other%s" %
                  (n - 1, ", by the thread" if slow else ""))
            self.assertGreater(n, 12)
            self.assertLess(n, MOST)


tap.main()
