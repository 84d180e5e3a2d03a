# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The dashboard in Chromium, through `xmsg web`: what it shows, that it is
quiet, that it takes no text for markup, that it comes back and does not grow.
The long form, with pictures, is look.py."""

import json
import os
import sys
import unittest
from urllib.parse import quote

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hostile  # noqa: E402
import play  # noqa: E402
from web import Web  # noqa: E402
import tap  # noqa: E402
from broker import Broker, until  # noqa: E402

SOAK = float(os.environ.get("XMSG_UI_SOAK", "8"))
ALIVE = "document.getElementById('link').textContent"
TEXT = "document.getElementById('%s').textContent"
browser = None


def setUpModule():
    global browser
    browser = play.Browser()


def tearDownModule():
    browser.end()


class Case(unittest.TestCase):
    options = ()

    def setUp(self):
        self.broker = Broker(*self.options)
        self.addCleanup(self.broker.remove)
        self.traffic = play.Traffic(self.broker)
        self.addCleanup(lambda: self.traffic.close())
        self.web = Web(self.broker.socket)
        self.addCleanup(self.web.end)
        self.addCleanup(browser.open, "about:blank")
        self.origin = "http://127.0.0.1:%d" % self.web.port
        browser.resize(1280, 900)
        browser.events = []

    def open(self):
        browser.open(self.web.url)
        browser.wait(ALIVE + " === 'live'", "it is live")

    def text(self, ident):
        return browser.js(TEXT % ident)

    def quiet(self):
        self.assertEqual(browser.said(self.origin), [])

    def wait_text(self, ident, word):
        browser.wait("(%s).includes(%s)" % (TEXT % ident, json.dumps(word)),
                     "%s in #%s" % (word, ident))


class Shows(Case):
    def setUp(self):
        super().setUp()
        self.traffic.scene()
        self.open()
        browser.wait("document.querySelectorAll('.card').length >= 4 && "
                     "document.querySelector('.row') !== null",
                     "cards and chart are there")

    def test_address_is_cleared_of_the_token(self):
        self.assertEqual(browser.js("location.href"), self.origin + "/ui")
        self.assertEqual(browser.js("document.cookie"), "")

    def test_head(self):
        status = self.broker.status()
        facts = self.text("facts")
        self.assertIn("version" + status["version"], facts)
        self.assertIn("queues%d" % status["queues"], facts)
        self.assertEqual(self.text("health"), "ok")
        self.quiet()

    def test_chart(self):
        labels = browser.js("[...document.querySelectorAll('#chart .lab')]"
                            ".map(e => e.textContent)")
        for word in ("Volume.create", "SR.stat", "ack", "hold: paused"):
            self.assertIn(word, labels)
        self.assertTrue([x for x in labels if x.startswith("failed ")])
        self.assertTrue([x for x in labels if x.endswith((" ms", " µs"))])
        names = browser.js("[...document.querySelectorAll('#names title')]"
                           ".map(e => e.textContent)")
        self.assertEqual(sorted(names), sorted([
            "xapi-storage-script:1203", "xapi-client:7781",
            play.Traffic.STORAGE, play.Traffic.LINSTOR,
            "org.xen.xapi.xenops.classic"]))
        # VDI.activate, SR.probe and Volume.destroy are open
        self.assertEqual(browser.js(
            "document.querySelectorAll('#chart .act.open').length"), 3)
        self.assertEqual(browser.js("open.size"), 3)

    def test_cards(self):
        states = dict(browser.js(
            "[...document.querySelectorAll('.card')].map(e => "
            "[e.querySelector('h3').textContent, "
            "e.querySelector('.pill').textContent])"))
        self.assertEqual(states[play.Traffic.LINSTOR], "no consumer")
        self.assertEqual(states["org.xen.xapi.xenops.classic"], "paused")
        self.assertEqual(states[play.Traffic.STORAGE], "working")
        first = browser.js("document.querySelector('.card').textContent")
        self.assertIn("held 1", first)
        self.assertIn("ready 1", first)

    def test_lists(self):
        self.assertIn("VDI.activate", self.text("work"))
        self.assertIn("with xapi-storage-script:1203", self.text("work"))
        self.assertEqual(self.text("w-n"), "1")
        self.assertIn("SR.probe", self.text("open"))
        self.assertIn("nobody has it", self.text("open"))
        self.assertIn("heldVolume.destroy", self.text("open"))
        self.assertEqual(self.text("o-n"), "2")
        fails = self.text("fails")
        for word in ("failedSR.stat", "cancelled", "stuck for an hour",
                     "held"):
            self.assertIn(word, fails)
        browser.js("document.getElementById('who').open = true")
        self.wait_text("clients", "xapi-client:7781")

    def test_open_ones_of_before(self):
        """What the recorder no longer has, the broker is asked for."""
        browser.js("take_ = take; take = (a, f, j) => "
                   "take_({...a, events: []}, f, j); 0")
        browser.js("events = []; open.clear(); "
                   "seeded = 0; mark('a gap')")
        browser.wait("open.size === 3", "they are asked for")
        self.wait_text("work", "VDI.activate")
        self.wait_text("open", "heldVolume.destroy")
        ident = browser.js("[...open.values()].find(o => o.method === "
                           "'SR.probe').id")
        self.traffic.xapi.ack(play.Traffic.LINSTOR, ident)
        browser.js("for (const o of open.values()) o.asked = 0")
        browser.wait("open.size === 2", "one has gone unseen")
        self.quiet()

    def test_secrets_are_masked(self):
        browser.js("for (const e of view) { select(e); }"
                   "document.getElementById('as-text').open = true")
        self.wait_text("lines", "chappassword")
        self.assertNotIn("hunter2", browser.js(
            "document.documentElement.textContent"))

    def test_filter(self):
        browser.press("/")
        self.assertEqual(browser.js("document.activeElement.id"), "filter")
        browser.call("Input.insertText", text="linstor -clone")
        shown = browser.js("view.map(e => e.method || e.type)")
        self.assertIn("SR.probe", shown)
        self.assertNotIn("Volume.clone", shown)
        self.assertNotIn("Volume.create", shown)
        self.assertEqual(browser.js(
            "document.querySelectorAll('.card').length"), 1)
        browser.press("p")
        self.assertEqual(browser.js("paused"), False)
        browser.press("Escape")
        self.assertIn("Volume.create", browser.js("view.map(e => e.method)"))
        browser.js("const f = document.getElementById('filter');"
                   "f.value = 'no such thing'; filter()")
        self.assertTrue(browser.js(
            "!document.getElementById('none').hidden"))
        self.quiet()

    def test_pause(self):
        before = self.text("inner")
        browser.press("p")
        self.assertEqual(browser.js(
            "document.getElementById('pause').getAttribute('aria-pressed')"),
            "true")
        self.traffic.call("Volume.late")
        self.wait_text("link", "paused, 6 new")
        self.assertEqual(self.text("inner"), before)
        browser.press("p")
        self.wait_text("inner", "Volume.late")
        self.wait_text("link", "live")

    def test_keys_choose_an_event(self):
        for key, at in (("k", -1), ("k", -2), ("j", -1), ("j", -1)):
            browser.press(key)
            self.assertTrue(browser.js("selected === view.at(%d)" % at), key)
        detail = self.text("detail")
        self.assertIn("hold, number", detail)
        self.assertEqual(browser.js(
            "document.querySelectorAll('.row.on').length"), 1)
        i = browser.js("view.findIndex(e => e.method === 'SR.stat')")
        browser.js("select(view[%d])" % i)
        self.assertGreaterEqual(browser.js(
            "document.querySelectorAll('.row.same').length"), 3)
        browser.press("Escape")
        self.assertEqual(self.text("detail"), "")

    def test_help(self):
        browser.press("?")
        self.assertTrue(browser.js("document.getElementById('help').open"))
        browser.press("p")
        self.assertFalse(browser.js("paused"))
        browser.press("Escape")
        self.assertFalse(browser.js("document.getElementById('help').open"))

    def test_colours(self):
        back = "getComputedStyle(document.body).backgroundColor"
        browser.colours("light")
        light = browser.js(back)
        browser.colours("dark")
        dark = browser.js(back)
        self.assertNotEqual(light, dark)
        browser.press("t")
        self.assertEqual(browser.js(back), light)
        browser.press("t")
        browser.colours("light")
        self.assertEqual(browser.js(back), dark)
        browser.open(self.origin + "/ui")
        self.assertEqual(browser.js(back), dark)
        browser.press("t")
        self.assertEqual(browser.js(back), light)

    def test_fits(self):
        for width in (1280, 1001, 1000, 561, 560, 400, 320):
            browser.resize(width, 844)
            browser.js("new Promise(r => setTimeout(r, 300))")
            self.assertLessEqual(browser.js(
                "document.documentElement.scrollWidth - innerWidth"), 0,
                width)

    def test_names_for_those_who_do_not_see(self):
        self.assertEqual(browser.js("document.documentElement.lang"), "en")
        self.assertEqual(browser.js(
            "[...document.querySelectorAll('button, input, select, section, "
            "[role=region], svg, dialog')].filter(e => !(e.ariaLabel || "
            "(e.labels && e.labels.length) || e.textContent.trim() && "
            "e.tagName === 'BUTTON' || e.getAttribute('aria-labelledby') && "
            "document.getElementById(e.getAttribute('aria-labelledby'))))"
            ".map(e => e.outerHTML.slice(0, 80))"), [])
        self.assertEqual(browser.js(
            "['header', 'main', 'h1', '[role=search]'].map(s => "
            "document.querySelectorAll(s).length)"), [1, 1, 1, 1])

    def test_taken_along(self):
        text = browser.js("mscgen()")
        self.assertTrue(text.startswith("msc {\n"))
        self.assertIn("Volume.create", text)
        self.assertEqual(text.count("msc {"), 1)


class Hostile(Case):
    def test_texts_stay_texts(self):
        """As names of queues and clients, methods, payloads and reasons."""
        self.assertGreaterEqual(len(hostile.TEXTS), 100)
        with self.broker.conn() as c:
            for text in hostile.TEXTS:
                name = quote(text, safe="")
                c.login(name)
                c.create(name)
                c.create(name + "t", True)
                ident = c.publish(name, play.method(text, text), name)
                c.publish(name, text, name)
                c.publish(name, play.method("m") + text, name)
                c.v1("/queues/%s/messages/%d/cancel" % (name, ident), "POST",
                     json.dumps({"who": text[:40], "reason": text}))
            browser.open(self.web.url)
            browser.wait("document.querySelectorAll('.card').length > 100",
                         "the cards are there")
            browser.js("document.getElementById('last').value = '240';"
                       "document.getElementById('as-text').open = true;"
                       "document.getElementById('who').open = true")
            for part in range(0, len(hostile.TEXTS), 10):
                browser.js(
                    "choose = () => events.slice(%d * 8, %d * 8 + 90);"
                    "draw(); for (const e of view) select(e);"
                    "mscgen(); XMLSerializer && 0" % (part, part))
            browser.js(
                "for (const e of document.querySelectorAll('main *')) for "
                "(const t of ['mouseover', 'focus', 'toggle', 'load', "
                "'error', 'pointerenter']) e.dispatchEvent(new Event(t))")
            self.wait_text("clients", "request")
        names = browser.js("[...document.querySelectorAll('h3')].map(e => "
                           "e.textContent)")
        for text in hostile.MARKUP:
            self.assertIn(text, names)
        self.assertEqual(browser.js(
            "[...document.querySelectorAll('*')].filter(e => "
            "[...e.attributes].some(a => /^on|^style$|^srcdoc$/.test(a.name) "
            "&& !(e.tagName === 'I' && a.name === 'style') || "
            "/^(xlink:)?href$|^src$|action$/.test(a.name) && "
            "!/^#|^data:image.svg/.test(a.value))).map(e => "
            "e.outerHTML.slice(0, 200))"), [])
        self.assertEqual(browser.js(
            "[...new Set([...document.querySelectorAll('*')].map(e => "
            "e.localName))].sort().join(' ')"),
            "a article b body button code dd details dialog div dl dt form g "
            "h1 h2 h3 head header html i input kbd label li link main meta "
            "noscript ol option p path rect script section select small span "
            "style summary svg text title ul wbr")
        self.assertEqual(browser.js("document.scripts.length"), 1)
        self.assertEqual(browser.js("location.href"), self.origin + "/ui")
        self.quiet()


class Endures(Case):
    options = ("--set", "recorder.size=4M")

    def test_comes_back(self):
        self.traffic.call("Volume.before")
        self.open()
        self.wait_text("inner", "Volume.before")
        self.quiet()
        self.traffic.close()
        self.broker.kill()
        self.wait_text("link", "reconnecting")
        self.wait_text("health", "no broker answers")
        self.broker.start()
        self.traffic = play.Traffic(self.broker)
        self.traffic.call("Volume.after")
        self.wait_text("link", "live")
        self.wait_text("inner", "Volume.after")
        shown = self.text("inner")
        self.assertIn("not connected for", shown)
        self.assertIn("broker started", shown)
        self.assertIn("Volume.before", shown)
        self.wait_text("health", "ok")

    def test_another_recorder(self):
        for i in range(20):
            self.traffic.call("Volume.before")
        self.open()
        self.traffic.close()
        self.broker.kill()
        self.wait_text("link", "reconnecting")
        for name in os.listdir(self.broker.state):
            if "recorder" in name:
                os.unlink(os.path.join(self.broker.state, name))
        self.broker.start()
        self.traffic = play.Traffic(self.broker)
        self.traffic.call("Volume.after")
        self.wait_text("inner", "Volume.after")
        self.wait_text("inner", "the recorder began anew")

    def test_session_over(self):
        self.open()
        browser.call("Network.clearBrowserCookies")
        self.traffic.call("Volume.last")
        self.wait_text("health", "session over")
        self.wait_text("link", "run xmsg web again")

    def test_paints_soon(self):
        """Measured, not judged."""
        took = []
        for _ in range(3):
            self.web.end()
            self.web = Web(self.broker.socket)
            self.addCleanup(self.web.end)
            browser.open(self.web.url)
            browser.wait("performance.getEntriesByName("
                         "'first-contentful-paint').length", "it is painted")
            took.append(browser.js("performance.getEntriesByName("
                                   "'first-contentful-paint')[0].startTime"))
        print("# first paint after %s ms" % ", ".join("%.0f" % t
                                                      for t in took))

    def test_does_not_grow(self):
        self.open()
        first, last, events = play.soak(browser, self.traffic, SOAK)
        print("# %d events: nodes %d, then %d; heap %.1f MB, then %.1f MB" % (
            events, first[0], last[0], first[1] / 1e6, last[1] / 1e6))
        self.assertGreater(events, 500)
        self.assertLess(last[0], first[0] * 1.3 + 500)
        self.assertLess(last[1], first[1] * 1.25 + 3e6)
        self.assertLessEqual(browser.js("events.length"), 11000)
        self.quiet()


class Gap(Case):
    options = ("--set", "recorder.size=64K")

    def test_what_was_lost_is_marked(self):
        self.open()
        browser.js("get_ = get; get = (path, s) => path.includes('events') ? "
                   "new Promise((_, no) => setTimeout(no, 50, Error('held')))"
                   " : get_(path, s)")
        self.traffic.call("Volume.first")
        self.wait_text("link", "reconnecting")
        for i in range(150):
            self.traffic.call("Volume.many")
        browser.js("get = get_")
        browser.wait("events.some(e => e.type === 'gap' && "
                     "/overwritten/.test(e.text))", "the gap is marked")
        browser.js("document.getElementById('last').value = '240';"
                   "choose = () => events.slice(0, 100); draw()")
        self.assertIn("overwritten before this page could read them",
                      self.text("inner"))


if __name__ == "__main__":
    tap.main()
