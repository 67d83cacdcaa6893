from pathlib import Path

import pytest
from tests.store.stock import (
    NOW_MS,
    PART_BYTES,
    blob_files,
    body_of,
    count_rows,
    delete,
    etag_of,
    put,
    put_in_parts,
    put_part,
    read,
    read_range,
    receive,
)

from valetkey.store import (
    Checksum,
    ConflictingChangeError,
    InvalidPartError,
    InvalidPartOrderError,
    NewObject,
    NoSuchBucketError,
    NoSuchKeyError,
    NoSuchUploadError,
    PartsTooLargeError,
    PartTooSmallError,
    PreconditionFailedError,
    Store,
    StoreError,
    Upload,
    WriteRule,
)

NEW = NewObject(etag="e-2", headers={"content-type": "text/plain"})


async def begin(store: Store, key: str = "key", upload_id: str = "u1") -> None:
    await store.uploads.create("bucket", key, upload_id=upload_id, headers={}, now_ms=NOW_MS)


async def begin_by_link(store: Store, upload_id: str, *, at_ms: int = NOW_MS, link: str = "link") -> None:
    await store.uploads.create("bucket", "key", upload_id=upload_id, headers={}, begun_by=link, now_ms=at_ms)


async def open_uploads(store: Store) -> list[str]:
    return [upload.id for upload in (await store.uploads.list("bucket")).uploads]


async def complete(
    store: Store, parts: list[tuple[int, str]], *, upload_id: str = "u1", rule: WriteRule | None = None
) -> None:
    await store.uploads.complete("bucket", "key", upload_id, parts=parts, new=NEW, now_ms=NOW_MS, rule=rule)


async def test_upload_keeps_what_it_began_with(store: Store) -> None:
    created = await store.uploads.create(
        "bucket",
        "key",
        upload_id="u1",
        headers={"x-amz-meta-a": "ä"},
        checksum_algorithm="CRC32",
        checksum_type="COMPOSITE",
        now_ms=NOW_MS,
    )
    assert store.uploads.find("bucket", "key", "u1") == created
    assert (created.id, created.bucket, created.key, created.created_ms) == ("u1", "bucket", "key", NOW_MS)
    assert created.headers == {"x-amz-meta-a": "ä"}
    assert (created.checksum_algorithm, created.checksum_type) == ("CRC32", "COMPOSITE")


async def test_upload_is_found_only_under_its_own_names(store: Store) -> None:
    await begin(store)
    with pytest.raises(NoSuchBucketError):
        store.uploads.find("nowhere", "key", "u1")
    with pytest.raises(NoSuchUploadError):
        store.uploads.find("bucket", "other", "u1")
    with pytest.raises(NoSuchUploadError):
        store.uploads.find("bucket", "key", "u2")
    with pytest.raises(NoSuchBucketError):
        await store.uploads.create("nowhere", "key", upload_id="u3", headers={}, now_ms=NOW_MS)


async def test_parts_become_one_object_that_is_read_across_them(store: Store) -> None:
    bodies = [body_of("one", 700_000), body_of("two", PART_BYTES), body_of("three", 1)]
    whole = b"".join(bodies)
    await put_in_parts(store, "key", bodies)
    found = store.find_object("bucket", "key")
    assert (found.size, found.parts_count) == (len(whole), 3)
    assert isinstance(found.content, tuple)
    assert [segment.size for segment in found.content] == [len(body) for body in bodies]
    assert await read(store, "key") == whole
    for start, end in [(0, 5), (699_999, 700_001), (700_000, 702_000), (702_000, 702_001), (10, 10)]:
        assert await read_range(store, found, start, end) == whole[start:end]
    with pytest.raises(NoSuchUploadError):
        store.uploads.find("bucket", "key", "upload")


async def test_single_part_may_be_of_any_size(store: Store) -> None:
    await put_in_parts(store, "empty", [b""], upload_id="u1")
    await put_in_parts(store, "small", [b"x"], upload_id="u2")
    assert (await read(store, "empty"), await read(store, "small")) == (b"", b"x")
    assert store.find_object("bucket", "small").parts_count == 1


async def test_parts_that_are_not_named_are_removed(store: Store, folder: Path) -> None:
    await begin(store)
    for number in (1, 2, 7):
        await put_part(store, "u1", number, body_of(str(number), PART_BYTES))
    await complete(store, [(2, etag_of(body_of("2", PART_BYTES)))])
    assert await read(store, "key") == body_of("2", PART_BYTES)
    await store.close()
    assert len(blob_files(folder)) == 1


async def test_part_replaces_the_one_with_its_number(store: Store, folder: Path) -> None:
    await begin(store)
    await put_part(store, "u1", 1, b"old")
    checksum = Checksum(algorithm="CRC32", value="AAAAAA==", type="FULL_OBJECT")
    async with await receive(store, b"new") as draft:
        part = await store.uploads.put_part("u1", 1, draft, etag_of(b"new"), checksum, NOW_MS + 1)
    page = await store.uploads.list_parts("bucket", "key", "u1")
    assert page.parts == (part,)
    assert (part.number, part.size, part.checksum, part.modified_ms) == (1, 3, checksum, NOW_MS + 1)
    await complete(store, [(1, etag_of(b"new"))])
    assert await read(store, "key") == b"new"
    await store.close()
    assert len(blob_files(folder)) == 1


ONE, TWO = etag_of(b"1" * PART_BYTES), etag_of(b"2" * (PART_BYTES - 1))


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        pytest.param([(2, TWO), (1, ONE)], InvalidPartOrderError, id="descending"),
        pytest.param([(1, ONE), (1, ONE)], InvalidPartOrderError, id="twice"),
        pytest.param([(1, ONE), (3, ONE)], InvalidPartError, id="missing"),
        pytest.param([(1, TWO)], InvalidPartError, id="other etag"),
        pytest.param([], InvalidPartError, id="none"),
        pytest.param([(2, TWO), (4, ONE)], PartTooSmallError, id="too small"),
    ],
)
async def test_completion_refuses_wrong_parts_and_the_upload_stays(
    store: Store, parts: list[tuple[int, str]], refusal: type[StoreError]
) -> None:
    await begin(store)
    await put_part(store, "u1", 1, b"1" * PART_BYTES)
    await put_part(store, "u1", 2, b"2" * (PART_BYTES - 1))
    await put_part(store, "u1", 4, b"1" * PART_BYTES)
    with pytest.raises(refusal):
        await complete(store, parts)
    with pytest.raises(NoSuchKeyError):
        store.find_object("bucket", "key")
    await complete(store, [(1, ONE), (2, TWO)])
    assert await read(store, "key") == b"1" * PART_BYTES + b"2" * (PART_BYTES - 1)


async def test_too_small_part_is_named(store: Store) -> None:
    await begin(store)
    for number in (1, 2):
        await put_part(store, "u1", number, b"x")
    with pytest.raises(PartTooSmallError) as caught:
        await complete(store, [(1, etag_of(b"x")), (2, etag_of(b"x"))])
    assert (caught.value.number, caught.value.size, caught.value.minimum) == (1, 1, PART_BYTES)


async def test_completion_asks_the_rule(store: Store) -> None:
    await put(store, "key", b"old")
    await begin(store)
    await put_part(store, "u1", 1, b"x")
    with pytest.raises(PreconditionFailedError):
        await complete(store, [(1, etag_of(b"x"))], rule=WriteRule(create_only=True))
    assert await read(store, "key") == b"old"
    await complete(store, [(1, etag_of(b"x"))], rule=WriteRule(etag=etag_of(b"old")))
    assert await read(store, "key") == b"x"


@pytest.mark.parametrize("is_versioned", [False, True])
async def test_condition_on_what_was_written_after_the_upload_began_is_a_conflict(
    store: Store, *, is_versioned: bool
) -> None:
    if is_versioned:
        await store.buckets.set_versioning("bucket", "Enabled")
    await put(store, "key", b"old", version_id="v1")
    await begin(store)
    await put_part(store, "u1", 1, b"x")
    # The clock does not matter, nor that it has the bytes and the ETag of before.
    await put(store, "key", b"old", version_id="v2", now_ms=NOW_MS - 3_600_000)
    with pytest.raises(ConflictingChangeError):
        await complete(store, [(1, etag_of(b"x"))], rule=WriteRule(etag=etag_of(b"old")))
    with pytest.raises(PreconditionFailedError):
        await complete(store, [(1, etag_of(b"x"))], rule=WriteRule(create_only=True))
    assert await read(store, "key") == b"old"
    await complete(store, [(1, etag_of(b"x"))])
    assert await read(store, "key") == b"x"


@pytest.mark.parametrize("is_versioned", [False, True])
async def test_creation_where_something_was_deleted_after_the_upload_began_is_a_conflict(
    store: Store, *, is_versioned: bool
) -> None:
    if is_versioned:
        await store.buckets.set_versioning("bucket", "Enabled")
    await put(store, "key", b"old", version_id="v1")
    await begin(store)
    await put_part(store, "u1", 1, b"x")
    await delete(store, "key", marker_id="m1")
    with pytest.raises(NoSuchKeyError):
        await complete(store, [(1, etag_of(b"x"))], rule=WriteRule(etag=etag_of(b"old")))
    with pytest.raises(ConflictingChangeError):
        await complete(store, [(1, etag_of(b"x"))], rule=WriteRule(create_only=True))
    await begin(store, upload_id="u2")
    await put_part(store, "u2", 1, b"y")
    await complete(store, [(1, etag_of(b"y"))], upload_id="u2", rule=WriteRule(create_only=True))
    assert await read(store, "key") == b"y"


async def test_completed_or_aborted_upload_takes_no_part(store: Store, folder: Path) -> None:
    await begin(store)
    await begin(store, upload_id="u2")
    await put_part(store, "u1", 1, b"x")
    await put_part(store, "u2", 1, b"y" * 5000)
    await complete(store, [(1, etag_of(b"x"))])
    await store.uploads.abort("bucket", "key", "u2")
    for upload_id in ("u1", "u2"):
        with pytest.raises(NoSuchUploadError):
            await put_part(store, upload_id, 1, b"x" * 5000)
        with pytest.raises(NoSuchUploadError):
            await store.uploads.abort("bucket", "key", upload_id)
    with pytest.raises(NoSuchUploadError):
        await complete(store, [(1, etag_of(b"x"))])
    await store.close()
    assert len(blob_files(folder)) == 1
    assert count_rows(folder)["parts"] == 0


async def test_parts_are_listed_in_pages(store: Store) -> None:
    await begin(store)
    for number in (10, 2, 7):
        await put_part(store, "u1", number, b"x" * number)
    first = await store.uploads.list_parts("bucket", "key", "u1", limit=2)
    assert [part.number for part in first.parts] == [2, 7]
    assert (first.is_truncated, first.next_after_number) == (True, 7)
    rest = await store.uploads.list_parts("bucket", "key", "u1", after_number=7, limit=2)
    assert [(part.number, part.size) for part in rest.parts] == [(10, 10)]
    assert (rest.is_truncated, rest.next_after_number) == (False, None)
    assert rest.upload == store.uploads.find("bucket", "key", "u1")
    with pytest.raises(NoSuchUploadError):
        await store.uploads.list_parts("bucket", "other", "u1")


UPLOADS = [("a", "1"), ("b/x", "1"), ("b/x", "2"), ("b/y", "1"), ("c", "1"), ("c", "2"), ("c", "3")]


@pytest.mark.parametrize(
    ("query", "shown", "prefixes"),
    [
        pytest.param({}, UPLOADS, [], id="everything"),
        pytest.param({"prefix": "b/"}, UPLOADS[1:4], [], id="prefix"),
        pytest.param({"delimiter": "/"}, [("a", "1"), *UPLOADS[4:]], ["b/"], id="delimiter"),
        pytest.param({"key_marker": "c"}, [], [], id="after a key"),
        pytest.param({"key_marker": "b/x"}, UPLOADS[3:], [], id="after a key with several"),
        pytest.param({"key_marker": "c", "upload_id_marker": "c-1"}, UPLOADS[5:], [], id="after an upload"),
        pytest.param({"key_marker": "b/", "delimiter": "/"}, UPLOADS[4:], [], id="after a group"),
        pytest.param({"upload_id_marker": "c-3"}, UPLOADS, [], id="upload id alone says nothing"),
    ],
)
async def test_uploads_are_listed_by_key_and_id(
    store: Store, query: dict[str, str], shown: list[tuple[str, str]], prefixes: list[str]
) -> None:
    for key, number in reversed(UPLOADS):
        await begin(store, key, f"{key}-{number}")
    page = await store.uploads.list("bucket", **query)  # type: ignore[arg-type] # names of one signature
    assert [(upload.key, upload.id) for upload in page.uploads] == [(key, f"{key}-{n}") for key, n in shown]
    assert list(page.common_prefixes) == prefixes
    assert page.is_truncated is False


@pytest.mark.parametrize("limit", range(1, 8))
@pytest.mark.parametrize("delimiter", ["", "/"])
async def test_pages_of_uploads_join_without_gap_or_repetition(
    store: Store, limit: int, delimiter: str
) -> None:
    for key, number in UPLOADS:
        await begin(store, key, f"{key}-{number}")
    whole = await store.uploads.list("bucket", delimiter=delimiter)
    uploads: list[Upload] = []
    prefixes: list[str] = []
    key_marker, upload_id_marker, goes_on = "", "", True
    while goes_on:
        page = await store.uploads.list(
            "bucket",
            delimiter=delimiter,
            key_marker=key_marker,
            upload_id_marker=upload_id_marker,
            limit=limit,
        )
        uploads.extend(page.uploads)
        prefixes.extend(page.common_prefixes)
        key_marker, upload_id_marker = page.next_key_marker or "", page.next_upload_id_marker or ""
        goes_on = page.is_truncated
    assert (tuple(uploads), tuple(prefixes)) == (whole.uploads, whole.common_prefixes)


async def test_the_newest_uploads_by_something_are_kept(store: Store, folder: Path) -> None:
    await begin(store, upload_id="own")
    await begin_by_link(store, "other", at_ms=NOW_MS - 9, link="another")
    for number in range(4):
        await begin_by_link(store, f"u{number}", at_ms=NOW_MS - number)
    await put_part(store, "u3", 1, body_of("one", PART_BYTES))
    await store.uploads.keep_newest("link", 2)
    assert await open_uploads(store) == ["other", "own", "u0", "u1"]
    assert count_rows(folder)["parts"] == 0
    await store.close()
    assert blob_files(folder) == set()


async def test_a_part_is_kept_as_long_as_all_have_not_too_many_bytes(store: Store) -> None:
    await begin(store)
    most = PART_BYTES + 10
    await put_part(store, "u1", 1, body_of("one", PART_BYTES), most_bytes=most)
    await put_part(store, "u1", 2, body_of("two", 10), most_bytes=most)
    with pytest.raises(PartsTooLargeError) as caught:
        await put_part(store, "u1", 3, b"x", most_bytes=most)
    assert (caught.value.size, caught.value.maximum) == (most + 1, most)
    await put_part(store, "u1", 2, body_of("again", 9), most_bytes=most)
    await put_part(store, "u1", 3, b"x", most_bytes=most)


async def test_what_somebody_abandoned_ends_when_no_part_came_for_a_week(store: Store, folder: Path) -> None:
    week_ms = 7 * 86_400_000
    await begin(store, upload_id="own")
    for number in range(20):
        await begin_by_link(store, f"u{number:02}")
    await begin_by_link(store, "young", at_ms=NOW_MS + 2)
    await begin_by_link(store, "busy")
    await put_part(store, "u00", 1, b"part")
    await put_part(store, "busy", 1, b"part")
    await put_part(store, "busy", 2, b"part", now_ms=NOW_MS + 2)
    await store.sweep(now_s=(NOW_MS + week_ms - 1) / 1000)
    assert len(await open_uploads(store)) == 23
    await store.sweep(now_s=(NOW_MS + week_ms + 1) / 1000)
    assert await open_uploads(store) == ["busy", "own", "young"]
    assert count_rows(folder)["parts"] == 2
