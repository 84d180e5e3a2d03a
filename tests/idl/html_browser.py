# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The HTML reference in a real browser: `html_browser.py FOLDER SHOTS [AXE]`.

Starts a Chromium without a window (the package chromium; another program:
$CHROMIUM), opens every page of FOLDER from its file in light and dark and at
two widths, looks for messages on its console, tries search, tabs, colours and
the menu, and leaves pictures in SHOTS.  AXE is the file axe.min.js of the
checker axe-core, which then looks at every page as well.  Not part of `make
check`, because few machines have a browser: `make check-html AXE=FILE`.
Speaks the browser's debugging protocol over a pipe, so that nothing but Python
is needed.
"""

import base64
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

WIDE, NARROW = (1360, 900), (390, 844)
SHOWN = ["index", "Volume", "types", "errors", "versions", "tutorial",
         "protocol", "names", "features"]


class Browser(object):
    """One browser with one page."""

    def __init__(self):
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        if program is None:
            sys.exit("there is no chromium")
        self.profile = tempfile.mkdtemp()
        # The browser reads from descriptor 3 and writes to 4.
        to_r, self.to = os.pipe()
        self.back, back_w = os.pipe()
        keep = [os.dup2(to_r, 8), os.dup2(back_w, 9)]
        self.process = subprocess.Popen(
            ["sh", "-c", 'exec "$0" "$@" 3<&8 4>&9 8<&- 9>&-', program,
             "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
             "--user-data-dir=" + self.profile, "--remote-debugging-pipe",
             "about:blank"],
            pass_fds=keep, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        for fd in [to_r, back_w] + keep:
            os.close(fd)
        self.number = 0
        self.buffer = b""
        self.events = []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=target["targetId"])["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def message(self, limit=60):
        """The next one."""
        end = time.time() + limit
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.back], [], [],
                                        max(0, end - time.time()))
            if not ready:
                raise TimeoutError("the browser says nothing")
            data = os.read(self.back, 1 << 16)
            if not data:
                raise EOFError("the browser is gone")
            self.buffer += data
        one, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(one.decode("utf-8"))

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError("%s: %s" % (method, answer["error"]))
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, event):
        while not any(e.get("method") == event for e in self.events):
            self.events.append(self.message())

    def open(self, url):
        self.events = [e for e in self.events
                       if e.get("method") != "Page.loadEventFired"]
        # The same page with another anchor would not be loaded again.
        self.call("Page.navigate", url="about:blank")
        self.wait_for("Page.loadEventFired")
        self.events = [e for e in self.events
                       if e.get("method") != "Page.loadEventFired"]
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def js(self, text):
        answer = self.call("Runtime.evaluate", expression=text,
                           returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def until(self, text):
        """Wait for a condition in the page."""
        for _ in range(100):
            if self.js(text):
                return True
            self.js("new Promise(r => setTimeout(r, 50))")
        return False

    def size(self, size):
        self.call("Emulation.setDeviceMetricsOverride", width=size[0],
                  height=size[1], deviceScaleFactor=1,
                  mobile=size == NARROW)

    def colours(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}])

    def key(self, key):
        for kind in ("keyDown", "keyUp"):
            text = "\r" if key == "Enter" else key if len(key) == 1 else ""
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode={"Enter": 13}.get(key, 0), **more)

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def complaints(self):
        """What the console and the network had to say."""
        found = []
        for e in self.events:
            method, p = e.get("method"), e.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(p["exceptionDetails"])[:300])
            elif method == "Runtime.consoleAPICalled":
                found.append(json.dumps(p["args"])[:300])
            elif method == "Log.entryAdded":
                found.append(p["entry"]["text"])
            elif method == "Network.requestWillBeSent":
                url = p["request"]["url"]
                if not url.startswith(("file:", "data:", "about:")):
                    found.append("asked for " + url)
        self.events = []
        return found


class Report(object):
    """Numbers the lines."""

    def __init__(self):
        self.count = self.failed = 0

    def line(self, good, text, why=""):
        self.count += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.count, text))
        if not good:
            print("# %s" % (why,))
        sys.stdout.flush()


WIDER = "document.documentElement.scrollWidth - window.innerWidth"


def look(b, report, folder, shots):
    """Every page in every way, with pictures of some."""
    for size, width in ((WIDE, "wide"), (NARROW, "narrow")):
        b.size(size)
        for scheme in ("light", "dark"):
            b.colours(scheme)
            for page in sorted(folder.glob("*.html")):
                b.open(page.as_uri())
                name = "%s-%s-%s" % (page.stem, width, scheme)
                if scheme == "light":
                    over = b.js(WIDER)
                    report.line(over <= 0, name + " fits", over)
                if page.stem in SHOWN:
                    b.picture(str(shots / (name + ".png")))
                said = b.complaints()
                report.line(not said, name + " is quiet", said)


def use(b, report, folder, shots):
    """Search, tabs, colours, menu."""
    b.size(WIDE)
    b.colours("light")
    b.open((folder / "index.html").as_uri())
    b.key("/")
    report.line(b.js("document.activeElement.id") == "search",
                "a slash goes to the search")
    b.call("Input.insertText", text="volume snapshot")
    first = b.js("document.querySelector('#found b').textContent")
    report.line(first == "Volume.snapshot", "search finds a call", first)
    b.picture(str(shots / "search.png"))
    b.key("Enter")
    report.line(b.until("location.href.endsWith("
                        "'Volume.html#Volume.snapshot')"),
                "Enter goes there", b.js("location.href"))
    b.until("document.readyState === 'complete'")
    top = b.js("document.getElementById('Volume.snapshot')"
               ".getBoundingClientRect().top")
    report.line(0 <= top < 200, "the call is on top", top)
    b.picture(str(shots / "call-wide.png"))

    b.js("document.querySelectorAll('.tabs button')[1].click()")
    report.line(b.js("[...document.querySelectorAll('.lang')].every("
                     "e => e.hidden === (e.dataset.name !== 'Python'))"),
                "a tab shows one language everywhere")
    b.open((folder / "SR.html").as_uri())
    report.line(b.js("document.querySelector('[aria-selected=true]')"
                     ".textContent") == "Python",
                "the choice holds on another page")
    b.js("document.querySelector('.lang:not([hidden])')"
         ".scrollIntoView({block: 'center'})")
    b.picture(str(shots / "example-python.png"))
    b.js("document.querySelectorAll('.tabs button')[3].click()")
    b.picture(str(shots / "example-shell.png"))

    back = "getComputedStyle(document.body).backgroundColor"
    light = b.js(back)
    b.js("theme.click(); theme.click()")
    dark = b.js(back)
    report.line(light == "rgb(255, 255, 255)" and dark != light,
                "the button makes it dark", (light, dark))
    b.open((folder / "types.html").as_uri())
    report.line(b.js(back) == dark, "and so it stays on another page")
    b.js("theme.click()")

    b.size(NARROW)
    b.open((folder / "types.html").as_uri())
    shown = "getComputedStyle(nav).display"
    report.line(b.js(shown) == "none", "a small screen has no menu at first")
    b.js("document.querySelector('.menu').click()")
    report.line(b.js(shown) == "block", "its link shows it")
    b.picture(str(shots / "menu-narrow.png"))
    b.js("document.querySelector('nav a[href=\"#type-volume\"]').click()")
    report.line(b.js(shown) == "none", "a choice closes it")
    b.until("document.getElementById('type-volume')"
            ".getBoundingClientRect().top < 200")
    b.picture(str(shots / "type-narrow.png"))

    b.call("Emulation.setScriptExecutionDisabled", value=True)
    b.size(WIDE)
    b.open((folder / "Volume.html").as_uri() + "#Volume.create")
    b.picture(str(shots / "no-script.png"))
    b.call("Emulation.setScriptExecutionDisabled", value=False)
    b.call("Emulation.setEmulatedMedia", media="print")
    b.open((folder / "Plugin.html").as_uri())
    b.picture(str(shots / "print.png"))
    said = b.complaints()
    report.line(not said, "nothing was said meanwhile", said)


def accessible(b, report, folder, axe):
    """What axe-core finds, in light and dark."""
    b.call("Emulation.setEmulatedMedia", media="")
    b.size(WIDE)
    text = axe.read_text(encoding="utf-8")
    for scheme in ("light", "dark"):
        b.colours(scheme)
        for page in sorted(folder.glob("*.html")):
            b.open(page.as_uri())
            b.js(text + "; 0")
            found = b.js(
                "axe.run().then(r => r.violations.map(v => v.id + ': ' + "
                "v.nodes.length + ' ' + v.nodes[0].html.slice(0, 200)))")
            report.line(found == [], "axe on %s, %s" % (page.stem, scheme),
                        found)


def main():
    folder, shots = map(lambda a: pathlib.Path(a).resolve(), sys.argv[1:3])
    shots.mkdir(parents=True, exist_ok=True)
    report = Report()
    b = Browser()
    try:
        look(b, report, folder, shots)
        use(b, report, folder, shots)
        if len(sys.argv) > 3:
            accessible(b, report, folder, pathlib.Path(sys.argv[3]))
    finally:
        b.end()
    print("1..%d" % report.count)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
