# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""top, once and at a terminal; doctor, in good times and bad."""
import contextlib
import fcntl
import json
import os
import pty
import select
import struct
import termios
import time

from cli_support import Broker, CliCase, Serving, main, until


def body(method):
    return json.dumps({"method": method, "params": [{}], "id": 7})


class Screen:
    """A command at a terminal of 80 columns."""

    def __init__(self, case, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(case.path, case.args(words), case.env())
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, 80, 0, 0))
        self.shown = b""

    def until(self, text):
        end = time.monotonic() + 20
        while text not in self.shown:
            ready, _, _ = select.select([self.fd], [], [], 1)
            if ready:
                self.shown += os.read(self.fd, 65536)
            if time.monotonic() > end:
                raise AssertionError("no %r in %r" % (text, self.shown[-2000:]))

    def press(self, key):
        self.shown = b""
        os.write(self.fd, key)

    def ended(self):
        with contextlib.suppress(OSError):
            while True:
                more = os.read(self.fd, 65536)
                if not more:
                    break
                self.shown += more
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status


class Top(CliCase):
    def setUp(self):
        self.refs = [self.x("send", "zfs", "--create", "--body",
                            body(m)).out.strip()
                     for m in ("SR.attach", "SR.scan")]

    def tearDown(self):
        self.x("destroy", "zfs", "--yes", want=None)

    def test_once(self):
        with Serving(self, "nfs", "--program", "cat"):
            self.x("call", "nfs", "--body", body("VDI.stat"))
            text = self.x("top", "--once").out
        self.assertRegex(text, r"^xmsgd \S+ up \S+: \d+ queues, 2 messages")
        self.assertRegex(text, r"\nzfs +0 +0 +2 +0 +0 +\S+  no consumer\n")
        self.assertRegex(text, r"\n  %s +\S+  SR\.attach\n" % self.refs[0])
        self.assertIn("\nOLDEST MESSAGES\n", text)
        self.assertRegex(text, r"\n  VDI\.stat +1 ")
        for line in text.splitlines():
            self.assertLessEqual(len(line), 100)

    def test_rates(self):
        with Serving(self, "nfs", "--program", "cat", "--jobs", "2"):
            for _ in range(8):  # more than the others in five seconds
                self.x("call", "nfs", "--body", body("VDI.stat"))
            lines = self.x("top", "--once", "--json").lines()
        rows = {r["name"]: r for r in map(json.loads, lines)}
        self.assertGreater(rows["nfs"]["in_s"], 0)
        self.assertGreater(rows["nfs"]["out_s"], 0)
        self.assertEqual(json.loads(lines[0])["name"], "nfs")

    def test_without_a_terminal(self):
        self.assertIn("--once", self.x("top", want=2).err)

    def test_names_are_made_safe(self):
        self.x("send", "esc", "--create", "--body", body("a\x1b[31mb"))
        text = self.x("top", "--once").out
        self.assertNotIn("\x1b", text)
        self.x("destroy", "esc", "--yes")

    def test_live_and_acting(self):
        s = Screen(self, "top", "-i", "200ms")
        s.until(b"q quit")
        s.until(b"> " + self.refs[0].encode())
        s.press(b"\x1b[B")
        s.until(b"> " + self.refs[1].encode())
        s.press(b"h")
        s.until(b"hold %s? y" % self.refs[1].encode())
        s.press(b"n")
        s.until(b"not done")
        self.assertEqual(self.broker.queue("zfs")["held"], 0)
        s.press(b"h")
        s.until(b"? y")
        s.press(b"y")
        s.until(b": done")
        self.assertEqual(self.broker.queue("zfs")["held"], 1)
        s.press(b"c")
        s.until(b"cancel %s? y" % self.refs[1].encode())
        s.press(b"y")
        until(lambda: self.broker.queue("zfs")["messages"] == 1, "cancelled")
        s.press(b"q")
        self.assertEqual(s.ended(), 0)
        self.assertTrue(s.shown.endswith(b"\x1b[?25h\x1b[?1049l"))

    def test_the_broker_goes(self):
        with Broker() as b:
            p = self.start("top", "--once", broker=b)
            p.communicate(timeout=20)
            b.kill()
            done = self.x("top", "--once", broker=b, want=3)
            self.assertEqual(len(done.err.splitlines()), 1)


class Doctor(CliCase):
    def checks(self, *words, want=0, **kw):
        rows = [json.loads(l) for l in self.x(
            "doctor", "--json", *words, want=want, **kw).lines()]
        return {r["check"]: r for r in rows}

    def test_well(self):
        root = os.path.join(self.folder.name, "root")
        for kind in ("volume", "datapath"):
            os.makedirs(os.path.join(root, kind), 0o755)
        got = self.checks("--root", root)
        for check in ("broker", "health", "limits", "state folder", "disk",
                      "database", "clock"):
            self.assertEqual(got[check]["result"], "ok", got[check])
        self.assertIn("not running", got["storage adapter"]["text"])
        if os.geteuid() == 0:
            self.assertEqual(got["volume plugins"]["result"], "ok")
            os.chmod(os.path.join(root, "volume"), 0o777)
            bad = self.checks("--root", root, want=1)["volume plugins"]
            self.assertEqual(bad["result"], "bad")
            self.assertIn("chmod 755", bad["fix"])
        text = self.x("doctor", want=None).out
        self.assertIn("\u2713 broker: xmsgd", text)
        plain = self.x("doctor", want=None, env={"LC_ALL": "C"}).out
        self.assertIn("ok   broker: xmsgd", plain)

    def test_what_is_wrong_has_a_remedy(self):
        with Broker() as b:
            self.x("send", "q", "--create", "--body", "x", broker=b)
            os.chmod(b.state, 0o755)
            got = self.checks(broker=b, want=1)
            self.assertIn("chmod 700", got["state folder"]["fix"])
            os.chmod(b.state, 0o700)
            b.kill()
            got = self.checks(broker=b, want=3)
            self.assertEqual(got["broker"]["result"], "bad")
            self.assertEqual(got["database"]["result"], "ok")
            for row in got.values():
                self.assertEqual(row["fix"] is None, row["result"] == "ok")
            with open(os.path.join(b.state, "switch.db"), "wb") as f:
                f.write(b"no database at all" * 500)
            for end in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(b.state, "switch.db" + end))
            got = self.checks(broker=b, want=3)
            self.assertEqual(got["database"]["result"], "bad")

    def test_offline(self):
        got = self.checks("--offline", want=0)
        self.assertNotIn("broker", got)
        self.assertEqual(got["database"]["result"], "ok")


if __name__ == "__main__":
    main()
