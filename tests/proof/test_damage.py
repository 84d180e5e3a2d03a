#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""A message that the disk has changed is held, listed and told of, but never
delivered (promise R24): the real broker over a damaged database."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker  # noqa: E402

WORD = b"NEEDLE"


class Damage(tap.Case):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.remove)
        self.c = self.broker.conn("caller")
        self.c.create("svc")
        self.ids = [self.c.publish("svc", "%s %d" % (what, i), "caller")
                    for i, what in enumerate(("a", WORD.decode(), "c"))]

    def logged(self):
        return self.broker.read_log()

    def change(self, old, new):
        """Stop, change bytes of the database, start."""
        self.c.close()
        self.broker.stop()
        path = os.path.join(self.broker.state, "switch.db")
        with open(path, "rb") as f:
            data = f.read()
        self.assertEqual(data.count(old), 1)
        with open(path, "wb") as f:
            f.write(data.replace(old, new))
        self.broker.start()
        self.c = self.broker.conn("svc")

    def polled(self):
        return [m[2] for m in self.c.poll(["svc"], frm=-1)[0]]

    def test_it_is_held_and_told_of(self):
        self.change(WORD, b"NEEDLF")
        self.assertEqual(self.c.v1("/health")[1]["code"], 0)
        for _ in range(2):
            self.assertEqual(self.polled(), ["a 0", "c 2"])
        got = self.c.v1("/queues/svc/messages")[1]["messages"]
        self.assertEqual([m["id"] for m in got], self.ids)
        self.assertEqual([m["state"] for m in got],
                         ["delivered", "held", "delivered"])
        self.assertEqual(got[1]["reason"], "damaged")
        self.assertEqual(got[1]["size"], len(WORD) + 2)
        status, health = self.c.v1("/health")
        self.assertEqual((status, health["code"]), (503, 2))
        self.assertIn("found damaged on the disk, and held: 1;", health["text"])
        held = [e for e in self.c.v1("/events?limit=100")[1]["events"]
                if e["type"] == "hold"]
        self.assertEqual([e["id"] for e in held], [self.ids[1]])
        self.assertIn("damaged", held[0]["text"])
        self.assertIn("is damaged on the disk", self.broker.read_log())

    def test_a_look_at_it_shows_nothing_garbled(self):
        self.change(WORD, b"NEEDLF")
        got = self.c.v1("/queues/svc/messages?payload=1")[1]["messages"]
        self.assertEqual([m["payload"] for m in got], ["a 0", "", "c 2"])
        self.assertEqual(self.polled(), ["a 0", "c 2"])

    def test_released_it_is_held_again(self):
        self.change(WORD, b"NEEDLF")
        self.polled()
        status, _ = self.c.v1("/queues/svc/messages/%d/release" % self.ids[1],
                              "POST")
        self.assertEqual(status, 200)
        self.assertEqual(self.polled(), ["a 0", "c 2"])
        got = self.c.v1("/queues/svc/messages")[1]["messages"]
        self.assertEqual(got[1]["reason"], "damaged")

    def test_it_can_be_acknowledged(self):
        self.change(WORD, b"NEEDLF")
        self.polled()
        self.c.ack("svc", self.ids[1])
        got = self.c.v1("/queues/svc/messages")[1]["messages"]
        self.assertEqual([m["id"] for m in got], self.ids[::2])


tap.main()
