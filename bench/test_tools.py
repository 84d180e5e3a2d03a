#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""What the measuring scripts compute: ratios, tables, plots, traces."""
import importlib.machinery
import importlib.util
import os
import re
import sys
import tempfile
import xml.etree.ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tests", "support")]
import plot  # noqa: E402
import tables  # noqa: E402
import tap  # noqa: E402

DOCUMENT = os.path.join(HERE, "..", "doc", "performance.md")


def script(name):
    """A script without .py as a module."""
    loader = importlib.machinery.SourceFileLoader(
        name, os.path.join(HERE, name))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def cell(way, callers, number, rate, faults=0, mode="rpc"):
    return {"way": way, "mode": mode, "callers": callers, "round": number,
            "rate": rate, "faults": faults, "p50_us": 100, "p99_us": 200,
            "broker_cpu_us": 30.0, "other_cores": 0.0}


def compared():
    """What bench/compare would write."""
    rates = {"xmsg": [100, 900, 300], "redis": [50, 300, 300]}
    cells = [cell(way, 1, i, rate) for way, v in rates.items()
             for i, rate in enumerate(v)]
    cells += [cell("xmsg", 16, 0, 10), cell("redis", 16, 0, 1000, faults=1)]
    cells += [cell("xmsg", 1, i, 80, mode="send") for i in range(3)]
    return {"machine": "m", "rounds": 3, "seconds": 1, "took_s": 9,
            "others": 0.0, "versions": {"redis": "7"},
            "absent": {"nats": "not installed"}, "cells": cells,
            "limit": [{"insert_1_rows": 100.0}] * 3,
            "disk": {"redis": {"promise": "p", "send": {
                "syncs": 1.0, "synced": 1.0}, "rpc": {"fault": "f"}}}}


def grown():
    """What bench/scale would write."""
    point = {"send": {"rate": 9.0, "broker_cpu_us": 2.0},
             "rpc": {"rate": 3.0, "broker_cpu_us": 5.0}}
    points = [dict(point, n=n, rss=(4 << 20) + 100 * n)
              for n in (0, 100, 1000)]
    return {"machine": "m", "edges": {"idle_mib": 5, "drain_rate": 80000},
            "scale": {what: points for what, _ in tables.SCALE}}


def mixed():
    return {"mixed": [{"beside": "nobody", "faults": 0, "times": {},
                       "rate": 1.0, "p999_us": 70.0}]}


class Ratios(tap.Case):
    def test_are_medians_of_rounds(self):
        cells = tables.Cells(compared())
        self.assertEqual(cells.ratio("xmsg", "redis", "rpc", 1), 2.0)
        self.assertEqual(cells.figure("xmsg", "rpc", 1, "rate"), 300)

    def test_leave_faulty_cells_out(self):
        cells = tables.Cells(compared())
        self.assertIsNone(cells.ratio("xmsg", "redis", "rpc", 16))
        self.assertIsNone(cells.figure("redis", "rpc", 16, "rate"))

    def test_make_verdicts(self):
        text = tables.goals(compared())
        self.assertIn("| xmsg over redis, 1 | 1.4 | 2.00 | met |", text)
        self.assertIn("| xmsg over redis, 16 | 1.2 | - | not measured |", text)
        self.assertIn("| sends over SQLite's inserts, 1 to a commit | 0.9 | "
                      "0.80 | missed |", text)
        text = tables.scale_sections(grown())["edges"]
        self.assertIn("| memory when idle, MiB | <= 4 | 5.00 | missed |", text)
        self.assertIn("| 80,000 | met |", text)

    def test_of_a_busy_machine_are_marked(self):
        report = compared()
        self.assertNotIn("busy", tables.where(report))
        report["others"] = 1.0
        self.assertIn("busy", tables.where(report))


class Tables(tap.Case):
    def every(self):
        for report in (compared(), grown(), mixed()):
            yield tables.sections(report)

    def test_have_as_many_columns_in_each_row(self):
        for sections in self.every():
            for name, text in sections.items():
                for block in text.split("\n\n"):
                    widths = {line.count("|") for line in block.split("\n")}
                    self.assertEqual(len(widths), 1, name)

    def test_have_a_place_in_the_document(self):
        with open(DOCUMENT) as f:
            places = re.findall(r"<!-- begin ([\w-]+) -->\n(?:.*?\n)??"
                                r"<!-- end \1 -->", f.read(), re.DOTALL)
        names = [name for sections in self.every() for name in sections]
        self.assertEqual(sorted(places), sorted(names))

    def test_replace_what_was_there(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "page.md")
            with open(path, "w") as f:
                f.write("a\n<!-- begin mixed -->\nold\n<!-- end mixed -->\n"
                        "b <!-- begin other -->\nkept\n<!-- end other -->\n")
            for _ in range(2):
                tables.fill(path, mixed())
                with open(path) as f:
                    text = f.read()
                self.assertNotIn("old", text)
                self.assertIn("kept", text)
                self.assertEqual(text.count("| nobody |"), 1)


class Plots(tap.Case):
    def test_are_well_formed_and_the_same_each_time(self):
        for report in (compared(), grown()):
            _, make = tables.kind_of(report)
            for name, svg in make(report).items():
                root = xml.etree.ElementTree.fromstring(svg)
                self.assertTrue(root.tag.endswith("svg"), name)
                self.assertEqual(svg, make(report)[name])
                self.assertLess(len(svg), 20000)

    @tap.table([
        ("linear", [0, 3], False, [0, 1.25, 2.5, 3.75, 5]),
        ("logarithmic", [1, 300], True, [1, 10, 100, 1000]),
        ("logarithmic with 0", [0, 10, 20], True, [0, 10, 100]),
        ("nothing", [], True, [1, 10]),
    ])
    def ticks(self, values, log, want):
        axis = plot.Axis(values, 0, 100, log)
        self.assertEqual(axis.ticks(), want)
        if values:
            self.assertLessEqual(0, axis.pixel(min(values)))
            self.assertLessEqual(axis.pixel(max(values)), 100)
            self.assertLess(axis.pixel(min(values)), axis.pixel(max(values)))


READ = '7 recvfrom(5<socket:[1]>, "POST /request/q c000000 n000000000001 x"'
BEGUN = " <unfinished ...>\n"
SYNC = "8 fdatasync(4</d/wal>) = 0\n"
CONFIRM = '7 sendto(5<socket:[1]>, "HTTP/1.1 200 OK") = 9\n'


class Traces(tap.Case):
    """(syncs, requests, confirmed after a sync)"""

    @tap.table([
        ("synced", READ + ") = 30\n" + SYNC + CONFIRM, (1, 1, 1)),
        ("not synced", READ + ") = 30\n" + CONFIRM + SYNC, (1, 1, 0)),
        ("synced before it came", SYNC + READ + ") = 30\n" + CONFIRM,
         (1, 1, 0)),
        ("a sync that has not ended", READ + ") = 30\n" +
         "8 fdatasync(4</d/wal>" + BEGUN + CONFIRM +
         "8 <... fdatasync resumed>) = 0\n", (1, 1, 0)),
        ("a sync in two lines", READ + ") = 30\n" +
         "8 fdatasync(4</d/wal>" + BEGUN +
         "8 <... fdatasync resumed>) = 0\n" + CONFIRM, (1, 1, 1)),
        ("a read in two lines", "7 read(5<socket:[1]>, " + BEGUN + SYNC +
         '7 <... read resumed>"c000000 n000000000001 x", 99) = 30\n' + SYNC +
         CONFIRM, (2, 1, 1)),
        ("a write to a file is no confirmation", READ + ") = 30\n" +
         '7 write(6</d/log>, "c000000 n0") = 9\n' + SYNC + CONFIRM, (1, 1, 1)),
    ])
    def watched(self, text, want):
        with tempfile.NamedTemporaryFile("w", suffix=".trace") as f:
            f.write(text)
            f.flush()
            self.assertEqual(script("compare").watch(f.name), want)


if __name__ == "__main__":
    tap.main()
