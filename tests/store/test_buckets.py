from pathlib import Path

import pytest
from tests.store.stock import NOW_MS, blob_files, count_rows, put, put_part

from valetkey.store import (
    BucketExistsError,
    BucketNotEmptyError,
    NoSuchBucketError,
    NoSuchUploadError,
    Store,
)


async def test_created_bucket_is_found_and_listed(store: Store) -> None:
    created = await store.buckets.create("another", now_ms=NOW_MS + 5)
    assert (created.name, created.created_ms) == ("another", NOW_MS + 5)
    assert store.buckets.find("another") == created
    assert [bucket.name for bucket in await store.buckets.list()] == ["another", "bucket"]


async def test_bucket_is_created_once(store: Store) -> None:
    with pytest.raises(BucketExistsError) as caught:
        await store.buckets.create("bucket", now_ms=NOW_MS)
    assert caught.value.bucket == "bucket"


async def test_deleted_bucket_is_gone_and_its_id_does_not_return(store: Store) -> None:
    first = store.buckets.find("bucket")
    await store.buckets.delete("bucket")
    with pytest.raises(NoSuchBucketError):
        store.buckets.find("bucket")
    assert (await store.buckets.create("bucket", now_ms=NOW_MS)).id > first.id


async def test_bucket_with_an_object_stays(store: Store) -> None:
    await put(store, "key", b"")
    with pytest.raises(BucketNotEmptyError):
        await store.buckets.delete("bucket")
    assert store.find_object("bucket", "key").size == 0


async def test_missing_bucket_cannot_be_deleted(store: Store) -> None:
    with pytest.raises(NoSuchBucketError):
        await store.buckets.delete("nowhere")


async def test_open_uploads_end_with_their_bucket(store: Store, folder: Path) -> None:
    await store.uploads.create("bucket", "key", upload_id="u1", headers={}, now_ms=NOW_MS)
    await put_part(store, "u1", 1, b"x" * 5000)
    await store.buckets.delete("bucket")
    with pytest.raises(NoSuchUploadError):
        await put_part(store, "u1", 2, b"x" * 5000)
    await store.close()
    assert blob_files(folder) == set()
    assert set(count_rows(folder).values()) == {0}
