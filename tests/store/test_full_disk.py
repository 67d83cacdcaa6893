import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.store.stock import (
    NOW_MS,
    blob_files,
    body_of,
    delete,
    delete_all,
    ignore,
    named_blobs,
    put,
    put_part,
    read,
    receive,
)

from valetkey.store import NewObject, NoSuchKeyError, OutOfSpaceError, Store
from valetkey.store.space import MIB, reserve_bytes

DISK_BYTES = 24 * MIB
PUT_AT_ONCE = 10
KEYS_PER_DELETE = 1000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB in memory."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("Mounting a small disk needs root.")
    path = tmp_path / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(path)]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"A small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
async def small(disk: Path) -> AsyncIterator[Store]:
    store = Store.open(disk / "data")
    await store.buckets.create("bucket", now_ms=NOW_MS)
    yield store
    await store.close()


async def fill(store: Store, size: int) -> list[str]:
    """Put objects until the disk is full, and return the keys of those that were acknowledged."""
    keys: list[str] = []
    for number in range(1_000_000):
        some = [f"{number}/{place}" for place in range(PUT_AT_ONCE)]
        puts = (put(store, key, body_of(key, size)) for key in some)
        results = await asyncio.gather(*puts, return_exceptions=True)
        for key, result in zip(some, results, strict=True):
            if not isinstance(result, BaseException):
                keys.append(key)
                continue
            assert isinstance(result, OutOfSpaceError), result
            with pytest.raises(NoSuchKeyError):
                store.find_object("bucket", key)
        if len(keys) < PUT_AT_ONCE * (number + 1):
            break
    return keys


@pytest.mark.parametrize(
    ("disk_bytes", "reserve"),
    [
        pytest.param(8 * MIB, MIB, id="tiny"),
        pytest.param(100 * MIB, 4 * MIB, id="small"),
        pytest.param(2000 * MIB, 20 * MIB, id="one percent"),
        pytest.param(10**12, 64 * MIB, id="large"),
    ],
)
def test_reserve_follows_the_size_of_the_disk(disk_bytes: int, reserve: int) -> None:
    assert reserve_bytes(disk_bytes) == reserve


SIZES = pytest.mark.parametrize(
    "size",
    [pytest.param(2000, id="tiny"), pytest.param(60_000, id="small"), pytest.param(700_000, id="large")],
)


@SIZES
async def test_full_disk_refuses_writes_serves_reads_and_recovers(
    disk: Path, small: Store, size: int
) -> None:
    keys = await fill(small, size)
    assert len(keys) * size > DISK_BYTES // 20
    for key in (keys[0], keys[-1]):
        assert await read(small, key) == body_of(key, size)
    assert len((await small.list_objects("bucket", limit=10_000_000)).entries) == len(keys)
    assert blob_files(disk / "data") == named_blobs(disk / "data")
    for start in range(0, len(keys), KEYS_PER_DELETE):
        await delete_all(small, keys[start : start + KEYS_PER_DELETE])
    assert (await small.list_objects("bucket")).entries == ()
    assert len(await fill(small, size)) > len(keys) // 2


@SIZES
async def test_every_object_can_be_deleted_one_by_one_on_a_full_disk(small: Store, size: int) -> None:
    for key in await fill(small, size):
        await delete(small, key)
    await put(small, "key", b"x" * 1000)


async def test_body_that_fills_the_disk_leaves_no_file(disk: Path, small: Store) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(100_000)

    with pytest.raises(OutOfSpaceError):
        await small.receive(endless(), size_hint=None, observe=ignore)
    assert blob_files(disk / "data") == set()
    await put(small, "key", bytes(MIB))


async def test_parts_fill_the_disk_and_an_abort_makes_room(disk: Path, small: Store) -> None:
    await small.uploads.create("bucket", "key", upload_id="u1", headers={}, now_ms=NOW_MS)
    for number in range(1, 15):
        await put_part(small, "u1", number, bytes(MIB))
    with pytest.raises(OutOfSpaceError):
        await put_part(small, "u1", 15, bytes(10 * MIB))
    await small.uploads.abort("bucket", "key", "u1")
    await put(small, "key", bytes(10 * MIB))
    assert len(blob_files(disk / "data")) == 1


def fill_up(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


async def test_disk_that_somebody_else_fills_to_the_last_byte(disk: Path, small: Store) -> None:
    await put(small, "small", b"x" * 1000)
    await put(small, "large", b"y" * 100_000)
    drafts = [await receive(small, b"z" * 1000), await receive(small, b"z" * 100_000)]
    fill_up(disk / "filler")
    for draft in drafts:
        with pytest.raises(OutOfSpaceError):
            await small.put_object("bucket", "new", draft, NewObject(etag="e", headers={}), now_ms=NOW_MS)
    with pytest.raises(OutOfSpaceError):
        await put(small, "new", b"z" * 100_000)
    with pytest.raises(OutOfSpaceError):
        await small.buckets.create("another", now_ms=NOW_MS)
    assert await read(small, "small") == b"x" * 1000
    assert await read(small, "large") == b"y" * 100_000
    assert len((await small.list_objects("bucket")).entries) == 2
    (disk / "filler").unlink()
    await put(small, "new", b"z" * 100_000)
    await delete_all(small, ["small", "large", "new"])
    await small.close()
    assert blob_files(disk / "data") == set()
