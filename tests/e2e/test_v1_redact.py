# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Words that the settings add are secret wherever payloads are shown; consumers
get what was sent."""
import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, get, run, until  # noqa: E402

PAYLOAD = '{"method":"m","lun-id":"hunter2","plain":"shown"}'


class Redact(tap.Case):
    def test_everywhere(self):
        b = Broker("--set", "redact.keys=LunId wwn")
        self.addCleanup(b.remove)
        c = b.conn("me")
        c.create("q")
        i = c.publish("q", PAYLOAD, "x")
        shown = [c.ask(get(t)).body for t in (
            "/", "/trace/-1/0", "/v1/events?after=-1",
            "/v1/queues/q/messages?payload=1", "/v1/queues/q/messages/%d" % i)]
        for body in shown:
            self.assertIn(b"shown", body)
            self.assertNotIn(b"hunter2", body)
        with open(os.path.join(b.state, "recorder.ring"), "rb") as f:
            ring = f.read()
        self.assertIn(b"shown", ring)
        self.assertNotIn(b"hunter2", ring)
        self.assertEqual([m[2] for m in c.poll(["q"])[0]], [PAYLOAD])
        c.publish("q", '{"lun-id":"hunter2"} shown', "x")
        for form in ("text", "mscgen", "mermaid", "svg", "html", "json"):
            body = c.ask(get("/v1/chart?format=" + form)).body
            self.assertIn(b"***", body, form)
            self.assertNotIn(b"hunter2", body, form)

    def test_reload(self):
        b = Broker(start=False)
        self.addCleanup(b.remove)
        conf = os.path.join(b.folder, "conf")

        def write(words):
            with open(conf, "w") as f:
                f.write("[redact]\nkeys = %s\n" % words)
        write("wwn")
        b.options += ["--config", conf]
        b.start()
        c = b.conn("me")
        c.create("q")
        i = c.publish("q", PAYLOAD, "x")

        def shown():
            return c.v1("/queues/q/messages/%d" % i)[1]["payload"]
        self.assertIn("hunter2", shown())
        write("lunid")
        b.signal(signal.SIGHUP)
        until(lambda: "hunter2" not in shown(), "the words are new")
        write("no.word")
        b.signal(signal.SIGHUP)
        until(lambda: "settings not changed: redact.keys" in b.read_log(),
              "it says why")
        self.assertNotIn("hunter2", shown())

    def test_refused_at_start(self):
        status, _, err = run("--socket", "/nowhere/sock", "--state",
                             "/nowhere", "--set", "redact.keys=ab")
        self.assertEqual(status, 78)
        self.assertIn("redact.keys: up to 64 words", err)


tap.main()
