"""Writing the history down: attempts wait in memory for a moment, and a thread writes them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from valetkey.links.history.model import Note
from valetkey.links.history.pen import Pen
from valetkey.processes.backlog import Backlog

WRITE_EVERY_S: Final = 0.5
"""So a crash loses less than a second."""

MOST_WAITING: Final = 50_000
"""Attempts that may wait for a slow disk, about 30 MB; what comes then is counted and not kept."""

T = TypeVar("T")


def open_recorder(folder: Path, *, finish: Callable[[Sequence[T]], Sequence[Note]]) -> Backlog[T]:
    """Return what keeps attempts soon after they were added.

    `finish` makes attempts of what was added; it runs in the thread that writes.
    """
    pen = Pen(folder)

    def keep(seen: list[T], is_last: bool) -> int:  # noqa: FBT001 - the last call is like the others
        if seen:
            pen.write(finish(seen))
        return 0

    return Backlog(
        "The history",
        name="history",
        every_s=WRITE_EVERY_S,
        most=MOST_WAITING,
        handle=keep,
        end=pen.close,
    )
