# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Plays the adapter behind some queues of a real broker.

`org.xen.xapi.storage.filebased` runs the scripts of the example plugin and
answers as the adapter does.  `echo` answers with the text of the parameter
`sr`, so that a test says what the reply is.  `stray` sends other messages in
front of its reply.  `silent` never answers by itself: `answer` does.
"""

import json
import os
import subprocess
import sys
import threading

import broker as b

PLUGIN = "org.xen.xapi.storage.filebased"
QUEUES = [PLUGIN, "echo", "stray"]
SILENT = "silent"
FOLDER = os.path.join(os.environ["XMSG_SRCDIR"], "examples/volume/filebased")


def run_script(method, params):
    """One script: exit status and output."""
    known = dict((name.lower(), name) for name in os.listdir(FOLDER))
    script = known.get(method.lower())
    if script is None:
        return None, ""
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
               XMSG_PYTHON=os.path.join(os.environ["XMSG_BUILDDIR"],
                                        "python"))
    process = subprocess.Popen(
        [sys.executable, os.path.join(FOLDER, script), "--json"], env=env,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out = process.communicate(json.dumps(params).encode())[0]
    return process.returncode, out.decode()


def plugin_reply(payload):
    """What the adapter answers to a request."""
    request = json.loads(payload)
    assert request["method"].startswith("smapiv3."), request
    method = request["method"][len("smapiv3."):]
    assert len(request["params"]) == 1 and "dbg" in request["params"][0]
    status, out = run_script(method, request["params"][0])
    error = result = None
    if status is None:
        error = ["Unimplemented", method]
    elif status == 0:
        result = json.loads(out)
    else:
        said = json.loads(out)
        error = ["Backend_error_with_backtrace", [
            said["code"], [json.dumps(said["backtrace"])] + said["params"]]]
    return json.dumps({"result": result, "error": error, "id": 0})


class Adapter(object):
    """A thread that serves until the end of the test."""

    def __init__(self, broker):
        self.broker = broker
        self.seen = []
        with broker.conn(token="adapter-setup") as c:
            for queue in QUEUES + [SILENT]:
                c.create(queue)
        self._stop = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self):
        """End after the poll that is under way."""
        self._stop = True
        self._thread.join()

    def _serve(self):
        with self.broker.conn(token="adapter") as c:
            last = None
            while not self._stop:
                found, last = c.poll(QUEUES, timeout=0.1, frm=last)
                for queue, number, payload, kind in found:
                    self._one(c, queue, number, payload, kind)

    def _one(self, c, queue, number, payload, kind):
        self.seen.append((queue, payload))
        if queue == PLUGIN:
            reply = plugin_reply(payload)
        else:
            reply = json.loads(payload)["params"][0]["sr"]
        if queue == "stray":
            c.publish(kind[1], "a request, not a reply")
            c.respond(kind[1], "other", number + 200000, "another's")
            c.respond(kind[1], queue, number + 100000, "a late reply")
        c.respond(kind[1], queue, number, reply)
        c.ack(queue, number)


def answer(broker, value):
    """Reply to the one request that waits in `silent`."""
    with broker.conn(token="answer") as c:
        (queue, number, _, kind), = c.poll([SILENT], timeout=b.PATIENCE)[0]
        c.respond(kind[1], queue, number, json.dumps(
            {"result": value, "error": None, "id": 0}))
        c.ack(queue, number)
