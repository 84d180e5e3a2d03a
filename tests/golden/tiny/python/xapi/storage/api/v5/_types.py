# -*- coding: utf-8 -*-
# Made by xmsg-idl from the declarations of tiny 1.2: change those instead.

"""The types of the interface."""

from xapi.storage.api import runtime as _runtime

label = _runtime.STRING
colour = _runtime.Variant("colour", [
    ("Plain", None),
    ("Mixed", _runtime.List(_runtime.Pair(label, _runtime.FLOAT))),
])
thing = _runtime.Record("thing", [
    _runtime.Field("label", label),
    _runtime.Field("size", _runtime.INT),
    _runtime.Field("weight", _runtime.INT64),
    _runtime.Field("fragile", _runtime.BOOL),
    _runtime.Field("colour", colour, optional=True),
    _runtime.Field("notes", _runtime.Map(label)),
])

# Words that Plugin.query may list.
FEATURES = [
    "BOX_PUT",
]
