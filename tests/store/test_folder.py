import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.stock import NOW_MS, open_store, put, read

from valetkey.store import FolderInUseError, NewerVersionError, StorageFailedError, Store, hold_folder, schema


def test_folder_is_held_once(folder: Path) -> None:
    with hold_folder(folder):
        with pytest.raises(FolderInUseError) as caught, hold_folder(folder):
            pytest.fail("held twice")
        assert caught.value.path == folder
        assert str(folder) in str(caught.value)
    with hold_folder(folder):
        pass


async def test_store_opens_beneath_the_server_that_holds_its_folder(folder: Path) -> None:
    with hold_folder(folder):
        first, second = open_store(folder), open_store(folder)
        await first.buckets.create("bucket", now_ms=NOW_MS)
        await put(first, "key", b"x")
        assert await read(second, "key") == b"x"
        await first.close()
        await second.close()


def test_new_folder_is_private_and_has_its_shelves(store: Store, folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(list((folder / "blobs").iterdir())) == 256
    for name in ("catalog.sqlite", "catalog.sqlite-wal", "write.lock"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600, name


async def test_missing_shelf_is_made_again(folder: Path) -> None:
    await open_store(folder).close()
    (folder / "blobs" / "00").rmdir()
    await open_store(folder).close()
    assert (folder / "blobs" / "00").is_dir()


@pytest.fixture
def newer_folder(folder: Path) -> Path:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
        catalog.execute("PRAGMA user_version = 99")
    return folder


def test_folder_of_a_newer_version_is_refused_untouched(newer_folder: Path) -> None:
    before = (newer_folder / "catalog.sqlite").read_bytes()
    with pytest.raises(NewerVersionError) as caught:
        Store.open(newer_folder)
    known = len(list((Path(schema.__file__).parent / "migrations").iterdir()))
    assert (caught.value.found, caught.value.known) == (99, known)
    assert "newer Valetkey" in str(caught.value)
    assert (newer_folder / "catalog.sqlite").read_bytes() == before


def test_folder_that_is_a_file_is_the_stores_own_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    with pytest.raises(StorageFailedError, match="cannot be opened"):
        Store.open(tmp_path / "data")
    with pytest.raises(StorageFailedError, match="cannot be held"), hold_folder(tmp_path / "data"):
        pytest.fail("held")


def test_catalog_that_is_no_database_is_the_stores_own_error(folder: Path) -> None:
    folder.mkdir()
    (folder / "catalog.sqlite").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StorageFailedError, match="cannot be opened"):
        Store.open(folder)
