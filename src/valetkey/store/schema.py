"""Connections to the catalog, and bringing it to the newest format."""

import sqlite3
from pathlib import Path
from typing import Final

from valetkey.processes.migrations import NewerFormatError, bring_up, found_format
from valetkey.processes.sqlite_file import connect, connect_reader, connect_writer
from valetkey.store.errors import NewerVersionError
from valetkey.store.folder import DataFolder

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_WAIT_S: Final = 10


def open_writer(folder: DataFolder) -> sqlite3.Connection:
    """Return a connection whose commits are durable when they return."""
    connection = connect_writer(folder.catalog, wait_s=_WAIT_S)
    # Debian's SQLite overwrites every page that is freed: a delete would cost as much log as the object's bytes,
    # and could not be committed on a full disk. What lies in pages that are written anyway is still cleared.
    connection.execute("PRAGMA secure_delete = FAST")
    return connection


def open_reader(folder: DataFolder) -> sqlite3.Connection:
    """Return a connection that cannot write. It may change threads, but serves one at a time."""
    return connect_reader(folder.catalog, wait_s=_WAIT_S)


def migrate(folder: DataFolder) -> None:
    """Bring the catalog to the newest format; the caller holds the write lock.

    Raises:
        NewerVersionError: a later program wrote it. Nothing is changed then.
    """
    connection = connect(folder.catalog, wait_s=_WAIT_S)
    try:
        if found_format(connection) == 0:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        bring_up(connection, _MIGRATIONS)
    except NewerFormatError as error:
        raise NewerVersionError(error.found, error.known) from error
    finally:
        connection.close()
