"""Downloads that wait for their use: what comes while a group is being written is the next one.

A group of any size is two statements and one fsync.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from valetkey.links.counters import Outcome, Use
from valetkey.links.errors import LedgerClosedError
from valetkey.links.model import Spent
from valetkey.links.use_writer import GiveBack, UseWriter

MOST_TOGETHER: Final = 256
"""Uses in a group, which hold up the loop for 4 µs each. Each binds six values, and as it is mostly built SQLite takes
32,766 of them in a statement.
"""


@dataclass(slots=True)
class _Group:
    uses: list[Use] = field(default_factory=list)
    futures: list[asyncio.Future[Spent]] = field(default_factory=list)
    """One for each use."""
    given_back: list[GiveBack] = field(default_factory=list)
    onlookers: list[asyncio.Future[None]] = field(default_factory=list)
    """Who wants to know when it has been written, or has failed."""


class UseQueue:
    """What waits for its use. For one thread: that of the event loop."""

    def __init__(self, writer: UseWriter) -> None:
        self._writer = writer
        self._waiting = _Group()
        self._is_busy = False
        """A group is on its way, or will be once the loop has done what is ready now."""

    def spend(self, use: Use) -> asyncio.Future[Spent]:
        """Queue a use and return what resolves once it is durable, or refused."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Spent] = loop.create_future()
        waiting = self._waiting
        waiting.uses.append(use)
        waiting.futures.append(future)
        self._write_soon(loop)
        return future

    def give_back(self, change: GiveBack) -> None:
        """Queue what puts a use back. Nobody waits for it, but each use that is spent from now on comes after it."""
        self._waiting.given_back.append(change)
        self._write_soon(asyncio.get_running_loop())

    def _write_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._is_busy:
            self._is_busy = True
            loop.call_soon(self.write)

    async def settle(self) -> None:
        """Return when all that is queued by now has been written, or has failed."""
        if self._is_busy:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.onlookers.append(future)
            await future

    def write(self) -> None:
        """Hand over what waits, or as much of it as may go together."""
        group, self._waiting = self._waiting, _Group()
        if len(group.uses) > MOST_TOGETHER:
            self._waiting = _Group(
                group.uses[MOST_TOGETHER:], group.futures[MOST_TOGETHER:], onlookers=group.onlookers
            )
            group = _Group(group.uses[:MOST_TOGETHER], group.futures[:MOST_TOGETHER], group.given_back)
        self._is_busy = bool(group.uses or group.given_back)
        if not self._is_busy:
            _release(group.onlookers)
            return
        try:
            written = self._writer.spend(group.uses, group.given_back)
        except LedgerClosedError as error:
            self._is_busy = False
            _fail(group, error)
            _fail(self._waiting, error)
            self._waiting = _Group()
        else:
            written.add_done_callback(partial(self._hand_out, group))

    def _hand_out(self, group: _Group, written: asyncio.Future[list[Outcome]]) -> None:
        self.write()
        error = written.exception()
        if error is not None:
            _fail(group, error)
            return
        for future, outcome in zip(group.futures, written.result(), strict=True):
            if future.done():
                continue
            if isinstance(outcome, Spent):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)
        _release(group.onlookers)


def _fail(group: _Group, error: BaseException) -> None:
    for future in group.futures:
        if not future.done():
            future.set_exception(error)
    _release(group.onlookers)


def _release(onlookers: Iterable[asyncio.Future[None]]) -> None:
    for future in onlookers:
        if not future.done():
            future.set_result(None)
