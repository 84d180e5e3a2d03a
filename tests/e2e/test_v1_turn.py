# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Fewer exchanges: requests that overlap on one connection, messages sent under
/v1, and polls that follow a send or a reply."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, get, post, request, until  # noqa: E402


class Turns(tap.Case):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.remove)
        self.caller = self.broker.conn("caller")
        self.caller.create("svc")
        self.caller.create("caller", transient=True)
        self.server = self.broker.conn("server")

    def counter(self, name):
        with self.broker.conn() as c:
            return c.v1("/status")[1]["counters"][name]

    def send(self, query="", body="x", queue="svc", conn=None, headers=()):
        r = (conn or self.caller).ask(request(
            "POST", "/v1/queues/%s/messages%s" % (queue, query), body,
            headers=headers))
        return r.status, r.json()

    def reply(self, ident, query="", body="y", queue="svc"):
        r = self.server.ask(request("POST", "/v1/queues/%s/messages/%d/reply%s"
                                    % (queue, ident, query), body))
        return r.status, r.json()


class Overlap(Turns):
    def test_a_row_is_one_commit(self):
        before = self.counter("commits")
        self.caller.send(b"".join(post("/request/svc/caller", "%d" % i)
                                  for i in range(60)))
        ids = [self.caller.reply().json()[0][1] for _ in range(60)]
        self.assertEqual(ids, sorted(ids))
        self.assertLess(self.counter("commits") - before, 10)
        got, _ = self.server.poll(["svc"])
        self.assertEqual([(m[1], m[2]) for m in got],
                         [(n, "%d" % i) for i, n in enumerate(ids)])

    def test_what_is_behind_sees_what_is_before(self):
        self.caller.send(post("/request/svc/caller", "one") +
                         post("/request/nosuch/caller", "lost") +
                         get("/persistent/later") +
                         post("/request/later/caller", "two") +
                         post("/transfer", json.dumps(
                             {"timeout": 0, "queues": ["svc", "later"]})) +
                         get("/destroy/later") +
                         post("/request/later/caller", "three"))
        one = self.caller.reply().json()
        self.assertEqual(self.caller.reply().json(), [])
        self.assertEqual(self.caller.reply().body, b"later")
        two = self.caller.reply().json()
        got, _ = self.caller.polled()
        self.assertEqual([m[1] for m in got], [one[0][1], two[0][1]])
        self.assertEqual(self.caller.reply().body, b"")
        self.assertEqual(self.caller.reply().json(), [])

    def test_replies_and_acks_in_a_row(self):
        ids = [self.caller.publish("svc", "%d" % i, "caller")
               for i in range(6)]
        self.server.send(b"".join(
            request("POST", "/v1/queues/svc/messages/%d/reply" % i, "r%d" % i)
            for i in ids[:3]))
        self.server.send(b"".join(
            post("/response/caller/svc/%d" % i, "r%d" % i) +
            get("/ack/svc/%d" % i) for i in ids[3:]))
        for _ in range(9):
            self.assertEqual(self.server.reply().status, 200)
        got, _ = self.caller.poll(["caller"])
        self.assertEqual([(m[2], m[3]) for m in got],
                         [("r%d" % i, ["Response", ["svc", i]]) for i in ids])
        until(lambda: self.server.poll(["svc"])[0] == [], "all are gone")

    def test_a_client_that_leaves_in_the_middle(self):
        other = self.broker.conn("leaver")
        other.send(b"".join(post("/request/svc/caller", "%d" % i)
                            for i in range(40)))
        other.reply()
        other.close()
        until(lambda: len(self.server.poll(["svc"])[0]) >= 1, "some are there")
        self.assertEqual(self.send()[0], 200)


class Sending(Turns):
    def test_send(self):
        status, got = self.send(body="\xe4".encode("latin-1"))
        self.assertEqual((status, got["queue"], got["duplicate"]),
                         (200, "svc", False))
        self.server.send(post("/transfer", '{"timeout":0,"queues":["svc"]}'))
        body = self.server.reply().body
        self.assertIn(b'"payload":"\xe4","kind":["Request","caller"]', body)

    def test_queue_is_made_when_asked(self):
        self.assertEqual(self.send(queue="new")[0], 404)
        self.assertEqual(self.send(queue="new", query="?create=1")[0], 200)
        self.assertEqual(self.send(queue="new", query="?create=1")[0], 200)
        self.assertEqual(len(self.server.poll(["new"])[0]), 2)

    def test_key(self):
        keys = [("idempotency-key", "k1")]
        first = self.send(headers=keys)[1]
        again = self.send(headers=keys, query="?create=1")[1]
        self.assertEqual((first["id"], False, True),
                         (again["id"], first["duplicate"], again["duplicate"]))
        self.assertEqual(self.send(headers=[("idempotency-key", "k" * 65)])[0],
                         400)

    def test_without_login(self):
        with self.broker.conn() as c:
            self.assertEqual(self.send(conn=c)[1]["error"]["code"], "no_login")
            self.assertEqual(self.send("?reply_to=caller&wait=1", conn=c)[0],
                             403)
            self.assertEqual(self.send("?reply_to=caller", conn=c)[0], 200)

    def test_bad_parameters(self):
        for query in ("?create=2", "?ack=-1", "?ack=x", "?wait=-1", "?next=-2",
                      "?reply_to=%01"):
            self.assertEqual(self.send(query)[0], 400, query)
        self.assertEqual(self.send(queue="%01")[0], 400)
        self.assertEqual(self.server.poll(["svc"])[0], [])


class Calling(Turns):
    def test_a_call_is_two_exchanges(self):
        last = -1
        self.server.send(post("/transfer", json.dumps(
            {"timeout": 60, "queues": ["svc"], "from": "-1"})))
        requests = self.counter("requests")
        for i in range(5):
            self.caller.send(request(
                "POST", "/v1/queues/svc/messages?wait=60" +
                ("&ack=%d" % last if last > 0 else ""), "call %d" % i))
            r = self.server.reply().json()
            (_, ident), m = r["messages"][0]
            self.assertEqual(m["payload"], "call %d" % i)
            self.server.send(request(
                "POST", "/v1/queues/svc/messages/%d/reply?wait=60" % ident,
                "reply %d" % i))
            got = self.caller.reply().json()
            self.assertEqual(got["id"], ident)
            ((_, last), m), = got["messages"]
            self.assertEqual((m["payload"], m["kind"]),
                             ("reply %d" % i, ["Response", ["svc", ident]]))
            self.assertEqual(int(got["next"]), last)
        # its own question is one of them
        self.assertEqual(self.counter("requests") - requests, 11)
        with self.broker.conn() as c:
            left = c.v1("/queues/caller/messages")[1]["messages"]
        self.assertEqual([m["id"] for m in left], [last])

    def test_nothing_comes_in_time(self):
        status, got = self.send("?wait=1")
        self.assertEqual((status, got["messages"], got["next"]),
                         (200, [], "%d" % got["id"]))
        status, done = self.reply(got["id"], "?next=-1")
        self.assertEqual((status, done["messages"]), (200, []))

    def test_failures_do_not_wait(self):
        self.assertEqual(self.send("?wait=60", queue="none")[0], 404)
        self.assertEqual(self.reply(1, "?wait=60")[0], 404)
        self.assertEqual(self.reply(1, "?wait=60", queue="none")[0], 404)
        self.assertEqual(self.reply(1, "?wait=x")[0], 400)

    def test_who_waits_is_a_consumer_and_may_leave(self):
        self.caller.send(request("POST", "/v1/queues/svc/messages?wait=60"))
        until(lambda: self.parked() == 1, "it waits")
        self.caller.close()
        until(lambda: self.parked() == 0, "it is gone")
        self.assertEqual(len(self.server.poll(["svc"])[0]), 1)

    def parked(self):
        with self.broker.conn() as c:
            return c.v1("/status")[1]["parked"]


tap.main()
