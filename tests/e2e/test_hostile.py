# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""What the broker does with those who mean no good, or are broken.

Every malformed request gets an answer with a reason and costs its connection;
nothing that hides behind it is done; others do not notice.
"""
import contextlib
import json
import os
import random
import resource
import select
import signal
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import (Broker, Conn, get, memory, post, request,  # noqa: E402
                    transfer_body, until)

# Hidden behind each malformed request: it must not be done.
HIDDEN = b"GET /persistent/smuggled HTTP/1.1\r\nhost: x\r\n\r\n"


def descriptors(n):
    """So many connections, or as many as this process may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most != resource.RLIM_INFINITY and n > most - 100:
        print("# %d descriptors, so %d connections" % (most, most - 100))
        n = most - 100
    return n


def head(*fields, line=b"POST /request/q/r HTTP/1.1"):
    return b"\r\n".join((line,) + fields + (b"", b""))


CHUNKED = b"transfer-encoding: chunked"


def chunks(text):
    return head(CHUNKED) + text


# name, bytes, status
SMUGGLING = [
    ("length and chunked", head(b"content-length: 4", CHUNKED) +
     b"0\r\n\r\n", 400),
    ("chunked and length", head(CHUNKED, b"content-length: 4") +
     b"0\r\n\r\n", 400),
    ("length 0 and chunked", head(b"content-length: 0", CHUNKED), 400),
    ("two lengths", head(b"content-length: 0", b"content-length: 44"), 400),
    ("two equal lengths", head(b"content-length: 0", b"content-length: 0"),
     400),
    ("two lengths in other letters", head(b"Content-Length: 0",
                                          b"CONTENT-LENGTH: 5"), 400),
    ("a list of lengths", head(b"content-length: 0, 0"), 400),
    ("two chunked", head(CHUNKED, CHUNKED), 400),
    ("chunked twice in a list", head(b"transfer-encoding: chunked, chunked"),
     501),
    ("chunked, identity", head(b"transfer-encoding: chunked, identity"), 501),
    ("identity, chunked", head(b"transfer-encoding: identity, chunked"), 501),
    ("gzip, chunked", head(b"transfer-encoding: gzip, chunked"), 501),
    ("identity", head(b"transfer-encoding: identity"), 501),
    ("xchunked", head(b"transfer-encoding: xchunked"), 501),
    ("chunked;q=1", head(b"transfer-encoding: chunked;q=1"), 501),
    ("quoted chunked", head(b'transfer-encoding: "chunked"'), 501),
    ("empty coding", head(b"transfer-encoding:"), 501),
    ("chunked of HTTP/1.0", head(
        CHUNKED, line=b"POST /request/q/r HTTP/1.0"), 400),
    ("blank before the colon, length", head(b"content-length : 4"), 400),
    ("blank before the colon, chunked", head(b"transfer-encoding : chunked"),
     400),
    ("tab before the colon", head(b"content-length\t: 4"), 400),
    ("vertical tab before chunked", head(b"transfer-encoding:\x0bchunked"),
     400),
    ("form feed after a length", head(b"content-length: 4\x0c"), 400),
    ("NUL in a value", head(b"x: a\0b"), 400),
    ("NUL in a name", head(b"x\0y: a"), 400),
    ("CR in a value", head(b"x: a\rcontent-length: 4"), 400),
    ("CR before the end of a line", b"GET /list/ HTTP/1.1\r\r\n\r\n", 400),
    ("LF in a value", head(b"x: a\ncontent-length: 4"), 400),
    ("LF ends the head", b"GET /list/ HTTP/1.1\r\nhost: x\n\n", 400),
    ("LF LF", b"GET /list/ HTTP/1.1\n\n", 400),
    ("folded", head(b"x: a", b" content-length: 4"), 400),
    ("folded by a tab", head(b"x: a", b"\tb"), 400),
    ("a blank before the first field", head(b" host: x"), 400),
    ("a field without a colon", head(b"content-length 4"), 400),
    ("a field without a name", head(b": 4"), 400),
    ("a name in brackets", head(b"(x): 4"), 400),
    ("a name that is not ASCII", head("\u00e9: 4".encode()), 400),
    ("two hosts", head(b"host: a", b"host: b"), 400),
    ("plus", head(b"content-length: +4"), 400),
    ("minus", head(b"content-length: -4"), 400),
    ("hexadecimal", head(b"content-length: 0x4"), 400),
    ("a blank within", head(b"content-length: 4 4"), 400),
    ("no number", head(b"content-length:"), 400),
    ("a word", head(b"content-length: four"), 400),
    ("a fraction", head(b"content-length: 4.0"), 400),
    ("an exponent", head(b"content-length: 1e1"), 400),
    ("Arabic digits", head("content-length: \u0664".encode()), 400),
    ("2^64 + 4", head(b"content-length: 18446744073709551620"), 413),
    ("2^63", head(b"content-length: 9223372036854775808"), 413),
    ("a hundred digits", head(b"content-length: " + b"9" * 100), 413),
    ("chunk 0x", chunks(b"0x1\r\na\r\n0\r\n\r\n"), 400),
    ("chunk plus", chunks(b"+1\r\na\r\n0\r\n\r\n"), 400),
    ("chunk minus", chunks(b"-1\r\na\r\n0\r\n\r\n"), 400),
    ("chunk with a blank before", chunks(b" 1\r\na\r\n0\r\n\r\n"), 400),
    ("chunk with a blank behind", chunks(b"1 \r\na\r\n0\r\n\r\n"), 400),
    ("chunk without a size", chunks(b"\r\na\r\n0\r\n\r\n"), 400),
    ("chunk with only an extension", chunks(b";x\r\na\r\n0\r\n\r\n"), 400),
    ("chunk that wraps", chunks(b"10000000000000001\r\na\r\n0\r\n\r\n"), 413),
    ("chunk of 2^64 - 1", chunks(b"ffffffffffffffff\r\na\r\n"), 413),
    ("chunk with LF", chunks(b"1\na\r\n0\r\n\r\n"), 400),
    ("chunk extension with LF", chunks(b"1;a\nb\r\na\r\n0\r\n\r\n"), 400),
    ("chunk extension with CR", chunks(b"1;a\rb\r\na\r\n0\r\n\r\n"), 400),
    ("chunk longer than its size", chunks(b"1\r\nab\r\n0\r\n\r\n"), 400),
    ("chunk shorter than its size", chunks(b"3\r\na\r\n0\r\n\r\n"), 400),
    ("chunk ended by LF", chunks(b"1\r\na\n0\r\n\r\n"), 400),
    ("trailer without a colon", chunks(b"0\r\nx\r\n\r\n"), 400),
    ("trailer with a length", chunks(b"0\r\ncontent-length: 9\r\n\r\n"), 400),
    ("chunk extension with a blank", chunks(b"1; a\r\na\r\n0\r\n\r\n"), 400),
    ("trailer folded", chunks(b"0\r\nx: a\r\n b\r\n\r\n"), 400),
    ("trailer with LF", chunks(b"0\r\nx: a\n\r\n"), 400),
    ("no version", b"GET /list/\r\n\r\n", 400),
    ("version 0.9", b"GET /list/ HTTP/0.9\r\n\r\n", 505),
    ("version 1.2", b"GET /list/ HTTP/1.2\r\n\r\n", 505),
    ("version 2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("version 01.1", b"GET /list/ HTTP/01.1\r\n\r\n", 400),
    ("version 1.10", b"GET /list/ HTTP/1.10\r\n\r\n", 400),
    ("version in small letters", b"GET /list/ http/1.1\r\n\r\n", 400),
    ("a blank behind the version", b"GET /list/ HTTP/1.1 \r\n\r\n", 400),
    ("two blanks", b"GET  /list/ HTTP/1.1\r\n\r\n", 400),
    ("tabs", b"GET\t/list/\tHTTP/1.1\r\n\r\n", 400),
    ("a blank first", b" GET /list/ HTTP/1.1\r\n\r\n", 400),
    ("a blank in the target", b"GET /a b HTTP/1.1\r\n\r\n", 400),
    ("NUL in the target", b"GET /list/\0 HTTP/1.1\r\n\r\n", 400),
    ("a control byte in the target", b"GET /list/\x01 HTTP/1.1\r\n\r\n", 400),
    ("delete in the target", b"GET /list/\x7f HTTP/1.1\r\n\r\n", 400),
    ("no target", b"GET HTTP/1.1\r\n\r\n", 400),
    ("no method", b" /list/ HTTP/1.1\r\n\r\n", 400),
    ("a method with a slash", b"GE/T /list/ HTTP/1.1\r\n\r\n", 400),
    ("a method of 17 letters", b"A" * 17 + b" /list/ HTTP/1.1\r\n\r\n", 400),
    ("two empty lines first", b"\r\n\r\nGET /list/ HTTP/1.1\r\n\r\n", 400),
    ("only an empty line and garbage", b"\r\n\x00\r\n\r\n", 400),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", 400),
    ("D-Bus", b"\0AUTH EXTERNAL 30\r\n\r\n", 400),
    ("an answer", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 400),
]


class Hostile(tap.Case):
    """One broker for the group: it must live through all of it."""
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(*cls.options)
        cls.pid = cls.broker.process.pid

    @classmethod
    def tearDownClass(cls):
        alive = cls.broker.process.poll() is None
        status = cls.broker.stop() if alive else cls.broker.wait()
        log = cls.broker.read_log()
        cls.broker.remove()
        if not alive or status != 0:
            raise AssertionError("the broker ended with %d: %s" % (status,
                                                                   log))

    def logged(self):
        return self.broker.read_log()[-2000:]

    def conn(self, token=None):
        c = self.broker.conn(token)
        self.addCleanup(c.close)
        return c

    def is_well(self):
        with self.broker.conn("well") as c:
            c.create("well")
            i = c.publish("well", "x", "r")
            self.assertEqual(c.poll(["well"], frm=i - 1)[0][0][1], i)
            c.destroy("well")

    def is_refused(self, r, status):
        """Our form of an error, and the end of the connection."""
        self.assertEqual(r.status, status, r)
        self.assertIn((b"content-type", b"application/json"), r.fields())
        self.assertIn((b"connection", b"close"), r.fields())
        e = r.json()["error"]
        self.assertEqual(e["code"], "bad_request")
        self.assertGreater(len(e["message"]), 10)


class Smuggling(Hostile):
    """A request that two readers could understand in two ways is refused."""

    @tap.table(SMUGGLING)
    def refused(self, raw, status):
        c = self.conn("t")
        c.send(raw + HIDDEN)
        self.is_refused(c.reply(), status)
        self.assertEqual(c.rest(), b"")
        with self.broker.conn("t") as d:
            self.assertEqual(d.list("smuggled"), [])

    @tap.table(SMUGGLING)
    def refused_byte_by_byte(self, raw, status):
        c = self.conn("t")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for b in raw + HIDDEN:
                c.send(bytes([b]))
        self.is_refused(c.reply(), status)
        with self.broker.conn("t") as d:
            self.assertEqual(d.list("smuggled"), [])

    @tap.table([
        ("length", head(b"content-length: %d" % len(HIDDEN)) + HIDDEN),
        ("chunked", head(CHUNKED) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN),
                                                             HIDDEN)),
        ("GET with a body", head(b"content-length: %d" % len(HIDDEN),
                                 line=b"GET /list/ HTTP/1.1") + HIDDEN),
        ("what is not found", head(b"content-length: %d" % len(HIDDEN),
                                   line=b"PUT /x HTTP/1.1") + HIDDEN)])
    def a_body_is_no_request(self, raw):
        c = self.conn("t")
        c.ask(raw)
        self.assertEqual(c.list("smuggled"), [])


class Large(Hostile):
    """What does not end is cut off while it comes, and costs no memory."""

    def endless(self, start, piece, status):
        """Send until the broker has had enough."""
        before = self.broker.rss_kib()
        c = self.conn("t")
        sent = len(start)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            c.send(start)
            while sent < 64 << 20:
                c.send(piece)
                sent += len(piece)
        self.assertLess(sent, 24 << 20)
        self.is_refused(c.reply(), status)
        self.assertLess(self.broker.rss_kib() - before, memory(48 << 10))
        self.is_well()

    @tap.table([
        ("method", b"", b"A" * 4096, 414),
        ("target", b"GET /", b"x" * 4096, 414),
        ("field", b"GET / HTTP/1.1\r\nx: ", b"x" * 4096, 431),
        ("field name", b"GET / HTTP/1.1\r\n", b"x" * 4096, 431),
        ("many fields", b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 500, 431),
        ("chunk size", chunks(b""), b"0" * 4096, 400),
        ("chunk extension", chunks(b"1;"), b"x" * 4096, 400),
        ("small chunks", chunks(b""), b"1;" + b"x" * 200 + b"\r\na\r\n", 413),
        ("trailers", chunks(b"0\r\n"), b"a: b\r\n" * 500, 413),
        ("chunks", chunks(b""), b"1000\r\n" + b"x" * 4096 + b"\r\n", 413)])
    def is_cut_off(self, start, piece, status):
        # more trailers than fields may be said first
        self.endless(start, piece, status if start != chunks(b"0\r\n")
                     else 431)

    @tap.table([("16 MiB and 1", (16 << 20) + 1), ("1 EiB", 1 << 60)])
    def a_length_beyond_the_limit(self, n):
        c = self.conn("t")
        c.send(head(b"content-length: %d" % n))
        self.is_refused(c.reply(), 413)
        self.is_well()

    def test_16_mib_arrive_whole(self):
        payload = bytes(range(256)) * (1 << 16)
        c = self.conn("t")
        c.create("big")
        i = c.publish("big", payload, "r")
        r = c.ok(post("/transfer", transfer_body(["big"])))
        got = r.body.decode("latin-1")
        self.assertEqual(json.loads(got)["messages"][0][1]["payload"].encode(
            "latin-1"), payload)
        c.ack("big", i)
        c.destroy("big")

    def test_many_unfinished_bodies(self):
        """Room is taken for what comes, not for what is announced."""
        before = self.broker.rss_kib()
        many = [self.conn() for _ in range(200)]
        for c in many:
            c.send(head(b"content-length: 16777216") + b"x" * 100)
        self.is_well()
        self.assertLess(self.broker.rss_kib() - before, memory(16 << 10))


class Slow(Hostile):
    """Those who do not read, and those who go away."""

    def rpcs(self, n):
        """So many calls through the switch."""
        with self.broker.conn("cli") as c, self.broker.conn("srv") as s:
            c.create("calls")
            c.create("cli-reply", transient=True)
            frm, rfrm = -1, -1
            for k in range(n):
                s.send(post("/transfer", transfer_body(["calls"], 30, frm)))
                i = c.publish("calls", "ask%d" % k, "cli-reply")
                got, frm = s.polled()
                self.assertEqual([m[1:3] for m in got], [(i, "ask%d" % k)])
                s.respond("cli-reply", "calls", i, "tell%d" % k)
                s.ack("calls", i)
                got, rfrm = c.poll(["cli-reply"], 30, rfrm)
                self.assertEqual([m[2] for m in got], ["tell%d" % k])
                c.ack("cli-reply", got[0][1])
            c.destroy("calls")

    def begun(self, token):
        """How many requests of each connection with this token have begun."""
        return [x["requests"] for x in self.broker.clients()
                if x["token"] == token]

    def test_readers_that_never_read_cost_only_themselves(self):
        """Each asks for 100 answers of a mebibyte.  What that costs the calls
        of others in time, bench/hostile measures."""
        readers, asked = 100, 100
        self.rpcs(100)
        with self.broker.conn("t") as c:
            c.create("big")
            for _ in range(3):
                c.publish("big", "x" * (1 << 20), "r")
        before = self.broker.rss_kib()
        many = [self.conn("slow") for _ in range(readers)]
        for c in many:
            c.send(post("/transfer", transfer_body(["big"])) * asked)
        # logged in, and asked once: no second answer before the first is taken
        until(lambda: self.begun("slow") == [2] * readers, "all are answered")
        self.is_well()
        self.rpcs(100)
        self.assertEqual(self.begun("slow"), [2] * readers)
        self.assertLess(self.broker.rss_kib() - before,
                        memory(readers * 1228))
        # one of them reads after all: everything is there
        sizes = [len(many[0].reply().body) for _ in range(asked)]
        self.assertEqual(len(set(sizes)), 1)
        self.assertEqual(sorted(self.begun("slow")),
                         [2] * (readers - 1) + [1 + asked])
        for c in many:
            c.close()
        with self.broker.conn("t") as c:
            until(lambda: c.v1("/status")[1]["connections"] == 1,
                  "they are gone")
            c.destroy("big")

    def test_a_thousand_that_dribble(self):
        """A byte now and then keeps nobody from being thrown out; who sends
        whole requests stays."""
        n = descriptors(1000)
        with Broker("--set", "limits.head_time=1s", "--set",
                    "limits.connections_per_uid=%d" % (n + 10)) as b:
            late = contextlib.ExitStack()
            self.addCleanup(late.close)
            good = late.enter_context(b.conn("good"))
            many = [late.enter_context(b.conn()) for _ in range(n)]
            until(lambda: good.v1("/status")[1]["connections"] == n + 1,
                  "all are there")
            left = {c.fileno(): c for c in many}
            poll = select.poll()
            for c in many:
                c.send(b"GET / HTTP/1.1\r\nx: ")
                poll.register(c, select.POLLIN)

            def over():
                for fd, _ in poll.poll(0):
                    poll.unregister(fd)
                    self.assertEqual(left.pop(fd).reply().status, 408)
                for c in left.values():
                    with contextlib.suppress(BrokenPipeError,
                                             ConnectionResetError):
                        c.send(b"x")
                self.assertEqual(good.v1("/health")[0], 200)
                return not left
            until(over, "all are thrown out", pause=0.05)
            self.assertEqual([c.rest() for c in many], [b""] * n)
            status = good.v1("/status")[1]
            self.assertEqual(status["counters"]["slow_requests"], n)
            self.assertEqual(status["connections"], 1)

    def test_an_answer_that_is_read_byte_by_byte(self):
        c = self.conn("t")
        c.create("q")
        i = c.publish("q", "y" * 2000, "r")
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        c.send(post("/transfer", transfer_body(["q"])))
        raw = b""
        while not raw.endswith(b'"}'):
            raw += c.sock.recv(1)
        self.assertTrue(raw.endswith(b'"next":"%d"}' % i), raw[-40:])
        c.destroy("q")

    def test_no_descriptor_leaks(self):
        self.is_well()
        with self.broker.conn() as v:
            until(lambda: v.v1("/status")[1]["connections"] == 1, "alone")
            base = self.broker.fds()
            rng = random.Random(3)
            whole = (get("/login/x") + get("/transient/mine%d" % 7) +
                     post("/request/mine7/r", "x" * 5000) +
                     post("/transfer", transfer_body(["mine7", "z"], 30)))
            for k in range(2000):
                c = Conn(self.broker.socket)
                part = whole[:rng.randrange(len(whole) + 1)]
                with contextlib.suppress(BrokenPipeError):
                    c.send(part)
                if k % 3 == 0:
                    with contextlib.suppress(OSError):
                        c.sock.shutdown(socket.SHUT_WR)
                elif k % 3 == 1:
                    with contextlib.suppress(OSError):
                        c.sock.shutdown(socket.SHUT_RD)
                c.close()
            until(lambda: v.v1("/status")[1]["connections"] == 1 and
                  self.broker.fds() == base, "all are gone")
            status = v.v1("/status")[1]
            self.assertEqual((status["sessions"], status["parked"]), (0, 0))
            until(lambda: v.v1("/queues?prefix=mine")[1]["queues"] == [],
                  "their queues are gone")
        self.is_well()

    def test_half_closed_and_parked_are_let_go(self):
        many = [self.conn("h%d" % k) for k in range(100)]
        for k, c in enumerate(many):
            c.create("half%d" % k, transient=True)
            c.send(post("/transfer", transfer_body(["half%d" % k], 30)))
        with self.broker.conn() as v:
            until(lambda: v.v1("/status")[1]["parked"] == 100, "parked")
            for c in many:
                c.sock.shutdown(socket.SHUT_WR)
            until(lambda: v.v1("/status")[1]["connections"] == 1, "gone")
            until(lambda: v.v1("/queues?prefix=half")[1]["queues"] == [],
                  "their queues are gone")
        self.assertEqual([c.rest() for c in many], [b""] * 100)

    def test_a_reader_that_stops_and_leaves(self):
        """With an answer to give, and the next one still to be read from the
        store."""
        with Broker("--set", "limits.cache=0") as b:
            with b.conn("t") as c:
                c.create("big")
                for _ in range(4):
                    c.publish("big", "x" * 700000, "r")
                c.create("many")
                for _ in range(1000):
                    c.publish("many", "x" * 600, "r")
            with b.conn() as v:
                until(lambda: v.v1("/status")[1]["connections"] == 1, "alone")
                base = b.fds()
                for k in range(30):
                    c = b.conn("leaves")
                    c.send(post("/transfer", transfer_body(["big"])) * 3)
                    if k % 3:
                        c.sock.recv(1000)
                    if k % 2:
                        c.sock.shutdown(socket.SHUT_WR)
                    c.close()
                for k in range(10):  # half a close while it is being read
                    c = b.conn("leaves")
                    b.signal(signal.SIGSTOP)
                    c.send(get("/v1/queues/many/messages?limit=1000"
                               "&payload=1"))
                    c.sock.shutdown(socket.SHUT_WR)
                    b.signal(signal.SIGCONT)
                    c.sock.recv(1000)
                    c.close()
                until(lambda: v.v1("/status")[1]["connections"] == 1 and
                      b.fds() == base, "all are gone")
                self.assertEqual(v.v1("/status")[1]["sessions"], 0)
            self.assertEqual(b.stop(), 0, b.read_log())


BASE = [
    get("/login/tok"), get("/persistent/a"), get("/transient/b"),
    get("/destroy/a"), get("/ack/a/1"), get("/list/"), get("/list/alive/"),
    post("/request/a/b", "payload"), post("/response/b/a/1", "payload"),
    post("/transfer", transfer_body(["a", "b"], 0.0, -1)), get("/trace"),
    get("/trace/0/0.0"), get("/"), get("/v1/status"), get("/v1/health"),
    get("/v1/queues?prefix=a&after=b&limit=10"), get("/v1/queues/a"),
    request("PUT", "/v1/queues/a"), request("DELETE", "/v1/queues/a"),
    get("/v1/queues/a/messages?after=0&limit=5&payload=1"),
    get("/v1/queues/a/messages/1?payload=raw"),
    request("DELETE", "/v1/queues/a/messages/1"),
    request("POST", "/v1/queues/a/messages/1/reply", "x"),
    request("POST", "/v1/queues/a/messages/1/hold"),
    get("/v1/events?after=-1&wait=0&limit=3"), get("/v1/clients"),
    chunks(b"3\r\nabc\r\n2;x\r\nde\r\n0\r\nt: 1\r\n\r\n"),
    b"GET /list/ HTTP/1.0\r\nconnection: close\r\n\r\n",
]
WORDS = [b"\r\n", b"\n", b"\0", b" ", b"%", b"%2F", b"%00", b"/", b"//", b"{",
         b"}", b'"', b"\\u0000", b"[", b"]" * 200, b"-1", b"1e999",
         b"99999999999999999999", b"content-length: 3\r\n", CHUNKED + b"\r\n",
         b"\xff", b"\xc3\xa9", b"HTTP/1.1", b"GET ", b"?", b"&", b"=", b";",
         b"host: a\r\n", b"A" * 300, b"expect: 100-continue\r\n"]


def mutate(rng, raw):
    """Some changes, of which at least one is visible."""
    out = bytearray(raw)
    for _ in range(rng.choice([1, 1, 2, 4, 9])):
        at = rng.randrange(len(out) + 1)
        what = rng.randrange(6)
        if what == 0 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            out[at:at] = rng.choice(WORDS)
        elif what == 2:
            del out[at:at + rng.choice([1, 2, 10])]
        elif what == 3:
            other = rng.choice(BASE)
            out[at:] = other[rng.randrange(len(other)):]
        elif what == 4 and at < len(out):
            out[at] = rng.randrange(256)
        else:
            end = min(len(out), at + rng.randrange(1, 30))
            out[at:at] = out[at:end]
    return bytes(out)


class Random(Hostile):
    """Ten thousand malformed requests, beside a client that works."""

    def answers(self, raw):
        """Take a stream of answers apart; each must be whole and in form."""
        while raw:
            headed, sep, rest = raw.partition(b"\r\n\r\n")
            self.assertEqual(sep, b"\r\n\r\n", raw[:200])
            lines = headed.split(b"\r\n")
            status = int(lines[0].split(b" ")[1])
            n = int(dict(x.split(b": ", 1) for x in lines[1:])[
                b"content-length"])
            body, raw = rest[:n], rest[n:]
            self.assertEqual(len(body), n)
            self.assertIn(status, (200, 400, 403, 404, 405, 408, 409, 413,
                                   414, 429, 431, 501, 505), lines[0])
            if status != 200 and b"content-type: application/json" in lines:
                e = json.loads(body)["error"]
                self.assertGreater(len(e["message"] + e.get("hint", "")), 10)
            elif status != 200:
                self.assertTrue(body == b"Please log in." or
                                body.startswith(b"Not found: "), body[:80])
            yield status

    def test_ten_thousand_while_others_work(self):
        stop, errors, calls = threading.Event(), [], [0]

        def worker():
            try:
                with self.broker.conn("cli") as c:
                    c.create("work")
                    frm = -1
                    while not stop.is_set():
                        i = c.publish("work", "n%d" % calls[0], "r")
                        got, frm = c.poll(["work"], 30, frm)
                        self.assertEqual([m[1:3] for m in got],
                                         [(i, "n%d" % calls[0])])
                        c.ack("work", i)
                        calls[0] += 1
            except BaseException as e:  # told by the main thread
                errors.append(e)
        t = threading.Thread(target=worker)
        t.start()
        rng = random.Random(20260000)
        seen = {}
        try:
            for k in range(10000):
                raw = mutate(rng, rng.choice(BASE))
                c = Conn(self.broker.socket)
                with contextlib.suppress(BrokenPipeError):
                    c.send(get("/login/m") * (k % 2) + raw)
                with contextlib.suppress(OSError):
                    c.sock.shutdown(socket.SHUT_WR)
                got = c.rest()
                c.close()
                for status in self.answers(got):
                    seen[status] = seen.get(status, 0) + 1
                self.assertEqual(errors, [], "after %d: %r" % (k, raw))
        finally:
            stop.set()
            t.join()
        self.assertEqual(errors, [])
        self.assertGreater(calls[0], 100)
        self.assertGreater(seen.get(400, 0), 1000, seen)
        self.assertGreater(seen.get(404, 0), 300, seen)
        self.assertEqual(self.broker.process.pid, self.pid)
        self.is_well()

    def test_bytes_without_any_sense(self):
        rng = random.Random(5)
        for k in range(500):
            c = Conn(self.broker.socket)
            raw = rng.randbytes(rng.choice([1, 10, 100, 5000, 70000]))
            if k % 2:
                raw += b"\r\n\r\n"
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                c.send(raw)
            with contextlib.suppress(OSError):
                c.sock.shutdown(socket.SHUT_WR)
            for status in self.answers(c.rest()):
                self.assertIn(status, (400, 404, 414, 431, 505))
            c.close()
        self.is_well()


class Operators(Hostile):
    """The routes of /v1 with what they do not expect."""

    @tap.table([(t, t) for t in (
        "/queues?limit=1", "/queues?limit=10000", "/acts?limit=10000",
        "/events?after=-1&limit=1", "/events?after=-1&limit=100000",
        "/events?after=-1&limit=1&wait=300")])
    def answers_at_the_bound(self, target):
        self.is_well()  # something has happened, so nothing waits
        self.assertEqual(self.conn().v1(target)[0], 200)

    @tap.table([("%s %s" % (m, t[:50]), m, t, s) for m, t, s in [
        ("GET", "/v1/", 404), ("GET", "/v1/x", 404),
        ("GET", "/v1/status/x", 404), ("GET", "/v1//status", 404),
        ("GET", "/v1/a/b/c/d/e/f/g/h", 404), ("POST", "/v1/status", 405),
        ("DELETE", "/v1/queues", 405), ("GET", "/v1/queues/none", 404),
        ("DELETE", "/v1/queues/none", 404),
        ("PUT", "/v1/queues/a%00b", 400), ("PUT", "/v1/queues/%0a", 400),
        ("PUT", "/v1/queues/" + "x" * 256, 400), ("PUT", "/v1/queues/", 400),
        ("GET", "/v1/queues?limit=0", 400),
        ("GET", "/v1/queues?limit=10001", 400),
        ("GET", "/v1/queues?limit=x", 400),
        ("GET", "/v1/queues?limit=", 400),
        ("GET", "/v1/queues?limit=-1", 400),
        ("GET", "/v1/queues/none/messages", 404),
        ("GET", "/v1/queues/none/messages/1", 404),
        ("GET", "/v1/queues/none/messages/x", 400),
        ("DELETE", "/v1/queues/none/messages/1", 404),
        ("DELETE", "/v1/queues/none/messages/99999999999999999999", 400),
        ("POST", "/v1/queues/none/messages/1/reply", 404),
        ("POST", "/v1/queues/none/messages/x/reply", 400),
        ("POST", "/v1/queues/none/messages/1/hold", 404),
        ("GET", "/v1/queues/none/messages/1/hold", 405),
        ("GET", "/v1/events?after=-2000", 400),
        ("GET", "/v1/events?wait=301", 400),
        ("GET", "/v1/events?limit=0", 400),
        ("GET", "/v1/events?limit=100001", 400),
        ("GET", "/v1/acts?limit=10001", 400)]])
    def answers(self, method, target, status):
        c = self.conn()
        r = c.ask(request(method, target))
        self.assertEqual(r.status, status, r)
        self.assertEqual(set(r.json()["error"]) - {"hint"},
                         {"code", "message"})
        self.assertEqual(c.v1("/health")[0], 200)

    @tap.table([("queues", "/queues?limit=1&&x=y&prefix=%", 200),
                ("an event far away", "/events?after=9223372036854775807",
                 200), ("a name that is long", "/queues/" + "x" * 7000, 404)])
    def bears(self, target, status):
        self.assertEqual(self.conn().v1(target)[0], status)

    def test_raw_payloads_are_for_root_and_the_broker_s_own_user(self):
        if os.geteuid() != 0:
            self.skipTest("needs another user: run as root")
        with Broker("--set", "server.mode=666") as b:
            os.chmod(b.folder, 0o755)
            with b.conn("t") as c:
                c.create("q")
                i = c.publish("q", "secret", "r")
            target = "/queues/q/messages/%d?payload=raw" % i
            with b.conn() as c:
                self.assertEqual(c.v1(target)[1]["payload_base64"],
                                 "c2VjcmV0")
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                try:
                    os.setgid(65534)
                    os.setuid(65534)
                    with b.conn() as c:
                        os.write(write, b"%d" % c.v1(target)[0])
                finally:
                    os._exit(0)
            os.close(write)
            with os.fdopen(read, "rb") as f:
                self.assertEqual(f.read(), b"403")
            os.waitpid(pid, 0)


if __name__ == "__main__":
    tap.main()
