# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""`xmsg web`: who gets an answer, and what may be asked."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from web import Web  # noqa: E402
import tap  # noqa: E402
from broker import Broker, PATIENCE, get, program, until  # noqa: E402

SECRET = '{"method":"m","params":[{"chappassword":"hunter2"}]}'


class Case(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.remove)
        self.web = Web(self.broker.socket)
        self.addCleanup(self.web.end)


class Who(Case):
    def test_token_works_once(self):
        wrong = self.web.ask("/?token=" + "0" * 32)
        self.assertEqual(wrong.status, 403)
        self.assertNotIn("set-cookie", wrong.fields)
        for bad in ("", self.web.token[:-1], self.web.token + "0"):
            self.assertEqual(self.web.ask("/?token=" + bad).status, 403)
        got = self.web.login()
        self.assertEqual((got.status, got.fields["location"]), (303, "/ui"))
        self.assertRegex(
            got.fields["set-cookie"], r"^xmsg-%d=[0-9a-f]{32}; Path=/; "
            r"HttpOnly; SameSite=Strict$" % self.web.port)
        self.assertNotIn(self.web.token, got.fields["set-cookie"])
        for cookie in (False, True):
            again = self.web.ask("/?token=" + self.web.token, cookie=cookie)
            self.assertEqual(again.status, 403)
            self.assertNotIn("set-cookie", again.fields)
        self.assertEqual(self.web.ask("/ui").status, 200)
        self.assertEqual(self.web.ask("/").fields["location"], "/ui")

    def test_no_cookie_no_answer(self):
        for target in ("/", "/ui", "/v1/status", "/v1/events", "/metrics",
                       "/nothing", "/ui?token=" + self.web.token,
                       "/v1/status?token=" + self.web.token):
            self.assertEqual(self.web.ask(target).status, 403, target)
        self.web.login()
        name, _, value = self.web.cookie.partition("=")
        for cookie in ("%s=%s0" % (name, value), "%s=" % name, name,
                       "%s=%s" % (name, value[:-1] + "g"),
                       "xmsg-1=" + value, "x" + self.web.cookie,
                       "a=b," + self.web.cookie, value):
            got = self.web.ask("/ui", cookie=False,
                               fields=["Cookie: " + cookie])
            self.assertEqual(got.status, 403, cookie)

    def test_host_must_be_ours(self):
        self.web.login()
        port = self.web.port
        for host in ("127.0.0.1:%d" % port, "localhost:%d" % port):
            self.assertEqual(self.web.ask("/ui", host=host).status, 200)
        for host in ("127.0.0.1", "localhost", "evil.example:%d" % port,
                     "127.0.0.1:%d" % (port ^ 1), "127.0.0.1.evil:%d" % port,
                     "127.0.0.1:%d.evil" % port, "evil@127.0.0.1:%d" % port,
                     "[::1]:%d" % port, "0.0.0.0:%d" % port):
            self.assertEqual(self.web.ask("/ui", host=host).status, 403, host)
        got = self.web.raw(b"GET /ui HTTP/1.0\r\nCookie: "
                           + self.web.cookie.encode() + b"\r\n\r\n")
        self.assertIn(b" 403 ", got.split(b"\r\n")[0])

    def test_token_is_kept_from_foreign_hosts(self):
        self.assertEqual(self.web.ask("/?token=" + self.web.token,
                                      host="evil.example").status, 403)
        self.assertEqual(self.web.login().status, 303)

    def test_other_sites(self):
        self.web.login()
        for site, status in (("same-origin", 200), ("none", 200),
                             ("same-site", 403), ("cross-site", 403)):
            got = self.web.ask("/v1/status",
                               fields=["Sec-Fetch-Site: " + site])
            self.assertEqual(got.status, status, site)
            self.assertNotIn("access-control-allow-origin", got.fields)

    def test_only_loopback(self):
        listening = subprocess.run(
            ["grep", "-h", ":%04X " % self.web.port, "/proc/net/tcp",
             "/proc/net/tcp6"], stdout=subprocess.PIPE).stdout.decode()
        local = {line.split()[1] for line in listening.splitlines()
                 if line.split()[3] == "0A"}
        self.assertEqual(local, {"0100007F:%04X" % self.web.port})


class What(Case):
    def setUp(self):
        super().setUp()
        with self.broker.conn("me") as c:
            c.create("a%2Fb")
            self.id = c.publish("a%2Fb", SECRET, "me")
        self.web.login()

    def test_fields(self):
        for target, status in (("/ui", 200), ("/v1/status", 200),
                               ("/metrics", 200), ("/nothing", 404),
                               ("/v1/queues/none", 404)):
            got = self.web.ask(target)
            self.assertEqual(got.status, status, target)
            self.assertEqual(got.fields["cache-control"], "no-store")
            self.assertEqual(got.fields["x-content-type-options"], "nosniff")
            self.assertEqual(got.fields["x-frame-options"], "DENY")
            self.assertEqual(got.fields["referrer-policy"], "no-referrer")
            self.assertEqual(got.fields["cross-origin-resource-policy"],
                             "same-origin")
            self.assertIn("default-src 'none'",
                          got.fields["content-security-policy"])
        page = self.web.ask("/ui")
        with self.broker.conn() as c:
            whole = c.ask(get("/ui"))
        self.assertEqual(page.body, whole.body)
        self.assertEqual(page.fields["content-security-policy"],
                         dict(whole.fields())[b"content-security-policy"]
                         .decode())

    def test_what_looks_passes(self):
        for target in ("/v1/status", "/v1/health", "/v1/queues",
                       "/v1/queues?prefix=a&limit=1", "/v1/queues/a%2Fb",
                       "/v1/queues/a%2Fb/messages",
                       "/v1/queues/a%2Fb/messages?payload=1",
                       "/v1/queues/a%2Fb/messages?payload=0&limit=1",
                       "/v1/queues/a%%2Fb/messages/%d" % self.id,
                       "/v1/events", "/v1/events?after=-1&limit=5",
                       "/v1/clients", "/v1/chart?format=svg", "/metrics",
                       "/ui"):
            got = self.web.ask(target)
            self.assertEqual(got.status, 200, target)
            self.assertNotIn(b"hunter2", got.body)

    def test_raw_payloads_stay_here(self):
        at = "/v1/queues/a%%2Fb/messages/%d" % self.id
        with self.broker.conn() as c:
            self.assertIn("payload_base64", c.v1(at[3:] + "?payload=raw")[1])
        for query in ("payload=raw", "payload=%72aw", "payload=r%61%77",
                      "x=1&payload=raw", "payload=1&payload=raw",
                      "payload=raw&payload=1", "payload=", "payload=2",
                      "&&payload=raw"):
            got = self.web.ask(at + "?" + query)
            self.assertEqual(got.status, 404, query)
        for query in ("p%61yload=raw", "xpayload=raw", "PAYLOAD=raw",
                      "?payload=raw", "payload=0?&payload=1"):
            self.assertNotIn(b"payload_base64",
                             self.web.ask(at + "?" + query).body, query)

    def test_nothing_else_passes(self):
        before = self.broker.counters()
        for target in ("/shutdown", "/login/me", "/destroy/a%2Fb",
                       "/persistent/x", "/transient/x", "/list/", "/trace",
                       "/trace/-1/0", "/ack/a%%2Fb/%d" % self.id,
                       "/v1/removed", "/v1", "/v1/", "/v1/queues/",
                       "/v1/queues//messages", "/v1/queues/a/messages/1/reply",
                       "/v1/queues/a/b/messages", "/v1/queues/a%2Fb/purge",
                       "/v1/status/", "//v1/status", "/v1//status",
                       "/./v1/status", "/v1/../shutdown", "/ui/../shutdown",
                       "/v1/status%2F..%2F..%2Fshutdown", "/V1/status",
                       "http://localhost/v1/status", "*", "/metrics/",
                       "/favicon.ico", "/v1/events/../status", "/%75i"):
            self.assertIn(self.web.ask(target).status, (400, 404), target)
        after = self.broker.counters()
        self.assertEqual(before["requests"] + 1, after["requests"])

    def test_only_get(self):
        before = self.broker.counters()["requests"]
        for method in ("POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS",
                       "TRACE", "CONNECT", "get"):
            got = self.web.raw((
                "%s /v1/status HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %s"
                "\r\nConnection: close\r\n\r\n" % (
                    method, self.web.port, self.web.cookie)).encode())
            self.assertIn(b" 405 ", got.split(b"\r\n")[0], method)
            self.assertIn(b"allow: GET", got)
        self.assertEqual(self.broker.counters()["requests"], before + 1)

    def test_sizes_are_bounded(self):
        for target, fields, body, status in (
                ("/" + "x" * 5000, (), "", 414),
                ("/ui", ["X: " + "y" * 9000], "", 431),
                ("/ui", ["X%d: y" % i for i in range(70)], "", 431),
                ("/ui", (), "body", 413)):
            got = self.web.ask(target, fields=fields, body=body)
            self.assertEqual(got.status, status)
        got = self.web.raw(b"GET / HTTP/1.1\nHost: x\n\n")
        self.assertIn(b" 400 ", got.split(b"\r\n")[0])
        smuggled = self.web.raw((
            "GET /ui HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 5\r\n"
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /shutdown "
            "HTTP/1.1\r\n\r\n" % self.web.port).encode())
        self.assertEqual(smuggled.count(b"HTTP/1.1 "), 1)
        self.assertEqual(self.web.ask("/ui").status, 200)

    def test_garbage(self):
        """Requests with a few bytes changed: an answer or none, and it
        lives on."""
        rnd = random.Random(7)
        whole = ("GET /v1/queues/a%%2Fb?payload=1 HTTP/1.1\r\nHost: "
                 "127.0.0.1:%d\r\nCookie: %s\r\nConnection: close\r\n\r\n" % (
                     self.web.port, self.web.cookie)).encode()
        for _ in range(400):
            text = bytearray(whole)
            for _ in range(rnd.randrange(1, 6)):
                at = rnd.randrange(len(text))
                text[at:at + rnd.randrange(3)] = bytes(
                    rnd.randrange(256) for _ in range(rnd.randrange(4)))
            with self.web.connect() as s:
                s.sendall(bytes(text))
                s.shutdown(socket.SHUT_WR)
                try:
                    while s.recv(65536):
                        pass
                except ConnectionResetError:
                    pass
        self.assertIsNone(self.web.process.poll())
        self.assertEqual(self.web.ask("/ui").status, 200)

    def test_requests_in_a_row(self):
        one = ("GET %%s HTTP/1.1\r\nHost: localhost:%d\r\nCookie: %s\r\n"
               "%%s\r\n" % (self.web.port, self.web.cookie))
        got = self.web.raw((
            one % ("/v1/health", "") + one % ("/ui", "")
            + one % ("/nothing", "")
            + one % ("/v1/status", "Connection: close\r\n")).encode())
        self.assertEqual(re.findall(rb"^HTTP/1.1 (\d+)", got, re.M),
                         [b"200", b"200", b"404", b"200"])
        slow = one % ("/v1/health", "Connection: close\r\n")
        with self.web.connect() as s:
            for byte in slow.encode():
                s.sendall(bytes([byte]))
            self.assertTrue(s.recv(100).startswith(b"HTTP/1.1 200 "))


class Live(Case):
    def setUp(self):
        super().setUp()
        self.web.login()
        self.poll = (
            "GET /v1/events?after=now&wait=300 HTTP/1.1\r\nHost: localhost:%d"
            "\r\nCookie: %s\r\n\r\n" % (self.web.port,
                                        self.web.cookie)).encode()

    def waiting(self):
        """Readers of events that wait at the broker."""
        ours = self.web.process.pid
        return sum(x["pid"] == ours for x in self.broker.clients())

    def test_events_as_they_come(self):
        with self.web.connect() as s:
            s.sendall(self.poll)
            until(lambda: self.waiting() == 1, "it waits")
            with self.broker.conn("me"):
                s.settimeout(PATIENCE)
                self.assertIn(b'"login"', s.recv(65536))

    def test_leaving_is_passed_on(self):
        conns = [self.web.connect() for _ in range(8)]
        for s in conns:
            s.sendall(self.poll)
        until(lambda: self.waiting() == 8, "eight wait")
        for s in conns[:5]:
            s.close()
        until(lambda: self.waiting() == 3, "three are left")
        for s in conns[5:]:
            s.close()
        until(lambda: self.waiting() == 0, "none is left")

    def test_idle_connections_keep_nobody_out(self):
        idle = [self.web.connect() for _ in range(100)]
        self.assertEqual(self.web.ask("/v1/status").status, 200)
        fds = len(os.listdir("/proc/%d/fd" % self.web.process.pid))
        self.assertLess(fds, 60)
        for s in idle:
            s.close()

    def test_waiting_ones_are_not_pushed_out(self):
        with self.web.connect() as s:
            s.sendall(self.poll)
            until(lambda: self.waiting() == 1, "it waits")
            idle = [self.web.connect() for _ in range(100)]
            self.assertEqual(self.web.ask("/v1/status").status, 200)
            self.assertEqual(self.waiting(), 1)
            for i in idle:
                i.close()

    def test_broker_gone_and_back(self):
        self.assertEqual(self.web.ask("/ui").status, 200)
        self.broker.kill()
        self.assertEqual(self.web.ask("/v1/status").status, 502)
        self.broker.start()
        self.assertEqual(self.web.ask("/v1/status").status, 200)
        with self.web.connect() as s:
            s.sendall(self.poll)
            until(lambda: self.waiting() == 1, "it waits")
            self.broker.kill()
            s.settimeout(PATIENCE)
            self.assertTrue(s.recv(100).startswith(b"HTTP/1.1 502 "))

    def test_descriptors_stay_flat(self):
        def fds():
            return len(os.listdir("/proc/%d/fd" % self.web.process.pid))
        first = fds()
        for _ in range(200):
            self.web.ask("/v1/status")
        until(lambda: fds() <= first, "all are closed")


class Command(Case):
    def run_it(self, *args, sock=None):
        return subprocess.run(
            [program("xmsg"), "--socket", sock or self.broker.socket, "web"]
            + list(args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=PATIENCE)

    def test_ends_on_interrupt(self):
        self.web.process.send_signal(signal.SIGINT)
        self.assertEqual(self.web.process.wait(PATIENCE), 130)
        with self.assertRaises(ConnectionRefusedError):
            self.web.connect()

    def test_port(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        with Web(self.broker.socket, "--port", str(port)) as w:
            self.assertEqual(w.port, port)
            got = self.run_it("--port", str(port))
            self.assertEqual(got.returncode, 4)
            self.assertIn(b"cannot listen on 127.0.0.1:%d" % port, got.stderr)
        self.assertEqual(self.run_it("--port", "65536").returncode, 2)
        self.assertEqual(self.run_it("--port", "x").returncode, 2)

    def test_no_broker(self):
        got = self.run_it(sock=self.broker.socket + "-none")
        self.assertEqual((got.returncode, got.stdout), (3, b""))

    def test_secrets_differ(self):
        with Web(self.broker.socket) as other:
            self.assertNotEqual(self.web.token, other.token)
            self.web.login()
            other.login()
            self.assertNotEqual(self.web.cookie, other.cookie)
            got = other.ask("/ui", cookie=False,
                            fields=["Cookie: " + self.web.cookie])
            self.assertEqual(got.status, 403)

    def test_open(self):
        """xdg-open gets the address."""
        said = os.path.join(self.broker.folder, "said")
        fake = os.path.join(self.broker.folder, "xdg-open")
        with open(fake, "w") as f:
            f.write('#!/bin/sh\necho "$1" >"%s.new" && mv "%s.new" "%s"\n'
                    % (said, said, said))
        os.chmod(fake, 0o755)
        path = os.environ["PATH"]
        os.environ["PATH"] = self.broker.folder + ":" + path
        try:
            with Web(self.broker.socket, "--open") as w:
                until(lambda: os.path.exists(said), "it is opened")
                with open(said) as f:
                    self.assertEqual(f.read().strip(), w.url)
        finally:
            os.environ["PATH"] = path


if __name__ == "__main__":
    tap.main()
