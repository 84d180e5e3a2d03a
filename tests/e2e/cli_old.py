# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""message-cli: the nine commands of the original with their layout."""
import os
import shutil
import signal
import subprocess

from cli_support import CALL, Broker, CliCase, SECRET, main, until


class Old(CliCase):
    name = "message-cli"

    def args(self, words, broker=None):
        """The socket is an option here; the environment counts as well."""
        b = broker or self.broker
        return [self.path, words[0], "--path", b.socket] + list(words[1:])

    def serve(self, queue, program):
        p = self.start("serve", queue, "--program", program,
                       stderr=subprocess.DEVNULL)
        until(lambda: (self.broker.queue(queue) or {}).get("parked"),
              "%s is served" % queue)
        return p

    def end(self, p):
        p.terminate()
        p.communicate(timeout=20)

    def test_list(self):
        with Broker() as b, b.conn(token="t") as c:
            for name in ("org.b", "org.a", "other"):
                c.create(name)
            c.poll(["org.a", "org.b"])
            for words, want in (
                    (["list"], "org.b\norg.a\n"),
                    (["list", "--all"], "other\norg.b\norg.a\n"),
                    (["list", "--all", "--prefix", "oth"], "other\n"),
                    (["list", "--prefix=oth"], ""),
                    (["destroy", "org.b"], ""), (["destroy", "org.a"], ""),
                    (["list", "--all"], "other\n")):
                self.assertEqual(self.x(*words, broker=b).out, want)

    def test_nothing_found_is_no_failure(self):
        for words in (["ack", "nosuch", "99"], ["destroy", "nosuch"]):
            done = self.x(*words)
            self.assertEqual(done.out + done.err, "")

    def test_ack(self):
        with self.broker.conn(token="t") as c:
            c.create("a")
            ident = c.publish("a", "x")
            self.x("ack", "a", str(ident))
            self.assertEqual(c.poll(["a"])[0], [])

    def test_call_and_serve(self):
        upper = self.script("upper", "tr a-z A-Z\n")
        p = self.serve("up", upper)
        self.assertEqual(self.x("call", "up", "--body", "hello").out,
                         "HELLO\n")
        path = os.path.join(self.folder.name, "body")
        with open(path, "w") as f:
            f.write("from a file\n")
        self.assertEqual(self.x("call", "up", "--file", path, "--timeout",
                                "20").out, "FROM A FILE\n")
        self.assertEqual(self.x("call", "up", data="typed\n").out,
                         "Enter body text:\nTYPED\n")
        self.x("call", "up", "--file", path, "--body", "x", want=2)
        self.end(p)

    def test_call_makes_the_queue_and_keeps_to_its_limit(self):
        done = self.x("call", "made", "--body", "x", "--timeout", "1",
                      want=6)
        self.assertLess(done.seconds, 8)
        self.assertIn("made", self.x("list", "--all").lines())
        self.x("destroy", "made")

    def test_a_person_serves(self):
        p = self.start("serve", "person", stdin=subprocess.PIPE)
        until(lambda: self.broker.queue("person"), "the queue")
        call = self.start("call", "person", "--body", "what?")
        got = [p.stdout.readline() for _ in range(3)]
        self.assertEqual(got, [b"Received:\n", b"what?\n",
                               b"Enter body text: (end with a \".\")\n"])
        p.stdin.write(b"this\n.\n")
        p.stdin.flush()
        self.assertEqual(call.communicate(timeout=20)[0], b"this\n")
        p.terminate()
        p.communicate(timeout=20)

    def story(self):
        """A call that is answered, and one that is not."""
        p = self.serve("zfs", "/bin/cat")
        self.x("call", "zfs", "--body", '{"method":"SR.scan","params":[]}')
        self.end(p)
        self.x("call", "zfs", "--body", CALL, "--timeout", "1", want=6)

    def test_tail_mscgen_diagnostics(self):
        self.story()
        # tail: time in arrow queue arrow out seconds message
        rows = self.x("tail").out.splitlines()
        for row in rows:
            self.assertRegex(row, r"^.{5} .{15} (->|<-)   .{30} .{4} .{15} "
                                  r".{5} \S+\.\d+:.* $")
        text = "\n".join(rows)
        self.assertRegex(text, r"\.\d+:ack ")
        self.assertRegex(text, r"<-   message-cli:\d+ +<-   ")
        self.assertIn('zfs.', text)
        self.assertNotIn(SECRET, text)
        # mscgen
        chart = self.x("mscgen").out
        lines = chart.splitlines()
        self.assertEqual((lines[0], lines[-1]), ("msc {", "}"))
        self.assertRegex(lines[1], r'^"[^"]+"(,"[^"]+")*;$')
        names = lines[1][1:-2].split('","')
        self.assertEqual(names, sorted(set(names)))
        for line in lines[2:-1]:
            self.assertRegex(line, r'^"[^"]+" (=>|<<) "[^"]+" '
                                   r'\[ label = ".*" \] ;$')
        self.assertRegex(chart, r'"message-cli:\d+" => "zfs" '
                                r'\[ label = "SR\.scan" \] ;')
        if shutil.which("mscgen"):
            done = subprocess.run(
                ["mscgen", "-T", "svg", "-i", "-", "-o", os.path.join(
                    self.folder.name, "o.svg")],
                input=chart.encode(), stdout=subprocess.PIPE)
            self.assertEqual(done.returncode, 0, done.stdout)
        # diagnostics, whole and abbreviated
        for word in ("diagnostics", "diag"):
            text = self.x(word).out
            self.assertRegex(text, r"^Switch started .*ago\n")
            self.assertIn("\n- zfs\n", text)
            self.assertRegex(
                text, r"(?m)^    \d+: request from: message-cli:\d+ sent "
                      r".* ago\n      - SR\.attach\n        - \{.*\n"
                      r"      - message-cli:\d+ .*$")
            self.assertNotIn(SECRET, text)

    def test_long_parameters_are_cut_unless_verbose(self):
        with self.broker.conn(token="t") as c:
            c.create("long")
            c.publish("long", '{"method":"m","params":["%s"]}' % ("x" * 200))
        line = [l for l in self.x("diag").lines() if "xxx" in l][0]
        self.assertEqual(len(line), len("        - ") + 70)
        line = [l for l in self.x("diag", "-v").lines() if "xxx" in l][0]
        self.assertGreater(len(line), 200)
        self.x("destroy", "long")

    def test_follow(self):
        p = self.start("tail", "--follow")
        self.x("call", "followed", "--body", "seen", "--timeout", "1",
               want=6)
        while b"followed" not in p.stdout.readline():
            pass
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=20)
        self.assertEqual(p.returncode, 130)

    def test_abbreviations(self):
        for words in (["li"], ["l", "--al"], ["ta"], ["m"], ["di"],
                      ["ac", "a", "1"], ["des", "nosuch"]):
            self.x(*words)
        self.x("d", want=2)
        self.x("status", want=2)
        self.x("list", "--bogus", want=2)
        self.x("ack", "q", want=2)
        self.x("list", "--help")

    def test_shutdown(self):
        with Broker() as b:
            done = self.x("shutdown", broker=b)
            self.assertEqual(done.out + done.err, "")
            self.assertEqual(b.wait(), 0)

    def test_installed_under_its_old_name(self):
        """The default socket is that of the original."""
        p = subprocess.run([self.path, "list"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env={k: v for k, v in os.environ.items()
                                if k != "XMSG_SOCKET"})
        if p.returncode == 3:
            self.assertIn(b"/var/run/message-switch/sock", p.stderr)


if __name__ == "__main__":
    main()
