# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Starts that are refused, and those that only look as if they should be."""
import grp
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, run  # noqa: E402


class Start(tap.Case):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="xmsg-")
        self.addCleanup(self.folder.cleanup)

    def run_it(self, *options):
        where = self.folder.name
        return run("--socket", where + "/sock", "--state", where + "/state",
                   *options)

    @tap.table([
        ("mode 866", ["--set", "server.mode=866"], "server.mode"),
        ("mode 686", ["--set", "server.mode=686"], "server.mode"),
        ("mode 668", ["--set", "server.mode=668"], "server.mode"),
        ("no such group", ["--set", "server.group=no such group"],
         "there is no group"),
        ("no such user", ["--set", "server.user=no such user"],
         "there is no user"),
    ])
    def refused(self, options, says):
        status, _, err = self.run_it(*options)
        self.assertEqual(status, 78, err)
        self.assertIn(says, err)
        self.assertFalse(os.path.exists(self.folder.name + "/state/switch.db"))

    def test_state_of_somebody_else(self):
        if os.geteuid() == 0:
            path = self.folder.name + "/other"
            os.mkdir(path)
            os.chown(path, 65534, -1)
        else:
            path = "/"
        status, _, err = self.run_it("--state", path)
        self.assertNotEqual(status, 0)
        self.assertIn(path, err)

    def test_pidfile_that_cannot_be_written(self):
        """It is told, and no more than that."""
        with Broker("--pidfile", self.folder.name + "/none/pid") as b:
            self.assertIn("cannot write", b.read_log())
            self.assertEqual(b.stop(), 0)

    def test_own_group_and_user(self):
        """What we are already is no change."""
        name = grp.getgrgid(os.getegid()).gr_name
        with Broker("--set", "server.group=" + name) as b:
            self.assertEqual(os.stat(b.socket).st_gid, os.getegid())
            self.assertEqual(b.stop(), 0)

    def test_syslog(self):
        with Broker("-S") as b:
            self.assertEqual(b.read_log(), "")
            self.assertEqual(b.stop(), 0)


if __name__ == "__main__":
    tap.main()
