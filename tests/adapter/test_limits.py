# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Who waits for whom, and how a call is ended from outside."""
import json
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (Adapter, failure, out, outkey, request,  # noqa: E402
                     step, success, until, volume)
import tap  # noqa: E402

SIGTERM = 15


class Limited(tap.Case):
    """An adapter with such settings, and plugins with some SRs."""

    def begin(self, *settings, plugins=("staged",), srs=("a", "b")):
        self.adapter = Adapter(*settings, start=False)
        self.addCleanup(self.adapter.remove)
        self.plugins = [self.adapter.volume(n) for n in plugins]
        self.plugin = self.plugins[0]
        self.adapter.start()
        self.adapter.ready(*self.plugins)
        self.gate = os.path.join(self.adapter.base, "gate")
        for p in self.plugins:
            for sr in srs:
                self.adapter.attach(p, p.name[-1] + sr, "handle " + sr)
            p.usual("SR.ls", step("note", "begin"),
                    step("await", self.gate), out([]), step("note", "done"))
            p.usual("Volume.stat", outkey(volume("@KEY@")))
        self.caller = self.adapter.caller()
        self.addCleanup(self.caller.close)
        self.mark = self.adapter.mark()

    def logged(self):
        return self.adapter.read_log()[-2000:]

    def slow(self, sr, plugin=None):
        """Send a call that waits for the gate."""
        p = plugin or self.plugin
        return self.caller.send(p.name, request(
            "SR.scan", {"sr": p.name[-1] + sr}))

    def quick(self, sr, plugin=None, patience=2.0):
        """A call that waits for nothing; seconds it took."""
        p = plugin or self.plugin
        began = time.monotonic()
        got = json.loads(self.adapter.call(
            p, "VDI.stat", sr=p.name[-1] + sr, vdi="k"))
        self.assertIsNone(got["error"], got)
        took = time.monotonic() - began
        self.assertLess(took, patience)
        return took

    def notes(self, what):
        return sum(l.get("note") == what
                   for l in self.adapter.lines(self.mark))

    def until_begun(self, n):
        until(lambda: self.notes("begin") >= n, "%d run" % n)

    def steady(self, n):
        """n run; and when other calls have gone through, still n."""
        self.until_begun(n)
        self.adapter.control("status")
        self.assertEqual(self.notes("begin"), n)

    def open_gate(self):
        open(self.gate, "w").close()

    def most_at_once(self):
        most = now = 0
        for line in self.adapter.lines(self.mark):
            now += {"begin": 1, "done": -1}.get(line.get("note"), 0)
            most = max(most, now)
        return most


class Limits(Limited):
    def test_a_slow_sr_delays_no_other(self):
        self.begin("limits.sr=4")
        ids = [self.slow("a") for _ in range(50)]
        self.until_begun(4)
        for _ in range(20):
            self.quick("b")
        self.assertEqual(self.notes("begin"), 4)
        self.open_gate()
        for i in ids:
            self.assertEqual(self.caller.reply(i), success([]))
        self.assertEqual(self.most_at_once(), 4)

    def test_a_full_queue(self):
        """An SR without a call under way may always begin one."""
        self.begin("limits.sr=8", "limits.queue=8")
        ids = [self.slow("a") for _ in range(20)]
        self.until_begun(8)
        self.quick("b")
        ids.append(self.slow("b"))
        self.until_begun(9)
        self.open_gate()
        for i in ids:
            self.assertEqual(self.caller.reply(i), success([]))

    def test_another_queue(self):
        self.begin("limits.queue=4", plugins=("p", "q"))
        ids = [self.slow("a", self.plugins[0]) for _ in range(20)]
        self.until_begun(4)
        self.quick("b", self.plugins[1])
        self.open_gate()
        for i in ids:
            self.caller.reply(i)

    def test_scripts_in_all(self):
        """No more than that, but for SRs that have none."""
        self.begin("limits.scripts=3", plugins=("p", "q"))
        ids = [self.slow("a", self.plugins[i % 2]) for i in range(20)]
        self.steady(3)
        self.assertEqual(self.adapter.control("status")["scripts"], 3)
        self.open_gate()
        for i in ids:
            self.assertEqual(self.caller.reply(i), success([]))
        self.assertLessEqual(self.most_at_once(), 3)

    def test_more_than_in_hand(self):
        """More calls than the adapter takes at a time."""
        self.begin("limits.in_hand=4")
        ids = [self.slow("a") for _ in range(30)]
        self.until_begun(4)
        self.open_gate()
        for i in ids:
            self.assertEqual(self.caller.reply(i), success([]))

    def test_one_at_a_time(self):
        """As the original with concurrent=false: per queue, in order."""
        self.begin("limits.concurrent=no", plugins=("p", "q"))
        p, q = self.plugins
        for x in self.plugins:
            x.usual("Volume.stat", step("note", "begin"), step("sleep", 5),
                    outkey(volume("@KEY@")), step("note", "done"))
        ids = [self.caller.send(p.name, request(
            "VDI.stat", {"sr": "pa", "vdi": "k%02d" % i})) for i in range(20)]
        for i in ids:
            self.caller.reply(i)
        self.assertEqual(self.most_at_once(), 1)
        self.assertEqual([l["key"] for l in self.adapter.lines(self.mark)
                          if l.get("note") == "begin"],
                         ["k%02d" % i for i in range(20)])
        first = self.slow("a", p)
        self.until_begun(21)
        self.quick("b", q)
        self.open_gate()
        self.caller.reply(first)

    def test_in_order_within_an_sr(self):
        self.begin("limits.sr=1")
        self.plugin.usual("Volume.stat", outkey(volume("@KEY@")))
        ids = [self.caller.send(self.plugin.name, request(
            "VDI.stat", {"sr": "da", "vdi": "k%02d" % i}))
            for i in range(20)]
        for i in ids:
            self.caller.reply(i)
        self.assertEqual([json.loads(r["stdin"])["key"]
                          for r in self.adapter.runs(self.mark)],
                         ["k%02d" % i for i in range(20)])

    def test_a_thousand(self):
        """Calls of many SRs at once: each has its own answer."""
        srs = ["s%d" % i for i in range(10)]
        self.begin(srs=srs)
        ids = {}
        for i in range(1000):
            key = "k%d" % i
            ids[self.caller.send(self.plugin.name, request("VDI.stat", {
                "sr": "d" + srs[i % 10], "vdi": key}))] = key
        for i, key in ids.items():
            self.assertEqual(json.loads(self.caller.reply(i))["result"]
                             ["vdi"], key)


class Cancel(Limited):
    def cancel(self, ident):
        with self.adapter.broker.conn("operator") as c:
            return c.v1("/queues/%s/messages/%d/cancel" % (
                self.plugin.name, ident), "POST", '{"who":"anna"}')

    def freed(self, ident):
        """It is cancelled: the caller has its answer at once."""
        began = time.monotonic()
        status, got = self.cancel(ident)
        self.assertEqual(status, 200, got)
        self.assertEqual(json.loads(self.caller.reply(ident))["error"],
                         ["Cancelled", "cancelled by anna"])
        self.assertLess(time.monotonic() - began, 1.0)

    def listed(self):
        return sorted(s["id"] for s in self.adapter.control("scripts"))

    def test_running(self):
        self.begin()
        ident = self.slow("a")
        self.until_begun(1)
        self.assertEqual(self.listed(), [ident])
        self.freed(ident)
        self.adapter.until_quiet(2)
        until(lambda: not self.listed(), "it is off the list")
        self.assertEqual(self.notes("done"), 0)
        self.quick("a")

    def test_ignores_term(self):
        """The caller does not wait for the script, and the script goes."""
        self.begin("scripts.term=500ms")
        self.plugin.usual("SR.ls", step("ignore", SIGTERM),
                          step("fork", 600000), step("note", "begin"),
                          step("sleep", 600000))
        ident = self.slow("a")
        self.until_begun(1)
        self.freed(ident)
        self.adapter.until_quiet(3)

    def test_waiting(self):
        """It has not begun: it never does."""
        self.begin("limits.sr=1")
        first, second, third = [self.slow("a") for _ in range(3)]
        self.until_begun(1)
        self.freed(second)
        until(lambda: self.listed() == [first, third], "two are left")
        self.open_gate()
        for i in (first, third):
            self.assertEqual(self.caller.reply(i), success([]))
        self.assertEqual(self.notes("begin"), 2)

    def test_while_the_adapter_is_away(self):
        """A script of a call that was cancelled meanwhile is ended."""
        self.begin()
        ident = self.slow("a")
        self.until_begun(1)
        self.adapter.kill()
        self.freed(ident)
        self.adapter.start()
        self.adapter.until_quiet(5)
        self.assertEqual(self.notes("done"), 0)

    def test_answered_by_hand(self):
        """An operator's own reply ends the script, too: within 15 s."""
        self.begin()
        ident = self.slow("a")
        self.until_begun(1)
        with self.adapter.broker.conn("operator") as c:
            status, _ = c.v1("/queues/%s/messages/%d/reply" % (
                self.plugin.name, ident), "POST", success(["mine"]))
        self.assertEqual(status, 200)
        self.assertEqual(self.caller.reply(ident), success(["mine"]))
        self.adapter.until_quiet(20)

    def test_many(self):
        self.begin()
        ids = [self.slow("a") for _ in range(32)]
        self.until_begun(32)
        for i in ids[::2]:
            self.freed(i)
        until(lambda: self.listed() == ids[1::2], "half are left")
        self.open_gate()
        for i in ids[1::2]:
            self.assertEqual(self.caller.reply(i), success([]))
        self.assertEqual(self.notes("done"), 16)
        self.adapter.until_quiet()


class Times(Limited):
    def test_by_method(self):
        """A limit for one method leaves the others alone."""
        self.begin("scripts.times=SR.ls=300ms", "scripts.time=0")
        self.plugin.usual("Volume.stat", step("sleep", 600),
                          outkey(volume("@KEY@")))
        ident = self.slow("a")
        self.quick("b")
        error = json.loads(self.caller.reply(ident))["error"]
        self.assertEqual(error[1][1][1], "time limit")

    def test_counts_from_its_start(self):
        """Not from when the call came: waiting is not running."""
        self.begin("limits.sr=1", "scripts.time=900ms")
        self.plugin.usual("SR.ls", step("sleep", 400), out([]))
        ids = [self.slow("a") for _ in range(5)]
        for i in ids:
            self.assertEqual(self.caller.reply(i), success([]))

    def test_over_a_restart(self):
        """The limit counts on while the adapter is away."""
        self.begin("scripts.time=1s")
        ident = self.slow("a")
        self.until_begun(1)
        self.adapter.kill()
        self.adapter.until_quiet(5)
        self.adapter.start()
        error = json.loads(self.caller.reply(ident))["error"]
        self.assertEqual(error[1][1][1], "time limit")


class Unattached(Limited):
    def test_queue_of_another_plugin(self):
        """An SR belongs to the plugin that attached it."""
        self.begin(plugins=("p", "q"), srs=("a",))
        p, q = self.plugins
        self.assertEqual(self.adapter.call(q, "VDI.stat", sr="pa", vdi="k"),
                         failure(["Sr_not_attached", "pa"]))


class Replies(tap.Case):
    """What the switch does not take."""

    def test_too_large(self):
        """The caller is told in few words; the spool is cleared."""
        self.adapter = Adapter(start=False, broker_options=[
            "--set", "limits.body=64K"])
        self.addCleanup(self.adapter.remove)
        plugin = self.adapter.volume()
        plugin.usual("Plugin.diagnostics", out("x" * 100000))
        self.adapter.start()
        self.adapter.ready(plugin)
        got = json.loads(self.adapter.call(plugin, "Query.diagnostics"))
        self.assertEqual(got["error"][0], "Internal_error")
        self.assertIn("was refused", got["error"][1])
        self.assertLess(len(got["error"][1]), 500)
        until(lambda: self.adapter.broker.queue(plugin.name)["messages"] == 0,
              "it is acknowledged")
        spool = os.path.join(self.adapter.state, "spool", plugin.name)
        until(lambda: os.listdir(spool) == [], "the folder is gone")


if __name__ == "__main__":
    tap.main()
