# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Random values of every type through Python and C: equal, and refused alike.

Python makes a value, writes it, C reads and writes it, Python reads it back.
Other forms that plugins use (null for an absent member, ["Tag"], further
members) must become the same declared form on both sides, and a value that
was damaged must be refused by both or by none.
"""

import json
import os
import random
import subprocess
import sys
import unittest

BUILD = os.environ["XMSG_BUILDDIR"]
SOURCE = os.environ["XMSG_SRCDIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests/support"))
sys.path.insert(0, os.path.join(BUILD, "python"))
sys.dont_write_bytecode = True

import tap  # noqa: E402
import xapi  # noqa: E402
from xapi.storage.api import runtime  # noqa: E402
from xapi.storage.api.v5 import _types  # noqa: E402

COUNT = 10000
SEED = int(os.environ.get("XMSG_SEED", "20260705"))
TYPES = sorted(
    (name, value) for name, value in vars(_types).items()
    if isinstance(value, (runtime.Record, runtime.Variant)))
TEXTS = ["", "x", "Data", "\u20ac", "\U0001f600", "a\nb", '"\\', "\x7f",
         "long " * 50, "tab\t"]


class Maker(object):
    """Makes values of types."""

    def __init__(self, rng):
        self.rng = rng

    def value(self, kind):
        rng = self.rng
        if kind is runtime.STRING:
            return rng.choice(TEXTS)
        if kind in (runtime.INT, runtime.INT64):
            return rng.choice([0, 1, -1, 2 ** 31, -2 ** 63, 2 ** 63 - 1,
                               rng.getrandbits(62)])
        if kind is runtime.FLOAT:
            return rng.choice([0.5, -1.25, 1e300, 5e-324, rng.random(), 3])
        if kind is runtime.BOOL:
            return rng.random() < 0.5
        return getattr(self, type(kind).__name__)(kind)

    def List(self, kind):
        return [self.value(kind.element)
                for _ in range(self.rng.randrange(4))]

    def Map(self, kind):
        return dict((self.rng.choice(TEXTS), self.value(kind.element))
                    for _ in range(self.rng.randrange(4)))

    def Pair(self, kind):
        return [self.value(part) for part in kind.elements]

    def Record(self, kind):
        return dict((field.name, self.value(field.type))
                    for field in kind.fields
                    if not field.optional or self.rng.random() < 0.7)

    def Variant(self, kind):
        tag = self.rng.choice(kind.order)
        if kind.tags[tag] is None:
            return tag
        return [tag, self.value(kind.tags[tag])]


class Loose(Maker):
    """Makes the forms that plugins use, too."""

    def Record(self, kind):
        value = Maker.Record(self, kind)
        for field in kind.fields:
            if field.optional and self.rng.random() < 0.3:
                value[field.name] = None
        if self.rng.random() < 0.3:
            value["overprovision"] = 5
        return value

    def Variant(self, kind):
        value = Maker.Variant(self, kind)
        if isinstance(value, str):
            return self.rng.choice([value, [value], [value, None]])
        return value


class Echo(object):
    """The C program."""

    def __init__(self):
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "tests/idl/echo")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)

    def __call__(self, name, value):
        line = "%s %s\n" % (name, json.dumps(value))
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        return self.process.stdout.readline().decode()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait()


def places(value, at=()):
    """Every place inside a value."""
    yield at
    if isinstance(value, dict):
        for key in value:
            for place in places(value[key], at + (key,)):
                yield place
    if isinstance(value, list):
        for i, part in enumerate(value):
            for place in places(part, at + (i,)):
                yield place


def replace(value, place, new):
    """The value with something else in one place."""
    if not place:
        return new
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[place[0]] = replace(value[place[0]], place[1:], new)
    return copy


def without_others(kind, value):
    """What Python lets through and C drops: members that are not declared."""
    if isinstance(kind, runtime.Record):
        return dict((f.name, without_others(f.type, value[f.name]))
                    for f in kind.fields if f.name in value)
    if isinstance(kind, (runtime.List, runtime.Map)):
        if isinstance(value, dict):
            return dict((k, without_others(kind.element, v))
                        for k, v in value.items())
        return [without_others(kind.element, v) for v in value]
    if isinstance(kind, runtime.Variant) and not isinstance(value, str):
        return [value[0], without_others(kind.tags[value[0]], value[1])]
    return value


class RoundTrips(unittest.TestCase):
    def setUp(self):
        print("# seed %d" % SEED)
        self.rng = random.Random(SEED)
        self.echo = Echo()

    def tearDown(self):
        self.assertEqual(0, self.echo.close())

    def test_python_to_c_to_python(self):
        make = Maker(self.rng)
        for i in range(COUNT):
            name, kind = TYPES[i % len(TYPES)]
            value = make.value(kind)
            kind.check(value)
            back = json.loads(self.echo(name, kind.encode(value)))
            self.assertEqual(value, back)
            kind.check(back)

    def test_other_forms_become_the_same(self):
        make = Loose(self.rng)
        for i in range(COUNT):
            name, kind = TYPES[i % len(TYPES)]
            value = make.value(kind)
            kind.check(value)
            back = json.loads(self.echo(name, value))
            self.assertEqual(
                without_others(kind, kind.encode(value)), back, value)

    def test_damaged_values_are_refused_alike(self):
        make = Maker(self.rng)
        refused = 0
        for i in range(COUNT):
            name, kind = TYPES[i % len(TYPES)]
            value = make.value(kind)
            place = self.rng.choice(list(places(value)))
            value = replace(value, place, self.rng.choice(
                [None, "Other", [], {}, [1, 2, 3], ["Other", 5], 7.5]))
            try:
                kind.check(value)
                good = True
            except (xapi.TypeError, xapi.UnmarshalException):
                good = False
            out = self.echo(name, value)
            self.assertEqual(good, not out.startswith("!"), (name, value, out))
            refused += not good
        self.assertTrue(COUNT / 3 < refused < COUNT, refused)


if __name__ == "__main__":
    tap.main()
