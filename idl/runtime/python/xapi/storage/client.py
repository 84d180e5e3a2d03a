# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Call storage plugins through the message switch.

    from xapi.storage.client import Client
    from xapi.storage.api.v5.volume import Volume_does_not_exist

    c = Client(queue="org.xen.xapi.storage.filebased")
    sr = c.SR.attach(configuration={"file-uri": "file:///srv/disks"})
    try:
        print(c.Volume.stat(sr=sr, key="1")["virtual_size"])
    except Volume_does_not_exist as e:
        print("no volume " + e.arg_0)

Parameters are given by name and checked before anything is sent; `dbg` may be
left out.  What a call raises:

- xapi.TypeError, xapi.UnmarshalException: a parameter is of the wrong type or
  missing (nothing was sent);
- a declared error, for example Volume_does_not_exist, as the class that
  plugins raise, with `backtrace` for what the plugin said of its own lines;
- BackendError: any other failure, with `code`, `params` and `backtrace`;
- BadReply: what came back is not what the interface declares;
- Timeout, BrokerGone, NoSuchQueue, Refused: it got lost on the way.

BackendError, BadReply and those of the last line are Errors.  From a shell:
python3 -m xapi.storage.client --help.
"""

from __future__ import print_function

import argparse
import difflib
import json
import sys
import textwrap

import xapi
from xapi.storage.api import runtime, types
from xapi.storage.api.v5 import datapath, plugin, task, volume
from xapi.storage.switch import (
    BrokerGone, Error, NoSuchQueue, Refused, Switch, Timeout)

__all__ = ["BackendError", "BadReply", "BrokerGone", "Client", "Error",
           "NoSuchQueue", "Refused", "Timeout"]

PREFIX = "smapiv3."
SECONDS = 300.0

_METHODS = {}
_ERRORS = {"Unimplemented": xapi.Unimplemented}
for _module in (plugin, volume, datapath, task):
    _METHODS.update(_module._methods)
    _ERRORS.update(_module._errors)

# Exceptions of the library itself, which a plugin's error names.
_INTERNAL = ("InternalError", "Internal_error", "TypeError",
             "UnmarshalException", "UnknownMethod")


class BackendError(Error):
    """A call failed and no declared error says why."""

    def __init__(self, code, params, backtrace=None):
        Error.__init__(self, ": ".join([code] + [
            p if isinstance(p, xapi._TEXT) else json.dumps(p)
            for p in params]))
        self.code = code
        self.params = params
        self.backtrace = backtrace


class BadReply(Error):
    """A reply that is not as declared; `reply` is what came."""

    def __init__(self, method, why, reply):
        Error.__init__(self, "%s: %s" % (method, why))
        self.reply = reply


# ---- errors on the wire ----

def _backtrace_of(text):
    """What a plugin said of its own lines: an object, or else the text."""
    try:
        value = json.loads(text)
        return value if isinstance(value, dict) else text
    except (TypeError, ValueError):
        return text


def _typed(method, code, params, backtrace):
    """The exception for a failed script."""
    name = params[0] if params else None
    if code == "SCRIPT_MISSING":
        return xapi.Unimplemented(method)
    if code == "SR_BACKEND_FAILURE" and len(params) == 2 and all(
            isinstance(p, xapi._TEXT) for p in params):
        if name in _ERRORS:
            return _ERRORS[name](params[1])
        if name in _INTERNAL:
            return xapi.InternalError(params[1])
    return BackendError(code, params, backtrace)


def _error_of(method, error):
    """The exception that an error of the wire stands for."""
    tag, content = error, None
    if isinstance(error, list) and error:
        tag, content = error[0], error[1] if len(error) == 2 else error[1:]
    if not isinstance(tag, xapi._TEXT):
        return BackendError("UNKNOWN_ERROR", [error])
    if tag in ("Backend_error", "Backend_error_with_backtrace") and (
            _is_backend(content)):
        code, params = content[0], content[1]
        backtrace = None
        if tag != "Backend_error" and params:
            backtrace, params = _backtrace_of(params[0]), params[1:]
        e = _typed(method, code, params, backtrace)
        e.backtrace = backtrace
        return e
    if isinstance(content, xapi._TEXT):
        if tag in _INTERNAL:
            return xapi.InternalError(content)
        if tag in _ERRORS:
            return _ERRORS[tag](content)
    if content is None:
        return BackendError(tag, [])
    return BackendError(tag, content if isinstance(content, list)
                        else [content])


def _is_backend(content):
    """Whether it is a code and a list."""
    return (isinstance(content, list) and len(content) == 2
            and isinstance(content[0], xapi._TEXT)
            and isinstance(content[1], list))



# ---- calls ----

class _Call(object):
    """One call of an interface, to be called with its parameters by name."""

    def __init__(self, client, method):
        self._client = client
        self._method = method
        self.__name__ = method.name.split(".")[1]
        self.__doc__ = _help_of(method)

    def __call__(self, **params):
        return self._client._run(self._method, params)

    def __repr__(self):
        return "<%s at %s>" % (self._method.name, self._client.queue)


class _Interface(object):
    """All calls of one interface as attributes."""

    def __init__(self, client, name):
        self._name = name
        for full, method in _METHODS.items():
            if full.startswith(name + "."):
                call = _Call(client, method)
                setattr(self, call.__name__, call)


class Client(object):
    """The plugin behind one queue.

    `socket` is the switch's (default: $XMSG_SOCKET, or the usual place),
    `timeout` seconds for each call (None: for ever), `dbg` what the plugin's
    log shows of the caller.  Calls of Datapath and Data go to the datapath
    plugin that the scheme of their `uri` names, or `datapath`.  Use it from
    one thread at a time.
    """

    def __init__(self, queue, socket=None, timeout=SECONDS,
                 dbg="xapi.storage.client", datapath=None):
        self.queue = queue
        self.timeout = timeout
        self.dbg = dbg
        self.datapath = datapath
        self._switch = Switch(socket)
        self._last = 0
        for name in set(full.split(".")[0] for full in _METHODS):
            setattr(self, name, _Interface(self, name))

    def close(self):
        """Leave the switch; a later call comes back."""
        self._switch.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def _run(self, method, params):
        """One call, from its parameters to its result."""
        self._last += 1
        sent = _checked(method, dict({"dbg": self.dbg}, **params))
        if self.datapath is not None and method.name.startswith("Data"):
            sent["datapath"] = self.datapath
        payload = json.dumps({"method": PREFIX + method.name,
                              "id": self._last, "params": [sent]})
        return _result(method, self._switch.rpc(
            self.queue, payload, self.timeout))


def _checked(method, params):
    """The parameters as they are sent."""
    known = [param.name for param in method.params]
    for name in params:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise TypeError("%s has no parameter %s%s" % (
                method.name, name,
                " (did you mean %s?)" % near[0] if near else ""))
    sent = {}
    for param in method.params:
        if param.name not in params:
            raise xapi.UnmarshalException("argument missing", param.name, "")
        try:
            param.type.check(params[param.name])
        except (xapi.TypeError, xapi.UnmarshalException) as e:
            e.path = types._join(param.name, e.path)
            raise
        sent[param.name] = param.type.encode(params[param.name])
    return sent


def _result(method, payload):
    """What a reply says, or its exception."""
    try:
        reply = json.loads(payload)
    except ValueError as e:
        raise BadReply(method.name, "the reply is not JSON: %s" % e, payload)
    if isinstance(reply, list):
        raise _error_of(method.name, reply)
    if not isinstance(reply, dict) or "result" not in reply:
        raise BadReply(method.name, "the reply has no result", reply)
    if reply.get("error") is not None:
        raise _error_of(method.name, reply["error"])
    try:
        method.result.check(reply["result"])
    except (xapi.TypeError, xapi.UnmarshalException) as e:
        raise BadReply(method.name, "the result%s is not as declared: %s" % (
            " at " + e.path if e.path else "", e), reply)
    return method.result.encode(reply["result"])


def _help_of(method):
    """All that is declared of a call, for people."""
    text = [method.title + ".", ""]
    text += list(runtime._fill(method.doc, 76)) + ["", "Parameters:"]
    for param in method.params:
        text += textwrap.wrap(
            "%s: %s" % (param.name, runtime._argument_help(param).replace(
                "%%", "%")), 76, initial_indent="- ", subsequent_indent="  ",
            break_long_words=False, break_on_hyphens=False)
    text += ["", "Result: %s (%s)." % (
        method.result_doc.rstrip("."), method.result.name)]
    if method.errors:
        text += ["", "Errors to expect:"]
        for error in method.errors:
            text += textwrap.wrap("%s %s" % error, 76, initial_indent="- ",
                                  subsequent_indent="  ")
    return "\n".join(text + ["", "Since %s." % method.since])


# ---- the command line ----

USAGE, NO_SWITCH, REFUSED, LATE = 2, 3, 4, 6
_STATUS = ((BrokerGone, NO_SWITCH), (Refused, REFUSED), (Timeout, LATE))


class _Usage(Exception):
    """The command line makes no sense."""


def _method_named(name):
    """A call by its name, which may be written in any case."""
    for full, method in _METHODS.items():
        if full.lower() == name.lower():
            return method
    near = difflib.get_close_matches(name, list(_METHODS), 3, 0.5)
    raise _Usage("there is no call %s%s" % (
        name, " (did you mean %s?)" % " or ".join(near) if near else
        "; --help lists them"))


def _put(method, given, word):
    """One word NAME=VALUE, or NAME.KEY=VALUE for maps."""
    name, equals, value = word.partition("=")
    name, _, key = name.partition(".")
    known = dict((param.name, param) for param in method.params)
    if not equals or name not in known:
        near = difflib.get_close_matches(name, list(known), 1)
        raise _Usage("%s: %s%s" % (
            word, "NAME=VALUE is expected" if not equals else
            "%s has no such parameter" % method.name,
            " (did you mean %s?)" % near[0] if near else ""))
    kind = known[name].type
    if key and isinstance(kind, runtime.Map):
        given.setdefault(name, {})[key] = value
        return
    try:
        given[name] = kind.decode_word(value)
    except ValueError:
        raise _Usage("%s: %s is expected" % (word, kind.hint()))


def _read_object():
    """Parameters from standard input."""
    try:
        value = json.load(sys.stdin)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise _Usage("standard input is not a JSON object")
    return value


def _params_of(method, words):
    """The parameters of a command line, all of them."""
    given = {}
    for word in words:
        if word == "-":
            given.update(_read_object())
        else:
            _put(method, given, word)
    for param in method.params:
        if isinstance(param.type, runtime.Map):
            given.setdefault(param.name, {})
    lost = [param.name for param in method.params
            if param.name not in given and param.name != "dbg"]
    if lost:
        raise _Usage("%s also wants %s" % (
            method.name, ", ".join(name + "=..." for name in lost)))
    return given


def _error_object(e):
    """An exception in the form in which scripts print theirs."""
    if isinstance(e, BackendError):
        code, params = e.code, e.params
    else:
        code, params = "SR_BACKEND_FAILURE", [
            e.__class__.__name__, xapi._text_of(e)]
    trace = getattr(e, "backtrace", None)
    if not isinstance(trace, dict):
        trace = {"error": trace or xapi._text_of(e), "files": [], "lines": []}
    return {"code": code, "params": params, "backtrace": trace}


def _show_error(method, e):
    """For people: what, and where in the plugin."""
    kind = "" if isinstance(e, Error) else e.__class__.__name__ + ": "
    print("%s: %s%s" % (method.name, kind, e), file=sys.stderr)
    trace = getattr(e, "backtrace", None)
    if isinstance(trace, dict):
        for place in zip(trace.get("files", []), trace.get("lines", [])):
            print("  at %s:%s" % place, file=sys.stderr)


def _show_result(value, as_json):
    """One line for programs, several for people, nothing for nothing."""
    if as_json:
        xapi._print_json(value)
    elif isinstance(value, xapi._TEXT):
        print(value)
    elif value is not None:
        print(json.dumps(value, indent=2, separators=(",", ": ")))


def _perform(options, method, words):
    """One call; the exit status."""
    params = _params_of(method, words)
    try:
        with Client(options.queue, options.socket, options.timeout,
                    datapath=options.datapath) as c:
            value = c._run(method, params)
    except (Error, xapi.Rpc_light_failure) as e:
        if options.json:
            xapi._print_json(_error_object(e))
        else:
            _show_error(method, e)
        return next((s for kind, s in _STATUS if isinstance(e, kind)), 1)
    _show_result(value, options.json)
    return 0


def _parser():
    """Options and words; calls have a help of their own."""
    parser = argparse.ArgumentParser(
        prog="python3 -m xapi.storage.client", add_help=False,
        usage="%(prog)s [options] QUEUE INTERFACE.CALL [NAME=VALUE...]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Call a storage plugin through the message switch.",
        epilog="A value is a text, a number, true or false, or JSON; a map "
        "may be given as NAME.KEY=VALUE.\n- reads an object with parameters "
        "from standard input.\n\nStatus: 0 done, 1 the call failed, 2 usage, "
        "3 no switch, 4 refused, 6 no reply in time.\n\nCalls (QUEUE CALL "
        "--help explains one):\n  " + "\n  ".join(
            "%-27s%s" % (name, _METHODS[name].title)
            for name in sorted(_METHODS)))
    parser.add_argument("queue", nargs="?", help="the plugin's queue, as "
                        "xmsg list shows it")
    parser.add_argument("call", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("-j", "--json", action="store_true", help="print the "
                        "result, or the error, as one line of JSON")
    parser.add_argument("-s", "--socket", metavar="PATH", help="the switch's "
                        "socket (default: $XMSG_SOCKET or the usual place)")
    parser.add_argument("-t", "--timeout", metavar="SECONDS", type=float,
                        default=SECONDS, help="how long to wait for the "
                        "reply (default: %(default)g)")
    parser.add_argument("-d", "--datapath", metavar="SCHEME", help="the "
                        "datapath plugin, for calls whose uri does not say "
                        "which")
    parser.add_argument("-h", "--help", action="store_true",
                        help="this text, or all about one call")
    return parser


def main(args):
    """One call from a shell; the exit status."""
    parser = _parser()
    options, rest = parser.parse_known_args(args)
    words = options.words + rest
    try:
        for word in rest:
            if word.startswith("-") and word != "-":
                raise _Usage("there is no option " + word)
        if options.help and options.call is None:
            parser.print_help()
            return 0
        if options.call is None:
            raise _Usage("a queue and a call are wanted")
        method = _method_named(options.call)
        if options.help:
            print(method.name + "\n\n" + _help_of(method))
            return 0
        return _perform(options, method, words)
    except _Usage as e:
        parser.print_usage(sys.stderr)
        print("%s: %s" % (parser.prog, e), file=sys.stderr)
        return USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
