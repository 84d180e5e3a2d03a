# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""What the generated modules are made of: types, calls, command lines.

Types are in types.py.  A Method holds all that is declared of a call.  `call`
is the checked call of an implementation, `parse` and `run` are one script.
"""

import argparse
import json
import os
import sys
import textwrap
import traceback

import xapi
from xapi.storage.api.types import (  # noqa: F401  generated modules use them
    BOOL, FLOAT, INT, INT64, STRING, UNIT, Field, List, Map, Pair, Record,
    Type, Variant)

try:
    from shlex import quote as _quote
except ImportError:
    from pipes import quote as _quote

_TEXT = xapi._TEXT


class Param(object):
    """A parameter of a call."""

    def __init__(self, name, type_, doc, example):
        self.name = name
        self.type = type_
        self.doc = doc
        self.example = example  # JSON text


class Method(object):
    """All that is declared of a call."""

    def __init__(self, name, title, doc, params, result, result_doc,
                 errors, since, examples, script=None):
        self.name = name
        self.script = script or name  # the file's name in a plugin
        self.title = title
        self.doc = doc
        self.params = params
        self.result = result
        self.result_doc = result_doc
        self.errors = errors
        self.since = since
        self.examples = examples


def call(method, impl, args):
    """Check the arguments, call the implementation, check its result."""
    if not isinstance(args, dict):
        raise xapi.UnmarshalException(
            "arguments", "dict", "%s takes an object" % method.name)
    values = []
    for param in method.params:
        if param.name not in args:
            raise xapi.UnmarshalException("argument missing", param.name, "")
        param.type.check(args[param.name])
        values.append(args[param.name])
    result = impl(*values)
    method.result.check(result)
    return result


def dispatch(methods, specs, name, params):
    """The reply of an in-process server for one interface."""
    if name not in methods:
        raise xapi.UnknownMethod(name)
    result = methods[name](params[0])
    return xapi.success(specs[name].result.encode(result))


def dispatch_any(interfaces, name, params):
    """The reply of an in-process server for several interfaces, which are
    None where they are not served."""
    xapi.logging.debug("method = %s params = %r", name, params)
    try:
        server = interfaces.get(name.split(".", 1)[0])
        if server is None:
            raise xapi.UnknownMethod(name)
        return server._dispatch(name, params)
    except xapi.Rpc_light_failure as e:
        xapi.logging.debug("%s failed", name, exc_info=True)
        return e.failure()
    except Exception as e:
        xapi.logging.info("%s failed", name, exc_info=True)
        return xapi.InternalError(xapi._text_of(e)).failure()


def check_error_argument(arg):
    """An error's argument is a text."""
    STRING.check(arg)


# ---- scripts ----

class _Script(object):
    """What is known of the one run that this process is."""
    reported = False  # something was written to standard output


class _Diverted(object):
    """Standard output while an implementation runs.

    What it prints goes to standard error, because standard output is for the
    result.  Closing it, as processes in the background do, closes the real
    one.
    """

    def __init__(self, real):
        self._real = real

    def write(self, text):
        return sys.stderr.write(text)

    def writelines(self, lines):
        sys.stderr.writelines(lines)

    def flush(self):
        sys.stderr.flush()

    def __getattr__(self, name):
        return getattr(self._real, name)


def json_mode():
    """Whether this script was called by a program."""
    return "--json" in sys.argv or "-j" in sys.argv


def _read_line():
    """The first line of standard input, decoded."""
    raw = getattr(sys.stdin, "buffer", sys.stdin).readline()
    return raw.decode("utf-8") if isinstance(raw, bytes) else raw


def _read_request():
    """The arguments in JSON mode."""
    try:
        request = json.loads(_read_line())
    except ValueError as e:
        raise xapi.UnmarshalException(
            "arguments", "dict", "standard input is not one line of JSON: %s"
            % xapi._text_of(e))
    if not isinstance(request, dict):
        raise xapi.UnmarshalException(
            "arguments", "dict", "standard input is not a JSON object")
    request["json"] = True
    return request


class _Formatter(argparse.HelpFormatter):
    """Keeps paragraphs, lists and code as they were written."""

    def _fill_text(self, text, width, indent):
        return "\n".join(indent + line if line else ""
                         for line in _fill(text, max(width, 20)))

    def _split_lines(self, text, width):
        return list(_fill(text, max(width, 20)))


def _blocks(text):
    """Paragraphs, items and pieces of code, as lists of lines."""
    block = []
    for line in text.splitlines():
        starts = line.startswith("- ") or line.startswith("    ")
        if block and (not line.strip() or starts):
            yield block
            block = []
        if line.strip():
            block.append(line)
    if block:
        yield block


def _fill(text, width):
    """Lines of at most `width` columns."""
    last = None
    for block in _blocks(text):
        kind = block[0][:2] if block[0][:2] in ("- ", "  ") else ""
        if last is not None and not (kind and kind == last):
            yield ""
        last = kind
        if kind == "  ":
            yield block[0]
            continue
        words = " ".join(line.strip() for line in block)
        for line in textwrap.wrap(
                words, width, break_long_words=False, break_on_hyphens=False,
                subsequent_indent="  " if kind else ""):
            yield line


def _argument_help(param, default=None):
    """Prose, type, default and example of one parameter."""
    text = param.doc.rstrip(".") + " (" + param.type.hint()
    if default is not None:
        text += "; default: " + default
    if param.example:
        text += "; example: " + param.example
    return (text + ").").replace("%", "%%")


def _converter(param):
    """A function for argparse's `type`; its name shows in error messages."""
    def convert(word):
        return param.type.decode_word(word)
    convert.__name__ = str(param.type.name)
    return convert


def _is_option(param):
    return isinstance(param.type, Map)


def _example_command(method, params):
    """The words of a command line for an example's parameters."""
    words = [method.script]
    for param in method.params:
        value = params[param.name]
        if _is_option(param):
            for key in sorted(value):
                words += ["--" + param.name, key, value[key]]
    for param in method.params:
        value = params[param.name]
        if not _is_option(param):
            words.append(value if isinstance(value, _TEXT)
                         else json.dumps(value))
    return " ".join(_quote(xapi.get_str(word)) for word in words)


def _epilog(method):
    """What comes after the arguments: result, errors, examples."""
    text = ["Result: " + method.result_doc.rstrip(".")
            + " (" + method.result.name + ")."]
    if method.errors:
        text += ["", "Errors to expect:", ""]
        text += ["- %s %s" % error for error in method.errors]
    for title, params, outcome in method.examples:
        text += ["", "Example: " + title, "",
                 "    $ " + _example_command(method, json.loads(params)),
                 "    " + outcome]
    text += ["", "As a program: one line of JSON with all parameters on "
             "standard input, --json on the command line; the result or the "
             "error is one line of JSON on standard output.",
             "", "Since " + method.since + "."]
    return "\n".join(text)


def parser_of(method):
    """The argparse parser of a script."""
    parser = argparse.ArgumentParser(
        description=method.title + ".\n\n" + method.doc,
        epilog=_epilog(method),
        formatter_class=_Formatter)
    parser.add_argument(
        "-j", "--json", action="store_const", const=True, default=False,
        help="Read the parameters as JSON from standard input and write the "
        "result as JSON to standard output.")
    parser.add_argument(
        "--completion", action=_Completion, method=method,
        help=argparse.SUPPRESS)
    for param in method.params:
        if _is_option(param):
            parser.add_argument(
                "--" + param.name, action=xapi.ListAction, default={},
                help=_argument_help(param, "none; may be repeated"))
        else:
            parser.add_argument(
                param.name, type=_converter(param), help=_argument_help(param))
    return parser


class _Completion(argparse.Action):
    """`--completion`: a completion function for bash, then the end."""

    def __init__(self, option_strings, dest, method, **kwargs):
        argparse.Action.__init__(self, option_strings, dest, nargs=0, **kwargs)
        self.method = method

    def __call__(self, parser, namespace, values, option_string=None):
        _Script.reported = True
        sys.stdout.write(completion_of(self.method))
        parser.exit(0)


def completion_of(method):
    """A bash completion of this script's words.

    Options by name; a positional word by what its parameter takes, or else
    its name as a reminder.
    """
    func = "_" + "".join(c if c.isalnum() else "_" for c in method.script)
    options = ["-h", "--help", "-j", "--json"]
    options += ["--" + p.name for p in method.params if _is_option(p)]
    cases = []
    positional = [p for p in method.params if not _is_option(p)]
    for i, param in enumerate(positional):
        words = "true false" if param.type is BOOL else ""
        cases.append("    %d) words='%s';;" % (i, words))
    return _COMPLETION % {
        "func": func, "options": " ".join(options),
        "cases": "\n".join(cases), "name": method.script}


_COMPLETION = """\
%(func)s() {
  local cur=${COMP_WORDS[COMP_CWORD]} words='' i n=0
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    -j|--json) ;;
    --*) i=$((i + 2));;
    *) n=$((n + 1));;
    esac
  done
  if [[ $cur == -* ]]; then
    words='%(options)s'
  else
    case $n in
%(cases)s
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F %(func)s %(name)s
"""


def parse(method):
    """The arguments of a script, from standard input or the command line."""
    if json_mode():
        return _read_request()
    args = vars(parser_of(method).parse_args())
    args.pop("completion", None)
    return args


def _caller():
    """File and line of the generated method that called `run`."""
    frame = sys._getframe(2)
    return frame.f_code.co_filename, frame.f_lineno


def run(method, parse_args, checked_call):
    """One script: parse, call, print.  Ends the process when it fails in
    JSON mode; otherwise exceptions go on to the interpreter, which prints
    them and ends with status 1."""
    use_json = json_mode()
    real = sys.stdout
    outer = _caller()
    try:
        request = parse_args()
        sys.stdout = _Diverted(real)
        try:
            result = checked_call(request)
        finally:
            sys.stdout = real
        _Script.reported = True
        xapi._print_json(method.result.encode(result))
    except Exception as e:
        if not use_json:
            raise
        _Script.reported = True
        xapi._print_json(xapi._error_object(e, [outer], sys.exc_info()[2]))
        sys.exit(1)


def _looks_like_script():
    """Whether this process is a plugin's script called by a program."""
    base = os.path.basename(sys.argv[0]) if sys.argv else ""
    return json_mode() and "." in base and not base.endswith(".py")


_previous_hook = sys.excepthook


def _report_uncaught(exception_type, value, tb):
    """An exception outside of `run`, in the script's own lines: callers
    still get an error object."""
    if _looks_like_script() and not _Script.reported and issubclass(
            exception_type, Exception):
        _Script.reported = True
        xapi._print_json(xapi._error_object(value, [], tb))
    _previous_hook(exception_type, value, tb)


sys.excepthook = _report_uncaught
xapi._machinery.update(
    frame[0] for frame in traceback.extract_stack(limit=1))
