"""Connections to the ledger, and bringing it to the newest format."""

import sqlite3
from pathlib import Path
from typing import Final

from valetkey.links.errors import LedgerFailedError
from valetkey.processes.migrations import NewerFormatError, bring_up, found_format

FILE_NAME: Final = "links.sqlite"

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOG_LIMIT_BYTES: Final = 8 * 1024 * 1024
_WAIT_LONG: Final = "PRAGMA busy_timeout = 60000"


def open_writer(path: Path) -> sqlite3.Connection:
    """Return a connection whose commits are durable when they return."""
    connection = _connect(path)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT_BYTES}")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write. It may change threads, but serves one at a time."""
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def migrate(path: Path) -> None:
    """Bring the ledger to the newest format; the caller holds the lock and has made the file.

    Raises:
        LedgerFailedError: a later program wrote it. Nothing is changed then.
    """
    connection = _connect(path)
    try:
        if found_format(connection) == 0:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        bring_up(connection, _MIGRATIONS)
    except NewerFormatError as error:
        raise LedgerFailedError(f"{path} was written by a newer version of Valetkey.") from error
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(_WAIT_LONG)
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection
