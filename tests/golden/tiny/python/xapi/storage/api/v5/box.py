# -*- coding: utf-8 -*-
# Made by xmsg-idl from the declarations of tiny 1.2: change those instead.

"""Boxes

Things are put into boxes.
"""

from xapi import *  # noqa: F401,F403
from xapi import Rpc_light_failure, Unimplemented
from xapi.storage.api import runtime as _runtime
from xapi.storage.api.v5 import _types


class Glued(Rpc_light_failure):
    """The box is glued shut."""

    def __init__(self, arg_0):
        Rpc_light_failure.__init__(self, "Glued", [arg_0])
        _runtime.check_error_argument(arg_0)
        self.arg_0 = arg_0


_dbg = _runtime.Param(
    "dbg",
    _runtime.STRING,
    "Who asks.",
    "task 1",
)

_Box_put = _runtime.Method(
    "Box.put",
    title="Put a thing into the box",
    doc=(
        "Makes room first.\n"
        "\n"
        "Then puts it."
    ),
    params=[
        _dbg,
        _runtime.Param(
            "what",
            _runtime.STRING,
            "The thing.",
            "a shoe",
        ),
    ],
    result=_runtime.UNIT,
    result_doc="Nothing: `null`.",
    errors=[
        ("Glued", "when the box is glued shut"),
    ],
    since="The second",
    examples=[
        (
            "A shoe",
            '{"dbg": "task 1", "what": "a shoe"}',
            "null",
        ),
        (
            "A box that is glued",
            '{"dbg": "task 1", "what": "a shoe"}',
            "Glued: the box",
        ),
    ],
)

_Box_look = _runtime.Method(
    "Box.look",
    title="Look into the box",
    doc="Does not take anything out.",
    params=[
        _dbg,
        _runtime.Param(
            "colour",
            _types.colour,
            "Which things.",
            '["Mixed", [["red", 0.5], ["blue", 0.5]]]',
        ),
        _runtime.Param(
            "limits",
            _runtime.Map(_runtime.STRING),
            "Limits by name.",
            '{"most": "5"}',
        ),
    ],
    result=_runtime.List(_types.thing),
    result_doc="What is in it.",
    errors=[],
    since="The first (2020-01)",
    examples=[
        (
            "One shoe",
            '{"dbg": "task 1", "colour": "Plain", "limits": {}}',
            (
                "[{\"label\": \"a shoe\", \"size\": 300, \"weight\": 500, "
                "\"fragile\": false, \"notes\": {\"from\": \"someone's "
                "\\\"house\\\"\"}}]"
            ),
        ),
    ],
)

_methods = {
    "Box.put": _Box_put,
    "Box.look": _Box_look,
}

_errors = {
    "Glued": Glued,
}


class Box_skeleton(object):
    """A box

    Takes things.
    """

    def __init__(self):
        pass

    def put(self, dbg, what):
        """Put a thing into the box.

        Makes room first.

        Then puts it.

        - dbg (string): Who asks.
        - what (string): The thing.

        Returns unit. Nothing: `null`.

        - raises Glued when the box is glued shut
        """
        raise Unimplemented("Box.put")

    def look(self, dbg, colour, limits):
        """Look into the box.

        Does not take anything out.

        - dbg (string): Who asks.
        - colour (colour): Which things.
        - limits (map<string>): Limits by name.

        Returns list<thing>. What is in it.
        """
        raise Unimplemented("Box.look")


class Box_test(Box_skeleton):
    """Answers every call with made-up values of the right types."""

    def put(self, dbg, what):
        return None

    def look(self, dbg, colour, limits):
        return [
            {
                "label": "a shoe",
                "size": 1,
                "weight": 1,
                "fragile": True,
                "colour": "Plain",
                "notes": {"key": "string"},
            },
        ]


class Box_server_dispatcher(object):
    """Calls of an implementation with types checked both ways."""

    def __init__(self, impl):
        self._impl = impl
        self._dispatcher_dict = {
            "Box.put": self.put,
            "Box.look": self.look,
        }

    def put(self, args):
        return _runtime.call(
            _Box_put, self._impl.put, args)

    def look(self, args):
        return _runtime.call(
            _Box_look, self._impl.look, args)

    def _dispatch(self, method, params):
        return _runtime.dispatch(
            self._dispatcher_dict, _methods, method, params)


class Box_commandline(object):
    """The scripts of an implementation: parse, call, print."""

    def __init__(self, impl):
        self.impl = impl
        self.dispatcher = Box_server_dispatcher(self.impl)

    def _parse_put(self):
        return _runtime.parse(_Box_put)

    def put(self):
        _runtime.run(
            _Box_put, self._parse_put,
            self.dispatcher.put)

    def _parse_look(self):
        return _runtime.parse(_Box_look)

    def look(self):
        _runtime.run(
            _Box_look, self._parse_look,
            self.dispatcher.look)


class box_server_dispatcher(object):
    """An in-process server of this module's interfaces."""

    def __init__(self, Box=None):
        self.Box = Box

    def _dispatch(self, method, params):
        return _runtime.dispatch_any(
            {"Box": self.Box}, method, params)


class box_server_test(box_server_dispatcher):
    """An in-process server that answers with made-up values."""

    def __init__(self):
        box_server_dispatcher.__init__(
            self,
            Box=Box_server_dispatcher(Box_test()))
