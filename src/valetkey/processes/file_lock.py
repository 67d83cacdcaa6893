"""Locks between processes. They are `flock`s: they end with the process that holds them, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PRIVATE_FILE_MODE: Final = 0o600


class FileLock:
    """An exclusive lock between processes (and between several of these objects in one process)."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE_MODE)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Wait in the kernel until nobody else holds the lock."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            self.release()

    def take_at_once(self) -> bool:
        """Take the lock until `release` or `close` and return True, or return False because somebody else holds it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give up the lock."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._descriptor)
