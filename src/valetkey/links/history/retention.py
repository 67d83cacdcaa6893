"""Forgetting what is older than the history is kept, or more than it may hold."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from valetkey.links.history import statements
from valetkey.links.history.file import hold_lock, open_writer

_AT_ONCE: Final = 2000
"""Rows that go in one transaction: others write in between."""


def trim(folder: Path, *, before_ms: int, most_bytes: int) -> int:
    """Remove attempts from before an instant, and the oldest beyond a size, and return how many there were.

    If another process does so just now, this one does nothing. Takes as long as it needs: for a thread.

    Raises:
        sqlite3.Error, OSError
    """
    with hold_lock(folder, waits=False) as is_ours:
        if not is_ours:
            return 0
        connection = open_writer(folder)
        try:
            removed = _remove(connection, before_ms, most_bytes)
            if removed:
                connection.execute(statements.GIVE_BACK).fetchall()
            return removed
        finally:
            connection.close()


def _remove(connection: sqlite3.Connection, before_ms: int, most_bytes: int) -> int:
    removed = 0
    while gone := connection.execute(statements.TRIM_OLD, (before_ms, _AT_ONCE)).rowcount:
        removed += gone
    while used_bytes(connection) > most_bytes:
        gone = connection.execute(statements.TRIM_FIRST, (_AT_ONCE,)).rowcount
        if not gone:
            break
        removed += gone
    return removed


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return how much the history holds, without what is free in its file."""
    pages, page_size = connection.execute(statements.USED_PAGES).fetchone()
    return int(pages) * int(page_size)
