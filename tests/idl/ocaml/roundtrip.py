# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The same as roundtrip.ml, with the Python package."""

from __future__ import print_function

import importlib
import json
import sys

import xapi
from xapi.storage.api import runtime
from xapi.storage.api.v5 import _types

METHODS = {}
for _name in ("plugin", "volume", "datapath", "task"):
    _module = importlib.import_module("xapi.storage.api.v5." + _name)
    METHODS.update(_module._methods)


def of_type(name, value):
    type_ = getattr(_types, name)
    type_.check(value)
    return type_.encode(value)


def of_call(name, value):
    method = METHODS[name]
    params = {}

    def far_away(*args):
        for param, arg in zip(method.params, args):
            params[param.name] = param.type.encode(arg)
        return value["result"]

    result = runtime.call(method, far_away, value["params"])
    return {"params": params, "result": method.result.encode(result)}


def answer(line):
    kind, name, text = line.split("\t")
    return {"type": of_type, "call": of_call}[kind](name, json.loads(text))


for _line in sys.stdin:
    try:
        print(json.dumps(answer(_line)))
    except (KeyError, ValueError, xapi.Rpc_light_failure) as e:
        print("! %r" % e)
