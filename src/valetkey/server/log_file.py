"""A log file that several processes write to and that is replaced by a new one when it has grown, or was moved."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from valetkey.processes.file_lock import PRIVATE_FILE_MODE, FileLock


class LogFile:
    """Each of its writers has one of these. Lines are written whole, and none is lost when the file is replaced."""

    def __init__(self, path: Path, *, most_bytes: int, kept: int) -> None:
        """Beyond `most_bytes` the file is set aside, and a new one begun; 0: never. `kept`: how many set aside stay.

        Raises:
            OSError: it cannot be opened.
        """
        self._path = path
        self._most_bytes = most_bytes
        self._kept = kept
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        self._descriptor = self._open()

    def write(self, lines: bytes) -> None:
        """Write whole lines.

        Raises:
            OSError
        """
        with self._lock.hold():
            self._reopen_if_moved()
            if self._most_bytes and os.fstat(self._descriptor).st_size >= self._most_bytes:
                self._set_aside()
            view = memoryview(lines)
            while view:
                view = view[os.write(self._descriptor, view) :]

    def close(self) -> None:
        os.close(self._descriptor)
        self._lock.close()

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return os.open(self._path, flags, PRIVATE_FILE_MODE)

    def _reopen_if_moved(self) -> None:
        # By another worker, or by logrotate.
        mine = os.fstat(self._descriptor)
        try:
            there = self._path.stat()
            is_mine = (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)
        except FileNotFoundError:
            is_mine = False
        if not is_mine:
            self._replace()

    def _replace(self) -> None:
        descriptor = self._open()
        os.close(self._descriptor)
        self._descriptor = descriptor

    def _set_aside(self) -> None:
        self._path.rename(self._path.with_name(f"{self._path.name}.{datetime.now(UTC):%Y-%m-%dT%H-%M-%S-%f}"))
        self._replace()
        old = sorted(self._path.parent.glob(f"{self._path.name}.????-??-??T??-??-??-??????"))
        for path in old[: max(0, len(old) - self._kept)]:
            path.unlink(missing_ok=True)
