# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""What the pages of a daemon must have: each setting with the facts that
--print-config gives and the right type, each option, each exit status."""

import re
import subprocess

from common import read
from broker import program

# how a type of the table is written in the page
TYPES = {'INT': 'Ar number', 'SIZE': 'Ar size', 'TIME': 'Ar time',
         'BOOL': 'Cm yes | no'}


class Daemon:
    """A program, its folder of sources, and its two pages."""

    def __init__(self, name, folder, page, conf, statuses):
        self.name, self.folder, self.statuses = name, folder, statuses
        self.page_name, self.conf_name = page, conf
        self.page, self.conf = read('doc', page), read('doc', conf)

    def told(self, *options):
        return subprocess.run([program(self.name)] + list(options), check=True,
                              text=True, stdout=subprocess.PIPE).stdout

    def printed(self):
        """section.name -> the facts that --print-config gives."""
        out, section, facts = {}, '', ''
        for line in self.told('--config', '/dev/null',
                              '--print-config').splitlines():
            if line.startswith('['):
                section = line.strip('[]')
            elif line.startswith('# '):
                facts = line[2:]
            elif ' =' in line:
                out[section + '.' + line.split(' ')[0]] = facts
        return out

    def documented(self):
        """section.name -> (value, facts) of the page."""
        out, section = {}, ''
        lines = self.conf.splitlines()
        for i, line in enumerate(lines):
            m = re.fullmatch(r'\.Ss \[(\w+)\]', line)
            section = m.group(1) if m else section
            m = re.fullmatch(r'\.It Ic (\w+) No = (.*)', line)
            if m and section:
                out[section + '.' + m.group(1)] = (m.group(2), lines[i + 1])
        return out

    def check_settings(self, tap):
        want, got = self.printed(), self.documented()
        tap.same(got, want, self.conf_name + ' has the settings of the program')
        tap.ok(list(got) == list(want), 'and in the same order')
        for name in want:
            facts = got.get(name, ('', ''))[1]
            tap.ok(facts == want[name], 'facts of ' + name,
                   'got "%s"\nwant "%s"' % (facts, want[name]))
        rows = re.findall(r'\{"(\w+)", "(\w+)", CONF_(\w+)',
                          read(self.folder, 'settings.c'))
        tap.same(['%s.%s' % r[:2] for r in rows], want, 'the rows were found')
        for section, name, kind in rows:
            value = got.get('%s.%s' % (section, name), ('', ''))[0]
            good = value == TYPES[kind] if kind in TYPES else \
                value and value not in TYPES.values()
            tap.ok(good, 'type of %s.%s' % (section, name),
                   '%s is written "%s"' % (kind, value))

    def part(self, kind, title):
        """A section (Sh) or subsection (Ss) of the page."""
        m = re.search(r'^\.%s %s\n(.*?)(?=^\.S[hs] |\Z)' % (kind, title),
                      self.page, re.M | re.S)
        return m.group(1) if m else ''

    def check_options(self, tap):
        text = self.part('Ss', 'Options')
        items = [w for line in re.findall(r'^\.It Fl (.*)$', text, re.M)
                 for w in re.findall(r'(?:^|, )(-?[\w-]+)', line)]
        also = re.findall(r'^\.Fl -([\w-]+) \.$', text, re.M)
        long_ones = [w[1:] for w in items if w.startswith('-')] + also
        source = read(self.folder, 'main.c')
        tap.same(long_ones, re.findall(
            r'^    \{"([\w-]+)", \w+_argument', source, re.M),
            self.page_name + ' has the long options')
        letters = re.search(r'getopt_long\(\s*argc, argv, "([^"]+)"',
                            source).group(1)
        tap.same([w for w in items if not w.startswith('-')],
                 letters.replace(':', ''),
                 self.page_name + ' has the short options')
        missing = [w for w in re.findall(r'(?<![\w-])--([\w-]+)',
                                         self.told('--help'))
                   if w not in long_ones]
        tap.ok(not missing, self.page_name + ' has all that --help names',
               missing)

    def check_statuses(self, tap):
        tap.same(re.findall(r'^\.It (\d+)$', self.part('Sh', 'EXIT STATUS'),
                            re.M),
                 re.findall(r'^\tEXIT_\w+ = (\d+),',
                            read(self.folder, self.statuses), re.M),
                 self.page_name + ' has the exit statuses')
