"""Uses on their way to the disk: written by the loop's own thread, and brought to the disk by another.

Each step of a statement hands the interpreter's lock over, and a worker that is busy gives it back late. Where a thread
wrote a group of 16 uses, that took 2.4 ms, of which the disk had 0.3. The loop's thread writes them in 0.1 ms into the
log, which is memory of the kernel as yet. That survives the end of this process, and nobody is answered before the
thread has brought it to the disk, for which it needs that lock twice.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from valetkey.links import statements
from valetkey.links.counters import Outcome, Use, spend_downloads
from valetkey.links.errors import LedgerClosedError
from valetkey.links.schema import WAIT_MS, open_log_writer
from valetkey.links.writer import explained
from valetkey.processes.file_lock import FileLock
from valetkey.processes.outcomes import hand_out

_MOST_UNMOVED: Final = 1024
"""Uses that are written into the log until it is moved into the file. Each touches two pages at most, of 4 KiB."""


GiveBack = Callable[[sqlite3.Connection], None]
"""Puts back what a use took that came to nothing, in the writer's transaction."""


@dataclass(slots=True)
class _Job:
    uses: Sequence[Use]
    given_back: Sequence[GiveBack]
    result: list[Outcome] | None
    """None: the thread is to write them, too."""
    future: asyncio.Future[list[Outcome]] | None
    error: Exception | None = None


class UseWriter:
    """Writes uses down, one group after the other."""

    def __init__(self, path: Path, lock: FileLock) -> None:
        """Open the ledger in `path`. `lock` is that of all who write, as an object that nobody else has."""
        self._lock = lock
        self._connection, self._log = open_log_writer(path)
        self._unmoved = 0
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="valetkey-uses", daemon=True)
        self._thread.start()

    def spend(self, uses: Sequence[Use], given_back: Sequence[GiveBack]) -> asyncio.Future[list[Outcome]]:
        """Put back what is given back, then take uses, and return what resolves with their outcomes, which are durable then.

        The next group may come when that has resolved.

        Raises:
            LedgerClosedError: nothing more is accepted.
        """
        if self._is_closed:
            raise LedgerClosedError
        future: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(uses, given_back, self._write_at_once(uses, given_back), future))
        return future

    def accept_no_more(self) -> None:
        """Refuse what comes from now on. In the thread that spends."""
        self._is_closed = True

    def close(self) -> None:
        """Carry out what is queued, and end the thread. May wait; nothing more is accepted by then."""
        self._jobs.put(None)
        self._thread.join()
        self._connection.close()
        os.close(self._log)
        self._lock.close()

    def _write_at_once(self, uses: Sequence[Use], given_back: Sequence[GiveBack]) -> list[Outcome] | None:
        """Write uses into the log; None where that would have to wait, or fails: nothing is changed then."""
        try:
            if self._unmoved >= _MOST_UNMOVED or not self._lock.take_at_once():
                return None
        except OSError:
            return None
        try:
            return self._write(uses, given_back)
        except Exception:  # noqa: BLE001 - the thread tries again, and tells everybody what is wrong
            return None
        finally:
            self._lock.release()

    def _write(self, uses: Sequence[Use], given_back: Sequence[GiveBack]) -> list[Outcome]:
        connection = self._connection
        try:
            connection.execute(statements.BEGIN_WRITE)
            for change in given_back:
                change(connection)
            outcomes = spend_downloads(connection, uses)
            connection.execute(statements.COMMIT)
        finally:
            if connection.in_transaction:
                connection.execute(statements.ROLLBACK)
        self._unmoved += len(uses) + len(given_back)
        return outcomes

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                if job.result is None:
                    job.result = self._write_patiently(job)
                os.fdatasync(self._log)
            except Exception as error:  # noqa: BLE001 - without the thread everybody would wait for ever
                job.error = explained(error)
            hand_out([job])

    def _write_patiently(self, job: _Job) -> list[Outcome]:
        with self._lock.hold():
            self._connection.execute(statements.wait_for_others(WAIT_MS))
            try:
                outcomes = self._write(job.uses, job.given_back)
                if self._unmoved >= _MOST_UNMOVED:
                    self._connection.execute(statements.MOVE_LOG)
                    self._unmoved = 0
            finally:
                self._connection.execute(statements.wait_for_others(0))
        return outcomes
