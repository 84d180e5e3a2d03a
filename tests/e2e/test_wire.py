# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The wire: what stock clients send, and every byte they must get back.

Rows compare whole answers.  In a row @1, @2, ... stand for the first, second,
... id given in that row, and @L for the newest one before it.  Where we differ
from the original on purpose the row says so in its name ("ours").
"""
import fcntl
import json
import os
import re
import socket
import sys
import termios
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import (Broker, PHRASES, answer, get, post, request,  # noqa: E402
                    transfer_body, until)

FORM = "see doc/protocol.md for the form of each request"
RFC = "the connection is closed; send HTTP/1.1 as RFC 9112 has it"
OK = answer()
LOGIN = answer("Please log in.", 404)


def lost(target):
    """The text of the original for a request that it does not know."""
    if isinstance(target, str):
        target = target.encode()
    return answer(b"Not found: " + target, 404)


def error(status, code, message, hint, close=False):
    """Our one shape of an error."""
    body = json.dumps({"error": {"code": code, "message": message,
                                 "hint": hint}},
                      separators=(",", ":")).encode()
    return (b"HTTP/1.1 %d %s\r\ncontent-length: %d\r\n"
            b"content-type: application/json\r\n"
            b"x-content-type-options: nosniff\r\n%s\r\n%s" % (
                status, PHRASES[status].encode(), len(body),
                b"connection: close\r\n" if close else b"", body))


def bad(message):
    return error(400, "bad_request", message, FORM)


def refused(message, status=400):
    return error(status, "bad_request", message, RFC, close=True)


def transfer(queues, frm=None, timeout=0.0):
    return post("/transfer", transfer_body(queues, timeout, frm))


def messages(*rows, next):
    """The body of an answer to transfer; rows are JSON text."""
    return answer('{"messages":[%s],"next":"%s"}' % (",".join(rows), next))


def req(queue, ident, payload, reply_to="r"):
    """One request in an answer to transfer, as JSON text."""
    return '[["%s",%s],{"payload":%s,"kind":["Request","%s"]}]' % (
        queue, ident, json.dumps(payload, ensure_ascii=False), reply_to)


class Wire(tap.Case):
    """One broker for a group; each case begins without queues."""
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(*cls.options)

    @classmethod
    def tearDownClass(cls):
        cls.broker.remove()

    def setUp(self):
        with self.broker.conn() as c:
            c.login("cleaner")
            names = c.ok(get("/list/")).body.decode("latin-1")
            for name in json.loads(names):
                c.destroy("".join("%%%02X" % ord(x) for x in name))
            self.last = c.v1("/status")[1]["store"]["last_id"]

    def logged(self):
        return self.broker.read_log()[-2000:]

    def ids(self, raw):
        """Fill in ids; content-length follows when the body changed."""
        def one(m):
            k = m.group(1)
            return b"%d" % (self.last + (0 if k == b"L" else int(k)))
        new = re.sub(rb"@(L|\d+)", one, raw)
        if new == raw:
            return raw
        head, _, body = new.partition(b"\r\n\r\n")
        head = re.sub(rb"(?m)^content-length: \d+",
                      b"content-length: %d" % len(body), head)
        return head + b"\r\n\r\n" + body

    def talk(self, c, steps):
        """Each request gets exactly its answer."""
        for i, (ask, want) in enumerate(steps):
            c.send(self.ids(ask))
            self.assertEqual(c.reply().raw, self.ids(want),
                             "step %d: %r" % (i, ask[:300]))

    def converse(self, steps, token="tok"):
        with self.broker.conn(token=token) as c:
            self.talk(c, steps)


# The first two lines of the wire contract's section 1: exactly these bytes.
UNIX_LOGIN = (b"GET /login/ms-client-unix:23859 HTTP/1.1\r\n"
              b"connection: keep-alive\r\ncontent-length: 0\r\n"
              b"host: localhost\r\nuser-agent: cohttp\r\n\r\n")
UNIX_TRANSFER = (b"POST /transfer HTTP/1.1\r\nconnection: keep-alive\r\n"
                 b"content-length: 36\r\nhost: localhost\r\n"
                 b"user-agent: cohttp\r\n\r\n"
                 b'{"timeout":0.0,"queues":["svcunix"]}')

# A call through the switch, both sides on one connection: seven requests, and
# what surrounds them.
CALL = [
    (UNIX_LOGIN, OK),
    (get("/transient/ms-client-unix:23859"), answer("ms-client-unix:23859")),
    (get("/persistent/svcunix"), answer("svcunix")),
    (post("/request/svcunix/ms-client-unix:23859", "hello"),
     answer('[["svcunix",@1]]')),
    (UNIX_TRANSFER,
     messages(req("svcunix", "@1", "hello", "ms-client-unix:23859"),
              next="@1")),
    (post("/response/ms-client-unix:23859/svcunix/@1", "olleh"),
     answer('[["ms-client-unix:23859",@2]]')),
    (get("/ack/svcunix/@1"), OK),
    (transfer(["ms-client-unix:23859"], "@L"),
     messages('[["ms-client-unix:23859",@2],{"payload":"olleh",'
              '"kind":["Response",["svcunix",@1]]}]', next="@2")),
    (get("/ack/ms-client-unix:23859/@2"), OK),
    (get("/list/"), answer('["svcunix","ms-client-unix:23859"]')),
]


class Clients(Wire):
    """The requests of real clients, cut up and put together in all ways."""

    def test_a_call_is_seven_requests(self):
        with self.broker.conn() as c:
            self.talk(c, CALL)

    def test_three_writes_a_request(self):
        """Request line, fields and body apart, as the unix client does."""
        with self.broker.conn() as c:
            for ask, want in CALL:
                ask = self.ids(ask)
                line, _, rest = ask.partition(b"\r\n")
                head, _, body = rest.partition(b"\r\n\r\n")
                for piece in (line + b"\r\n", head + b"\r\n\r\n", body):
                    c.send(piece)
                    self.arrived(c)
                self.assertEqual(c.reply().raw, self.ids(want))

    def arrived(self, c):
        """The broker has read all that was sent."""
        def outq():
            n = fcntl.ioctl(c.fileno(), termios.TIOCOUTQ, b"\0" * 4)
            return n == b"\0" * 4
        until(outq, "the broker reads", pause=0)

    @tap.table([("request %d" % i, i) for i in range(len(CALL))])
    def cut_in_two_at_every_byte(self, which):
        with self.broker.conn() as c:
            self.talk(c, CALL[:which])
            ask, want = (self.ids(x) for x in CALL[which])
            again = b"GET /ack/none/7 HTTP/1.1\r\n\r\n"
            for at in range(1, len(ask)):
                c.send(ask[:at])
                self.arrived(c)
                # the next request comes with the second half
                c.send(ask[at:] + again)
                got = c.reply().raw
                if which in (3, 5):  # each repetition is a new message
                    got = re.sub(rb",\d+\]\]$", b",N]]", got)
                    exp = re.sub(rb",\d+\]\]$", b",N]]", want)
                else:
                    exp = want
                self.assertEqual(got, exp, "cut at %d" % at)
                self.assertEqual(c.reply().raw, OK, "cut at %d" % at)

    def test_byte_by_byte(self):
        with self.broker.conn() as c:
            for ask, want in CALL:
                for b in self.ids(ask):
                    c.send(bytes([b]))
                    self.arrived(c)
                self.assertEqual(c.reply().raw, self.ids(want))

    def test_pipelined_in_one_write(self):
        with self.broker.conn() as c:
            c.send(b"".join(self.ids(ask) for ask, _ in CALL))
            for ask, want in CALL:
                self.assertEqual(c.reply().raw, self.ids(want),
                                 "%r" % ask[:200])

    def test_a_thousand_pipelined(self):
        with self.broker.conn("many") as c:
            c.create("many")
            c.send(b"".join(post("/request/many/r", "%d" % i)
                            for i in range(1000)))
            for i in range(1000):
                self.assertEqual(c.reply().raw,
                                 self.ids(answer('[["many",@%d]]' % (i + 1))))

    def test_what_follows_a_parked_transfer_waits_for_it(self):
        with self.broker.conn("a") as a, self.broker.conn("b") as b:
            a.create("one")
            a.send(transfer(["one"], timeout=30) + get("/list/") +
                   get("/nowhere"))
            self.broker.until_parked(1)
            a.nothing(0.05)
            self.talk(b, [(post("/request/one/r", "x"),
                           answer('[["one",@1]]'))])
            for want in (messages(req("one", "@1", "x"), next="@1"),
                         answer('["one"]'), lost("/nowhere")):
                self.assertEqual(a.reply().raw, self.ids(want))

    def test_what_follows_a_parked_trace_waits_for_it(self):
        with self.broker.conn("a") as a, self.broker.conn("b") as b:
            b.create("one")
            top = b.v1("/events?limit=1")[1]["next"]
            a.send(get("/trace/%d/30" % (top + 3)) + get("/list/"))
            a.nothing(0.05)
            for _ in range(4):
                b.publish("one", "x", "r")
            self.assertEqual([m[0] for m in a.reply().json()["events"]],
                             [top + 3])
            self.assertEqual(a.reply().raw, answer('["one"]'))


class NotLoggedIn(Wire):
    """Judged after the form of a request, before everything else."""

    @tap.table([(t.split("/")[1] + " " + t, m, t, b) for m, t, b in [
        ("GET", "/list/", ""), ("GET", "/list/alive/", ""),
        ("GET", "/persistent/q", ""), ("GET", "/transient/q", ""),
        ("GET", "/destroy/q", ""), ("GET", "/ack/q/1", ""),
        ("POST", "/transfer", transfer_body(["q"])),
        ("POST", "/request/q/r", "x"), ("POST", "/response/q/f/1", "x"),
        ("POST", "/shutdown", "")]])
    def is_told_to(self, method, target, body):
        with self.broker.conn() as c:
            self.talk(c, [(request(method, target, body), LOGIN),
                          (get("/login/t"), OK), (get("/list/"),
                                                  answer("[]"))])

    def test_exactly_fourteen_bytes_without_a_type(self):
        with self.broker.conn() as c:
            self.assertEqual(
                c.ask(get("/list/")).raw,
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 14\r\n\r\n"
                b"Please log in.")

    def test_a_wrong_form_is_judged_first(self):
        with self.broker.conn() as c:
            self.talk(c, [(get("/list"), lost("/list")),
                          (get("/ack/q/x"),
                           bad("the message id is not a number")),
                          (post("/shutdown", "now"), lost("/shutdown"))])

    def test_trace_and_diagnostics_need_no_login(self):
        with self.broker.conn() as c:
            self.assertEqual(c.ask(get("/trace/-1/0")).status, 200)
            self.assertEqual(c.ask(get("/")).status, 200)

    def test_one_connection_logged_in_is_not_the_other(self):
        with self.broker.conn("a"), self.broker.conn() as b:
            self.talk(b, [(get("/list/"), LOGIN)])


LONG = "/nowhere/" + "x" * 3000

# method, target: answered with the target as it came
UNKNOWN = [
    ("GET", "/list"), ("GET", "/list/alive//"), ("GET", "/%23x"),
    ("GET", "/x"), ("GET", "//"), ("GET", "/list/a/b"), ("GET", "/listx"),
    ("GET", "/list/alive/a/b"), ("GET", "/login"), ("GET", "/login/a/b"),
    ("GET", "/persistent"), ("GET", "/persistent/a/b"),
    ("GET", "/persistent/a/"), ("GET", "/transient"),
    ("GET", "/transient/a/b"), ("GET", "/destroy"), ("GET", "/destroy/a/b"),
    ("GET", "/ack"), ("GET", "/ack/q"), ("GET", "/ack/q/1/2"),
    ("GET", "/ack/q/1/"), ("GET", "/transfer"), ("GET", "/request/q/r"),
    ("GET", "/response/q/f/1"), ("GET", "/shutdown"), ("POST", "/list/"),
    ("POST", "/login/t"), ("POST", "/"), ("POST", "/persistent/q"),
    ("POST", "/ack/q/1"), ("POST", "/trace"), ("POST", "/request/q"),
    ("POST", "/request/q/r/x"), ("POST", "/response/q/f"),
    ("POST", "/response/q/f/1/2"), ("POST", "/transfer/"), ("HEAD", "/list/"),
    ("DELETE", "/destroy/q"), ("PUT", "/persistent/q"), ("PATCH", "/"),
    ("OPTIONS", "*"), ("get", "/list/"), ("GET", "/trace/1"),
    ("GET", "/trace/1/2/3"), ("GET", "/LIST/"), ("GET", "list/"),
    ("GET", "/admin"), ("GET", "/admin/"), ("GET", "/admin/index.html"),
    ("GET", "/js/a.js"), ("GET", "/css/a.css"), ("GET", "/images/a.png"),
    ("GET", "/admin/../../../../etc/passwd"),
    ("GET", "/admin/%2e%2e/%2e%2e/etc/passwd"),
    ("GET", "/admin/..%2f..%2fetc%2fpasswd"),
    ("GET", "/admin/..;/..;/etc/passwd"), ("GET", "/admin/..\\..\\passwd"),
    ("GET", "/admin/%c0%ae%c0%ae/etc/passwd"),
    ("GET", "/admin/%00/etc/passwd"), ("GET", "//etc/passwd"),
    ("GET", "/x?query=1"), ("GET", LONG),
]


class Unknown(Wire):
    """What is no request of the protocol is told so, and may go on."""

    @tap.table([("%s %s" % (m, t[:60]), m, t) for m, t in UNKNOWN])
    def is_not_found(self, method, target):
        self.converse([(request(method, target), lost(target)),
                       (get("/list/"), answer("[]"))])

    def test_an_absolute_target_reads_no_file(self):
        with self.broker.conn("t") as c:
            for t in ("http://x/admin/../../../../etc/passwd",
                      "http://x/etc/passwd"):
                got = c.ask(get(t))
                self.assertEqual(got.status, 404)
                self.assertNotIn(b"root:", got.body)

    def test_shutdown_with_a_body_is_no_shutdown(self):
        self.converse([(post("/shutdown", "x"), lost("/shutdown")),
                       (get("/list/"), answer("[]"))])


NAME = "a name must have 1 to 255 bytes and no control characters"


class Requests(Wire):
    """The table of paths: each request and its whole answer."""

    @tap.table([
        ("login", [(get("/login/a"), OK)]),
        ("login again, same token", [(get("/login/tok"), OK)]),
        ("persistent", [(get("/persistent/q"), answer("q"))]),
        ("persistent twice", [(get("/persistent/q"), answer("q"))] * 2),
        ("transient", [(get("/transient/q"), answer("q"))]),
        ("transient twice", [(get("/transient/q"), answer("q"))] * 2),
        ("transient of a persistent one",
         [(get("/persistent/q"), answer("q")),
          (get("/transient/q"), answer("q")),
          (request("GET", "/v1/queues"), None)]),
        ("persistent of a transient one",
         [(get("/transient/q"), answer("q")),
          (get("/persistent/q"), answer("q"))]),
        ("destroy", [(get("/persistent/q"), answer("q")),
                     (get("/destroy/q"), OK), (get("/list/"), answer("[]"))]),
        ("destroy what is not there", [(get("/destroy/q"), OK)]),
        ("ack without a queue", [(get("/ack/q/1"), OK)]),
        ("ack without a message", [(get("/persistent/q"), answer("q")),
                                   (get("/ack/q/1"), OK)]),
        ("ack twice", [(get("/persistent/q"), answer("q")),
                       (post("/request/q/r", "x"), answer('[["q",@1]]')),
                       (get("/ack/q/@1"), OK), (get("/ack/q/@1"), OK),
                       (transfer(["q"]), messages(next="-1"))]),
        ("ack in another queue does nothing",
         [(get("/persistent/q"), answer("q")),
          (get("/persistent/p"), answer("p")),
          (post("/request/q/r", "x"), answer('[["q",@1]]')),
          (get("/ack/p/@1"), OK),
          (transfer(["q"]), messages(req("q", "@1", "x"), next="@1"))]),
        ("list of nothing", [(get("/list/"), answer("[]"))]),
        ("list descends, byte by byte",
         [(get("/persistent/b"), answer("b")),
          (get("/persistent/a"), answer("a")),
          (get("/persistent/aa"), answer("aa")),
          (get("/persistent/%C3%A9"), answer("\u00e9")),
          (get("/persistent/Z"), answer("Z")),
          (get("/list/"), answer('["\u00e9","b","aa","a","Z"]')),
          (get("/list/a"), answer('["aa","a"]')),
          (get("/list/aaa"), answer("[]"))]),
        ("list with a prefix that is encoded",
         [(get("/persistent/a%2Fb"), answer("a/b")),
          (get("/persistent/ab"), answer("ab")),
          (get("/list/a%2F"), answer('["a/b"]'))]),
        ("list/alive is a prefix without its slash",
         [(get("/persistent/alive1"), answer("alive1")),
          (get("/list/alive"), answer('["alive1"]')),
          (get("/list/alive/"), answer("[]"))]),
        ("list/alive tells what is polled",
         [(get("/persistent/qa"), answer("qa")),
          (get("/persistent/qb"), answer("qb")),
          (transfer(["qa"]), messages(next="-1")),
          (get("/list/alive/"), answer('["qa"]')),
          (get("/list/alive/qa"), answer('["qa"]')),
          (get("/list/alive/x"), answer("[]"))]),
        ("request", [(get("/persistent/q"), answer("q")),
                     (post("/request/q/r", "x"), answer('[["q",@1]]')),
                     (post("/request/q/r", "y"), answer('[["q",@2]]'))]),
        ("request to nowhere", [(post("/request/q/r", "x"), answer("[]"))]),
        ("request and an empty payload",
         [(get("/persistent/q"), answer("q")),
          (post("/request/q/r", ""), answer('[["q",@1]]')),
          (transfer(["q"]), messages(req("q", "@1", ""), next="@1"))]),
        ("response", [(get("/persistent/r"), answer("r")),
                      (post("/response/r/f/7", "x"), answer('[["r",@1]]')),
                      (transfer(["r"]), messages(
                          '[["r",@1],{"payload":"x","kind":["Response",'
                          '["f",7]]}]', next="@1"))]),
        ("response to nowhere", [(post("/response/r/f/7", "x"),
                                  answer("[]"))]),
        ("ours: oldest first",
         [(get("/persistent/q"), answer("q"))] +
         [(post("/request/q/r", "m%d" % i), answer('[["q",@%d]]' % i))
          for i in (1, 2, 3)] +
         [(transfer(["q"]), messages(*[req("q", "@%d" % i, "m%d" % i)
                                       for i in (1, 2, 3)], next="@3")),
          (transfer(["q"], "@1"), messages(*[req("q", "@%d" % i, "m%d" % i)
                                             for i in (2, 3)], next="@3")),
          (transfer(["q"], "@3"), messages(next="@3"))]),
        ("transfer does not consume",
         [(get("/persistent/q"), answer("q")),
          (post("/request/q/r", "x"), answer('[["q",@1]]'))] +
         [(transfer(["q"]), messages(req("q", "@1", "x"), next="@1"))] * 2),
        ("ours: several queues are merged by id",
         [(get("/persistent/a"), answer("a")),
          (get("/persistent/b"), answer("b")),
          (post("/request/b/r", "1"), answer('[["b",@1]]')),
          (post("/request/a/r", "2"), answer('[["a",@2]]')),
          (post("/request/b/r", "3"), answer('[["b",@3]]')),
          (transfer(["a", "b"]), messages(
              req("b", "@1", "1"), req("a", "@2", "2"), req("b", "@3", "3"),
              next="@3"))]),
        ("a queue asked for twice is given once",
         [(get("/persistent/q"), answer("q")),
          (post("/request/q/r", "x"), answer('[["q",@1]]')),
          (transfer(["q", "q"]), messages(req("q", "@1", "x"), next="@1"))]),
        ("transfer of unknown queues", [(transfer(["no", "nay"]),
                                         messages(next="-1"))]),
        ("transfer of no queue", [(transfer([]), messages(next="-1"))]),
        ("transfer gives from back", [(get("/persistent/q"), answer("q")),
                                      (transfer(["q"], 0),
                                       messages(next="0")),
                                      (transfer(["q"], 17),
                                       messages(next="17")),
                                      (transfer(["q"], -1),
                                       messages(next="-1"))]),
        ("ours: a cursor from another life",
         [(get("/persistent/q"), answer("q")),
          (post("/request/q/r", "x"), answer('[["q",@1]]')),
          (transfer(["q"], 1 << 62),
           messages(req("q", "@1", "x"), next="@1"))]),
        ("query strings are ignored",
         [(get("/persistent/q?a=b"), answer("q")),
          (get("/list/?prefix=zz"), answer('["q"]')),
          (post("/request/q/r?x", "1"), answer('[["q",@1]]'))]),
    ])
    def answered(self, steps):
        self.converse([s for s in steps if s[1] is not None])

    def test_kind_and_owner_do_not_change(self):
        with self.broker.conn("t") as c, self.broker.conn("u") as u:
            c.create("p")
            c.create("t", transient=True)
            u.create("p", transient=True)
            u.create("t")
            for name, kind, owner in (("p", "persistent", None),
                                      ("t", "transient", "t")):
                q = c.v1("/queues/" + name)[1]
                self.assertEqual((q["kind"], q["owner"]), (kind, owner))

    def test_shutdown_answers_then_ends(self):
        with Broker() as b:
            with b.conn("t") as c:
                self.assertEqual(c.ask(post("/shutdown")).raw, OK)
                self.assertEqual(c.rest(), b"")
            self.assertEqual(b.wait(), 0)


BYTES = bytes(range(1, 256))
PERCENT = "".join("%%%02X" % b for b in BYTES if 0x20 <= b != 0x7f)
NAME_BYTES = bytes(b for b in BYTES if 0x20 <= b != 0x7f)


class Names(Wire):
    """Percent coding: split first, then decode each segment once."""

    @tap.table([(n, n, v) for n, v in [
        ("plain-._~", b"plain-._~"), ("a:b", b"a:b"), ("a+b", b"a+b"),
        ("a%20b", b"a b"), ("a%2Fb", b"a/b"), ("a%2fb", b"a/b"),
        ("%2525", b"%25"), ("%", b"%"), ("a%", b"a%"), ("%4", b"%4"),
        ("%zz", b"%zz"), ("%4z", b"%4z"), ("%%41", b"%A"), ("%41", b"A"),
        ("!$&'()*,;=@", b"!$&'()*,;=@"), ("%C3%A9", b"\xc3\xa9"),
        ("%ff%80", b"\xff\x80"), ("%22%3C%3E%60", b'"<>`'),
        ("org.xen.xapi.storage.gfs2", b"org.xen.xapi.storage.gfs2"),
        ("x" * 255, b"x" * 255), ("%41" * 255, b"A" * 255)]])
    def is_decoded_once(self, name, want):
        self.converse([(get("/persistent/" + name), answer(want))])
        with self.broker.conn() as c:
            names = [q["name"] for q in c.v1("/queues")[1]["queues"]]
            self.assertEqual(len(names), 1)
        self.converse([(get("/destroy/" + name), OK),
                       (get("/list/"), answer("[]"))])

    @tap.table([("raw e acute", "/persistent/\u00e9".encode(), b"\xc3\xa9"),
                ("raw byte 0xff", b"/persistent/\xff", b"\xff")])
    def bytes_that_are_not_encoded(self, target, want):
        self.converse([(get(target), answer(want))])

    def test_every_byte_that_may_be_in_a_name(self):
        half = len(NAME_BYTES) // 2
        for part in (NAME_BYTES[:half], NAME_BYTES[half:]):
            coded = "".join("%%%02x" % b for b in part)
            self.converse([(get("/persistent/" + coded), answer(part)),
                           (get("/destroy/" + coded), OK)])

    @tap.table([(t, t) for t in [
        "/persistent/%00", "/persistent/a%0Ab", "/persistent/a%0d%0aX-Evil:1",
        "/persistent/%1f", "/persistent/%7f", "/persistent/", "/transient/",
        "/login/", "/login/%00", "/destroy/", "/ack//1",
        "/persistent/" + "x" * 256, "/login/" + "x" * 256,
        "/transient/" + "%41" * 256]])
    def that_are_none(self, target):
        self.converse([(get(target), bad(NAME)),
                       (get("/list/"), answer("[]"))])

    @tap.table([(t, t) for t in [
        "/request//r", "/request/q/", "/request/%0a/r", "/request/q/%7F",
        "/response//f/1", "/response/r//1", "/response/r/%09/1"]])
    def that_are_none_in_posts(self, target):
        self.converse([(post(target, "x"), bad(NAME))])

    def test_ours_the_from_queue_is_decoded_like_every_other(self):
        self.converse([
            (get("/persistent/r"), answer("r")),
            (post("/response/r/a%20b%3Ac%2Fd/7", "x"), answer('[["r",@1]]')),
            (transfer(["r"]),
             messages('[["r",@1],{"payload":"x","kind":["Response",'
                      '["a b:c/d",7]]}]', next="@1"))])

    def test_names_are_json_strings_in_answers(self):
        name = 'q"\\\u00e9/'
        coded = "".join("%%%02X" % b for b in name.encode())
        text = '"q\\"\\\\\u00e9/"'
        self.converse([
            (get("/persistent/" + coded), answer(name)),
            (get("/list/"), answer("[%s]" % text)),
            (post("/request/%s/%s" % (coded, coded), "x"),
             answer("[[%s,@1]]" % text)),
            (post("/transfer", '{"timeout":0,"queues":[%s]}' % text),
             answer('{"messages":[[[%s,@1],{"payload":"x","kind":["Request",'
                    '%s]}]],"next":"@1"}' % (text, text)))])


NUMBERS = ["0", "1", "-1", "+1", "-0", "007", "0x1F", "0X1f", "-0x1F",
           "+0x1f", "0o17", "0b101", "0u5", "1_000", "1__0", "0x_f"[:2] + "f_",
           "9223372036854775807", "-9223372036854775808",
           "0xffffffffffffffff", "0x7fffffffffffffff",
           "0u18446744073709551615", "0b" + "1" * 64, "0o1" + "0" * 21]
NO_NUMBERS = ["x", "1x", "0x", "0o8", "0b2", "_1", "-", "+", "--1", "1.0",
              "1e3", "%201", "1%20", "0xg", "9223372036854775808",
              "-9223372036854775809", "0x10000000000000000",
              "0u18446744073709551616", "99999999999999999999999", "0x_1"]


class Numbers(Wire):
    """What Int64.of_string takes, in paths and in from."""

    @tap.table([(n, n) for n in NUMBERS])
    def is_an_id(self, n):
        self.converse([(get("/ack/q/" + n), OK),
                       (post("/response/r/f/" + n, "x"), answer("[]"))])

    @tap.table([(n, n) for n in NO_NUMBERS + [""]])
    def is_no_id(self, n):
        why = bad("the message id is not a number")
        self.converse([(get("/ack/q/" + n), why),
                       (post("/response/r/f/" + n, "x"), why),
                       (get("/list/"), answer("[]"))])

    @tap.table([(n, n) for n in NUMBERS])
    def is_a_cursor(self, n):
        with self.broker.conn("t") as c:
            self.assertEqual(c.ask(transfer(["q"], n)).status, 200)

    @tap.table([(n or "empty", n) for n in
                [x for x in NO_NUMBERS if "%" not in x] + [" 1", ""]])
    def is_no_cursor(self, n):
        self.converse([(transfer(["q"], n),
                        bad("from is not a number in a string"))])

    def test_an_id_in_another_base_is_the_same_id(self):
        with self.broker.conn("t") as c:
            c.create("q")
            for form in ("0x%x", "0o%o", "+%d", "0u%d", "0%d"):
                i = c.publish("q", "x", "r")
                self.assertEqual(c.ask(get("/ack/q/" + form % i)).raw, OK)
                self.assertEqual(c.poll(["q"])[0], [], form)

    @tap.table([("-1/0", "/trace/-1/0"), ("float", "/trace/-1/0.0"),
                ("hex", "/trace/0x0/0")])
    def trace_takes(self, target):
        with self.broker.conn() as c:
            self.assertEqual(c.ask(get(target)).status, 200)

    @tap.table([("from", "/trace/x/0", "from is not a number"),
                ("empty from", "/trace//0", "from is not a number"),
                ("timeout", "/trace/0/x", "the timeout is not a duration"),
                ("nan", "/trace/0/nan", "the timeout is not a duration"),
                ("below 0", "/trace/0/-1", "the timeout is not a duration"),
                ("empty", "/trace/0/", "the timeout is not a duration")])
    def trace_does_not_take(self, target, why):
        with self.broker.conn() as c:
            self.talk(c, [(get(target), bad(why))])


EMPTY = messages(next="-1")
DEEP = "[" * 120 + "]" * 120

GOOD_JSON = [
    ("timeout an integer", '{"timeout":0,"queues":["q"]}'),
    ("timeout a float", '{"timeout":0.0,"queues":["q"]}'),
    ("timeout with an exponent", '{"timeout":0e0,"queues":["q"]}'),
    ("timeout minus zero", '{"timeout":-0.0,"queues":["q"]}'),
    ("timeout a string", '{"timeout":"0.0","queues":["q"]}'),
    ("timeout a string without a point", '{"timeout":"0","queues":["q"]}'),
    ("the other order", '{"queues":["q"],"timeout":0}'),
    ("from first", '{"from":"-1","timeout":0,"queues":["q"]}'),
    ("from last", '{"timeout":0,"queues":["q"],"from":"-1"}'),
    ("unknown fields", '{"a":1,"timeout":0,"b":[{"c":null}],"queues":["q"],'
     '"d":true,"e":1.5e3,"f":"x"}'),
    ("an unknown field of great depth",
     '{"a":%s,"timeout":0,"queues":["q"]}' % DEEP),
    ("white space", ' \t\r\n{ "timeout" : 0 , "queues" : [ "q" ] } \n'),
    ("comments", '/* a */{"timeout":/*b*/0,"queues"/**/:["q"/*]*/]}/* c */'),
    ("escapes in a key", '{"time\\u006fut":0,"queues":["q"]}'),
    ("escapes in a name", '{"timeout":0,"queues":["\\u0071"]}'),
    ("keys twice, the last wins",
     '{"timeout":9,"queues":["z"],"timeout":0,"queues":["q"]}'),
    ("from twice, the last wins",
     '{"from":"99","timeout":0,"queues":["q"],"from":"-1"}'),
]

TRANSFER = "the body is not a JSON object"
BAD_JSON = [
    ("nothing", "", None), ("not JSON", "hello", None),
    ("an array", "[]", TRANSFER), ("a string", '"x"', TRANSFER),
    ("a number", "1", TRANSFER), ("null", "null", TRANSFER),
    ("cut off", '{"timeout":0,"queues":["q"', None),
    ("cut in a string", '{"timeout":0,"queues":["q', None),
    ("no timeout", '{"queues":["q"]}', "timeout and queues are needed"),
    ("no queues", '{"timeout":0}', "timeout and queues are needed"),
    ("empty object", "{}", "timeout and queues are needed"),
    ("timeout null", '{"timeout":null,"queues":["q"]}',
     "the timeout is not a number"),
    ("timeout true", '{"timeout":true,"queues":["q"]}',
     "the timeout is not a number"),
    ("timeout a word", '{"timeout":"soon","queues":["q"]}',
     "the timeout is not a number"),
    ("timeout below 0", '{"timeout":-1,"queues":["q"]}',
     "the timeout is negative"),
    ("timeout NaN", '{"timeout":NaN,"queues":["q"]}', None),
    ("timeout 1e999", '{"timeout":1e999,"queues":["q"]}', None),
    ("queues null", '{"timeout":0,"queues":null}', "queues is not an array"),
    ("queues a string", '{"timeout":0,"queues":"q"}',
     "queues is not an array"),
    ("queues of numbers", '{"timeout":0,"queues":[1]}',
     "queues holds what is not a name"),
    ("queues of null", '{"timeout":0,"queues":[null]}',
     "queues holds what is not a name"),
    ("an empty name", '{"timeout":0,"queues":[""]}', NAME),
    ("a name with NUL", '{"timeout":0,"queues":["\\u0000"]}', NAME),
    ("a name too long", '{"timeout":0,"queues":["%s"]}' % ("x" * 256), NAME),
    ("from null", '{"from":null,"timeout":0,"queues":["q"]}',
     "from is not a number in a string"),
    ("from a number", '{"from":0,"timeout":0,"queues":["q"]}',
     "from is not a number in a string"),
    ("from an array", '{"from":[],"timeout":0,"queues":["q"]}',
     "from is not a number in a string"),
    ("trailing garbage", '{"timeout":0,"queues":["q"]}x', None),
    ("a second value", '{"timeout":0,"queues":["q"]}{}', None),
    ("a comma too many", '{"timeout":0,"queues":["q",]}', None),
    ("a comma too few", '{"timeout":0 "queues":["q"]}', None),
    ("a bad escape", '{"timeout":0,"queues":["\\q"]}', None),
    ("a bad \\u", '{"timeout":0,"queues":["\\u12g4"]}', None),
    ("an open comment", '{"timeout":0,"queues":["q"]}/*', None),
    ("nested too deeply", '{"a":%s%s,"timeout":0,"queues":["q"]}' % (
        "[" * 200, "]" * 200), "the JSON is nested too deeply"),
    ("a million brackets", '{"a":' + "[" * 1000000,
     "the JSON is nested too deeply"),
]


class Json(Wire):
    """The body of a transfer."""

    @tap.table(GOOD_JSON)
    def is_understood(self, body):
        with self.broker.conn("t") as c:
            c.create("q")
            self.talk(c, [(post("/request/q/r", "x"), answer('[["q",@1]]')),
                          (post("/transfer", body),
                           messages(req("q", "@1", "x"), next="@1"))])

    @tap.table(BAD_JSON)
    def is_refused_and_the_connection_goes_on(self, body, why):
        with self.broker.conn("t") as c:
            got = c.ask(post("/transfer", body))
            self.assertEqual(got.status, 400)
            if why is None:  # some sentence of the reader's
                why = got.json()["error"]["message"]
                self.assertGreater(len(why), 10)
            self.assertEqual(got.raw, bad(why))
            self.talk(c, [(get("/list/"), answer("[]"))])

    @tap.table([
        ("quote and backslash", b'"\\', b'\\"\\\\'),
        ("short escapes", b"\b\t\n\f\r", b"\\b\\t\\n\\f\\r"),
        ("slash", b"/</script>", b"/</script>"),
        ("control bytes", bytes([0, 1, 7, 11, 14, 31]),
         b"\\u0000\\u0001\\u0007\\u000b\\u000e\\u001f"),
        ("delete", b"\x7f", b"\\u007f"),
        ("UTF-8", "\u00e9\u20ac\U0001f600".encode(),
         "\u00e9\u20ac\U0001f600".encode()),
        ("not UTF-8", b"\xff\xfe\x80\xc0", b"\xff\xfe\x80\xc0"),
        ("JSON in it", b'{"a":[1,2.0,null]}', b'{\\"a\\":[1,2.0,null]}'),
        ("CRLF and a head", b"HTTP/1.1 200 OK\r\n\r\n",
         b"HTTP/1.1 200 OK\\r\\n\\r\\n")])
    def payload_is_written(self, payload, text):
        with self.broker.conn("t") as c:
            c.create("q")
            self.talk(c, [
                (post("/request/q/r", payload), answer('[["q",@1]]')),
                (transfer(["q"]), answer(
                    b'{"messages":[[["q",@1],{"payload":"' + text +
                    b'","kind":["Request","r"]}]],"next":"@1"}'))])

    def test_all_byte_values_survive(self):
        payload = bytes(range(256)) * 257
        with self.broker.conn("t") as c:
            c.create("q")
            c.publish("q", payload, "r")
            text = c.ask(transfer(["q"])).body
            got = json.loads(text.decode("latin-1"))
            self.assertEqual(got["messages"][0][1]["payload"].encode(
                "latin-1"), payload)

    def test_one_mebibyte_an_answer_or_one_message(self):
        with self.broker.conn("t") as c:
            c.create("q")
            ids = [c.publish("q", "x" * n, "r")
                   for n in (3 << 20, 1 << 19, 1 << 19, 1)]
            frm, seen = -1, []
            while True:
                got, frm = c.poll(["q"], frm=frm)
                if not got:
                    break
                seen.append([m[1] for m in got])
            self.assertEqual(seen, [ids[:1], ids[1:3], ids[3:]])


def chunked(target, *chunks, end=b"0\r\n\r\n", sizes="%x"):
    head = request("POST", target, "", headers=[
        ("content-length", None), ("transfer-encoding", "chunked")])
    return head + b"".join((sizes % len(c)).encode() + b"\r\n" + c + b"\r\n"
                           for c in chunks) + end


def raw(first, *fields, body=b""):
    return "\r\n".join((first,) + fields + ("", "")).encode("latin-1") + body


class Http(Wire):
    """Forms of HTTP that are accepted, and when a connection ends."""

    @tap.table([
        ("no fields at all", raw("GET /list/ HTTP/1.1"), answer("[]")),
        ("field names in any case", raw(
            "POST /request/no/r HTTP/1.1", "CONTENT-LENGTH: 1", "hOsT: x",
            body=b"x"), answer("[]")),
        ("blanks around a value", raw(
            "POST /request/no/r HTTP/1.1", "content-length:   1  ",
            body=b"x"), answer("[]")),
        ("POST without a length has no body",
         raw("POST /request/no/r HTTP/1.1"), answer("[]")),
        ("absolute form", raw("GET http://localhost/list/ HTTP/1.1"),
         answer("[]")),
        ("absolute form with a port", raw(
            "GET http://localhost:80/list/ HTTP/1.1"), answer("[]")),
        ("absolute form without a path is diagnostics",
         raw("POST http://localhost HTTP/1.1"),
         lost("http://localhost")),
        ("an empty line before", b"\r\n" + raw("GET /list/ HTTP/1.1"),
         answer("[]")),
        ("unknown fields", raw("GET /list/ HTTP/1.1", "x-a: 1", "accept: */*",
                               "cookie: a=b", "upgrade: websocket"),
         answer("[]")),
        ("expect is ignored", raw("POST /request/no/r HTTP/1.1",
                                  "expect: 100-continue",
                                  "content-length: 1", body=b"x"),
         answer("[]")),
        ("connection: keep-alive, Close in another word",
         raw("GET /list/ HTTP/1.1", "connection: not-close"), answer("[]")),
        ("chunked", chunked("/request/no/r", b"ab", b"c"), answer("[]")),
        ("chunked, nothing", chunked("/request/no/r"), answer("[]")),
        ("ours: the body of a GET is read and dropped",
         raw("GET /list/ HTTP/1.1", "content-length: 5", body=b"GET /"),
         answer("[]")),
    ])
    def accepted(self, ask, want):
        self.converse([(ask, want), (get("/list/"), answer("[]"))])

    @tap.table([
        ("one chunk", chunked("/request/q/r", b"abc"), "abc"),
        ("many chunks", chunked("/request/q/r", *[b"%d" % (i % 10)
                                                  for i in range(500)]),
         "0123456789" * 50),
        ("leading zeros", chunked("/request/q/r", b"abc", sizes="000%x"),
         "abc"),
        ("upper case", chunked("/request/q/r", b"x" * 171, sizes="%X"),
         "x" * 171),
        ("extensions", chunked("/request/q/r", b"abc", sizes='%x;a="b c"'),
         "abc"),
        ("trailers", chunked("/request/q/r", b"abc",
                             end=b"0\r\nx-sum: 1\r\n\r\n"), "abc"),
        ("CRLF within a chunk", chunked("/request/q/r", b"a\r\n0\r\n\r\n"),
         "a\r\n0\r\n\r\n")])
    def chunked_body_is(self, ask, payload):
        with self.broker.conn("t") as c:
            c.create("q")
            self.talk(c, [(ask, answer('[["q",@1]]'))])
            self.assertEqual(c.poll(["q"])[0][0][2], payload)

    def test_a_chunked_body_cut_at_every_byte(self):
        ask = chunked("/request/q/r", b"hello", b" ", b"world",
                      end=b"0\r\nx-t: 1\r\n\r\n")
        with self.broker.conn("t") as c:
            c.create("q")
            for at in range(1, len(ask)):
                c.send(ask[:at])
                Clients.arrived(self, c)
                c.send(ask[at:])
                self.assertEqual(c.reply().status, 200)
            got, frm = [], -1
            while len(got) < len(ask) - 1:
                some, frm = c.poll(["q"], frm=frm)
                got += [m[2] for m in some]
            self.assertEqual(set(got), {"hello world"})

    def test_a_transfer_may_come_in_chunks(self):
        self.converse([(chunked("/transfer", b'{"timeout":0,"que',
                                b'ues":[]}'), EMPTY)])

    @tap.table([
        ("connection: close", raw("GET /list/ HTTP/1.1",
                                  "connection: close"), answer("[]")),
        ("Connection: keep-alive, Close",
         raw("GET /list/ HTTP/1.1", "Connection: keep-alive, Close"),
         answer("[]")),
        ("HTTP/1.0", raw("GET /list/ HTTP/1.0"), answer("[]")),
        ("HTTP/1.0 with keep-alive",
         raw("GET /list/ HTTP/1.0", "connection: keep-alive"), answer("[]")),
        ("HTTP/1.0 and not found", raw("GET /no HTTP/1.0"), lost("/no")),
        ("HTTP/1.0 and a change", raw("GET /persistent/q HTTP/1.0"),
         answer("q")),
        ("close and a change", raw("GET /persistent/q HTTP/1.1",
                                   "connection: close"), answer("q")),
        ("close and a wrong transfer", raw(
            "POST /transfer HTTP/1.1", "connection: close",
            "content-length: 2", body=b"[]"),
         error(400, "bad_request", TRANSFER, FORM, close=True)),
    ])
    def ends_the_connection(self, ask, want):
        with self.broker.conn("t") as c:
            c.send(ask + get("/list/"))  # what follows is not looked at
            self.assertEqual(c.rest(), want)

    def test_a_parked_transfer_with_close_is_answered_then_closed(self):
        with self.broker.conn("t") as c, self.broker.conn("u") as u:
            c.create("q")
            c.send(raw("POST /transfer HTTP/1.1", "connection: close",
                       "content-length: 29",
                       body=b'{"timeout":30,"queues":["q"]}'))
            self.broker.until_parked(1)
            u.publish("q", "x", "r")
            self.assertEqual(c.rest(), self.ids(
                messages(req("q", "@1", "x"), next="@1")))

    def test_half_a_close_after_requests_still_gets_their_answers(self):
        """A script that pipes requests in closes its side at once."""
        with self.broker.conn() as c:
            c.send(get("/login/t") + get("/list/"))
            c.sock.shutdown(socket.SHUT_WR)
            self.assertEqual(c.rest(), OK + answer("[]"))

    def test_half_a_close_does_not_cut_a_long_answer(self):
        with self.broker.conn("t") as c:
            c.create("q")
            c.publish("q", "x" * (1 << 20), "r")
            c.send(transfer(["q"]))
            c.sock.shutdown(socket.SHUT_WR)
            self.assertEqual(len(c.rest()), len(self.ids(
                messages(req("q", "@1", "x" * (1 << 20)), next="@1"))))

    @tap.table([
        ("garbage", b"garbage\r\n\r\n", "the first line is malformed"),
        ("a space in the path", raw("GET /a b HTTP/1.1"),
         "the protocol version is malformed"),
        ("bare LF", b"GET /list/ HTTP/1.1\n\n",
         "a line does not end with CR LF"),
        ("two lengths", raw("GET / HTTP/1.1", "content-length: 0",
                            "content-length: 0"),
         "there are two Content-Length fields"),
        ("length and chunked", raw(
            "POST /request/q/r HTTP/1.1", "content-length: 3",
            "transfer-encoding: chunked"),
         "Content-Length and Transfer-Encoding together"),
        ("a sign", raw("GET / HTTP/1.1", "content-length: +1"),
         "Content-Length is not a plain number"),
        ("a blank before the colon", raw("GET / HTTP/1.1", "host : x"),
         "the name of a header field is malformed"),
        ("a folded field", raw("GET / HTTP/1.1", "a: b", " c"),
         "a header field is folded"),
        ("NUL", raw("GET / HTTP/1.1", "a: \0"),
         "a header field contains a control character"),
        ("HTTP/2", raw("GET / HTTP/2.0"),
         "only HTTP/1.0 and HTTP/1.1 are spoken here", 505),
        ("gzip", raw("POST / HTTP/1.1", "transfer-encoding: gzip"),
         "the only known transfer encoding is chunked", 501)])
    def ours_refused_and_closed(self, ask, why, status=400):
        with self.broker.conn("t") as c:
            c.send(ask + get("/list/"))
            self.assertEqual(c.rest(), refused(why, status))


def mask(body):
    """Times and ages to N."""
    body = re.sub(rb'("(?:current_time|time|next_transfer_expected|'
                  rb'processing_time)":)-?[0-9.e+]+', rb"\1N", body)
    return body.decode()


class Looking(Wire):
    """Diagnostics and trace, as tools read them."""

    def test_diagnostics_of_nothing(self):
        with self.broker.conn() as c:
            got = c.ask(get("/"))
            self.assertEqual(got.raw, answer(got.body))
            self.assertEqual(mask(got.body),
                             '{"start_time":0,"current_time":N,'
                             '"permanent_queues":{},"transient_queues":{}}')

    def test_diagnostics(self):
        with self.broker.conn("tok") as c:
            c.create("t", transient=True)
            for name in ("b", "a", "polled"):
                c.create(name)
            c.poll(["polled"])
            i, j = c.publish("a", "one", "t"), c.publish("a", "two", "t")
            k = c.respond("t", "a", i, "eno")
            entry = ('[["%s",%d],{"origin":["Name","tok"],"time":N,"message":'
                     '{"payload":"%s","kind":%s}}]')
            want = ('{"start_time":0,"current_time":N,"permanent_queues":{'
                    '"a":{"queue_contents":[' +
                    entry % ("a", j, "two", '["Request","t"]') + "," +
                    entry % ("a", i, "one", '["Request","t"]') + ']},'
                    '"b":{"queue_contents":[]},'
                    '"polled":{"next_transfer_expected":N,'
                    '"queue_contents":[]}},'
                    '"transient_queues":{"t":{"queue_contents":[' +
                    entry % ("t", k, "eno", '["Response",["a",%d]]' % i) +
                    ']}}}')
            got = c.ask(get("/"))
            self.assertEqual(got.raw, answer(got.body))
            self.assertEqual(mask(got.body), want)

    def top(self, c):
        return c.v1("/events?limit=1")[1]["next"]

    def test_trace_of_a_call(self):
        with self.broker.conn("cli") as c, self.broker.conn("srv") as s:
            c.create("t", transient=True)
            c.create("q")
            n = self.top(c)
            i = c.publish("q", "ask", "t")
            s.poll(["q"])
            j = s.respond("t", "q", i, "tell")
            c.poll(["t"])
            s.ack("q", i)
            c.ack("t", j)
            ask = '["Message",["q",%d],{"payload":"ask","kind":' \
                  '["Request","t"]}]' % i
            tell = '["Message",["t",%d],{"payload":"tell","kind":' \
                   '["Response",["q",%d]]}]' % (j, i)
            rows = ['"input":"cli","queue":"q","message":' + ask,
                    '"queue":"q","output":"srv","message":' + ask,
                    '"input":"srv","queue":"t","message":' + tell,
                    '"queue":"t","output":"cli","message":' + tell +
                    ',"processing_time":N',
                    '"input":"srv","queue":"q","message":["Ack",["q",%d]]' % i,
                    '"input":"cli","queue":"t","message":["Ack",["t",%d]]' % j]
            got = c.ask(get("/trace/%d/0" % n))
            self.assertEqual(got.raw, answer(got.body))
            self.assertEqual(
                re.sub(r"\[\d+,{", "[S,{", mask(got.body)),
                '{"events":[%s]}' % ",".join(
                    '[S,{"time":N,%s}]' % r for r in rows))
            seqs = [e[0] for e in got.json()["events"]]
            self.assertEqual(seqs, sorted(set(seqs)))

    def test_trace_times_are_seconds_since_1970(self):
        with self.broker.conn("cli") as c:
            c.create("q")
            before = time.time()
            c.publish("q", "x", "r")
            after = time.time()
            at = c.ok(get("/trace")).json()["events"][-1][1]["time"]
            self.assertLessEqual(before - 0.01, at)
            self.assertLessEqual(at, after + 0.01)

    def test_trace_from_below_the_top_returns_at_once(self):
        with self.broker.conn("cli") as c:
            self.assertEqual(c.ask(get("/trace/-1/30")).status, 200)
            self.assertEqual(c.ask(get("/trace")).status, 200)

    def test_trace_above_the_top_ends_at_its_timeout(self):
        with self.broker.conn("cli") as c:
            self.assertEqual(
                c.ask(get("/trace/%d/0.05" % (self.top(c) + 1000))).raw,
                answer('{"events":[]}'))

    def test_ours_secrets_are_not_shown(self):
        secret = '{"device_config":{"chappassword":"hunter2"}}'
        with self.broker.conn("cli") as c:
            c.create("q")
            c.publish("q", secret, "r")
            for target in ("/", "/trace", "/v1/queues/q/messages?payload=1",
                           "/v1/events"):
                self.assertNotIn(b"hunter2", c.ask(get(target)).body, target)
            self.assertEqual(c.poll(["q"])[0][0][2], secret)

    def test_a_long_payload_is_cut_for_lookers_only(self):
        with self.broker.conn("cli") as c:
            c.create("q")
            c.publish("q", "x" * 100000, "r")
            self.assertLess(len(c.ask(get("/trace")).body), 200 * 1024)
            self.assertLess(len(c.ask(get("/")).body), 4096)
            self.assertEqual(len(c.poll(["q"])[0][0][2]), 100000)


if __name__ == "__main__":
    tap.main()
