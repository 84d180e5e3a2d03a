# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Completion of plugins' scripts, in the shells themselves.

bash and fish are asked for their candidates; zsh is typed at, because it
completes only for people.
"""

import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE, BUILD = os.environ["XMSG_SRCDIR"], os.environ["XMSG_BUILDDIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests/idl"))
sys.dont_write_bytecode = True

import tap  # noqa: E402

PATIENCE = 20
# What is typed, and what can stand there ("" for nothing of ours).
CASES = [
    ("Volume.create d s n x 5 ", "false true"),
    ("./Volume.create d s n x 5 f", "false"),
    ("/a/plugin/Volume.create d s n x 5 t", "true"),
    ("Datapath.open -j d u ", "false true"),
    ("Datapath.open d u true ", ""),
    ("Volume.stat d ", ""),
    ("SR.create --c", "--configuration"),
    ("SR.create d --configuration k v --js", "--json"),
    ("SR.create --configuration k ", ""),
    ("Volume.stat --c", ""),
    ("Plugin.Query --h", "--help"),
]


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.files = os.path.join(cls.folder, "files")
        cls.empty = os.path.join(cls.folder, "empty")
        cls.home = os.path.join(cls.folder, "home")
        os.mkdir(cls.empty)
        os.mkdir(cls.home)
        subprocess.check_call(
            [os.path.join(BUILD, "xmsg-idl"), "completion", "-o", cls.files,
             os.path.join(SOURCE, "idl/api")])
        cls.env = dict(os.environ, HOME=cls.home, TERM="dumb",
                       XDG_CONFIG_HOME=cls.home, XDG_DATA_HOME=cls.home)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def lines(self, *words):
        if shutil.which(words[0]) is None:
            self.fail("%s is not installed: packaging/setup.sh installs what "
                      "the tests need" % words[0])
        done = subprocess.run(
            words, cwd=self.empty, env=self.env, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, universal_newlines=True)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return [line.split("\t")[0] for line in done.stdout.splitlines()
                if line]

    def file(self, name):
        return os.path.join(self.files, name)

    def test_bash(self):
        script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  '_smapi; printf "%s\\n" "${COMPREPLY[@]}"')
        for typed, wanted in CASES:
            words = typed.split(" ")
            got = self.lines("bash", "-c", script, self.file("smapi.bash"),
                             *words)
            self.assertEqual(wanted.split(), sorted(got), typed)
        self.assertIn("Volume.list_changed_blocks", " ".join(self.lines(
            "bash", "-c", 'source "$0"; complete -p',
            self.file("smapi.bash"))))

    def test_fish(self):
        for typed, wanted in CASES:
            got = self.lines(
                "fish", "--no-config", "-c", "source $argv[1]; "
                "complete -C $argv[2]", self.file("smapi.fish"), typed)
            self.assertEqual(wanted.split(), sorted(got), typed)

    def test_zsh(self):
        self.lines("zsh", "-n", self.file("_smapi"))
        zsh = Typed(["zsh", "-f", "-i"], self.empty, self.env)
        self.addCleanup(zsh.end)
        zsh.type("PS1='READ''Y '; fpath=(%s $fpath); autoload -Uz compinit; "
                 "compinit -u -D; unsetopt list_beep beep\n" % self.files)
        zsh.until("READY ")
        for typed, wanted in CASES:
            if " " in wanted:
                continue  # would be listed; one of them is completed above
            zsh.type(typed + "\t")
            head, _, last = typed.rpartition(" ")
            # A key that says that the completion is over: it shows what was
            # typed once more.
            zsh.type("\x18\x0bEND")
            shown = zsh.until("END")
            zsh.type("\x15")
            self.assertIn(wanted or last, shown)
            if not wanted:
                for word in ("true", "false", "--configuration"):
                    self.assertNotIn(word, shown.replace(typed, ""))

    def test_one_script(self):
        """A Python script prints its own."""
        place = os.path.join(self.folder, "one")
        os.mkdir(place)
        script = os.path.join(place, "Volume.create")
        os.symlink(os.path.join(
            SOURCE, "examples/volume/filebased/volume.py"), script)
        out = subprocess.check_output(
            [script, "--completion"], env=dict(
                self.env, XMSG_PYTHON=os.path.join(BUILD, "python"),
                PYTHONDONTWRITEBYTECODE="1"))
        path = os.path.join(place, "function")
        with open(path, "wb") as f:
            f.write(out)
        self.assertEqual(["true", "false"], self.lines(
            "bash", "-c", 'source "$0"; COMP_WORDS=(Volume.create d s n x 5 '
            '""); COMP_CWORD=6; _Volume_create; printf "%s\\n" '
            '"${COMPREPLY[@]}"', path))


class Typed(object):
    """A shell at a terminal."""

    def __init__(self, words, folder, env):
        if shutil.which(words[0]) is None:
            raise AssertionError(
                "%s is not installed: packaging/setup.sh installs what the "
                "tests need" % words[0])
        master, slave = pty.openpty()
        self.process = subprocess.Popen(
            words, cwd=folder, env=env, stdin=slave, stdout=slave,
            stderr=slave, start_new_session=True)
        os.close(slave)
        self.master = master

    def type(self, text):
        os.write(self.master, text.encode())

    def until(self, text):
        """What is shown up to and with a text."""
        shown, end = "", time.monotonic() + PATIENCE
        while text not in shown:
            ready, _, _ = select.select(
                [self.master], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError("never shown: %s in %r" % (text, shown))
            shown += os.read(self.master, 65536).decode("utf-8", "replace")
        return shown

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


if __name__ == "__main__":
    tap.main()
