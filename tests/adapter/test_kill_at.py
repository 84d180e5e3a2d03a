# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The adapter ends itself (tests/support/killat.c) just before its N-th system
call after a call has been sent, for any N; another one takes over.  Whatever N:
the caller has one answer, the right one; each script ran once; the state is
right; the spool is empty.

Some N of each kind of call; every one with XMSG_FULL=1.
"""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (FULL, Adapter, out, outkey,  # noqa: E402
                     program, request, sr_stat, success, until, volume)
from broker import killat  # noqa: E402
import tap  # noqa: E402
from calls_table import asked  # noqa: E402

POINTS = 10000 if FULL else 12
KEYS = ["snapshot_time", "is_a_snapshot", "snapshot_of", "content_id",
        "vdi-type"]


class KillAt(tap.Case):
    """Each kind of call: what it needs before, itself, its scripts, and whether
    the SR is attached after it."""

    ROWS = [
        ("attach", False, "SR.attach", {"device_config": {}},
         ["sr.attach", "sr.stat"], True),
        ("detach", True, "SR.detach", {}, ["sr.detach"], False),
        ("destroy", True, "SR.destroy", {}, ["sr.destroy"], False),
        ("snapshot", True, "VDI.snapshot", {"vdi_info": asked(vdi="k1")},
         ["volume.snapshot"] + ["volume.set"] * len(KEYS), True),
    ]

    @classmethod
    def setUpClass(cls):
        cls.adapter = Adapter(start=False, broker_options=[
            "--set", "limits.poison=0"])
        cls.addClassCleanup(cls.adapter.remove)
        cls.plugin = p = cls.adapter.volume()
        for script in ("SR.detach", "SR.destroy", "Volume.set"):
            p.usual(script, out(None))
        p.usual("SR.attach", out("handle"))
        p.usual("SR.stat", out(sr_stat("handle")))
        p.usual("Volume.snapshot", outkey(volume("@KEY@s")))
        # the runner is not to be ended: it does not see the library
        cls.runner = os.path.join(cls.adapter.base, "runner")
        with open(cls.runner, "w") as f:
            f.write("#!/bin/sh\nunset LD_PRELOAD XMSG_KILL_AT XMSG_KILL_FROM"
                    " XMSG_KILL_COUNT\nexec '%s' \"$@\"\n" %
                    program("xmsg-run"))
        os.chmod(cls.runner, 0o755)
        cls.adapter.settings.append("scripts.runner=" + cls.runner)
        cls.now = os.path.join(cls.adapter.base, "now")
        cls.count = os.path.join(cls.adapter.base, "count")

    def logged(self):
        return self.adapter.read_log()[-3000:]

    def begin(self, name, attach, **env):
        """An adapter that counts from now on, with or without an SR."""
        if os.path.exists(self.now):
            os.unlink(self.now)
        env = dict(killat(), XMSG_KILL_FROM=self.now, **env)
        self.adapter.start(env=env)
        self.adapter.ready(self.plugin)
        if attach:
            self.adapter.attach(self.plugin, name, "handle")

    def calls(self, name, attach, method, params):
        """How many system calls it takes."""
        if os.path.exists(self.count):
            os.unlink(self.count)
        self.begin(name + "-count", attach, XMSG_KILL_COUNT=self.count)
        with self.adapter.caller() as c:
            open(self.now, "w").close()
            ident = c.send(self.plugin.name, request(
                method, dict(params, sr=name + "-count")))
            reply = c.reply(ident)
        self.adapter.until_quiet()
        self.adapter.kill()
        with open(self.count) as f:
            return reply, len(f.read().splitlines())

    def one(self, n, name, attach, method, params, scripts, after):
        sr = "%s-%d" % (name, n)
        self.begin(sr, attach, XMSG_KILL_AT=str(n))
        mark = self.adapter.mark()
        with self.adapter.caller() as c:
            open(self.now, "w").close()
            ident = c.send(self.plugin.name, request(
                method, dict(params, sr=sr)))

            def ended():
                if self.adapter.process.poll() is None:
                    c.collect(0.02)
                    return ident in c.seen
                return True
            until(ended, "killed at %d, or done" % n)
            self.adapter.kill()
            self.adapter.start()
            self.adapter.ready(self.plugin)
            reply = c.reply(ident)
        ran = [r["script"] for r in self.adapter.runs(mark)]
        self.assertEqual(ran, scripts, "scripts, killed at %d" % n)
        self.assertEqual(sr in self.adapter.attached(), after, "state, at %d" % n)
        self.adapter.until_quiet()
        spool = os.path.join(self.adapter.state, "spool", self.plugin.name)
        until(lambda: os.listdir(spool) == [], "the spool is empty")
        self.adapter.kill()
        return reply

    @tap.table(ROWS)
    def killed(self, attach, method, params, scripts, after):
        name = method.replace(".", "")
        want, most = self.calls(name, attach, method, params)
        self.assertGreater(most, 10)
        step = max(1, most // POINTS)
        for n in range(1, most + 2, step):
            reply = self.one(n, name, attach, method, params, scripts, after)
            if method == "VDI.snapshot":
                a, b = json.loads(reply), json.loads(want)
                for v in (a, b):
                    v["result"].pop("snapshot_time")
                self.assertEqual(a, b, "the reply, killed at %d" % n)
            else:
                self.assertEqual(reply, success(), "the reply, at %d" % n)
        print("# %s: %d of %d points" % (method, len(range(
            1, most + 2, step)), most))


if __name__ == "__main__":
    tap.main()
