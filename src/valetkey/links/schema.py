"""Connections to the ledger, and bringing it to the newest format."""

import os
import sqlite3
from pathlib import Path
from typing import Final

from valetkey.links.errors import LedgerFailedError
from valetkey.processes.migrations import NewerFormatError, bring_up, found_format
from valetkey.processes.sqlite_file import connect, connect_reader, connect_writer

FILE_NAME: Final = "links.sqlite"

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_WAIT_S: Final = 60

WAIT_MS: Final = _WAIT_S * 1000
"""How long a transaction waits for one of another program."""


def open_writer(path: Path) -> sqlite3.Connection:
    """Return a connection whose commits are durable when they return."""
    return connect_writer(path, wait_s=_WAIT_S)


def open_log_writer(path: Path) -> tuple[sqlite3.Connection, int]:
    """Return a connection whose commits reach the log and no further, and a descriptor of the log for `fdatasync`.

    It waits for nobody, and leaves it to the caller to move the log into the file.
    """
    connection = connect_writer(path, wait_s=0)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    # With the first look at the file the log is there, and stays as long as the connection.
    found_format(connection)
    return connection, os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC)


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write. It may change threads, but serves one at a time."""
    return connect_reader(path, wait_s=_WAIT_S)


def migrate(path: Path) -> None:
    """Bring the ledger to the newest format; the caller holds the lock and has made the file.

    Raises:
        LedgerFailedError: a later program wrote it. Nothing is changed then.
    """
    connection = connect(path, wait_s=_WAIT_S)
    try:
        if found_format(connection) == 0:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        bring_up(connection, _MIGRATIONS)
    except NewerFormatError as error:
        raise LedgerFailedError(f"{path} was written by a newer version of Valetkey.") from error
    finally:
        connection.close()
