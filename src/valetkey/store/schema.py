"""Connections to the catalog, and bringing it to the newest format."""

import sqlite3
from pathlib import Path
from typing import Final

from valetkey.processes.migrations import NewerFormatError, bring_up, found_format
from valetkey.store import statements
from valetkey.store.errors import NewerVersionError
from valetkey.store.folder import DataFolder

_LOG_LIMIT_BYTES: Final = 8 * 1024 * 1024
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_KEPT_STATEMENTS: Final = 128


def open_writer(folder: DataFolder) -> sqlite3.Connection:
    """Return a connection whose commits are durable when they return."""
    connection = _connect(folder)
    connection.execute("PRAGMA synchronous = FULL")
    # Debian's SQLite overwrites every page that is freed: a delete would cost as much log as the object's bytes,
    # and could not be committed on a full disk. What lies in pages that are written anyway is still cleared.
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT_BYTES}")
    return connection


def open_reader(folder: DataFolder) -> sqlite3.Connection:
    """Return a connection that cannot write. It may change threads, but serves one at a time."""
    connection = _connect(folder)
    connection.execute("PRAGMA query_only = ON")
    return connection


def migrate(folder: DataFolder) -> None:
    """Bring the catalog to the newest format; the caller holds the write lock.

    Raises:
        NewerVersionError: a later program wrote it. Nothing is changed then.
    """
    connection = _connect(folder)
    try:
        if found_format(connection) == 0:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        bring_up(connection, _MIGRATIONS)
    except NewerFormatError as error:
        raise NewerVersionError(error.found, error.known) from error
    finally:
        connection.close()


def _connect(folder: DataFolder) -> sqlite3.Connection:
    connection = sqlite3.connect(
        folder.catalog,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_KEPT_STATEMENTS,
    )
    connection.execute(statements.WAIT_LONG)
    # Savepoints keep their undo journal in memory then, and need no temporary file on a full disk.
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection
