"""Group commit: one thread of the process writes to the catalog.

Changes that wait while a transaction is being made durable share the next one, and its one fsync. One that fails
does not hurt its neighbours: most fail before they have changed anything, and if one did not, the whole group is
run again, each in a savepoint of its own.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, TypeVar

from valetkey.processes.file_lock import FileLock
from valetkey.processes.marks import Marks
from valetkey.processes.outcomes import hand_out
from valetkey.store import statements
from valetkey.store.blobs import NewBlob
from valetkey.store.contents import Effects
from valetkey.store.errors import OutOfSpaceError, StoreClosedError
from valetkey.store.jobs import Change, Job, JobQueue
from valetkey.store.remover import Remover
from valetkey.store.space import MIB, Room, is_full

T = TypeVar("T")

# What a few rows and their index pages may add to the log.
_ROWS_BYTES: Final = 16 * 1024
# Readers that overlap without a pause keep SQLite from reusing the log. Beyond this the writer waits for them.
_LONG_LOG_BYTES: Final = 64 * MIB
_SHORT_LOG_BYTES: Final = MIB


class Writer:
    """The thread that writes. Its methods may be called from any thread unless they say otherwise."""

    def __init__(
        self, connection: sqlite3.Connection, lock: FileLock, room: Room, remover: Remover, marks: Marks
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._room = room
        self._remover = remover
        self._marks = marks
        self._jobs = JobQueue()
        self._is_closed = False
        self._empty_log_above = _LONG_LOG_BYTES
        self._thread = threading.Thread(target=self._run, name="valetkey-writer", daemon=True)
        self._thread.start()

    def submit(
        self, change: Change[T], *, room_bytes: int | None, blob: NewBlob | None = None
    ) -> asyncio.Future[T]:
        """Queue a change, from an event loop's thread, and return what resolves once it is durable.

        From here on the change happens wholly or not at all, whether or not anybody still waits for it. If it
        fails, its blob is removed.

        Raises:
            StoreClosedError: nothing more is accepted. The blob stays with the caller.
        """
        if self._is_closed:
            raise StoreClosedError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put_soon(Job(change=change, room_bytes=room_bytes, blob=blob, future=future), loop)
        return future

    def post(self, change: Change[object]) -> None:
        """Queue a change that makes room and that nobody waits for."""
        self._jobs.put(Job(change=change, room_bytes=None, blob=None, future=None))

    def refuse_more(self) -> None:
        """From now on `submit` raises; `post` goes on until `stop`."""
        self._is_closed = True

    def stop(self) -> None:
        """Write what is queued, and end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def settle(self) -> None:
        """Wait until what is queued now has been written and handed to the remover."""
        done = threading.Event()
        self._jobs.put(Job(change=_change_nothing, room_bytes=None, blob=None, future=None, done=done))
        done.wait()

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            jobs, goes_on = self._jobs.next_group()
            if jobs:
                self._write_group(jobs)
                self._hand_out(jobs)

    def _write_group(self, jobs: Sequence[Job]) -> None:
        try:
            with self._lock.hold():
                admitted = self._admit(jobs)
                if admitted:
                    self._commit(admitted)
                if self._room.log_bytes() > self._longest_log_bytes():
                    self._empty_log()
                    self._empty_log_above = max(_LONG_LOG_BYTES, 2 * self._room.log_bytes())
        except Exception as error:  # noqa: BLE001 - carried to the callers; without the thread they would wait forever
            self._roll_back()
            self._fail([job for job in jobs if job.error is None and not job.is_committed], error)

    def _longest_log_bytes(self) -> int:
        # On a full disk the log itself eats the reserve, which deletes need to go through.
        return self._empty_log_above if self._room.available_bytes() > 0 else _SHORT_LOG_BYTES

    def _admit(self, jobs: Sequence[Job]) -> list[Job]:
        """Refuse what would touch the disk's reserve, and return the rest."""
        # Twice: what is written to the log is written to the catalog later.
        needs = [0 if job.room_bytes is None else 2 * (job.room_bytes + _ROWS_BYTES) for job in jobs]
        room = self._room.available_bytes()
        if 0 < sum(needs) > room:
            self._remover.wait()
            self._empty_log()
            room = self._room.available_bytes() + self._reusable_bytes()
        admitted = []
        for job, need in zip(jobs, needs, strict=True):
            if need > max(room, 0):
                job.error = OutOfSpaceError()
                continue
            room -= need
            admitted.append(job)
        return admitted

    def _reusable_bytes(self) -> int:
        """Return what may be written although the disk is full, since the catalog has free pages to take it.

        The log still has to hold it for a moment, in the reserve; no more than half of that is lent.
        """
        (free_bytes,) = self._connection.execute(statements.FREE_BYTES).fetchone()
        # Twice, since what is asked for counts the log and the catalog.
        return min(2 * int(free_bytes), self._room.reserve_bytes)

    def _commit(self, jobs: Sequence[Job]) -> None:
        try:
            self._run_all(jobs)
        except sqlite3.Error as error:
            self._retry_alone(jobs, error)
            return
        try:
            with self._marks.changing(place for job in jobs for place in job.effects.keys):
                self._connection.execute(statements.COMMIT)
        except sqlite3.Error as error:
            if is_full(error):
                self._retry_alone(jobs, error)
                return
            self._roll_back()
            self._fail(jobs, error)
            for job in jobs:
                job.is_in_doubt = True
        else:
            for job in jobs:
                job.is_committed = True

    def _run_all(self, jobs: Sequence[Job]) -> None:
        """Run the changes in one transaction that is left open. An error of SQLite's goes up: it may have undone all."""
        self._connection.execute(statements.BEGIN_WRITE)
        # A savepoint keeps copies of pages and is two statements more: of a small PUT, a fifth of the writer's time.
        if all(self._apply(job) for job in jobs):
            return
        self._connection.execute(statements.ROLLBACK)
        self._connection.execute(statements.BEGIN_WRITE)
        for job in jobs:
            self._apply_guarded(job)

    def _apply(self, job: Job) -> bool:
        """Run one change. False: it failed, and what it had changed by then is still there."""
        changed_rows = self._connection.total_changes
        job.effects = Effects()
        job.error = None
        try:
            job.result = job.change(self._connection, job.effects)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - carried to the caller, who raises it
            job.error = error
            job.effects = Effects()
            return self._connection.total_changes == changed_rows
        return True

    def _apply_guarded(self, job: Job) -> None:
        """Run one change that may have to be undone."""
        self._connection.execute(statements.OPEN_CHANGE)
        if not self._apply(job):
            self._connection.execute(statements.UNDO_CHANGE)
        self._connection.execute(statements.KEEP_CHANGE)

    def _retry_alone(self, jobs: Sequence[Job], error: sqlite3.Error) -> None:
        """After a spoiled transaction: one for each change, so that only the guilty one fails.

        The log grows until it is emptied, so on a full disk that comes first, and gives each change its chance.
        """
        self._roll_back()
        is_retry = len(jobs) == 1 and jobs[0].is_alone
        if is_retry or (len(jobs) == 1 and not is_full(error)):
            self._fail(jobs, error)
            return
        if is_full(error):
            self._empty_log()
        for job in jobs:
            job.is_alone = True
            self._commit([job])

    def _fail(self, jobs: Sequence[Job], error: Exception) -> None:
        for job in jobs:
            if isinstance(error, sqlite3.Error | OSError):
                job.error = self._room.explain(error)
                job.error.__cause__ = error
            else:
                job.error = error

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute(statements.ROLLBACK)

    def _empty_log(self) -> None:
        """Move the log into the catalog, unless somebody reads for long, or the catalog has no room to grow."""
        self._connection.execute(statements.WAIT_BRIEFLY)
        with suppress(sqlite3.OperationalError):
            self._connection.execute(statements.EMPTY_LOG).fetchall()
        self._connection.execute(statements.WAIT_LONG)

    def _hand_out(self, jobs: Sequence[Job]) -> None:
        """Tell the callers, then let go of blobs: of the new ones to their rows, of the old ones for good."""
        for job in jobs:
            if job.blob is not None and (job.error is None or job.is_in_doubt):
                job.blob.release()
        hand_out(jobs)
        for job in jobs:
            self._clear_up(job)

    def _clear_up(self, job: Job) -> None:
        if job.blob is not None and job.error is not None and not job.is_in_doubt:
            self._remover.abandon(job.blob)
        if job.error is None and job.effects.leaves_files:
            self._remover.take(job.effects)
        if job.done is not None:
            job.done.set()


def _change_nothing(connection: sqlite3.Connection, effects: Effects) -> None:
    """Stands in the queue, to be waited for."""
