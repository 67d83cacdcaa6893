"""What `docs/compatibility.md` says of the public compatibility suite, and where a run shows it wrong.

The page is the only place where the areas, their tests and the tests that need not pass are written down.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parents[1] / "docs/compatibility.md"

FOLDER: Final = "s3tests/functional/"
MAIN_MODULE: Final = "test_s3.py::"
"""Names in the table of areas are of this module, unless they say another."""

_SECTION: Final = "\n## The public compatibility suite\n"
_AREA_ROW: Final = re.compile(r"\| (\w+) \| ([^|]*) \| ([^|]*) \| (\d+) \| (\d+|not run) \|")
_KNOWN_ROW: Final = re.compile(r"\| (\w+) \| ([^|]*`test_[^|]*) \|.*")
_SPAN: Final = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of tests, as the page writes them: `…` stands for anything."""

    written: str
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, written: str) -> Names:
        escaped = re.escape(written).replace("…", ".*")
        return cls(written=written, pattern=re.compile(escaped))

    def hold(self, name: str) -> bool:
        return self.pattern.fullmatch(name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A row of the table of areas."""

    name: str
    marks: frozenset[str]
    """A test of the area has one of them. Empty: whatever marks it has."""
    names: Sequence[Names]
    """A test of the area has one of them. Empty: whatever its name is."""
    tests: int
    passes: int | None
    """None: the area is not run."""

    def holds(self, name: str, marks: Iterable[str]) -> bool:
        """Return whether a test belongs here, unless a row further up holds it."""
        is_marked = not self.marks or not self.marks.isdisjoint(marks)
        named = [names for names in self.names if "::" in names.written or "::" not in name]
        return is_marked and (not self.names or any(names.hold(name) for names in named))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Tests of an area that stand on the page with a reason why they do not pass."""

    area: str
    names: Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the page says."""

    areas: Sequence[Area]
    known: Sequence[Known]

    def area_of(self, nodeid: str, marks: Iterable[str]) -> str | None:
        """Return the area of a test, which is the first that holds it, or None."""
        name, held = nodeid.removeprefix(FOLDER).removeprefix(MAIN_MODULE), frozenset(marks)
        return next((area.name for area in self.areas if area.holds(name, held)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one test ended."""

    nodeid: str
    area: str
    outcome: str
    """As pytest names it: `passed`, `failed`, `error`, `skipped`."""
    message: str
    """The first line of what went wrong, or nothing."""

    @property
    def name(self) -> str:
        """The test without its module, as the reasons name it."""
        return self.nodeid.partition("::")[2]


def read_page(text: str) -> Page:
    """Return what the text of the page says of the suite."""
    section = text.partition(_SECTION)[2].partition("\n## ")[0]
    areas, _, reasons = section.partition("\n### ")
    rows = [row for line in areas.splitlines() if (row := _AREA_ROW.fullmatch(line))]
    return Page(areas=[_area(*row.groups()) for row in rows], known=list(_known(reasons)))


def _area(name: str, marks: str, names: str, tests: str, passes: str) -> Area:
    return Area(
        name=name,
        marks=frozenset(_SPAN.findall(marks)),
        names=[Names.parse(written) for written in _SPAN.findall(names)],
        tests=int(tests),
        passes=int(passes) if passes.isdecimal() else None,
    )


def _known(reasons: str) -> Iterator[Known]:
    for line in reasons.splitlines():
        row = _KNOWN_ROW.fullmatch(line)
        if row is not None:
            for written in _SPAN.findall(row[2]):
                yield Known(area=row[1], names=Names.parse(written))


def objections(page: Page, results: Sequence[Result], *, whole: Collection[str]) -> list[str]:
    """Return a line for each thing that the page should say otherwise, after these results.

    Tests that do not pass and are not named, and names whose tests pass; of areas that are in `whole`, which says
    that all their tests were to run, also names that no test has and counts that are not so.
    """
    found = []
    named = {
        result.nodeid: [known for known in page.known if _stands_for(known, result)] for result in results
    }
    for result in results:
        passed = result.outcome == "passed"
        if passed and named[result.nodeid]:
            found.append(f"{result.area}: {result.name} passes, and is named")
        if not passed and not named[result.nodeid]:
            found.append(f"{result.area}: {result.name} {result.outcome}, and is not named: {result.message}")
    met = {id(known) for several in named.values() for known in several}
    unmet = [known for known in page.known if known.area in whole and id(known) not in met]
    found += [f"{known.area}: there is no {known.names.written}" for known in unmet]
    return [*found, *_miscounts([area for area in page.areas if area.name in whole], results)]


def _stands_for(known: Known, result: Result) -> bool:
    return known.area == result.area and known.names.hold(result.name)


def _miscounts(areas: Sequence[Area], results: Sequence[Result]) -> Iterator[str]:
    tests = Counter(result.area for result in results)
    passes = Counter(result.area for result in results if result.outcome == "passed")
    for area in areas:
        passed, run = passes[area.name], tests[area.name]
        if (passed, run) != (area.passes, area.tests):
            yield f"{area.name}: {passed} of {run} pass, not {area.passes} of {area.tests}"
