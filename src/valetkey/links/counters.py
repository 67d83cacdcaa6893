"""Taking uses, bytes and objects from a link's counters, in the writer's transaction: exactly as many as it grants."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from valetkey.links import statements
from valetkey.links.errors import LinkError, LinkRefusedError, NoSuchLinkError, Rule
from valetkey.links.model import RESUME_FACTOR, RESUME_MS, Client, Download, Spent, State
from valetkey.links.writer import Changed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counters:
    number: int
    max_uses: int | None
    max_bytes: int | None
    max_objects: int | None
    uses: int
    bytes_sent: int
    objects: int


class Use(NamedTuple):
    """What a download asks of a link's counters."""

    link_id: str
    number: int
    """Of the link's row."""
    download: Download
    now_ms: int


Outcome = Spent | LinkError


def spend_downloads(connection: sqlite3.Connection, uses: Sequence[Use]) -> list[Outcome]:
    """Take what answers with content cost, and return for each what was taken, or why it is refused."""
    whole = [use for use in uses if not use.download.is_range]
    are_taken = bool(whole) and _take_all(connection, whole)
    return [
        Spent(use.link_id, 1, 0, use.download.length, use.download)
        if are_taken and not use.download.is_range
        else _outcome_of(connection, use)
        for use in uses
    ]


def _take_all(connection: sqlite3.Connection, uses: Sequence[Use]) -> bool:
    """Take a use for each, if there is one for all of them; else none, and return False."""
    needs: dict[int, list[int]] = {}
    for _, number, download, now_ms in uses:
        need = needs.setdefault(number, [number, 0, 0, 0])
        need[1] += 1
        need[2] += download.length
        need[3] = max(need[3], now_ms)
    changed_rows = connection.total_changes
    connection.execute(statements.take_all(len(needs)), [*chain.from_iterable(needs.values()), len(needs)])
    if connection.total_changes == changed_rows:
        return False
    begun = {}
    for _, number, (client, key, etag, _, length, _), now_ms in uses:
        digest = _digest(client)
        begun[number, digest, key] = (number, digest, key, etag, now_ms, length)
    connection.execute(statements.begin_resumptions(len(begun)), list(chain.from_iterable(begun.values())))
    return True


def _outcome_of(connection: sqlite3.Connection, use: Use) -> Outcome:
    try:
        return _spend_download(connection, use)
    except LinkError as refused:
        # Raised before anything was changed.
        return refused


def _spend_download(connection: sqlite3.Connection, use: Use) -> Spent:
    """Take what one answer with content costs: a use, unless the same client goes on with one, and its bytes.

    Raises:
        LinkRefusedError: there is not as much left, or the link was taken back meanwhile.
        NoSuchLinkError
    """
    link_id, _, download, now_ms = use
    counters = _counters_of(connection, link_id, now_ms=now_ms)
    uses = 0 if _goes_on(connection, counters.number, download, now_ms=now_ms) else 1
    if uses and counters.max_uses is not None and counters.uses >= counters.max_uses:
        raise LinkRefusedError(Rule.USED_UP)
    if counters.max_bytes is not None and counters.bytes_sent + download.length > counters.max_bytes:
        raise LinkRefusedError(Rule.BYTES_USED_UP)
    place = (counters.number, _digest(download.client), download.key)
    if uses:
        fresh = (*place, download.etag, now_ms, download.length)
        connection.execute(statements.begin_resumptions(1), fresh)
    else:
        connection.execute(statements.GO_ON, (download.length, *place))
    connection.execute(statements.COUNT, (uses, download.length, 0, now_ms, counters.number))
    return Spent(link_id=link_id, uses=uses, bytes_sent=download.length, download=download)


def require_left(source: sqlite3.Connection, *, link_id: str, now_ms: int) -> None:
    """Return if there is something left for one more upload, as it is now.

    Raises:
        LinkRefusedError, NoSuchLinkError: as above.
    """
    _require_left(_counters_of(source, link_id, now_ms=now_ms), objects=1)


def uploads_left(source: sqlite3.Connection, *, link_id: str, now_ms: int) -> int | None:
    """Return how many more uploads there is something left for, as it is now; None: any number.

    Raises:
        LinkRefusedError, NoSuchLinkError: as above.
    """
    counters = _counters_of(source, link_id, now_ms=now_ms)
    limits = [(counters.max_uses, counters.uses), (counters.max_objects, counters.objects)]
    return min((most - taken for most, taken in limits if most is not None), default=None)


def spend_upload(
    connection: sqlite3.Connection, _changed: Changed, *, link_id: str, objects: int, now_ms: int
) -> Spent:
    """Take what one stored object costs: a use and an object; or a deletion, which stores none.

    Raises:
        LinkRefusedError, NoSuchLinkError: as above.
    """
    counters = _counters_of(connection, link_id, now_ms=now_ms)
    _require_left(counters, objects=objects)
    connection.execute(statements.COUNT, (1, 0, objects, now_ms, counters.number))
    return Spent(link_id=link_id, uses=1, objects=objects)


def _require_left(counters: _Counters, *, objects: int) -> None:
    if counters.max_uses is not None and counters.uses >= counters.max_uses:
        raise LinkRefusedError(Rule.USED_UP)
    if counters.max_objects is not None and counters.objects + objects > counters.max_objects:
        raise LinkRefusedError(Rule.USED_UP)


def give_back(
    connection: sqlite3.Connection, *, spent: Spent, uses: int, objects: int, bytes_sent: int
) -> None:
    """Put back as much of what was taken as came to nothing."""
    row = connection.execute(statements.FIND_NUMBER, (spent.link_id,)).fetchone()
    if row is None:
        return
    connection.execute(statements.ADJUST, (-uses, -bytes_sent, -objects, 0, spent.link_id))
    if spent.download is None:
        return
    place = (row[0], _digest(spent.download.client), spent.download.key)
    if uses:
        # Nobody may go on with a use that was not one.
        connection.execute(statements.REMOVE_RESUMPTION, place)
    else:
        connection.execute(statements.GO_ON, (-bytes_sent, *place))


def _counters_of(connection: sqlite3.Connection, link_id: str, *, now_ms: int) -> _Counters:
    row = connection.execute(statements.FIND_COUNTERS, (link_id,)).fetchone()
    if row is None:
        raise NoSuchLinkError(link_id)
    number, state, ends_ms, max_uses, max_bytes, max_objects, uses, bytes_sent, objects = row
    # Once more: it may have been taken back since the request was judged.
    if state != State.ACTIVE.value:
        raise LinkRefusedError(Rule.PAUSED if state == State.PAUSED.value else Rule.REVOKED)
    if now_ms >= ends_ms:
        raise LinkRefusedError(Rule.EXPIRED)
    return _Counters(
        number=number,
        max_uses=max_uses,
        max_bytes=max_bytes,
        max_objects=max_objects,
        uses=uses,
        bytes_sent=bytes_sent,
        objects=objects,
    )


def _goes_on(connection: sqlite3.Connection, number: int, download: Download, *, now_ms: int) -> bool:
    """Return whether this is part of a download for which the client has spent a use already."""
    if not download.is_range:
        return False
    place = (number, _digest(download.client), download.key)
    row = connection.execute(statements.FIND_RESUMPTION, place).fetchone()
    if row is None:
        return False
    etag, began_ms, sent = row
    # Either way: of the pieces that a client asks for at once, one that came earlier may be counted later.
    is_same = etag == download.etag and abs(now_ms - began_ms) < RESUME_MS
    return bool(is_same and sent + download.length <= RESUME_FACTOR * download.size)


@lru_cache(maxsize=1024)
def _digest(client: Client) -> bytes:
    return hashlib.sha256(f"{client.address}\n{client.agent}".encode("utf-8", "replace")).digest()[:16]
