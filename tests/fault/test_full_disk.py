# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""A full disk (promise R9): a small tmpfs, and an ext4 on a loop device, filled by
another writer.

Sends are refused, soon, and say why; ten thousand acknowledgements are taken, and
so are replies, cancellations, purges and the end of queues; when there is room
again, sends are taken again by themselves; and a restart finds what was
acknowledged, neither more nor less.

To mount takes rights, and a loop device has to be there.  Where they are missing
the case says so, loudly, and is skipped; what then still is tested is the case
no_room_for_the_reserve of e2e/test_semantics.py, which needs neither.
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import tap  # noqa: E402
from broker import Broker, get, memory_folder, post, until  # noqa: E402

ACKS = 10000
MESSAGES = 10300
HANDS = 50  # connections that acknowledge
MOUNT = {
    "tmpfs": 'mount -t tmpfs -o size=64m,mode=700 xmsg "$1"',
    "ext4": 'truncate -s 64m "$1.img" && mkfs.ext4 -q -F -m 0 "$1.img" && '
            'mount -o loop "$1.img" "$1" && chmod 700 "$1"'}
HOLD = 'mount --make-rprivate / && %s && echo ready && read -r _'


class Disk:
    """A file system of our own, in a mount namespace that a process holds."""

    def __init__(self, kind):
        self.path = tempfile.mkdtemp(prefix="xmsg-disk-",
                                     dir=memory_folder())
        how = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        self.keeper = subprocess.Popen(
            how + ["sh", "-c", HOLD % MOUNT[kind], "sh", self.path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        said = self.keeper.stdout.readline().decode()
        self.why = None if said == "ready\n" else said.strip() or "no word"
        self.wrapper = ["nsenter", "-t", str(self.keeper.pid), "-m"]
        if os.geteuid() != 0:
            self.wrapper[3:3] = ["-U", "--preserve-credentials"]
        self.inside = "/proc/%d/root%s/" % (self.keeper.pid, self.path)

    def remove(self):
        """With the process the mount goes, and with it the loop device."""
        self.keeper.communicate(b"\n")
        shutil.rmtree(self.path, True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path + ".img")

    def fill(self):
        """Another writer takes all there is."""
        with open(self.inside + "fill", "wb", buffering=0) as f:
            for size in (65536, 512):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(b"x" * size)

    def relent(self):
        os.unlink(self.inside + "fill")


class FullDisk(tap.Case):
    def broker(self, **kw):
        b = Broker("--set", "recorder.size=1M", start=False, **kw)
        self.addCleanup(b.remove)
        return b

    def publish_many(self, b):
        """MESSAGES of them, over as many connections as there are hands."""
        with b.conn("t") as c:
            for q in ("q", "r", "gone"):
                c.create(q)
            c.publish("gone", "x" * 100)
        conns = [b.conn("t") for _ in range(HANDS)]
        each = MESSAGES // HANDS
        for c in conns:
            c.send(*[post("/request/q/r", "x" * 500)] * each)
        ids = [c.checked().json()[0][1] for c in conns for _ in range(each)]
        for c in conns:
            c.close()
        return sorted(ids)

    def ack_many(self, b, ids):
        """Each of them, on a full disk; seconds."""
        began = time.monotonic()
        conns = [b.conn("t") for _ in range(HANDS)]
        for k, c in enumerate(conns):
            c.send(*[get("/ack/q/%d" % i) for i in ids[k::HANDS]])
        for k, c in enumerate(conns):
            for _ in ids[k::HANDS]:
                c.checked("ack")
            c.close()
        return time.monotonic() - began

    def refused(self, c):
        """A send; (whether it was refused as it should be, seconds)."""
        began = time.monotonic()
        r = c.ask(post("/request/q/r", "y" * 5000))
        took = time.monotonic() - began
        if r.status == 200:
            self.kept.add(r.json()[0][1])
            return False, took
        self.assertEqual((r.status, r.json()["error"]["code"]),
                         (507, "disk_full"))
        return True, took

    def until_refused(self, c):
        """What is left in the files that are there is used up first."""
        waits = []
        while len(waits) < 20:
            no, took = self.refused(c)
            if no:
                waits.append(took)
        print("# a send is refused after %.1f ms at most" % (
            1000 * max(waits)))
        self.assertLess(max(waits), 1)

    def other_ways_out(self, b, c, ids):
        """Replies, cancellations, purges, the end of a queue."""
        for i in ids[:10]:
            c.ok(post("/response/r/q/%d" % i, "done"))
            c.ack("q", i)
        for i in ids[10:20]:
            self.assertEqual(c.v1("/queues/q/messages/%d/cancel" % i,
                                  "POST")[0], 200)
        status, got = c.v1("/queues/q/purge", "POST",
                           json.dumps({"limit": 30}))
        self.assertEqual((status, got["messages"]), (200, 30))
        c.destroy("gone")
        self.kept -= set(ids[:50])

    def there(self, b):
        with b.conn("t") as c:
            ids, frm = [], -1
            while True:
                got, frm = c.poll(["q"], frm=frm)
                if not got:
                    return ids, sorted(c.list())
                ids += [m[1] for m in got]

    def until_taken(self, c, patience=20):
        """Seconds until sends are taken again."""
        began = time.monotonic()
        until(lambda: not self.refused(c)[0], "sends are taken again",
              patience, pause=0.01)
        return time.monotonic() - began

    def restart_and_compare(self, b):
        self.assertEqual(self.there(b), (sorted(self.kept), ["q", "r"]))
        b.kill()
        b.start()
        self.assertEqual(self.there(b), (sorted(self.kept), ["q", "r"]))
        self.assertEqual(b.stop(), 0, b.read_log())

    @tap.table([(k, k) for k in MOUNT])
    def on_a_disk_of_its_own(self, kind):
        disk = Disk(kind)
        self.addCleanup(disk.remove)
        if disk.why is not None:
            print("# CANNOT MOUNT %s HERE, NOT TESTED: %s" % (kind, disk.why))
            self.skipTest("cannot mount %s here: %s" % (kind, disk.why))
        b = self.broker(wrapper=disk.wrapper)
        b.state = disk.path + "/state"
        b.start()
        ids = self.publish_many(b)
        self.kept = set(ids)
        b.restart()  # the log is empty: no room is hidden in it
        disk.fill()
        with b.conn("t") as c:
            self.until_refused(c)
            took = self.ack_many(b, ids[:ACKS])
            self.kept -= set(ids[:ACKS])
            self.until_refused(c)  # what they left is taken first
            self.other_ways_out(b, c, ids[ACKS:])
            disk.relent()
            mended = self.until_taken(c)
        print("# %s: %d acks while full in %.1f s; sends taken %.0f ms after "
              "there was room" % (kind, ACKS, took, 1000 * mended))
        self.restart_and_compare(b)


if __name__ == "__main__":
    tap.main()
