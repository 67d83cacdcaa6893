import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.store.stock import NOW_MS, blob_files, body_of, etag_of, put, put_in_parts, read, read_range

from valetkey.store import ContentGoneError, NewObject, StorageFailedError, Store
from valetkey.store.model import Deletion

LARGE = body_of("large", 2_000_000)
PARTS = [body_of("one", 700_000), body_of("two", 800_000), body_of("three", 5000)]

MAKERS = pytest.mark.parametrize("in_parts", [False, True], ids=["one file", "several files"])


async def make(store: Store, *, in_parts: bool) -> bytes:
    if in_parts:
        await put_in_parts(store, "key", PARTS)
        return b"".join(PARTS)
    await put(store, "key", LARGE)
    return LARGE


async def delete(store: Store) -> None:
    await store.delete_object("bucket", Deletion(key="key"), now_ms=NOW_MS)


async def replace(store: Store) -> None:
    await put(store, "key", b"new")


REMOVALS = pytest.mark.parametrize("remove", [delete, replace])


@MAKERS
@REMOVALS
async def test_open_content_outlives_its_object(
    store: Store, folder: Path, in_parts: bool, remove: Callable[[Store], Awaitable[None]]
) -> None:
    body = await make(store, in_parts=in_parts)
    found = store.find_object("bucket", "key")
    with store.open_content(found, 0, found.size) as reader:
        first = await anext(reader)
        await remove(store)
        await store.sweep(now_s=4e9, min_age_s=0)
        rest = [block async for block in reader]
    assert first + b"".join(rest) == body
    await store.sweep(now_s=4e9, min_age_s=0)
    assert blob_files(folder) == set()


@MAKERS
@REMOVALS
async def test_removed_content_is_gone_for_who_found_it_before(
    store: Store, in_parts: bool, remove: Callable[[Store], Awaitable[None]]
) -> None:
    await make(store, in_parts=in_parts)
    found = store.find_object("bucket", "key")
    await remove(store)
    await store.sweep(now_s=0)
    with pytest.raises(ContentGoneError):
        store.open_content(found, 0, found.size)


async def test_reader_of_parts_holds_them_for_all_their_copies(store: Store, folder: Path) -> None:
    await put_in_parts(store, "key", PARTS)
    source = store.find_object("bucket", "key")
    new = NewObject(etag=source.etag, headers={})
    found = await store.copy_object(source, "bucket", "copy", new, now_ms=NOW_MS)
    reader = store.open_content(found, 0, found.size)
    await store.delete_objects("bucket", [Deletion(key="key"), Deletion(key="copy")], now_ms=NOW_MS)
    report = await store.sweep(now_s=4e9, min_age_s=0)
    assert report.files_removed == 0
    assert len(blob_files(folder)) == 3
    assert b"".join([block async for block in reader]) == b"".join(PARTS)
    report = await store.sweep(now_s=4e9, min_age_s=0)
    assert (report.files_removed, report.bytes_removed) == (3, found.size)


async def test_small_content_needs_no_file(store: Store) -> None:
    found = await put(store, "key", b"small")
    await delete(store)
    assert await read_range(store, found, 1, 4) == b"mal"


@MAKERS
async def test_closed_reader_holds_no_file(store: Store, in_parts: bool) -> None:
    await make(store, in_parts=in_parts)
    found = store.find_object("bucket", "key")
    before = open_files()
    for _ in range(3):
        reader = store.open_content(found, 0, found.size)
        await anext(reader)
        reader.close()
        reader.close()
        with pytest.raises(StopAsyncIteration):
            await anext(reader)
    assert await read(store, "key")
    assert open_files() == before


@MAKERS
async def test_cancelled_reader_can_be_closed_at_once(store: Store, in_parts: bool) -> None:
    await make(store, in_parts=in_parts)
    found = store.find_object("bucket", "key")
    before = open_files()
    for _ in range(20):
        with store.open_content(found, 0, found.size) as reader:
            task = asyncio.create_task(read_on(reader))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    await store.close()
    assert len(open_files()) <= len(before)


async def read_on(reader: object) -> None:
    async for _ in reader:  # type: ignore[attr-defined] # any reader
        pass


@MAKERS
async def test_shortened_file_is_an_error_and_never_a_short_content(
    store: Store, folder: Path, in_parts: bool
) -> None:
    await make(store, in_parts=in_parts)
    for path in (folder / "blobs").rglob("*"):
        if path.is_file():
            os.truncate(path, 1000)
    found = store.find_object("bucket", "key")
    with pytest.raises(StorageFailedError):
        await read_range(store, found, 0, found.size)
    with pytest.raises(StorageFailedError):
        await read_range(store, found, 990, 1010)


async def test_readers_beside_writers_and_sweeps_get_what_they_found(store: Store) -> None:
    """Whatever they look up, its size and ETag are those of the bytes that follow."""
    await put(store, "key", b"first")
    done = asyncio.Event()

    async def write() -> None:
        for number in range(21):
            if number % 3 == 2:
                bodies = [body_of(f"{number}/{part}", 40_000) for part in range(3)]
                await put_in_parts(store, "key", bodies, upload_id=f"{number}")
            else:
                await put(store, "key", body_of(f"{number}", 500 if number % 3 else 100_000))
            await store.sweep(now_s=4e9, min_age_s=0)
        done.set()

    async def read_on() -> int:
        reads = 0
        while not done.is_set():
            found = store.find_object("bucket", "key")
            try:
                body = await read_range(store, found, 0, found.size)
            except ContentGoneError:
                continue
            assert etag_of(body) == found.etag.partition("-")[0]
            reads += 1
            await asyncio.sleep(0)
        return reads

    writing = asyncio.create_task(write())
    assert min(await asyncio.gather(*(read_on() for _ in range(2)))) > 0
    await writing


def open_files() -> list[str]:
    """Return what the process has open; how often matters, the order does not."""
    folder = Path("/proc/self/fd")
    return sorted(str(path.readlink()) for path in folder.iterdir() if path.is_symlink() and path.exists())
