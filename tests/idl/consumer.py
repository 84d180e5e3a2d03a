# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Consumers that answer what a test wants to hear.

`echo` answers with the text of the parameter `sr`, so that a test says what
the reply is.  `stray` sends other messages in front of its reply.  `silent`
never answers by itself: `answer` does.
"""

import json
import threading

import broker as b

QUEUES = ["echo", "stray"]
SILENT = "silent"


class Consumer(object):
    """A thread that serves until the end of the test."""

    def __init__(self, broker):
        self.broker = broker
        self.seen = []
        with broker.conn(token="consumer-setup") as c:
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
        with self.broker.conn(token="consumer") as c:
            last = None
            while not self._stop:
                found, last = c.poll(QUEUES, timeout=0.1, frm=last)
                for queue, number, payload, kind in found:
                    self._one(c, queue, number, payload, kind)

    def _one(self, c, queue, number, payload, kind):
        self.seen.append(payload)
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
