"""The history's SQL. Names of indexes and conditions come from here alone; values are bound."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from valetkey.processes.sqlite_file import marks_of

BEGIN: Final = "BEGIN IMMEDIATE"
BEGIN_READ: Final = "BEGIN"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"

ADD_PARTY: Final = "INSERT OR IGNORE INTO parties (account, user) VALUES (?, ?)"
FIND_PARTY: Final = "SELECT id FROM parties WHERE account = ? AND user = ?"

_COLUMNS: Final = (
    "at_ms", "signer", "is_proved", "party", "account", "owner", "operation", "bucket", "key", "status",
    "sent_bytes", "received_bytes", "duration_us", "address", "agent", "referrer", "error", "request_id",
)  # fmt: skip

ROWS_AT_ONCE: Final = 200
"""A statement for many rows hands the interpreter's lock over once for all of them."""


@lru_cache
def insert(rows: int) -> str:
    """Return the statement that keeps so many attempts."""
    return f"INSERT INTO attempts ({', '.join(_COLUMNS)}) VALUES {marks_of(rows, len(_COLUMNS))}"


@lru_cache
def insert_members(rows: int) -> str:
    """Return the statement that keeps so much of what blocks are found by."""
    return f"INSERT INTO block_members (kind, value, until_ms, block) VALUES {marks_of(rows, 4)}"


_SHOWN: Final = (
    "a.id, a.at_ms, a.signer, a.is_proved, p.account, p.user, o.account, o.user, a.operation, a.bucket, a.key, "
    "a.status, a.sent_bytes, a.received_bytes, a.duration_us, a.address, a.agent, a.referrer, a.error, a.request_id"
)
_JOINS: Final = "CROSS JOIN parties p ON p.id = a.party CROSS JOIN parties o ON o.id = a.owner"
_NEWEST: Final = "ORDER BY a.at_ms DESC, a.id DESC"

INDEX_COLUMNS: Final = {
    "time": None,
    "signer": "signer",
    "bucket": "bucket",
    "party": "party",
    "account": "account",
    "owner": "owner",
}
"""What an index begins with, before the instant."""

_ONLY: Final = {"party": " AND a.party <> a.account", "owner": " AND a.owner <> a.account"}
"""What must hold of a row to stand in an index."""

CONDITIONS: Final = {
    "signer": "a.signer = ?",
    "bucket": "a.bucket = ?",
    "prefix": "a.key >= ? AND a.key < ?",
    "party": "a.party = ?",
    "account": "a.account = ?",
    "account_or_owner": "(a.account = ? OR a.owner = ?)",
    "status": "a.status = ?",
    "refused": "a.error IS NOT NULL",
}


FIND_PARTY_OF: Final = "SELECT account, user FROM parties WHERE id = ?"

ADD_BLOCK: Final = (
    "INSERT INTO blocks "
    "(last_id, from_ms, until_ms, number, circumstances, signers, numbers, keys, request_ids) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
REMOVE_MEMBER: Final = "DELETE FROM block_members WHERE kind = ? AND value = ? AND until_ms = ? AND block = ?"
REMOVE_MEMBERS_OF: Final = "DELETE FROM block_members WHERE block = ?"
"""For a block that does not tell by what it is found: this looks at all of them."""
REMOVE_BLOCK: Final = "DELETE FROM blocks WHERE last_id = ?"

BLOCK: Final = (
    "SELECT last_id, from_ms, number, circumstances, signers, numbers FROM blocks WHERE last_id = ?"
)
NAMES: Final = "SELECT keys, request_ids FROM blocks WHERE last_id = ?"
BLOCKS: Final = (
    "SELECT last_id, until_ms FROM blocks INDEXED BY blocks_by_time "
    "WHERE until_ms BETWEEN ? AND ? AND from_ms <= ? ORDER BY until_ms DESC, last_id DESC"
)
BLOCKS_OF: Final = (
    "SELECT b.last_id, b.until_ms FROM block_members m CROSS JOIN blocks b ON b.last_id = m.block "
    "WHERE m.kind = ? AND m.value = ? AND m.until_ms BETWEEN ? AND ? AND b.from_ms <= ? "
    "ORDER BY m.until_ms DESC, m.block DESC"
)
"""Newest first; bound are the kind and the value, the first and the last instant of an end, the last of a begin."""
BLOCKS_AFTER: Final = "SELECT last_id, until_ms FROM blocks WHERE last_id > ? ORDER BY last_id LIMIT ?"
OLDEST_BLOCKS: Final = "SELECT last_id, until_ms FROM blocks INDEXED BY blocks_by_time WHERE until_ms < ? ORDER BY until_ms LIMIT ?"


def _source(index: str, *, is_refused: bool) -> str:
    column = INDEX_COLUMNS[index]
    name = f"{'refused_' if is_refused else ''}by_{index}"
    begin = f"a.{column} = ? AND " if column else ""
    refused = " AND a.error IS NOT NULL" if is_refused else ""
    refused += _ONLY.get(index, "")
    return f"attempts a INDEXED BY {name} {{joins}} WHERE {begin}a.at_ms >= ? AND (a.at_ms, a.id) < (?, ?){refused}"


def scan_end(index: str, *, is_refused: bool) -> str:
    """Return a query for the place of a row that lies so far along an index.

    Bound are: the index's value if it has one, the earliest instant, the place that it goes on from, the number.
    """
    source = _source(index, is_refused=is_refused).format(joins="")
    return f"SELECT a.at_ms, a.id FROM {source} {_NEWEST} LIMIT 1 OFFSET ?"


def scan(index: str, conditions: tuple[str, ...], *, is_refused: bool) -> str:
    """Return a query for attempts that satisfy `conditions` along an index, newest first.

    Bound as above, and then: the place of the last row to look at, the values of the conditions, how many are wanted.
    """
    more = "".join(f" AND {CONDITIONS[name]}" for name in conditions)
    source = _source(index, is_refused=is_refused).format(joins=_JOINS)
    return f"SELECT {_SHOWN} FROM {source} AND (a.at_ms, a.id) >= (?, ?){more} {_NEWEST} LIMIT ?"


LAST_ID: Final = "SELECT seq FROM sqlite_sequence WHERE name = 'attempts'"
TAKE_IDS: Final = "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'attempts' RETURNING seq"


def tail(conditions: tuple[str, ...]) -> str:
    """Return a query for the rows after an id and up to another one; bound are both, and the values."""
    where = " AND ".join(CONDITIONS[name] for name in conditions)
    return (
        f"SELECT {_SHOWN} FROM (SELECT * FROM attempts WHERE id > ? AND id <= ? ORDER BY id) a {_JOINS} "
        f"{'WHERE ' + where if where else ''} ORDER BY a.id"
    )


NTH_AFTER: Final = "SELECT id FROM attempts WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?"

TRIM_OLD: Final = (
    "DELETE FROM attempts WHERE id IN "
    "(SELECT id FROM attempts INDEXED BY by_time WHERE at_ms < ? ORDER BY at_ms LIMIT ?)"
)
TRIM_FIRST: Final = (
    "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts INDEXED BY by_time "
    "WHERE at_ms <= (SELECT coalesce(min(until_ms), 1 << 62) FROM blocks) ORDER BY at_ms LIMIT ?)"
)
"""Those that are older than every block."""
USED_PAGES: Final = (
    "SELECT (SELECT page_count FROM pragma_page_count()) - "
    "(SELECT freelist_count FROM pragma_freelist_count()), (SELECT page_size FROM pragma_page_size())"
)
GIVE_BACK: Final = "PRAGMA incremental_vacuum(2000)"
