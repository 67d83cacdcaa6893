from pathlib import Path

import pytest
from tests.store.stock import (
    INLINE_BYTES,
    NOW_MS,
    blob_files,
    body_of,
    copy,
    count_rows,
    delete,
    delete_all,
    etag_of,
    named_blobs,
    put,
    put_in_parts,
    read,
    read_range,
    receive,
)

from valetkey.store import (
    Checksum,
    ContentGoneError,
    NewObject,
    NoSuchBucketError,
    NoSuchKeyError,
    PreconditionFailedError,
    Store,
    StoreError,
    WriteRule,
)

SIZES = pytest.mark.parametrize(
    "size",
    [
        pytest.param(0, id="empty"),
        pytest.param(INLINE_BYTES, id="largest in the catalog"),
        pytest.param(INLINE_BYTES + 1, id="smallest in a file"),
        pytest.param(3 * 1024 * 1024 + 17, id="several blocks"),
    ],
)


@SIZES
async def test_what_is_put_is_found_and_read(store: Store, size: int) -> None:
    body = body_of("body", size)
    headers = {"content-type": "text/plain", "x-amz-meta-größe": "ß"}
    checksum = Checksum(algorithm="CRC32", value="AAAAAA==", type="FULL_OBJECT")
    placed = await put(store, "a/ключ", body, headers=headers, checksum=checksum)
    found = store.find_object("bucket", "a/ключ")
    assert found == placed
    assert (found.bucket, found.key, found.size) == ("bucket", "a/ключ", size)
    assert (found.etag, found.modified_ms, found.headers) == (etag_of(body), NOW_MS, headers)
    assert (found.checksum, found.parts_count) == (checksum, None)
    assert await read(store, "a/ключ") == body


@SIZES
async def test_what_is_put_outlives_the_store(store: Store, folder: Path, size: int) -> None:
    body = body_of("body", size)
    await put(store, "key", body)
    await store.close()
    again = Store.open(folder)
    assert await read(again, "key") == body
    await again.close()


@pytest.mark.parametrize("size", [INLINE_BYTES, 2_000_000], ids=["in the catalog", "in a file"])
async def test_any_range_can_be_read(store: Store, size: int) -> None:
    body = body_of("body", size)
    found = await put(store, "key", body)
    for start, end in [(0, 1), (size - 1, size), (7, 7), (3, size - 3), (size // 2, size)]:
        assert await read_range(store, found, start, end) == body[start:end]


@pytest.mark.parametrize("old_size", [10, 5000], ids=["small before", "large before"])
@pytest.mark.parametrize("new_size", [20, 6000], ids=["small after", "large after"])
async def test_put_replaces_and_leaves_nothing_behind(
    store: Store, folder: Path, old_size: int, new_size: int
) -> None:
    await put(store, "key", body_of("old", old_size), headers={"x": "old"})
    await put(store, "key", body_of("new", new_size), now_ms=NOW_MS + 1)
    assert await read(store, "key") == body_of("new", new_size)
    assert store.find_object("bucket", "key").headers == {}
    await store.close()
    assert blob_files(folder) == named_blobs(folder)
    assert count_rows(folder)["contents"] == 1


@pytest.mark.parametrize("size", [10, 5000], ids=["small", "large"])
async def test_delete_leaves_nothing_behind(store: Store, folder: Path, size: int) -> None:
    await put(store, "key", body_of("body", size))
    await delete(store, "key")
    with pytest.raises(NoSuchKeyError):
        store.find_object("bucket", "key")
    await delete(store, "key")
    await store.close()
    assert blob_files(folder) == set()
    assert set(count_rows(folder).values()) == {0}


async def test_many_objects_are_deleted_at_once_whether_or_not_they_exist(store: Store) -> None:
    for key in "abc":
        await put(store, key, b"x" * 5000)
    await delete_all(store, ["a", "missing", "c"])
    page = await store.list_objects("bucket")
    assert [entry.key for entry in page.entries] == ["b"]


async def test_missing_names_are_told_apart(store: Store) -> None:
    with pytest.raises(NoSuchBucketError):
        store.find_object("nowhere", "key")
    with pytest.raises(NoSuchKeyError) as caught:
        store.find_object("bucket", "missing")
    assert (caught.value.bucket, caught.value.key) == ("bucket", "missing")
    with pytest.raises(NoSuchBucketError):
        await put(store, "key", b"", bucket="nowhere")
    with pytest.raises(NoSuchBucketError):
        await delete(store, "key", bucket="nowhere")


async def test_keys_differ_by_their_bytes_alone(store: Store) -> None:
    keys = ["a", "A", "a ", "a/", "a//", "/a", "../a", "a\0", "é", "e\u0301", "\U0001f600", "%61", "a'b"]
    for key in keys:
        await put(store, key, key.encode())
    assert [await read(store, key) for key in keys] == [key.encode() for key in keys]
    page = await store.list_objects("bucket")
    assert [entry.key for entry in page.entries] == sorted(keys, key=str.encode)


RULES = [
    pytest.param(WriteRule(create_only=True), False, None, id="create only, free"),
    pytest.param(WriteRule(create_only=True), True, PreconditionFailedError, id="create only, taken"),
    pytest.param(WriteRule(etag=etag_of(b"old")), True, None, id="same etag"),
    pytest.param(WriteRule(etag="*"), True, None, id="any etag"),
    pytest.param(WriteRule(etag=etag_of(b"?")), True, PreconditionFailedError, id="other etag"),
    pytest.param(WriteRule(etag=etag_of(b"old")), False, NoSuchKeyError, id="etag of nothing"),
    pytest.param(WriteRule(etag="*"), False, NoSuchKeyError, id="any etag of nothing"),
]


@pytest.mark.parametrize("size", [10, 5000], ids=["small", "large"])
@pytest.mark.parametrize(("rule", "is_there", "refusal"), RULES)
async def test_rule_decides_whether_a_put_goes_ahead(
    store: Store, folder: Path, rule: WriteRule, is_there: bool, refusal: type[StoreError] | None, size: int
) -> None:
    if is_there:
        await put(store, "key", b"old")
    if refusal is None:
        await put(store, "key", b"n" * size, rule=rule)
        assert await read(store, "key") == b"n" * size
        return
    with pytest.raises(refusal):
        await put(store, "key", b"n" * size, rule=rule)
    if is_there:
        assert await read(store, "key") == b"old"
    await store.close()
    assert blob_files(folder) == set()


async def test_rule_decides_whether_a_delete_goes_ahead(store: Store) -> None:
    await put(store, "key", b"old")
    with pytest.raises(PreconditionFailedError) as caught:
        await delete(store, "key", rule=WriteRule(etag="other"))
    assert caught.value.condition == "If-Match"
    await delete(store, "key", rule=WriteRule(etag=etag_of(b"old")))
    with pytest.raises(NoSuchKeyError):
        await delete(store, "key", rule=WriteRule(etag=etag_of(b"old")))


async def test_draft_serves_once(store: Store) -> None:
    draft = await receive(store, b"x" * 5000)
    new = NewObject(etag="e", headers={})
    await store.put_object("bucket", "key", draft, new, now_ms=NOW_MS)
    with pytest.raises(ValueError, match="used or discarded"):
        await store.put_object("bucket", "other", draft, new, now_ms=NOW_MS)
    await draft.discard()
    assert await read(store, "key") == b"x" * 5000


@pytest.mark.parametrize("size", [10, 5000], ids=["small", "large"])
async def test_copy_has_the_content_and_keeps_or_replaces_the_headers(store: Store, size: int) -> None:
    body = body_of("body", size)
    source = await put(store, "source", body, headers={"content-type": "text/plain"})
    kept = await copy(store, "source", "kept", now_ms=NOW_MS + 1)
    assert (kept.headers, kept.etag, kept.modified_ms) == (source.headers, source.etag, NOW_MS + 1)
    await copy(store, "source", "new", headers={"x-amz-meta-a": "b"})
    assert store.find_object("bucket", "new").headers == {"x-amz-meta-a": "b"}
    assert store.find_object("bucket", "kept") == kept
    assert [await read(store, key) for key in ("source", "kept", "new")] == [body] * 3


async def test_copies_share_a_file_until_the_last_is_deleted(store: Store, folder: Path) -> None:
    body = body_of("body", 5000)
    await put(store, "source", body)
    await copy(store, "source", "copy")
    await copy(store, "copy", "copy", headers={"x": "y"})
    assert len(blob_files(folder)) == 1
    await delete(store, "source")
    assert await read(store, "copy") == body
    await delete(store, "copy")
    await store.close()
    assert blob_files(folder) == set()
    assert set(count_rows(folder).values()) == {0}


async def test_copies_of_parts_share_their_files_until_the_last_is_deleted(
    store: Store, folder: Path
) -> None:
    bodies = [body_of("one", 2000), body_of("two", 10)]
    await put_in_parts(store, "source", bodies)
    await copy(store, "source", "copy")
    await put(store, "source", b"other")
    assert await read(store, "copy") == b"".join(bodies)
    await delete(store, "copy")
    await store.close()
    assert blob_files(folder) == set()
    assert count_rows(folder) == dict.fromkeys(count_rows(folder), 0) | {"objects": 1, "contents": 1}


async def test_copy_onto_itself_keeps_the_content(store: Store, folder: Path) -> None:
    body = body_of("body", 5000)
    await put(store, "key", body)
    await copy(store, "key", "key", headers={"x": "y"})
    assert await read(store, "key") == body
    await store.close()
    assert len(blob_files(folder)) == 1


async def test_copy_goes_ahead_only_if_its_rule_holds_and_all_is_there(store: Store) -> None:
    await put(store, "source", b"one")
    with pytest.raises(PreconditionFailedError):
        await copy(store, "source", "source", rule=WriteRule(create_only=True))
    with pytest.raises(NoSuchKeyError):
        await copy(store, "missing", "copy")
    with pytest.raises(NoSuchBucketError):
        await copy(store, "source", "copy", bucket="nowhere")


@pytest.mark.parametrize("size", [10, 5000], ids=["small", "large"])
async def test_source_that_is_gone_is_not_copied(store: Store, folder: Path, size: int) -> None:
    source = await put(store, "source", body_of("old", size))
    await put(store, "source", b"new")
    with pytest.raises(ContentGoneError):
        await store.copy_object(source, "bucket", "copy", NewObject(etag="e", headers={}), now_ms=NOW_MS)
    await store.close()
    assert blob_files(folder) == set()
