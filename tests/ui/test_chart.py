# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The drawn charts in Chromium, from a file and through `xmsg web`: readable at
1280 pixels, nothing on top of another, light and dark, and no text of a
stranger becomes anything else.  With XMSG_SHOTS=FOLDER pictures are left."""

import os
import subprocess
import sys
import tempfile
import unittest
from urllib.parse import quote

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hostile  # noqa: E402
import play  # noqa: E402
from web import Web  # noqa: E402
import tap  # noqa: E402
from broker import Broker, program  # noqa: E402

browser = None
# Cards, and labels of arrows with the arrow that they belong to.
BOXES = """(() => {
    const box = e => { const r = e.getBoundingClientRect();
        return [r.left, r.top, r.right, r.bottom]; };
    return {
        cards: [...document.querySelectorAll("rect.card")].map(box),
        names: [...document.querySelectorAll("rect.card")].map(e =>
            [...e.parentNode.querySelectorAll("text")].map(box)),
        labels: [...document.querySelectorAll("text.l")].map(e => [
            e.textContent, box(e), e.parentNode.querySelector("path.arrow") ?
            box(e.parentNode.querySelector("path.arrow")) : null]),
        times: [...document.querySelectorAll("text.t")].map(box),
        width: document.documentElement.scrollWidth,
    };
})()"""


def setUpModule():
    global browser
    browser = play.Browser()


def tearDownModule():
    browser.end()


def apart(a, b):
    return (a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1
            or b[3] <= a[1] + 1)


class Case(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.remove)
        self.folder = tempfile.TemporaryDirectory(prefix="xmsg-chart-")
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(browser.open, "about:blank")
        browser.resize(1280, 900)
        browser.colours("light")
        browser.events = []

    def draw(self, form, *words):
        to = os.path.join(self.folder.name, "chart." + form)
        subprocess.run([program("xmsg"), "--socket", self.broker.socket,
                        "trace", "-F", form, "-o", to] + list(words),
                       check=True, stdin=subprocess.DEVNULL)
        return "file://" + to

    def shot(self, name):
        folder = os.environ.get("XMSG_SHOTS")
        if folder:
            browser.picture(os.path.join(folder, name + ".png"))


class Looks(Case):
    def setUp(self):
        super().setUp()
        self.traffic = play.Traffic(self.broker)
        self.addCleanup(self.traffic.close)
        self.traffic.scene()

    def judge(self, boxes):
        self.assertGreater(len(boxes["labels"]), 15)
        cards = boxes["cards"]
        for i, card in enumerate(cards):
            self.assertTrue(all(apart(card, c) for c in cards[i + 1:]), i)
            for text in boxes["names"][i]:
                self.assertGreaterEqual(text[0], card[0], i)
                self.assertLessEqual(text[2], card[2], i)
        labels = [box for _, box, _ in boxes["labels"]]
        for i, label in enumerate(labels):
            self.assertTrue(all(apart(label, l) for l in labels[i + 1:]),
                            boxes["labels"][i])
            self.assertTrue(all(apart(label, t) for t in boxes["times"]),
                            boxes["labels"][i])
        for text, label, arrow in boxes["labels"]:
            if arrow and arrow[2] - arrow[0] > 40:   # not to itself
                self.assertGreaterEqual(label[0], arrow[0] - 2, text)
                self.assertLessEqual(label[2], arrow[2] + 12, text)

    def test_nothing_is_on_top_of_another(self):
        for form in ("svg", "html"):
            browser.open(self.draw(form))
            boxes = browser.js(BOXES)
            self.judge(boxes)
            self.assertEqual(len(boxes["cards"]), 4)
            self.shot("chart-" + form)
        self.assertLessEqual(boxes["width"], 1280)

    def test_many_lanes(self):
        """Then it is wider than the window, and its part scrolls."""
        with self.broker.conn() as c:
            for i in range(60):
                c.login("client-%d.of-a_long-name" % i)
                c.create("org.xen.xapi.storage.queue-number-%d" % i)
                c.publish("org.xen.xapi.storage.queue-number-%d" % i,
                          play.method("Volume.snapshot"), "x")
        browser.open(self.draw("html", "-n", "0"))
        boxes = browser.js(BOXES)
        self.judge(boxes)
        self.assertEqual(len(boxes["cards"]), 41)
        self.assertLessEqual(boxes["width"], 1280)
        self.shot("chart-many")

    def test_what_is_open(self):
        browser.open(self.draw("html"))
        self.assertEqual(browser.js(
            "[...document.querySelectorAll('.open .arrow')].length"), 3)
        # each at its queue, and the one that was handed out at its consumer
        self.assertEqual(browser.js(
            "document.querySelectorAll('.bar.o').length"), 4)
        self.assertIn("3 without an answer", browser.js(
            "document.querySelector('header').textContent"))

    def test_colours(self):
        for form, back in (("svg", "getComputedStyle(document.querySelector("
                            "'.bg')).fill"),
                           ("html", "getComputedStyle(document.body)"
                            ".backgroundColor")):
            url = self.draw(form)
            seen = []
            for scheme in ("light", "dark"):
                browser.colours(scheme)
                browser.open(url)
                seen.append(browser.js(back))
                self.shot("chart-%s-%s" % (form, scheme))
            self.assertNotEqual(*seen)

    def test_narrow(self):
        browser.resize(400, 844)
        browser.open(self.draw("html"))
        self.assertLessEqual(browser.js(BOXES)["width"], 400)
        self.shot("chart-narrow")

    def test_of_nothing(self):
        for form in ("svg", "html"):
            browser.open(self.draw(form, "--queue", "nosuch"))
            self.assertIn("no messages", browser.js(
                "document.documentElement.textContent"))


class Hostile(Case):
    def test_texts_stay_texts(self):
        with self.broker.conn() as c:
            for text in hostile.TEXTS:
                name = quote(text, safe="")
                c.login(name)
                c.create(name)
                ident = c.publish(name, play.method(text, text), name)
                c.publish(name, text, name)
                c.v1("/queues/%s/messages/%d/hold" % (name, ident), "POST")
        for form in ("svg", "html"):
            browser.open(self.draw(form, "-n", "0"))
            self.assertGreater(browser.js(
                "document.querySelectorAll('text').length"), 100)
            self.assertEqual(browser.said("file://"), [])
            self.shot("chart-hostile-" + form)
        with Web(self.broker.socket) as web:
            origin = "http://127.0.0.1:%d" % web.port
            browser.open(web.url)
            for form in ("svg", "html"):
                browser.events = []
                browser.open(origin + "/v1/chart?last=1000&format=" + form)
                self.assertGreater(browser.js(
                    "document.querySelectorAll('text').length"), 100)
                self.assertEqual(
                    [s for s in browser.said(origin)
                     if "favicon" not in s], [])


if __name__ == "__main__":
    tap.main()
