"""The layout of a data folder, and the locks on it.

    catalog.sqlite   rows; SQLite keeps -wal and -shm files beside it
    blobs/XX/<id>    the bytes of large objects, fanned out by the first two digits of the id
    write.lock       held around each write transaction, by whichever process writes
    sweep.lock       held by the one process that sweeps
    lifecycle.lock   held by the one process that lets objects expire
    server.lock      held by the one running server
    marks            counters by which processes know what they may keep; see `marks.py`. Of no worth afterwards

The locks are `flock`s: they end with the process that holds them, however it ends.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from valetkey.processes.file_lock import PRIVATE_FILE_MODE, FileLock
from valetkey.processes.marks import FILE_BYTES
from valetkey.store.errors import FolderInUseError, StorageFailedError

PRIVATE_FOLDER_MODE: Final = 0o700

SHELVES: Final = tuple(f"{number:02x}" for number in range(256))
"""The folders in `blobs`; a blob stands in the one that its id begins with."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    path: Path

    @property
    def catalog(self) -> Path:
        return self.path / "catalog.sqlite"

    @property
    def write_ahead_log(self) -> Path:
        return self.path / "catalog.sqlite-wal"

    @property
    def blobs(self) -> Path:
        return self.path / "blobs"

    @property
    def write_lock(self) -> Path:
        return self.path / "write.lock"

    @property
    def sweep_lock(self) -> Path:
        return self.path / "sweep.lock"

    @property
    def lifecycle_lock(self) -> Path:
        return self.path / "lifecycle.lock"

    @property
    def server_lock(self) -> Path:
        return self.path / "server.lock"

    @property
    def marks(self) -> Path:
        return self.path / "marks"

    def prepare(self) -> None:
        """Make what is missing in the folder, durably, and leave what exists as it is.

        The caller has made the folder itself and holds the write lock.
        """
        self.blobs.mkdir(PRIVATE_FOLDER_MODE, exist_ok=True)
        present = {entry.name for entry in self.blobs.iterdir()}
        missing = [name for name in SHELVES if name not in present]
        for name in missing:
            (self.blobs / name).mkdir(PRIVATE_FOLDER_MODE, exist_ok=True)
        if not self.catalog.exists():
            # SQLite would make it readable for everybody; its -wal and -shm take the mode of this one.
            self.catalog.touch(PRIVATE_FILE_MODE)
        # Bytes that are really there: memory behind a hole in a file on a full disk kills who writes to it.
        if not self.marks.exists() or self.marks.stat().st_size != FILE_BYTES:
            self.marks.touch(PRIVATE_FILE_MODE)
            self.marks.write_bytes(bytes(FILE_BYTES))
        if missing:
            sync_folder(self.blobs)
            sync_folder(self.path)


@contextmanager
def hold_folder(path: Path) -> Iterator[FileLock]:
    """Hold the data folder for one running server; its worker processes open the store beneath it.

    Yields the lock: a fork that is not to hold the folder closes its own of it.

    Raises:
        FolderInUseError: another server holds it.
        StorageFailedError: it cannot be made or written to.
    """
    try:
        make_private_folder(path)
        lock = FileLock(DataFolder(path).server_lock)
    except OSError as error:
        raise StorageFailedError(
            f"The data folder {path} cannot be held: {error.strerror or error}."
        ) from error
    try:
        if not lock.take_at_once():
            raise FolderInUseError(path)
        yield lock
    finally:
        lock.close()


def make_private_folder(path: Path) -> None:
    """Make the folder, durably, unless it exists."""
    if path.is_dir():
        return
    path.mkdir(PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path | str) -> None:
    """Make the names in the folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
