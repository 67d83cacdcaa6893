import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.stock import (
    NOW_MS,
    blob_files,
    body_of,
    delete,
    etag_of,
    named_blobs,
    open_store,
    put,
    read,
    receive,
)

from valetkey.store import (
    BucketExistsError,
    NewObject,
    NoSuchKeyError,
    PreconditionFailedError,
    StorageFailedError,
    Store,
    WriteRule,
)
from valetkey.store import writer as writer_module
from valetkey.store.contents import Effects
from valetkey.store.jobs import Job, JobQueue
from valetkey.store.space import MIB


async def test_writes_that_arrive_together_all_happen(store: Store) -> None:
    sizes = {f"{number:03}": number * 37 for number in range(200)}
    await asyncio.gather(*(put(store, key, body_of(key, size)) for key, size in sizes.items()))
    page = await store.list_objects("bucket")
    assert {entry.key: entry.size for entry in page.entries} == sizes
    for key, size in sizes.items():
        assert await read(store, key) == body_of(key, size)


async def test_failing_change_does_not_hurt_its_neighbours(store: Store, folder: Path) -> None:
    await put(store, "taken", b"old")
    rule = WriteRule(create_only=True)
    results = await asyncio.gather(
        *(put(store, f"{number}", b"x" * 5000) for number in range(20)),
        *(put(store, "taken", b"y" * 5000, rule=rule) for _ in range(5)),
        store.buckets.create("bucket", now_ms=NOW_MS),
        delete(store, "0", rule=WriteRule(etag="?")),
        return_exceptions=True,
    )
    failed = [type(result) for result in results[20:]]
    assert failed[:5] == [PreconditionFailedError] * 5
    assert failed[5] is BucketExistsError
    assert failed[6] in {PreconditionFailedError, NoSuchKeyError}
    assert len((await store.list_objects("bucket")).entries) == 21
    await store.close()
    assert len(blob_files(folder)) == 20


async def test_one_of_many_creators_wins(store: Store) -> None:
    rule = WriteRule(create_only=True)
    bodies = [body_of(str(number), 10 + number * 200) for number in range(20)]
    results = await asyncio.gather(
        *(put(store, "key", body, rule=rule) for body in bodies), return_exceptions=True
    )
    winners = [
        body for body, result in zip(bodies, results, strict=True) if not isinstance(result, Exception)
    ]
    assert [await read(store, "key")] == winners


async def test_changes_happen_in_the_order_in_which_they_were_asked_for(store: Store) -> None:
    drafts = [await receive(store, f"{number}".encode()) for number in range(50)]
    new = NewObject(etag="e", headers={})
    writes = [store.put_object("bucket", "key", draft, new, now_ms=NOW_MS) for draft in drafts]
    await asyncio.gather(*writes)
    assert await read(store, "key") == b"49"


@pytest.mark.parametrize("size", [10, 5000], ids=["small", "large"])
async def test_cancelled_write_happens_wholly_and_the_writer_goes_on(
    store: Store, folder: Path, size: int
) -> None:
    body = body_of("body", size)
    draft = await receive(store, body)
    new = NewObject(etag=etag_of(body), headers={})
    task = asyncio.create_task(store.put_object("bucket", "key", draft, new, now_ms=NOW_MS))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await draft.discard()
    await put(store, "other", b"x")
    assert await read(store, "key") == body
    await store.close()
    assert blob_files(folder) == named_blobs(folder)


async def test_cancelled_write_that_fails_leaves_no_file(store: Store, folder: Path) -> None:
    await put(store, "key", b"old")
    draft = await receive(store, b"x" * 5000)
    task = asyncio.create_task(
        store.put_object(
            "bucket",
            "key",
            draft,
            NewObject(etag="e", headers={}),
            now_ms=NOW_MS,
            rule=WriteRule(create_only=True),
        )
    )
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.close()
    assert blob_files(folder) == set()


def test_loop_that_is_gone_does_not_stop_the_writer(folder: Path) -> None:
    store = open_store(folder)

    async def leave() -> None:
        await store.buckets.create("bucket", now_ms=NOW_MS)
        draft = await receive(store, b"left behind")
        writing = store.put_object("bucket", "key", draft, NewObject(etag="e", headers={}), now_ms=NOW_MS)
        task = asyncio.ensure_future(writing)
        await asyncio.sleep(0)
        task.cancel()

    async def come_back() -> bytes:
        await put(store, "other", b"x")
        body = await read(store, "key")
        await store.close()
        return body

    asyncio.run(leave())
    assert asyncio.run(come_back()) == b"left behind"


async def test_catalog_that_breaks_is_the_stores_own_error(store: Store, folder: Path) -> None:
    await put(store, "key", b"x")
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
        catalog.execute("DROP TABLE objects")
    with pytest.raises(StorageFailedError) as caught:
        await put(store, "key", b"y" * 5000)
    assert isinstance(caught.value.__cause__, sqlite3.Error)
    with pytest.raises(StorageFailedError):
        store.find_object("bucket", "key")
    with pytest.raises(StorageFailedError):
        await store.list_objects("bucket")
    # What does not need the lost table goes on, also beside what does.
    results = await asyncio.gather(
        put(store, "key", b"y"), store.buckets.create("another", now_ms=NOW_MS), return_exceptions=True
    )
    assert isinstance(results[0], StorageFailedError)
    assert store.buckets.find("another") == results[1]
    await store.close()
    assert blob_files(folder) == set()


async def test_log_stays_short_beside_readers_without_a_pause(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_LONG_LOG_BYTES", 2_000_000)
    store = Store.open(folder)
    await store.buckets.create("bucket", now_ms=NOW_MS)

    async def list_on() -> None:
        while True:
            await store.list_objects("bucket")

    readers = [asyncio.create_task(list_on()) for _ in range(4)]
    longest = 0
    for _ in range(60):
        await asyncio.gather(*(put(store, f"{number}", b"x" * 20_000) for number in range(10)))
        longest = max(longest, (folder / "catalog.sqlite-wal").stat().st_size)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    await store.close()
    assert longest < 12_000_000


async def test_log_is_short_again_after_a_long_reader(folder: Path) -> None:
    store = Store.open(folder)
    await store.buckets.create("bucket", now_ms=NOW_MS)
    with closing(sqlite3.connect(folder / "catalog.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM buckets").fetchall()
        for _ in range(20):
            await asyncio.gather(*(put(store, f"{number}", b"x" * 64_000) for number in range(10)))
        grown = (folder / "catalog.sqlite-wal").stat().st_size
    for _ in range(3):
        await put(store, "key", b"")
    shrunk = (folder / "catalog.sqlite-wal").stat().st_size
    await store.close()
    assert grown > 12_000_000
    assert shrunk < 9_000_000


async def test_look_up_leaves_no_transaction_open(store: Store, folder: Path) -> None:
    for key, size in [("small", 10), ("large", 5000)]:
        await put(store, key, b"x" * size)
        store.find_object("bucket", key)
        store.buckets.find("bucket")
        with closing(sqlite3.connect(folder / "catalog.sqlite", timeout=0)) as catalog:
            assert catalog.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


async def test_bug_in_a_change_reaches_its_caller_alone(store: Store) -> None:
    results = await asyncio.gather(
        put(store, "one", b"1"),
        store.put_object("bucket", "two", await receive(store, b"2"), BROKEN, now_ms=NOW_MS),
        put(store, "three", b"3"),
        return_exceptions=True,
    )
    assert isinstance(results[1], TypeError)
    assert (await read(store, "one"), await read(store, "three")) == (b"1", b"3")
    with pytest.raises(NoSuchKeyError):
        store.find_object("bucket", "two")


BROKEN = NewObject(etag="e", headers={"x-amz-meta-a": object()})  # type: ignore[dict-item] # the bug


async def test_change_that_fails_halfway_is_undone_and_hurts_no_neighbour(store: Store) -> None:
    def fail_halfway(connection: sqlite3.Connection, effects: Effects) -> None:
        connection.execute("UPDATE objects SET etag = 'halfway'")
        effects.keys.append(("bucket", "one"))
        raise LookupError

    await put(store, "one", b"1")
    workings = store._workings
    results = await asyncio.gather(
        put(store, "two", b"2"),
        workings.write(fail_halfway),
        put(store, "three", b"3"),
        return_exceptions=True,
    )
    assert isinstance(results[1], LookupError)
    tags = {key: store.find_object("bucket", key).etag for key in ("one", "two", "three")}
    assert tags == {"one": etag_of(b"1"), "two": etag_of(b"2"), "three": etag_of(b"3")}


async def test_writes_that_come_together_share_one_transaction(store: Store, folder: Path) -> None:
    drafts = [await receive(store, f"{number}".encode()) for number in range(50)]
    new = NewObject(etag="e", headers={})
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
        before = _frames_committed(catalog, folder)
        writes = [
            store.put_object("bucket", f"{number}", draft, new, now_ms=NOW_MS)
            for number, draft in enumerate(drafts)
        ]
        await asyncio.gather(*writes)
        assert _frames_committed(catalog, folder) - before == 1


def _frames_committed(catalog: sqlite3.Connection, folder: Path) -> int:
    """Return how many transactions stand in the log: of each, the last frame says how long the catalog is."""
    (page_bytes,) = catalog.execute("PRAGMA page_size").fetchone()
    log = (folder / "catalog.sqlite-wal").read_bytes()
    salt = log[16:24]
    frames = [log[start : start + 24] for start in range(32, len(log), 24 + page_bytes)]
    return sum(1 for frame in frames if frame[8:16] == salt and frame[4:8] != bytes(4))


async def test_job_put_by_a_loop_that_went_away_is_taken_along(folder: Path) -> None:
    jobs = JobQueue()
    left, later = (Job(change=_nothing, room_bytes=0, blob=None, future=None) for _ in range(2))
    gone = asyncio.new_event_loop()
    jobs.put_soon(left, gone)
    gone.close()
    jobs.put_soon(later, asyncio.get_running_loop())
    await asyncio.sleep(0)
    jobs.put(None)
    assert jobs.next_group() == ([left, later], False)


async def test_jobs_beyond_one_group_are_the_next(folder: Path) -> None:
    jobs = JobQueue()
    many = [Job(change=_nothing, room_bytes=MIB, blob=None, future=None) for _ in range(6)]
    for job in many:
        jobs.put_soon(job, asyncio.get_running_loop())
    await asyncio.sleep(0)
    assert [jobs.next_group(), jobs.next_group()] == [(many[:4], True), (many[4:], True)]


def _nothing(connection: sqlite3.Connection, effects: Effects) -> None:
    """Change nothing."""
