"""Blob files: writing new ones, opening them, and removing them without disturbing a reader.

Two advisory locks on the files themselves keep processes out of each other's way. A new blob is locked (shared)
by its writer until the catalog names it, so that a sweep leaves it alone however old it is. And whoever reads a
content of several segments locks the first of them (shared) and only then makes sure that some object still has
the content, so that none of them is removed meanwhile.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from valetkey.processes.file_lock import PRIVATE_FILE_MODE
from valetkey.store.errors import ContentGoneError
from valetkey.store.folder import sync_folder
from valetkey.store.seal import FrameSealer
from valetkey.store.space import MIB, Room

_logger = logging.getLogger(__name__)

# So often that the last fsync of a large upload is short, and that the page cache does not fill with what the
# disk has still to write.
_SYNC_EVERY_BYTES: Final = 64 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedFiles:
    files: int
    size_bytes: int


class BlobFolder:
    """The folder of blob files. All paths are made here, from ids that this program drew."""

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)

    def path_of(self, blob_id: str) -> str:
        return f"{self._path}/{blob_id[:2]}/{blob_id}"

    def open(self, blob_id: str) -> int:
        """Return a descriptor to read the blob; it outlives the file's name.

        Raises:
            ContentGoneError: there is no such file (any more).
        """
        try:
            return os.open(self.path_of(blob_id), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise ContentGoneError from None

    def open_locked(self, blob_id: str) -> int:
        """Return a descriptor of a first segment that keeps the content's other segments in place too.

        They stay if the content is live after this.

        Raises:
            ContentGoneError: the file is removed already, or somebody asks just now whether it may be.
        """
        descriptor = self.open(blob_id)
        if not _lock_present(descriptor, fcntl.LOCK_SH):
            os.close(descriptor)
            raise ContentGoneError
        return descriptor

    def remove(self, blob_ids: Sequence[str]) -> RemovedFiles:
        """Remove the files that are there. One that resists is left to the sweep."""
        files = size_bytes = 0
        for blob_id in blob_ids:
            path = Path(self.path_of(blob_id))
            try:
                size_bytes += path.stat().st_size
                path.unlink()
                files += 1
            except FileNotFoundError:
                continue
            except OSError as error:
                _logger.warning("Blob %s could not be removed: %s", blob_id, error)
        return RemovedFiles(files=files, size_bytes=size_bytes)

    def is_read(self, blob_id: str) -> bool:
        """Return whether somebody reads a content whose first segment this is.

        If not, nobody ever will read one that is doomed: who comes later sees that it is.
        """
        try:
            descriptor = self.open(blob_id)
        except ContentGoneError:
            return False
        try:
            # For no longer than this: other contents that begin with the file have readers to come.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def remove_unless(self, blob_id: str, is_named: Callable[[str], bool]) -> RemovedFiles | None:
        """Remove the file unless a writer still holds it or a row names it, and say whether that was so.

        The rows are asked under the lock: a writer lets its lock go only after its commit.
        """
        try:
            descriptor = self.open(blob_id)
        except ContentGoneError:
            return None
        try:
            if not _lock_present(descriptor, fcntl.LOCK_EX) or is_named(blob_id):
                return None
            return self.remove([blob_id])
        finally:
            os.close(descriptor)


class NewBlob:
    """A blob that is being written and that no row names yet.

    The methods block and belong into a thread; each waits for the one before. What is written lies under a
    random new name from the first byte on, and is durable after `finish`. `size` counts bytes of content, which
    are fewer than those of the file if that is encrypted; `seal` is None if it is not.
    """

    def __init__(self, folder: BlobFolder, room: Room, *, new_blob_id: Callable[[], str]) -> None:
        self._folder = folder
        self._room = room
        self._new_blob_id = new_blob_id
        self._turn = threading.Lock()
        self._descriptor: int | None = None
        self._is_abandoned = False
        self._unsynced_bytes = 0
        self._sealer: FrameSealer | None = None
        self.id = ""
        self.size = 0
        self.seal: bytes | None = None

    def encrypt(self, key: bytes, seal: bytes) -> None:
        """Have all that is appended encrypted under `key`, which is in the seal and has encrypted nothing yet."""
        self._sealer, self.seal = FrameSealer(key), seal

    def append(self, chunks: Sequence[bytes], observe: Callable[[bytes], None] | None) -> None:
        """Show the bytes to `observe`, then write them.

        Raises:
            OutOfSpaceError: the disk's reserve would be touched, or the disk is full.
        """
        block = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        with self._turn:
            if self._is_abandoned:
                return
            if observe is not None:
                observe(block)
            self.size += len(block)
            self._write(block if self._sealer is None else self._sealer.feed(block))

    def append_sealed(self, frames: bytes, *, size: int, seal: bytes) -> None:
        """Write a whole content of `size` bytes that is encrypted already, and nothing else.

        Raises:
            OutOfSpaceError: as above.
        """
        with self._turn:
            if self._is_abandoned:
                return
            self.size, self.seal = size, seal
            self._write(frames)

    def finish(self) -> None:
        """Make the bytes and the name durable. The file stays locked until `release`.

        Raises:
            OutOfSpaceError: as above.
        """
        with self._turn:
            if self._is_abandoned:
                return
            if self._sealer is not None and (last := self._sealer.finish()):
                self._write(last)
            try:
                os.fsync(self._open())
                sync_folder(Path(self._folder.path_of(self.id)).parent)
            except OSError as error:
                raise self._room.explain(error) from error

    def release(self) -> None:
        """Leave the file as it is: to the row that names it now, or else to the sweep."""
        with self._turn:
            self._close()

    def abandon(self) -> None:
        """Remove the file, after what is being written to it."""
        with self._turn:
            self._is_abandoned = True
            if self._descriptor is not None:
                self._folder.remove([self.id])
            self._close()

    def _write(self, block: bytes) -> None:
        self._room.require(len(block))
        try:
            descriptor = self._open()
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            self._unsynced_bytes += len(block)
            if self._unsynced_bytes >= _SYNC_EVERY_BYTES:
                os.fsync(descriptor)
                self._unsynced_bytes = 0
        except OSError as error:
            raise self._room.explain(error) from error

    def _open(self) -> int:
        while self._descriptor is None:
            self.id = self._new_blob_id()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(self._folder.path_of(self.id), flags, PRIVATE_FILE_MODE)
            if _lock_present(descriptor, fcntl.LOCK_SH):
                self._descriptor = descriptor
            else:
                # A sweep that spares no young file came between: it has the file, so take another name.
                os.close(descriptor)
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lock_present(descriptor: int, kind: int) -> bool:
    """Return whether the file could be locked at once and still has its name."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(descriptor).st_nlink > 0
