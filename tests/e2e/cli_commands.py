# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""xmsg with a broker that is well: each command, each exit status, its output
for people and for programs."""
import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import time

from cli_support import (CALL, Broker, CliCase, SECRET, Serving, main, table,
                         until)
from broker import get, post, transfer_body

BYTES = bytes(range(256))


class Queues(CliCase):
    def test_create_list_destroy(self):
        self.assertEqual(self.x("create", "zfs", "nfs").out, "")
        rows = self.x("ls", "--no-header", "--columns",
                      "name,kind,messages").lines()
        self.assertIn("zfs  persistent  0", rows)
        self.assertEqual(self.x("ls", "n*", "--columns", "name",
                                "--no-header").out, "nfs\n")
        self.x("ls", "nosuch*", want=1)
        self.assertEqual(self.x("destroy", "zfs", "nfs").out,
                         "destroyed zfs (0 messages)\n"
                         "destroyed nfs (0 messages)\n")
        self.x("destroy", "zfs", want=1)

    def test_a_queue_with_messages_is_not_destroyed_by_accident(self):
        self.x("send", "full", "--create", "--body", "1")
        refused = self.x("destroy", "full", want=4)
        self.assertIn("--yes", refused.err)
        self.assertEqual(self.x("destroy", "full", "--dry-run").out,
                         "would destroy full (1 message)\n")
        self.assertEqual(self.x("destroy", "full", "--yes").out,
                         "destroyed full (1 message)\n")

    def test_titles_and_totals(self):
        self.x("send", "t", "--create", "--body", "x" * 2000)
        lines = self.x("list", "t").lines()
        self.assertEqual(lines[0].split(), [
            "QUEUE", "KIND", "READY", "INFLIGHT", "HELD", "DEAD", "OLDEST",
            "IN/s", "OUT/s", "CONSUMERS", "STATE"])
        self.assertRegex(
            lines[1], r"^t      persistent +1 +0 +0 +0 +\d+\.\ds +"
            r"0\.2 +0 +0  no consumer$")
        self.assertEqual(lines[2], "1 queue, 1 message, 1.9k bytes")
        for line in lines:
            self.assertEqual(line, line.rstrip())
        self.assertEqual(len(self.x("list", "t", "--no-header").lines()), 1)

    def test_names_of_every_kind(self):
        names = ["a b", "per%cent", "sl/ash", "q:1", "gr\u00fc\u00df", "-dash",
                 "x" * 255]
        self.x("create", "--", *names)
        got = [json.loads(l)["name"] for l in self.x("ls", "--json").lines()]
        for name in names:
            self.assertIn(name, got)
            ref = self.x("send", "--body", "1", "--", name).out.strip()
            self.assertEqual(ref.rpartition(":")[0], name)
            self.x("ack", "--", ref)
        self.x("destroy", "--", *names)

    def test_names_from_standard_input(self):
        self.x("create", "-", data="in1\nin2\n\n")
        self.assertEqual(self.x("destroy", "-", data="in1\nin2\nin3\n",
                                want=5).out.count("destroyed"), 2)

    def test_sorting(self):
        for name, n in (("s1", 2), ("s2", 3), ("s3", 1)):
            for _ in range(n):
                self.x("send", name, "--create", "--body", "x", "-q")
        got = self.x("ls", "s[0-9]", "--sort", "-messages", "--columns",
                     "name,messages", "--no-header").out
        self.assertEqual(got, "s2  3\ns1  2\ns3  1\n")

    def test_more_queues_than_a_page(self):
        with Broker() as b:
            with b.conn(token="t") as c:
                for i in range(0, 2500, 500):
                    c.send(b"".join(
                        b"GET /persistent/q%05d HTTP/1.1\r\n\r\n" % n
                        for n in range(i, i + 500)))
                    for _ in range(500):
                        self.assertEqual(c.reply().status, 200)
            got = self.x("ls", "--columns", "name", broker=b).lines()
            self.assertEqual(got[1:-1], ["q%05d" % n for n in range(2500)])


class Messages(CliCase):
    def setUp(self):
        self.x("create", "zfs")

    def tearDown(self):
        self.x("destroy", "zfs", "--yes")

    def send(self, body="x"):
        return self.x("send", "zfs", "--body", body).out.strip()

    def test_send_shows_the_id_that_commands_take(self):
        ref = self.send(CALL)
        self.assertRegex(ref, r"^zfs:\d+$")
        shown = self.x("show", ref).out
        self.assertIn("message    %s\n" % ref, shown)
        self.assertIn("SR.attach", shown)
        self.assertIn("state      ready\n", shown)
        self.assertNotIn(SECRET, shown)

    def test_payload_from_file_and_standard_input(self):
        path = os.path.join(self.folder.name, "body")
        with open(path, "wb") as f:
            f.write(BYTES)
        self.x("send", "zfs", "--file", path)
        self.x("send", "zfs", "-", data=BYTES)
        self.x("send", "zfs", data=BYTES)
        for _ in range(3):
            self.assertEqual(self.x("recv", "zfs", "--raw").raw, BYTES)
        self.x("recv", "zfs", want=1)

    def test_peek_takes_nothing(self):
        refs = [self.send("m%d" % i) for i in range(3)]
        rows = self.x("recv", "zfs", "--peek", "--no-header").lines()
        self.assertEqual([r.split()[0] for r in rows], refs)
        rows = self.x("recv", "zfs", "-p", "--no-header", "-n", "1").lines()
        self.assertEqual(len(rows), 1)
        after = refs[1].rpartition(":")[2]
        rows = self.x("recv", "zfs", "-p", "--no-header", "-a", after).lines()
        self.assertEqual([r.split()[0] for r in rows], refs[2:])

    def test_recv_takes_the_oldest(self):
        self.send("first")
        self.send("second")
        self.assertEqual(self.x("recv", "zfs").out, "first\n")
        self.assertEqual(self.x("recv", "zfs").out, "second\n")
        self.x("recv", "zfs", want=1)
        self.x("recv", "zfs", "--wait", "100ms", want=6)

    def test_recv_waits(self):
        p = self.start("recv", "zfs", "--wait", "30")
        self.broker.until_parked(1)
        self.send("late")
        self.assertEqual(p.communicate(timeout=20)[0], b"late\n")
        self.assertEqual(p.returncode, 0)

    def test_ack_in_every_form(self):
        refs = [self.send() for _ in range(5)]
        queue, _, number = refs[0].rpartition(":")
        self.assertEqual(self.x("ack", queue, number).out, "")
        self.assertEqual(self.x("ack", refs[1], refs[2]).out, "")
        listing = self.x("recv", "zfs", "--peek", "--no-header").out
        self.assertEqual(self.x("ack", "-", data=listing).out, "")
        self.x("ack", refs[0], want=1)
        self.x("ack", "zfs", number, want=1)
        self.x("recv", "zfs", want=1)

    def test_done_in_part(self):
        ref = self.send()
        done = self.x("ack", ref, "zfs:1", want=5)
        self.assertEqual(len(done.err.splitlines()), 1)
        self.assertIn("zfs:1: there is no such message", done.err)

    def test_hold_and_release(self):
        ref = self.send("held")
        self.assertEqual(self.x("hold", ref).out, "1 held\n")
        self.x("recv", "zfs", want=1)
        row = json.loads(self.x("recv", "zfs", "--peek", "--json").out)
        self.assertEqual(row["state"], "held")
        self.assertIn("operator", row["reason"])
        self.assertIn("held", self.x("ls", "zfs").lines()[1])
        self.assertEqual(self.x("release", ref).out, "1 released\n")
        self.assertEqual(self.x("recv", "zfs").out, "held\n")
        self.x("hold", ref, want=1)

    def test_reply_by_hand(self):
        p = self.start("call", "zfs", "--body", "?", "--timeout", "30")
        row = until(lambda: self.x("recv", "zfs", "--peek", "--json").out,
                    "the request is there")
        ref = json.loads(row)["ref"]
        answer = self.x("reply", ref, "--body", "by hand").out
        self.assertRegex(answer, r"^xmsg:\d+:\d+\n$")
        self.assertEqual(p.communicate(timeout=20)[0], b"by hand\n")
        self.assertEqual(p.returncode, 0)
        again = self.x("reply", ref, "--body", "again")
        self.assertIn("answered before", again.err)

    def test_reply_in_the_callers_form(self):
        """--ok and --error: as the call was made, with its id."""
        old = '{"method":"SR.scan","params":[],"id":"x7"}'
        new = '{"jsonrpc":"2.0","method":"SR.scan","params":{},"id":8}'
        for body, words, want in (
                (old, ["--ok", '[1, "a"]'],
                 {"result": [1, "a"], "error": None, "id": "x7"}),
                (new, ["--ok", "null"],
                 {"jsonrpc": "2.0", "result": None, "id": 8}),
                (old, ["--error", "SR_BUSY", "a b", 'c"'],
                 {"result": None, "error": ["SR_BUSY", "a b", 'c"'],
                  "id": "x7"}),
                (new, ["-e", "SR_BUSY", "p"],
                 {"jsonrpc": "2.0", "id": 8, "error": {
                     "code": 1, "message": "SR_BUSY",
                     "data": ["SR_BUSY", "p"]}})):
            caller = self.start("call", "zfs", "--body", body)
            ref = until(lambda: self.x("ls", "-m", "zfs", "--no-header",
                                       "--columns", "ref",
                                       want=None).out.strip(), "it waits",
                        pause=0.02)
            self.x("reply", ref, *words)
            out, err = caller.communicate(timeout=20)
            self.assertEqual((caller.returncode, json.loads(out)), (0, want),
                             err)
        ref = self.send("no call")
        self.assertIn("--body", self.x("reply", ref, "--ok", "1", want=4).err)
        self.assertIn("--ok takes JSON",
                      self.x("reply", ref, "--ok", "a b", want=2).err)
        for words in (["--ok", "1", "--error", "E"], ["--ok", "1", "p"],
                      ["--ok", "1", "--body", "x"]):
            self.x("reply", ref, *words, want=2)
        self.x("reply", "zfs:1", "--ok", "1", want=1)

    def test_show_tells_the_story(self):
        ref = self.send(CALL)
        self.x("hold", ref)
        text = self.x("show", ref).out
        self.assertRegex(text, r"(?m)^timeline   [\d:.]+  published by xmsg:")
        self.assertRegex(text, r"(?m)^ {11}[\d:.]+  held$")
        # what is too long for a line is laid out; secrets are masked
        self.assertRegex(text, r'(?m)^payload    \{$')
        self.assertIn('"chappassword": "***"', text)

    def test_secrets_at_a_terminal_only(self):
        ref = self.send(CALL)
        done = self.x("show", ref, "--show-secrets", want=4)
        self.assertNotIn(SECRET, done.out + done.err)
        self.assertIn("for a terminal", done.err)
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(self.path, self.args(["show", ref, "--show-secrets"]),
                      self.env())
        shown = b""
        with contextlib.suppress(OSError):
            while True:
                shown += os.read(fd, 65536)
        os.close(fd)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertIn(SECRET.encode(), shown)
        row = json.loads(self.x("log", "-n", "1", "--json").out)
        self.assertEqual((row["verb"], row["ref"]), ("show --raw", ref))

    def test_nobody_waits_for_the_reply(self):
        ref = self.send()
        self.assertIn("queue is gone",
                      self.x("reply", ref, "--body", "x", want=4).err)
        self.x("ack", ref)

    def test_list_messages(self):
        refs = [self.send(CALL), self.send("y")]
        rows = self.x("ls", "-m", "--no-header", "zfs").lines()
        self.assertEqual([r.split()[0] for r in rows], refs)
        # ID STATE AGE METHOD FROM REPLY-TO SIZE TRIES LAST-ERROR
        self.assertRegex(rows[0], r"^zfs:\d+ +ready +\d\.\ds +SR\.attach +"
                                  r"xmsg\[\d+\] +\S+ +\d+ +0 +-$")

    def test_show_raw_is_for_the_brokers_user(self):
        ref = self.x("send", "zfs", "-", data=BYTES).out.strip()
        self.assertEqual(self.x("show", ref, "--raw").raw, BYTES)

    def test_what_a_terminal_gets_is_escaped(self):
        ref = self.x("send", "zfs", "-",
                     data=b"\x1b[2J\x9b\xc2\x9b\r\n\x07").out.strip()
        for words in (["show", ref], ["recv", "zfs", "--peek"], ["tail"],
                      ["trace"], ["mscgen"], ["diagnostics"],
                      ["show", ref, "--json"], ["tail", "--json"]):
            got = self.x(*words).raw
            self.assertEqual([b for b in got if b < 32 and b != 10], [],
                             words)
            self.assertNotIn(b"\xc2\x9b", got, words)


class Calls(CliCase):
    def test_call_and_serve(self):
        upper = self.script("upper", "tr a-z A-Z\n")
        with Serving(self, "up", "--program", upper):
            done = self.x("call", "up", "--body", "hello", "-v")
            self.assertEqual(done.out, "HELLO\n")
            self.assertRegex(done.err, r"^xmsg: up:\d+ answered after ")
            row = json.loads(self.x("call", "up", "-", "--json",
                                    data="x").out)
            self.assertEqual(row["reply"], "X")
            self.assertTrue(0 < row["duration_s"] < 10)

    def test_a_method_and_its_parameters(self):
        with Serving(self, "cat", "--program", "cat"):
            got = json.loads(self.x("call", "cat", "SR.stat", "dbg=me", "n=5",
                                    "on=true", 'o={"a":[1]}', "t=5 x",
                                    "e=", 'q="5"', "u=a=b").out)
            self.assertEqual(got, {
                "method": "SR.stat", "id": 0, "params": [{
                    "dbg": "me", "n": 5, "on": True, "o": {"a": [1]},
                    "t": "5 x", "e": "", "q": "5", "u": "a=b"}]})
            got = json.loads(self.x("call", "cat", "Query.query").out)
            self.assertEqual(got["params"], [{}])
        for words, want in [
                (("SR.stat", "dbg"), "'dbg' is not NAME=VALUE"),
                (("SR.stat", "=x"), "'=x' is not NAME=VALUE"),
                (("SR.stat", "--body", "x"), "which one"),
                (("-", "x"), "'x' is one operand too many"),
                ((b"SR.\xff",), "is no method"),
                (("SR.stat", b"a=\xff"), "is not UTF-8"),
                (("SR.stat", b"\xff=a"), "cannot be a parameter")]:
            self.assertIn(want, self.x("call", "cat", *words, want=2).err)

    def test_every_byte_and_sizes(self):
        with Serving(self, "cat", "--exact", "--program", "cat"):
            for data in (b"", b"\n", b"x\n\n", BYTES, BYTES * 16384):
                got = self.x("call", "cat", "-", "--raw", data=data).raw
                self.assertEqual(got, data)

    def test_one_newline_at_the_end_is_not_part_of_the_reply(self):
        with Serving(self, "nl", "--program", "cat"):
            for data, want in ((b"x\n", b"x"), (b"x\n\n", b"x\n"),
                               (b"x", b"x"), (b"\n", b"")):
                got = self.x("call", "nl", "-", "--raw", data=data).raw
                self.assertEqual(got, want)

    def test_programs_that_misbehave(self):
        """Each answers what it wrote; none stops the server."""
        deaf = self.script("deaf", "exec 0<&-; echo deaf\n")
        fails = self.script("fails", "echo half; exit 3\n")
        killed = self.script("killed", "echo gone; kill -9 $$\n")
        leaves = self.script("leaves", "sleep 30 2>/dev/null & echo left\n")
        big = b"x" * 300000
        for path, want, note in ((deaf, "deaf\n", ""),
                                 (fails, "half\n", "status 3"),
                                 (killed, "gone\n", "signal 9"),
                                 (leaves, "left\n", "")):
            s = Serving(self, "bad", "--program", path)
            for _ in range(2):
                self.assertEqual(self.x("call", "bad", "-", data=big).out,
                                 want)
            code, said = s.stop()
            self.assertEqual(code, 0)
            self.assertIn(note, said)

    def test_several_run_at_a_time(self):
        """Four meet at a pipe: alone, none of them would end."""
        fifo = os.path.join(self.folder.name, "meet")
        os.mkfifo(fifo)
        meet = self.script("meet.sh", "cat; read x < %s\n" % fifo)
        with Serving(self, "par", "--program", meet, "--jobs", "4"):
            calls = [self.start("call", "par", "--body", "c%d" % i,
                                "--timeout", "30") for i in range(4)]
            until(lambda: self.broker.queue("par")["delivered"] == 4,
                  "four are being worked on")
            with open(fifo, "w") as f:
                f.write("go\n" * 4)
            # a read takes a whole buffer: feed those that got nothing
            feeding = True
            while feeding:
                feeding = any(p.poll() is None for p in calls)
                try:
                    fd = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
                    os.write(fd, b"go\n")
                    os.close(fd)
                except OSError:
                    pass
            for i, p in enumerate(calls):
                self.assertEqual(p.communicate(timeout=20)[0],
                                 b"c%d\n" % i)

    def test_arguments_of_the_program(self):
        with Serving(self, "args", "--program", "echo", "--", "-n", "a b"):
            self.assertEqual(self.x("call", "args", "--body", "").out,
                             "a b\n")

    def test_a_person_serves(self):
        p = self.start("serve", "person", stdin=subprocess.PIPE)
        until(lambda: self.broker.queue("person") is not None, "the queue")
        call = self.start("call", "person", "--body", "question")
        self.assertEqual(p.stdout.readline(), b"Received:\n")
        self.assertEqual(p.stdout.readline(), b"question\n")
        p.stdout.readline()
        p.stdin.write(b"line one\nline two\n.\n")
        p.stdin.flush()
        self.assertEqual(call.communicate(timeout=20)[0],
                         b"line one\nline two\n")
        p.terminate()
        p.communicate(timeout=20)
        self.assertEqual(p.returncode, 0)

    def test_nobody_answers(self):
        self.x("create", "mute")
        done = self.x("call", "mute", "--body", "x", "--timeout", "300ms",
                      want=6)
        self.assertRegex(done.err,
                         r"^xmsg: no answer from mute within 0\.3 s; "
                         r"the request is still there: mute:\d+\n$")
        self.assertLess(done.seconds, 5)

    def test_no_such_queue(self):
        self.x("call", "nosuch", "--body", "x", want=1)
        self.x("send", "nosuch", "--body", "x", want=1)
        self.x("recv", "nosuch", "--peek", want=1)

    def test_a_restart_of_the_broker_is_no_failure(self):
        with Broker() as b:
            slow = self.script("slow", "cat; until [ -e %s/go ]; do "
                               "sleep 0.02; done\n" % self.folder.name)
            s = Serving(self, "slow", "--program", slow, broker=b)
            call = self.start("call", "slow", "--body", "still here",
                              "--timeout", "60", broker=b)
            until(lambda: b.queue("slow")["delivered"] == 1, "delivered")
            b.restart("kill")
            with open(os.path.join(self.folder.name, "go"), "w"):
                pass
            out, err = call.communicate(timeout=40)
            self.assertEqual((out, call.returncode), (b"still here\n", 0),
                             err)
            s.stop()


class Watching(CliCase):
    def test_tail_shows_a_call(self):
        with Serving(self, "zfs", "--program", "cat"):
            self.x("call", "zfs", "--body", '{"method":"SR.scan"}')
        text = self.x("tail", "-n", "100").out
        self.assertRegex(text, r"(?m)^\d\d:\d\d:\d\d\.\d{3}  xmsg:\d+ -> "
                               r"zfs:\d+  SR\.scan$")
        self.assertRegex(text, r"answers zfs:\d+ after [\d.]+(ms|us|s)")
        self.assertEqual(len(self.x("tail", "-n", "3").lines()), 3)
        self.assertRegex(self.x("tail", "-n", "1", "--utc").out,
                         r"^\d\d:\d\d:\d\d\.\d{3}Z  ")

    def test_follow(self):
        p = self.start("tail", "-f", "-n", "0", "--json")
        # the second request waits: where it begins is known
        until(lambda: any((c["comm"] == self.name or c["pid"] == p.pid) and
                          c["requests"] > 1 for c in self.broker.clients()),
              "it follows")
        seen = []
        self.x("create", "followed")
        while not seen or seen[-1]["type"] != "create" or \
                seen[-1]["queue"] != "followed":
            seen.append(json.loads(p.stdout.readline()))
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=10)
        self.assertEqual(p.returncode, 130)

    def test_follow_over_a_restart(self):
        with Broker() as b:
            p = self.start("tail", "-f", "--json", broker=b)
            self.assertEqual(json.loads(p.stdout.readline())["type"], "start")
            b.restart("kill")
            self.x("create", "after", broker=b)
            types = []
            while types[-1:] != ["create"]:
                types.append(json.loads(p.stdout.readline())["type"])
            self.assertIn("start", types)
            p.kill()
            p.communicate()

    def test_charts(self):
        with Serving(self, "chart", "--program", "cat"):
            self.x("call", "chart", "--body", '{"method":"VDI.clone"}')
        self.x("send", "chart", "--body", '{"method":"VDI.lost"}')
        text = self.x("trace", "-n", "3").out
        self.assertRegex(text, r"\|-+VDI\.clone :\d+-+>\|")
        self.assertRegex(text, r"(<\.+|\|\.+)[^|]*\d(us|ms|s) :\d[^|]*"
                               r"(>\||\|)")
        self.assertRegex(text, r"\* no answer to chart:\d+ VDI\.lost from")
        mermaid = self.x("trace", "--format", "mermaid", "-n", "3").lines()
        self.assertEqual(mermaid[0], "sequenceDiagram")
        for line in mermaid[1:]:
            self.assertRegex(line, r"^  (participant p\d+ as |"
                                   r"p\d+(->>|-->>|-x)p\d+: |Note over )")
        self.assertIn("VDI.lost",
                      self.x("trace", "--format", "table").out)

    def test_mscgen_takes_the_chart(self):
        if shutil.which("mscgen") is None:
            self.skipTest("mscgen is not installed")
        names = ['quo"te', "back\\slash", "semi;colon", "gr\u00fc\u00df",
                 "new\u202edir", "[x]{y}"]
        for name in names:
            self.x("send", name, "--create", "--body", name + '\\"\n\t\x1b')
        with Serving(self, "m", "--program", "cat"):
            self.x("call", "m", "--body", CALL)
        out = os.path.join(self.folder.name, "o.svg")
        with Broker() as empty:
            for broker in (None, empty):
                text = self.x("mscgen", "-n", "0", broker=broker).raw
                done = subprocess.run(["mscgen", "-T", "svg", "-i", "-", "-o",
                                       out], input=text,
                                      stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT)
                self.assertEqual(done.returncode, 0,
                                 (done.stdout, text.decode()))

    def test_status(self):
        text = self.x("status").out
        self.assertRegex(text, r"(?m)^state +up$")
        self.assertRegex(text, r"pid %d," % self.broker.process.pid)
        self.assertIn("limit", text)
        row = json.loads(self.x("status", "--json").out)
        self.assertEqual((row["schema"], row["object"], row["pid"]),
                         (1, "status", self.broker.process.pid))
        self.x("create", "st")
        self.assertIn("idle", self.x("status", "st").out)
        self.x("status", "nosuch", want=1)

    def test_clients(self):
        with Serving(self, "cl", "--program", "cat") as s:
            rows = [json.loads(l) for l in
                    self.x("clients", "--json").lines()]
            waiting = [r for r in rows if r["parked"]]
            self.assertEqual([(r["pid"], r["queues"]) for r in waiting],
                             [(s.process.pid, "cl")])

    def test_clients_traffic(self):
        """Bytes in and out, to the byte; also of an answer that the socket
        does not take at once."""
        def traffic():
            row, = [r for r in map(json.loads,
                                   self.x("clients", "--json").lines())
                    if r["token"] == "counted"]
            return row["requests"], row["bytes_in"], row["bytes_out"]
        with self.broker.conn() as c:
            asked = [get("/login/counted"), get("/persistent/cl.traffic"),
                     post("/request/cl.traffic/me", "x" * 900000),
                     post("/transfer", transfer_body(["cl.traffic"], 0.0))]
            out = sum(len(c.ask(a).raw) for a in asked)
            self.assertGreater(out, 900000)
            self.assertEqual(traffic(), (4, sum(map(len, asked)), out))
            c.destroy("cl.traffic")
        self.assertRegex(self.x("clients").out.splitlines()[0], r" IN +OUT\b")

    def test_health(self):
        self.x("create", "h")
        self.assertRegex(self.x("health").out, r"^OK \d+ queues, ")
        self.x("send", "h", "--body", "x")
        self.x("health", "--depth", "0", want=1)
        self.x("health", "--no-consumer", want=1)
        self.x("health", "--oldest", "1h", "--depth", "5000")
        row = json.loads(self.x("health", "--depth", "0", "--json",
                                want=1).out)
        self.assertEqual(row["status"], "WARNING")
        self.x("destroy", "h", "--yes")

    def test_diagnostics(self):
        self.x("send", "dg", "--create", "--body", CALL)
        text = self.x("diagnostics").out
        for part in ("broker", "queues", "oldest messages of each queue",
                     "clients", "last events", "chart"):
            self.assertIn("== %s ==\n" % part, text)
        objects = set(json.loads(l)["object"]
                      for l in self.x("diagnostics", "--json").lines())
        self.assertEqual(objects, {"status", "queue", "message", "client",
                                   "event"})


class Programs(CliCase):
    """What scripts rely on: JSON, statuses, pipes, the manual."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manual = os.path.join(os.environ.get("XMSG_SRCDIR", os.path.join(
            os.path.dirname(__file__), "..", "..")), "doc", "xmsg.1")

    def every_command(self):
        """Every command that prints, with what it needs."""
        ref = self.x("send", "every", "--create", "--body", CALL).out.strip()
        other = self.x("send", "every", "--body", CALL).out.strip()
        self.x("create", "back")
        third = self.x("send", "every", "--reply-to", "back", "--body",
                       CALL).out.strip()
        return [
            ["list"], ["list", "-m"], ["recv", "every", "--peek"],
            ["show", ref], ["status"], ["status", "every"], ["health"],
            ["clients"], ["tail", "-n", "1000"], ["trace"], ["diagnostics"],
            ["why", ref], ["stats"], ["log", "-n", "1000"],
            ["hold", ref], ["release", ref], ["requeue", ref],
            ["cancel", ref, "--dry-run"], ["pause", "back"],
            ["resume", "back"], ["purge", "every", "--dry-run"],
            ["reply", third, "--body", '{"token":"%s"}' % SECRET],
            ["ack", other], ["send", "every", "--body", "x"],
            ["create", "another"], ["destroy", "another"], ["version"],
        ]

    def test_json_is_an_object_a_line(self):
        with open(self.manual) as f:
            manual = f.read()
        for words in self.every_command():
            done = self.x(*words, "--json")
            self.assertTrue(done.out.endswith("\n"), words)
            for line in done.lines():
                row = json.loads(line)
                self.assertEqual(row["schema"], 1, words)
                self.assertRegex(row["object"], "^[a-z]+$")
                for key in ["object"] + list(row):
                    self.assertRegex(manual, r"\b%s\b" % key,
                                     "field %s of %r is not in the manual" %
                                     (key, words))

    def test_no_command_prints_a_secret(self):
        with Serving(self, "secret", "--program", "true"):
            self.x("call", "secret", "--body", CALL)
        printed = 0
        for words in self.every_command() + [["mscgen"],
                                             ["trace", "--format", "mermaid"],
                                             ["trace", "--format", "table"],
                                             ["recv", "every", "--peek",
                                              "--columns", "payload"]]:
            for more in ([], ["--json"], ["-v"]):
                done = self.x(*words, *more, want=None)
                printed += "SR.attach" in done.out
                self.assertNotIn(SECRET, done.out + done.err, words + more)
        self.assertGreater(printed, 10)

    @table([
        ("done", ["ls"], 0),
        ("no command", [], 2),
        ("unknown command", ["lst"], 2),
        ("unknown option", ["ls", "--bogus"], 2),
        ("missing operand", ["show"], 2),
        ("too many operands", ["shutdown", "now"], 2),
        ("not an id", ["show", "zfs"], 2),
        ("bad number", ["tail", "-n", "x"], 2),
        ("bad time", ["ls", "--timeout", "0"], 2),
        ("bad word", ["trace", "--format", "png"], 2),
        ("unknown column", ["ls", "--columns", "nam"], 2),
        ("unknown sort", ["ls", "--sort", "nam"], 2),
        ("body twice", ["send", "q", "--body", "x", "--file", "y"], 2),
        ("no such file", ["send", "q", "--file", "/nonexistent"], 2),
        ("no such program", ["serve", "q", "--program", "/nonexistent"], 2),
        ("name too long", ["create", "x" * 256], 2),
        ("control in name", ["create", "a\x01b"], 2),
        ("abbreviated destroy", ["destr", "q"], 2),
        ("offline change", ["create", "q", "--offline"], 2),
        ("no such queue", ["status", "nosuch"], 1),
        ("no such message", ["show", "nosuch:1"], 1),
        ("nothing to destroy", ["destroy", "nosuch"], 1),
        ("nothing to acknowledge", ["ack", "nosuch:99"], 1),
        ("nothing to release", ["release", "nosuch:99"], 1),
        ("nothing on standard input", ["ack", "-"], 1),
        ("help", ["--help"], 0),
        ("help of a command", ["trace", "--help"], 0),
        ("help on a topic", ["help", "exit"], 0),
        ("help on nothing", ["help", "nosuch"], 2),
        ("version", ["--version"], 0),
    ])
    def exit_status(self, words, want):
        done = self.x(*words, want=want)
        if want != 0:
            self.assertEqual(done.out, "")
        if words:
            self.assertEqual(len(done.err.splitlines()), want != 0, done)
            self.assertNotIn("\x01", done.err)

    def test_status_has_sizes_and_the_last_errors(self):
        with Broker("--set", "limits.queues=2") as b:
            self.x("create", "one", "two", broker=b)
            self.x("create", "three", broker=b, want=4)
            text = self.x("status", broker=b).out
        self.assertRegex(text, r"(?m)^size +database \d\S*, log \S+, reserve ")
        self.assertRegex(text, r"(?m)^boot +[0-9a-f-]{36}$")
        self.assertRegex(text, r"(?m)^refused +[\d:.]+  queues, asked by ")

    def test_refused_by_a_limit(self):
        with Broker("--set", "limits.queues=1", "--set",
                    "limits.body=4K") as b:
            self.x("create", "one", broker=b)
            done = self.x("create", "two", want=4, broker=b)
            self.assertRegex(done.err, r"^xmsg: two: .*limit")
            self.x("send", "one", "-", data="x" * 5000, want=4, broker=b)

    def test_interrupted(self):
        p = self.start("recv", "--wait", "60", "every")
        self.x("create", "every")
        until(lambda: self.broker.queue("every")["parked"], "it waits")
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=10)
        self.assertEqual(p.returncode, 130)

    def test_suggestions(self):
        self.assertIn("did you mean list?", self.x("lsit", want=2).err)
        self.assertIn("did you mean --columns?",
                      self.x("ls", "--colums", "x", want=2).err)
        self.assertIn("could be", self.x("s", want=2).err)
        self.assertIn("did you mean messages?",
                      self.x("ls", "--sort", "mesages", want=2).err)

    def test_abbreviations(self):
        self.assertEqual(self.x("vers").out, self.x("--vers").out)
        self.x("statu", "--js")
        self.x("li", "--no-h")

    def terminal(self, env):
        """What it writes to a terminal."""
        env = self.env(**env)
        pid, fd = pty.fork()
        if pid == 0:
            try:
                os.execve(self.path, [self.path, "ls"], env)
            finally:
                os._exit(127)
        out = b""
        while True:
            try:
                got = os.read(fd, 65536)
            except OSError:
                break
            if not got:
                break
            out += got
        os.close(fd)
        os.waitpid(pid, 0)
        return out

    def test_colors(self):
        self.x("send", "col", "--create", "--body", "x")
        self.assertNotIn("\033", self.x("ls").out)
        self.assertIn("\033", self.x("ls", "--color", "always").out)
        self.assertNotIn("\033", self.x("ls", "--color", "never").out)
        self.assertIn(b"\033", self.terminal({}))
        self.assertNotIn(b"\033", self.terminal({"NO_COLOR": "1"}))
        self.assertNotIn(b"\033", self.terminal({"TERM": "dumb"}))

    def test_pipes(self):
        """A reader that leaves early; a disk that is full."""
        for i in range(50):
            self.x("send", "pipe", "--create", "--body", "x" * 3000, "-q")
        p = self.start("recv", "pipe", "--peek", "--json")
        p.stdout.readline()
        p.stdout.close()
        err = p.stderr.read()
        self.assertIn(p.wait(20), (0, -signal.SIGPIPE))
        self.assertEqual(err, b"")
        with open("/dev/full", "wb") as full:
            p = self.start("ls", stdout=full)
            _, err = p.communicate(timeout=20)
        self.assertEqual(p.returncode, 5)
        self.assertIn(b"No space left", err)

    def test_closed_descriptors(self):
        done = subprocess.run(
            ["sh", "-c", '"$0" ls <&- >&- 2>&-; echo $?', self.path],
            env=self.env(), stdout=subprocess.PIPE)
        self.assertEqual(done.stdout.strip(), b"0")

    def test_the_manual_has_every_command_and_option(self):
        with open(self.manual) as f:
            manual = f.read()
        commands = re.findall(r"(?m)^  (\w+) +\w", self.x("help").out)
        self.assertGreater(len(commands), 20)
        for name in commands:
            self.assertRegex(manual, r"(?m)^\.It Cm %s\b" % name)
            text = self.x("help", name).out
            for option in re.findall(r"--([a-z-]+)", text):
                self.assertRegex(
                    manual, r"Fl -%s\b" % option,
                    "--%s of %s is not in the manual" % (option, name))

    def test_completion(self):
        self.x("create", "comp-queue")
        ref = self.x("send", "comp-queue", "--body", "x").out.strip()

        def offers(*words):
            return [l.split("\t")[0] for l in
                    self.x("__complete", "--", *words).lines()]
        self.assertIn("list", offers(""))
        self.assertIn("comp-queue", offers("list", "comp"))
        self.assertIn("comp-queue", offers("--json", "call", ""))
        self.assertIn(ref, offers("show", "comp"))
        for verb in ("why", "cancel", "hold", "requeue"):
            self.assertIn(ref, offers(verb, "comp"))
        for words in (["purge", ""], ["pause", ""], ["ls", "--queue", ""],
                      ["cancel", "--queue", "comp"], ["dead", ""]):
            self.assertIn("comp-queue", offers(*words))
        self.assertEqual(offers("db", ""),
                         ["check", "backup", "compact", "export"])
        self.x("cancel", ref)
        self.assertRegex(" ".join(offers("undo", "")), r"^[\d ]+$")
        self.x("undo")
        self.assertIn("--columns", offers("list", "--"))
        self.assertIn("--follow", offers("tail", "--"))
        self.assertEqual(offers("trace", "--format", ""),
                         ["text", "mscgen", "mermaid", "svg", "html", "table",
                          "json"])
        self.assertEqual(offers("tail", "-n", ""), [])
        self.assertIn("status", offers("--socket", "/x", "st"))
        for shell in ("bash", "zsh", "fish"):
            text = self.x("completion", shell).out
            self.assertIn("__complete", text)
            if shutil.which(shell):
                subprocess.run([shell, "-n"], input=text.encode(),
                               check=True)

    def test_bash_completes(self):
        self.x("create", "bash-queue")
        script = (self.x("completion", "bash").out +
                  'COMP_WORDS=("$0" list bash-); COMP_CWORD=2; _xmsg; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, self.path],
                              env=self.env(), stdout=subprocess.PIPE)
        self.assertEqual(done.stdout, b"bash-queue\n")


class Many(CliCase):
    def test_a_hundred_thousand_messages(self):
        with self.broker.conn(token="t") as c:
            c.create("many")
            one = (b"POST /request/many/r HTTP/1.1\r\ncontent-length: 100"
                   b"\r\n\r\n" + b"x" * 100)
            for _ in range(100):
                c.send(one * 1000)
                for _ in range(1000):
                    c.reply()
        best = min(self.x("ls").seconds for _ in range(5))
        self.assertLess(best, 1.0)
        lines = self.x("recv", "many", "--peek", "--no-header").lines()
        self.assertEqual(len(lines), 100000)
        began = time.monotonic()
        p = self.start("recv", "many", "--peek")
        p.stdout.readline()
        first = time.monotonic() - began
        p.kill()
        p.communicate()
        self.assertLess(first, 2.0)
        rows = self.x("recv", "many", "--peek", "--json", "-n", "2500")
        ids = [json.loads(l)["id"] for l in rows.lines()]
        self.assertEqual(len(ids), 2500)
        self.assertEqual(ids, sorted(set(ids)))
        print("# ls %.0f ms, first line of 100,000 after %.0f ms" %
              (best * 1000, first * 1000))


class Shutdown(CliCase):
    def test_shutdown(self):
        self.x("shutdown")
        self.assertEqual(self.broker.wait(), 0)
        self.x("status", want=3)


if __name__ == "__main__":
    main()
