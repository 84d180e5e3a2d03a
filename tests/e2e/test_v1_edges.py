# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""/v1 at its edges: every parameter wrong, requests that follow each other
without waiting, clients that are gone before their answer."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, get, post, request, until  # noqa: E402


class Base(tap.Case):
    options = ()

    def setUp(self):
        self.broker = Broker(*self.options)
        self.addCleanup(self.broker.remove)
        self.c = self.broker.conn("caller")
        for name in ("q", "caller", "empty"):
            self.c.create(name)
        self.id = self.c.publish("q", '{"method":"m"}', "caller")


class Parameters(Base):
    @tap.table([(" ".join(row[:2]), *row) for row in [
        ("GET", "/queues?limit=x", 400),
        ("GET", "/queues?limit=0", 400),
        ("GET", "/queues/none", 404),
        ("GET", "/queues/q/messages?after=x", 400),
        ("GET", "/queues/q/messages?payload=2", 400),
        ("GET", "/queues/q/messages?limit=-1", 400),
        ("GET", "/queues/none/messages", 404),
        ("GET", "/queues/q/messages/x", 400),
        ("GET", "/queues/q/messages/5", 404),
        ("GET", "/queues/q/messages/99999999999999999999", 400),
        ("GET", "/queues/q/messages/-9223372036854775808", 400),
        ("DELETE", "/queues/q/messages/x", 400),
        ("POST", "/queues/q/messages/x/hold", 400),
        ("POST", "/queues/q/messages/x/release", 400),
        ("POST", "/queues/q/messages/x/requeue", 400),
        ("POST", "/queues/q/messages/x/cancel", 400),
        ("POST", "/queues/q/messages/x/reply", 400),
        ("DELETE", "/queues/q?if_empty=2", 400),
        ("DELETE", "/queues/none?if_empty=1", 404),
        ("DELETE", "/queues/q?if_empty=1", 409),
        ("DELETE", "/queues/empty?if_empty=1", 200),
        ("PUT", "/queues/a%00b", 400),
        ("PUT", "/queues/a%7fb", 400),
        ("GET", "/acts?after=x", 400),
        ("GET", "/acts?limit=0", 400),
        ("GET", "/acts?limit=1&after=-1", 200),
        ("GET", "/chart?last=0", 400),
        ("GET", "/chart?gap=-1", 400),
        ("GET", "/chart?format=none", 400),
        ("GET", "/chart?kind=none", 400),
        ("GET", "/events?limit=x", 400),
        ("GET", "/events?prefix=c&queue=q", 200),
        ("GET", "/events?prefix=c", 200),
        ("GET", "/events?queue=", 200),
        ("GET", "/removed?after=x", 400),
        ("GET", "/removed?act=-1", 400),
        ("POST", "/removed/x/restore", 400),
        ("POST", "/removed/0/restore", 400),
        ("POST", "/removed/5/restore", 404),
    ]])
    def asked(self, method, target, want):
        status, got = self.c.v1(target, method)
        self.assertEqual(status, want, got)
        if status >= 400:
            self.assertTrue(got["error"]["message"], got)
        self.assertEqual(self.c.v1("/queues/q")[1]["messages"], 1)


class Pipelines(Base):
    def test_sends_and_replies(self):
        """Whatever follows whatever, the answers come in order; what is asked
        for is as if each had waited."""
        send = "/v1/queues/q/messages"
        raw = [
            (post("/request/q/caller", "1"), 200),
            (post(send, "2"), 200),
            (post(send + "?reply_to=caller", "3"), 200),
            (post(send + "?wait=0&next=-1&reply_to=caller", "4"), 200),
            (post(send, "5"), 200),
            (post(send + "?next=0&reply_to=caller", "6"), 200),
            (request("POST", send + "/%d/reply" % self.id, "7"), 200),
            (get(send + "/%d" % self.id), 404),
            (request("POST", "/v1/queues/q/pause", ""), 200),
            (post(send, "8"), 200),
            (request("POST", "/v1/queues/q/resume", ""), 200),
            (get("/v1/queues/q"), 200),
        ]
        self.c.send(*[r for r, _ in raw])
        got = [self.c.reply() for _ in raw]
        self.assertEqual([g.status for g in got], [s for _, s in raw], got)
        self.assertEqual(got[-1].json()["messages"], 7)
        messages = self.c.v1("/queues/q/messages?payload=1")[1]["messages"]
        self.assertEqual([m["payload"]["text"] if isinstance(
            m["payload"], dict) else m["payload"] for m in messages],
            list("1234568"))

    def test_gone_before_the_answer(self):
        """A client that asks for much and leaves: all of it is done."""
        ids = [self.c.publish("q", "x", "caller") for _ in range(20)]
        other = self.broker.conn()
        one = "/v1/queues/q/messages/%d"
        other.send(
            *[post("/request/q/caller", "gone") for _ in range(10)],
            request("POST", one % ids[0] + "/reply", "r"),
            request("POST", one % ids[1] + "/cancel", ""),
            request("DELETE", one % ids[2], ""),
            get("/v1/queues/q/messages?limit=1000"), get("/v1/removed"),
            request("POST", "/v1/queues/q/purge",
                    json.dumps({"reason": "gone"})),
            request("POST", "/v1/removed/restore",
                    json.dumps({"queue": "q"})),
            request("DELETE", "/v1/queues/q", ""))
        other.close()
        # what was begun is done, what was not is void
        until(lambda: len(self.broker.clients()) == 1, "it is gone")
        self.c.create("again")
        self.assertIn(self.c.v1("/queues/q")[0], (200, 404))
        self.assertEqual(self.c.v1("/status")[0], 200)


class Acts(Base):
    def test_after_a_restart(self):
        """What operators did is there still."""
        self.assertEqual(self.c.v1("/queues/q/pause", "POST")[0], 200)
        acts = self.c.v1("/acts")[1]
        self.broker.restart()
        with self.broker.conn() as c:
            self.assertEqual(c.v1("/acts")[1]["acts"], acts["acts"])


if __name__ == "__main__":
    tap.main()
