"""One operation of the admin API, as a row of its table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, NamedTuple

from valetkey.console.call import AFTER, LIMIT, AdminCall, Json
from valetkey.console.schema import Member, Shape

Handler = Callable[[AdminCall], Awaitable[Json]]
StreamHandler = Callable[[AdminCall], Awaitable[AsyncIterator[bytes]]]

NOTHING: Final = Shape("Nothing", {})
PAGE: Final = (AFTER, LIMIT)
"""What every listing asks for."""


class Route(NamedTuple):
    """One operation."""

    method: str
    path: str
    """Below the API's own; a name in braces stands for one part."""
    run: Handler | StreamHandler
    summary: str
    gives: tuple[Shape, ...] = (NOTHING,)
    """One of these."""
    asks: tuple[Member, ...] = ()
    """Parameters of the query."""
    takes: tuple[Member, ...] = ()
    """Members of the body."""
    takes_lines: bool = False
    """The body is a list of such objects, a line each, and so is the answer, which begins before all is done."""
