"""Reading a range of an object's content, whatever happens to the object meanwhile."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar

from valetkey.store.blobs import BlobFolder
from valetkey.store.errors import StorageFailedError, StoreClosedError, StoreError
from valetkey.store.model import Segment
from valetkey.store.seal import FRAME_BYTES, FrameOpener, Keyring, first_byte, last_byte

Outlet = AbstractContextManager[int]
"""A socket that does not block. Whoever enters gets its descriptor, which stays open until it is left."""

P = ParamSpec("P")
T = TypeVar("T")

BLOCK_BYTES: Final = 512 * 1024

_SENT_BYTES: Final = 4 * 1024 * 1024
"""The most that is sent in one go, so that a quick client does not keep a thread to itself."""

# A first block of at most this size is taken at once if it lies in the page cache: a thread would cost more.
_AT_ONCE_BYTES: Final = 128 * 1024
# Linux only.
_ONLY_IF_CACHED: Final[int | None] = getattr(os, "RWF_NOWAIT", None)


@dataclass(slots=True)
class _Piece:
    """What is still to be read of one segment; the bounds are offsets in the bytes of its blob."""

    blob_id: str
    start: int
    end: int
    seal: bytes | None


class ContentReader:
    """An open content: an asynchronous iterator of blocks of at most 512 KiB, for one task.

    What was opened stays readable to its end, also after the object has been replaced or deleted. Close it.
    """

    def __init__(self, *, inline: bytes, pieces: Sequence[_Piece], source: _Source | None) -> None:
        self._inline = inline
        self._pieces = deque(pieces)
        self._source = source

    @classmethod
    def open(
        cls,
        content: bytes | tuple[Segment, ...],
        *,
        start: int,
        end: int,
        blobs: BlobFolder,
        executor: ThreadPoolExecutor,
        keyring: Keyring,
        seal: bytes | None = None,
        customer_key: bytes | None = None,
    ) -> Self:
        """Return a reader of the bytes from `start` to before `end`. Opens one file, so it takes microseconds.

        `seal` is that of `content` if this is bytes, encrypted. The bytes that come out are decrypted, and none of
        them is other than it was written.

        Raises:
            ContentGoneError: the object was replaced or deleted since it was looked up.
            WrongKeyError: `customer_key` is not the one that what comes first is encrypted under, or is missing.
            NoMasterKeyError, StorageFailedError: what comes first cannot be decrypted.
            OSError: the file cannot be opened.
        """
        if isinstance(content, bytes):
            if seal is None:
                return cls(inline=content[start:end], pieces=(), source=None)
            frames = FrameOpener(keyring.open_seal(seal, customer_key))
            return cls(inline=_open_inline(frames, content, start=start, end=end), pieces=(), source=None)
        pieces = _cut(content, start=start, end=end)
        keys = _Keys(keyring, customer_key)
        first_seal = pieces[0].seal if pieces else content[0].seal
        if first_seal is not None:
            keys.opener_of(first_seal)
        if len(content) == 1:
            source = _Source(blobs.open(content[0].blob_id), executor, keys)
        else:
            source = _SegmentsSource(blobs.open_locked(content[0].blob_id), executor, keys, blobs)
        return cls(inline=b"", pieces=pieces, source=source)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._inline:
            block, self._inline = self._inline, b""
            return block
        if not self._pieces or self._source is None:
            self.close()
            raise StopAsyncIteration
        piece = self._pieces[0]
        block = await self._source.read(piece)
        piece.start += len(block)
        if piece.start == piece.end:
            self._pieces.popleft()
        return block

    @property
    def stretch_bytes(self) -> int:
        """How much of what comes next lies in one file, byte for byte as it goes out."""
        if self._inline or not self._pieces or self._pieces[0].seal is not None:
            return 0
        return self._pieces[0].end - self._pieces[0].start

    async def send_to(self, outlet: Outlet) -> int:
        """Send from the stretch what the socket takes at once, and return how much: 0 where it is full.

        Raises:
            ConnectionError: the other side is gone.
            StorageFailedError: the file cannot be read.
        """
        assert self._source is not None
        piece = self._pieces[0]
        count = await self._source.send(piece, outlet)
        piece.start += count
        if piece.start == piece.end:
            self._pieces.popleft()
        return count

    def close(self) -> None:
        """Let the files go; safe at any time and more than once."""
        self._inline = b""
        self._pieces.clear()
        if self._source is not None:
            self._source.close()
            self._source = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Keys:
    """What opens the frames of the blob that is being read, and then of the next one."""

    def __init__(self, keyring: Keyring, customer_key: bytes | None) -> None:
        self._keyring = keyring
        self._customer_key = customer_key
        self._seal: bytes | None = None
        self._opener: FrameOpener | None = None

    def opener_of(self, seal: bytes) -> FrameOpener:
        """Raises WrongKeyError, NoMasterKeyError, StorageFailedError."""
        if self._opener is None or self._seal != seal:
            self._opener = FrameOpener(self._keyring.open_seal(seal, self._customer_key))
            self._seal = seal
        return self._opener


class _Source:
    """One open blob file."""

    def __init__(self, descriptor: int, executor: ThreadPoolExecutor, keys: _Keys) -> None:
        self._descriptor = descriptor
        self._executor = executor
        self._keys = keys
        self._reading: Future[Any] | None = None

    async def read(self, piece: _Piece) -> bytes:
        """Return the next bytes of the piece: some, up to a block."""
        if self._reading is None and piece.end - piece.start <= _AT_ONCE_BYTES:
            block = self._read_cached(piece)
            if block is not None:
                return block
        return await self._in_thread(self._read_block, piece)

    async def send(self, piece: _Piece, outlet: Outlet) -> int:
        """Send from the piece what the socket takes at once, and return how much."""
        return await self._in_thread(self._send_block, piece, outlet)

    async def _in_thread(self, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        # A disk may be slow, and the loop never waits for one.
        try:
            self._reading = reading = self._executor.submit(work, *arguments, **options)
        except RuntimeError as error:
            raise StoreClosedError from error
        return await asyncio.wrap_future(reading)

    def close(self) -> None:
        # A cancelled task leaves its read behind in the thread. Only after it may the number of the descriptor
        # be given to another file.
        if self._reading is None:
            self._close_files()
        else:
            self._reading.add_done_callback(lambda _: self._close_files())

    def _read_cached(self, piece: _Piece) -> bytes | None:
        if _ONLY_IF_CACHED is None:
            return None
        if piece.seal is not None:
            return self._open_cached(piece, piece.seal)
        buffer = bytearray(piece.end - piece.start)
        try:
            got = os.preadv(self._descriptor_of(piece), [buffer], piece.start, _ONLY_IF_CACHED)
        except (OSError, StoreError):
            # Not cached, or the file system cannot tell. What is really wrong shows in the thread.
            return None
        return bytes(buffer[:got]) if got else None

    def _open_cached(self, piece: _Piece, seal: bytes) -> bytes | None:
        assert _ONLY_IF_CACHED is not None
        at = first_byte(piece.start)
        buffer = bytearray(last_byte(piece.end) - at)
        try:
            got = os.preadv(self._descriptor_of(piece), [buffer], at, _ONLY_IF_CACHED)
            # Of a frame that is cached in part, the rest is missed here.
            return self._open_frames(piece, seal, memoryview(buffer)[:got], end=piece.end)
        except (OSError, StoreError):
            return None

    def _read_block(self, piece: _Piece) -> bytes:
        if piece.seal is not None:
            return self._open_block(piece, piece.seal)
        try:
            block = os.pread(
                self._descriptor_of(piece), min(BLOCK_BYTES, piece.end - piece.start), piece.start
            )
        except OSError as error:
            raise StorageFailedError(f"The blob {piece.blob_id} cannot be read: {error}") from error
        if not block:
            raise StorageFailedError(f"The blob {piece.blob_id} ends before byte {piece.end}.")
        return block

    def _send_block(self, piece: _Piece, outlet: Outlet) -> int:
        size = min(_SENT_BYTES, piece.end - piece.start)
        try:
            with outlet as descriptor:
                count = os.sendfile(descriptor, self._descriptor_of(piece), piece.start, size)
        except BlockingIOError:
            return 0
        except ConnectionError:
            raise
        except OSError as error:
            raise StorageFailedError(f"The blob {piece.blob_id} cannot be sent: {error}") from error
        if not count:
            raise StorageFailedError(f"The blob {piece.blob_id} ends before byte {piece.end}.")
        return count

    def _open_block(self, piece: _Piece, seal: bytes) -> bytes:
        at = first_byte(piece.start)
        end = min(piece.end, piece.start - piece.start % FRAME_BYTES + BLOCK_BYTES)
        try:
            frames = _read_fully(self._descriptor_of(piece), last_byte(end) - at, at)
        except OSError as error:
            raise StorageFailedError(f"The blob {piece.blob_id} cannot be read: {error}") from error
        return self._open_frames(piece, seal, frames, end=end)

    def _open_frames(self, piece: _Piece, seal: bytes, frames: bytes | memoryview, *, end: int) -> bytes:
        opener = self._keys.opener_of(seal)
        return opener.open(frames, start=piece.start, end=end, name=f"The blob {piece.blob_id}")

    def _descriptor_of(self, piece: _Piece) -> int:
        return self._descriptor

    def _close_files(self) -> None:
        os.close(self._descriptor)


class _SegmentsSource(_Source):
    """Several blob files, one of them open at a time, and the lock on the first that keeps all in place."""

    def __init__(self, lock: int, executor: ThreadPoolExecutor, keys: _Keys, blobs: BlobFolder) -> None:
        super().__init__(lock, executor, keys)
        self._blobs = blobs
        self._open_id = ""
        self._open_descriptor: int | None = None

    def _descriptor_of(self, piece: _Piece) -> int:
        if self._open_descriptor is None or self._open_id != piece.blob_id:
            self._close_segment()
            self._open_descriptor = self._blobs.open(piece.blob_id)
            self._open_id = piece.blob_id
        return self._open_descriptor

    def _close_segment(self) -> None:
        if self._open_descriptor is not None:
            os.close(self._open_descriptor)
            self._open_descriptor = None

    def _close_files(self) -> None:
        self._close_segment()
        super()._close_files()


def _cut(segments: Sequence[Segment], *, start: int, end: int) -> list[_Piece]:
    pieces = []
    offset = 0
    for segment in segments:
        first = max(start - offset, 0)
        last = min(end - offset, segment.size)
        if first < last:
            pieces.append(_Piece(segment.blob_id, segment.start + first, segment.start + last, segment.seal))
        offset += segment.size
    return pieces


def _open_inline(frames: FrameOpener, content: bytes, *, start: int, end: int) -> bytes:
    """Raises StorageFailedError."""
    if start >= end:
        return b""
    view = memoryview(content)[first_byte(start) :]
    return frames.open(view, start=start, end=end, name="The content in the catalog")


def _read_fully(descriptor: int, size: int, offset: int) -> bytes:
    """Return `size` bytes, or what the file holds of them: a file system may hand them out in pieces."""
    pieces = []
    while size > 0 and (piece := os.pread(descriptor, size, offset)):
        pieces.append(piece)
        offset += len(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
