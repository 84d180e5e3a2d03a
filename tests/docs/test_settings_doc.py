# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The manuals have what the program has: xmsg.conf(5) a paragraph with type,
range, default and reload for every setting; xmsgd(8) every option and every
exit status."""

import re
import subprocess
import sys

from common import Tap, read
from broker import program

CONF = read('doc', 'xmsg.conf.5')
PAGE = read('doc', 'xmsgd.8')
# how a type of the table is written in the page
TYPES = {'INT': 'Ar number', 'SIZE': 'Ar size', 'TIME': 'Ar time',
         'BOOL': 'Cm yes | no'}


def told(*options):
    return subprocess.run([program()] + list(options), check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def printed():
    """section.name -> the facts that --print-config gives."""
    out, section, facts = {}, '', ''
    for line in told('--config', '/dev/null', '--print-config').splitlines():
        if line.startswith('['):
            section = line.strip('[]')
        elif line.startswith('# '):
            facts = line[2:]
        elif ' =' in line:
            out[section + '.' + line.split(' ')[0]] = facts
    return out


def documented():
    """section.name -> (value, facts) of the page."""
    out, section = {}, ''
    lines = CONF.splitlines()
    for i, line in enumerate(lines):
        m = re.fullmatch(r'\.Ss \[(\w+)\]', line)
        section = m.group(1) if m else section
        m = re.fullmatch(r'\.It Ic (\w+) No = (.*)', line)
        if m and section:
            out[section + '.' + m.group(1)] = (m.group(2), lines[i + 1])
    return out


def check_settings(tap):
    want, got = printed(), documented()
    tap.same(got, want, 'xmsg.conf.5 has the settings of the program')
    tap.ok(list(got) == list(want), 'and in the same order')
    for name in want:
        facts = got.get(name, ('', ''))[1]
        tap.ok(facts == want[name], 'facts of ' + name,
               'got "%s"\nwant "%s"' % (facts, want[name]))
    rows = re.findall(r'\{"(\w+)", "(\w+)", CONF_(\w+)',
                      read('broker', 'settings.c'))
    tap.same(['%s.%s' % r[:2] for r in rows], want, 'the rows were found')
    for section, name, kind in rows:
        value = got.get('%s.%s' % (section, name), ('', ''))[0]
        good = value == TYPES[kind] if kind in TYPES else \
            value and value not in TYPES.values()
        tap.ok(good, 'type of %s.%s' % (section, name),
               '%s is written "%s"' % (kind, value))


def page_part(kind, title):
    m = re.search(r'^\.%s %s\n(.*?)(?=^\.S[hs] |\Z)' % (kind, title), PAGE,
                  re.M | re.S)
    return m.group(1) if m else ''


def check_options(tap):
    text = page_part('Ss', 'Options')
    items = [w for line in re.findall(r'^\.It Fl (.*)$', text, re.M)
             for w in re.findall(r'(?:^|, )(-?[\w-]+)', line)]
    also = re.findall(r'^\.Fl -([\w-]+) \.$', text, re.M)
    long_ones = [w[1:] for w in items if w.startswith('-')] + also
    short_ones = [w for w in items if not w.startswith('-')]
    source = read('broker', 'main.c')
    tap.same(long_ones, re.findall(r'^    \{"([\w-]+)", \w+_argument', source,
                                   re.M), 'xmsgd.8 has the long options')
    letters = re.search(r'getopt_long\(argc, argv, "([^"]+)"', source).group(1)
    tap.same(short_ones, letters.replace(':', ''),
             'xmsgd.8 has the short options')
    missing = [w for w in re.findall(r'(?<![\w-])--([\w-]+)', told('--help'))
               if w not in long_ones]
    tap.ok(not missing, 'xmsgd.8 has all that --help names', missing)


def check_statuses(tap):
    tap.same(re.findall(r'^\.It (\d+)$', page_part('Sh', 'EXIT STATUS'), re.M),
             re.findall(r'^\tEXIT_\w+ = (\d+),', read('broker', 'server.h'),
                        re.M), 'xmsgd.8 has the exit statuses')


def main():
    tap = Tap()
    check_settings(tap)
    check_options(tap)
    check_statuses(tap)
    return tap.done()


sys.exit(main())
