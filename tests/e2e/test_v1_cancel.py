# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Cancelling a message: it is gone, its caller is answered once, everybody can
see who did it."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, get, post, transfer_body, until  # noqa: E402

PLAIN = '{"method":"SR.attach","params":["x"],"id":12}'
V2 = '{"jsonrpc":"2.0","method":"Volume.create","id":"a-7"}'
ME = "uid %d pid %d (" % (os.getuid(), os.getpid())


class Cancel(tap.Case):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.remove)
        self.caller = self.broker.conn("caller")
        self.caller.create("svc")
        self.caller.create("caller", transient=True)

    def logged(self):
        return self.broker.read_log()

    def cancel(self, i, body=None, queue="svc"):
        with self.broker.conn() as c:
            return c.v1("/queues/%s/messages/%d/cancel" % (queue, i), "POST",
                        body)

    def reply(self, i):
        """The one reply to request i."""
        got, _ = self.caller.poll(["caller"])
        got = [m for m in got if m[3] == ["Response", ["svc", i]]]
        self.assertEqual(len(got), 1, got)
        self.assertEqual(len(self.queue("caller")), 1)
        return json.loads(got[0][2])

    def queue(self, name):
        return self.caller.v1("/queues/%s/messages" % name)[1]["messages"]

    def test_the_callers_form(self):
        """The toolstack's calls get the toolstack's failure."""
        i = self.caller.publish("svc", PLAIN, "caller")
        status, got = self.cancel(i, '{"reason":"disk is gone"}')
        self.assertEqual(status, 200, got)
        self.assertEqual((got["queue"], got["id"]), ("svc", i))
        self.assertEqual(got["reply"]["queue"], "caller")
        self.assertGreater(got["reply"]["id"], i)
        self.assertEqual(self.queue("svc"), [])
        answer = self.reply(i)
        self.assertEqual(sorted(answer), ["error", "id", "result"])
        self.assertIsNone(answer["result"])
        self.assertEqual(answer["id"], 12)
        name, text = answer["error"]
        self.assertEqual(name, "Cancelled")
        self.assertTrue(text.startswith("cancelled by " + ME), text)
        self.assertTrue(text.endswith("): disk is gone"), text)

    def test_json_rpc_2(self):
        i = self.caller.publish("svc", V2, "caller")
        self.assertEqual(self.cancel(
            i, '{"who":"anna","reason":"wrong disk"}')[0], 200)
        self.assertEqual(self.reply(i), {
            "jsonrpc": "2.0", "id": "a-7", "error": {
                "code": -32000,
                "message": "cancelled by anna: wrong disk",
                "data": {"by": "anna", "reason": "wrong disk"}}})

    @tap.table([("text", "not JSON"), ("array", "[1]"), ("empty", "")])
    def no_call(self, payload):
        i = self.caller.publish("svc", payload, "caller")
        self.assertEqual(self.cancel(i, '{"who":"anna"}')[0], 200)
        self.assertEqual(self.reply(i), {
            "result": None, "error": ["Cancelled", "cancelled by anna"],
            "id": 0})

    def test_frees_the_caller(self):
        """A caller that waits, as stock clients do, has its answer."""
        i = self.caller.publish("svc", PLAIN, "caller")
        self.caller.send(post("/transfer", transfer_body(["caller"], 20)))
        self.broker.until_parked(1)
        self.assertEqual(self.cancel(i)[0], 200)
        got, _ = self.caller.polled()
        self.assertEqual([m[3] for m in got], [["Response", ["svc", i]]])

    def test_again_is_404(self):
        i = self.caller.publish("svc", PLAIN, "caller")
        self.assertEqual(self.cancel(i)[0], 200)
        status, got = self.cancel(i)
        self.assertEqual((status, got["error"]["code"]), (404, "no_message"))
        self.assertEqual(self.cancel(i, queue="no")[1]["error"]["code"],
                         "no_queue")
        self.reply(i)

    def test_a_late_reply_is_a_duplicate(self):
        """Exactly one reply: what the consumer says afterwards is too late."""
        i = self.caller.publish("svc", PLAIN, "caller")
        consumer = self.broker.conn("consumer")
        self.assertEqual([m[1] for m in consumer.poll(["svc"])[0]], [i])
        _, got = self.cancel(i, '{"who":"anna"}')
        self.assertEqual(consumer.respond("caller", "svc", i, "late"),
                         got["reply"]["id"])
        consumer.ack("svc", i)
        self.assertEqual(self.reply(i)["error"][0], "Cancelled")

    def test_over_a_kill(self):
        """Once it is answered it is on disk: the message and the failure."""
        i = self.caller.publish("svc", PLAIN, "caller")
        _, got = self.cancel(i, '{"who":"anna"}')
        self.broker.restart("kill")
        self.caller = self.broker.conn("caller")
        self.assertEqual(self.queue("svc"), [])
        self.assertEqual(self.reply(i)["id"], 12)
        self.assertEqual(self.caller.respond("caller", "svc", i, "late"),
                         got["reply"]["id"])

    def test_replied_already(self):
        """Only removed: the caller keeps the reply that it has."""
        i = self.caller.publish("svc", PLAIN, "caller")
        r = self.caller.respond("caller", "svc", i, "true reply")
        status, got = self.cancel(i)
        self.assertEqual((status, got["reply"]),
                         (200, {"queue": None, "id": None}))
        self.assertEqual(self.queue("svc"), [])
        self.assertEqual([m["id"] for m in self.queue("caller")], [r])

    def test_a_reply(self):
        i = self.caller.publish("svc", PLAIN, "caller")
        r = self.caller.respond("caller", "svc", i, "true reply")
        status, got = self.cancel(r, queue="caller")
        self.assertEqual((status, got["reply"]["id"]), (200, None))
        self.assertEqual(self.queue("caller"), [])

    def test_nobody_waits(self):
        i = self.caller.publish("svc", PLAIN, "gone")
        status, got = self.cancel(i)
        self.assertEqual((status, got["reply"]["id"]), (200, None))
        self.assertEqual(self.queue("svc"), [])

    def test_held_or_not_in_memory(self):
        """A held one too, and one that has to be read from the disk."""
        i = self.caller.publish("svc", PLAIN, "caller")
        self.caller.v1("/queues/svc/messages/%d/hold" % i, "POST")
        self.broker.restart("kill")
        self.caller = self.broker.conn("caller")
        self.assertEqual(self.cancel(i)[0], 200)
        self.assertEqual(self.reply(i)["id"], 12)

    def test_the_event(self):
        i = self.caller.publish("svc", PLAIN, "caller")
        _, got = self.cancel(i, '{"reason":"password=hunter2 leaked"}')
        events = self.caller.v1("/events?after=-1&kind=cancel")[1]["events"]
        self.assertEqual(len(events), 1)
        e = events[0]
        self.assertEqual(
            (e["queue"], e["id"], e["peer"], e["re_id"], e["pid"]),
            ("svc", i, "caller", got["reply"]["id"], os.getpid()))
        self.assertTrue(e["text"].startswith("cancelled by " + ME), e)
        self.assertIn("leaked", e["text"])
        self.assertNotIn("hunter2", e["text"])
        self.assertEqual(self.broker.counters()["cancelled"], 1)
        self.assertEqual(self.broker.counters()["acked"], 0)
        kinds = [e["type"] for e in
                 self.caller.v1("/events?after=-1&id=%d" % i)[1]["events"]]
        self.assertEqual(kinds, ["publish", "reply", "cancel"])

    @tap.table([
        ("no object", "[]", "the body is no JSON object"),
        ("no JSON", "{", "the JSON ends too early"),
        ("unknown field", '{"reasn":"x"}', "unknown field: reasn"),
        ("wrong type", '{"reason":5}', "not a value for this field: reason"),
        ("too long", '{"reason":"%s"}' % ("x" * 1001),
         "not a value for this field: reason"),
        ("empty who", '{"who":""}', "not a value for this field: who"),
        ("trailing", '{} x', "something follows the JSON value")])
    def bad_body(self, body, message):
        i = self.caller.publish("svc", PLAIN, "caller")
        status, got = self.cancel(i, body)
        self.assertEqual((status, got["error"]["code"],
                          got["error"]["message"]),
                         (400, "bad_body", message))
        self.assertEqual([m["id"] for m in self.queue("svc")], [i])

    def test_never_by_get(self):
        i = self.caller.publish("svc", PLAIN, "caller")
        status, got = self.caller.v1("/queues/svc/messages/%d/cancel" % i)
        self.assertEqual((status, got["error"]["code"]), (405, "method"))
        self.assertEqual(self.caller.v1(
            "/queues/svc/messages/x/cancel", "POST")[0], 400)

    def test_many_at_once(self):
        """Two that cancel the same message: one of them did it."""
        ids = [self.caller.publish("svc", PLAIN, "caller") for _ in range(50)]
        a, b = self.broker.conn(), self.broker.conn()
        for i in ids:
            line = post("/v1/queues/svc/messages/%d/cancel" % i)
            a.send(line)
            b.send(line)
            got = sorted([a.reply().status, b.reply().status])
            self.assertIn(got, ([200, 404], [200, 409]))
        self.assertEqual(len(self.queue("caller")), 50)
        self.assertEqual(self.queue("svc"), [])

    def test_the_client_leaves(self):
        """Nobody reads the answer; the broker goes on."""
        i = self.caller.publish("svc", PLAIN, "caller")
        c = self.broker.conn()
        c.send(post("/v1/queues/svc/messages/%d/cancel" % i))
        c.close()
        until(lambda: self.broker.status()["connections"] == 2, "it is gone")
        self.caller.ok(get("/list/"))


tap.main()
