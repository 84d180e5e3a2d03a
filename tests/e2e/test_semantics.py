# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""What the switch promises: order, ids, sessions, replies, limits, failure.

Each group runs the real broker.  Races are made, not waited for: the broker is
stopped, requests are put into its sockets, and it is let go.
"""
import contextlib
import fcntl
import json
import os
import random
import resource
import shutil
import signal
import socket
import sqlite3
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import (Broker, Closed, Conn, Refused, answer, get,  # noqa: E402
                    killat, memory, post, program, request, run,
                    transfer_body, until)

NOBODY = 65534
LONG = 300  # seconds that no test lasts


def transfer(queues, frm=None, timeout=0.0):
    return post("/transfer", transfer_body(queues, timeout, frm))


@contextlib.contextmanager
def stopped(broker):
    """While the broker does nothing; all that was sent meanwhile is then ready
    at once."""
    broker.signal(signal.SIGSTOP)
    path = "/proc/%d/stat" % broker.process.pid

    def is_stopped():
        with open(path) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "T"
    until(is_stopped, "the broker stops")
    try:
        yield
    finally:
        broker.signal(signal.SIGCONT)


def unread(sock):
    """Bytes that the other side has not taken."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ,
                                          b"\0" * 4))[0]


class Live(tap.Case):
    """A broker for each case."""

    def broker(self, *options, **kw):
        b = Broker(*options, **kw)
        self.brokers = getattr(self, "brokers", []) + [b]
        self.addCleanup(b.remove)
        return b

    def conn(self, b, token=None):
        c = b.conn(token)
        self.addCleanup(c.close)
        return c

    def logged(self):
        return "\n".join(b.read_log()[-9000:]
                         for b in getattr(self, "brokers", []))


def everything(c, queues, frm=-1):
    """All messages above frm, poll after poll, and the cursor."""
    out = []
    while True:
        got, frm = c.poll(queues, frm=frm)
        if not got:
            return out, frm
        out += got


class Order(Live):
    """Who gets what, and in which order."""

    def test_a_backlog_is_oldest_first(self):
        b = self.broker()
        c = self.conn(b, "t")
        c.create("q")
        ids = []
        for k in range(0, 5000, 500):  # who sends must also read
            c.send(b"".join(post("/request/q/r", "%d" % i)
                            for i in range(k, k + 500)))
            ids += [c.reply().json()[0][1] for _ in range(500)]
        self.assertEqual(ids, sorted(set(ids)))
        got, frm = everything(c, ["q"])
        self.assertEqual([m[1] for m in got], ids)
        self.assertEqual([m[2] for m in got], [str(i) for i in range(5000)])
        self.assertEqual(frm, ids[-1])

    @tap.table([
        ("in memory, written in place", []),
        ("in memory, by the writer", ["--set", "store.inline=no"]),
        ("bodies read from the store", ["--set", "limits.cache=0"]),
        ("on a disk", None)])
    def polls_over_several_queues_miss_nothing(self, options):
        """Publishers, consumers that acknowledge or not, polls that park: each
        consumer gets each message of its queues, once, in order."""
        rng = random.Random(20)
        b = self.broker(*(options or []), disk=options is None)
        names = ["q%d" % i for i in range(6)]
        with b.conn("maker") as c:
            for n in names:
                c.create(n)
        published, lock, errors = {}, threading.Lock(), []
        each = 60 if options is None else 250

        def publisher(seed):
            rng = random.Random(seed)
            with b.conn("pub%d" % seed) as c:
                left = each
                while left:
                    burst = min(left, rng.choice([1, 1, 2, 7, 30]))
                    qs = [rng.choice(names) for _ in range(burst)]
                    c.send(b"".join(post("/request/%s/r" % q, "p%d" % seed)
                                    for q in qs))
                    for q in qs:
                        ident = c.reply().json()[0][1]
                        with lock:
                            published[ident] = q
                    left -= burst

        def consumer(seed, queues, seen):
            rng = random.Random(seed)
            with b.conn("con%d" % seed) as c:
                frm = -1
                while True:
                    got, frm = c.poll(queues, rng.choice([0, 0.01, 5]), frm)
                    seen += [(m[1], m[0]) for m in got]
                    if any(m[2] == "end" for m in got):
                        return

        def guarded(fn, *args):
            try:
                fn(*args)
            except BaseException as e:  # seen in the main thread
                errors.append(e)
        subsets = [rng.sample(names, k) for k in (1, 2, 3, 6, 6)]
        seen = [[] for _ in subsets]
        consumers = [threading.Thread(target=guarded, args=(consumer, i, q, s))
                     for i, (q, s) in enumerate(zip(subsets, seen))]
        publishers = [threading.Thread(target=guarded, args=(publisher, i))
                      for i in range(8)]
        for t in consumers + publishers:
            t.start()
        for t in publishers:
            t.join()
        with b.conn("end") as c:
            for queues in subsets:  # the last of all: each of them sees one
                published[c.publish(queues[0], "end", "r")] = queues[0]
        for t in consumers:
            t.join()
        self.assertEqual(errors, [])
        self.assertEqual(len(published), 8 * each + len(subsets))
        for queues, got in zip(subsets, seen):
            self.assertEqual(got, sorted(got), "in order of id")
            last = got[-1][0]
            want = sorted((i, q) for i, q in published.items()
                          if q in queues and i <= last)
            self.assertEqual(got, want)

    def test_a_model_agrees_over_random_operations(self):
        rng = random.Random(7)
        b = self.broker("--set", "limits.cache=4K")
        c = self.conn(b, "t")
        model, frm = {}, {}
        for step in range(3000):
            q = "q%d" % rng.randrange(4)
            what = rng.random()
            if what < 0.05:
                c.create(q)
                model.setdefault(q, {})
            elif what < 0.08:
                c.destroy(q)
                model.pop(q, None)
            elif what < 0.5:
                payload = "x" * rng.choice([0, 1, 100, 3000])
                ident = c.publish(q, payload, "r")
                self.assertEqual(ident is None, q not in model, step)
                if ident is not None:
                    model[q][ident] = payload
            elif what < 0.8:
                ids = list(model.get(q, {})) or [1]
                ident = rng.choice(ids)
                c.ack(q, ident)
                model.get(q, {}).pop(ident, None)
            else:
                queues = rng.sample(["q0", "q1", "q2", "q3"],
                                    rng.randrange(1, 5))
                key = frozenset(queues)
                at = rng.choice([-1, frm.get(key, -1)])
                got, frm[key] = c.poll(queues, frm=at)
                want = sorted((i, n, p) for n in queues
                              for i, p in model.get(n, {}).items() if i > at)
                self.assertEqual([(m[1], m[0], m[2]) for m in got], want,
                                 step)

    def test_a_poller_is_not_woken_by_another_queue(self):
        b = self.broker()
        a, c = self.conn(b, "a"), self.conn(b, "c")
        c.create("one")
        c.create("two")
        a.send(transfer(["one"], timeout=30))
        b.until_parked(1)
        before = b.status()
        for _ in range(200):
            c.publish("two", "x", "r")
        after = b.status()
        self.assertEqual(after["parked"], 1)
        for n in ("polls", "delivered"):
            self.assertEqual(after["counters"][n], before["counters"][n], n)
        i = c.publish("one", "x", "r")
        self.assertEqual(a.polled()[0], [("one", i, "x", ["Request", "r"])])
        self.assertEqual(b.counters()["delivered"],
                         before["counters"]["delivered"] + 1)

    def test_two_pollers_of_a_queue_both_get_it(self):
        b = self.broker()
        polls = [self.conn(b, "p%d" % i) for i in range(5)]
        c = self.conn(b, "c")
        c.create("q")
        for p in polls:
            p.send(transfer(["q"], timeout=30))
        b.until_parked(5)
        i = c.publish("q", "x", "r")
        for p in polls:
            self.assertEqual(p.polled(), ([("q", i, "x", ["Request", "r"])],
                                          i))

    def test_a_poll_may_wait_for_a_queue_that_is_not_there_yet(self):
        b = self.broker()
        a, c = self.conn(b, "a"), self.conn(b, "c")
        a.send(transfer(["later"], timeout=30))
        b.until_parked(1)
        c.create("later")
        i = c.publish("later", "x", "r")
        self.assertEqual(a.polled()[1], i)

    def test_a_destroyed_queue_does_not_end_its_polls(self):
        b = self.broker()
        a, c = self.conn(b, "a"), self.conn(b, "c")
        c.create("q")
        a.send(transfer(["q"], timeout=30))
        b.until_parked(1)
        c.destroy("q")
        self.assertEqual(b.status()["parked"], 1)
        c.create("q")
        i = c.publish("q", "x", "r")
        self.assertEqual(a.polled()[1], i)

    def test_a_poll_ends_at_its_timeout_and_not_before(self):
        b = self.broker()
        a = self.conn(b, "a")
        for wait in (0.05, 0.3):
            began = time.monotonic()
            self.assertEqual(a.poll(["q"], wait), ([], -1))
            self.assertGreaterEqual(time.monotonic() - began, wait)

    def test_what_was_acknowledged_is_not_delivered_to_a_waiting_poll(self):
        b = self.broker()
        a, c = self.conn(b, "a"), self.conn(b, "c")
        c.create("q")
        a.send(transfer(["q"], timeout=30))
        b.until_parked(1)
        with stopped(b):
            c.send(post("/request/q/r", "1") + post("/request/q/r", "2"))
        first = c.reply().json()[0][1]
        c.reply()
        got, _ = a.polled()
        self.assertEqual(got[0][1], first)


class Ids(Live):
    """They only grow."""

    def life(self, b, log):
        """Publish and note the ids, in the order in which they were given."""
        with b.conn("t") as c:
            c.create("q")
            for _ in range(3):
                log.append(c.publish("q", "x", "r"))
            c.ack("q", log[-1])

    @tap.table([("stop", "stop", None), ("kill -9", "kill", None),
                ("a wiped database", "stop", "wipe"),
                ("a wiped database after kill -9", "kill", "wipe"),
                ("a wiped folder", "kill", "folder")])
    def grow_over(self, how, then):
        b, log = self.broker(), []
        for _ in range(4):
            self.life(b, log)
            b.kill() if how == "kill" else self.assertEqual(b.stop(), 0)
            if then == "wipe":
                for name in os.listdir(b.state):
                    if name.startswith("switch.db"):
                        os.unlink(os.path.join(b.state, name))
            elif then == "folder":
                shutil.rmtree(b.state)
            b.start()
        self.life(b, log)
        self.assertEqual(log, sorted(set(log)))

    def test_grow_over_destroy_and_creation(self):
        b, log = self.broker(), []
        for _ in range(4):
            self.life(b, log)
            with b.conn("t") as c:
                c.destroy("q")
        self.assertEqual(log, sorted(set(log)))

    def test_an_emptied_queue_does_not_start_again(self):
        b, log = self.broker(), []
        with b.conn("t") as c:
            c.create("q")
            for how in ("stop", "kill", "kill"):
                with b.conn("t") as c:
                    log.append(c.publish("q", "x", "r"))
                    c.ack("q", log[-1])
                b.restart(how)
            with b.conn("t") as c:
                log.append(c.publish("q", "x", "r"))
        self.assertEqual(log, sorted(set(log)))

    def test_a_clean_stop_leaves_no_gap(self):
        b, log = self.broker(), []
        for _ in range(3):
            self.life(b, log)
            b.restart()
        self.assertEqual(log, list(range(log[0], log[0] + 9)))

    @tap.table([("above every id", lambda i: i + 1000000),
                ("the largest number", lambda i: (1 << 63) - 1)])
    def a_cursor_from_another_life(self, cursor):
        b = self.broker()
        c, a = self.conn(b, "t"), self.conn(b, "a")
        c.create("q")
        ids = [c.publish("q", "x", "r") for _ in range(3)]
        c.ack("q", ids[1])
        frm = cursor(ids[-1])
        got, nxt = c.poll(["q"], frm=frm)
        self.assertEqual([m[1] for m in got], [ids[0], ids[2]])
        self.assertEqual(nxt, ids[2])
        c.ack("q", ids[0])
        c.ack("q", ids[2])
        a.send(transfer(["q"], frm, 30))  # and parked
        b.until_parked(1)
        i = c.publish("q", "y", "r")
        self.assertEqual([m[1] for m in a.polled()[0]], [i])

    def test_a_kept_cursor_hears_what_comes_after_a_wipe(self):
        """The stock consumer keeps its cursor over a restart of the broker."""
        b = self.broker()
        with b.conn("t") as c:
            c.create("q")
            for _ in range(5):
                c.publish("q", "x", "r")
            _, frm = everything(c, ["q"])
        for wipe in (False, True, False, True):
            b.kill()
            if wipe:
                shutil.rmtree(b.state)
            b.start()
            with b.conn("t") as c:
                c.create("q")
                i = c.publish("q", "new", "r")
                got, frm = c.poll(["q"], frm=frm)
                self.assertEqual([m[1] for m in got], [i])


class Sessions(Live):
    """Logins, transient queues, and what ends with a connection."""

    def kinds(self, b):
        with b.conn() as c:
            return {q["name"]: q["owner"]
                    for q in c.v1("/queues")[1]["queues"]}

    def until_queues(self, b, want):
        until(lambda: self.kinds(b) == want, "queues are %s" % want)

    def test_a_transient_queue_goes_with_the_last_connection(self):
        b = self.broker()
        first, second = self.conn(b, "t"), self.conn(b, "t")
        first.create("mine", transient=True)
        first.create("stays")
        first.publish("mine", "x", "r")
        first.close()
        until(lambda: len(b.clients()) == 1, "one client is left")
        self.assertEqual(self.kinds(b), {"mine": "t", "stays": None})
        second.close()
        self.until_queues(b, {"stays": None})
        self.assertEqual(b.status()["sessions"], 0)
        self.assertEqual(b.status()["messages"], 0)

    def test_what_ended_with_a_session_does_not_come_back(self):
        b = self.broker()
        with b.conn("t") as c:
            c.create("mine", transient=True)
            c.publish("mine", "x", "r")
        self.until_queues(b, {})
        b.restart("kill")
        self.assertEqual(self.kinds(b), {})
        with b.conn("t") as c:
            c.create("mine", transient=True)
            self.assertEqual(c.poll(["mine"])[0], [])

    def test_half_a_close_is_a_close(self):
        b = self.broker()
        for parked in (False, True):
            c = self.conn(b, "t")
            c.create("mine", transient=True)
            if parked:
                c.send(transfer(["mine"], timeout=30))
                b.until_parked(1)
            c.sock.shutdown(socket.SHUT_WR)
            self.until_queues(b, {})
            self.assertEqual(c.rest(), b"")

    def test_the_last_login_wins_and_ends_the_claims_of_the_others(self):
        b = self.broker()
        c, d = self.conn(b, "z"), self.conn(b, "other")
        c.create("of-z", transient=True)
        c.login("a")
        self.until_queues(b, {})
        c.create("of-a", transient=True)
        c.login("z")
        c.create("of-z", transient=True)
        self.until_queues(b, {"of-z": "z"})
        c.create("q")
        i = c.publish("q", "x", "r")
        with b.conn() as v:
            origin = v.v1("/queues/q/messages/%d" % i)[1]["origin"]
        self.assertEqual(origin, "z")
        self.assertEqual(b.status()["sessions"], 2)
        d.close()

    def test_a_second_connection_keeps_what_a_new_login_gives_up(self):
        b = self.broker()
        c, d = self.conn(b, "t"), self.conn(b, "t")
        c.create("mine", transient=True)
        c.login("u")
        self.assertEqual(self.kinds(b), {"mine": "t"})
        d.close()
        self.until_queues(b, {})

    def test_logging_in_again_with_the_same_token_changes_nothing(self):
        b = self.broker()
        c = self.conn(b, "t")
        c.create("mine", transient=True)
        for _ in range(5):
            c.login("t")
        self.assertEqual(self.kinds(b), {"mine": "t"})
        c.close()
        self.until_queues(b, {})

    @tap.table([("stop", "stop"), ("kill -9", "kill")])
    def after_a_restart_transient_queues_have_a_grace_period(self, how):
        b = self.broker("--set", "queues.grace=1s")
        c = b.conn("t")
        c.create("mine", transient=True)
        c.create("stays")
        i = c.publish("mine", "x", "r")
        b.restart(how)
        c.close()
        up = time.monotonic()
        self.assertEqual(self.kinds(b), {"mine": "t", "stays": None})
        self.until_queues(b, {"stays": None})
        gone = time.monotonic() - up
        self.assertGreater(gone, 0.5)
        self.assertLess(gone, 5)
        self.assertGreater(i, 0)

    @tap.table([("stop", "stop"), ("kill -9", "kill")])
    def a_login_within_the_grace_period_keeps_them(self, how):
        b = self.broker("--set", "queues.grace=500ms")
        c = b.conn("t")
        c.create("mine", transient=True)
        i = c.publish("mine", "reply", "r")
        b.restart(how)
        c.close()
        c = self.conn(b, "t")  # only a login, as stock clients do
        other = self.conn(b, "u")
        other.create("beat")
        up = time.monotonic()
        while time.monotonic() - up < 0.8:  # the period is over
            self.assertEqual(other.poll(["beat"], 0.1)[0], [])
        self.assertEqual(self.kinds(b)["mine"], "t")
        self.assertEqual([m[1] for m in c.poll(["mine"])[0]], [i])
        c.close()
        self.until_queues(b, {"beat": None})

    def test_no_grace_period_ends_them_at_the_start(self):
        b = self.broker("--set", "queues.grace=0s")
        with b.conn("t") as c:
            c.create("mine", transient=True)
            b.restart("kill")
        self.until_queues(b, {})

    def test_a_login_in_the_grace_period_on_many_connections(self):
        b = self.broker("--set", "queues.grace=300ms")
        c = b.conn("t")
        c.create("mine", transient=True)
        b.restart("kill")
        with b.conn("t"):
            pass
        # that login used the period up: its end is the end of the session
        self.until_queues(b, {})

    def test_a_transient_queue_asked_for_by_one_who_leaves(self):
        """Created, and the connection closed before the answer."""
        b = self.broker()
        c = self.conn(b, "t")
        with stopped(b):
            c.send(get("/transient/mine"))
            c.close()
        self.until_queues(b, {})
        until(lambda: b.status()["sessions"] == 0, "no session is left")

    def comes_and_goes(self, b, how):
        """A client that is killed, and nothing is left of it."""
        read, write = os.pipe()
        v = self.conn(b)
        until(lambda: v.v1("/status")[1]["connections"] == 1, "it is alone")
        fds = b.fds()
        pid = os.fork()
        if pid == 0:  # no test runs on here
            try:
                c = b.conn("victim")
                c.create("victim-reply", transient=True)
                how(c)
                os.write(write, b"x")
                signal.pause()
            finally:
                os._exit(1)
        os.close(write)
        try:
            self.assertEqual(os.read(read, 1), b"x")
            os.close(read)

            def there():
                tokens = [x["token"] for x in v.v1("/clients")[1]["clients"]]
                status = v.v1("/status")[1]
                return (("victim" in tokens) + status["sessions"] +
                        (v.v1("/queues/victim-reply")[0] == 200) +
                        b.fds() - fds)
            until(lambda: there() == 4, "the client is there")
            if how in (self.park, self.park_and_flood):
                until(lambda: v.v1("/status")[1]["parked"] == 1, "it waits")
            os.kill(pid, signal.SIGKILL)
            until(lambda: there() == 0, "the client is gone", pause=0)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            v.close()

    @staticmethod
    def park(c):
        c.send(transfer(["victim-reply", "other"], timeout=LONG))

    @staticmethod
    def park_and_flood(c):
        c.send(transfer(["victim-reply"], timeout=LONG))
        c.sock.settimeout(0.05)
        try:
            while True:
                c.send(get("/list/") * 100)
        except socket.timeout:
            pass

    @staticmethod
    def idle(c):
        pass

    @staticmethod
    def leave_unread(c):
        c.create("big")
        c.publish("big", "x" * 1000000, "r")
        c.send(transfer(["big"]))
        c.sock.recv(1000)

    @tap.table([("parked", "park"), ("parked, its buffers full",
                                     "park_and_flood"),
                ("idle", "idle"), ("with an answer unread", "leave_unread")])
    def a_killed_client_is_gone_at_once(self, how):
        """Session, transient queue, connection and descriptor, and no limit of
        time has passed by then.  How long it takes, bench/hostile measures."""
        b = self.broker("--set", "limits.head_time=%ds" % LONG)
        for _ in range(9):
            self.comes_and_goes(b, getattr(self, how))


class Replies(Live):
    """Exactly one to a request, whatever is repeated."""

    def call(self, b):
        c = self.conn(b, "t")
        c.create("q")
        c.create("r")
        return c, c.publish("q", "ask", "r")

    def payloads(self, c):
        return [m[2] for m in everything(c, ["r"])[0]]

    def test_a_second_reply_gets_the_id_of_the_first(self):
        b = self.broker()
        c, i = self.call(b)
        first = c.respond("r", "q", i, "1")
        for text in ("2", "3"):
            self.assertEqual(c.respond("r", "q", i, text), first)
        self.assertEqual(self.payloads(c), ["1"])
        c.ack("q", i)
        c.ack("r", first)
        self.assertEqual(c.respond("r", "q", i, "4"), first)
        self.assertEqual(self.payloads(c), [])

    @tap.table([("stop", "stop", False), ("kill -9", "kill", False),
                ("stop, all acknowledged", "stop", True),
                ("kill -9, all acknowledged", "kill", True)])
    def also_over(self, how, acked):
        b = self.broker()
        c, i = self.call(b)
        first = c.respond("r", "q", i, "1")
        if acked:
            c.ack("q", i)
            c.ack("r", first)
        for _ in range(3):
            b.restart(how)
            c = self.conn(b, "t")
            self.assertEqual(c.respond("r", "q", i, "2"), first)
            self.assertEqual(self.payloads(c), [] if acked else ["1"])

    def test_replies_at_the_same_time(self):
        for options in ([], ["--set", "store.inline=no"]):
            b = self.broker(*options)
            c, i = self.call(b)
            many = [self.conn(b, "s%d" % k) for k in range(8)]
            with stopped(b):
                for k, s in enumerate(many):
                    s.send(post("/response/r/q/%d" % i, "%d" % k))
            ids = set(s.reply().json()[0][1] for s in many)
            self.assertEqual(len(ids), 1)
            self.assertEqual(len(self.payloads(c)), 1)

    def test_each_request_has_its_own(self):
        b = self.broker()
        c, i = self.call(b)
        j = c.publish("q", "ask", "r")
        self.assertNotEqual(c.respond("r", "q", i, "i"),
                            c.respond("r", "q", j, "j"))
        self.assertEqual(self.payloads(c), ["i", "j"])

    def test_it_can_be_switched_off(self):
        b = self.broker("--set", "queues.one_reply=no")
        c, i = self.call(b)
        self.assertNotEqual(c.respond("r", "q", i, "1"),
                            c.respond("r", "q", i, "2"))
        self.assertEqual(self.payloads(c), ["1", "2"])

    def test_a_reply_to_nowhere_is_no_reply(self):
        b = self.broker()
        c, i = self.call(b)
        self.assertIsNone(c.respond("nowhere", "q", i, "1"))
        self.assertIsNotNone(c.respond("r", "q", i, "2"))
        self.assertEqual(self.payloads(c), ["2"])

    def test_a_reply_to_what_was_not_asked_yet_takes_nothing_away(self):
        """An id that no request has had: its request shall be answered."""
        b = self.broker()
        c, i = self.call(b)
        early = range(i + 20, i + 30)
        for k in early:
            c.respond("r", "q", k, "early")
        asked = [c.publish("q", "ask", "r") for _ in range(40)]
        self.assertLess(set(early), set(asked))
        for a in asked:
            c.respond("r", "q", a, "answer")
        self.assertEqual(self.payloads(c).count("answer"), 40)

    def test_reply_and_acknowledgement_in_one(self):
        b = self.broker()
        c, i = self.call(b)
        status, got = c.v1("/queues/q/messages/%d/reply" % i, "POST", "one")
        self.assertEqual((status, got["queue"], got["duplicate"]),
                         (200, "r", False))
        self.assertEqual(c.poll(["q"])[0], [])
        status, again = c.v1("/queues/q/messages/%d/reply" % i, "POST", "two")
        self.assertEqual((status, again["id"], again["duplicate"]),
                         (200, got["id"], True))
        self.assertEqual(c.respond("r", "q", i, "three"), got["id"])
        b.restart("kill")
        c = self.conn(b, "t")
        self.assertEqual(c.poll(["q"])[0], [])
        self.assertEqual(self.payloads(c), ["one"])

    # ---- Idempotency-Key ----

    def send(self, c, key, payload="x", queue="q"):
        return c.publish(queue, payload, "r",
                         headers=[("Idempotency-Key", key)])

    def test_a_key_makes_one_message(self):
        b = self.broker()
        c, i = self.call(b)
        c.ack("q", i)
        first = self.send(c, "k1", "one")
        self.assertEqual(self.send(c, "k1", "two"), first)
        second = self.send(c, "k2", "three")
        self.assertNotEqual(second, first)
        self.assertNotEqual(self.send(c, "", "four"), second)
        self.assertEqual([m[2] for m in everything(c, ["q"])[0]],
                         ["one", "three", "four"])
        c.ack("q", first)
        self.assertEqual(self.send(c, "k1", "five"), first)
        self.assertGreater(b.counters()["duplicates"], 1)

    @tap.table([("stop", "stop"), ("kill -9", "kill")])
    def a_key_is_remembered_over(self, how):
        b = self.broker()
        c, i = self.call(b)
        first = self.send(c, "key:1")
        b.restart(how)
        c = self.conn(b, "t")
        self.assertEqual(self.send(c, "key:1"), first)
        self.assertEqual([m[1] for m in everything(c, ["q"])[0]], [i, first])

    def test_a_key_at_the_same_time_on_many_connections(self):
        for options in ([], ["--set", "store.inline=no"]):
            b = self.broker(*options)
            c, i = self.call(b)
            c.ack("q", i)
            many = [self.conn(b, "s%d" % k) for k in range(8)]
            with stopped(b):
                for s in many:
                    s.send(post("/request/q/r", "x", headers=[
                        ("idempotency-key", "same")]))
            ids = set(s.reply().json()[0][1] for s in many)
            self.assertEqual(len(ids), 1)
            self.assertEqual(len(everything(c, ["q"])[0]), 1)

    def test_a_key_has_64_bytes_at_most(self):
        b = self.broker()
        c, _ = self.call(b)
        for n, status in ((64, 200), (65, 400)):
            self.assertEqual(c.ask(post("/request/q/r", "x", headers=[
                ("idempotency-key", "k" * n)])).status, status)


class Boot(Live):
    """What came from before a reboot."""

    def reboot(self, b):
        """As if the machine had been started anew meanwhile."""
        self.assertEqual(b.stop(), 0)
        with contextlib.closing(sqlite3.connect(
                os.path.join(b.state, "switch.db"))) as db:
            changed = db.execute(
                "UPDATE meta SET boot_id = 'another boot'").rowcount
            db.commit()
        self.assertEqual(changed, 1)
        b.start()

    def test_requests_are_held_until_released(self):
        b = self.broker()
        c = self.conn(b, "t")
        c.create("q")
        c.create("r")
        c.create("mine", transient=True)
        old = [c.publish("q", "old%d" % k, "r") for k in range(2)]
        reply = c.respond("r", "q", 7, "reply")
        self.reboot(b)
        c = self.conn(b, "t")
        with b.conn() as v:
            names = [q["name"] for q in v.v1("/queues")[1]["queues"]]
        self.assertEqual(names, ["q", "r"])
        self.assertEqual(c.poll(["q"])[0], [])
        self.assertEqual([m[1] for m in c.poll(["r"])[0]], [reply])
        q = b.queue("q")
        self.assertEqual((q["held"], q["ready"]), (2, 0))
        listed = c.v1("/queues/q/messages")[1]["messages"]
        self.assertEqual([(m["id"], m["state"], m["reason"]) for m in listed],
                         [(i, "held", "from before the last reboot")
                          for i in old])
        new = c.publish("q", "new", "r")
        self.assertEqual([m[1] for m in c.poll(["q"])[0]], [new])
        # one is let go, to a poll that waits for it
        d = self.conn(b, "d")
        d.send(transfer(["q"], timeout=30, frm=old[0] - 1))
        self.assertEqual([m[1] for m in d.polled()[0]], [new])
        c.ack("q", new)
        d.send(transfer(["q"], timeout=30, frm=old[0] - 1))
        b.until_parked(1)
        status, _ = c.v1("/queues/q/messages/%d/release" % old[0], "POST")
        self.assertEqual(status, 200)
        self.assertEqual([m[1] for m in d.polled()[0]], [old[0]])
        for how in ("stop", "kill"):  # released stays released, held held
            b.restart(how)
            c = self.conn(b, "t")
            self.assertEqual([m[1] for m in c.poll(["q"])[0]], [old[0]])
        c.ack("q", old[1])  # a held one can be acknowledged
        self.assertEqual(b.queue("q")["held"], 0)

    def test_within_one_boot_nothing_is_held(self):
        b = self.broker()
        with b.conn("t") as c:
            c.create("q")
            i = c.publish("q", "x", "r")
        for how in ("stop", "kill"):
            b.restart(how)
            with b.conn("t") as c:
                self.assertEqual([m[1] for m in c.poll(["q"])[0]], [i])

    def test_an_operator_can_hold_and_release(self):
        b = self.broker()
        c = self.conn(b, "t")
        c.create("q")
        i = c.publish("q", "x", "r")
        base = "/queues/q/messages/%d/" % i
        self.assertEqual(c.v1(base + "hold", "POST")[0], 200)
        self.assertEqual(c.poll(["q"])[0], [])
        b.restart("kill")
        c = self.conn(b, "t")
        self.assertEqual(c.poll(["q"])[0], [])
        self.assertEqual(c.v1(base + "release", "POST")[0], 200)
        self.assertEqual([m[1] for m in c.poll(["q"])[0]], [i])
        self.assertEqual(c.v1("/queues/q/messages/999/hold", "POST")[0], 404)
        self.assertEqual(c.v1("/queues/no/messages/1/hold", "POST")[0], 404)


def code(reply):
    return (reply.status, reply.json()["error"]["code"],
            reply.json()["error"]["message"])


class Limits(Live):
    """Each at its bound, and one beyond."""

    def limited(self, *pairs):
        options = []
        for p in pairs:
            options += ["--set", p]
        return self.broker(*options)

    def refused(self, b, c, ask, status, name, more=1):
        before = b.counters()["refused"]
        self.assertEqual(code(c.ask(ask)),
                         (status, "limit", "limits.%s is reached" % name))
        self.assertEqual(b.counters()["refused"], before + more)
        self.assertEqual(c.ask(get("/list/none")).raw, answer("[]"))

    def test_queues(self):
        b = self.limited("limits.queues=3")
        c = self.conn(b, "t")
        for name in "abc":
            c.create(name)
        self.refused(b, c, get("/persistent/d"), 429, "queues")
        self.refused(b, c, get("/transient/d"), 429, "queues")
        self.assertEqual(c.v1("/queues/d", "PUT")[0], 429)
        c.create("a")  # one that is there
        c.destroy("a")
        c.create("d")

    def test_messages_of_a_queue(self):
        b = self.limited("limits.queue_messages=3")
        c = self.conn(b, "t")
        c.create("q")
        c.create("p")
        ids = [c.publish("q", "x", "r") for _ in range(3)]
        self.refused(b, c, post("/request/q/r", "x"), 429, "queue_messages")
        self.refused(b, c, post("/response/q/f/1", "x"), 429,
                     "queue_messages")
        c.publish("p", "x", "r")
        c.ack("q", ids[0])
        c.publish("q", "x", "r")

    def test_bytes_of_a_queue(self):
        b = self.limited("limits.queue_bytes=1K")
        c = self.conn(b, "t")
        c.create("q")
        c.publish("q", "x" * 1000, "r")
        self.refused(b, c, post("/request/q/r", "x" * 25), 429, "queue_bytes")
        c.publish("q", "x" * 24, "r")
        self.refused(b, c, post("/request/q/r", "x"), 429, "queue_bytes")
        c.publish("q", "", "r")

    def test_bytes_in_all(self):
        b = self.limited("limits.total_bytes=2K")
        c = self.conn(b, "t")
        for name in "ab":
            c.create(name)
            i = c.publish(name, "x" * 1024, "r")
        self.refused(b, c, post("/request/a/r", "x"), 507, "total_bytes")
        c.ack("b", i)
        c.publish("a", "x" * 1024, "r")

    def test_transient_queues_of_a_token(self):
        b = self.limited("limits.session_transient=2")
        c, d = self.conn(b, "t"), self.conn(b, "u")
        for name in "ab":
            c.create(name, transient=True)
        self.refused(b, c, get("/transient/c"), 429, "session_transient")
        d.create("c", transient=True)
        c.destroy("a")
        c.create("d", transient=True)

    def at_once(self, b, asks):
        """Requests that come in one turn, each on its own connection."""
        many = [self.conn(b, "t") for _ in asks]
        with stopped(b):
            for c, ask in zip(many, asks):
                c.send(ask)
        return [c.reply().status for c in many]

    @tap.table([
        ("queues", "limits.queues=4", 4,
         lambda k: get("/persistent/n%d" % k)),
        ("session_transient", "limits.session_transient=4", 4,
         lambda k: get("/transient/n%d" % k)),
        ("queue_messages", "limits.queue_messages=4", 4,
         lambda k: post("/request/q/r", "x")),
        ("queue_bytes", "limits.queue_bytes=1K", 4,
         lambda k: post("/request/q/r", "x" * 256)),
        ("total_bytes", "limits.total_bytes=1K", 4,
         lambda k: post("/request/q/r", "x" * 256))])
    def hold_for_what_comes_at_the_same_time(self, setting, most, ask):
        for inline in ("yes", "no"):
            b = self.limited(setting, "store.inline=" + inline)
            extra = setting.startswith("limits.queues=")
            with b.conn("maker") as c:
                c.create("q")
            got = self.at_once(b, [ask(k) for k in range(20)])
            self.assertEqual(got.count(200), most - extra,
                             "inline=%s: %s" % (inline, got))

    def test_queues_of_a_poll(self):
        b = self.limited("limits.poll_queues=3")
        c = self.conn(b, "t")
        self.assertEqual(c.ask(transfer(list("abc"))).status, 200)
        r = c.ask(transfer(list("abcd")))
        self.assertEqual(code(r), (413, "too_many_queues",
                                   "more than 3 queues in one poll"))
        self.assertEqual(c.ask(transfer(list("abc"))).status, 200)

    def test_time_of_a_poll(self):
        b = self.limited("limits.poll_time=1s")
        c = self.conn(b, "t")
        for ask in (transfer(["q"], timeout=1e308), get("/trace/9999999/1e9")):
            began = time.monotonic()
            self.assertEqual(c.ask(ask).status, 200)
            spent = time.monotonic() - began
            self.assertGreaterEqual(spent, 1.0)
            self.assertLess(spent, 3.0)

    def test_bytes_of_an_answer(self):
        b = self.limited("limits.transfer_bytes=1000")
        c = self.conn(b, "t")
        c.create("q")
        for n in (500, 500, 1, 2000, 10):
            c.publish("q", "x" * n, "r")
        frm, sizes = -1, []
        while True:
            got, frm = c.poll(["q"], frm=frm)
            if not got:
                break
            sizes.append([len(m[2]) for m in got])
        self.assertEqual(sizes, [[500, 500], [1], [2000], [10]])

    @tap.table([
        ("line", "line=300", lambda n: b"GET /" + b"x" * (n - 14) +
         b" HTTP/1.1\r\n\r\n", 300, 404, 414, "the first line is too long"),
        ("head", "head=600", lambda n: b"GET /x HTTP/1.1\r\na: " +
         b"x" * (n - 24) + b"\r\n\r\n", 600, 404, 431,
         "the header is too large"),
        ("fields", "fields=5", lambda n: b"GET /x HTTP/1.1\r\n" +
         b"a: b\r\n" * n + b"\r\n", 5, 404, 431,
         "the header has too many fields"),
        ("body", "body=1000", lambda n: post("/request/no/r", "x" * n), 1000,
         200, 413, "the body is too large"),
        ("body in chunks", "body=1000", lambda n: request(
            "POST", "/request/no/r", headers=[("content-length", None),
                                              ("transfer-encoding",
                                               "chunked")]) +
         b"1\r\nx\r\n%x\r\n" % (n - 1) + b"x" * (n - 1) + b"\r\n0\r\n\r\n",
         1000, 200, 413, "the body is too large"),
    ])
    def of_a_request(self, setting, make, bound, status, beyond, why):
        b = self.limited("limits." + setting)
        c = self.conn(b, "t")
        self.assertEqual(c.ask(make(bound)).status, status)
        c.send(make(bound + 1) + get("/list/"))
        r = c.reply()
        self.assertEqual(code(r), (beyond, "bad_request", why))
        self.assertIn((b"connection", b"close"), r.fields())
        self.assertEqual(c.rest(), b"")

    def test_a_body_too_large_is_refused_before_it_comes(self):
        b = self.limited("limits.body=1M")
        c = self.conn(b, "t")
        c.send(b"POST /request/q/r HTTP/1.1\r\ncontent-length: 1048577\r\n\r\n")
        self.assertEqual(c.reply().status, 413)
        self.assertEqual(c.rest(), b"")

    def test_connections(self):
        b = self.limited("limits.connections=5")
        there = [self.conn(b, "t") for _ in range(5)]
        sixth = self.conn(b)
        r = sixth.reply()
        self.assertEqual(code(r), (503, "too_many_connections",
                                   "limits.connections is reached"))
        self.assertEqual(sixth.rest(), b"")
        for c in there:
            self.assertEqual(c.ask(get("/list/")).status, 200)
        there.pop().close()
        until(lambda: there[0].v1("/status")[1]["connections"] == 4,
              "a connection is gone")
        self.conn(b, "t")
        self.assertEqual(there[0].v1("/status")[1]["counters"]["turned_away"],
                         1)

    def as_user(self, path, n):
        """What n connections of an ordinary user get, when there are that many
        at the same time: statuses."""
        def tries():
            out, open_ones = [], []
            for _ in range(n):
                c = Conn(path)
                open_ones.append(c)
                with contextlib.suppress(BrokenPipeError):
                    c.send(get("/login/t"))  # it may be turned away already
                out.append(c.reply().status)
            return out
        if os.geteuid() != 0:
            return tries()
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                os.write(write, json.dumps(tries()).encode())
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read) as f:
            text = f.read()
        os.waitpid(pid, 0)
        return json.loads(text)

    def test_connections_of_a_user(self):
        b = self.broker("--set", "limits.connections_per_uid=5", "--set",
                        "server.mode=666", start=False)
        os.chmod(b.folder, 0o755)
        b.spawn()
        until(lambda: os.path.exists(b.socket) and
              "serves" in b.read_log(), "it serves")
        self.assertEqual(self.as_user(b.socket, 7), [200] * 5 + [503] * 2)
        if os.geteuid() == 0:  # the first user's are not counted
            for _ in range(9):
                self.conn(b, "t")

    def test_bytes_read_ahead_of_a_parked_request(self):
        b = self.limited("limits.pipeline=4K")
        c = self.conn(b, "t")
        c.send(transfer(["q"], timeout=30))
        b.until_parked(1)
        c.sock.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 32 << 20:
                sent += c.sock.send(get("/list/") * 50)
        c.sock.setblocking(True)
        until(lambda: unread(c.sock) > 0 and
              unread(c.sock) == (time.sleep(0.05), unread(c.sock))[1],
              "the broker stops reading")
        self.assertLess(sent, 8 << 20)  # the socket's buffers, not memory
        self.assertLess(b.rss_kib(), memory(64 << 10))
        self.assertEqual(b.status()["parked"], 1)

    def test_depth_of_json(self):
        b = self.broker()
        c = self.conn(b, "t")
        for deep, status in ((127, 200), (128, 400)):
            body = '{"x":%s%s,"timeout":0,"queues":[]}' % ("[" * deep,
                                                           "]" * deep)
            self.assertEqual(c.ask(post("/transfer", body)).status, status,
                             deep)

    def test_trace_entries(self):
        b = self.limited("recorder.trace_entries=3")
        c = self.conn(b, "t")
        c.create("q")
        ids = [c.publish("q", "%d" % k, "r") for k in range(5)]
        events = c.ok(get("/trace")).json()["events"]
        self.assertEqual([e[1]["message"][1][1] for e in events], ids[2:])

    # ---- slow requests ----

    def slow(self, *pieces):
        b = self.limited("limits.head_time=200ms", "limits.body_rate=100K")
        c = self.conn(b, "t")
        began = time.monotonic()
        c.send(*pieces)
        r = c.reply()
        self.assertEqual(code(r), (408, "bad_request",
                                   "the request did not come in time"))
        self.assertEqual(c.rest(), b"")
        spent = time.monotonic() - began
        self.assertGreaterEqual(spent, 0.19)
        self.assertLess(spent, 2.0)
        self.assertEqual(b.counters()["slow_requests"], 1)
        return b

    @tap.table([
        ("one byte", [b"G"]), ("half a line", [b"GET /li"]),
        ("no end of the head", [b"GET /list/ HTTP/1.1\r\nhost: x\r\n"]),
        ("after some of another", [get("/none")[:40]]),
        ("a body of which half comes", [
            b"POST /request/q/r HTTP/1.1\r\ncontent-length: 10\r\n\r\nhello"]),
        ("a chunk that does not end", [
            b"POST /request/q/r HTTP/1.1\r\ntransfer-encoding: chunked\r\n"
            b"\r\n5\r\nhel"])])
    def a_slow_request_is_given_up(self, pieces):
        self.slow(*pieces)

    def test_dribbling_does_not_help(self):
        b = self.limited("limits.head_time=300ms")
        c = self.conn(b, "t")
        began = time.monotonic()
        c.sock.setblocking(False)
        raw = b""
        while time.monotonic() - began < 5 and not raw:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                c.sock.send(b"x")
            time.sleep(0.01)  # the pace of the attack
            with contextlib.suppress(BlockingIOError):
                raw = c.sock.recv(4096)
        self.assertTrue(raw.startswith(b"HTTP/1.1 408 "), raw)
        self.assertLess(time.monotonic() - began, 2)

    def test_a_large_body_gets_more_time(self):
        b = self.limited("limits.head_time=100ms", "limits.body_rate=1000")
        c = self.conn(b, "t")
        c.create("q")
        size = 3000
        c.send(b"POST /request/q/r HTTP/1.1\r\ncontent-length: %d\r\n\r\n" %
               size)
        began = time.monotonic()
        for _ in range(3):  # 5,000 bytes a second: over 0.1 s, and in time
            c.send(b"x" * (size // 3))
            while unread(c.sock):
                pass
            time.sleep(0.2)  # the pace of the sender
        self.assertGreater(time.monotonic() - began, 0.3)
        self.assertEqual(c.reply().status, 200)

    def test_idle_and_parked_connections_have_all_time(self):
        b = self.limited("limits.head_time=100ms")
        c, d = self.conn(b, "t"), self.conn(b, "u")
        d.send(transfer(["q"], timeout=30) + b"GET /li")
        b.until_parked(1)
        other = self.conn(b, "v")
        other.poll(["none"], 0.5)
        self.assertEqual(c.ask(get("/list/")).status, 200)
        other.create("q")
        other.publish("q", "x", "r")
        self.assertEqual(len(d.polled()[0]), 1)
        d.send(b"st/ HTTP/1.1\r\n\r\n")
        self.assertEqual(d.reply().status, 200)


def sql(*text):
    def write(path):
        with contextlib.closing(sqlite3.connect(path)) as db:
            for t in text:
                db.execute(t)
            db.commit()
    return write


def data(content):
    def write(path):
        with open(path, "wb") as f:
            f.write(content)
    return write


def real(*text):
    """One of ours, changed afterwards."""
    def write(path):
        with Broker() as b:
            with b.conn("t") as c:
                c.create("q")
                c.publish("q", "x", "r")
            b.stop()
            shutil.copy(os.path.join(b.state, "switch.db"), path)
        sql(*text)(path)
    return write


class Starting(Live):
    """What can be wrong at the start: one line, and a status that says what."""

    def one_line(self, status, *options, want="", **kw):
        got, out, err = run(*options, **kw)
        self.assertEqual((got, out), (status, ""), err)
        # a build that counts coverage says where it may not write counters
        lines = [line for line in err.splitlines()
                 if not line.startswith("profiling:")]
        self.assertEqual(len(lines), 1, err)
        self.assertIn(want, err)
        return err

    def folder(self):
        path = tempfile.mkdtemp(prefix="xmsg-")
        self.addCleanup(shutil.rmtree, path, True)
        return path

    def paths(self):
        f = self.folder()
        return ["--socket", f + "/sock", "--state", f + "/state"]

    def test_a_live_socket_is_not_stolen(self):
        b = self.broker()
        c = self.conn(b, "t")
        self.one_line(69, "--socket", b.socket, "--state",
                      self.folder() + "/s", want=b.socket)
        self.assertEqual(c.ask(get("/list/")).status, 200)
        self.assertEqual(self.conn(b, "u").ask(get("/list/")).status, 200)
        self.assertEqual(b.stop(), 0)
        self.assertFalse(os.path.exists(b.socket))

    def test_a_stopped_broker_keeps_its_socket(self):
        b = self.broker()
        with stopped(b):
            self.one_line(69, "--socket", b.socket, "--state",
                          self.folder() + "/s", want=b.socket)
        self.assertEqual(self.conn(b, "t").ask(get("/list/")).status, 200)

    def test_a_socket_whose_owner_is_stuck_is_not_stolen(self):
        f = self.folder()
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(f + "/sock")
            s.listen(0)
            waiting = []
            with contextlib.suppress(BlockingIOError):
                while True:  # until its backlog is full
                    c = socket.socket(socket.AF_UNIX)
                    self.addCleanup(c.close)
                    c.setblocking(False)
                    c.connect(f + "/sock")
                    waiting.append(c)
            self.one_line(69, "--socket", f + "/sock", "--state", f + "/st",
                          want=f + "/sock")
            self.assertTrue(stat.S_ISSOCK(os.stat(f + "/sock").st_mode))

    def test_a_stale_socket_is_replaced(self):
        b = self.broker()
        b.kill()
        self.assertTrue(os.path.exists(b.socket))
        b.start()
        with socket.socket(socket.AF_UNIX) as s:
            os.unlink(b.socket)
            b.kill()
            s.bind(b.socket)  # never listened on
        b.start()

    def test_a_socket_of_a_start_that_was_killed_is_replaced(self):
        """Bound, and not opened up yet: an ordinary user cannot even try to
        connect to it."""
        f = self.folder()
        old = os.umask(0o777)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(f + "/sock")
        os.umask(old)
        drop, binary = self.ordinary(f, f + "/sock")
        with open(f + "/log", "wb") as log:
            p = subprocess.Popen([binary, "--socket", f + "/sock", "--state",
                                  f + "/state"], stdin=subprocess.DEVNULL,
                                 stderr=log, preexec_fn=drop)
        self.addCleanup(lambda: (p.kill(), p.wait()))

        def serves():
            try:
                return stat.S_IMODE(os.stat(f + "/sock").st_mode) == 0o660
            except FileNotFoundError:  # removed, not bound again yet
                return False
        until(lambda: p.poll() is not None or serves(), "it serves")
        p.terminate()
        with open(f + "/log") as log:
            self.assertEqual(p.wait(), 0, log.read())

    def ordinary(self, *paths):
        """What makes the broker run as an ordinary user: (preexec, program);
        the paths become that user's, the first is a folder for the program."""
        if os.geteuid() != 0:
            return None, program()

        def drop():
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        binary = shutil.copy(program(), paths[0] + "/xmsgd")
        os.chmod(binary, 0o755)
        for path in paths:
            os.chown(path, NOBODY, NOBODY)
        return drop, binary

    def test_a_file_in_place_of_the_socket_is_left_alone(self):
        f = self.folder()
        with open(f + "/sock", "w") as out:
            out.write("precious")
        self.one_line(73, "--socket", f + "/sock", "--state", f + "/st",
                      want=f + "/sock")
        with open(f + "/sock") as out:
            self.assertEqual(out.read(), "precious")

    @tap.table([
        ("no folder", lambda f: f + "/no/sock", ["/no/sock", "folder"]),
        ("too long", lambda f: f + "/" + "x" * 120, ["at most 107"]),
        ("empty", lambda f: "", ["empty"])])
    def a_socket_that_cannot_be(self, path, words):
        f = self.folder()
        err = self.one_line(73, "--socket", path(f), "--state", f + "/st")
        for w in words:
            self.assertIn(w, err)

    def test_a_state_folder_has_one_broker(self):
        b = self.broker()
        f = self.folder()
        self.one_line(69, "--socket", f + "/sock", "--state", b.state,
                      want=b.state)
        self.assertFalse(os.path.exists(f + "/sock"))
        self.assertEqual(self.conn(b, "t").ask(get("/list/")).status, 200)

    def test_modes_are_private(self):
        b = self.broker()
        for path, mode in ((b.state, 0o700), (b.socket, 0o660)):
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode, path)
        for name in os.listdir(b.state):
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(
                b.state, name)).st_mode) & 0o077, 0, name)

    def database(self, write):
        """A state folder with a database that write(path) made."""
        f = self.folder()
        os.mkdir(f + "/state", 0o700)
        write(f + "/state/switch.db")
        return f

    @tap.table([
        ("garbage", data(os.urandom(20000)), ["move it"]),
        ("a text", data(b"hello, I am no database\n" * 100), ["move it"]),
        ("a database of another program",
         sql("CREATE TABLE t (x)", "PRAGMA application_id=77"),
         ["another program"]),
        ("a database without an application",
         sql("CREATE TABLE t (x)"), ["another program"]),
        ("a newer format", real("PRAGMA user_version=99"),
         ["format 99", "newer"]),
        ("format 0 of ours", real("PRAGMA user_version=0"), ["format 0"]),
        ("an empty table meta", real("DELETE FROM meta"), ["meta"]),
        ("a missing table", real("DROP TABLE queue"), ["queue"]),
        ("a folder", os.mkdir, ["switch.db"]),
        ("a symbolic link", lambda p: os.symlink("/dev/null", p),
         ["switch.db"]),
    ])
    def a_database_that_is_not_ours_to_use(self, write, words):
        f = self.database(write)
        path = f + "/state/switch.db"
        before = None
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as h:
                before = h.read()
        err = self.one_line(74, "--socket", f + "/sock", "--state",
                            f + "/state", want="switch.db")
        for w in words:
            self.assertIn(w, err)
        self.assertFalse(os.path.exists(f + "/sock"))
        if before is not None:
            with open(path, "rb") as h:
                self.assertEqual(h.read(), before, "it is untouched")

    def test_an_empty_file_becomes_a_database(self):
        f = self.database(lambda p: open(p, "w").close())
        b = self.broker(start=False)
        b.state = f + "/state"
        b.start()
        self.conn(b, "t").create("q")

    def test_a_database_that_cannot_be_read(self):
        f = self.database(lambda p: open(p, "w").close())
        os.chmod(f + "/state/switch.db", 0)
        drop, binary = self.ordinary(f, f + "/state", f + "/state/switch.db")
        self.one_line(74, "--socket", f + "/sock", "--state", f + "/state",
                      want="switch.db", name=binary, preexec_fn=drop)

    @tap.table([
        ("below a file", lambda f: f + "/file/state"),
        ("a file", lambda f: f + "/file"),
        ("where nothing can be made", lambda f: "/proc/state"),
        ("its folder is missing", lambda f: f + "/no/state")])
    def a_state_folder_that_cannot_be(self, path):
        f = self.folder()
        open(f + "/file", "w").close()
        self.one_line(73, "--socket", f + "/sock", "--state", path(f),
                      want=path(f))
        self.assertFalse(os.path.exists(f + "/sock"))

    def test_a_state_folder_that_is_not_writable(self):
        f = self.folder()
        os.mkdir(f + "/state", 0o500)
        drop, binary = self.ordinary(f, f + "/state")
        self.one_line(73, "--socket", f + "/sock", "--state", f + "/state",
                      want=f + "/state", name=binary, preexec_fn=drop)

    def test_no_room_at_the_start(self):
        """The recorder's file is made whole at the start, or not at all."""
        f = self.folder()
        err = self.one_line(74, "--socket", f + "/sock", "--state",
                            f + "/state", "--set", "recorder.size=1G",
                            want="recorder.size", preexec_fn=lambda: (
                                signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                resource.setrlimit(resource.RLIMIT_FSIZE,
                                                   (1 << 20, 1 << 20))),
                            restore_signals=False)
        self.assertIn("free space", err)

    # ---- settings and options ----

    @tap.table([
        ("unknown setting", ["--set", "limits.bodies=1"], "limits.bodies"),
        ("unknown section", ["--set", "limit.body=1"], "limit.body"),
        ("not a size", ["--set", "limits.body=big"], "limits.body"),
        ("below its range", ["--set", "limits.body=0"], "limits.body"),
        ("above its range", ["--set", "limits.body=2G"], "limits.body"),
        ("negative", ["--set", "limits.queues=-1"], "limits.queues"),
        ("not a time", ["--set", "queues.grace=soon"], "queues.grace"),
        ("not a word of yes", ["--set", "queues.one_reply=maybe"],
         "queues.one_reply"),
        ("not a level", ["--log-level", "loud"], "log_level"),
        ("no such file", ["--config", "/nonexistent/xmsg.conf"],
         "/nonexistent/xmsg.conf"),
        ("a mode that is not octal", ["--set", "server.mode=688"],
         "server.mode"),
        ("no such group", ["--set", "server.group=no-such-group-here"],
         "server.group"),
    ])
    def bad_settings(self, options, word):
        self.one_line(78, *(self.paths() + options), want=word)

    @tap.table([
        ("unknown name", "[limits]\nbodies = 1\n", ":2"),
        ("no section", "body = 1\n", ":1"),
        ("no value", "[limits]\n\n# x\nbody\n", ":4"),
        ("bad value", "[limits]\nqueues = 1\nbody = x\n", ":3")])
    def a_bad_file_is_told_with_its_line(self, text, where):
        f = self.folder()
        with open(f + "/conf", "w") as out:
            out.write(text)
        self.one_line(78, "--config", f + "/conf", *self.paths(),
                      want=f + "/conf" + where)
        self.one_line(78, "--check-config", "--config", f + "/conf",
                      want=f + "/conf" + where)

    @tap.table([
        ("unknown option", ["--frobnicate"]), ("no argument", ["--socket"]),
        ("set without a value", ["--set", "limits.body"]),
        ("an argument", ["here"]), ("a short one", ["-Z"])])
    def usage(self, options):
        status, out, err = run(*options)
        self.assertEqual((status, out), (64, ""))
        self.assertIn("xmsgd", err)

    def test_help_version_and_settings(self):
        for option, word in (("--help", "--socket"), ("--version", "xmsgd "),
                             ("--print-config", "[limits]"),
                             ("--check-config", "")):
            status, out, err = run(option)
            self.assertEqual((status, err), (0, ""), option)
            self.assertIn(word, out)

    def test_printed_settings_can_be_read_back(self):
        f = self.folder()
        _, out, _ = run("--print-config", "--set", "limits.body=4M", "--set",
                        "queues.grace=1500ms")
        with open(f + "/conf", "w") as h:
            h.write(out)
        status, again, err = run("--print-config", "--config", f + "/conf")
        self.assertEqual((status, err, again), (0, "", out))

    def test_options_win_over_the_file(self):
        f = self.folder()
        with open(f + "/conf", "w") as h:
            h.write("[limits]\nqueues = 1\nqueue_messages = 1\n")
        b = self.broker("--config", f + "/conf", "--set", "limits.queues=2")
        c = self.conn(b, "t")
        c.create("a")
        c.create("b")
        self.assertEqual(c.ask(get("/persistent/c")).status, 429)
        c.publish("a", "x", "r")
        self.assertEqual(c.ask(post("/request/a/r", "x")).status, 429)


class Serving(Live):
    """As a service: signals, files, sockets handed over."""

    def test_sigterm_ends_with_0_and_removes_the_socket(self):
        for sig in (signal.SIGTERM, signal.SIGINT):
            b = self.broker()
            parked = self.conn(b, "t")
            parked.send(transfer(["q"], timeout=30))
            b.until_parked(1)
            b.signal(sig)
            self.assertEqual(b.wait(), 0)
            self.assertEqual(parked.rest(), b"")
            self.assertFalse(os.path.exists(b.socket))

    def test_sigterm_answers_what_is_on_its_way_to_the_disk(self):
        b = self.broker(start=False)
        b.start()
        with b.conn("t") as c:
            c.create("q")
        b.stop()
        env = dict(killat(), XMSG_SLOW_SYNC_MS="150")
        b.start(env=env)
        many = [self.conn(b, "t%d" % k) for k in range(6)]
        for c in many:
            c.send(post("/request/q/r", "x"))
        until(lambda: all(unread(c.sock) == 0 for c in many),
              "the broker has read them", pause=0)
        b.signal(signal.SIGTERM)
        ids = [c.reply().json()[0][1] for c in many]
        self.assertEqual([c.rest() for c in many], [b""] * 6)
        self.assertEqual(b.wait(), 0)
        b.start()
        with b.conn("t") as c:
            self.assertEqual([m[1] for m in everything(c, ["q"])[0]],
                             sorted(ids))

    def test_sigterm_amid_requests_loses_nothing_acknowledged(self):
        for round in range(5):
            b = self.broker("--set", "store.inline=%s" % (
                "yes" if round % 2 else "no"))
            many = [self.conn(b, "t%d" % k) for k in range(20)]
            many[0].create("q")
            with stopped(b):
                for c in many:
                    c.send(post("/request/q/r", "x"))
                b.signal(signal.SIGTERM)
            acked = []
            for c in many:
                with contextlib.suppress(Closed):
                    acked.append(c.reply().json()[0][1])
            self.assertEqual(b.wait(), 0)
            b.start()
            with b.conn("t") as c:
                there = [m[1] for m in everything(c, ["q"])[0]]
            self.assertEqual(there, sorted(set(there)))
            self.assertLessEqual(set(acked), set(there))

    def test_sighup_reads_the_settings_again(self):
        b = self.broker(start=False)
        path = b.folder + "/conf"

        def write(text):
            with open(path, "w") as f:
                f.write(text)

        def reload(word, n):
            b.signal(signal.SIGHUP)
            until(lambda: b.read_log().count(word) == n, word)
        b.options = ["--config", path, "--set", "limits.queue_messages=2"]
        write("[limits]\nqueues = 1\n")
        b.start()
        c = self.conn(b, "t")
        c.create("a")
        self.assertEqual(c.ask(get("/persistent/b")).status, 429)
        write("[limits]\nqueues = 2\nqueue_messages = 50\npipeline = 9K\n"
              "[server]\nlog_level = debug\n")
        reload("settings read again", 1)
        c.create("b")
        for _ in range(2):
            c.publish("a", "x", "r")
        self.assertEqual(c.ask(post("/request/a/r", "x")).status, 429)
        self.assertIn("limits.pipeline changed: it takes effect at the next",
                      b.read_log())
        write("[limits]\nqueues = many\n")
        reload("settings not changed", 1)
        self.assertIn(path + ":2", b.read_log())
        self.assertEqual(c.ask(get("/persistent/c")).status, 429)
        os.unlink(path)
        reload("settings not changed", 2)
        write("[server]\nlog_level = warn\n")
        reload("settings read again", 1)  # the second one is not logged
        self.assertEqual(b.stop(), 0)

    def test_many_reloads(self):
        b = self.broker(start=False)
        path = b.folder + "/conf"
        b.options = ["--config", path]
        levels = ["info", "debug"]
        for k in range(20):
            with open(path, "w") as f:
                f.write("[server]\nlog_level = %s\n" % levels[k % 2])
            if k == 0:
                b.start()
            else:
                b.signal(signal.SIGHUP)
                until(lambda: b.read_log().count("read again") == k, "reload")
        self.assertEqual(b.stop(), 0, b.read_log())

    def test_pidfile(self):
        b = self.broker(start=False)
        path = b.folder + "/pid"
        b.options = ["--pidfile", path]
        b.start()
        with open(path) as f:
            self.assertEqual(f.read(), "%d\n" % b.process.pid)
        self.assertEqual(b.stop(), 0)
        self.assertFalse(os.path.exists(path))

    def test_a_refused_start_leaves_the_pidfile_of_the_other(self):
        b = self.broker(start=False)
        path = b.folder + "/pid"
        b.options = ["--pidfile", path]
        b.start()
        self.assertEqual(run(*b.command()[1:])[0], 69)
        with open(path) as f:
            self.assertEqual(f.read(), "%d\n" % b.process.pid)

    def test_a_socket_handed_over(self):
        b = self.broker(start=False)
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(b.socket)
        listener.listen(5)
        early = self.conn(b)
        early.send(get("/login/t"))  # before there is a broker
        self.hand_over(b, listener)
        self.assertEqual(early.reply().raw, answer())
        self.assertEqual(self.conn(b, "u").ask(get("/list/")).raw,
                         answer("[]"))
        self.assertEqual(b.stop(), 0)
        self.assertTrue(os.path.exists(b.socket), "it is not ours to remove")

    def hand_over(self, b, listener):
        """Start b with the listener as descriptor 3, as systemd does."""
        b.wrapper = ["sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh"]
        env = dict(b.env, LISTEN_FDS="1")
        fd = listener.fileno()
        with open(b.log, "ab") as log:
            b.process = subprocess.Popen(
                b.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=env, close_fds=False, preexec_fn=lambda: (
                    os.dup2(fd, 3), os.set_inheritable(3, True)))

    def test_readiness_is_told(self):
        b = self.broker(start=False)
        path = b.folder + "/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            s.settimeout(20)
            b.spawn(env={"NOTIFY_SOCKET": path})
            self.assertEqual(s.recv(4096), b"READY=1")
            self.assertEqual(self.conn(b, "t").ask(get("/list/")).raw,
                             answer("[]"))
            self.assertEqual(b.stop(), 0)
            self.assertEqual(s.recv(4096), b"STOPPING=1")

    def daemon(self, b, *more, **kw):
        """Start it as a daemon; (status, output) of what came back."""
        got = run(*(b.command()[1:] + ["--daemon"] + list(more)), **kw)
        return got

    def end_daemon(self, pid):
        def gone():
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return True
            with open("/proc/%d/stat" % pid) as f:  # nobody's child here
                return f.read().rsplit(")", 1)[1].split()[0] == "Z"
        os.kill(pid, signal.SIGTERM)
        until(gone, "the daemon ends")

    def test_daemon(self):
        """The caller returns when it serves, with the pidfile written and
        nothing of the caller's held open."""
        b = self.broker(start=False)
        for _ in range(5):
            status, _, err = self.daemon(b, "--pidfile", b.folder + "/pid")
            self.assertEqual(status, 0, err)
            with open(b.folder + "/pid") as f:
                pid = int(f.read())
            try:
                self.assertEqual(self.conn(b, "t").ask(get("/list/")).status,
                                 200)
                self.assertEqual(os.getsid(pid), pid)
                self.assertNotEqual(os.getppid(), pid)
            finally:
                self.end_daemon(pid)

    def test_a_daemon_that_cannot_start_says_so(self):
        b = self.broker()
        status, _, err = self.daemon(b)
        self.assertEqual(status, 69)
        self.assertEqual(len(err.splitlines()), 1, err)

    def old_name(self):
        f = tempfile.mkdtemp(prefix="xmsg-")
        self.addCleanup(shutil.rmtree, f, True)
        os.symlink(program(), f + "/message-switch")
        return f

    def start_old(self, f, *options):
        with open(f + "/log", "wb") as log:
            p = subprocess.Popen([f + "/message-switch"] + list(options),
                                 stdin=subprocess.DEVNULL, stderr=log)
        self.addCleanup(lambda: (p.kill(), p.wait()))
        return p

    def test_message_switch_takes_the_old_options(self):
        f = self.old_name()
        p = self.start_old(f, "--path", f + "/sock", "--pidfile", f + "/pid",
                           "--statedir", f + "/st", "--trace-entries", "16",
                           "--trace-truncate", "256")
        until(lambda: os.path.exists(f + "/pid"), "the pidfile is there")
        with Conn(f + "/sock", token="t") as c:
            self.assertEqual(c.list(), [])
        self.assertTrue(os.path.exists(f + "/st/switch.db"))
        p.terminate()
        self.assertEqual(p.wait(), 0)

    @tap.table([
        ("plain", "((path %(f)s/sock)(pidfile %(f)s/pid)(statedir %(f)s/st))"),
        ("options in parentheses",
         "((path %(f)s/sock)\n (pidfile (%(f)s/pid))\n"
         " (statedir (%(f)s/st)))\n"),
        ("quoted", '((path "%(f)s/sock") (pidfile ("%(f)s/pid"))'
         '(statedir ("%(f)s/st")))'),
        ("with what we do not know", "((daemonize false)(path %(f)s/sock)"
         "(pidfile (%(f)s/pid))(port 8080)(configfile ())"
         "(statedir (%(f)s/st)))")])
    def message_switch_reads_the_old_file(self, text):
        f = self.old_name()
        with open(f + "/conf", "w") as out:
            out.write(text % {"f": f})
        p = self.start_old(f, "--config", f + "/conf")
        until(lambda: os.path.exists(f + "/pid"), "the pidfile is there")
        with Conn(f + "/sock", token="t") as c:
            self.assertEqual(c.list(), [])
        self.assertTrue(os.path.exists(f + "/st/switch.db"))
        p.terminate()
        self.assertEqual(p.wait(), 0)

    def test_message_switch_refuses_another_file(self):
        f = self.old_name()
        with open(f + "/conf", "w") as out:
            out.write("[server]\nsocket = /x\n")
        status, _, err = run("--config", f + "/conf",
                             name=f + "/message-switch")
        self.assertEqual(status, 78)
        self.assertEqual(len(err.splitlines()), 1, err)

    def test_the_recorder_survives_kill(self):
        b = self.broker()
        with b.conn("cli") as c:
            c.create("q")
            ids = [c.publish("q", "p%d" % k, "r") for k in range(50)]
            before = c.v1("/events?after=-1")[1]["events"]
        b.restart("kill")
        with b.conn() as c:
            after = c.v1("/events?after=-1")[1]["events"]
        self.assertEqual(after[:len(before)], before)
        published = [e for e in after if e["type"] == "publish"]
        self.assertEqual([e["id"] for e in published], ids)
        self.assertEqual([e["text"] for e in published],
                         ["p%d" % k for k in range(50)])
        seqs = [e["seq"] for e in after]
        self.assertEqual(seqs, list(range(seqs[0], seqs[0] + len(seqs))))
        starts = [e for e in after if e["type"] == "start"]
        self.assertEqual(len(starts), 2)

    def test_a_damaged_recorder_begins_anew(self):
        b = self.broker()
        b.kill()
        with open(b.state + "/recorder.ring", "r+b") as f:
            f.write(os.urandom(65536))
        b.start()
        with b.conn("t") as c:
            c.create("q")
            self.assertEqual(c.ok(get("/trace")).status, 200)
            types = [e["type"] for e in c.v1("/events?after=-1")[1]["events"]]
        self.assertIn("create", types)


class Scarce(Live):
    """No descriptors, no room."""

    def test_out_of_descriptors_it_does_not_spin(self):
        limit = 64
        b = self.broker(preexec=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (limit, limit)))
        c = self.conn(b, "t")
        c.create("q")
        many = []
        for _ in range(200):
            s = socket.socket(socket.AF_UNIX)
            self.addCleanup(s.close)
            s.connect(b.socket)
            many.append(s)
        until(lambda: "descriptors" in b.read_log(), "it says so")
        cpu, began = b.cpu_seconds(), time.monotonic()
        served = 0
        while time.monotonic() - began < 2:  # those who are in are served
            c.publish("q", "x", "r")
            c.poll(["none"], 0.02)
            served += 1
        spent = b.cpu_seconds() - cpu
        self.assertGreater(served, 20)
        self.assertLess(spent, 0.5, "CPU seconds in two")
        cpu, began = b.cpu_seconds(), time.monotonic()
        c.poll(["none"], 2)  # and with nobody to serve it rests
        idle = (b.cpu_seconds() - cpu) / (time.monotonic() - began)
        self.assertLess(idle, 0.05, "of a core")
        self.assertLess(b.read_log().count("descriptors"), 20)
        for s in many:
            s.close()
        began = time.monotonic()

        def serves():
            """Not turned away because of those that are not gone yet."""
            try:
                with b.conn("u") as d:
                    return len(d.list()) == 1
            except (Closed, ConnectionError, Refused):
                return False
        until(serves, "it serves again")
        took = time.monotonic() - began
        print("# out of descriptors: %.1f %% of a core; served %.0f ms after"
              " there were some" % (100 * idle, 1000 * took))
        self.assertLess(took, 5)  # on a busy machine; the goal is 0.1
        until(lambda: b.status()["connections"] <= 2, "the others are gone")

    def mount(self):
        """A wrapper that gives the broker a small file system of its own, as
        any user; the folder that it is on."""
        f = tempfile.mkdtemp(prefix="xmsg-")
        self.addCleanup(shutil.rmtree, f, True)
        how = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        script = ('mount -t tmpfs -o size=$0,mode=700 xmsg "$1" || exit 99; '
                  'shift; exec "$@"')
        def wrap(size):
            return how + ["sh", "-c", script, size, f]
        probe = subprocess.run(wrap("1m") + ["true"], stderr=subprocess.PIPE)
        return f, wrap if probe.returncode == 0 else None

    def test_a_full_disk(self):
        """Sends are refused, all else goes on, and nothing is lost; when there
        is room again they are taken again.  Without the right to mount, the
        size of files is limited instead."""
        f, wrap = self.mount()
        if wrap is None:
            self.full_by_file_size()
            return
        b = self.broker("--set", "recorder.size=1M", start=False)
        b.state = f + "/state"
        b.wrapper = wrap("16m")
        b.start()
        inside = "/proc/%d/root%s/" % (b.process.pid, f)
        c = self.conn(b, "t")
        c.create("q")
        c.create("r")
        kept = [c.publish("q", "x" * 4000, "r") for _ in range(200)]
        with open(inside + "fill", "wb", buffering=0) as fill:
            with contextlib.suppress(OSError):
                while True:
                    fill.write(b"x" * 65536)
            with contextlib.suppress(OSError):
                while True:
                    fill.write(b"x" * 512)
        refused = 0
        began = time.monotonic()
        while refused < 20 and len(kept) < 20000:
            r = c.ask(post("/request/q/r", "x" * 4000))
            if r.status == 200:
                kept.append(r.json()[0][1])
                continue
            self.assertEqual(code(r)[:2], (507, "disk_full"))
            refused += 1
        self.assertEqual(refused, 20)
        got, _ = everything(c, ["q"])
        self.assertEqual([m[1] for m in got], kept)
        for i in kept[:150]:  # deleting works
            c.ack("q", i)
        c.destroy("r")
        del kept[:150]
        os.unlink(inside + "fill")

        def taken():
            r = c.ask(post("/request/q/r", "again"))
            if r.status == 200:
                kept.append(r.json()[0][1])
            return r.status == 200
        until(taken, "sends are taken again", pause=0.02)
        self.assertEqual([m[1] for m in everything(c, ["q"])[0]], kept)
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(c.list(), ["q"])
        c.close()
        self.assertEqual(b.stop(), 0, b.read_log())

    def full_by_file_size(self):
        """No room for the reserve: as on a full disk, sends are refused, and
        what is there can be looked at and taken away."""
        b = self.broker("--set", "recorder.size=1M")
        c = self.conn(b, "t")
        c.create("q")
        kept = [c.publish("q", "x" * 4000, "r") for _ in range(50)]
        self.assertEqual(b.stop(), 0)
        os.unlink(b.state + "/switch.db.reserve")
        b.preexec = lambda: (
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
            resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20)))
        b.start(restore_signals=False)
        c = self.conn(b, "t")
        self.assertEqual(code(c.ask(post("/request/q/r", "x")))[:2],
                         (507, "disk_full"))
        self.assertEqual([m[1] for m in everything(c, ["q"])[0]], kept)
        for i in kept:
            c.ack("q", i)
        self.assertEqual(c.poll(["q"])[0], [])

    def test_no_room_for_the_reserve(self):
        self.full_by_file_size()

    def test_a_full_disk_at_the_start(self):
        f, wrap = self.mount()
        if wrap is None:
            self.skipTest("no right to mount: see no_room_at_the_start")
        b = self.broker(start=False)
        b.state = f + "/state"
        b.wrapper = wrap("300k")
        b.spawn()
        self.assertEqual(b.wait(), 74)
        lines = b.read_log().splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("free space", lines[0])


if __name__ == "__main__":
    tap.main()
