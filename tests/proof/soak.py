#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""A broker under mixed load for long (promise R26): memory, descriptors and
files do not grow.

    soak.py MINUTES [OPTION OF THE BROKER...]

Before the time begins, as many requests are answered as the broker keeps notes
of answers (65,536).  The first quarter is for what else fills up once, such as
caches.  From then on the median of a quarter is compared with the last."""
import multiprocessing
import os
import random
import statistics
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from broker import Broker, Conn, get, post, until  # noqa: E402

CALLERS = 2
SAMPLE = 2.0  # seconds
ANSWERS, BATCH = 70000, 100
RSS_SLOPE = 1.0  # KiB a minute, and ...
RSS_NOISE = 128  # ... so many KiB in all: pages and arenas come in pieces
FILE_NOISE = 2 << 20  # bytes; what was appended since the last checkpoint
HARD = ("--set", "server.harden=yes") if os.geteuid() == 0 else ()


# ---- who makes the load; each is a process, ended by the one that began it ----
# They pause, so that the rate is the same all the time: what is kept for undo,
# and so the size of the files, hangs on it.

def caller(socket, rng, name):
    """Remote calls over a transient queue, for a while on one connection."""
    while True:
        with Conn(socket, token=name) as c:
            back = "back-" + name
            c.create(back, transient=True)
            for _ in range(rng.randrange(50, 2000)):
                c.publish("svc", '{"method":"M","params":["%s"]}' %
                          ("x" * rng.choice((10, 500, 500, 20000))), back)
                (_, ident, _, _), = c.poll([back], 30, frm=-1)[0]
                c.ack(back, ident)
                time.sleep(0.003)


def server(socket, rng, _):
    """Takes calls, answers, acknowledges."""
    with Conn(socket, token="server") as c:
        above = -1
        while True:
            got, above = c.poll(["svc"], 30, frm=above)
            for _, ident, payload, kind in got:
                c.respond(kind[1], "svc", ident, payload[:rng.randrange(400)])
                c.ack("svc", ident)


def visitor(socket, rng, name):
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


def operator(socket, rng, _):
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


def work(function, socket, seed, name):
    try:
        function(socket, random.Random(seed), name)
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

def sample(b):
    files = {}
    for name in os.listdir(b.state):
        if name != "switch.db.reserve":
            files[name] = os.stat(os.path.join(b.state, name)).st_size
    return {"at": time.monotonic(), "rss": b.rss_kib(), "fds": b.fds(),
            "database": files["switch.db"], "log": files["switch.db-wal"],
            "recorder": files["recorder.ring"],
            "threads": len(os.listdir("/proc/%d/task" % b.process.pid))}


def quarters(samples, what):
    n = len(samples) // 4
    return [statistics.median(s[what] for s in samples[k * n:(k + 1) * n])
            for k in range(4)]


def judge(samples, seconds):
    """(name, good, text) of each figure."""
    rss = quarters(samples, "rss")
    minutes = seconds / 60 / 2  # from the middle of the second quarter on
    grown = rss[3] - rss[1]
    yield ("memory", grown <= RSS_SLOPE * minutes + RSS_NOISE,
           "%s KiB by quarters, %+.2f KiB a minute" % (rss, grown / minutes))
    for what, noise in (("fds", 4), ("threads", 0), ("recorder", 0),
                        ("database", FILE_NOISE)):
        q = quarters(samples, what)
        yield what, q[3] <= q[1] + noise, "%s by quarters" % q
    most = max(s["log"] for s in samples)
    yield "log", most <= 32 << 20, "%d bytes at most" % most


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    seed = int(os.environ.get("XMSG_SEED") or random.randrange(1 << 30))
    print("# XMSG_SEED=%d, %g minutes" % (seed, minutes), flush=True)
    with Broker("--set", "undo.time=10s", "--set", "limits.poison=0", *HARD,
                *sys.argv[2:], disk=True) as b:
        with b.conn("setup") as c:
            c.create("svc")
        fill(b)
        roles = ([(caller, "caller%d" % i) for i in range(CALLERS)] +
                 [(server, ""), (visitor, "visitor"), (operator, "")])
        workers = [multiprocessing.Process(
            target=work, args=(f, b.socket, seed + k, name), daemon=True)
                   for k, (f, name) in enumerate(roles)]
        for p in workers:
            p.start()
        end, samples = time.monotonic() + minutes * 60, []
        while time.monotonic() < end:
            samples.append(sample(b))
            alive = [p.is_alive() for p in workers]
            if not all(alive) or b.process.poll() is not None:
                break
            time.sleep(SAMPLE)
        counters = b.counters()
        for p in workers:
            p.terminate()
            p.join()
        print("# %d requests, %s" % (counters["requests"], {
            k: counters[k] for k in sorted(counters) if counters[k]}))
        rows = [("all live on", all(alive), str(alive))]
        if all(alive):
            rows += list(judge(samples, minutes * 60))
            until(lambda: b.status()["connections"] == 1, "all have gone")
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
