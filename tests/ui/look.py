# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The dashboard for the eye: `look.py SHOTS [AXE [SECONDS [RATE]]]`.

Leaves pictures in SHOTS, light and dark, wide and narrow; AXE is the file
axe.min.js of the checker axe-core, which looks at each of these; then the page
has to bear SECONDS (60) with RATE calls in each, or as many as there can be.
`make check-ui AXE=FILE`.
"""

import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import play  # noqa: E402
from web import Web  # noqa: E402
from broker import Broker  # noqa: E402

RUN = ("axe.run().then(r => r.violations.map(v => v.id + ': ' + "
       "v.nodes.length + ' ' + v.nodes[0].html.slice(0, 200)))")
VIEWS = [
    ("plain", "select(null)"),
    ("chosen", "document.getElementById('as-text').open = true;"
     "document.getElementById('who').open = true;"
     "select(view.find(e => e.failed))"),
    ("paused", "document.getElementById('as-text').open = false; pause()"),
    ("help", "pause(); document.getElementById('help').showModal()"),
    ("nothing", "document.getElementById('help').close();"
     "document.getElementById('filter').value = 'nothing'; filter()"),
]


def pictures(b, report, shots, axe):
    for width, height in ((1280, 900), (400, 844)):
        for scheme in ("light", "dark"):
            b.resize(width, height)
            b.colours(scheme)
            for name, text in VIEWS:
                b.js(text + "; 0")
                b.js("new Promise(r => setTimeout(r, 400))")
                name = "%d-%s-%s" % (width, scheme, name)
                b.picture(str(shots / (name + ".png")))
                if axe:
                    found = b.js(RUN)
                    report.line(found == [], "axe on " + name, found)
            b.js("document.getElementById('filter').value = ''; filter()")
            # all of it in one picture
            tall = b.js("document.documentElement.scrollHeight")
            b.resize(width, tall + 20)
            b.js("new Promise(r => setTimeout(r, 400))")
            b.picture(str(shots / ("%d-%s-whole.png" % (width, scheme))))


def chart(b, report, shots):
    """What is copied is what the real mscgen understands."""
    text = b.js("mscgen()")
    (shots / "chart.msc").write_text(text, encoding="utf-8")
    if shutil.which("mscgen"):
        done = subprocess.run(
            ["mscgen", "-T", "svg", "-o", str(shots / "chart.svg"), "-i", "-"],
            input=text.encode(), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        report.line(done.returncode == 0, "mscgen draws it", done.stdout)


def main():
    shots = pathlib.Path(sys.argv[1]).resolve()
    axe = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 60
    rate = float(sys.argv[4]) if len(sys.argv) > 4 else 0
    shots.mkdir(parents=True, exist_ok=True)
    report = play.html_browser.Report()
    b = play.Browser()
    with Broker() as broker, Web(broker.socket) as web:
        traffic = play.Traffic(broker)
        traffic.scene()
        origin = "http://127.0.0.1:%d" % web.port
        b.resize(1280, 900)
        b.open(web.url)
        b.wait("document.querySelectorAll('.card').length >= 4 && "
               "document.querySelector('.row') !== null", "it is there")
        if axe:
            b.js(axe.read_text(encoding="utf-8") + "; 0")
        pictures(b, report, shots, axe)
        chart(b, report, shots)
        said = b.said(origin)
        report.line(not said, "nothing was said meanwhile", said)
        b.resize(1280, 900)
        first, last, events = play.soak(
            b, traffic, seconds, rate, lambda after, n: print(
                "# after %.0f s: nodes %d, heap %.1f MB" % (
                    after, n[0], n[1] / 1e6), flush=True))
        report.line(last[0] < first[0] * 1.3 + 500,
                    "%d events: nodes %d, then %d" % (
                        events, first[0], last[0]))
        report.line(last[1] < first[1] * 1.25 + 3e6,
                    "heap %.1f MB, then %.1f MB" % (
                        first[1] / 1e6, last[1] / 1e6))
        b.picture(str(shots / "busy.png"))
        said = b.said(origin)
        report.line(not said, "nor then", said)
    b.end()
    print("1..%d" % report.count)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
