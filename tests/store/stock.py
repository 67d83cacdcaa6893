"""What the store's tests do over and over: bodies in, bodies out, and a look at the disk."""

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

from valetkey.store import (
    NO_LOCK,
    Checksum,
    ContentGoneError,
    Deleted,
    Deletion,
    Draft,
    InBucket,
    Lock,
    NewObject,
    Part,
    Store,
    StoredObject,
    WriteRule,
)

NOW_MS = 1_700_000_000_123
INLINE_BYTES = 1000
PART_BYTES = 2000
"""The tests' stores keep larger objects than `INLINE_BYTES` in files, and want parts of `PART_BYTES`."""


def open_store(folder: Path) -> Store:
    return Store.open(folder, inline_limit_bytes=INLINE_BYTES, minimum_part_bytes=PART_BYTES)


def body_of(seed: str, size: int) -> bytes:
    """Return bytes that no other seed gives, so that a mixture would be seen."""
    block = hashlib.sha256(seed.encode()).digest()
    return (block * (size // len(block) + 1))[:size]


def etag_of(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


async def chunks_of(body: bytes, *, size: int = 700) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def ignore(block: bytes) -> None:
    pass


async def receive(store: Store, body: bytes) -> Draft:
    return await store.receive(chunks_of(body), size_hint=len(body), observe=ignore)


async def put(
    store: Store,
    key: str,
    body: bytes,
    *,
    bucket: InBucket = "bucket",
    headers: dict[str, str] | None = None,
    checksum: Checksum | None = None,
    tags: dict[str, str] | None = None,
    lock: Lock = NO_LOCK,
    version_id: str = "",
    now_ms: int = NOW_MS,
    rule: WriteRule | None = None,
) -> StoredObject:
    new = NewObject(etag=etag_of(body), headers=headers or {}, checksum=checksum, tags=tags or {}, lock=lock)
    async with await receive(store, body) as draft:
        return await store.put_object(
            bucket, key, draft, new, version_id=version_id, now_ms=now_ms, rule=rule
        )


async def delete(
    store: Store,
    key: str,
    *,
    bucket: str = "bucket",
    version_id: str | None = None,
    marker_id: str = "",
    now_ms: int = NOW_MS,
    rule: WriteRule | None = None,
    may_bypass: bool = False,
) -> Deleted:
    deletion = Deletion(key=key, version_id=version_id, rule=rule, may_bypass=may_bypass)
    return await store.delete_object(bucket, deletion, marker_id=marker_id, now_ms=now_ms)


async def delete_all(store: Store, keys: Sequence[str]) -> None:
    outcomes = await store.delete_objects("bucket", [Deletion(key=key) for key in keys], now_ms=NOW_MS)
    assert [outcome.key for outcome in outcomes if isinstance(outcome, Deleted)] == list(keys)


async def copy(
    store: Store,
    source: str,
    key: str,
    *,
    source_version_id: str | None = None,
    bucket: str = "bucket",
    headers: dict[str, str] | None = None,
    version_id: str = "",
    now_ms: int = NOW_MS,
    rule: WriteRule | None = None,
) -> StoredObject:
    """Copy with the tags and, unless there are others, the headers of the source."""
    found = store.find_object("bucket", source, source_version_id)
    new = NewObject(
        etag=found.etag,
        headers=found.headers if headers is None else headers,
        checksum=found.checksum,
        tags=found.tags,
    )
    return await store.copy_object(found, bucket, key, new, version_id=version_id, now_ms=now_ms, rule=rule)


async def put_part(
    store: Store,
    upload_id: str,
    number: int,
    body: bytes,
    *,
    now_ms: int = NOW_MS,
    most_bytes: int | None = None,
) -> Part:
    async with await receive(store, body) as draft:
        return await store.uploads.put_part(
            upload_id, number, draft, etag_of(body), None, now_ms, most_bytes=most_bytes
        )


async def put_in_parts(
    store: Store, key: str, bodies: list[bytes], *, upload_id: str = "upload", version_id: str = ""
) -> StoredObject:
    await store.uploads.create("bucket", key, upload_id=upload_id, headers={}, now_ms=NOW_MS)
    for number, body in enumerate(bodies, start=1):
        await put_part(store, upload_id, number, body)
    return await store.uploads.complete(
        "bucket",
        key,
        upload_id,
        parts=[(number, etag_of(body)) for number, body in enumerate(bodies, start=1)],
        new=NewObject(etag=f"{etag_of(b''.join(bodies))}-{len(bodies)}", headers={}),
        version_id=version_id,
        now_ms=NOW_MS,
    )


async def read(store: Store, key: str, *, bucket: str = "bucket", version_id: str | None = None) -> bytes:
    """Return the whole content, looking the object up again if it is replaced meanwhile."""
    while True:
        found = store.find_object(bucket, key, version_id)
        try:
            return await read_range(store, found, 0, found.size)
        except ContentGoneError:
            continue


async def read_range(store: Store, found: StoredObject, start: int, end: int) -> bytes:
    with store.open_content(found, start, end) as reader:
        return b"".join([block async for block in reader])


def blob_files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "blobs").rglob("*") if path.is_file()}


def named_blobs(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
        return {row[0] for row in catalog.execute("SELECT blob_id FROM segments")}


def count_rows(folder: Path) -> dict[str, int]:
    """Return how many rows each table holds that belongs to an object, an upload or their contents."""
    tables = ("objects", "versions", "contents", "segments", "content_parts", "doomed", "uploads", "parts")
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
        return {name: catalog.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
