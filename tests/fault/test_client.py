# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Every system call of the client library fails in turn, in each way that it
can, in a program (client.c) that says what the library has told it.

Whatever failed: the program came to its end, and what the library said is what
the broker has.
"""
import subprocess
import sys
import os
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, program  # noqa: E402
from fault import (KINDS, SEED, each, fault, names, places,  # noqa: E402
                   tally)

POINTS = 20  # of each kind, in a sample
SENDS, CALLS = 8, 3
LIMIT = 90  # seconds; the program gives up sooner


class Fault(tap.Case):
    def setUp(self):
        self.broker = Broker("--set", "limits.poison=0")
        self.addCleanup(self.broker.remove)

    def run_it(self, env):
        """The lines that it printed: {word: [numbers]}."""
        with self.broker.conn("look") as c:
            c.destroy("q")
            c.destroy("echo")
        done = subprocess.run(
            [program("tests/fault/client"), self.broker.socket],
            env=dict(os.environ, **env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=LIMIT)
        if done.returncode not in (0, 71, 75):
            raise AssertionError("it ended with %d" % done.returncode)
        said = {}
        for line in done.stdout.decode().splitlines():
            word, *rest = line.split()
            said.setdefault(word, []).append(rest)
        return done.returncode, said

    def check(self, said):
        """Is it so?"""
        sent = {int(i): int(n) for n, i in said.get("sent", [])}
        lost = {int(n) for n, in said.get("lost", [])}
        acked = {int(i) for i, in said.get("acked", [])}
        for i, n in ((int(i), int(n)) for i, n in said.get("got", [])):
            if sent.get(i, n) != n or i not in sent and n not in lost:
                raise AssertionError("got %d as %d" % (n, i))
        with self.broker.conn("look") as c:
            there = {i: int(text.split(":")[0])
                     for _, i, text, _ in c.poll(["q"], frm=-1)[0]}
        for i, n in there.items():
            if i in acked:
                raise AssertionError("%d is there, and was acked" % i)
            if sent.get(i, n) != n or i not in sent and n not in lost:
                raise AssertionError("%d is there, as %d" % (n, i))
        if len(set(there.values())) != len(there):
            raise AssertionError("twice: %s" % there)
        gone = set(sent) - set(there) - acked
        asked = {int(i) for i, _ in said.get("got", [])[::2]}
        if gone - asked:  # an ack that was not answered may be done
            raise AssertionError("gone: %s" % gone)

    def point(self, kind, at, length):
        status, said = self.run_it(fault(kind, at, length, IN="client"))
        if status == 71:
            return "not opened"
        told = sum(len(said.get(w, [])) for w in ("sent", "lost", "refused"))
        if told != SENDS:
            raise AssertionError("%d sends: %s" % (told, said))
        self.check(said)
        failed = said.get("failed", [])
        if len(said.get("called", [])) + len(
                [f for f in failed if f[0] != "transfer"]) != CALLS:
            raise AssertionError("calls: %s" % said)
        if said.get("lost"):
            how = "lost"
        else:
            how = "refused" if failed or said.get("refused") else "well"
        if how != "well" and kind != "ENOMEM":
            raise AssertionError("not mended: %s" % said)
        return how

    @tap.table([(k, k) for k in KINDS + ["ENOMEM"]])
    def each_call(self, kind):
        began = time.monotonic()
        count = os.path.join(self.broker.folder, "count")
        status, said = self.run_it(fault(kind, IN="client", COUNT=count))
        self.assertEqual((status, len(said["sent"]), len(said["called"])),
                         (0, SENDS, CALLS))
        calls = names(count)
        self.assertTrue(calls)
        good, bad = each(calls, places(calls, POINTS),
                         lambda at, length: self.point(kind, at, length))
        print("# %s: %d of %d calls in %.1f s: %s; seed %d" % (
            kind, len(good) + len(bad), len(calls),
            time.monotonic() - began, tally(good), SEED))
        if bad:
            self.fail("\n".join(bad))


if __name__ == "__main__":
    tap.main()
