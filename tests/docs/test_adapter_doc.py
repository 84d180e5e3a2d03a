# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The adapter's pages have what the adapter has: each setting with its facts,
each option and exit status, each call, each control method, each source file."""

import os
import re
import subprocess
import sys

from common import SRC, Tap, read
from broker import program

CONF = read('doc', 'xmsg-storaged.conf.5')
PAGE = read('doc', 'xmsg-storaged.8')
GUIDE = read('doc', 'adapter.md')
TYPES = {'INT': 'Ar number', 'SIZE': 'Ar size', 'TIME': 'Ar time',
         'BOOL': 'Cm yes | no'}


def told(*options):
    return subprocess.run([program('xmsg-storaged')] + list(options),
                          check=True, text=True,
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
    tap.same(got, want, 'the page has the settings of the program')
    tap.ok(list(got) == list(want), 'and in the same order')
    for name in want:
        facts = got.get(name, ('', ''))[1]
        tap.ok(facts == want[name], 'facts of ' + name,
               'got "%s"\nwant "%s"' % (facts, want[name]))
    rows = re.findall(r'\{"(\w+)", "(\w+)", CONF_(\w+)',
                      read('storage-adapter', 'settings.c'))
    tap.same(['%s.%s' % r[:2] for r in rows], want, 'the rows were found')
    for section, name, kind in rows:
        value = got.get('%s.%s' % (section, name), ('', ''))[0]
        good = value == TYPES[kind] if kind in TYPES else \
            value and value not in TYPES.values()
        tap.ok(good, 'type of %s.%s' % (section, name),
               '%s is written "%s"' % (kind, value))


def part(kind, title):
    m = re.search(r'^\.%s %s\n(.*?)(?=^\.S[hs] |\Z)' % (kind, title), PAGE,
                  re.M | re.S)
    return m.group(1) if m else ''


def check_options(tap):
    items = [w for line in re.findall(r'^\.It Fl (.*)$', part('Ss', 'Options'),
                                      re.M)
             for w in re.findall(r'(?:^|, )(-?[\w-]+)', line)]
    long_ones = [w[1:] for w in items if w.startswith('-')]
    source = read('storage-adapter', 'main.c')
    tap.same(long_ones, re.findall(r'^    \{"([\w-]+)", \w+_argument', source,
                                   re.M), 'the long options')
    letters = re.search(r'getopt_long\(\s*argc, argv, "([^"]+)"',
                        source).group(1)
    tap.same([w for w in items if not w.startswith('-')],
             letters.replace(':', ''), 'the short options')
    missing = [w for w in re.findall(r'(?<![\w-])--([\w-]+)', told('--help'))
               if w not in long_ones]
    tap.ok(not missing, 'all that --help names', missing)
    old = read('storage-adapter', 'old.c')
    keys = re.findall(r'\{"([\w-]+)", "?[^}]*(?:true|false)\}', old)
    text = PAGE.replace('\\', '')
    missing = [k for k in keys if 'Fl -' + k not in text and
               ', -' + k not in text]
    tap.ok(len(keys) == 15 and not missing, 'the options of the original',
           missing)


def check_statuses(tap):
    tap.same(re.findall(r'^\.It (\d+)$', part('Sh', 'EXIT STATUS'), re.M),
             re.findall(r'^\tEXIT_\w+ = (\d+),',
                        read('storage-adapter', 'adapter.h'), re.M),
             'the exit statuses')


def check_calls(tap):
    """Each call stands in its place of the guide, and no other does."""
    source = read('storage-adapter', 'call_rows.c')
    done = re.findall(r'^\s*CALL\(\s*"([\w.]+)"', source, re.M)
    refused = re.findall(r'\bNOT\(\s*"([\w.]+)"', source)
    tap.ok(len(done) == 49 and len(refused) == 32, 'the calls were found',
           '%d, %d' % (len(done), len(refused)))
    table = GUIDE.split('## Calls of the toolstack')[1].split('\nThese are')[0]
    tap.same(re.findall(r'^\| `([\w.]+)` \|', table, re.M), done,
             'the table has the calls that are served')
    rest = GUIDE.split('\nThese are')[1].split('###')[0].split('itself:')[1]
    tap.same(re.findall(r'`([\w.]+)`', rest), refused,
             'and names those that are not')


def check_control(tap):
    source = read('storage-adapter', 'control.c')
    tap.same(re.findall(r'^\| `(adapter\.\w+)` \|', GUIDE, re.M),
             re.findall(r'\{"(adapter\.\w+)", \w+', source),
             'the methods of the control queue')


def check_sources(tap):
    """Each source file, or its family as name_*, is in the picture."""
    text = GUIDE.split('## The sources')[1]
    words = set(re.findall(r'\b[a-z0-9]+(?:_[a-z0-9]+)*\b', text))
    families = tuple(re.findall(r'\b([a-z0-9]+_?)\*', text))
    names = {n.rsplit('.', 1)[0] for n in os.listdir(
        os.path.join(SRC, 'storage-adapter')) if n.endswith(('.c', '.h'))}
    missing = sorted(n for n in names - {'settings', 'ctx'}
                     if n not in words and not n.startswith(families))
    tap.ok(not missing, 'the sources', missing)


def main():
    tap = Tap()
    check_settings(tap)
    check_options(tap)
    check_statuses(tap)
    check_calls(tap)
    check_control(tap)
    check_sources(tap)
    return tap.done()


sys.exit(main())
