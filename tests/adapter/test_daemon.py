# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The adapter as a process: its options, its start where something is in the
way, new settings while it runs, its end.  Exit statuses: xmsg-storaged(8)."""
import os
import resource
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (PATIENCE, Adapter, out, program,  # noqa: E402
                     request, step, success, until)
import tap  # noqa: E402
from calls_table import SR  # noqa: E402

OK, USAGE, UNAVAILABLE, OSERR, CANTCREAT, CONFIG = 0, 64, 69, 71, 73, 78


class Case(tap.Case):
    def setUp(self):
        self.adapter = Adapter(start=False, level="info")
        self.addCleanup(self.adapter.remove)

    def logged(self):
        return self.adapter.read_log()[-3000:]

    def path(self, name):
        return os.path.join(self.adapter.base, name)

    def end(self, *options, **kw):
        """Run it to its end: (status, what it wrote)."""
        done = subprocess.run(
            self.adapter.command() + list(options), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=PATIENCE, **kw)
        return done.returncode, done.stdout.decode()

    def until_said(self, text):
        until(lambda: text in self.adapter.read_log(), "it says " + text)

    def refuses(self, status, text, *options, **kw):
        got = self.end(*options, **kw)
        self.assertEqual(got[0], status, got[1])
        self.assertIn(text, got[1])


class Options(Case):
    @tap.table([
        ("help", ["--help"], OK, "usage: xmsg-storaged"),
        ("version", ["-V"], OK, "xmsg-storaged "),
        ("none such", ["--nonsense"], USAGE, "--help"),
        ("no value", ["--set", "scripts.time"], USAGE, "NAME=VALUE"),
        ("a word", ["nonsense"], USAGE, "nonsense"),
        ("no such setting", ["--set", "a.b=c"], CONFIG, "a.b"),
        ("no such level", ["--log-level", "loud"], CONFIG, "loud"),
        ("no such file", ["-c", "/no/such"], CONFIG, "/no/such"),
        ("an environment without =", ["--set", "scripts.env=A"],
         CONFIG, "scripts.env"),
        ("nobody's name", ["--set", "plugins.owners=no.such.user"], CONFIG,
         "no.such.user"),
        ("all is well", ["--check-config"], OK, ""),
        ("print", ["--print-config"], OK, "[scripts]")])
    def ends(self, options, status, text):
        self.refuses(status, text, *options)

    def test_more_descriptors(self):
        """It takes as many as it may have."""
        def few():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        self.adapter.process = subprocess.Popen(
            self.adapter.command(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=few)
        self.adapter.ready()
        soft, hard = resource.prlimit(self.adapter.process.pid,
                                      resource.RLIMIT_NOFILE)
        self.assertEqual(soft, hard)

    def test_syslog(self):
        """Nothing on standard error, from then on."""
        self.adapter.options = ["-S"]
        self.adapter.start()
        self.assertEqual(self.adapter.stop(), OK)
        self.assertEqual(self.adapter.read_log(), "")

    def test_relative_root(self):
        """A root below the folder it is started in."""
        plugin = self.adapter.volume()
        command = self.adapter.command()
        command[command.index("--root") + 1] = "root"
        with open(self.adapter.log, "ab") as log:
            self.adapter.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.adapter.base)
        self.adapter.ready(plugin)
        self.assertEqual([p["dir"] for p in self.adapter.known()],
                         [plugin.dir])

    def test_runner_and_groups(self):
        """A runner of a name, and a folder of control groups that is none."""
        self.adapter.settings += [
            "scripts.runner=" + program("xmsg-run"),
            "scripts.cgroup=" + self.path("no-such")]
        plugin = self.adapter.volume()
        self.adapter.start()
        self.adapter.ready(plugin)
        self.adapter.attach(plugin)


class InTheWay(Case):
    """It does not start, and says why."""

    def file(self, name):
        os.makedirs(self.adapter.state, exist_ok=True)
        return os.path.join(self.adapter.state, name)

    def test_no_folder_for_the_state(self):
        self.refuses(CANTCREAT, "/no/such", "--state", "/no/such/state")

    def test_not_our_state(self):
        """Who is root gives it away, else root's will do."""
        folder = "/"
        if os.geteuid() == 0:
            folder = self.adapter.state
            os.mkdir(folder)
            os.chown(folder, 1, 1)
        self.refuses(CANTCREAT, "is not ours", "--state", folder)

    def test_lock_is_a_folder(self):
        os.mkdir(self.file("lock"))
        self.refuses(CANTCREAT, "lock")

    @tap.table([(n, n) for n in ("calls.ring", "in_hand")])
    def is_a_folder(self, name):
        os.mkdir(self.file(name))
        self.refuses(74, name)

    def test_no_runner(self):
        self.refuses(CONFIG, "scripts.runner", "--set",
                     "scripts.runner=/no/such")

    def test_the_folder_it_is_in_is_gone(self):
        """A root that is relative to nothing."""
        folder = tempfile.mkdtemp(dir=self.adapter.base)
        self.refuses(CONFIG, "current folder", "--root", "root", cwd=folder,
                     preexec_fn=lambda: os.rmdir(folder))

    def test_two_of_them(self):
        """The second ends, and leaves the first its process file."""
        pidfile = self.path("pid")
        self.adapter.options = ["--pidfile", pidfile]
        self.adapter.start()
        with open(pidfile) as f:
            self.assertEqual(int(f.read()), self.adapter.process.pid)
        self.refuses(UNAVAILABLE, "another storage adapter")
        self.assertTrue(os.path.exists(pidfile))
        self.assertEqual(self.adapter.stop(), OK)
        self.assertFalse(os.path.exists(pidfile))

    @tap.table([("no folder", "/no/such/pid"), ("no room", "full")])
    def pidfile(self, name):
        """It starts without, and removes no file that it has not written."""
        path = self.path(name)
        os.symlink("/dev/full", self.path("full"))
        self.adapter.options = ["--pidfile", path]
        self.adapter.start()
        self.until_said("cannot write " + path)
        self.assertEqual(self.adapter.stop(), OK)
        self.assertEqual(os.path.lexists(path), name == "full")


class Reload(Case):
    def setUp(self):
        super().setUp()
        self.config = self.path("conf")
        self.adapter.options = ["--config", self.config]
        self.write("[limits]\nscripts = 7\n")
        self.adapter.start()

    def write(self, text):
        with open(self.config, "w") as f:
            f.write(text)

    def again(self, said):
        self.adapter.process.send_signal(signal.SIGHUP)
        self.until_said(said)

    def limit(self):
        return self.adapter.control("status")["limit"]

    def test_reload(self):
        self.assertEqual(self.limit(), 7)
        self.write("[limits]\nscripts = 9\n[adapter]\ncontrol = x\n")
        self.again("settings: reloaded")
        self.until_said("adapter.control changes at the next start")
        self.assertEqual(self.limit(), 9)

    def test_nonsense(self):
        """What was goes on."""
        self.write("[limits]\nscripts = many\n")
        self.again("not reloaded")
        self.assertEqual(self.limit(), 7)

    def test_command_line_stays(self):
        """What is said there outlives a reload."""
        self.write("[scripts]\nterm = 9s\n")
        self.again("settings: reloaded")
        done = subprocess.run(
            self.adapter.command() + ["--print-config"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.assertIn(b"term = 500ms", done.stdout)


class Ends(Case):
    def test_replies_that_are_not_taken(self):
        """The switch stands still: the adapter ends all the same, and gives the
        reply again when it is back."""
        gate = self.path("gate")
        plugin = self.adapter.volume()
        self.adapter.start()
        self.adapter.ready(plugin)
        self.adapter.attach(plugin)
        plugin.usual("SR.ls", step("note", "begin"), step("await", gate),
                     out([]))
        mark = self.adapter.mark()
        caller = self.adapter.caller()
        ident = caller.send(plugin.name, request("SR.scan", {"sr": SR}))
        until(lambda: any("note" in l for l in self.adapter.lines(mark)),
              "the script runs")
        self.adapter.broker.process.send_signal(signal.SIGSTOP)
        try:
            open(gate, "w").close()
            self.adapter.until_quiet()
            self.assertEqual(self.adapter.stop(), OK)
        finally:
            self.adapter.broker.process.send_signal(signal.SIGCONT)
        self.until_said("has not taken every reply")
        self.adapter.start()
        self.assertEqual(caller.reply(ident), success([]))
        self.assertEqual(len(self.adapter.runs(mark)), 1)
        caller.close()


if __name__ == "__main__":
    tap.main()
