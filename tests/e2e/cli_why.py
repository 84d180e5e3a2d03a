# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Why is a message still there?  Situations are staged, with real brokers,
adapters, scripts and processes, and `why` has to name the cause in one line."""
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "adapter"))
from cli_support import CALL, Broker, CliCase, main, until  # noqa: E402
from support import Adapter, PREFIX, out, request, sr_stat, step  # noqa: E402

CALLED = '{"method":"SR.scan","params":[],"id":1}'

# A process whose child shares nothing but keeps it waiting in the kernel,
# uninterruptibly: clone(2) with CLONE_VFORK.
CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220, "ppc64le": 120}
WAIT_IN_KERNEL = """#!%s
import ctypes, time
call = ctypes.CDLL(None).syscall
if call(%d, 0x4000 | 17, 0, 0, 0, 0) == 0:
    time.sleep(600)
""" % (sys.executable, CLONE.get(platform.machine(), 220))


class WhyCase(CliCase):
    def why(self, ref, *words, want=0, **kw):
        """(cause, sentence); people get the same sentence, in one line."""
        row = json.loads(self.x("why", ref, "--json", *words, want=want,
                                **kw).out)
        self.assertEqual(row["ref"], ref)
        done = self.x("why", ref, *words, want=want, **kw)
        self.assertEqual(len(done.lines()), 1, done)
        self.assertTrue(done.out.startswith(ref))
        return row["cause"], row["text"]

    def send(self, queue="q", body=CALLED, caller=None, **kw):
        """A request; its caller lives as long as the connection."""
        c = caller or self.caller
        return "%s:%d" % (queue, c.publish(queue, body, "caller"))

    def call_from(self, broker):
        c = broker.conn("caller")
        c.create("caller", transient=True)
        return c


class OneQueue(WhyCase):
    """A queue called q, for each case anew."""

    def setUp(self):
        self.b = self.broker
        self.caller = self.call_from(self.b)
        self.addCleanup(self.caller.close)
        self.caller.create("q")

    def tearDown(self):
        self.x("destroy", "q", "--yes", want=None)


class Why(OneQueue):
    """What the broker alone knows."""

    def test_no_consumer(self):
        cause, text = self.why(self.send())
        self.assertEqual(cause, "no consumer")
        self.assertIn("no consumer on q: nobody has polled it", text)

    def test_consumer_dead_before_it_came(self):
        with self.b.conn("server") as c:
            c.poll(["q"])
        cause, text = self.why(self.send())
        self.assertEqual(cause, "consumer dead")
        self.assertRegex(text, r"the last one went away \d\.\ds ago")

    def test_consumer_dead_with_it(self):
        ref = self.send()
        with self.b.conn("server") as c:
            self.assertEqual(len(c.poll(["q"])[0]), 1)
        until(lambda: self.why(ref)[0] != "consumer slow", "it is gone")
        cause, text = self.why(ref)
        self.assertEqual(cause, "consumer dead")
        self.assertRegex(text, r"received it \d\.\ds ago and is gone; "
                               r"nobody else polls the queue")

    def test_consumer_slow(self):
        ref = self.send()
        with self.b.conn("server") as c:
            c.poll(["q"])
            until(lambda: self.why(ref)[0] == "consumer slow", "it is slow",
                  pause=0.05)
            cause, text = self.why(ref)
            self.assertRegex(text, r"^consumer server \(pid %d, .*\) received "
                             r"it \d\.\ds ago and has not acknowledged it$" %
                             os.getpid())
            later = self.send()
            until(lambda: self.why(later)[0] == "consumer slow",
                  "the other one waits for it", pause=0.05)
            self.assertIn("busy with 1 other message", self.why(later)[1])

    def test_consumer_stopped(self):
        p = self.start("serve", "q", "--program", "cat",
                       stdout=subprocess.DEVNULL)
        until(lambda: self.b.queue("q")["parked"] > 0, "it is served")
        p.send_signal(signal.SIGSTOP)
        try:
            ref = self.send()
            cause, text = self.why(ref)
            self.assertEqual(cause, "consumer stopped")
            self.assertIn("pid %d" % p.pid, text)
        finally:
            p.send_signal(signal.SIGCONT)
            p.terminate()
            p.communicate(timeout=20)

    def test_held_by_an_operator(self):
        ref = self.send()
        self.x("hold", ref)
        cause, text = self.why(ref)
        self.assertEqual(cause, "held by an operator")
        self.assertRegex(text, r"^held by an operator \d\.\ds ago \(pid \d+\)")
        self.assertIn("xmsg release", text)

    def test_poison(self):
        ref = self.send()
        for i in range(3):
            with self.b.conn("victim%d" % i) as c:
                c.poll(["q"])
        until(lambda: self.why(ref)[0] == "held as poison", "it is held")
        self.assertIn("ended its consumer", self.why(ref)[1])

    def test_caller_gone(self):
        with self.b.conn("asks") as other:
            other.create("asks", transient=True)
            ref = "q:%d" % other.publish("q", CALLED, "asks")
        with self.b.conn("server") as c:
            c.poll(["q"])
            until(lambda: self.b.queue("asks") is None, "the caller is gone")
            cause, text = self.why(ref)
            self.assertEqual(cause, "caller gone")
            self.assertIn("its caller asks is gone", text)
        self.assertIn("its caller asks is gone", self.why(ref)[1])

    def test_a_reply_that_nobody_fetches(self):
        self.caller.create("back")
        ref = "q:%d" % self.caller.publish("q", CALLED, "back")
        answer = self.x("reply", ref, "--body", "1").out.strip()
        cause, text = self.why(answer)
        self.assertEqual(cause, "caller gone")
        self.assertIn("the answer to %s" % ref, text)

    def test_paused(self):
        ref = self.send()
        with self.b.conn() as c:
            self.assertEqual(c.v1("/queues/q/pause", "POST")[0], 200)
        self.assertEqual(self.why(ref)[0], "queue paused")

    def test_several_and_those_that_are_not_there(self):
        one, two = self.send(), self.send()
        self.assertEqual(len(self.x("why", one, two).lines()), 2)
        self.assertEqual(len(self.x("why", "-", data=one + "\n" + two).lines()),
                         2)
        self.x("why", "q:1", want=1)
        self.x("why", one, "q:1", want=5)

    def test_no_secret(self):
        self.assertNotIn("hunter2", self.x("why", self.send(body=CALL)).out)


class WhyQueue(OneQueue):
    """A queue, by its name alone."""

    def test_nobody_serves_it(self):
        self.assertEqual(
            self.why("q"), ("no consumer", "empty; nobody has polled it since "
                            "the broker started"))
        ref = self.send()
        self.send()
        cause, text = self.why("q")
        self.assertEqual(cause, "no consumer")
        self.assertRegex(
            text, r"^2 messages \(2 waiting\); the oldest, %s SR\.scan, came "
            r"\d+\.\ds ago: no consumer on q: nobody has polled it .*; start "
            r"what serves it; 'xmsg cancel %s' ends it$" % (ref, ref))

    def test_its_consumer_is_gone(self):
        with self.b.conn("server") as c:
            c.poll(["q"])
        until(lambda: self.b.queue("q")["consumers"] == 0, "it is gone")
        cause, text = self.why("q")
        self.assertEqual(cause, "consumer dead")
        self.assertRegex(text, r"^empty; the last consumer went away \d+\.\ds "
                               r"ago$")
        self.send()
        cause, text = self.why("q")
        self.assertEqual(cause, "consumer dead")
        self.assertRegex(text, r"the last one went away \d+\.\ds ago; start")

    def serve(self):
        p = self.start("serve", "q", "--program", "cat",
                       stdout=subprocess.DEVNULL)

        def end():
            p.send_signal(signal.SIGCONT)
            p.terminate()
            p.communicate(timeout=20)
        self.addCleanup(end)
        until(lambda: self.b.queue("q")["parked"] > 0, "it is served")
        return p

    def test_all_is_well(self):
        p = self.serve()
        cause, text = self.why("q")
        self.assertEqual(cause, "nothing is wrong")
        self.assertRegex(text, r"^empty, served by .* \(pid %d, \w+\)$" % p.pid)

    def test_its_consumer_is_stopped(self):
        p = self.serve()
        p.send_signal(signal.SIGSTOP)
        cause, text = self.why("q")
        self.assertEqual(cause, "consumer stopped")
        self.assertIn("(pid %d" % p.pid, text)
        ref = self.send()
        cause, text = self.why("q")
        self.assertEqual(cause, "consumer stopped")
        self.assertIn("1 message (1 ", text)
        self.assertIn("the oldest, %s SR.scan" % ref, text)

    def test_its_consumer_is_slow(self):
        first = self.send()
        with self.b.conn("server") as c:
            c.poll(["q"])
            self.send()
            until(lambda: self.why("q")[0] == "consumer slow", "it is slow",
                  pause=0.05)
            text = self.why("q")[1]
            self.assertRegex(text, r"^2 messages \(1 in hand, 1 waiting\), "
                             r"served by server \(pid %d, .*\); the oldest, "
                             r"%s " % (os.getpid(), first))
            self.assertIn("'xmsg requeue %s'" % first, text)

    def test_held_and_the_others(self):
        held = self.send()
        self.x("hold", held)
        cause, text = self.why("q")
        self.assertEqual(cause, "held by an operator")
        self.assertIn("1 message (1 held); the oldest, %s " % held, text)
        self.assertIn("xmsg release", text)
        ref = self.send()
        cause, text = self.why("q")
        self.assertEqual(cause, "no consumer")
        self.assertIn("(1 waiting, 1 held); the oldest that is not held, %s " %
                      ref, text)

    def test_paused(self):
        self.x("pause", "q")
        cause, text = self.why("q")
        self.assertEqual((cause, text),
                         ("queue paused", "empty; delivery is paused, 'xmsg "
                          "resume' lets it go on"))
        self.send()
        cause, text = self.why("q")
        self.assertEqual(cause, "queue paused")
        self.assertIn("1 message (1 waiting)", text)
        self.x("resume", "q")
        self.assertEqual(self.why("q")[0], "no consumer")

    def test_somebody_s_own(self):
        cause, text = self.why("caller")
        self.assertEqual(cause, "nothing is wrong")
        self.assertEqual(text, "empty; it belongs to caller and goes with it")

    def test_no_broker(self):
        with Broker() as b:
            with self.call_from(b) as c:
                c.create("q")
                c.create("empty")
                ref = self.send(caller=c)
                held = self.send(caller=c)
            self.x("hold", held, broker=b)
            b.kill()
            cause, text = self.why("q", want=3, broker=b)
            self.assertEqual(cause, "no broker")
            self.assertIn("that is not held, %s " % ref, text)
            self.assertEqual(
                self.why("empty", "--offline", broker=b),
                ("no broker", "empty; no broker runs"))

    def test_by_listings_and_those_that_are_not_there(self):
        ref = self.send()
        listed = self.x("ls", "q", "--no-header").out
        self.assertEqual(self.x("why", "-", data=listed).lines()[0][:2], "q:")
        self.assertEqual(len(self.x("why", "q", ref).lines()), 2)
        self.caller.create("with%20blank")
        self.addCleanup(self.x, "destroy", "with blank", "--yes")
        self.assertIn("with blank: empty", self.x("why", "with blank").out)
        self.x("why", "nosuch", want=1)
        self.x("why", "q", "nosuch", want=5)
        self.x("why", "q" * 300, want=None)
        self.x("why", want=2)

    def test_completion(self):
        ref = self.send()
        offered = [l.split("\t")[0] for l in
                   self.x("__complete", "--", "why", "q").lines()]
        self.assertIn("q", offered)
        self.assertIn(ref, offered)

    def test_no_secret(self):
        self.send(body=CALL)
        self.assertNotIn("hunter2", self.x("why", "q").out)


class WhyBroken(WhyCase):
    """With a broker of its own each."""

    def test_held_after_a_reboot(self):
        with Broker() as b:
            with self.call_from(b) as c:
                c.create("q")
                ref = self.send(caller=c)
            self.assertEqual(b.stop(), 0)
            with contextlib.closing(sqlite3.connect(
                    os.path.join(b.state, "switch.db"))) as db:
                db.execute("UPDATE meta SET boot_id = 'another boot'")
                db.commit()
            b.start()
            cause, text = self.why(ref, broker=b)
            self.assertEqual(cause, "held after a reboot")
            self.assertIn("reboot", text)
            self.assertIn(ref, self.x("dead", broker=b).out)

    def test_no_broker(self):
        with Broker() as b:
            with self.call_from(b) as c:
                c.create("q")
                ref = self.send(caller=c)
                held = self.send(caller=c)
            self.x("hold", held, broker=b)
            b.kill()
            cause, text = self.why(ref, want=3, broker=b)
            self.assertEqual(cause, "no broker")
            self.assertEqual(self.why(held, want=3, broker=b)[0],
                             "held by an operator")
            self.assertEqual(self.why(ref, "--offline", broker=b)[0],
                             "no broker")

    def test_full_disk(self):
        folder = tempfile.mkdtemp(prefix="xmsg-")
        self.addCleanup(shutil.rmtree, folder, True)
        how = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        b = Broker("--set", "recorder.size=1M", start=False)
        self.addCleanup(b.remove)
        b.state = folder + "/state"
        b.wrapper = how + [
            "sh", "-c", 'mount -t tmpfs -o size=16m xmsg "$0" && exec "$@"',
            folder]
        b.start()
        inside = "/proc/%d/root%s/" % (b.process.pid, folder)
        with self.call_from(b) as c:
            c.create("q")
            ref = self.send(caller=c)
            with open(inside + "fill", "wb", buffering=0) as fill:
                for size in (65536, 512):
                    with contextlib.suppress(OSError):
                        while True:
                            fill.write(b"x" * size)
            cause, text = self.why(ref, broker=b)
            self.assertEqual(cause, "full disk")
            self.assertIn(folder, text)
            cause, text = self.why("q", broker=b)
            self.assertEqual(cause, "full disk")
            self.assertIn(folder, text)
            os.unlink(inside + "fill")
            self.assertEqual(self.why(ref, broker=b)[0], "no consumer")


class WhyScripts(WhyCase):
    """What the storage adapter knows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.broker.remove()
        cls.adapter = Adapter(start=False)
        cls.addClassCleanup(cls.adapter.remove)
        cls.broker = cls.adapter.broker
        cls.plugin = cls.adapter.volume("staged")
        cls.adapter.start()
        cls.adapter.ready(cls.plugin)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def logged(self):
        return self.adapter.read_log()

    def asked(self, method="SR.probe"):
        """A call whose script is running; its id."""
        caller = self.adapter.caller()
        self.addCleanup(caller.close)
        ident = caller.send(self.plugin.name, request(
            method, {"queue": self.plugin.name, "device_config": {},
                     "sm_config": {}}))
        return "%s:%d" % (self.plugin.name, ident)

    def ended(self, ref):
        """Afterwards nothing may be left."""
        self.x("cancel", ref, "--reason", "over")
        self.adapter.until_quiet()

    def until_cause(self, ref, cause):
        """It is the cause, and the script is named; the sentence."""
        got = []

        def there():
            got[:] = [self.why(ref)]
            return got[0][0] == cause and "script SR.probe" in got[0][1]
        try:
            until(there, cause, patience=15, pause=0.1)
        except AssertionError:
            raise AssertionError("%s, not %s" % (got, cause))
        return got[0][1]

    def test_script_hung(self):
        self.plugin.usual("SR.probe", step("sleep", "600000"))
        ref = self.asked()
        text = self.until_cause(ref, "script hung")
        self.assertRegex(text, r"^script SR\.probe \(pid \d+\) has been "
                               r"running for \d\.\ds and hangs: 0\.0s of")
        cause, text = self.why(self.plugin.name)
        self.assertEqual(cause, "script hung")
        self.assertIn("'xmsg cancel --kill %s' ends it" % ref, text)
        self.ended(ref)

    def hung(self):
        """A call whose script hangs, and the process of that."""
        self.plugin.usual("SR.probe", step("sleep", "600000"))
        ref = self.asked()
        text = self.until_cause(ref, "script hung")
        return ref, int(re.search(r"\(pid (\d+)\)", text).group(1))

    def test_cancel_waits_for_the_script(self):
        ref, pid = self.hung()
        self.x("cancel", ref, "--kill")
        self.assertEqual(self.x("scripts", "--no-header").out, "")
        until(lambda: not os.path.exists("/proc/%d" % pid), "it is gone")
        self.adapter.until_quiet()

    def test_a_script_is_killed_by_its_process(self):
        ref, pid = self.hung()
        self.assertIn(ref, self.x("scripts", "kill", str(pid), "--yes").out)
        until(lambda: not os.path.exists("/proc/%d" % pid), "it is gone")
        self.x("scripts", "kill", "1", "--yes", want=2)
        self.adapter.until_quiet()

    def test_script_at_work(self):
        self.plugin.replace("SR.probe", 0o755,
                            "#!/bin/sh\nwhile :; do :; done\n")
        self.addCleanup(self.plugin.restore, "SR.probe")
        ref = self.asked()
        text = self.until_cause(ref, "script running")
        self.assertRegex(text, r"^script SR\.probe \(pid \d+\) has been ")
        self.ended(ref)

    def test_script_in_state_d(self):
        self.plugin.replace("SR.probe", 0o755, WAIT_IN_KERNEL)
        self.addCleanup(self.plugin.restore, "SR.probe")
        ref = self.asked()
        text = self.until_cause(ref, "script in D state")
        self.assertIn("waits for the kernel, uninterruptibly (state D)", text)
        self.ended(ref)

    def test_plugin_not_loaded(self):
        with self.broker.conn("caller") as c:
            c.create("caller", transient=True)
            c.create(PREFIX + "nosuch")
            ref = self.send(PREFIX + "nosuch", caller=c)
            cause, text = self.why(ref)
        self.assertEqual(cause, "plugin not loaded")
        self.assertIn("its plugin is not loaded: ", text)
        cause, text = self.why(PREFIX + "nosuch")
        self.assertEqual(cause, "plugin not loaded")
        self.assertIn("its plugin is not loaded: ", text)
        self.x("cancel", ref)
        cause, text = self.why(PREFIX + "nosuch")
        self.assertEqual(cause, "plugin not loaded")
        self.assertTrue(text.startswith("empty; its plugin is not"), text)
        self.x("destroy", PREFIX + "nosuch", "--yes")


if __name__ == "__main__":
    main()
