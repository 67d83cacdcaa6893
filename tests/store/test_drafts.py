import asyncio
import threading
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.store.stock import NOW_MS, blob_files, body_of, chunks_of, ignore, read, receive

from valetkey.store import NewObject, OutOfSpaceError, Store, StoreClosedError
from valetkey.store.drafts import GATHERED_BYTES

MIB = 1024 * 1024
BODY = body_of("body", 3 * MIB + 5)


@pytest.mark.parametrize("size", [0, 999, 1000, 1001, 5000, len(BODY)])
@pytest.mark.parametrize("hint", ["right", "none", "too small", "too large"])
async def test_observer_sees_all_bytes_in_order(store: Store, size: int, hint: str) -> None:
    body = BODY[:size]
    seen: list[bytes] = []
    size_hint = {"right": size, "none": None, "too small": 0, "too large": 10 * MIB}[hint]
    draft = await store.receive(chunks_of(body, size=701), size_hint=size_hint, observe=seen.append)
    assert b"".join(seen) == body
    assert draft.size == size
    await store.put_object("bucket", "key", draft, NewObject(etag="e", headers={}), now_ms=NOW_MS)
    assert await read(store, "key") == body


async def test_large_bodies_are_observed_off_the_event_loop(store: Store) -> None:
    threads: set[int] = set()
    draft = await store.receive(
        chunks_of(BODY, size=MIB), size_hint=len(BODY), observe=lambda _: threads.add(threading.get_ident())
    )
    await draft.discard()
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("size", [10, len(BODY)], ids=["small", "large"])
async def test_unused_draft_leaves_no_file(store: Store, folder: Path, size: int) -> None:
    async with await receive(store, BODY[:size]) as draft:
        assert len(blob_files(folder)) == (0 if size == 10 else 1)
        assert draft.size == size
    assert blob_files(folder) == set()


class ClientLeftError(Exception):
    """What a broken connection raises."""


@pytest.mark.parametrize("sent", [10, 5000, 2 * MIB + 1])
async def test_body_that_breaks_off_leaves_no_file(store: Store, folder: Path, sent: int) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for chunk in chunks_of(BODY[:sent], size=400_000):
            yield chunk
        raise ClientLeftError

    with pytest.raises(ClientLeftError):
        await store.receive(broken(), size_hint=None, observe=ignore)
    assert blob_files(folder) == set()


@pytest.mark.parametrize("size", [10, 5000, len(BODY)])
async def test_observer_that_refuses_leaves_no_file(store: Store, folder: Path, size: int) -> None:
    def refuse(block: bytes) -> None:
        raise ClientLeftError

    with pytest.raises(ClientLeftError):
        await store.receive(chunks_of(BODY[:size], size=400_000), size_hint=size, observe=refuse)
    assert blob_files(folder) == set()


@pytest.mark.parametrize("sent", [0, 10, 5000, 2 * MIB + 1])
async def test_cancelled_receiver_leaves_no_file(store: Store, folder: Path, sent: int) -> None:
    waits = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        async for chunk in chunks_of(BODY[:sent], size=400_000):
            yield chunk
        waits.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.receive(stalling(), size_hint=len(BODY), observe=ignore))
    await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert blob_files(folder) == set()


async def test_receiver_cancelled_while_a_block_is_written_waits_for_it(store: Store, folder: Path) -> None:
    is_writing, may_write = threading.Event(), threading.Event()

    def observe(block: bytes) -> None:
        is_writing.set()
        may_write.wait()

    task = asyncio.create_task(store.receive(chunks_of(BODY, size=MIB), size_hint=len(BODY), observe=observe))
    await asyncio.to_thread(is_writing.wait)
    task.cancel()
    asyncio.get_running_loop().call_later(0.01, may_write.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert blob_files(folder) == set()


async def test_memory_stays_flat_while_a_large_body_comes_in(store: Store) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1024):
            yield bytes(64 * 1024)

    tracemalloc.start()
    draft = await store.receive(endless(), size_hint=64 * MIB, observe=ignore)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await draft.discard()
    assert draft.size == 64 * MIB
    assert most < 8 * MIB


async def test_body_that_cannot_fit_is_refused_before_it_is_read(store: Store) -> None:
    seen: list[bytes] = []
    body = chunks_of(BODY)
    with pytest.raises(OutOfSpaceError):
        await store.receive(body, size_hint=2**60, observe=seen.append)
    assert seen == []
    assert await anext(body) == BODY[:700]


async def test_closed_store_takes_nothing(store: Store, folder: Path) -> None:
    draft = await receive(store, BODY)
    new = NewObject(etag="e", headers={})
    await store.close()
    with pytest.raises(StoreClosedError):
        await receive(store, BODY)
    with pytest.raises(StoreClosedError):
        await store.put_object("bucket", "key", draft, new, now_ms=NOW_MS)
    await draft.discard()
    assert blob_files(folder) == set()
    with pytest.raises(StoreClosedError):
        store.find_object("bucket", "key")
    with pytest.raises(StoreClosedError):
        await store.list_objects("bucket")
    with pytest.raises(StoreClosedError):
        await store.sweep(now_s=0)
    await store.close()


async def test_blob_files_are_private(store: Store, folder: Path) -> None:
    async with await receive(store, BODY):
        (path,) = (path for path in (folder / "blobs").rglob("*") if path.is_file())
        assert path.stat().st_mode & 0o777 == 0o600


async def test_many_bodies_at_once_gather_no_more_than_few(store: Store) -> None:
    bodies, chunk, chunks = 400, bytes(20_000), 50
    gate, all_wait, waiting, observed = asyncio.Event(), asyncio.Event(), 0, 0

    async def slow() -> AsyncIterator[bytes]:
        nonlocal waiting
        # All of them begin before any has sent a block.
        await asyncio.sleep(0)
        for _ in range(chunks):
            yield chunk
        waiting += 1
        if waiting == bodies:
            all_wait.set()
        await gate.wait()

    def observe(block: bytes) -> None:
        nonlocal observed
        observed += len(block)

    async def take_in() -> None:
        hint = chunks * len(chunk)
        await (await store.receive(slow(), size_hint=hint, observe=observe)).discard()

    async with asyncio.TaskGroup() as group:
        for _ in range(bodies):
            group.create_task(take_in())
        await all_wait.wait()
        sent = bodies * chunks * len(chunk)
        # One block is being gathered and one being written.
        most = 2 * GATHERED_BYTES + bodies * len(chunk)
        gathered = sent - observed
        gate.set()
    assert gathered <= most
    assert observed == sent
