# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""What every storage plugin shares: errors and how they are reported.

The modules generated from the interface's declarations import all of this
with a star, so each name here is also a name there.  One source for Python
2.7 and 3.6 or later.
"""

import argparse
import json
import logging  # noqa: F401  plugins use it from here
import sys
import traceback
from pkgutil import extend_path

# Libraries of other people live inside this package: let them also live in
# another folder of sys.path.
__path__ = extend_path(__path__, __name__)
del extend_path

if sys.version_info[0] >= 3:
    long = int
    unicode = str
    str = str
else:
    long = long
    unicode = unicode
    str = str

_TEXT = (str, unicode)


def get_str(value):
    """A text as the native string of this Python."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, unicode):
        return value.encode("utf-8")
    return str(value)


def success(result):
    """The reply of an in-process server to a call that went well."""
    return {"Status": "Success", "Value": result}


def is_long(x):
    """Whether int(x) works."""
    try:
        int(x)
        return True
    except ValueError:
        return False


class MissingDependency(Exception):
    """Something that the plugin needs is not installed."""

    def __init__(self, missing):
        Exception.__init__(self, missing)
        self.missing = missing

    def __str__(self):
        return "There is a missing dependency: %s not found" % self.missing


class Rpc_light_failure(Exception):
    """An error that a caller can tell from others by its name."""

    def __init__(self, name, args):
        Exception.__init__(self, *args)
        self.name = name
        self.args = tuple(args)

    def failure(self):
        """The reply of an in-process server."""
        args = list(self.args)
        arg = args[0] if len(args) == 1 else args
        return {"Status": "Failure", "ErrorDescription": [self.name, arg]}


class Unimplemented(Rpc_light_failure):
    """The plugin does not have this call."""

    def __init__(self, name):
        Rpc_light_failure.__init__(self, "Unimplemented", [name])


class InternalError(Rpc_light_failure):
    """Something went wrong that no declared error describes."""

    def __init__(self, error):
        Rpc_light_failure.__init__(self, "Internal_error", [error])


class UnmarshalException(InternalError):
    """A value does not have the parts that it should have."""

    def __init__(self, thing, ty, desc):
        InternalError.__init__(
            self,
            "UnmarshalException thing=%s ty=%s desc=%s" % (thing, ty, desc))
        self.path = ""


class TypeError(InternalError):
    """A value is of another type than declared.

    The attribute `path` says which part of the value, as in `uri[0]`.
    """

    def __init__(self, expected, actual):
        InternalError.__init__(
            self, "TypeError expected=%s actual=%s" % (expected, actual))
        self.path = ""


class UnknownMethod(InternalError):
    """There is no call of this name."""

    def __init__(self, name):
        InternalError.__init__(self, "Unknown method %s" % name)


class XenAPIException(Exception):
    """An error with a code of the toolstack, such as SR_BACKEND_FAILURE_40."""

    def __init__(self, code, params):
        Exception.__init__(self)
        if not isinstance(code, _TEXT):
            raise TypeError("string", repr(type(code)))
        if not isinstance(params, list):
            raise TypeError("list", repr(type(params)))
        self.code = code
        self.params = params


class ListAction(argparse.Action):
    """An option with two values, KEY VALUE, collected into a dict."""

    def __init__(self, option_strings, dest, nargs=2, **kwargs):
        argparse.Action.__init__(
            self, option_strings, dest, nargs=nargs, **kwargs)

    def __call__(self, parser, namespace, values, option_string=None):
        collected = dict(getattr(namespace, self.dest, None) or {})
        collected[values[0]] = values[1]
        setattr(namespace, self.dest, collected)


def _describe(e):
    """The code and the params that the caller of a script gets."""
    code = getattr(e, "code", None)
    params = getattr(e, "params", None)
    if not isinstance(code, _TEXT):
        code = "SR_BACKEND_FAILURE"
    if isinstance(params, (list, tuple)):
        params = [p if isinstance(p, _TEXT) else str(p) for p in params]
    else:
        params = [e.__class__.__name__, _text_of(e)]
    return code, params


def _text_of(e):
    """str(e), which may itself fail, for example on Python 2."""
    try:
        return str(e)
    except Exception:
        return repr(e)


def _error_object(e, outer, tb):
    """What a script prints when it fails.

    `outer` are frames in front of those of the traceback, as pairs of file
    and line.  Other frames of the same files and of the library's own
    machinery are left out.
    """
    frames = list(outer)
    hidden = _machinery.union(f for f, _ in outer)
    for entry in traceback.extract_tb(tb):
        if entry[0] not in hidden:
            frames.append((entry[0], entry[1]))
    code, params = _describe(e)
    return {
        "code": code,
        "params": params,
        "backtrace": {
            "error": _text_of(e),
            "files": [f for f, _ in frames],
            "lines": [n for _, n in frames],
        },
    }


# File names of modules that a reader of backtraces does not want to see.
_machinery = set()


def _print_json(value):
    """One line on standard output, whole or not at all."""
    line = json.dumps(value)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def handle_exception(e, code=None, params=None):
    """Report an exception as scripts do, and end with status 1.

    The last two arguments are there for callers that pass them; what the
    exception itself says is used.
    """
    _print_json(_error_object(e, [], sys.exc_info()[2]))
    sys.exit(1)
