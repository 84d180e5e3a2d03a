# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The adapter's pages have what the adapter has: each setting with its facts,
each option and exit status, each call, each control method, each source file."""

import os
import re
import sys

from common import SRC, Tap, read
from daemon import Daemon

GUIDE = read('doc', 'adapter.md')
ADAPTER = Daemon('xmsg-storaged', 'storage-adapter', 'xmsg-storaged.8',
                 'xmsg-storaged.conf.5', 'adapter.h')


def check_old(tap):
    """The options of the original."""
    old = read('storage-adapter', 'old.c')
    keys = re.findall(r'\{"([\w-]+)", "?[^}]*(?:true|false)\}', old)
    text = ADAPTER.page.replace('\\', '')
    missing = [k for k in keys if 'Fl -' + k not in text and
               ', -' + k not in text]
    tap.ok(len(keys) == 15 and not missing, 'the options of the original',
           missing)


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
    ADAPTER.check_settings(tap)
    ADAPTER.check_options(tap)
    ADAPTER.check_statuses(tap)
    check_old(tap)
    check_calls(tap)
    check_control(tap)
    check_sources(tap)
    return tap.done()


sys.exit(main())
