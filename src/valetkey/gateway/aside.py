"""Work for one request that takes milliseconds, and is not to keep all others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

QUICK: Final = 500
"""As many elements, parts or keys are dealt with in less time than it takes to hand them to a thread and back."""

_QUICK_BYTES: Final = 32 * 1024


async def aside(work: Callable[[], T], *, size: int) -> T:
    """Return what `work` comes to, done in a thread where its `size` says that it takes long."""
    return work() if size <= QUICK else await asyncio.to_thread(work)


async def parsed(document: bytes, parse: Callable[[bytes], T]) -> T:
    """Return what `parse` makes of a document that came in, likewise."""
    if len(document) <= _QUICK_BYTES:
        return parse(document)
    return await asyncio.to_thread(parse, document)
