#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""A broker under mixed load for long (promise R26): memory, descriptors and
files do not grow, and it does not become slower.

    soak.py MINUTES [OPTION OF THE BROKER...]

Before the time begins, as many requests are answered as the broker keeps notes
of answers (65,536).  The first quarter is for what else fills up once, such as
caches.  From then on the median of a quarter is compared with the last.

What is in use hangs on what clients happen to have left.  So the time is made of
laps, and after each the clients go, all queues are destroyed, what was kept for
undo expires, and the log is emptied; then the broker has the same to remember as
after any other lap.  Through what it has allocated then and not freed
(support/heapinfo.c) a line is laid, in the second half.  The pages of its database
that are in use then are notes of answers: at least 65,536, and as many again
before they are forgotten.  What it holds from the kernel comes in steps of many
pages, and the file keeps what the fullest moment needed; both are told
besides."""
import multiprocessing
import os
import random
import statistics
import struct
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from broker import Broker, Conn, get, post, preload, until  # noqa: E402

CALLERS = 2
SAMPLE = 2.0  # seconds
ANSWERS, BATCH = 70000, 100
LAPS = 8
SLOPE = 1.0      # KiB a minute, and ...
LIVE_NOISE = 16  # ... so many KiB in all, of what is in use at rest; and ...
RSS_NOISE = 256  # ... of what is held: pages and arenas come in pieces
PAGES_MOST = 4 << 20  # bytes: of 131,072 notes, two dozen each, and room
P99_NOISE = 3.0  # times; others are on the machine
HARD = ("--set", "server.harden=yes") if os.geteuid() == 0 else ()


# ---- who makes the load; each is a process, ended by the one that began it ----
# They pause, so that the rate is the same all the time: what is kept for undo,
# and so the size of the files, hangs on it.

def caller(socket, rng, name, times):
    """Remote calls over a transient queue, for a while on one connection; how
    long each took goes to `times`."""
    took = []
    while True:
        with Conn(socket, token=name) as c:
            back = "back-" + name
            c.create(back, transient=True)
            for _ in range(rng.randrange(50, 500)):
                began = time.monotonic()
                c.publish("svc", '{"method":"M","params":["%s"]}' %
                          ("x" * rng.choice((10, 500, 500, 20000))), back)
                (_, ident, _, _), = c.poll([back], 30, frm=-1)[0]
                c.ack(back, ident)
                took.append(time.monotonic() - began)
                time.sleep(0.003)
                if len(took) == 20:
                    times.put(took)
                    took = []


def server(socket, rng, _, times):
    """Takes calls, answers, acknowledges."""
    with Conn(socket, token="server") as c:
        above = -1
        while True:
            got, above = c.poll(["svc"], 30, frm=above)
            for _, ident, payload, kind in got:
                c.respond(kind[1], "svc", ident, payload[:rng.randrange(400)])
                c.ack("svc", ident)


def visitor(socket, rng, name, times):
    """Comes, leaves things, goes without a word."""
    n = 0
    while True:
        n += 1
        c = Conn(socket, token="%s-%d" % (name, n))
        queue = "%s-%d" % (name, n % 500)
        c.create(queue, transient=rng.random() < 0.5)
        for _ in range(rng.randrange(5)):
            c.publish(queue, "y" * rng.randrange(2000))
        if rng.random() < 0.3:
            c.send(b"POST /transfer HTTP/1.1\r\ncontent-length: 99\r\n\r\n{")
        elif rng.random() < 0.7:
            c.destroy(queue)
        c.close()
        time.sleep(0.02)


def operator(socket, rng, _, times):
    """Looks, cancels, holds, purges and undoes."""
    with Conn(socket, token="operator") as c:
        c.create("desk")
        while True:
            ids = [c.publish("desk", '{"method":"M%d","params":[]}' % k)
                   for k in range(8)]
            for what, ident in zip(("hold", "release", "cancel", "reply"), ids):
                c.v1("/queues/desk/messages/%d/%s" % (ident, what), "POST",
                     '{"payload":"x"}' if what == "reply" else "{}")
            for look in ("/status", "/queues", "/queues/desk/messages",
                         "/clients", "/events?limit=100", "/chart?last=100",
                         "/removed"):
                c.v1(look) if "chart" not in look else c.ask(
                    b"GET /v1%s HTTP/1.1\r\n\r\n" % look.encode())
            status, got = c.v1("/queues/desk/purge", "POST", "{}")
            if status == 200 and rng.random() < 0.5:
                c.v1("/removed/restore", "POST", '{"act":%d}' % got["act"])
            time.sleep(0.1)


def work(function, socket, seed, name, times):
    try:
        function(socket, random.Random(seed), name, times)
    except KeyboardInterrupt:
        pass


def fill(b):
    """Answer ANSWERS requests, on many connections, so that many go with one
    commit."""
    conns = [b.conn("fill") for _ in range(BATCH)]
    conns[0].create("fill")
    conns[0].create("back")
    for _ in range(ANSWERS // BATCH):
        ids = batch(conns, [post("/request/fill/back", "x")] * BATCH)
        back = batch(conns, [post("/response/back/fill/%d" % i, "y")
                             for i in ids])
        batch(conns, [get("/ack/fill/%d" % i) for i in ids])
        batch(conns, [get("/ack/back/%d" % i) for i in back])
    conns[0].destroy("fill")
    conns[0].destroy("back")
    for c in conns:
        c.close()


def batch(conns, requests):
    """One on each; the ids in the answers, if they have some."""
    for c, r in zip(conns, requests):
        c.send(r)
    replies = [c.reply() for c in conns]
    assert {r.status for r in replies} == {200}
    return [r.json()[0][1] for r in replies if r.body]


# ---- what is measured ----

def pages_in_use(path):
    """Bytes of a database that hold something, by its header, as of the last
    time that the log was moved into it."""
    with open(path, "rb") as f:
        head = f.read(40)
    size, = struct.unpack(">H", head[16:18])
    count, = struct.unpack(">I", head[28:32])
    free, = struct.unpack(">I", head[36:40])
    return (count - free) * size


def heap(b):
    """Bytes in use, held besides, in use by SQLite; how often it told."""
    with open(b.folder + "/heap", "rb") as f:
        return struct.unpack("4q", f.read(32))


def sample(b):
    files = {}
    for name in os.listdir(b.state):
        if name != "switch.db.reserve":
            files[name] = os.stat(os.path.join(b.state, name)).st_size
    live, rest, sqlite, _ = heap(b)
    return {"at": time.monotonic(), "rss": b.rss_kib(), "fds": b.fds(),
            "live": live / 1024, "rest": rest / 1024, "sqlite": sqlite / 1024,
            "file": files["switch.db"], "log": files["switch.db-wal"],
            "recorder": files["recorder.ring"],
            "threads": len(os.listdir("/proc/%d/task" % b.process.pid))}


def all_gone(b):
    """Nothing is left of the clients and of what they did, but numbers."""
    until(lambda: b.status()["connections"] == 1, "all have gone", 60, 0.1)
    with b.conn("cleaner") as c:
        for queue in c.list():
            c.destroy(queue)
        until(lambda: not c.v1("/removed")[1]["removed"], "undo has expired",
              60, 0.1)
    until(lambda: os.stat(b.state + "/switch.db-wal").st_size == 0,
          "the log is empty", 90, 0.1)


def at_rest(b):
    """What it remembers when there is nothing to remember."""
    all_gone(b)
    lives = []
    for _ in range(5):  # each in another second
        was = heap(b)[3]
        until(lambda: b.status() and heap(b)[3] != was, "it tells", 10, 0.1)
        lives.append(heap(b)[0] / 1024)
    return {"at": time.monotonic(), "live": min(lives),
            "sqlite": heap(b)[2] / 1024,
            "pages": pages_in_use(b.state + "/switch.db")}


def quarters(samples, what):
    n = len(samples) // 4
    return [statistics.median(s[what] for s in samples[k * n:(k + 1) * n])
            for k in range(4)]


def slope(rows, what):
    """A minute, by least squares."""
    x = [r["at"] / 60 for r in rows]
    y = [r[what] for r in rows]
    mx, my = statistics.mean(x), statistics.mean(y)
    return (sum((a - mx) * (b - my) for a, b in zip(x, y)) /
            sum((a - mx) ** 2 for a in x))


def p99s(laps):
    """In ms, by quarters of the laps: seconds of each call."""
    by = [sum(laps[k * LAPS // 4:(k + 1) * LAPS // 4], []) for k in range(4)]
    return [1000 * statistics.quantiles(some, n=100)[98] for some in by]


def judge(samples, rests, laps):
    """(name, good, text) of each figure."""
    for name, rows, told, what, noise in (
            ("in use at rest", rests[LAPS // 2:],
             [round(r["live"], 1) for r in rests], "live", LIVE_NOISE),
            ("held under load", samples[len(samples) // 4:],
             quarters(samples, "rss"), "rss", RSS_NOISE)):
        a = slope(rows, what)
        minutes = (rows[-1]["at"] - rows[0]["at"]) / 60
        yield ("memory " + name, a * minutes <= SLOPE * minutes + noise,
               "%+.2f KiB a minute; %s KiB" % (a, told))
    pages = [r["pages"] for r in rests]
    yield ("database in use at rest", max(pages) <= PAGES_MOST,
           "%s bytes" % pages)
    for what in ("live", "sqlite", "rest", "file"):
        print("# under load, by quarters: %s %s" % (
            what, [round(q) for q in quarters(samples, what)]))
    print("# SQLite's at rest: %s KiB" % [round(r["sqlite"]) for r in rests])
    for what, noise in (("fds", 4), ("threads", 0), ("recorder", 0)):
        q = quarters(samples, what)
        yield what, q[3] <= q[1] + noise, "%s by quarters" % q
    most = max(s["log"] for s in samples)
    yield "log", most <= 32 << 20, "%d bytes at most" % most
    q = p99s(laps)
    yield ("p99 of a call", q[3] <= P99_NOISE * q[1],
           "%s ms by quarters" % ["%.2f" % x for x in q])


def lap(b, seed, seconds):
    """A stretch of load: (samples, seconds of each call, who lived on)."""
    roles = ([(caller, "caller%d" % i) for i in range(CALLERS)] +
             [(server, ""), (visitor, "visitor"), (operator, "")])
    times, samples, took = multiprocessing.SimpleQueue(), [], []
    with b.conn("setup") as c:
        c.create("svc")
    workers = [multiprocessing.Process(
        target=work, args=(f, b.socket, seed + k, name, times), daemon=True)
               for k, (f, name) in enumerate(roles)]
    for p in workers:
        p.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end and b.process.poll() is None:
        samples.append(sample(b))
        while not times.empty():
            took += times.get()
        time.sleep(SAMPLE)
    alive = [p.is_alive() for p in workers] + [b.process.poll() is None]
    for p in workers:
        p.terminate()
        p.join()
    return samples, took, alive


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    seed = int(os.environ.get("XMSG_SEED") or random.randrange(1 << 30))
    print("# XMSG_SEED=%d, %g minutes" % (seed, minutes), flush=True)
    with Broker("--set", "undo.time=10s", "--set", "limits.poison=0", *HARD,
                *sys.argv[2:], disk=True, start=False) as b:
        with open(b.folder + "/heap", "wb") as f:
            f.truncate(4096)
        b.start(env=dict(preload("heapinfo"),
                         XMSG_HEAPINFO=b.folder + "/heap"))
        fill(b)
        samples, laps, rests, alive = [], [], [], []
        for k in range(LAPS):
            some, took, alive = lap(b, seed + 10 * k, minutes * 60 / LAPS)
            samples += some
            laps.append(took)
            if not all(alive):
                break
            rests.append(at_rest(b))
        rows = [("all live on", all(alive), str(alive))]
        if all(alive):
            counters = b.counters()
            print("# %d requests, %s" % (counters["requests"], {
                k: counters[k] for k in sorted(counters) if counters[k]}))
            rows += list(judge(samples, rests, laps))
            status = b.stop()
            rows.append(("it ends in order", status == 0,
                         b.read_log()[-2000:] if status else "status 0"))
        print("1..%d" % len(rows))
        for n, (name, good, text) in enumerate(rows):
            print("%sok %d - %s: %s" % ("" if good else "not ", n + 1, name,
                                        text.replace("\n", "; ")))
        return 0 if all(good for _, good, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
