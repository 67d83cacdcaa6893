"""Taking bytes in: drafts, which are durable or in memory, and belong to no object yet."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self, TypeVar

from valetkey.store.blobs import NewBlob
from valetkey.store.errors import StoreClosedError
from valetkey.store.model import Segment
from valetkey.store.space import MIB, Room

T = TypeVar("T")

_BLOCK_BYTES: Final = MIB


class Draft:
    """Bytes that were received and wait to become an object or a part. Use it once, or discard it.

    As an asynchronous context manager it discards itself at the end unless it has been used.
    """

    def __init__(self, *, content: bytes, blob: NewBlob | None, discard: Callable[[NewBlob], None]) -> None:
        self._content = content
        self._blob = blob
        self._discard = discard
        self._is_spent = False

    @property
    def size(self) -> int:
        return len(self._content) if self._blob is None else self._blob.size

    @property
    def blob(self) -> NewBlob | None:
        """The file that holds the bytes; None if they are in memory."""
        return self._blob

    @property
    def content(self) -> bytes | Segment:
        if self._blob is None:
            return self._content
        return Segment(blob_id=self._blob.id, size=self._blob.size)

    def move_to(self, blob: NewBlob) -> None:
        """Let a file that holds the same bytes take the place of those in memory."""
        self._content, self._blob = b"", blob

    def spend(self) -> None:
        """Mark that the bytes have a new owner.

        Raises:
            ValueError: they had one before.
        """
        if self._is_spent:
            raise ValueError("This draft has been used or discarded; receive the bytes again.")
        self._is_spent = True

    async def discard(self) -> None:
        """Remove what was received, unless it has been used."""
        if self._is_spent:
            return
        self._is_spent = True
        if self._blob is not None:
            self._discard(self._blob)
        self._content = b""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.discard()


class Intake:
    """Receives bodies: small ones into memory, others into blob files, in flat memory."""

    def __init__(
        self,
        *,
        executor: ThreadPoolExecutor,
        room: Room,
        new_blob: Callable[[], NewBlob],
        discard: Callable[[NewBlob], None],
        inline_limit_bytes: int,
    ) -> None:
        self._executor = executor
        self._room = room
        self._new_blob = new_blob
        self._discard = discard
        self._inline_limit_bytes = inline_limit_bytes

    async def receive(
        self, chunks: AsyncIterator[bytes], *, size_hint: int | None, observe: Callable[[bytes], None]
    ) -> Draft:
        """See `Store.receive`."""
        gathered: list[bytes] = []
        size = 0
        if size_hint is None or size_hint <= self._inline_limit_bytes:
            async for chunk in chunks:
                observe(chunk)
                gathered.append(chunk)
                size += len(chunk)
                if size > self._inline_limit_bytes:
                    break
            else:
                return Draft(content=b"".join(gathered), blob=None, discard=self._discard)
        elif self._room.available_bytes() < size_hint:
            # Refused before the client sends it all; `require` waits for removals, so it runs in a thread.
            await self._run(lambda: self._room.require(size_hint))
        return await self._fill(lambda blob: self._stream(blob, gathered, chunks, observe))

    async def spill(self, draft: Draft) -> None:
        """Move a draft that is in memory into a blob file."""
        content = draft.content
        if isinstance(content, bytes):
            moved = await self._fill(lambda blob: self._run(lambda: _finish(blob, [content], None)))
            if moved.blob is not None:
                draft.move_to(moved.blob)

    async def _fill(self, write: Callable[[NewBlob], Awaitable[None]]) -> Draft:
        """Return a draft of a new blob that `write` fills and finishes; nothing of it stays if that fails."""
        blob = self._new_blob()
        try:
            await write(blob)
        except BaseException:
            # Even if cancelled once more, this goes on in its thread, after what is being written there.
            await asyncio.shield(self._abandon(blob))
            raise
        return Draft(content=b"", blob=blob, discard=self._discard)

    async def _stream(
        self,
        blob: NewBlob,
        head: Sequence[bytes],
        chunks: AsyncIterator[bytes],
        observe: Callable[[bytes], None],
    ) -> None:
        """Write `head`, which was observed already, and then all chunks.

        Two blocks at most are in memory: one that is being written, one that is being gathered.
        """
        if head:
            await self._run(lambda: blob.append(head, None))
        writing: asyncio.Future[None] | None = None
        gathered: list[bytes] = []
        size = 0
        try:
            async for chunk in chunks:
                gathered.append(chunk)
                size += len(chunk)
                if size < _BLOCK_BYTES:
                    continue
                if writing is not None:
                    await writing
                writing = self._run(partial(blob.append, gathered, observe))
                gathered, size = [], 0
        finally:
            if writing is not None:
                await writing
        await self._run(lambda: _finish(blob, gathered, observe))
