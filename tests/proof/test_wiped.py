#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""What was acknowledged is gone: a planted secret is in no file of the state
folder soon after (promises D5), nor in the broker's memory.  XMSG_FULL=1 takes
the broker's own times, and the minute that is promised."""
import glob
import os
import re
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, sanitizers, until  # noqa: E402

FULL = os.environ.get("XMSG_FULL") == "1"
PATIENCE = 60 if FULL else 20
HARD = ("--set", "server.harden=yes")
# small, one page, overflow pages, an allocation of its own
SIZES = (10, 500, 5000, 300000)


def secret(n):
    """One that the redaction knows, and that is nothing else's."""
    return "hush%08xhush" % (0xbee5000 + n)


def payload(n, size):
    return '{"pad":"%s","password":"%s"}' % ("." * size, secret(n))


PATTERN = re.compile(rb"hush[0-9a-f]{8}hush")


def in_files(state):
    """The secrets in files, by file."""
    got = {}
    for path in glob.glob(state + "/*"):
        with open(path, "rb") as f:
            found = set(PATTERN.findall(f.read()))
        if found:
            got[os.path.basename(path)] = found
    return got


def in_memory(pid):
    """The secrets in what a process may write to, by mapping."""
    got = {}
    with open("/proc/%d/maps" % pid) as maps, \
            open("/proc/%d/mem" % pid, "rb", buffering=0) as mem:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw..\S* \S+ \S+ \S+ *(.*)",
                         line)
            if not m or m.group(3).startswith("[v"):
                continue
            at, end = int(m.group(1), 16), int(m.group(2), 16)
            found, keep = set(), b""
            while at < end:
                try:
                    mem.seek(at)
                    chunk = mem.read(min(end - at, 1 << 20))
                except OSError:
                    break
                if not chunk:
                    break
                found |= set(PATTERN.findall(keep + chunk))
                keep, at = chunk[-16:], at + len(chunk)
            if found:
                got["%s %s" % (m.group(1), m.group(3))] = found
    return got


class Wiped(tap.Case):
    def broker(self, *options):
        if not FULL:
            options = ("--set", "store.wipe=300ms") + options
        b = Broker(*(HARD + options))
        self.addCleanup(b.remove)
        return b

    def plant(self, b):
        """Requests and replies of all sizes, polled for, acknowledged."""
        with b.conn("t") as c:
            c.create("q")
            c.create("r")
            for n, size in enumerate(SIZES):
                i = c.publish("q", payload(2 * n, size), "r")
                self.assertIn(secret(2 * n), c.poll(["q"], frm=i - 1)[0][0][2])
                j = c.respond("r", "q", i, payload(2 * n + 1, size))
                self.assertEqual(len(c.poll(["r"], frm=j - 1)[0]), 1)
                c.ack("r", j)
                c.ack("q", i)

    def gone(self, b):
        began = time.monotonic()
        until(lambda: not in_files(b.state), "the files hold none",
              patience=PATIENCE, pause=0.05)
        print("# gone after %.1f s" % (time.monotonic() - began))

    def test_idle(self):
        b = self.broker()
        self.plant(b)
        self.gone(b)

    def test_never_idle(self):
        """Another client keeps the broker busy all the while."""
        for inline in ("yes", "no"):
            b = self.broker("--set", "store.inline=" + inline)
            stop = threading.Event()

            def load():
                with b.conn("busy") as c:
                    c.create("busy")
                    while not stop.is_set():
                        c.ack("busy", c.publish("busy", "x" * 100))
            t = threading.Thread(target=load)
            t.start()
            try:
                self.plant(b)
                self.gone(b)
            finally:
                stop.set()
                t.join()

    def test_after_a_crash(self):
        """The log that a dead broker left is emptied, although the next one
        has nothing to do."""
        b = self.broker("--set", "store.wipe=3600s")
        self.plant(b)
        b.kill()
        self.assertTrue(in_files(b.state))  # they are looked for well
        b.options = list(HARD) + ([] if FULL else
                                  ["--set", "store.wipe=300ms"])
        b.start()
        self.gone(b)

    def test_removed_by_hand(self):
        """It is kept for undo, then it is gone, too."""
        b = self.broker("--set", "undo.time=2s")
        with b.conn("t") as c:
            c.create("q")
            for n, size in enumerate(SIZES):
                c.publish("q", payload(n, size), "r")
            status, got = c.v1("/queues/q/purge", "POST", "{}")
            self.assertEqual((status, got["messages"]), (200, len(SIZES)))
        self.gone(b)

    def test_from_memory(self):
        """When nothing holds it any more: no queue, no client, no undo."""
        if os.geteuid() != 0:
            self.skipTest("only root may look into a hardened broker")
        if sanitizers():
            self.skipTest("a sanitizer has an allocator of its own")
        b = self.broker()
        with b.conn("t") as c:
            c.create("q")
            c.publish("q", payload(99, 300))
            self.assertTrue(in_memory(b.process.pid))  # it is looked for well
            c.destroy("q")
        self.plant(b)
        self.gone(b)
        until(lambda: not in_memory(b.process.pid), "the memory holds none: %r"
              % in_memory(b.process.pid), pause=0.2)


tap.main()
