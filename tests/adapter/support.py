# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""The real adapter with the real broker, staged plugins, and callers as xapi.

A staged plugin is a folder of links to one small program (staged.c), which
writes down each of its runs and then does what the test planned for it.  Plans
and the record of runs lie outside of the folders that the adapter watches.
"""
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from broker import (Broker, Closed, Conn, Ended, PATIENCE,  # noqa: E402,F401
                    end_gently, memory_folder, program, sanitizer_report,
                    until)

FULL = bool(os.environ.get("XMSG_FULL"))
SEED = int(os.environ.get("XMSG_SEED", "1"))
PREFIX = "org.xen.xapi.storage."
GONE = (Closed, ConnectionError, FileNotFoundError, Ended)

VOLUME = ["Plugin.Query", "Plugin.diagnostics", "SR.probe", "SR.create",
          "SR.attach", "SR.detach", "SR.destroy", "SR.stat", "SR.set_name",
          "SR.set_description", "SR.ls", "Volume.create", "Volume.snapshot",
          "Volume.clone", "Volume.destroy", "Volume.revert",
          "Volume.set_name", "Volume.set_description", "Volume.set",
          "Volume.unset", "Volume.resize", "Volume.stat",
          "Volume.enable_cbt", "Volume.disable_cbt", "Volume.data_destroy",
          "Volume.list_changed_blocks", "Volume.compose"]
DATAPATH = ["Plugin.Query", "Datapath.open", "Datapath.attach",
            "Datapath.activate", "Datapath.activate_readonly",
            "Datapath.import_activate", "Datapath.deactivate",
            "Datapath.detach", "Datapath.close", "Data.mirror", "Data.stat"]


def dump(value):
    """JSON as it goes over the queue: compact, characters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def request(method, params, ident=7, **more):
    """A call as xapi encodes it; `dbg` is its last parameter."""
    params = dict(params)
    params.setdefault("dbg", "D")
    return dump(dict({"method": method, "params": [params], "id": ident},
                     **more))


def success(result=None, ident=0):
    return dump({"result": result, "error": None, "id": ident})


def failure(error, ident=0):
    return dump({"result": None, "error": error, "id": ident})


# ---- plans ----

def _bytes(value):
    return value.encode("utf-8", "surrogateescape") if isinstance(
        value, str) else value


def _step(name, value, arg=""):
    value = _bytes(value)
    return b"%s %s%d\n%s" % (name.encode(), arg.encode(), len(value), value)


def out(value):
    """Print a value as a line of JSON."""
    return _step("out", dump(value) + "\n")


def raw(text):
    """Print these bytes, or this text."""
    return _step("out", text)


def outkey(value):
    """The same, @KEY@ being the key that the script is asked about."""
    return _step("outkey", dump(value) + "\n")


def err(text):
    return _step("err", text)


def endless(text):
    return _step("endless", text)


def step(name, arg=""):
    """Any other line: exit, signal, sleep, await, ignore, fork, ..."""
    return _bytes("%s %s\n" % (name, arg))


def typed(code, params, backtrace=None):
    """A script's own way to fail."""
    return out({"code": code, "params": params, "backtrace":
                backtrace or {"error": "E", "files": ["f.py"],
                              "lines": [1]}}) + step("exit", 1)


def answer_of_query(name, version="5.0", features=(), **more):
    """What Plugin.Query prints."""
    return dict({"plugin": name, "name": "T one", "description": "d",
                 "vendor": "v", "copyright": "c", "version": "1.0",
                 "required_api_version": version,
                 "features": list(features),
                 "configuration": {"path": "a path"},
                 "required_cluster_stack": []}, **more)


def staged():
    """The program behind every staged script."""
    return program(os.path.join("tests", "adapter", "staged"))


# ---- callers ----

class Caller:
    """One who calls as xapi does: a reply queue of its own, no time limit.

    It survives the broker: it connects again, logs in by the same token, and
    sends what was not acknowledged again, with its key."""
    serial = itertools.count(1)

    def __init__(self, broker, patience=PATIENCE):
        self.broker, self.patience = broker, patience
        self.token = "caller-%d-%d" % (os.getpid(), next(self.serial))
        self.keys = itertools.count(1)
        self.seen = {}      # id of a request: replies to it
        self.cursor = None  # of the poll
        self.conn = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.conn:
            self.conn.close()
        self.conn = None

    def persist(self, what):
        """what(connection), again and again until a broker answered."""
        end = time.monotonic() + self.patience
        while True:
            try:
                if self.conn is None:
                    self.conn = Conn(self.broker.socket, token=self.token)
                    self.conn.create(self.token, transient=True)
                    self.cursor = None
                return what(self.conn)
            except GONE:
                self.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.001)

    def send(self, queue, payload):
        """Put a call on the queue; its id."""
        key = ("idempotency-key", "%s/%d" % (self.token, next(self.keys)))
        ident = self.persist(lambda c: c.publish(
            queue, payload, reply_to=self.token, headers=[key]))
        if ident is None:
            raise AssertionError("there is no queue %s" % queue)
        return ident

    def collect(self, timeout=1.0):
        """Take what replies there are, or come within the time."""
        def take(c):
            got, self.cursor = c.poll([self.token], timeout, self.cursor)
            return got
        for _, ident, payload, kind in self.persist(take):
            if kind[0] != "Response":
                raise AssertionError("not a reply: %s" % kind)
            was = self.seen.setdefault(kind[1][1], {})
            was[ident] = payload
            self.persist(lambda c: c.ack(self.token, ident))

    def reply(self, ident):
        """The one reply to a call that was sent."""
        end = time.monotonic() + self.patience
        while ident not in self.seen:
            if time.monotonic() > end:
                raise AssertionError("no reply to %d in %g s" % (
                    ident, self.patience))
            self.collect()
        replies = list(self.seen[ident].values())
        if len(replies) != 1:
            raise AssertionError("%d replies to %d: %s" % (
                len(replies), ident, replies))
        return replies[0]

    def call(self, queue, payload):
        return self.reply(self.send(queue, payload))


# ---- a plugin ----

class Staged:
    """A plugin folder whose scripts do what is planned."""

    def __init__(self, adapter, kind, name, features=(), version="5.0",
                 scripts=None, ready=True):
        self.adapter, self.kind, self.name = adapter, kind, name
        self.dir = os.path.join(adapter.root, kind, name)
        self.plans = os.path.join(adapter.base, "plan", name)
        os.makedirs(self.plans, exist_ok=True)
        self.scripts = list(scripts or (VOLUME if kind == "volume"
                                        else DATAPATH))
        self.usual("Plugin.Query", out(answer_of_query(
            name.rsplit(".", 1)[-1], version, features)))
        if ready:
            self.put()

    def put(self):
        """Make the folder appear, whole."""
        aside = os.path.join(self.adapter.base, "aside", self.name)
        os.makedirs(aside)
        for script in self.scripts:
            os.symlink(staged(), os.path.join(aside, script))
        os.rename(aside, self.dir)

    def gone(self):
        """Make it disappear, whole."""
        aside = tempfile.mkdtemp(dir=self.adapter.base)
        os.rename(self.dir, os.path.join(aside, "x"))
        shutil.rmtree(aside)

    def path(self, script):
        return os.path.join(self.dir, script)

    def _file(self, script, mark, steps):
        path = os.path.join(self.plans, script.lower() + mark)
        with open(path + ".new", "wb") as f:
            f.write(b"".join(steps))
        os.rename(path + ".new", path)

    def usual(self, script, *steps):
        """What the script does unless something else is planned."""
        self._file(script, "", steps)

    def for_key(self, script, key, *steps):
        self._file(script, "@" + key, steps)

    def in_turn(self, script, *plans):
        """What its next runs do; each plan a list of steps."""
        for i, steps in enumerate(plans):
            self._file(script, "#%d" % (i + 1), steps)
        self._file(script, "#", [])

    def clear(self):
        """No plans, but for Plugin.Query."""
        for name in os.listdir(self.plans):
            if name != "plugin.query":
                os.unlink(os.path.join(self.plans, name))

    def replace(self, script, mode=None, text=None):
        """Another file in the place of a script, or none."""
        if mode is None:
            os.unlink(self.path(script))
            return
        with open(self.path(".new"), "w") as f:
            f.write(text or "")
        os.chmod(self.path(".new"), mode)
        os.rename(self.path(".new"), self.path(script))

    def restore(self, script):
        os.symlink(staged(), self.path(".link"))
        os.rename(self.path(".link"), self.path(script))


# ---- the adapter ----

class Adapter:
    """xmsg-storaged on folders of its own, with a broker of its own."""
    defaults = ("plugins.check_owner=no", "plugins.settle=20ms",
                "plugins.retry=1s", "scripts.term=500ms")

    def __init__(self, *settings, broker_options=(), start=True, options=(),
                 level="debug"):
        self.base = tempfile.mkdtemp(prefix="xmsg-adapter-")
        self.root = os.path.join(self.base, "root")
        self.plugins = {}
        for sub in ("root/volume", "root/datapath", "plan", "aside"):
            os.makedirs(os.path.join(self.base, sub))
        self.memory = tempfile.mkdtemp(prefix="xmsg-adapter-",
                                       dir=memory_folder())
        self.state = os.path.join(self.memory, "state")
        self.log = os.path.join(self.base, "log")
        self.record = os.path.join(self.base, "runs")
        open(self.record, "w").close()
        self.settings = list(self.defaults) + list(settings)
        self.options, self.level = list(options), level
        self.process = None
        self.broker = Broker(*broker_options)
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    # -- plugins --

    def volume(self, name="staged", **kw):
        """A volume plugin by the last part of its queue's name."""
        p = Staged(self, "volume", PREFIX + name, **kw)
        self.plugins[p.name] = p
        return p

    def datapath(self, scheme="dpx", **kw):
        p = Staged(self, "datapath", scheme, **kw)
        self.plugins[p.name] = p
        return p

    # -- the process --

    def command(self):
        line = [program("xmsg-storaged"), "--socket", self.broker.socket,
                "--root", self.root, "--state", self.state,
                "--log-level", self.level]
        for setting in self.settings:
            line += ["--set", setting]
        return line + self.options

    def spawn(self, command=None, env=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command or self.command(), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=dict(os.environ, **(env or {})))

    def start(self, **kw):
        """Start it and wait until its control queue is served."""
        self.spawn(**kw)
        self.ready()

    def alive(self, prefix=""):
        """Queues that somebody consumes from."""
        with self.broker.conn("look") as c:
            return set(c.list("alive/" + prefix))

    def served(self):
        """Names of the volume plugins whose queues are served."""
        return self.alive(PREFIX)

    def ready(self, *plugins):
        """Wait until the control queue and these plugins are served."""
        names = {"xmsg.storaged"} | {p.name for p in plugins}

        def there():
            self.check()
            try:
                return names <= self.alive()
            except GONE:
                return False
        until(there, "served: %s" % sorted(names))

    def until_served(self, *plugins):
        self.ready(*plugins)
        for p in plugins:
            if p.kind == "datapath":
                raise ValueError("datapath plugins have no queue")

    def until_datapath(self, *plugins):
        """Wait until datapath plugins answered."""
        names = {p.name for p in plugins}
        until(lambda: names <= {p["name"] for p in self.known()
                                if p["state"] == "serving"},
              "datapath plugins: %s" % sorted(names))

    def check(self):
        if self.process.poll() is not None:
            raise Ended("the adapter ended with status %d: %s" % (
                self.process.returncode, self.read_log()[-3000:]))

    def kill(self):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()

    def stop(self):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def read_log(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, "rb") as f:
            return f.read().decode("utf-8", "backslashreplace")

    def _proc(self, name):
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                if line.startswith(name + ":"):
                    return int(line.split()[1])
        raise AssertionError("no %s" % name)

    def rss_kib(self):
        return self._proc("VmRSS")

    def fds(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def watches(self):
        """Inotify watches of the process."""
        n = 0
        folder = "/proc/%d/fdinfo" % self.process.pid
        for name in os.listdir(folder):
            try:
                with open(os.path.join(folder, name)) as f:
                    n += sum(l.startswith("inotify wd:") for l in f)
            except FileNotFoundError:
                pass
        return n

    def processes(self):
        """Process ids of runners and scripts that belong to us."""
        marks = [_bytes(self.base), _bytes(self.memory)]
        found = []
        for pid in os.listdir("/proc"):
            if not pid.isdigit() or int(pid) in (
                    self.process.pid if self.process else 0,
                    self.broker.process.pid):
                continue
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    line = f.read()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if any(m in line for m in marks):
                found.append((int(pid), line))
        return found

    def until_quiet(self, patience=PATIENCE):
        """Wait until no script and no runner is left."""
        try:
            until(lambda: not self.processes(), "nothing runs any more",
                  patience, pause=0.01)
        except AssertionError:
            raise AssertionError("left behind: %s" % self.processes())

    def remove(self):
        said = ""
        if self.process is not None:
            end_gently(self.process)
            said = sanitizer_report(self.read_log())
        for pid, _ in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.broker.remove()
        shutil.rmtree(self.base, ignore_errors=True)
        shutil.rmtree(self.memory, ignore_errors=True)
        if said:
            raise AssertionError(said)

    # -- what scripts were run --

    def mark(self):
        """Runs from here on."""
        return os.stat(self.record).st_size

    def lines(self, mark=0):
        with open(self.record, "rb") as f:
            f.seek(mark)
            return [json.loads(l.decode("utf-8", "surrogateescape"))
                    for l in f.read().split(b"\n")[:-1]]

    def runs(self, mark=0):
        """Runs, but for those that the adapter makes for itself."""
        return [r for r in self.lines(mark) if "script" in r
                and r.get("stdin") != '{"dbg":"register"}']

    # -- asking --

    def caller(self, **kw):
        return Caller(self.broker, **kw)

    def call(self, plugin, method, _ident=7, **params):
        """One call, its reply as text."""
        with self.caller() as c:
            return c.call(plugin.name, request(method, params, _ident))

    def attach(self, plugin, sr="sruuid", handle="file:///srs/one"):
        """Attach an SR; the plugin calls it by its handle."""
        plugin.usual("SR.attach", out(handle))
        plugin.usual("SR.stat", out(sr_stat(handle)))
        text = request("SR.attach", {"device_config": {"path": "/x"},
                                     "sr": sr})
        with self.caller() as c:
            got = c.call(plugin.name, text)
        if got != success():
            raise AssertionError("SR.attach: %s" % got)

    def control(self, method, **params):
        """Ask the adapter itself; the result."""
        with self.caller() as c:
            got = json.loads(c.call("xmsg.storaged", dump(
                {"method": "adapter." + method, "params": [params],
                 "id": 1})))
        if got["error"] is not None:
            raise AssertionError("adapter.%s: %s" % (method, got["error"]))
        return got["result"]

    def known(self):
        return self.control("plugins")

    def attached(self):
        """The SRs in the state, as anyone can read them."""
        db = sqlite3.connect("file:%s/state.db?mode=ro" % self.state, uri=True)
        try:
            return [r[0] for r in db.execute("SELECT sr FROM attached")]
        finally:
            db.close()


# ---- what scripts print ----

def sr_stat(handle, health="Healthy", **more):
    return dict({"sr": handle, "name": "nm", "uuid": "aaaa",
                 "description": "dd", "free_space": 5, "total_space": 10,
                 "datasources": [], "clustered": False,
                 "health": [health, ""]}, **more)


def volume(key="k1", uri=("foo:///x", "dpx:///k1"), **more):
    """A volume record as plugins print it."""
    return dict({"key": key, "uuid": "u-" + key, "name": "n1",
                 "description": "d1", "read_write": True, "sharable": False,
                 "virtual_size": 1048576, "physical_utilisation": 4096,
                 "uri": list(uri), "keys": {}, "volume_type": "Data",
                 "cbt_enabled": True}, **more)


def vdi_info(v, **over):
    """The record of contract 4.2 for a volume, as it goes over the queue."""
    k = v["keys"]
    prefix = "_sm_config_"
    info = {
        "tags": [n[4:] for n in k if n.startswith("tags")],
        "sm_config": {n[len(prefix):]: k[n] for n in k
                      if n.startswith(prefix)},
        "sharable": v["sharable"], "persistent": True,
        "physical_utilisation": v["physical_utilisation"],
        "virtual_size": v["virtual_size"],
        "cbt_enabled": v.get("cbt_enabled") or False,
        "read_only": not v["read_write"],
        "snapshot_of": k.get("snapshot_of", ""),
        "snapshot_time": k.get("snapshot_time", "19700101T00:00:00Z"),
        "is_a_snapshot": k.get("is_a_snapshot") == "true",
        "metadata_of_pool": "", "ty": k.get("vdi-type", ""),
        "name_description": v["description"], "name_label": v["name"],
        "content_id": k.get("content_id", ""), "uuid": v.get("uuid"),
        "vdi": v["key"]}
    info.update(over)
    if info["uuid"] is None:
        del info["uuid"]
    return info


def sr_info(stat):
    info = {"health": stat["health"][0], "clustered": stat["clustered"],
            "free_space": stat["free_space"],
            "total_space": stat["total_space"],
            "name_description": stat["description"],
            "name_label": stat["name"]}
    if stat.get("uuid") is not None:
        info["sr_uuid"] = stat["uuid"]
    return info
