# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""`xmsg web` on a broker of its own, and requests in which every byte counts."""

import os
import socket
import subprocess
import sys

SRC = os.environ.get("XMSG_SRCDIR") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(SRC, "tests", "support"))
from broker import PATIENCE, program  # noqa: E402


class Answer(object):
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            if name in self.fields:
                raise AssertionError("twice: " + line)
            self.fields[name] = value
        if len(self.body) != int(self.fields["content-length"]):
            raise AssertionError("cut: %r" % raw[:200])


class Web(object):
    """The server; `url` is what it printed."""

    def __init__(self, path, *options):
        self.process = subprocess.Popen(
            [program("xmsg"), "--socket", path, "web"] + list(options),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.url = self.process.stdout.readline().decode().strip()
        if not self.url.startswith("http://127.0.0.1:"):
            raise AssertionError("printed %r: %r" % (
                self.url, self.process.stderr.read()))
        self.port = int(self.url.split(":")[2].split("/")[0])
        self.token = self.url.split("=")[1]
        self.cookie = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def raw(self, data):
        """All bytes that come back until the server closes."""
        with self.connect() as s:
            s.sendall(data)
            out = b""
            while True:
                try:
                    got = s.recv(1 << 16)
                except ConnectionResetError:
                    return out
                if not got:
                    return out
                out += got

    def ask(self, target, method="GET", cookie=True, host=None, fields=(),
            body=""):
        head = ["%s %s HTTP/1.1" % (method, target),
                "Host: " + (host or "127.0.0.1:%d" % self.port),
                "Connection: close"]
        if cookie and self.cookie:
            head.append("Cookie: other=1; " + self.cookie)
        if body:
            head.append("Content-Length: %d" % len(body))
        head += fields
        return Answer(self.raw(
            ("\r\n".join(head) + "\r\n\r\n" + body).encode("latin-1")))

    def login(self):
        """Use the token as a browser does."""
        got = self.ask("/?token=" + self.token)
        if got.status == 303:
            self.cookie = got.fields["set-cookie"].split(";")[0]
        return got
