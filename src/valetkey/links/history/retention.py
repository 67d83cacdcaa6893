"""Forgetting what is older than the history is kept, or more than it may hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from valetkey.links.history import statements
from valetkey.links.history.file import open_writer, take_trim_lock
from valetkey.links.history.packed import read_block
from valetkey.links.history.packing import DamagedBlockError, members_of

_AT_ONCE: Final = 2000
"""Rows that go in one transaction: others write in between."""

_BLOCKS_AT_ONCE: Final = 8
_NEVER_MS: Final = 1 << 62


def trim(folder: Path, *, before_ms: int, most_bytes: int, goes_on: Callable[[], bool] = lambda: True) -> int:
    """Remove attempts from before an instant, and the oldest beyond a size, and return how many there were.

    If another process does so just now, this one does nothing. Takes as long as it needs, or until `goes_on` says no:
    for a thread. Of a block nothing is removed before all of it is too old, at most a second later.

    Raises:
        sqlite3.Error, OSError
    """
    with take_trim_lock(folder) as is_ours:
        if not is_ours:
            return 0
        connection = open_writer(folder)
        try:
            removed = 0
            while goes_on() and (gone := _remove_some(connection, before_ms, most_bytes)):
                removed += gone
            if removed:
                connection.execute(statements.GIVE_BACK).fetchall()
            return removed
        finally:
            connection.close()


def _remove_some(connection: sqlite3.Connection, before_ms: int, most_bytes: int) -> int:
    """Remove some of what is too old, or else of what is too much; return how many attempts there were."""
    gone = connection.execute(statements.TRIM_OLD, (before_ms, _AT_ONCE)).rowcount
    gone = gone or _remove_blocks(connection, before_ms)
    if gone or used_bytes(connection) <= most_bytes:
        return gone
    gone = connection.execute(statements.TRIM_FIRST, (_AT_ONCE,)).rowcount
    return gone or _remove_blocks(connection, _NEVER_MS)


def _remove_blocks(connection: sqlite3.Connection, before_ms: int) -> int:
    """Remove some of the oldest blocks that ended before an instant; return how many attempts there were in them."""
    removed = 0
    # It ends a transaction of its own where it fails.
    with connection:
        cursor = connection.cursor()
        cursor.execute(statements.BEGIN)
        for last_id, until_ms in cursor.execute(
            statements.OLDEST_BLOCKS, (before_ms, _BLOCKS_AT_ONCE)
        ).fetchall():
            removed += _remove_members(cursor, last_id, until_ms)
            cursor.execute(statements.REMOVE_BLOCK, (last_id,))
    return removed


def _remove_members(cursor: sqlite3.Cursor, last_id: int, until_ms: int) -> int:
    """Remove all by which a block is found; return how many attempts there are in it, or 1 where it is damaged."""
    try:
        block = read_block(cursor, last_id)
    except DamagedBlockError:
        cursor.execute(statements.REMOVE_MEMBERS_OF, (last_id,))
        return 1
    cursor.executemany(
        statements.REMOVE_MEMBER,
        [(kind, value, until_ms, last_id) for kind, value in members_of(block.alikes, block.signers)],
    )
    return block.number


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return how much the history holds, without what is free in its file."""
    pages, page_size = connection.execute(statements.USED_PAGES).fetchone()
    return int(pages) * int(page_size)
