# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

from typing import List, Literal, Tuple, Union, overload

@overload
def call(
    dbg: object,
    cmd_args: List[str],
    error: bool = ...,
    simple: Literal[True] = ...,
    expRc: int = ...,
) -> bytes: ...
@overload
def call(
    dbg: object,
    cmd_args: List[str],
    error: bool = ...,
    *,
    simple: Literal[False],
    expRc: int = ...,
) -> Tuple[bytes, bytes, int]: ...
@overload
def call(
    dbg: object,
    cmd_args: List[str],
    error: bool = ...,
    simple: bool = ...,
    expRc: int = ...,
) -> Union[bytes, Tuple[bytes, bytes, int]]: ...
