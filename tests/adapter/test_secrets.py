# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""200 planted secrets, in every place where storage calls have them: none is in
what people see or what stays behind.

Looked through: logs of adapter and broker, the broker's recorder and what it
shows, the adapter's own listings while scripts run and afterwards, the spool
while scripts run and after the calls, the state folder.  A secret is a word
that nothing else here contains."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (Adapter, dump, err, out, raw, request, step,  # noqa: E402
                     sr_stat, typed, until, volume)
import tap  # noqa: E402
from calls_table import SR  # noqa: E402

KEYS = ["password", "chappassword", "incoming_chappassword",
        "cifspassword", "cifspassword_secret", "secret", "sharedsecret",
        "token", "passwd", "Password", "CHAPPASSWORD", "api_token",
        "passphrase", "secret_key"]


class Planted:
    """Words that are secrets, and where each was put."""

    def __init__(self, begin="Zq"):
        self.begin, self.words = begin, {}

    def word(self, where):
        w = "%s%04dxK7v" % (self.begin, len(self.words) * 7919 % 10000)
        assert w not in self.words
        self.words[w] = where
        return w

    def found(self, data):
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        return ["%s (%s)" % (w, where) for w, where in self.words.items()
                if w.encode() in data]


def shapes(p, where):
    """A device-config full of secrets of every shape."""
    config = {"path": "/x"}
    for key in KEYS:
        config[key] = p.word("%s: %s" % (where, key))
    config["uri"] = "iscsi://user:%s@host/target" % p.word(where + ": URI")
    config["url"] = "cifs://dom;user:%s@host/s?password=%s" % (
        p.word(where + ": URL"), p.word(where + ": query of a URL"))
    config["json"] = dump({"password": p.word(where + ": JSON in a text")})
    config["deep"] = dump({"a": [dump({"chappassword": p.word(
        where + ": JSON in JSON in a text")})]})
    config["options"] = "user=a,password=%s,ro" % p.word(
        where + ": mount options")
    return config


class Secrets(tap.Case):
    @classmethod
    def setUpClass(cls):
        cls.adapter = Adapter(start=False, level="debug")
        cls.addClassCleanup(cls.adapter.remove)
        cls.plugin = cls.adapter.volume()
        cls.dpx = cls.adapter.datapath()
        cls.adapter.start()
        cls.adapter.ready(cls.plugin)
        cls.planted = Planted()
        cls.kept = Planted("Kp")  # what has to be in the state
        cls.shown = {}
        cls.play()

    @classmethod
    def ask(cls, method, **params):
        return cls.adapter.call(cls.plugin, method, **params)

    @classmethod
    def play(cls):
        """Calls that succeed, fail, and hang while we look."""
        p, plugin = cls.planted, cls.plugin
        create = {"sr": "new", "name_label": "l", "name_description": "d",
                  "physical_size": 0}
        plugin.usual("SR.create", out(shapes(p, "result of SR.create")))
        cls.ask("SR.create", device_config=shapes(p, "SR.create"), **create)

        handle = "iscsi://user:%s@host/t" % cls.kept.word("handle")
        plugin.usual("SR.attach", out(handle))
        plugin.usual("SR.stat", out(sr_stat(handle)))
        assert json.loads(cls.ask("SR.attach", sr=SR, device_config=shapes(
            p, "SR.attach")))["error"] is None

        plugin.usual("SR.probe", out([{
            "configuration": shapes(p, "result of SR.probe"),
            "complete": True, "extra_info": shapes(p, "extra_info")}]))
        cls.ask("SR.probe", queue="q", sm_config=shapes(p, "sm_config"),
                device_config=shapes(p, "SR.probe"))

        uri = "dpx://user:%s@host/k1" % p.word("URI of a volume")
        plugin.usual("Volume.stat", out(volume("k1", uri=[uri])))
        cls.dpx.usual("Datapath.attach", out({"implementations": [["Nbd", {
            "uri": "nbd://user:%s@h/e" % p.word("URI of a backend")}]]}))
        cls.ask("VDI.attach3", sr=SR, vdi="k1", dp="d", vm="1",
                read_write=True)
        cls.dpx.usual("Data.mirror", out(["MirrorV1", "m"]))
        cls.ask("DATA.mirror", sr=SR, vdi="k1", vm="1", image_format="",
                url="nbd://u:%s@h/e" % p.word("URL of a mirror"))

        # failures, in every way that shows something
        for way, plan in (
                ("error object", lambda w: [typed("CODE", [
                    "mount -o password=%s failed" % w])]),
                ("backtrace", lambda w: [typed("CODE", ["x"], {
                    "error": "login(password='%s')" % w, "files": [],
                    "lines": []})]),
                ("standard error", lambda w: [
                    err("mount -o user=a,password=%s\n" % w),
                    step("exit", 1)]),
                ("bad output", lambda w: [raw("password: %s\n" % w)]),
                ("wrong result", lambda w: [out({"password": w})]),
                ("signal", lambda w: [raw('{"password":"%s"' % w),
                                      step("signal", 9)])):
            plugin.usual("SR.create", *plan(p.word(way)))
            cls.ask("SR.create", device_config=shapes(p, "fails: " + way),
                    **create)
        plugin.usual("SR.create", step("await", cls.adapter.base + "/go"),
                     err("password=%s\n" % p.word("err at the end")),
                     out(shapes(p, "result after a wait")))
        with cls.adapter.caller() as c:
            mark = cls.adapter.mark()
            ident = c.send(plugin.name, request("SR.create", dict(
                create, device_config=shapes(p, "while it runs"))))
            until(lambda: cls.adapter.runs(mark), "the script runs")
            cls.look("while a script runs")
            open(cls.adapter.base + "/go", "w").close()
            c.reply(ident)
        # not JSON, and yet a secret
        with cls.adapter.caller() as c:
            c.call(plugin.name, '{"method":"SR.create","params":[{"device_c'
                   'onfig":{"password":"%s"' % p.word("cut off"))
            c.call(plugin.name, request("SR.attach", {
                "sr": SR, "device_config": {"password": [p.word(
                    "of another type")]}}))
            c.call(plugin.name, request("SR.attach", {
                "sr": SR, "dbg": "password=%s" % p.word("dbg"),
                "device_config": {}}))
        cls.look("afterwards")

    @classmethod
    def look(cls, when):
        """What everybody can see now."""
        shown = cls.shown
        for method, params in (("status", {}), ("plugins", {}),
                               ("scripts", {}), ("calls", {}),
                               ("srs", {}), ("calls", {"failed": True}),
                               ("why", {"name": "staged"})):
            shown["adapter.%s %s" % (method, when)] = dump(
                cls.adapter.control(method, **params))
        with cls.adapter.broker.conn("eye") as c:
            for route in ("/status", "/queues", "/clients",
                          "/events?after=0",
                          "/queues/%s/messages" % cls.plugin.name,
                          "/chart?format=text"):
                r = c.ask(b"GET /v1%s HTTP/1.1\r\nhost: x\r\n\r\n" %
                          route.encode())
                shown["/v1%s %s" % (route, when)] = r.body
            shown["/trace " + when] = c.ask(
                b"GET /trace HTTP/1.1\r\nhost: x\r\n\r\n").body
        for path in cls.files("spool"):
            with open(path, "rb") as f:
                shown["%s %s" % (path, when)] = f.read()

    @classmethod
    def files(cls, word=""):
        return [os.path.join(d, n)
                for d, _, names in os.walk(cls.adapter.state)
                for n in names if word in d and os.path.isfile(
                    os.path.join(d, n))]

    def none_in(self, name, data):
        self.assertEqual(self.planted.found(data), [], name)

    def test_enough(self):
        self.assertGreaterEqual(len(self.planted.words), 200)

    def test_control(self):
        """The search finds what is there: the scripts were told."""
        with open(self.adapter.record, "rb") as f:
            told = f.read()
        self.assertGreater(len(self.planted.found(told)), 100)

    def test_adapter_log(self):
        self.none_in("log", self.adapter.read_log())
        self.assertEqual(self.kept.found(self.adapter.read_log()), [])

    def test_broker_log(self):
        self.none_in("log", self.adapter.broker.read_log())

    def test_recorder(self):
        with open(os.path.join(self.adapter.broker.state,
                               "recorder.ring"), "rb") as f:
            self.none_in("recorder", f.read())

    def test_what_is_shown(self):
        bad = {name: self.planted.found(data)
               for name, data in self.shown.items()
               if self.planted.found(data)}
        self.assertEqual(bad, {})

    def test_spool(self):
        """After the calls nothing is in it."""
        until(lambda: not self.files("spool"), "the spool is empty")

    def test_state(self):
        """Attached SRs are kept by handle; their passwords are not needed."""
        found = []
        for path in self.files():
            with open(path, "rb") as f:
                data = f.read()
            self.none_in(path, data)
            found += self.kept.found(data)
        self.assertTrue(found, "the handle, which is needed, is kept")

    def test_names_are_not_readable_by_others(self):
        for d, _, names in os.walk(self.adapter.state):
            for path in [d] + [os.path.join(d, n) for n in names]:
                self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)


if __name__ == "__main__":
    tap.main()
