"""Stores of ten thousand, a million and ten million objects, made once for all entries that need them."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bench.layouts import BUCKET
from valetkey.store import NewObject, Store, statements
from valetkey.store.folder import DataFolder
from valetkey.store.schema import open_writer

FOLDERS: Final = 5
"""Of each store, all of the same size: of two million keys in the largest, of two thousand in the smallest."""

PAGE: Final = 1000

_SIZES: Final = {
    "10 million objects": 10_000_000,
    "1 million objects": 1_000_000,
    "10 thousand objects": 10_000,
}
_CONTENT: Final = bytes(32)
_PATTERN: Final = "pattern"
_PATTERN_ID: Final = 1
_NOW_MS: Final = 1_790_000_000_000
_ROWS_AT_ONCE: Final = 200_000

# Each object is a copy of one that the store itself has written: whatever it writes into a row, they have too.
# Each is of another second, so that no date helps the next, and has a content of its own.
_NUMBERS: Final = """
    WITH RECURSIVE numbers (n) AS (VALUES (?1) UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?2)
"""
_CONTENT_COLUMNS: Final = """
    headers, parts_count, tags, lock_mode, lock_until_ms, legal_hold, encryption, seal, acl, bytes
"""
_COPY_CONTENTS: Final = f"""
    {_NUMBERS}
    INSERT INTO contents (id, {_CONTENT_COLUMNS})
    SELECT n + 1 + {_PATTERN_ID}, {_CONTENT_COLUMNS}
    FROM numbers CROSS JOIN contents WHERE contents.id = {_PATTERN_ID}
"""
_COPY_OBJECTS: Final = f"""
    {_NUMBERS}
    INSERT INTO objects
        (bucket_id, key, rank, version_id, size, etag, modified_ms, storage_class,
         checksum_algorithm, checksum_value, checksum_type, content_id, owner_id)
    SELECT bucket_id, CAST(printf('%02d/%07d.jpg', n / ?3, n % ?3) AS BLOB),
           rank, version_id, size, etag, modified_ms + n * 1000, storage_class,
           checksum_algorithm, checksum_value, checksum_type, n + 1 + {_PATTERN_ID}, owner_id
    FROM numbers CROSS JOIN objects
    WHERE objects.bucket_id = 1 AND objects.key = CAST('{_PATTERN}' AS BLOB)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """A store, and what is in it."""

    name: str
    """How the tables call it."""
    data: Path
    count: int
    """Objects in it."""

    def key(self, number: int) -> str:
        """Return one of the keys, which are in the order of their numbers, from 0 on."""
        return "{:02}/{:07}.jpg".format(*divmod(number, self.folder_count))

    @property
    def folder_count(self) -> int:
        return self.count // FOLDERS


@cache
def catalogs(share: float) -> tuple[Catalog, ...]:
    """Return the stores, the largest first; they go when the program ends.

    Of a plan's share the square is made, a hundredth where others make a tenth; but never less than of the smallest.
    """
    place = Path(_folder().name)
    found = []
    for number, (name, size) in enumerate(_SIZES.items()):
        count = max(int(size * share**2), min(_SIZES.values()))
        catalog = Catalog(name=name, data=place / str(number), count=count)
        _fill(catalog)
        found.append(catalog)
    return tuple(found)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="valetkey-bench-")


def _fill(catalog: Catalog) -> None:
    asyncio.run(_write_pattern(catalog.data))
    with closing(open_writer(DataFolder(catalog.data))) as connection:
        # Nobody misses it after a power cut.
        connection.execute("PRAGMA synchronous = OFF")
        for first in range(0, catalog.count, _ROWS_AT_ONCE):
            behind = min(first + _ROWS_AT_ONCE, catalog.count)
            connection.execute(statements.BEGIN_WRITE)
            connection.execute(_COPY_CONTENTS, (first, behind))
            connection.execute(_COPY_OBJECTS, (first, behind, catalog.folder_count))
            connection.execute(statements.COMMIT)
        connection.execute(statements.BEGIN_WRITE)
        connection.execute(statements.REMOVE_OBJECT, (1, _PATTERN.encode()))
        connection.execute(statements.REMOVE_CONTENT, (_PATTERN_ID,))
        connection.execute(statements.COMMIT)
        connection.execute(statements.EMPTY_LOG)


async def _write_pattern(data: Path) -> None:
    store = Store.open(data)
    await store.buckets.create(BUCKET, now_ms=_NOW_MS)
    draft = await store.receive(_chunks(), size_hint=len(_CONTENT), observe=lambda _: None)
    etag = hashlib.md5(_CONTENT, usedforsecurity=False).hexdigest()
    new = NewObject(etag=etag, headers={"content-type": "image/jpeg"})
    await store.put_object(BUCKET, _PATTERN, draft, new, now_ms=_NOW_MS)
    await store.close()


async def _chunks() -> AsyncIterator[bytes]:
    yield _CONTENT
