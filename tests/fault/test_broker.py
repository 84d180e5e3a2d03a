# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Every system call of the broker fails in turn, in each way that it can.

A mixed run of operations (support/oracle.py) goes on as long as the broker does:
a client whose connection was lost connects again and looks what became of what it
had asked.  Whatever failed: the broker answered an error, mended itself, or ended
with a status of its manual and a line that says why; it was never stuck, and
never busy with nothing; and what it said, then and after a restart without
failures, is true.

When there is no memory from some moment on for good, or only so much of it
(`ulimit -v`), nobody can be served; then it refuses and rests, or ends, and that
is all that is asked of it.  What it said is true all the same.
"""
import os
import resource
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import (Broker, Closed, Ended, Refused, sanitizers,  # noqa: E402
                    until)
from fault import (KINDS, SEED, each, errors, fault, names,  # noqa: E402
                   places, tally, until_quiet)
from oracle import GONE, Run  # noqa: E402

OPERATIONS = 45
POINTS = 30  # of each kind, in a sample
FOR_GOOD = 1 << 40
ENDS = {0, 71, 73, 74, 78}  # and their meaning: xmsgd(8)


class Plain(Run):
    """The script of clients that take no for an answer, and leave when they are
    not told what became of what they asked."""

    def __init__(self, *args):
        super().__init__(*args)
        self.refused = self.lost = 0

    def attempt(self, what):
        try:
            what()
        except Refused as e:
            self.refused += 1
            if not e.sure():
                raise Closed("nobody knows")

    def create(self, q):
        self.attempt(lambda: super(Plain, self).create(q))

    def step(self):
        self.attempt(super().step)


class Large(Plain):
    """With messages that need much memory."""

    def payload(self):
        self.serial += 1
        return "%d:" % self.serial + "x" * self.rng.choice(
            [0, 300, 20000, 1 << 20, 5 << 20])


class Stubborn(Plain):
    """The script of clients that try again as long as there is a broker."""

    def peace(self):
        """Changes that were on their way are done, or never will be: those
        that come later are."""
        with self.broker.conn("barrier") as c:
            c.destroy("barrier")
            c.create("barrier")
            c.destroy("barrier")

    def settle(self):
        """Connect again, see what became of what was not answered."""
        self.hang_up()

        def settled():
            try:
                self.peace()
                self.check()
                return True
            except (Refused,) + GONE:
                if self.broker.process.poll() is not None:
                    raise Closed("it has ended")
                return False
        until(settled, "clients are served again")

    def attempt(self, what):
        try:
            what()
        except Refused as e:
            self.refused += 1
            if not e.sure():
                self.settle()
        except GONE:
            self.lost += 1
            self.settle()


def told(run, b, e):
    """What failed, where, and what the broker said."""
    return AssertionError("operation %d: %s: %s; log: %s" % (
        run.done, type(e).__name__, e, b.read_log()[-1500:]))


class Fault(tap.Case):
    def env(self, b, kind, serving, *where, **more):
        """What fails: from the start on, or only when it serves."""
        if serving:
            more["FROM"] = b.folder + "/serving"
        return fault(kind, *where, **more)

    def calls(self, kind, serving):
        """The names of the calls of an undisturbed run, in order."""
        with Broker(*self.options, start=False) as b:
            count = b.folder + "/count"
            run = Stubborn(b, SEED)
            status = self.life(b, run, self.env(b, kind, serving, COUNT=count))
            self.assertEqual((status, run.refused + run.lost), (0, 0),
                             b.read_log())
            return names(count)

    options = ["--set", "recorder.size=64K", "--set", "limits.poison=0"]

    def life(self, b, run, env):
        """With failures: how it ended."""
        b.spawn(env=env)
        try:
            b.ready()
            if "XMSG_FAULT_FROM" in env:
                open(env["XMSG_FAULT_FROM"], "w").close()
            if run.go(OPERATIONS):
                until_quiet(b.process.pid)
                b.signal(15)
        except Ended:
            pass
        run.hang_up()
        return b.wait()

    def point(self, kind, serving, at, length):
        with Broker(*self.options, start=False) as b:
            run = Stubborn(b, SEED)
            try:
                status = self.life(b, run, self.env(
                    b, kind, serving, at, length))
                self.afterwards(b, run, status)
                return status, run.refused, run.lost
            except Exception as e:
                raise told(run, b, e)

    def afterwards(self, b, run, status):
        """It ended in order, and what it said is true."""
        if status not in ENDS:
            raise AssertionError("status %d" % status)
        if status != 0 and not errors(b.read_log()):
            raise AssertionError("status %d without a word" % status)
        b.start()
        run.recover()
        if not run.go(min(run.done + 5, OPERATIONS + 5)):
            raise AssertionError("the last life ended")
        run.check()
        run.hang_up()

    @tap.table([(k, k, False) for k in KINDS + ["ENOMEM"]] +
               [("ENOMEM, serving", "ENOMEM", True)])
    def each_call(self, kind, serving):
        began = time.monotonic()
        calls = self.calls(kind, serving)
        self.assertGreater(len(calls), 10)
        good, bad = each(calls, places(calls, POINTS),
                         lambda at, length: self.point(kind, serving, at,
                                                       length))
        print("# %s: %d of %d calls in %.1f s: ended %s; %d refusals, %d "
              "connections lost; seed %d" % (
                  kind, len(good) + len(bad), len(calls),
                  time.monotonic() - began, tally(g[0] for g in good),
                  sum(g[1] for g in good), sum(g[2] for g in good), SEED))
        if bad:
            self.fail("\n".join(bad))

    def in_want(self, b, run):
        """As long as clients get answers; then it rests, and ends when asked."""
        run.go(OPERATIONS)
        run.hang_up()
        until_quiet(b.process.pid)
        b.signal(15)
        status = b.wait()
        refused = run.refused
        self.afterwards(b, run, status)
        return status, refused

    def for_good(self, kind, at):
        with Broker(*self.options, start=False) as b:
            run = Plain(b, SEED)
            try:
                b.spawn(env=self.env(b, kind, True, at, FOR_GOOD))
                b.ready()
                open(b.folder + "/serving", "w").close()
                return self.in_want(b, run)
            except Exception as e:
                raise told(run, b, e)

    # a sanitizer has allocations of its own, and takes more than any limit
    @tap.table([("ENOMEM, for good", "HEAP")] if not sanitizers() else [])
    def each_allocation(self, kind):
        calls = self.calls(kind, True)
        good, bad = each(calls, POINTS, lambda at, _: self.for_good(kind, at))
        print("# ENOMEM for good: %d of %d calls: ended %s; %d refusals; seed "
              "%d" % (len(good) + len(bad), len(calls),
                      tally(g[0] for g in good), sum(g[1] for g in good), SEED))
        if bad:
            self.fail("\n".join(bad))

    @tap.table([("%d KiB more than at its start" % k, k)
                for k in (0, 132, 264, 528, 1056, 4096, 8192, 16384)
                if not sanitizers()])
    def ENOMEM_address_space(self, kib):
        with Broker(*self.options) as b:
            run = Large(b, SEED)
            most = (b.vsize_kib() + kib) << 10
            resource.prlimit(b.process.pid, resource.RLIMIT_AS, (most, most))
            try:
                status, refused = self.in_want(b, run)
            except Exception as e:
                raise told(run, b, e)
            print("# %d operations, %d refused, status %d" % (
                run.done, refused, status))


if __name__ == "__main__":
    tap.main()
