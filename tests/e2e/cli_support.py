# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Running xmsg and message-cli against a broker of one's own."""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from broker import Broker, program, until  # noqa: E402,F401
from tap import Case, main, table  # noqa: E402,F401

SECRET = "hunter2-s3cret"
CALL = ('{"method":"SR.attach","params":[{"uuid":"u","device_config":'
        '{"chappassword":"%s"}}]}' % SECRET)


class Done:
    """What a run of the program left."""

    def __init__(self, code, out, err, seconds):
        self.code, self.raw, self.seconds = code, out, seconds
        self.out = out.decode("utf-8", "backslashreplace")
        self.err = err.decode("utf-8", "backslashreplace")

    def lines(self):
        return self.out.splitlines()

    def __repr__(self):
        return "exit %d after %.2f s\n--- stdout\n%s\n--- stderr\n%s" % (
            self.code, self.seconds, self.out[-3000:], self.err[-3000:])


class CliCase(Case):
    """Cases with one broker for the group; `fresh` gives another."""
    name = "xmsg"
    broker_options = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="xmsg-cli-")
        cls.path = os.path.join(cls.folder.name, cls.name)
        os.symlink(program("xmsg"), cls.path)
        cls.broker = Broker(*cls.broker_options)

    @classmethod
    def tearDownClass(cls):
        cls.broker.remove()
        cls.folder.cleanup()

    def logged(self):
        return self.broker.read_log()

    def env(self, broker=None, **more):
        b = broker or self.broker
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("XMSG_") and k != "NO_COLOR"}
        env.update(XMSG_SOCKET=b.socket, XMSG_STATE=b.state, LC_ALL="C.UTF-8",
                   TERM="xterm")
        env.update(more)
        return env

    def args(self, words, broker=None):
        return [self.path] + list(words)

    def start(self, *words, broker=None, env=None, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(self.args(words, broker),
                                env=self.env(broker, **(env or {})), **kw)

    def x(self, *words, want=0, broker=None, env=None, data=None, limit=60):
        """Run it to its end; `want` is the exit status, None: any."""
        if isinstance(data, str):
            data = data.encode()
        began = time.monotonic()
        p = self.start(*words, broker=broker, env=env,
                       stdin=subprocess.DEVNULL if data is None
                       else subprocess.PIPE)
        try:
            out, err = p.communicate(data, timeout=limit)
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            raise AssertionError("%r did not end in %g s" % (words, limit))
        done = Done(p.returncode, out, err, time.monotonic() - began)
        if want is not None:
            self.assertEqual(done.code, want, "%r: %r" % (words, done))
        return done

    def script(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path


class Serving:
    """A queue that is served in the background."""

    def __init__(self, case, *words, broker=None):
        self.broker = broker or case.broker
        self.process = case.start("serve", *words, broker=broker,
                                  stdout=subprocess.DEVNULL)
        queue = words[0]

        def polls():
            q = self.broker.queue(queue)
            return q is not None and q["parked"] > 0
        until(polls, "%s is served" % queue)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """SIGTERM: (exit status, what it said)."""
        if self.process.poll() is None:
            self.process.terminate()
        _, err = self.process.communicate(timeout=20)
        return self.process.returncode, err.decode()
