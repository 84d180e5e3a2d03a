# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The OCaml library: it builds, agrees with the Python package and with the
tables for C, and carries a plugin.

XMSG_ROUNDS=N sends N values around, XMSG_SEED=N other ones.
"""

import atexit
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ["XMSG_SRCDIR"]
BUILD = os.environ["XMSG_BUILDDIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests/idl"))
sys.path.insert(0, os.path.join(SOURCE, "tests"))
sys.dont_write_bytecode = True

import tap  # noqa: E402
import test_idl_examples as examples  # noqa: E402

HARNESS = os.path.join(SOURCE, "tests/idl/ocaml")
EXAMPLE = os.path.join(SOURCE, "examples/ocaml-volume")
ROUNDS = int(os.environ.get("XMSG_ROUNDS", "10000"))
SEED = int(os.environ.get("XMSG_SEED", "1"))
STRICT = ["-w", "+a-4-9-40-41-42-44-45-70", "-warn-error", "+a"]
PACKAGES = ["-g", "-package", "unix,yojson"]
MISSING = (
    "%s is missing: the tests of the OCaml library want ocaml-nox, "
    "ocaml-findlib, ocaml-dune and libyojson-ocaml-dev (Debian) or ocaml, "
    "ocaml-findlib, ocaml-dune and ocaml-yojson-devel (RPM)")


def run(command, folder, stdin=""):
    """What a command prints; it must succeed and have nothing to say."""
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    out, err = process.communicate(stdin.encode())
    if process.returncode != 0 or err != b"":
        raise AssertionError("%s ended with status %d: %s" % (
            " ".join(command), process.returncode,
            (err or out).decode()[-2000:]))
    return out.decode()


def need_compiler(*tools):
    for tool in ("ocamlfind",) + tools:
        if shutil.which(tool) is None:
            raise AssertionError(MISSING % tool)
    if subprocess.call(["ocamlfind", "query", "yojson"],
                       stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL) != 0:
        raise AssertionError(MISSING % "the OCaml library yojson")


class Workshop(object):
    """A folder where the library, the harness and the example are built."""
    folder = None

    @classmethod
    def get(cls):
        need_compiler()
        if cls.folder is None:
            folder = os.path.realpath(tempfile.mkdtemp())
            atexit.register(shutil.rmtree, folder)
            cls.build(folder)
            cls.folder = folder
        return cls.folder

    @classmethod
    def build(cls, folder):
        copy_library(folder)
        order = run(["ocamlfind", "ocamldep", "-sort"] + sources(folder),
                    folder).split()
        copy(["roundtrip.ml"], HARNESS, folder)
        copy(sources(EXAMPLE), EXAMPLE, folder)
        compiler = ["ocamlfind", "ocamlopt"] + STRICT + PACKAGES
        run(compiler + ["-a", "-o", "smapi.cmxa"] + order, folder)
        run(compiler + ["-linkpkg", "-o", "roundtrip", "smapi.cmxa",
                        "roundtrip.ml"], folder)
        plugin = os.path.join(folder, "plugin")
        os.mkdir(plugin)
        run(compiler + ["-linkpkg", "-o", "plugin/filebased", "smapi.cmxa",
                        "repository.mli", "repository.ml", "filebased.ml"],
            folder)
        run([os.path.join(plugin, "filebased"), "--install", plugin], folder)


def sources(folder):
    return sorted(n for n in os.listdir(folder) if n.endswith((".ml", ".mli")))


def copy(names, source, folder):
    """Copies that can be written to, wherever they come from."""
    if not os.path.isdir(folder):
        os.mkdir(folder)
    for name in names:
        shutil.copyfile(os.path.join(source, name),
                        os.path.join(folder, name))


def copy_library(folder):
    library = os.path.join(BUILD, "ocaml")
    copy(sources(library) + ["META", "Makefile", "dune", "dune-project",
                             "smapi.opam"], library, folder)


def copy_example(folder):
    copy(sources(EXAMPLE) + ["Makefile", "dune"], EXAMPLE, folder)


# ---- building ----

class Builds(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp())

    def tearDown(self):
        shutil.rmtree(self.folder)

    def test_with_every_warning_on(self):
        self.assertTrue(os.path.exists(
            os.path.join(Workshop.get(), "smapi.cmxa")))

    def test_with_make_and_ocamlfind(self):
        need_compiler()
        copy_library(self.folder)
        installed = os.path.join(self.folder, "installed")
        os.mkdir(installed)
        env = dict(os.environ, OCAMLFIND_DESTDIR=installed,
                   OCAMLPATH=installed)
        env.pop("MAKEFLAGS", None)
        for words in (["make"], ["make", "install"], ["make", "clean"]):
            subprocess.check_output(
                words, cwd=self.folder, env=env, stderr=subprocess.STDOUT)
        use = os.path.join(self.folder, "use")
        os.mkdir(use)
        with open(os.path.join(use, "use.ml"), "w") as f:
            f.write("let () = print_string Smapi.Features.vdi_create\n")
        subprocess.check_output(
            ["ocamlfind", "ocamlopt", "-package", "smapi", "-linkpkg", "-o",
             "use", "use.ml"], cwd=use, env=env, stderr=subprocess.STDOUT)
        self.assertEqual(b"VDI_CREATE", subprocess.check_output(
            [os.path.join(use, "use")]))

    def test_with_dune(self):
        need_compiler("dune")
        copy_library(os.path.join(self.folder, "smapi"))
        copy_example(os.path.join(self.folder, "plugin"))
        with open(os.path.join(self.folder, "dune-project"), "w") as f:
            f.write("(lang dune 2.0)\n")
        run(["dune", "build", "--root", ".", "--display", "quiet",
             "./plugin/filebased.exe", "@smapi/install"], self.folder)
        program = "_build/default/plugin/filebased.exe"
        self.assertIn("Volume.create\n", run(
            [os.path.join(self.folder, program), "--links"], self.folder))

    def test_the_example_builds_as_it_stands(self):
        need_compiler()
        copy_library(os.path.join(self.folder, "library"))
        plugin = os.path.join(self.folder, "plugin")
        copy_example(plugin)
        env = dict(os.environ)
        env.pop("MAKEFLAGS", None)
        subprocess.check_output(
            ["make", "install", "SMAPI=../library", "PLUGIN=made"],
            cwd=plugin, env=env, stderr=subprocess.STDOUT)
        self.assertTrue(os.access(
            os.path.join(plugin, "made/Volume.create"), os.X_OK))

    def test_names_that_mean_something_in_ocaml(self):
        need_compiler()
        with open(os.path.join(SOURCE, "tests/golden/tiny/tiny.yaml")) as f:
            text = f.read()
        for old, new in (("what: ", "args: "), ("limits:", "call:"),
                         ("size:", "method:"),
                         ("fragile:", "m:"), (" look:", " open:"),
                         ("notes:", "virtual:")):
            text = text.replace(old, new)
        with open(os.path.join(self.folder, "tiny.yaml"), "w") as f:
            f.write(text)
        run([os.path.join(BUILD, "xmsg-idl"), "ocaml", "-o", ".",
             "tiny.yaml"], self.folder)
        copy([n for n in sources(os.path.join(BUILD, "ocaml"))
              if n.startswith("idl")], os.path.join(BUILD, "ocaml"),
             self.folder)
        order = run(["ocamlfind", "ocamldep", "-sort"]
                    + sources(self.folder), self.folder).split()
        run(["ocamlfind", "ocamlopt"] + STRICT + PACKAGES + [
            "-a", "-o", "tiny.cmxa"] + order, self.folder)

    def test_the_comments_are_good(self):
        folder = Workshop.get()
        interfaces = [n for n in sources(os.path.join(BUILD, "ocaml"))
                      if n.endswith(".mli")]
        run(["ocamlfind", "ocamldoc", "-html", "-d", self.folder, "-package",
             "yojson"] + interfaces, folder)
        with open(os.path.join(
                self.folder, "Smapi_volume.Volume.S.html")) as f:
            page = f.read()
        for text in ("A new volume, which reads as zeroes",
                     "when the repository is not attached", "Since"):
            self.assertIn(text, page)

    def test_lines_are_short_and_clean(self):
        library = os.path.join(BUILD, "ocaml")
        for name in sources(library):
            with open(os.path.join(library, name)) as f:
                text = re.sub(r"{help\|.*?\|help}", "", f.read(), flags=re.S)
            for line in text.splitlines():
                self.assertLessEqual(len(line), 80, name + ": " + line)
                self.assertEqual(line.rstrip(), line, name)


# ---- the same values in three languages ----

class Values(object):
    """Random values by their JSON Schema."""

    def __init__(self, schema, seed):
        self.definitions = schema["$defs"]
        self.random = random.Random(seed)

    def of(self, name):
        return self.value(self.definitions[name])

    def value(self, schema):
        if "$ref" in schema:
            return self.of(schema["$ref"].split("/")[-1])
        if "oneOf" in schema:
            return self.value(self.random.choice(schema["oneOf"]))
        if "const" in schema:
            return schema["const"]
        return getattr(self, "a_" + schema["type"])(schema)

    def a_null(self, schema):
        return None

    def a_boolean(self, schema):
        return self.random.random() < 0.5

    def a_integer(self, schema):
        bits = 63 if schema.get("format") == "int64" else 62
        edge = 1 << self.random.randrange(bits + 1)
        return max(-(1 << bits), min((1 << bits) - 1, self.random.choice(
            [0, edge, -edge, edge - 1, self.random.randrange(-edge, edge)])))

    def a_number(self, schema):
        return self.random.choice([
            0.0, -0.0, 0.1, 1e22, 5e-324, 1.7976931348623157e308, 123456.0,
            1e16, 123456789012345680.0, 1e-5, 0.0001,
            self.random.random(), self.random.uniform(-1e6, 1e6),
            float(self.random.randrange(10)),
            self.random.random() * 10.0 ** self.random.randrange(-300, 300)])

    def a_string(self, schema):
        letters = self.random.choice([
            u"abc XYZ_-/.", u"\"\\/\b\f\n\r\t\x01\x1f\x7f'`",
            u"\u00e9\u07ff\u0800\u20ac\ufffd\U0001f600\U0010ffff"])
        return u"".join(self.random.choice(letters) for _ in range(
            self.random.choice([0, 1, 5, 40])))

    def a_array(self, schema):
        if "prefixItems" in schema:
            return [self.value(part) for part in schema["prefixItems"]]
        return [self.value(schema["items"])
                for _ in range(self.random.choice([0, 1, 2, 5]))]

    def a_object(self, schema):
        if "properties" not in schema:
            return dict((self.a_string(schema),
                         self.value(schema["additionalProperties"]))
                        for _ in range(self.random.choice([0, 1, 2, 5])))
        return dict((name, self.value(part))
                    for name, part in schema["properties"].items()
                    if name in schema["required"]
                    or self.random.random() < 0.5)


def the_schema():
    folder = tempfile.mkdtemp()
    try:
        run([os.path.join(BUILD, "xmsg-idl"), "jsonschema", "-o", folder,
             os.path.join(SOURCE, "idl/api")], folder)
        name, = os.listdir(folder)
        with open(os.path.join(folder, name)) as f:
            return json.load(f)
    finally:
        shutil.rmtree(folder)


class RoundTrips(unittest.TestCase):
    """Values from one language to the other and back to compare."""

    @classmethod
    def setUpClass(cls):
        schema = the_schema()
        values = Values(schema, SEED)
        names = list(schema["$defs"])
        cls.types = [n for n in names if "." not in n]
        cls.calls = [n[:-len(".params")] for n in names
                     if n.endswith(".params")]
        # What the tables for C have a name for.
        cls.tables = [n for n in cls.types
                      if "oneOf" in schema["$defs"][n]
                      or "properties" in schema["$defs"][n]]
        cls.values = values

    def lines(self, types):
        """Kind, name and a value, of every type and every call in turn."""
        kinds = [("type", n) for n in types] + [("call", n)
                                                for n in self.calls]
        made = []
        for i in range(ROUNDS):
            kind, name = kinds[i % len(kinds)]
            if kind == "type":
                value = self.values.of(name)
            else:
                value = {"params": self.values.of(name + ".params"),
                         "result": self.values.of(name + ".result")}
            made.append((kind, name, value))
        return made

    def through(self, language, lines, texts):
        """What a language makes of the texts."""
        stdin = "".join("%s\t%s\t%s\n" % (kind, name, text)
                        for (kind, name, _), text in zip(lines, texts))
        command = {
            "ocaml": [os.path.join(Workshop.get(), "roundtrip")],
            "python": [sys.executable, "-B",
                       os.path.join(HARNESS, "roundtrip.py")],
            "c": [os.path.join(BUILD, "tests/idl/ocaml/roundtrip")],
        }[language]
        path = os.path.join(BUILD, "python")
        process = subprocess.Popen(
            command, env=dict(os.environ, PYTHONPATH=path),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        out = process.communicate(stdin.encode())[0].decode()
        self.assertEqual(0, process.returncode)
        return out.splitlines()

    def there_and_back(self, one, other, types):
        lines = self.lines(types)
        texts = [json.dumps(value) for _, _, value in lines]
        for language in (one, other, one):
            texts = self.through(language, lines, texts)
            self.assertEqual(len(lines), len(texts))
            for (kind, name, value), text in zip(lines, texts):
                self.assertFalse(
                    text.startswith("!"), "%s, %s %s: %s of %s" % (
                        language, kind, name, text, json.dumps(value)))
                self.assertEqual(value, json.loads(text), name)
        print("# %d values of %d types and %d calls, seed %d" % (
            len(lines), len(types), len(self.calls), SEED))
        return lines, texts

    def test_all_calls_and_types_are_there(self):
        self.assertEqual(49, len(self.calls))
        self.assertGreater(len(self.tables), 15)
        self.assertGreater(len(self.types), len(self.tables))

    def test_python_and_ocaml(self):
        lines, texts = self.there_and_back("python", "ocaml", self.types)
        self.assertEqual(texts, self.through("ocaml", lines, texts),
                         "not the same to the letter")

    def test_ocaml_and_c(self):
        self.there_and_back("ocaml", "c", self.tables)

    def test_c_and_python(self):
        self.there_and_back("c", "python", self.tables)

    def one(self, kind, name, text):
        return self.through("ocaml", [(kind, name, None)], [text])[0]

    def test_what_consumers_and_plugins_write_is_read(self):
        for name, text, wanted in (
                ("volume_type", '"Data"', '"Data"'),
                ("volume_type", '["Data"]', '"Data"'),
                ("volume_type", '["Data", null]', '"Data"'),
                ("status", '{"failed": false, "complete": true, '
                 '"progress": null}', '{"failed": false, "complete": true}'),
                ("status", '{"failed": false, "complete": true, '
                 '"progress": 1, "more": [5]}',
                 '{"failed": false, "complete": true, "progress": 1.0}'),
                ("status", '{"FAILED": false, "Complete": true}',
                 '{"failed": false, "complete": true}'),
                ("configuration", '{"a": "1", "b": "2", "a": "3"}',
                 '{"a": "3", "b": "2"}')):
            self.assertEqual(wanted, self.one("type", name, text))

    def test_errors_say_where(self):
        volume = self.values.of("volume")
        for name, text, wanted in (
                ("key", "5", "TypeError expected=string actual=5"),
                ("status", "[]", "TypeError expected=status actual=[]"),
                ("status", '{"failed": true}',
                 "UnmarshalException thing=member missing ty=complete "
                 "desc=status"),
                ("status", '{"failed": true, "complete": 1}',
                 "complete: TypeError expected=bool actual=1"),
                ("volume", json.dumps(dict(volume, uri=["a", 7])),
                 "uri[1]: TypeError expected=string actual=7"),
                ("volume", json.dumps(dict(volume, keys={"k\"": None})),
                 "keys[\"k\\\"\"]: TypeError expected=string actual=null"),
                ("volume", json.dumps(dict(volume, virtual_size=2 ** 63)),
                 "virtual_size: TypeError expected=int64 "
                 "actual=9223372036854775808"),
                ("volume", json.dumps(dict(volume, virtual_size=1.5)),
                 "virtual_size: TypeError expected=int64 actual=1.5"),
                ("blocklist", '{"blocksize": 1, "ranges": [[0, 1], [2]]}',
                 "ranges[1]: TypeError expected=(int64 * int64) actual=[2]"),
                ("blocklist", '{"blocksize": 1, "ranges": [[0, "1"]]}',
                 "ranges[0][1]: TypeError expected=int64 actual=\"1\""),
                ("health", '["Ill", ""]',
                 "TypeError expected=health actual=[\"Ill\", \"\"]"),
                ("health", '["Healthy", 5]',
                 "[1]: TypeError expected=string actual=5"),
                ("status", '{"failed": true, "complete": true, '
                 '"progress": NaN}',
                 "progress: TypeError expected=float actual=NaN")):
            self.assertEqual("! " + wanted, self.one("type", name, text))


# ---- the scripts of a plugin ----

def script(folder, name, words, stdin=b""):
    """Exit status, standard output and standard error of one run."""
    process = subprocess.Popen(
        [os.path.join(folder, name)] + words, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=dict(os.environ, XMSG_PYTHON=os.path.join(BUILD, "python"),
                 PYTHONDONTWRITEBYTECODE="1"))
    out, err = process.communicate(stdin)
    return process.returncode, out.decode(), err.decode()


class Plugin(examples.Filebased):
    """Everything that the example in Python is tested for."""

    def setUp(self):
        examples.Filebased.setUp(self)
        self.plugin = os.path.join(Workshop.get(), "plugin")

    def call(self, script_, **params):
        status, out, err = script(
            self.plugin, script_, ["--json"],
            json.dumps(dict(params, dbg="test")).encode())
        self.assertEqual("", err)
        value = json.loads(out)
        self.assertIn(status, (0, 1))
        if status != 0:
            self.assertEqual(["code", "params", "backtrace"], list(value))
            raise examples.Failed(*value["params"])
        return value

    def test_calls_at_the_same_time_take_turns(self):
        sr = self.attach()
        params = json.dumps({
            "dbg": "d", "sr": sr, "name": "n", "description": "", "size": 1,
            "sharable": False}).encode()
        running = [subprocess.Popen(
            [os.path.join(self.plugin, "Volume.create"), "--json"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(5)]
        for process in running:
            process.stdin.write(params)
            process.stdin.close()
        keys = set(json.loads(p.stdout.read().decode())["key"]
                   for p in running)
        for process in running:
            process.wait()
            process.stdout.close()
        self.assertEqual(5, len(keys))
        self.assertEqual(5, len(self.call("SR.ls", sr=sr)))

    def test_every_link_is_a_call_and_a_program(self):
        there = set(n for n in os.listdir(self.plugin) if n[0].isupper())
        self.assertEqual(
            set(n for n in os.listdir(examples.VOLUME) if n[0].isupper()),
            there)
        for name in there:
            status, out, err = script(self.plugin, name, ["--help"])
            self.assertEqual((0, ""), (status, err))
            self.assertTrue(out.startswith("usage: " + name), out)
            self.assertIn("Example: ", out)

    def test_its_help_shows_the_sessions_of_the_python_help(self):
        """Those are run, under every Python."""
        code = ("from xapi.storage.api.v5 import plugin, volume, "
                "datapath, task\n"
                "for m in (plugin, volume, datapath, task):\n"
                "    for s in m._methods.values():\n"
                "        print(m._runtime.parser_of(s).format_help())\n")
        env = dict(os.environ, PYTHONPATH=os.path.join(BUILD, "python"))
        out = subprocess.check_output(
            [sys.executable, "-B", "-c", code], env=env).decode()
        wanted = re.findall(r"(?m)^    \$ .*\n.*", out)
        got = []
        for name in ("plugin", "volume", "datapath", "task"):
            with open(os.path.join(BUILD, "ocaml/smapi_%s.ml" % name)) as f:
                got += re.findall(r"(?m)^    \$ .*\n.*", f.read())
        self.assertGreater(len(wanted), 49)
        self.assertEqual(wanted, got)

    def test_the_python_plugin_reads_the_same_repository(self):
        sr = self.attach()
        disk = self.make(sr)
        self.call("Volume.set", sr=sr, key=disk["key"], k="a", v=u"\u00e9")
        self.assertEqual(
            self.call("SR.ls", sr=sr),
            examples.run(examples.VOLUME, "SR.ls", sr=sr))


class Protocol(unittest.TestCase):
    """How scripts talk; the Python package is the measure."""

    def setUp(self):
        self.ocaml = os.path.join(Workshop.get(), "plugin")
        self.place = os.path.realpath(tempfile.mkdtemp())

    def tearDown(self):
        shutil.rmtree(self.place)

    def both(self, name, words, stdin=b""):
        return [script(folder, name, words, stdin)
                for folder in (examples.VOLUME, self.ocaml)]

    def test_errors_are_the_same(self):
        right = {"dbg": "d", "sr": "/x", "key": "k"}
        for name, params in (
                ("Volume.stat", {}), ("Volume.stat", {"dbg": "d"}),
                ("Volume.stat", {"sr": "/x", "key": "k"}),
                ("Volume.stat", {"dbg": 5}),
                ("Volume.stat", dict(right, sr=7)),
                ("Volume.resize", dict(right, new_size=1.5)),
                ("Volume.stat", right), ("SR.ls", right),
                ("Volume.destroy", dict(right, more=[1])),
                ("SR.attach", {"dbg": "d", "configuration": {}}),
                ("SR.attach", {"dbg": "d", "configuration": {"a": 1}}),
                ("SR.attach", {"dbg": "d", "configuration": {
                    "file-uri": "file:///nowhere/at/all"}})):
            seen = []
            for status, out, err in self.both(
                    name, ["--json"], json.dumps(params).encode()):
                self.assertEqual((1, ""), (status, err))
                self.assertEqual("\n", out[-1])
                self.assertEqual(1, out.count("\n"))
                error = json.loads(out)
                trace = error.pop("backtrace")
                self.assertEqual(["error", "files", "lines"], list(trace))
                self.assertEqual(len(trace["files"]), len(trace["lines"]))
                self.assertGreater(len(trace["files"]), 0)
                seen.append(error)
            self.assertEqual(seen[0], seen[1])

    def test_input_that_makes_no_sense(self):
        for stdin, why in (
                (b"", "standard input is"), (b"\n{}", "standard input is"),
                (b"{", "standard input is not one line of JSON"),
                (b"[]", "standard input is not a JSON object"),
                (b"5", "standard input is not a JSON object"),
                (b'{"dbg":\n"d"}', "standard input is not one line of JSON"),
                (b'{"dbg": "\xff"}', "not one line of JSON"),
                (b"[" * 1000000, "")):
            status, out, err = script(
                self.ocaml, "Volume.stat", ["-j"], stdin)
            self.assertEqual((1, ""), (status, err))
            code, params = [json.loads(out)[k] for k in ("code", "params")]
            self.assertEqual("SR_BACKEND_FAILURE", code)
            self.assertIn(why, params[1])

    def test_later_lines_and_other_words_do_not_matter(self):
        status, out, err = script(
            self.ocaml, "Plugin.Query", ["x", "--json", "--help"],
            b'{"dbg": "d"}\nrubbish')
        self.assertEqual((0, ""), (status, err))
        self.assertEqual("filebased", json.loads(out)["plugin"])

    def test_the_result_is_written_the_same(self):
        config = {"file-uri": "file://" + self.place}
        params = {"dbg": "d", "uuid": "u", "configuration": config,
                  "name": u"\u00e9\"\U0001f600\x7f", "description": "\n"}
        outs = []
        for folder in (examples.VOLUME, self.ocaml):
            script(folder, "SR.create", ["-j"], json.dumps(params).encode())
            script(folder, "SR.attach", ["-j"], json.dumps(params).encode())
            stat = json.dumps({"dbg": "d", "sr": self.place}).encode()
            out = script(folder, "SR.stat", ["-j"], stat)[1]
            self.assertIn('"name": ' + json.dumps(params["name"]), out)
            outs.append(json.loads(out))
            self.assertEqual((0, "null\n", ""), script(
                folder, "SR.destroy", ["-j"], stat))
        for out in outs:
            self.assertGreater(out.pop("free_space"), 0)
        self.assertEqual(outs[0], outs[1])

    def test_command_line(self):
        uri = "file://" + self.place
        for name, words, wanted in (
                ("SR.create", ["--configuration", "file-uri", uri, "d", "u",
                               "n", "-1"], '{"file-uri": "%s"}\n' % uri),
                ("SR.attach", ["d", "--configuration", "a", "b",
                               "--configuration", "file-uri", uri],
                 '"%s"\n' % self.place),
                ("SR.set_name", ["d", self.place, "--", "--new"],
                 "null\n"),
                ("SR.set_name", ["d", self.place, "--new"], None),
                ("SR.set_name", ["--", "d", self.place, "--new"], "null\n")):
            status, out, err = script(self.ocaml, name, words)
            if wanted is None:
                self.assertEqual((2, ""), (status, out))
            else:
                self.assertEqual((0, wanted, ""), (status, out, err))
        status, out, err = script(
            self.ocaml, "Volume.create",
            ["d", self.place, "n", "", "5000", "TRUE"])
        self.assertEqual((0, ""), (status, err))
        volume = json.loads(out)
        self.assertEqual((8192, True), (
            volume["virtual_size"], volume["sharable"]))

    def test_command_lines_that_make_no_sense(self):
        for name, words, why in (
                ("Volume.stat", [], "arguments are required: dbg, sr, key"),
                ("Volume.stat", ["d", "s", "k", "x"],
                 "unrecognized arguments: x"),
                ("Volume.stat", ["d", "--sr", "k"],
                 "unrecognized arguments: --sr"),
                ("Volume.resize", ["d", "s", "k", "x"],
                 "argument new_size: invalid int64 value: 'x'"),
                ("Volume.create", ["d", "s", "n", "", "1", "yes"],
                 "argument sharable: invalid bool value: 'yes'"),
                ("SR.attach", ["d", "--configuration", "k"],
                 "argument --configuration: expected 2 arguments")):
            (python_status, python_out, python_err), (
                status, out, err) = self.both(name, words)
            self.assertEqual((2, ""), (python_status, python_out))
            self.assertEqual((2, ""), (status, out))
            self.assertIn("usage: " + name, err)
            self.assertIn("%s: error: " % name, err)
            self.assertIn(why, err)

    def test_an_error_on_the_command_line(self):
        status, out, err = script(
            self.ocaml, "Volume.stat", ["d", "/x", "k"])
        self.assertEqual((1, ""), (status, out))
        self.assertEqual(
            "Volume.stat: Sr_not_attached: /x", err.splitlines()[0])

    def test_a_call_that_is_not_there(self):
        os.symlink(os.path.join(self.ocaml, "filebased"),
                   os.path.join(self.place, "Volume.compose"))
        request = {"dbg": "d", "sr": "s", "key": "a", "key2": "b"}
        status, out, err = script(
            self.place, "Volume.compose", ["--json"],
            json.dumps(request).encode())
        self.assertEqual((1, ""), (status, err))
        self.assertEqual(["Unimplemented", "Volume.compose"],
                         json.loads(out)["params"])
        os.symlink(os.path.join(self.ocaml, "filebased"),
                   os.path.join(self.place, "What.ever"))
        status, out, err = script(self.place, "What.ever", ["--json"], b"{}")
        self.assertEqual((1, ""), (status, err))
        self.assertEqual(["Unimplemented", "What.ever"],
                         json.loads(out)["params"])

    def test_a_closed_or_full_standard_output(self):
        with open("/dev/full", "w") as full:
            status = subprocess.call(
                [os.path.join(self.ocaml, "Plugin.Query"), "d"], stdout=full,
                stderr=subprocess.DEVNULL)
        self.assertEqual(1, status)


class Library(unittest.TestCase):
    """What a plugin's own code may do."""

    def program(self, text):
        folder = Workshop.get()
        with open(os.path.join(folder, "one.ml"), "w") as f:
            f.write("open Smapi\n" + text)
        run(["ocamlfind", "ocamlopt"] + PACKAGES + [
            "-linkpkg", "-o", "one", "smapi.cmxa", "one.ml"], folder)
        place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, place)
        os.symlink(os.path.join(folder, "one"),
                   os.path.join(place, "Plugin.diagnostics"))
        return script(place, "Plugin.diagnostics", ["--json"],
                      b'{"dbg": "d"}')

    def plugin(self, body):
        return self.program(
            "module P = struct include Plugin.Plugin.Unimplemented\n"
            "let diagnostics ~dbg:_ = " + body + "\nend\n"
            "let () = Script.main (Plugin.Plugin.scripts (module P))\n")

    def fails(self, code, params, body):
        status, out, err = self.plugin(body)
        self.assertEqual((1, ""), (status, err))
        error = json.loads(out)
        self.assertEqual((code, params), (error["code"], error["params"]))

    def test_what_it_prints_goes_elsewhere(self):
        status, out, err = self.plugin(
            'print_endline "noise"; ignore (Sys.command "echo more"); "x"')
        self.assertEqual((0, '"x"\n'), (status, out))
        self.assertEqual({"noise", "more"}, set(err.split()))

    def test_exceptions(self):
        self.fails("SR_BACKEND_FAILURE_40", ["a", "b"],
                   'raise (Idl.Xenapi_error ("SR_BACKEND_FAILURE_40", '
                   '["a"; "b"]))')
        self.fails("SR_BACKEND_FAILURE", ["Cancelled", "task"],
                   'raise (Volume.Cancelled "task")')
        self.fails("SR_BACKEND_FAILURE", ["InternalError", "broken"],
                   'raise (Idl.Internal_error "broken")')
        self.fails("SR_BACKEND_FAILURE", ["Failure", "text"],
                   'failwith "text"')
        self.fails("SR_BACKEND_FAILURE", ["Not_found", "Not_found"],
                   'raise Not_found')
        self.fails("SR_BACKEND_FAILURE", ["Failure", "\\255"],
                   'failwith "\\255"')
        self.fails("SR_BACKEND_FAILURE",
                   ["Failure", "a text is not UTF-8"], '"\\255"')

    def test_its_own_exit_status(self):
        self.assertEqual((7, "", ""), self.plugin("exit 7"))

    def test_typed_errors_reach_a_client(self):
        status, out, err = self.program("""
let call name params =
  ignore (name, params);
  raise (Idl.error_of "SR_BACKEND_FAILURE" [ "Volume_does_not_exist"; "k" ])
let () =
  let module C = (val Volume.Volume.client call) in
  match C.stat ~dbg:"" ~sr:"s" ~key:"k" with
  | _ -> ()
  | exception Volume.Volume_does_not_exist key -> print_string key
""")
        self.assertEqual((0, "k", ""), (status, out, err))


if __name__ == "__main__":
    tap.main()
