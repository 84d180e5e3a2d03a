# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Messages that are offered again, as a stock consumer sees them; and those that
end their consumers."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, post, transfer_body, until  # noqa: E402


class Consumer:
    """Polls as stock clients do: the cursor goes to `next` when something came,
    and is kept over a lost connection."""

    def __init__(self, broker, token="consumer"):
        self.broker, self.token, self.cursor = broker, token, None
        self.connect()

    def connect(self):
        self.c = self.broker.conn(self.token)

    def take(self, timeout=0.0):
        self.ask(timeout)
        return self.taken()

    def ask(self, timeout):
        self.c.send(post("/transfer", transfer_body(["svc"], timeout,
                                                    self.cursor)))

    def taken(self):
        got, after = self.c.polled()
        if got:
            self.cursor = after
        return [m[1] for m in got]


class Offer(tap.Case):
    options = ()

    def setUp(self):
        self.broker = Broker(*self.options)
        self.addCleanup(self.broker.remove)
        self.caller = self.broker.conn("caller")
        self.caller.create("svc")
        self.caller.create("caller", transient=True)

    def logged(self):
        return self.broker.read_log()

    def act(self, i, what, body=None):
        with self.broker.conn() as c:
            status, got = c.v1("/queues/svc/messages/%d/%s" % (i, what),
                               "POST", body)
        self.assertEqual(status, 200, got)

    def publish(self):
        return self.caller.publish("svc", '{"method":"m"}', "caller")

    def message(self, i):
        with self.broker.conn() as c:
            return c.v1("/queues/svc/messages/%d" % i)[1]

    def test_released(self):
        """A consumer that waits, its cursor far ahead, gets it, answers it, and
        the caller has the reply to the id that it knows."""
        held = self.publish()
        self.act(held, "hold")
        consumer = Consumer(self.broker)
        work = [self.publish() for _ in range(3)]
        self.assertEqual(consumer.take(), work)
        self.assertEqual(consumer.take(), [])
        consumer.ask(20)
        self.broker.until_parked(1)
        self.act(held, "release")
        self.assertEqual(consumer.taken(), [held])
        self.assertEqual(consumer.cursor, work[-1])
        self.assertEqual(consumer.take(), [])  # nothing twice
        consumer.c.respond("caller", "svc", held, "done")
        consumer.c.ack("svc", held)
        got, _ = self.caller.poll(["caller"])
        self.assertEqual([m[2:] for m in got],
                         [("done", ["Response", ["svc", held]])])

    def test_released_then_killed(self):
        """The broker ends between the release and the next poll."""
        held = self.publish()
        self.act(held, "hold")
        consumer = Consumer(self.broker)
        last = self.publish()
        self.assertEqual(consumer.take(), [last])
        self.act(held, "release")
        self.broker.restart("kill")
        consumer.connect()
        self.assertEqual(consumer.take(), [held])
        self.broker.restart("kill")
        consumer.connect()
        self.assertEqual(consumer.take(), [])

    def test_requeued(self):
        consumer = Consumer(self.broker)
        ids = [self.publish() for _ in range(3)]
        self.assertEqual(consumer.take(), ids)
        self.assertEqual(self.message(ids[1])["deliveries"], 1)
        self.act(ids[1], "requeue")
        self.assertEqual(self.message(ids[1])["deliveries"], 0)
        self.assertEqual(self.message(ids[1])["state"], "ready")
        self.assertEqual(consumer.take(), [ids[1]])
        self.assertEqual(consumer.take(), [])
        with self.broker.conn() as c:
            events = c.v1("/events?after=-1&kind=release")[1]["events"]
        self.assertEqual([(e["id"], e["text"]) for e in events],
                         [(ids[1], "requeued")])

    def test_two_consumers(self):
        """Offered again to one of them; both had passed it."""
        held = self.publish()
        self.act(held, "hold")
        both = [Consumer(self.broker, "a"), Consumer(self.broker, "b")]
        last = self.publish()
        for x in both:
            self.assertEqual(x.take(), [last])
        self.act(held, "release")
        self.assertEqual(sorted(x.take() for x in both), [[], [held]])

    def die(self):
        consumer = Consumer(self.broker)
        got = consumer.take()
        consumer.c.close()
        until(lambda: not [x for x in self.broker.clients()
                           if x["token"] == "consumer"], "it is gone")
        return got

    def test_poison(self):
        """The third death is the last; it is told why, and can be answered."""
        bad, good = self.publish(), self.publish()
        for _ in range(3):
            self.assertEqual(self.die(), [bad, good])
        until(lambda: self.message(bad)["state"] == "held", "it is held")
        self.assertEqual(self.message(bad)["reason"],
                         "its delivery ended its consumer")
        self.assertEqual(self.die(), [good])
        self.broker.restart("kill")
        self.assertEqual(self.message(bad)["state"], "held")
        with self.broker.conn() as c:
            events = c.v1("/events?after=-1&kind=hold")[1]["events"]
        self.assertEqual([e["id"] for e in events], [bad])
        self.assertIn("3 times, last consumer (pid %d)" % os.getpid(),
                      events[0]["text"])
        self.act(bad, "reply", "by hand")
        self.caller = self.broker.conn("caller")
        got, _ = self.caller.poll(["caller"])
        self.assertEqual([m[2] for m in got], ["by hand"])

    def test_poison_is_cancelled(self):
        bad = self.publish()
        for _ in range(3):
            self.assertEqual(self.die(), [bad])
        until(lambda: self.message(bad)["state"] == "held", "it is held")
        self.act(bad, "cancel", '{"who":"anna"}')
        got, _ = self.caller.poll(["caller"])
        self.assertEqual(json.loads(got[0][2])["error"],
                         ["Cancelled", "cancelled by anna"])

    def test_one_that_leaves_in_order_is_no_death(self):
        bad = self.publish()
        for _ in range(5):
            other = self.publish()
            consumer = Consumer(self.broker)
            self.assertEqual(consumer.take(), [bad, other])
            for i in (bad, other):
                consumer.c.respond("caller", "svc", i, "x")
                consumer.c.ack("svc", i)
            consumer.c.close()
            bad = self.publish()
        self.assertEqual(self.broker.queue("svc")["held"], 0)


class NoPoison(Offer):
    """The same with the rule switched off: nothing is held."""
    options = ("--set", "limits.poison=0")

    def test_poison(self):
        bad = self.publish()
        for _ in range(6):
            self.assertEqual(self.die(), [bad])
        self.assertEqual(self.message(bad)["state"], "delivered")

    test_poison_is_cancelled = None


tap.main()
