"""A stretch of a local file as a request body that can be hashed, sent and sent again."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from valetkey.cli.errors import CliError

_BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSlice:
    """`size` bytes of an open file from offset `start`."""

    file: BinaryIO
    path: Path
    start: int
    size: int

    def sha256_hex(self) -> str:
        """Return the SHA-256 of the bytes, read in small blocks."""
        digest = hashlib.sha256()
        reader = self.reader(lambda _: None)
        while block := reader.read(_BLOCK_BYTES):
            digest.update(block)
        return digest.hexdigest()

    def reader(self, observe: Callable[[int], None]) -> "SliceReader":
        """Return a reader at the first byte; `observe` is told how many bytes each read gave."""
        self.file.seek(self.start)
        return SliceReader(self, observe)


class SliceReader:
    """Reads one slice once. Two readers of one file must not be used in turn."""

    __slots__ = ("_left", "_observe", "_slice")

    def __init__(self, source: FileSlice, observe: Callable[[int], None]) -> None:
        self._slice = source
        self._left = source.size
        self._observe = observe

    @property
    def consumed(self) -> int:
        """How many bytes were read so far."""
        return self._slice.size - self._left

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, none at the end of the slice.

        Raises:
            CliError: the file ends before the slice does.
        """
        wanted = self._left if size < 0 else min(size, self._left)
        if wanted == 0:
            return b""
        block = self._slice.file.read(wanted)
        if not block:
            raise CliError(f"{self._slice.path} became shorter while it was being sent")
        self._left -= len(block)
        self._observe(len(block))
        return block
