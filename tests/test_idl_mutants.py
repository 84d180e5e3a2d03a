# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Every test_fix_... of python_cases.py goes red on the behaviour it is about.

Each row puts the old behaviour back into a copy of the Python package, one
line at a time, and the test of that name must fail there; on the copy as it
is, all of them must pass.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = os.environ["XMSG_SRCDIR"], os.environ["XMSG_BUILDDIR"]
CASES = os.path.join(SOURCE, "tests/idl")
sys.path.insert(0, CASES)
sys.dont_write_bytecode = True

import tap  # noqa: E402

ROOT, LOG = "xapi/__init__.py", "xapi/storage/log.py"
RUN, TYPES = "xapi/storage/api/runtime.py", "xapi/storage/api/types.py"
VOLUME = "xapi/storage/api/v5/volume.py"

# Test, file, what stands there, what stands there instead.
MUTANTS = [
    ("Imports.test_fix_str_is_not_bytes", VOLUME,
     "from xapi import *  # noqa: F401,F403\n",
     "from xapi import *  # noqa: F401,F403\nstr = bytes\n"),
    ("Imports.test_fix_packages_may_live_elsewhere", ROOT,
     "__path__ = extend_path(__path__, __name__)\n", ""),
    ("Types.test_fix_bytes_are_no_string", TYPES,
     "        return isinstance(value, _TEXT)\n",
     "        return isinstance(value, _TEXT + (bytes,))\n"),
    ("Types.test_fix_floats_may_be_integers", TYPES,
     "isinstance(value, (float,) + _INTEGER)", "isinstance(value, float)"),
    ("Types.test_fix_pairs_may_be_lists", TYPES,
     "isinstance(value, (list, tuple)) and len(value) == 2",
     "isinstance(value, tuple) and len(value) == 2"),
    ("Types.test_fix_missing_member_is_a_declared_error", TYPES,
     "            if field.name not in value and not field.optional:\n",
     "            if not field.optional:\n                value[field.name]\n"
     "            if False:\n"),
    ("Types.test_fix_an_error_knows_its_path", TYPES,
     "                e.path = _join(name, e.path)\n", ""),
    ("Types.test_fix_none_is_an_absent_optional", TYPES,
     "            if part is None and field.optional:\n",
     "            if field.optional and field.name not in value:\n"),
    ("Types.test_fix_variants_without_content", TYPES,
     "            return content in ((), (None,))\n",
     "            return isinstance(value, list) and content in ((), (None,))"
     "\n"),
    ("Servers.test_fix_module_dispatch_works", RUN,
     '    xapi.logging.debug("method = %s params = %r", name, params)\n',
     '    xapi.logging.log("method = %s params = %r", name, params)\n'),
    ("Servers.test_fix_absent_interfaces_are_unknown_methods", RUN,
     "        if server is None:\n", "        if False:\n"),
    ("Servers.test_fix_test_servers_return_valid_values", VOLUME,
     '                    "health": ["Healthy", ""],\n',
     '                    "health": {"Healthy": ""},\n'),
    ("Scripts.test_fix_none_is_left_out", TYPES,
     "                encoded.pop(field.name, None)\n",
     "                pass\n"),
    ("Scripts.test_fix_only_texts_are_codes", ROOT,
     "    if not isinstance(code, _TEXT):\n", "    if code is None:\n"),
    ("Scripts.test_fix_bad_stdin_gets_an_error_object", RUN,
     "    except ValueError as e:\n        raise xapi.UnmarshalException(\n",
     "    except ValueError as e:\n        sys.exit(1)\n"
     "        raise xapi.UnmarshalException(\n"),
    ("Scripts.test_fix_links_the_script_does_not_know", RUN,
     "sys.excepthook = _report_uncaught\n", ""),
    ("Scripts.test_fix_prints_do_not_spoil_the_result", RUN,
     "        sys.stdout = _Diverted(real)\n", ""),
    ("Scripts.test_fix_traceback_is_printed_once", RUN,
     "        if not use_json:\n            raise\n",
     "        if not use_json:\n            traceback.print_exc()\n"
     "            raise\n"),
    ("Scripts.test_fix_help_keeps_paragraphs", RUN,
     "        formatter_class=_Formatter)", "        )"),
    ("Scripts.test_fix_help_tells_the_result", RUN,
     '    text = ["Result: " + method.result_doc.rstrip(".")\n',
     '    text = ["" and method.result_doc.rstrip(".")\n'),
    ("Words.test_fix_structures_are_json", TYPES,
     "        return json.loads(word)\n\n    def hint(self):\n"
     '        """What', "        return word\n\n    def hint(self):\n"
     '        """What'),
    ("Printing.test_fix_no_content_variants_are_plain_words", TYPES,
     "            return tag\n        part", "            return value\n"
     "        part"),
    ("Logging.test_fix_quiet_without_syslog", LOG,
     "        return _QuietSysLogHandler(\n",
     "        return logging.handlers.SysLogHandler(\n"),
]

# Runs the named cases; the status is their number of failures, or 100 when
# they could not be run.
RUNNER = """
import sys, unittest
sys.path.insert(0, sys.argv[1])
try:
    import python_cases
    suite = unittest.defaultTestLoader.loadTestsFromNames(
        sys.argv[2:], python_cases)
except Exception as e:
    print(e)
    sys.exit(100)
result = unittest.TextTestRunner(stream=sys.stdout).run(suite)
sys.exit(100 if result.testsRun != len(sys.argv) - 2 else
         len(result.failures) + len(result.errors))
"""


class Mutants(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.package = os.path.join(cls.folder, "python")
        shutil.copytree(os.path.join(BUILD, "python"), cls.package)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def cases(self, *names):
        """How many of these fail, and what they say."""
        done = subprocess.run(
            [sys.executable, "-B", "-c", RUNNER, CASES] + list(names),
            env=dict(os.environ, XMSG_BUILDDIR=self.folder),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True)
        return done.returncode, done.stdout

    def test_every_fix_has_a_row(self):
        with io.open(os.path.join(CASES, "python_cases.py"),
                     encoding="utf-8") as f:
            there = re.findall(r"def (test_fix_\w+)", f.read())
        self.assertEqual(
            sorted(there), sorted(row[0].split(".")[1] for row in MUTANTS))

    def test_all_pass_as_it_is(self):
        failed, out = self.cases(*[row[0] for row in MUTANTS])
        self.assertEqual(0, failed, out)


def goes_red(name, path, old, new):
    """A case for one row."""
    def test(self):
        full = os.path.join(self.package, path)
        with io.open(full, encoding="utf-8") as f:
            text = f.read()
        self.assertIn(old, text)
        try:
            with io.open(full, "w", encoding="utf-8") as f:
                f.write(text.replace(old, new))
            failed, out = self.cases(name)
        finally:
            with io.open(full, "w", encoding="utf-8") as f:
                f.write(text)
        self.assertEqual(1, failed, out)
    return test


for _row in MUTANTS:
    setattr(Mutants, "test_without_" + _row[0].split("test_fix_")[1],
            goes_red(*_row))


if __name__ == "__main__":
    tap.main()
