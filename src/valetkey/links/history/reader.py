"""Reading the history: pages of it, newest first, and what has been added since.

Attempts are rows, or lie in blocks; a page is made of both. None looks at more rows than `MOST_LOOKED_AT` for each of
two indexes, or into more blocks than `packed.MOST_UNPACKED` behind those that overlap where it begins. Where few of these are wanted, a page holds few, and says
where to go on.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from valetkey.links.history import statements
from valetkey.links.history.file import open_reader
from valetkey.links.history.model import Entry, Page, Party, Place, Sight, Wanted
from valetkey.links.history.packed import Chosen, Found, scan_blocks, tail_blocks, tail_entries
from valetkey.links.history.rows import entry_of

T = TypeVar("T")

MOST_LOOKED_AT: Final = 2000
MOST_ENTRIES: Final = 1000

_NEWEST: Final = Place(2**62, 2**62)
_OLDEST: Final = Place(0, 0)
_LAST_CHARACTER: Final = "\U0010ffff"


class _Filter(NamedTuple):
    """What must hold of a row, beside its place in an index."""

    conditions: tuple[str, ...]
    values: tuple[object, ...]

    def also(self, condition: str, *values: object) -> _Filter:
        return _Filter((*self.conditions, condition), (*self.values, *values))


class _Branch(NamedTuple):
    """One index to read along."""

    along: str
    value: tuple[object, ...]
    filter: _Filter


class HistoryReader:
    """Answers questions about the history, from a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection: sqlite3.Connection | None = None
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="history-reader")

    async def page(self, sight: Sight, wanted: Wanted, *, after: Place | None, limit: int) -> Page:
        """Return up to `limit` attempts, at most `MOST_ENTRIES`, that come after a place, newest first.

        Raises:
            sqlite3.Error: the history cannot be read.
        """
        return await self._run(lambda cursor: read_page(cursor, sight, wanted, after=after, limit=limit))

    async def tail(
        self, sight: Sight, wanted: Wanted, *, after_id: int | None
    ) -> tuple[Sequence[Entry], int]:
        """Return what was written after an id, in that order, and the id to go on with. None: from now on.

        What came fast is written each half second, by signer.

        Raises:
            sqlite3.Error: the history cannot be read.
        """
        return await self._run(lambda cursor: read_tail(cursor, sight, wanted, after_id=after_id))

    def close(self) -> None:
        """Wait for what runs, and close the file."""
        self._executor.shutdown()
        if self._connection is not None:
            self._connection.close()

    async def _run(self, read: Callable[[sqlite3.Cursor], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._read, read)

    def _read(self, read: Callable[[sqlite3.Cursor], T]) -> T:
        if self._connection is None:
            self._connection = open_reader(self._folder)
        cursor = self._connection.cursor()
        cursor.execute(statements.BEGIN_READ)
        try:
            return read(cursor)
        finally:
            cursor.execute(statements.COMMIT)


def read_page(
    cursor: sqlite3.Cursor, sight: Sight, wanted: Wanted, *, after: Place | None, limit: int
) -> Page:
    """Return a page, as `HistoryReader.page` does."""
    place = after or _NEWEST
    if wanted.until_ms is not None:
        place = min(place, Place(wanted.until_ms, 0))
    since_ms = max(wanted.since_ms or 0, sight.since_ms)
    branches = _branches(cursor, sight, wanted)
    parts = [_scan(cursor, branch, wanted, since_ms, place, limit) for branch in branches]
    chosen = _chosen(cursor, sight, wanted)
    parts.append(scan_blocks(cursor, chosen, since_ms=since_ms, place=place, limit=limit))
    known = _merged(parts)
    entries = known.entries[:limit]
    if len(known.entries) > limit:
        last = entries[-1]
        return Page(entries=entries, next_place=Place(last.attempt.at_ms, last.id))
    return Page(entries=entries, next_place=known.reached)


def read_tail(
    cursor: sqlite3.Cursor, sight: Sight, wanted: Wanted, *, after_id: int | None
) -> tuple[Sequence[Entry], int]:
    """Return what is new, as `HistoryReader.tail` does."""
    if after_id is None:
        return (), cursor.execute(statements.LAST_ID).fetchone()[0]
    blocks, blocks_end = tail_blocks(cursor, after_id)
    rows_end = cursor.execute(statements.NTH_AFTER, (after_id, MOST_LOOKED_AT - 1)).fetchone()
    ends = [end for end in (blocks_end, rows_end and rows_end[0]) if end is not None]
    end_id: int = min(ends) if ends else cursor.execute(statements.LAST_ID).fetchone()[0]
    chosen = _seen(cursor, sight, _asked(wanted, but=()))
    if wanted.refused_only:
        chosen = chosen.also("refused")
    rows = cursor.execute(statements.tail(chosen.conditions), (after_id, end_id, *chosen.values))
    entries = [entry for entry in map(entry_of, rows) if entry.attempt.at_ms >= sight.since_ms]
    if not wanted.refused_only:
        looked = _chosen(cursor, sight, wanted)
        entries += tail_entries(cursor, looked, blocks, after_id=after_id, end_id=end_id)
        entries.sort(key=lambda entry: entry.id)
    return entries, end_id


def _chosen(cursor: sqlite3.Cursor, sight: Sight, wanted: Wanted) -> Chosen:
    return Chosen(wanted, sight, -1 if sight.is_all else _number(cursor, sight.party))


def _asked(wanted: Wanted, *, but: tuple[str, ...]) -> _Filter:
    """Return the conditions that are asked for, but for those that an index takes care of."""
    chosen = _Filter((), ())
    if wanted.signer is not None and "signer" not in but:
        chosen = chosen.also("signer", wanted.signer)
    if wanted.bucket is not None and "bucket" not in but:
        chosen = chosen.also("bucket", wanted.bucket)
    if wanted.prefix is not None and "prefix" not in but:
        chosen = chosen.also("prefix", wanted.prefix, wanted.prefix + _LAST_CHARACTER)
    if wanted.status is not None:
        chosen = chosen.also("status", wanted.status)
    return chosen


def _seen(cursor: sqlite3.Cursor, sight: Sight, chosen: _Filter) -> _Filter:
    """Return the same conditions, and that the caller may see it."""
    if sight.is_all:
        return chosen
    number = _number(cursor, sight.party)
    if sight.party.user:
        return chosen.also("party", number)
    return chosen.also("account_or_owner", number, number)


def _number(cursor: sqlite3.Cursor, party: Party) -> int:
    # A number that nobody has: whoever never signed and owns nothing sees nothing.
    found = cursor.execute(statements.FIND_PARTY, party).fetchone()
    return -1 if found is None else int(found[0])


def _branches(cursor: sqlite3.Cursor, sight: Sight, wanted: Wanted) -> list[_Branch]:
    """Return along which indexes to read; together they hold each wanted row once."""
    for name, value in (("signer", wanted.signer), ("bucket", wanted.bucket)):
        if value is not None:
            return [_Branch(name, (value,), _seen(cursor, sight, _asked(wanted, but=(name,))))]
    chosen = _asked(wanted, but=())
    if sight.is_all:
        return [_Branch("time", (), chosen)]
    number = _number(cursor, sight.party)
    if sight.party.user:
        return [_Branch("party", (number,), chosen)]
    return [
        _Branch("account", (number,), chosen),
        _Branch("owner", (number,), chosen),
    ]


def _scan(
    cursor: sqlite3.Cursor, branch: _Branch, wanted: Wanted, since_ms: int, place: Place, limit: int
) -> Found:
    is_refused = wanted.refused_only
    begin = (*branch.value, since_ms, *place)
    end = None
    if branch.filter.conditions:
        query = statements.scan_end(branch.along, is_refused=is_refused)
        end = cursor.execute(query, (*begin, MOST_LOOKED_AT - 1)).fetchone()
    query = statements.scan(branch.along, branch.filter.conditions, is_refused=is_refused)
    end_place = Place(*(end or _OLDEST))
    # The index is left at that instant already; the place alone would not end the search.
    begin = (*branch.value, max(since_ms, end_place.at_ms), *place)
    rows = cursor.execute(query, (*begin, *end_place, *branch.filter.values, limit + 1))
    entries = [entry_of(row) for row in rows]
    if len(entries) > limit:
        last = entries[-1]
        return Found(entries, Place(last.attempt.at_ms, last.id))
    return Found(entries, None if end is None else end_place)


def _merged(found: Sequence[Found]) -> Found:
    """Return what is known to be whole of several branches, newest first."""
    ends = [one.reached for one in found if one.reached is not None]
    reached = max(ends, default=None)
    entries = sorted(
        (entry for one in found for entry in one.entries),
        key=lambda entry: (entry.attempt.at_ms, entry.id),
        reverse=True,
    )
    if reached is not None:
        entries = [entry for entry in entries if (entry.attempt.at_ms, entry.id) >= reached]
    return Found(entries, reached)
