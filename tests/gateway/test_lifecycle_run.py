"""A run of lifecycle rules removes what is due, and nothing else."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from valetkey.gateway import lifecycle_run
from valetkey.gateway.lifecycle_run import LifecycleReport, run_lifecycle
from valetkey.s3.lifecycle import DAY_MS, Expiration, Form, NoncurrentExpiration, Rule, Rules, Scope
from valetkey.s3.xml.lifecycle_writer import render_lifecycle
from valetkey.store.model import NO_LOCK, Deletion, Lock, NewObject, StoredObject, VersionPage
from valetkey.store.store import Store

MINUTE_MS: Final = 60_000
"""A day of these tests, which is not rounded to midnights."""

START_MS: Final = 1_700_000_000_000
BUCKET: Final = "bucket"


def ignore(block: bytes) -> None:
    pass


class Stage:
    """A bucket with rules, and a clock that is set by hand."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now_ms = START_MS
        self.new_id: Callable[[], str] = map("id{:06}".format, itertools.count()).__next__

    def pass_minutes(self, minutes: float) -> None:
        self.now_ms += round(minutes * MINUTE_MS)

    async def set_rules(self, *rules: Rule) -> None:
        await self.store.buckets.put_setting(BUCKET, "lifecycle", render_lifecycle(Rules(rules=rules)))

    async def enable_versions(self) -> None:
        await self.store.buckets.set_versioning(BUCKET, "Enabled")

    async def put(
        self, key: str, body: bytes = b"body", *, tags: dict[str, str] | None = None, lock: Lock = NO_LOCK
    ) -> StoredObject:
        async def pieces() -> AsyncIterator[bytes]:
            yield body

        new = NewObject(etag=f"etag-of-{body!r}", headers={}, tags=tags or {}, lock=lock)
        draft = await self.store.receive(pieces(), size_hint=len(body), observe=ignore)
        async with draft:
            return await self.store.put_object(
                BUCKET, key, draft, new, version_id=self.new_id(), now_ms=self.now_ms
            )

    async def delete(self, key: str, version_id: str | None = None) -> None:
        deletion = Deletion(key=key, version_id=version_id)
        await self.store.delete_object(BUCKET, deletion, marker_id=self.new_id(), now_ms=self.now_ms)

    async def run(self) -> LifecycleReport:
        return await run_lifecycle(self.store, now_ms=self.now_ms, day_ms=MINUTE_MS, new_id=self.new_id)

    async def versions(self) -> list[tuple[str, str | None, bool]]:
        """Return key, id and whether it is a marker of all versions."""
        page = await self.store.list_versions(BUCKET, limit=100_000)
        return [(entry.key, entry.version_id, entry.is_marker) for entry in page.entries]

    async def keys(self) -> list[str]:
        page = await self.store.list_objects(BUCKET, limit=100_000)
        return [entry.key for entry in page.entries]


def rule(
    rule_id: str = "rule",
    *,
    prefix: str | None = None,
    tags: tuple[tuple[str, str], ...] = (),
    larger_than: int | None = None,
    is_enabled: bool = True,
    expiration: Expiration | None = None,
    noncurrent: NoncurrentExpiration | None = None,
    abort_days: int | None = None,
) -> Rule:
    conditions = len(tags) + (prefix is not None) + (larger_than is not None)
    form = Form.AND if conditions > 1 else Form.FILTER
    return Rule(
        id=rule_id,
        is_enabled=is_enabled,
        scope=Scope(form=form, prefix=prefix, tags=tags, larger_than=larger_than),
        expiration=expiration,
        noncurrent_expiration=noncurrent,
        abort_days=abort_days,
    )


AFTER_ONE: Final = Expiration(days=1)
MARKERS: Final = Expiration(marker=True)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    store = Store.open(tmp_path / "data")
    await store.buckets.create(BUCKET, now_ms=START_MS, is_lockable=False)
    yield Stage(store)
    await store.close()


async def test_an_object_goes_when_its_days_are_over_and_not_before(stage: Stage) -> None:
    await stage.set_rules(rule(expiration=AFTER_ONE))
    await stage.put("old")
    stage.pass_minutes(0.5)
    await stage.put("young")
    stage.pass_minutes(0.49)
    assert (await stage.run()).expired == 0
    stage.pass_minutes(0.01)
    assert (await stage.run()).expired == 1
    assert await stage.keys() == ["young"]
    assert await stage.versions() == [("young", None, False)]


async def test_real_days_end_at_midnight(stage: Stage) -> None:
    await stage.set_rules(rule(expiration=AFTER_ONE))
    await stage.put("key")
    midnight_ms = -(-(START_MS + DAY_MS) // DAY_MS) * DAY_MS
    early = await run_lifecycle(stage.store, now_ms=midnight_ms - 1, day_ms=DAY_MS, new_id=stage.new_id)
    assert early.expired == 0
    due = await run_lifecycle(stage.store, now_ms=midnight_ms, day_ms=DAY_MS, new_id=stage.new_id)
    assert due.expired == 1


async def test_a_date_is_for_all_objects_from_then_on(stage: Stage) -> None:
    at_ms = (START_MS // DAY_MS + 1) * DAY_MS
    await stage.set_rules(rule(expiration=Expiration(at_ms=at_ms)))
    await stage.put("key")
    stage.now_ms = at_ms - 1
    assert (await stage.run()).expired == 0
    stage.now_ms = at_ms
    assert (await stage.run()).expired == 1


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        pytest.param(rule(prefix="a/", expiration=AFTER_ONE), ["b/big", "b/tagged"], id="prefix"),
        pytest.param(rule(tags=(("kind", "log"),), expiration=AFTER_ONE), ["a/plain", "b/big"], id="tag"),
        pytest.param(rule(larger_than=10, expiration=AFTER_ONE), ["a/plain", "b/tagged"], id="size"),
        pytest.param(
            rule(prefix="a/", tags=(("kind", "log"),), expiration=AFTER_ONE),
            ["a/plain", "b/big", "b/tagged"],
            id="prefix-and-tag",
        ),
        pytest.param(
            rule(is_enabled=False, expiration=AFTER_ONE), ["a/plain", "b/big", "b/tagged"], id="disabled"
        ),
    ],
)
async def test_only_what_a_rule_is_for_goes(stage: Stage, wanted: Rule, left: list[str]) -> None:
    await stage.set_rules(wanted)
    await stage.put("a/plain")
    await stage.put("b/big", bytes(11))
    await stage.put("b/tagged", tags={"kind": "log"})
    stage.pass_minutes(2)
    await stage.run()
    assert await stage.keys() == left


async def test_rules_with_different_prefixes_reach_all_their_keys(stage: Stage) -> None:
    await stage.set_rules(
        rule("1", prefix="logs/a", expiration=AFTER_ONE), rule("2", prefix="logs/b", expiration=AFTER_ONE)
    )
    for key in ("logs/a1", "logs/b1", "logs/c1", "other"):
        await stage.put(key)
    stage.pass_minutes(2)
    await stage.run()
    assert await stage.keys() == ["logs/c1", "other"]


async def test_a_current_version_goes_behind_a_marker(stage: Stage) -> None:
    await stage.enable_versions()
    await stage.set_rules(rule(expiration=AFTER_ONE))
    kept = await stage.put("key")
    stage.pass_minutes(2)
    assert (await stage.run()).expired == 1
    (marker, version) = await stage.versions()
    assert marker[2]
    assert version == ("key", kept.version_id, False)
    stage.pass_minutes(2)
    assert (await stage.run()).expired == 0


async def test_a_marker_that_hides_something_stays(stage: Stage) -> None:
    await stage.enable_versions()
    await stage.set_rules(rule(expiration=MARKERS))
    await stage.put("key")
    await stage.delete("key")
    stage.pass_minutes(100)
    assert (await stage.run()).expired == 0
    assert len(await stage.versions()) == 2


@pytest.mark.parametrize("key", ["a", "z"], ids=["amid-others", "last-of-all"])
async def test_a_marker_that_hides_nothing_goes(stage: Stage, key: str) -> None:
    await stage.enable_versions()
    await stage.set_rules(rule(expiration=MARKERS))
    await stage.put("m")
    await stage.delete(key)
    assert (await stage.run()).expired == 1
    assert [entry[0] for entry in await stage.versions()] == ["m"]


async def test_a_lone_marker_goes_as_old_as_objects_may_become(stage: Stage) -> None:
    await stage.enable_versions()
    await stage.set_rules(rule(expiration=AFTER_ONE))
    await stage.delete("key")
    assert (await stage.run()).expired == 0
    stage.pass_minutes(1)
    assert (await stage.run()).expired == 1
    assert await stage.versions() == []


async def test_the_null_marker_goes_too(stage: Stage) -> None:
    await stage.store.buckets.set_versioning(BUCKET, "Suspended")
    await stage.set_rules(rule(expiration=MARKERS))
    await stage.delete("key")
    assert [entry[1:] for entry in await stage.versions()] == [(None, True)]
    assert (await stage.run()).expired == 1
    assert await stage.versions() == []


async def test_noncurrent_days_count_from_the_version_after(stage: Stage) -> None:
    await stage.enable_versions()
    await stage.set_rules(rule(noncurrent=NoncurrentExpiration(days=1)))
    await stage.put("key", b"1")
    stage.pass_minutes(10)
    second = await stage.put("key", b"2")
    assert (await stage.run()).expired == 0
    stage.pass_minutes(1)
    assert (await stage.run()).expired == 1
    assert await stage.versions() == [("key", second.version_id, False)]


async def test_a_noncurrent_marker_goes_like_a_version(stage: Stage) -> None:
    await stage.enable_versions()
    await stage.set_rules(rule(noncurrent=NoncurrentExpiration(days=1)))
    await stage.delete("key")
    current = await stage.put("key")
    stage.pass_minutes(1)
    assert (await stage.run()).expired == 1
    assert await stage.versions() == [("key", current.version_id, False)]


async def test_as_many_noncurrent_versions_stay_as_the_rule_says(stage: Stage) -> None:
    await stage.enable_versions()
    await stage.set_rules(rule(noncurrent=NoncurrentExpiration(days=1, newer_versions=2)))
    ids = [(await stage.put("key", b"%d" % number)).version_id for number in range(6)]
    await stage.put("other")
    stage.pass_minutes(5)
    assert (await stage.run()).expired == 3
    assert [entry[1] for entry in await stage.versions() if entry[0] == "key"] == ids[:2:-1]


async def test_pages_may_end_anywhere(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.enable_versions()
    await stage.set_rules(rule(noncurrent=NoncurrentExpiration(days=1, newer_versions=1), expiration=MARKERS))
    for page in (1, 2, 3, 5):
        monkeypatch.setattr(lifecycle_run, "_PAGE", page)
        expected = []
        for key in ("a", "b", "c"):
            ids = [(await stage.put(f"{page}{key}", b"%d" % number)).version_id for number in range(4)]
            expected += [(f"{page}{key}", version_id, False) for version_id in (ids[3], ids[2])]
            await stage.delete(f"{page}{key}-lone")
        stage.pass_minutes(1)
        report = await stage.run()
        assert report.expired == 3 * (2 + 1)
        assert [entry for entry in await stage.versions() if entry[0][0] == str(page)] == expected


async def test_locked_versions_stay_and_the_others_go(stage: Stage) -> None:
    await stage.enable_versions()
    await stage.store.buckets.allow_locks(BUCKET)
    await stage.set_rules(rule(noncurrent=NoncurrentExpiration(days=1)))
    until_ms = stage.now_ms + 100 * MINUTE_MS
    retained = await stage.put("key", b"1", lock=Lock(mode="GOVERNANCE", until_ms=until_ms))
    held = await stage.put("key", b"2", lock=Lock(legal_hold=True))
    await stage.put("key", b"3")
    current = await stage.put("key", b"4")
    stage.pass_minutes(2)
    report = await stage.run()
    assert (report.expired, report.locked) == (1, 2)
    left = [entry[1] for entry in await stage.versions()]
    assert left == [current.version_id, held.version_id, retained.version_id]
    stage.now_ms = until_ms
    assert (await stage.run()).expired == 1


@pytest.mark.parametrize("versioning", [None, "Enabled", "Suspended"], ids=["never", "enabled", "suspended"])
async def test_what_is_replaced_after_it_was_looked_at_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, versioning: str | None
) -> None:
    if versioning is not None:
        await stage.store.buckets.set_versioning(BUCKET, versioning)
    await stage.set_rules(rule(expiration=AFTER_ONE))
    await stage.put("key", b"same")
    stage.pass_minutes(2)
    interfere(monkeypatch, stage.store, lambda: stage.put("key", b"same"))
    assert (await stage.run()).expired == 0
    assert await stage.keys() == ["key"]


@pytest.mark.parametrize("versioning", [None, "Enabled"], ids=["never", "enabled"])
async def test_what_has_other_tags_since_it_was_looked_at_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, versioning: str | None
) -> None:
    if versioning is not None:
        await stage.store.buckets.set_versioning(BUCKET, versioning)
    await stage.set_rules(rule(tags=(("temporary", "1"),), expiration=AFTER_ONE))
    await stage.put("key", tags={"temporary": "1"})
    stage.pass_minutes(2)

    async def retag() -> None:
        await stage.store.amend_object(BUCKET, "key", None, lambda found: replace(found, tags={"keep": "1"}))

    interfere(monkeypatch, stage.store, retag)
    assert (await stage.run()).expired == 0
    assert await stage.keys() == ["key"]
    assert (await stage.run()).expired == 0


async def test_what_becomes_current_again_after_it_was_looked_at_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.enable_versions()
    await stage.set_rules(rule(noncurrent=NoncurrentExpiration(days=1)))
    older = await stage.put("key", b"1")
    newer = await stage.put("key", b"2")
    stage.pass_minutes(2)
    interfere(monkeypatch, stage.store, lambda: stage.delete("key", newer.version_id))
    assert (await stage.run()).expired == 0
    assert await stage.versions() == [("key", older.version_id, False)]


@pytest.mark.parametrize("name", ["rules", "bucket"])
async def test_rules_that_are_gone_remove_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    await stage.set_rules(rule(expiration=AFTER_ONE))
    await stage.put("key")
    stage.pass_minutes(2)

    async def remove() -> None:
        if name == "rules":
            await stage.store.buckets.put_setting(BUCKET, "lifecycle", None)
        else:
            await stage.delete("key")
            await stage.store.buckets.delete(BUCKET)

    interfere(monkeypatch, stage.store, remove)
    assert (await stage.run()).expired == 0


def interfere(monkeypatch: pytest.MonkeyPatch, store: Store, change: Callable[[], object]) -> None:
    """Let `change` happen right after the first page of versions is read."""
    read = store.list_versions
    changes = iter([change])

    async def read_and_change(bucket: str, **options: object) -> VersionPage:
        page = await read(bucket, **options)  # type: ignore[arg-type]  # passed on as they came
        for pending in changes:
            await pending()  # type: ignore[misc]  # all changes of these tests are coroutines
        return page

    monkeypatch.setattr(store, "list_versions", read_and_change)


async def test_uploads_are_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle_run, "_PAGE", 2)
    await stage.set_rules(rule(prefix="up/", abort_days=1))
    for number in range(5):
        await start_upload(stage, "up/same", f"early-{number}")
    await start_upload(stage, "other", "other")
    stage.pass_minutes(0.5)
    await start_upload(stage, "up/late", "late")
    stage.pass_minutes(0.5)
    assert (await stage.run()).uploads == 5
    page = await stage.store.uploads.list(BUCKET)
    assert [upload.id for upload in page.uploads] == ["other", "late"]


async def start_upload(stage: Stage, key: str, upload_id: str) -> None:
    await stage.store.uploads.create(BUCKET, key, upload_id=upload_id, headers={}, now_ms=stage.now_ms)


async def test_one_runs_at_a_time(stage: Stage, tmp_path: Path) -> None:
    await stage.set_rules(rule(expiration=AFTER_ONE))
    await stage.put("key")
    stage.pass_minutes(2)
    other = Store.open(tmp_path / "data")
    with other.hold_lifecycle() as is_ours:
        assert is_ours
        assert (await stage.run()).expired == 0
    assert (await stage.run()).expired == 1
    await other.close()


async def test_requests_have_their_turn(stage: Stage) -> None:
    await stage.set_rules(rule(expiration=Expiration(days=1000)))
    for number in range(100):
        await stage.put(f"{number}")
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await stage.run()
    counting.cancel()
    assert turns >= 5
