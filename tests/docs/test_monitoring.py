# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The alerts and the dashboard ask for series that the broker has."""

import json
import os
import re
import shutil
import subprocess
import sys

from common import SRC, Tap, read
from broker import Broker, get

ALERTS = read('packaging', 'monitoring', 'alerts.yml')
DASHBOARD = read('packaging', 'monitoring', 'dashboard.json')


def series():
    """The names that the broker gives, with a call made."""
    with Broker() as b, b.conn('me') as c:
        c.create('q')
        c.create('me', transient=True)
        ident = c.publish('q', '{"method":"m"}', 'me')
        c.respond('me', 'q', ident, 'done')
        body = c.ask(get('/metrics')).body.decode()
    return set(re.findall(r'^(xmsg_\w+)', body, re.M))


def main():
    tap = Tap()
    there = series()
    tap.ok(len(there) > 40, 'the series were found', there)
    for name, text in (('alerts.yml', ALERTS), ('dashboard.json', DASHBOARD)):
        used = set(re.findall(r'\b(xmsg_\w+)', text))
        tap.ok(len(used) > 5 and used <= there,
               name + ' uses series that there are', used - there)
    panels = json.loads(DASHBOARD)['panels']
    tap.ok(len({p['id'] for p in panels}) == len(panels) > 5,
           'each panel has a number of its own')
    commands = set(re.findall(r'["\'; ]xmsg ([a-z]+)', ALERTS)) - {'authors'}
    text = read('doc', 'xmsg.1')
    missing = [c for c in commands if not re.search(
        r'^\.It (Cm|Xo Cm) %s\b|Cm .*\b%s\b' % (c, c), text, re.M)]
    tap.ok(commands and not missing, 'and names commands that there are',
           missing)
    tool = shutil.which('promtool')
    if tool is None:
        tap.ok(False, 'promtool is there', 'install the package prometheus,'
               ' or run ./check --deps')
        return tap.done()
    done = subprocess.run(
        [tool, 'check', 'rules', os.path.join(
            SRC, 'packaging', 'monitoring', 'alerts.yml')],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tap.ok(done.returncode == 0 and '7 rules' in done.stdout,
           'promtool takes the rules', done.stdout)
    return tap.done()


sys.exit(main())
