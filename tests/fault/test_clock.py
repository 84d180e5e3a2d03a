# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The clock on the wall jumps, for the whole broker and the whole adapter, while
calls run (promise R13): a year forward, a year back, ten years either way.

No time limit comes early or late by it, no queue or session goes, no call fails,
no age is negative, and ids go on growing, also over a restart in the past.
"""
import json
import os
import struct
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "adapter"))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402
from broker import post, preload, transfer_body, until  # noqa: E402
from calls_table import SR  # noqa: E402
from support import (Adapter, outkey, request, step, volume)  # noqa: E402

YEAR = 365 * 86400
JUMPS = [YEAR, -YEAR, 10 * YEAR, -10 * YEAR, 3600, -3600, 1, -1, 0]
PARKED = 1.5  # seconds that a poll may take
EARLY = 0.05  # by which a limit may not come too early


class Wall:
    """What the programs take for the time of day."""

    def __init__(self, case):
        fd, self.path = tempfile.mkstemp(prefix="xmsg-clock-")
        os.close(fd)
        case.addCleanup(os.unlink, self.path)
        self.jump(0)
        self.env = dict(preload("wallclock"), XMSG_CLOCK=self.path)

    def jump(self, seconds):
        """By so much they are wrong from now on."""
        with open(self.path, "r+b") as f:
            f.write(struct.pack("=q", seconds * 10**9))


def negative(value, path=""):
    """Paths of the numbers below zero in it."""
    if isinstance(value, dict):
        return [p for k in value for p in negative(value[k], path + "." + k)]
    if isinstance(value, list):
        return [p for v in value for p in negative(v, path + "[]")]
    if isinstance(value, (int, float)) and value < 0:
        return [path]
    return []


class Clock(tap.Case):
    def setUp(self):
        self.wall = Wall(self)
        self.adapter = Adapter("scripts.time=5s", start=False, level="info")
        self.addCleanup(self.adapter.remove)
        self.broker = self.adapter.broker
        self.broker.env.update(self.wall.env)
        self.broker.restart()
        self.plugin = self.adapter.volume()
        self.plugin.usual("Volume.stat", step("sleep", 300), outkey(
            volume("@KEY@")))
        self.adapter.start(env=self.wall.env)
        self.adapter.ready(self.plugin)
        self.adapter.attach(self.plugin)

    def logged(self):
        return self.broker.read_log()[-1000:] + self.adapter.read_log()[-1000:]

    def shown(self, c):
        """All that is shown to people, by name."""
        out = {p: c.v1(p)[1] for p in (
            "/status", "/queues", "/queues/q/messages", "/clients",
            "/events?after=-1", "/health", "/removed")}
        out["plugins"] = self.adapter.known()
        out["adapter"] = self.adapter.control("status")
        return out

    def park(self):
        """A poll under way: (connection, when it began)."""
        c = self.broker.conn("parked")
        c.create("none")
        self.addCleanup(c.close)
        c.send(post("/transfer", transfer_body(["none"], PARKED)))
        self.broker.until_parked(self.others + 1)
        return c, time.monotonic()

    def ended_in_time(self, c, began):
        self.assertEqual(c.polled()[0], [])
        took = time.monotonic() - began
        self.assertGreater(took, PARKED - EARLY)
        return took

    def test_jumps(self):
        self.others = self.broker.status()["parked"]
        with self.broker.conn("keeper") as keep, \
                self.adapter.caller() as caller:
            keep.create("q")
            keep.create("mine", transient=True)
            ids = [keep.publish("q", "first")]
            usual = set(negative(self.shown(keep)))
            late = 0
            for seconds in JUMPS:
                parked, began = self.park()
                idents = [caller.send(self.plugin.name, request(
                    "VDI.stat", {"sr": SR, "vdi": "k%d" % i}))
                    for i in range(3)]
                self.wall.jump(seconds)
                ids.append(keep.publish("q", "at %d" % seconds))
                wrong = set(negative(self.shown(keep))) - usual
                self.assertEqual(wrong, set(), "by %d s" % seconds)
                for i in idents:
                    got = json.loads(caller.reply(i))
                    self.assertIsNone(got["error"], got)
                late = max(late, self.ended_in_time(parked, began) - PARKED)
                parked.close()
                until(lambda: self.broker.status()["parked"] == self.others,
                      "nobody else is parked")
            self.assertEqual(ids, sorted(set(ids)))
            self.assertIn("mine", keep.list(), "who is connected keeps it")
            self.assertEqual([m[1] for m in keep.poll(["q"], frm=-1)[0]], ids)
        print("# %d jumps; a limit came %.0f ms late at most" % (len(JUMPS),
                                                               1000 * late))
        self.assertLess(late, 5)

    def test_restarts_at_other_times(self):
        ids = []
        with self.broker.conn("t") as c:
            c.create("q")
        for seconds in (0, 10 * YEAR, -10 * YEAR, 0):
            self.wall.jump(seconds)
            self.broker.restart()
            self.adapter.ready(self.plugin)
            with self.broker.conn("t") as c:
                ids.append(c.publish("q", "x"))
                self.assertEqual([m[1] for m in c.poll(["q"], frm=-1)[0]], ids)
                got = c.v1("/queues/q/messages")[1]
            self.assertFalse([p for p in negative(got) if "age" in p], got)
            got = json.loads(self.adapter.call(self.plugin, "VDI.stat",
                                               sr=SR, vdi="k"))
            self.assertIsNone(got["error"], got)
        self.assertEqual(ids, sorted(set(ids)))


if __name__ == "__main__":
    tap.main()
