"""Downloads that wait for their use: those that come at about the same time are one group, two statements and a sync.

While one group is on its way, the next one gathers.
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
from valetkey.processes.outcomes import Soon

MOST_TOGETHER: Final = 256
"""Uses in a group, which hold up the loop for 4 µs each. Each binds six values, and as it is mostly built SQLite takes
32,766 of them in a statement.
"""

ENOUGH_TOGETHER: Final = 64
"""Uses for which a group goes without waiting for more: in a larger one, each costs hardly less."""

MOST_GATHERING_S: Final = 0.005
"""For how long a group waits for more, where each turn of the loop brings some."""


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
        """A group is on its way, or gathers."""

    def spend(self, use: Use) -> Soon[Spent]:
        """Queue a use and return what resolves once it is durable, or refused."""
        loop = asyncio.get_running_loop()
        future: Soon[Spent] = Soon(loop=loop)
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
            loop.call_soon(self._gather, loop, 0, loop.time() + MOST_GATHERING_S)

    def _gather(self, loop: asyncio.AbstractEventLoop, before: int, until_s: float) -> None:
        """Write what waits, unless the last turn of the loop has brought more of it: the next one may, too.

        Clients that are answered together ask again together, and the loop hears of that over several turns. In two groups,
        their uses would cost half as much again.
        """
        count = len(self._waiting.uses)
        if before < count < ENOUGH_TOGETHER and loop.time() < until_s:
            loop.call_soon(self._gather, loop, count, until_s)
        else:
            self._write()

    async def settle(self) -> None:
        """Return when all that is queued by now has been written, or has failed."""
        if self._is_busy:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.onlookers.append(future)
            await future

    async def close(self) -> None:
        """Refuse what comes from now on, once all that is queued has been written, and what is given back upon that."""
        while self._is_busy:
            await self.settle()
        self._writer.accept_no_more()

    def _write(self) -> None:
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
        self._is_busy = False
        if self._waiting.uses or self._waiting.given_back or self._waiting.onlookers:
            self._write_soon(written.get_loop())
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
