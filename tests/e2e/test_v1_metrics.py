# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""/metrics: read by a strict reader of OpenMetrics text, and, when it is there, by
promtool; and the numbers are those that happened."""
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, get, post, until  # noqa: E402

TYPE = b"application/openmetrics-text; version=1.0.0; charset=utf-8"
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
VALUE = r'(?:[^"\\\n]|\\[\\"n])*'
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="(%s)"' % VALUE
ANY = r'[a-zA-Z_][a-zA-Z0-9_]*="%s"' % VALUE
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (\S+)" % (NAME, ANY, ANY))
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|\+Inf|NaN")
SUFFIXES = {"counter": ("_total",), "gauge": ("",),
            "histogram": ("_bucket", "_count", "_sum")}


def unescape(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)


def parse(body):
    """{family: type} and {(sample, labels): value}; ValueError when it is not as
    the format has it."""
    text = body.decode("utf-8")
    lines = text.split("\n")
    if lines[-2:] != ["# EOF", ""]:
        raise ValueError("no # EOF at the end")
    types, samples, now, told = {}, {}, None, set()
    for line in lines[:-2]:
        words = line.split(" ", 3)
        if line.startswith("#"):
            if words[1] == "TYPE":
                now, told = words[2], set()
                if now in types or words[3] not in SUFFIXES:
                    raise ValueError("type twice, or unknown: " + line)
                types[now] = words[3]
            elif words[1] not in ("HELP", "UNIT") or words[2] != now:
                raise ValueError("out of place: " + line)
            elif words[1] == "UNIT" and not now.endswith("_" + words[3]):
                raise ValueError("the unit is not the end: " + line)
            if words[1] in told:
                raise ValueError("twice: " + line)
            told.add(words[1])
            continue
        m = SAMPLE.fullmatch(line)
        if m is None or not NUMBER.fullmatch(m.group(3)):
            raise ValueError("no sample: " + line)
        labels = tuple((k, unescape(v))
                       for k, v in re.findall(LABEL, m.group(2) or ""))
        if now is None or m.group(1) not in [now + s for s in
                                             SUFFIXES[types[now]]]:
            raise ValueError("not of the family %s: %s" % (now, line))
        if len(set(k for k, _ in labels)) != len(labels):
            raise ValueError("a label twice: " + line)
        if (m.group(1), labels) in samples:
            raise ValueError("a sample twice: " + line)
        samples[m.group(1), labels] = float(m.group(3))
    check_histograms(types, samples)
    return types, samples


def check_histograms(types, samples):
    """Buckets ascend, the last is +Inf and is the count."""
    for family in [f for f, t in types.items() if t == "histogram"]:
        groups = {}
        for (name, labels), value in samples.items():
            if name == family + "_bucket":
                rest = tuple(x for x in labels if x[0] != "le")
                groups.setdefault(rest, []).append(
                    (float(dict(labels)["le"]), value))
        for rest, buckets in groups.items():
            if (buckets != sorted(buckets) or
                    [n for _, n in buckets] != sorted(n for _, n in buckets)
                    or buckets[-1][0] != float("inf") or
                    buckets[-1][1] != samples[family + "_count", rest]):
                raise ValueError("buckets of %s %s" % (family, rest))
            if (family + "_sum", rest) not in samples:
                raise ValueError("no sum of %s %s" % (family, rest))


class Metrics(tap.Case):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.remove)
        self.c = self.broker.conn("caller")
        self.c.create("svc")
        self.c.create("caller", transient=True)

    def logged(self):
        return self.broker.read_log()

    def fetch(self):
        r = self.c.ask(get("/metrics"))
        self.assertEqual(r.status, 200)
        self.assertEqual(dict(r.fields())[b"content-type"], TYPE)
        return r.body

    def value(self, name, **labels):
        _, samples = parse(self.fetch())
        want = set(labels.items())
        got = [v for (n, l), v in samples.items()
               if n == "xmsg_" + name and set(l) == want]
        self.assertEqual(len(got), 1, (name, labels))
        return got[0]

    def test_empty(self):
        types, samples = parse(self.fetch())
        self.assertEqual(types["xmsg_build_info"], "gauge")
        version = self.broker.status()["version"]
        self.assertEqual(samples["xmsg_build_info", (("version", version),)],
                         1)
        self.assertTrue(all(f.startswith("xmsg_") for f in types))

    def test_counts(self):
        """What happened, and nothing else."""
        ids = [self.c.publish("svc", "x", "caller") for _ in range(6)]
        self.c.v1("/queues/svc/messages/%d/hold" % ids[5], "POST")
        consumer = self.broker.conn("consumer")
        consumer.poll(["svc"])
        self.c.publish("svc", "new", "caller")
        consumer.respond("caller", "svc", ids[0], "y")
        consumer.ack("svc", ids[0])
        until(lambda: self.broker.queue("svc")["messages"] == 6, "it is gone")
        self.c.v1("/queues/svc/messages/%d/cancel" % ids[1], "POST")
        for state, n in (("ready", 1), ("delivered", 3), ("held", 1)):
            self.assertEqual(self.value("queue_messages", queue="svc",
                                        state=state), n, state)
            self.assertEqual(self.value("messages", kind="persistent",
                                        state=state), n, state)
        self.assertEqual(self.value("messages", kind="transient",
                                    state="ready"), 2)
        for name, n in (("published", 7), ("replied", 2), ("delivered", 5),
                        ("acked", 1), ("cancelled", 1),
                        ("queues_created", 2)):
            self.assertEqual(self.value(name + "_total"), n, name)
        self.assertEqual(self.value("queues", kind="persistent"), 1)
        self.assertEqual(self.value("queues", kind="transient"), 1)
        self.assertEqual(self.value("queue_consumers", queue="svc"), 1)
        self.assertEqual(self.value("queue_in_total", queue="svc"), 7)
        self.assertEqual(self.value("queue_out_total", queue="svc"), 2)
        self.assertEqual(self.value("queue_reply_seconds_count",
                                    queue="svc"), 2)
        self.assertEqual(self.value("queue_paused", queue="svc"), 0)
        self.assertEqual(self.value("connections"), 2)
        self.c.v1("/queues/svc/pause", "POST")
        self.assertEqual(self.value("queue_paused", queue="svc"), 1)
        self.assertGreater(self.value("queue_oldest_age_seconds",
                                      queue="svc"), 0)
        commits = self.value("store_commits_total")
        self.assertEqual(self.value("store_commit_seconds_count"), commits)
        self.assertGreater(self.value("store_commit_seconds_sum"), 0)
        self.assertEqual(self.value("recorder_events_total"),
                         self.c.v1("/events?after=now")[1]["next"])

    def test_names(self):
        """Names with anything in them; those that are no UTF-8, too."""
        odd = 'a"b\\c{d}=,e \u00e4'
        self.c.create("a%22b%5Cc%7Bd%7D=,e%20%C3%A4")
        self.c.create("%FFbad")
        self.assertEqual(self.value("queue_paused", queue=odd), 0)
        self.assertEqual(self.value("queue_paused", queue="\ufffdbad"), 0)

    def test_many_queues(self):
        """The page is bounded, and says what it leaves out."""
        for i in range(1200):
            self.c.send(get("/persistent/n%04d" % i))
        for _ in range(1200):
            self.c.reply()
        _, samples = parse(self.fetch())
        shown = [l for (n, l) in samples if n == "xmsg_queue_bytes"]
        self.assertEqual(len(shown), 1000)
        self.assertEqual(samples["xmsg_queues_left_out", ()], 201)
        self.assertEqual(samples["xmsg_queues", (("kind", "persistent"),)],
                         1201)

    def test_the_reader_is_strict(self):
        """What the reader here must not take."""
        body = self.fetch()
        for what, bad in (
                ("no end", body[:-6]),
                ("more behind the end", body + b"\n"),
                ("unknown type", body.replace(b" counter", b" conter", 1)),
                ("family split", body.replace(b"xmsg_acked_total",
                                              b"xmsg_sacked_total")),
                ("no total", body.replace(b"xmsg_acked_total", b"xmsg_acked")),
                ("no number", body.replace(b"xmsg_acked_total 0",
                                           b"xmsg_acked_total none")),
                ("open label", body.replace(b'"persistent"', b'"persistent',
                                            1)),
                ("last bucket", body.replace(b'le="+Inf"', b'le="61"'))):
            self.assertNotEqual(bad, body, what)
            with self.assertRaises(ValueError, msg=what):
                parse(bad)

    def test_other_methods_and_paths(self):
        self.assertEqual(self.c.ask(post("/metrics")).status, 405)
        self.assertEqual(self.c.ask(get("/metrics?x=1")).status, 200)
        self.assertEqual(self.c.ask(get("/metricsx")).status, 404)
        self.assertEqual(self.c.ask(get("/metrics/x")).status, 404)

    def test_promtool(self):
        tool = shutil.which("promtool")
        if tool is None:
            self.fail("promtool is missing: install the package prometheus,"
                      " or run ./check --deps")
        body = self.fetch()
        done = subprocess.run([tool, "check", "metrics"], input=body,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertIn(done.returncode, (0, 3), done.stdout)
        # it reads the older format, where help is for samples, not families
        lint = [x for x in done.stdout.decode().splitlines()
                if not x.endswith("_total no help text")]
        self.assertEqual(lint, [])


tap.main()
