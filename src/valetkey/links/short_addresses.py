"""Short addresses: what a link is also reached by."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from valetkey.links import rows, statements
from valetkey.links.changes import find_meant
from valetkey.links.errors import LinkExistsError, NoSuchLinkError
from valetkey.links.model import LinkFilter, ShortAddress
from valetkey.links.writer import Change, Changed
from valetkey.processes.marked_cache import MarkedCache
from valetkey.processes.marks import Marks

CACHE_BYTES: Final = 4 * 1024 * 1024
_WEIGHT_BYTES: Final = 1024

T = TypeVar("T")


class Submit(Protocol):
    """Carries out a change, durably."""

    async def __call__(self, change: Change[T]) -> T: ...


class Read(Protocol):
    """Returns what is read of the ledger, as it is after all that was changed."""

    async def __call__(self, read: Callable[[sqlite3.Connection], T]) -> T: ...


class ShortAddresses:
    """The short addresses of a ledger. See `Ledger` for what all functions may raise."""

    def __init__(
        self,
        *,
        look: Callable[[str, tuple[object, ...]], tuple[Any, ...] | None],
        submit: Submit,
        read: Read,
        marks: Marks,
    ) -> None:
        """Use `Ledger.short_addresses`."""
        self._look = look
        self._submit = submit
        self._read = read
        self._known: MarkedCache[ShortAddress] = MarkedCache(
            marks, most_bytes=CACHE_BYTES, weigh=lambda _: _WEIGHT_BYTES
        )

    def find(self, token: str) -> ShortAddress | None:
        """Return the address that ends in `token`, from memory if it is known to have stayed the same."""
        digest = digest_of(token)
        try:
            return self._known.find(*mark_of(digest), lambda: self._find(digest))
        except NoSuchLinkError:
            return None

    async def add(self, short: ShortAddress, *, token: str, meant: LinkFilter) -> None:
        """Keep a new address of one of the links that are meant.

        Raises:
            NoSuchLinkError
            LinkExistsError: its name is taken.
        """
        await self._submit(partial(_add, short=short, token=token, meant=meant))

    async def alter(
        self,
        short_id: str,
        meant: LinkFilter,
        *,
        link_id: str | None = None,
        is_paused: bool | None = None,
    ) -> ShortAddress:
        """Let an address lead to another link, or pause or resume it. What is None stays.

        Raises:
            NoSuchLinkError: there is no such address, or link, that is meant.
        """
        return await self._submit(
            partial(_alter, short_id=short_id, meant=meant, link_id=link_id, is_paused=is_paused)
        )

    async def remove(self, short_id: str, meant: LinkFilter) -> None:
        """Forget an address.

        Raises:
            NoSuchLinkError: as above.
        """
        await self._submit(partial(_remove, short_id=short_id, meant=meant))

    async def list(self, link_id: str, meant: LinkFilter) -> Sequence[ShortAddress]:
        """Return the addresses of a link.

        Raises:
            NoSuchLinkError
        """
        return await self._read(partial(_list, link_id=link_id, meant=meant))

    def _find(self, digest: bytes) -> ShortAddress:
        row = self._look(statements.FIND_SHORT, (digest,))
        if row is None:
            raise NoSuchLinkError("")
        return rows.to_short(row)


def digest_of(token: str) -> bytes:
    """Return by what a token is found. It is not kept itself: whoever reads the file learns no address."""
    return hashlib.sha256(token.encode()).digest()


def mark_of(digest: bytes) -> tuple[str, str]:
    """Return the mark of a short address."""
    return "short addresses", digest.hex()


def _add(
    connection: sqlite3.Connection, _changed: Changed, *, short: ShortAddress, token: str, meant: LinkFilter
) -> None:
    find_meant(connection, short.link_id, meant)
    digest = digest_of(token)
    if connection.execute(statements.FIND_SHORT, (digest,)).fetchone() is not None:
        raise LinkExistsError(token)
    row = (digest, short.id, short.account_id, short.link_id, short.name, short.is_paused, short.created_ms)
    connection.execute(statements.ADD_SHORT, row)


def _alter(
    connection: sqlite3.Connection,
    changed: Changed,
    *,
    short_id: str,
    meant: LinkFilter,
    link_id: str | None,
    is_paused: bool | None,
) -> ShortAddress:
    digest, short = _find_own(connection, short_id, meant)
    if link_id is not None:
        find_meant(connection, link_id, meant)
        short = replace(short, link_id=link_id)
    if is_paused is not None:
        short = replace(short, is_paused=is_paused)
    connection.execute(statements.UPDATE_SHORT, (short.link_id, short.is_paused, short_id))
    changed.add(mark_of(digest))
    return short


def _remove(connection: sqlite3.Connection, changed: Changed, *, short_id: str, meant: LinkFilter) -> None:
    digest, _ = _find_own(connection, short_id, meant)
    connection.execute(statements.REMOVE_SHORT, (short_id,))
    changed.add(mark_of(digest))


def _list(connection: sqlite3.Connection, *, link_id: str, meant: LinkFilter) -> Sequence[ShortAddress]:
    find_meant(connection, link_id, meant)
    return [
        rows.to_short(row) for row in connection.execute(statements.LIST_SHORTS, (meant.account_id, link_id))
    ]


def _find_own(connection: sqlite3.Connection, short_id: str, meant: LinkFilter) -> tuple[bytes, ShortAddress]:
    row = connection.execute(statements.FIND_OWN_SHORT, (short_id, meant.account_id)).fetchone()
    if row is None:
        raise NoSuchLinkError(short_id)
    short = rows.to_short(row[1:])
    try:
        find_meant(connection, short.link_id, meant)
    except NoSuchLinkError as error:
        raise NoSuchLinkError(short_id) from error
    return row[0], short
