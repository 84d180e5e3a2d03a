# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""kill -9 at every system call of a mixed run.

A script of some hundred operations, the same for each seed, runs against the
broker, which ends itself (tests/support/killat.c) just before its N-th system
call; some die a second time while they recover.  Then the broker starts again,
must agree with the oracle (support/oracle.py), and the run goes on as if nothing
had been.

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
from broker import Broker, Ended, killat  # noqa: E402
from oracle import Run  # noqa: E402

SEED = int(os.environ.get("XMSG_SEED", "1"))
FULL = bool(os.environ.get("XMSG_FULL"))
POINTS = 300      # kill points of a default run
RECOVERY = 60     # calls of a start, about
OPERATIONS = 220  # of the script


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
        # How many there are depends on what one turn of the loop finds to do.
        self.assertGreater(len(self.calls), 3 * OPERATIONS)

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
        # A life that made fewer calls than the dry run is not killed at a late
        # point: it must have gone well all the same.
        self.assertGreater(killed, len(points) * 2 / 3)


if __name__ == "__main__":
    tap.main()
