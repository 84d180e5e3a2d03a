#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Figures of bench/compare, bench/scale and bench/mixed as tables (Markdown).

usage: tables.py FILE.json...                 print them
       tables.py --fill DOCUMENT FILE.json... put them into a document, between
                                              <!-- begin NAME --> and
                                              <!-- end NAME -->, and the plots
                                              into the folder plots beside it
"""
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import plot  # noqa: E402

# Goals of our own: what, over what, and the least ratio for 1, 16, 64 and 256
# callers.
GOALS = [
    ("xmsg", "redis", [1.4, 1.2, 0.8, 0.6]),
    ("xmsg, libxmsg", "redis", [1.0, 1.0, 1.0, 1.0]),
    ("xmsg", "postgres", [2.7, 2.1, 1.8, 3.4]),
    ("xmsg", "rabbitmq", [1.8, 1.8, 1.1, 1.0]),
    ("xmsg", "beanstalkd", [2.1, 9, 10, 11]),
    ("xmsg", "nats", [0.6, 0.9, 0.9, 0.85]),
]
BUSY = 0.25  # cores used by others: then figures mean nothing
CEILING = [0.9, 0.6, 0.5, 0.45]  # sends of SQLite's inserts
CPU_GOAL = {1: 120, 16: 40, 64: 40, 256: 40}
CALLERS = [1, 16, 64, 256]


def machine(folder):
    """One line about where it ran."""
    done = subprocess.run(["stat", "-f", "-c", "%T", folder],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return "%s %s, %d cores, %s, %s" % (
        platform.system(), platform.release(), os.cpu_count(),
        done.stdout.decode().strip() or "unknown file system",
        time.strftime("%Y-%m-%d"))


def table(head, rows):
    """Markdown; the first column to the left, the others to the right."""
    rows = [[str(c) for c in r] for r in [head] + rows]
    lines = ["| " + " | ".join(r) + " |" for r in rows]
    lines.insert(1, "| --- |" + " ---: |" * (len(head) - 1))
    return "\n".join(lines)


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def number(value, digits=0):
    return "-" if value is None else "{:,.{}f}".format(value, digits)


class Cells:
    """The cells of bench/compare by what they measured."""

    def __init__(self, report):
        self.report = report
        self.v = {}
        for c in report["cells"]:
            key = (c["way"], c["mode"], c["callers"])
            self.v.setdefault(key, {})[c["round"]] = c

    def figure(self, way, mode, callers, key):
        """Over the rounds; a round with a fault does not count."""
        rounds = self.v.get((way, mode, callers), {}).values()
        return median([c.get(key) for c in rounds if not c["faults"]])

    def ratio(self, way, other, mode, callers, key="rate"):
        """The median of the rounds' ratios."""
        a = self.v.get((way, mode, callers), {})
        b = self.v.get((other, mode, callers), {})
        return median([
            a[r][key] / b[r][key] for r in a if r in b and
            not a[r]["faults"] and not b[r]["faults"] and b[r].get(key)])

    def ways(self, mode):
        """In the order of the first round."""
        seen = []
        for c in self.report["cells"]:
            if c["mode"] == mode and c["way"] not in seen:
                seen.append(c["way"])
        return sorted(seen, key=lambda w: (not w.startswith("xmsg"), w))


def rates(cells, mode, callers):
    """One table: a number of callers."""
    rows = []
    for way in cells.ways(mode):
        if (way, mode, callers) not in cells.v:
            continue
        faults = sum(c["faults"] for c in
                     cells.v[way, mode, callers].values())
        rows.append(
            [way if not faults else way + " (%d faults)" % faults] +
            [number(cells.figure(way, mode, callers, k), d) for k, d in (
                ("rate", 0), ("p50_us", 0), ("p99_us", 0),
                ("broker_cpu_us", 1))] +
            [number(cells.ratio(ours, way, mode, callers), 2)
             for ours in ("xmsg", "xmsg, libxmsg")])
    if not rows:
        return ""
    what = "%s, %d %s" % (
        "remote calls" if mode == "rpc" else "sends", callers,
        ("caller" if mode == "rpc" else "sender") + "s" * (callers > 1))
    return table([what, "a second", "p50 us", "p99 us", "broker CPU us",
                  "xmsg over it", "libxmsg over it"], rows)


def disk(report):
    """What was on disk when it confirmed."""
    rows = []
    for name, found in sorted(report["disk"].items(),
                              key=lambda f: f[0] != "xmsg"):
        send, rpc = found["send"], found["rpc"]
        rows.append([
            name, found["promise"],
            number(send.get("syncs"), 2), number(rpc.get("syncs"), 2),
            "-" if "synced" not in send
            else "%.0f %%" % (100 * send["synced"]),
            report["versions"].get(name, "this tree")])
    for name, why in report["absent"].items():
        rows.append([name, why, "-", "-", "-", "-"])
    return table(["broker", "done when it confirms", "syncs a send",
                  "syncs a call", "confirmed after a sync", "version"], rows)


def verdict(value, bound, most=False):
    if value is None:
        return "not measured"
    return "met" if (value <= bound if most else value >= bound) else "missed"


def goals(report):
    """The goals that are ratios, and the broker's processor time."""
    cells, rows = Cells(report), []
    for ours, other, bounds in GOALS:
        for n, bound in zip(CALLERS, bounds):
            v = cells.ratio(ours, other, "rpc", n)
            rows.append(["%s over %s, %d" % (
                ours.replace("xmsg, ", ""), other, n),
                "%g" % bound, number(v, 2), verdict(v, bound)])
    v = cells.ratio("xmsg, 64 in flight", "xmsg, libxmsg", "rpc", 1)
    rows.append(["one session, 64 calls in flight over 1", "4", number(v, 2),
                 verdict(v, 4)])
    for n, bound in zip(CALLERS, CEILING):
        v = median([
            c["rate"] / report["limit"][r]["insert_%d_rows" % n]
            for r, c in cells.v.get(("xmsg", "send", n), {}).items()
            if not c["faults"] and "insert_%d_rows" % n in report["limit"][r]])
        rows.append(["sends over SQLite's inserts, %d to a commit" % n, bound,
                     number(v, 2), verdict(v, bound)])
    over = {r: c["rate"] / cells.v["xmsg", "rpc", 64][r]["rate"]
            for r, c in cells.v.get(("xmsg", "rpc", 256), {}).items()
            if cells.v.get(("xmsg", "rpc", 64), {}).get(r, {}).get("rate")}
    v = median(over.values())
    rows.append(["xmsg, 256 callers over 64", 1, number(v, 2),
                 verdict(v, 1)])
    for n, bound in CPU_GOAL.items():
        v = cells.figure("xmsg", "rpc", n, "broker_cpu_us")
        rows.append(["broker CPU a call, %d, us (at most)" % n, bound,
                     number(v, 1), verdict(v, bound, most=True)])
    sync = median([l.get("overwrite_1_p50_us") for l in report["limit"]])
    for key, bound in (("p50_us", 280), ("p99_us", 500)):
        v = cells.figure("xmsg", "rpc", 1, key)
        rows.append(["one caller, %s, us (at most; a 4 KiB fdatasync took "
                     "%s us)" % (key[:3], number(sync)), bound, number(v),
                     verdict(v, bound, most=True)])
    return table(["what", "goal", "measured", ""], rows)


def where(report):
    """The machine, and whether it was quiet enough."""
    said = ("%s; %d rounds, %g s a cell, %d s in all; others used %s cores "
            "in the middle." % (
                report["machine"], report["rounds"], report["seconds"],
                report["took_s"], number(report["others"], 2)))
    if (report["others"] or 0) > BUSY:
        said += ("\n\n**The machine was busy with other things.** These figures "
                 "show that the tools\nwork, and nothing else.")
    return said


def compare_sections(report):
    cells = Cells(report)
    return {
        "where": where(report),
        "goals": goals(report),
        "calls": "\n\n".join(filter(None, (rates(cells, "rpc", n)
                                           for n in CALLERS))),
        "sends": "\n\n".join(filter(None, (rates(cells, "send", n)
                                           for n in CALLERS))),
        "disk": disk(report),
    }


def compare(report):
    """All of bench/compare as text."""
    return "\n\n".join(compare_sections(report).values())


def compare_plots(report):
    """Calls a second by the number of callers."""
    cells = Cells(report)
    panels = []
    for title, wanted in (("one reply after the other", False),
                          ("at their best", True)):
        lines = {}
        for way in cells.ways("rpc"):
            # a way with variants takes part at its best with the last of them
            variants = [w for w in cells.ways("rpc")
                        if w.split(",")[0] == way.split(",")[0] and
                        (w, "rpc", 16) in cells.v]
            if [way] != (variants[-1:] if wanted else variants[:1]):
                continue
            points = [(n, cells.figure(way, "rpc", n, "rate") or
                       cells.figure(variants[0], "rpc", n, "rate"))
                      for n in CALLERS]
            lines[way.split(",")[0]] = [p for p in points if p[1]]
        panels.append(("calls a second, " + title, "callers", lines))
    return {"calls.svg": plot.figure(panels, log_y=True)}


# ---- bench/scale ----

# figure, what it is, the goal, and whether that is the most it may be
EDGES = [
    ("idle_mib", "memory when idle, MiB", 4, True),
    ("full_mib", "with 100,000 queued, MiB", 64, True),
    ("drained_mib", "after draining them, MiB", 16, True),
    ("recover_100k_ms", "kill -9 to first transfer, 100,000 queued, ms", 150,
     True),
    ("recover_1m_ms", "the same with 1,000,000, ms", 1000, True),
    ("drain_rate", "drain of 1,000,000 by 16, messages a second", 75000,
     False),
    ("parked_ratio", "sends beside 10,000 parked polls over without", 0.98,
     False),
    ("parked_bytes", "memory of a parked poll, bytes", 1024, True),
    ("block_ratio", "64 KiB payloads, share of the disk's sync rate", 0.6,
     False),
]

SCALE = [("queues", "queues"), ("connections", "idle connections"),
         ("parked", "parked polls"), ("messages", "queued messages")]


def each(points, point):
    """Bytes for each one."""
    if not point["n"]:
        return None
    return (point["rss"] - points[0]["rss"]) / point["n"]


def scale_table(points, title):
    rows = []
    for p in points:
        rows.append([number(p["n"]), number(p["rss"] / 2**20, 1),
                     number(each(points, p))] +
                    [number(p[mode].get(key), digits)
                     for mode in ("send", "rpc")
                     for key, digits in (("rate", 0), ("broker_cpu_us", 1))])
    return table([title, "memory MiB", "bytes for each", "sends a second",
                  "CPU us", "calls a second", "CPU us"], rows)


def scale_sections(report):
    found = {"scale-where": report["machine"]}
    if "edges" in report:
        found["edges"] = table(["what", "goal", "measured", ""], [
            [what, ("<= " if most else ">= ") + "{:,}".format(bound),
             number(report["edges"].get(key), 2 if bound < 10 else 0),
             verdict(report["edges"].get(key), bound, most)]
            for key, what, bound, most in EDGES])
    for what, title in SCALE:
        if what in report["scale"]:
            found["scale-" + what] = scale_table(report["scale"][what], title)
    return found


def scale_plots(report):
    cost, memory = [], []
    for what, title in SCALE:
        points = report["scale"].get(what, [])
        cost.append(("broker CPU, us", title, {
            name: [(p["n"], p[mode]["broker_cpu_us"]) for p in points
                   if p[mode].get("broker_cpu_us")]
            for mode, name in (("send", "a send"), ("rpc", "a call"))}))
        memory.append(("memory, MiB", title, {
            "resident": [(p["n"], p["rss"] / 2**20) for p in points]}))
    return {"cost.svg": plot.figure(cost), "memory.svg": plot.figure(memory)}


# ---- bench/mixed ----

def mixed_sections(report):
    rows = []
    for c in report["mixed"]:
        faults = " (%d faults)" % c["faults"] if c["faults"] else ""
        done = ", ".join("%s %s" % (number(n), what.lower())
                         for what, n in c["times"].items())
        rows.append([c["beside"] + faults] +
                    [number(c.get(k)) for k in (
                        "rate", "p50_us", "p99_us", "p999_us", "max_us")] +
                    [done or "-"])
    return {"mixed": table(
        ["calls beside", "a second", "p50 us", "p99 us", "p99.9 us",
         "longest us", "done meanwhile"], rows)}


# kind of report, told by a key of it: its sections, and its plots
KINDS = [("cells", compare_sections, compare_plots),
         ("scale", scale_sections, scale_plots),
         ("mixed", mixed_sections, lambda report: {})]


def kind_of(report):
    for key, make_sections, make_plots in KINDS:
        if key in report:
            return make_sections, make_plots
    raise SystemExit("tables.py: not a file of figures")


def sections(report):
    return kind_of(report)[0](report)


def fill(path, report):
    """Replace the sections that a document has, and the plots beside it."""
    with open(path) as f:
        text = f.read()
    for name, body in sections(report).items():
        text = re.sub(
            r"(<!-- begin %s -->\n).*?(<!-- end %s -->)" % (name, name),
            lambda m: m.group(1) + body + "\n" + m.group(2), text,
            flags=re.DOTALL)
    with open(path, "w") as f:
        f.write(text)
    folder = os.path.join(os.path.dirname(path), "plots")
    os.makedirs(folder, exist_ok=True)
    for name, svg in kind_of(report)[1](report).items():
        with open(os.path.join(folder, name), "w") as f:
            f.write(svg)


def main(arguments):
    document = None
    if arguments[:1] == ["--fill"] and len(arguments) > 1:
        document, arguments = arguments[1], arguments[2:]
    if not arguments or arguments[0].startswith("-"):
        sys.exit(__doc__)
    for path in arguments:
        with open(path) as f:
            report = json.load(f)
        if document:
            fill(document, report)
        else:
            print("\n\n".join(sections(report).values()))


if __name__ == "__main__":
    main(sys.argv[1:])
