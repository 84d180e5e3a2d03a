# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Calls through a real broker, with test_idl_client.py behind the queues.

Run under every Python there is, so the language here is what 2.7 and 3.13
have in common.  $XMSG_SOCKET is the broker's.
"""

from __future__ import print_function

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(os.environ["XMSG_BUILDDIR"], "python")
sys.path.insert(0, HERE)
sys.path.insert(0, PACKAGE)
sys.dont_write_bytecode = True

import tap  # noqa: E402
import xapi  # noqa: E402
from xapi.storage import client  # noqa: E402
from xapi.storage.api.v5 import volume  # noqa: E402

PLUGIN = "org.xen.xapi.storage.filebased"
MIB = 1 << 20


class Case(unittest.TestCase):
    queue = PLUGIN

    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp())
        self.config = {"file-uri": "file://" + self.folder + "/sr"}
        self.client = client.Client(queue=self.queue, timeout=30)

    def tearDown(self):
        self.client.close()
        shutil.rmtree(self.folder)

    def raises(self, kind, function, **params):
        """The exception, which is exactly of this kind."""
        try:
            function(**params)
        except Exception as e:
            self.assertEqual(kind, e.__class__, e)
            return e
        self.fail("nothing was raised")


class Plugin(Case):
    """The example plugin, through its life."""

    def test_life(self):
        c = self.client
        self.assertEqual("filebased", c.Plugin.query()["plugin"])
        config = c.SR.create(uuid="u", configuration=self.config, name="n",
                             description="d")
        sr = c.SR.attach(configuration=config)
        self.assertEqual("n", c.SR.stat(sr=sr)["name"])
        disk = c.Volume.create(sr=sr, name=u"\u20ac", description="",
                               size=MIB, sharable=False)
        self.assertEqual((u"\u20ac", MIB), (
            disk["name"], disk["virtual_size"]))
        self.assertEqual(None, c.Volume.set(
            sr=sr, key=disk["key"], k="a", v="1"))
        self.assertEqual([dict(disk, keys={"a": "1"})], c.SR.ls(sr=sr))
        c.Volume.resize(sr=sr, key=disk["key"], new_size=2 * MIB, dbg="me")
        copy = c.Volume.snapshot(sr=sr, key=disk["key"])
        self.assertNotEqual(copy["key"], disk["key"])
        e = self.raises(volume.Volume_does_not_exist, c.Volume.stat,
                        sr=sr, key="nothing")
        self.assertEqual("nothing", e.arg_0)
        self.assertTrue("volume.py" in [
            os.path.basename(f) for f in e.backtrace["files"]])
        c.Volume.destroy(sr=sr, key=disk["key"])
        c.SR.detach(sr=sr)
        e = self.raises(volume.Sr_not_attached, c.SR.stat, sr=sr)
        self.assertEqual(sr, e.arg_0)

    def test_what_the_plugin_does_not_have(self):
        e = self.raises(xapi.Unimplemented, self.client.Volume.compose,
                        sr="s", key="a", key2="b")
        self.assertEqual(("Volume.compose",), e.args)

    def test_a_datapath(self):
        c = self.client
        sr = c.SR.attach(configuration=c.SR.create(
            uuid="u", configuration=self.config, name="", description=""))
        disk = c.Volume.create(sr=sr, name="", description="", size=MIB,
                               sharable=False)
        uri = disk["uri"][0]
        ways = dict(c.Datapath.attach(uri=uri, domain="1")[
            "implementations"])
        self.assertEqual(uri, "loop+file://" + ways["File"]["path"])
        c.Datapath.activate(uri=uri, domain="1")
        c.Datapath.deactivate(uri=uri, domain="1")
        c.Datapath.detach(uri=uri, domain="1")
        e = self.raises(client.BackendError, c.Datapath.attach,
                        uri="nobody://x", domain="1")
        self.assertTrue('"nobody"' in str(e), e)
        # A call without a uri: the client says which.
        self.raises(xapi.InternalError, c.Data.ls)
        c.datapath = "loop+file"
        e = self.raises(xapi.Unimplemented, c.Data.ls)
        self.assertEqual(("Data.ls",), e.args)

    def test_another_failure(self):
        sr = self.client.SR.attach(configuration=self.client.SR.create(
            uuid="u", configuration=self.config, name="", description=""))
        disk = self.client.Volume.create(
            sr=sr, name="", description="", size=MIB, sharable=False)
        e = self.raises(client.BackendError, self.client.Volume.resize,
                        sr=sr, key=disk["key"], new_size=1)
        self.assertEqual("SR_BACKEND_FAILURE", e.code)
        self.assertTrue("volumes do not shrink" in e.params[0], e.params)
        self.assertTrue(e.backtrace["lines"])

    def test_wrong_parameters_are_not_sent(self):
        self.client.queue = "echo"
        stat = self.client.Volume.stat
        e = self.raises(xapi.TypeError, stat, sr="s", key=5)
        self.assertEqual(("TypeError expected=string actual=5", "key"),
                         (str(e), e.path))
        e = self.raises(xapi.UnmarshalException, stat, sr="s")
        self.assertTrue("ty=key" in str(e), e)
        e = self.raises(TypeError, stat, sr="s", key="k", kye="k")
        self.assertEqual("Volume.stat has no parameter kye (did you mean "
                         "key?)", str(e))
        e = self.raises(xapi.TypeError, self.client.SR.attach,
                        configuration={"a": 5})
        self.assertEqual("configuration['a']", e.path)
        e = self.raises(xapi.TypeError, stat, sr="s", key="k", dbg=5)
        self.assertEqual("dbg", e.path)

    def test_calls_are_documented(self):
        calls = [self.client.Volume.stat, self.client.SR.probe]
        for call in calls:
            self.assertTrue("Parameters:" in call.__doc__)
        self.assertEqual("stat", calls[0].__name__)
        self.assertTrue("Volume.stat" in repr(calls[0]))


class Replies(Case):
    """What comes back is what the test says."""
    queue = "echo"

    def reply(self, result=None, error=None, call="destroy"):
        text = json.dumps({"result": result, "error": error, "id": 0})
        return getattr(self.client.Volume, call)(sr=text, key="k")

    def error(self, kind, value):
        try:
            self.reply(error=value)
        except Exception as e:
            self.assertEqual(kind, e.__class__)
            return e
        self.fail("nothing was raised")

    def test_results(self):
        self.assertEqual(None, self.reply())
        self.assertEqual(["a"], self.reply(["a"], call="similar_content"))
        made = self.reply({
            "key": "k", "name": "n", "description": "", "read_write": True,
            "sharable": False, "virtual_size": 1 << 62, "more": 5,
            "physical_utilisation": 0, "uri": [], "keys": {},
            "volume_type": ["Data"], "uuid": None}, call="stat")
        self.assertEqual(("Data", False, 1 << 62, 5), (
            made["volume_type"], "uuid" in made, made["virtual_size"],
            made["more"]))

    def test_errors_with_a_name(self):
        for error, kind, text in (
                (["Activated_on_another_host", "h"],
                 volume.Activated_on_another_host, "h"),
                (["Sr_not_attached", "s"], volume.Sr_not_attached, "s"),
                (["Cancelled", "t"], volume.Cancelled, "t"),
                (["Unimplemented", "x"], xapi.Unimplemented, "x"),
                (["Internal_error", "x"], xapi.InternalError, "x"),
                (["Backend_error", ["SR_BACKEND_FAILURE", [
                    "SR_does_not_exist", "x"]]],
                 volume.SR_does_not_exist, "x")):
            self.assertEqual(text, str(self.error(kind, error)))

    def test_errors_of_a_script(self):
        trace = {"error": "e", "files": ["f"], "lines": [1]}
        e = self.error(volume.Volume_does_not_exist, [
            "Backend_error_with_backtrace", ["SR_BACKEND_FAILURE", [
                json.dumps(trace), "Volume_does_not_exist", "k"]]])
        self.assertEqual(("k", trace), (e.arg_0, e.backtrace))
        e = self.error(client.BackendError, [
            "Backend_error_with_backtrace", ["SR_BACKEND_FAILURE_40", [
                json.dumps(trace), "Volume_does_not_exist", "k"]]])
        self.assertEqual(
            ("SR_BACKEND_FAILURE_40", ["Volume_does_not_exist", "k"], trace,
             "SR_BACKEND_FAILURE_40: Volume_does_not_exist: k"),
            (e.code, e.params, e.backtrace, str(e)))
        e = self.error(xapi.InternalError, [
            "Backend_error_with_backtrace", ["SR_BACKEND_FAILURE", [
                "no json", "TypeError", "TypeError expected=a actual=b"]]])
        self.assertEqual(("TypeError expected=a actual=b", "no json"),
                         (str(e), e.backtrace))

    def test_errors_without_a_name(self):
        for error, code, params, trace in (
                (["Backend_error", ["X", ["a", "b"]]], "X", ["a", "b"], None),
                (["Backend_error", ["X", []]], "X", [], None),
                (["Backend_error_with_backtrace", ["X", []]], "X", [], None),
                (["Backend_error_with_backtrace", ["X", ["t"]]], "X", [],
                 "t"),
                (["Backend_error", "x"], "Backend_error", ["x"], None),
                (["Sr_unhealthy", ["s", "Unreachable"]], "Sr_unhealthy",
                 ["s", "Unreachable"], None),
                ("Unknown_error", "Unknown_error", [], None),
                ({"x": 1}, "UNKNOWN_ERROR", [{"x": 1}], None),
                ([5], "UNKNOWN_ERROR", [[5]], None)):
            e = self.error(client.BackendError, error)
            self.assertEqual((code, params, trace),
                             (e.code, e.params, e.backtrace))
            str(e)

    def test_bad_replies(self):
        for text, why in (
                ("not json", "is not JSON"), ("5", "has no result"),
                ("{}", "has no result"),
                ('{"result": 5, "error": null}', "is not as declared"),
                ('{"result": {"key": 5}, "error": null}', "result at key")):
            e = self.raises(client.BadReply, self.client.Volume.stat,
                            sr=text, key="k")
            self.assertTrue(why in str(e), e)
        e = self.raises(xapi.InternalError, self.client.Volume.stat,
                        sr='["Internal_error", "x"]', key="k")
        self.assertEqual("x", str(e))

    def test_only_the_reply_to_the_request_counts(self):
        c = client.Client("stray", timeout=30)
        self.assertEqual(["x"], c.Volume.similar_content(
            sr='{"result": ["x"], "error": null}', key="k"))
        c.close()


class Ways(Case):
    """What gets lost."""

    def test_no_such_queue(self):
        c = client.Client(PLUGIN + "s")
        e = self.raises(client.NoSuchQueue, c.Plugin.query)
        self.assertEqual([PLUGIN], e.similar)
        self.assertTrue("did you mean %s?" % PLUGIN in str(e), e)
        c.close()

    def test_no_reply(self):
        c = client.Client("unserved", timeout=0.2)
        e = self.raises(client.Timeout, c.Plugin.query)
        self.assertEqual(("unserved", 0.2), (e.queue, e.seconds))
        self.assertTrue(isinstance(e.message, int))
        # The next one is not taken in by what was left behind.
        c.queue = "echo"
        c.timeout = 30
        self.assertEqual(["x"], c.Volume.similar_content(
            sr='{"result": ["x"], "error": null}', key="k"))
        c.close()

    def test_no_switch(self):
        c = client.Client(PLUGIN, socket=os.path.join(self.folder, "no"))
        e = self.raises(client.BrokerGone, c.Plugin.query)
        self.assertEqual((self.folder + "/no", False), (e.path, e.sent))

    def test_a_name_that_the_switch_refuses(self):
        c = client.Client("x" * 100000)
        e = self.raises(client.Refused, c.Plugin.query)
        self.assertTrue(400 <= e.status < 600, e.status)
        c.close()

    def test_a_request_that_is_too_large(self):
        e = self.raises(client.Refused, self.client.Volume.stat,
                        sr="x" * (4 * MIB), key="k")
        self.assertEqual(413, e.status)
        self.assertEqual("filebased", self.client.Plugin.query()["plugin"])

    def test_after_a_fork(self):
        self.client.Plugin.query()
        pid = os.fork()
        if pid == 0:
            try:
                name = self.client.Plugin.query()["plugin"]
                os._exit(0 if name == "filebased" else 1)
            finally:
                os._exit(2)
        self.assertEqual(0, os.waitpid(pid, 0)[1])
        self.assertEqual("filebased", self.client.Plugin.query()["plugin"])

    def test_close_and_come_back(self):
        with self.client as c:
            c.Plugin.query()
        self.assertEqual("filebased", self.client.Plugin.query()["plugin"])


class Shell(Case):
    """python -m xapi.storage.client"""

    def run_it(self, *words, **more):
        process = subprocess.Popen(
            [sys.executable, "-m", "xapi.storage.client"] + list(words),
            env=dict(os.environ, PYTHONPATH=PACKAGE, COLUMNS="80"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        out, err = process.communicate(more.get("stdin", b""))
        return process.returncode, out.decode(), err.decode()

    def fails(self, status, text, *words, **more):
        got, out, err = self.run_it(*words, **more)
        self.assertEqual((status, ""), (got, out), err)
        self.assertTrue(text in err, err)

    def test_calls(self):
        uri = "configuration.file-uri=file://" + self.folder + "/sr"
        status, out, err = self.run_it(
            PLUGIN, "SR.create", "uuid=u", uri, "name=n", "description=d",
            "--json")
        self.assertEqual((0, ""), (status, err))
        self.assertEqual(json.dumps(self.config) + "\n", out)
        status, out, err = self.run_it(PLUGIN, "sr.attach", uri)
        sr = out.strip()
        self.assertEqual((0, self.folder + "/sr", ""), (status, sr, err))
        self.assertEqual((0, "", ""), self.run_it(
            PLUGIN, "SR.set_name", "sr=" + sr, "new_name=other"))
        self.assertEqual((0, "null\n", ""), self.run_it(
            "-j", PLUGIN, "SR.set_name", "sr=" + sr, "-",
            stdin=b'{"new_name": "third"}'))
        status, out, err = self.run_it(
            PLUGIN, "Volume.create", "sr=" + sr, "name=a=b", "description=",
            "size=5", "sharable=FALSE")
        self.assertTrue('  "name": "a=b"' in out, out + err)
        status, out, err = self.run_it(
            PLUGIN, "SR.attach", "configuration=" + json.dumps(self.config))
        self.assertEqual(0, status)

    def test_failures(self):
        status, out, err = self.run_it(
            PLUGIN, "Volume.stat", "sr=" + self.folder, "key=5")
        self.assertEqual((1, ""), (status, out))
        lines = err.splitlines()
        self.assertEqual("Volume.stat: Sr_not_attached: " + self.folder,
                         lines[0])
        self.assertTrue(lines[-1].startswith("  at "), lines)
        status, out, err = self.run_it(
            PLUGIN, "Volume.stat", "sr=" + self.folder, "key=5", "--json")
        self.assertEqual((1, "", 1), (status, err, out.count("\n")))
        value = json.loads(out)
        self.assertEqual(
            ("SR_BACKEND_FAILURE", ["Sr_not_attached", self.folder]),
            (value["code"], value["params"]))
        self.assertEqual(["error", "files", "lines"],
                         sorted(value["backtrace"]))
        status, out, err = self.run_it(
            "echo", "Volume.stat", "key=5", "--json",
            'sr={"error": ["Backend_error", ["X", ["a"]]], "result": null}')
        value = json.loads(out)
        self.assertEqual((1, "X", ["a"]),
                         (status, value["code"], value["params"]))

    def test_usage(self):
        self.fails(2, "a queue and a call are wanted", PLUGIN)
        self.fails(2, "did you mean Volume.create", PLUGIN, "Volume.crate")
        self.fails(2, "did you mean size?", PLUGIN, "Volume.create", "siz=1")
        self.fails(2, "whole number is expected", PLUGIN, "Volume.create",
                   "size=x")
        self.fails(2, "also wants key=...", PLUGIN, "Volume.stat", "sr=x")
        self.fails(2, "NAME=VALUE is expected", PLUGIN, "Volume.stat", "sr")
        self.fails(2, "there is no option --what", PLUGIN, "Volume.stat",
                   "--what")
        self.fails(2, "not a JSON object", PLUGIN, "Volume.stat", "-",
                   stdin=b"[]")

    def test_what_gets_lost(self):
        self.fails(3, "no message switch at", "-s", self.folder + "/no",
                   PLUGIN, "Plugin.query")
        self.fails(6, "no reply from unserved", "-t", "0.1", "unserved",
                   "Plugin.query")
        self.fails(1, "there is no queue nothing", "nothing", "Plugin.query")
        status, out, err = self.run_it(
            "-t", "0.1", "--json", "unserved", "Plugin.query")
        self.assertEqual((6, ""), (status, err))
        self.assertEqual("Timeout", json.loads(out)["params"][0])

    def test_help(self):
        status, out, err = self.run_it("--help")
        self.assertEqual((0, ""), (status, err))
        for text in ("Volume.create", "NAME.KEY=VALUE", "Make a volume"):
            self.assertTrue(text in out, out)
        status, out, err = self.run_it(PLUGIN, "volume.CREATE", "--help")
        self.assertEqual((0, ""), (status, err))
        for text in ("Make a volume.", "- sharable: Several", "Since"):
            self.assertTrue(text in out, out)
        self.assertTrue(max(map(len, out.splitlines())) < 80)


if __name__ == "__main__":
    tap.main()
