import os
import time
from pathlib import Path

from tests.store.stock import (
    NOW_MS,
    blob_files,
    body_of,
    named_blobs,
    put,
    put_in_parts,
    put_part,
    read,
    receive,
)

from valetkey.processes.file_lock import FileLock
from valetkey.store import Store, SweepReport
from valetkey.store.folder import DataFolder

LATER_S = 7200.0


def leave_behind(folder: Path, name: str, size: int = 10) -> Path:
    path = folder / "blobs" / name[:2] / name
    path.write_bytes(b"x" * size)
    return path


async def test_old_file_that_no_row_names_goes(store: Store, folder: Path) -> None:
    leave_behind(folder, "ab" * 16)
    leave_behind(folder, "cd" * 16, size=7)
    assert await store.sweep(now_s=time.time() + LATER_S) == SweepReport(files_removed=2, bytes_removed=17)
    assert blob_files(folder) == set()


async def test_file_younger_than_an_hour_stays(store: Store, folder: Path) -> None:
    path = leave_behind(folder, "ab" * 16)
    now_s = time.time()
    os.utime(path, (now_s, now_s - 3590))
    assert (await store.sweep(now_s=now_s)).files_removed == 0
    os.utime(path, (now_s, now_s - 3610))
    assert (await store.sweep(now_s=now_s)).files_removed == 1


async def test_whatever_a_row_names_stays(store: Store, folder: Path) -> None:
    parts = [body_of("one", 3000), body_of("two", 3000)]
    await put(store, "large", body_of("large", 5000))
    await put_in_parts(store, "parts", parts)
    await store.uploads.create("bucket", "open", upload_id="u1", headers={}, now_ms=NOW_MS)
    await put_part(store, "u1", 1, b"x")
    assert (await store.sweep(now_s=time.time() + LATER_S)).files_removed == 0
    assert blob_files(folder) == named_blobs(folder)
    assert len(blob_files(folder)) == 4
    assert await read(store, "parts") == b"".join(parts)


async def test_draft_stays_however_old_it_is(store: Store, folder: Path) -> None:
    async with await receive(store, body_of("draft", 5000)):
        (name,) = blob_files(folder)
        os.utime(folder / "blobs" / name[:2] / name, (0, 0))
        assert (await store.sweep(now_s=time.time() + LATER_S, min_age_s=0)).files_removed == 0


async def test_nothing_but_blobs_is_touched(store: Store, folder: Path) -> None:
    strangers = [
        folder / "notes.txt",
        folder / ("ab" * 16),
        folder / "blobs" / "ab" / "notes.txt",
        folder / "blobs" / "ab" / ("cd" * 16),
        folder / "blobs" / "ab" / ("AB" * 16),
    ]
    for path in strangers:
        path.write_bytes(b"x")
    (folder / "blobs" / "ab" / ("ab" * 16)).symlink_to(folder / "notes.txt")
    (folder / "blobs" / "cd" / ("cd" * 16)).mkdir()
    (folder / "blobs" / "readme").write_bytes(b"x")
    assert (await store.sweep(now_s=time.time() + LATER_S)).files_removed == 0
    assert all(path.exists() for path in strangers)


async def test_one_process_sweeps_at_a_time(store: Store, folder: Path) -> None:
    leave_behind(folder, "ab" * 16)
    lock = FileLock(DataFolder(folder).sweep_lock)
    assert lock.take_at_once()
    assert (await store.sweep(now_s=time.time() + LATER_S)).files_removed == 0
    lock.close()
    assert (await store.sweep(now_s=time.time() + LATER_S)).files_removed == 1
