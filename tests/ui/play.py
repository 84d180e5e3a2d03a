# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""What the tests of the dashboard in a browser share: the browser, messages
worth looking at, and texts that a page must not take for its own."""

import json
import os
import shutil
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import web  # noqa: E402  (sets the path to the others)
sys.path.append(os.path.join(web.SRC, "tests", "idl"))
import html_browser  # noqa: E402
from broker import post, transfer_body, until  # noqa: E402

# A page that runs a foreign text would call one of these.
HOOK = """window.hits = [];
for (const f of ["alert", "confirm", "prompt", "print", "open"])
    window[f] = (...a) => { hits.push(f + ": " + a); return null; };
window.pwned = () => hits.push("pwned");
document.addEventListener("securitypolicyviolation",
    e => hits.push("policy: " + e.violatedDirective + " " + e.blockedURI));
"""


class Browser(html_browser.Browser):
    """Starts before anything else: it wants low descriptors for itself."""

    def __init__(self):
        if not (os.environ.get("CHROMIUM") or shutil.which("chromium")):
            print("Bail out! there is no chromium: ./check --deps installs it")
            sys.exit(99)
        super().__init__()
        self.call("Page.addScriptToEvaluateOnNewDocument", source=HOOK)
        self.call("Performance.enable")

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=False)

    def press(self, key):
        code = {"Escape": 27, "Enter": 13, "Tab": 9}.get(key, 0)
        for kind in ("keyDown", "keyUp"):
            more = {}
            if kind == "keyDown" and len(key) == 1:
                more["text"] = key
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=code, **more)

    def wait(self, condition, what):
        until(lambda: self.js(condition), what, pause=0.05)

    def said(self, origin):
        """Messages on the console, dialogs, and requests to elsewhere."""
        found = []
        for e in self.events:
            method, p = e.get("method"), e.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(p["exceptionDetails"])[:400])
            elif method == "Runtime.consoleAPICalled":
                found.append(json.dumps(p["args"])[:400])
            elif method == "Log.entryAdded":
                found.append("%(source)s: %(text)s" % p["entry"])
            elif method == "Page.javascriptDialogOpening":
                found.append("a dialog: " + p["message"])
            elif method == "Network.requestWillBeSent":
                url = p["request"]["url"]
                if not url.startswith((origin + "/", "data:", "blob:",
                                       "about:")):
                    found.append("asked for " + url)
                if p["request"]["method"] != "GET":
                    found.append("a " + p["request"]["method"])
        self.events = []
        return found + (self.js("window.hits") or [])

    def counts(self):
        """DOM nodes and bytes of the heap: the least of some collections, as
        one may come while the page holds two charts."""
        nodes, heap = [], []
        for _ in range(6):
            self.call("HeapProfiler.collectGarbage")
            nodes.append(self.call("Memory.getDOMCounters")["nodes"])
            heap.append(self.call("Runtime.getHeapUsage")["usedSize"])
            self.js("new Promise(r => setTimeout(r, 170))")
        return min(nodes), min(heap)


def method(name, *params):
    return json.dumps({"method": name, "params": list(params), "id": 1})


GOOD = '{"Status":"Success","Value":null}'
BAD = '{"Status":"Failure","ErrorDescription":["SR_BACKEND_FAILURE","gone"]}'


class Traffic(object):
    """A toolstack, its storage, and an operator."""

    STORAGE = "org.xen.xapi.storage.gfs2"
    LINSTOR = "org.xen.xapi.storage.linstor"

    def __init__(self, broker):
        self.server = broker.conn("xapi-storage-script:1203")
        self.xapi = broker.conn("xapi-client:7781")
        self.server.create(self.STORAGE)
        self.xapi.create("xapi-client:7781", True)
        self.xapi.create(self.LINSTOR)
        self.xapi.create("org.xen.xapi.xenops.classic")

    def close(self):
        self.server.close()
        self.xapi.close()

    def send(self, name, queue=None, *params):
        return self.xapi.publish(queue or self.STORAGE, method(name, *params),
                                 "xapi-client:7781")

    def take(self, ident):
        self.server.send(post("/transfer", transfer_body(
            [self.STORAGE], 0, ident - 1)))
        self.server.reply()

    def call(self, name, answer=GOOD, *params):
        ident = self.send(name, None, *params)
        self.take(ident)
        reply = self.server.respond("xapi-client:7781", self.STORAGE, ident,
                                    answer)
        self.server.ack(self.STORAGE, ident)
        self.xapi.poll(["xapi-client:7781"], 0, reply - 1)
        self.xapi.ack("xapi-client:7781", reply)

    def scene(self):
        """One of each."""
        self.call("Volume.create", GOOD,
                  {"name": "disk", "chappassword": "hunter2"})
        self.call("Datapath.attach")
        self.call("SR.stat", BAD)
        self.call("Volume.snapshot")
        self.take(self.send("VDI.activate"))
        self.send("SR.probe", self.LINSTOR)
        at = "/queues/%s" % self.LINSTOR
        held = self.send("Volume.destroy", self.LINSTOR)
        self.xapi.v1("%s/messages/%d/hold" % (at, held), "POST")
        gone = self.send("Volume.clone", self.LINSTOR)
        self.xapi.v1("%s/messages/%d/cancel" % (at, gone), "POST",
                     '{"who":"op","reason":"stuck for an hour"}')
        self.xapi.v1("/queues/org.xen.xapi.xenops.classic/pause", "POST")


class Flood(threading.Thread):
    """So many calls a second, or without pause, until it is told to end."""

    def __init__(self, traffic, rate=0):
        super().__init__(daemon=True)
        self.traffic, self.rate, self.calls = traffic, rate, 0
        self.stop = threading.Event()
        self.error = None

    def run(self):
        due = time.monotonic()
        try:
            while not self.stop.is_set():
                if self.rate:
                    due = max(due + 1 / self.rate, time.monotonic() - 1)
                    self.stop.wait(max(0, due - time.monotonic()))
                self.traffic.call("Load.call%d" % (self.calls % 50),
                                  BAD if self.calls % 8 == 0 else GOOD)
                self.calls += 1
        except Exception as e:   # told by end()
            self.error = e

    def end(self):
        self.stop.set()
        self.join()
        if self.error:
            raise self.error


def soak(browser, traffic, seconds, rate=0, tell=None):
    """Let it run; (nodes, heap) when the page is full, and at the end, and each
    ten minutes for `tell`."""
    flood = Flood(traffic, rate)
    flood.start()
    began = time.monotonic()
    browser.wait("events.length >= 10000", "the page is full")
    browser.wait("fails.length >= FAILS", "and its failures")
    first = browser.counts()
    seen = browser.js("next")
    told = began
    while time.monotonic() < began + seconds:
        browser.js("new Promise(r => setTimeout(r, 500))")
        if tell and time.monotonic() > told + 600:
            told = time.monotonic()
            tell(told - began, browser.counts())
    last = browser.counts()
    seen = browser.js("next") - seen
    flood.end()
    return first, last, seen
