#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""What an operation costs the broker, counted in instructions.

A clock says little on a machine that others use too; instructions are the same
each time.  The real broker runs under callgrind with many queues, messages and
parked polls in it, a script of requests is sent one at a time, and after each
kind of request the instructions since the last one are read.  More than the
margin above what stands in the file `bounds`, and the case fails: something on
the way of that request has grown, or grows with what is in the broker.

`test_guard.py --renew` writes the file anew after a change that is wanted.  The
counts are those of a plain build with -O2, so other builds do not list this
test (tests/guard.mk).
"""
import glob
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402
from broker import Broker, get, post, request, transfer_body  # noqa: E402

BOUNDS = os.path.join(HERE, "bounds")
MARGIN = 0.25  # noise stays below a third of it
TIMES = 60  # each operation
QUEUES = 3000  # others, in which nothing happens
BACKLOG = 3000  # messages in the queue that is worked on, before the work
PARKED = 200  # polls on the other queues
PAYLOAD = "x" * 512


class Counted:
    """A broker under callgrind, and the client that works it."""

    def __init__(self):
        self.broker = b = Broker(start=False)
        self.fill()
        b.wrapper = ["valgrind", "--tool=callgrind", "--quiet", "--vgdb=yes",
                     "--vgdb-prefix=" + os.path.join(b.folder, "vgdb"),
                     "--callgrind-out-file=" + os.path.join(b.folder,
                                                            "counts")]
        b.start()
        self.a, self.b = b.conn("caller"), b.conn("server")
        self.a.create("caller", transient=True)
        self.ids, self.replies = [], []
        self.after = -1  # where a follower is, at the first event there is
        # where the backlog of the queue ends
        self.cursor = self.a.publish("work", PAYLOAD)
        self.parked = [b.conn("parked.%d" % i) for i in range(PARKED)]
        for i, c in enumerate(self.parked):
            c.send(post("/transfer", transfer_body(["other.%d" % i], 300.0)))
        b.until_parked(PARKED)

    def close(self):
        for c in [self.a, self.b] + self.parked:
            c.close()
        self.broker.remove()

    def fill(self):
        """What is in the broker beside the work, put there at full speed."""
        self.broker.start()
        with self.broker.conn("filler") as c:
            c.create("work")
            c.create("later")
            for i in range(QUEUES):
                c.create("other.%d" % i)
            for _ in range(BACKLOG):
                c.publish("work", PAYLOAD, "caller")
        status = self.broker.stop()
        assert status == 0, self.broker.read_log()

    def command(self, word):
        """Tell callgrind something."""
        b = self.broker
        subprocess.run(
            ["vgdb", "--vgdb-prefix=" + os.path.join(b.folder, "vgdb"),
             "--pid=%d" % b.process.pid, "--max-invoke-ms=1", "-c",
             word], check=True, timeout=60,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def instructions(self, function):
        """Instructions of all of what the function does."""
        self.command("zero")
        function()
        before = set(glob.glob(os.path.join(self.broker.folder, "counts*")))
        self.command("dump")
        (path,) = set(glob.glob(os.path.join(self.broker.folder,
                                             "counts*"))) - before
        with open(path) as f:
            return int(re.search(r"^(?:totals|summary): (\d+)", f.read(),
                                 re.MULTILINE).group(1))

    def acks(self, conn, queue, ids):
        """Acknowledged in one go: how many acknowledgements share a commit is
        then no matter of time.  What was put off is done with the send."""
        conn.send(b"".join(get("/ack/%s/%d" % (queue, i)) for i in ids))
        for _ in ids:
            assert conn.reply().status == 200
        self.a.publish("later", PAYLOAD)

    # the operations, TIMES of each; those that come later use what the earlier
    # ones left
    def create(self):
        self.a.create("work")

    def send(self):
        self.ids.append(self.a.publish("work", PAYLOAD, "caller"))

    def transfer(self):
        """One message is handed out: the cursor is just before the last."""
        got, _ = self.b.poll(["work"], 0.0, self.ids[-1] - 1)
        assert [m[1] for m in got] == [self.ids[-1]]

    def empty(self):
        """A poll that finds nothing and does not wait."""
        assert self.b.poll(["work"], 0.0, self.ids[-1])[0] == []

    def reply(self):
        n = self.ids[len(self.replies)]
        self.replies.append(self.b.respond("caller", "work", n, PAYLOAD))

    def ack(self):
        self.acks(self.b, "work", self.ids)
        self.ids = []

    def collect(self):
        """The caller acknowledges its replies."""
        self.acks(self.a, "caller", self.replies)
        self.replies = []

    def wake(self):
        """A parked poll gets what is sent then, and it is acknowledged."""
        self.b.send(post("/transfer", transfer_body(
            ["work"], 30.0, self.cursor)))
        self.broker_parked()
        n = self.a.publish("work", PAYLOAD, "caller")
        got, self.cursor = self.b.polled()
        assert [m[1] for m in got] == [n]
        self.b.ack("work", n)

    def broker_parked(self):
        """The poll before this request has been read."""
        self.a.ok(get("/login/caller"))

    def answer(self):
        """Reply and acknowledgement in one."""
        n = self.ids.pop()
        status, got = self.b.v1("/queues/work/messages/%d/reply" % n, "POST",
                                PAYLOAD)
        assert status == 200, got
        self.replies.append(got["id"])

    def look(self):
        """One queue of many."""
        assert self.a.v1("/queues/work")[0] == 200

    def status(self):
        assert self.a.ask(request("GET", "/v1/status")).status == 200

    def follow(self):
        """Ten events for one who is thousands behind."""
        status, got = self.a.v1("/events?limit=10&after=%d" % self.after)
        assert status == 200 and len(got["events"]) == 10, got
        self.after = got["next"]


AT_ONCE = ["ack", "collect"]
# in this order: reply works on what send left, and so on
OPERATIONS = ["create", "send", "transfer", "empty", "reply", "ack", "collect",
              "wake", "send", "answer", "collect", "look", "status", "follow"]


def measure(c):
    """{operation: instructions each}"""
    counts = {}
    for name in OPERATIONS:
        one = getattr(c, name)
        times = 1 if name in AT_ONCE else TIMES
        n = c.instructions(lambda: [one() for _ in range(times)]) // TIMES
        counts[name] = max(n, counts.get(name, 0))
    return counts


def count():
    """The first time everything is done buffers grow and symbols are bound:
    the lesser of two."""
    c = Counted()
    try:
        first, second = measure(c), measure(c)
    finally:
        c.close()
    return {name: min(n, second[name]) for name, n in first.items()}


def read_bounds():
    with open(BOUNDS) as f:
        rows = [line.split() for line in f if not line.startswith("#")]
    return {name: int(n) for name, n in rows}


def renew():
    counts = count()
    with open(BOUNDS, "w") as f:
        f.write("# Instructions of the broker for each operation: "
                "test_guard.py --renew\n")
        for name, n in counts.items():
            f.write("%s %d\n" % (name, n))
    print(open(BOUNDS).read(), end="")


class Guard(tap.Case):
    @classmethod
    def setUpClass(cls):
        cls.counts = count()

    def test_every_operation_has_a_bound(self):
        self.assertEqual(set(read_bounds()), set(OPERATIONS))

    @tap.table([(name, name) for name in sorted(set(OPERATIONS))])
    def instructions(self, name):
        bound, n = read_bounds()[name], self.counts[name]
        sys.stdout.write("# %s: %d instructions, bound %d (%+.1f %%)\n" % (
            name, n, bound, 100.0 * n / bound - 100))
        self.assertLessEqual(
            n, bound * (1 + MARGIN),
            "%s takes %d instructions, %.0f %% more than the %d of "
            "tests/guard/bounds" % (name, n, 100.0 * n / bound - 100, bound))


if __name__ == "__main__":
    if sys.argv[1:] == ["--renew"]:
        renew()
    else:
        tap.main()
