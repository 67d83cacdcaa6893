"""Writing the history down: attempts wait in memory for a moment, and a thread writes them together."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import Final, Generic, TypeVar

from valetkey.links.history import statements
from valetkey.links.history.file import open_writer
from valetkey.links.history.losses import Losses
from valetkey.links.history.model import Attempt, Party
from valetkey.links.history.rows import values_of

_LOG: Final = logging.getLogger("valetkey")

WRITE_EVERY_S: Final = 0.5
"""So a crash loses less than a second."""

MOST_WAITING: Final = 50_000
"""Attempts that may wait for a slow disk, about 30 MB; what comes then is counted and not kept."""

_MOST_PARTIES: Final = 4096

T = TypeVar("T")


class Recorder(Generic[T]):
    """Keeps attempts. `add` is for one thread, that of the event loop, and waits for nothing."""

    def __init__(self, folder: Path, *, finish: Callable[[T], Attempt]) -> None:
        """`finish` makes an attempt of what was added; it runs in the thread that writes."""
        self._folder = folder
        self._finish = finish
        self._waiting: deque[T] = deque()
        self._dropped = 0
        self._failed = 0
        self._is_closing = threading.Event()
        self._writer = threading.Thread(target=self._write_all, name="history", daemon=True)
        self._writer.start()

    def add(self, raw: T) -> None:
        """Keep an attempt soon."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(raw)
        else:
            self._dropped += 1

    @property
    def lost(self) -> int:
        """How many attempts could not be kept."""
        return self._dropped + self._failed

    def close(self, *, timeout_s: float) -> None:
        """Write what waits, for at most that long."""
        self._is_closing.set()
        self._writer.join(timeout_s)

    def _write_all(self) -> None:
        pen = Pen(self._folder)
        losses = Losses("The history")
        is_last = False
        while not is_last:
            is_last = self._is_closing.wait(WRITE_EVERY_S)
            raws = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if raws and not self._write(pen, raws):
                self._failed += len(raws)
            losses.tell(self.lost, has_more=bool(raws))
        pen.close()

    def _write(self, pen: Pen, raws: Sequence[T]) -> bool:
        attempts = (self._finish(raw) for raw in raws)
        try:
            pen.write(attempts)
        except (sqlite3.Error, OSError):
            return False
        except Exception:  # noqa: BLE001 - an attempt that cannot be kept must not end the history
            _LOG.exception("Attempts could not be kept.")
            return False
        return True


class Pen:
    """The writer's connection, and the numbers of the parties that it has met."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection: sqlite3.Connection | None = None
        self._parties: dict[Party, int] = {}

    def write(self, attempts: Iterator[Attempt]) -> None:
        """Keep all of them, or none.

        Raises:
            sqlite3.Error, OSError
        """
        if self._connection is None:
            self._connection = open_writer(self._folder)
        cursor = self._connection.cursor()
        cursor.execute(statements.BEGIN)
        try:
            while rows := [
                self._row(cursor, attempt) for attempt in islice(attempts, statements.ROWS_AT_ONCE)
            ]:
                cursor.execute(statements.insert(len(rows)), list(chain.from_iterable(rows)))
            cursor.execute(statements.COMMIT)
        except BaseException:
            # Numbers that were given in it are given again.
            self._parties.clear()
            with suppress(sqlite3.Error):
                cursor.execute(statements.ROLLBACK)
            raise

    def _row(self, cursor: sqlite3.Cursor, attempt: Attempt) -> tuple[object, ...]:
        return values_of(
            attempt,
            party=self._number(cursor, attempt.party),
            account=self._number(cursor, Party(attempt.party.account)),
            owner=self._number(cursor, attempt.owner),
        )

    def _number(self, cursor: sqlite3.Cursor, party: Party) -> int:
        number = self._parties.get(party)
        if number is None:
            cursor.execute(statements.ADD_PARTY, party)
            found: int = cursor.execute(statements.FIND_PARTY, party).fetchone()[0]
            if len(self._parties) >= _MOST_PARTIES:
                self._parties.clear()
            self._parties[party] = number = found
        return number

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
