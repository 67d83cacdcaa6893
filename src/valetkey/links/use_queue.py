"""Downloads on their way to the writer, which takes their uses together.

Each step of a statement hands the interpreter's lock over, and a worker that is busy gives it back late. So a use must
not take steps of its own: what comes while a group is being written is the next group, and a group of any size is two
statements and one fsync.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from valetkey.links.counters import Outcome, Use, spend_downloads
from valetkey.links.errors import LedgerClosedError
from valetkey.links.model import Spent
from valetkey.links.writer import Writer

MOST_TOGETHER: Final = 1000
"""Uses in a group. Each binds six values, and as it is mostly built SQLite takes 32,766 of them in a statement."""


class UseQueue:
    """What waits for its use. For one thread: that of the event loop."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: list[tuple[Use, asyncio.Future[Spent]]] = []
        self._is_busy = False
        """A group is on its way, or will be once the loop has done what is ready now."""

    def spend(self, use: Use) -> asyncio.Future[Spent]:
        """Queue a use and return what resolves once it is durable, or refused."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Spent] = loop.create_future()
        self._waiting.append((use, future))
        if not self._is_busy:
            self._is_busy = True
            loop.call_soon(self.write)
        return future

    def write(self) -> None:
        """Hand over what waits, or as much of it as may go together."""
        waiting, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
        self._is_busy = bool(waiting)
        if not waiting:
            return
        uses, futures = zip(*waiting, strict=True)
        try:
            written = self._writer.submit(partial(spend_downloads, uses=uses))
        except LedgerClosedError as error:
            self._is_busy = False
            _fail((*futures, *(future for _, future in self._waiting)), error)
            self._waiting.clear()
        else:
            written.add_done_callback(partial(self._hand_out, futures))

    def _hand_out(
        self, futures: Sequence[asyncio.Future[Spent]], written: asyncio.Future[list[Outcome]]
    ) -> None:
        self.write()
        error = written.exception()
        if error is not None:
            _fail(futures, error)
            return
        for future, outcome in zip(futures, written.result(), strict=True):
            if future.done():
                continue
            if isinstance(outcome, Spent):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)


def _fail(futures: Sequence[asyncio.Future[Spent]], error: BaseException) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
