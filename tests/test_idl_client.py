# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Calls of plugins through the message switch, from Python.

The real broker, a stand-in for the adapter (tests/idl/adapter.py), and
tests/idl/client_cases.py under every Python there is; then what becomes of a
call whose broker ends while it waits.
"""

import os
import sys
import threading

SOURCE, BUILD = os.environ["XMSG_SRCDIR"], os.environ["XMSG_BUILDDIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests/support"))
sys.path.insert(0, os.path.join(SOURCE, "tests/idl"))
sys.path.insert(0, os.path.join(BUILD, "python"))
sys.dont_write_bytecode = True

import adapter  # noqa: E402
import broker as b  # noqa: E402
import pythons  # noqa: E402
from xapi.storage import client  # noqa: E402


class Call(object):
    """A call in a thread of its own, which waits for its reply."""

    def __init__(self, broker, timeout):
        self.result = self.error = None
        self.client = client.Client(
            adapter.SILENT, socket=broker.socket, timeout=timeout)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        broker.until_parked(1)

    def run(self):
        try:
            self.result = self.client.Plugin.diagnostics()
        except Exception as e:
            self.error = e

    def end(self):
        self.thread.join(b.PATIENCE)
        return self.result, self.error


def restarted(broker, how):
    """The reply is given after a restart."""
    call = Call(broker, 60)
    broker.restart(how)
    adapter.answer(broker, "after all")
    return call.end()


def gone(broker):
    """Nobody comes back."""
    call = Call(broker, 1.0)
    broker.kill()
    return call.end()[1]


def main():
    report = pythons.Report()
    with b.Broker("--set", "limits.body=1M") as broker:
        with broker.conn(token="setup") as c:
            c.create("unserved")
        served = adapter.Adapter(broker)
        report.under_all("client_cases.py", XMSG_SOCKET=broker.socket)
        methods = [p for q, p in served.seen if q == adapter.PLUGIN]
        report.line(len(methods) > 20 and not any(
            '"key": 5' in p for p in methods),
            "wrong parameters never reached the queue")
        served.stop()
    with b.Broker() as broker:
        with broker.conn(token="setup") as c:
            c.create(adapter.SILENT)
        for how in ("stop", "kill"):
            got = restarted(broker, how)
            report.line(got == ("after all", None),
                        "a call outlives a broker that is restarted (%s)"
                        % how)
            if got[1] is not None:
                print("# %r" % got[1])
        e = gone(broker)
        report.line(isinstance(e, client.BrokerGone) and e.sent,
                    "a broker that stays away is an exception of its own")
        print("# %s" % e)
    return report.end()


sys.exit(main())
