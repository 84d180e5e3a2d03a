# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""System calls that fail (faultat.c): which of them, and how a process bore it.

A sample has the same points for the same XMSG_SEED, some of each call;
XMSG_PLACES=1 is, where that is quick, one of each place in the program that makes
a call; XMSG_FULL=1 is all of them.
"""
import collections
import os
import random
import time

from broker import preload, until

SEED = int(os.environ.get("XMSG_SEED", "1"))
FULL = bool(os.environ.get("XMSG_FULL"))
PLACES = bool(os.environ.get("XMSG_PLACES"))
KINDS = ["EIO", "ENOSPC", "EMFILE", "EINTR", "SHORT"]
QUIET_NS = 4000000  # of processor time in a window: nothing spins
WINDOW = 0.02       # seconds


def fault(kind, at=0, length=1, **more):
    """The environment in which calls fail: XMSG_FAULT_x from `more`."""
    env = dict(preload("faultat"), XMSG_FAULT=kind, XMSG_FAULT_AT=str(at),
               XMSG_FAULT_FOR=str(length))
    env.update(("XMSG_FAULT_" + name, value) for name, value in more.items())
    return env


def names(path):
    """What was counted: the names of the calls and their places, in order."""
    try:
        with open(path) as f:
            return [line.split(" ", 1)[1].strip() for line in f]
    except FileNotFoundError:
        return []


def places(calls, most):
    """How many points a test takes that is quick enough for all places."""
    return max(most, len(set(calls))) if PLACES else most


def points(calls, most):
    """(index, how many fail there): as far as there is room, one of each name,
    one of each place, the rest from anywhere."""
    n = len(calls)
    rng = random.Random(SEED)
    if FULL:
        return [(i, rng.choice((1, 4))) for i in range(1, n + 1)]
    some = []
    for kind in (lambda call: call.split(" @")[0], lambda call: call):
        groups = {}
        for i, call in enumerate(calls):
            groups.setdefault(kind(call), []).append(i + 1)
        some += rng.sample([rng.choice(g) for g in groups.values()],
                           len(groups))
    some += rng.sample(range(1, n + 1), n)
    some = list(dict.fromkeys(some))[:most]
    return [(i, rng.choice((1, 1, 4))) for i in sorted(some)]


def each(calls, most, point):
    """Go through points: what point(at, length) returned, and a text for each
    AssertionError; after five the rest is not tried."""
    good, bad = [], []
    for at, length in points(calls, most):
        try:
            good.append(point(at, length))
        except AssertionError as e:
            bad.append("%d at %d (%s): %s" % (length, at, calls[at - 1], e))
            if len(bad) == 5:
                break
    return good, bad


def processor_ns(pid):
    """Processor time of all threads; None when the process has gone."""
    total = 0
    try:
        for t in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/schedstat" % (pid, t)) as f:
                total += int(f.read().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return None
    return total


def until_quiet(pid):
    """With nothing to do a process does nothing."""
    def quiet():
        a = processor_ns(pid)
        time.sleep(WINDOW)
        b = processor_ns(pid)
        return a is None or b is None or b - a < QUIET_NS
    until(quiet, "process %d rests" % pid, pause=0)


def errors(log):
    """Lines of a log that say why it ended."""
    return [line for line in log.splitlines()
            if " error " in line or "error:" in line or
            ": cannot " in line or
            "out of memory" in line]


def tally(values):
    """How often each: "0: 12, 74: 3"."""
    count = collections.Counter(values)
    return ", ".join("%s: %d" % pair for pair in sorted(count.items()))
