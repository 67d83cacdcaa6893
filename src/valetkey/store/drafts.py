"""Taking bytes in: drafts, which are durable or in memory, and belong to no object yet."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Final, Self

from valetkey.store.blobs import NewBlob
from valetkey.store.errors import StoreClosedError
from valetkey.store.model import Encryption, Segment
from valetkey.store.seal import Keyring, seal_content, sealed_size
from valetkey.store.space import MIB, Room

_BLOCK_BYTES: Final = MIB
_LEAST_BLOCK_BYTES: Final = MIB // 16

GATHERED_BYTES: Final = 128 * MIB
"""What the bodies under way may gather together before it is written. The more there are, the smaller their blocks."""


class Draft:
    """Bytes that were received and wait to become an object or a part. Use it once, or discard it.

    As an asynchronous context manager it discards itself at the end unless it has been used.
    """

    def __init__(
        self,
        *,
        content: bytes,
        blob: NewBlob | None,
        size: int,
        seal: bytes | None,
        encryption: str | None,
        discard: Callable[[NewBlob], Awaitable[None]],
    ) -> None:
        self._content = content
        self._blob = blob
        self._seal = seal
        self._discard = discard
        self._is_spent = False
        self.size: Final = size
        """Of the bytes that came in."""
        self.encryption: Final = encryption
        """The kind of encryption; None: none."""

    @property
    def blob(self) -> NewBlob | None:
        """The file that holds the bytes; None if they are in memory."""
        return self._blob

    @property
    def content(self) -> bytes | Segment:
        """What an object is made of. Bytes in memory are encrypted if there is a `seal`.

        Raises:
            ValueError: the draft has been used or discarded.
        """
        if self._is_spent:
            raise ValueError("This draft has been used or discarded; receive the bytes again.")
        if self._blob is None:
            return self._content
        return Segment(blob_id=self._blob.id, start=0, size=self._blob.size, seal=self._blob.seal)

    @property
    def seal(self) -> bytes | None:
        """The seal of encrypted bytes in memory; None if they are not encrypted, or are in a file."""
        return self._seal

    def move_to(self, blob: NewBlob) -> None:
        """Let a file that holds the same bytes take the place of those in memory."""
        self._content, self._seal, self._blob = b"", None, blob

    def spend(self) -> None:
        """Mark that the bytes have an owner now."""
        self._is_spent = True

    async def discard(self) -> None:
        """Remove what was received, unless it has been used."""
        if self._is_spent:
            return
        self._is_spent = True
        self._content = b""
        if self._blob is not None:
            await self._discard(self._blob)

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
        inline_limit_bytes: int,
        keyring: Keyring,
    ) -> None:
        self._executor = executor
        self._room = room
        self._new_blob = new_blob
        self._inline_limit_bytes = inline_limit_bytes
        self._keyring = keyring
        self._under_way = 0

    async def receive(
        self,
        chunks: AsyncIterator[bytes],
        *,
        size_hint: int | None,
        observe: Callable[[bytes], None],
        encryption: Encryption | None = None,
    ) -> Draft:
        """See `Store.receive`."""
        kind = key = seal = None
        if encryption is not None:
            kind = encryption.kind
            key, seal = self._keyring.new_seal(encryption)
        head: list[bytes] = []
        if size_hint is None or size_hint <= self._inline_limit_bytes:
            size = 0
            async for chunk in chunks:
                observe(chunk)
                head.append(chunk)
                size += len(chunk)
                if size > self._inline_limit_bytes:
                    break
            else:
                content = b"".join(head)
                if key is not None:
                    content = seal_content(key, content)
                return Draft(
                    content=content, blob=None, size=size, seal=seal, encryption=kind, discard=self._abandon
                )
        else:
            await self._require_room(size_hint if key is None else sealed_size(size_hint))

        async def write(blob: NewBlob) -> None:
            if key is not None and seal is not None:
                blob.encrypt(key, seal)
            self._under_way += 1
            try:
                await self._stream(blob, head, chunks, observe)
            finally:
                self._under_way -= 1

        blob = await self._fill(write)
        return Draft(
            content=b"", blob=blob, size=blob.size, seal=None, encryption=kind, discard=self._abandon
        )

    async def spill(self, draft: Draft) -> None:
        """Move the bytes of a draft into a blob file unless they are in one. They stay encrypted as they are."""
        content = draft.content
        if isinstance(content, bytes):
            write = partial(_write_whole, content=content, size=draft.size, seal=draft.seal)
            draft.move_to(await self._fill(lambda new: self._run(partial(write, new))))

    async def _require_room(self, size: int) -> None:
        """Refuse a body that cannot fit before the client sends it all."""
        if self._room.available_bytes() < size:
            # `require` may wait, so it runs in a thread.
            await self._run(partial(self._room.require, size))

    async def _fill(self, write: Callable[[NewBlob], Awaitable[None]]) -> NewBlob:
        """Return a new blob that `write` has filled and finished. Nothing of it stays if that fails."""
        blob = self._new_blob()
        try:
            await write(blob)
        except BaseException:
            await self._abandon(blob)
            raise
        return blob

    async def _stream(
        self,
        blob: NewBlob,
        head: Sequence[bytes],
        chunks: AsyncIterator[bytes],
        observe: Callable[[bytes], None],
    ) -> None:
        """Write `head`, which has been observed, and then what `chunks` still has.

        Two blocks at most are in memory: one that is being written, and one that is being gathered.
        """
        if head:
            await self._run(partial(blob.append, head, None))
        writing: asyncio.Future[None] | None = None
        gathered: list[bytes] = []
        size = 0
        try:
            async for chunk in chunks:
                gathered.append(chunk)
                size += len(chunk)
                if size < self._block_bytes:
                    continue
                if writing is not None:
                    await writing
                writing = self._run(partial(blob.append, gathered, observe))
                gathered, size = [], 0
        finally:
            if writing is not None:
                await writing
        await self._run(partial(_finish, blob, gathered, observe))

    @property
    def _block_bytes(self) -> int:
        """How much of a body is gathered before it is written."""
        return max(_LEAST_BLOCK_BYTES, min(_BLOCK_BYTES, GATHERED_BYTES // self._under_way))

    async def _abandon(self, blob: NewBlob) -> None:
        """Remove a blob. Even if the caller is cancelled it goes, after what is being written to it."""
        try:
            removal = self._run(blob.abandon)
        except StoreClosedError:
            blob.abandon()
        else:
            await asyncio.shield(removal)

    def _run(self, work: Callable[[], None]) -> asyncio.Future[None]:
        try:
            return asyncio.get_running_loop().run_in_executor(self._executor, work)
        except RuntimeError as error:
            raise StoreClosedError from error


def _write_whole(blob: NewBlob, *, content: bytes, size: int, seal: bytes | None) -> None:
    if seal is None:
        blob.append([content], None)
    else:
        blob.append_sealed(content, size=size, seal=seal)
    blob.finish()


def _finish(blob: NewBlob, chunks: Sequence[bytes], observe: Callable[[bytes], None] | None) -> None:
    if chunks:
        blob.append(chunks, observe)
    blob.finish()
