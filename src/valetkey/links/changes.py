"""What is done to links and revocations, each in the writer's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from valetkey.links import rows, statements
from valetkey.links.errors import NoSuchLinkError
from valetkey.links.model import Cutoff, Grant, Link, LinkFilter, State
from valetkey.links.writer import Changed
from valetkey.processes.sqlite_file import execute_rows

REVOCATIONS: Final = ("revocations", "")
"""The mark of what was taken back of ordinary presigned URLs."""

_AT_ONCE: Final = 2000
"""Rows that are looked at in one go."""

_NOTED_AT_ONCE: Final = 256
"""Links that a statement notes uses of. One for each would hand the interpreter's lock over as often (3 µs a request)."""


class Resumption(NamedTuple):
    """By what a download is found that a client may go on with."""

    number: int
    """Of the link's row."""
    client: bytes
    key: str


FIRST: Final = Resumption(0, b"", "")
"""It comes before all."""
_LAST: Final = Resumption(2**63 - 1, b"", "")


def mark_of(link_id: str) -> tuple[str, str]:
    """Return the mark of a link."""
    return "links", link_id


def add_links(connection: sqlite3.Connection, _changed: Changed, *, links: Sequence[Link]) -> None:
    for link in links:
        number = connection.execute(statements.ADD_LINK, rows.from_link(link)).lastrowid
        assert number is not None
        _add_tags(connection, link.issuer.account_id, link.grant, number)


def alter_link(
    connection: sqlite3.Connection,
    changed: Changed,
    *,
    link_id: str,
    meant: LinkFilter,
    alter: Callable[[Grant], Grant],
) -> Link:
    """Give a link another grant, made from the one that it has, and return it.

    Raises:
        NoSuchLinkError
        Exception: whatever `alter` raises.
    """
    link = find_meant(connection, link_id, meant)
    number = connection.execute(statements.FIND_NUMBER, (link_id,)).fetchone()[0]
    grant = alter(link.grant)
    connection.execute(statements.UPDATE_LINK, rows.from_grant(link_id, grant))
    connection.execute(statements.REMOVE_TAGS, (number,))
    _add_tags(connection, link.issuer.account_id, grant, number)
    changed.add(mark_of(link_id))
    return find_meant(connection, link_id, meant)


def set_state(connection: sqlite3.Connection, changed: Changed, *, meant: LinkFilter, state: State) -> int:
    """Bring all links that are meant into a state, but for those that are revoked for good; return how many changed."""
    where, values = narrowed(meant)
    found = connection.execute(f"{statements.LIST_IDS} WHERE {where} AND {statements.NOT_REVOKED}", values)
    return sum(_set_one(connection, changed, link_id, state) for (link_id,) in found.fetchall())


def set_state_of(
    connection: sqlite3.Connection, changed: Changed, *, link_id: str, meant: LinkFilter, state: State
) -> Link:
    """Bring one link into a state, and return it.

    Raises:
        NoSuchLinkError
    """
    find_meant(connection, link_id, meant)
    _set_one(connection, changed, link_id, state)
    return find_meant(connection, link_id, meant)


def remove_link(connection: sqlite3.Connection, changed: Changed, *, link_id: str, meant: LinkFilter) -> None:
    """Forget a link, whose URLs are then of nobody.

    Raises:
        NoSuchLinkError
    """
    find_meant(connection, link_id, meant)
    number = connection.execute(statements.FIND_NUMBER, (link_id,)).fetchone()
    connection.execute(statements.REMOVE_TAGS, number)
    connection.execute(statements.REMOVE_RESUMPTIONS, number)
    owner = (meant.account_id, link_id)
    for (digest,) in connection.execute(statements.LIST_SHORT_DIGESTS, owner).fetchall():
        changed.add(("short addresses", digest.hex()))
    connection.execute(statements.REMOVE_SHORTS_OF, owner)
    connection.execute(statements.REMOVE_LINK, (link_id,))
    changed.add(mark_of(link_id))


def note_uses(
    connection: sqlite3.Connection, _changed: Changed, *, noted: Mapping[str, Sequence[int]]
) -> None:
    """Add what links without limits have done: uses, bytes sent, objects, bytes received, instant; by link."""
    rows = [(link_id, *counts) for link_id, counts in noted.items()]
    execute_rows(connection, statements.note_all, rows, at_once=_NOTED_AT_ONCE)


def add_revoked_signature(
    connection: sqlite3.Connection,
    changed: Changed,
    *,
    digest: bytes,
    account_id: str,
    now_ms: int,
    ends_ms: int,
) -> None:
    connection.execute(statements.ADD_REVOKED_SIGNATURE, (digest, account_id, now_ms, ends_ms))
    changed.add(REVOCATIONS)


def add_cutoff(connection: sqlite3.Connection, changed: Changed, *, cutoff: Cutoff) -> None:
    connection.execute(
        statements.ADD_CUTOFF,
        (
            cutoff.id, cutoff.account_id, cutoff.access_key, cutoff.bucket, cutoff.key, cutoff.is_prefix,
            cutoff.before_ms, cutoff.created_ms,
        ),
    )  # fmt: skip
    changed.add(REVOCATIONS)


def remove_cutoff(
    connection: sqlite3.Connection, changed: Changed, *, cutoff_id: str, account_id: str
) -> None:
    """Let the URLs that a cutoff took back hold again.

    Raises:
        NoSuchLinkError
    """
    if connection.execute(statements.REMOVE_CUTOFF, (cutoff_id, account_id)).rowcount == 0:
        raise NoSuchLinkError(cutoff_id)
    changed.add(REVOCATIONS)


def forget_revoked_signatures(connection: sqlite3.Connection, _changed: Changed, *, now_ms: int) -> None:
    """Forget those of URLs that have ended."""
    connection.execute(statements.FORGET_REVOKED_SIGNATURES, (now_ms,))


def forget_resumptions(
    connection: sqlite3.Connection, _changed: Changed, *, after: Resumption, oldest_began_ms: int
) -> Resumption | None:
    """Look at some of the downloads that clients may go on with, and forget those that are over.

    Returns where to go on; None at the end. There may be millions, and uses wait meanwhile.
    """
    found = connection.execute(statements.NTH_RESUMPTION, (*after, _AT_ONCE - 1)).fetchone()
    end = None if found is None else Resumption(*found)
    connection.execute(statements.FORGET_RESUMPTIONS, (*after, *(end or _LAST), oldest_began_ms))
    return end


def find_meant(connection: sqlite3.Connection, link_id: str, meant: LinkFilter) -> Link:
    """Return a link that a filter holds for.

    Raises:
        NoSuchLinkError
    """
    row = connection.execute(statements.FIND_LINK, (link_id,)).fetchone()
    link = None if row is None else rows.to_link(row)
    if link is None or link.issuer.account_id != meant.account_id:
        raise NoSuchLinkError(link_id)
    if meant.user is not None and link.issuer.user != meant.user:
        raise NoSuchLinkError(link_id)
    return link


def narrowed(meant: LinkFilter) -> tuple[str, dict[str, Any]]:
    """Return the condition of a filter, and what is bound in it."""
    values: dict[str, Any] = {
        "account_id": meant.account_id,
        "user": meant.user,
        "bucket": meant.bucket,
        "prefix": meant.prefix,
        "first_key": meant.prefix,
        "label": meant.label,
        "tag": meant.tag,
        "state": None if meant.state is None else meant.state.value,
        "access_key": meant.access_key,
    }
    terms = [term for name, term in statements.FILTERS.items() if values[name] is not None]
    if meant.tag is not None:
        values |= {"tag_name": meant.tag[0], "tag_value": meant.tag[1]}
    del values["tag"]
    return " AND ".join(terms), values


def _set_one(connection: sqlite3.Connection, changed: Changed, link_id: str, state: State) -> int:
    count = connection.execute(statements.SET_STATE, (state.value, link_id, state.value)).rowcount
    changed.add(mark_of(link_id))
    return count


def _add_tags(connection: sqlite3.Connection, account_id: str, grant: Grant, number: int) -> None:
    for name, value in grant.tags.items():
        connection.execute(statements.ADD_TAG, (account_id, name, value, number))
