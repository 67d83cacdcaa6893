import asyncio
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.store.stock import (
    NOW_MS,
    blob_files,
    body_of,
    count_rows,
    delete,
    named_blobs,
    open_store,
    put,
    read,
)

from valetkey.store import NoSuchKeyError, PreconditionFailedError, Store, WriteRule

SCRIBE = Path(__file__).with_name("scribe.py")
LINES_BEFORE_THE_KILL = (40, 5, 150, 77)

Content = str | None
"""The digest of what a key holds; None where there is no object."""


def start_scribe(folder: Path, name: str, seed: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIBE), str(folder), name, seed]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill_after(scribe: subprocess.Popen[str], lines: int) -> list[tuple[str, str, Content]]:
    """Read so many lines, kill the process, and return these lines and what it could still say."""
    assert scribe.stdout is not None
    said = [scribe.stdout.readline() for _ in range(lines)]
    scribe.kill()
    said.extend(scribe.stdout)
    scribe.stdout.close()
    scribe.wait()
    return [tuple(json.loads(line)) for line in said if line.endswith("\n")]


def possible_contents(
    known: dict[str, Content], said: list[tuple[str, str, Content]]
) -> dict[str, set[Content]]:
    """Return what each key may hold: what was acknowledged last, or else what was under way."""
    possible = {key: {digest} for key, digest in known.items()}
    for word, key, digest in said:
        if word == "done":
            possible[key] = {digest}
        else:
            possible.setdefault(key, {None}).add(digest)
    return possible


async def digest_of(store: Store, key: str) -> Content:
    try:
        return hashlib.sha256(await read(store, key)).hexdigest()
    except NoSuchKeyError:
        return None


async def make_bucket(folder: Path) -> None:
    store = open_store(folder)
    await store.buckets.create("bucket", now_ms=NOW_MS)
    await store.close()


async def check_and_sweep(folder: Path, possible: dict[str, set[Content]]) -> dict[str, Content]:
    store = open_store(folder)
    found = {key: await digest_of(store, key) for key in possible}
    listed = {entry.key for entry in (await store.list_objects("bucket")).entries}
    for upload in (await store.uploads.list("bucket")).uploads:
        await store.uploads.abort("bucket", upload.key, upload.id)
    await store.sweep(now_s=4e9)
    await store.close()
    assert {key: digest for key, digest in found.items() if digest not in possible[key]} == {}
    assert listed == {key for key, digest in found.items() if digest is not None}
    assert blob_files(folder) == named_blobs(folder)
    rows = count_rows(folder)
    assert (rows["contents"], rows["doomed"]) == (len(listed), 0)
    return found


async def test_killed_writers_leave_whole_objects_and_no_rubbish(folder: Path) -> None:
    await make_bucket(folder)
    known: dict[str, Content] = {}
    for number, lines in enumerate(LINES_BEFORE_THE_KILL):
        scribes = [start_scribe(folder, name, f"{number}") for name in ("one", "two")]
        said = [line for scribe in scribes for line in kill_after(scribe, lines)]
        known = await check_and_sweep(folder, possible_contents(known, said))


async def test_writer_survives_the_kill_of_its_neighbour(folder: Path) -> None:
    await make_bucket(folder)
    store = open_store(folder)
    scribe = start_scribe(folder, "one", "seed")
    said = asyncio.create_task(asyncio.to_thread(kill_after, scribe, 60))
    number = 0
    while not said.done():
        await put(store, f"mine/{number % 5}", body_of(f"{number}", 400 * (number % 5)))
        number += 1
    await put(store, "mine/last", b"x")
    assert await read(store, "mine/last") == b"x"
    possible = possible_contents({}, said.result())
    for entry in (await store.list_objects("bucket", prefix="mine/")).entries:
        possible[entry.key] = {await digest_of(store, entry.key)}
    await store.close()
    await check_and_sweep(folder, possible)


async def test_two_stores_on_one_folder_see_each_others_writes(folder: Path) -> None:
    one, two = open_store(folder), open_store(folder)
    await one.buckets.create("bucket", now_ms=NOW_MS)
    for number, (writer, reader) in enumerate([(one, two), (two, one), (one, two)]):
        body = body_of(f"{number}", 4000 * number)
        await put(writer, "key", body)
        assert await read(reader, "key") == body
    await delete(one, "key")
    with pytest.raises(NoSuchKeyError):
        two.find_object("bucket", "key")
    await one.close()
    await two.close()


async def test_one_creator_wins_over_two_stores(folder: Path) -> None:
    stores = [open_store(folder), open_store(folder)]
    await stores[0].buckets.create("bucket", now_ms=NOW_MS)
    rule = WriteRule(create_only=True)
    for number in range(10):
        writes = (put(store, f"{number}", b"x" * 2000, rule=rule) for store in stores)
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert sum(isinstance(result, PreconditionFailedError) for result in results) == 1
    for store in stores:
        await store.close()
    assert len(blob_files(folder)) == 10


async def test_content_read_in_one_process_outlives_its_deletion_in_another(folder: Path) -> None:
    one, two = open_store(folder), open_store(folder)
    await one.buckets.create("bucket", now_ms=NOW_MS)
    body = body_of("body", 2_000_000)
    found = await put(one, "key", body)
    with one.open_content(found, 0, found.size) as reader:
        await delete(two, "key")
        await two.sweep(now_s=4e9, min_age_s=0)
        assert blob_files(folder) == set()
        assert b"".join([block async for block in reader]) == body
    await one.close()
    await two.close()


def test_many_processes_may_open_a_new_folder_at_once(folder: Path) -> None:
    code = "import sys, pathlib; from valetkey.store import Store; Store.open(pathlib.Path(sys.argv[1]))"
    openers = [subprocess.Popen([sys.executable, "-W", "error", "-c", code, str(folder)]) for _ in range(4)]
    assert [opener.wait() for opener in openers] == [0] * 4
