from dataclasses import replace

import pytest
from tests.store.stock import NOW_MS, delete, put, read

from valetkey.store import NO_LOCK, Deleted, Deletion, Lock, ObjectLockedError, Store

LATER_MS = NOW_MS + 1000
GOVERNED = Lock(mode="GOVERNANCE", until_ms=LATER_MS)
COMPLIANT = Lock(mode="COMPLIANCE", until_ms=LATER_MS)
HELD = Lock(legal_hold=True)


@pytest.mark.parametrize(
    ("lock", "now_ms", "may_bypass", "protects"),
    [
        pytest.param(NO_LOCK, NOW_MS, False, False, id="none"),
        pytest.param(GOVERNED, NOW_MS, False, True, id="governance"),
        pytest.param(GOVERNED, NOW_MS, True, False, id="governance, bypassed"),
        pytest.param(GOVERNED, LATER_MS - 1, False, True, id="governance, last instant"),
        pytest.param(GOVERNED, LATER_MS, False, False, id="governance, over"),
        pytest.param(COMPLIANT, NOW_MS, True, True, id="compliance is not bypassed"),
        pytest.param(COMPLIANT, LATER_MS, False, False, id="compliance, over"),
        pytest.param(HELD, NOW_MS, True, True, id="legal hold"),
        pytest.param(Lock(legal_hold=False), NOW_MS, False, False, id="legal hold is off"),
        pytest.param(replace(GOVERNED, legal_hold=True), LATER_MS, True, True, id="hold outlasts retention"),
    ],
)
async def test_lock_protects_a_version(
    store: Store, lock: Lock, now_ms: int, may_bypass: bool, protects: bool
) -> None:
    assert lock.protects(now_ms=now_ms, may_bypass=may_bypass) is protects
    await store.buckets.set_versioning("bucket", "Enabled")
    placed = await put(store, "key", b"x", version_id="a", lock=lock)
    assert store.find_object("bucket", "key").lock == placed.lock == lock
    await put(store, "key", b"y", version_id="b")
    if not protects:
        await delete(store, "key", version_id="a", now_ms=now_ms, may_bypass=may_bypass)
        return
    with pytest.raises(ObjectLockedError) as caught:
        await delete(store, "key", version_id="a", now_ms=now_ms, may_bypass=may_bypass)
    assert (caught.value.key, caught.value.version_id) == ("key", "a")
    assert await read(store, "key", version_id="a") == b"x"


async def test_locked_version_can_be_hidden_but_not_removed(store: Store) -> None:
    await store.buckets.set_versioning("bucket", "Enabled")
    await put(store, "key", b"x", version_id="a", lock=COMPLIANT)
    assert (await delete(store, "key", marker_id="m")).marker_id == "m"
    await delete(store, "key", version_id="m")
    outcomes = await store.delete_objects(
        "bucket", [Deletion(key="key", version_id="a", may_bypass=True), Deletion(key="other")], now_ms=NOW_MS
    )
    assert [type(outcome) for outcome in outcomes] == [ObjectLockedError, Deleted]
    assert await read(store, "key") == b"x"


async def test_lock_is_amended(store: Store) -> None:
    await store.buckets.set_versioning("bucket", "Enabled")
    await put(store, "key", b"x", version_id="a", tags={"a": "b"})
    await store.amend_object("bucket", "key", "a", lambda found: replace(found, lock=HELD))
    found = store.find_object("bucket", "key")
    assert (found.lock, found.tags) == (HELD, {"a": "b"})
    with pytest.raises(ObjectLockedError):
        await delete(store, "key", version_id="a")
    off = Lock(legal_hold=False)
    await store.amend_object("bucket", "key", "a", lambda found: replace(found, lock=off))
    assert store.find_object("bucket", "key").lock == off
    await delete(store, "key", version_id="a")
