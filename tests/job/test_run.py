# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""xmsg-run by itself: its options, and what its script gets and leaves."""
import ctypes
import errno
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import PATIENCE, program  # noqa: E402

LONGEST = str(2 ** 63 - 1)
CLOSE_RANGE = 436  # on all machines


def without_close_range():
    """As on an older kernel: the system call is not there."""
    refuse = struct.pack("HBBI" * 4,
                         0x20, 0, 0, 0,            # load the number
                         0x15, 0, 1, CLOSE_RANGE,  # is it the one?
                         0x06, 0, 0, 0x50000 | errno.ENOSYS,
                         0x06, 0, 0, 0x7fff0000)
    text = ctypes.create_string_buffer(refuse)
    filters = ctypes.create_string_buffer(struct.pack(
        "HxxxxxxP", 4, ctypes.addressof(text)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(
            22, 2, ctypes.c_void_p(ctypes.addressof(filters)), 0, 0):
        raise OSError(ctypes.get_errno(), "no filter")


class Run(tap.Case):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="xmsg-run-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.dir = self.path("run")
        os.mkdir(self.dir)

    def path(self, name):
        return os.path.join(self.folder, name)

    def script(self, text):
        with open(self.path("script"), "w") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(self.path("script"), 0o755)
        return self.path("script")

    def run_it(self, options, rest, **kw):
        done = subprocess.run(
            [program("xmsg-run")] + options + rest,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=PATIENCE, **kw)
        return done.returncode, done.stdout.decode()

    def ran(self, text, *options, **kw):
        """Run that script: the facts about its end."""
        got = self.run_it(list(options), [self.dir, "0", self.script(text)],
                          **kw)
        self.assertEqual(got, (0, ""))
        line = self.left("status").split("\n")[1]
        return dict(word.split("=") for word in line.split())

    def left(self, kind):
        """A file of the run."""
        with open(os.path.join(self.dir, "0." + kind)) as f:
            return f.read()

    @tap.table([
        ("nothing", [], []),
        ("no value", ["--time"], []),
        ("a word for a number", ["--time", "soon"], None),
        ("a negative number", ["--time", "-1"], None),
        ("a number and more", ["--time", "1s"], None),
        ("a large number", ["--time", "99999999999999999999"], None),
        ("no such option", ["--nonsense", "1"], None),
        ("a variable without a value", ["--env", "A"], None),
        ("no number of a step", [], ["x", "/bin/true"]),
        ("a large number of a step", [], ["1000000", "/bin/true"]),
        ("no script", [], ["0"]),
        ("a relative script", [], ["0", "true"])])
    def refuses(self, options, rest):
        if rest is None:
            rest = ["0", "/bin/true"]
        status, said = self.run_it(options, [self.dir] + rest
                                   if rest else [])
        self.assertEqual(status, errno.EINVAL)
        self.assertIn("usage: xmsg-run", said)
        self.assertEqual(os.listdir(self.dir), [])

    def test_variables(self):
        """What is said, and what each script has."""
        end = self.ran("env\n", "--env", "A=b=c", "--env", "LANG=de",
                       "--path", "/usr/bin:/bin:/x")
        self.assertEqual((end["end"], end["code"]), ("exit", "0"))
        env = dict(l.split("=", 1) for l in self.left("out").splitlines())
        self.assertEqual(env["A"], "b=c")
        self.assertEqual(env["LANG"], "de")
        self.assertEqual(env["LC_ALL"], "C.UTF-8")
        self.assertEqual(env["PATH"], "/usr/bin:/bin:/x")

    @tap.table([("no time", ["--time", "0"]),
                ("all of time", ["--time", LONGEST, "--grace", LONGEST]),
                ("few descriptors", ["--nofile", "20"])])
    def ends_well(self, options):
        end = self.ran("echo out\nulimit -n >&2\n", *options)
        self.assertEqual((end["end"], end["code"]), ("exit", "0"))
        self.assertEqual(self.left("out"), "out\n")
        if "--nofile" in options:
            self.assertEqual(self.left("err"), "20\n")

    def test_nothing_is_kept(self):
        """Of standard error, when its bound is 0; it is counted."""
        end = self.ran("echo x >&2\n", "--err", "0")
        self.assertEqual((end["end"], end["err"]), ("exit", "2"))
        self.assertFalse(os.path.exists(os.path.join(self.dir, "0.err")))

    def test_no_output_is_allowed(self):
        end = self.ran("echo x\nexec sleep 1000\n", "--out", "0")
        self.assertEqual((end["end"], end["code"]), ("output", "0"))

    @tap.table([("no such folder", "no/such", errno.ENOENT),
                ("no folder of groups", "groups", errno.ENOENT)])
    def group(self, name, why):
        """Best effort: the run goes on, and its record says why there is none."""
        os.mkdir(self.path("groups"))
        end = self.ran("exit 3\n", "--cgroup", self.path(name))
        self.assertEqual((end["end"], end["code"]), ("exit", "3"))
        self.assertEqual(end["cgroup"], str(why))
        self.assertEqual(os.listdir(self.path("groups")), [])

    @tap.table([("at once", None), ("one by one", without_close_range)])
    def descriptors(self, before):
        """The script gets three, whatever we were given."""
        files = [os.open("/dev/null", os.O_RDONLY) for _ in range(20)]
        try:
            self.ran("for i in /proc/self/fd/*; do echo ${i##*/}; done\n",
                     pass_fds=files, preexec_fn=before)
        finally:
            for f in files:
                os.close(f)
        # the shell reads the script, and lists, by descriptors of its own
        given = [int(n) for n in self.left("out").split()]
        self.assertEqual([n for n in given if n < 3], [0, 1, 2])
        self.assertLess(len(given), 8)


if __name__ == "__main__":
    tap.main()
