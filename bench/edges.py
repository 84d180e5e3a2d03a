# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The goals that are not ratios to other brokers: memory when idle, full and
drained again, the drain itself, the start after kill -9, many parked polls,
large payloads beside what the disk does."""
import os
import resource
import shlex
import shutil
import signal
import time

import brokers
from broker import until

BLOCK = 64 << 10
AT_ONCE = 16  # senders of blocks, and blocks to a sync of the disk alone


class Edges:
    """Each method starts a fresh broker and returns {figure: value}."""

    def __init__(self, work, sockets, build, seconds):
        self.make = lambda: brokers.Xmsg(work, sockets, build)
        self.work, self.seconds = work, seconds

    def tool(self, mode, *arguments):
        got = brokers.figures(self.b.build, "load", [
            mode, "--socket", self.b.socket, "--pid", self.pid] +
            list(arguments))
        if got["faults"]:
            raise RuntimeError("%s: %s" % (mode, got.get("first_fault")))
        return got

    def mib(self):
        with open("/proc/%d/statm" % self.pid) as f:
            pages = int(f.read().split()[1])
        return pages * resource.getpagesize() / 2**20

    def run(self, most):
        """All figures, but those that need more messages than `most`."""
        found = {}
        parts = [self.hundred_thousand, self.million, self.parked, self.blocks]
        if most < 1000000:
            parts.remove(self.million)
        for part in parts:
            self.b = self.make()
            self.b.start()
            self.pid = self.b.pid
            try:
                found.update(part())
            finally:
                if self.pid != self.b.pid:  # it was restarted
                    os.kill(self.pid, signal.SIGTERM)
                    until(lambda: not self.alive(), "the broker ends")
                self.b.stop()
                shutil.rmtree(self.b.folder, ignore_errors=True)
        return found

    def alive(self):
        """Not gone, and not a process that only waits to be asked about."""
        try:
            with open("/proc/%d/stat" % self.pid) as f:
                return f.read().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def restart(self, count):
        """kill -9 and start; from exec to the first answered transfer."""
        command = "exec %s >/dev/null 2>&1 </dev/null" % " ".join(
            shlex.quote(word) for word in self.b.command())
        got = self.tool("restart", "--no-fill", "--count", count, "--leave",
                        "--start", command)
        self.pid = got["broker_pid"]
        return got["answer_ms"]

    def drain(self, count):
        return self.tool("drain", "--no-fill", "--keep", "--count", count,
                         "--conns", 16, "--seconds", 60)["rate"]

    def hundred_thousand(self):
        found = {"idle_mib": self.mib()}
        self.tool("fill", "--count", 100000)
        found["full_mib"] = self.mib()
        found["recover_100k_ms"] = self.restart(100000)
        self.drain(100000)
        found["drained_mib"] = self.mib()
        return found

    def million(self):
        self.tool("fill", "--count", 1000000)
        found = {"recover_1m_ms": self.restart(1000000)}
        before = self.mib()
        found["drain_rate"] = self.drain(1000000)
        found["drain_grew_mib"] = max(0, self.mib() - before)
        return found

    def parked(self):
        got = self.tool("parked", "--parked", 10000, "--seconds",
                        self.seconds)
        return {"parked_ratio": got["ratio"],
                "parked_bytes": got["bytes_per_poll"]}

    def disk_rate(self):
        """Blocks a second, so many to a sync, in one growing file."""
        path = os.path.join(self.work, "blocks")
        piece = os.urandom(BLOCK * AT_ONCE)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        began, n = time.monotonic(), 0
        while time.monotonic() - began < self.seconds:
            os.write(fd, piece)
            os.fdatasync(fd)
            n += AT_ONCE
        took = time.monotonic() - began
        os.close(fd)
        os.unlink(path)
        return n / took

    def blocks(self):
        before = self.disk_rate()
        rate = self.tool("send", "--payload", BLOCK, "--conns", AT_ONCE,
                         "--seconds", self.seconds, "--keep")["rate"]
        return {"block_rate": rate,
                "block_ratio": 2 * rate / (before + self.disk_rate())}
