from dataclasses import replace
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
    etag_of,
    put,
    put_in_parts,
    read,
)

from valetkey.store import (
    BucketNotEmptyError,
    Deleted,
    DeleteMarkerError,
    Deletion,
    NoSuchBucketError,
    NoSuchKeyError,
    NoSuchVersionError,
    PreconditionFailedError,
    Store,
    StoreError,
    WriteRule,
)

SIZES = pytest.mark.parametrize("size", [10, INLINE_BYTES + 1], ids=["small", "large"])


async def enable(store: Store) -> None:
    await store.buckets.set_versioning("bucket", "Enabled")


async def suspend(store: Store) -> None:
    await store.buckets.set_versioning("bucket", "Suspended")


async def shown(store: Store) -> list[tuple[str, str | None, bool, bool]]:
    """Return all versions: key, id, whether it is the latest, and whether it is a marker."""
    page = await store.list_versions("bucket")
    return [(one.key, one.version_id, one.is_latest, one.is_marker) for one in page.entries]


async def test_versions_stand_beside_each_other_and_each_is_read_by_its_id(store: Store) -> None:
    await put(store, "key", b"before")
    await enable(store)
    first = await put(store, "key", b"first", version_id="b")
    second = await put(store, "key", b"second", version_id="a")
    assert (first.version_id, second.version_id) == ("b", "a")
    assert store.find_object("bucket", "key") == second
    assert [await read(store, "key", version_id=one) for one in ("a", "b", "null")] == [
        b"second",
        b"first",
        b"before",
    ]
    assert await shown(store) == [
        ("key", "a", True, False),
        ("key", "b", False, False),
        ("key", None, False, False),
    ]


async def test_version_id_is_not_used_without_versions(store: Store) -> None:
    assert (await put(store, "key", b"x", version_id="a")).version_id is None
    with pytest.raises(NoSuchVersionError) as caught:
        store.find_object("bucket", "key", "a")
    assert (caught.value.key, caught.value.version_id) == ("key", "a")


async def test_missing_versions_are_told_apart(store: Store) -> None:
    await enable(store)
    await put(store, "key", b"x", version_id="a")
    await delete(store, "key", marker_id="m", now_ms=NOW_MS + 1)
    with pytest.raises(NoSuchKeyError) as caught:
        store.find_object("bucket", "key")
    assert caught.value.marker_id == "m"
    with pytest.raises(NoSuchKeyError) as caught:
        store.find_object("bucket", "other")
    assert caught.value.marker_id is None
    with pytest.raises(DeleteMarkerError) as marker:
        store.find_object("bucket", "key", "m")
    assert (marker.value.version_id, marker.value.modified_ms) == ("m", NOW_MS + 1)
    for version_id in ("null", "b"):
        with pytest.raises(NoSuchVersionError):
            store.find_object("bucket", "key", version_id)
    with pytest.raises(NoSuchBucketError):
        store.find_object("nowhere", "key", "a")


async def test_delete_hides_all_versions_behind_a_marker(store: Store) -> None:
    await enable(store)
    await put(store, "key", b"x", version_id="a")
    assert await delete(store, "key", marker_id="m") == Deleted(
        key="key", version_id=None, marker_id="m", is_versioned=True
    )
    assert (await store.list_objects("bucket")).entries == ()
    assert await shown(store) == [("key", "m", True, True), ("key", "a", False, False)]
    assert await read(store, "key", version_id="a") == b"x"


async def test_delete_of_the_marker_brings_the_newest_version_back(store: Store) -> None:
    await enable(store)
    await put(store, "key", b"x", version_id="a")
    await delete(store, "key", marker_id="m")
    deleted = await delete(store, "key", version_id="m")
    assert (deleted.version_id, deleted.marker_id) == ("m", "m")
    assert store.find_object("bucket", "key").version_id == "a"
    assert [entry.key for entry in (await store.list_objects("bucket")).entries] == ["key"]


async def test_delete_of_the_current_version_brings_back_what_is_behind_it(store: Store) -> None:
    await enable(store)
    await put(store, "key", b"one", version_id="a")
    await delete(store, "key", marker_id="m")
    await put(store, "key", b"two", version_id="b")
    await put(store, "key", b"three", version_id="c")
    await delete(store, "key", version_id="c")
    assert await read(store, "key") == b"two"
    await delete(store, "key", version_id="b")
    with pytest.raises(NoSuchKeyError):
        store.find_object("bucket", "key")
    assert await shown(store) == [("key", "m", True, True), ("key", "a", False, False)]


async def test_delete_of_an_older_version_leaves_the_current_one(store: Store) -> None:
    await enable(store)
    for version_id in "abc":
        await put(store, "key", version_id.encode(), version_id=version_id)
    await delete(store, "key", version_id="b")
    assert await read(store, "key") == b"c"
    await delete(store, "key", marker_id="m")
    await delete(store, "key", version_id="a")
    assert await shown(store) == [("key", "m", True, True), ("key", "c", False, False)]


async def test_marker_may_be_all_that_a_key_has(store: Store) -> None:
    await enable(store)
    await delete(store, "key", marker_id="m")
    assert await shown(store) == [("key", "m", True, True)]
    with pytest.raises(BucketNotEmptyError):
        await store.buckets.delete("bucket")
    await delete(store, "key", version_id="m")
    assert await shown(store) == []
    await store.buckets.delete("bucket")


async def test_delete_of_what_is_not_there_is_done_at_once(store: Store) -> None:
    assert await delete(store, "key", version_id="a") == Deleted(
        key="key", version_id="a", marker_id=None, is_versioned=False
    )
    await enable(store)
    assert (await delete(store, "key", version_id="null")).is_versioned is True


@SIZES
async def test_suspended_bucket_replaces_the_null_version_alone(
    store: Store, folder: Path, size: int
) -> None:
    await put(store, "key", body_of("before", size))
    await enable(store)
    await put(store, "key", body_of("kept", size), version_id="a")
    await suspend(store)
    first = await put(store, "key", body_of("first", size), version_id="b")
    second = await put(store, "key", body_of("second", size), version_id="c")
    assert (first.version_id, second.version_id) == (None, None)
    assert await shown(store) == [("key", None, True, False), ("key", "a", False, False)]
    assert await read(store, "key", version_id="null") == body_of("second", size)
    assert await read(store, "key", version_id="a") == body_of("kept", size)
    await store.close()
    assert count_rows(folder)["contents"] == 2
    assert len(blob_files(folder)) == (0 if size == 10 else 2)


async def test_delete_in_a_suspended_bucket_leaves_a_null_marker_in_place_of_the_null_version(
    store: Store,
) -> None:
    await enable(store)
    await put(store, "key", b"kept", version_id="a")
    await suspend(store)
    await put(store, "key", b"null")
    for _ in range(2):
        assert (await delete(store, "key", marker_id="m")).marker_id == "null"
        assert await shown(store) == [("key", None, True, True), ("key", "a", False, False)]
    with pytest.raises(NoSuchKeyError) as caught:
        store.find_object("bucket", "key")
    assert caught.value.marker_id == "null"
    with pytest.raises(DeleteMarkerError):
        store.find_object("bucket", "key", "null")
    assert (await delete(store, "key", version_id="null")).marker_id == "null"
    assert await read(store, "key") == b"kept"


async def test_null_version_in_the_middle_is_replaced_by_one_in_front(store: Store) -> None:
    await put(store, "key", b"old null")
    await enable(store)
    await put(store, "key", b"newer", version_id="a")
    await suspend(store)
    await put(store, "key", b"new null")
    assert await shown(store) == [("key", None, True, False), ("key", "a", False, False)]
    await enable(store)
    await put(store, "key", b"newest", version_id="b")
    assert [row[1] for row in await shown(store)] == ["b", None, "a"]


async def test_marker_in_front_counts_as_no_object_for_a_rule(store: Store) -> None:
    await enable(store)
    await put(store, "key", b"old", version_id="a")
    await delete(store, "key", marker_id="m")
    with pytest.raises(NoSuchKeyError):
        await put(store, "key", b"new", version_id="b", rule=WriteRule(etag=etag_of(b"old")))
    await put(store, "key", b"new", version_id="b", rule=WriteRule(create_only=True))
    with pytest.raises(PreconditionFailedError):
        await put(store, "key", b"newer", version_id="c", rule=WriteRule(create_only=True))


DELETION_RULES = [
    pytest.param(WriteRule(etag=etag_of(b"body")), None, id="same etag"),
    pytest.param(WriteRule(etag="*"), None, id="any etag"),
    pytest.param(WriteRule(etag="other"), "If-Match", id="other etag"),
    pytest.param(WriteRule(size=4), None, id="same size"),
    pytest.param(WriteRule(size=0), "x-amz-if-match-size", id="other size"),
    pytest.param(WriteRule(modified_second=NOW_MS // 1000), None, id="same second"),
    pytest.param(
        WriteRule(modified_second=NOW_MS // 1000 + 1), "x-amz-if-match-last-modified-time", id="other second"
    ),
]


@pytest.mark.parametrize("version_id", [None, "a"], ids=["current", "named"])
@pytest.mark.parametrize(("rule", "condition"), DELETION_RULES)
async def test_rule_decides_whether_a_version_goes(
    store: Store, rule: WriteRule, condition: str | None, version_id: str | None
) -> None:
    await enable(store)
    await put(store, "key", b"body", version_id="a")
    if version_id is not None:
        # The rule is about the version that is named, and not about the current one.
        await put(store, "key", b"something else", version_id="b", now_ms=NOW_MS + 5000)
    if condition is None:
        await delete(store, "key", version_id=version_id, marker_id="m", rule=rule)
        return
    with pytest.raises(PreconditionFailedError) as caught:
        await delete(store, "key", version_id=version_id, marker_id="m", rule=rule)
    assert caught.value.condition == condition
    assert await read(store, "key", version_id="a") == b"body"


@pytest.mark.parametrize("status", [None, "Suspended"], ids=["never versioned", "suspended"])
async def test_rank_tells_null_versions_apart_even_if_the_former_was_deleted(
    store: Store, status: str | None
) -> None:
    if status is not None:
        await store.buckets.set_versioning("bucket", status)
    await put(store, "key", b"one")
    (listed,) = (await store.list_versions("bucket")).entries
    rule = WriteRule(rank=listed.rank)
    await put(store, "key", b"two", now_ms=NOW_MS)
    with pytest.raises(PreconditionFailedError):
        await delete(store, "key", version_id="null", rule=rule)
    await delete(store, "key", version_id="null")
    await put(store, "key", b"one", now_ms=NOW_MS + 1)
    with pytest.raises(PreconditionFailedError):
        await delete(store, "key", version_id="null", rule=rule)
    (listed,) = (await store.list_versions("bucket")).entries
    await delete(store, "key", version_id="null", rule=WriteRule(rank=listed.rank))
    assert await shown(store) == []


async def test_ranks_fall_also_when_the_clock_is_put_back(store: Store) -> None:
    await enable(store)
    for version_id, now_ms in [("a", NOW_MS), ("b", NOW_MS - 1000), ("c", NOW_MS - 500), ("d", NOW_MS + 1)]:
        await put(store, "key", b"", version_id=version_id, now_ms=now_ms)
    ranks = [one.rank for one in (await store.list_versions("bucket")).entries]
    assert [row[1] for row in await shown(store)] == ["d", "c", "b", "a"]
    assert ranks == sorted(set(ranks))


async def test_each_of_many_deletions_comes_to_something_of_its_own(store: Store) -> None:
    await enable(store)
    for key in "abc":
        await put(store, key, key.encode(), version_id=f"{key}1")
    ids = iter(["m1", "m2", "m3", "m4"])
    outcomes = await store.delete_objects(
        "bucket",
        [
            Deletion(key="a"),
            Deletion(key="b", version_id="b1"),
            Deletion(key="c", rule=WriteRule(etag="other")),
            Deletion(key="missing", rule=WriteRule(etag="*")),
        ],
        new_marker_id=lambda: next(ids),
        now_ms=NOW_MS,
    )
    assert outcomes[:2] == [
        Deleted(key="a", version_id=None, marker_id="m1", is_versioned=True),
        Deleted(key="b", version_id="b1", marker_id=None, is_versioned=True),
    ]
    assert [type(outcome) for outcome in outcomes[2:]] == [PreconditionFailedError, NoSuchKeyError]
    assert all(isinstance(outcome, StoreError) for outcome in outcomes[2:])
    assert [entry.key for entry in (await store.list_objects("bucket")).entries] == ["c"]


@SIZES
async def test_old_version_becomes_the_newest_by_a_copy(store: Store, size: int) -> None:
    await enable(store)
    await put(store, "key", body_of("old", size), version_id="a", tags={"x": "y"})
    await put(store, "key", body_of("new", size), version_id="b")
    placed = await copy(store, "key", "key", source_version_id="a", version_id="c")
    assert (placed.version_id, placed.tags) == ("c", {"x": "y"})
    assert await read(store, "key") == body_of("old", size)
    assert await read(store, "key", version_id="b") == body_of("new", size)


async def test_tags_of_one_version_are_amended(store: Store) -> None:
    await enable(store)
    for version_id in "ab":
        await put(store, "key", b"x", version_id=version_id, tags={"of": version_id})
    amended = await store.amend_object("bucket", "key", "a", lambda found: replace(found, tags={"n": "é"}))
    assert amended == store.find_object("bucket", "key", "a")
    assert amended.tags == {"n": "é"}
    await store.amend_object("bucket", "key", None, lambda found: replace(found, tags={}))
    page = await store.list_versions("bucket", with_tags=True)
    assert [(one.version_id, one.tags) for one in page.entries] == [("b", {}), ("a", {"n": "é"})]
    assert [one.tags for one in (await store.list_versions("bucket")).entries] == [None, None]


class RefusedError(Exception):
    """What a caller raises that will not have it."""


async def test_amendment_that_is_refused_changes_nothing(store: Store) -> None:
    await put(store, "key", b"x", tags={"a": "b"})

    def refuse(found: object) -> None:
        raise RefusedError

    with pytest.raises(RefusedError):
        await store.amend_object("bucket", "key", None, refuse)  # type: ignore[arg-type] # it raises
    with pytest.raises(NoSuchKeyError):
        await store.amend_object("bucket", "missing", None, lambda found: found)
    with pytest.raises(NoSuchVersionError):
        await store.amend_object("bucket", "key", "v", lambda found: found)
    assert store.find_object("bucket", "key").tags == {"a": "b"}


async def test_nothing_stays_of_versions_that_are_all_deleted(store: Store, folder: Path) -> None:
    await enable(store)
    await put(store, "key", body_of("one", 5000), version_id="a")
    await put_in_parts(store, "key", [body_of("two", 3000), body_of("three", 5)], version_id="b")
    await copy(store, "key", "key", version_id="c")
    await delete(store, "key", marker_id="m")
    for one in (await store.list_versions("bucket")).entries:
        await delete(store, "key", version_id=one.version_id or "null")
    await store.close()
    assert blob_files(folder) == set()
    assert set(count_rows(folder).values()) == {0}


async def test_rule_for_superseded_versions_spares_the_one_in_front(store: Store) -> None:
    await enable(store)
    for version_id in "ab":
        await put(store, "key", b"x", version_id=version_id)
    rule = WriteRule(is_superseded=True)
    with pytest.raises(PreconditionFailedError):
        await delete(store, "key", version_id="b", rule=rule)
    await delete(store, "key", version_id="a", rule=rule)
    assert [row[1] for row in await shown(store)] == ["b"]
    await delete(store, "key", marker_id="m")
    with pytest.raises(PreconditionFailedError):
        await delete(store, "key", version_id="m", rule=rule)
    await delete(store, "key", version_id="b", rule=rule)
    assert [row[1] for row in await shown(store)] == ["m"]
