# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Scripts that misbehave, each with its defined answer; messages that are no
calls.  Whatever comes, others are served, the process lives and does not grow.

XMSG_FULL=1: 10,000 random messages instead of 2,000.  XMSG_SEED chooses them.
"""
import json
import os
import random
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (FULL, SEED, Adapter, endless, err,  # noqa: E402
                     out, raw, request, step, success, until)
from broker import memory  # noqa: E402
import tap  # noqa: E402
from calls_table import SR  # noqa: E402

GROWTH = 20 * 1024  # KiB
LIMIT = 1.0         # seconds that a script may take here
TERM = 0.5          # seconds between SIGTERM and SIGKILL
SIGTERM, SIGSTOP, SIGKILL, SIGSEGV = 15, 19, 9, 11


class One(tap.Case):
    """One adapter and one plugin for a group."""
    settings = ("scripts.times=SR.ls=1s", "scripts.term=500ms",
                "scripts.output=4M", "scripts.stderr=4K",
                "scripts.grace=250ms")

    @classmethod
    def setUpClass(cls):
        cls.adapter = Adapter(*cls.settings, start=False)
        cls.addClassCleanup(cls.adapter.remove)
        cls.plugin = cls.adapter.volume()
        cls.other = cls.adapter.volume("other")
        cls.adapter.start()
        cls.adapter.ready(cls.plugin, cls.other)
        for p in (cls.plugin, cls.other):
            cls.adapter.attach(p)
        cls.caller = cls.adapter.caller()
        cls.scan([out([])])  # buffers are there
        cls.rss = cls.adapter.rss_kib()

    @classmethod
    def tearDownClass(cls):
        cls.caller.close()

    def logged(self):
        return self.adapter.read_log()[-2000:]

    @classmethod
    def scan(cls, plan):
        """SR.scan with that plan: (reply, seconds)."""
        cls.plugin.usual("SR.ls", *plan)
        began = time.monotonic()
        reply = cls.caller.call(cls.plugin.name,
                                request("SR.scan", {"sr": SR}))
        return reply, time.monotonic() - began

    def tearDown(self):
        """Others are served, nothing is left, the process has not grown."""
        self.assertEqual(self.adapter.call(self.other, "SR.reset", sr=SR),
                         success())
        self.adapter.check()
        self.assertLess(self.adapter.rss_kib() - self.rss, memory(GROWTH))


def script_failed(reply):
    """What SCRIPT_FAILED says: the list."""
    error = json.loads(reply)["error"]
    if error[0] != "Backend_error" or error[1][0] != "SCRIPT_FAILED":
        raise AssertionError(reply[:2000])
    return error[1][1]


class Scripts(One):
    def path(self):
        return self.plugin.path("SR.ls")

    def ended(self, plan, word, least=0.0, most=LIMIT + TERM + 2, quiet=True):
        """It is ended by the adapter, and the answer says why."""
        reply, seconds = self.scan(plan)
        said = script_failed(reply)
        self.assertEqual(said[0], self.path())
        self.assertRegex(" ".join(said[1:])[:2000], "(?i)" + word)
        self.assertGreaterEqual(seconds, least)
        self.assertLess(seconds, most)
        if quiet:
            self.adapter.until_quiet()
        return said

    def test_01_never_ends(self):
        said = self.ended([err("waiting for the disk\n"),
                           step("sleep", 600000)], "time", LIMIT)
        self.assertEqual(said[-1], "waiting for the disk\n")

    def test_02_ignores_term(self):
        self.ended([step("ignore", SIGTERM), step("sleep", 600000)], "time",
                   LIMIT + TERM)

    def test_03_stops_itself(self):
        """Stopped is not ended: the time limit counts."""
        self.ended([step("signal", SIGSTOP)], "time|SIGSTOP")

    def test_04_forks_and_hangs(self):
        """The whole group goes."""
        self.ended([step("fork", 600000)] * 20 + [step("sleep", 600000)],
                   "time", LIMIT)

    def test_05_leaves_a_daemon(self):
        """Answered when the script ends; the daemon, in a session of its own
        and with our descriptors, may stay."""
        reply, seconds = self.scan([step("daemon", 3000), out([])])
        self.assertEqual(reply, success([]))
        self.assertLess(seconds, 1.1)
        until(lambda: not self.adapter.processes(), "the daemon ends",
              patience=10, pause=0.02)

    def test_06_endless_output(self):
        said = self.ended([endless("x" * 65536)], "output|stdout|bytes|more")
        self.assertLess(len(json.dumps(said)), 256 * 1024)

    def test_07_endless_stderr(self):
        """Only its end is kept."""
        said = self.ended([step("to", 2), endless("noise\n")], "time", LIMIT)
        self.assertLessEqual(len(said[-1]), 4096 + 100)
        self.assertIn("noise\nnoise\n", said[-1])

    def test_08_much_stderr(self):
        noise = [err("noise %d " % i * 1000) for i in range(100)]
        said = script_failed(self.scan(noise + [err("the end"),
                                                step("exit", 3)])[0])
        self.assertEqual(said[1:4], [
            "non-zero exit and bad json on stdout", "3", ""])
        self.assertTrue(said[-1].endswith("the end"))
        self.assertLessEqual(len(said[-1]), 4096 + 100)

    def test_09_binary(self):
        said = script_failed(self.scan([raw(bytes(range(256)) * 64)])[0])
        self.assertEqual(said[:2], [self.path(), "bad json on stdout"])

    def test_10_deep_json(self):
        for text in ("[" * 1000000, "[" * 5000 + "]" * 5000,
                     '{"a":' * 100000):
            said = script_failed(self.scan([raw(text)])[0])
            self.assertRegex(" ".join(said), "bad json|exception")

    def test_11_dies_by_itself(self):
        said = script_failed(self.scan([
            raw("half"), err("bad pointer\n"), step("signal", SIGSEGV)])[0])
        self.assertEqual(said, [self.path(), "signalled", "SIGSEGV", "half",
                                "bad pointer\n"])

    def test_12_reads_nothing(self):
        """Input beyond what a pipe holds, and a script that ignores it."""
        big = {"path": "x" * 300000}
        self.plugin.usual("SR.create", step("noread"), step("close", 0),
                          out({"a": "b"}))
        self.assertEqual(self.caller.call(self.plugin.name, request(
            "SR.create", {"sr": "n", "device_config": big,
                          "name_label": "", "name_description": "",
                          "physical_size": 0})), success({"a": "b"}))

    def test_13_large_input_and_output(self):
        """What is allowed goes through whole."""
        big = {"path": "\u00e9" * 500000}
        self.plugin.usual("SR.create", out({"b": "y" * 3000000}))
        mark = self.adapter.mark()
        reply = self.caller.call(self.plugin.name, request(
            "SR.create", {"sr": "n", "device_config": big, "name_label": "",
                          "name_description": "", "physical_size": 0}))
        self.assertEqual(reply, success({"b": "y" * 3000000}))
        run = self.adapter.runs(mark)[0]
        self.assertGreater(run["bytes"], 1000000)

    def test_14_kills_who_started_it(self):
        """Its runner dies: the outcome is unknown, and said to be."""
        self.ended([step("killparent", SIGKILL), step("sleep", 600000)],
                   "unknown|lost|vanished|runner", most=20)

    def test_15_result_of_a_failed_script(self):
        """Status decides, not output."""
        said = script_failed(self.scan([out([]), step("exit", 1)])[0])
        self.assertEqual(said[1:3], [
            "non-zero exit and bad json on stdout", "1"])

    def test_16_no_space_for_a_reply(self):
        """A reply that the switch refuses as too large is a failure, not
        silence."""
        v = {"key": "k" * 100000, "name": "", "description": "",
             "read_write": True, "sharable": False, "virtual_size": 0,
             "physical_utilisation": 0, "uri": [], "keys": {}}
        reply, _ = self.scan([out([v] * 30)])
        self.assertEqual(len(json.loads(reply)["result"]), 30)


class Random:
    """Messages that resemble calls more or less."""
    METHODS = ["SR.list", "SR.reset", "VDI.set_persistent", "VDI.nothing",
               "VDI.similar_content", "DATA.copy", "", "SR.", "\u0000",
               "smapiv3.Volume.stat", "smapiv3.", "adapter.status"]

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def value(self, depth=0):
        kind = self.rng.randrange(9 if depth < 4 else 7)
        if kind == 7:
            return [self.value(depth + 1)
                    for _ in range(self.rng.randrange(4))]
        if kind == 8:
            return {self.rng.choice("abcdefg"): self.value(depth + 1)
                    for _ in range(self.rng.randrange(4))}
        return [None, True, 7, -2 ** 63, 1.5, "text", "\u20ac\"\\"][kind]

    def call(self):
        params = {n: self.value() for n in self.rng.sample(
            ["sr", "vdi", "dbg", "persistent", "vdi_info", "key"], 4)}
        call = {"method": self.rng.choice(self.METHODS),
                "params": [params], "id": self.rng.choice([1, "x", None])}
        if self.rng.random() < 0.3:
            call[self.rng.choice(list(call))] = self.value()
        if self.rng.random() < 0.1:
            call["jsonrpc"] = self.rng.choice(["2.0", "1.0", 2])
        return json.dumps(call).encode()

    def message(self):
        kind = self.rng.randrange(4)
        if kind == 0:
            return bytes(self.rng.randrange(256) for _ in range(
                self.rng.randrange(200)))
        text = bytearray(self.call())
        if kind == 1:  # cut
            del text[self.rng.randrange(len(text)):]
        elif kind == 2:  # changed
            for _ in range(self.rng.randrange(1, 5)):
                text[self.rng.randrange(len(text))] = self.rng.randrange(256)
        return bytes(text)


class Messages(One):
    def test_random(self):
        """Each has exactly one answer, a proper one."""
        n = 10000 if FULL else 2000
        messages = Random(SEED)
        patience = self.caller.patience
        sent = {}
        for i in range(n):
            text = messages.message()
            sent[self.caller.send(self.plugin.name, text)] = text
            if i % 200 == 199:
                for ident in list(sent):
                    self.proper(self.caller.reply(ident), sent.pop(ident))
        for ident, text in sent.items():
            self.proper(self.caller.reply(ident), text)
        self.assertEqual(self.caller.patience, patience)

    def proper(self, reply, text):
        got = json.loads(reply)
        self.assertIsInstance(got, dict, text)
        self.assertIn("id", got, text)
        if "jsonrpc" not in got:
            self.assertEqual(sorted(got), ["error", "id", "result"], text)
            self.assertTrue(got["error"] is None or got["result"] is None)

    def test_random_on_the_control_queue(self):
        messages = Random(SEED + 1)
        ids = [self.caller.send("xmsg.storaged", messages.message())
               for _ in range(300)]
        for ident in ids:
            json.loads(self.caller.reply(ident))

    def test_one_bad_among_good(self):
        """Calls around it are answered."""
        self.plugin.usual("SR.ls", out([]))
        good = request("SR.scan", {"sr": SR})
        ids = [self.caller.send(self.plugin.name, t)
               for t in [good, "not JSON", good]]
        got = [self.caller.reply(i) for i in ids]
        self.assertEqual([got[0], got[2]], [success([])] * 2)
        self.assertEqual(json.loads(got[1])["error"][0], "Internal_error")

    def test_bad_over_a_restart(self):
        """A message that was in the queue when the adapter started."""
        self.adapter.kill()
        ident = self.caller.send(self.plugin.name, "not JSON")
        self.adapter.start()
        self.assertEqual(json.loads(self.caller.reply(ident))["error"][0],
                         "Internal_error")
        type(self).rss = self.adapter.rss_kib()


if __name__ == "__main__":
    tap.main()
