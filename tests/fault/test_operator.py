# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The operator's requests while memory runs out, at each place that needs some.

Every request of /v1 and of the pages, over a broker with something of
everything.  Whatever allocation fails: each request has an answer that it may
have, or the connection or the broker has ended with a word; what was answered
with yes is so, also after a restart; and then everything can be asked again.
"""
import json
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, Ended, Refused, get, post, request  # noqa: E402
from fault import SEED, each, errors, fault, names, tally  # noqa: E402
from oracle import GONE  # noqa: E402

POINTS = 30  # in a sample
ENDS = {0, 71, 74}
CALL = '{"id": 1, "method": "m", "params": ["%s"]}' % ("x" * 300)


def requests(ids):
    """(what, request); ids of svc: 0 is removed already."""
    def body(method, target, **fields):
        return request(method, target, json.dumps(fields) if fields else "")

    one = "/v1/queues/svc/messages/%d"
    return [
        ("status", get("/v1/status")),
        ("health", get("/v1/health")),
        ("queues", get("/v1/queues?limit=2")),
        ("queue", get("/v1/queues/svc")),
        ("messages", get("/v1/queues/svc/messages?payload=1&limit=10")),
        ("message", get(one % ids[1])),
        ("create", body("PUT", "/v1/queues/new")),
        ("destroy", body("DELETE", "/v1/queues/new?if_empty=1")),
        ("pause", body("POST", "/v1/queues/svc/pause", reason="why")),
        ("resume", body("POST", "/v1/queues/svc/resume")),
        ("hold", body("POST", one % ids[1] + "/hold", reason="why")),
        ("release", body("POST", one % ids[1] + "/release")),
        ("requeue", body("POST", one % ids[1] + "/requeue")),
        ("reply", body("POST", one % ids[1] + "/reply", payload=CALL)),
        ("cancel", body("POST", one % ids[2] + "/cancel", reason="why")),
        ("ack", body("DELETE", one % ids[3])),
        ("send", body("POST", "/v1/queues/svc/messages", payload=CALL)),
        ("send and wait", post("/v1/queues/made/messages?create=1&wait=0"
                               "&next=-1&ack=1&reply_to=caller", CALL)),
        ("reply and wait", post(one % ids[4] + "/reply?wait=0", CALL)),
        ("purge", body("POST", "/v1/queues/other/purge", reason="why")),
        ("removed", get("/v1/removed")),
        ("restore", body("POST", "/v1/removed/%d/restore" % ids[0])),
        ("restore all", body("POST", "/v1/removed/restore", queue="other")),
        ("events", get("/v1/events?limit=50")),
        ("chart", get("/v1/chart?last=40")),
        ("chart as html", get("/v1/chart?format=html")),
        ("acts", get("/v1/acts")),
        ("clients", get("/v1/clients")),
        ("metrics", get("/metrics")),
        ("page", get("/ui/")),
        ("diagnostics", get("/")),
        ("trace", get("/trace/-1/0.01")),
    ]


class Operator(tap.Case):
    options = ["--set", "recorder.size=64K"]

    def fill(self, b):
        """Something of everything; the ids in svc."""
        with b.conn("caller") as c:
            for name in ("svc", "other"):
                c.create(name)
            c.create("caller")
            ids = [c.publish("svc", CALL, "caller") for _ in range(6)]
            for _ in range(3):
                c.publish("other", CALL, "caller")
            self.assertEqual(c.v1("/queues/svc/messages/%d/cancel" % ids[0],
                                  "POST")[0], 200)
        return ids

    def ask_all(self, b, ids, said):
        """As long as there is a broker: (what, status or None)."""
        for what, raw in requests(ids):
            try:
                with b.conn("operator") as c:
                    said.append((what, c.ask(raw).status))
            except (Refused,) + GONE:
                said.append((what, None))
                if b.process.poll() is not None:
                    return

    def life(self, b, env):
        """A run with failures: (its status, ids, [(what, status)])."""
        said, ids = [], []
        b.spawn(env=env)
        try:
            b.ready()
            ids = self.fill(b)
            open(env["XMSG_FAULT_FROM"], "w").close()
            self.ask_all(b, ids, said)
            if b.process.poll() is None:
                b.signal(15)
        except Ended:
            pass
        return b.wait(), ids, said

    def calls(self):
        with Broker(*self.options, start=False) as b:
            count = b.folder + "/count"
            status, _, said = self.life(b, fault(
                "ENOMEM", COUNT=count, FROM=b.folder + "/serving"))
            self.assertEqual(status, 0, b.read_log())
            self.assertEqual([s for s in said if not s[1] or
                              s[1] not in (200, 201, 202, 204, 404)], [])
            return names(count)

    def check(self, b, ids, said):
        """What was answered with yes is so."""
        done = {what for what, status in said if status in (200, 201, 204)}
        with b.conn() as c:
            def there(ident, queue="svc"):
                return c.v1("/queues/%s/messages/%d" % (queue, ident)
                            )[0] == 200
            for what, ident in (("reply", 1), ("cancel", 2), ("ack", 3),
                                ("reply and wait", 4)):
                if what in done and there(ids[ident]):
                    raise AssertionError("%s was not done" % what)
            if "restore" in done and not there(ids[0]):
                raise AssertionError("restore was not done")
            if not there(ids[5]):
                raise AssertionError("a message is gone")

    def point(self, at, length):
        with Broker(*self.options, start=False) as b:
            status, ids, said = self.life(b, fault(
                "ENOMEM", at, length, FROM=b.folder + "/serving"))
            log = b.read_log()[-1500:]
            if status not in ENDS or status and not errors(log):
                raise AssertionError("status %d: %s" % (status, log))
            odd = [s for s in said
                   if s[1] not in (None, 200, 201, 202, 204, 404, 409, 503)]
            if odd:
                raise AssertionError("%s: %s" % (odd, log))
            b.start()
            self.check(b, ids, said)
            again = []
            self.ask_all(b, ids, again)
            if len(again) != len(requests(ids)) or None in dict(again).values():
                raise AssertionError("then: %s: %s" % (again, log))
            return status, sum(s[1] == 503 for s in said), sum(
                s[1] is None for s in said)

    def test_without_memory(self):
        began = time.monotonic()
        calls = self.calls()
        self.assertGreater(len(calls), 100)
        good, bad = each(calls, POINTS, self.point)
        print("# %d of %d calls in %.1f s: ended %s; %d refusals, %d "
              "connections lost; seed %d" % (
                  len(good) + len(bad), len(calls),
                  time.monotonic() - began, tally(g[0] for g in good),
                  sum(g[1] for g in good), sum(g[2] for g in good), SEED))
        if bad:
            self.fail("\n".join(bad))


if __name__ == "__main__":
    tap.main()
