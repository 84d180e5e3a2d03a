# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Every system call of the runner, and of the nursery that makes runners, fails
in turn, in each way that it can.

Whatever failed: the script ran once or not at all; whoever waits is told, soon,
one of the ends that are true of it (job.h); is told the same when it asks again,
unless nothing was run; and nothing is left running.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import program, until  # noqa: E402
from fault import KINDS, SEED, each, fault, names, tally  # noqa: E402

POINTS = 100  # more than there are: all of them, always
LIMIT = 40  # seconds; the agent gives up sooner
EXIT, SIGNAL, TIMEOUT, CANCELLED, OUTPUT, NOEXEC, LOST, NOSTART = range(8)
WORDS = ["exit", "signal", "timeout", "cancelled", "output", "noexec", "lost",
         "nostart"]
ROWS = [("%s, %s" % (who, kind), who, kind) for who in ("xmsg-run", "nursery")
        for kind in KINDS + ["ENOMEM"]
        if (who, kind) != ("nursery", "ENOSPC")]  # which writes to no file


class Fault(tap.Case):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="xmsg-runner-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.script = self.path("script")
        with open(self.script, "w") as f:
            f.write("#!/bin/sh\necho x >>%s\necho why >&2\necho done\nexit 3\n"
                    % self.path("log"))
        os.chmod(self.script, 0o755)

    def path(self, name):
        return os.path.join(self.folder, name)

    def ran(self):
        """How often."""
        try:
            with open(self.path("log")) as f:
                return len(f.readlines())
        except FileNotFoundError:
            return 0

    def ask(self, env=()):
        """What a process is told that starts the run, or takes it up: end,
        code, bytes of output."""
        done = subprocess.run(
            [program("tests/job_agent"), program("tests/job/xmsg-run"),
             self.script, self.path("run")], env=dict(os.environ, **dict(env)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=LIMIT)
        if done.returncode != 0:
            raise AssertionError("the agent ended with %d" % done.returncode)
        _, end, code, stuck, size = [int(w) for w in done.stdout.split()]
        if stuck:
            raise AssertionError("stuck")
        return end, code, size

    def fresh(self):
        shutil.rmtree(self.path("run"), True)
        os.mkdir(self.path("run"))
        if self.ran():
            os.unlink(self.path("log"))

    def true(self, told):
        """Is that what happened?"""
        end, code, size = told
        runs = self.ran()
        good = {
            EXIT: code == 3 and size == 5 and runs == 1,
            SIGNAL: code == 9 and runs == 0,  # before it became the script
            OUTPUT: code != 0 and runs == 1,
            NOEXEC: code != 0 and runs == 0,
            LOST: runs <= 1,
            NOSTART: code != 0 and runs == 0}
        if not good.get(end):
            raise AssertionError("told %s %d, %d bytes; ran %d times" % (
                WORDS[end], code, size, runs))

    def gone(self):
        """Nothing is left of it."""
        mark = self.folder.encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    if mark in f.read():
                        return False
            except (FileNotFoundError, ProcessLookupError):
                pass
        return True

    def point(self, who, kind, at, length):
        self.fresh()
        told = self.ask(fault(kind, at, length, IN=who))
        self.true(told)
        until(self.gone, "nothing is left running")
        again = self.ask()
        if told[0] == NOSTART:
            self.true(again)
            if again[0] != EXIT:
                raise AssertionError("then %s %d" % (WORDS[again[0]], again[1]))
        elif again[:2] != told[:2]:
            raise AssertionError("told %s %d, then %s %d" % (
                WORDS[told[0]], told[1], WORDS[again[0]], again[1]))
        return WORDS[told[0]]

    @tap.table(ROWS)
    def each_call(self, who, kind):
        began = time.monotonic()
        count = self.path("count")
        self.fresh()
        self.assertEqual(self.ask(fault(kind, IN=who, COUNT=count)),
                         (EXIT, 3, 5))
        calls = names(count)
        self.assertTrue(calls)
        good, bad = each(calls, POINTS,
                         lambda at, length: self.point(who, kind, at, length))
        print("# %s, %s: %d of %d calls in %.1f s: %s; seed %d" % (
            who, kind, len(good) + len(bad), len(calls),
            time.monotonic() - began, tally(good), SEED))
        if bad:
            self.fail("\n".join(bad))


if __name__ == "__main__":
    tap.main()
