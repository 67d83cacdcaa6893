"""What it costs to serve: seconds of the processor and memory, from the operating system's own accounting."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_LOOK_EVERY_S: Final = 0.25
_PER: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a load has had answered."""

    requests: int
    seconds: float
    amount: float | None = None
    """What is counted in place of requests, in the unit of the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one side took for all its processes together, over all its turns."""

    cpu_s: float
    """Per 10,000 requests."""
    peak_bytes: int
    """The most memory at any look: proportional set size, so that what processes share counts once."""
    grown_bytes: float | None
    """How much more memory it had at the end than after its first turn, per 10,000 requests; None: of too few."""
    workers: int
    """As many as were asked for; a server may have no such notion."""
    processes: int
    threads: int


class Metered:
    """A load whose server is watched while it lasts."""

    def __init__(
        self, name: str, work: Callable[[float], Done], *, root_processes: Sequence[int], workers: int
    ) -> None:
        self._name = name
        self._workers = workers
        self._work = work
        self._roots = root_processes
        self._requests = 0
        self._later_requests = 0
        self._cpu_s = 0.0
        self._looks: list[int] = []
        self._warm_bytes: int | None = None

    def measure(self, seconds: float) -> float:
        """Load the server and return how much it did per second."""
        before = _cpu_s(self._roots)
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,))
        watcher.start()
        try:
            done = self._work(seconds)
        except (RuntimeError, OSError) as error:
            error.add_note(self._name)
            raise
        finally:
            over.set()
            watcher.join()
        self._cpu_s += _cpu_s(self._roots) - before
        self._requests += done.requests
        if self._warm_bytes is None:
            self._warm_bytes = _memory_bytes(self._roots)
        else:
            self._later_requests += done.requests
        return (done.requests if done.amount is None else done.amount) / done.seconds

    def usage(self) -> Usage:
        """Return what the turns so far took; there must have been one."""
        now_bytes = _memory_bytes(self._roots)
        grown_bytes = now_bytes - (self._warm_bytes or 0)
        return Usage(
            cpu_s=self._cpu_s * _PER / self._requests,
            peak_bytes=max([now_bytes, *self._looks]),
            grown_bytes=grown_bytes * _PER / self._later_requests if self._later_requests >= _PER else None,
            workers=self._workers,
            processes=len(_family(self._roots)),
            threads=sum(_threads(process) for process in _family(self._roots)),
        )

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(_LOOK_EVERY_S):
            self._looks.append(_memory_bytes(self._roots))


def _family(roots: Sequence[int]) -> list[int]:
    """Return the processes and all that they have started."""
    parents = {process: _stat(process)[1] for process in _all_processes()}
    family = [root for root in roots if root in parents]
    for process in family:
        family += [child for child, parent in parents.items() if parent == str(process)]
    return family


def _all_processes() -> Iterator[int]:
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            yield int(entry.name)


def _stat(process: int) -> list[str]:
    """Return the fields behind the name; zeros of a process that has ended meanwhile."""
    try:
        text = (_PROC / str(process) / "stat").read_text("utf-8", "replace")
    except OSError:
        return ["0"] * 50
    return text.rpartition(")")[2].split()


def _cpu_s(roots: Sequence[int]) -> float:
    # The four fields are user and system time, and those of the children that have ended.
    return sum(sum(map(int, _stat(process)[11:15])) for process in _family(roots)) / _TICKS_PER_S


def _threads(process: int) -> int:
    return int(_stat(process)[17])


def _memory_bytes(roots: Sequence[int]) -> int:
    return sum(_proportional_bytes(process) for process in _family(roots))


def _proportional_bytes(process: int) -> int:
    with suppress(OSError):
        for line in (_PROC / str(process) / "smaps_rollup").read_text("utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
