# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The manuals have what the program has: xmsg.conf(5) a paragraph with type,
range, default and reload for every setting; xmsgd(8) every option and every
exit status."""

import sys

from common import Tap
from daemon import Daemon


def main():
    tap = Tap()
    d = Daemon('xmsgd', 'broker', 'xmsgd.8', 'xmsg.conf.5', 'server.h')
    d.check_settings(tap)
    d.check_options(tap)
    d.check_statuses(tap)
    return tap.done()


sys.exit(main())
