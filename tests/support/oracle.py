# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""A mixed run of operations against the broker, and an oracle that knows what
was acknowledged, what was on its way, and what was refused.

The run is the same for each seed.  Whatever happened to the broker, it must agree
with the oracle afterwards:

 - what was acknowledged is there: queues, messages with their bytes, replies;
   what was on its way is there whole, or not at all; what was refused is not;
 - what was acknowledged as taken away stays away;
 - ids only grow, and none is given twice;
 - a request has one reply, whatever is sent again;
 - a send that was not answered, repeated with its key, makes one message.
"""
import contextlib
import random

from broker import Closed, Refused, post, request

QUEUES = ["q0", "q1", "q2"]
OTHERS = ("mine", "barrier")  # queues that come and go by themselves
GONE = (Closed, ConnectionError, FileNotFoundError)


class Message:
    """What the oracle knows of one: payload, kind, and what became of it."""

    def __init__(self, queue, payload, kind):
        self.queue, self.payload, self.kind = queue, payload, kind
        self.key = payload.split(":")[0]
        self.acked = False    # acknowledged, and the client knows
        self.leaving = False  # it asked, and was not answered

    def stay(self):
        """It was not taken away."""
        self.leaving = False


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

    def is_again(self, queue, state):
        """What was to be done to it was not: it is as it was, or is not."""
        if state is None:
            self.queues.pop(queue, None)
        else:
            self.queues[queue] = state

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
    landed = {}  # key of a send: id, of those that were not answered

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

    @contextlib.contextmanager
    def asking(self, undo):
        """What is refused in here was not done, unless nobody knows."""
        try:
            yield
        except Refused as e:
            if e.sure():
                undo()
            raise

    def create(self, q):
        was = self.o.queues.get(q)
        if was is None:
            self.o.queues[q] = "maybe"
        with self.asking(lambda: self.o.is_again(q, was)):
            self.conn("a").create(q)
        self.o.queues[q] = "there"

    def destroy(self, q):
        was = self.o.queues.get(q)
        if was is not None:
            self.o.queues[q] = "leaving"
        with self.asking(lambda: self.o.is_again(q, was)):
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
        with self.asking(lambda: self.o.pending.remove(m)):
            self.sent(m, self.conn("a").ok(self.send(m)))

    def burst(self, q):
        """Several at once, over several connections: they share commits."""
        ms = []
        conns = [self.conn(token) for token in "abcd"]
        for k in range(self.rng.randrange(2, 9)):
            m = Message(q, self.payload(), ["Request", "reply"])
            c = conns[k % 4]
            self.o.pending.append(m)
            ms.append((m, c))
            c.send(self.send(m))
        failed, ids = None, []
        for m, c in ms:
            try:
                with self.asking(lambda: self.o.pending.remove(m)):
                    r = c.checked()
            except GONE + (Refused,) as e:
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
        with self.asking(m.stay):
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
        with self.asking(lambda: self.o.replying.pop(i, None)):
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

        def undo():
            self.o.messages[i].stay()
            del self.o.replying[i]
        with self.asking(undo):
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
            queues = [q for q in c.list() if q not in OTHERS]
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
