# -*- coding: utf-8 -*-
# Made by xmsg-idl from the declarations of tiny 1.2: change those instead.

from typing import Any, Dict, List, Optional

from xapi import *
from xapi import Rpc_light_failure
from xapi.storage.api.v5 import _types

class Glued(Rpc_light_failure):
    arg_0: str
    def __init__(self, arg_0: str) -> None: ...

class Box_skeleton:
    def __init__(self) -> None: ...
    def put(
        self,
        dbg: str,
        what: str,
    ) -> None: ...
    def look(
        self,
        dbg: str,
        colour: _types.colour,
        limits: Dict[str, str],
    ) -> List[_types.thing]: ...

class Box_test(Box_skeleton): ...

class Box_server_dispatcher:
    def __init__(self, impl: Box_skeleton) -> None: ...
    def put(self, args: Dict[str, Any]) -> Any: ...
    def look(self, args: Dict[str, Any]) -> Any: ...

class Box_commandline:
    impl: Box_skeleton
    dispatcher: Box_server_dispatcher
    def __init__(self, impl: Box_skeleton) -> None: ...
    def put(self) -> None: ...
    def look(self) -> None: ...

class box_server_dispatcher:
    def __init__(
        self,
        Box: Optional[Box_server_dispatcher] = ...,
    ) -> None: ...
    def _dispatch(self, method: str, params: List[Any]) -> Dict[str, Any]: ...

class box_server_test(box_server_dispatcher):
    def __init__(self) -> None: ...
