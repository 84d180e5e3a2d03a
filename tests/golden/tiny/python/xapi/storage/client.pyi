# -*- coding: utf-8 -*-
# Made by xmsg-idl from the declarations of tiny 1.2: change those instead.

from types import TracebackType
from typing import Any, Dict, List, Optional, Type, Union

from xapi.storage.api.v5 import _types
from xapi.storage.switch import BrokerGone as BrokerGone
from xapi.storage.switch import Error as Error
from xapi.storage.switch import NoSuchQueue as NoSuchQueue
from xapi.storage.switch import Refused as Refused
from xapi.storage.switch import Timeout as Timeout

class BackendError(Error):
    code: str
    params: List[Any]
    backtrace: Union[Dict[str, Any], str, None]
    def __init__(
        self,
        code: str,
        params: List[Any],
        backtrace: Union[Dict[str, Any], str, None] = ...,
    ) -> None: ...

class BadReply(Error):
    reply: Any
    def __init__(self, method: str, why: str, reply: Any) -> None: ...

class _Box:
    def put(
        self,
        *,
        what: str,
        dbg: str = ...,
    ) -> None: ...
    def look(
        self,
        *,
        colour: _types.colour,
        limits: Dict[str, str],
        dbg: str = ...,
    ) -> List[_types.thing]: ...

class Client:
    queue: str
    timeout: Optional[float]
    dbg: str
    datapath: Optional[str]
    Box: _Box
    def __init__(
        self,
        queue: str,
        socket: Optional[str] = ...,
        timeout: Optional[float] = ...,
        dbg: str = ...,
        datapath: Optional[str] = ...,
    ) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Client: ...
    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None: ...

def main(args: List[str]) -> int: ...
