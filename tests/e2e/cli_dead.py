# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""xmsg and message-cli when the broker is dead, stopped, or never was: one
clear line, in time, the right status, and what the state folder tells."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from cli_support import CALL, Broker, CliCase, Done, SECRET, main, table

# every command that needs the broker; those that read can do without
READING = [
    ("list", ["list"]), ("list -m", ["list", "-m"]),
    ("recv --peek", ["recv", "zfs", "--peek"]), ("show", ["show", "REF"]),
    ("why", ["why", "REF"]),
    ("status", ["status"]), ("status QUEUE", ["status", "zfs"]),
    ("stats", ["stats"]), ("monitor", ["monitor", "-n", "9"]),
    ("tail", ["tail"]), ("tail -f", ["tail", "-f"]), ("trace", ["trace"]),
    ("mscgen", ["mscgen"]), ("diagnostics", ["diagnostics"]),
    ("log", ["log"]),
]
CHANGING = [
    ("create", ["create", "new"]), ("destroy", ["destroy", "zfs"]),
    ("send", ["send", "zfs", "--body", "x"]),
    ("call", ["call", "zfs", "--body", "x"]),
    ("serve", ["serve", "zfs", "--program", "cat"]),
    ("recv", ["recv", "zfs"]), ("ack", ["ack", "REF"]),
    ("ack of several", ["ack", "REF", "zfs:1", "zfs:2"]),
    ("hold", ["hold", "REF"]), ("release", ["release", "REF"]),
    ("cancel", ["cancel", "REF"]), ("requeue", ["requeue", "REF"]),
    ("top", ["top", "--once"]),
    ("purge", ["purge", "zfs", "--yes"]), ("undo", ["undo"]),
    ("pause", ["pause", "zfs"]), ("resume", ["resume", "zfs"]),
    ("purge of several", ["purge", "--queue", "z*", "--yes"]),
    ("cancel of several", ["cancel", "--queue", "z*", "--yes"]),
    ("reply", ["reply", "REF", "--body", "x"]), ("clients", ["clients"]),
    ("health", ["health"]), ("shutdown", ["shutdown"]),
    ("list of undo", ["undo", "-l"]), ("web", ["web"]),
    ("plugins", ["plugins"]), ("plugin why", ["plugin", "why", "zfs"]),
    ("scripts", ["scripts"]), ("scripts kill", ["scripts", "kill", "REF"]),
    ("smapi", ["smapi", "zfs", "SR.ls", "sr=s"]),
]
# these say it in a way of their own: all that dead means nothing; a record
# that is not there, a list of checks, a report whose status is always 0
ALSO = [("dead", ["dead"], 3), ("replay", ["replay", "--dry-run"], 3),
        ("calls", ["calls"], 3),
        ("doctor", ["doctor"], 3), ("bugtool", ["bugtool"], 0)]
# and these never ask a broker
ALONE = [("db", ["db", "check"]), ("help", ["help"]),
         ("completion", ["completion", "bash"]), ("version", ["version"]),
         ("smapi --list", ["smapi", "--list"])]


def fill(case, broker):
    """A call that was answered, and a message that waits."""
    case.x("create", "zfs", "idle", broker=broker)
    server = case.start("serve", "zfs", "--program", "cat", broker=broker)
    case.x("call", "zfs", "--body", '{"method":"SR.scan"}', broker=broker)
    server.terminate()
    server.communicate(timeout=20)
    return case.x("send", "zfs", "--body", CALL, broker=broker).out.strip()


class Gone(CliCase):
    """The broker was killed; its state folder is there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ref = fill(cls("x"), cls.broker)
        cls.broker.kill()

    def words(self, words):
        return [self.ref if w == "REF" else w for w in words]

    @table(READING)
    def reading(self, words):
        done = self.x(*self.words(words), want=3)
        self.assertLess(done.seconds, 3)
        self.assertEqual(len(done.err.splitlines()), 1, done)
        self.assertIn("no broker answers", done.err)
        self.assertIn(self.broker.socket, done.err)
        self.assertIn(self.broker.state, done.err)
        self.assertNotEqual(done.out, "")
        self.assertNotIn(SECRET, done.out)

    @table(READING)
    def reading_offline(self, words):
        """Asked for: nothing is wrong then."""
        words = self.words(words)
        done = self.x(*words, "--offline")
        self.assertEqual(done.err, "")
        self.assertNotEqual(done.out, "")
        again = self.x(*words, "--offline=" + self.broker.state,
                       env={"XMSG_STATE": "/nonexistent"})
        self.assertEqual(len(again.lines()), len(done.lines()))

    @table(READING)
    def reading_as_json(self, words):
        done = self.x(*self.words(words), "--json", want=3)
        rows = [json.loads(line) for line in done.lines()]
        self.assertTrue(rows)
        self.assertEqual(set(r["schema"] for r in rows), {1})

    @table(CHANGING)
    def changing(self, words):
        done = self.x(*self.words(words), want=3)
        self.assertLess(done.seconds, 3)
        said = (done.out + done.err).splitlines()
        self.assertEqual(len(said), 1, done)
        self.assertIn("no broker answers", said[0])

    @table([(n, w) for n, w in CHANGING if n not in ("recv",)])
    def changing_offline(self, words):
        self.assertIn("--offline",
                      self.x(*self.words(words), "--offline", want=2).err)

    def test_what_the_folder_tells(self):
        rows = {r["name"]: r for r in
                map(json.loads, self.x("ls", "--json", "--offline").lines())}
        self.assertEqual(sorted(rows), ["idle", "zfs"])
        self.assertEqual((rows["zfs"]["messages"], rows["zfs"]["kind"],
                          rows["zfs"]["consumers"]), (1, "persistent", None))
        shown = self.x("show", self.ref, "--offline").out
        self.assertIn("SR.attach", shown)
        self.assertIn("***", shown)
        self.assertIn("was killed", self.x("status", "--offline").out)
        self.assertRegex(self.x("trace", "--offline").out,
                         r"no answer to zfs:\d+ SR\.attach")
        self.x("show", "zfs:1", "--offline", want=1)
        self.x("recv", "nosuch", "--peek", "--offline", want=1)

    def test_reading_changes_nothing(self):
        def look():
            return {n: open(os.path.join(self.broker.state, n), "rb").read()
                    for n in os.listdir(self.broker.state)
                    if not n.endswith("-shm")}
        before = look()
        for _, words in READING:
            self.x(*self.words(words), "--offline")
        self.assertEqual(look(), before)

    def test_damage_in_the_folder(self):
        """Each file alone, cut, emptied, replaced: no crash, no hang."""
        for name, damage in (("switch.db", b"not a database" * 1000),
                             ("switch.db", b""), ("switch.db", None),
                             ("recorder.ring", b"x" * 100000),
                             ("recorder.ring", b""), ("recorder.ring", None)):
            with tempfile.TemporaryDirectory() as copy:
                state = os.path.join(copy, "state")
                shutil.copytree(self.broker.state, state)
                for left in os.listdir(state):
                    if left.startswith(name):
                        os.unlink(os.path.join(state, left))
                if damage is not None:
                    with open(os.path.join(state, name), "wb") as f:
                        f.write(damage)
                for _, words in READING:
                    done = self.x(*self.words(words), "--offline=" + state,
                                  want=None)
                    self.assertIn(done.code, (0, 1, 4, 5), (name, done))
                ls = self.x("ls", "--offline=" + state, want=None)
                tail = self.x("tail", "--offline=" + state, want=None)
                bad, good = ((ls, tail) if name == "switch.db" else
                             (tail, ls))
                self.assertNotEqual(bad.code, 0, name)
                self.assertIn(name, bad.err)
                self.assertEqual(good.code, 0, name)

    def test_nothing_at_all(self):
        env = {"XMSG_STATE": "/nonexistent"}
        for _, words in READING:
            done = self.x(*self.words(words), want=3, env=env)
            self.assertEqual(len(done.err.splitlines()), 1, done)
            self.assertEqual(done.out.strip(), "")
            self.assertIn("/nonexistent", done.err)
            self.x(*self.words(words), "--offline", want=1, env=env)

    def test_what_is_in_the_way_of_a_socket(self):
        folder = self.folder.name
        stale = os.path.join(folder, "stale")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(stale)
        plain = os.path.join(folder, "plain")
        open(plain, "w").close()
        for path in (stale, plain, folder, "/nonexistent/sock"):
            done = self.x("ls", "--socket", path, want=3)
            self.assertEqual(len(done.err.splitlines()), 1)
            self.assertIn(path, done.err)


class Stopped(CliCase):
    """The broker takes connections but does not answer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ref = fill(cls("x"), cls.broker)
        cls.broker.signal(signal.SIGSTOP)

    @classmethod
    def tearDownClass(cls):
        cls.broker.signal(signal.SIGCONT)
        super().tearDownClass()

    def test_no_command_is_forgotten(self):
        """The tables above have every command there is."""
        commands = {line.split()[0] for line in self.x("help").lines()
                    if re.match("  [a-z]", line)}
        self.assertGreater(len(commands), 40)
        asked = {words[0] for _, words, *_ in
                 READING + CHANGING + ALSO + ALONE}
        self.assertEqual(commands - asked, set())

    def test_those_with_a_way_of_their_own(self):
        for name, words, status in ALSO:
            done = self.x(*words, "--timeout", "2", want=status)
            self.assertLess(done.seconds, 10, name)
            self.assertEqual(
                len([l for l in (done.out + done.err).splitlines()
                     if "does not answer" in l and "broker" in l]) > 0,
                True, (name, done))
        for name, words in ALONE:
            self.assertLess(self.x(*words).seconds, 10, name)

    def test_every_command_ends(self):
        """All at once: each within its limit, status 3, a line."""
        running = []
        for name, words in READING + CHANGING:
            words = [self.ref if w == "REF" else w for w in words]
            running.append((name, name in dict(READING), time.monotonic(),
                            self.start(*words, "--timeout", "2")))
        for name, reads, began, p in running:
            out, err = p.communicate(timeout=30)
            done = Done(p.returncode, out, err, time.monotonic() - began)
            self.assertEqual(done.code, 3, (name, done))
            said = done.err if name != "health" else done.out
            self.assertEqual(len(said.splitlines()), 1, (name, done))
            self.assertIn("does not answer", said)
            self.assertEqual(reads or name == "health", done.out != "",
                             (name, done))
            self.assertLess(done.seconds, 6, name)

    def test_the_default_limit(self):
        done = self.x("ls", want=3)
        self.assertLess(done.seconds, 10)
        self.assertIn("zfs", done.out)


class StoppedLater(CliCase):
    """The broker stops while something waits for it."""

    def ends(self, p, limit):
        began = time.monotonic()
        self.broker.signal(signal.SIGSTOP)
        try:
            out, err = p.communicate(timeout=limit + 20)
        finally:
            self.broker.signal(signal.SIGCONT)
        self.assertEqual(p.returncode, 3, (out, err))
        self.assertLess(time.monotonic() - began, limit)
        self.assertEqual(len(err.splitlines()), 1, err)

    def test_call(self):
        self.x("create", "mute")
        p = self.start("call", "mute", "--body", "x", "--timeout", "100")
        self.broker.until_parked(1)
        self.ends(p, 12)

    def test_follow(self):
        p = self.start("tail", "-f", "--timeout", "2")
        p.stdout.readline()
        self.ends(p, 12)


class OldGone(CliCase):
    """message-cli: what a support archive gets."""
    name = "message-cli"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        own = cls("x")
        path, cls.path = cls.path, os.path.join(cls.folder.name, "xmsg")
        os.symlink(os.path.realpath(path), cls.path)
        cls.ref = fill(own, cls.broker)
        cls.path = path

    def bugtool(self, words, limit):
        """As xen-bugtool runs it: a shell, no input, errors thrown away."""
        p = subprocess.run(
            "%s %s 2>/dev/null" % (self.path, words), shell=True,
            env=self.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            timeout=limit + 20)
        return p.stdout.decode()

    def check(self, limit):
        for words, known in (("diag", "SR.attach"), ("tail", "SR.scan")):
            began = time.monotonic()
            out = self.bugtool(words, limit)
            self.assertLess(time.monotonic() - began, limit)
            self.assertTrue(out.endswith("\n"))
            first = out.splitlines()[0]
            self.assertRegex(first, "^message-cli: .*answer")
            self.assertIn(self.broker.state, first)
            self.assertIn(known, out)
            self.assertNotIn(SECRET, out)

    def test_1_stopped(self):
        """Then all nine, within ten seconds."""
        self.broker.signal(signal.SIGSTOP)
        try:
            self.check(10)
            running = [(w, self.start(*w.split())) for w in (
                "list", "tail", "mscgen", "ack zfs 1", "destroy zfs",
                "call zfs --body x", "serve zfs --program /bin/cat",
                "diagnostics", "shutdown", "tail --follow")]
            began = time.monotonic()
            for words, p in running:
                out, err = p.communicate(timeout=30)
                self.assertLess(time.monotonic() - began, 10, words)
                self.assertEqual(p.returncode, 3, (words, out, err))
                clear = [l for l in (out + err).splitlines()
                         if l.startswith(b"message-cli: ")]
                self.assertEqual(len(clear), 1, (words, out, err))
        finally:
            self.broker.signal(signal.SIGCONT)

    def test_2_dead(self):
        self.broker.kill()
        self.check(5)
        for words in ("list", "mscgen", "ack zfs 1", "destroy zfs",
                      "call zfs --body x", "serve zfs", "shutdown"):
            done = self.x(*words.split(), want=3, data="")
            self.assertLess(done.seconds, 3)
            self.assertEqual(len(done.err.splitlines()), 1, (words, done))

    def test_3_no_folder_either(self):
        env = {"XMSG_STATE": "/nonexistent"}
        self.broker.kill()
        for words in ("diag", "tail"):
            done = self.x(words, want=3, env=env)
            self.assertEqual(len(done.lines()), 1)
            self.assertEqual(done.err, "")


if __name__ == "__main__":
    main()
