"""A folder that an earlier program wrote is the same store after it has been opened."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.stock import (
    NOW_MS,
    PART_BYTES,
    blob_files,
    body_of,
    copy,
    count_rows,
    delete,
    etag_of,
    named_blobs,
    open_store,
    put,
    put_part,
    read,
)

from valetkey.s3.xml.access_control import render_ownership_controls
from valetkey.store import NO_LOCK, NewObject, ObjectPart, Store
from valetkey.store.folder import DataFolder, make_private_folder
from valetkey.store.schema import migrate

MIGRATIONS = sorted((Path(migrate.__code__.co_filename).parent / "migrations").glob("*.sql"))

SMALL, LARGE = b"small", body_of("large", 5000)
PARTS = [body_of("one", 3000), body_of("two", 2000), body_of("three", 7)]
OPEN_PARTS = [body_of("four", 2500), body_of("five", 10)]
DOOMED = [body_of("six", 3000), body_of("seven", 3000)]

FIRST_SCHEMA = 1


class OldFolder:
    """A data folder as a program of the first schema left it."""

    def __init__(self, path: Path) -> None:
        make_private_folder(path)
        self.folder = DataFolder(path)
        self.folder.prepare()
        self.blobs_drawn = 0
        self.catalog = sqlite3.connect(self.folder.catalog, isolation_level=None)
        self.catalog.execute("PRAGMA journal_mode = WAL")
        self.catalog.executescript(MIGRATIONS[FIRST_SCHEMA - 1].read_text())
        self.catalog.execute("INSERT INTO buckets (name, created_ms) VALUES ('bucket', ?)", (NOW_MS,))

    def keep_blob(self, body: bytes) -> str:
        self.blobs_drawn += 1
        blob_id = f"{self.blobs_drawn:032x}"
        (self.folder.blobs / blob_id[:2] / blob_id).write_bytes(body)
        return blob_id

    def add_content(self, bodies: list[bytes], *, parts_count: int | None) -> int:
        row = ('{"content-type":"text/plain"}', parts_count)
        content_id = self.catalog.execute(
            "INSERT INTO contents (headers, parts_count) VALUES (?, ?)", row
        ).lastrowid
        assert content_id is not None
        for number, body in enumerate(bodies, start=1):
            segment = (content_id, number, self.keep_blob(body), len(body))
            self.catalog.execute("INSERT INTO segments VALUES (?, ?, ?, ?)", segment)
        return content_id

    def add_object(self, key: str, body: bytes, etag: str, content_id: int) -> None:
        row = (key.encode(), len(body), etag, NOW_MS, content_id)
        self.catalog.execute(
            "INSERT INTO objects VALUES (1, ?, ?, ?, ?, 'STANDARD_IA', 'CRC32', 'AAAAAA==', 'FULL_OBJECT', ?)",
            row,
        )

    def fill(self) -> None:
        inline = self.catalog.execute("INSERT INTO contents (bytes) VALUES (?)", (SMALL,)).lastrowid
        assert inline is not None
        self.add_object("small", SMALL, etag_of(SMALL), inline)
        self.add_object("large", LARGE, etag_of(LARGE), self.add_content([LARGE], parts_count=None))
        self.add_object("parts", b"".join(PARTS), "e-3", self.add_content(PARTS, parts_count=3))
        doomed = self.add_content(DOOMED, parts_count=2)
        self.catalog.execute("INSERT INTO doomed VALUES (?)", (doomed,))
        upload = ("u1", 1, b"up", 5)
        self.catalog.execute(
            "INSERT INTO uploads (id, bucket_id, key, created_ms) VALUES (?, ?, ?, ?)", upload
        )
        # In another order than their numbers.
        for number in (2, 1):
            body = OPEN_PARTS[number - 1]
            row = (number, len(body), etag_of(body), self.keep_blob(body))
            self.catalog.execute("INSERT INTO parts VALUES ('u1', ?, ?, ?, 6, NULL, NULL, NULL, ?)", row)


@pytest.fixture
def old(folder: Path) -> Iterator[OldFolder]:
    made = OldFolder(folder)
    with closing(made.catalog):
        made.fill()
        yield made


async def test_objects_of_the_first_schema_are_null_versions_as_they_were(
    old: OldFolder, folder: Path
) -> None:
    store = open_store(folder)
    bucket = store.buckets.find("bucket")
    assert (bucket.owner_id, bucket.versioning, bucket.is_lockable) == (None, None, False)
    # As it always was.
    assert bucket.settings == {"ownershipControls": render_ownership_controls("BucketOwnerEnforced")}
    for key, body in [("small", SMALL), ("large", LARGE), ("parts", b"".join(PARTS))]:
        found = store.find_object("bucket", key)
        assert (found.version_id, found.size, found.modified_ms) == (None, len(body), NOW_MS)
        assert (found.tags, found.lock, found.encryption) == ({}, NO_LOCK, None)
        assert await read(store, key) == await read(store, key, version_id="null") == body
    assert store.find_object("bucket", "parts").headers == {"content-type": "text/plain"}
    page = await store.list_versions("bucket")
    assert [(one.key, one.version_id, one.is_latest) for one in page.entries] == [
        ("large", None, True),
        ("parts", None, True),
        ("small", None, True),
    ]
    assert {one.storage_class for one in page.entries} == {"STANDARD_IA"}
    await store.close()


async def test_parts_of_an_old_object_can_be_told_apart(old: OldFolder, folder: Path) -> None:
    store = open_store(folder)
    parts, is_truncated = await store.list_object_parts(store.find_object("bucket", "parts"))
    await store.close()
    assert parts == [
        ObjectPart(number=1, start=0, size=3000, checksum_value=None),
        ObjectPart(number=2, start=3000, size=2000, checksum_value=None),
        ObjectPart(number=3, start=5000, size=7, checksum_value=None),
    ]
    assert is_truncated is False


async def test_old_upload_goes_on(old: OldFolder, folder: Path) -> None:
    store = open_store(folder)
    page = await store.uploads.list_parts("bucket", "up", "u1")
    assert [(part.number, part.size) for part in page.parts] == [(1, 2500), (2, 10)]
    third = body_of("third", 20)
    await put_part(store, "u1", 2, body_of("new", PART_BYTES))
    await put_part(store, "u1", 3, third)
    whole = [OPEN_PARTS[0], body_of("new", PART_BYTES), third]
    await store.uploads.complete(
        "bucket",
        "up",
        "u1",
        parts=[(number, etag_of(body)) for number, body in enumerate(whole, start=1)],
        new=NewObject(etag="e-3", headers={}),
        now_ms=NOW_MS,
    )
    assert await read(store, "up") == b"".join(whole)
    await store.close()
    assert blob_files(folder) == named_blobs(folder)


async def test_nothing_of_an_old_folder_stays_once_all_is_deleted(old: OldFolder, folder: Path) -> None:
    store = open_store(folder)
    await store.buckets.set_versioning("bucket", "Enabled")
    await put(store, "small", b"new", version_id="v1")
    await copy(store, "parts", "parts", version_id="v2")
    for key in ("small", "large", "parts"):
        await delete(store, key, version_id="null")
    for key, version_id in [("small", "v1"), ("parts", "v2")]:
        await delete(store, key, version_id=version_id)
    await store.uploads.abort("bucket", "up", "u1")
    await store.sweep(now_s=4e9, min_age_s=0)
    await store.buckets.delete("bucket")
    await store.close()
    assert blob_files(folder) == set()
    assert set(count_rows(folder).values()) == {0}


async def test_new_contents_take_no_id_of_an_old_part(old: OldFolder, folder: Path) -> None:
    store = open_store(folder)
    placed = await put(store, "new", b"x")
    await store.close()
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
        (newest_part,) = catalog.execute("SELECT max(content_id) FROM parts").fetchone()
    assert placed.id > newest_part


async def test_empty_old_folder_is_migrated_too(folder: Path) -> None:
    OldFolder(folder).catalog.close()
    store = open_store(folder)
    await put(store, "key", b"x")
    assert await read(store, "key") == b"x"
    await store.close()


def steps_of(script: str) -> list[str]:
    """Return the statements of a migration, without what ends it."""
    steps: list[str] = []
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            steps.append(gathered)
            gathered = ""
    assert steps[-1].strip() == "COMMIT;"
    return steps[:-1]


async def test_account_of_the_seventh_schema_blocks_nothing(old: OldFolder, folder: Path) -> None:
    for migration in MIGRATIONS[FIRST_SCHEMA:7]:
        old.catalog.executescript(migration.read_text())
    old.catalog.execute(
        "INSERT INTO accounts (id, number, name, created_ms, is_active, is_root)"
        " VALUES ('a', '000000000007', 'old', ?, 1, 0)",
        (NOW_MS,),
    )
    store = open_store(folder)
    found = store.identities.find_account("a")
    assert (found.name, found.public_access_block) == ("old", None)
    await store.identities.accounts.put_public_access_block("a", "<a/>")
    assert store.identities.find_account("a").public_access_block == "<a/>"
    await store.close()


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0], ids=["early", "halfway", "before the commit"])
async def test_migration_that_breaks_off_leaves_the_old_state(
    old: OldFolder, folder: Path, share: float
) -> None:
    before = list(old.catalog.iterdump())
    steps = steps_of(MIGRATIONS[FIRST_SCHEMA].read_text())
    with closing(sqlite3.connect(folder / "catalog.sqlite", isolation_level=None)) as dying:
        for step in steps[: int(len(steps) * share)]:
            dying.execute(step)
    assert list(old.catalog.iterdump()) == before
    assert old.catalog.execute("PRAGMA user_version").fetchone() == (FIRST_SCHEMA,)
    store: Store = open_store(folder)
    assert await read(store, "parts") == b"".join(PARTS)
    await store.close()
