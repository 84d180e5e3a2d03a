# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Charts in every form, by the command and by the broker: each is what its
readers accept, whatever the names are; where they are written; what is drawn
when the broker is dead."""
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree
from urllib.parse import quote

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "ui"))
from cli_support import CALL, SECRET, CliCase, main, table  # noqa: E402
from broker import Broker, get  # noqa: E402
import hostile  # noqa: E402

FORMS = ("text", "mscgen", "mermaid", "svg", "html", "json")
SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {SVG + n for n in ("svg", "style", "g", "rect", "path", "text",
                            "title")}
TAGS = {"html", "head", "meta", "title", "style", "body", "header", "main",
        "h1", "p", "span", "div", "details", "summary", "pre", "svg", "g",
        "rect", "path", "text"}
ATTRIBUTES = {"class", "x", "y", "d", "width", "height", "rx", "text-anchor",
              "viewBox", "viewbox", "role", "aria-label", "transform", "lang",
              "charset", "http-equiv", "content", "name", "tabindex", "style",
              "xmlns"}


class Page(html.parser.HTMLParser):
    """Counts what is in a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), []
        self.open = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise AssertionError("</%s> closes another" % tag)

    def handle_data(self, data):
        self.text.append(data)


def talk(broker, names):
    """A request of each of these, to one of these."""
    with broker.conn() as c:
        for name in names:
            c.login(quote(name, safe=""))
            c.create(quote(name, safe=""))
            c.publish(quote(name, safe=""), json.dumps(
                {"method": name, "params": [name]}), quote(name, safe=""))
            c.publish(quote(name, safe=""), name, quote(name, safe=""))


class Forms(CliCase):
    """Names and payloads that each form would like to take for its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        talk(cls.broker, hostile.TEXTS)
        cls.conn = cls.broker.conn()

    @classmethod
    def tearDownClass(cls):
        cls.conn.close()
        super().tearDownClass()

    def both(self, form):
        """By the command and by the broker."""
        yield self.x("trace", "-n", "0", "-F", form).raw.decode()
        reply = self.conn.ask(get("/v1/chart?last=1000&format=" + form))
        self.assertEqual(reply.status, 200)
        yield reply.body.decode()

    def test_svg(self):
        for text in self.both("svg"):
            root = xml.etree.ElementTree.fromstring(text)
            found = list(root.iter())
            self.assertEqual({e.tag for e in found} - SHAPES, set())
            self.assertEqual({a for e in found for a in e.attrib}
                             - ATTRIBUTES, set())
            self.assertIn("<img src=x onerror=alert(1)>",
                          [e.text for e in root.iter(SVG + "title")])

    def test_html(self):
        for text in self.both("html"):
            page = Page(text)
            self.assertEqual(page.tags - TAGS, set())
            self.assertEqual(page.attributes - ATTRIBUTES, set())
            self.assertEqual(page.open, [])
            self.assertIn("<img src=x onerror=alert(1)>", page.text)
            self.assertRegex(text, r"default-src 'none'")

    def test_json(self):
        value = json.loads(list(self.both("json"))[1])
        self.assertIn("<img src=x onerror=alert(1)>",
                      [lane["name"] for lane in value["lanes"]])
        self.assertLessEqual(len(value["lanes"]), 41)
        self.assertTrue(all(s["from"] is None or s["from"] < len(
            value["lanes"]) for s in value["steps"]))

    def test_mermaid(self):
        for text in self.both("mermaid"):
            lines = text.splitlines()
            self.assertEqual(lines[0], "sequenceDiagram")
            for line in lines[1:]:
                self.assertRegex(line, r"^  (participant p\d+ as |p\d+(->>|"
                                 r"-->>|-x)p\d+: |Note over p\d+,p\d+: )"
                                 r"([^\"<>&\\{}()\[\]:%`;]|#\d+;)*$")

    def test_mscgen(self):
        for i, text in enumerate(self.both("mscgen")):
            if shutil.which("mscgen") is None:
                self.assertTrue(text.startswith("msc {\n"))
                continue
            to = os.path.join(self.folder.name, "%d.svg" % i)
            done = subprocess.run(["mscgen", "-T", "svg", "-i", "-", "-o", to],
                                  input=text.encode(), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout[-2000:])

    def test_text(self):
        for text in self.both("text"):
            self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f\u202e\u2028]")


class Routes(CliCase):
    def test_fields(self):
        """Nothing of an answer runs in a browser, none is kept."""
        with self.broker.conn() as c:
            for form in FORMS:
                reply = c.ask(get("/v1/chart?format=" + form))
                fields = dict(reply.fields())
                self.assertIn(b"default-src 'none'",
                              fields[b"content-security-policy"])
                self.assertNotIn(b"script-src",
                                 fields[b"content-security-policy"])
                self.assertEqual(fields[b"x-content-type-options"],
                                 b"nosniff")
                self.assertEqual(fields[b"cache-control"], b"no-store")

    def test_bound(self):
        """`last` counts requests and replies; what is before is left out."""
        with Broker() as b, b.conn("me") as c:
            c.create("q")
            for i in range(30):
                c.publish("q", json.dumps({"method": "m%d" % i}), "me")
            steps = c.ask(get("/v1/chart?format=json&last=5")).json()["steps"]
            self.assertEqual(
                [s["label"].split(" ")[0] for s in steps
                 if s["kind"] == "request"], ["m%d" % i for i in range(25, 30)])
            # what a filter leaves out is not missing
            c.create("other")
            c.publish("other", "x", "me")
            c.publish("q", "y", "me")
            steps = c.ask(get(
                "/v1/chart?format=json&queue=q&gap=0")).json()["steps"]
            self.assertNotIn("gap", [s["kind"] for s in steps])
            self.assertNotIn("missing", self.x(
                "trace", "--queue", "q", broker=b).out)


class Output(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.broker.conn("me") as c:
            c.create("zfs")
            c.publish("zfs", CALL, "me")

    def setUp(self):
        self.to = os.path.join(self.folder.name, "chart")

    @table([(f, f) for f in FORMS if f != "json"])
    def to_a_file(self, form):
        done = self.x("trace", "-F", form, "-o", self.to, "--utc")
        self.assertEqual(done.out, "")
        with open(self.to, "rb") as f:
            got = f.read()

        def still(raw):
            return re.sub(rb"for [\d.]+\w+", b"", raw)
        self.assertEqual(still(got), still(self.x(
            "trace", "-F", form, "-o", "-", "--utc").raw))
        self.assertIn(b"SR.attach", got)
        self.assertNotIn(SECRET.encode(), got)

    def test_a_shorter_one_replaces_it(self):
        with open(self.to, "w") as f:
            f.write("x" * 100000)
        self.x("mscgen", "--output", self.to)
        with open(self.to) as f:
            self.assertRegex(f.read(), r"(?s)\Amsc \{\n.*\}\n\Z")

    @table([
        ("no folder", ["-o", "/nonexistent/x"], 5, "/nonexistent/x: No such"),
        ("full disk", ["-o", "/dev/full"], 5, "No space left"),
        ("a folder", ["-o", "/"], 5, "directory"),
        ("a table", ["-F", "table", "-o", "x"], 2, "not for tables"),
        ("JSON", ["--json", "-o", "x"], 2, "not for tables"),
        ("no adapter", ["--adapter-state", "/nonexistent"], 3,
         "/nonexistent"),
        ("no form", ["-F", "png"], 2, "svg"),
    ])
    def failure(self, words, code, said):
        done = self.x("trace", *words, want=code)
        self.assertEqual(done.out, "")
        self.assertEqual(len(done.err.splitlines()), 1, done)
        self.assertIn(said, done.err)

    def test_dead_and_alive(self):
        """The recorder's file tells the same."""
        with Broker() as b:
            with b.conn("me") as c:
                c.create("zfs")
                c.publish("zfs", CALL, "me")

            def chart(form, *words, **kw):
                self.x("trace", "-F", form, "-o", self.to, *words, broker=b,
                       **kw)
                with open(self.to, "rb") as f:
                    return re.sub(rb"for [\d.]+\w+", b"", f.read())
            alive = {form: chart(form) for form in ("svg", "html", "mscgen")}
            b.kill()
            for form, want in alive.items():
                self.assertIn(b"no answer to zfs", want)
                self.assertEqual(chart(form, want=3), want, form)
                self.assertEqual(chart(form, "--offline"), want, form)


if __name__ == "__main__":
    main()
