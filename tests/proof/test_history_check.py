#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The checker of histories finds each kind of mistake, and none where there is
none: histories made up by hand, one mistake each."""
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
import tap  # noqa: E402
from history import Ack, Poll, Reply, Send, check  # noqa: E402


def poll(begin, end, queue, above, *messages, whole=True):
    return Poll(begin, end, queue, above, list(messages), whole)


# a and b are sent, received, answered and acknowledged; c stays
GOOD = [
    Send(0, 1, "q", "a", 10),
    Send(2, 3, "q", "b", 11),
    poll(4, 5, "q", -1, (10, "a", 0), (11, "b", 0)),
    Reply(6, 7, "r", "A", 10, 12),
    poll(8, 9, "r", -1, (12, "A", 10)),
    Ack(10, 11, "r", 12),
    Ack(12, 13, "q", 10),
    Send(14, 15, "q", "c", 13),
    Ack(16, 17, "q", 11),
    poll(18, 19, "q", 11, (13, "c", 0)),
    poll(20, 21, "r", -1),
    poll(22, 23, "q", -1, (13, "c", 0)),
]


def without(*gone):
    return [e for i, e in enumerate(GOOD) if i not in gone]


# name, history, the kind of anomaly that is found first, or None
CASES = [
    ("nothing", [], None),
    ("in order", GOOD, None),
    ("at the same time, ids either way",
     [Send(0, 5, "q", "a", 2), Send(1, 4, "q", "b", 1)], None),
    ("no answer, and done", without(0) + [Send(0, None, "q", "a", None)],
     None),
    ("no answer, and not done", GOOD + [Send(0, None, "q", "x", None)], None),
    ("an ack without an answer, done or not",
     GOOD + [Ack(24, None, "q", 13), poll(30, 31, "q", -1),
             poll(32, 33, "q", -1, (13, "c", 0))], None),
    ("a poll while it is acknowledged",
     GOOD + [Ack(30, 40, "q", 13), poll(31, 32, "q", -1, (13, "c", 0)),
             poll(33, 34, "q", -1)], None),
    ("sent while it is polled",
     GOOD + [Send(30, 40, "q", "d", 14), poll(31, 39, "q", 13)], None),
    ("a page of a longer list",
     GOOD + [Send(30, 31, "q", "d", 14),
             poll(32, 33, "q", -1, (13, "c", 0), whole=False)], None),
    ("answered again, the same reply",
     GOOD + [Reply(24, 25, "r", "A2", 10, 12)], None),
    ("answered again after no answer, the first came",
     [Send(0, 1, "q", "a", 10), Reply(2, None, "r", "A", 10, None),
      Send(3, 4, "q", "b", 12), Reply(5, 6, "r", "A2", 10, 11),
      poll(7, 8, "r", -1, (11, "A", 10))], None),
    ("answered, and removed by a restart",
     [Send(0, 1, "q", "a", 10), Reply(2, 3, "r", "A", 10, 11),
      poll(4, 5, "q", -1), poll(6, 7, "r", -1, (11, "A", 10))], None),

    ("never sent", GOOD + [poll(24, 25, "s", -1, (99, "x", 0))], "thin air"),
    ("another text",
     without(0) + [Send(0, None, "q", "aa", None)], "thin air"),
    ("received before it was sent",
     [poll(0, 1, "q", -1, (1, "a", 0)), Send(2, 3, "q", "a", 1)], "thin air"),
    ("in another queue", GOOD + [poll(24, 25, "s", -1, (13, "c", 0))],
     "id twice"),
    ("a reply that nobody gave",
     GOOD + [poll(24, 25, "r", 12, (14, "B", 11))], "thin air"),
    ("an id for two", GOOD + [Send(24, 25, "q", "d", 13)], "id twice"),
    ("an id for two, by what came",
     GOOD + [Send(24, None, "q", "d", None),
             poll(26, 27, "q", 12, (13, "d", 0))], "id twice"),
    ("an id that is another's when it comes",
     GOOD + [Send(24, 25, "q", "d", 14),
             poll(26, 27, "q", 13, (15, "d", 0))], "id twice"),
    ("a smaller id", GOOD + [Send(24, 25, "q", "d", 9)], "id shrinks"),
    ("a smaller id after an unanswered one",
     GOOD + [Send(24, None, "q", "d", None), poll(25, 26, "q", 13,
                                                  (20, "d", 0)),
             Send(27, 28, "q", "e", 19)], "id shrinks"),
    ("an id used again",
     GOOD + [Send(24, 25, "q", "d", 11)], "id twice"),
    ("newest first",
     without(2) + [poll(4, 5, "q", -1, (11, "b", 0), (10, "a", 0))], "order"),
    ("below the cursor",
     without(9) + [poll(18, 19, "q", 13, (13, "c", 0))], "order"),
    ("lost at once", GOOD + [Send(24, 25, "q", "d", 14),
                             poll(26, 27, "q", 13)], "lost"),
    ("lost later", GOOD + [poll(24, 25, "q", -1)], "lost"),
    ("lost after it was seen, the answer to its sender too",
     without(7) + [Send(14, None, "q", "c", None), poll(24, 25, "q", -1)],
     "lost"),
    ("passed over", without(2) + [poll(4, 5, "q", -1, (11, "b", 0))], "lost"),
    ("passed over in a page",
     without(2) + [poll(4, 5, "q", -1, (11, "b", 0), whole=False)], "lost"),
    ("a reply lost", without(4, 5), "lost"),
    ("back after its ack", GOOD + [poll(24, 25, "q", -1, (10, "a", 0),
                                        (13, "c", 0))], "back"),
    ("a reply back", GOOD + [poll(24, 25, "r", -1, (12, "A", 10))], "back"),
    ("two replies", GOOD + [Reply(24, 25, "r", "B", 10, 14)], "two replies"),
    ("two replies, by what came",
     GOOD + [Reply(24, None, "r", "B", 10, None),
             poll(26, 27, "r", -1, (14, "B", 10))], "two replies"),
]


class Checker(tap.Case):
    @tap.table(CASES)
    def judges(self, events, kind):
        found = check(events)
        self.assertEqual(found[0][0] if found else None, kind, found)


if __name__ == "__main__":
    tap.main()
