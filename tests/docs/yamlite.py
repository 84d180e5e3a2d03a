# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The part of YAML that doc/openapi.yaml is written in, read without a library:
block mappings, block sequences of mappings or scalars, [flow, lists] of
scalars, {}, plain and "quoted" scalars on one line, whole-line comments.
Anything else is an error with its line."""

import re

PLAIN = re.compile(r'''[^\s\[\]{}"'&*!|>%@`#-][^#]*|-?\d+''')


class Mistake(Exception):
    pass


def scalar(text, line):
    if len(text) > 1 and text[0] == text[-1] == '"':
        if '\\' in text or '"' in text[1:-1]:
            raise Mistake('line %d: no escapes here' % line)
        return text[1:-1]
    if text == '{}':
        return {}
    if text.startswith('[') and text.endswith(']'):
        return [scalar(x.strip(), line) for x in text[1:-1].split(',')]
    if re.fullmatch(r'-?\d+', text):
        return int(text)
    if text in ('true', 'false', 'null'):
        return {'true': True, 'false': False, 'null': None}[text]
    if not PLAIN.fullmatch(text) or ': ' in text or text.endswith(':'):
        raise Mistake('line %d: %r needs quotes' % (line, text))
    return text


class Reader:
    def __init__(self, text):
        self.lines = []
        for n, line in enumerate(text.split('\n'), 1):
            bare = line.lstrip(' ')
            if bare and not bare.startswith('#'):
                self.lines.append((n, len(line) - len(bare), bare.rstrip()))
        self.at = 0

    def peek(self, indent):
        """The next line when it has this indent."""
        if self.at < len(self.lines) and self.lines[self.at][1] == indent:
            return self.lines[self.at]
        return None

    def block(self, indent):
        line = self.peek(indent)
        if line is None:
            raise Mistake('line %d: nothing here' % self.lines[self.at - 1][0])
        return self.sequence(indent) if line[2].startswith('- ') \
            else self.mapping(indent)

    def sequence(self, indent):
        out = []
        while (line := self.peek(indent)) and line[2].startswith('- '):
            n, _, text = line
            if re.match(r'- (\w+|"[^"]+"|\$\w+):( |$)', text):
                # the mapping begins behind the dash
                self.lines[self.at] = (n, indent + 2, text[2:])
                out.append(self.mapping(indent + 2))
            else:
                self.at += 1
                out.append(scalar(text[2:], n))
        return out

    def mapping(self, indent):
        out = {}
        while (line := self.peek(indent)):
            n, _, text = line
            m = re.fullmatch(r'("[^"]+"|[^\s:"]+):(?: (.+))?', text)
            if not m:
                raise Mistake('line %d: not "key: value"' % n)
            key = m.group(1).strip('"')
            if key in out:
                raise Mistake('line %d: %s stands twice' % (n, key))
            self.at += 1
            out[key] = scalar(m.group(2), n) if m.group(2) \
                else self.block(self.deeper(indent, n))
        return out

    def deeper(self, indent, n):
        if self.at == len(self.lines) or self.lines[self.at][1] <= indent:
            raise Mistake('line %d: a value is missing' % n)
        return self.lines[self.at][1]


def load(text):
    r = Reader(text)
    out = r.block(0)
    if r.at != len(r.lines):
        raise Mistake('line %d: indented in an odd way' % r.lines[r.at][0])
    return out
