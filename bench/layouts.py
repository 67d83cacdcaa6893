"""Buckets of many keys, written straight into the catalog."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from valetkey.store import Store, statements
from valetkey.store.folder import DataFolder
from valetkey.store.schema import open_writer

BUCKET: Final = "benchmark"
_NOW_MS: Final = 1_790_000_000_000

_ADD_VERSION: Final = """
    INSERT INTO versions
        (bucket_id, key, rank, version_id, size, etag, modified_ms, storage_class,
         checksum_algorithm, checksum_value, checksum_type, content_id, owner_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A bucket of so many versions, and how they hang together."""

    key_form: str
    """What makes a key of `{folder}` and `{number}`."""
    keys_per_folder: int = 1
    versions_per_key: int = 1
    is_deleted: bool = False
    """Each key is a delete marker, and nothing else."""

    def key(self, number: int) -> str:
        """Return one of the keys, which are in the order of their numbers."""
        return self.key_form.format(folder=number // self.keys_per_folder, number=number)

    def version_id(self, key: str, age: int) -> str | None:
        """Return the id of one version of a key, 0 for the newest; None where there are no versions."""
        if self.versions_per_key == 1 and not self.is_deleted:
            return None
        return hashlib.sha256(f"{key} {age}".encode()).hexdigest()[:48]

    def places(self, count: int, places: int, *, page: int) -> Sequence[str]:
        """Return keys, evenly apart, behind which pages begin; behind the last there is just one more page."""
        last = max(count // self.versions_per_key - page - 2, 0)
        return [self.key(number * last // (places - 1)) for number in range(places)]


ONE_FOLDER: Final = Layout(key_form="folder/{number:07}.jpg")
THOUSAND_FOLDERS: Final = Layout(key_form="{folder:04}/{number:07}.jpg", keys_per_folder=1000)
SMALL_FOLDERS: Final = Layout(key_form="{folder:07}/photo.jpg")
VERSIONS: Final = Layout(key_form="folder/{number:07}.jpg", versions_per_key=4)
DELETED: Final = Layout(key_form="folder/{number:07}.jpg", is_deleted=True)


def fill(data: Path, layout: Layout, count: int) -> None:
    """Make a store with one bucket that holds `count` versions of the layout.

    Their rows go straight into the catalog: a million durable writes take many minutes, and a listing looks at
    nothing else. The rows name no content, so nothing can be read.
    """
    asyncio.run(_make_bucket(data, is_versioned=layout.version_id("", 0) is not None))
    with closing(open_writer(DataFolder(data))) as connection:
        connection.execute(statements.BEGIN_WRITE)
        if not layout.is_deleted:
            connection.executemany(statements.PUT_OBJECT, _rows(layout, count, 0))
        for age in range(0 if layout.is_deleted else 1, layout.versions_per_key):
            connection.executemany(_ADD_VERSION, _rows(layout, count, age))
        connection.execute(statements.COMMIT)
        connection.execute(statements.EMPTY_LOG)


async def _make_bucket(data: Path, *, is_versioned: bool) -> None:
    store = Store.open(data)
    await store.buckets.create(BUCKET, now_ms=_NOW_MS)
    if is_versioned:
        await store.buckets.set_versioning(BUCKET, "Enabled")
    await store.close()


def _rows(layout: Layout, count: int, age: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the versions of one age. Each is of another second, so that no date is told twice."""
    checksum = (None, None, None) if layout.is_deleted else ("CRC64NVME", "AAAAAAAAAAA=", "FULL_OBJECT")
    content_id = None if layout.is_deleted else 1
    for number in range(count // layout.versions_per_key):
        key, modified_ms = layout.key(number), _NOW_MS + number * 1000
        rank = age - layout.versions_per_key
        etag = "" if layout.is_deleted else f"{number * 0x9E3779B97F4A7C15:032x}"
        size = 0 if layout.is_deleted else number % 5_000_000
        yield (
            1, key.encode(), rank, layout.version_id(key, age), size, etag, modified_ms, None,
            *checksum, content_id, None,
        )  # fmt: skip
