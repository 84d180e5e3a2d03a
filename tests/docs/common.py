# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""What the tests of the documents share: cases in TAP, the source tree, and
questions to a broker.  Standard library only."""

import contextlib
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.environ.get('XMSG_SRCDIR', os.path.join(HERE, '..', '..'))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))

from broker import Broker, Closed, request  # noqa: E402


def read(*path):
    """A file of the source tree as text."""
    with open(os.path.join(SRC, *path), encoding='utf-8') as f:
        return f.read()


class Tap:
    """Counts cases; done() prints the plan and is the exit status."""

    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, why=''):
        self.n += 1
        self.failed += not good
        print('%sok %d - %s' % ('' if good else 'not ', self.n,
                                name.replace('#', 'No. ')))
        if not good and why:
            for line in str(why).splitlines():
                print('# ' + line)
        sys.stdout.flush()
        return good

    def skip(self, name, why):
        self.n += 1
        print('ok %d - %s # SKIP %s' % (self.n, name, why))

    def same(self, got, want, name):
        """Two sets of words: what is only in one of them is the reason."""
        got, want = set(got), set(want)
        why = ['%s: only in the program' % w for w in sorted(want - got)]
        why += ['%s: only in the document' % w for w in sorted(got - want)]
        return self.ok(want and not why, name,
                       '\n'.join(why) or 'nothing to compare')

    def done(self):
        print('1..%d' % self.n)
        return 1 if self.failed or not self.n else 0


def ask(conn, method, target, body='', fields=None):
    """(status, body as bytes, content-type) of one request."""
    r = conn.ask(request(method, target, body,
                         headers=list((fields or {}).items())))
    kind = dict(r.fields()).get(b'content-type', b'').decode()
    return r.status, r.body, kind


@contextlib.contextmanager
def served(tap, name, *options):
    """A broker that is ended, as a service manager does it, in the end: that is
    a case of its own, which fails when the broker or the block does."""
    with Broker(*options) as broker:
        try:
            yield broker
            status = broker.stop()
        except (Closed, AssertionError):
            status = traceback.format_exc()
        tap.ok(status == 0, name + ' ended with 0',
               '%s\n%s' % (status, broker.read_log()))
