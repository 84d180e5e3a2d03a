# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Plugin folders that come, go and change, slowly and at up to 1,000 changes a
second: soon after the last change the served queues are what the folder says,
and nothing has leaked.

10 s of churn; 60 s with XMSG_FULL=1.  XMSG_SEED chooses the changes.
"""
import os
import random
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (FULL, PREFIX, SEED, Adapter, Staged,  # noqa: E402
                     answer_of_query, out, raw, request, staged, step, success,
                     until, volume)
from broker import memory  # noqa: E402
import tap  # noqa: E402
from calls_table import SR  # noqa: E402

SECONDS = 60 if FULL else 10
RATE = 1000   # changes a second, at most
NAMES = 40
SOON = 1.0    # seconds after which all must be right
FEW = ["Plugin.Query", "SR.ls"]


class Folder:
    """Random changes in the folder of volume plugins."""

    def __init__(self, adapter, seed):
        self.adapter, self.rng = adapter, random.Random(seed)
        self.root = os.path.join(adapter.root, "volume")
        self.aside = os.path.join(adapter.base, "aside")
        self.names = [PREFIX + "p%d" % i for i in range(NAMES)]
        self.serial = 0
        self.changes = 0
        for i, name in enumerate(self.names):
            # every fifth says something that is not served
            Staged(adapter, "volume", name, ready=False,
                   version="7.0" if i % 5 == 4 else "5.0")

    def wrong(self, name):
        return self.names.index(name) % 5 == 4

    def new(self):
        self.serial += 1
        return os.path.join(self.aside, "x%d" % self.serial)

    def some(self):
        return os.path.join(self.root, self.rng.choice(self.names))

    def make(self, path):
        os.mkdir(path)
        for script in FEW:
            os.symlink(staged(), os.path.join(path, script))

    # each is one change, or a few; what cannot be done is not

    def appear(self):
        path = self.new()
        self.make(path)
        os.rename(path, self.some())  # fails unless there is none

    def grow(self):
        self.make(self.some())

    def vanish(self):
        path = self.new()
        os.rename(self.some(), path)
        shutil.rmtree(path)

    def shrink(self):
        shutil.rmtree(self.some())

    def rename(self):
        os.rename(self.some(), self.some())

    def no_query(self):
        os.unlink(os.path.join(self.some(), "Plugin.Query"))

    def swap(self):
        """Another link in the place of the script."""
        path = self.new()
        os.symlink(self.rng.choice([staged(), staged(), "/dev/null"]), path)
        os.rename(path, os.path.join(self.some(), "Plugin.Query"))

    def own_file(self):
        """A file of its own, which can be made not executable."""
        path = self.new()
        shutil.copy(staged(), path)
        os.rename(path, os.path.join(self.some(), "Plugin.Query"))

    def chmod(self):
        path = os.path.join(self.some(), "Plugin.Query")
        if not os.path.islink(path):
            os.chmod(path, self.rng.choice([0o644, 0o755]))

    def stray(self):
        """Names that are no plugins."""
        path = os.path.join(self.root, self.rng.choice(
            [".hidden", "file", "x~"]))
        if os.path.exists(path):
            os.unlink(path)
        else:
            open(path, "w").close()

    def touch(self):
        os.utime(self.some())

    def root_goes(self):
        path = self.new()
        os.rename(self.root, path)
        if self.rng.random() < 0.5:
            os.mkdir(self.root)
            shutil.rmtree(path)
        else:
            os.rename(path, self.root)

    WAYS = [(appear, 30), (grow, 20), (vanish, 15), (shrink, 5),
            (rename, 20), (no_query, 5), (swap, 20), (own_file, 10),
            (chmod, 20), (stray, 10), (touch, 10), (root_goes, 0.3)]

    def change(self):
        way = self.rng.choices([w for w, _ in self.WAYS],
                               [n for _, n in self.WAYS])[0]
        try:
            way(self)
        except OSError:
            return
        self.changes += 1

    def churn(self, seconds):
        began = time.monotonic()
        while True:
            spent = time.monotonic() - began
            if spent > seconds:
                return
            if self.changes > RATE * spent:
                time.sleep(0.001)  # no faster
                continue
            self.change()

    def served(self):
        """The queues that this folder stands for."""
        found = set()
        for name in os.listdir(self.root):
            path = os.path.join(self.root, name, "Plugin.Query")
            if name in self.names and not self.wrong(name) and \
                    os.path.isfile(path) and os.access(path, os.X_OK):
                found.add(name)
        return found

    def clear(self):
        for name in os.listdir(self.root):
            path = os.path.join(self.root, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)


class Churn(tap.Case):
    def setUp(self):
        self.adapter = Adapter(level="info")
        self.addCleanup(self.adapter.remove)
        self.folder = Folder(self.adapter, SEED)

    def logged(self):
        return self.adapter.read_log()[-3000:]

    def same(self):
        return self.adapter.served() == self.folder.served()

    def soon(self, what, patience=SOON):
        began = time.monotonic()
        try:
            until(self.same, what, patience)
        except AssertionError:
            want, got = self.folder.served(), self.adapter.served()
            raise AssertionError("%s: not served %s; served %s" % (
                what, sorted(want - got), sorted(got - want)))
        return time.monotonic() - began

    def test_churn(self):
        # once through everything, so that caches are there
        self.folder.churn(1)
        self.folder.clear()
        self.soon("nothing is served", 5)
        fds, watches = self.adapter.fds(), self.adapter.watches()
        rss = self.adapter.rss_kib()
        self.folder.changes = 0
        self.folder.churn(SECONDS)
        took = self.soon("served is what the folder says",
                         SOON * (3 if memory(1) > 1 else 1))
        print("# %d changes in %d s, right after %.0f ms" % (
            self.folder.changes, SECONDS, took * 1000))
        self.assertGreater(self.folder.changes, SECONDS * RATE / 10)
        self.folder.clear()
        self.soon("nothing is served", 5)
        until(lambda: self.adapter.fds() <= fds, "descriptors as before")
        until(lambda: self.adapter.watches() <= watches,
              "watches as before")
        self.assertLess(self.adapter.rss_kib() - rss, memory(8 * 1024))
        self.adapter.until_quiet()

    def test_steps(self):
        """Each kind of change by itself."""
        for way in ("appear", "grow", "own_file", "rename", "swap", "chmod",
                    "stray", "no_query", "vanish", "root_goes", "shrink"):
            for _ in range(5):
                try:
                    getattr(self.folder, way)()
                except OSError:
                    pass
            self.soon(way, 3)


class Discovery(tap.Case):
    """When a folder is a plugin, and when not."""
    wrapper = ()

    def setUp(self):
        self.adapter = Adapter(start=False)
        self.addCleanup(self.adapter.remove)
        self.begin()

    def begin(self):
        self.adapter.start()

    def logged(self):
        return self.adapter.read_log()[-3000:]

    def gone(self, *plugins):
        names = {p.name for p in plugins}
        until(lambda: not names & self.adapter.served(),
              "not served: %s" % sorted(names))

    def why(self, name, *words):
        """The reason that is kept names these."""
        def said():
            return str(self.adapter.control("why", name=name))
        until(lambda: all(w.lower() in said().lower() for w in words),
              "why %s: %s" % (name, words), patience=5)

    def test_comes_and_goes(self):
        p = self.adapter.volume()
        self.adapter.ready(p)
        p.gone()
        self.gone(p)
        p.put()
        self.adapter.ready(p)

    def test_another_name(self):
        p = self.adapter.volume("a")
        self.adapter.ready(p)
        shutil.copytree(p.plans, os.path.join(
            self.adapter.base, "plan", PREFIX + "b"))
        os.rename(p.dir, os.path.join(self.adapter.root, "volume",
                                      PREFIX + "b"))
        until(lambda: self.adapter.served() == {PREFIX + "b"}, "renamed")

    def test_copied_slowly(self):
        """Scripts come one after the other, Plugin.Query last."""
        p = self.adapter.volume(ready=False)
        os.mkdir(p.dir)
        for script in reversed(p.scripts):
            os.symlink(staged(), p.path(script))
        self.adapter.ready(p)

    def test_repaired(self):
        """It fails, and is tried again when it changes."""
        p = self.adapter.volume()
        self.adapter.ready(p)
        p.replace("Plugin.Query", 0o644, "no")
        self.adapter.kill()
        self.adapter.start()
        self.why(p.name, "Plugin.Query")
        self.assertNotIn(p.name, self.adapter.served())
        p.restore("Plugin.Query")
        self.adapter.ready(p)

    def test_recovers_by_itself(self):
        """It fails and later does not, with no change in the folder."""
        p = self.adapter.volume(ready=False)
        p.usual("Plugin.Query", step("exit", 3))
        p.put()
        self.why(p.name, "exit", "3")
        p.usual("Plugin.Query", out(answer_of_query("staged")))
        self.adapter.ready(p)

    @tap.table([
        ("version 7.0", [out(answer_of_query("x", "7.0"))], ["7.0"]),
        ("no JSON", [raw("hello")], ["json"]),
        ("not a description", [out({"plugin": "x"})], ["name"]),
        ("signal", [step("signal", 9)], ["SIGKILL"]),
    ])
    def not_served(self, plan, words):
        p = self.adapter.volume(ready=False)
        p.usual("Plugin.Query", *plan)
        p.put()
        self.why(p.name, *words)
        self.assertNotIn(p.name, self.adapter.served())

    def test_names_that_are_none(self):
        """Files, hidden names, names left by package managers."""
        for name in (".x", "x.swp~"):
            aside = self.adapter.volume("aside")
            os.rename(aside.dir, os.path.join(self.adapter.root, "volume",
                                              PREFIX + name
                                              if name[0] != "." else name))
        open(os.path.join(self.adapter.root, "volume", "file"), "w").close()
        p = self.adapter.volume("real")
        self.adapter.ready(p)
        self.assertEqual(self.adapter.served(), {p.name})
        with self.adapter.broker.conn("x") as c:
            self.assertEqual(c.list("file"), [])
        self.why("file", "folder")

    def test_datapath_comes_and_goes(self):
        """Found when it is there, MISSING_URI when not."""
        p = self.adapter.volume()
        p.usual("Volume.stat", out(volume("k1")))
        self.adapter.ready(p)
        self.adapter.attach(p)
        answers = {True: success(), False: None}

        def detached():
            return self.adapter.call(p, "VDI.detach", sr=SR, vdi="k1",
                                     dp="d", vm="1") == answers[True]
        self.assertFalse(detached())
        d = self.adapter.datapath("dpx")
        until(detached, "the datapath is used")
        d.gone()
        until(lambda: not detached(), "the datapath is gone")

    def test_served_while_asked_again(self):
        """A change does not interrupt service: neither the queue nor the
        datapath is away while Plugin.Query runs once more."""
        p, d = self.adapter.volume(), self.adapter.datapath("dpx")
        p.usual("Volume.stat", out(volume("k1")))
        self.adapter.ready(p)
        self.adapter.until_datapath(d)
        self.adapter.attach(p)
        gate = os.path.join(self.adapter.base, "gate")
        for x in (p, d):
            x.usual("Plugin.Query", step("await", gate),
                    out(answer_of_query("x")))
            mark = self.adapter.mark()
            x.restore("Plugin.Query")
            until(lambda: any(l["plugin"] == x.name for l in
                              self.adapter.lines(mark)), "it is asked")
        self.assertIn(p.name, self.adapter.served())
        got = self.adapter.call(p, "VDI.detach", sr=SR, vdi="k1", dp="d",
                                vm="1")
        open(gate, "w").close()
        self.assertEqual(got, success())

    def test_root_comes_later(self):
        self.adapter.kill()
        shutil.rmtree(self.adapter.root)
        self.adapter.start()
        os.makedirs(os.path.join(self.adapter.root, "volume"))
        p = self.adapter.volume()
        self.adapter.ready(p)
        shutil.rmtree(self.adapter.root)
        self.gone(p)
        os.makedirs(os.path.join(self.adapter.root, "datapath"))
        os.makedirs(os.path.join(self.adapter.root, "volume"))
        p.put()
        self.adapter.ready(p)

    def test_calls_of_a_removed_plugin(self):
        """Whoever called is answered, or waits for its return; not left."""
        p = self.adapter.volume()
        self.adapter.ready(p)
        self.adapter.attach(p)
        p.usual("SR.ls", step("sleep", 200), out([]))
        with self.adapter.caller() as c:
            ident = c.send(p.name, request("SR.scan", {"sr": SR}))
            until(lambda: any(r["script"] == "sr.ls"
                              for r in self.adapter.runs()), "it runs")
            p.gone()
            c.reply(ident)
        self.gone(p)

    def test_owner_is_checked(self):
        """A script that others may write to is not run (promises D4)."""
        self.adapter.kill()
        self.adapter.settings.append("plugins.check_owner=yes")
        base = self.trusted()
        if base is None:
            self.skipTest("no folder here that only we can write to")
        self.addCleanup(shutil.rmtree, base, ignore_errors=True)
        real = os.path.join(base, "root")
        shutil.move(self.adapter.root, real)
        self.adapter.root = real
        self.adapter.start()
        good, bad = self.adapter.volume("good"), self.adapter.volume("bad")
        for p in (good, bad):
            p.replace("Plugin.Query", 0o755, "#!/bin/sh\ncat <<E\n%s\nE\n" %
                      open(os.path.join(p.plans, "plugin.query")).read()
                      .split("\n", 1)[1])
        os.chmod(bad.path("Plugin.Query"), 0o757)
        self.adapter.ready(good)
        self.why(bad.name, "Plugin.Query", "writ")
        self.assertNotIn(bad.name, self.adapter.served())
        os.chmod(bad.path("Plugin.Query"), 0o755)
        self.adapter.ready(bad)

    def trusted(self):
        """A folder whose parents only root or we can change."""
        for top in (os.path.dirname(staged()), os.path.expanduser("~"),
                    "/run", "/root"):
            path = os.path.realpath(top)
            up = []
            while path != "/":
                up.append(path)
                path = os.path.dirname(path)
            good = all(os.stat(d).st_uid in (0, os.getuid()) and
                       not os.stat(d).st_mode & 0o022 for d in up
                       if os.path.exists(d))
            if good and os.access(top, os.W_OK):
                return tempfile.mkdtemp(prefix="xmsg-", dir=top)
        return None


class NoInotify(Discovery):
    """The same where there is no inotify: folders are read again and again."""
    UNSHARE = ["unshare", "--user", "--map-root-user", "sh", "-c",
               'echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"',
               "sh"]

    def begin(self):
        if os.system("%s true 2>/dev/null" % " ".join(
                "'%s'" % w for w in self.UNSHARE)) != 0:
            self.skipTest("no user namespaces here")
        self.adapter.settings.append("plugins.rescan=100ms")
        plain = self.adapter.command
        self.adapter.command = lambda: self.UNSHARE + plain()
        self.adapter.start()


if __name__ == "__main__":
    tap.main()
