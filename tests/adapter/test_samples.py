# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Exchanges as xapi and the original had them, byte for byte; what is no proper
call."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import (dump, answer_of_query, failure, out,  # noqa: E402
                     raw, request, sr_stat, step, success, until)
import tap  # noqa: E402
from calls_table import BACKEND, HANDLE, SR, STAT  # noqa: E402
from stage import Plugins  # noqa: E402

KEYS = {"vdi-type": "system", "content_id": "cid", "_sm_config_a": "b",
        "tagsred": "red", "snapshot_time": "20200101T00:00:00Z",
        "is_a_snapshot": "true", "snapshot_of": "k0"}
K1 = {"key": "k1", "uuid": "u1", "name": "n1", "description": "d1",
      "read_write": True, "sharable": False, "virtual_size": 1048576,
      "physical_utilisation": 4096, "uri": ["foo:///x", "dpx:///k1"],
      "keys": KEYS, "volume_type": "Data", "cbt_enabled": True}
K9 = {"key": "k9", "uuid": "u9", "name": "disk", "description": "dd",
      "read_write": True, "sharable": False, "virtual_size": 1073741824,
      "physical_utilisation": 0, "uri": ["dpx:///k9"], "keys": {}}
PROBED = [{"configuration": {"path": "/x"}, "complete": True,
           "extra_info": {}},
          {"configuration": {"path": "/x", "sr_uuid": "abc"},
           "complete": True, "extra_info": {"lun": "1"},
           "sr": {"sr": HANDLE, "name": "nm", "description": "dd",
                  "free_space": 5, "total_space": 10, "datasources": [],
                  "clustered": False, "health": ["Unreachable", ""]}}]

# name, request, {script: prints}, [(script, standard input)], reply
SAMPLES = [
    ("Query.query",
     '{"method":"Query.query","params":[{"dbg":"D"}],"id":7}',
     {"Plugin.Query": answer_of_query("t1", features=[
         "SR_ATTACH", "VDI_DESTROY", "VDI_CONFIG_CBT"])},
     [("Plugin.Query", '{"dbg":"D"}')],
     '{"result":{"smapi_version":"SMAPIv3","supported_image_formats":[],'
     '"required_cluster_stack":[],"configuration":{"path":"a path"},'
     '"features":["VDI_RESET_ON_BOOT/2","SR_ATTACH","VDI_DELETE",'
     '"VDI_CONFIG_CBT","VDI_UPDATE","VDI_DELETE","VDI_RESIZE",'
     '"VDI_SNAPSHOT","VDI_CLONE","VDI_CREATE","SR_PROBE","SR_UPDATE",'
     '"SR_SCAN","SR_DETACH","SR_DELETE","SR_CREATE","SR_ATTACH",'
     '"VDI_ATTACH","VDI_DETACH","VDI_ACTIVATE","VDI_DEACTIVATE",'
     '"VDI_INTRODUCE"],"required_api_version":"5.0","version":"1.0",'
     '"copyright":"c","vendor":"v","description":"d","name":"T one",'
     '"driver":"t1"},"error":null,"id":0}'),
    ("SR.create",
     '{"method":"SR.create","params":[{"physical_size":0,"device_config":'
     '{"path":"/x"},"name_description":"nd","name_label":"l","sr":"sruuid",'
     '"dbg":"D"}],"id":7}',
     {"SR.create": {"path": "/x"}},
     [("SR.create", '{"description":"nd","name":"l","configuration":'
       '{"path":"/x"},"uuid":"sruuid","dbg":"D"}')],
     '{"result":{"path":"/x"},"error":null,"id":0}'),
    ("SR.attach",
     '{"method":"SR.attach","params":[{"device_config":{"path":"/x"},'
     '"sr":"sruuid","dbg":"D"}],"id":7}',
     {"SR.attach": "file:///srs/one", "SR.stat": STAT},
     [("SR.attach", '{"configuration":{"path":"/x"},"dbg":"D"}'),
      ("SR.stat", '{"sr":"file:///srs/one","dbg":"D"}')],
     '{"result":null,"error":null,"id":0}'),
    ("SR.stat",
     '{"method":"SR.stat","params":[{"sr":"sruuid","dbg":"D"}],"id":7}',
     {"SR.stat": {"sr": "file:///srs/one", "name": "nm", "uuid": "aaaa",
                  "description": "dd", "free_space": 5, "total_space": 10,
                  "datasources": [], "clustered": False,
                  "health": ["Healthy", ""]}},
     [("SR.stat", '{"sr":"file:///srs/one","dbg":"D"}')],
     '{"result":{"health":"Healthy","clustered":false,"free_space":5,'
     '"total_space":10,"name_description":"dd","name_label":"nm",'
     '"sr_uuid":"aaaa"},"error":null,"id":0}'),
    ("SR.scan2",
     '{"method":"SR.scan2","params":[{"sr":"sruuid","dbg":"D"}],"id":7}',
     {"SR.stat": STAT, "SR.ls": [K1]},
     [("SR.stat", '{"sr":"file:///srs/one","dbg":"D"}'),
      ("SR.ls", '{"sr":"file:///srs/one","dbg":"D"}')],
     '{"result":[[{"tags":["red"],"sm_config":{"a":"b"},"sharable":false,'
     '"persistent":true,"physical_utilisation":4096,"virtual_size":1048576,'
     '"cbt_enabled":true,"read_only":false,"snapshot_of":"k0",'
     '"snapshot_time":"20200101T00:00:00Z","is_a_snapshot":true,'
     '"metadata_of_pool":"","ty":"system","name_description":"d1",'
     '"name_label":"n1","content_id":"cid","uuid":"u1","vdi":"k1"}],'
     '{"health":"Healthy","clustered":false,"free_space":5,'
     '"total_space":10,"name_description":"dd","name_label":"nm",'
     '"sr_uuid":"aaaa"}],"error":null,"id":0}'),
    ("SR.probe",
     '{"method":"SR.probe","params":[{"sm_config":{},"device_config":'
     '{"path":"/x"},"queue":"q","dbg":"D"}],"id":7}',
     {"SR.probe": PROBED},
     [("SR.probe", '{"configuration":{"path":"/x"},"dbg":"D"}')],
     '{"result":["Probe",[{"extra_info":{},"complete":true,'
     '"configuration":{"path":"/x"}},{"extra_info":{"lun":"1"},"sr":'
     '{"health":"Unreachable","clustered":false,"free_space":5,'
     '"total_space":10,"name_description":"dd","name_label":"nm"},'
     '"complete":true,"configuration":{"path":"/x","sr_uuid":"abc"}}]],'
     '"error":null,"id":0}'),
    ("VDI.create",
     '{"method":"VDI.create","params":[{"vdi_info":{"tags":["t"],'
     '"sm_config":{"k":"v"},"sharable":false,"persistent":true,'
     '"physical_utilisation":0,"virtual_size":1073741824,"cbt_enabled":'
     'false,"read_only":false,"snapshot_of":"","snapshot_time":'
     '"19700101T00:00:00Z","is_a_snapshot":false,"metadata_of_pool":"",'
     '"ty":"user","name_description":"dd","name_label":"disk",'
     '"content_id":"","vdi":""},"sr":"sruuid","dbg":"D"}],"id":5}',
     {"Volume.create": K9, "Volume.set": None},
     [("Volume.create", '{"sharable":false,"size":1073741824,'
       '"description":"dd","name":"disk","sr":"file:///srs/one",'
       '"dbg":"D"}'),
      ("Volume.set", '{"v":"user","k":"vdi-type","key":"k9",'
       '"sr":"file:///srs/one","dbg":"D"}')],
     '{"result":{"tags":[],"sm_config":{},"sharable":false,"persistent":'
     'true,"physical_utilisation":0,"virtual_size":1073741824,'
     '"cbt_enabled":false,"read_only":false,"snapshot_of":"",'
     '"snapshot_time":"19700101T00:00:00Z","is_a_snapshot":false,'
     '"metadata_of_pool":"","ty":"user","name_description":"dd",'
     '"name_label":"disk","content_id":"","uuid":"u9","vdi":"k9"},'
     '"error":null,"id":0}'),
    ("VDI.attach3 in dom0",
     '{"method":"VDI.attach3","params":[{"read_write":true,"vm":"0",'
     '"vdi":"k1","sr":"sruuid","dp":"vbd/0/a-b","dbg":"D"}],"id":7}',
     {"Volume.stat": K1, "Datapath.attach": BACKEND},
     [("Volume.stat", '{"key":"k1","sr":"file:///srs/one","dbg":"D"}'),
      ("Datapath.attach", '{"domain":"u0_vbd_0_a_b","uri":"dpx:///k1",'
       '"dbg":"D"}')],
     '{"result":{"implementations":[["XenDisk",{"backend_type":"vbd3",'
     '"extra":{"k":"v"},"params":"p"}],["BlockDevice",{"path":'
     '"/dev/sm/x"}],["File",{"path":"/f"}],["Nbd",{"uri":'
     '"nbd:unix:/run/s.sock:exportname=exp"}]]},"error":null,"id":0}'),
    ("VDI.resize",
     '{"method":"VDI.resize","params":[{"new_size":2097152,"vdi":"k1",'
     '"sr":"sruuid","dbg":"D"}],"id":8}',
     {"Volume.resize": None, "Volume.stat": K1},
     [("Volume.resize", '{"new_size":2097152,"key":"k1",'
       '"sr":"file:///srs/one","dbg":"D"}'),
      ("Volume.stat", '{"key":"k1","sr":"file:///srs/one","dbg":"D"}')],
     '{"result":1048576,"error":null,"id":0}'),
    ("DATA.mirror",
     '{"method":"DATA.mirror","params":[{"url":"nbd+unix:///e?socket=/x",'
     '"vm":"0","image_format":"","vdi":"k1","sr":"sruuid","dbg":"D"}],'
     '"id":10}',
     {"Volume.stat": K1, "Data.mirror": ["MirrorV1", "mk1"]},
     [("Volume.stat", '{"key":"k1","sr":"file:///srs/one","dbg":"D"}'),
      ("Data.mirror", '{"remote":"nbd+unix:///e?socket=/x","domain":"0",'
       '"uri":"dpx:///k1","dbg":"D"}')],
     '{"result":["MirrorV1","mk1"],"error":null,"id":0}'),
    ("DATA.stat",
     '{"method":"DATA.stat","params":[{"operation":["MirrorV1","mk1"],'
     '"vm":"0","vdi":"k1","sr":"sruuid","dbg":"D"}],"id":11}',
     {"Volume.stat": K1, "Data.stat": {"failed": False, "complete": False,
                                       "progress": 0.5}},
     [("Volume.stat", '{"key":"k1","sr":"file:///srs/one","dbg":"D"}'),
      ("Data.stat", '{"operation":["MirrorV1","mk1"],"dbg":"D"}')],
     '{"result":{"progress":0.5,"complete":false,"failed":false},'
     '"error":null,"id":0}'),
    ("VDI.stat, SR not attached",
     '{"method":"VDI.stat","params":[{"vdi":"k","sr":"nope","dbg":"D"}],'
     '"id":7}', {}, [],
     '{"result":null,"error":["Sr_not_attached","nope"],"id":0}'),
    ("SR.scan fails",
     '{"method":"SR.scan","params":[{"sr":"sruuid","dbg":"D"}],"id":7}',
     {"SR.ls": [raw('{"code":"SR_BACKEND_FAILURE_40","params":["a","b"],'
                    '"backtrace":{"error":"E","files":["f.py","g.py"],'
                    '"lines":[1,22]}}'), step("exit", 1)]},
     [("SR.ls", '{"sr":"file:///srs/one","dbg":"D"}')],
     '{"result":null,"error":["Backend_error_with_backtrace",'
     '["SR_BACKEND_FAILURE_40",["{\\"error\\":\\"E\\",\\"files\\":'
     '[\\"f.py\\",\\"g.py\\"],\\"lines\\":[1,22]}","a","b"]]],"id":0}'),
    ("VDI.clone prints no JSON and exits 4",
     '{"method":"VDI.clone","params":[{"vdi_info":{"vdi":"k1",'
     '"name_label":"n"},"sr":"sruuid","dbg":"D"}],"id":7}',
     {"Volume.clone": [raw("not json\n"), step("exit", 4)]},
     [("Volume.clone", '{"key":"k1","sr":"file:///srs/one","dbg":"D"}')],
     '{"result":null,"error":["Backend_error",["SCRIPT_FAILED",'
     '["<dir>/Volume.clone","non-zero exit and bad json on stdout","4",'
     '"not json\\n","not json\\n"]]],"id":0}'),
    ("VDI.snapshot is killed",
     '{"method":"VDI.snapshot","params":[{"vdi_info":{"vdi":"k1",'
     '"name_label":"n"},"sr":"sruuid","dbg":"D"}],"id":7}',
     {"Volume.snapshot": [raw("partial\n"), step("signal", 9)]},
     [("Volume.snapshot", '{"key":"k1","sr":"file:///srs/one","dbg":"D"}')],
     '{"result":null,"error":["Backend_error",["SCRIPT_FAILED",'
     '["<dir>/Volume.snapshot","signalled","SIGKILL","partial\\n",'
     '"partial\\n"]]],"id":0}'),
    ("VDI.remove_tags prints nothing",
     '{"method":"VDI.remove_tags","params":[{"key":"red","vdi":"k1",'
     '"sr":"sruuid","dbg":"D"}],"id":7}',
     {"Volume.unset": [raw("")]},
     [("Volume.unset", '{"k":"tagsred","key":"k1","sr":"file:///srs/one",'
       '"dbg":"D"}')],
     '{"result":null,"error":["Backend_error",["SCRIPT_FAILED",'
     '["<dir>/Volume.unset","bad json on stdout",""]]],"id":0}'),
    ("VDI.attach3 without a usable URI",
     '{"method":"VDI.attach3","params":[{"read_write":true,"vm":"0",'
     '"vdi":"k1","sr":"sruuid","dp":"d","dbg":"D"}],"id":7}',
     {"Volume.stat": dict(K1, uri=["foo:///x"])},
     [("Volume.stat", '{"key":"k1","sr":"file:///srs/one","dbg":"D"}')],
     '{"result":null,"error":["Backend_error",["MISSING_URI",'
     '["Please include a URI in the device-config"]]],"id":0}'),
    ("DATA.copy is not implemented",
     '{"method":"DATA.copy","params":[{"dbg":"D"}],"id":1}', {}, [],
     '{"result":null,"error":["Unimplemented","DATA.copy"],"id":0}'),
]


class Samples(Plugins):
    @tap.table(SAMPLES)
    def sample(self, text, plans, runs, reply):
        self.adapter.attach(self.plugin)
        self.plugin.clear()
        for script, prints in plans.items():
            where = self.dpx if script.startswith("Data") else self.plugin
            steps = prints if isinstance(prints, list) and prints and all(
                isinstance(p, bytes) for p in prints) else [out(prints)]
            where.usual(script, *steps)
        mark = self.adapter.mark()
        self.assertEqual(self.ask(text),
                         reply.replace("<dir>", self.plugin.dir))
        self.assertEqual([
            (r["argv"][0].rsplit("/", 1)[-1], r["stdin"])
            for r in self.adapter.runs(mark)], runs)

    def test_missing_script(self):
        self.plugin.replace("SR.create")
        self.addCleanup(self.plugin.restore, "SR.create")
        self.assertEqual(self.ask(SAMPLES[1][1]), failure([
            "Backend_error", ["SCRIPT_MISSING", [
                self.plugin.path("SR.create"), "Check whether the file "
                "exists and has correct permissions"]]]))

    def test_unreachable(self):
        """After four SR.stat runs."""
        self.adapter.attach(self.plugin, sr="s5")
        self.plugin.usual("SR.stat", out(sr_stat(HANDLE, "Unreachable")))
        mark = self.adapter.mark()
        self.assertEqual(
            self.ask(request("SR.scan2", {"sr": "s5"})),
            '{"result":null,"error":["Sr_unhealthy",["s5","Unreachable"]],'
            '"id":0}')
        self.assertEqual(self.names(mark), ["SR.stat"] * 4)


# name, payload: each gets a failure and runs nothing
MALFORMED = [
    ("nothing", ""), ("a word", "hello"), ("half an object", '{"method":'),
    ("text behind it", request("SR.list", {}) + "x"),
    ("an array", "[]"), ("a number", "7"), ("null", "null"),
    ("no id", '{"method":"SR.list","params":[{"dbg":"D"}]}'),
    ("id is an object", '{"method":"SR.list","params":[{"dbg":"D"}],'
     '"id":{}}'),
    ("no method", '{"params":[{"dbg":"D"}],"id":1}'),
    ("method is a number", '{"method":7,"params":[{"dbg":"D"}],"id":1}'),
    ("no params", '{"method":"SR.list","id":1}'),
    ("params is a text", '{"method":"SR.list","params":"x","id":1}'),
    ("params is empty", '{"method":"SR.list","params":[],"id":1}'),
    ("params holds a text", '{"method":"SR.list","params":["x"],"id":1}'),
    ("no dbg", '{"method":"SR.list","params":[{}],"id":1}'),
    ("a parameter is missing", request("VDI.stat", {"sr": SR})),
    ("a text is a number", request("VDI.stat", {"sr": SR, "vdi": 7})),
    ("a bool is a text", request("VDI.set_persistent", {
        "sr": SR, "vdi": "k", "persistent": "true"})),
    ("a map is an array", request("SR.attach", {
        "sr": SR, "device_config": [["path", "/x"]]})),
    ("a map holds a number", request("SR.attach", {
        "sr": SR, "device_config": {"path": 1}})),
    ("an integer is a float", request("VDI.resize", {
        "sr": SR, "vdi": "k", "new_size": 1}).replace(
            '"new_size":1', '"new_size":1.0')),
    ("an integer has an exponent", request("VDI.resize", {
        "sr": SR, "vdi": "k", "new_size": 1}).replace(
            '"new_size":1', '"new_size":1e3')),
    ("an integer beyond 64 bits", request("VDI.resize", {
        "sr": SR, "vdi": "k", "new_size": 2 ** 63})),
    ("a record without its name", request("VDI.create", {
        "sr": SR, "vdi_info": {"vdi": ""}})),
    ("a variant of another kind", request("DATA.stat", {
        "sr": SR, "vdi": "k1", "vm": "0", "operation": ["Other", "x"]})),
    ("bytes that are no UTF-8", b'{"method":"SR.stat","params":[{"sr":"\xff'
     b'","dbg":"D"}],"id":1}'.decode("utf-8", "surrogateescape")),
    ("deep", '{"method":"SR.stat","params":' + "[" * 5000 + "]" * 5000 +
     ',"id":1}'),
    ("a method like a path", request("Volume.create/../../x", {})),
    ("no such method", request("No.such", {})),
    ("capitals", request("sr.List", {})),
]


class Envelope(Plugins):
    @tap.table(MALFORMED)
    def malformed(self, text):
        self.adapter.attach(self.plugin)
        mark = self.adapter.mark()
        if isinstance(text, str):
            text = text.encode("utf-8", "surrogateescape")
        got = json.loads(self.ask(text))
        self.assertEqual(list(got), ["result", "error", "id"])
        self.assertIsNone(got["result"])
        self.assertEqual(got["id"], 0)
        name, why = got["error"]
        self.assertIn(name, ("Internal_error", "Unimplemented"))
        self.assertTrue(why)
        self.assertEqual(self.names(mark), [])
        self.assertEqual(self.ask(request("SR.reset", {"sr": SR})),
                         success())

    def resized(self, text, new_size=4096):
        """It is understood as a VDI.resize to that size; the reply."""
        self.adapter.attach(self.plugin)
        self.plugin.usual("Volume.stat", out(K1))
        mark = self.adapter.mark()
        got = self.ask(text)
        run = self.adapter.runs(mark)[0]
        self.assertEqual(json.loads(run["stdin"]), {
            "sr": HANDLE, "key": "k1", "new_size": new_size, "dbg": "D"})
        return got

    PARAMS = '"vdi":"k1","sr":"sruuid","dbg":"D"'

    @tap.table([
        ("id is a text", '{"method":"VDI.resize","params":[{"new_size":4096,'
         '%s}],"id":"x"}'),
        ("further members", '{"a":[{}],"id":1,"params":[{"new_size":4096,'
         '"b":null,%s}],"method":"VDI.resize"}'),
        ("first of two", '{"method":"VDI.resize","params":[{"new_size":4096,'
         '"new_size":1,%s}],"id":1}'),
        ("a decimal text", '{"method":"VDI.resize","params":[{"new_size":'
         '"4096",%s}],"id":1}'),
        ("a hexadecimal text", '{"method":"VDI.resize","params":[{'
         '"new_size":"0x1000",%s}],"id":1}'),
        ("an octal text", '{"method":"VDI.resize","params":[{"new_size":'
         '"0o10000",%s}],"id":1}'),
        ("a binary text", '{"method":"VDI.resize","params":[{"new_size":'
         '"0b1000000000000",%s}],"id":1}'),
        ("blanks", ' {\n"method" :\t"VDI.resize","params":[ {"new_size":4096'
         ',%s} ],"id":1 }\n'),
        ("escapes", '{"method":"VDI.res\\u0069ze","params":[{"new_size":'
         '4096,%s}],"id":1}'),
    ])
    def accepted(self, text):
        self.assertEqual(self.resized(text % self.PARAMS), success(1048576))

    @tap.table([
        ("array", '{"jsonrpc":"2.0","method":"VDI.resize","params":[{'
         '"new_size":4096,%s}],"id":5}', 5),
        ("object", '{"jsonrpc":"2.0","method":"VDI.resize","params":{'
         '"new_size":4096,%s},"id":"x"}', "x")])
    def version_2(self, text, ident):
        got = json.loads(self.resized(text % self.PARAMS))
        self.assertEqual((got["result"], got["id"]), (1048576, ident))
        self.assertIsNone(got.get("error"))

    def test_negative_and_large(self):
        for n in (-1, 2 ** 63 - 1, -2 ** 63):
            self.resized(request("VDI.resize", {
                "new_size": n, "vdi": "k1", "sr": SR}), n)

    def test_records_are_lenient(self):
        """Names without regard to case; what is left out has a default."""
        self.adapter.attach(self.plugin)
        self.plugin.usual("Volume.create", out(K9))
        mark = self.adapter.mark()
        self.ask(request("VDI.create", {"sr": SR, "vdi_info": {
            "VDI": "", "Name_Label": "n", "other": 1}}))
        runs = self.adapter.runs(mark)
        self.assertEqual(json.loads(runs[0]["stdin"]), {
            "sr": HANDLE, "name": "n", "description": "", "size": 0,
            "sharable": False, "dbg": "D"})
        self.assertEqual(json.loads(runs[1]["stdin"])["v"], "user")

    def test_text_goes_through(self):
        """Any text a caller can write reaches the script unchanged."""
        self.adapter.attach(self.plugin)
        text = "\"\\\b\f\n\r\t\x01\x7f/ \u00e9\u20ac\U0001f600 u"
        mark = self.adapter.mark()
        for encoded in (dump(text), json.dumps(text)):
            self.assertEqual(self.ask(
                '{"method":"VDI.set_name_label","params":[{"sr":"sruuid",'
                '"vdi":"k1","new_name_label":%s,"dbg":"D"}],"id":1}' %
                encoded), success())
        for run in self.adapter.runs(mark):
            self.assertEqual(json.loads(run["stdin"])["new_name"], text)
            self.assertNotIn("\n", run["stdin"])

    @tap.table([
        ("Volume.stat", {"sr": "h", "key": "k1"}, K1),
        ("SR.ls", {"sr": "h"}, [K1, K9]),
        ("SR.attach", {"configuration": {"a": "b"}}, "h"),
        ("Volume.compare", {"sr": "h", "key": "a", "key2": "b"},
         {"blocksize": 4096, "ranges": [[0, 2 ** 40]]})])
    def pass_through(self, params, result):
        """A call of SMAPIv3: parameters and result as they are."""
        method = self.title().split(": ")[1]
        if method not in self.plugin.scripts:
            self.plugin.restore(method)
        self.plugin.usual(method, out(result))
        mark = self.adapter.mark()
        self.assertEqual(
            json.loads(self.ask(request("smapiv3." + method, params,
                                        "me"))),
            {"result": result, "error": None, "id": "me"})
        run = self.adapter.runs(mark)[0]
        self.assertEqual(json.loads(run["stdin"]), dict(params, dbg="D"))

    @tap.table([
        ("a parameter is missing", "smapiv3.Volume.stat", {"sr": "h"}),
        ("a parameter is of another type", "smapiv3.Volume.stat",
         {"sr": "h", "key": 7}),
        ("no such method", "smapiv3.Volume.no", {"sr": "h"}),
        ("a path", "smapiv3.../../x", {})])
    def pass_through_refused(self, method, params):
        mark = self.adapter.mark()
        got = json.loads(self.ask(request(method, params)))
        self.assertIsNone(got["result"])
        self.assertEqual(got["error"][0], "Internal_error")
        self.assertEqual(self.names(mark), [])

    def test_a_response_is_not_answered(self):
        with self.adapter.broker.conn("other") as c:
            c.respond(self.plugin.name, "q", 1, "text")
        self.assertEqual(self.ask(request("SR.reset", {"sr": SR})),
                         success())
        until(lambda: self.adapter.broker.queue(
            self.plugin.name)["messages"] == 0, "it is acknowledged")


if __name__ == "__main__":
    tap.main()
