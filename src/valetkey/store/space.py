"""How much room the disk has, and what the failures of disk and catalog mean."""

import errno
import os
import sqlite3
from collections.abc import Callable
from typing import Final

from valetkey.store.errors import OutOfSpaceError, StorageFailedError, StoreError
from valetkey.store.folder import DataFolder

MIB: Final = 1024 * 1024

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
# SQLite reports some writes that the disk refused, such as growing the -shm file, under these.
_MAYBE_NO_SPACE: Final = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
_LEAST_GROWTH_BYTES: Final = 64 * 1024


def reserve_bytes(disk_bytes: int) -> int:
    """Return what stays free on a disk of this size, so that deletes can still be committed.

    1 % of it, but at least 4 MiB and at most 64 MiB; on tiny disks no more than an eighth.
    """
    usual = max(4 * MIB, min(64 * MIB, disk_bytes // 100))
    return min(usual, disk_bytes // 8)


def is_full(error: sqlite3.Error) -> bool:
    return _primary_code(error) == sqlite3.SQLITE_FULL


class Room:
    """The room on the disk that holds the data folder."""

    def __init__(self, folder: DataFolder, *, relieve: Callable[[], None]) -> None:
        """`relieve` waits for removals that are under way; it is asked before a write is refused."""
        self._path = os.fspath(folder.path)
        self._log_path = os.fspath(folder.write_ahead_log)
        self._relieve = relieve
        disk = os.statvfs(self._path)
        self.reserve_bytes: Final = reserve_bytes(disk.f_blocks * disk.f_frsize)

    def available_bytes(self) -> int:
        """Return how many bytes may be written before the reserve is touched; negative below it.

        What waits in the write-ahead log is taken off, since the catalog may have to grow by as much.
        """
        return self._free_bytes() - self.log_bytes() - self.reserve_bytes

    def log_bytes(self) -> int:
        try:
            return os.stat(self._log_path).st_size  # noqa: PTH116 - asked often; a Path per call costs more
        except FileNotFoundError:
            return 0

    def require(self, size: int) -> None:
        """Raises OutOfSpaceError if `size` bytes more would touch the reserve. May wait; not for the loop."""
        if self.available_bytes() >= size:
            return
        self._relieve()
        if self.available_bytes() < size:
            raise OutOfSpaceError

    def explain(self, error: sqlite3.Error | OSError) -> StoreError:
        """Return the store's own error for one of SQLite or of the system; the caller chains it."""
        if isinstance(error, OSError):
            return OutOfSpaceError() if error.errno in _NO_SPACE else _failed(error)
        if is_full(error):
            return OutOfSpaceError()
        if _primary_code(error) in _MAYBE_NO_SPACE and self._free_bytes() < _LEAST_GROWTH_BYTES:
            return OutOfSpaceError()
        return _failed(error)

    def _free_bytes(self) -> int:
        disk = os.statvfs(self._path)
        return disk.f_bavail * disk.f_frsize


def _primary_code(error: sqlite3.Error) -> int | None:
    # Errors that Python's module raises by itself carry no code.
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _failed(error: Exception) -> StorageFailedError:
    return StorageFailedError(f"The data folder cannot be used: {error}")
