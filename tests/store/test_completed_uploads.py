"""What stays known of an upload that became an object: how it ended, and which parts it had."""

from collections.abc import Sequence

import pytest
from tests.store.stock import (
    NOW_MS,
    PART_BYTES,
    body_of,
    copy,
    etag_of,
    put,
    put_in_parts,
    receive,
)

from valetkey.store import (
    Checksum,
    CompletedUpload,
    ContentGoneError,
    NewObject,
    NoSuchBucketError,
    NoSuchUploadError,
    ObjectPart,
    Store,
    StoredObject,
)

DAY_S = 86_400
COMPOSITE = Checksum(algorithm="CRC32", value="AAAAAA==-2", type="COMPOSITE")


async def upload(store: Store, numbers: Sequence[int], *, version_id: str = "") -> StoredObject:
    """Upload parts, each a byte longer than the one before, and with a checksum that says its number."""
    await store.uploads.create("bucket", "key", upload_id="u1", headers={}, now_ms=NOW_MS)
    parts = []
    for place, number in enumerate(numbers):
        body = body_of(f"{number}", PART_BYTES + place)
        checksum = Checksum(algorithm="CRC32", value=f"crc{number}", type="COMPOSITE")
        async with await receive(store, body) as draft:
            await store.uploads.put_part("u1", number, draft, etag_of(body), checksum, NOW_MS)
        parts.append((number, etag_of(body)))
    return await store.uploads.complete(
        "bucket",
        "key",
        "u1",
        parts=parts,
        new=NewObject(etag="e-2", headers={}, checksum=COMPOSITE),
        version_id=version_id,
        now_ms=NOW_MS,
    )


@pytest.mark.parametrize("version_id", [None, "v1"], ids=["null version", "version"])
async def test_completed_upload_is_remembered(store: Store, version_id: str | None) -> None:
    if version_id is not None:
        await store.buckets.set_versioning("bucket", "Enabled")
    await upload(store, [1, 2], version_id="v1")
    # Whatever has become of the object since.
    await put(store, "key", b"other", version_id="v2")
    assert store.uploads.find_completed("bucket", "key", "u1") == CompletedUpload(
        etag="e-2", checksum=COMPOSITE, version_id=version_id
    )


async def test_upload_is_remembered_for_its_key_alone(store: Store) -> None:
    await upload(store, [1])
    for key, upload_id in [("other", "u1"), ("key", "u2")]:
        with pytest.raises(NoSuchUploadError):
            store.uploads.find_completed("bucket", key, upload_id)
    with pytest.raises(NoSuchBucketError):
        store.uploads.find_completed("nowhere", "key", "u1")
    with pytest.raises(NoSuchUploadError):
        store.uploads.find("bucket", "key", "u1")


async def test_open_and_aborted_uploads_are_not_taken_for_completed(store: Store) -> None:
    await store.uploads.create("bucket", "key", upload_id="u1", headers={}, now_ms=NOW_MS)
    with pytest.raises(NoSuchUploadError):
        store.uploads.find_completed("bucket", "key", "u1")
    await store.uploads.abort("bucket", "key", "u1")
    with pytest.raises(NoSuchUploadError):
        store.uploads.find_completed("bucket", "key", "u1")


async def test_completed_upload_is_forgotten_after_a_week(store: Store) -> None:
    await upload(store, [1])
    await store.sweep(now_s=NOW_MS / 1000 + 7 * DAY_S - 1)
    assert store.uploads.find_completed("bucket", "key", "u1").etag == "e-2"
    await store.sweep(now_s=NOW_MS / 1000 + 7 * DAY_S + 1)
    with pytest.raises(NoSuchUploadError):
        store.uploads.find_completed("bucket", "key", "u1")


PARTS = [
    ObjectPart(number=1, start=0, size=2000, checksum_value="crc3"),
    ObjectPart(number=2, start=2000, size=2001, checksum_value="crc5"),
    ObjectPart(number=3, start=4001, size=2002, checksum_value="crc9"),
]


async def test_parts_of_an_object_are_counted_from_one(store: Store) -> None:
    placed = await upload(store, [3, 5, 9])
    assert placed.parts_count == 3
    assert [store.find_object_part(placed, number) for number in (1, 2, 3)] == PARTS
    assert [store.find_object_part(placed, number) for number in (0, 4, 9)] == [None] * 3


async def test_parts_of_an_object_are_listed_in_pages(store: Store) -> None:
    placed = await upload(store, [3, 5, 9])
    assert await store.list_object_parts(placed) == (PARTS, False)
    assert await store.list_object_parts(placed, limit=2) == (PARTS[:2], True)
    assert await store.list_object_parts(placed, after_number=1, limit=2) == (PARTS[1:], False)
    assert await store.list_object_parts(placed, after_number=3) == ([], False)
    assert await store.list_object_parts(placed, limit=0) == ([], False)


async def test_copy_has_the_parts_of_its_source(store: Store) -> None:
    await upload(store, [3, 5, 9])
    placed = await copy(store, "key", "key")
    assert await store.list_object_parts(placed) == (PARTS, False)


async def test_object_in_one_piece_has_no_parts(store: Store) -> None:
    placed = await put(store, "key", b"x" * 5000)
    assert store.find_object_part(placed, 1) is None
    assert await store.list_object_parts(placed) == ([], False)


async def test_object_of_parts_that_is_replaced_takes_its_parts_along(store: Store) -> None:
    before = await put_in_parts(store, "key", [b"x" * PART_BYTES, b"y"])
    await put(store, "key", b"new")
    await store.sweep(now_s=NOW_MS / 1000)
    with pytest.raises(ContentGoneError):
        await store.list_object_parts(before)
    assert store.find_object_part(before, 3) is None
    with pytest.raises(ContentGoneError):
        store.find_object_part(before, 1)
