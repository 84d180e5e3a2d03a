# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Calls of plugins through the message switch, from Python.

The real broker and the real adapter with the example plugins, consumers that
answer as a test wants (tests/idl/consumer.py), and tests/idl/client_cases.py
under every Python there is; then what becomes of a call whose broker ends
while it waits.
"""

import os
import shutil
import sys
import threading

SOURCE, BUILD = os.environ["XMSG_SRCDIR"], os.environ["XMSG_BUILDDIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests/adapter"))
sys.path.insert(0, os.path.join(SOURCE, "tests/support"))
sys.path.insert(0, os.path.join(SOURCE, "tests/idl"))
sys.path.insert(0, os.path.join(BUILD, "python"))
sys.dont_write_bytecode = True

import broker as b  # noqa: E402
import consumer  # noqa: E402
import pythons  # noqa: E402
import support  # noqa: E402
import xapi  # noqa: E402
from xapi.storage import client  # noqa: E402

PLUGIN = "org.xen.xapi.storage.filebased"


class Call(object):
    """A call in a thread of its own, which waits for its reply."""

    def __init__(self, broker, timeout):
        self.result = self.error = None
        self.client = client.Client(
            consumer.SILENT, socket=broker.socket, timeout=timeout)
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
    consumer.answer(broker, "after all")
    return call.end()


def gone(broker):
    """Nobody comes back."""
    call = Call(broker, 1.0)
    broker.kill()
    return call.end()[1]


def served(a, broker):
    """The example plugins behind the real adapter."""
    # Where their find_library.py looks.
    os.mkdir(os.path.join(a.base, "build"))
    os.symlink(os.path.join(BUILD, "python"),
               os.path.join(a.base, "build/python"))
    shutil.copytree(os.path.join(SOURCE, "examples/volume/filebased"),
                    os.path.join(a.root, "volume", PLUGIN), symlinks=True)
    shutil.copytree(os.path.join(SOURCE, "examples/datapath/loop+file"),
                    os.path.join(a.root, "datapath/loop+file"),
                    symlinks=True)
    a.start()
    b.until(lambda: PLUGIN in a.served(), "the plugin is served")
    c = client.Client(PLUGIN, socket=broker.socket, datapath="loop+file")
    b.until(lambda: not failed_with(client.BackendError, c.Datapath.close,
                                    uri="loop+file:///x"),
            "the datapath plugin is served")
    c.close()


def failed_with(kind, call, **params):
    """Whether a call fails in this way."""
    try:
        call(**params)
    except kind:
        return True
    except xapi.Unimplemented:
        pass
    return False


def main():
    report = pythons.Report()
    with support.Adapter(
            start=False, broker_options=("--set", "limits.body=1M")) as a:
        broker = a.broker
        with broker.conn(token="setup") as c:
            c.create("unserved")
        echo = consumer.Consumer(broker)
        served(a, broker)
        report.under_all("client_cases.py", XMSG_SOCKET=broker.socket)
        report.line(len(echo.seen) > 20 and not any(
            '"key": 5' in p for p in echo.seen),
            "wrong parameters never reached the queue")
        echo.stop()
    with b.Broker() as broker:
        with broker.conn(token="setup") as c:
            c.create(consumer.SILENT)
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
