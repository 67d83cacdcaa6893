"""What a worker has counted, in a file in memory that every worker can read: each tells the sum of all.

What can be counted is known before the first request: operations, status classes, error codes. Nothing that a client
chooses becomes a name, and the memory that it takes is always the same.
"""

from __future__ import annotations

import mmap
import os
import secrets
import shutil
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zlib import crc32

from valetkey.processes.file_lock import PRIVATE_FILE_MODE
from valetkey.s3.codes import Code
from valetkey.s3.operations import OPERATIONS
from valetkey.store.folder import PRIVATE_FOLDER_MODE

FOLDER_NAME: Final = "metrics"

OTHER: Final = "other"
"""What never came as far as an operation, and what is none of S3's."""
ADMIN: Final = "admin"

OPERATION_NAMES: Final = (*(row.name for row in OPERATIONS), ADMIN, OTHER)
CLASSES: Final = ("gone", "2xx", "3xx", "4xx", "5xx")
"""`gone`: the client left before it was answered."""
CODES: Final = (*(code.wire for code in Code), OTHER)

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds, inclusive; a last bucket has none."""

_BOUNDS_NS: Final = [round(bound * 1e9) for bound in BOUNDS_S]
_BUCKETS: Final = len(BOUNDS_S) + 1

_REQUESTS: Final = 0
_LATENCY: Final = _REQUESTS + len(OPERATION_NAMES) * len(CLASSES)
_SUMS: Final = _LATENCY + len(OPERATION_NAMES) * _BUCKETS
_REFUSALS: Final = _SUMS + len(OPERATION_NAMES)
_FAILURES: Final = _REFUSALS + len(CODES)
_RECEIVED: Final = _FAILURES + len(CODES)
_SENT: Final = _RECEIVED + 1
_LOST: Final = _SENT + 1
_SLOTS: Final = _LOST + 1

_OPERATION_PLACES: Final[Mapping[str, int]] = {name: place for place, name in enumerate(OPERATION_NAMES)}
_CODE_PLACES: Final[Mapping[str, int]] = {name: place for place, name in enumerate(CODES)}
_OTHER_OPERATION: Final = _OPERATION_PLACES[OTHER]
_OTHER_CODE: Final = _CODE_PLACES[OTHER]

_LAYOUT: Final = f"{crc32(repr((OPERATION_NAMES, CLASSES, CODES, BOUNDS_S)).encode()):08x}"
"""Files of another program, that counts other things, are passed over."""


def begin_counts(folder: Path) -> None:
    """Forget what earlier runs have counted. The caller holds the data folder."""
    shutil.rmtree(folder / FOLDER_NAME, ignore_errors=True)


class Tally:
    """Numbers that somebody has counted."""

    def __init__(self, slots: array[int] | memoryview[int]) -> None:
        self._slots = slots

    def requests(self, operation: str, status_class: str) -> int:
        place = _OPERATION_PLACES[operation] * len(CLASSES) + CLASSES.index(status_class)
        return self._slots[_REQUESTS + place]

    def latency(self, operation: str) -> tuple[list[int], float]:
        """Return how many requests there were below each bound, then of any length, and their seconds in all."""
        place = _OPERATION_PLACES[operation]
        begin = _LATENCY + place * _BUCKETS
        below, counts = 0, []
        for number in self._slots[begin : begin + _BUCKETS]:
            below += number
            counts.append(below)
        return counts, self._slots[_SUMS + place] / 1e9

    def refusals(self, code: str) -> int:
        return self._slots[_REFUSALS + _CODE_PLACES[code]]

    def failures(self, code: str) -> int:
        return self._slots[_FAILURES + _CODE_PLACES[code]]

    @property
    def received_bytes(self) -> int:
        return self._slots[_RECEIVED]

    @property
    def sent_bytes(self) -> int:
        return self._slots[_SENT]

    @property
    def lost_attempts(self) -> int:
        """How many attempts are missing in the history."""
        return self._slots[_LOST]


class Counts:
    """One worker's numbers. They outlive it: what it has counted is not taken back."""

    def __init__(self, folder: Path) -> None:
        """Make the worker's file in the data folder.

        Raises:
            OSError
        """
        self._folder = folder / FOLDER_NAME
        self._folder.mkdir(PRIVATE_FOLDER_MODE, exist_ok=True)
        path = self._folder / f"{_LAYOUT}-{secrets.token_hex(8)}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE_MODE)
        try:
            # Bytes that are really there: memory behind a hole in a file on a full disk kills who writes to it.
            os.write(descriptor, bytes(_SLOTS * 8))
            self._map = mmap.mmap(descriptor, _SLOTS * 8, mmap.MAP_SHARED)
        finally:
            os.close(descriptor)
        self._slots = memoryview(self._map).cast("Q")

    def note(
        self,
        operation: str | None,
        status: int,
        error: str | None,
        *,
        duration_ns: int,
        received_bytes: int,
        sent_bytes: int,
    ) -> None:
        """Count a request that is over; `status` 0 is a client that left before it was answered."""
        slots = self._slots
        place = _OPERATION_PLACES.get(operation or OTHER, _OTHER_OPERATION)
        # Of 1xx there are none, so that its class stands for those that are gone.
        slots[_REQUESTS + place * len(CLASSES) + max(status // 100 - 1, 0)] += 1
        slots[_LATENCY + place * _BUCKETS + bisect_left(_BOUNDS_NS, duration_ns)] += 1
        slots[_SUMS + place] += max(duration_ns, 0)
        slots[_RECEIVED] += received_bytes
        slots[_SENT] += max(sent_bytes, 0)
        if error is not None:
            begin = _FAILURES if status >= 500 else _REFUSALS
            slots[begin + _CODE_PLACES.get(error, _OTHER_CODE)] += 1

    def set_lost(self, attempts: int) -> None:
        """Keep how many attempts this worker could not write down."""
        self._slots[_LOST] = attempts

    def sum(self) -> Tally:
        """Return what all workers have counted since the server began."""
        total = array("Q", bytes(_SLOTS * 8))
        for path in self._folder.glob(f"{_LAYOUT}-*"):
            content = path.read_bytes()
            if len(content) == len(total) * 8:
                for place, number in enumerate(memoryview(content).cast("Q")):
                    total[place] += number
        return Tally(total)

    def close(self) -> None:
        self._slots.release()
        self._map.close()
