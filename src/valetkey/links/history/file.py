"""The history's file, and connections to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from valetkey.processes.file_lock import PRIVATE_FILE_MODE, FileLock
from valetkey.processes.migrations import bring_up, found_format
from valetkey.processes.sqlite_file import connect, connect_reader, connect_writer

FILE_NAME: Final = "history.sqlite"
LOCK_NAME: Final = "history.lock"
TRIM_LOCK_NAME: Final = "history.trim.lock"
"""Another one: to trim may take minutes, and a worker that starts must not wait for that."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_WAIT_S: Final = 10
_CACHE_KIB: Final = 16 * 1024
"""The ends of a dozen indexes, where the newest rows go."""


def prepare(folder: Path) -> None:
    """Make the history's file in the folder, or bring it to the newest format. Safe in several processes at once.

    Raises:
        NewerFormatError
        OSError, sqlite3.Error
    """
    path = folder / FILE_NAME
    # SQLite would make it readable for everybody; its -wal and -shm take the mode of this one.
    path.touch(PRIVATE_FILE_MODE, exist_ok=True)
    with _hold_lock(folder):
        connection = connect(path, wait_s=_WAIT_S)
        try:
            if found_format(connection) == 0:
                # What is trimmed goes back to the disk; this must be said before the first table.
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("PRAGMA journal_mode = WAL")
            bring_up(connection, _MIGRATIONS)
        finally:
            connection.close()


def open_writer(folder: Path) -> sqlite3.Connection:
    """Return a connection whose commits are durable when they return. It may change threads, one at a time."""
    connection = connect_writer(folder / FILE_NAME, wait_s=_WAIT_S)
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection


def open_reader(folder: Path) -> sqlite3.Connection:
    """Return a connection that cannot write. It may change threads, one at a time."""
    return connect_reader(folder / FILE_NAME, wait_s=_WAIT_S)


@contextmanager
def take_trim_lock(folder: Path) -> Iterator[bool]:
    """Hold the lock of the one process that trims; False where another one has it."""
    lock = FileLock(folder / TRIM_LOCK_NAME)
    try:
        yield lock.take_at_once()
    finally:
        lock.close()


@contextmanager
def _hold_lock(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / LOCK_NAME)
    try:
        with lock.hold():
            yield
    finally:
        lock.close()
