"""Contents that share blobs, whole or in pieces: no file goes while it is named or read, and none stays after."""

import asyncio
from pathlib import Path

import pytest
from tests.store.stock import (
    NOW_MS,
    blob_files,
    body_of,
    copy,
    count_rows,
    delete,
    etag_of,
    named_blobs,
    put,
    put_in_parts,
    put_part,
    read,
    read_range,
)

from valetkey.store import (
    ContentGoneError,
    NewObject,
    NoSuchUploadError,
    Part,
    Segment,
    Store,
    StoredObject,
)
from valetkey.store.contents import cut_segments

PARTS = [body_of("one", 3000), body_of("two", 2500), body_of("three", 70_000)]
WHOLE = b"".join(PARTS)


async def copy_part(store: Store, number: int, source: StoredObject, start: int, end: int) -> Part:
    return await store.uploads.copy_part(
        "u1",
        number,
        source,
        start=start,
        end=end,
        etag=f"part-{number}",
        checksum=None,
        now_ms=NOW_MS,
    )


async def begin(store: Store) -> None:
    await store.uploads.create("bucket", "key", upload_id="u1", headers={}, now_ms=NOW_MS)


async def complete(store: Store, numbers: list[int]) -> StoredObject:
    return await store.uploads.complete(
        "bucket",
        "key",
        "u1",
        parts=[(number, f"part-{number}") for number in numbers],
        new=NewObject(etag="e", headers={}),
        now_ms=NOW_MS,
    )


RANGES = [
    pytest.param(0, 3000, 1, id="first segment"),
    pytest.param(3000, 5500, 1, id="middle segment"),
    pytest.param(2999, 5501, 3, id="across three"),
    pytest.param(100, 2900, 1, id="inside one"),
    pytest.param(0, len(WHOLE), 3, id="everything"),
]


@pytest.mark.parametrize(("start", "end", "pieces"), RANGES)
async def test_copied_part_shares_the_bytes_of_its_source(
    store: Store, folder: Path, start: int, end: int, pieces: int
) -> None:
    source = await put_in_parts(store, "source", PARTS)
    await begin(store)
    part = await copy_part(store, 1, source, start, end)
    assert (part.size, part.etag) == (end - start, "part-1")
    assert len(blob_files(folder)) == 3
    await delete(store, "source")
    placed = await complete(store, [1])
    assert (placed.size, placed.parts_count, len(placed.content)) == (end - start, 1, pieces)
    assert await read(store, "key") == WHOLE[start:end]
    for first, last in [(0, 1), (end - start - 1, end - start), (10, end - start - 10)]:
        assert await read_range(store, placed, first, last) == WHOLE[start + first : start + last]
    await delete(store, "key")
    await store.close()
    assert blob_files(folder) == set()
    assert set(count_rows(folder).values()) == {0}


async def test_copy_of_copied_parts_reads_the_same_bytes(store: Store, folder: Path) -> None:
    source = await put_in_parts(store, "source", PARTS)
    await begin(store)
    await copy_part(store, 1, source, 2000, 6000)
    await put_part(store, "u1", 2, b"between" * 1000)
    await copy_part(store, 3, source, 5, 6)
    first = await store.uploads.complete(
        "bucket",
        "key",
        "u1",
        parts=[(1, "part-1"), (2, etag_of(b"between" * 1000)), (3, "part-3")],
        new=NewObject(etag="e", headers={}),
        now_ms=NOW_MS,
    )
    body = WHOLE[2000:6000] + b"between" * 1000 + WHOLE[5:6]
    assert await read(store, "key") == body
    await begin(store)
    await copy_part(store, 1, first, 500, len(body))
    await store.uploads.abort("bucket", "key", "u1")
    await store.uploads.create("bucket", "again", upload_id="u2", headers={}, now_ms=NOW_MS)
    await store.uploads.copy_part(
        "u2", 7, first, start=500, end=len(body), etag="e", checksum=None, now_ms=NOW_MS
    )
    await delete(store, "key")
    await delete(store, "source")
    await store.uploads.complete(
        "bucket", "again", "u2", parts=[(7, "e")], new=NewObject(etag="e", headers={}), now_ms=NOW_MS
    )
    await store.sweep(now_s=4e9, min_age_s=0)
    assert await read(store, "again") == body[500:]
    assert blob_files(folder) == named_blobs(folder)


async def test_replaced_and_aborted_copied_parts_leave_the_source_alone(store: Store, folder: Path) -> None:
    source = await put_in_parts(store, "source", PARTS)
    await begin(store)
    await copy_part(store, 1, source, 0, 3000)
    await copy_part(store, 1, source, 3000, 4000)
    await store.uploads.abort("bucket", "key", "u1")
    await store.sweep(now_s=4e9, min_age_s=0)
    assert await read(store, "source") == WHOLE
    await delete(store, "source")
    await store.close()
    assert blob_files(folder) == set()


async def test_part_of_an_empty_object_is_empty(store: Store) -> None:
    source = await put_in_parts(store, "source", [b""])
    await begin(store)
    assert (await copy_part(store, 1, source, 0, 0)).size == 0
    await complete(store, [1])
    assert await read(store, "key") == b""


async def test_part_is_not_copied_from_what_is_gone_nor_into_what_is_over(store: Store) -> None:
    source = await put_in_parts(store, "source", PARTS)
    with pytest.raises(NoSuchUploadError):
        await copy_part(store, 1, source, 0, 10)
    await begin(store)
    await delete(store, "source")
    with pytest.raises(ContentGoneError):
        await copy_part(store, 1, source, 0, 10)


def test_pieces_of_a_piece_begin_where_that_does() -> None:
    segments = (
        Segment(blob_id="a", start=100, size=10, seal=b"seal"),
        Segment(blob_id="b", start=0, size=0),
        Segment(blob_id="c", start=7, size=20),
    )
    assert cut_segments(segments, start=4, end=15) == (
        Segment(blob_id="a", start=104, size=6, seal=b"seal"),
        Segment(blob_id="c", start=7, size=5),
    )
    assert cut_segments(segments, start=30, end=30) == (
        Segment(blob_id="a", start=100, size=0, seal=b"seal"),
    )


async def test_content_is_gone_although_another_one_keeps_its_first_file(store: Store, folder: Path) -> None:
    found = await put_in_parts(store, "source", PARTS)
    await begin(store)
    await copy_part(store, 1, found, 0, 3000)
    await complete(store, [1])
    await delete(store, "source")
    await store.sweep(now_s=4e9, min_age_s=0)
    assert len(blob_files(folder)) == 1
    with pytest.raises(ContentGoneError):
        store.open_content(found, 0, found.size)
    assert await read(store, "key") == PARTS[0]


async def test_reader_keeps_all_files_although_another_content_keeps_the_first(
    store: Store, folder: Path
) -> None:
    found = await put_in_parts(store, "source", PARTS)
    await begin(store)
    await copy_part(store, 1, found, 0, 3000)
    await complete(store, [1])
    with store.open_content(found, 0, found.size) as reader:
        first = await anext(reader)
        await delete(store, "source")
        await delete(store, "key")
        await store.sweep(now_s=4e9, min_age_s=0)
        assert first + b"".join([block async for block in reader]) == WHOLE
    await store.sweep(now_s=4e9, min_age_s=0)
    assert blob_files(folder) == set()


async def test_object_that_is_copied_onto_itself_can_be_read_at_once(store: Store) -> None:
    """What is left of the former content must not keep readers of the new one waiting."""
    await put_in_parts(store, "key", PARTS)
    misses = 0

    async def copy_on() -> None:
        for number in range(30):
            await copy(store, "key", "key", headers={"number": f"{number}"})

    copying = asyncio.create_task(copy_on())
    reads = 0
    while not copying.done():
        try:
            found = store.find_object("bucket", "key")
            assert await read_range(store, found, 0, found.size) == WHOLE
            misses = 0
            reads += 1
        except ContentGoneError:
            misses += 1
            assert misses < 10
        await asyncio.sleep(0)
    await copying
    assert reads > 0


@pytest.mark.parametrize("versioning", [None, "Enabled", "Suspended"])
@pytest.mark.parametrize("size", [10, 5000], ids=["small", "large"])
async def test_copy_onto_itself_keeps_the_content_under_each_versioning(
    store: Store, folder: Path, versioning: str | None, size: int
) -> None:
    await put(store, "key", body_of("body", size))
    if versioning is not None:
        await store.buckets.set_versioning("bucket", versioning)
    for number in range(2):
        await copy(store, "key", "key", version_id=f"v{number}", headers={"n": f"{number}"})
    await store.sweep(now_s=4e9, min_age_s=0)
    assert await read(store, "key") == body_of("body", size)
    assert len(blob_files(folder)) == (0 if size == 10 else 1)
    await store.close()
    assert count_rows(folder)["contents"] == (3 if versioning == "Enabled" else 1)
    assert blob_files(folder) == named_blobs(folder)


async def test_copy_of_parts_keeps_where_they_lie(store: Store) -> None:
    source = await put_in_parts(store, "source", PARTS)
    placed = await copy(store, "source", "copy")
    await delete(store, "source")
    parts, _ = await store.list_object_parts(placed)
    assert [(part.number, part.start, part.size) for part in parts] == [
        (1, 0, 3000),
        (2, 3000, 2500),
        (3, 5500, 70_000),
    ]
    assert (placed.parts_count, source.parts_count) == (3, 3)
