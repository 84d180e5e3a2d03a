# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

import argparse as argparse
import json as json
import logging as logging
import sys as sys
import traceback as traceback
from typing import (Any, Dict, List, NoReturn, Optional, Sequence, Set, Tuple,
                    Type)

_TEXT: Tuple[Type[str], ...]
_machinery: Set[str]
long = int
unicode = str

def get_str(value: Any) -> str: ...
def success(result: Any) -> Dict[str, Any]: ...
def is_long(x: Any) -> bool: ...
def handle_exception(
    e: Exception, code: Optional[str] = ..., params: Optional[List[str]] = ...
) -> NoReturn: ...

class MissingDependency(Exception):
    missing: str
    def __init__(self, missing: str) -> None: ...

class Rpc_light_failure(Exception):
    name: str
    args: Tuple[Any, ...]
    def __init__(self, name: str, args: Sequence[Any]) -> None: ...
    def failure(self) -> Dict[str, Any]: ...

class Unimplemented(Rpc_light_failure):
    def __init__(self, name: str) -> None: ...

class InternalError(Rpc_light_failure):
    def __init__(self, error: str) -> None: ...

class UnmarshalException(InternalError):
    path: str
    def __init__(self, thing: str, ty: str, desc: str) -> None: ...

class TypeError(InternalError):
    path: str
    def __init__(self, expected: str, actual: str) -> None: ...

class UnknownMethod(InternalError):
    def __init__(self, name: str) -> None: ...

class XenAPIException(Exception):
    code: str
    params: List[str]
    def __init__(self, code: str, params: List[str]) -> None: ...

class ListAction(argparse.Action):
    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        nargs: int = ...,
        **kwargs: Any,
    ) -> None: ...
