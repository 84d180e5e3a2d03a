#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Take each protection away, and see its test fail.

A test that cannot fail proves nothing.  Each row of MUTANTS names a promise of
doc/proof.md, what is done to one source file, and the test that holds the
promise up.  In a copy of the tree the row is applied, everything is built, and
the test has to fail; a test that passes is the failure here.  On the copy as it
is, each test has to pass.

    tests/proof/red.py             all of them, a quarter of an hour
    tests/proof/red.py R13 R17     some promises
    tests/proof/red.py --only-red  without the run on the copy as it is
    tests/proof/red.py --table     the rows, as doc/proof.md shows them

Needs what ./check --build needs.  Status 1 when a test stayed green.
"""
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
JOBS = "-j%d" % (os.cpu_count() or 1)
LIMIT = 300  # seconds for a test whose protection is gone: it may hang

Mutant = collections.namedtuple(
    "Mutant", "promise what path before after test words")
MUTANTS = [Mutant(*row) for row in [
    ("R2", "acknowledged, and rolled back", "broker/sqldb_write.c",
     "rc = sqldb_run(db, S_COMMIT);", "rc = sqldb_run(db, S_ROLLBACK);",
     "tests/e2e/test_v1_kill.py", ""),
    ("R3", "what a consumer left is not offered again",
     "broker/mswitch_poll.c",
     "(msg->id > from || (msg->flags & MSG_AGAIN))", "msg->id > from",
     "tests/e2e/test_v1_offer.py", "Offer."),
    ("R4", "a second reply is a reply", "broker/mswitch_send.c",
     "return s->is_reply && m->limits.one_reply &&",
     "return false && m->limits.one_reply &&",
     "tests/e2e/test_semantics.py", "Replies."),
    ("R5", "a run whose record is there is run again",
     "storage-adapter/job_dir.c",
     "	f->fate = FATE_ENDED;\n	if (rc == 1)\n		return 0;\n",
     "	f->fate = FATE_FREE;\n	if (rc == 1)\n		return 0;\n",
     "tests/test_job_dir", ""),
    ("R5", "runs go on, and the adapter does not know",
     "storage-adapter/job_dir.c",
     "		f->fate = FATE_RUNNING;\n", "		f->fate = FATE_FREE;\n",
     "tests/adapter/test_crash.py", "Crash.adapter"),
    ("R6", "the youngest first", "broker/mswitch_poll.c",
     "s[i].msg->id < best->msg->id", "s[i].msg->id > best->msg->id",
     "tests/e2e/test_semantics.py", "Order."),
    ("R7", "numbers begin anew", "broker/sqldb.c",
     "	db->next_id = db->reserved + 1;\n", "	db->next_id = 1;\n",
     "tests/e2e/test_semantics.py", "Ids."),
    ("R9", "the reserve stays where it is", "broker/store_sqlite.c",
     "		s->sought_ns = clock_mono_ns();\n		reserve_give(s);\n",
     "		s->sought_ns = clock_mono_ns();\n", "tests/e2e/test_semantics.py", "Scarce.a_full_disk"),
    ("R10", "a disk that failed is asked again", "broker/sqldb_write.c",
     "	bool fatal = sqldb_fatal(db, rc);\n", "	bool fatal = false;\n",
     "tests/proof/test_failed_sync.py", ""),
    ("R11", "no descriptor in reserve, and no pause", "broker/http_accept.c",
     "	if (h->spare != -1) {\n		close(h->spare);\n		c =",
     "	if (fd != -1)\n		return;\n"
     "	if (h->spare != -1) {\n		close(h->spare);\n		c =",
     "tests/e2e/test_semantics.py", "Scarce.out_of_descriptors"),
    ("R13", "limits by the clock on the wall", "lib/clock.c",
     "	return get(CLOCK_BOOTTIME);\n", "	return get(CLOCK_REALTIME);\n",
     "tests/fault/test_clock.py", ""),
    ("R14", "who does not read is answered on", "broker/http.c",
     "	return c->out.n - c->out_at >= c->http->c.max_pending;\n",
     "	return c->out.n > INT32_MAX;\n", "tests/core/test_http", ""),
    ("R14", "the same, 100 of them", "broker/http.c",
     "	return c->out.n - c->out_at >= c->http->c.max_pending;\n",
     "	return c->out.n > INT32_MAX;\n",
     "tests/e2e/test_hostile.py", "Slow.readers_that_never"),
    ("R15", "slow requests have all time", "broker/http.c",
     "	deadline_set(cf->deadlines, &c->slow, c->began_ns + limit);\n", "",
     "tests/core/test_http", ""),
    ("R15", "the same, 1,000 of them", "broker/http.c",
     "	deadline_set(cf->deadlines, &c->slow, c->began_ns + limit);\n", "",
     "tests/e2e/test_hostile.py", "Slow.a_thousand_that_dribble"),
    ("R15", "the end of a parked client is not noticed", "broker/http.c",
     "	short want = c->half ? 0 : EV_CLOSED;\n",
     "	short want = 0;\n\n	if (http_blocked(c))\n		return 0;\n",
     "tests/core/test_http", ""),
    ("R16", "deaths are counted for nothing", "broker/mswitch_poison.c",
     " || n < m->limits.poison)", " || n > 0)",
     "tests/e2e/test_v1_offer.py", "Offer.poison"),
    ("R17", "a script may ignore its end", "storage-adapter/run_watch.c",
     "	unsigned left = run_kill(r);\n", "	unsigned left = 0;\n",
     "tests/adapter/test_misbehaviour.py", "02_ignores_term"),
    ("R18", "a run lasts while somebody has its output",
     "storage-adapter/run_watch.c",
     "	else if (passed(r) || (r->out.pipe == -1 && r->err.pipe == -1))\n",
     "	else if (r->out.pipe == -1 && r->err.pipe == -1)\n",
     "tests/adapter/test_misbehaviour.py", "05_leaves_a_daemon"),
    ("R19", "output without end is kept", "storage-adapter/run_copy.c",
     "	int64_t room = r->o.max_out - r->out.len;\n",
     "	int64_t room = INT64_MAX - r->out.len;\n",
     "tests/adapter/test_misbehaviour.py", "06_endless_output"),
    ("R20", "changes under the root are not heard of",
     "storage-adapter/watch.c",
     "	if (any)\n		dirty(w);\n", "	(void)any;\n",
     "tests/adapter/test_churn.py", "Discovery."),
    ("R21", "a broker that went away is not looked for again",
     "lib/xmsg_conn.c", "		c->try_ns = now + pause_ns(c, now);\n",
     "		c->try_ns = now + INT64_C(1000) * NS_PER_SEC;\n",
     "tests/adapter/test_crash.py", "Crash.broker"),
    ("R22", "who looks on is shown everything at once", "broker/trace.c",
     "	if (p->rate == 0)\n		return SIZE_MAX;\n",
     "	if (p != NULL)\n		return SIZE_MAX;\n",
     "tests/core/test_trace", ""),
    ("R23", "who does not wait is woken", "broker/waiter.c",
     "		if (l->waiter->parked)\n", "		if (l != NULL)\n",
     "tests/core/test_waiter", ""),
    ("R24", "sums are not compared", "broker/sqldb_read.c",
     "	    sqlite3_column_int64(s, 13) != sqldb_sum(m);\n",
     "	    sqlite3_column_int64(s, 13) == 12345;\n",
     "tests/proof/test_damage_store", ""),
    ("R24", "guards of answers are not compared", "broker/sqldb_read.c",
     "		if (!sqlite3_column_int(s, 2)) {\n", "		if (false) {\n",
     "tests/proof/test_damage_store", ""),
    ("R25", "an upgrade in pieces", "broker/sqldb.c",
     "		buf_adds(&b, upgrades[v - 1]);\n",
     "		buf_addf(&b, \"%s COMMIT; BEGIN EXCLUSIVE;\", upgrades[v - 1]);\n",
     "tests/proof/test_crash_upgrade", ""),
    ("D3", "system calls are left as they are", "broker/harden.c",
     "SECCOMP_RET_ERRNO | ENOSYS", "SECCOMP_RET_ALLOW", "tests/core/test_harden", ""),
    ("D4", "owners are not looked at", "storage-adapter/trust.c",
     "	if (!owner_ok(w->st.st_uid))\n", "	if (w == NULL)\n",
     "tests/test_trust", ""),
    ("D6", "what follows a key is not masked", "lib/redact.c",
     "	s->hot = true;\n	s->i = end;\n", "	s->i = end;\n",
     "tests/test_redact", ""),
]]


class Copy:
    """The tree, and a build of it, somewhere else."""

    def __init__(self, folder):
        self.top = os.path.join(folder, "tree")
        self.build = os.path.join(self.top, "build")
        listed = subprocess.run(
            ["git", "-C", TOP, "ls-files", "-z"], check=True,
            stdout=subprocess.PIPE).stdout.decode().split("\0")
        for name in filter(None, listed):
            if not os.path.lexists(os.path.join(TOP, name)):
                continue
            to = os.path.join(self.top, name)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy2(os.path.join(TOP, name), to, follow_symlinks=False)
        os.mkdir(self.build)
        self.run("autoreconf", "-fi", cwd=self.top)
        self.run("../configure", "-q")
        self.make()

    def run(self, *command, cwd=None):
        done = subprocess.run(
            command, cwd=cwd or self.build, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.stdout.write(done.stdout.decode(errors="replace")[-3000:])
            sys.exit("%s: status %d" % (" ".join(command), done.returncode))

    def make(self):
        self.run("make", JOBS)
        self.run("make", JOBS, "check", "TESTS=")

    def test(self, m):
        """Why it failed, "" when it passed."""
        path = os.path.join(self.top, m.test)
        command = [os.path.join(self.build, m.test)]
        if path.endswith(".py"):
            command = [sys.executable, path] + m.words.split()
        env = dict(os.environ, XMSG_SRCDIR=self.top, XMSG_BUILDDIR=self.build,
                   CMOCKA_MESSAGE_OUTPUT="TAP")
        try:
            done = subprocess.run(
                command, cwd=self.build, env=env, timeout=LIMIT,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True)
        except subprocess.TimeoutExpired:
            return "did not end within %d s" % LIMIT
        if done.returncode == 0:
            return ""
        bad = re.findall(r"^not ok \d+ - (.*)", done.stdout.decode(
            errors="replace"), re.M)
        if not bad and done.returncode > 0:
            sys.exit("%s did not run: %s" % (m.test, done.stdout[-800:]))
        return "; ".join(bad[:3]) or "signal %d" % -done.returncode

    def red(self, m):
        """With its protection away."""
        path = os.path.join(self.top, m.path)
        with open(path) as f:
            text = f.read()
        if text.count(m.before) != 1:
            sys.exit("%s: not once there: %r" % (m.path, m.before))
        with open(path, "w") as f:
            f.write(text.replace(m.before, m.after))
        self.run("make", JOBS)
        if not m.test.endswith(".py"):
            self.run("make", m.test)
        why = self.test(m)
        with open(path, "w") as f:
            f.write(text)
        return why


def table():
    print("| | what was done to the code | test |\n| --- | --- | --- |")
    for m in MUTANTS:
        print("| %s | %s (`%s`) | `%s` |" % (
            m.promise, m.what, m.path, (m.test + " " + m.words).strip()))


def main():
    words = sys.argv[1:]
    only_red = words[:1] == ["--only-red"]
    words = words[only_red:]
    if words == ["--table"]:
        return table()
    if any(w.startswith("-") for w in words):
        sys.exit(__doc__)
    chosen = [m for m in MUTANTS if not words or m.promise in words]
    print("1..%d" % ((1 if only_red else 2) * len(chosen)), flush=True)
    bad = n = 0
    with tempfile.TemporaryDirectory(prefix="xmsg-red-") as folder:
        copy = Copy(folder)
        for tell, look in (("as it is", copy.test), ("red", copy.red))[
                only_red:]:
            for m in chosen:
                n += 1
                why = look(m)
                ok = (why != "") == (tell == "red")
                bad += not ok
                print("%sok %d - %s %s: %s" % (
                    "" if ok else "not ", n, m.promise, tell, m.what))
                if why:
                    print("#   " + why)
                sys.stdout.flush()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
