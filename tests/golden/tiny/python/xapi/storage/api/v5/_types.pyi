# -*- coding: utf-8 -*-
# Made by xmsg-idl from the declarations of tiny 1.2: change those instead.

from typing import (Any, Dict, List, Literal, Optional, Tuple, TypedDict,
                    Union)

from typing_extensions import NotRequired

FEATURES: List[str]

label = str

colour = Union[
    Literal["Plain"],
    Tuple[Literal["Mixed"], List[Union[Tuple[label, float], List[Any]]]],
    List[Any],
]

thing = TypedDict("thing", {
    "label": label,
    "size": int,
    "weight": int,
    "fragile": bool,
    "colour": NotRequired[Optional[colour]],
    "notes": Dict[str, label],
})
