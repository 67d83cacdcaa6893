"""Looking for attempts in blocks, newest first, and what has been added since.

No page unpacks more than `MOST_UNPACKED` blocks, but for those that overlap where it begins.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from valetkey.links.history import statements
from valetkey.links.history.model import Attempt, Entry, Party, Place, Sight, Wanted
from valetkey.links.history.packing import (
    SPAN_MS,
    Alike,
    DamagedBlockError,
    Kind,
    Unpacked,
    in_bucket,
    signed_by,
)

MOST_UNPACKED: Final = 32
MOST_UNPACKED_OF_TAIL: Final = 4

_LAST_ID: Final = 10**18 - 1
"""What a page's address can hold: no attempt has it."""


class Found(NamedTuple):
    """Attempts that were found at one place."""

    entries: list[Entry]
    reached: Place | None
    """Everything down to here is among them; None: everything."""


class Chosen(NamedTuple):
    """What is looked for."""

    wanted: Wanted
    sight: Sight
    number: int
    """Of the party that looks; -1 where it has none, or sees everything."""

    def fits(self, alike: Alike) -> bool:
        """Return whether attempts of these circumstances are wanted, and may be seen."""
        wanted = self.wanted
        return (
            (wanted.bucket is None or alike.bucket == wanted.bucket)
            and (wanted.status is None or alike.status == wanted.status)
            and self._may_see(alike)
        )

    def _may_see(self, alike: Alike) -> bool:
        if self.sight.is_all:
            return True
        return (
            alike.party == self.number
            if self.sight.party.user
            else self.number in (alike.account, alike.owner)
        )

    def source(self, since_ms: int, place: Place) -> tuple[str, tuple[int, ...]]:
        """Return a query for the blocks that may hold some of it, newest first, and its values."""
        range_ms = (since_ms, place.at_ms + SPAN_MS, place.at_ms)
        wanted = self.wanted
        if wanted.signer is not None:
            return statements.BLOCKS_OF, (*signed_by(wanted.signer), *range_ms)
        if wanted.bucket is not None:
            return statements.BLOCKS_OF, (*in_bucket(wanted.bucket), *range_ms)
        if self.sight.is_all:
            return statements.BLOCKS, range_ms
        kind = Kind.USER if self.sight.party.user else Kind.ACCOUNT
        return statements.BLOCKS_OF, (kind.value, self.number, *range_ms)


def scan_blocks(cursor: sqlite3.Cursor, chosen: Chosen, *, since_ms: int, place: Place, limit: int) -> Found:
    """Return attempts that come after a place, newest first: up to one more than `limit`."""
    if chosen.wanted.refused_only:
        return Found([], None)
    found: list[tuple[Place, Unpacked, int]] = []
    reached, behind = None, 0
    for last_id, until_ms in cursor.connection.execute(*chosen.source(since_ms, place)):
        behind += until_ms < place.at_ms
        # Of what comes now, nothing is newer than this.
        if behind > MOST_UNPACKED or (
            len(found) > limit and sum(at.at_ms > until_ms for at, _, _ in found) > limit
        ):
            reached = Place(until_ms, _LAST_ID)
            break
        # A page shows no more than that of one block.
        found += _found_in(cursor, last_id, chosen, since_ms=since_ms, before=place, most=limit + 1)
    found.sort(key=lambda one: one[0], reverse=True)
    if reached is not None:
        found = [one for one in found if one[0] >= reached]
    if len(found) > limit:
        found = found[: limit + 1]
        reached = found[-1][0]
    return Found(_entries(cursor, found), reached)


def tail_blocks(cursor: sqlite3.Cursor, after_id: int) -> tuple[list[int], int | None]:
    """Return the blocks to look into for what was written after an id, and the id up to which they go, if there are more."""
    query = statements.BLOCKS_AFTER
    ids = [last_id for last_id, _ in cursor.execute(query, (after_id, MOST_UNPACKED_OF_TAIL))]
    return ids, ids[-1] if len(ids) == MOST_UNPACKED_OF_TAIL else None


def tail_entries(
    cursor: sqlite3.Cursor, chosen: Chosen, blocks: Sequence[int], *, after_id: int, end_id: int
) -> list[Entry]:
    """Return what is wanted of these blocks, with ids after one and up to another."""
    since_ms = chosen.sight.since_ms
    found = [
        one
        for last_id in blocks
        for one in _found_in(cursor, last_id, chosen, since_ms=since_ms)
        if after_id < one[0].id <= end_id
    ]
    return _entries(cursor, found)


def _found_in(
    cursor: sqlite3.Cursor,
    last_id: int,
    chosen: Chosen,
    *,
    since_ms: int,
    before: Place | None = None,
    most: int | None = None,
) -> list[tuple[Place, Unpacked, int]]:
    """Return what is wanted of a block, in order; nothing of one that is damaged, without which the history can be read.

    Where it is more than `most`, the newest.
    """
    try:
        block = read_block(cursor, last_id)
    except DamagedBlockError:
        return []
    instants, first_id = block.instants, block.first_id
    begin, end = bisect_left(instants, since_ms), block.number
    if before is not None:
        end = bisect_left(range(end), before, key=lambda row: Place(instants[row], first_id + row))
    rows = _wanted_rows(block, chosen, range(begin, end))
    if most is not None:
        rows = rows[-most:]
    return [(Place(instants[row], first_id + row), block, row) for row in rows]


def read_block(cursor: sqlite3.Cursor, last_id: int) -> Unpacked:
    """Return a block that is there.

    Raises:
        DamagedBlockError
    """
    return Unpacked(
        cursor.execute(statements.BLOCK, (last_id,)).fetchone(),
        lambda of: cursor.execute(statements.NAMES, (of,)).fetchone(),
    )


def _wanted_rows(block: Unpacked, chosen: Chosen, among: Sequence[int]) -> Sequence[int]:
    """Return which of these rows are wanted, in the same order."""
    codes = {code for code, alike in enumerate(block.alikes) if chosen.fits(alike)}
    if not codes:
        return []
    rows, row_codes = among, block.codes
    if len(codes) < len(block.alikes):
        rows = [row for row in rows if row_codes[row] in codes]
    if chosen.wanted.signer is not None:
        signers = block.signers
        signer = signers.index(chosen.wanted.signer) if chosen.wanted.signer in signers else -1
        signer_codes = block.signer_codes
        rows = [row for row in rows if signer_codes[row] == signer]
    if rows and chosen.wanted.prefix is not None:
        keys, prefix = block.keys, chosen.wanted.prefix
        rows = [row for row in rows if (key := keys[row]) is not None and key.startswith(prefix)]
    return rows


def _entries(cursor: sqlite3.Cursor, found: Sequence[tuple[Place, Unpacked, int]]) -> list[Entry]:
    parties: dict[int, Party] = {}

    def party(number: int) -> Party:
        if number not in parties:
            parties[number] = Party(*cursor.execute(statements.FIND_PARTY_OF, (number,)).fetchone())
        return parties[number]

    entries = []
    for at, block, row in found:
        alike = block.alike(row)
        attempt = Attempt(
            at.at_ms, block.signer(row), bool(alike.is_proved), party(alike.party), party(alike.owner),
            alike.operation, alike.bucket, block.keys[row], alike.status, *block.measures(row),
            alike.address, alike.agent, alike.referrer, None, block.request_ids[row],
        )  # fmt: skip
        entries.append(Entry(at.id, attempt))
    return entries
