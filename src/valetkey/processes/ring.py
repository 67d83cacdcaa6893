"""The last records of several processes, in one file that never grows.

The file has partitions, so that one writer of many records pushes out those of its own partition only. A record that
cannot be written at once is dropped: nobody waits here.
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final
from zlib import crc32

from valetkey.processes.file_lock import PRIVATE_FILE_MODE

PARTITIONS: Final = 32
SLOTS: Final = 32
"""Of each partition."""
SLOT_BYTES: Final = 8192

_HEAD: Final = struct.Struct("<QII")
"""Number of the record in its partition, its length, and a checksum."""
_COUNT: Final = struct.Struct("<Q")
_COUNTS_BYTES: Final = PARTITIONS * _COUNT.size
MOST_RECORD_BYTES: Final = SLOT_BYTES - _HEAD.size
_TRIES: Final = 3


class Ring:
    """Records of bytes, the newest of each partition. For one thread of each process."""

    def __init__(self, path: Path) -> None:
        """Open the file, and make it if there is none. It grows to a little above 8 MiB.

        Raises:
            OSError
        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE_MODE)

    def append(self, partition: int, record: bytes) -> bool:
        """Write a record and return True; False if it is too long, the disk full, or another process at it."""
        if len(record) > MOST_RECORD_BYTES or self._descriptor < 0 or not self._lock():
            return False
        try:
            number = self._count(partition) + 1
            head = _HEAD.pack(number, len(record), crc32(record, number & 0xFFFFFFFF))
            os.pwrite(self._descriptor, head + record, _place(partition, number))
            os.pwrite(self._descriptor, _COUNT.pack(number), partition * _COUNT.size)
        except OSError:
            return False
        finally:
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        return True

    def read(self, partition: int) -> list[bytes]:
        """Return the records of a partition, the newest first. One that is being written is left out.

        Raises:
            OSError
        """
        newest = self._count(partition)
        numbers = range(newest, max(newest - SLOTS, 0), -1)
        found = (self._read_slot(partition, number) for number in numbers)
        return [record for record in found if record is not None]

    def close(self) -> None:
        """Close the file. What is written afterwards is dropped."""
        # The number may soon be another file's.
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def _lock(self) -> bool:
        for _ in range(_TRIES):
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        return False

    def _count(self, partition: int) -> int:
        raw = os.pread(self._descriptor, _COUNT.size, partition * _COUNT.size)
        count: int = _COUNT.unpack(raw)[0] if len(raw) == _COUNT.size else 0
        return count

    def _read_slot(self, partition: int, number: int) -> bytes | None:
        raw = os.pread(self._descriptor, SLOT_BYTES, _place(partition, number))
        if len(raw) < _HEAD.size:
            return None
        written, length, checksum = _HEAD.unpack_from(raw)
        record = raw[_HEAD.size : _HEAD.size + length]
        is_whole = written == number and crc32(record, number & 0xFFFFFFFF) == checksum
        return record if is_whole else None


def partition_of(name: str) -> int:
    """Return the partition for whatever has this name."""
    return crc32(name.encode("utf-8", "replace")) % PARTITIONS


def _place(partition: int, number: int) -> int:
    return _COUNTS_BYTES + (partition * SLOTS + number % SLOTS) * SLOT_BYTES
