# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Playing rows of calls_table against the adapter, and comparing.

A Stage is a volume plugin, an SR of it and a datapath plugin for each set of
features that rows ask for.  Rows are written for one stage; on another one
their SR and URIs are replaced by its own.
"""
import json

import calls_table
from calls_table import HANDLE, SR, Like
from support import Adapter, answer_of_query, dump, out, request
import tap

SCHEMES = {(): "dpx", ("NONPERSISTENT",): "npx", ("VDI_MIRROR_IN",): "mix"}


class Stage:
    """Plugins that belong together; made before the adapter starts."""

    def __init__(self, adapter, name="staged", sr=SR, suffix="",
                 features=tuple(SCHEMES)):
        self.adapter, self.sr = adapter, sr
        self.volume = adapter.volume(name, features=[
            "SR_ATTACH", "VDI_DESTROY", "VDI_CONFIG_CBT"])
        self.schemes = {f: s + suffix for f, s in SCHEMES.items()}
        self.datapaths = {f: adapter.datapath(s, features=list(f))
                          for f, s in self.schemes.items() if f in features}
        self.attached = False

    def plugins(self):
        return [self.volume] + list(self.datapaths.values())

    def ready(self):
        """Wait until all of them answered: no query of ours is on its way."""
        self.adapter.ready(self.volume)
        self.adapter.until_datapath(*self.datapaths.values())

    def own(self, value, row):
        """The value with our SR, scheme and name in it."""
        if isinstance(value, dict):
            return {k: self.own(v, row) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.own(v, row) for v in value]
        if not isinstance(value, str):
            return value
        if value == SR:
            return self.sr
        scheme = self.schemes[tuple(row.features)]
        for old, new in (("dpx:", scheme + ":"),
                         ("DPX:", scheme.upper() + ":")):
            if value.startswith(old):
                value = new + value[len(old):]
        if value == "staged":
            value = self.volume.name.rsplit(".", 1)[-1]
        return value

    def plugin(self, script, row):
        """The plugin that a script belongs to."""
        if script.volume():
            return self.volume
        return self.datapaths[tuple(row.features)]

    def path(self, script, row):
        return self.plugin(script, row).path(script.name)

    def attach(self):
        if not self.attached:
            self.adapter.attach(self.volume, self.sr, HANDLE)
            self.attached = True

    def plan(self, row, instead=None):
        """Plan every script of a row; instead: {step: steps of a plan}."""
        turns = {}
        for i, s in enumerate(row.scripts):
            plan = (instead or {}).get(i)
            if plan is None:
                plan = [out(self.own(s.prints, row))]
            turns.setdefault(
                (self.plugin(s, row), s.name), []).append(plan)
        for (plugin, name), plans in turns.items():
            if len(plans) == 1:
                plugin.usual(name, *plans[0])
            else:
                plugin.in_turn(name, *plans)

    def clear(self):
        for p in self.plugins():
            p.clear()
        self.volume.usual("Plugin.Query", out(answer_of_query(
            self.volume.name.rsplit(".", 1)[-1],
            features=calls_table.QUERY["features"])))

    def request(self, row):
        return request(row.method, self.own(row.params, row))

    def expected(self, row, scripts):
        """What runs of these scripts look like."""
        return [(self.plugin(s, row).name, s.name, ["--json"],
                 dict(self.own(s.params, row), dbg="D")) for s in scripts]

    def runs(self, mark, plugins=None):
        """The runs since then, in the same form; odd ones raise."""
        mine = {p.name for p in plugins or self.plugins()}
        found = []
        for r in self.adapter.runs(mark):
            if r["plugin"] not in mine:
                continue
            text = r["stdin"]
            value = json.loads(text)
            if text != dump(value):
                raise AssertionError("standard input is not one compact "
                                     "line: %r" % text)
            path, *rest = r["argv"]
            name = path.rsplit("/", 1)[-1]
            found.append((r["plugin"], name, rest, value))
        return found


def check_reply(case, text, result=None, error=None, ident=0):
    """The whole reply: its bytes, unless a part is known by pattern only."""
    want = {"result": result, "error": error, "id": ident}
    got = json.loads(text)
    case.assertEqual(got, want, text)
    case.assertEqual(text, dump(got), "not written as xapi does")
    if not has_pattern(want):
        case.assertEqual(text, dump(want))
    else:
        case.assertEqual(list(got), ["result", "error", "id"])


def has_pattern(value):
    if isinstance(value, dict):
        return any(has_pattern(v) for v in value.values())
    if isinstance(value, list):
        return any(has_pattern(v) for v in value)
    return isinstance(value, Like)


def signature(row):
    return (row.method, tuple(s.name for s in row.scripts),
            tuple(row.features))


def failing_steps():
    """(title, row, step) for each script of each call, once."""
    seen, found = set(), []
    for row in calls_table.ROWS:
        if row.error or signature(row) in seen:
            continue
        seen.add(signature(row))
        for i, s in enumerate(row.scripts):
            found.append(("%s, step %d, %s" % (row.name, i + 1, s.name),
                          row, i))
    return found


def first_of_name(step):
    """Is it the first run of its script in its row, and is it needed?"""
    _, row, i = step
    if row.scripts[i].spare:
        return False
    names = [s.name for s in row.scripts]
    return names.index(names[i]) == i


class Plugins(tap.Case):
    """One adapter for a group, with a plugin and a datapath."""

    @classmethod
    def setUpClass(cls):
        cls.adapter = Adapter(start=False)
        cls.addClassCleanup(cls.adapter.remove)
        cls.make()
        cls.adapter.start()
        cls.adapter.ready(cls.plugin)
        cls.caller = cls.adapter.caller()

    @classmethod
    def make(cls):
        cls.plugin = cls.adapter.volume("t1")
        cls.dpx = cls.adapter.datapath("dpx")

    @classmethod
    def tearDownClass(cls):
        cls.caller.close()

    def setUp(self):
        for p in (self.plugin, self.dpx):
            p.clear()

    def logged(self):
        return self.adapter.read_log()[-2000:]

    def ask(self, text):
        return self.caller.call(self.plugin.name, text)

    def names(self, mark):
        return [r["argv"][0].rsplit("/", 1)[-1]
                for r in self.adapter.runs(mark)]
