# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Brokers to measure: how each is started on a fresh folder, as durable as it
can be made to be, as an ordinary process that ends with the measuring.

A broker that is not being measured is stopped (SIGSTOP), so that several can be
up and take turns within seconds without using the machine for each other.
"""
import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

PATIENCE = 60.0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def end_in_order():
    """SIGTERM ends a script as an exception does: brokers are stopped and
    folders removed on the way out."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def figures(build, tool, arguments):
    """One run of a load generator: what it found, as a dictionary.  `faults`
    is there in any case."""
    done = subprocess.run(
        [os.path.join(build, "bench", tool)] + [str(a) for a in arguments] +
        ["--json"], timeout=300, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = done.stdout.decode("utf-8", "replace").strip().split("\n")
    try:
        return json.loads(lines[-1])
    except ValueError:
        why = done.stderr.decode("utf-8", "replace").strip()[-300:]
        return {"faults": 1, "first_fault": why or lines[-1]}


class Broker:
    """One kind of broker; subclasses say how it is started."""
    name = ""  # as in tables
    peer = None  # back end of bench/peer; None: bench/load
    programs = ()  # what has to be installed
    package = ""  # Debian
    library = None  # client library that bench/peer is built with
    promise = ""  # what has been done when it confirms

    def __init__(self, folder, sockets, build):
        self.folder = os.path.join(folder, self.name)
        self.socket = os.path.join(sockets, self.name)
        self.build = build
        self.process = None
        self.others = []  # helpers that end with it
        self.log = self.folder + ".log"

    @classmethod
    def find(cls, name):
        """A program, also where services look for theirs."""
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"] +
                               glob.glob("/usr/lib/postgresql/*/bin") +
                               glob.glob("/usr/lib/rabbitmq/bin"))
        return shutil.which(name, path=path)

    @classmethod
    def missing(cls):
        return [p for p in cls.programs if cls.find(p) is None]

    # to be said by subclasses
    def prepare(self):
        """Files it needs in its folder."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def address(self):
        return self.socket

    def ready(self):
        """It takes connections."""
        where = self.address()
        if where.startswith("/"):
            s = socket.socket(socket.AF_UNIX)
        else:
            host, port = where.rsplit(":", 1)
            s, where = socket.socket(), (host, int(port))
        with s:
            try:
                s.connect(where)
                return True
            except OSError:
                return False

    # for all of them
    def spawn(self, command):
        env = dict(os.environ)
        env.update(self.environment())
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, env=env, start_new_session=True)

    def start(self):
        os.mkdir(self.folder)
        self.prepare()
        self.process = self.spawn(self.command())
        end = time.monotonic() + PATIENCE
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError("%s did not start: %s" % (
                    self.name, self.logged()))
            time.sleep(0.02)

    @property
    def pid(self):
        return self.process.pid

    def pids(self):
        """It and the processes it started."""
        found = [self.pid]
        for pid in found:
            for path in glob.glob("/proc/%d/task/*/children" % pid):
                with open(path) as f:
                    found += [int(n) for n in f.read().split()]
        return found

    def logged(self):
        with open(self.log, "rb") as f:
            return f.read()[-600:].decode("utf-8", "replace")

    def _signal(self, process, number):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def freeze(self):
        self._signal(self.process, signal.SIGSTOP)

    def thaw(self):
        self._signal(self.process, signal.SIGCONT)

    def stop(self):
        """End it and its helpers; nothing is left but the folder."""
        for p in [self.process] + self.others:
            if p is None:
                continue
            self._signal(p, signal.SIGCONT)
            p.terminate()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                pass
            self._signal(p, signal.SIGKILL)
            p.wait()
        self.process, self.others = None, []


class Xmsg(Broker):
    name = "xmsg"
    promise = "message in the database's log, synced"

    # as many as the load needs; only refusals depend on these
    limits = {"connections": 30000, "connections_per_uid": 30000,
              "queue_messages": 2000000, "queue_bytes": "16G",
              "total_bytes": "16G"}

    def command(self):
        command = [os.path.join(self.build, "xmsgd"), "--socket", self.socket,
                   "--state", os.path.join(self.folder, "state")]
        for name, value in self.limits.items():
            command += ["--set", "limits.%s=%s" % (name, value)]
        return command


class Beanstalkd(Broker):
    name, peer = "beanstalkd", "beanstalkd"
    programs, package = ("beanstalkd",), "beanstalkd"
    promise = "job in its log, synced for each write (-f 0)"

    def command(self):
        return [self.find("beanstalkd"), "-l", "unix:" + self.socket, "-b",
                self.folder, "-f", "0"]


class Redis(Broker):
    name, peer = "redis", "redis"
    programs, package = ("redis-server",), "redis-server"
    promise = "command in the append-only file, synced once a turn"

    def command(self):
        return [self.find("redis-server"), "--port", "0", "--unixsocket",
                self.socket, "--dir", self.folder, "--appendonly", "yes",
                "--appendfsync", "always", "--save", ""]


class Postgres(Broker):
    name, peer = "postgres", "postgres"
    programs, package = ("postgres", "initdb"), "postgresql"
    library = "libpq-dev"
    promise = "row in the write-ahead log, synced"

    def user(self):
        """PostgreSQL refuses to run as root: words that change the user."""
        if os.getuid() != 0:
            return []
        return ["setpriv", "--reuid=postgres", "--regid=postgres",
                "--init-groups"]

    def prepare(self):
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        with open(self.log, "ab") as log:
            subprocess.run(
                self.user() + [self.find("initdb"), "-D",
                               os.path.join(self.folder, "data"), "-A",
                               "trust", "-U", "postgres", "--no-sync"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, check=True)
        os.mkdir(self.socket)
        if os.getuid() == 0:
            shutil.chown(self.socket, "postgres")

    def command(self):
        return self.user() + [
            self.find("postgres"), "-D", os.path.join(self.folder, "data"),
            "-k", self.socket, "-c", "listen_addresses=", "-c",
            "max_connections=600"]

    def ready(self):
        return "ready to accept connections" in self.logged()


class Rabbitmq(Broker):
    name, peer = "rabbitmq", "rabbitmq"
    programs = ("rabbitmq-server", "epmd")
    package, library = "rabbitmq-server", "librabbitmq-dev"
    promise = "message in the queue's files, durable classic queue"

    def prepare(self):
        self.port, self.epmd, self.dist = (free_port() for _ in range(3))
        # a name service of our own, which ends when we end it
        self.others.append(self.spawn(
            [self.find("epmd"), "-port", str(self.epmd), "-address",
             "127.0.0.1"]))

    def environment(self):
        if not hasattr(self, "port"):
            return {}
        return {"HOME": self.folder, "ERL_EPMD_PORT": str(self.epmd),
                "RABBITMQ_NODENAME": "bench@localhost",
                "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
                "RABBITMQ_NODE_PORT": str(self.port),
                "RABBITMQ_DIST_PORT": str(self.dist),
                "RABBITMQ_MNESIA_BASE": os.path.join(self.folder, "mnesia"),
                "RABBITMQ_LOG_BASE": os.path.join(self.folder, "log"),
                "RABBITMQ_CONFIG_FILE": os.path.join(self.folder, "none"),
                "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                "RABBITMQ_ENABLED_PLUGINS_FILE":
                    os.path.join(self.folder, "plugins")}

    def command(self):
        # not the wrapper, which changes the user
        server = glob.glob(
            "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server")
        return [server[0] if server else self.find("rabbitmq-server")]

    def address(self):
        return "127.0.0.1:%d" % self.port


class Nats(Broker):
    name, peer = "nats", "nats"
    programs, package = ("nats-server",), "nats-server"
    promise = "message in a file, not synced (every 2 minutes)"

    def prepare(self):
        self.port = free_port()

    def command(self):
        return [self.find("nats-server"), "-a", "127.0.0.1", "-p",
                str(self.port), "-js", "-sd", self.folder]

    def address(self):
        return "127.0.0.1:%d" % self.port


class Mosquitto(Broker):
    name, peer = "mosquitto", "mosquitto"
    programs, package = ("mosquitto",), "mosquitto"
    library = "libmosquitto-dev"
    promise = "message in memory; the whole database is saved after"

    def prepare(self):
        self.port = free_port()
        with open(os.path.join(self.folder, "conf"), "w") as f:
            f.write("listener %d 127.0.0.1\n"
                    "allow_anonymous true\n"
                    "user %s\n"
                    "persistence true\n"
                    "persistence_location %s/\n"
                    "autosave_on_changes true\n"
                    "autosave_interval 1\n"
                    "max_inflight_messages 0\n"
                    "max_queued_messages 0\n"
                    "set_tcp_nodelay true\n" % (
                        self.port, pwd.getpwuid(os.getuid()).pw_name,
                        self.folder))

    def command(self):
        return [self.find("mosquitto"), "-c",
                os.path.join(self.folder, "conf")]

    def address(self):
        return "127.0.0.1:%d" % self.port


KINDS = [Xmsg, Beanstalkd, Redis, Postgres, Rabbitmq, Nats, Mosquitto]
