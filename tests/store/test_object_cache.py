"""What a process keeps of the catalog is never older than what anybody was told.

Two stores on one folder stand for two processes: each has its own memory, and they share the marks alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store.stock import NOW_MS, copy, delete, delete_all, open_store, put, read

from valetkey.processes.marked_cache import MarkedCache
from valetkey.processes.marks import FILE_BYTES, Marks
from valetkey.store import NO_LOCK, NoSuchBucketError, NoSuchKeyError, StoreClosedError, StoredObject
from valetkey.store.object_cache import object_weight


def stored(key: str, body: bytes = b"body", headers: dict[str, str] | None = None) -> StoredObject:
    return StoredObject(
        id=1,
        bucket="bucket",
        key=key,
        version_id=None,
        size=len(body),
        etag="tag",
        modified_ms=NOW_MS,
        headers=headers or {},
        checksum=None,
        content=body,
        parts_count=None,
        tags={},
        lock=NO_LOCK,
        encryption=None,
        seal=None,
    )


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    path = tmp_path / "marks"
    path.write_bytes(bytes(FILE_BYTES))
    return Marks(path)


def cache_of(marks: Marks, most_bytes: int) -> MarkedCache[StoredObject]:
    return MarkedCache(marks, most_bytes=most_bytes, weigh=object_weight)


class Looker:
    """Looks objects up, and counts how often."""

    def __init__(self) -> None:
        self.looks = 0

    def at(self, found: StoredObject) -> Callable[[], StoredObject]:
        def look() -> StoredObject:
            self.looks += 1
            return found

        return look


async def test_another_process_sees_each_acknowledged_change_at_once(tmp_path: Path) -> None:
    writer, reader = open_store(tmp_path), open_store(tmp_path)
    await writer.buckets.create("bucket", now_ms=NOW_MS)
    for number in range(50):
        body = f"version {number}".encode()
        await put(writer, "key", body)
        assert await read(reader, "key") == body
        assert await read(reader, "key") == body
        assert await read(writer, "key") == body
    await delete(writer, "key")
    with pytest.raises(NoSuchKeyError):
        reader.find_object("bucket", "key")
    await writer.buckets.delete("bucket")
    with pytest.raises(NoSuchBucketError):
        reader.find_object("bucket", "key")
    await writer.close()
    await reader.close()


async def test_a_copy_and_a_completed_upload_change_the_key_too(tmp_path: Path) -> None:
    writer, reader = open_store(tmp_path), open_store(tmp_path)
    await writer.buckets.create("bucket", now_ms=NOW_MS)
    await put(writer, "source", b"new")
    await put(writer, "key", b"old")
    assert await read(reader, "key") == b"old"
    await copy(writer, "source", "key")
    assert await read(reader, "key") == b"new"
    await delete_all(writer, ["key", "source"])
    with pytest.raises(NoSuchKeyError):
        reader.find_object("bucket", "key")
    await writer.close()
    await reader.close()


async def test_a_closed_store_finds_nothing_even_if_it_is_kept(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.buckets.create("bucket", now_ms=NOW_MS)
    await put(store, "key", b"body")
    store.find_object("bucket", "key")
    await store.close()
    with pytest.raises(StoreClosedError):
        store.find_object("bucket", "key")


def test_an_unchanged_object_is_looked_up_once(marks: Marks) -> None:
    cache, looker = cache_of(marks, 100_000), Looker()
    for _ in range(3):
        cache.find("bucket", "key", looker.at(stored("key")))
    assert looker.looks == 1


def test_a_key_that_is_being_changed_is_not_kept(marks: Marks) -> None:
    cache, looker = cache_of(marks, 100_000), Looker()
    with marks.changing([("bucket", "key")]):
        cache.find("bucket", "key", looker.at(stored("key")))
        cache.find("bucket", "key", looker.at(stored("key")))
    cache.find("bucket", "key", looker.at(stored("key")))
    assert looker.looks == 3


def test_what_was_looked_up_during_a_change_is_not_used_after_it(marks: Marks) -> None:
    cache, looker = cache_of(marks, 100_000), Looker()

    def look_while_it_changes() -> StoredObject:
        with marks.changing([("bucket", "key")]):
            return looker.at(stored("key", b"old"))()

    cache.find("bucket", "key", look_while_it_changes)
    assert cache.find("bucket", "key", looker.at(stored("key", b"new"))).content == b"new"


def test_a_writer_that_died_halfway_leaves_its_key_unkept_until_it_changes_again(marks: Marks) -> None:
    cache, looker = cache_of(marks, 100_000), Looker()
    dying = marks.changing([("bucket", "key")])
    dying.__enter__()  # and never further: the process is gone
    for _ in range(3):
        cache.find("bucket", "key", looker.at(stored("key")))
    assert looker.looks == 3
    with marks.changing([("bucket", "key")]):
        pass
    for _ in range(3):
        cache.find("bucket", "key", looker.at(stored("key")))
    assert looker.looks == 4


def test_the_objects_used_last_stay_within_the_weight(marks: Marks) -> None:
    cache, looker = cache_of(marks, 3 * 3000), Looker()
    for key in ("a", "b", "c"):
        cache.find("bucket", key, looker.at(stored(key, b"x" * 900)))
    cache.find("bucket", "a", looker.at(stored("a")))
    assert looker.looks == 3
    cache.find("bucket", "d", looker.at(stored("d", b"x" * 900)))  # drives out b, which was used least lately
    cache.find("bucket", "a", looker.at(stored("a")))
    assert looker.looks == 4
    cache.find("bucket", "b", looker.at(stored("b")))
    assert looker.looks == 5


def test_headers_weigh_too(marks: Marks) -> None:
    cache, looker = cache_of(marks, 10_000), Looker()
    for key in ("a", "b", "a"):
        cache.find("bucket", key, looker.at(stored(key, headers={"content-disposition": "x" * 7000})))
    assert looker.looks == 3
