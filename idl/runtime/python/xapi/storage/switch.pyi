# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

from typing import List, Optional, Sequence

SOCKET: str

class Error(Exception): ...

class BrokerGone(Error):
    path: str
    sent: bool
    def __init__(
        self, path: str, why: object, sent: bool = ...
    ) -> None: ...

class Timeout(Error):
    queue: str
    seconds: float
    message: Optional[int]
    def __init__(
        self, queue: str, seconds: float, message: Optional[int] = ...
    ) -> None: ...

class NoSuchQueue(Error):
    queue: str
    similar: List[str]
    def __init__(self, queue: str, similar: Sequence[str] = ...) -> None: ...

class Refused(Error):
    status: int
    text: str
    def __init__(self, status: int, text: str) -> None: ...

class Switch:
    path: str
    def __init__(self, path: Optional[str] = ...) -> None: ...
    def close(self) -> None: ...
    def queues(self, prefix: str = ...) -> List[str]: ...
    def rpc(
        self, queue: str, payload: str, seconds: Optional[float] = ...
    ) -> str: ...
