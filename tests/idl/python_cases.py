# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""What plugins rely on in the Python package, and what ours does better.

Run by test_idl_python.py under every Python there is, so the language here is
what 2.7 and 3.13 have in common.  Cases named fix_... are defects of the
library that ours takes the place of; each fails on its behaviour.
"""

from __future__ import print_function

import inspect
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(
    os.environ.get("XMSG_BUILDDIR", os.path.join(HERE, "../../build")),
    "python")
sys.path.insert(0, HERE)
sys.path.insert(0, PACKAGE)
sys.dont_write_bytecode = True

import tap  # noqa: E402
import xapi  # noqa: E402
import xapi.storage.api.v5.datapath as datapath  # noqa: E402
import xapi.storage.api.v5.plugin as plugin  # noqa: E402
import xapi.storage.api.v5.task as task  # noqa: E402
import xapi.storage.api.v5.volume as volume  # noqa: E402
from xapi.storage import common, log  # noqa: E402

PY2 = sys.version_info[0] == 2
INTERFACES = [
    (plugin, "Plugin", "query ls diagnostics"),
    (volume, "SR", "probe create attach detach destroy stat set_name "
     "set_description ls"),
    (volume, "Volume", "create snapshot clone copy destroy revert set_name "
     "set_description set unset resize stat compare similar_content "
     "enable_cbt disable_cbt data_destroy list_changed_blocks compose"),
    (datapath, "Datapath", "open attach activate activate_readonly "
     "import_activate deactivate detach close"),
    (datapath, "Data", "copy mirror stat cancel destroy ls"),
    (task, "Task", "stat cancel destroy ls"),
]
SHARED = ("success handle_exception XenAPIException MissingDependency "
          "Rpc_light_failure Unimplemented InternalError UnmarshalException "
          "TypeError UnknownMethod is_long ListAction argparse json logging "
          "sys traceback get_str long unicode str").split()
ORDER = {
    "Plugin.query": "", "Plugin.ls": "", "Plugin.diagnostics": "",
    "SR.probe": "configuration",
    "SR.create": "uuid configuration name description",
    "SR.attach": "configuration", "SR.detach": "sr", "SR.destroy": "sr",
    "SR.stat": "sr", "SR.set_name": "sr new_name",
    "SR.set_description": "sr new_description", "SR.ls": "sr",
    "Volume.create": "sr name description size sharable",
    "Volume.snapshot": "sr key", "Volume.clone": "sr key",
    "Volume.copy": "sr key dest_sr", "Volume.destroy": "sr key",
    "Volume.revert": "sr snapshot key", "Volume.set_name": "sr key new_name",
    "Volume.set_description": "sr key new_description",
    "Volume.set": "sr key k v", "Volume.unset": "sr key k",
    "Volume.resize": "sr key new_size", "Volume.stat": "sr key",
    "Volume.compare": "sr key key2", "Volume.similar_content": "sr key",
    "Volume.enable_cbt": "sr key", "Volume.disable_cbt": "sr key",
    "Volume.data_destroy": "sr key",
    "Volume.list_changed_blocks": "sr key key2 offset length",
    "Volume.compose": "sr key key2",
    "Datapath.open": "uri persistent", "Datapath.attach": "uri domain",
    "Datapath.activate": "uri domain",
    "Datapath.activate_readonly": "uri domain",
    "Datapath.import_activate": "uri domain",
    "Datapath.deactivate": "uri domain", "Datapath.detach": "uri domain",
    "Datapath.close": "uri",
    "Data.copy": "uri domain remote blocklist",
    "Data.mirror": "uri domain remote", "Data.stat": "operation",
    "Data.cancel": "operation", "Data.destroy": "operation", "Data.ls": "",
    "Task.stat": "id", "Task.cancel": "id", "Task.destroy": "id",
    "Task.ls": "",
}
VOLUME = {
    "key": "k", "name": "n", "description": "", "read_write": True,
    "sharable": False, "virtual_size": 1, "physical_utilisation": 0,
    "uri": ["file:///k"], "keys": {},
}

# A plugin with a main block as in section 12 of the contract; what its calls
# do is chosen by the argument `sr`.
SCRIPT = '''
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, %r)
import xapi
import xapi.storage.api.v5.volume
from xapi.storage import log
from xapi.storage.api.v5.volume import SR_skeleton, Sr_not_attached

class Odd(Exception):
    code = 503
    params = "x"

class Implementation(SR_skeleton):
    def __init__(self, callbacks):
        self.callbacks = callbacks
    def detach(self, dbg, sr_uuid):
        if sr_uuid == "declared":
            raise Sr_not_attached(sr_uuid)
        if sr_uuid == "coded":
            raise xapi.XenAPIException("SR_BACKEND_FAILURE_40", ["a", "b"])
        if sr_uuid == "odd":
            raise Odd("text")
        if sr_uuid == "plain":
            raise ValueError("no such thing")
        if sr_uuid == "exit":
            sys.exit(7)
        if sr_uuid == "prints":
            print("noise")
        if sr_uuid == "value":
            return {"extra": [1]}
        if sr_uuid == "bytes":
            return b"\\xff"
        if sr_uuid == "argv":
            return os.path.basename(sys.argv[0])
    def stat(self, dbg, sr):
        log.error("not an error", exc_info=True)
        return {"sr": sr, "name": u"\\u20ac", "uuid": None,
                "description": "", "free_space": 1, "total_space": 2,
                "datasources": [], "clustered": False,
                "health": ["Healthy", ""], "overprovision": 3}
    def ls(self, dbg, sr):
        return 5
    def create(self, dbg, uuid, configuration, name, description):
        return configuration
    def probe(self, dbg, configuration):
        return []

if __name__ == "__main__":
    log.log_call_argv()
    cmd = xapi.storage.api.v5.volume.SR_commandline(Implementation(None))
    base = os.path.basename(sys.argv[0])
    if base == "SR.detach":
        cmd.detach()
    elif base == "SR.stat":
        cmd.stat()
    elif base == "SR.ls":
        cmd.ls()
    elif base == "SR.create":
        cmd.create()
    elif base == "SR.probe":
        cmd.probe()
    elif base == "SR.destroy":
        cmd.destroy()
    else:
        raise xapi.storage.api.v5.volume.Unimplemented(base)
'''


class Case(unittest.TestCase):
    """Assertions that 2.7 does not have or spells differently."""

    def fails(self, kind, text, function, *args):
        """Raises exactly this kind with this text; returns it."""
        try:
            function(*args)
        except Exception as e:
            self.assertEqual(
                (e.__class__.__name__, str(e)), (kind.__name__, text))
            self.assertTrue(isinstance(e, kind))
            return e
        self.fail("nothing was raised")

    def text_has(self, text, *parts):
        for part in parts:
            self.assertTrue(part in text, "%r is not in %s" % (part, text))


class Imports(Case):
    def test_every_interface_has_its_four_classes(self):
        for module, name, methods in INTERFACES:
            for suffix in ("skeleton", "test", "server_dispatcher",
                           "commandline"):
                self.assertTrue(inspect.isclass(
                    getattr(module, "%s_%s" % (name, suffix))))
        self.assertEqual(
            49, sum(len(m.split()) for _, _, m in INTERFACES))

    def test_every_module_has_its_servers(self):
        for module, name in ((plugin, "plugin"), (volume, "volume"),
                             (datapath, "datapath"), (task, "task")):
            for suffix in ("server_dispatcher", "server_test"):
                getattr(module, "%s_%s" % (name, suffix))()

    def test_shared_names_are_in_every_module(self):
        for module in (xapi, plugin, volume, datapath, task):
            for name in SHARED:
                self.assertTrue(hasattr(module, name), name)
                if module is not xapi:
                    self.assertTrue(
                        getattr(module, name) is getattr(xapi, name), name)

    def test_sr_is_in_no_module_of_its_own(self):
        with self.assertRaises(ImportError):
            __import__("xapi.storage.api.v5.sr")

    def test_declared_errors_are_in_volume(self):
        for name in ("Sr_not_attached", "SR_does_not_exist",
                     "Volume_does_not_exist", "Cancelled",
                     "Activated_on_another_host"):
            kind = getattr(volume, name)
            self.assertFalse(hasattr(plugin, name))
            e = kind("x")
            self.assertTrue(isinstance(e, xapi.Rpc_light_failure))
            self.assertEqual((name, ("x",), "x", "x"),
                             (e.name, e.args, e.arg_0, str(e)))
            self.fails(xapi.TypeError, "TypeError expected=string actual=5",
                       kind, 5)

    def test_skeletons_are_ordinary_functions(self):
        for module, name, methods in INTERFACES:
            skeleton = getattr(module, name + "_skeleton")
            routines = dict(inspect.getmembers(skeleton, inspect.isroutine))
            for method in methods.split():
                self.assertTrue(method in routines)
                self.assertTrue(inspect.getdoc(routines[method]))

    def test_parameters_are_in_declared_order(self):
        spec = getattr(inspect, "getfullargspec", None) or inspect.getargspec
        for module, name, methods in INTERFACES:
            for method in methods.split():
                skeleton = getattr(module, name + "_skeleton")
                full = "%s.%s" % (name, method)
                self.assertEqual(
                    ["self", "dbg"] + ORDER[full].split(),
                    list(spec(getattr(skeleton, method)).args))

    def test_commandline_has_only_the_calls_in_public(self):
        for module, name, methods in INTERFACES:
            cmd = getattr(module, name + "_commandline")(None)
            self.assertEqual(
                set(methods.split()) | set(["impl", "dispatcher"]),
                set(n for n in dir(cmd) if not n.startswith("_")))
            for method in methods.split():
                self.assertTrue(callable(getattr(cmd, "_parse_" + method)))

    def test_fix_str_is_not_bytes(self):
        self.assertTrue(volume.str is str)

    def test_fix_packages_may_live_elsewhere(self):
        folder = tempfile.mkdtemp()
        try:
            os.makedirs(os.path.join(folder, "xapi/storage/libs"))
            for path in ("xapi", "xapi/storage", "xapi/storage/libs"):
                open(os.path.join(folder, path, "__init__.py"), "w").close()
            code = ("import sys; sys.path[:0] = [%r, %r]; "
                    "import xapi.storage.libs, xapi.storage.log; "
                    "print(xapi.storage.libs.__name__)" % (PACKAGE, folder))
            out = subprocess.check_output([sys.executable, "-B", "-c", code])
            self.assertEqual(b"xapi.storage.libs", out.strip())
        finally:
            shutil.rmtree(folder)


class Helpers(Case):
    def test_success_and_failure(self):
        self.assertEqual({"Status": "Success", "Value": 1}, xapi.success(1))
        self.assertEqual(
            {"Status": "Failure", "ErrorDescription": ["n", "a"]},
            xapi.Rpc_light_failure("n", ["a"]).failure())
        self.assertEqual(
            {"Status": "Failure", "ErrorDescription": ["n", ["a", "b"]]},
            xapi.Rpc_light_failure("n", ["a", "b"]).failure())

    def test_texts_of_errors(self):
        self.assertEqual("Internal_error", xapi.InternalError("x").name)
        self.assertEqual("UnmarshalException thing=a ty=b desc=c",
                         str(xapi.UnmarshalException("a", "b", "c")))
        self.assertEqual("TypeError expected=a actual=b",
                         str(xapi.TypeError("a", "b")))
        self.assertEqual("Unknown method m", str(xapi.UnknownMethod("m")))
        self.assertTrue("gdb" in str(xapi.MissingDependency("gdb")))
        self.assertEqual("gdb", xapi.MissingDependency("gdb").missing)
        e = xapi.Unimplemented("V.x")
        self.assertEqual(("Unimplemented", "V.x"), (e.name, str(e)))
        self.assertFalse(hasattr(e, "arg_0"))
        self.assertEqual((5,), xapi.Unimplemented(5).args)

    def test_xenapi_exception(self):
        e = xapi.XenAPIException("C", ["p"])
        self.assertEqual(("C", ["p"], ""), (e.code, e.params, str(e)))
        for code, params in ((5, []), ("C", "p"), ("C", ("p",))):
            with self.assertRaises(xapi.TypeError):
                xapi.XenAPIException(code, params)

    def test_is_long(self):
        self.assertEqual([True, True, False],
                         [xapi.is_long(x) for x in (5, "5", "x")])

    def test_list_action_does_not_share_its_default(self):
        for _ in range(2):
            parser = xapi.argparse.ArgumentParser()
            parser.add_argument("--c", action=xapi.ListAction, default={})
            got = parser.parse_args(["--c", "a", "1", "--c", "b", "2"])
            self.assertEqual({"a": "1", "b": "2"}, got.c)
            self.assertEqual({}, parser.parse_args([]).c)

    def test_common_call(self):
        echo = [sys.executable, "-c", "import sys; sys.stdout.write('x'); "
                "sys.stderr.write('y'); sys.exit(%d)"]
        ok, bad = [[a.replace("%d", n) for a in echo] for n in ("0", "3")]
        self.assertEqual(b"x", common.call("dbg", ok))
        self.assertEqual((b"x", b"y", 0), common.call(5, ok, simple=False))
        self.assertEqual(b"x", common.call("dbg", bad, expRc=3))
        self.assertEqual(b"x", common.call("dbg", bad, error=False))
        self.assertEqual((b"x", b"y", 3), common.call(
            "dbg", bad, error=False, simple=False))
        with self.assertRaises(xapi.InternalError):
            common.call("dbg", bad)
        with self.assertRaises(OSError):
            common.call("dbg", ["/nonexistent/program"])

    def test_log_functions(self):
        for name in ("debug", "info", "warning", "error", "critical"):
            getattr(log, name)("%s and %d", "text", 5, exc_info=True)
        log.log_call_argv()
        for name in ("LOG_LEVEL", "LOG_SYSLOG_FACILITY", "LOG_TO_STDERR",
                     "configure_logging", "handle_unhandled_exceptions"):
            self.assertTrue(hasattr(log, name))


class Recorder(object):
    """An implementation that takes anything by position."""

    def __init__(self, result):
        self.result = result
        self.args = None

    def __getattr__(self, name):
        def method(*args):
            self.args = args
            if isinstance(self.result, Exception):
                raise self.result
            return self.result
        return method


def call(name, args, result=None):
    """A checked call of an implementation that returns `result`."""
    module, method = name.split(".")
    for m, iface, _ in INTERFACES:
        if iface == module:
            impl = Recorder(result)
            server = getattr(m, iface + "_server_dispatcher")(impl)
            return getattr(server, method)(args), impl.args


class Types(Case):
    def bad_arg(self, name, args, text):
        full = dict({"dbg": "d"}, **args)
        return self.fails(xapi.TypeError, text, call, name, full)

    def result(self, name, args, result):
        return call(name, dict({"dbg": "d"}, **args), result)[0]

    def stat(self, **changes):
        return self.result(
            "Volume.stat", {"sr": "s", "key": "k"}, dict(VOLUME, **changes))

    def test_arguments_go_by_position(self):
        args = {"v": "4", "k": "3", "key": "2", "sr": "1", "dbg": "0",
                "json": True, "other": 5}
        self.assertEqual((None, ("0", "1", "2", "3", "4")),
                         call("Volume.set", args))

    def test_missing_argument(self):
        self.fails(
            xapi.UnmarshalException,
            "UnmarshalException thing=argument missing ty=sr desc=",
            call, "SR.stat", {"dbg": "d"})
        self.fails(
            xapi.UnmarshalException,
            "UnmarshalException thing=argument missing ty=dbg desc=",
            call, "SR.stat", {})

    def test_arguments_that_are_no_object(self):
        e = None
        try:
            call("SR.stat", 5)
        except xapi.UnmarshalException as caught:
            e = caught
        self.text_has(
            str(e), "UnmarshalException thing=arguments ty=dict desc=")

    def test_wrong_arguments(self):
        self.bad_arg("SR.stat", {"sr": 5},
                     "TypeError expected=string actual=5")
        self.bad_arg("Volume.resize", {"sr": "", "key": "", "new_size": "5"},
                     "TypeError expected=int64 actual='5'")
        self.bad_arg("Datapath.open", {"uri": "", "persistent": 1},
                     "TypeError expected=bool actual=1")
        self.bad_arg("SR.probe", {"configuration": []},
                     "TypeError expected=(string * string) list actual=[]")
        self.bad_arg("SR.probe", {"configuration": {"a": 5}},
                     "TypeError expected=string actual=5")
        self.bad_arg("Data.stat", {"operation": ["Other", "x"]},
                     "TypeError expected=operation actual=['Other', 'x']")

    def test_wrong_results(self):
        self.fails(xapi.TypeError, "TypeError expected=volume list actual=5",
                   self.result, "SR.ls", {"sr": ""}, 5)
        self.fails(xapi.TypeError, "TypeError expected=string actual=None",
                   self.result, "SR.attach", {"configuration": {}}, None)
        self.fails(xapi.TypeError,
                   "TypeError expected=probe_result list actual={}",
                   self.result, "SR.probe", {"configuration": {}}, {})

    def test_true_is_an_integer(self):
        self.stat(virtual_size=True)

    def test_result_is_the_very_object(self):
        value = dict(VOLUME, supported_image_formats=["raw"], tags={})
        self.assertTrue(self.result(
            "Volume.stat", {"sr": "", "key": ""}, value) is value)

    def test_unit_results_pass(self):
        for value in (None, 5, {"a": []}):
            self.assertEqual(
                value, self.result("SR.detach", {"sr": ""}, value))

    def test_tuples_are_lists_too(self):
        self.stat(uri=("a", "b"))

    def test_fix_bytes_are_no_string(self):
        if PY2:
            self.stat(name=b"bytes")
        else:
            self.fails(xapi.TypeError,
                       "TypeError expected=string actual=b'bytes'",
                       lambda: self.stat(name=b"bytes"))

    def test_unicode_is_a_string(self):
        self.stat(name=u"\u20ac")

    def test_fix_floats_may_be_integers(self):
        for progress in (0, 1, 0.5):
            self.result("Data.stat", {"operation": ["CopyV1", "x"]}, {
                "failed": False, "complete": False, "progress": progress})
        self.fails(
            xapi.TypeError, "TypeError expected=float actual=True",
            self.result, "Data.stat", {"operation": ["CopyV1", "x"]},
            {"failed": False, "complete": False, "progress": True})

    def test_fix_pairs_may_be_lists(self):
        blocks = {"blocksize": 512, "ranges": [[0, 1], (2, 3)]}
        args = {"uri": "", "domain": "", "remote": "", "blocklist": blocks}
        self.assertEqual(["CopyV1", "x"], self.result(
            "Data.copy", args, ["CopyV1", "x"]))
        self.bad_arg("Data.copy", dict(args, blocklist={
            "blocksize": 512, "ranges": [[0, 1, 2]]}),
            "TypeError expected=(int64 * int64) actual=[0, 1, 2]")

    def test_fix_missing_member_is_a_declared_error(self):
        value = dict(VOLUME)
        del value["key"]
        self.fails(
            xapi.UnmarshalException,
            "UnmarshalException thing=member missing ty=key desc=volume",
            self.result, "Volume.stat", {"sr": "", "key": ""}, value)
        self.fails(
            xapi.TypeError, "TypeError expected=volume actual=5",
            self.result, "Volume.stat", {"sr": "", "key": ""}, 5)

    def test_fix_an_error_knows_its_path(self):
        e = self.fails(
            xapi.TypeError, "TypeError expected=string actual=7",
            lambda: self.stat(uri=["a", 7]))
        self.assertEqual("uri[1]", e.path)

    def test_fix_none_is_an_absent_optional(self):
        value = self.stat(uuid=None, cbt_enabled=None)
        self.assertTrue(value["uuid"] is None)

    def test_optional_members_are_checked(self):
        self.fails(xapi.TypeError, "TypeError expected=string actual=5",
                   lambda: self.stat(uuid=5))

    def test_fix_variants_without_content(self):
        for good in ("Data", ["Data"], ["Data", None], ("Data",)):
            self.stat(volume_type=good)
        for bad in ("Other", ["Data", 5], [], 5, {}, ["Data", None, None]):
            with self.assertRaises(xapi.TypeError):
                self.stat(volume_type=bad)

    def test_variants_with_content(self):
        def attach(*ways):
            return self.result("Datapath.attach", {"uri": "", "domain": ""},
                               {"implementations": list(ways)})
        attach(["File", {"path": "/x"}], ("Nbd", {"uri": "u"}))
        for bad in ("File", ["File"], ["File", 5], ["File", {"path": 5}]):
            with self.assertRaises((xapi.TypeError, xapi.UnmarshalException)):
                attach(bad)


class Servers(Case):
    def test_unimplemented(self):
        for module, name, methods in INTERFACES:
            for method in methods.split():
                args = [None] * len(ORDER["%s.%s" % (name, method)].split())
                self.fails(
                    xapi.Unimplemented, "%s.%s" % (name, method),
                    getattr(getattr(module, name + "_skeleton")(), method),
                    None, *args)

    def test_interface_dispatch(self):
        server = volume.SR_server_dispatcher(Recorder("handle"))
        self.assertEqual(
            {"Status": "Success", "Value": "handle"},
            server._dispatch("SR.attach", [{"dbg": "", "configuration": {}}]))
        self.assertTrue(server._impl.args is not None)
        self.assertTrue("SR.attach" in server._dispatcher_dict)
        self.fails(xapi.UnknownMethod, "Unknown method SR.x",
                   server._dispatch, "SR.x", [{}])

    def test_fix_module_dispatch_works(self):
        server = volume.volume_server_dispatcher(
            SR=volume.SR_server_dispatcher(Recorder("handle")))
        self.assertEqual(
            {"Status": "Success", "Value": "handle"},
            server._dispatch("SR.attach", [{"dbg": "", "configuration": {}}]))

    def test_fix_absent_interfaces_are_unknown_methods(self):
        for name in ("Volume.stat", "Other.x", "x"):
            self.assertEqual(
                {"Status": "Failure", "ErrorDescription":
                 ["Internal_error", "Unknown method " + name]},
                volume.volume_server_dispatcher()._dispatch(name, [{}]))

    def test_failures_of_module_dispatch(self):
        def reply(error):
            return volume.volume_server_dispatcher(
                SR=volume.SR_server_dispatcher(Recorder(error)))._dispatch(
                    "SR.detach", [{"dbg": "", "sr": ""}])
        self.assertEqual(
            ["Sr_not_attached", "h"],
            reply(volume.Sr_not_attached("h"))["ErrorDescription"])
        self.assertEqual(["Internal_error", "boom"],
                         reply(ValueError("boom"))["ErrorDescription"])

    def test_fix_test_servers_return_valid_values(self):
        examples = {
            "string": "x", "configuration": {}, "size": 5, "sharable": True,
            "new_size": 5, "offset": 5, "length": 5, "persistent": True,
            "operation": ["CopyV1", "x"],
            "blocklist": {"blocksize": 1, "ranges": [[0, 1]]},
        }
        count = 0
        for module, name, methods in INTERFACES:
            server = getattr(
                module, module.__name__.split(".")[-1] + "_server_test")()
            for method in methods.split():
                full = "%s.%s" % (name, method)
                args = dict((p, examples.get(p, "x"))
                            for p in ["dbg"] + ORDER[full].split())
                reply = server._dispatch(full, [args])
                self.assertEqual("Success", reply["Status"], reply)
                json.dumps(reply)
                count += 1
        self.assertEqual(49, count)


class Scripts(Case):
    """Scripts as the toolstack runs them."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        with io.open(os.path.join(cls.folder, "sr.py"), "w",
                     encoding="utf-8") as f:
            f.write(u"" + SCRIPT % PACKAGE)
        for name in ("SR.detach", "SR.stat", "SR.ls", "SR.create",
                     "SR.probe", "SR.destroy", "SR.other"):
            os.symlink("sr.py", os.path.join(cls.folder, name))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def run_script(self, name, args, stdin=""):
        process = subprocess.Popen(
            [sys.executable, os.path.join(self.folder, name)] + args,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        out, err = process.communicate(stdin.encode("utf-8"))
        return process.returncode, out.decode("ascii"), err.decode("utf-8")

    def json_call(self, name, params, flag="--json"):
        stdin = params
        if not isinstance(params, str):
            stdin = json.dumps(dict({"dbg": "d"}, **params))
        return self.run_script(name, [flag], stdin)

    def error(self, name, params, code, texts):
        """A failed call in JSON mode: exactly this error object."""
        status, out, err = self.json_call(name, params)
        self.assertEqual(1, status)
        self.assertEqual(1, out.count("\n"))
        value = json.loads(out)
        self.assertEqual(["backtrace", "code", "params"], sorted(value))
        self.assertEqual((code, texts), (value["code"], value["params"]))
        trace = value["backtrace"]
        self.assertEqual(["error", "files", "lines"], sorted(trace))
        self.assertEqual(len(trace["files"]), len(trace["lines"]))
        self.assertTrue(all(isinstance(n, int) for n in trace["lines"]))
        return value, err

    def test_unit_prints_null(self):
        self.assertEqual((0, "null\n", ""),
                         self.json_call("SR.detach", {"sr": "x"}))

    def test_short_flag_and_other_arguments(self):
        self.assertEqual(
            (0, "null\n", ""), self.run_script(
                "SR.detach", ["x", "-j", "--what", "y"],
                '{"sr": "x", "dbg": "d"}\nsecond line'))

    def test_any_result_of_a_unit_call_is_printed(self):
        self.assertEqual((0, '{"extra": [1]}\n', ""),
                         self.json_call("SR.detach", {"sr": "value"}))

    def test_output_is_ascii_and_keeps_extra_members(self):
        status, out, err = self.json_call("SR.stat", {"sr": "x"})
        self.assertEqual((0, ""), (status, err))
        self.text_has(out, '"name": "\\u20ac"', '"overprovision": 3')

    def test_fix_none_is_left_out(self):
        out = self.json_call("SR.stat", {"sr": "x"})[1]
        self.assertFalse("uuid" in json.loads(out))

    def test_declared_error(self):
        value, err = self.error(
            "SR.detach", {"sr": "declared"}, "SR_BACKEND_FAILURE",
            ["Sr_not_attached", "declared"])
        self.assertEqual("", err)
        trace = value["backtrace"]
        self.assertEqual("declared", trace["error"])
        self.assertEqual(
            ["volume.py", "SR.detach"],
            [os.path.basename(f) for f in trace["files"]])

    def test_error_with_a_code(self):
        self.error("SR.detach", {"sr": "coded"}, "SR_BACKEND_FAILURE_40",
                   ["a", "b"])

    def test_fix_only_texts_are_codes(self):
        self.error("SR.detach", {"sr": "odd"}, "SR_BACKEND_FAILURE",
                   ["Odd", "text"])

    def test_any_exception(self):
        self.error("SR.detach", {"sr": "plain"}, "SR_BACKEND_FAILURE",
                   ["ValueError", "no such thing"])

    def test_not_implemented(self):
        self.error("SR.destroy", {"sr": "x"}, "SR_BACKEND_FAILURE",
                   ["Unimplemented", "SR.destroy"])

    def test_type_checks(self):
        self.error("SR.detach", {}, "SR_BACKEND_FAILURE",
                   ["UnmarshalException", "UnmarshalException thing=argument "
                    "missing ty=sr desc="])
        self.error("SR.detach", {"sr": 5}, "SR_BACKEND_FAILURE",
                   ["TypeError", "TypeError expected=string actual=5"])
        self.error("SR.ls", {"sr": "x"}, "SR_BACKEND_FAILURE",
                   ["TypeError", "TypeError expected=volume list actual=5"])

    def test_results_that_are_no_json(self):
        status, out, err = self.json_call("SR.detach", {"sr": "bytes"})
        self.assertEqual((1, ""), (status, err))
        self.assertEqual("SR_BACKEND_FAILURE", json.loads(out)["code"])

    def test_fix_bad_stdin_gets_an_error_object(self):
        for stdin in ("", "\n{}", "{", "[]", "5", '{\n"sr": "x"}', "null"):
            value = self.json_call("SR.detach", stdin)[1]
            self.assertEqual(
                "UnmarshalException", json.loads(value)["params"][0], stdin)

    def test_fix_links_the_script_does_not_know(self):
        value, err = self.error(
            "SR.other", {}, "SR_BACKEND_FAILURE",
            ["Unimplemented", "SR.other"])
        self.text_has(err, "Traceback", "Unimplemented")
        status, out, err = self.run_script("SR.other", [])
        self.assertEqual((1, ""), (status, out))
        self.text_has(err, "Unimplemented")

    def test_exit_status_of_the_plugin(self):
        self.assertEqual((7, "", ""),
                         self.json_call("SR.detach", {"sr": "exit"}))

    def test_fix_prints_do_not_spoil_the_result(self):
        self.assertEqual((0, "null\n", "noise\n"),
                         self.json_call("SR.detach", {"sr": "prints"}))

    def test_argv_is_untouched(self):
        self.assertEqual((0, '"SR.detach"\n', ""),
                         self.json_call("SR.detach", {"sr": "argv"}))

    def test_command_line(self):
        self.assertEqual((0, "null\n", ""),
                         self.run_script("SR.detach", ["d", "x"]))
        self.assertEqual(
            (0, '{"a": "1"}\n', ""), self.run_script("SR.create", [
                "dbg", "--configuration", "a", "1", "uuid", "name", "desc"]))
        self.assertEqual((0, "[]\n", ""),
                         self.run_script("SR.probe", ["dbg"]))

    def test_command_line_errors(self):
        status, out, err = self.run_script("SR.detach", ["d"])
        self.assertEqual((2, ""), (status, out))
        self.text_has(err, "usage: SR.detach [-h] [-j] dbg sr")

    def test_fix_traceback_is_printed_once(self):
        status, out, err = self.run_script("SR.detach", ["d", "declared"])
        self.assertEqual((1, ""), (status, out))
        self.assertEqual(1, err.count("Traceback"))
        self.text_has(err, "Sr_not_attached")

    def test_usage(self):
        status, out, err = self.run_script("SR.create", ["--help"])
        self.assertEqual((0, ""), (status, err))
        self.text_has(
            " ".join(out.split()),
            "usage: SR.create [-h] [-j] [--configuration CONFIGURATION "
            "CONFIGURATION] dbg uuid name description")

    def test_fix_help_keeps_paragraphs(self):
        out = self.run_script("SR.probe", ["--help"])[1]
        self.text_has(out, "Look for storage repositories.",
                      "\n\nThe result is", "\n- SR_does_not_exist")

    def test_fix_help_tells_the_result(self):
        out = self.run_script("SR.probe", ["--help"])[1]
        self.text_has(out, "\nResult: What was found (probe_result list).")

    def test_help_is_worth_reading(self):
        status, out, err = self.run_script("SR.probe", ["--help"])
        self.text_has(
            out, "Errors to expect:", "- SR_does_not_exist", "Example:",
            "$ SR.probe --configuration file-uri", "Since xapi-storage",
            "may be repeated", "Read the parameters as JSON")

    def test_completion(self):
        status, out, err = self.run_script("SR.create", ["--completion"])
        self.assertEqual((0, ""), (status, err))
        self.text_has(out, "complete -o default", "--configuration", "--json")


class Words(Case):
    """Types on the command line."""

    def parsed(self, module, cls, method, words):
        saved = sys.argv
        sys.argv = ["X.y"] + words
        try:
            cmd = getattr(module, cls + "_commandline")(None)
            return getattr(cmd, "_parse_" + method)()
        finally:
            sys.argv = saved

    def test_conversions(self):
        self.assertEqual(
            {"json": False, "dbg": "d", "sr": "s", "name": "n",
             "description": "", "size": 5, "sharable": True},
            self.parsed(volume, "Volume", "create",
                        ["d", "s", "n", "", "5", "TRUE"]))
        self.assertEqual(["CopyV1", "k"], self.parsed(
            datapath, "Data", "stat", ["d", '["CopyV1", "k"]'])["operation"])

    def test_fix_structures_are_json(self):
        got = self.parsed(datapath, "Data", "copy", [
            "d", "u", "2", "r", '{"blocksize": 1, "ranges": [[0, 1]]}'])
        self.assertEqual({"blocksize": 1, "ranges": [[0, 1]]},
                         got["blocklist"])

    def test_bad_words(self):
        saved = sys.stderr
        sys.stderr = io.BytesIO() if PY2 else io.StringIO()
        try:
            for words in (["d", "s", "n", "", "five", "true"],
                          ["d", "s", "n", "", "5", "maybe"],
                          ["d", "s", "n", "", "5", "1"]):
                with self.assertRaises(SystemExit) as caught:
                    self.parsed(volume, "Volume", "create", words)
                self.assertEqual(2, caught.exception.code)
        finally:
            sys.stderr = saved

    def test_sessions_in_the_help_do_what_they_show(self):
        count = 0
        for module, name, methods in INTERFACES:
            for method in methods.split():
                spec = getattr(module, "_%s_%s" % (name, method))
                lines = module._runtime.parser_of(spec).format_help().split(
                    "\n")
                shown = [(line[6:], lines[i + 1].strip())
                         for i, line in enumerate(lines)
                         if line.startswith("    $ ")]
                self.assertEqual(len(spec.examples), len(shown))
                for (_, params, _), (typed, printed) in zip(
                        spec.examples, shown):
                    self.session(module, spec, json.loads(params),
                                 shlex.split(typed), printed)
                    count += 1
        self.assertTrue(count > 49, count)

    def session(self, module, spec, params, words, printed):
        """One command line gives the parameters of the example to the
        implementation, and prints its outcome."""
        self.assertEqual(spec.name.lower(), words[0].lower())
        try:
            impl = Recorder(json.loads(printed))
            wanted = impl.result
        except ValueError:
            error, _, text = printed.partition(": ")
            impl, wanted = Recorder(getattr(module, error)(text)), None
        iface, method = spec.name.split(".")
        cmd = getattr(module, iface + "_commandline")(impl)
        saved = sys.argv, sys.stdout
        sys.argv, sys.stdout = words, io.BytesIO() if PY2 else io.StringIO()
        try:
            getattr(cmd, method)()
            self.assertEqual(wanted, json.loads(sys.stdout.getvalue()))
        except xapi.Rpc_light_failure as e:
            self.assertTrue(e is impl.result, e)
        finally:
            sys.argv, sys.stdout = saved
        self.assertEqual([params[p.name] for p in spec.params],
                         list(impl.args))

    def test_every_call_has_help(self):
        for module, name, methods in INTERFACES:
            for method in methods.split():
                spec = getattr(module, "_%s_%s" % (name, method))
                text = module._runtime.parser_of(spec).format_help()
                self.text_has(text, "dbg", "Example:", "Since")


class Printing(Case):
    """What a result becomes on its way out."""

    def printed(self, result):
        return volume._types.volume.encode(result)

    def test_fix_no_content_variants_are_plain_words(self):
        for value in ("Data", ["Data"], ["Data", None], ("Data",)):
            self.assertEqual("Data", self.printed(
                dict(VOLUME, volume_type=value))["volume_type"])

    def test_clean_values_are_not_copied(self):
        value = dict(VOLUME, extra=1)
        self.assertTrue(self.printed(value) is value)

    def test_absent_members_are_removed_from_a_copy(self):
        value = dict(VOLUME, uuid=None, extra=None)
        out = self.printed(value)
        self.assertEqual((False, True, True), (
            "uuid" in out, "extra" in out, "uuid" in value))

    def test_values_inside_values(self):
        state = task._types.state
        self.assertEqual(
            ["Completed", {"duration": 1, "result": "UnitResult"}],
            state.encode(["Completed", {
                "duration": 1, "result": ["UnitResult"]}]))


class Logging(Case):
    def run_code(self, code, *args):
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", "import sys; sys.path.insert(0, %r)\n"
             % PACKAGE + code] + list(args),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate()
        return process.returncode, out.decode(), err.decode()

    def test_fix_quiet_without_syslog(self):
        code = ("import logging.handlers as h\n"
                "real = h.SysLogHandler\n"
                "def gone(self, address):\n"
                "    raise OSError(2, 'no such file')\n"
                "real._connect_unixsocket = gone\n"
                "from xapi.storage import log\n"
                "log.error('x %s', 5)\nprint('done')")
        self.assertEqual((0, "done\n", ""), self.run_code(code))

    def test_uncaught_exceptions_are_logged_and_shown(self):
        code = ("from xapi.storage import log\nimport logging, xapi\n"
                "class Keep(logging.Handler):\n"
                "    def emit(self, record):\n"
                "        sys.stderr.write('LOGGED ' + record.levelname)\n"
                "logging.getLogger().addHandler(Keep())\n%s")
        status, out, err = self.run_code(code % "raise ValueError('x')")
        self.assertEqual((1, ""), (status, out))
        self.text_has(err, "LOGGED ERROR", "Traceback", "ValueError: x")
        status, out, err = self.run_code(
            code % "raise xapi.XenAPIException('c', [])")
        self.text_has(err, "LOGGED INFO")

    def test_format(self):
        self.assertEqual(
            "SMAPIv3: [%(process)d] - %(levelname)s - %(message)s",
            log._FORMAT)


if __name__ == "__main__":
    tap.main()
