# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Every system call of the adapter fails in turn, in each way that it can.

It is started, asked some calls as xapi asks them, and stopped.  Whatever failed:
each call has one reply, if need be from an adapter that is started anew; a reply
that says yes is right, and each of its scripts ran once; with one that says no,
none ran more often; what is attached is what was said; the adapter ended, if it
did, with a status of its manual and a line that says why; it was never stuck, and
never busy with nothing; and the next one finds nothing left behind.
"""
import collections
import json
import os
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "adapter"))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402
from broker import Ended, until  # noqa: E402
from calls_table import BACKEND, asked  # noqa: E402
from fault import (KINDS, SEED, each, errors, fault, names,  # noqa: E402
                   tally, until_quiet)
from support import (Adapter, out, outkey, request, sr_stat,  # noqa: E402
                     volume)

POINTS = 8  # of each kind, in a sample
ENDS = {0, 71, 73, 74, 78}  # and their meaning: xmsg-storaged(8)
CALLS = [  # method, parameters, runs
    ("SR.attach", {"device_config": {}}, ["sr.attach", "sr.stat"]),
    ("VDI.stat", {"vdi": "k"}, ["volume.stat"]),
    ("VDI.snapshot", {"vdi_info": asked(vdi="k")},
     ["volume.snapshot"] + ["volume.set"] * 5),
    ("VDI.attach3", {"vdi": "k", "dp": "d", "vm": "1", "read_write": True},
     ["volume.stat", "datapath.attach"]),
    ("SR.detach", {}, ["sr.detach"]),
]
UNDO = {"SR.attach": {"sr.detach": 1}, "VDI.snapshot": {"volume.destroy": 1},
        "VDI.attach3": {"datapath.detach": 1}}


# A run whose record cannot be read is lost: what may be repeated is, once.
AGAIN = ["sr.attach", "sr.detach", "sr.stat", "volume.stat", "datapath.attach"]


class Session:
    """The calls one after the other, over the life of several adapters."""

    def __init__(self, adapter, plugin, sr, lossy=False):
        self.adapter, self.plugin, self.sr = adapter, plugin, sr
        self.caller = adapter.caller()
        self.next = 0       # of CALLS
        self.ident = None   # of the one under way
        self.errors = 0
        self.attached = False
        self.again = collections.Counter(AGAIN if lossy else [])

    def one(self):
        """Send the next call, or go on waiting for it; then look at it."""
        method, params, runs = CALLS[self.next]
        if self.ident is None:
            self.mark = self.adapter.mark()
            self.ident = self.caller.send(self.plugin.name, request(
                method, dict(params, sr=self.sr)))

        def over():
            self.adapter.check()
            self.caller.collect(0.02)
            return self.ident in self.caller.seen
        until(over, "a reply to %s" % method)
        reply = json.loads(self.caller.reply(self.ident))
        ran = collections.Counter(
            r["script"] for r in self.adapter.runs(self.mark)
            if r["script"] != "plugin.query")
        want = collections.Counter(runs)
        if reply["error"] is None:
            if method == "SR.detach" and not self.attached:
                want.clear()  # there is nothing to do
            if want - ran or ran - want - self.again:
                raise AssertionError("%s: ran %s" % (method, dict(ran)))
            self.right(method, reply["result"])
        else:
            self.errors += 1
            if ran - want - self.again - collections.Counter(UNDO.get(method)):
                raise AssertionError("%s failed: ran %s" % (method, dict(ran)))
        self.next += 1
        self.ident = None

    def right(self, method, result):
        if method in ("SR.attach", "SR.detach"):
            self.attached = method == "SR.attach"
            if (self.sr in self.adapter.attached()) != self.attached:
                raise AssertionError("%s: the state says no" % method)
        elif method == "VDI.attach3":
            if result != BACKEND:
                raise AssertionError("%s: %s" % (method, result))
        elif result["vdi"] != ("ks" if method == "VDI.snapshot" else "k"):
            raise AssertionError("%s: %s" % (method, result))

    def go(self):
        """All of them; raises Ended when the adapter has."""
        while self.next < len(CALLS):
            self.one()


class Fault(tap.Case):
    def setUp(self):
        # who ends here is no message's fault: no poison
        self.adapter = Adapter(start=False,
                               level="info", broker_options=[
                                   "--set", "limits.poison=0"])
        self.addCleanup(self.adapter.remove)
        self.plugin = p = self.adapter.volume()
        dpx = self.adapter.datapath()
        p.usual("SR.attach", out("handle"))
        p.usual("SR.stat", out(sr_stat("handle")))
        p.usual("SR.detach", out(None))
        p.usual("Volume.stat", outkey(volume("@KEY@", uri=["dpx:///@KEY@"])))
        p.usual("Volume.snapshot", outkey(volume("@KEY@s")))
        p.usual("Volume.set", out(None))
        dpx.usual("Datapath.attach", out(BACKEND))

    def life(self, session, env):
        """An adapter with failures: how it ended."""
        self.adapter.spawn(env=env)
        try:
            self.adapter.ready(self.plugin)
            session.go()
            until_quiet(self.adapter.process.pid)
            return self.adapter.stop()
        except Ended:
            return self.adapter.process.returncode

    def calls(self, kind):
        """The names of the calls of an undisturbed life, in order."""
        # not where the adapter watches
        count = os.path.join(self.adapter.broker.folder, "count")
        session = Session(self.adapter, self.plugin, "none")
        self.assertEqual(self.life(session, fault(
            kind, IN="xmsg-storaged", COUNT=count)), 0, self.logged())
        self.assertEqual((session.next, session.errors), (len(CALLS), 0))
        return names(count)

    def logged(self):
        return self.adapter.read_log()[-4000:]

    def spool_is_empty(self):
        return not any(os.path.isfile(os.path.join(d, n))
                       for d, _, files in os.walk(os.path.join(
                           self.adapter.state, "spool")) for n in files)

    def point(self, kind, at, length):
        session = Session(self.adapter, self.plugin, "%s-%d" % (kind, at),
                          kind == "EIO")
        open(self.adapter.log, "w").close()
        try:
            status = self.life(session, fault(kind, at, length,
                                              IN="xmsg-storaged"))
            if status not in ENDS:
                raise AssertionError("status %d" % status)
            if status != 0 and not errors(self.logged()):
                raise AssertionError("status %d without a word" % status)
            self.adapter.start()
            self.adapter.ready(self.plugin)
            session.go()
            self.adapter.until_quiet()
            until(self.spool_is_empty, "the spool is empty")
            return status, session.errors
        except Exception as e:
            raise AssertionError("call %d: %s: %s; log: %s" % (
                session.next, type(e).__name__, e, self.logged()))
        finally:
            session.caller.close()
            self.adapter.kill()

    @tap.table([(k, k) for k in KINDS + ["ENOMEM"]])
    def each_call(self, kind):
        began = time.monotonic()
        calls = self.calls(kind)
        self.assertGreater(len(calls), 10)
        good, bad = each(calls, POINTS,
                         lambda at, length: self.point(kind, at, length))
        print("# %s: %d of %d calls in %.1f s: ended %s; %d calls of %d "
              "answered no; seed %d" % (
                  kind, len(good) + len(bad), len(calls),
                  time.monotonic() - began, tally(g[0] for g in good),
                  sum(g[1] for g in good), len(good) * len(CALLS), SEED))
        if bad:
            self.fail("\n".join(bad))


if __name__ == "__main__":
    tap.main()
