"""Attempts to write into a history under test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valetkey.links.history import file
from valetkey.links.history.model import (
    Attempt,
    Circumstances,
    Entry,
    Note,
    Page,
    Party,
    Place,
    Sight,
    Wanted,
)
from valetkey.links.history.pen import Pen
from valetkey.links.history.reader import read_page, read_tail

ALICE = Party("a" * 64)
ALICES_USER = Party("a" * 64, "ann")
BOB = Party("b" * 64)
EVERYTHING = Sight(is_all=True)


def attempt(at_ms: int, **changes: Any) -> Attempt:
    """Return an attempt of Alice's key on her bucket."""
    usual = Attempt(
        at_ms, "AKALICE", True, ALICE, ALICE, "GetObject", "photos", "cats/1.jpg", 200, 1024, 0, 850,
        "192.0.2.7", "curl/8", "example.com", None, f"{at_ms:016X}",
    )  # fmt: skip
    return usual._replace(**changes)


def note(one: Attempt) -> Note:
    """Return the same attempt, as it is written."""
    told = one._asdict()
    circumstances = Circumstances(**{name: told[name] for name in Circumstances._fields})
    own = {name: told[name] for name in Note._fields if name in told}
    return Note(**own, circumstances=circumstances)


@dataclass(frozen=True, slots=True)
class History:
    """A history's file at hand."""

    folder: Path

    def write(self, *attempts: Attempt) -> None:
        pen = Pen(self.folder)
        pen.write([note(one) for one in attempts])
        pen.close()

    def page(
        self, sight: Sight = EVERYTHING, *, after: Place | None = None, limit: int = 100, **wanted: Any
    ) -> Page:
        connection = file.open_reader(self.folder)
        try:
            return read_page(connection.cursor(), sight, Wanted(**wanted), after=after, limit=limit)
        finally:
            connection.close()

    def instants(self, sight: Sight = EVERYTHING, *, limit: int = 100, **wanted: Any) -> list[int]:
        """Return the instants of all pages."""
        return [entry.attempt.at_ms for entry in self.entries(sight, limit=limit, **wanted)]

    def entries(self, sight: Sight = EVERYTHING, *, limit: int = 100, **wanted: Any) -> list[Entry]:
        """Return what stands on all pages."""
        found: list[Entry] = []
        place = None
        while True:
            page = self.page(sight, after=place, limit=limit, **wanted)
            found += page.entries
            place = page.next_place
            if place is None:
                return found

    def tail(self, sight: Sight, after_id: int | None, **wanted: Any) -> tuple[list[Entry], int]:
        connection = file.open_reader(self.folder)
        try:
            entries, last = read_tail(connection.cursor(), sight, Wanted(**wanted), after_id=after_id)
            return list(entries), last
        finally:
            connection.close()


def open_history(folder: Path) -> History:
    """Return a new history."""
    file.prepare(folder)
    return History(folder)
