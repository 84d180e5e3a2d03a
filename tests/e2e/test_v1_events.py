# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""/v1/events: filters, where a reader begins, and what wakes it."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, get, until  # noqa: E402


class Events(tap.Case):
    def setUp(self):
        self.broker = Broker("--set", "recorder.size=64K")
        self.addCleanup(self.broker.remove)
        self.c = self.broker.conn("me")
        for name in ("svc/a", "svc/b", "me"):
            self.c.create(name.replace("/", "%2F"))

    def logged(self):
        return self.broker.read_log()

    def events(self, query):
        status, got = self.c.v1("/events?" + query)
        self.assertEqual(status, 200, got)
        return got

    def seen(self, query):
        return [(e["type"], e["queue"], e["id"])
                for e in self.events(query)["events"]]

    def traffic(self):
        a = self.c.publish("svc%2Fa", "one", "me")
        b = self.c.publish("svc%2Fb", "two", "me")
        r = self.c.respond("me", "svc%2Fa", a, "three")
        self.c.ack("svc%2Fa", a)
        until(lambda: self.seen("after=-1&kind=ack"), "the ack is recorded")
        return a, b, r

    def test_filters(self):
        a, b, r = self.traffic()
        self.assertEqual(self.seen("after=-1&kind=publish"),
                         [("publish", "svc/a", a), ("publish", "svc/b", b)])
        self.assertEqual(self.seen("after=-1&kind=publish,ack&queue=svc/a"),
                         [("publish", "svc/a", a), ("ack", "svc/a", a)])
        self.assertEqual(self.seen("after=-1&queue=svc%2Fa"),
                         [("create", "svc/a", 0), ("publish", "svc/a", a),
                          ("reply", "me", r), ("ack", "svc/a", a)])
        self.assertEqual(self.seen("after=-1&queue=svc"), [])
        self.assertEqual(self.seen("after=-1&prefix=svc/&kind=create,publish"),
                         [("create", "svc/a", 0), ("create", "svc/b", 0),
                          ("publish", "svc/a", a), ("publish", "svc/b", b)])
        self.assertEqual(self.seen("after=-1&id=%d" % a),
                         [("publish", "svc/a", a), ("reply", "me", r),
                          ("ack", "svc/a", a)])
        self.assertEqual(self.seen("after=-1&id=%d&prefix=m" % a),
                         [("reply", "me", r)])

    def test_pages(self):
        """limit counts what is wanted; next goes on behind it."""
        ids = [self.c.publish("svc%2Fa", "x", "me") for _ in range(5)]
        first = self.events("after=-1&kind=publish&limit=2")
        self.assertEqual([e["id"] for e in first["events"]], ids[:2])
        more = self.events("after=%d&kind=publish&limit=2" % first["next"])
        self.assertEqual([e["id"] for e in more["events"]], ids[2:4])
        last = self.events("after=%d&kind=publish&limit=2" % more["next"])
        self.assertEqual([e["id"] for e in last["events"]], ids[4:])
        self.c.create("other")
        self.assertEqual(self.events("after=%d&kind=publish" % last["next"])
                         ["next"], last["next"] + 1)

    def test_the_last_ones(self):
        """Without after: the last that are wanted, not the last at all."""
        ids = [self.c.publish("svc%2Fa", "x", "me") for _ in range(5)]
        for i in range(10):
            self.c.create("n%d" % i)
        self.assertEqual([x[2] for x in self.seen("kind=publish&limit=2")],
                         ids[3:])
        self.assertEqual(len(self.seen("kind=create&limit=3")), 3)
        self.assertEqual(len(self.seen("kind=publish")), 5)

    def test_from_now(self):
        """A cheap way to learn where to begin."""
        self.traffic()
        now = self.events("after=now&kind=cancel")
        self.assertEqual((now["events"], now["lost"]), ([], 0))
        self.c.create("later")
        self.assertEqual(self.seen("after=%d" % now["next"]),
                         [("create", "later", 0)])

    def test_wakes_for_what_matches(self):
        now = self.events("after=now")["next"]
        watch = self.broker.conn()
        watch.send(get("/v1/events?kind=hold&queue=svc/a&after=%d&wait=20" %
                       now))
        a = self.c.publish("svc%2Fa", "x", "me")
        b = self.c.publish("svc%2Fb", "x", "me")
        self.hold("svc%2Fb", b)
        watch.nothing(0.05)
        self.hold("svc%2Fa", a)
        got = watch.reply().json()
        self.assertEqual([(e["type"], e["id"]) for e in got["events"]],
                         [("hold", a)])
        self.assertEqual(got["lost"], 0)
        self.assertEqual(got["next"], self.events("after=now")["next"])
        self.assertGreater(got["next"], now)

    def hold(self, queue, i):
        self.assertEqual(self.c.v1(
            "/queues/%s/messages/%d/hold" % (queue, i), "POST")[0], 200)

    def test_the_end_of_the_wait(self):
        """next moves on over what was not wanted; nothing counts as lost,
        though the recorder has gone round meanwhile."""
        watch = self.broker.conn()
        now = self.events("after=now")["next"]
        watch.send(get("/v1/events?kind=cancel&after=%d&wait=1" % now))
        self.broker.status()  # asked after it: when this is answered it waits
        for _ in range(1500):
            self.c.publish("svc%2Fa", "x" * 300, "me")
        self.assertGreater(
            self.events("after=-1&limit=1")["events"][0]["seq"], now)
        got = watch.reply().json()
        self.assertEqual((got["events"], got["lost"]), ([], 0))
        self.assertGreater(got["next"], now + 1000)

    def test_lost_is_told_at_once(self):
        """What was overwritten may have been a cancellation."""
        for _ in range(1500):
            self.c.publish("svc%2Fa", "x" * 300, "me")
        got = self.events("kind=cancel&after=0&wait=20")
        self.assertEqual(got["events"], [])
        self.assertGreater(got["lost"], 0)
        self.assertEqual(got["next"], self.events("after=now")["next"])

    @tap.table([("unknown kind", "kind=cancel,no"), ("empty kind", "kind="),
                ("comma", "kind=cancel,"), ("id", "id=x"), ("id 0", "id=0"),
                ("after", "after=then"), ("after -2", "after=-2")])
    def malformed(self, query):
        status, got = self.c.v1("/events?" + query)
        self.assertEqual((status, got["error"]["code"]),
                         (400, "bad_parameter"))


tap.main()
