# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""doc/protocol.md says what xmsgd does: every exchange in it is run, and its
tables have the routes, error codes and limits that the sources have."""

import os
import re
import sys

from common import SRC, Tap, ask, read, served

DOC = read('doc', 'protocol.md')
WIRE = read('lib', 'wire.c')
API = ''.join(read('broker', f) for f in sorted(os.listdir(
    os.path.join(SRC, 'broker'))) if re.match(r'(api|http).*\.c$', f))
PLACES = {'n': 'NAME', 'l': 'PREFIX', 'r': 'REPLYTO', 'i': 'ID', 'f': 'FROM',
          't': 'TIMEOUT'}


def exchanges():
    """(line, sent lines, expected lines) of every block."""
    for m in re.finditer(r'^```exchange\n(.*?)^```$', DOC, re.M | re.S):
        lines = m.group(1).splitlines()
        yield (DOC[:m.start()].count('\n') + 2,
               [x[2:] for x in lines if x.startswith('> ')],
               [x[2:] for x in lines if x.startswith('< ')])


def pattern(text, ids):
    """A regular expression for an expected body; new IDn become groups."""
    out, seen = '', set()
    for part in re.split(r'(\.\.\.|\bID\d+\b)', text):
        if part == '...':
            out += '.*'
        elif not re.fullmatch(r'ID\d+', part):
            out += re.escape(part)
        elif part in ids:
            out += ids[part]
        elif part in seen:
            out += '(?P=%s)' % part
        else:
            seen.add(part)
            out += r'(?P<%s>\d+)' % part
    return out


def fill(text, ids):
    return re.sub(r'\bID\d+\b', lambda m: ids.get(m.group(), m.group()), text)


def run(tap, connection, block, ids):
    line, sent, expected = block
    sent = [fill(s, ids) for s in sent]
    method, target = sent[0].split(' ')
    fields, rest = {}, sent[1:]
    while rest and re.match(r'[A-Z][A-Za-z-]+: ', rest[0]):
        name, value = rest.pop(0).split(': ', 1)
        fields[name] = value
    status, body, _ = ask(connection, method, target, '\n'.join(rest), fields)
    body = body.decode().rstrip('\n')
    want = '\n'.join(expected[1:])
    m = re.fullmatch(pattern(want, ids), body, re.S)
    good = str(status) == expected[0] and m is not None
    tap.ok(good, 'line %d: %s %s' % (line, method, target),
           'got %d\n%s\nwant %s\n%s' % (status, body, expected[0], want))
    if m:
        ids.update(m.groupdict())


def wire_routes():
    """The stock routes as headings have them."""
    row = r'\{LIT\("(\w+)"\), LIT\("([^"]+)"\), LIT\("(\w*)"\), WIRE_(\w+)'
    for method, path, args, op in re.findall(row, WIRE):
        names = [PLACES[a] for a in args]
        if op == 'LOGIN':
            names = ['TOKEN']
        if op == 'RESPONSE':
            names = ['NAME', 'FROMQ', 'FROMID']
        yield '%s %s' % (method, '/'.join([path] + names))


def v1_routes():
    names = iter(())
    for method, path in re.findall(r'\{"([A-Z]+)", "([a-z*/]+)", \w+, [^}]+\}',
                                   API):
        names = iter(('ID',) if path.startswith('removed') else ('Q', 'ID'))
        yield '%s /v1/%s' % (method, re.sub(r'\*', lambda m: next(names),
                                            path))


def section(title):
    m = re.search(r'^## %s\n(.*?)(?=^## |\Z)' % re.escape(title), DOC,
                  re.M | re.S)
    return m.group(1) if m else ''


def rows(text, cell):
    """What the first cells of the table rows that match have in backquotes."""
    for line in text.splitlines():
        if line.startswith('|'):
            for word in re.findall('`([^`]+)`', line.split('|')[cell]):
                yield word


def check_tables(tap):
    stock = section('The stock requests')
    tap.same(rows(stock.split('###')[0], 1), wire_routes(),
             'the table of stock requests has the routes of wire.c')
    headings = re.findall(r'^### (.*)$', stock, re.M)
    tap.same([h for line in headings for h in line.split(', ')],
             wire_routes(), 'each stock request has its section')
    tap.same(rows(section('The /v1 requests'), 1), v1_routes(),
             'the table of /v1 has the routes of api_v1.c')
    codes = re.findall(
        r'(?:api_error\([^"]*?|wire_put_error\(&b, )"(\w+)"', API)
    tap.same([c for c in rows(section('Errors'), 2)], codes,
             'the table of errors has the codes of the sources')
    limits = re.findall(r'\{"limits", "(\w+)"', read('broker', 'settings.c'))
    told = [w for w in rows(section('Limits'), 1) if w.startswith('limits.')]
    tap.same(told, ['limits.' + x for x in limits if x != 'cache'],
             'the table of limits has those of settings.c')
    statuses = set(re.findall(r'^\| (\d{3}) \|', section('Errors'), re.M))
    used = {s for text in (API, read('lib', 'http1.c'))
            for s in re.findall(r'(?:, |= |\{)([45]\d\d),', text)
            if not re.search(r'\{%s, "[A-Z]' % s, text)}
    used |= {'404', '507', '429', '408', '400', '413', '503'}
    tap.ok(used <= statuses, 'each status in the sources is in the table',
           'missing: %s' % ' '.join(sorted(used - statuses)))


def check_links(tap):
    """Every #link has its heading."""
    anchors = {re.sub(r'[^\w\- ]', '', h.lower()).replace(' ', '-')
               for h in re.findall(r'^#+ (.*)$', DOC, re.M)}
    links = set(re.findall(r'\]\(#([^)]+)\)', DOC))
    tap.ok(links and links <= anchors, 'links lead somewhere',
           ' '.join(sorted(links - anchors)))


def main():
    tap = Tap()
    check_tables(tap)
    check_links(tap)
    ids = {}
    with served(tap, 'xmsgd') as broker:
        connection = broker.conn()
        for block in exchanges():
            run(tap, connection, block, ids)
    tap.ok(len(ids) >= 4, 'the exchanges were found')
    return tap.done()


sys.exit(main())
