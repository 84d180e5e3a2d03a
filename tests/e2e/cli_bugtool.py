# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The report for a support archive, as the collector runs it: in time with a
broker that is well, dead, stopped or never was; whole lines; bounded; status 0;
and not one of 200 secrets, here or in any other output."""
import json
import os
import select
import shutil
import signal
import subprocess
import time
import xml.dom.minidom

from cli_support import Broker, CliCase, main, table, until
from cli_support import Serving
from broker import get

SRC = os.environ.get("XMSG_SRCDIR", os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", ".."))
KEYS = ["chappassword", "incoming_chappassword", "password", "cifspassword",
        "secret", "sharedsecret", "token", "passwd", "Password", "api_token",
        "passphrase", "secret_key", "CHAPPASSWORD"]


def shapes(word):
    """One secret in each of the forms in which calls carry them."""
    def dump(v):
        return json.dumps(v, separators=(",", ":"))
    for key in KEYS:
        yield {"device_config": {key: word()}}
        yield {"device_config": dump({key: word()})}
    yield {"uri": "iscsi://user:%s@host/target" % word()}
    yield {"uri": "cifs://dom;user:%s@host/share" % word()}
    yield {"opts": "user=a,password=%s,ro" % word()}
    yield {"deep": dump({"a": [dump({"chappassword": word()})]})}
    yield {"device_config": {"password": [word(), {"x": word()}]}}
    yield {"password": {"nested": word()}}


class Planted:
    def __init__(self):
        self.words = []

    def word(self):
        self.words.append("Zq%04dxK7v" % (len(self.words) * 7919 % 10000))
        return self.words[-1]

    def found(self, data):
        return [w for w in self.words if w.encode() in data]


def fill(case, broker, least=200):
    """Secrets in requests, in replies and in what an operator writes."""
    p = Planted()
    with broker.conn("asks") as c:
        c.create("q")
        c.create("back")
        while len(p.words) < least - 4:
            for params in shapes(p.word):
                ident = c.publish("q", json.dumps(
                    {"method": "SR.attach", "params": [params], "id": 1}),
                    "back")
                if len(p.words) % 3 == 0:
                    c.respond("back", "q", ident, json.dumps(
                        {"result": params, "id": 1}))
    last = "q:%d" % ident
    case.x("hold", last, broker=broker)
    case.x("cancel", last, "--reason", "password=%s" % p.word(),
           broker=broker)
    ref = case.x("send", "q", "--body", '{"password":"%s"' % p.word(),
                 broker=broker).out.strip()
    case.x("send", "q", "--body", "chappassword=%s" % p.word(), broker=broker)
    case.x("send", "q", "--body", "<password>%s</password>" % p.word(),
           broker=broker)
    case.assertGreaterEqual(len(p.words), least)
    return p, ref


class Report(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.planted, cls.ref = fill(cls("x"), cls.broker)

    def collect(self, broker=None, env=None, words="bugtool"):
        """As the collector does: through a shell, without input, errors thrown
        away, line by line.  (text, seconds, status)."""
        began = time.monotonic()
        p = subprocess.Popen("%s %s 2>/dev/null" % (self.path, words),
                             shell=True, env=self.env(broker, **(env or {})),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        data = b""
        while True:
            ready, _, _ = select.select([p.stdout], [], [], 15)
            self.assertTrue(ready, "silence after %r" % data[-200:])
            more = os.read(p.stdout.fileno(), 1 << 20)
            if not more:
                break
            self.assertTrue(more.endswith(b"\n") or len(more) >= 4096,
                            "half a line: %r" % more[-100:])
            data += more
        status = p.wait(10)
        self.assertTrue(data.endswith(b"\n"))
        self.assertEqual(self.planted.found(data), [])
        return data.decode(), time.monotonic() - began, status

    def sections(self, text):
        return [l[3:-3] for l in text.splitlines()
                if l.startswith("== ") and l.endswith(" ==")]

    def test_a_broker_that_is_well(self):
        text, seconds, status = self.collect()
        self.assertEqual(status, 0)
        self.assertLess(seconds, 10)
        for part in ("broker", "queues", "the oldest messages", "clients",
                     "why they are still there", "running scripts", "plugins",
                     "the last 100 failed calls", "calls by queue and method",
                     "acts of operators", "the last events", "sequence chart",
                     "sequence chart for mscgen", "state folder", "database",
                     "end of the report"):
            self.assertIn(part, self.sections(text))
        self.assertIn("no consumer on q", text)
        self.assertIn(": sound", text)
        self.assertIn("msc {", text)
        self.assertIn("SR.attach", text)

    def test_as_json(self):
        text, _, status = self.collect(words="bugtool --json")
        self.assertEqual(status, 0)
        rows = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(set(r["schema"] for r in rows), {1})
        self.assertLessEqual({"status", "queue", "message", "event", "why", "stat",
                              "act", "client", "remark", "line"},
                             set(r["object"] for r in rows))
        parts = {r["part"] for r in rows if r["object"] == "line"}
        self.assertLess({"report", "state folder", "database"}, parts)
        self.assertEqual(rows[-1]["text"], "== end of the report ==")

    def test_a_stopped_broker(self):
        self.broker.signal(signal.SIGSTOP)
        try:
            text, seconds, status = self.collect()
        finally:
            self.broker.signal(signal.SIGCONT)
        self.assertEqual(status, 0)
        self.assertLess(seconds, 10)
        self.assertIn("does not answer", text)
        self.assertIn("sequence chart", self.sections(text))
        self.assertIn("SR.attach", text)

    def test_a_broker_that_stops_meanwhile(self):
        """It answers the first question only."""
        for wait in (0.002, 0.01, 0.03):
            p = self.start("bugtool")
            began = time.monotonic()
            select.select([p.stdout], [], [], wait)
            self.broker.signal(signal.SIGSTOP)
            try:
                out, _ = p.communicate(timeout=30)
            finally:
                self.broker.signal(signal.SIGCONT)
            self.assertEqual(p.returncode, 0)
            self.assertLess(time.monotonic() - began, 10)
            self.assertTrue(out.endswith(b"\n"))

    def test_dead_and_gone(self):
        with Broker() as b:
            planted, _ = fill(self, b, 200)
            b.kill()
            text, seconds, status = self.collect(b)
            self.assertEqual(planted.found(text.encode()), [])
            self.assertEqual(status, 0)
            self.assertLess(seconds, 5)
            self.assertIn("no broker answers", text)
            self.assertIn("SR.attach", text)
            self.assertIn("sequence chart", self.sections(text))
            for name in ("switch.db", "recorder.ring"):
                with open(os.path.join(b.state, name), "wb") as f:
                    f.write(b"damage" * 999)
                text, _, status = self.collect(b)
                self.assertEqual(status, 0)
                self.assertIn(name, text)
        text, seconds, status = self.collect(
            env={"XMSG_SOCKET": "/nonexistent", "XMSG_STATE": "/nonexistent"})
        self.assertEqual(status, 0)
        self.assertLess(seconds, 2)
        self.assertIn("/nonexistent", text)

    def test_it_is_bounded(self):
        """Many queues, many messages: parts are cut, at whole lines."""
        with Broker() as b:
            with b.conn("t") as c:
                for i in range(0, 3000, 500):
                    c.send(b"".join(
                        b"GET /persistent/queue-%05d HTTP/1.1\r\n\r\n" % n
                        for n in range(i, i + 500)))
                    for _ in range(500):
                        self.assertEqual(c.reply().status, 200)
                for n in range(3000):
                    c.publish("queue-%05d" % (n % 700), "x" * 900, "nobody")
            text, seconds, status = self.collect(b)
        self.assertEqual(status, 0)
        self.assertLess(seconds, 10)
        self.assertLess(len(text), 4 << 20)
        self.assertIn("-- the rest of this part is left out --", text)
        self.assertIn("end of the report", text)

    def test_nobody_reads(self):
        p = self.start("bugtool")
        p.stdout.close()
        self.assertEqual(p.wait(20), 0)
        p.stderr.close()

    def test_the_files_of_the_collector(self):
        folder = os.path.join(SRC, "packaging", "bugtool")
        cap = xml.dom.minidom.parse(os.path.join(
            folder, "message-switch.xml")).documentElement
        self.assertEqual(cap.tagName, "capability")
        self.assertEqual(cap.getAttribute("mime"), "text/plain")
        self.assertLessEqual(int(cap.getAttribute("max_time")), 30)
        collect = xml.dom.minidom.parse(os.path.join(
            folder, "stuff.xml")).documentElement
        ran = [c.firstChild.data for c in
               collect.getElementsByTagName("command")]
        self.assertEqual(ran[:2], ["/usr/sbin/message-cli diag",
                                   "/usr/sbin/message-cli tail"])
        self.assertIn("/usr/bin/xmsg bugtool", ran)

    def test_no_secret_anywhere(self):
        """Every output of every command that shows something."""
        old = os.path.join(self.folder.name, "message-cli")
        os.symlink(os.path.realpath(self.path), old)
        shown = 0
        for words in (["ls", "-m"], ["ls", "-m", "--json"],
                      ["show", self.ref], ["show", "--json", self.ref],
                      ["recv", "q", "--peek", "--columns", "ref,payload"],
                      ["tail", "-n", "9999"], ["tail", "-n", "9999", "--json"],
                      ["trace", "-n", "0"], ["mscgen", "-n", "0"],
                      ["trace", "-n", "0", "-F", "mermaid"], ["log"],
                      ["log", "--json"], ["undo", "--list"],
                      ["undo", "--list", "--json"], ["stats", "--json"],
                      ["diagnostics"], ["why", self.ref], ["db", "export"],
                      ["bugtool", "--json"], ["top", "--once"]):
            for offline in ([], ["--offline"]):
                done = self.x(*words, *offline, want=None)
                self.assertEqual(self.planted.found(
                    done.raw + done.err.encode()), [], words)
                shown += len(done.raw)
        for words in ("diag", "tail", "mscgen"):
            out = subprocess.run([old, words], env=self.env(),
                                 stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE).stdout
            self.assertEqual(self.planted.found(out), [], words)
        self.assertGreater(shown, 100000)
        for name in ("recorder.ring", "acts.ring"):
            with open(os.path.join(self.broker.state, name), "rb") as f:
                self.assertEqual(self.planted.found(f.read()), [], name)
        self.assertEqual(self.planted.found(self.logged().encode()), [])
        with self.broker.conn() as c:  # the dashboard, and what it asks for
            for target in ("/ui", "/v1/events?after=-1&limit=100000",
                           "/v1/queues?limit=1000", "/v1/clients", "/v1/acts",
                           "/v1/queues/q/messages?payload=1&limit=1000",
                           "/v1/removed?limit=1000", "/v1/status", "/metrics",
                           "/", "/trace/-1/0"):
                raw = c.ask(get(target)).raw
                self.assertEqual(self.planted.found(raw), [], target)
        with self.broker.conn("reads") as c:  # and consumers get them all
            got = "".join(m[2] for m in c.poll(["q"])[0])
        self.assertGreater(len(self.planted.found(got.encode())), 150)

    def test_what_mscgen_draws(self):
        if shutil.which("mscgen") is None:
            self.assertIn("msc {", self.x("mscgen").out)
            return
        drawn = subprocess.run(["mscgen", "-T", "svg", "-o", "-"],
                               input=self.x("mscgen").raw,
                               stdout=subprocess.PIPE)
        self.assertEqual(drawn.returncode, 0)


class Database(CliCase):
    """The file itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        own = cls("x")
        for i in range(50):
            own.x("send", "q", "--create", "--body", "message %d" % i)

    def test_1_check(self):
        self.assertIn("sound", self.x("db", "check").out)
        row = json.loads(self.x("db", "check", "--deep", "--json").out)
        self.assertEqual((row["object"], row["result"]),
                         ("database", "sound"))
        self.x("db", "check", env={"XMSG_STATE": "/nonexistent"}, want=1)
        self.x("db", "chec", want=2)
        self.x("db", "check", "more", want=2)

    def test_2_backup_while_the_broker_runs(self):
        copy = os.path.join(self.folder.name, "copy")
        os.mkdir(copy)
        to = os.path.join(copy, "switch.db")
        self.x("db", "backup", to)
        self.assertEqual(os.stat(to).st_mode & 0o777, 0o600)
        self.x("db", "backup", to, want=4)
        self.x("db", "backup", want=2)
        listed = self.x("ls", "-m", "--offline=" + copy, "--columns",
                        "ref", "--no-header").out
        self.assertEqual(listed, self.x("ls", "-m", "--columns", "ref",
                                        "--no-header").out)

    def test_3_export(self):
        rows = [json.loads(l) for l in self.x("db", "export").lines()]
        self.assertEqual([r["object"] for r in rows],
                         ["queue"] + ["message"] * 50)

    def test_4_compact(self):
        done = self.x("db", "compact", "--yes", want=4)
        self.assertIn("stop it first", done.err)
        self.x("purge", "q", "--yes")
        self.broker.stop()
        self.x("db", "compact", want=4)
        self.x("db", "compact", "--dry-run")
        self.assertIn("compacted", self.x("db", "compact", "--yes").out)
        self.broker.start()
        self.assertIn("50 messages back", self.x("undo").out)

    def test_5_damage(self):
        self.broker.stop()
        path = os.path.join(self.broker.state, "switch.db")
        with open(path, "r+b") as f:
            f.seek(4096)
            f.write(b"\xff" * 8192)
        done = self.x("db", "check", want=None)
        self.assertIn(done.code, (4, 5))
        self.assertNotEqual(done.err, "")


if __name__ == "__main__":
    main()
