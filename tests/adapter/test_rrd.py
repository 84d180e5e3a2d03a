# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Data sources of SRs are told to the RRD daemon, and never get in the way."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import Adapter, dump, out, sr_stat, until  # noqa: E402
import tap  # noqa: E402

QUEUE = "org.xen.xapi.rrd"
SOURCES = ["xeno+shm:///sr-abc", "http://elsewhere/x", "xeno+shm:///a%20b"]


class Rrd(tap.Case):
    def setUp(self):
        self.adapter = Adapter(start=False)
        self.addCleanup(self.adapter.remove)
        self.plugin = self.adapter.volume()
        self.plugin.usual("SR.attach", out("h"))
        self.plugin.usual("SR.stat", out(sr_stat("h", datasources=SOURCES)))
        self.plugin.usual("SR.detach", out(None))
        self.adapter.start()
        self.adapter.ready(self.plugin)

    def call(self, method, **params):
        got = json.loads(self.adapter.call(self.plugin, method, sr="s",
                                           **params))
        self.assertEqual((got["result"], got["error"]), (None, None))

    def taken(self, conn, n):
        """The next n calls of the RRD daemon's queue, answered."""
        seen = []

        def enough():
            for queue, ident, payload, kind in conn.poll([QUEUE])[0]:
                seen.append(json.loads(payload))
                conn.respond(kind[1], queue, ident, dump(
                    {"result": 1.0, "error": None, "id": 1}))
                conn.ack(queue, ident)
            return len(seen) >= n
        until(enough, "%d calls" % n)
        return sorted((c["method"], json.dumps(c["params"])) for c in seen)

    def test_registered_and_deregistered(self):
        with self.adapter.broker.conn("rrdd") as c:
            c.create(QUEUE)
            self.call("SR.attach", device_config={})
            both = dict(info="Five_Seconds", protocol="V2")
            self.assertEqual(self.taken(c, 2), sorted(
                ("Plugin.Local.register", json.dumps([dict(uid=u, **both)]))
                for u in ("sr-abc", "a b")))
            self.call("SR.detach")
            self.assertEqual(self.taken(c, 2), sorted(
                ("Plugin.Local.deregister", json.dumps([{"uid": u}]))
                for u in ("sr-abc", "a b")))

    def test_nobody_is_there(self):
        """No queue, no daemon: attached all the same, at once."""
        self.call("SR.attach", device_config={})
        until(lambda: QUEUE in self.adapter.read_log(), "it is said")
        self.call("SR.detach")

    def test_the_daemon_refuses(self):
        with self.adapter.broker.conn("rrdd") as c:
            c.create(QUEUE)
            self.call("SR.attach", device_config={})
            seen = []

            def enough():
                for queue, ident, _, kind in c.poll([QUEUE])[0]:
                    c.respond(kind[1], queue, ident, dump(
                        {"result": None, "error": ["Internal_error", "no"],
                         "id": 1}))
                    c.ack(queue, ident)
                    seen.append(ident)
                return len(seen) == 2
            until(enough, "both are refused")
        until(lambda: "was refused" in self.adapter.read_log(), "it is said")
        self.call("SR.detach")


if __name__ == "__main__":
    tap.main()
