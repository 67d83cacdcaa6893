"""Counters in memory that all processes on a data folder share, so that each may keep what it has read.

A change marks its keys before it is committed and again after. What was read while the counter of a key stood
at an even number is true as long as it stands there: one memory access tells, where asking the catalog again
takes ten microseconds and several hand-overs of the interpreter's lock.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from zlib import crc32

SLOTS: Final = 4096
"""Keys that fall on one counter are forgotten together; that costs a look-up and nothing else."""

FILE_BYTES: Final = SLOTS * 8


class Stamp:
    """What the counters of some keys stood at."""

    __slots__ = ("_counts", "_slots", "_stood")

    def __init__(self, counts: memoryview, slots: list[int], stood: list[int]) -> None:
        """Use `Marks.stamp`."""
        self._counts = counts
        self._slots = slots
        self._stood = stood

    def holds(self) -> bool:
        """Return whether none of the keys has changed since."""
        counts = self._counts
        return [counts[slot] for slot in self._slots] == self._stood


class Marks:
    """The counters. Reading them is for any thread; marking is for whoever holds the folder's write lock."""

    def __init__(self, path: Path) -> None:
        """Map the file, which `DataFolder.prepare` has made."""
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._map = mmap.mmap(descriptor, FILE_BYTES, mmap.MAP_SHARED)
        finally:
            os.close(descriptor)
        self.counts: Final = memoryview(self._map).cast("Q")
        """One of each slot. An odd one says that one of its keys is being changed: nothing may be kept."""

    @contextmanager
    def changing(self, keys: Iterable[tuple[str, str]]) -> Iterator[None]:
        """Mark keys, as bucket and key, around the commit that changes them.

        A process that dies in between leaves its counters odd. Their keys are not kept until they change again.
        """
        slots = {slot_of(bucket, key) for bucket, key in keys}
        for slot in slots:
            self.counts[slot] |= 1
        try:
            yield
        finally:
            for slot in slots:
                self.counts[slot] += 1

    def stamp(self, *keys: tuple[str, str]) -> Stamp | None:
        """Return what tells whether all of these keys are as they are now; None while one is being changed."""
        slots = [slot_of(*key) for key in keys]
        stood = [self.counts[slot] for slot in slots]
        return None if any(count & 1 for count in stood) else Stamp(self.counts, slots, stood)

    def close(self) -> None:
        self.counts.release()
        self._map.close()


def slot_of(bucket: str, key: str) -> int:
    """Return which counter belongs to a key."""
    # Not `hash`, which differs between processes.
    return crc32(key.encode(), crc32(bucket.encode())) % SLOTS
