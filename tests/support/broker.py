# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The real broker on a fresh folder, and sockets on which every byte counts.

Nothing here sleeps in place of a condition: `until` polls one, and readiness is
an answer to a request.  The state folder lies in memory where there is such a
file system, because a kill does not lose what was written; tests that need a
disk say so.
"""
import json
import os
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE = 20.0  # seconds after which a condition counts as never true


def program(name="xmsgd"):
    """The path of a program that was built, or the end with a clear line."""
    build = os.environ.get("XMSG_BUILDDIR")
    if not build:
        here = os.path.dirname(os.path.abspath(__file__))
        build = os.path.join(here, "..", "..", "build")
    path = os.path.join(build, name)
    if not os.access(path, os.X_OK):
        print("Bail out! %s is not built: run make first, or set "
              "XMSG_BUILDDIR" % path)
        sys.exit(99)
    return os.path.abspath(path)


def until(condition, what, patience=PATIENCE, pause=0.001):
    """Poll until condition() is true; its value."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("never happened in %g s: %s" % (patience,
                                                                 what))
        time.sleep(pause)


def request(method, target, body=None, headers=(), version="HTTP/1.1"):
    """A request as stock clients send it."""
    if isinstance(target, str):
        target = target.encode()
    if isinstance(body, str):
        body = body.encode()
    head = b"%s %s %s\r\n" % (method.encode(), target, version.encode())
    fields = [("connection", "keep-alive"),
              ("content-length", str(len(body or b""))),
              ("host", "localhost"), ("user-agent", "cohttp")]
    names = set(name for name, _ in headers)
    fields = [f for f in fields if f[0] not in names] + list(headers)
    for name, value in fields:
        if value is not None:
            head += b"%s: %s\r\n" % (name.encode(), value.encode())
    return head + b"\r\n" + (body or b"")


def get(target, **kw):
    return request("GET", target, **kw)


def post(target, body="", **kw):
    return request("POST", target, body, **kw)


def transfer_body(queues, timeout=0.0, frm=None):
    body = {} if frm is None else {"from": str(frm)}
    body["timeout"] = float(timeout)
    body["queues"] = queues
    return json.dumps(body, separators=(",", ":"))


PHRASES = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
           405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict",
           413: "Content Too Large", 414: "URI Too Long",
           429: "Too Many Requests", 431: "Request Header Fields Too Large",
           501: "Not Implemented", 503: "Service Unavailable",
           505: "HTTP Version Not Supported", 507: "Insufficient Storage"}


def answer(body=b"", status=200):
    """A whole answer of the stock protocol, byte for byte."""
    if isinstance(body, str):
        body = body.encode()
    return b"HTTP/1.1 %d %s\r\ncontent-length: %d\r\n\r\n%s" % (
        status, PHRASES[status].encode(), len(body), body)


class Reply:
    def __init__(self, raw, status, head, body):
        self.raw, self.status, self.head, self.body = raw, status, head, body

    def json(self):
        return json.loads(self.body.decode("utf-8", "surrogateescape"))

    def fields(self):
        lines = self.head.split(b"\r\n")[1:]
        return [tuple(line.split(b": ", 1)) for line in lines if line]

    def __repr__(self):
        return "Reply(%r)" % self.raw[:400]


class Closed(Exception):
    """The broker ended the connection before the answer was whole."""


class Refused(AssertionError):
    """The answer was another than was hoped for."""

    def __init__(self, asked, reply):
        super().__init__("%r -> %r" % (asked, reply.raw[:400]))
        self.reply = reply

    def sure(self):
        """Does it say that nothing was done?"""
        return (self.reply.body != b"" and
                self.reply.json()["error"]["code"] != "unknown")


class Ended(AssertionError):
    """The broker ended before it was ready."""


class Conn:
    """One connection; strict about what comes back."""

    def __init__(self, path, patience=PATIENCE, token=None):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # a full backlog is waited for, as a blocking client does
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                             struct.pack("ll", int(patience), 0))
        self.sock.connect(path)
        self.sock.settimeout(patience)
        self.left = b""
        if token is not None:
            self.login(token)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def fileno(self):
        return self.sock.fileno()

    def send(self, *pieces):
        """Each piece in a write of its own."""
        for p in pieces:
            self.sock.sendall(p)

    def _more(self, least=1):
        """At least so many bytes more."""
        pieces = [self.left]
        while least > 0:
            try:
                got = self.sock.recv(1 << 18)
            except ConnectionResetError:
                got = b""
            if not got:
                raise Closed("closed after %r" % pieces[0][:400])
            pieces.append(got)
            least -= len(got)
        self.left = b"".join(pieces)

    def reply(self):
        """The next answer: exactly its bytes."""
        while b"\r\n\r\n" not in self.left:
            self._more()
        head, _, rest = self.left.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        status = int(lines[0].split(b" ", 2)[1])
        lengths = [l for l in lines if l.startswith(b"content-length: ")]
        if len(lengths) != 1:
            raise AssertionError("no one content-length in %r" % head)
        n = int(lengths[0][16:])
        self._more(len(head) + 4 + n - len(self.left))
        raw = self.left[:len(head) + 4 + n]
        self.left = self.left[len(raw):]
        return Reply(raw, status, head, raw[len(head) + 4:])

    def nothing(self, seconds):
        """Nothing comes for that long (for what is parked)."""
        if self.left:
            raise AssertionError("unread: %r" % self.left[:400])
        self.sock.settimeout(seconds)
        try:
            got = self.sock.recv(65536)
            raise AssertionError("came: %r" % got[:400])
        except (socket.timeout, BlockingIOError):
            pass
        finally:
            self.sock.settimeout(PATIENCE)

    def rest(self):
        """All bytes up to the end of the connection."""
        out, self.left = self.left, b""
        while True:
            try:
                got = self.sock.recv(1 << 18)
            except ConnectionResetError:
                return out
            if not got:
                return out
            out += got

    def ask(self, raw):
        self.send(raw)
        return self.reply()

    # the stock protocol; each raises when the answer is not a 200
    def ok(self, raw):
        self.send(raw)
        return self.checked(raw[:200])

    def checked(self, asked="reply"):
        """The next answer, a 200."""
        r = self.reply()
        if r.status != 200:
            raise Refused(asked, r)
        return r

    def login(self, token):
        self.ok(get("/login/" + token))

    def create(self, name, transient=False):
        self.ok(get(("/transient/" if transient else "/persistent/") + name))

    def destroy(self, name):
        self.ok(get("/destroy/" + name))

    def publish(self, queue, payload="", reply_to="nobody", headers=()):
        """The id, or None when there is no such queue."""
        got = self.ok(post("/request/%s/%s" % (queue, reply_to), payload,
                           headers=headers)).json()
        return got[0][1] if got else None

    def respond(self, reply_queue, from_queue, from_id, payload=""):
        got = self.ok(post("/response/%s/%s/%d" % (reply_queue, from_queue,
                                                   from_id), payload)).json()
        return got[0][1] if got else None

    def ack(self, queue, ident):
        self.ok(get("/ack/%s/%d" % (queue, ident)))

    def poll(self, queues, timeout=0.0, frm=None):
        """(messages, next): messages as (queue, id, payload, kind)."""
        self.send(post("/transfer", transfer_body(queues, timeout, frm)))
        return self.polled()

    def polled(self):
        got = self.checked("transfer").json()
        return ([(m[0][0], m[0][1], m[1]["payload"], m[1]["kind"])
                 for m in got["messages"]], int(got["next"]))

    def list(self, prefix=""):
        return self.ok(get("/list/" + prefix)).json()

    def v1(self, target, method="GET", body=None):
        """(status, JSON) of a /v1 route."""
        r = self.ask(request(method, "/v1" + target, body))
        return r.status, r.json()


def memory_folder():
    """Where files need no disk, when there is such a place."""
    for path in (os.environ.get("XMSG_TEST_STATE"), "/dev/shm"):
        if path and os.access(path, os.W_OK | os.X_OK):
            return path
    return None


class Broker:
    """xmsgd on folders of its own."""

    def __init__(self, *options, disk=False, start=True, env=None,
                 preexec=None, wrapper=()):
        self.options = list(options)
        self.env = dict(os.environ)
        for name in ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID",
                     "JOURNAL_STREAM"):
            self.env.pop(name, None)
        self.env.update(env or {})
        self.preexec = preexec
        self.wrapper = list(wrapper)
        self.folder = tempfile.mkdtemp(prefix="xmsg-")
        self.extra = None if disk else memory_folder()
        if self.extra:
            self.extra = tempfile.mkdtemp(prefix="xmsg-", dir=self.extra)
        self.state = os.path.join(self.extra or self.folder, "state")
        self.socket = os.path.join(self.folder, "sock")
        self.log = os.path.join(self.folder, "log")
        self.process = None
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def command(self, env=None):
        """What is preloaded makes system calls that the broker gives up, and
        a hardened broker's /proc is closed to all but root."""
        soft = "LD_PRELOAD" in (env or self.env) or os.geteuid() != 0
        return (self.wrapper + [program(), "--socket", self.socket, "--state",
                                self.state] +
                (["--set", "server.harden=no"] if soft else []) + self.options)

    def spawn(self, **kw):
        """Start the process; ready or not."""
        env = dict(self.env)
        env.update(kw.pop("env", {}))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(env), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=env, preexec_fn=self.preexec, **kw)
        return self.process

    def start(self, **kw):
        """Start and wait for the first answer; seconds it took."""
        began = time.monotonic()
        self.spawn(**kw)
        self.ready()
        return time.monotonic() - began

    def ready(self):
        """Wait until it answers."""
        def answers():
            if self.process.poll() is not None:
                raise Ended("the broker ended with status %d: %s" % (
                    self.process.returncode, self.read_log()))
            try:
                with Conn(self.socket, patience=PATIENCE) as c:
                    return c.ask(get("/v1/status")).status == 200
            except (FileNotFoundError, ConnectionError, PermissionError,
                    Closed):  # bound, but not opened up yet
                return False
        until(answers, "the broker answers")

    def read_log(self):
        try:
            with open(self.log, "rb") as f:
                return f.read().decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            return ""

    def rows(self):
        """All messages as they stand in the database, less what says where."""
        db = sqlite3.connect("file:%s/switch.db?mode=ro" % self.state,
                             uri=True)
        with db:
            got = db.execute("SELECT id, at_ns, held, re_id, origin, reply_to,"
                             " re_queue, key, pid, uid, comm, payload FROM"
                             " message ORDER BY id").fetchall()
        db.close()
        return got

    def conn(self, token=None, **kw):
        return Conn(self.socket, token=token, **kw)

    def status(self):
        with self.conn() as c:
            return c.v1("/status")[1]

    def counters(self):
        return self.status()["counters"]

    def clients(self):
        """The others: without the one that asks."""
        with self.conn() as c:
            return [x for x in c.v1("/clients")[1]["clients"]
                    if x["pid"] != os.getpid() or x["token"] is not None]

    def queue(self, name):
        with self.conn() as c:
            status, got = c.v1("/queues/" + name)
        return got if status == 200 else None

    def until_parked(self, n):
        until(lambda: self.status()["parked"] == n, "%d parked" % n)

    def signal(self, sig):
        self.process.send_signal(sig)

    def wait(self, patience=PATIENCE):
        return self.process.wait(patience)

    def stop(self):
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def restart(self, how="stop", **kw):
        """Stop it in some way, start it again."""
        if how == "kill":
            self.kill()
        else:
            status = self.stop()
            if status != 0:
                raise AssertionError("exit status %d: %s" % (status,
                                                             self.read_log()))
        return self.start(**kw)

    def fds(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status_kib(self, name):
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                if line.startswith(name + ":"):
                    return int(line.split()[1])
        return 0

    def rss_kib(self):
        return self._status_kib("VmRSS")

    def vsize_kib(self):
        return self._status_kib("VmSize")

    def remove(self):
        """End it and delete what it left."""
        said = ""
        if self.process is not None:
            end_gently(self.process)
            said = sanitizer_report(self.read_log())
        for path in (self.folder, self.extra):
            if path:
                shutil.rmtree(path, ignore_errors=True)
        if said:
            raise AssertionError(said)


def end_gently(process, patience=10):
    """SIGTERM, so that what counts leaks and coverage at the end of a process
    can do so; SIGKILL when that does not help."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def sanitizer_report(log):
    """From the first line of a sanitizer in a log on; "" when there is none."""
    for mark in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                 "runtime error:", "WARNING: ThreadSanitizer"):
        if mark in log:
            return log[log.index(mark):][:4000]
    return ""


def run(*options, env=None, name=None, patience=PATIENCE, **kw):
    """Run the broker to its end: (status, stdout, stderr)."""
    done = subprocess.run([name or program()] + list(options),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=patience, env=env,
                          **kw)
    return (done.returncode, done.stdout.decode(), done.stderr.decode())


def sanitizers():
    """The libraries of sanitizers that the broker is linked with."""
    linked = subprocess.run(["ldd", program()], stdout=subprocess.PIPE,
                            check=True).stdout.decode()
    return [line.split("=>")[1].split()[0] for line in linked.splitlines()
            if "libasan" in line or "libtsan" in line]


def memory(kib):
    """A bound for resident memory; sanitizers take a multiple, and keep what
    was freed: 256 MiB of it."""
    return 5 * kib + (256 << 10) if sanitizers() else kib


def preload(name):
    """The environment for one of the libraries of tests/support."""
    build = os.path.dirname(program())
    path = os.path.join(build, "tests", "support", ".libs", name + ".so")
    if not os.path.exists(path):
        print("Bail out! %s is not built: run make check" % path)
        sys.exit(99)
    # a sanitizer's library wants to be the first
    return {"LD_PRELOAD": ":".join(sanitizers() + [path])}


def killat():
    """The library that kills or slows the broker at its system calls."""
    return preload("killat")
