# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Emptying a queue, pausing it, and undoing what was removed by hand."""
import base64
import json
import os
import resource
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, get, post, transfer_body, until  # noqa: E402


class Base(tap.Case):
    options = ()

    def setUp(self):
        self.broker = Broker(*self.options)
        self.addCleanup(self.broker.remove)
        self.connect()
        for name in ("svc", "other"):
            self.c.create(name)
        self.c.create("caller", transient=True)

    def connect(self):
        self.c = self.broker.conn("caller")

    def logged(self):
        return self.broker.read_log()

    def post(self, target, want=200, **body):
        status, got = self.c.v1(target, "POST",
                                json.dumps(body) if body else None)
        self.assertEqual(status, want, got)
        return got

    def purge(self, queue="svc", **body):
        return self.post("/queues/%s/purge" % queue, **body)

    def publish(self, n, queue="svc", reply_to="gone", method="m"):
        return [self.c.publish(queue, json.dumps({"method": method, "n": i}),
                               reply_to) for i in range(n)]

    def ids(self, queue="svc"):
        out, after = [], -1
        while after is not None:
            got = self.c.v1("/queues/%s/messages?limit=1000&after=%d" %
                            (queue, after))[1]
            out += [m["id"] for m in got["messages"]]
            after = got["next"]
        return out

    def removed(self, query=""):
        return self.c.v1("/removed" + query)[1]


class Purge(Base):
    def test_all(self):
        """Callers that wait are answered; one act; each in the recorder."""
        quiet = self.publish(3)
        asked = self.publish(700, reply_to="caller")
        done = self.purge(who="anna", reason="wrong pool")
        self.assertEqual(
            (done["queue"], done["messages"], done["replied"],
             done["skipped"], done["complete"], done["dry_run"]),
            ("svc", 703, 700, 0, True, False))
        self.assertEqual(self.ids(), [])
        failures, after = [], -1
        while True:
            got, after = self.c.poll(["caller"], frm=after)
            if not got:
                break
            failures += got
        self.assertEqual([m[3][1][1] for m in failures], asked)
        self.assertEqual(set(m[2] for m in failures), {
            '{"result":null,"error":["Cancelled","cancelled by anna: '
            'wrong pool"],"id":0}'})
        listed = self.removed("?limit=1000")
        self.assertEqual([m["id"] for m in listed["removed"]], quiet + asked)
        self.assertEqual({(m["act"], m["why"], m["text"])
                          for m in listed["removed"]},
                         {(done["act"], "purged",
                           "purged by anna: wrong pool")})
        events = self.c.v1("/events?after=-1&kind=cancel")[1]["events"]
        self.assertEqual([e["id"] for e in events], quiet + asked)
        self.assertEqual(self.purge()["messages"], 0)

    def test_chosen(self):
        ids = self.publish(6)
        scan = self.publish(2, method="SR.scan")
        attach = self.publish(1, method="SR.attach")
        self.c.v1("/queues/svc/messages/%d/hold" % ids[0], "POST")
        self.c.poll(["svc"])
        new = self.publish(2)
        self.assertEqual(self.purge(state="held")["messages"], 1)
        self.assertEqual(self.purge(state="ready", limit=1)["messages"], 1)
        self.assertEqual(self.ids(), ids[1:] + scan + attach + new[1:])
        self.assertEqual(self.purge(method="SR.scan")["messages"], 2)
        self.assertEqual(self.purge(method="SR.*", dry_run=True)["messages"],
                         1)
        self.assertEqual(self.purge(older=3600)["messages"], 0)
        self.assertEqual(self.ids(), ids[1:] + attach + new[1:])
        self.assertEqual(self.purge(older=0, state="delivered")["messages"],
                         6)
        self.assertEqual(self.ids(), new[1:])

    def test_dry_run(self):
        ids = self.publish(300, reply_to="caller")
        done = self.purge(dry_run=True)
        self.assertEqual((done["messages"], done["act"], done["dry_run"]),
                         (300, None, True))
        self.assertEqual(self.ids(), ids)
        self.assertEqual(self.purge(dry_run=True, limit=7)["messages"], 7)
        self.assertEqual(self.removed()["removed"], [])

    @tap.table([
        ("state", {"state": "gone"}, "state"),
        ("method", {"method": ""}, "method"),
        ("limit", {"limit": 0}, "not a value for this field: limit"),
        ("older", {"older": -1}, "not a value for this field: older"),
        ("misspelt", {"stat": "held"}, "unknown field: stat")])
    def refused(self, body, message):
        """A misspelt condition must not make it wider."""
        ids = self.publish(2)
        got = self.post("/queues/svc/purge", 400, **body)
        self.assertEqual((got["error"]["code"], got["error"]["message"]),
                         ("bad_body", message))
        self.assertEqual(self.ids(), ids)

    def test_no_queue(self):
        self.assertEqual(self.post("/queues/none/purge", 404)["error"]["code"],
                         "no_queue")
        self.assertEqual(self.c.v1("/queues/svc/purge")[0], 405)

    def test_a_client_that_leaves(self):
        """It ends between two messages: each is gone whole or there."""
        ids = self.publish(3000, reply_to="caller")
        x = self.broker.conn()
        x.send(post("/v1/queues/svc/purge"))
        x.close()
        until(lambda: self.broker.status()["connections"] == 2, "it is gone")
        last = []

        def settled():
            now = (len(self.ids()), len(self.ids("caller")))
            last.append(now)
            return len(last) > 1 and last[-2] == now
        until(settled, "nothing goes on")
        self.assertEqual(last[-1][0] + last[-1][1], len(ids))


class Undo(Base):
    def snapshot(self, queue="svc"):
        """Every byte of every message."""
        out = []
        for i in self.ids(queue):
            m = self.c.v1("/queues/%s/messages/%d?payload=raw" % (queue, i))[1]
            for field in ("age_s", "deliveries", "consumer", "state"):
                m.pop(field)
            out.append(m)
        return out

    def test_ten_thousand(self):
        """A purge of 10,000 is undone: bytes, ids, order."""
        for i in range(10000):
            self.c.send(post("/request/svc/gone", b"\x00\xff%d" % i))
            if i % 100 == 99:
                for _ in range(100):
                    self.c.reply()
        before = self.broker.rows()
        self.assertEqual(len(before), 10000)
        act = self.purge()["act"]
        self.assertEqual(self.ids(), [])
        self.assertEqual(self.broker.rows(), [])
        self.broker.restart("kill")
        self.connect()
        done = self.post("/removed/restore", act=act)
        self.assertEqual(done, {"messages": 10000, "failed": 0,
                                "complete": True})
        self.assertEqual(self.broker.rows(), before)
        self.assertEqual(self.ids(), [r[0] for r in before])
        got = []
        after = -1
        while True:
            more, after = self.c.poll(["svc"], frm=after)
            if not more:
                break
            got += more
        self.assertEqual([m[1] for m in got], [r[0] for r in before])
        self.assertEqual(self.removed()["removed"], [])

    def test_one(self):
        a, b, c = self.publish(3)
        before = self.snapshot()
        self.c.v1("/queues/svc/messages/%d" % b, "DELETE")
        self.assertEqual(self.ids(), [a, c])
        listed = self.removed()["removed"]
        self.assertEqual([(m["queue"], m["id"], m["why"], m["method"],
                           m["kind"], m["origin"]) for m in listed],
                         [("svc", b, "deleted", "m", "request", "caller")])
        self.assertTrue(listed[0]["text"].startswith("deleted by uid "))
        self.assertLess(time.time() - listed[0]["removed"], 60)
        got = self.post("/removed/%d/restore" % b)
        self.assertEqual(got, {"queue": "svc", "id": b})
        self.assertEqual(self.snapshot(), before)
        again = self.post("/removed/%d/restore" % b, 404)
        self.assertEqual(again["error"]["code"], "no_message")

    def test_after_a_cancel(self):
        """The caller has been told: no second reply, but it is worked on."""
        i = self.publish(1, reply_to="caller")[0]
        consumer = self.broker.conn("consumer")
        cancelled = self.post("/queues/svc/messages/%d/cancel" % i)
        self.post("/removed/%d/restore" % i)
        for _ in range(2):
            self.assertEqual([m[1] for m in consumer.poll(["svc"])[0]], [i])
            self.broker.restart("kill")
            consumer = self.broker.conn("consumer")
            self.connect()
        self.assertEqual(consumer.respond("caller", "svc", i, "late"),
                         cancelled["reply"]["id"])
        consumer.ack("svc", i)
        self.assertEqual(len(self.ids("caller")), 1)
        self.assertEqual(self.ids(), [])

    def test_seen_by_a_consumer_that_has_passed_it(self):
        a = self.publish(1)[0]
        consumer = self.broker.conn("consumer")
        self.c.v1("/queues/svc/messages/%d" % a, "DELETE")
        b = self.publish(1)[0]
        _, cursor = consumer.poll(["svc"])
        self.assertEqual(cursor, b)
        consumer.send(post("/transfer", transfer_body(["svc"], 20, cursor)))
        self.broker.until_parked(1)
        self.post("/removed/%d/restore" % a)
        got, after = consumer.polled()
        self.assertEqual(([m[1] for m in got], after), ([a], b))

    def test_by_queue(self):
        ids, others = self.publish(300), self.publish(5, "other")
        self.purge(limit=100)
        self.purge()
        self.purge("other")
        listed = self.removed("?queue=other")["removed"]
        self.assertEqual([m["id"] for m in listed], others)
        page = self.removed("?queue=svc&limit=200")
        self.assertEqual(page["next"], ids[199])
        page = self.removed("?queue=svc&limit=200&after=%d" % page["next"])
        self.assertEqual(([m["id"] for m in page["removed"]], page["next"]),
                         (ids[200:], None))
        self.assertEqual(self.post("/removed/restore", queue="svc")
                         ["messages"], 300)
        self.assertEqual(self.ids(), ids)
        self.assertEqual(self.ids("other"), [])

    def test_the_queue_is_gone(self):
        a = self.publish(1)[0]
        b = self.publish(1, "other")[0]
        self.purge()
        self.c.destroy("svc")
        got = self.post("/removed/%d/restore" % a, 404)
        self.assertEqual(got["error"]["code"], "no_queue")
        got = self.post("/removed/restore", 404, queue="svc")
        self.assertEqual(got["error"]["code"], "no_queue")
        self.c.create("svc")
        self.post("/removed/%d/restore" % a)
        self.assertEqual(self.ids(), [a])
        self.assertEqual(self.ids("other"), [b])

    def test_an_ack_is_final(self):
        """What a consumer acknowledges is not kept."""
        a = self.publish(1)[0]
        self.c.ack("svc", a)
        self.assertEqual(self.removed()["removed"], [])

    def test_secrets_are_not_listed(self):
        i = self.c.publish("svc", '{"method":"m","password":"hunter2"}', "x")
        self.post("/queues/svc/purge", reason="password=hunter2")
        self.assertNotIn("hunter2", json.dumps(self.removed()))
        self.post("/removed/%d/restore" % i)
        raw = self.c.v1("/queues/svc/messages/%d?payload=raw" % i)[1]
        self.assertIn(b"hunter2", base64.b64decode(raw["payload_base64"]))

    @tap.table([
        ("id", "/removed/x/restore", None, "bad_id"),
        ("nothing chosen", "/removed/restore", None, "bad_body"),
        ("empty object", "/removed/restore", {"act": 0}, "bad_body"),
        ("wrong field", "/removed/restore", {"acts": 1}, "bad_body")])
    def malformed(self, target, body, code):
        got = self.post(target, 400, **(body or {}))
        self.assertEqual(got["error"]["code"], code)

    def test_acts_are_in_the_log(self):
        """Who asked for what; not what is only looked at, nor replies."""
        i = self.publish(1, reply_to="caller")[0]
        self.c.v1("/queues/svc/messages/%d" % i)
        self.c.v1("/queues/svc/messages/%d/reply" % i, "POST", "x")
        self.c.v1("/queues/a%0Ab/purge", "POST")
        self.purge()
        log = [x.split(" api: ")[1] for x in
               self.broker.read_log().splitlines() if " api: " in x]
        with open("/proc/self/comm") as f:
            me = "pid %d (%s) uid %d asks: POST " % (
                os.getpid(), f.read().strip(), os.getuid())
        self.assertEqual(log, [me + "/queues/a\\x0ab/purge",
                               me + "/queues/svc/purge"])

    def test_malformed_query(self):
        for query in ("?act=0", "?limit=0", "?limit=1001", "?after=x"):
            self.assertEqual(self.c.v1("/removed" + query)[0], 400, query)
        self.assertEqual(self.c.v1("/removed", "POST")[0], 405)


class Kept(Base):
    options = ("--set", "undo.bytes=20K")

    def test_bounded(self):
        ids = self.publish(1000)
        self.purge()

        def few():
            return len(self.removed("?limit=1000")["removed"]) < 100
        until(few, "the oldest are dropped")
        left = self.removed("?limit=1000")["removed"]
        self.assertEqual([m["id"] for m in left], ids[-len(left):])
        self.assertGreater(len(left), 10)
        self.assertEqual(self.post("/removed/restore", queue="svc")
                         ["messages"], len(left))


class Off(Base):
    options = ("--set", "undo.bytes=0")

    def test_nothing_is_kept(self):
        self.publish(3)
        self.assertEqual(self.purge()["messages"], 3)
        self.assertEqual(self.removed()["removed"], [])


class Full(Base):
    """On a full disk: what frees room works, and nothing is kept of it."""
    options = ("--set", "recorder.size=1M")

    def fill(self):
        self.assertEqual(self.broker.stop(), 0)
        os.unlink(self.broker.state + "/switch.db.reserve")
        self.broker.preexec = lambda: (
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
            resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20)))
        self.broker.start(restore_signals=False)
        self.connect()

    def test_full(self):
        ids = self.publish(20)
        kept = self.publish(1, "other")[0]
        self.purge("other")
        until(lambda: self.c.v1("/health")[0] == 200, "all is well")
        self.fill()
        until(lambda: self.broker.status()["state"] == "degraded",
              "the status tells")
        status, health = self.c.v1("/health")
        self.assertEqual((status, health["status"], health["code"]),
                         (503, "critical", 2))
        self.c.v1("/queues/svc/messages/%d" % ids[0], "DELETE")
        self.assertEqual(self.post("/queues/svc/messages/%d/cancel" % ids[1])
                         ["reply"]["id"], None)
        self.assertEqual(self.purge()["messages"], 18)
        self.assertEqual(self.ids(), [])
        self.assertEqual([m["id"] for m in self.removed()["removed"]], [kept])
        got = self.post("/removed/%d/restore" % kept, 507)
        self.assertEqual(got["error"]["code"], "disk_full")
        self.post("/queues/svc/pause")


class Pause(Base):
    def test_pause(self):
        """Nothing is handed out, also to who waits and after a restart;
        publishing goes on; resumed, everything comes, in order."""
        first = self.publish(2)
        self.assertEqual(self.post("/queues/svc/pause"),
                         {"name": "svc", "paused": True})
        consumer = self.broker.conn("consumer")
        consumer.send(post("/transfer", transfer_body(["svc"], 20)))
        self.broker.until_parked(1)
        more = self.publish(1)
        self.assertTrue(self.broker.queue("svc")["paused"])
        consumer.nothing(0.05)
        self.broker.restart("kill")
        self.connect()
        self.assertTrue(self.broker.queue("svc")["paused"])
        self.assertFalse(self.broker.queue("other")["paused"])
        consumer = self.broker.conn("consumer")
        self.assertEqual(consumer.poll(["svc"])[0], [])
        consumer.send(post("/transfer", transfer_body(["svc"], 20)))
        self.broker.until_parked(1)
        self.assertEqual(self.post("/queues/svc/resume"),
                         {"name": "svc", "paused": False})
        self.assertEqual([m[1] for m in consumer.polled()[0]], first + more)
        events = self.c.v1("/events?after=-1&queue=svc&kind=hold,release")[1]
        self.assertEqual([(e["type"], e["id"], e["text"])
                          for e in events["events"]],
                         [("hold", 0, "paused"), ("release", 0, "resumed")])

    def test_refused(self):
        for what in ("pause", "resume"):
            self.assertEqual(self.c.v1("/queues/svc/" + what)[0], 405)
            got = self.post("/queues/none/" + what, 404)
            self.assertEqual(got["error"]["code"], "no_queue")


class Listing(Base):
    def listed(self, query):
        out, after = [], -1
        while after is not None:
            status, got = self.c.v1("/queues/svc/messages?after=%d&%s" %
                                    (after, query))
            self.assertEqual(status, 200, got)
            out += [m["id"] for m in got["messages"]]
            after = got["next"]
        return out

    def test_filters(self):
        ids = [self.c.publish("svc", json.dumps({"method": m}), "x")
               for m in ("SR.scan", "SR.attach", "VDI.snapshot") * 5]
        self.c.v1("/queues/svc/messages/%d/hold" % ids[3], "POST")
        self.c.poll(["svc"])
        new = [self.c.publish("svc", "no call", "x")]
        self.assertEqual(self.listed("state=held"), [ids[3]])
        self.assertEqual(self.listed("state=ready"), new)
        self.assertEqual(self.listed("state=delivered&limit=4"),
                         ids[:3] + ids[4:])
        self.assertEqual(self.listed("method=SR.scan"), ids[::3])
        self.assertEqual(self.listed("method=SR.scan&limit=2"), ids[::3])
        self.assertEqual(self.listed("method=SR.*&limit=3"),
                         [i for k, i in enumerate(ids) if k % 3 < 2])
        self.assertEqual(self.listed("method=SR.scan&state=held"), [ids[3]])
        self.assertEqual(self.listed("method=SR"), [])
        self.assertEqual(self.listed("method=*"), ids)
        self.assertEqual(self.listed("older=3600"), [])
        self.assertEqual(self.listed("older=0"), ids + new)

    def test_what_a_message_says_of_its_sender(self):
        i = self.c.publish("svc", '{"method":"SR.scan"}', "x")
        for restart in (False, True):
            if restart:
                self.broker.restart("kill")
                self.connect()
            m = self.c.v1("/queues/svc/messages/%d" % i)[1]
            with open("/proc/self/comm") as f:
                comm = f.read().strip()
            self.assertEqual((m["method"], m["pid"], m["uid"], m["comm"]),
                             ("SR.scan", os.getpid(), os.getuid(), comm))

    def test_large_payloads_do_not_end_the_listing(self):
        """A page is cut at limits.transfer_bytes, and says so."""
        ids = [self.c.publish("svc", '{"method":"m","x":"%s"}' %
                              ("x" * 400000), "x") for _ in range(6)]
        self.assertLess(len(self.c.v1("/queues/svc/messages")[1]["messages"]),
                        6)
        self.assertEqual(self.listed("limit=100"), ids)
        self.assertEqual(self.listed("method=m"), ids)

    @tap.table([("state", "state=gone"), ("method", "method="),
                ("long method", "method=" + "m" * 300), ("older", "older=x"),
                ("negative", "older=-1")])
    def malformed(self, query):
        status, got = self.c.v1("/queues/svc/messages?" + query)
        self.assertEqual((status, got["error"]["code"]),
                         (400, "bad_parameter"))

    def test_quick(self):
        """The first page of 100,000, chosen by state and age, is quick."""
        for i in range(0, 100000, 500):
            self.c.send(b"".join(post("/request/svc/x", '{"method":"m"}')
                                 for _ in range(500)))
            for _ in range(500):
                self.c.reply()
        began = time.monotonic()
        self.assertEqual(self.c.v1("/queues/svc/messages?state=held")[1]
                         ["messages"], [])
        got = self.c.v1("/queues/svc/messages?state=ready&limit=10")[1]
        self.assertEqual(len(got["messages"]), 10)
        spent = time.monotonic() - began
        self.assertLess(spent, 1.0)
        print("# two pages in %.1f ms" % (spent * 1000))
        self.c.ok(get("/list/"))


tap.main()
