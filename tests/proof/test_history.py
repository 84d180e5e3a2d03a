#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Many clients at once, a broker that is killed again and again, and what the
clients saw: history.py says whether queues could have behaved like that
(promises R2, R3, R4, R6, R7).  XMSG_FULL=1: a million operations."""
import collections
import multiprocessing
import multiprocessing.connection
import os
import random
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
import tap  # noqa: E402
from broker import Broker, Closed, Conn, post, sanitizers  # noqa: E402
from history import Ack, Poll, Reply, Send, check  # noqa: E402

FULL = os.environ.get("XMSG_FULL") == "1"
SEED = int(os.environ.get("XMSG_SEED") or random.SystemRandom().getrandbits(32))
ROUNDS = 27 if FULL else 1
OPS = 50000 if FULL else 4000 if sanitizers() else 12000  # of a round
LIVES = 30 if FULL else 12  # of the broker, in a round
QUEUES = 3
SENDERS, CONSUMERS = 2, 4
WHOLE = 900000  # bytes in an answer below which it was not cut
PATIENCE = 60

BROKER = ("--set", "queues.grace=1h", "--set", "limits.poison=0",
          "--set", "limits.queue_messages=30")
FULL_QUEUE = object()
KINDS = (Send, Reply, Ack, Poll)


class Client:
    """One connection after the other; writes down what it does."""

    def __init__(self, socket, name, rng):
        self.socket, self.name, self.rng = socket, name, rng
        self.events, self.conn, self.n = [], None, 0

    def value(self):
        self.n += 1
        return "%s-%d%s" % (self.name, self.n,
                            "." * self.rng.choice((0, 0, 0, 50, 600)))

    def attempt(self, act):
        """(begin, end, answer); end is None when there was no answer."""
        end = time.monotonic() + PATIENCE
        while self.conn is None:
            try:
                self.conn = Conn(self.socket, token=self.name)
            except (OSError, Closed):
                self.conn = None
                if time.monotonic() > end:
                    raise
                time.sleep(0.002)  # the broker is being started
        begin = time.monotonic()
        try:
            got = act(self.conn)
            return begin, time.monotonic(), got
        except (OSError, Closed):
            self.conn.close()
            self.conn = None
            return begin, None, None

    def post(self, target, value):
        """attempt() for what adds a message: its id, or FULL_QUEUE."""
        def act(conn):
            r = conn.ask(post(target, value))
            if r.status == 429:
                return FULL_QUEUE
            if r.status != 200:
                raise AssertionError("%s: %r" % (target, r))
            return r.json()[0][1]
        return self.attempt(act)

    def send(self, queue):
        value = self.value()
        begin, end, got = self.post("/request/%s/r%s" % (queue, queue[1:]),
                                    value)
        if got is FULL_QUEUE:
            time.sleep(0.002)  # the others have to catch up
        else:
            self.events.append(Send(begin, end, queue, value, got))

    def reply(self, queue, ident):
        """Again and again until there is an answer: it must be one reply."""
        end = None
        while end is None:
            value = self.value()
            begin, end, got = self.post("/response/r%s/%s/%d" % (
                queue[1:], queue, ident), value)
            if got is FULL_QUEUE:
                return
            self.events.append(Reply(begin, end, "r" + queue[1:], value,
                                     ident, got))

    def ack(self, queue, ident):
        begin, end, _ = self.attempt(lambda c: c.ack(queue, ident))
        self.events.append(Ack(begin, end, queue, ident))

    def poll(self, queue, above, timeout):
        begin, end, got = self.attempt(
            lambda c: c.poll([queue], timeout, above))
        if end is None:
            return []
        messages = [(i, sys.intern(value), kind[1][1] if kind[0] == "Response" else 0)
                    for _, i, value, kind in got[0]]
        self.events.append(Poll(begin, end, queue, above, messages,
                                sum(len(m[1]) for m in messages) < WHOLE))
        return messages


def send_many(client, count):
    while len(client.events) < count:
        client.send("q%d" % client.rng.randrange(QUEUES))


def consume(client, count):
    """Poll, answer, acknowledge; sometimes begin anew, do a thing twice, or
    leave a message for later."""
    rng, above = client.rng, collections.defaultdict(lambda: -1)
    while len(client.events) < count:
        queue = rng.choice("qr") + str(rng.randrange(QUEUES))
        if rng.random() < 0.1:
            above[queue] = -1
        for ident, _, _ in client.poll(queue, above[queue],
                                       rng.choice((0, 0, 0.02)))[:20]:
            above[queue] = max(above[queue], ident)
            if queue[0] == "q" and rng.random() < 0.8:
                client.reply(queue, ident)
                if rng.random() < 0.05:
                    client.reply(queue, ident)
            if rng.random() < 0.9:
                client.ack(queue, ident)
                if rng.random() < 0.05:
                    client.ack(queue, ident)


def run(work, socket, name, count, out):
    """A process of its own."""
    client = Client(socket, name, random.Random("%d %s" % (SEED, name)))
    try:
        work(client, count)
        out.send([(KINDS.index(type(e)), tuple(e)) for e in client.events])
    except Exception as e:  # told to who started it
        out.send(repr(e))
    out.close()


class History(tap.Case):
    def begin(self, n):
        self.rng = random.Random("%d %d" % (SEED, n))
        self.broker = Broker(*BROKER)
        self.addCleanup(self.broker.remove)
        with self.broker.conn("setup") as c:
            for i in range(QUEUES):
                c.create("q%d" % i)
                c.create("r%d" % i)

    def start(self, n):
        """The clients; the ends of the pipes that their histories come by."""
        each = OPS // (SENDERS + CONSUMERS)
        pipes = []
        for i in range(SENDERS + CONSUMERS):
            ours, theirs = multiprocessing.Pipe(duplex=False)
            p = multiprocessing.Process(target=run, args=(
                send_many if i < SENDERS else consume, self.broker.socket,
                "n%dc%d" % (n, i), each // 4 if i < SENDERS else each, theirs))
            p.start()
            self.addCleanup(p.join)
            self.addCleanup(p.kill)
            theirs.close()
            pipes.append(ours)
        return pipes

    def collect(self, pipes):
        """What they saw, once all are done; meanwhile the broker dies."""
        events, waiting, lives = [], list(pipes), 0
        pause = 0.05
        while waiting:
            ready = multiprocessing.connection.wait(waiting, pause)
            for p in ready:
                got = p.recv()
                self.assertIsInstance(got, list, got)
                events += [KINDS[kind](*e) for kind, e in got]
                waiting.remove(p)
            if not ready and waiting and lives < LIVES:
                lives += 1
                self.broker.restart("kill")
                pause = self.rng.uniform(0.01, 0.6)
            elif lives >= LIVES:
                pause = None
        return events, lives

    def drain(self):
        """What is there in the end, by pages."""
        last = Client(self.broker.socket, "last", self.rng)
        for kind in "qr":
            for i in range(QUEUES):
                above, more = -1, True
                while more:
                    more = last.poll("%s%d" % (kind, i), above, 0)
                    above = more[-1][0] if more else above
        self.assertEqual({e.end is not None for e in last.events}, {True})
        return last.events

    def test_it_is_one_of_queues(self):
        print("# XMSG_SEED=%d" % SEED, flush=True)
        for n in range(ROUNDS):
            self.round(n)

    def round(self, n):
        self.begin(n)
        events, lives = self.collect(self.start(n))
        self.broker.restart("kill")
        events += self.drain()
        found = check(events)
        kinds = collections.Counter(type(e).__name__ for e in events)
        print("# %d operations, %d without an answer, %d kills, %d received: "
              "%s" % (len(events), sum(e.end is None for e in events),
                      lives + 1, sum(len(e.messages) for e in events
                                     if isinstance(e, Poll)), dict(kinds)),
              flush=True)
        self.assertEqual(found, [])
        self.assertGreater(lives, 0)
        self.broker.remove()


tap.main()
