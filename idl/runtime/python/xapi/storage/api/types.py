# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Types: what the values of calls may be.

A type knows how to check a value, how to write it so that every consumer can
read it, and how to read it from a word of the command line.
"""

import json
import traceback

import xapi

_TEXT = xapi._TEXT
_INTEGER = (int, xapi.long)


class Type(object):
    """A type: `name` for people and for the texts of type errors."""

    def __init__(self, name):
        self.name = name

    def fits(self, value):
        """Whether the value is of this type as far as its outside goes."""
        raise NotImplementedError

    def parts(self, value):
        """The parts to look into: name for the path, type, value."""
        return ()

    def check(self, value):
        """Raise xapi.TypeError or xapi.UnmarshalException, or return."""
        if not self.fits(value):
            raise xapi.TypeError(self.name, repr(value))
        for name, part_type, part in self.parts(value):
            try:
                part_type.check(part)
            except (xapi.TypeError, xapi.UnmarshalException) as e:
                e.path = _join(name, e.path)
                raise

    def encode(self, value):
        """The value in the form that every consumer reads.

        The same object, where it is in that form already.
        """
        return value

    def decode_word(self, word):
        """A value from one word of a command line (ValueError if it is
        none); structures are JSON text."""
        return json.loads(word)

    def hint(self):
        """What to type on a command line, for people."""
        return self.name + " as JSON"


def _join(name, path):
    """A path inside a value from the outside in: a.b[2]."""
    if path == "" or path.startswith("["):
        return name + path
    return name + "." + path


class _String(Type):
    def fits(self, value):
        return isinstance(value, _TEXT)

    def decode_word(self, word):
        return word

    def hint(self):
        return "text"


class _Integer(Type):
    def fits(self, value):
        return isinstance(value, _INTEGER)

    def decode_word(self, word):
        return int(word)

    def hint(self):
        return "whole number"


class _Float(Type):
    def fits(self, value):
        return isinstance(value, (float,) + _INTEGER) and not isinstance(
            value, bool)

    def decode_word(self, word):
        return float(word)

    def hint(self):
        return "number"


class _Bool(Type):
    def fits(self, value):
        return isinstance(value, bool)

    def decode_word(self, word):
        value = json.loads(word.lower())
        if not isinstance(value, bool):
            raise ValueError("true or false is expected")
        return value

    def hint(self):
        return "true or false"


class _Unit(Type):
    """For results: whatever comes is passed on as it is."""

    def fits(self, value):
        return True


STRING = _String("string")
INT = _Integer("int")
INT64 = _Integer("int64")
FLOAT = _Float("float")
BOOL = _Bool("bool")
UNIT = _Unit("unit")


class List(Type):
    """Any number of values of one type."""

    def __init__(self, element):
        Type.__init__(self, element.name + " list")
        self.element = element

    def fits(self, value):
        return isinstance(value, (list, tuple))

    def parts(self, value):
        for i, part in enumerate(value):
            yield "[%d]" % i, self.element, part

    def encode(self, value):
        encoded = [self.element.encode(part) for part in value]
        if all(a is b for a, b in zip(encoded, value)):
            return value
        return encoded


class Map(Type):
    """Names with values of one type."""

    def __init__(self, element):
        Type.__init__(self, "(string * %s) list" % element.name)
        self.element = element

    def fits(self, value):
        return isinstance(value, dict)

    def parts(self, value):
        for key, part in value.items():
            yield "[%r]" % (key,), STRING, key
            yield "[%r]" % (key,), self.element, part

    def encode(self, value):
        encoded = dict((k, self.element.encode(v)) for k, v in value.items())
        if all(encoded[k] is value[k] for k in encoded):
            return value
        return encoded

    def hint(self):
        return "KEY VALUE"


class Pair(Type):
    """Two values."""

    def __init__(self, first, second):
        Type.__init__(self, "(%s * %s)" % (first.name, second.name))
        self.elements = (first, second)

    def fits(self, value):
        return isinstance(value, (list, tuple)) and len(value) == 2

    def parts(self, value):
        for i, part in enumerate(value):
            yield "[%d]" % i, self.elements[i], part

    def encode(self, value):
        encoded = [t.encode(v) for t, v in zip(self.elements, value)]
        if all(a is b for a, b in zip(encoded, value)):
            return value
        return encoded


class Field(object):
    """A member of a record."""

    def __init__(self, name, type_, optional=False):
        self.name = name
        self.type = type_
        self.optional = optional


class Record(Type):
    """Named members; others are let through."""

    def __init__(self, name, fields):
        Type.__init__(self, name)
        self.fields = fields

    def fits(self, value):
        return isinstance(value, dict)

    def parts(self, value):
        for field in self.fields:
            part = value.get(field.name)
            if field.name not in value and not field.optional:
                raise xapi.UnmarshalException(
                    "member missing", field.name, self.name)
            if part is None and field.optional:
                continue
            yield field.name, field.type, part

    def encode(self, value):
        encoded = dict(value)
        for field in self.fields:
            part = value.get(field.name)
            if part is not None:
                encoded[field.name] = field.type.encode(part)
            elif field.optional:
                encoded.pop(field.name, None)
        if len(encoded) == len(value) and all(
                encoded[k] is value[k] for k in encoded):
            return value
        return encoded


class Variant(Type):
    """One of several tags, each with a value or without."""

    def __init__(self, name, tags):
        Type.__init__(self, name)
        self.tags = dict(tags)
        self.order = [tag for tag, _ in tags]

    def _split(self, value):
        """Tag and contents; (None, ...) for what is no variant at all."""
        if isinstance(value, _TEXT):
            return value, ()
        if isinstance(value, (list, tuple)) and len(value) in (1, 2) and (
                isinstance(value[0], _TEXT)):
            return value[0], tuple(value[1:])
        return None, ()

    def fits(self, value):
        tag, content = self._split(value)
        if tag not in self.tags:
            return False
        if self.tags[tag] is None:
            return content in ((), (None,))
        return len(content) == 1

    def parts(self, value):
        tag, content = self._split(value)
        if self.tags[tag] is not None:
            yield "[1]", self.tags[tag], content[0]

    def encode(self, value):
        tag, content = self._split(value)
        if self.tags[tag] is None:
            return tag
        part = self.tags[tag].encode(content[0])
        return value if part is content[0] else [tag, part]

    def decode_word(self, word):
        if word in self.tags and self.tags[word] is None:
            return word
        return json.loads(word)

    def hint(self):
        return "JSON, one of " + ", ".join(
            tag if self.tags[tag] is None else '["%s", ...]' % tag
            for tag in self.order)


xapi._machinery.update(
    frame[0] for frame in traceback.extract_stack(limit=1))
