"""What waits in memory for a moment until a thread handles it, many at a time."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from valetkey.processes.losses import Losses

_LOG: Final = logging.getLogger("valetkey")

T = TypeVar("T")


class Backlog(Generic[T]):
    """A bounded queue with a thread behind it. What does not fit, or cannot be handled, is counted and told."""

    def __init__(
        self,
        what: str,
        *,
        name: str,
        every_s: float,
        most: int,
        handle: Callable[[list[T], bool], int],
        end: Callable[[], None],
    ) -> None:
        """`what` is kept in it, as the log names it at the beginning of a sentence; `name` is the thread's.

        `handle` takes what has come by then, perhaps nothing, and whether it is the last call, and returns how many
        it could not keep; where it raises, it kept none. `end` is called after the last one. Both run in the thread.
        """
        self._what = what
        self._every_s = every_s
        self._most = most
        self._handle = handle
        self._end = end
        self._waiting: deque[T] = deque()
        self._dropped = 0
        self._failed = 0
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def add(self, item: T) -> None:
        """Have it handled soon. Waits for nothing; for one thread, that of the event loop."""
        if len(self._waiting) < self._most:
            self._waiting.append(item)
        else:
            self._dropped += 1

    @property
    def lost(self) -> int:
        """How many were not kept."""
        return self._dropped + self._failed

    def close(self, *, timeout_s: float) -> None:
        """Handle what waits, for at most that long."""
        self._is_closing.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        losses = Losses(self._what)
        is_last = False
        try:
            while not is_last:
                is_last = self._is_closing.wait(self._every_s)
                items = [self._waiting.popleft() for _ in range(len(self._waiting))]
                try:
                    self._failed += self._handle(items, is_last)
                except (sqlite3.Error, OSError):
                    self._failed += len(items)
                except Exception:  # noqa: BLE001 - what cannot be handled must not end what comes after it
                    self._failed += len(items)
                    _LOG.exception("%s could not be written.", self._what)
                losses.tell(self.lost, has_more=bool(items))
        finally:
            self._end()
