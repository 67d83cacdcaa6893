"""Telling those who wait in event loops what became of what a thread has done for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Soon(asyncio.Future[T]):
    """What comes in any case, and within moments, so that nobody who waits for it need be cancelled.

    Whoever runs a coroutine that waits for this need not make a task for the rest of it.
    """


class Outcome(Protocol):
    """Something that is done: with a result, or with an error."""

    future: asyncio.Future[Any] | None
    """Who waits; None: nobody."""
    result: Any
    error: Exception | None


def hand_out(outcomes: Sequence[Outcome]) -> None:
    """Tell those who wait, each loop once for all of its own. From any thread."""
    waiting: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.future is not None:
            waiting.setdefault(outcome.future.get_loop(), []).append(outcome)
    for loop, theirs in waiting.items():
        # A loop that has been closed took everybody who waited with it.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, theirs)


def _resolve(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        future = outcome.future
        if future is None or future.done():
            continue
        if outcome.error is not None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.result)
