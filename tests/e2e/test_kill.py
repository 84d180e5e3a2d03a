# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""kill -9 at every system call of a mixed run.

A script of some hundred operations, the same for each seed, runs against the
broker, which ends itself (tests/support/killat.c) just before its N-th system
call; some die a second time while they recover.  An oracle writes down what was acknowledged, and what was on its way.
Then the broker starts again and must agree with the oracle:

 - what was acknowledged is there: queues, messages with their bytes, replies;
   what was on its way is there whole, or not at all;
 - what was acknowledged as taken away stays away;
 - ids only grow, and none is given twice;
 - a request has one reply, whatever is sent again;
 - a send that was not answered, repeated with its key, makes one message;
 - the run goes on with the restarted broker as if nothing had been.

XMSG_FULL=1 runs every N; otherwise they are spread evenly, moved by the seed.
XMSG_SEED chooses another script.
"""
import os
import random
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, Closed, Ended, killat, post, request  # noqa: E402

SEED = int(os.environ.get("XMSG_SEED", "1"))
FULL = bool(os.environ.get("XMSG_FULL"))
POINTS = 300      # kill points of a default run
RECOVERY = 60     # calls of a start, about
OPERATIONS = 220  # of the script
QUEUES = ["q0", "q1", "q2"]
GONE = (Closed, ConnectionError, FileNotFoundError)


class Message:
    """What the oracle knows of one: payload, kind, and what became of it."""

    def __init__(self, queue, payload, kind):
        self.queue, self.payload, self.kind = queue, payload, kind
        self.key = payload.split(":")[0]
        self.acked = False    # acknowledged, and the client knows
        self.leaving = False  # it asked, and was not answered


class Oracle:
    """Only what clients were told, and what they asked and do not know."""

    def __init__(self):
        self.queues = {}    # name: "there", "maybe", "leaving"
        self.messages = {}  # id: Message
        self.pending = []   # sends that were not answered
        self.replies = {}   # id of a request: id of its reply
        self.replying = {}  # the same, not answered: Message
        self.top = -1       # the largest id that anybody was told
        self.dead = set()   # ids that went with their queue

    def there(self, queue):
        return self.queues.get(queue) == "there"

    def live(self, queue):
        return [i for i, m in self.messages.items()
                if m.queue == queue and not m.acked and not m.leaving]

    def told(self, ident):
        if ident in self.messages or ident in self.dead:
            raise AssertionError("id %d was given twice" % ident)
        if ident <= self.top:
            raise AssertionError("id %d after %d" % (ident, self.top))
        self.top = ident

    def forget(self, queue):
        """The queue went with all its messages."""
        for i in [i for i, m in self.messages.items() if m.queue == queue]:
            self.dead.add(i)
            del self.messages[i]
        self.pending = [m for m in self.pending if m.queue != queue]


class Run:
    """The script: operations chosen by the seed and by what is known."""

    def __init__(self, broker, seed):
        self.broker = broker
        self.rng = random.Random(seed)
        self.o = Oracle()
        self.conns = {}
        self.serial = 0
        self.done = 0

    def conn(self, token):
        if token not in self.conns:
            self.conns[token] = self.broker.conn(token)
        return self.conns[token]

    def hang_up(self):
        for c in self.conns.values():
            c.close()
        self.conns = {}

    def payload(self):
        self.serial += 1
        return "%d:" % self.serial + "x" * self.rng.choice(
            [0, 5, 300, 5000, 20000])

    # ---- operations: note what is asked, ask, note what was told ----

    def create(self, q):
        if self.o.queues.get(q) is None:
            self.o.queues[q] = "maybe"
        self.conn("a").create(q)
        self.o.queues[q] = "there"

    def destroy(self, q):
        state = self.o.queues.get(q)
        if state is not None:
            self.o.queues[q] = "leaving"
        self.conn("a").destroy(q)
        self.o.queues.pop(q, None)
        self.o.forget(q)

    def sent(self, m, reply):
        """Take the answer to the send of m."""
        got = reply.json()
        self.o.pending.remove(m)
        if not got:
            if self.o.there(m.queue):
                raise AssertionError("%s is gone" % m.queue)
            return None
        ident = got[0][1]
        self.o.told(ident)
        self.o.messages[ident] = m
        return ident

    def send(self, m):
        """The request that sends m, with its key."""
        return post("/request/%s/reply" % m.queue, m.payload,
                    headers=[("idempotency-key", m.key)])

    def publish(self, q):
        m = Message(q, self.payload(), ["Request", "reply"])
        self.o.pending.append(m)
        self.sent(m, self.conn("a").ok(self.send(m)))

    def burst(self, q):
        """Several at once, over several connections: they share commits."""
        ms = []
        for k in range(self.rng.randrange(2, 9)):
            m = Message(q, self.payload(), ["Request", "reply"])
            c = self.conn("abcd"[k % 4])
            self.o.pending.append(m)
            ms.append((m, c))
            c.send(self.send(m))
        failed, ids = None, []
        for m, c in ms:
            try:
                r = c.reply()
            except GONE as e:
                failed = e  # others may have been answered before the end
                continue
            ids.append((r.json()[0][1] if r.json() else -1, m, r))
        for _, m, r in sorted(ids, key=lambda x: x[0]):
            self.sent(m, r)
        if failed:
            raise failed

    def ack(self, q):
        ids = self.o.live(q)
        if not ids:
            return
        i = self.rng.choice(ids)
        m = self.o.messages[i]
        m.leaving = True
        self.conn("b").ack(q, i)
        m.acked = True

    def respond(self, q):
        ids = [i for i in self.o.live(q)
               if self.o.messages[i].kind[0] == "Request"]
        if not ids or not self.o.there("reply"):
            return
        i = self.rng.choice(ids)
        m = Message("reply", self.payload(), ["Response", [q, i]])
        first = self.o.replies.get(i)
        if first is None:
            self.o.replying[i] = m
        got = self.conn("b").respond("reply", q, i, m.payload)
        if first is None:
            self.replied(i, got)
        elif got != first:
            raise AssertionError("reply to %d: %d, then %d" % (i, first, got))

    def replied(self, i, got):
        """The one reply to i has this id."""
        self.o.told(got)
        self.o.messages[got] = self.o.replying.pop(i)
        self.o.replies[i] = got

    def answer(self, q):
        """Reply and acknowledgement in one transaction."""
        ids = [i for i in self.o.live(q)
               if self.o.messages[i].kind[0] == "Request"
               and i not in self.o.replies]
        if not ids or not self.o.there("reply"):
            return
        i = self.rng.choice(ids)
        m = Message("reply", self.payload(), ["Response", [q, i]])
        self.o.replying[i] = m
        self.o.messages[i].leaving = True
        r = self.conn("c").ok(request(
            "POST", "/v1/queues/%s/messages/%d/reply" % (q, i), m.payload))
        self.o.messages[i].acked = True
        self.replied(i, r.json()["id"])

    def poll(self, queues):
        got, _ = self.conn("c").poll(queues)
        ids = [g[1] for g in got]
        if ids != sorted(set(ids)):
            raise AssertionError("not in order: %s" % ids)
        for q, i, payload, kind in got:
            self.known(q, i, payload, kind)

    def known(self, q, i, payload, kind):
        """A message that is handed out must be one of ours, whole, and not
        taken away."""
        m = self.o.messages.get(i)
        if m is None:
            raise AssertionError("id %d is not known: %r" % (i, payload[:40]))
        if m.acked:
            raise AssertionError("id %d was acknowledged" % i)
        if (m.queue, m.payload, m.kind) != (q, payload, kind):
            raise AssertionError("id %d is not what was sent" % i)

    def transient(self):
        c = self.conn("t")
        c.create("mine", transient=True)
        c.ok(post("/request/mine/reply", "to me"))
        c.close()
        del self.conns["t"]

    def step(self):
        q = self.rng.choice(QUEUES)
        name = self.rng.choices(
            ["publish", "burst", "ack", "respond", "answer", "poll", "create",
             "destroy", "transient"],
            [30, 12, 20, 12, 8, 8, 5, 2, 3])[0]
        if name == "poll":
            self.poll(["reply"] + self.rng.sample(QUEUES, 2))
        elif name == "transient":
            self.transient()
        elif name == "ack":
            self.ack(self.rng.choice(QUEUES + ["reply"]))
        else:
            getattr(self, name)(q)

    def go(self, operations):
        """Run until the end, or until the broker is gone: False."""
        try:
            if self.done == 0:
                for q in QUEUES + ["reply"]:
                    self.create(q)
            while self.done < operations:
                self.done += 1
                self.step()
        except GONE:
            return False
        return True

    # ---- after the restart ----

    def look(self):
        """Everything that the broker has: {queue: {id: (payload, kind)}}."""
        with self.broker.conn("looker") as c:
            queues = [q for q in c.list() if q != "mine"]
            out = dict((q, {}) for q in queues)
            for q in queues:
                frm = -1
                while True:
                    got, frm = c.poll([q], frm=frm)
                    if not got:
                        break
                    for _, i, payload, kind in got:
                        out[q][i] = (payload, kind)
            return out

    def check(self):
        """Compare; what was on its way is now known."""
        o, there = self.o, self.look()
        for q, state in list(o.queues.items()):
            if state == "there" and q not in there:
                raise AssertionError("queue %s was lost" % q)
            if state == "leaving" and q not in there:
                o.forget(q)
            if q in there:
                o.queues[q] = "there"
            else:
                del o.queues[q]
        extra = set(there) - set(o.queues)
        if extra:
            raise AssertionError("queues came back: %s" % extra)
        for q, messages in there.items():
            for i, (payload, kind) in sorted(messages.items()):
                self.resolve(q, i, payload, kind)
            for i in [i for i, m in o.messages.items() if m.queue == q]:
                m = o.messages[i]
                # with its reply durable a request is over at a restart
                over = m.leaving or i in o.replies or i in o.replying
                if i not in messages and not m.acked and not over:
                    raise AssertionError("message %d of %s was lost" % (i, q))
                if i in messages:
                    m.leaving = False
                else:
                    m.acked = True
        o.pending = []
        o.replying = {}

    def resolve(self, q, i, payload, kind):
        """One that is there: known, or one of those on their way."""
        o = self.o
        if i in o.messages:
            self.known(q, i, payload, kind)
            return
        if i in o.dead:
            raise AssertionError("message %d came back with a queue" % i)
        if kind[0] == "Response":
            asked = kind[1][1]
            m = o.replying.pop(asked, None)
            if m is None or asked in o.replies:
                raise AssertionError("reply %d to %d: not expected" % (i,
                                                                       asked))
            o.replies[asked] = i
        else:
            found = [m for m in o.pending if m.key == payload.split(":")[0]]
            if len(found) != 1:
                raise AssertionError("message %d: nobody sent it" % i)
            m = found[0]
            o.pending.remove(m)
            self.landed[m.key] = i
        o.top = max(o.top, i)
        o.messages[i] = m
        self.known(q, i, payload, kind)

    def send_again(self, unanswered):
        """As a client does that does not know: with the same key."""
        for m in unanswered:
            if not self.o.there(m.queue):
                continue
            with self.broker.conn("again") as c:
                r = c.ok(self.send(m))
            if m.key in self.landed:
                ident = r.json()[0][1]
                if ident != self.landed[m.key]:
                    raise AssertionError("key %s: %d, then %d" % (
                        m.key, self.landed[m.key], ident))
            else:
                self.o.pending.append(m)
                self.sent(m, r)

    def recover(self):
        """After a restart: compare, then do again what was not answered."""
        self.landed = {}
        unanswered = list(self.o.pending)
        self.check()
        self.send_again(unanswered)
        with self.broker.conn("again") as c:
            for i, first in sorted(self.o.replies.items())[-5:]:
                got = c.respond("reply", "q0", i, "again")
                if self.o.there("reply") and got != first:
                    raise AssertionError("second reply to %d: %s, not %d" % (
                        i, got, first))
        self.check()


class Kill(tap.Case):
    """All the points of a run share one dry run, which counts the calls."""

    @classmethod
    def setUpClass(cls):
        cls.library = killat()
        cls.calls = cls.dry_run()

    @classmethod
    def dry_run(cls):
        """The names of the calls of an undisturbed run, in order."""
        with Broker(start=False) as b:
            count = b.folder + "/count"
            b.start(env=dict(cls.library, XMSG_KILL_COUNT=count))
            run = Run(b, SEED)
            if not run.go(OPERATIONS):
                raise AssertionError("it ended: %s" % b.read_log())
            b.signal(15)
            run.hang_up()
            if b.wait() != 0:
                raise AssertionError(b.read_log())
            with open(count) as f:
                calls = [line.split()[1] for line in f]
            b.start()
            run.recover()
            return calls

    def life(self, b, run, operations, at):
        """Until call `at`, or as many operations."""
        b.spawn(env=dict(self.library, XMSG_KILL_AT=str(at)))
        try:
            b.ready()
            if run.go(operations):
                b.signal(15)
        except Ended:
            pass
        run.hang_up()
        status = b.wait()
        if status not in (0, -9):
            raise AssertionError("status %d: %s" % (status, b.read_log()))
        return status

    def point(self, at, again):
        """One life until call `at`, perhaps a short one that ends while it
        recovers, then another that must know everything."""
        with Broker("--set", "recorder.size=64K", start=False) as b:
            run = Run(b, SEED)
            try:
                killed = self.life(b, run, OPERATIONS, at) == -9
                if again:
                    self.life(b, run, 0, again)
                b.start()
                run.recover()
                if not run.go(min(run.done + 12, OPERATIONS)):
                    raise AssertionError("the last life ended")
                run.check()
                run.hang_up()
                return killed
            except AssertionError as e:
                name = self.calls[at - 1] if at <= len(self.calls) else "?"
                raise AssertionError("killed before call %d (%s), then %s, "
                                     "operation %d: %s" % (at, name, again,
                                                           run.done, e))

    def points(self):
        """Every call, or a sample over all kinds of them."""
        n = len(self.calls)
        if FULL:
            return list(range(1, n + 1))
        rng = random.Random(SEED)
        by_name = {}
        for i, name in enumerate(self.calls):
            by_name.setdefault(name, []).append(i + 1)
        out = set()
        for name, places in sorted(by_name.items()):
            out |= set(rng.sample(places, min(4, len(places))))
        left = POINTS - len(out)
        step = n / left
        shift = rng.random() * step
        out |= set(min(n, 1 + int(shift + k * step)) for k in range(left))
        return sorted(out)

    def test_the_run_has_the_calls_that_matter(self):
        names = set(self.calls)
        self.assertLess({"pwrite64", "fdatasync", "sendmsg", "recv", "open64"},
                        names)
        self.assertGreater(len(self.calls), 1000)

    def test_no_kill_loses_or_repeats_anything(self):
        points = self.points()
        began = time.monotonic()
        failures, killed = [], 0
        for k, at in enumerate(points):
            again = 1 + k // 3 % RECOVERY if k % 3 == 0 else 0
            try:
                killed += self.point(at, again)
            except AssertionError as e:
                failures.append(str(e))
                if len(failures) == 5:
                    break
        print("# %d kill points of %d calls in %.1f s, %d ended there, seed "
              "%d" % (len(points), len(self.calls), time.monotonic() - began,
                      killed, SEED))
        self.assertEqual(failures, [])
        self.assertGreaterEqual(killed, 200)
        self.assertGreater(killed, len(points) * 0.9)


if __name__ == "__main__":
    tap.main()
