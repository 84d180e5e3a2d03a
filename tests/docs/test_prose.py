# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""What the other documents say is there: the files, the schema, the constants,
the links; and the README's five minutes run as they stand."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from common import SRC, Tap, read
from broker import PATIENCE, program

PAGES = ['README.md'] + ['doc/' + n + '.md' for n in (
    'architecture', 'hacking', 'protocol', 'store')]


def files(folder, *ends):
    return [n for n in sorted(os.listdir(os.path.join(SRC, folder)))
            if n.endswith(ends)]


# ---- architecture.md ----

def check_files(tap):
    """Every source file is told of; **name.[ch]** stands for both."""
    text = read('doc', 'architecture.md')
    words = set(re.findall(r'[\w.]+\.(?:\[ch\]|[ch]\b|map)', text))
    told = {w.replace('[ch]', e) for w in words for e in 'ch'}
    for folder in ('broker', 'lib'):
        missing = [n for n in files(folder, '.c', '.h') if n not in told]
        tap.ok(not missing, 'architecture.md has the files of %s/' % folder,
               '\n'.join(missing))
    there = {n for f in ('broker', 'lib', 'cli', 'ui')
             for n in files(f, '.c', '.h', '.map')}
    gone = sorted(w for w in words if not {w.replace('[ch]', e)
                                           for e in 'ch'} <= there
                  and w not in ('cmd_NAME.c', 'name.c'))
    tap.ok(not gone, 'and no others', '\n'.join(gone))


# ---- store.md ----

def squeeze(text):
    text = re.sub(r'--[^\n]*|/\*.*?\*/', '', text, flags=re.S)
    return re.sub(r'\s+', '', text)


def check_schema(tap):
    """The first version's tables, and the step to each later version."""
    text = re.sub(r'/\*.*?\*/', '', read('broker', 'sqldb.c'), flags=re.S)
    steps = [re.search(r'schema\[\] =(.*?);\n\n', text, re.S).group(1)]
    steps += re.search(r'upgrades\[[^=]*= \{(.*?),\n\};', text,
                       re.S).group(1).split('",\n')
    source = [squeeze(''.join(re.findall(r'"((?:[^"\\]|\\.)*)"?', s)))
              for s in steps]
    told = [squeeze(s) for s in re.findall(r'```sql\n(.*?)```',
                                           read('doc', 'store.md'), re.S)]
    tap.ok(len(told) > 1 and source == told, 'store.md has the schema',
           '\n'.join(source + told))


def check_constants(tap):
    """Numbers that store.md states, as the sources have them."""
    text = ' '.join(read('doc', 'store.md').split())
    source = read('broker', 'sqldb.h') + read('broker', 'store_sqlite.c')
    rows = [('SQLDB_APPLICATION_ID', '0x786d7367', '0x786d7367'),
            ('SQLDB_VERSION', '3', '`user_version` is 3'),
            ('SQLDB_RESERVE', '65536', 'reserves 65,536 ids'),
            ('INLINE_MAX_NS', '(2 * NS_PER_MS)', 'less than 2 ms'),
            ('INLINE_MOST', '16', 'Up to 16 changes'),
            ('GATHER_NS', '(20 * 1000)', 'at most 20 us'),
            ('GATHER_SOFT_NS', '(40 * 1000)', 'for 40 us'),
            ('WAL_SOFT_FRAMES', '512', 'longer than 512 pages'),
            ('WAL_HARD_FRAMES', '4096', 'longer than 4096 pages'),
            ('IDLE_NS', '(20 * NS_PER_MS)', 'nothing to do for 20 ms'),
            ('WIPE_NS', '(30 * NS_PER_SEC)', 'every 30 s while'),
            ('SWEEP_ROWS', '1000', '1000 at a time'),
            ('KEEP_ANSWERS', '65536', 'the newest 65,536 are kept'),
            ('ROOM_NS', '(NS_PER_SEC / 2)', 'Twice a second'),
            ('RESERVE_BYTES', '(8 * 1024 * 1024)', '8 MiB of nothing')]
    for name, value, words in rows:
        m = re.search(r'^#define %s\s+(.*?)\s*(?:/\*.*)?$' % name, source,
                      re.M)
        tap.ok(m and m.group(1) == value and words in text,
               '%s is %s' % (name, value), m and m.group(1))


def check_rules(tap):
    """As many rules as store.h has, and as many invariants as sqldb.c."""
    text = read('doc', 'store.md')
    rules = re.findall(r'^ \* +(\d+)\. ', read('broker', 'store.h'), re.M)
    told = re.search(r'The ten rules(.*?)And what', text, re.S).group(1)
    tap.same(re.findall(r'^(\d+)\. ', told, re.M), rules,
             'store.md has the rules of store.h')


# ---- all ----

def check_links(tap):
    """Relative links and files in backquotes lead somewhere."""
    for page in PAGES:
        text = read(*page.split('/'))
        base = os.path.dirname(page)
        bad = []
        for target in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', text):
            if not os.path.exists(os.path.join(SRC, base, target)):
                bad.append('link ' + target)
        for name in re.findall(r'`((?:broker|lib|cli|doc|tests|bench|packaging'
                               r'|idl)/[\w./-]+)`', text):
            if not os.path.exists(os.path.join(SRC, name)) and \
                    'NAME' not in name and not name.endswith('.log'):
                bad.append('file ' + name)
        tap.ok(not bad, page + ': links and files', '\n'.join(bad))


# ---- README.md ----

def in_shell(script, env):
    """(status, output) of a script; what it left running is ended."""
    with tempfile.TemporaryFile() as out:
        shell = subprocess.Popen(['sh', '-c', script], env=env, stdout=out,
                                 stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL,
                                 start_new_session=True)
        try:
            status = shell.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            status = 'time is up'
        try:
            os.killpg(shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # nothing was left
        out.seek(0)
        return status, out.read().decode()


def like(shown):
    """A pattern for output: blanks, ids, process ids, times, rates vary."""
    out = ''
    for part in re.split(r'(\.\.\.|\s+|\b[a-z]+:\d+|\d\d:\d\d:[\d.]+'
                         r'|[\d.]+s\b|\[\d+\]|\b\d\.\d\b)', shown):
        out += ('.*' if part == '...' else
                r'\s+' if part.isspace() else
                r'[a-z]+:\d+' if re.fullmatch(r'[a-z]+:\d+', part) else
                r'\[\d+\]' if re.fullmatch(r'\[\d+\]', part) else
                r'[\d.]+' if re.fullmatch(r'\d\.\d', part) else
                r'[\d:.]+s?' if re.fullmatch(r'\d[\d:.]+s?', part) else
                re.escape(part))
    return out


def five_minutes(tap):
    """Run the console blocks of the README in one shell, in order."""
    text = read('README.md')
    blocks = re.findall(r'^```console\n(.*?)^```$', text, re.M | re.S)
    folder = tempfile.mkdtemp(prefix='xmsgdoc.')
    tools = os.path.abspath(os.path.dirname(program('xmsg')))
    tree = tempfile.mkdtemp(prefix='xmsgtree.')  # build/ is the one tested
    os.symlink(os.path.join(SRC, 'examples'), os.path.join(tree, 'examples'))
    os.symlink(tools, os.path.join(tree, 'build'))
    script = ['set -e', 'cd ' + folder]
    want = []
    for i, line in enumerate(''.join(blocks).splitlines()):
        if line.startswith('$ '):
            if line.startswith('$ xmsgd'):
                line += '\nuntil xmsg status >/dev/null 2>&1; do :; done'
            script.append('echo "@%d"\n%s' % (len(want), line[2:]))
            want.append((line[2:].split('\n')[0], []))
        elif want:
            want[-1][1].append(line)
    env = dict(os.environ, TMPDIR=folder, XMSG=tree,
               PATH=tools + ':' + os.environ['PATH'])
    env.pop('XMSG_SOCKET', None)
    status, said = in_shell('\n'.join(script), env)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(tree, ignore_errors=True)
    tap.ok(len(want) > 12 and status == 0,
           'the commands of the README end well',
           'status %s\n%s' % (status, said))
    for i, (command, lines) in enumerate(want):
        m = re.search(r'^@%d\n(.*?)(?=^@%d$|\Z)' % (i, i + 1), said,
                      re.M | re.S)
        got, shown = m.group(1).strip() if m else '', '\n'.join(lines)
        got = re.sub(r'\AKilled\Z', '', got)  # some shells tell
        tap.ok(re.fullmatch(like(shown.strip()), got, re.S), '$ ' + command,
               'got:\n%s\nwant:\n%s' % (got, shown))


def main():
    tap = Tap()
    check_files(tap)
    check_schema(tap)
    check_constants(tap)
    check_rules(tap)
    check_links(tap)
    five_minutes(tap)
    return tap.done()


sys.exit(main())
