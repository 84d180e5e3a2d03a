# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The page as the broker sends it: to whom, with which fields, how large, and
that its policy names exactly what is in it."""

import base64
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import web  # noqa: E402
import tap  # noqa: E402
from broker import Broker, get, program, request  # noqa: E402

LIMIT = 60 * 1000
PARTS = ["model.js", "chart.js", "page.js"]


def source(*names):
    text = b""
    for name in names:
        with open(os.path.join(web.SRC, "ui", name), "rb") as f:
            text += f.read()
    return text


def digest(text):
    return "'sha256-%s'" % base64.b64encode(
        hashlib.sha256(text).digest()).decode()


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.conn = cls.broker.conn()
        cls.reply = cls.conn.ask(get("/ui"))
        cls.fields = {k.decode(): v.decode() for k, v in cls.reply.fields()}
        cls.policy = {}
        for part in cls.fields.get("content-security-policy", "").split("; "):
            name, _, value = part.partition(" ")
            cls.policy[name] = value

    @classmethod
    def tearDownClass(cls):
        cls.conn.close()
        cls.broker.remove()

    def accept(self, value, target="/"):
        return self.conn.ask(get(target, headers=[("accept", value)]))

    def is_page(self, reply):
        return reply.status == 200 and reply.body.startswith(b"<!doctype html>")

    def test_size(self):
        self.assertTrue(self.is_page(self.reply))
        self.assertLess(len(self.reply.body), LIMIT)
        self.assertGreater(len(self.reply.body), 10000)

    def test_fields(self):
        self.assertEqual(self.fields["content-type"],
                         "text/html; charset=utf-8")
        self.assertEqual(self.fields["x-content-type-options"], "nosniff")
        self.assertEqual(self.fields["cache-control"], "no-store")
        self.assertEqual(self.fields["x-frame-options"], "DENY")
        self.assertEqual(self.fields["referrer-policy"], "no-referrer")
        self.assertEqual(len(self.fields), len(self.reply.fields()))

    def test_policy_is_strict(self):
        self.assertEqual(self.policy, {
            "default-src": "'none'", "img-src": "data:",
            "connect-src": "'self'", "base-uri": "'none'",
            "form-action": "'none'", "frame-ancestors": "'none'",
            "script-src": digest(source(*PARTS)),
            "style-src": digest(source("page.css"))})

    def test_policy_names_what_is_in_the_page(self):
        text = self.reply.body
        for tag, name in ((b"script", "script-src"), (b"style", "style-src")):
            found = re.findall(b"<" + tag + b">(.*?)</" + tag + b">", text,
                               re.S)
            self.assertEqual([digest(f) for f in found], [self.policy[name]])

    def test_nothing_from_elsewhere(self):
        text = self.reply.body.decode()
        refs = re.findall(r'(?:src|href|action)="([^"#][^"]*)"', text)
        self.assertEqual([r for r in refs
                          if not r.startswith("data:image/svg+xml,")], [])
        urls = set(re.findall(r"https?://[\w./]+", text))
        self.assertEqual(urls, {"http://www.w3.org/2000/svg"})

    def test_data_becomes_text_only(self):
        text = source(*PARTS).decode()
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML",
                     "document.write", "eval(", "Function(", "srcdoc",
                     "createContextualFragment", "DOMParser", "setHTML"):
            self.assertFalse(word in text, word)
        # one way to ask, and it is a GET
        self.assertEqual(re.findall(r"\bfetch\(.*", text), [
            'fetch(path, { signal: stop.signal, cache: "no-store" });'])
        for word in ("XMLHttpRequest", "sendBeacon", "WebSocket", "EventSource",
                     "import(", "Worker("):
            self.assertFalse(word in text, word)
        self.assertFalse("style=" in self.reply.body.decode())

    def test_who_gets_the_page(self):
        for value in ("text/html", "TEXT/HTML", "text/html;q=0.1",
                      "application/xhtml+xml, text/html;q=0.9,*/*;q=0.8",
                      "*/* ,\ttext/html ; level=1"):
            self.assertTrue(self.is_page(self.accept(value)), value)
            self.assertEqual(self.accept(value).body, self.reply.body)
        for value in ("*/*", "text/*", "text/htmlx", "application/json", "",
                      "text/html;q=0", "text/html; level=1; q=0.000",
                      "x-text/html", ",,,;;;", "text/plain;x=text/html"):
            self.assertFalse(self.is_page(self.accept(value)), value)
        self.assertTrue(self.is_page(self.conn.ask(get("/ui?x=1"))))
        self.assertTrue(self.is_page(self.accept("text/html", "/?x")))

    def test_stock_answers_stay(self):
        plain = self.conn.ask(get("/"))
        self.assertEqual([k for k, v in plain.fields()], [b"content-length"])
        self.assertEqual(sorted(plain.json()), [
            "current_time", "permanent_queues", "start_time",
            "transient_queues"])
        for method, target in (("POST", "/ui"), ("POST", "/"), ("PUT", "/ui"),
                               ("GET", "/ui/"), ("GET", "/ui/x"),
                               ("GET", "/uix"), ("GET", "/index.html"),
                               ("GET", "/admin/../ui")):
            got = self.conn.ask(request(
                method, target, headers=[("accept", "text/html")]))
            self.assertEqual(got.status, 404, (method, target))
            self.assertEqual(got.body, b"Not found: " + target.encode())
            self.assertEqual([k for k, v in got.fields()],
                             [b"content-length"])

    def test_connection_lives_on(self):
        self.conn.send(get("/ui") + get("/v1/status") + get("/ui"))
        self.assertTrue(self.is_page(self.conn.reply()))
        self.assertEqual(self.conn.reply().json()["state"], "up")
        self.assertTrue(self.is_page(self.conn.reply()))
        with self.broker.conn() as c:
            got = c.ask(get("/ui", headers=[("connection", "close")]))
            self.assertIn((b"connection", b"close"), got.fields())
            self.assertEqual(c.rest(), b"")


class Colours(unittest.TestCase):
    """WCAG 2 AA: 4.5 to 1 for text, in both schemes."""

    TEXT = ([("text", b) for b in ("bg", "panel", "soft", "hit")]
            + [("muted", b) for b in ("bg", "panel", "soft")]
            + [(n, b) for n in ("ok", "warn", "bad", "busy", "idle")
               for b in ("panel", n + "-bg")]
            + [("focus", "panel")])

    @staticmethod
    def light(colour):
        if len(colour) == 4:
            colour = "#" + "".join(c * 2 for c in colour[1:])
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = [c / 12.92 if c <= .04045 else ((c + .055) / 1.055) ** 2.4
                   for c in parts]
        return .2126 * r + .7152 * g + .0722 * b

    def test_contrast(self):
        blocks = re.findall(r":root[^{]*\{([^}]*)\}",
                            source("page.css").decode())
        self.assertEqual(len(blocks), 3)
        schemes = [dict(re.findall(r"--([\w-]+): (#\w+)", b)) for b in blocks]
        self.assertEqual(schemes[1], schemes[2], "the two dark ones")
        for scheme in schemes[:2]:
            for front, back in self.TEXT:
                a, b = sorted([self.light(scheme[front]),
                               self.light(scheme[back])])
                self.assertGreaterEqual((b + .05) / (a + .05), 4.5,
                                        "%s on %s" % (front, back))


class Embed(unittest.TestCase):
    """What makes the array."""

    def run_it(self, *paths):
        return subprocess.run(
            [os.path.join(os.path.dirname(program()), "ui", "embed")]
            + list(paths), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_same_in_same_out(self):
        paths = [os.path.join(web.SRC, "ui", n)
                 for n in ["page.html", "page.css"] + PARTS]
        first = self.run_it(*paths)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stdout, self.run_it(*paths).stdout)
        self.assertNotIn(web.SRC.encode(), first.stdout)

    def test_digests_of_every_length(self):
        """Around the edges of its blocks, against another implementation."""
        with tempfile.TemporaryDirectory() as folder:
            page, style, script = [os.path.join(folder, n)
                                   for n in ("page", "style", "script")]
            with open(page, "w") as f:
                f.write("<@style\n><@script\n>")
            for n in list(range(3)) + list(range(54, 67)) + [
                    119, 120, 127, 128, 129, 8191, 8192, 20000]:
                text = bytes((i * 7 + n) % 256 for i in range(n))
                with open(style, "wb") as f:
                    f.write(text)
                with open(script, "wb") as f:
                    f.write(text[::-1])
                got = self.run_it(page, style, script)
                self.assertEqual(got.returncode, 0, got.stderr)
                for t in (text, text[::-1]):
                    self.assertIn(digest(t).encode(), got.stdout, n)
                array = bytes(int(x, 16) for x in re.findall(
                    rb"0x([0-9a-f]{2}),", got.stdout))
                self.assertEqual(array, b"<" + text + b"><" + text[::-1]
                                 + b">")

    def test_complains(self):
        for paths in ((), ("/nonexistent/a", "b", "c"),
                      (os.path.join(web.SRC, "ui", "page.css"),) * 3):
            got = self.run_it(*paths)
            self.assertEqual(got.returncode, 1)
            self.assertTrue(got.stderr.startswith(b"embed: "))
            self.assertEqual(got.stdout, b"")


if __name__ == "__main__":
    tap.main()
