"""The only one that writes into the history."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final

from valetkey.links.history import statements
from valetkey.links.history.file import open_writer
from valetkey.links.history.model import Note, Party
from valetkey.links.history.packing import Packed, pack, parted
from valetkey.links.history.rows import values_of
from valetkey.processes.sqlite_file import execute_rows

_MOST_PARTIES: Final = 4096


class Pen:
    """A connection for one thread, and the numbers of the parties that it has met."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor
        self._parties: dict[Party, int] = {}

    def write(self, notes: Sequence[Note]) -> None:
        """Keep all of them, or none.

        Raises:
            sqlite3.Error, OSError
        """
        if self._connection is None:
            self._connection = open_writer(self._folder)
        cursor = self._cursor = self._connection.cursor()
        blocks, rest = parted(notes)
        cursor.execute(statements.BEGIN)
        try:
            # In order they fall on the same pages of the index.
            members = sorted(chain.from_iterable(self._keep(pack(block, self._number)) for block in blocks))
            attempts = [self._row(note) for note in rest]
            execute_rows(cursor, statements.insert_members, members, at_once=statements.ROWS_AT_ONCE)
            execute_rows(cursor, statements.insert, attempts, at_once=statements.ROWS_AT_ONCE)
            cursor.execute(statements.COMMIT)
        except BaseException:
            # Numbers that were given in it are given again.
            self._parties.clear()
            with suppress(sqlite3.Error):
                cursor.execute(statements.ROLLBACK)
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _keep(self, packed: Packed) -> list[tuple[int, int, int, int]]:
        """Keep a block, and return the rows by which it is to be found."""
        (last_id,) = self._cursor.execute(statements.TAKE_IDS, (packed.number,)).fetchone()
        *columns, members = packed
        self._cursor.execute(statements.ADD_BLOCK, (last_id, *columns))
        return [(kind, value, packed.until_ms, last_id) for kind, value in members]

    def _row(self, note: Note) -> tuple[object, ...]:
        alike = note.circumstances
        return values_of(
            note,
            party=self._number(alike.party),
            account=self._number(Party(alike.party.account)),
            owner=self._number(alike.owner),
        )

    def _number(self, party: Party) -> int:
        number = self._parties.get(party)
        if number is None:
            self._cursor.execute(statements.ADD_PARTY, party)
            found: int = self._cursor.execute(statements.FIND_PARTY, party).fetchone()[0]
            if len(self._parties) >= _MOST_PARTIES:
                self._parties.clear()
            self._parties[party] = number = found
        return number
