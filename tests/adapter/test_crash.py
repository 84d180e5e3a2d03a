# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""kill -9 of the adapter, of the broker, of both, at random moments under 32
calls whose scripts write down each of their runs.

Whatever was killed when: each script of each call ran exactly once, to its end;
each caller has exactly one answer, the right one; nothing is left running and
nothing in the spool.

100 kills of each; 1,000 with XMSG_FULL=1.  XMSG_SEED chooses the moments.
"""
import collections
import json
import os
import random
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (FULL, SEED, Adapter, dump, out,  # noqa: E402
                     outkey, request, step, success, until, volume)
import tap  # noqa: E402
from calls_table import BACKEND, HANDLE, SR, asked  # noqa: E402

CALLS = 32  # at a time
KILLS = 1000 if FULL else 100
PAUSE = 0.25  # longest time between kills, seconds


def stat_call(key):
    """(method, parameters, runs of scripts)"""
    return "VDI.stat", {"vdi": key}, [("volume.stat", key)]


def attach_call(key):
    return ("VDI.attach3", {"vdi": key, "dp": key, "vm": "1",
                            "read_write": True},
            [("volume.stat", key), ("datapath.attach", "dpx:///" + key)])


def snapshot_call(key):
    new = key + "s"
    return ("VDI.snapshot", {"vdi_info": asked(vdi=key)},
            [("volume.snapshot", key)] +
            [("volume.set", new + " " + k) for k in (
                "snapshot_time", "is_a_snapshot", "snapshot_of",
                "content_id", "vdi-type")])


KINDS = [stat_call, stat_call, attach_call, snapshot_call]


def who(run):
    """What makes a run of a script the only one of its kind."""
    p = json.loads(run["stdin"])
    if "uri" in p:
        return run["script"], p["uri"]
    return run["script"], p["key"] + (" " + p["k"] if "k" in p else "")


class Load:
    """32 calls under way, each of them unlike all others."""

    def __init__(self, adapter, plugin, seed):
        self.adapter, self.plugin = adapter, plugin
        self.rng = random.Random(seed)
        self.caller = adapter.caller(patience=60)
        self.open = {}   # id: key
        self.asked = []  # (id, key, method, runs)
        self.mark = adapter.mark()

    def fill(self):
        while len(self.open) < CALLS:
            key = "n%d" % len(self.asked)
            method, params, runs = self.rng.choice(KINDS)(key)
            ident = self.caller.send(self.plugin.name, request(
                method, dict(params, sr=SR)))
            self.open[ident] = key
            self.asked.append((ident, key, method, runs))

    def take(self, seconds):
        self.caller.collect(seconds)
        for ident in [i for i in self.open if i in self.caller.seen]:
            del self.open[ident]

    def spin(self, seconds):
        """Keep it going for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.fill()
            self.take(min(0.02, max(0.0, end - time.monotonic())))

    def finish(self, patience=30):
        end = time.monotonic() + patience
        while self.open:
            self.adapter.check()
            if time.monotonic() > end:
                raise AssertionError("no answer to %s" % sorted(
                    self.open.items()))
            self.take(0.2)
        self.take(0.0)

    # ---- what must hold ----

    def right(self, key, method, reply):
        got = json.loads(reply)
        if got["error"] is not None:
            return False
        result = got["result"]
        if method == "VDI.attach3":
            return result == BACKEND
        return result["vdi"] == key + ("s" if method == "VDI.snapshot"
                                       else "")

    def wrong(self):
        """All that is not as it must be."""
        found = []
        for ident, key, method, _ in self.asked:
            replies = list(self.caller.seen[ident].values())
            if len(replies) != 1:
                found.append("%s %s: %d replies" % (method, key,
                                                    len(replies)))
            if not self.right(key, method, replies[0]):
                found.append("%s %s: %s" % (method, key, replies[0][:300]))
        lines = self.adapter.lines(self.mark)
        ran = collections.Counter(
            who(l) for l in lines
            if "script" in l and l["script"] != "plugin.query")
        for one, n in ran.items():
            if n != 1:
                found.append("%s ran %d times" % (one, n))
        for _, _, _, runs in self.asked:
            found += ["%s never ran" % (r,) for r in runs if r not in ran]
        ended = sum(l.get("note") == "done" for l in lines)
        if ended != sum(ran.values()):
            found.append("%d runs, %d of them ended" % (sum(ran.values()),
                                                        ended))
        return found


class Crash(tap.Case):
    def setUp(self):
        # whoever kills here is not a message: no poison
        self.adapter = Adapter(start=False, level="info", broker_options=[
            "--set", "limits.poison=0"])
        self.addCleanup(self.adapter.remove)
        self.plugin = self.adapter.volume()
        dpx = self.adapter.datapath()
        done = step("note", "done")
        self.plugin.usual("Volume.stat", step("sleep", 20), outkey(
            volume("@KEY@", uri=["dpx:///@KEY@"])), done)
        self.plugin.usual("Volume.snapshot", step("sleep", 40), outkey(
            volume("@KEY@s")), done)
        self.plugin.usual("Volume.set", out(None), done)
        dpx.usual("Datapath.attach", step("sleep", 5), out(BACKEND), done)
        self.adapter.start()
        self.adapter.ready(self.plugin)
        self.adapter.attach(self.plugin)
        self.load = Load(self.adapter, self.plugin, SEED)

    def logged(self):
        return self.adapter.read_log()[-3000:]

    def adapter_dies(self):
        self.adapter.kill()
        self.adapter.spawn()

    def broker_dies(self):
        self.adapter.broker.kill()
        self.adapter.broker.spawn()

    def kill_all(self, *ways):
        """KILLS times, in one of these ways; then all must be right."""
        rng = random.Random(SEED)
        self.load.spin(0.2)
        for _ in range(KILLS):
            rng.choice(ways)()
            self.load.spin(rng.uniform(0, PAUSE))
        self.adapter.broker.ready()
        self.adapter.ready(self.plugin)
        self.load.fill()
        self.finished()

    def finished(self):
        self.load.finish()
        self.adapter.until_quiet()
        wrong = self.load.wrong()
        self.assertEqual(wrong, [], "%d of %d" % (len(wrong),
                                                  len(self.load.asked)))
        until(lambda: self.adapter.broker.queue(
            self.plugin.name)["messages"] == 0, "all is acknowledged")
        print("# %d calls" % len(self.load.asked))

    def spool_is_empty(self):
        """No files of calls stay behind."""
        def rest():
            return [os.path.join(d, n)
                    for d, _, names in os.walk(self.adapter.state)
                    for n in names if "spool" in d]
        until(lambda: not rest(), "the spool is empty", patience=60)

    def test_spool(self):
        """What a killed adapter could not tidy up goes later."""
        for _ in range(10):
            self.load.spin(0.1)
            self.adapter_dies()
            self.adapter.ready(self.plugin)
        self.finished()
        self.spool_is_empty()

    def test_adapter(self):
        self.kill_all(self.adapter_dies)

    def test_broker(self):
        self.kill_all(self.broker_dies)

    def test_both(self):
        def both():
            self.adapter.broker.kill()
            self.adapter_dies()
            self.adapter.broker.spawn()
        self.kill_all(self.adapter_dies, self.broker_dies, both)

    def test_term(self):
        """A clean end: status 0, soon; scripts go on and are taken up."""
        self.plugin.usual("Volume.stat", step("sleep", 1500), outkey(
            volume("@KEY@", uri=["dpx:///@KEY@"])), step("note", "done"))
        for n in range(5):
            self.load.fill()
            until(lambda: self.adapter.processes(), "scripts run")
            self.load.spin(0.05)
            began = time.monotonic()
            self.assertEqual(self.adapter.stop(), 0)
            self.assertLess(time.monotonic() - began, 1.0)
            self.assertTrue(self.adapter.processes(), "scripts go on")
            self.adapter.start()
        self.adapter.ready(self.plugin)
        self.finished()

    def test_finished_meanwhile(self):
        """Scripts that end while no adapter is there: their output counts."""
        self.load.fill()
        until(lambda: len(self.adapter.runs(self.load.mark)) >= CALLS,
              "all run")
        self.adapter.kill()
        self.adapter.until_quiet()
        self.adapter.start()
        self.finished()

    def test_broker_away_for_long(self):
        """Replies wait for the broker; then they are there soon."""
        self.load.fill()
        until(lambda: len(self.adapter.runs(self.load.mark)) >= CALLS,
              "all run")
        self.adapter.broker.kill()
        until(lambda: not any(b"Volume." in c
                              for _, c in self.adapter.processes()),
              "scripts have ended")
        self.adapter.broker.start()
        began = time.monotonic()
        until(lambda: self.plugin.name in self.adapter.alive(),
              "served again")
        print("# served %.0f ms after the broker was back" % (
            1000 * (time.monotonic() - began)))
        self.assertLess(time.monotonic() - began, 3)
        self.finished()

    def test_cursor(self):
        """The broker is away and back many times: nothing leaks."""
        self.load.spin(0.2)
        fds = self.adapter.fds()
        for _ in range(10):
            self.adapter.broker.kill()
            self.adapter.broker.start()
            until(lambda: self.plugin.name in self.adapter.alive(), "served")
        self.finished()
        until(lambda: self.adapter.fds() <= fds, "descriptors are as before")


class Attached(tap.Case):
    """What is attached survives."""

    def setUp(self):
        self.adapter = Adapter(start=False)
        self.addCleanup(self.adapter.remove)
        self.plugin = self.adapter.volume()
        self.adapter.start()
        self.adapter.ready(self.plugin)

    def logged(self):
        return self.adapter.read_log()[-3000:]

    def listed(self):
        return sorted(json.loads(self.adapter.call(
            self.plugin, "SR.list"))["result"])

    def test_list_after_restart(self):
        for n in range(5):
            self.adapter.attach(self.plugin, "sr%d" % n, "handle %d" % n)
        self.plugin.usual("SR.detach", out(None))
        self.assertEqual(self.adapter.call(self.plugin, "SR.detach",
                                           sr="sr2"), success())
        left = ["sr0", "sr1", "sr3", "sr4"]
        self.assertEqual(self.listed(), left)
        for how in (self.adapter.kill, self.adapter.stop):
            how()
            self.adapter.start()
            self.adapter.ready(self.plugin)
            self.assertEqual(self.listed(), left)
        mark = self.adapter.mark()
        self.plugin.usual("Volume.stat", outkey(volume("@KEY@")))
        self.adapter.call(self.plugin, "VDI.stat", sr="sr3", vdi="k")
        self.assertEqual(json.loads(self.adapter.runs(mark)[0]["stdin"]), {
            "sr": "handle 3", "key": "k", "dbg": "D"})

    def test_corrupt_state(self):
        """Set aside, said, survived."""
        self.adapter.attach(self.plugin)
        self.adapter.stop()
        spoilt = []
        for name in os.listdir(self.adapter.state):
            path = os.path.join(self.adapter.state, name)
            if ".db" in name and os.path.isfile(path):
                with open(path, "r+b") as f:
                    f.write(b"no database at all " * 100)
                spoilt.append(name)
        self.assertTrue(spoilt)
        self.adapter.start()
        self.adapter.ready(self.plugin)
        self.assertEqual(self.listed(), [])
        self.assertRegex(self.adapter.read_log(),
                         "(?i)(corrupt|damaged|malformed|not a database)")
        kept = [n for n in os.listdir(self.adapter.state)
                if n not in spoilt]
        self.assertTrue(any(open(os.path.join(self.adapter.state, n),
                                 "rb").read(18) == b"no database at all"
                            for n in kept if os.path.isfile(
                                os.path.join(self.adapter.state, n))),
                        "the damaged file is kept: %s" % kept)
        self.adapter.attach(self.plugin)
        self.assertEqual(self.listed(), [SR])

    def test_saved_before_the_reply(self):
        """Killed the moment the answer is there."""
        for n in range(20):
            name = "sr%02d" % n
            self.adapter.attach(self.plugin, name)
            self.adapter.kill()
            self.adapter.start()
            self.adapter.ready(self.plugin)
            self.assertIn(name, self.listed())


class Repeated(tap.Case):
    """A call that is gone through again sees what it saw the first time."""

    def setUp(self):
        self.adapter = Adapter(start=False)
        self.addCleanup(self.adapter.remove)
        self.plugin = self.adapter.volume()
        self.adapter.start()
        self.adapter.ready(self.plugin)
        self.adapter.attach(self.plugin)
        self.gate = os.path.join(self.adapter.base, "gate")

    def logged(self):
        return self.adapter.read_log()[-3000:]

    def test_forgotten_before_the_reply(self):
        """SR.destroy forgets the SR; then adapter dies before the switch could
        take the reply.  The repetition must not find that there is no SR."""
        self.plugin.usual("SR.destroy", step("await", self.gate), out(None))
        mark = self.adapter.mark()
        with self.adapter.caller() as c:
            ident = c.send(self.plugin.name, request("SR.destroy", {"sr": SR}))
            until(lambda: self.adapter.runs(mark), "the script runs")
            self.adapter.broker.signal(signal.SIGSTOP)
            open(self.gate, "w").close()
            until(lambda: self.adapter.attached() == [], "the SR is forgotten")
            self.adapter.kill()
            self.adapter.broker.signal(signal.SIGCONT)
            self.adapter.start()
            self.assertEqual(c.reply(ident), success())
        self.assertEqual([r["script"] for r in self.adapter.runs(mark)],
                         ["sr.destroy"])

    def test_the_time_of_a_snapshot(self):
        """It was set before the adapter died, and the reply after that says
        the same time."""
        self.plugin.usual("Volume.snapshot", outkey(volume("@KEY@s")))
        self.plugin.usual("Volume.set", out(None), step("await", self.gate))
        mark = self.adapter.mark()
        with self.adapter.caller() as c:
            ident = c.send(self.plugin.name, request("VDI.snapshot", {
                "sr": SR, "vdi_info": asked(vdi="k1")}))

            def setting():
                return [json.loads(r["stdin"]) for r in self.adapter.runs(mark)
                        if r["script"] == "volume.set"]
            until(setting, "the time is set")
            first = setting()[0]
            self.assertEqual(first["k"], "snapshot_time")
            self.adapter.kill()
            until(lambda: time.strftime("%Y%m%dT%H:%M:%SZ", time.gmtime()) >
                  first["v"], "a second passes")
            open(self.gate, "w").close()
            self.adapter.start()
            reply = json.loads(c.reply(ident))
        self.assertEqual(reply["result"]["snapshot_time"], first["v"])
        self.assertEqual([s["k"] for s in setting()].count("snapshot_time"), 1)


class Reboot(tap.Case):
    """The machine was restarted: nothing of the old runs is there but their
    records, and no SR is attached.  Faked by another boot id, bound over the
    kernel's, for the adapter alone."""
    BOOT = "/proc/sys/kernel/random/boot_id"

    def setUp(self):
        self.adapter = Adapter(start=False)
        self.addCleanup(self.adapter.remove)
        self.plugin = self.adapter.volume()
        self.boot = os.path.join(self.adapter.base, "boot_id")
        with open(self.boot, "w") as f:
            f.write("11111111-2222-3333-4444-555555555555\n")
        self.prefix = ["unshare", "--mount", "sh", "-c",
                       'mount --bind "$0" %s && exec "$@"' % self.BOOT,
                       self.boot]
        if os.system("unshare --mount sh -c 'mount --bind %s %s' "
                     "2>/dev/null" % (self.boot, self.BOOT)) != 0:
            self.skipTest("needs root and mount namespaces")
        self.adapter.start()
        self.adapter.ready(self.plugin)

    def logged(self):
        return self.adapter.read_log()[-3000:]

    def rebooted(self, method, **params):
        """The reply to a call that was under way when the machine died."""
        mark = self.adapter.mark()
        with self.adapter.caller() as c:
            ident = c.send(self.plugin.name, request(
                method, dict(params, sr=HANDLE)))
            until(lambda: self.adapter.runs(mark), "the script runs")
            self.adapter.kill()
            for pid, _ in self.adapter.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.adapter.until_quiet()
            for script in ("Volume.stat", "Volume.snapshot"):
                self.plugin.usual(script, outkey(volume("@KEY@")))
            self.adapter.start(command=self.prefix + self.adapter.command())
            reply = c.reply(ident)
        return json.loads(reply), [
            r["script"] for r in self.adapter.runs(mark)]

    def test_idempotent(self):
        """It is run again."""
        self.plugin.usual("Volume.stat", step("sleep", 60000))
        reply, ran = self.rebooted("smapiv3.Volume.stat", key="k1")
        self.assertIsNone(reply["error"])
        self.assertEqual(ran, ["volume.stat"] * 2)

    def test_not_idempotent(self):
        """It is not run again: its outcome is not known."""
        self.plugin.usual("Volume.snapshot", step("sleep", 60000))
        reply, ran = self.rebooted("smapiv3.Volume.snapshot", key="k1")
        self.assertEqual(ran, ["volume.snapshot"])
        self.assertRegex(dump(reply["error"]), "(?i)unknown|interrupted")

    def test_attached(self):
        """Nothing is, as with the original: the toolstack plugs again."""
        self.adapter.attach(self.plugin)
        self.adapter.stop()
        self.adapter.start(command=self.prefix + self.adapter.command())
        self.adapter.ready(self.plugin)
        self.assertEqual(self.adapter.call(self.plugin, "SR.list"),
                         success([]))


if __name__ == "__main__":
    tap.main()
