# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Requests and replies through the message switch, one after the other.

The switch speaks HTTP on a Unix socket.  A caller logs in with a token of its
own, has a queue for replies that ends with its connection, posts a request to
somebody's queue and polls its own for the reply.  When the connection breaks
while the reply is waited for, the switch is looked for until the time is up:
it keeps requests and replies over a restart.

`xapi.storage.client` is what to use; this is below it.
"""

import binascii
import difflib
import errno
import json
import os
import socket
import time

try:
    from http.client import HTTPConnection, HTTPException
    from urllib.parse import quote
except ImportError:
    from httplib import HTTPConnection, HTTPException
    from urllib import quote

SOCKET = "/var/run/message-switch/sock"
_POLL = 30.0  # seconds that one poll may last
_SLACK = 10.0  # seconds for an answer after the poll's time
_PAUSE = 0.2  # seconds between two looks for a switch that is gone

_BROKEN = (EnvironmentError, HTTPException)


class Error(Exception):
    """What happened between the caller and the plugin."""


class BrokerGone(Error):
    """No switch answers at the socket; `sent` says whether the request was
    on its way, so that its outcome is not known."""

    def __init__(self, path, why, sent=False):
        Error.__init__(self, "no message switch at %s: %s%s" % (
            path, why, "; the request was sent, what became of it is not "
            "known" if sent else ""))
        self.path = path
        self.sent = sent


class Timeout(Error):
    """No reply in time.  The call may still be carried out."""

    def __init__(self, queue, seconds, message=None):
        Error.__init__(self, "no reply from %s within %g s%s" % (
            queue, seconds, "" if message is None else
            " (message %d)" % message))
        self.queue = queue
        self.seconds = seconds
        self.message = message


class NoSuchQueue(Error):
    """Nobody made this queue: the plugin is not served here."""

    def __init__(self, queue, similar=()):
        Error.__init__(self, "there is no queue %s%s" % (
            queue, " (did you mean %s?)" % " or ".join(similar)
            if similar else ""))
        self.queue = queue
        self.similar = list(similar)


class Refused(Error):
    """The switch answered, and it was no."""

    def __init__(self, status, text):
        Error.__init__(self, "the message switch answered %d: %s" % (
            status, text))
        self.status = status
        self.text = text


class _UnixConnection(HTTPConnection):
    """HTTP on a Unix socket."""

    auto_open = 0  # a new connection has to log in first

    def __init__(self, path):
        HTTPConnection.__init__(self, "localhost")
        self.path = path
        self.limit = _SLACK

    def connect(self):
        """To the socket, within the limit."""
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            s.settimeout(self.limit)
            s.connect(self.path)
        except Exception:
            s.close()
            raise
        self.sock = s

    def wait_for(self, seconds):
        """How long an answer may take from now on."""
        self.limit = seconds
        if self.sock is not None:
            self.sock.settimeout(seconds)


def _segment(name):
    """A queue's name in a path."""
    if not isinstance(name, str):
        name = name.encode("utf-8")
    return quote(name, safe="-._~!$&'()*+,;=:@")


def _now():
    return getattr(time, "monotonic", time.time)()


class _Deadline(object):
    """A point in time, or never when seconds is None."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.end = None if seconds is None else _now() + seconds

    def left(self):
        """Seconds, never less than 0; None for ever."""
        return None if self.end is None else max(0.0, self.end - _now())

    def over(self):
        return self.left() == 0.0

    def at_most(self, seconds):
        """The time left, but not more than this."""
        left = self.left()
        return seconds if left is None else min(left, seconds)


class Switch(object):
    """One caller's place at the switch.  Not for several threads at once."""

    def __init__(self, path=None):
        self.path = path or os.environ.get("XMSG_SOCKET") or SOCKET
        self._connection = None
        self._token = None
        self._process = None

    def close(self):
        """Leave.  The queue for replies goes with the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method, path, body=None, limit=_SLACK):
        """One exchange; the answer's text."""
        connection = self._connection
        if connection is None:
            raise HTTPException("not connected")
        connection.wait_for(limit)
        headers = {"Content-Length": "0"} if body is None else {}
        try:
            connection.request(method, path, body, headers)
        except EnvironmentError as e:
            if e.errno != errno.EPIPE:
                raise
            # It has seen enough: the answer is there already.
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        if answer.status != 200:
            raise Refused(answer.status, " ".join(text.split()))
        return text

    def _enter(self):
        """Connect, log in, have a queue for replies."""
        self.close()
        if self._process != os.getpid():
            self._process = os.getpid()
            self._token = "xapi-client:%d:%s" % (
                self._process, binascii.hexlify(os.urandom(6)).decode())
        self._connection = _UnixConnection(self.path)
        try:
            self._connection.connect()
            self._ask("GET", "/login/" + self._token)
            self._ask("GET", "/transient/" + self._token)
        except Exception:
            self.close()
            raise

    def _ready(self):
        """A connection that works, as far as one can tell."""
        if self._connection is not None and self._process == os.getpid():
            try:
                self._ask("GET", "/login/" + self._token)
                return
            except _BROKEN:
                pass
        try:
            self._enter()
        except _BROKEN as e:
            raise BrokerGone(self.path, e)

    def queues(self, prefix=""):
        """The names of all queues."""
        self._ready()
        return json.loads(self._ask("GET", "/list/" + _segment(prefix)))

    def _post(self, queue, payload):
        """Send; the request's id as the switch writes it."""
        try:
            answer = json.loads(self._ask(
                "POST", "/request/%s/%s" % (_segment(queue), self._token),
                payload.encode("utf-8")))
        except _BROKEN as e:
            self.close()
            raise BrokerGone(self.path, e, sent=True)
        if not answer:
            raise NoSuchQueue(queue, difflib.get_close_matches(
                queue, self.queues(""), 3, 0.75))
        return answer[0]

    def _poll(self, seconds):
        """Messages in the own queue, each taken out of it: pairs of the id
        of the request it replies to (None for others) and payload."""
        answer = json.loads(self._ask(
            "POST", "/transfer", json.dumps(
                {"timeout": float(seconds), "queues": [self._token]}),
            seconds + _SLACK))
        found = []
        for (queue, number), message in answer["messages"]:
            kind = message["kind"]
            found.append((kind[1] if kind[0] == "Response" else None,
                          message["payload"]))
            self._ask("GET", "/ack/%s/%d" % (_segment(queue), number))
        return found

    def _again(self, deadline, why):
        """The connection broke: come back as soon as somebody is there."""
        while True:
            self.close()
            if deadline.over():
                raise BrokerGone(self.path, why, sent=True)
            time.sleep(deadline.at_most(_PAUSE))
            try:
                return self._enter()
            except _BROKEN as e:
                why = e

    def _reply(self, queue, number, deadline):
        """The payload of the reply to a request."""
        while True:
            try:
                for request, payload in self._poll(deadline.at_most(_POLL)):
                    if request is not None and list(request) == number:
                        return payload
            except _BROKEN as e:
                self._again(deadline, e)
                continue
            if deadline.over():
                self.close()
                raise Timeout(queue, deadline.seconds, number[1])

    def rpc(self, queue, payload, seconds=None):
        """Send a request, wait for its reply; seconds None: for ever."""
        deadline = _Deadline(seconds)
        self._ready()
        return self._reply(queue, self._post(queue, payload), deadline)
