"""Encrypted content: it comes in and goes out as if it were not, and lies on the disk as if it were noise."""

import os
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from secrets import token_hex

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.stock import blob_files, chunks_of, ignore

from valetkey.store import content_reader
from valetkey.store.blobs import BlobFolder, NewBlob
from valetkey.store.content_reader import ContentReader
from valetkey.store.drafts import Draft, Intake
from valetkey.store.errors import (
    NoMasterKeyError,
    OutOfSpaceError,
    StorageFailedError,
    StoreClosedError,
    WrongKeyError,
)
from valetkey.store.folder import DataFolder, make_private_folder
from valetkey.store.model import Encryption, Segment
from valetkey.store.seal import FRAME_BYTES, SEALED_FRAME_BYTES, TAG_BYTES, Keyring, sealed_size
from valetkey.store.space import Room

MIB = 1024 * 1024
INLINE_BYTES = 1000
CUSTOMER_KEY = b"c" * 32
UNDER_MASTER = Encryption(kind="AES256")
UNDER_CUSTOMER = Encryption(kind="SSE-C", customer_key=CUSTOMER_KEY)
KINDS = pytest.mark.parametrize("encryption", [UNDER_MASTER, UNDER_CUSTOMER], ids=lambda value: value.kind)

BODY = Random(1).randbytes(2 * MIB + 5)
"""Bytes without a period, so that none can stand for others."""


class Bench:
    """What takes contents in and gives them out, without a catalog."""

    def __init__(self, path: Path) -> None:
        make_private_folder(path)
        folder = DataFolder(path)
        folder.prepare()
        self.folder = folder
        self.blobs = BlobFolder(folder.blobs)
        self.disk = ThreadPoolExecutor(2)
        self.keyring = Keyring(b"m" * 32)
        self.room = Room(folder, relieve=lambda: None)
        self.intake = Intake(
            executor=self.disk,
            room=self.room,
            new_blob=lambda: NewBlob(self.blobs, self.room, new_blob_id=lambda: token_hex(16)),
            inline_limit_bytes=INLINE_BYTES,
            keyring=self.keyring,
        )

    async def receive(self, body: bytes, encryption: Encryption | None) -> Draft:
        chunks = chunks_of(body, size=70_001)
        return await self.intake.receive(chunks, size_hint=len(body), observe=ignore, encryption=encryption)

    async def segment(self, body: bytes, encryption: Encryption | None) -> Segment:
        draft = await self.receive(body, encryption)
        await self.intake.spill(draft)
        content = draft.content
        assert isinstance(content, Segment)
        return content

    def open(
        self,
        content: bytes | tuple[Segment, ...],
        start: int,
        end: int,
        *,
        seal: bytes | None = None,
        customer_key: bytes | None = CUSTOMER_KEY,
    ) -> ContentReader:
        return ContentReader.open(
            content,
            start=start,
            end=end,
            blobs=self.blobs,
            executor=self.disk,
            keyring=self.keyring,
            seal=seal,
            customer_key=customer_key,
        )

    async def read(self, content: bytes | tuple[Segment, ...], start: int, end: int) -> bytes:
        with self.open(content, start, end) as reader:
            return b"".join([block async for block in reader])

    def file_of(self, segment: Segment) -> Path:
        return Path(self.blobs.path_of(segment.blob_id))


@pytest.fixture(params=["cached", "in a thread"])
def bench(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    if request.param == "in a thread":
        monkeypatch.setattr(content_reader, "_ONLY_IF_CACHED", None)
    made = Bench(tmp_path / "data")
    yield made
    made.disk.shutdown()


SIZES = pytest.mark.parametrize("size", [0, 1, INLINE_BYTES, INLINE_BYTES + 1, FRAME_BYTES, len(BODY)])


@KINDS
@SIZES
@pytest.mark.parametrize("hint", ["right", "none", "too small"])
async def test_encrypted_body_is_observed_and_counted_as_it_came(
    bench: Bench, encryption: Encryption, size: int, hint: str
) -> None:
    body = BODY[:size]
    seen: list[bytes] = []
    draft = await bench.intake.receive(
        chunks_of(body, size=70_001),
        size_hint={"right": size, "none": None, "too small": 0}[hint],
        observe=seen.append,
        encryption=encryption,
    )
    content, seal = draft.content, draft.seal
    assert b"".join(seen) == body
    assert (draft.size, draft.encryption) == (size, encryption.kind)
    if isinstance(content, Segment):
        assert (content.start, content.size, seal) == (0, size, None)
        assert bench.file_of(content).stat().st_size == sealed_size(size)
        assert await bench.read((content,), 0, size) == body
    else:
        assert len(content) == sealed_size(size)
        with bench.open(content, 0, size, seal=seal) as reader:
            assert b"".join([block async for block in reader]) == body


@KINDS
@pytest.mark.parametrize("size", [100, len(BODY)], ids=["small", "large"])
async def test_nothing_of_the_body_is_stored_in_the_clear(
    bench: Bench, encryption: Encryption, size: int
) -> None:
    body = b"valuable" * (size // 8)
    draft = await bench.receive(body, encryption)
    content = draft.content
    stored = content if isinstance(content, bytes) else bench.file_of(content).read_bytes()
    assert b"valuable" not in stored
    assert len({stored[n : n + 8] for n in range(0, len(stored) - 8, 8)}) == (len(stored) - 1) // 8


async def test_same_body_twice_is_not_seen_to_be_the_same(bench: Bench) -> None:
    one, two = [await bench.segment(BODY, UNDER_MASTER) for _ in range(2)]
    assert one.seal != two.seal
    assert bench.file_of(one).read_bytes()[:64] != bench.file_of(two).read_bytes()[:64]


@pytest.mark.parametrize("size", [0, 1, INLINE_BYTES])
@pytest.mark.parametrize("encryption", [None, UNDER_MASTER, UNDER_CUSTOMER], ids=["none", "AES256", "SSE-C"])
async def test_small_body_moves_into_a_file_as_it_is(
    bench: Bench, encryption: Encryption | None, size: int
) -> None:
    draft = await bench.receive(BODY[:size], encryption)
    content, seal = draft.content, draft.seal
    assert isinstance(content, bytes)
    await bench.intake.spill(draft)
    segment = draft.content
    assert isinstance(segment, Segment)
    assert (segment.start, segment.size, segment.seal) == (0, size, seal)
    assert (draft.size, draft.seal) == (size, None)
    assert bench.file_of(segment).read_bytes() == content
    assert await bench.read((segment,), 0, size) == BODY[:size]


async def test_unused_encrypted_draft_leaves_no_file(bench: Bench) -> None:
    async with await bench.receive(BODY, UNDER_MASTER):
        pass
    assert blob_files(bench.folder.path) == set()


async def test_room_is_asked_for_what_the_file_will_take(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.room, "available_bytes", lambda: len(BODY))
    async with await bench.receive(BODY, None):
        pass
    body = chunks_of(BODY)
    with pytest.raises(OutOfSpaceError):
        await bench.intake.receive(body, size_hint=len(BODY), observe=ignore, encryption=UNDER_MASTER)
    assert await anext(body) == BODY[:700]


async def test_without_a_master_key_the_body_is_refused_before_it_is_read(bench: Bench) -> None:
    bench.intake._keyring = Keyring(None)
    body = chunks_of(BODY)
    with pytest.raises(NoMasterKeyError):
        await bench.intake.receive(body, size_hint=None, observe=ignore, encryption=UNDER_MASTER)
    assert await anext(body) == BODY[:700]


async def test_memory_stays_flat_while_a_large_body_is_encrypted_and_read(bench: Bench) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1024):
            yield bytes(64 * 1024)

    tracemalloc.start()
    draft = await bench.intake.receive(endless(), size_hint=64 * MIB, observe=ignore, encryption=UNDER_MASTER)
    content = draft.content
    assert isinstance(content, Segment)
    size = 0
    with bench.open((content,), 0, content.size) as reader:
        async for block in reader:
            assert len(block) <= content_reader.BLOCK_BYTES
            size += len(block)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert draft.size == size == 64 * MIB
    assert most < 8 * MIB


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
async def test_any_range_of_any_pieces_is_read_back(bench: Bench, data: st.DataObject) -> None:
    """Pieces out of the middle of blobs, several of one blob among them, encrypted and not."""
    kinds = (None, UNDER_MASTER, UNDER_CUSTOMER)
    sizes = st.sampled_from([1, 700, FRAME_BYTES, FRAME_BYTES + 1, 5 * FRAME_BYTES + 9, 11 * FRAME_BYTES])
    blobs = [
        await bench.segment(BODY[:size], data.draw(st.sampled_from(kinds)))
        for size in data.draw(st.lists(sizes, min_size=1, max_size=3))
    ]
    content, plain = [], b""
    for blob in data.draw(st.lists(st.sampled_from(blobs), min_size=1, max_size=4)):
        start = data.draw(st.integers(0, blob.size - 1))
        end = data.draw(st.integers(start + 1, blob.size))
        content.append(Segment(blob_id=blob.blob_id, start=start, size=end - start, seal=blob.seal))
        plain += BODY[start:end]
    start = data.draw(st.integers(0, len(plain)))
    end = data.draw(st.integers(start, len(plain)))
    assert await bench.read(tuple(content), start, end) == plain[start:end]
    assert await bench.read(tuple(content), 0, len(plain)) == plain


async def test_range_needs_only_the_frames_that_it_touches(bench: Bench) -> None:
    segment = await bench.segment(BODY, UNDER_MASTER)
    file = bench.file_of(segment)
    kept = file.read_bytes()[2 * SEALED_FRAME_BYTES : 4 * SEALED_FRAME_BYTES]
    file.write_bytes(bytes(2 * SEALED_FRAME_BYTES) + kept)
    start, end = 2 * FRAME_BYTES, 4 * FRAME_BYTES
    assert await bench.read((segment,), start, end) == BODY[start:end]
    assert await bench.read((segment,), end - 1, end) == BODY[end - 1 : end]
    for wider in ((start - 1, end), (start, end + 1)):
        with pytest.raises(StorageFailedError):
            await bench.read((segment,), *wider)


@pytest.mark.parametrize(
    "place", [0, TAG_BYTES, FRAME_BYTES, SEALED_FRAME_BYTES, 10 * SEALED_FRAME_BYTES + 7, -1]
)
async def test_damaged_file_gives_none_of_the_damaged_frame(bench: Bench, place: int) -> None:
    segment = await bench.segment(BODY, UNDER_CUSTOMER)
    file = bench.file_of(segment)
    frames = bytearray(file.read_bytes())
    frames[place] ^= 1
    file.write_bytes(frames)
    damaged = place % len(frames) // SEALED_FRAME_BYTES
    for number in range(-(-len(BODY) // FRAME_BYTES)):
        start, end = number * FRAME_BYTES, min((number + 1) * FRAME_BYTES, len(BODY))
        if number == damaged:
            with pytest.raises(StorageFailedError, match=f"{segment.blob_id} is damaged in frame {number}"):
                await bench.read((segment,), start, end)
        else:
            assert await bench.read((segment,), start, end) == BODY[start:end]
    with pytest.raises(StorageFailedError):
        await bench.read((segment,), 0, segment.size)


@pytest.mark.parametrize(
    "size", [0, 100, SEALED_FRAME_BYTES, SEALED_FRAME_BYTES + 3, 31 * SEALED_FRAME_BYTES], ids=str
)
async def test_shortened_encrypted_file_is_an_error_and_never_a_short_content(
    bench: Bench, size: int
) -> None:
    segment = await bench.segment(BODY, UNDER_MASTER)
    os.truncate(bench.file_of(segment), size)
    with pytest.raises(StorageFailedError):
        await bench.read((segment,), 0, segment.size)
    with pytest.raises(StorageFailedError):
        await bench.read((segment,), segment.size - 1, segment.size)


@pytest.mark.parametrize("customer_key", [None, b"C" * 32], ids=["missing", "another"])
@pytest.mark.parametrize("size", [0, 10, len(BODY)], ids=["empty", "small", "large"])
@pytest.mark.parametrize("end", ["end", "start"], ids=["whole", "empty range"])
async def test_wrong_key_is_found_before_any_byte_goes_out(
    bench: Bench, customer_key: bytes | None, size: int, end: str
) -> None:
    draft = await bench.receive(BODY[:size], UNDER_CUSTOMER)
    content = draft.content
    pieces = content if isinstance(content, bytes) else (content, content)
    before = count_open_files()
    with pytest.raises(WrongKeyError):
        bench.open(pieces, 0, size if end == "end" else 0, seal=draft.seal, customer_key=customer_key)
    assert count_open_files() == before


async def test_wrong_key_of_a_later_piece_is_found_when_its_turn_comes(bench: Bench) -> None:
    mine = await bench.segment(BODY[:100], UNDER_MASTER)
    theirs = await bench.segment(BODY[:200], UNDER_CUSTOMER)
    with bench.open((mine, theirs), 0, 300, customer_key=None) as reader:
        assert await anext(reader) == BODY[:100]
        with pytest.raises(WrongKeyError):
            await anext(reader)


async def test_damaged_small_content_cannot_be_opened(bench: Bench) -> None:
    draft = await bench.receive(BODY[:100], UNDER_MASTER)
    content = draft.content
    assert isinstance(content, bytes)
    for damaged in (content[:-1], content[:-1] + bytes([content[-1] ^ 1]), b""):
        with pytest.raises(StorageFailedError):
            bench.open(damaged, 0, 100, seal=draft.seal)


async def test_closed_disk_takes_nothing_encrypted(bench: Bench) -> None:
    bench.disk.shutdown()
    with pytest.raises(StoreClosedError):
        await bench.receive(BODY, UNDER_MASTER)
    assert blob_files(bench.folder.path) == set()


def count_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
