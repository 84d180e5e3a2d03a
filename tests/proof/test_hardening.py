#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""What the running broker has given up, as the kernel says, and what its unit
takes away, as systemd says (promises D3)."""
import os
import pwd
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, post, program, until  # noqa: E402

UNIT = os.path.join(os.environ["XMSG_SRCDIR"], "packaging", "xmsgd.service")
MOST = 0.5  # exposure
HARD = ("--set", "server.harden=yes")


def built_with_foreign_code():
    """A sanitizer or gcov: see configure.ac."""
    with open(os.path.join(os.path.dirname(program()), "config.h")) as f:
        return "#define FOREIGN_RUNTIME 1" in f.read()


def fields(path):
    with open(path) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f
                    if ":\t" in line)


def tool(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, check=True,
                          stderr=subprocess.STDOUT).stdout.decode()


class Process(tap.Case):
    def broker(self, *options):
        b = Broker(*(HARD + options))
        self.addCleanup(b.remove)
        return b

    def check_threads(self, b, seccomp):
        folder = "/proc/%d/task" % b.process.pid
        tasks = os.listdir(folder)
        self.assertGreaterEqual(len(tasks), 3)
        for t in tasks:
            got = fields("%s/%s/status" % (folder, t))
            self.assertEqual(got["NoNewPrivs"], "1")
            self.assertEqual(got["Seccomp"], seccomp)
            for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(got[name], 16), 0, name)

    def test_each_thread(self):
        b = self.broker()
        self.check_threads(b, "0" if built_with_foreign_code() else "2")
        with b.conn("t") as c:
            c.create("q")
            i = c.publish("q", "x")
            self.assertEqual(c.poll(["q"], frm=-1)[0][0][1], i)
        self.check_threads(b, "0" if built_with_foreign_code() else "2")
        self.assertEqual(b.stop(), 0)
        self.assertEqual(len(b.read_log().splitlines()), 2, b.read_log())

    def test_closed_to_others(self):
        if built_with_foreign_code():
            self.skipTest("a sanitizer looks into its own process")
        b = self.broker()
        # to whom the kernel gives what it closes
        self.assertEqual(os.stat("/proc/%d/mem" % b.process.pid).st_uid, 0)
        if os.geteuid() != 0:
            with self.assertRaises(PermissionError):
                b.fds()

    def test_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        b = Broker("--set", "server.user=nobody", *HARD, start=False)
        self.addCleanup(b.remove)
        nobody = pwd.getpwnam("nobody").pw_uid
        for path in (b.folder, b.extra):
            if path:
                os.chmod(path, 0o755)
        os.mkdir(b.state, 0o700)
        os.chown(b.state, nobody, -1)
        b.start()
        got = fields("/proc/%d/status" % b.process.pid)
        self.assertEqual(set(got["Uid"].split()), {str(nobody)})
        self.assertEqual(os.stat(b.state + "/switch.db").st_uid, nobody)
        if not built_with_foreign_code():
            self.assertEqual(
                os.stat("/proc/%d/mem" % b.process.pid).st_uid, 0)
        self.assertEqual(b.stop(), 0)

    def test_switched_off(self):
        b = self.broker("--set", "server.harden=no")
        got = fields("/proc/%d/status" % b.process.pid)
        self.assertEqual((got["NoNewPrivs"], got["Seccomp"]), ("0", "0"))

    def test_what_needs_a_call_still_works(self):
        """The settings are read again, a stop and a go are survived, and a
        database that another program has locked is waited for."""
        folder = tempfile.mkdtemp(prefix="xmsg-")
        self.addCleanup(shutil.rmtree, folder)
        conf = folder + "/conf"
        with open(conf, "w") as f:
            f.write("[limits]\nbody = 1M\n")
        b = self.broker("--config", conf)
        with open(conf, "w") as f:
            f.write("[limits]\nbody = 100\n")
        b.signal(signal.SIGHUP)
        until(lambda: "settings read again" in b.read_log(), "reloaded")
        with b.conn("t") as c:
            c.create("q")
            b.signal(signal.SIGSTOP)
            until(lambda: fields("/proc/%d/status" % b.process.pid)["State"]
                  .startswith("T"), "it is stopped")
            b.signal(signal.SIGCONT)
            c.publish("q", "x")
            other = sqlite3.connect(b.state + "/switch.db")
            other.execute("BEGIN IMMEDIATE")
            c.send(post("/request/q/r", "y"))
            c.nothing(0.3)
            other.rollback()
            other.close()
            self.assertEqual(c.reply().status, 200)
            self.assertEqual(c.ask(post("/request/q/r", "x" * 200)).status,
                             413)


class Unit(tap.Case):
    def test_exposure(self):
        got = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--no-pager",
             UNIT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = got.stdout.decode()
        if "unrecognized option" in text:
            raise unittest.SkipTest("this systemd-analyze is too old")
        m = re.search(r"Overall exposure level .*?: ([\d.]+)", text)
        self.assertTrue(m, text)
        print("# exposure %s" % m.group(1))
        self.assertLessEqual(float(m.group(1)), MOST, text)

    def as_the_unit_has_it(self, out):
        """A broker of an ordinary user, traced."""
        b = Broker(*HARD, start=False, wrapper=[
            "strace", "-D", "-qqq", "-f", "-o", out + "/trace"])
        self.addCleanup(b.remove)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            b.wrapper = ["setpriv", "--reuid=nobody", "--clear-groups",
                         "--regid=%d" % nobody.pw_gid] + b.wrapper
            for path in (out, b.folder, b.extra):
                if path:
                    os.chown(path, nobody.pw_uid, -1)
        b.start()
        return b

    def calls(self, group, seen):
        """The calls of a group, groups within it too."""
        if not group.startswith("@"):
            return {group}
        if group in seen:
            return set()
        seen.add(group)
        got = set()
        for line in tool("systemd-analyze", "syscall-filter",
                         group).splitlines()[1:]:
            word = line.split("#")[0].strip()
            if word:
                got |= self.calls(word, seen)
        return got

    def test_the_unit_leaves_what_the_broker_calls(self):
        """From its first instruction to its last: strace says what it calls,
        systemd which calls are left."""
        with open(UNIT) as f:
            lines = re.findall(r"^SystemCallFilter=(~?)(.*)$", f.read(), re.M)
        left = self.calls("@default", set())
        for minus, words in lines:
            named = set()
            for word in words.split():
                named |= self.calls(word, set())
            left = left - named if minus else left | named
        self.assertIn("seccomp", left)
        if built_with_foreign_code():
            self.skipTest("a sanitizer makes calls of its own")
        if subprocess.call(["strace", "-o", os.devnull, "true"],
                           stderr=subprocess.DEVNULL) != 0:
            self.skipTest("no ptrace in this place")
        out = tempfile.mkdtemp(prefix="xmsg-")
        self.addCleanup(shutil.rmtree, out)
        b = self.as_the_unit_has_it(out)
        with b.conn("t") as c:
            c.create("q")
            c.publish("q", "x")
        self.assertEqual(b.stop(), 0)
        until(lambda: "exit_group(" in open(out + "/trace").read(), "the end")
        with open(out + "/trace") as f:
            used = set(re.findall(r"^\d+ +(\w+)\(", f.read(), re.M))
        self.assertIn("epoll_wait" if "epoll_wait" in used else "epoll_pwait",
                      used)
        print("# %d calls, all among the %d that are left" % (
            len(used), len(left)))
        self.assertEqual(used - left - {"execve"}, set())


tap.main()
