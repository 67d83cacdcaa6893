from dataclasses import replace
from pathlib import Path

import pytest
from tests.store.stock import NOW_MS, blob_files, count_rows, open_store, put, put_part, read

from valetkey.store import (
    BucketExistsError,
    BucketNotEmptyError,
    Deletion,
    LockableBucketError,
    NewObject,
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


async def test_taken_name_tells_whose_bucket_it_is(store: Store) -> None:
    created = await store.buckets.create("another", owner_id="someone", now_ms=NOW_MS)
    assert created.owner_id == "someone"
    with pytest.raises(BucketExistsError) as caught:
        await store.buckets.create("another", owner_id="else", now_ms=NOW_MS)
    assert caught.value.owner_id == "someone"
    with pytest.raises(BucketExistsError) as caught:
        await store.buckets.create("bucket", owner_id="else", now_ms=NOW_MS)
    assert caught.value.owner_id is None


async def test_lockable_bucket_has_versions_from_the_start(store: Store) -> None:
    created = await store.buckets.create("another", is_lockable=True, now_ms=NOW_MS)
    assert (created.is_lockable, created.versioning) == (True, "Enabled")
    before = store.buckets.find("bucket")
    assert (before.is_lockable, before.versioning) == (False, None)
    with pytest.raises(LockableBucketError):
        await store.buckets.allow_locks("bucket")
    await store.buckets.set_versioning("bucket", "Enabled")
    await store.buckets.allow_locks("bucket")
    assert store.buckets.find("bucket") == replace(before, is_lockable=True, versioning="Enabled")
    with pytest.raises(LockableBucketError):
        await store.buckets.set_versioning("bucket", "Suspended")


async def test_what_was_allowed_in_a_bucket_is_not_done_in_another_of_its_name(store: Store) -> None:
    mine = store.buckets.find("bucket")
    upload = await store.uploads.create(mine, "key", upload_id="upload", headers={}, now_ms=NOW_MS)
    await store.buckets.delete("bucket")
    await store.buckets.create("bucket", owner_id="b" * 64, now_ms=NOW_MS)
    await put(store, "key", b"theirs")
    new = NewObject(etag="etag", headers={})
    found = store.find_object("bucket", "key")
    for attempt in (
        lambda: put(store, "key", b"mine", bucket=mine),
        lambda: store.delete_object(mine, Deletion(key="key"), now_ms=NOW_MS),
        lambda: store.delete_objects(mine, [Deletion(key="key")], now_ms=NOW_MS),
        lambda: store.copy_object(found, mine, "copy", new, now_ms=NOW_MS),
        lambda: store.amend_object(mine, "key", None, lambda obj: replace(obj, tags={"a": "b"})),
        lambda: store.list_objects(mine),
        lambda: store.list_versions(mine),
        lambda: store.uploads.create(mine, "key", upload_id="another", headers={}, now_ms=NOW_MS),
        lambda: store.uploads.abort(mine, "key", upload.id),
        lambda: store.uploads.list(mine),
        lambda: store.buckets.put_setting(mine, "lifecycle", "<all/>"),
        lambda: store.buckets.set_versioning(mine, "Enabled"),
        lambda: store.buckets.allow_locks(mine),
        lambda: store.buckets.delete(mine),
    ):
        with pytest.raises(NoSuchBucketError):
            await attempt()
    assert await read(store, "key") == b"theirs"
    theirs = store.buckets.find("bucket")
    assert (theirs.settings, theirs.versioning) == ({}, None)


async def test_settings_are_kept_replaced_and_removed(store: Store) -> None:
    assert store.buckets.find("bucket").settings == {}
    await store.buckets.put_setting("bucket", "tagging", "<a/>")
    await store.buckets.put_setting("bucket", "lifecycle", "<é/>")
    assert store.buckets.find("bucket").settings == {"tagging": "<a/>", "lifecycle": "<é/>"}
    await store.buckets.put_setting("bucket", "tagging", "<b/>")
    await store.buckets.put_setting("bucket", "lifecycle", None)
    await store.buckets.put_setting("bucket", "lifecycle", None)
    assert store.buckets.find("bucket").settings == {"tagging": "<b/>"}


async def test_settings_end_with_their_bucket(store: Store) -> None:
    await store.buckets.put_setting("bucket", "tagging", "<a/>")
    await store.buckets.delete("bucket")
    assert (await store.buckets.create("bucket", now_ms=NOW_MS)).settings == {}


async def test_bucket_that_is_missing_cannot_be_configured(store: Store) -> None:
    for change in (
        store.buckets.put_setting("nowhere", "tagging", "<a/>"),
        store.buckets.put_setting("nowhere", "tagging", None),
        store.buckets.set_versioning("nowhere", "Enabled"),
        store.buckets.allow_locks("nowhere"),
    ):
        with pytest.raises(NoSuchBucketError):
            await change


async def test_other_processes_see_each_change_of_a_bucket_at_once(store: Store, folder: Path) -> None:
    other = open_store(folder)
    for number in range(10):
        await store.buckets.put_setting("bucket", "tagging", f"{number}")
        assert other.buckets.find("bucket").settings == {"tagging": f"{number}"}
        status = ("Enabled", "Suspended")[number % 2]
        await other.buckets.set_versioning("bucket", status)
        assert store.buckets.find("bucket").versioning == status
    await store.buckets.set_versioning("bucket", "Enabled")
    await other.buckets.allow_locks("bucket")
    assert store.buckets.find("bucket").is_lockable is True
    former = store.buckets.find("bucket")
    await store.buckets.delete("bucket")
    with pytest.raises(NoSuchBucketError):
        other.buckets.find("bucket")
    await other.buckets.create("bucket", now_ms=NOW_MS + 1)
    assert store.buckets.find("bucket").id > former.id
    await other.close()
