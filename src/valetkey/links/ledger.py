"""The ledger of links: the one face of this room to the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from valetkey.links import changes, counters, rows, statements
from valetkey.links.errors import LedgerClosedError, LedgerFailedError, NoSuchLinkError
from valetkey.links.model import (
    RESUME_MS,
    Cutoff,
    Download,
    Grant,
    Link,
    LinkFilter,
    Place,
    Revocations,
    Spent,
    State,
)
from valetkey.links.schema import FILE_NAME, migrate, open_reader, open_writer
from valetkey.links.short_addresses import ShortAddresses
from valetkey.links.use_queue import UseQueue
from valetkey.links.use_writer import UseWriter
from valetkey.links.writer import Change, Writer
from valetkey.processes.file_lock import PRIVATE_FILE_MODE, FileLock
from valetkey.processes.marked_cache import MarkedCache
from valetkey.processes.marks import FILE_BYTES, Marks, Stamp

T = TypeVar("T")

LOCK_NAME: Final = "links.lock"
MARKS_NAME: Final = "links.marks"

CACHE_BYTES: Final = 16 * 1024 * 1024
"""What the links that a process keeps in memory may weigh."""

_OVERHEAD_BYTES: Final = 2048


class Ledger:
    """One process's door to the ledger in a data folder. Several processes may open the same folder at once.

    Every change that is acknowledged is durable, and every process goes by it from then on. The plain functions
    answer in microseconds, and belong to one thread: that of the event loop. All may raise LedgerFailedError and
    LedgerClosedError besides what they name.
    """

    def __init__(self, folder: Path) -> None:
        """Use `Ledger.open`."""
        path = folder / FILE_NAME
        self._lock = FileLock(folder / LOCK_NAME)
        self._marks = Marks(folder / MARKS_NAME)
        self._reader = open_reader(path)
        self._page_reader = open_reader(path)
        self._write_connection = open_writer(path)
        self._writer = Writer(self._write_connection, self._lock, self._marks)
        self._use_writer = UseWriter(path, FileLock(folder / LOCK_NAME))
        self._uses = UseQueue(self._use_writer)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="valetkey-links")
        self._links: MarkedCache[Link] = MarkedCache(self._marks, most_bytes=CACHE_BYTES, weigh=_weight)
        self._revocations: MarkedCache[Revocations] = MarkedCache(
            self._marks, most_bytes=CACHE_BYTES, weigh=lambda _: 0
        )
        self._noted: dict[str, list[int]] = {}
        self._is_closed = False
        self.short_addresses: Final = ShortAddresses(
            look=self._look, submit=self._submit, read=self._read, marks=self._marks
        )

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Make or migrate the ledger in `folder`, which is there.

        Raises:
            LedgerFailedError: it cannot be opened, or a later program wrote it.
        """
        try:
            lock = FileLock(folder / LOCK_NAME)
            try:
                with lock.hold():
                    _prepare(folder)
                    migrate(folder / FILE_NAME)
            finally:
                lock.close()
            return cls(folder)
        except (OSError, sqlite3.Error) as error:
            raise LedgerFailedError(f"The ledger of links in {folder} cannot be opened: {error}") from error

    # What each request asks for

    def find(self, link_id: str) -> Link | None:
        """Return the link as it is now, from memory if it is known to have stayed the same; its usage may be older."""
        self._require_open()
        return self._links.known(changes.mark_of(link_id)) or self._look_for_link(link_id)

    def revocations(self, *, now_ms: int) -> Revocations:
        """Return what is taken back of ordinary presigned URLs, likewise."""
        self._require_open()
        known = self._revocations.known(changes.REVOCATIONS)
        return self._look_for_revocations(now_ms) if known is None else known

    def stamp(self, link_id: str) -> Stamp | None:
        """Return what holds as long as a link does not change; None while it does."""
        return self._marks.stamp(changes.mark_of(link_id))

    def spend_download(self, link: Link, download: Download, *, now_ms: int) -> Awaitable[Spent]:
        """Take from the counters what an answer with content costs, durably. The link was found here.

        Raises:
            LinkRefusedError: there is not as much left, or the link was taken back meanwhile.
            NoSuchLinkError
        """
        return self._uses.spend(counters.Use(link.id, link.number, download, now_ms))

    def require_left(self, link_id: str, *, now_ms: int) -> None:
        """Return if the link has something left for one more upload.

        Raises:
            LinkRefusedError, NoSuchLinkError: as above.
        """
        self._require_open()
        try:
            counters.require_left(self._reader, link_id=link_id, now_ms=now_ms)
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    def uploads_left(self, link_id: str, *, now_ms: int) -> int | None:
        """Return how many more uploads the link has something left for; None: any number.

        Raises:
            LinkRefusedError, NoSuchLinkError: as above.
        """
        self._require_open()
        try:
            return counters.uploads_left(self._reader, link_id=link_id, now_ms=now_ms)
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    async def spend_upload(self, link_id: str, *, objects: int, now_ms: int) -> Spent:
        """Take from the counters what a stored object costs, durably; or with `objects` 0 what a deletion costs.

        Raises:
            LinkRefusedError, NoSuchLinkError: as above.
        """
        return await self._submit(
            partial(counters.spend_upload, link_id=link_id, objects=objects, now_ms=now_ms)
        )

    def give_back(self, spent: Spent, *, uses: int = 0, objects: int = 0, bytes_sent: int = 0) -> None:
        """Put back as much of `spent` as came to nothing. Nobody waits for it."""
        change = partial(counters.give_back, spent=spent, uses=uses, objects=objects, bytes_sent=bytes_sent)
        if spent.download is not None:
            self._uses.give_back(change)
        else:
            self._writer.post(lambda connection, _changed: change(connection))

    def note(
        self,
        link_id: str,
        *,
        now_ms: int,
        uses: int = 0,
        bytes_sent: int = 0,
        objects: int = 0,
        bytes_received: int = 0,
    ) -> None:
        """Remember what a link has done beyond what was spent; `flush` writes it down."""
        counts = self._noted.setdefault(link_id, [0, 0, 0, 0, now_ms])
        counts[0] += uses
        counts[1] += bytes_sent
        counts[2] += objects
        counts[3] += bytes_received
        counts[4] = max(counts[4], now_ms)

    def note_sent(self, link_id: str, now_ms: int, sent_bytes: int) -> None:
        """Remember a download that was not counted before; below zero, nothing of it could be read."""
        if sent_bytes < 0:
            return
        counts = self._noted.get(link_id)
        if counts is None:
            self._noted[link_id] = [1, sent_bytes, 0, 0, now_ms]
            return
        # As `note` does, in half of the time: this is asked for by each answer.
        counts[0] += 1
        counts[1] += sent_bytes
        counts[4] = max(counts[4], now_ms)

    def flush(self) -> None:
        """Write down what was noted. Nobody waits for it."""
        if self._noted:
            noted, self._noted = self._noted, {}
            self._writer.post(partial(changes.note_uses, noted=noted))

    # What issuers do

    async def add(self, links: Sequence[Link]) -> None:
        """Keep new links, all of them or none."""
        await self._submit(partial(changes.add_links, links=links))

    async def alter(self, link_id: str, meant: LinkFilter, alter: Callable[[Grant], Grant]) -> Link:
        """Give a link another grant, made from the one that it has.

        Raises:
            NoSuchLinkError: there is none that the account, and user, of `meant` made.
            Exception: whatever `alter` raises.
        """
        return await self._submit(partial(changes.alter_link, link_id=link_id, meant=meant, alter=alter))

    async def set_state(self, link_id: str, meant: LinkFilter, state: State) -> Link:
        """Pause, resume or revoke one link. What is revoked stays so.

        Raises:
            NoSuchLinkError: as above.
        """
        return await self._submit(partial(changes.set_state_of, link_id=link_id, meant=meant, state=state))

    async def set_states(self, meant: LinkFilter, state: State) -> int:
        """Do the same to all links that are meant, and return how many changed."""
        return await self._submit(partial(changes.set_state, meant=meant, state=state))

    async def remove(self, link_id: str, meant: LinkFilter) -> None:
        """Forget a link and what it has done.

        Raises:
            NoSuchLinkError: as above.
        """
        await self._submit(partial(changes.remove_link, link_id=link_id, meant=meant))

    async def get(self, link_id: str, meant: LinkFilter) -> Link:
        """Return a link with its usage as it is now.

        Raises:
            NoSuchLinkError: as above.
        """
        self.flush()
        return await self._read(lambda connection: changes.find_meant(connection, link_id, meant))

    async def list(
        self, meant: LinkFilter, *, after: Place | None = None, limit: int
    ) -> tuple[list[Link], Place | None]:
        """Return a page of links, and where the next one goes on; None on the last.

        The newest come first; but where a prefix is meant, in a bucket, they come in the order of their keys.
        """
        self.flush()
        return await self._read(partial(_list_links, meant=meant, after=after, limit=limit))

    async def count_active(self, *, now_ms: int) -> int:
        """Return how many links are neither ended, paused nor revoked. It looks at all of them, in a thread."""
        return await self._read(
            lambda connection: int(connection.execute(statements.COUNT_ACTIVE, (now_ms,)).fetchone()[0])
        )

    async def revoke_signature(self, digest: bytes, *, account_id: str, now_ms: int, ends_ms: int) -> None:
        """Take back one ordinary presigned URL, by the SHA-256 of its signature, until it would have ended."""
        await self._submit(
            partial(
                changes.add_revoked_signature,
                digest=digest,
                account_id=account_id,
                now_ms=now_ms,
                ends_ms=ends_ms,
            )
        )

    async def add_cutoff(self, cutoff: Cutoff) -> None:
        """Take back what ordinary presigned URLs it fits."""
        await self._submit(partial(changes.add_cutoff, cutoff=cutoff))

    async def remove_cutoff(self, cutoff_id: str, *, account_id: str) -> None:
        """Let them hold again.

        Raises:
            NoSuchLinkError: the account has made no such cutoff.
        """
        await self._submit(partial(changes.remove_cutoff, cutoff_id=cutoff_id, account_id=account_id))

    async def sweep(self, *, now_ms: int) -> None:
        """Forget what can matter no more."""
        await self._submit(partial(changes.forget_revoked_signatures, now_ms=now_ms))
        place: changes.Resumption | None = changes.FIRST
        while place is not None:
            forget = partial(changes.forget_resumptions, after=place, oldest_began_ms=now_ms - RESUME_MS)
            place = await self._submit(forget)

    async def close(self) -> None:
        """Write down what is left, and close the files."""
        if self._is_closed:
            return
        # The loop's thread writes nothing any more while another one closes what it writes with.
        await self._uses.close()
        self.flush()
        self._is_closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        self._threads.shutdown()
        self._writer.close()
        self._use_writer.close()
        for connection in (self._reader, self._page_reader, self._write_connection):
            connection.close()
        self._lock.close()
        self._marks.close()

    def _require_open(self) -> None:
        if self._is_closed:
            raise LedgerClosedError

    async def _submit(self, change: Change[T]) -> T:
        return await self._writer.submit(change)

    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        self._require_open()
        # Behind what was done so far, of which an issuer wants to see the effect.
        self.flush()
        await self._uses.settle()
        await self._writer.submit(lambda _connection, _changed: None)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read_now, read)

    def _read_now(self, read: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return read(self._page_reader)
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    def _look(self, statement: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Return the one row that a statement finds, at once and in this thread."""
        self._require_open()
        try:
            row: tuple[Any, ...] | None = self._reader.execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise _unreadable(error) from error
        return row

    def _look_for_link(self, link_id: str) -> Link | None:
        try:
            return self._links.find(*changes.mark_of(link_id), lambda: self._find(link_id))
        except NoSuchLinkError:
            return None

    def _find(self, link_id: str) -> Link:
        row = self._look(statements.FIND_LINK, (link_id,))
        if row is None:
            raise NoSuchLinkError(link_id)
        return rows.to_link(row)

    def _look_for_revocations(self, now_ms: int) -> Revocations:
        return self._revocations.find(*changes.REVOCATIONS, lambda: self._read_revocations(now_ms))

    def _read_revocations(self, now_ms: int) -> Revocations:
        try:
            hashes = self._reader.execute(statements.LIST_REVOKED_SIGNATURES, (now_ms,)).fetchall()
            cutoffs = self._reader.execute(statements.LIST_CUTOFFS).fetchall()
        except sqlite3.Error as error:
            raise _unreadable(error) from error
        return Revocations.gather((digest for (digest,) in hashes), map(rows.to_cutoff, cutoffs))


def _unreadable(error: sqlite3.Error) -> LedgerFailedError:
    return LedgerFailedError(f"The ledger of links cannot be read: {error}")


def _prepare(folder: Path) -> None:
    ledger, marks = folder / FILE_NAME, folder / MARKS_NAME
    # SQLite would make it readable for everybody.
    ledger.touch(PRIVATE_FILE_MODE)
    if not marks.exists() or marks.stat().st_size != FILE_BYTES:
        marks.touch(PRIVATE_FILE_MODE)
        marks.write_bytes(bytes(FILE_BYTES))


def _list_links(
    connection: sqlite3.Connection, *, meant: LinkFilter, after: Place | None, limit: int
) -> tuple[list[Link], Place | None]:
    where, values = changes.narrowed(meant)
    is_by_key = meant.prefix is not None and meant.bucket is not None
    if after is not None:
        where += f" AND {statements.BEHIND if is_by_key else statements.BEFORE}"
        values |= {"number": after.number, "key": after.key}
        if is_by_key and meant.prefix is not None:
            # Where the scan begins; the condition alone would let it pass over all pages before.
            values["first_key"] = max(meant.prefix, after.key)
    order = statements.BY_KEY if is_by_key else statements.NEWEST_FIRST
    statement = f"{statements.LIST_LINKS} WHERE {where} {order}"
    found = connection.execute(statement, {**values, "limit": limit + 1}).fetchall()
    links = [rows.to_link(row[2:]) for row in found[:limit]]
    return links, Place(*found[limit - 1][:2]) if len(found) > limit else None


def _weight(link: Link) -> int:
    return _OVERHEAD_BYTES + len(link.grant.key) + 64 * len(link.grant.tags)
