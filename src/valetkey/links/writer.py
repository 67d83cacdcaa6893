"""Group commit for the ledger: one thread of the process writes, and what waits meanwhile shares its next fsync."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from valetkey.links import statements
from valetkey.links.errors import LedgerClosedError, LedgerFailedError
from valetkey.processes.file_lock import FileLock
from valetkey.processes.marks import Marks
from valetkey.processes.outcomes import hand_out

T = TypeVar("T")

Changed = set[tuple[str, str]]
"""The marks of what a change alters, so that no process goes on with what it had read."""

Change = Callable[[sqlite3.Connection, Changed], T]
"""Runs in the writer's thread, inside a transaction. May run again if another one spoiled that."""

_MOST_CHANGES: Final = 512


@dataclass(slots=True, eq=False)
class _Job:
    change: Change[Any]
    future: asyncio.Future[Any] | None
    result: Any = None
    error: Exception | None = None


class Writer:
    """The thread that writes."""

    def __init__(self, connection: sqlite3.Connection, lock: FileLock, marks: Marks) -> None:
        self._connection = connection
        self._lock = lock
        self._marks = marks
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="valetkey-ledger", daemon=True)
        self._thread.start()

    def submit(self, change: Change[T]) -> asyncio.Future[T]:
        """Queue a change and return what resolves once it is durable. It happens even if nobody waits any more.

        Raises:
            LedgerClosedError: nothing more is accepted.
        """
        if self._is_closed:
            raise LedgerClosedError
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(change, future))
        return future

    def post(self, change: Change[object]) -> None:
        """Queue a change that nobody waits for; a failure of it is forgotten."""
        if not self._is_closed:
            self._jobs.put(_Job(change, None))

    def close(self) -> None:
        """Carry out what is queued, and end the thread. May wait."""
        self._is_closed = True
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._jobs.get()) is not None:
            jobs, is_last = [first], False
            while len(jobs) < _MOST_CHANGES:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    is_last = True
                    break
                jobs.append(following)
            try:
                with self._lock.hold():
                    self._commit(jobs)
            except Exception as error:  # noqa: BLE001 - without the thread everybody would wait for ever
                for job in jobs:
                    job.error = explained(error)
            hand_out(jobs)
            if is_last:
                return

    def _commit(self, jobs: Sequence[_Job]) -> None:
        try:
            changed = self._run_all(jobs)
            with self._marks.changing(changed):
                self._connection.execute(statements.COMMIT)
        finally:
            if self._connection.in_transaction:
                self._connection.execute(statements.ROLLBACK)

    def _run_all(self, jobs: Sequence[_Job]) -> Changed:
        """Run the changes in one transaction that is left open, and return the marks of what they alter."""
        changed: Changed = set()
        self._connection.execute(statements.BEGIN_WRITE)
        # A savepoint is two statements more, and most of what fails has changed nothing by then.
        if all(self._apply(job, changed) for job in jobs):
            return changed
        changed.clear()
        self._connection.execute(statements.ROLLBACK)
        self._connection.execute(statements.BEGIN_WRITE)
        for job in jobs:
            self._connection.execute(statements.OPEN_CHANGE)
            if not self._apply(job, changed):
                self._connection.execute(statements.UNDO_CHANGE)
            self._connection.execute(statements.KEEP_CHANGE)
        return changed

    def _apply(self, job: _Job, changed: Changed) -> bool:
        """Run one change. False: it failed, and what it had changed by then is still there.

        Other errors of SQLite's than a broken constraint go up.
        """
        changed_rows = self._connection.total_changes
        own: Changed = set()
        job.error = None
        try:
            job.result = job.change(self._connection, own)
        except sqlite3.Error as error:
            if not isinstance(error, sqlite3.IntegrityError):
                raise
            job.error = explained(error)
        except Exception as error:  # noqa: BLE001 - carried to the caller, who raises it
            job.error = error
        else:
            changed |= own
            return True
        return self._connection.total_changes == changed_rows


def explained(error: Exception) -> LedgerFailedError:
    """Return what callers are told where the ledger cannot be written."""
    failed = LedgerFailedError(f"The ledger of links cannot be written: {error}")
    failed.__cause__ = error
    return failed
